"""Every open question about Xero can be answered the other way too; the strict answers are tested where they belong."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve, fields
from tests.simulator.conftest import Product, Sent, connect, inside, invoice, make, payment, rows_of, text, wait

from xerosync.ports import Request, Response
from xerosync.simulator import Simulator, Switches

# Switches whose other way is tested beside the strict one.
ELSEWHERE = {
    "refresh_in_grace", "refresh_grace_minutes", "modified_since_includes_equal", "unchanged_is_304",
    "deleted_payments_are_listed", "batch_is_atomic", "not_found_is_html", "unknown_tracking_is_refused",
    "wrong_verb_is_501", "attaching_moves_stamp", "payments_fire_webhooks", "webhooks_are_late",
    "payment_takes_bank_amount",
}  # fmt: skip


def customer(product: Product) -> str:
    return product.books.add_contact("Ridgeway").id


def test_the_minute_may_be_a_fixed_window() -> None:
    """F 2.02: all sixty calls come free at once."""
    simulator = Simulator(switches=Switches(minute_window="fixed"))
    product = connect(simulator, simulator.add_organisation())
    product.call("GET", "Organisation")
    wait(product, 50)
    statuses = [product.call("GET", "Organisation").status for _ in range(60)]
    wait(product, 10)

    assert statuses == [200] * 59 + [429]
    assert [product.call("GET", "Organisation").status for _ in range(60)] == [200] * 60


def test_a_concurrent_refusal_may_say_when_to_come_again() -> None:
    """F 2.08."""
    product = make(Switches(concurrent_says_retry_after=True), limits=True)
    headers = {"Authorization": f"Bearer {product.access_token}", "Xero-Tenant-Id": product.tenant_id}
    call = Request("GET", "https://api.xero.com/api.xro/2.0/Organisation", headers)

    assert product.simulator.handle(call, beside=5).header("Retry-After") == "1"
    assert make(limits=True).simulator.handle(call, beside=5).header("Retry-After") is None


def test_refusals_may_be_forgotten_under_their_key() -> None:
    """F 3.09."""
    product = make(Switches(idempotency_keeps_refusals=False))
    body = {"Name": "Ridgeway", "EmailAddress": "a@example.com"}
    blocking = product.books.add_contact("Ridgeway")
    product.call("PUT", "Contacts", body, Idempotency_Key="k")
    product.books.archive_contact(blocking.id)

    assert product.call("PUT", "Contacts", body, Idempotency_Key="k").status == 200


def test_the_tenant_may_be_part_of_the_same_request() -> None:
    """F 3.07."""
    product = make(Switches(idempotency_sees_tenant=True))
    other = product.simulator.add_organisation("Second")
    tokens = product.simulator.consent(product.simulator.register_app(), tenants=[product.tenant_id, other.tenant_id])
    both = evolve(product, access_token=tokens.access_token)
    both.call("PUT", "Contacts", {"Name": "A"}, Idempotency_Key="k")

    refused = evolve(both, tenant_id=other.tenant_id).call("PUT", "Contacts", {"Name": "A"}, Idempotency_Key="k")

    assert refused.status == 400


def test_a_key_may_die_with_its_access_token() -> None:
    """F 3.07: after a refresh the same call under the same key is a duplicate."""
    product = make(Switches(idempotency_scope="token"))
    sale = invoice(customer(product))
    product.call("PUT", "Invoices", sale, Idempotency_Key="k")
    refreshed = evolve(product, access_token=text(product.refresh(product.refresh_token).row, "access_token"))

    refreshed.call("PUT", "Invoices", sale, Idempotency_Key="k")

    assert len(product.books.invoices) == 2


def test_a_page_past_the_end_may_count_nothing() -> None:
    """F 4.09."""
    product = make(Switches(page_past_end_keeps_counts=False))
    customer(product)

    assert inside(product.call("GET", "Contacts?page=2").row, "pagination")["itemCount"] == 0


@pytest.mark.parametrize(("half_cent", "tax"), [("up", "0.07"), ("even", "0.06")])
def test_half_a_cent_may_go_either_way(half_cent: str, tax: str) -> None:
    """F 5.25: half of 0.13 is 0.065."""
    product = make(Switches(half_cent="up" if half_cent == "up" else "even"))
    line: Sent = {"Description": "x", "Quantity": "0.5", "UnitAmount": "0.13", "AccountCode": "200", "TaxType": "NONE"}

    row = product.call("PUT", "Invoices", invoice(customer(product), LineItems=[line])).one("Invoices")

    assert row["SubTotal"] == Decimal(tax)


@pytest.mark.parametrize(("free_after", "statuses"), [("never", [400, 400]), ("voided", [200, 200])])
def test_numbers_may_come_free_never_or_always(free_after: str, statuses: list[int]) -> None:
    """F 6.59."""
    product = make(Switches(number_free_after="never" if free_after == "never" else "voided"))
    contact = customer(product)
    for number, status in (("D", "DRAFT"), ("V", "AUTHORISED")):
        made = product.books.add_invoice(contact, number=number, amount=Decimal(1), status=status)
        product.books.void_invoice(made.id)

    replies = [product.call("PUT", "Invoices", invoice(contact, InvoiceNumber=number)) for number in "DV"]

    assert [reply.status for reply in replies] == statuses


def test_posting_a_bill_may_always_make_a_new_one() -> None:
    """F 6.60."""
    product = make(Switches(post_matches_bills=False))
    line: Sent = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "429"}
    bill = invoice(customer(product), Type="ACCPAY", InvoiceNumber="A", LineItems=[line])

    for _ in range(2):
        product.call("POST", "Invoices", bill)

    assert len(product.books.invoices) == 2


def test_a_voided_invoice_may_still_show_what_was_due() -> None:
    """F 6.77."""
    product = make(Switches(voided_keeps_amount_due=True))
    made = product.books.add_invoice(customer(product), amount=Decimal(10))
    product.books.void_invoice(made.id)

    assert product.call("GET", f"Invoices/{made.id}").one("Invoices")["AmountDue"] == Decimal(10)


def test_a_reconciled_payment_may_be_deletable() -> None:
    """F 6.124."""
    product = make(Switches(reconciled_payments_can_be_deleted=True))
    made = product.books.add_invoice(customer(product), amount=Decimal(10))
    paid = product.books.add_payment(made.id, account="090", is_reconciled=True)

    assert product.call("POST", f"Payments/{paid.id}", {"Status": "DELETED"}).status == 200


def test_blanks_in_a_name_may_be_refused() -> None:
    """F 5.20."""
    assert make(Switches(blanks_in_names="refused")).call("PUT", "Contacts", {"Name": " A"}).status == 400


def test_a_zero_invoice_may_stay_open() -> None:
    """F 6.76; it takes no payment either way."""
    product = make(Switches(zero_total_is_paid=False))
    line: Sent = {"Description": "x", "Quantity": 1, "UnitAmount": 0, "AccountCode": "200"}

    row = product.call("PUT", "Invoices", invoice(customer(product), LineItems=[line])).one("Invoices")

    assert row["Status"] == "AUTHORISED"
    assert product.call("PUT", "Payments", payment(text(row, "InvoiceID"), "1.00")).status == 400


def test_an_embedded_contact_may_tell_the_right_time() -> None:
    """F 5.12a."""
    product = make(Switches(embedded_contact_stamp_is_local=False))
    made = product.books.add_invoice(customer(product), amount=Decimal(10))

    embedded = inside(product.call("GET", f"Invoices/{made.id}").one("Invoices"), "Contact")["UpdatedDateUTC"]

    alone = product.call("GET", f"Contacts/{made.contact_id}").one("Contacts")["UpdatedDateUTC"]
    assert embedded == alone


def test_what_is_wrong_with_a_line_may_stand_on_its_document_too() -> None:
    product = make(Switches(line_faults_rise=True))
    line: Sent = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200", "TaxType": "INPUT2"}

    reply = product.call("PUT", "Invoices", invoice(customer(product), LineItems=[line]))

    assert reply.messages() == ["The TaxType code 'INPUT2' cannot be used with account code '200'."]


def test_a_deleted_allocation_may_come_in_a_list() -> None:
    """F 6.101."""
    product = make(Switches(deleted_allocation_is_alone=False))
    made = product.books.add_invoice(customer(product), amount=Decimal(10))
    note = product.books.add_credit_note(made.contact_id, amount=Decimal(10))
    part = product.books.allocate(note.id, invoice_id=made.id, amount=Decimal(10))

    reply = product.call("DELETE", f"CreditNotes/{note.id}/Allocations/{part.id}")

    assert reply.row["Status"] == "OK"
    assert reply.one("Allocations")["IsDeleted"] is True


def test_a_part_paid_invoice_may_speak_of_its_payment() -> None:
    """F 6.53, 6.66: a paid one speaks of its status still."""
    product = make(Switches(part_paid_names_payment=True))
    made = product.books.add_invoice(customer(product), amount=Decimal(10))
    said: list[list[str]] = []
    for amount in ("4.00", "6.00"):
        product.call("PUT", "Payments", payment(made.id, amount))
        said.append(product.call("POST", f"Invoices/{made.id}", {"Date": "2025-12-01"}).messages())

    assert said == [
        ["This document cannot be edited as it has a payment or credit note allocated to it."],
        ["Invoice not of valid status for modification"],
    ]


def test_what_an_app_makes_as_approved_may_come_back_submitted() -> None:
    """F 6.87: what people approve by hand is approved."""
    product = make(Switches(approvals_are_submitted=True))
    contact = customer(product)
    product.books.add_invoice(contact, amount=Decimal(10))

    row = product.call("PUT", "Invoices", invoice(contact)).one("Invoices")

    assert row["Status"] == "SUBMITTED"
    assert [one.status for one in product.books.invoices] == ["AUTHORISED", "SUBMITTED"]


@pytest.mark.parametrize(("applies", "taxes"), [(True, ["ZERORATED", "OUTPUT2"]), (False, ["OUTPUT2", "OUTPUT2"])])
def test_the_tax_of_a_contact_may_come_before_its_account_s(applies: bool, taxes: list[str]) -> None:
    """F 6.39, 6.15: where it fits the account, and where the line names none itself."""
    product = make(Switches(contact_tax_applies=applies))
    contact = text(
        product.call("PUT", "Contacts", {"Name": "Abroad", "AccountsReceivableTaxType": "ZERORATED"}).one("Contacts"),
        "ContactID",
    )
    line: Sent = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}
    bill = invoice(contact, Type="ACCPAY", LineItems=[line | {"AccountCode": "429"}])

    reply = product.call("PUT", "Invoices", invoice(contact, LineItems=[line, line | {"TaxType": "OUTPUT2"}]))

    assert [one["TaxType"] for one in rows_of(reply.one("Invoices"), "LineItems")] == taxes
    assert rows_of(product.call("PUT", "Invoices", bill).one("Invoices"), "LineItems")[0]["TaxType"] == "INPUT2"


def test_posting_the_name_of_an_archived_contact_may_make_a_new_one() -> None:
    """F 6.32: its id or its number means the old one still."""
    product = make(Switches(post_meets_archived_names=False))
    gone = product.books.add_contact("Ridgeway", number="C1")
    product.books.archive_contact(gone.id)

    by_id = product.call("POST", "Contacts", {"ContactID": gone.id, "Name": "Ridgeway"})
    by_number = product.call("POST", "Contacts", {"ContactNumber": "c1", "Name": "Ridgeway"})
    by_name = product.call("POST", "Contacts", {"Name": "Ridgeway"})

    assert [reply.status for reply in (by_id, by_number, by_name)] == [400, 400, 200]
    assert [one.status for one in product.books.contacts] == ["ARCHIVED", "ACTIVE"]


def test_words_that_nobody_has_recorded_may_be_chosen() -> None:
    """F 6.100, 6.124."""
    product = make(Switches(over_allocation_text="Too much", reconciled_payment_text="Reconciled"))
    made = product.books.add_invoice(customer(product), amount=Decimal(10))
    note = product.books.add_credit_note(made.contact_id, amount=Decimal(20))
    paid = product.books.add_payment(made.id, account="090", amount=Decimal(4))
    product.books.reconcile_payment(paid.id)
    path, part = f"CreditNotes/{note.id}/Allocations", {"Invoice": {"InvoiceID": made.id}}

    said = [product.call("PUT", path, part | {"Amount": amount}).messages() for amount in ("21.00", "7.00")]
    said.append(product.call("POST", f"Payments/{paid.id}", {"Status": "DELETED"}).messages())

    assert said == [["Too much"], ["Too much"], ["Reconciled"]]


@pytest.mark.parametrize(("rate", "moved"), [("document", "200.00"), ("day", "166.00")])
def test_a_foreign_payment_that_says_no_rate_may_go_at_its_document_s_or_the_day_s(rate: str, moved: str) -> None:
    """F 6.116: at the simulator's day, a dollar is 1.66 of New Zealand's, which it gives in six places."""
    product = make(Switches(payment_rate="day" if rate == "day" else "document"))
    product.books.add_currency("USD")
    sale = product.books.add_invoice(customer(product), amount=Decimal(100), CurrencyCode="USD", CurrencyRate="0.5")
    before = product.books.balance(product.books.account("090").id)

    product.call("PUT", "Payments", payment(sale.id, "100.00"))

    assert product.books.balance(product.books.account("090").id) - before == Decimal(moved)


def test_every_switch_is_turned_somewhere() -> None:
    """A switch without a test here or in the list of those tested elsewhere is forgotten."""
    here = Path(__file__).read_text(encoding="utf-8")

    assert {one.name for one in fields(Switches) if f"{one.name}=" not in here and one.name not in ELSEWHERE} == set()


@pytest.mark.rank(10)
@pytest.mark.parametrize(("duplicate", "status"), [("refused", 409), ("same", 200)])
def test_the_same_call_may_come_while_the_first_is_under_way(
    duplicate: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F 3.12."""
    product = make(Switches(duplicate_in_progress="same" if duplicate == "same" else "refused"))
    sale = payment(product.books.add_invoice(customer(product), amount=Decimal(10)).id, "1.00")
    meanwhile: list[Response] = []
    headers = {
        "Authorization": f"Bearer {product.access_token}",
        "Xero-Tenant-Id": product.tenant_id,
        "Idempotency-Key": "k",
    }

    def pay(latency_s: float = 0.0, amount: str = "1.00") -> Response:
        body = json.dumps(sale | {"Amount": amount}).encode()
        request = Request("PUT", "https://api.xero.com/api.xro/2.0/Payments", headers, body)
        return product.simulator.handle(request, latency_s=latency_s)

    def while_it_flies(_: float) -> None:
        meanwhile.extend((pay(), pay(amount="2.00")))

    monkeypatch.setattr("time.sleep", while_it_flies)
    first, after = pay(latency_s=1), pay()

    assert (first.status, after.body == first.body) == (200, True)
    assert [reply.status for reply in meanwhile] == [status, 400]
    assert (meanwhile[0].body == first.body) == (status == 200)
    assert len(product.books.payments) == 1
