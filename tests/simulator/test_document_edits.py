"""What an update leaves as it was, and what it may still change once money is applied (F 6.50–6.75, 5.27)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Reply, Row, Sent, inside, invoice, payment, rows_of, text

NOT_OF_STATUS = "Invoice not of valid status for modification"
WORK: Sent = {"Description": "Work", "Quantity": "1", "UnitAmount": "100.00", "AccountCode": "200"}
THINGS: Sent = WORK | {"AccountCode": "429"}


def applied(status: str, noun: str = "invoice") -> str:
    """Xero's words for a state that applied money forbids (F 6.53)."""
    return (
        f"The status {status} cannot be applied to the {noun} because it has payments or credit notes allocated to it."
    )


def customer(product: Product) -> str:
    return product.books.add_contact("Ridgeway").id


def made(product: Product, *lines: Sent, query: str = "", **others: object) -> Row:
    """A sale of *lines* in the books, as Xero answered it; an approved one of 115.00 unless others say otherwise."""
    body = invoice(customer(product), LineItems=list(lines) or [WORK], **others)
    reply = product.call("PUT", f"Invoices{query}", body)
    assert reply.status == 200, reply.text
    return reply.one("Invoices")


def change(product: Product, row: Row, **fields: object) -> Reply:
    return product.call("POST", f"Invoices/{row['InvoiceID']}", fields)


def line_of(row: Row) -> Row:
    (line,) = rows_of(row, "LineItems")
    return line


def read(product: Product, row: Row, query: str = "") -> Row:
    return product.call("GET", f"Invoices/{row['InvoiceID']}{query}").one("Invoices")


def settled(product: Product, row: Row, amount: str) -> Row:
    """*row* with *amount* paid."""
    assert product.call("PUT", "Payments", payment(text(row, "InvoiceID"), amount)).status == 200
    return row


def account_id(product: Product, code: str) -> str:
    return product.books.account(code).id


def test_a_draft_that_is_not_whole_is_not_approved_and_xero_says_why(product: Product) -> None:
    """F 6.62: the reason stands where a client finds it although no line was sent."""
    draft = made(product, {"Description": "Work", "Quantity": 1, "UnitAmount": 5}, Status="DRAFT")

    reply = change(product, draft, Status="AUTHORISED")

    assert reply.status == 400
    assert "is not a valid code for this document." in reply.text
    assert product.books.invoices[0].status == "DRAFT"


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
def test_a_line_without_words_may_wait_but_not_be_approved(product: Product, status: str) -> None:
    """F 6.62."""
    wordless = {name: value for name, value in WORK.items() if name != "Description"}
    draft = made(product, wordless, Status=status)

    approved = change(product, draft, Status="AUTHORISED")
    created = product.call(
        "PUT", "Invoices", invoice(text(inside(draft, "Contact"), "ContactID"), LineItems=[wordless])
    )

    assert (approved.status, created.status) == (400, 400)
    assert created.line_messages() == ["Description must be at least 1 character."]
    assert [one.status for one in product.books.invoices] == [status]


@pytest.mark.rank(41)
def test_a_line_that_is_kept_by_its_id_alone_keeps_all_of_itself(product: Product) -> None:
    """F 6.65 (rank 41)."""
    place = product.call("PUT", "TrackingCategories", {"Name": "Place"}).one("TrackingCategories")
    product.call("PUT", f"TrackingCategories/{place['TrackingCategoryID']}/Options", {"Name": "North"})
    product.call("PUT", "Items", {"Code": "W", "SalesDetails": {"UnitPrice": "1.00", "AccountCode": "260"}})
    tracking = [{"Name": "Place", "Option": "North"}]
    whole: Sent = WORK | {"ItemCode": "W", "DiscountRate": "10", "TaxAmount": "13.49", "Tracking": tracking}
    one = made(product, whole)
    before = line_of(read(product, one))

    reply = change(product, one, LineItems=[{"LineItemID": before["LineItemID"]}])

    assert reply.status == 200, reply.text
    assert line_of(read(product, one)) == before
    assert product.books.invoices[0].total == Decimal("103.49")
    assert product.books.balance(account_id(product, "610")) == Decimal("103.49")


@pytest.mark.rank(41)
@pytest.mark.parametrize(
    ("fields", "amounts"),
    [
        ({"Quantity": 2}, ("200.00", "30.00", "0.00")),
        ({"UnitAmount": "50.00"}, ("50.00", "7.50", "0.00")),
        ({"LineAmount": "80.00"}, ("80.00", "12.00", "0.00")),
        ({"DiscountRate": 50}, ("50.00", "7.50", "50.00")),
        ({"TaxAmount": "14.98"}, ("100.00", "14.98", "0.00")),
        ({"TaxType": "ZERORATED"}, ("100.00", "0.00", "0.00")),
        ({"AccountCode": "260"}, ("100.00", "14.99", "0.00")),
        ({"Description": "Better words"}, ("100.00", "14.99", "0.00")),
    ],
)
def test_a_line_that_is_kept_changes_only_by_what_is_said_of_it(
    product: Product, fields: Sent, amounts: tuple[str, str, str]
) -> None:
    """F 6.65, 5.27: the stated tax of 14.99 lasts while nothing that it follows from is changed."""
    one = made(product, WORK | {"TaxAmount": "14.99"})
    line = line_of(one)

    row = change(product, one, LineItems=[fields | {"LineItemID": line["LineItemID"]}]).one("Invoices")

    amount, tax, discount = map(Decimal, amounts)
    kept = line_of(row)
    assert (kept["LineAmount"], kept["TaxAmount"]) == (amount, tax)
    assert row.get("TotalDiscount", Decimal("0.00")) == discount
    assert kept["Description"] == fields.get("Description", "Work")
    assert kept["AccountCode"] == fields.get("AccountCode", "200")
    assert product.books.invoices[0].total == amount + tax


@pytest.mark.rank(41)
def test_blanks_say_nothing_of_a_line_that_is_kept(product: Product) -> None:
    """F 6.88, 6.65: a total that does not divide evenly is not worked out anew."""
    one = made(product, {"Description": "Work", "Quantity": 3, "LineAmount": "100.00", "AccountCode": "200"})
    blank = dict.fromkeys(("Quantity", "UnitAmount", "LineAmount", "DiscountRate", "TaxType"))

    reply = change(product, one, LineItems=[blank | {"LineItemID": line_of(one)["LineItemID"]}])

    assert line_of(reply.one("Invoices")) == line_of(one)
    assert product.books.invoices[0].total == Decimal("115.00")


@pytest.mark.rank(41)
def test_one_kind_of_discount_takes_the_place_of_the_other(product: Product) -> None:
    """F 5.23, 6.63."""
    one = made(product, WORK | {"DiscountRate": 10})

    row = change(product, one, LineItems=[{"LineItemID": line_of(one)["LineItemID"], "DiscountAmount": 5}])

    line = line_of(row.one("Invoices"))
    assert (line["LineAmount"], line["DiscountAmount"]) == (Decimal("95.00"), Decimal("5.00"))
    assert "DiscountRate" not in line


@pytest.mark.rank(41)
def test_a_kept_line_is_not_priced_by_its_item_again(product: Product) -> None:
    """F 6.84, 6.65: an item fills what is missing, and a line that is kept misses nothing; another item fills anew."""
    for code, price in (("A", "1.00"), ("B", "7.00")):
        product.call("PUT", "Items", {"Code": code, "Name": code, "SalesDetails": {"UnitPrice": price}})
    one = made(product, WORK | {"ItemCode": "A"})
    line = {"LineItemID": line_of(one)["LineItemID"]}

    same = line_of(change(product, one, LineItems=[line | {"ItemCode": "A", "Quantity": 2}]).one("Invoices"))
    other = line_of(change(product, one, LineItems=[line | {"ItemCode": "B"}]).one("Invoices"))

    assert (same["UnitAmount"], same["Description"]) == (Decimal("100.00"), "Work")
    assert (other["UnitAmount"], other["ItemCode"]) == (Decimal("7.00"), "B")


def test_orders_and_quotes_keep_their_lines_too(product: Product) -> None:
    """F 6.65, 6.176: with a discount, four places and a tax that was stated."""
    contact = customer(product)
    for path, name in (("PurchaseOrders", "PurchaseOrder"), ("Quotes", "Quote")):
        for tax in ({}, {"TaxType": "INPUT2" if name == "PurchaseOrder" else "OUTPUT2", "TaxAmount": "11.11"}):
            code = "429" if name == "PurchaseOrder" else "200"
            line = WORK | {"UnitAmount": "0.1234", "Quantity": 1000, "DiscountRate": 10, "AccountCode": code, **tax}
            body: Sent = {"Contact": {"ContactID": contact}, "Date": "2026-01-05", "LineItems": [line]}
            row = product.call("PUT", path, body).one(path)
            place = f"{path}/{row[f'{name}ID']}"
            before = product.call("GET", place).one(path)
            kept = {"LineItemID": line_of(row)["LineItemID"]}
            again: Sent = {"Contact": body["Contact"], "Date": "2026-01-05", "LineItems": [kept]}

            reply = product.call("POST", place, again)

            after = product.call("GET", place).one(path)
            assert reply.status == 200, reply.text
            assert line_of(after) == line_of(before)
            assert (after["SubTotal"], after["TotalTax"]) == (before["SubTotal"], before["TotalTax"])


@pytest.mark.rank(40)
def test_the_rate_of_an_invoice_is_changed_alone_and_kept_beside_its_currency(product: Product) -> None:
    """F 6.70, 5.15, 5.07."""
    product.books.add_currency("USD")
    one = made(product, CurrencyCode="USD", CurrencyRate="0.5", LineAmountTypes="NoTax")

    kept = change(product, one, CurrencyCode="usd").one("Invoices")
    moved = change(product, one, CurrencyRate="0.4").one("Invoices")

    assert (kept["CurrencyRate"], moved["CurrencyRate"]) == (Decimal("0.5"), Decimal("0.4"))
    assert product.books.balance(account_id(product, "200")) == Decimal(-250)


@pytest.mark.rank(40)
def test_the_rate_of_an_order_is_kept_beside_its_currency(product: Product) -> None:
    """F 6.70."""
    product.books.add_currency("USD")
    body: Sent = {"Contact": {"ContactID": customer(product)}, "CurrencyCode": "USD", "CurrencyRate": "0.5"}
    row = product.call("PUT", "PurchaseOrders", body | {"LineItems": [THINGS]}).one("PurchaseOrders")
    path = f"PurchaseOrders/{row['PurchaseOrderID']}"

    kept = product.call("POST", path, {"CurrencyCode": "usd"}).one("PurchaseOrders")
    moved = product.call("POST", path, {"CurrencyRate": "0.4"}).one("PurchaseOrders")

    assert (kept["CurrencyRate"], moved["CurrencyRate"]) == (Decimal("0.5"), Decimal("0.4"))


@pytest.mark.rank(42)
def test_the_rate_of_a_part_paid_invoice_stays(product: Product) -> None:
    """F 6.66."""
    product.books.add_currency("USD")
    one = made(product, CurrencyCode="USD", CurrencyRate="0.5", LineAmountTypes="NoTax")
    settled(product, one, "10.00")

    assert change(product, one, CurrencyRate="0.4").status == 400
    assert change(product, one, CurrencyCode="usd", CurrencyRate="0.5", Reference="same").status == 200
    assert product.books.invoices[0].rate == Decimal("0.5")


@pytest.mark.rank(42)
@pytest.mark.parametrize("code", ["610", "800", "090"])
def test_a_paid_line_is_not_moved_to_a_control_or_bank_account(product: Product, code: str) -> None:
    """F 6.20, 6.66: by its code or its id."""
    one = settled(product, made(product), "115.00")
    line = {"LineItemID": line_of(one)["LineItemID"]}

    by_code = change(product, one, LineItems=[line | {"AccountCode": code}])
    by_id = change(product, one, LineItems=[line | {"AccountID": account_id(product, code)}])

    refusal = [f"Account code '{code}' is not a valid code for this document."]
    assert (by_code.messages(), by_id.messages()) == (refusal, refusal)
    assert product.books.balance(account_id(product, "200")) == Decimal("-100.00")


@pytest.mark.rank(42)
def test_a_paid_line_is_moved_by_the_id_of_an_account(product: Product) -> None:
    """F 6.66, 6.11."""
    one = settled(product, made(product), "115.00")
    line = {"LineItemID": line_of(one)["LineItemID"], "AccountID": account_id(product, "260")}

    assert change(product, one, LineItems=[line]).status == 200
    assert product.books.balance(account_id(product, "260")) == Decimal("-100.00")


@pytest.mark.rank(42)
@pytest.mark.parametrize("fields", [{"DiscountAmount": 1}, {"TaxAmount": 1}, {"LineAmount": 90}])
def test_a_paid_line_keeps_what_it_sells_and_for_how_much(product: Product, fields: Sent) -> None:
    """F 6.66."""
    one = settled(product, made(product), "115.00")
    before = product.books.invoices[0]

    reply = change(product, one, LineItems=[fields | {"LineItemID": line_of(one)["LineItemID"]}])

    assert reply.messages() == [NOT_OF_STATUS]
    assert product.books.invoices[0] == before


@pytest.mark.rank(42)
def test_a_paid_line_may_be_sent_back_as_it_was_read(product: Product) -> None:
    """F 6.66: what stays the same is no change."""
    product.call("PUT", "Items", {"Code": "B"})
    one = settled(product, made(product, WORK | {"ItemCode": "B", "DiscountRate": 10}), "103.50")
    line = line_of(read(product, one))

    assert change(product, one, LineItems=[line | {"Description": "Better words"}]).status == 200
    assert product.books.invoices[0].lines[0].description == "Better words"


@pytest.mark.rank(42)
def test_the_contact_stays_while_a_credit_note_is_applied(product: Product) -> None:
    """F 6.66: given by name as by id; nobody is created for it."""
    contact = customer(product)
    other = product.books.add_contact("Other")
    one = product.books.add_invoice(contact, amount=Decimal(100))
    note = product.books.add_credit_note(contact, amount=Decimal(30))
    product.books.allocate(note.id, invoice_id=one.id, amount=Decimal(30))
    path = f"Invoices/{one.id}"

    for named in ({"ContactID": other.id}, {"Name": "OTHER"}, {"Name": "Nobody yet"}):
        assert product.call("POST", path, {"Contact": named}).status == 400
    assert product.call("POST", path, {"Contact": {"Name": "RIDGEWAY"}, "Reference": "same"}).status == 200
    assert product.books.invoice(one.id).contact_id == contact
    assert [one.name for one in product.books.contacts] == ["Ridgeway", "Other"]


@pytest.mark.rank(20, 42)
@pytest.mark.parametrize("status", ["AUTHORISED", "DRAFT", "SUBMITTED", "VOIDED"])
def test_a_paid_invoice_takes_no_other_status(product: Product, status: str) -> None:
    """F 6.53."""
    one = settled(product, made(product), "115.00")

    assert change(product, one, Status=status).messages() == [applied(status)]
    assert change(product, one, Status="PAID", Reference="still").status == 200
    assert product.books.invoices[0].status == "PAID"


@pytest.mark.rank(42)
@pytest.mark.parametrize("fields", [{"Date": "2026-01-01"}, {"CurrencyRate": "2"}, {"LineAmountTypes": "NoTax"}])
def test_a_part_paid_invoice_refuses_as_a_paid_one_does(product: Product, fields: Sent) -> None:
    """F 6.66."""
    one = settled(product, made(product), "10.00")

    assert change(product, one, **fields).messages() == [NOT_OF_STATUS]
    assert product.books.invoices[0].date == date(2026, 1, 5)


@pytest.mark.rank(42)
def test_a_spent_credit_note_is_refused_by_its_own_name(product: Product) -> None:
    """F 6.66, 6.95."""
    contact = customer(product)
    sale = product.books.add_invoice(contact, amount=Decimal(100))
    note = product.books.add_credit_note(contact, amount=Decimal(30))
    product.books.allocate(note.id, invoice_id=sale.id, amount=Decimal(30))
    path = f"CreditNotes/{note.id}"

    assert product.call("POST", path, {"Date": "2026-01-01"}).messages() == [
        "Credit Note not of valid status for modification"
    ]
    assert product.call("POST", path, {"Status": "VOIDED"}).messages() == [applied("VOIDED", "credit note")]


def test_what_is_discounted_comes_back_in_every_answer(product: Product) -> None:
    """F 6.63, 6.74."""
    one = made(product, WORK | {"DiscountAmount": "10.00"}, WORK | {"DiscountRate": "5"}, WORK)

    listed = product.call("GET", "Invoices?page=1").one("Invoices")

    for row in (one, read(product, one), listed):
        money, rate, none = rows_of(row, "LineItems")
        assert (row["TotalDiscount"], row["IsDiscounted"]) == (Decimal("15.00"), True)
        assert (money["DiscountAmount"], rate["DiscountRate"]) == (Decimal("10.00"), Decimal("5.00"))
        assert not {"DiscountAmount", "DiscountRate"} & set(none)


def test_an_order_discounted_in_money_says_so(product: Product) -> None:
    """F 6.63."""
    body: Sent = {"Contact": {"ContactID": customer(product)}, "LineItems": [THINGS | {"DiscountAmount": "10.00"}]}
    written = product.call("PUT", "PurchaseOrders", body).one("PurchaseOrders")

    row = product.call("GET", f"PurchaseOrders/{written['PurchaseOrderID']}").one("PurchaseOrders")

    assert (written["TotalDiscount"], row["TotalDiscount"]) == (Decimal("10.00"), Decimal("10.00"))
    assert (written["IsDiscounted"], row["IsDiscounted"]) == (True, True)


@pytest.mark.rank(43)
def test_a_contact_made_for_a_refused_document_does_not_stay(product: Product) -> None:
    """F 6.36: nor does what a refused document says of a contact that is there."""
    there = product.books.add_contact("Ridgeway", email="old@example.com")
    bad: Sent = WORK | {"AccountCode": "999"}
    bodies = [invoice("", Contact={"Name": "New"}, LineItems=[bad])]
    bodies.append(invoice("", Contact={"ContactID": there.id, "EmailAddress": "new@example.com"}, LineItems=[bad]))

    for query in ("", "?summarizeErrors=false"):
        product.call("PUT", f"Invoices{query}", {"Invoices": bodies})
        product.call("PUT", f"PurchaseOrders{query}", {"Contact": {"Name": "New"}, "LineItems": []})
        product.call("PUT", f"BankTransactions{query}", {**bodies[0], "Type": "SPEND", "BankAccount": {"Code": "090"}})

    assert [(one.name, one.email) for one in product.books.contacts] == [("Ridgeway", "old@example.com")]


@pytest.mark.rank(48)
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_a_credit_note_is_not_made_and_allocated_in_one_call(product: Product, verb: str) -> None:
    """F 6.99."""
    contact = customer(product)
    sale = product.books.add_invoice(contact, amount=Decimal(100))
    parts = [{"Amount": "10.00", "Invoice": {"InvoiceID": sale.id}}]
    body = invoice(contact, Type="ACCRECCREDIT", Allocations=parts)

    reply = product.call(verb, "CreditNotes", body)

    assert reply.messages() == ["A credit note cannot be created and allocated in one call"]
    assert product.books.credit_notes == ()
    assert product.call(verb, "CreditNotes", body | {"Allocations": []}).status == 200
    assert product.books.invoice(sale.id).credited == 0


@pytest.mark.rank(6)
@pytest.mark.parametrize(
    ("state", "exceeds"),
    [("DRAFT", False), ("SUBMITTED", False), ("VOIDED", False), ("DELETED", False), ("PAID", True)],
)
def test_a_payment_of_what_is_not_approved_is_refused_in_these_words(
    product: Product, state: str, exceeds: bool
) -> None:
    """F 6.114 (rank 6): both texts on a paid document only."""
    first = {"VOIDED": "AUTHORISED", "DELETED": "DRAFT", "PAID": "AUTHORISED"}.get(state, state)
    one = made(product, Status=first)
    if state == "PAID":
        settled(product, one, "115.00")
    elif state != first:
        change(product, one, Status=state)

    reply = product.call("PUT", "Payments", payment(text(one, "InvoiceID"), "500.00"))

    over = ["Payment amount exceeds the amount outstanding on this document"] if exceeds else []
    assert reply.messages() == [*over, "Payments can only be made against Authorised documents"]
