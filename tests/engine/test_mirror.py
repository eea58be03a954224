"""The mirror: kept fresh by the same rule as `changes()`, so that no plan is made of what has long changed."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.conftest import Product, Through

from xerosync import Customer, MemoryStore, Receivables
from xerosync.client import _paging
from xerosync.client._driver import run
from xerosync.client._wire import answers
from xerosync.engine.mirror import LINE_ON, SHELVES, refresh
from xerosync.ports import Request
from xerosync.simulator.given import Json
from xerosync.storage.protocol import Record


def test_a_contact_renamed_while_the_mirror_reads_is_met_by_the_next_plan(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood on a page read already, and something newer was on the next one."""
    monkeypatch.setattr(_paging, "PAGE_SIZE", 20)
    monkeypatch.setattr(_paging, "_SHARED", 2)
    people = sorted(product.books.add_contact(f"Contact {place}").id for place in range(50))
    customer = Customer(id="7", custom_identifier="Ana Costa")

    def work() -> None:
        product.clock.advance(100)
        product.books.rename_contact(people[0], "Ana Costa")
        product.clock.advance(100)
        product.books.rename_contact(people[-1], "Ben")

    product.simulator.faults.then(work, path="/Contacts")
    sales = Receivables(product.xero())

    assert "1 not in Xero" in str(sales.match([customer]))
    assert "1 match found" in str(sales.match([customer]))


def test_a_worker_that_was_held_up_puts_no_older_document_in_the_place_of_a_newer(product: Product) -> None:
    invoice = product.invoice("Ana", "100.00")
    quick = Receivables(product.xero())
    quick.preview_imports()

    def meanwhile(request: Request) -> None:
        if "/Invoices" in request.url and product.books.invoice(invoice.id).total == Decimal(100):
            product.clock.advance(60)
            product.books.edit_invoice(invoice.id, amount=Decimal(120))
            product.clock.advance(60)
            product.invoice("Ana", "5.00")  # the last to be stamped is read again anyhow
            quick.preview_imports()

    slow = Receivables(product.xero(transport=Through(product.simulator.transport, after=meanwhile)))
    slow.preview_imports()

    assert {row["amount"] for row in quick.preview_imports().rows()} == {"120.00 NZD", "5.00 NZD"}


def test_a_refresh_asks_for_nothing_but_what_has_changed(product: Product) -> None:
    asked: list[str] = []

    def see(request: Request) -> None:
        if "/Contacts" in request.url:
            asked.append(request.headers.get("If-Modified-Since", "everything"))

    product.books.add_contact("Ana")
    sales = Receivables(product.xero(transport=Through(product.simulator.transport, before=see)))
    for _ in range(2):
        sales.match([])

    second_before = product.books.contacts[0].updated - timedelta(seconds=1)
    assert asked == ["everything", f"{second_before:%Y-%m-%dT%H:%M:%S}"]


def test_a_row_is_mirrored_alike_however_it_was_read(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    books = product.books
    ana, ben = (
        books.add_contact(name, Phones=[{"PhoneType": "MOBILE", "PhoneNumber": "555"}]).id for name in ("Ana", "Ben")
    )
    invoices = [books.add_invoice(ana, amount=Decimal(place), reference=f"R{place}") for place in range(10, 15)]
    bill = books.add_invoice(ben, type="ACCPAY", amount=Decimal("9.90"), status="DRAFT")
    books.void_invoice(invoices[4].id)
    books.add_payment(invoices[0].id, account="090", amount=Decimal("2.50"))
    books.add_batch_payment({each.id: Decimal(5) for each in invoices[1:3]}, reference="B1")
    note = books.add_credit_note(ana, amount=Decimal(3))
    books.allocate(note.id, invoice_id=invoices[3].id, amount=Decimal(2))
    books.add_bank_transaction(ben, amount=Decimal("1.05"), reference="S1")
    books.add_bank_transaction(ana, type="RECEIVE-OVERPAYMENT", amount=Decimal(20))
    books.add_transfer(from_bank="090", to_bank="091", amount=Decimal(7), reference="T1")
    books.add_item("I1", "A thing", cost=Decimal("4.00"))
    books.add_tracking_category("Region", ["North"])

    def mirrored() -> dict[str, list[Record]]:
        store = MemoryStore()
        with product.xero(store=store) as xero:
            run(refresh(xero.books, *SHELVES.values()))
        return {shelf.name: store.query(shelf.kind, books.tenant_id, limit=100) for shelf in SHELVES.values()}

    read_for_headers = mirrored()

    def row_by_row(*_: object) -> None:
        """No page is read in one go."""

    monkeypatch.setattr(answers, "opened_for", row_by_row)

    assert read_for_headers == mirrored()
    assert all(read_for_headers.values())
    assert bill.id in {record.key for record in read_for_headers["invoice"]}
    texts = [text for some in read_for_headers.values() for record in some for pair in record.lookups for text in pair]
    assert {str} == set(map(type, texts))


def test_of_the_lines_of_money_spent_only_accounts_and_amounts_are_kept(product: Product) -> None:
    """What was bought, and for whom, is nobody's business here."""
    contact = product.books.add_contact("Ana").id
    line: dict[str, Json] = {"Description": "secret", "UnitAmount": "4.00", "AccountCode": "404", "TaxType": "NONE"}
    product.books.add_bank_transaction(contact, lines=[line])
    store = MemoryStore()

    with product.xero(store=store) as xero:
        run(refresh(xero.books, SHELVES["bank_transaction"]))

    (record,) = store.query(SHELVES["bank_transaction"].kind, product.books.tenant_id, limit=2)
    account = product.books.account("404").id
    assert json.loads(record.body)["LineItems"] == [{"AccountID": account, "LineAmount": 4.0, "TaxAmount": 0.0}]
    assert (LINE_ON, account) in record.lookups
