"""Contacts, accounts, invoices and credit notes as Xero takes and refuses them (facts sections 5 and 6)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Sent, connect, inside, invoice, make, payment, rows_of, text, wait

from xerosync.simulator import Switches

ARCHIVED = (
    "The specified contact details matched an archived contact. "
    "Archived contacts cannot currently be edited via the API."
)


UNIDENTIFIED = (
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber"
)  # fmt: skip


def taken(name: str) -> str:
    return (
        f"The contact name {name} is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    )


@pytest.mark.rank(1)
def test_one_bad_element_makes_the_call_a_400_and_the_good_ones_are_kept(product: Product) -> None:
    """F 5.33, 5.40, A.01 (rank 1)."""
    product.books.add_contact("Ridgeway")

    reply = product.call("PUT", "Contacts", {"Contacts": [{"Name": "New"}, {"Name": "ridgeway"}]})

    assert reply.status == 400
    assert (reply.row["ErrorNumber"], reply.row["Type"]) == (10, "ValidationException")
    assert [element["Name"] for element in reply.rows("Elements")] == ["ridgeway"]
    assert reply.messages() == [taken("ridgeway")]
    assert [contact.name for contact in product.books.contacts] == ["Ridgeway", "New"]


def test_a_refused_batch_may_be_atomic() -> None:
    """A.01, the other way of the switch."""
    product = make(Switches(batch_is_atomic=True))

    product.call("PUT", "Contacts", [{"Name": "New"}, {"Name": "new"}])

    assert product.books.contacts == ()


@pytest.mark.rank(2)
def test_without_summary_each_element_says_how_it_went(product: Product) -> None:
    """F 5.35, 5.36, 5.38 (rank 2)."""
    product.books.add_contact("Ridgeway")

    reply = product.call("PUT", "Contacts?summarizeErrors=False", [{"Name": "Ridgeway"}, {"Name": "New"}])

    bad, good = reply.rows("Contacts")
    assert reply.status == 200
    assert (bad["StatusAttributeString"], good["StatusAttributeString"]) == ("ERROR", "OK")
    assert bad["ContactID"] == "00000000-0000-0000-0000-000000000000"
    assert bad["HasValidationErrors"] is True


@pytest.mark.rank(11)
def test_an_active_contact_s_name_is_taken_in_any_letter_case_until_it_is_archived(product: Product) -> None:
    """F 6.23, 6.32."""
    first = product.books.add_contact("Ridgeway University")

    refused = product.call("PUT", "Contacts", {"Name": "RIDGEWAY university"})
    product.books.archive_contact(first.id)
    taken_over = product.call("PUT", "Contacts", {"Name": "RIDGEWAY university"})

    assert refused.messages() == [taken("RIDGEWAY university")]
    assert refused.rows("Elements")[0]["ContactID"] == "00000000-0000-0000-0000-000000000000"
    assert taken_over.status == 200
    assert [one.status for one in product.books.contacts] == ["ARCHIVED", "ACTIVE"]


@pytest.mark.rank(12)
def test_posting_a_name_that_is_taken_updates_its_contact(product: Product) -> None:
    """F 6.24 (rank 12)."""
    contact = product.books.add_contact("Ridgeway")

    reply = product.call("POST", "Contacts", {"Name": "RIDGEWAY", "EmailAddress": "a@example.com"})

    assert reply.one("Contacts")["ContactID"] == contact.id
    assert [(one.name, one.email) for one in product.books.contacts] == [("RIDGEWAY", "a@example.com")]


@pytest.mark.rank(13)
def test_an_archived_contact_takes_no_write_and_leaves_the_list(product: Product) -> None:
    """F 6.31, 6.33 (rank 13)."""
    contact = product.books.add_contact("Ridgeway")
    product.books.archive_contact(contact.id)

    assert product.call("POST", "Contacts", {"Name": "Ridgeway"}).messages() == [ARCHIVED]
    assert product.call("PUT", "Invoices", invoice(contact.id)).messages() == [ARCHIVED]
    assert product.call("GET", "Contacts").rows("Contacts") == []
    assert len(product.call("GET", "Contacts?includeArchived=true").rows("Contacts")) == 1
    assert product.call("GET", f"Contacts/{contact.id}").status == 200
    assert product.call("PUT", "Contacts", {"Name": "Ridgeway"}).status == 200  # F 6.32


@pytest.mark.rank(18, 52)
def test_a_merged_contact_points_to_the_survivor_whose_stamp_stays(product: Product) -> None:
    """F 6.34, 4.23 (ranks 18, 52)."""
    loser, survivor = product.books.add_contact("Old"), product.books.add_contact("New")
    bill = product.books.add_invoice(loser.id, amount=Decimal(10))
    before = product.books.contact(survivor.id).updated

    product.books.merge_contacts(loser.id, into=survivor.id)

    row = product.call("GET", f"Contacts/{loser.id}").one("Contacts")
    assert (row["ContactStatus"], row["MergedToContactID"]) == ("ARCHIVED", survivor.id)
    assert product.books.invoice(bill.id).contact_id == survivor.id
    assert product.books.contact(survivor.id).updated == before


@pytest.mark.rank(18)
def test_the_first_invoice_makes_a_customer_without_moving_the_stamp(product: Product) -> None:
    """F 6.29, 4.23."""
    contact = product.books.add_contact("Ridgeway")
    product.call("PUT", "Invoices", invoice(contact.id))

    after = product.books.contact(contact.id)

    assert (after.is_customer, after.is_supplier, after.updated) == (True, False, contact.updated)


def test_blanks_in_a_name_are_trimmed(product: Product) -> None:
    """F 5.20."""
    reply = product.call("PUT", "Contacts", {"Name": "  Ridgeway   Ltd "})

    assert reply.one("Contacts")["Name"] == "Ridgeway Ltd"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, UNIDENTIFIED),
        ({"Name": "A", "EmailAddress": "nowhere"}, "Email address must be valid."),
        ({"Name": "A", "ContactNumber": "C1"},
         "Another contact has this contact number. Please enter a different contact number."),
    ],
)  # fmt: skip
def test_contacts_are_refused_in_these_words(product: Product, fields: dict[str, str], message: str) -> None:
    """F 6.21, 6.26, 6.27."""
    product.books.add_contact("Numbered", number="C1")

    assert product.call("PUT", "Contacts", dict(fields)).messages() == [message]


@pytest.mark.rank(43)
def test_an_invoice_by_name_makes_or_finds_the_contact(product: Product) -> None:
    """F 6.36 (rank 43)."""
    for name in ("Ridgeway", "RIDGEWAY"):
        product.call("PUT", "Invoices", invoice("", Contact={"Name": name, "EmailAddress": "a@example.com"}))

    assert [contact.email for contact in product.books.contacts] == ["a@example.com"]


@pytest.mark.rank(24)
def test_tax_is_rounded_line_by_line(product: Product) -> None:
    """F 5.24, 5.26 (rank 24): the recorded amounts."""
    contact = product.books.add_contact("Ridgeway")
    lines = [
        {"Description": amount, "Quantity": 1, "UnitAmount": amount, "AccountCode": "200"}
        for amount in ("541.25", "500.00", "89.00", "97.00")
    ]

    reply = product.call("PUT", "Invoices", invoice(contact.id, LineItems=lines, LineAmountTypes="Inclusive"))

    row = reply.one("Invoices")
    assert [str(line["TaxAmount"]) for line in rows_of(row, "LineItems")] == ["70.60", "65.22", "11.61", "12.65"]
    assert (row["Total"], row["TotalTax"]) == (Decimal("1227.25"), Decimal("160.08"))


@pytest.mark.rank(25)
def test_a_unit_price_keeps_two_places_unless_four_are_asked_for(product: Product) -> None:
    """F 5.21 (rank 25)."""
    contact = product.books.add_contact("Ridgeway")
    lines = [{"Description": "x", "Quantity": 1000, "UnitAmount": "0.1234", "AccountCode": "200"}]

    cut = product.call("PUT", "Invoices", invoice(contact.id, LineItems=lines)).one("Invoices")
    whole = product.call("PUT", "Invoices?unitdp=4", invoice(contact.id, LineItems=lines)).one("Invoices")

    assert (cut["SubTotal"], whole["SubTotal"]) == (Decimal("120.00"), Decimal("123.40"))
    assert '"UnitAmount": 0.1234' in product.call("GET", f"Invoices/{whole['InvoiceID']}?unitdp=4").text


def test_a_line_total_that_disagrees_is_refused(product: Product) -> None:
    """F 5.23, A.07."""
    contact = product.books.add_contact("Ridgeway")
    line: Sent = {"Description": "x", "Quantity": 2, "UnitAmount": "5.00", "LineAmount": "11.00", "AccountCode": "200"}

    reply = product.call("PUT", "Invoices", invoice(contact.id, LineItems=[line]))

    assert reply.line_messages() == ["The line total 11.00 does not match the expected line total 10.00"]


@pytest.mark.rank(38)
def test_an_archived_account_is_refused_with_both_messages(product: Product) -> None:
    """F 6.18, 5.42 (rank 38)."""
    contact = product.books.add_contact("Ridgeway")
    product.books.archive_account("260")
    line: Sent = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "260"}

    archived = product.call("PUT", "Invoices", invoice(contact.id, LineItems=[line])).messages()
    unknown = product.call("PUT", "Invoices", invoice(contact.id, LineItems=[line | {"AccountCode": "999"}])).messages()

    assert archived == [
        "Account code '260' is not a valid code for this document.",
        "Account code '260' has been archived, or has been deleted. Each line item must reference a valid account.",
    ]
    assert unknown == ["Account code '999' is not a valid code for this document."]


@pytest.mark.rank(50)
def test_what_is_wrong_with_a_line_stands_on_that_line(product: Product) -> None:
    """F 5.41: who reads the document's own messages only sees none."""
    contact = product.books.add_contact("Ridgeway")
    good: Sent = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}
    lines = [good, good | {"TaxType": "INPUT2"}]

    reply = product.call("PUT", "Invoices", invoice(contact.id, LineItems=lines))

    assert reply.status == 400
    assert reply.messages() == []
    first, _ = rows_of(reply.rows("Elements")[0], "LineItems")
    assert first["ValidationErrors"] == []
    assert reply.line_messages() == ["The TaxType code 'INPUT2' cannot be used with account code '200'."]


@pytest.mark.rank(50)
def test_what_is_wrong_with_a_new_contact_stands_on_the_contact_too(product: Product) -> None:
    """F 5.41."""
    given: Sent = {"Name": "Ridgeway", "EmailAddress": "nowhere"}

    reply = product.call("PUT", "Invoices", invoice("", Contact=given))

    contact = reply.rows("Elements")[0]["Contact"]
    assert isinstance(contact, dict)
    assert reply.messages() == [row["Message"] for row in rows_of(contact, "ValidationErrors")]
    assert not product.books.contacts


@pytest.mark.rank(50)
def test_a_draft_with_an_unknown_account_is_kept_with_a_warning(product: Product) -> None:
    """F 5.48 (rank 50)."""
    contact = product.books.add_contact("Ridgeway")
    line: Sent = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "476"}

    reply = product.call("PUT", "Invoices", invoice(contact.id, LineItems=[line], Status="DRAFT"))

    (warning,) = rows_of(reply.one("Invoices"), "Warnings")
    assert reply.status == 200
    assert warning["Message"] == "Account code '476' has been removed as it does not match a recognised account."


@pytest.mark.parametrize("code", ["610", "800", "090"])
def test_control_and_bank_accounts_take_no_lines(product: Product, code: str) -> None:
    """F 6.20."""
    contact = product.books.add_contact("Ridgeway")
    line: Sent = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": code}

    reply = product.call("PUT", "Invoices", invoice(contact.id, LineItems=[line]))

    assert reply.messages() == [f"Account code '{code}' is not a valid code for this document."]


@pytest.mark.rank(39)
def test_a_tax_type_must_fit_its_account(product: Product) -> None:
    """F 6.71, 6.169 (rank 39)."""
    contact = product.books.add_contact("Ridgeway")
    line: Sent = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200", "TaxType": "INPUT2"}

    reply = product.call("PUT", "Invoices", invoice(contact.id, LineItems=[line]))

    assert reply.line_messages() == ["The TaxType code 'INPUT2' cannot be used with account code '200'."]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Type": "SALE"}, "Invoice not of valid type for creation"),
        ({"Status": "PAID"}, "Invoice not of valid status for creation"),
        ({"Contact": None}, "A Contact must be specified for this type of transaction"),
        ({"LineItems": []}, "One or more line items must be specified"),
        ({"CurrencyCode": "EUR"}, "Organisation is not subscribed to currency EUR"),
        ({"Url": "not-a-url"}, "Url must be a valid absolute url"),
    ],
)
def test_invoices_are_refused_in_these_words(product: Product, fields: dict[str, str | None], message: str) -> None:
    """F 6.50, 6.69, 6.72."""
    contact = product.books.add_contact("Ridgeway")

    reply = product.call("PUT", "Invoices", invoice(contact.id) | fields)

    assert reply.messages() == [message]
    assert product.books.invoices == ()


@pytest.mark.rank(23)
def test_a_sales_number_is_unique_and_a_bill_s_is_not(product: Product) -> None:
    """F 6.57 (rank 23)."""
    contact = product.books.add_contact("Ridgeway")
    lines = [{"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "429"}]
    bill = invoice(contact.id, Type="ACCPAY", InvoiceNumber="A-1", LineItems=lines)

    assert [product.call("PUT", "Invoices", bill).status for _ in range(2)] == [200, 200]
    assert product.call("PUT", "Invoices", invoice(contact.id, InvoiceNumber="A-1")).status == 200
    assert product.call("PUT", "Invoices", invoice(contact.id, InvoiceNumber="a-1")).messages() == [
        "Invoice # must be unique."
    ]
    assert product.call("PUT", "Invoices", invoice(contact.id)).one("Invoices")["InvoiceNumber"] == "INV-0001"


@pytest.mark.rank(12)
def test_posting_a_known_number_updates_the_invoice(product: Product) -> None:
    """F 6.60, 8.30 (rank 12); a bill of the same contact and number likewise."""
    contact = product.books.add_contact("Ridgeway")
    lines = [{"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "429"}]
    for kind in ({}, {"Type": "ACCPAY", "LineItems": lines}):
        for reference in ("one", "two"):
            body = invoice(contact.id, InvoiceNumber="N-1", Reference=reference) | kind
            assert product.call("POST", "Invoices", body).status == 200

    assert [one.type for one in product.books.invoices] == ["ACCREC", "ACCPAY"]
    assert product.books.invoices[0].reference == "two"


@pytest.mark.rank(56)
def test_a_sales_number_alone_names_its_invoice(product: Product) -> None:
    """F 6.60: no Type is needed to update."""
    contact = product.books.add_contact("Ridgeway")
    product.books.add_invoice(contact.id, number="N-1", amount=Decimal(10))

    assert product.call("POST", "Invoices", {"InvoiceNumber": "n-1", "Reference": "new"}).status == 200
    assert product.books.invoices[0].reference == "new"


def test_a_number_is_free_again_after_deletion_but_not_after_voiding(product: Product) -> None:
    """F 6.59."""
    contact = product.books.add_contact("Ridgeway")
    deleted = product.books.add_invoice(contact.id, number="D", amount=Decimal(1), status="DRAFT")
    voided = product.books.add_invoice(contact.id, number="V", amount=Decimal(1))
    product.books.void_invoice(deleted.id)
    product.books.void_invoice(voided.id)

    assert product.call("PUT", "Invoices", invoice(contact.id, InvoiceNumber="D")).status == 200
    assert product.call("PUT", "Invoices", invoice(contact.id, InvoiceNumber="V")).status == 400
    assert product.call("POST", "Invoices", invoice(contact.id, InvoiceNumber="V")).status == 400


@pytest.mark.rank(20)
def test_states_change_only_as_xero_lets_them(product: Product) -> None:
    """F 6.51, 6.52 (rank 20)."""
    contact = product.books.add_contact("Ridgeway")
    one = product.books.add_invoice(contact.id, amount=Decimal(10))
    path = f"Invoices/{one.id}"

    assert product.call("POST", path, {"Status": "DELETED"}).messages() == [
        "Invoice not of valid status for modification"
    ]
    voided = product.call("POST", path, {"Status": "VOIDED"}).one("Invoices")
    assert (voided["Status"], voided["AmountDue"]) == ("VOIDED", Decimal("10.00"))  # F 6.77
    assert product.call("GET", path).one("Invoices")["AmountDue"] == Decimal("0.00")
    assert product.call("POST", path, {"Status": "AUTHORISED"}).status == 400
    assert product.books.trial_balance() == ()


@pytest.mark.rank(20)
def test_money_applied_forbids_voiding(product: Product) -> None:
    """F 6.53."""
    contact = product.books.add_contact("Ridgeway")
    one = product.books.add_invoice(contact.id, amount=Decimal(10))
    product.books.add_payment(one.id, account="090", amount=Decimal(4))

    reply = product.call("POST", f"Invoices/{one.id}", {"Status": "VOIDED"})

    assert reply.messages() == [
        "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it."
    ]
    assert reply.rows("Elements")[0]["InvoiceID"] == one.id  # A.05
    assert "InvoiceNumber" not in reply.rows("Elements")[0]


@pytest.mark.rank(41)
def test_a_line_that_is_not_sent_again_is_removed(product: Product) -> None:
    """F 6.65 (rank 41)."""
    contact = product.books.add_contact("Ridgeway")
    lines = [{"Description": name, "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"} for name in ("a", "b")]
    made = product.call("PUT", "Invoices", invoice(contact.id, LineItems=lines)).one("Invoices")
    kept, _ = rows_of(made, "LineItems")

    reply = product.call(
        "POST", f"Invoices/{made['InvoiceID']}", {"LineItems": [{**lines[0], "LineItemID": kept["LineItemID"]}]}
    )

    (line,) = rows_of(reply.one("Invoices"), "LineItems")
    assert line["LineItemID"] == kept["LineItemID"]
    assert reply.one("Invoices")["Total"] == Decimal("5.75")


def test_sending_back_the_empty_lines_of_an_unpaged_read_empties_a_draft(product: Product) -> None:
    """F 8.10 (rank 14)."""
    contact = product.books.add_contact("Ridgeway")
    product.books.add_invoice(contact.id, amount=Decimal(10), status="DRAFT")
    light = product.call("GET", "Invoices").one("Invoices")

    product.call("POST", f"Invoices/{light['InvoiceID']}", {"Reference": "x", "LineItems": light["LineItems"]})

    assert product.books.invoices[0].total == 0


@pytest.mark.rank(22)
def test_voided_and_deleted_invoices_stay_in_the_list(product: Product) -> None:
    """F 4.26 (rank 22)."""
    contact = product.books.add_contact("Ridgeway")
    for status in ("AUTHORISED", "DRAFT"):
        product.books.void_invoice(product.books.add_invoice(contact.id, amount=Decimal(10), status=status).id)

    rows = product.call("GET", "Invoices?page=1").rows("Invoices")

    assert [row["Status"] for row in rows] == ["VOIDED", "DELETED"]
    assert [row["AmountDue"] for row in rows] == [0, 0]


@pytest.mark.rank(42)
def test_a_paid_invoice_lets_only_words_be_changed(product: Product) -> None:
    """F 6.66 (rank 42)."""
    contact = product.books.add_contact("Ridgeway")
    made = product.call("PUT", "Invoices", invoice(contact.id)).one("Invoices")
    path = f"Invoices/{made['InvoiceID']}"
    product.call("PUT", "Payments", payment(text(made, "InvoiceID"), "115.00"))
    (line,) = rows_of(made, "LineItems")

    assert product.call("POST", path, {"Reference": "new"}).status == 200
    assert product.call("POST", path, {"LineItems": [{"Description": "x"}]}).messages() == [
        "To update fields on a paid invoice line item, you must supply a LineItemID"
    ]
    dearer = {"LineItemID": line["LineItemID"], "UnitAmount": 200}
    assert product.call("POST", path, {"LineItems": [dearer]}).messages() == [
        "Invoice not of valid status for modification"
    ]
    renamed = {"LineItemID": line["LineItemID"], "Description": "Better words"}
    assert product.call("POST", path, {"LineItems": [renamed]}).status == 200
    assert product.books.invoices[0].lines[0].description == "Better words"


@pytest.mark.rank(18)
def test_the_due_date_of_a_part_paid_invoice_moves_without_a_stamp(product: Product) -> None:
    """F 4.23 (rank 18)."""
    contact = product.books.add_contact("Ridgeway")
    one = product.books.add_invoice(contact.id, amount=Decimal(10))
    product.books.add_payment(one.id, account="090", amount=Decimal(4))
    before = product.books.invoice(one.id).updated

    product.call("POST", f"Invoices/{one.id}", {"DueDate": "2026-03-01"})

    assert product.books.invoice(one.id).due_date == date(2026, 3, 1)
    assert product.books.invoice(one.id).updated == before


def test_a_zero_invoice_is_paid_at_once(product: Product) -> None:
    """F 6.76."""
    contact = product.books.add_contact("Ridgeway")
    line: Sent = {"Description": "x", "Quantity": 1, "UnitAmount": 0, "AccountCode": "200"}

    row = product.call("PUT", "Invoices", invoice(contact.id, LineItems=[line])).one("Invoices")

    assert (row["Status"], "FullyPaidOnDate" in row) == ("PAID", True)


@pytest.mark.rank(37)
def test_closed_books_take_nothing(product: Product) -> None:
    """F 6.67, 6.131 (rank 37): create, edit, void and payment."""
    contact = product.books.add_contact("Ridgeway")
    old = product.books.add_invoice(contact.id, amount=Decimal(10), date=date(2025, 12, 1))
    product.books.lock_period(date(2025, 12, 31))
    text = "The document date cannot be before the period lock date, currently set at 31 December 2025"
    edit = "The document cannot be edited as it is currently dated before the period lock date"

    assert product.call("PUT", "Invoices", invoice(contact.id, Date="2025-12-31")).messages() == [text]
    assert product.call("PUT", "Payments", payment(old.id, "1.00", Date="2025-12-31")).messages() == [text]
    assert product.call("POST", f"Invoices/{old.id}", {"Reference": "x"}).messages() == [edit]
    assert product.call("POST", f"Invoices/{old.id}", {"Status": "VOIDED"}).messages() == [edit]
    assert product.call("PUT", "Invoices", invoice(contact.id, Date="2026-01-01")).status == 200


@pytest.mark.rank(57)
def test_today_is_the_organisation_s_day(product: Product) -> None:
    """F 6.55, 5.10 (rank 57): already the 6th in New Zealand."""
    contact = product.books.add_contact("Ridgeway")
    wait(product, 12 * 3600)

    row = connect(product.simulator, product.books).call("PUT", "Invoices", invoice(contact.id)).one("Invoices")

    assert (row["DateString"], row["Date"]) == ("2026-01-06T00:00:00", "/Date(1767657600000+0000)/")


@pytest.mark.rank(48)
def test_credit_is_allocated_within_one_contact_and_shown_on_both_sides(product: Product) -> None:
    """F 6.96–6.98, 6.101 (rank 48)."""
    contact, other = product.books.add_contact("Ridgeway"), product.books.add_contact("Other")
    one = product.books.add_invoice(contact.id, amount=Decimal(100), date=date(2026, 1, 2))
    foreign = product.books.add_invoice(other.id, amount=Decimal(100))
    note = product.books.add_credit_note(contact.id, amount=Decimal(30), date=date(2026, 1, 3))
    path = f"CreditNotes/{note.id}/Allocations"

    def part(amount: str, invoice_id: str = one.id) -> dict[str, object]:
        return {"Amount": amount, "Invoice": {"InvoiceID": invoice_id}, "Date": "2020-01-01"}

    refused = [product.call("PUT", path, part("30.01")), product.call("PUT", path, part("1", foreign.id))]
    made = product.call("PUT", path, {"Allocations": [part("30.00")]}).one("Allocations")

    assert [reply.status for reply in refused] == [400, 400]
    assert made["Date"] == "/Date(1767398400000+0000)/"
    assert product.books.invoice(note.id).status == "PAID"
    row = product.call("GET", f"Invoices/{one.id}").one("Invoices")
    assert (row["AmountCredited"], row["AmountDue"]) == (Decimal("30.00"), Decimal("70.00"))
    assert rows_of(row, "CreditNotes")[0]["AppliedAmount"] == Decimal("30.00")
    gone = product.call("DELETE", f"{path}/{made['AllocationID']}").row
    assert (gone["IsDeleted"], gone["Invoice"]) == (True, [{"InvoiceID": one.id}])
    assert product.books.invoice(note.id).status == "AUTHORISED"


@pytest.mark.rank(54)
def test_accounts_are_created_one_at_a_time_under_unique_codes(product: Product) -> None:
    """F 2.20, 6.11, 6.17."""
    made = product.call("PUT", "Accounts", {"Code": "4001", "Name": "Rent of rooms", "Type": "EXPENSE"})
    again = product.call("PUT", "Accounts", {"Code": "4001", "Name": "Other", "Type": "EXPENSE"})
    path = f"Accounts/{made.one('Accounts')['AccountID']}"

    assert again.messages() == ["Please enter a unique Code."]
    assert product.call("POST", path, {"Status": "ARCHIVED", "Name": "New"}).status == 400
    assert product.call("POST", path, {"Status": "ARCHIVED"}).one("Accounts")["Status"] == "ARCHIVED"
    assert "4001" in [account["Code"] for account in product.call("GET", "Accounts").rows("Accounts")]


@pytest.mark.rank(40)
def test_a_foreign_invoice_stands_in_the_ledger_in_base_currency(product: Product) -> None:
    """F 6.70, 6.115, 6.116: 100 euros at 0.5 are 200 dollars; paid at 0.4 they bring 250, a gain of 50."""
    contact = product.books.add_contact("Ridgeway")
    product.books.add_currency("EUR")
    made = product.call(
        "PUT", "Invoices", invoice(contact.id, CurrencyCode="EUR", CurrencyRate="0.5", LineAmountTypes="NoTax")
    ).one("Invoices")

    reply = product.call("PUT", "Payments", payment(text(made, "InvoiceID"), "100.00", CurrencyRate="0.4"))

    balances = {line.account.code: line.balance for line in product.books.trial_balance()}
    assert reply.one("Payments")["BankAmount"] == Decimal("250.00")
    assert balances == {"090": Decimal(250), "200": Decimal(-200), "499": Decimal(-50)}
    assert inside(reply.one("Payments"), "Invoice")["Status"] == "PAID"
