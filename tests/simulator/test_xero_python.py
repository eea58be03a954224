"""Xero's own Python SDK works with the simulator as it does with Xero, over loopback HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from attrs import define
from tests.simulator.conftest import Product, connect, wait
from xero_python import accounting as xero
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import (
    AccountingBadRequestException,
    HTTPStatusException,
    NotFoundException,
    RateLimitException,
)
from xero_python.identity import IdentityApi

from xerosync.simulator import Fault, Simulator

DAY = date(2026, 1, 5)


@define
class Sdk:
    """The SDK on the loopback, and the token it keeps for a product."""

    product: Product
    url: str
    token: dict[str, object]

    @classmethod
    def of(cls, product: Product, url: str) -> Sdk:
        token: dict[str, object] = {
            "access_token": product.access_token,
            "refresh_token": product.refresh_token,
            "scope": ["offline_access", "accounting.transactions"],
            "expires_in": 1800,
            "token_type": "Bearer",
        }
        return cls(product, url, token)

    @property
    def tenant(self) -> str:
        return self.product.tenant_id

    @property
    def accounting(self) -> xero.AccountingApi:
        return xero.AccountingApi(self._client(), base_url=f"{self.url}/api.xro/2.0")

    @property
    def identity(self) -> IdentityApi:
        return IdentityApi(self._client(), base_url=self.url)

    def _client(self) -> ApiClient:
        configuration = Configuration()
        configuration.oauth2_token = OAuth2Token(self.product.client_id, self.product.client_secret)
        return ApiClient(configuration, oauth2_token_getter=lambda: self.token, oauth2_token_saver=self.keep)

    def keep(self, token: dict[str, object]) -> None:
        self.token = token

    def contact(self, name: str = "Ana") -> xero.Contact:
        """A contact that is made through the SDK."""
        return self.accounting.create_contacts(self.tenant, {"contacts": [xero.Contact(name=name)]}).contacts[0]

    def invoice(self, contact: xero.Contact, **others: object) -> xero.Invoice:
        """An approved sale of 100.00 and 15.00 tax, not sent yet, unless *others* say otherwise."""
        line = xero.LineItem(description="Work", quantity=1, unit_amount=Decimal("100.00"), account_code="200")
        fields = {"type": "ACCREC", "status": "AUTHORISED", "date": DAY, "due_date": DAY, "line_items": [line]}
        return xero.Invoice(contact=xero.Contact(contact_id=contact.contact_id), **fields | others)

    def invoiced(self, contact: xero.Contact, **others: object) -> xero.Invoice:
        """One that Xero has taken."""
        given = xero.Invoices(invoices=[self.invoice(contact, **others)])
        return self.accounting.create_invoices(self.tenant, given).invoices[0]

    def payment(self, invoice: xero.Invoice, amount: str) -> xero.Payment:
        return xero.Payment(
            invoice=xero.Invoice(invoice_id=invoice.invoice_id),
            account=xero.Account(code="090"),
            date=DAY,
            amount=Decimal(amount),
        )


@pytest.fixture
def sdk(product: Product) -> Iterator[Sdk]:
    with product.simulator.serve() as served:
        yield Sdk.of(product, served.url)


def test_contacts_are_made_changed_paged_filtered_and_found_again(sdk: Sdk) -> None:
    api, books = sdk.accounting, sdk.product.books
    given = [
        xero.Contact(
            name=f"Customer {number:03}",
            contact_number=f"C-{number:03}",
            phones=[xero.Phone(phone_type="DEFAULT", phone_number="5551")],
        )
        for number in range(120)
    ]
    made = api.create_contacts(sdk.tenant, xero.Contacts(contacts=given)).contacts

    first = api.get_contacts(sdk.tenant, page=1, order="Name ASC")
    assert (len(first.contacts), first.pagination.page_count, first.pagination.item_count) == (100, 2, 120)
    second = api.get_contacts(sdk.tenant, page=2, order="Name ASC")
    assert [one.name for one in second.contacts] == [one.name for one in given[100:]]
    (found,) = api.get_contacts(sdk.tenant, where='ContactNumber=="C-007"').contacts
    assert (found.contact_id, found.phones[1].phone_number) == (made[7].contact_id, "5551")
    ids = [made[3].contact_id, made[4].contact_id]
    assert {one.contact_id for one in api.get_contacts(sdk.tenant, i_ds=ids).contacts} == set(ids)
    assert [one.name for one in api.get_contacts(sdk.tenant, search_term="r 011", page=1).contacts] == ["Customer 011"]

    wait(sdk.product, 60)
    change = xero.Contacts(contacts=[xero.Contact(contact_id=made[9].contact_id, email_address="nine@example.com")])
    api.update_contact(sdk.tenant, made[9].contact_id, change)
    since = made[-1].updated_date_utc + timedelta(seconds=30)
    (changed,) = api.get_contacts(sdk.tenant, if_modified_since=since).contacts
    assert (changed.contact_id, changed.email_address) == (made[9].contact_id, "nine@example.com")
    assert len(books.contacts) == 120
    assert dict(books.contact(made[9].contact_id).texts)["EmailAddress"] == "nine@example.com"


def test_sales_and_bills_are_made_in_batches_and_their_refusals_are_told_apart(sdk: Sdk) -> None:
    api, books, ana = sdk.accounting, sdk.product.books, sdk.contact()
    good, bill = sdk.invoice(ana, invoice_number="S-1"), sdk.invoice(ana, type="ACCPAY", invoice_number="B-1")
    bad = sdk.invoice(ana, invoice_number="S-2", due_date=None)

    with pytest.raises(AccountingBadRequestException) as whole:
        api.create_invoices(sdk.tenant, xero.Invoices(invoices=[good, bad]))
    assert whole.value.status == 400
    assert whole.value.error_data["ErrorNumber"] == 10

    taken = {one.number for one in books.invoices}
    answer = api.create_invoices(sdk.tenant, xero.Invoices(invoices=[bill, bad]), summarize_errors=False)
    assert [one.status_attribute_string for one in answer.invoices] == ["OK", "ERROR"]
    assert answer.invoices[1].has_errors
    assert answer.invoices[1].validation_errors[0].message
    assert {one.number for one in books.invoices} == taken | {"B-1"}

    listed = api.get_invoices(sdk.tenant, where='Type=="ACCPAY" AND AmountDue>100', page=1)
    assert [one.invoice_number for one in listed.invoices] == ["B-1"]
    whole_bill = api.get_invoice(sdk.tenant, answer.invoices[0].invoice_id).invoices[0]
    assert (whole_bill.total, whole_bill.total_tax, whole_bill.due_date) == (Decimal("115.00"), Decimal("15.00"), DAY)
    draft = sdk.invoiced(ana, status="DRAFT")
    approve = xero.Invoices(invoices=[xero.Invoice(invoice_id=draft.invoice_id, status="AUTHORISED")])
    api.update_invoice(sdk.tenant, draft.invoice_id, approve)
    assert books.invoice(draft.invoice_id).status == "AUTHORISED"
    assert [one.invoice_id for one in api.get_invoices(sdk.tenant, statuses=["DRAFT"], page=1).invoices] == []


def test_an_invoice_is_paid_not_overpaid_and_its_payment_deleted(sdk: Sdk) -> None:
    api, books = sdk.accounting, sdk.product.books
    sale = sdk.invoiced(sdk.contact())

    paid = api.create_payment(sdk.tenant, sdk.payment(sale, "115.00")).payments[0]
    assert books.invoice(sale.invoice_id).status == "PAID"
    with pytest.raises(AccountingBadRequestException) as over:
        api.create_payments(sdk.tenant, xero.Payments(payments=[sdk.payment(sale, "0.01")]))
    assert "Payment amount exceeds the amount outstanding on this document" in over.value.reason
    assert len(books.payments) == 1

    removed = api.delete_payment(sdk.tenant, paid.payment_id, xero.PaymentDelete(status="DELETED")).payments[0]
    assert removed.status == "DELETED"
    reopened = books.invoice(sale.invoice_id)
    assert (reopened.status, reopened.amount_due) == ("AUTHORISED", Decimal("115.00"))
    (listed,) = api.get_payments(sdk.tenant, where='Status=="DELETED"').payments
    assert listed.payment_id == paid.payment_id


def test_a_batch_pays_several_bills_and_is_deleted_whole(sdk: Sdk) -> None:
    api, books, ana = sdk.accounting, sdk.product.books, sdk.contact()
    bills = [sdk.invoiced(ana, type="ACCPAY", invoice_number=f"B-{number}") for number in (1, 2)]
    batch = xero.BatchPayment(
        account=xero.Account(account_id=books.account("090").id),
        date=DAY,
        payments=[sdk.payment(bill, "115.00") for bill in bills],
    )

    made = api.create_batch_payment(sdk.tenant, xero.BatchPayments(batch_payments=[batch])).batch_payments[0]
    assert [books.invoice(bill.invoice_id).status for bill in bills] == ["PAID", "PAID"]
    api.delete_batch_payment(
        sdk.tenant, xero.BatchPaymentDelete(batch_payment_id=made.batch_payment_id, status="DELETED")
    )
    assert [books.invoice(bill.invoice_id).status for bill in bills] == ["AUTHORISED", "AUTHORISED"]


def test_a_credit_note_is_allocated_and_the_allocation_taken_back(sdk: Sdk) -> None:
    api, books, ana = sdk.accounting, sdk.product.books, sdk.contact()
    sale = sdk.invoiced(ana)
    line = xero.LineItem(description="Credit", quantity=1, unit_amount=Decimal("20.00"), account_code="200")
    note = xero.CreditNote(type="ACCRECCREDIT", contact=ana, date=DAY, status="AUTHORISED", line_items=[line])
    made = api.create_credit_notes(sdk.tenant, xero.CreditNotes(credit_notes=[note])).credit_notes[0]
    part = xero.Allocation(amount=Decimal("23.00"), date=DAY, invoice=xero.Invoice(invoice_id=sale.invoice_id))

    allocated = api.create_credit_note_allocation(
        sdk.tenant, made.credit_note_id, xero.Allocations(allocations=[part])
    ).allocations[0]
    assert allocated.amount == Decimal("23.00")
    assert books.invoice(sale.invoice_id).amount_due == Decimal("92.00")
    read = api.get_credit_note(sdk.tenant, made.credit_note_id).credit_notes[0]
    assert (read.status, read.remaining_credit, len(read.allocations)) == ("PAID", 0, 1)

    # The SDK asks for the model's Amount, which the answer to a deletion does not have (F 6.101): it is not read.
    taken_back = api.delete_credit_note_allocations(
        sdk.tenant, made.credit_note_id, books.allocations[0].id, _preload_content=False
    )
    assert taken_back.status == 200
    assert books.invoice(sale.invoice_id).amount_due == Decimal("115.00")
    assert not books.allocations


def test_a_file_goes_up_and_comes_down_byte_for_byte(sdk: Sdk, tmp_path: Path) -> None:
    api = sdk.accounting
    bill = sdk.invoiced(sdk.contact(), type="ACCPAY", invoice_number="B-1")
    content = b"%PDF-1.4\n" + bytes(range(256))
    sent = tmp_path / "bill.pdf"
    sent.write_bytes(content)

    up = api.create_invoice_attachment_by_file_name(sdk.tenant, bill.invoice_id, "bill.pdf", sent.read_bytes())
    (listed,) = api.get_invoice_attachments(sdk.tenant, bill.invoice_id).attachments
    down = api.get_invoice_attachment_by_file_name(sdk.tenant, bill.invoice_id, "bill.pdf", "application/pdf")

    assert listed.attachment_id == up.attachments[0].attachment_id
    assert Path(down).read_bytes() == content
    (held,) = sdk.product.books.attachments_of(bill.invoice_id)
    assert sdk.product.books.attachment_content(held.id) == content
    assert api.get_invoice(sdk.tenant, bill.invoice_id).invoices[0].has_attachments


def test_a_key_repeats_the_first_answer_and_refuses_another_body(sdk: Sdk) -> None:
    api, books, ana = sdk.accounting, sdk.product.books, sdk.contact()
    key = str(uuid4())
    given = xero.Invoices(invoices=[sdk.invoice(ana)])

    first = api.create_invoices(sdk.tenant, given, idempotency_key=key).invoices[0]
    again = api.create_invoices(sdk.tenant, given, idempotency_key=key).invoices[0]
    assert again.invoice_id == first.invoice_id
    other = xero.Invoices(invoices=[sdk.invoice(ana, reference="other")])
    with pytest.raises(AccountingBadRequestException) as misused:
        api.create_invoices(sdk.tenant, other, idempotency_key=key)
    assert "Idempotency" in str(misused.value.body)
    assert len(books.invoices) == 1


@pytest.fixture
def waits(product: Product, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long urllib3, below the SDK, waits as it is told to; a minute passes for the simulator, a day would not."""
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        wait(product, min(seconds, 60))

    monkeypatch.setattr("urllib3.util.retry.time.sleep", sleep)
    return waited


def test_a_refusal_arrives_as_the_error_of_its_kind(sdk: Sdk) -> None:
    api, faults = sdk.accounting, sdk.product.simulator.faults

    with pytest.raises(NotFoundException):
        api.get_invoice(sdk.tenant, str(uuid4()))
    with pytest.raises(HTTPStatusException) as elsewhere:
        api.get_organisations(str(uuid4()))
    assert elsewhere.value.status == 403
    faults.plan(Fault.SERVER_ERROR)
    with pytest.raises(HTTPStatusException) as broken:
        api.get_organisations(sdk.tenant)
    assert broken.value.status == 500
    faults.plan(Fault.CONCURRENT_LIMIT)
    with pytest.raises(RateLimitException) as crowded:
        api.get_organisations(sdk.tenant)
    assert crowded.value.rate_limit == "concurrent"


def test_the_minute_limit_is_waited_for_and_the_day_limit_arrives_as_theirs(sdk: Sdk, waits: list[float]) -> None:
    api, faults = sdk.accounting, sdk.product.simulator.faults

    faults.plan(Fault.MINUTE_LIMIT)
    assert api.get_organisations(sdk.tenant).organisations
    assert len(waits) == 1
    assert 0 < waits[0] <= 60
    faults.plan(Fault.DAY_LIMIT, times=4)  # urllib3 tries three times more
    with pytest.raises(RateLimitException) as refused:
        api.get_organisations(sdk.tenant)
    assert refused.value.rate_limit == "day"
    assert int(refused.value.headers["Retry-After"]) > 60


def test_a_token_is_refreshed_before_it_ends_and_connections_are_listed_and_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator = Simulator(limits=False)
    product = connect(simulator, simulator.add_organisation())
    with simulator.serve() as served:
        monkeypatch.setattr(TokenApi, "refresh_token_url", f"{served.url}/connect/token")
        sdk = Sdk.of(product, served.url)
        old = dict(sdk.token)
        sdk.token["expires_at"] = (datetime.now(UTC) - timedelta(minutes=1)).timestamp()

        (connection,) = sdk.identity.get_connections()
        assert connection.tenant_id == product.tenant_id
        assert sdk.token["access_token"] != old["access_token"]
        assert sdk.token["refresh_token"] != old["refresh_token"]
        assert sdk.accounting.get_organisations(sdk.tenant).organisations[0].organisation_id
        sdk.identity.delete_connection(connection.id)
        assert sdk.identity.get_connections() == []
        with pytest.raises(HTTPStatusException) as left:
            sdk.accounting.get_organisations(sdk.tenant)
    assert left.value.status == 403


def test_money_at_the_bank_items_tracking_and_history(sdk: Sdk) -> None:
    api, books, ana = sdk.accounting, sdk.product.books, sdk.contact()
    item = xero.Item(
        code="CUP", name="Cup", sales_details=xero.Purchase(unit_price=Decimal("4.00"), account_code="200")
    )
    api.create_items(sdk.tenant, xero.Items(items=[item]))
    region = api.create_tracking_category(sdk.tenant, xero.TrackingCategory(name="Region")).tracking_categories[0]
    api.create_tracking_options(sdk.tenant, region.tracking_category_id, xero.TrackingOption(name="North"))
    tracked = [xero.LineItemTracking(name="Region", option="North")]
    line = xero.LineItem(item_code="CUP", quantity=3, tracking=tracked)

    sale = sdk.invoiced(ana, line_items=[line])
    assert (sale.sub_total, sale.line_items[0].tracking[0].option) == (Decimal("12.00"), "North")
    assert api.get_item(sdk.tenant, "CUP").items[0].sales_details.unit_price == Decimal("4.00")

    spent = xero.BankTransaction(
        type="SPEND",
        contact=xero.Contact(contact_id=ana.contact_id),
        bank_account=xero.Account(code="090"),
        date=DAY,
        line_items=[xero.LineItem(description="Paper", quantity=1, unit_amount=Decimal("10.00"), account_code="429")],
    )
    made = api.create_bank_transactions(sdk.tenant, xero.BankTransactions(bank_transactions=[spent]))
    (listed,) = api.get_bank_transactions(sdk.tenant, page=1).bank_transactions
    assert listed.bank_transaction_id == made.bank_transactions[0].bank_transaction_id
    assert books.balance(books.account("090").id) == Decimal("-11.50")

    told = xero.HistoryRecords(history_records=[xero.HistoryRecord(details="Called the customer")])
    api.create_invoice_history(sdk.tenant, sale.invoice_id, told)
    records = api.get_invoice_history(sdk.tenant, sale.invoice_id).history_records
    assert records[0].details == "Called the customer"
