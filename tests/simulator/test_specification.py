"""What the published specification lists for our resources is served, and how the live API differs is a short list."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256

import pytest
from tests import openapi
from tests.simulator.conftest import Product, Sent, make, payment, rows_of, text, wait

from xerosync.ports import Request, Response
from xerosync.simulator import Switches

pytestmark = pytest.mark.skipif(not openapi.SHARED.is_dir(), reason="Xero's published specification is not here")

# What the simulator leaves out (docs/simulator.md says so), by the first part of the path.
NOT_SERVED = {
    "budgets", "expenseclaims", "invoicereminders", "journals", "paymentservices", "receipts", "repeatinginvoices",
    "setup", "employees",
}  # fmt: skip
ANY_ID = "5b96e86b-418e-48e8-8949-308c14aec278"


def operations() -> Iterator[tuple[str, tuple[str, ...]]]:
    for method, path in openapi.specification("xero_accounting").operations:
        reports = path[0] == "reports" and path[-1] not in {
            "trialbalance", "banksummary", "agedreceivablesbycontact", "agedpayablesbycontact",
        }  # fmt: skip
        if path[0] not in NOT_SERVED and not reports and path[-1] not in {"paymentservices", "cissettings"}:
            yield method, path


def test_every_operation_of_our_resources_is_served() -> None:
    product = make()

    answers = {
        (method, "/".join(path)): product.call(method, "/".join(ANY_ID if part == "{}" else part for part in path), {})
        for method, path in operations()
    }

    assert len(answers) > 120
    assert {place for place, reply in answers.items() if reply.status in {401, 403, 405, 500, 501}} == set()


def two_of_each() -> tuple[Product, dict[str, str]]:
    """Books with two rows in every list, and what tells one of them: its id, number, contact."""
    product = make()
    books = product.books
    ana, ben = (books.add_contact(name, number=f"C-{name}") for name in ("Ana", "Ben"))
    books.archive_contact(books.add_contact("Cas").id)
    for number, contact, status, day in (("1", ana, "DRAFT", "2026-01-04"), ("2", ben, "SENT", "2026-01-06")):
        line: Sent = {"Description": "Work", "Quantity": 1, "UnitAmount": "10.1234", "AccountCode": "200"}
        common: Sent = {"Contact": {"ContactID": contact.id}, "LineItems": [line], "Date": day}
        state = "DRAFT" if status == "DRAFT" else "AUTHORISED"
        sale: Sent = {"Type": "ACCREC", "InvoiceNumber": f"S-{number}", "DueDate": day, "Status": state}
        product.call("PUT", "Invoices?unitdp=4", common | sale)
        product.call("PUT", "CreditNotes?unitdp=4", common | {"Type": "ACCRECCREDIT", "Status": state})
        submitted = "DRAFT" if status == "DRAFT" else "SUBMITTED"
        product.call("PUT", "PurchaseOrders", common | {"Status": submitted})
        product.call("PUT", "Quotes", common | {"QuoteNumber": f"Q-{number}", "Status": status, "ExpiryDate": day})
        paid = books.add_invoice(contact.id, amount=Decimal(5), number=f"P-{number}")
        books.add_payment(paid.id, account="090")
        for kind, account in (("RECEIVE", "200"), ("RECEIVE-OVERPAYMENT", ""), ("RECEIVE-PREPAYMENT", "835")):
            books.add_bank_transaction(
                contact.id, type=kind, amount=Decimal(5), account=account, reference=f"{kind} {number}"
            )
        books.add_journal(f"J-{number}", {"400": Decimal(1), "850": Decimal(-1)})
        books.add_transfer(from_bank="090", to_bank="091", amount=Decimal(5))
        books.add_tracking_category(f"T-{number}", ["North"])
    product.call("POST", f"BankTransfers/{books.bank_transfers[-1].id}", {"Status": "DELETED"})
    region = books.tracking_categories[0].id
    product.call("POST", f"TrackingCategories/{region}", {"Status": "ARCHIVED"})
    return product, {"ana": ana.id, "sale": books.invoices[0].id}


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("Invoices", 4),
        ("Invoices?IDs={sale}", 1),
        ("Invoices?InvoiceNumbers=S-1,S-2", 2),
        ("Invoices?ContactIDs={ana}", 2),
        ("Invoices?Statuses=DRAFT,PAID", 3),
        ("Invoices?createdByMyApp=true", 2),
        ("Invoices?searchTerm=s-", 2),
        ("Contacts", 2),
        ("Contacts?IDs={ana}", 1),
        ("Contacts?includeArchived=true", 3),
        ("Contacts?searchTerm=c-an", 1),
        ("Overpayments?References=RECEIVE-OVERPAYMENT%201", 1),
        ("Prepayments?InvoiceNumbers=RECEIVE-PREPAYMENT%202", 1),
        ("PurchaseOrders?Status=DRAFT", 1),
        ("PurchaseOrders?DateFrom=2026-01-05", 1),
        ("PurchaseOrders?DateTo=2026-01-05", 1),
        ("Quotes?DateFrom=2026-01-05", 1),
        ("Quotes?DateTo=2026-01-05", 1),
        ("Quotes?ExpiryDateFrom=2026-01-05", 1),
        ("Quotes?ExpiryDateTo=2026-01-05", 1),
        ("Quotes?ContactID={ana}", 1),
        ("Quotes?Status=SENT", 1),
        ("Quotes?QuoteNumber=Q-2", 1),
        ("BankTransfers", 1),
        ("BankTransfers?includeDeleted=true", 2),
        ("TrackingCategories", 1),
        ("TrackingCategories?includeArchived=true", 2),
        *(
            (f"{plural}?page=2&pageSize=1", 1)
            for plural in (
                "Invoices", "Contacts", "CreditNotes", "BankTransactions", "Payments", "ManualJournals", "Overpayments",
                "Prepayments", "PurchaseOrders",
            )
        ),
    ],
)  # fmt: skip
def test_a_list_heeds_the_parameters_of_its_own(path: str, count: int) -> None:
    """F 4.29-4.38."""
    product, known = two_of_each()

    reply = product.call("GET", path.format(**known))

    assert (reply.status, len(reply.rows(path.partition("?")[0]))) == (200, count)


@pytest.mark.parametrize("plural", ["Invoices", "CreditNotes", "BankTransactions", "Overpayments", "Prepayments"])
def test_a_price_has_four_places_where_they_are_asked_for(plural: str) -> None:
    """F 5.21."""
    product, _ = two_of_each()

    def places(path: str) -> set[int]:
        rows = product.call("GET", path).rows(plural)
        prices = (line["UnitAmount"] for row in rows for line in rows_of(row, "LineItems"))
        return {len(str(price).partition(".")[2]) for price in prices}

    assert places(f"{plural}?page=1") == {2}
    assert places(f"{plural}?page=1&unitdp=4") == {4}


def test_no_deviation_is_listed_that_is_not_met(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tour through every shape, each answer looked at in full."""
    observer = openapi.Observer(every=1)
    monkeypatch.setattr(openapi, "OBSERVER", observer)
    product = make()
    receive(product)
    tour(product)
    wait(product, 300)
    tour(make(Switches(deleted_allocation_is_alone=False, unknown_tracking_is_refused=False)))

    assert set(openapi.DEVIATIONS) - observer.used == set()


def receive(product: Product) -> None:
    """Let the product be told of what changes."""
    webhooks = product.simulator.webhooks
    key = webhooks.subscribe(product.client_id, lambda request: Response(200 if signed(request) else 401, {}, b"")).key

    def signed(request: Request) -> bool:
        mine = base64.b64encode(hmac.digest(key.encode(), request.body, sha256)).decode()
        return mine == request.headers["x-xero-signature"]

    assert webhooks.validate(product.client_id)
    listed = product.send(
        "GET", "https://api.xero.com/Connections", {"Authorization": f"Bearer {product.access_token}"}
    )
    assert listed.status == 200


def tour(product: Product) -> None:
    """Make one of each, and read it alone and in its list."""
    books = product.books
    region = books.add_tracking_category("Region", ["North"])
    ana = books.add_contact("Ana")
    books.add_contact_group("Gold", [ana.id])
    tracking = [{"TrackingCategoryID": region.id, "TrackingOptionID": region.options[0].id}]
    line: Sent = {"Description": "x", "Quantity": 1, "UnitAmount": "100.00", "AccountCode": "200", "Tracking": tracking}
    common: Sent = {"Contact": {"ContactID": ana.id}, "LineItems": [line], "Status": "AUTHORISED"}
    sale = product.call("PUT", "Invoices", common | {"Type": "ACCREC", "DueDate": "2026-02-01"}).one("Invoices")
    note = product.call("PUT", "CreditNotes", common | {"Type": "ACCRECCREDIT", "DueDate": "2026-02-01"}).one(
        "CreditNotes"
    )
    allocation: Sent = {"Amount": "1.00", "Invoice": {"InvoiceID": sale["InvoiceID"]}}
    path = f"CreditNotes/{text(note, 'CreditNoteID')}"
    product.call("PUT", f"{path}/Allocations", allocation)
    (part,) = product.books.allocations
    product.call("DELETE", f"{path}/Allocations/{part.id}")
    product.call("PUT", "Payments", payment(text(sale, "InvoiceID"), "1.00"))
    batch: Sent = {"Account": {"Code": "090"}, "Payments": [payment(text(sale, "InvoiceID"), "2.00")]}
    product.call("PUT", "BatchPayments?summarizeErrors=false", batch)
    bank(product, ana.id, line)
    books.add_journal("x", {"400": Decimal(1), "850": Decimal(-1)})
    books.add_item("Cup", "Cup", price=Decimal("4.00"))
    order: Sent = {
        "Contact": {"ContactID": ana.id}, "LineItems": [line], "DeliveryDate": "2026-02-01",
        "ExpectedArrivalDate": "2026-02-01",
    }  # fmt: skip
    product.call("PUT", "PurchaseOrders", order)
    product.call("PUT", "Quotes", {"Contact": {"ContactID": ana.id}, "LineItems": [line], "Date": "2026-01-05"})
    product.call("PUT", "Quotes", {"Contact": {"ContactID": ana.id}, "LineItems": [line | {"AccountCode": "?"}]})
    bill = books.add_invoice(ana.id, type="ACCPAY", amount=Decimal("5.00"))
    books.link_expense(bill.id, line_id=bill.lines[0].id, contact_id=ana.id)
    product.call("PUT", f"Invoices/{text(sale, 'InvoiceID')}/History", {"HistoryRecords": [{"Details": "Called"}]})
    product.call("GET", f"Invoices/{text(sale, 'InvoiceID')}/History")
    for plural in (
        "Organisation", "Accounts", "TaxRates", "Contacts", "ContactGroups", "Invoices", "CreditNotes", "Payments",
        "BatchPayments", "BankTransactions", "Overpayments", "Prepayments", "BankTransfers", "ManualJournals", "Items",
        "TrackingCategories", "Currencies", "Users", "PurchaseOrders", "Quotes", "BrandingThemes",
        "LinkedTransactions", "Reports/TrialBalance", "Reports/BankSummary",
        f"Reports/AgedReceivablesByContact?contactId={ana.id}",
    ):  # fmt: skip
        assert product.call("GET", plural).status == 200
        reply = product.call("GET", f"{plural}{'&' if '?' in plural else '?'}page=1")
        rows = reply.rows(plural.partition("?")[0]) if plural in reply.row else []
        for row in rows[-1:]:
            key = next((value for name, value in row.items() if name.endswith("ID") and name != "ID"), None)
            key = row.get("TaxType", key) if plural == "TaxRates" else key
            if key is not None:
                assert product.call("GET", f"{plural}/{key}").status == 200


def bank(product: Product, contact_id: str, line: Sent) -> None:
    """One bank transaction of each kind, and one whose tracking is not known."""
    books = product.books
    books.add_bank_transaction(contact_id, amount=Decimal("5.00"))
    elsewhere = line | {"Tracking": [{"Name": "Region", "Option": "Elsewhere"}]}
    received: Sent = {"Type": "RECEIVE", "Contact": {"ContactID": contact_id}, "BankAccount": {"Code": "090"}}
    product.call("PUT", "BankTransactions", received | {"LineItems": [elsewhere]})
    books.add_bank_transaction(contact_id, type="RECEIVE-OVERPAYMENT", amount=Decimal("5.00"))
    books.add_bank_transaction(contact_id, type="RECEIVE-PREPAYMENT", amount=Decimal("5.00"), account="835")
    books.add_transfer(from_bank="090", to_bank="091", amount=Decimal("5.00"))
