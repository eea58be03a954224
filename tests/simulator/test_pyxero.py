"""pyxero, which sends XML and reads JSON, works with the simulator as it does with Xero, over loopback HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from uuid import uuid4

import pytest
from attrs import frozen
from tests.simulator.conftest import Product, Sent, make, wait
from xero import Xero
from xero.auth import OAuth2Credentials
from xero.exceptions import (
    XeroBadRequest,
    XeroForbidden,
    XeroInternalError,
    XeroNotAvailable,
    XeroNotFound,
    XeroRateLimitExceeded,
    XeroUnauthorized,
)

from xerosync.simulator import DEFAULT_SCOPES, Fault, Switches

DAY = date(2026, 1, 5)
LINE: Sent = {"Description": "Work", "Quantity": "1", "UnitAmount": "100.00", "AccountCode": "200"}


@frozen
class Theirs:
    """pyxero on the loopback, connected as a product."""

    product: Product
    credentials: OAuth2Credentials
    xero: Xero

    @classmethod
    def of(cls, product: Product, url: str) -> Theirs:
        token = {
            "access_token": product.access_token,
            "refresh_token": product.refresh_token,
            "expires_in": 1800,
            "expires_at": 4_000_000_000,
            "token_type": "Bearer",
        }
        scopes = DEFAULT_SCOPES.split()
        credentials = OAuth2Credentials(product.client_id, product.client_secret, token=token, scope=scopes)
        credentials.base_url = url
        credentials.set_default_tenant()
        return cls(product, credentials, Xero(credentials))

    def contact(self, name: str = "Ana") -> str:
        (made,) = self.xero.contacts.put({"Name": name})
        return str(made["ContactID"])

    def sale(self, contact_id: str, **others: object) -> Sent:
        """An approved sale of 100.00 and 15.00 tax, not sent yet, unless *others* say otherwise."""
        fields: Sent = {
            "Type": "ACCREC", "Contact": {"ContactID": contact_id}, "Status": "AUTHORISED", "Date": DAY,
            "DueDate": DAY, "LineItems": [LINE],
        }  # fmt: skip
        return fields | others

    def invoiced(self, contact_id: str, **others: object) -> str:
        (made,) = self.xero.invoices.put(self.sale(contact_id, **others))
        return str(made["InvoiceID"])


@pytest.fixture(autouse=True)
def without_a_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback has none, which oauthlib must be told."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def theirs(product: Product) -> Iterator[Theirs]:
    with product.simulator.serve() as served:
        yield Theirs.of(product, served.url)


def payment(invoice_id: str, amount: str) -> Sent:
    return {"Invoice": {"InvoiceID": invoice_id}, "Account": {"Code": "090"}, "Date": DAY, "Amount": amount}


def test_contacts_are_made_changed_paged_filtered_and_found_again(theirs: Theirs) -> None:
    contacts, books = theirs.xero.contacts, theirs.product.books
    phones = [{"PhoneType": "DEFAULT", "PhoneNumber": "5551"}]
    given = [{"Name": f"Customer & Co {number:03}", "Phones": phones} for number in range(120)]

    made = contacts.put(given)
    assert [one["Name"] for one in made] == [one["Name"] for one in given]
    assert len(contacts.all()) == 120
    assert [len(contacts.filter(page=page)) for page in (1, 2, 3)] == [100, 20, 0]
    (found,) = contacts.filter(Name="Customer & Co 007")
    assert found["ContactID"] == made[7]["ContactID"]
    assert contacts.get(found["ContactID"])[0]["Phones"][1]["PhoneNumber"] == "5551"
    assert len(contacts.filter(Name__startswith="Customer & Co 01")) == 10
    assert len(contacts.filter(IDs=[made[1]["ContactID"], made[2]["ContactID"]])) == 2
    assert contacts.filter(order="Name DESC")[0]["Name"] == "Customer & Co 119"

    wait(theirs.product, 60)
    contacts.save({"ContactID": found["ContactID"], "EmailAddress": "seven@example.com"})
    since = made[-1]["UpdatedDateUTC"] + timedelta(seconds=30)
    (changed,) = contacts.filter(since=since)
    assert (changed["ContactID"], changed["EmailAddress"]) == (found["ContactID"], "seven@example.com")
    assert changed["UpdatedDateUTC"] > since
    assert dict(books.contact(found["ContactID"]).texts)["EmailAddress"] == "seven@example.com"


def test_sales_and_bills_are_made_in_batches_and_their_refusals_are_told_apart(theirs: Theirs) -> None:
    invoices, books, ana = theirs.xero.invoices, theirs.product.books, theirs.contact()
    sale = theirs.sale(ana, InvoiceNumber="S-1")
    bill = theirs.sale(ana, Type="ACCPAY", InvoiceNumber="B-1")
    bad = theirs.sale(str(uuid4()), InvoiceNumber="S-2")

    with pytest.raises(XeroBadRequest, match="ValidationException") as whole:
        invoices.put([bad])
    assert len(whole.value.errors) >= 1
    taken, billed, refused = invoices.put([sale, bill, bad], summarize_errors=False)
    assert [one["StatusAttributeString"] for one in (taken, billed, refused)] == ["OK", "OK", "ERROR"]
    assert refused["ValidationErrors"][0]["Message"]
    assert [one.number for one in books.invoices] == ["S-1", "B-1"]

    (listed,) = invoices.filter(Type="ACCPAY", raw="AmountDue>100")
    assert (listed["InvoiceNumber"], listed["DueDate"].date()) == ("B-1", DAY)
    (ours,) = invoices.filter(Contact_ContactID=ana, Type="ACCREC")
    assert ours["InvoiceID"] == taken["InvoiceID"]
    assert invoices.filter(Date__lt=DAY) == []
    whole_sale = invoices.get(taken["InvoiceID"])[0]
    assert Decimal(str(whole_sale["Total"])) == Decimal("115.0")
    invoices.save({"InvoiceID": taken["InvoiceID"], "Status": "VOIDED"})
    assert books.invoice(taken["InvoiceID"]).status == "VOIDED"


def test_an_invoice_is_paid_not_overpaid_and_its_payment_deleted(theirs: Theirs) -> None:
    payments, books = theirs.xero.payments, theirs.product.books
    sale = theirs.invoiced(theirs.contact())

    (paid,) = payments.put(payment(sale, "115.00"))
    assert books.invoice(sale).status == "PAID"
    with pytest.raises(XeroBadRequest) as over:
        payments.put(payment(sale, "0.01"))
    assert over.value.problem == "Payment amount exceeds the amount outstanding on this document"
    (removed,) = payments.delete(paid["PaymentID"])
    assert removed["Status"] == "DELETED"
    assert (books.invoice(sale).status, books.invoice(sale).amount_due) == ("AUTHORISED", Decimal("115.00"))


def test_a_credit_note_is_allocated_and_the_allocation_taken_back() -> None:
    """pyxero counts on the envelope that every other answer has."""
    product = make(Switches(deleted_allocation_is_alone=False))
    with product.simulator.serve() as served:
        allocate_and_take_back(Theirs.of(product, served.url))


def allocate_and_take_back(theirs: Theirs) -> None:
    notes, books, ana = theirs.xero.creditnotes, theirs.product.books, theirs.contact()
    sale = theirs.invoiced(ana)
    (note,) = notes.put(theirs.sale(ana, Type="ACCRECCREDIT", LineItems=[LINE | {"UnitAmount": "20.00"}]))

    notes.put_allocation(note["CreditNoteID"], {"Amount": "23.00", "Date": DAY, "Invoice": {"InvoiceID": sale}})
    assert books.invoice(sale).amount_due == Decimal("92.00")
    notes.delete_allocation(note["CreditNoteID"], books.allocations[0].id)
    assert books.invoice(sale).amount_due == Decimal("115.00")
    assert not books.allocations


def test_a_file_goes_up_and_comes_down_byte_for_byte(theirs: Theirs) -> None:
    invoices, books = theirs.xero.invoices, theirs.product.books
    bill = theirs.invoiced(theirs.contact(), Type="ACCPAY", InvoiceNumber="B-1")
    content = b"%PDF-1.4\n" + bytes(range(256))

    invoices.put_attachment(bill, "bill 1.pdf", BytesIO(content), "application/pdf")
    (listed,) = invoices.get_attachments(bill)["Attachments"]
    down = BytesIO()

    assert listed["FileName"] == "bill 1.pdf"
    assert invoices.get_attachment(bill, "bill 1.pdf", down) == len(content)
    assert down.getvalue() == content
    (held,) = books.attachments_of(bill)
    assert books.attachment_content(held.id) == content


def test_a_key_repeats_the_first_answer_and_refuses_another_body(theirs: Theirs) -> None:
    """pyxero has no parameter for a key; its own door for further headers takes one."""
    books, ana, key = theirs.product.books, theirs.contact(), str(uuid4())
    invoices = theirs.xero.invoices

    def put(given: Sent) -> Sequence[Sent]:
        sent: Callable[[Sent], Sequence[Sent]] = invoices._get_data(
            lambda body: invoices.save_or_put(body, method="put", headers={"Idempotency-Key": key})
        )
        return sent(given)

    first, again = (put(theirs.sale(ana)) for _ in range(2))
    assert first[0]["InvoiceID"] == again[0]["InvoiceID"]
    with pytest.raises(XeroBadRequest, match="Idempotency"):
        put(theirs.sale(ana, Reference="other"))
    assert len(books.invoices) == 1


def test_a_refusal_arrives_as_the_error_of_its_kind(theirs: Theirs) -> None:
    invoices, faults = theirs.xero.invoices, theirs.product.simulator.faults

    with pytest.raises(XeroNotFound):
        invoices.get(str(uuid4()))
    for fault, error in {
        Fault.SERVER_ERROR: XeroInternalError,
        Fault.UNAVAILABLE: XeroNotAvailable,
        Fault.FORBIDDEN: XeroForbidden,
        Fault.MINUTE_LIMIT: XeroRateLimitExceeded,
    }.items():
        faults.plan(fault)
        with pytest.raises(error):
            invoices.all()
    wait(theirs.product, 60)
    faults.plan(Fault.EXPIRED_TOKEN)
    with pytest.raises(XeroUnauthorized) as old:
        invoices.all()
    assert old.value.problem == "TokenExpired"


def test_a_token_is_refreshed_and_connections_are_listed(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    with product.simulator.serve() as served:
        monkeypatch.setattr("xero.auth.XERO_OAUTH2_TOKEN_URL", f"{served.url}/connect/token")
        theirs = Theirs.of(product, served.url)
        assert theirs.credentials.tenant_id == product.tenant_id
        wait(product, 31 * 60)
        with pytest.raises(XeroUnauthorized):
            theirs.xero.organisations.all()

        new = theirs.credentials.refresh()

        assert new["refresh_token"] != product.refresh_token
        again = Xero(theirs.credentials)
        assert again.organisations.all()[0]["Name"] == "Demo Company (NZ)"
        assert [one["tenantId"] for one in theirs.credentials.get_tenants()] == [product.tenant_id]


def test_money_at_the_bank_items_tracking_and_history(theirs: Theirs) -> None:
    xero, books, ana = theirs.xero, theirs.product.books, theirs.contact()
    xero.items.put({"Code": "CUP", "Name": "Cup", "SalesDetails": {"UnitPrice": "4.00", "AccountCode": "200"}})
    xero.trackingcategories.put({"Name": "Region"})
    (region,) = books.tracking_categories
    theirs.product.call("PUT", f"TrackingCategories/{region.id}/Options", {"Name": "North"})
    line: Sent = {"ItemCode": "CUP", "Quantity": "3", "Tracking": [{"Name": "Region", "Option": "North"}]}

    sale = theirs.invoiced(ana, LineItems=[line])
    read = xero.invoices.get(sale)[0]
    assert (read["SubTotal"], read["LineItems"][0]["Tracking"][0]["Option"]) == (12.0, "North")

    spent: Sent = {
        "Type": "SPEND", "Contact": {"ContactID": ana}, "BankAccount": {"Code": "090"}, "Date": DAY,
        "LineItems": [{"Description": "Paper", "Quantity": "1", "UnitAmount": "10.00", "AccountCode": "429"}],
    }  # fmt: skip
    xero.banktransactions.put(spent)
    assert [one["Type"] for one in xero.banktransactions.filter(page=1)] == ["SPEND"]
    assert books.balance(books.account("090").id) == Decimal("-11.50")

    xero.invoices.put_history(sale, "Called the customer & left a word")
    records = xero.invoices.get_history(sale)["HistoryRecords"]
    assert records[0]["Details"] == "Called the customer & left a word"
    assert isinstance(records[0]["DateUTC"], datetime)
