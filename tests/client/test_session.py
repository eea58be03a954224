"""The connection and its resources: tokens kept alive, reads that try again, one outcome for each document written."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.conftest import BANK, DAY, Product, Through, found_product

from xerosync import App, MemoryStore, Tokens, Xero
from xerosync.client.resources import Outcome
from xerosync.errors import (
    InvalidInput,
    NotAuthorised,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    ReconnectNeeded,
    Rejected,
    Unavailable,
)
from xerosync.models import Account, AccountCode, Contact, Invoice, InvoiceId, InvoiceType, Payment
from xerosync.ports import Request
from xerosync.simulator import Fault
from xerosync.simulator.given import Fields

PASSING = [
    Fault.LOST_BEFORE,
    Fault.LOST_AFTER,
    Fault.SERVER_ERROR,
    Fault.UNAVAILABLE,
    Fault.BAD_GATEWAY,
    Fault.MINUTE_LIMIT,
    Fault.CONCURRENT_LIMIT,
    Fault.EXPIRED_TOKEN,
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.value)
def test_a_read_outlives_what_only_passes(product: Product, xero: Xero, fault: Fault) -> None:
    product.invoice("Ana", "100.00")
    product.simulator.faults.plan(fault, method="GET", path="/Invoices")

    assert [invoice.total for invoice in xero.invoices.list()] == [Decimal(100)]


def test_a_read_gives_up_after_some_tries(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.UNAVAILABLE, method="GET", path="/Invoices", times=5)

    with pytest.raises(Unavailable, match="503"):
        list(xero.invoices.list())


def test_a_day_limit_is_never_waited_out(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="GET", path="/Invoices")
    before = product.clock.now()

    with pytest.raises(RateLimited) as refused:
        list(xero.invoices.list())

    assert (refused.value.which, product.clock.now() - before < timedelta(minutes=5)) == ("day", True)


def test_the_minute_limit_is_kept_without_ever_being_refused() -> None:
    product = found_product(limits=True)
    refused: list[str] = []
    xero = product.xero(transport=Through(product.simulator.transport))
    before = product.clock.now()

    for _ in range(130):
        refused += [] if list(xero.accounts.list()) else ["empty"]

    assert refused == []
    assert product.clock.now() - before >= timedelta(minutes=2)
    product.simulator.close()


def test_an_access_token_is_renewed_before_it_ends_and_kept_for_all_clients(product: Product, xero: Xero) -> None:
    for _ in range(5):
        product.clock.advance(26 * 60)
        assert list(xero.accounts.list())

    later = product.xero()

    assert list(later.accounts.list())


def test_two_clients_refresh_one_token_set_once(product: Product) -> None:
    first, second = product.xero(), product.xero()
    asked: list[str] = []

    def count(request: Request) -> None:
        if request.url.endswith("/connect/token"):
            asked.append(request.url)

    watched = [product.xero(transport=Through(product.simulator.transport, before=count)) for _ in (first, second)]
    product.clock.advance(29 * 60)

    for client in watched:
        assert list(client.accounts.list())

    assert len(asked) == 1


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.UNAVAILABLE], ids=lambda each: each.value)
def test_a_refresh_whose_answer_was_lost_is_asked_for_again(product: Product, xero: Xero, fault: Fault) -> None:
    product.clock.advance(29 * 60)
    product.simulator.faults.plan(fault, path="/connect/token")

    assert list(xero.accounts.list())


def test_a_consent_that_has_ended_says_so(product: Product, xero: Xero) -> None:
    product.clock.advance(61 * 24 * 3600)

    with pytest.raises(ReconnectNeeded, match="connect to Xero again"):
        list(xero.accounts.list())


def test_an_organisation_never_connected_says_so(product: Product) -> None:
    xero = Xero(
        App(product.app.client_id),
        product.books.tenant_id,
        store=MemoryStore(),
        transport=product.simulator.transport,
        clock=product.clock,
    )

    with pytest.raises(ReconnectNeeded, match="call connect"):
        xero.organisation()


def test_a_consent_to_another_organisation_is_refused(product: Product) -> None:
    other = product.simulator.add_organisation("Other")
    xero = Xero(
        App(product.app.client_id),
        other.tenant_id,
        store=MemoryStore(),
        transport=product.simulator.transport,
        clock=product.clock,
    )

    with pytest.raises(NotAuthorised, match="does not cover"):
        xero.connect(product.tokens)
    with pytest.raises(InvalidInput, match="UUID"):
        Xero(App("client"), "Demo Company", store=MemoryStore())


def test_connecting_again_with_the_first_tokens_does_no_harm_however_late(product: Product, xero: Xero) -> None:
    """A host that keeps the token set of the consent in its settings gives it at every start."""
    for minutes in (26, 26, 26):
        product.clock.advance(minutes * 60)
        xero.organisation()
    product.clock.advance(45 * 60)

    again = Xero(
        App(product.app.client_id, product.app.client_secret),
        product.books.tenant_id,
        store=product.store,
        transport=product.simulator.transport,
        clock=product.clock,
    )
    connection = again.connect(product.tokens)

    assert connection.tenant_id == product.books.tenant_id
    assert again.organisation().name == "Demo Company (NZ)"


def test_the_organisation_and_its_connections_are_told(product: Product, xero: Xero) -> None:
    organisation = xero.organisation()

    assert (organisation.organisation_id, organisation.base_currency) == (product.books.tenant_id, "NZD")
    assert [each.tenant_id for each in xero.connections()] == [product.books.tenant_id]


def test_lists_are_read_to_their_last_page(product: Product, xero: Xero) -> None:
    contact = product.books.add_contact("Ana")
    rows: list[Fields] = [{"contact": "Ana", "number": f"N{place}", "amount": Decimal(1)} for place in range(1001)]
    product.books.set_up("many", invoices=rows)

    found = list(xero.invoices.list(contact_ids=[contact.id]))

    assert len({invoice.invoice_id for invoice in found}) == 1001


def test_lists_are_narrowed_as_asked(product: Product, xero: Xero) -> None:
    sale = product.invoice("Ana", "100.00")
    bill = product.books.add_invoice(sale.contact_id, type="ACCPAY", number="B", amount=Decimal(5))
    product.books.archive_contact(product.books.add_contact("Old").id)

    assert [each.invoice_id for each in xero.invoices.list(type=InvoiceType.ACCPAY)] == [bill.id]
    assert [each.invoice_id for each in xero.invoices.list(ids=[sale.id])] == [sale.id]
    assert list(xero.invoices.list(statuses=["VOIDED"])) == []
    assert [each.name for each in xero.contacts.list()] == ["Ana"]
    assert sorted(each.name or "" for each in xero.contacts.list(include_archived=True)) == ["Ana", "Old"]
    product.clock.advance(10)
    since = product.clock.now()
    product.clock.advance(10)
    assert list(xero.invoices.list(modified_since=since)) == []
    product.books.edit_invoice(bill.id, Reference="x", amount=Decimal(6))
    assert [each.invoice_id for each in xero.invoices.list(modified_since=since)] == [bill.id]


def test_a_document_nobody_knows_is_not_found(xero: Xero) -> None:
    with pytest.raises(NotFound):
        xero.invoices.get("00000000-0000-4000-8000-000000000000")


def test_each_document_written_has_its_own_outcome(product: Product, xero: Xero) -> None:
    sale = product.invoice("Ana", "100.00")

    def payment(amount: str) -> Payment:
        return Payment(
            invoice=Invoice(invoice_id=InvoiceId(sale.id)),
            account=Account(code=AccountCode(BANK)),
            amount=Decimal(amount),
            date=DAY,
        )

    written = xero.payments.create([payment("10.00"), payment("1000.00"), payment("20.00")])

    assert [each.outcome for each in written] == [Outcome.CREATED, Outcome.REJECTED, Outcome.CREATED]
    assert "exceeds" in written[1].messages[0]
    assert product.standing(sale.id) == [(Decimal(10), DAY), (Decimal(20), DAY)]


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.BAD_GATEWAY, Fault.TRUNCATED], ids=lambda each: each.value)
def test_a_write_whose_answer_is_lost_again_and_again_is_unknown(product: Product, xero: Xero, fault: Fault) -> None:
    product.simulator.faults.plan(fault, method="PUT", path="/Contacts", times=3)

    written = xero.contacts.create([Contact(name="Ana"), Contact(name="Ben")])

    assert [each.outcome for each in written] == [Outcome.UNKNOWN] * 2
    assert [each.name for each in product.books.contacts] == ["Ana", "Ben"]


def test_what_an_earlier_call_wrote_is_told_even_when_a_later_one_is_refused(product: Product, xero: Xero) -> None:
    """Sixty contacts are two calls: nobody may think that the first fifty are not there."""
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="PUT", path="/Contacts", after=1)

    written = xero.contacts.create([Contact(name=f"Contact {place}") for place in range(60)])

    assert [each.outcome for each in written] == [Outcome.CREATED] * 50 + [Outcome.REJECTED] * 10
    assert "day limit" in written[-1].messages[0]
    assert len(product.books.contacts) == 50


def test_a_payment_is_removed(product: Product, xero: Xero) -> None:
    sale = product.invoice("Ana", "100.00")
    paid = product.books.add_payment(sale.id, account=BANK)

    removed = xero.payments.delete(paid.id)

    assert removed.status == "DELETED"
    assert product.standing(sale.id) == []
    with pytest.raises(Rejected):
        xero.payments.delete(paid.id)


def test_a_removal_whose_answer_is_lost_says_to_look(product: Product, xero: Xero) -> None:
    sale = product.invoice("Ana", "100.00")
    paid = product.books.add_payment(sale.id, account=BANK)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="POST", path="/Payments", times=3)

    with pytest.raises(OutcomeUnknown, match="read it back") as unknown:
        xero.payments.delete(paid.id)

    assert unknown.value.intent.startswith(product.books.tenant_id)


def test_the_trial_balance_is_that_of_the_books(product: Product, xero: Xero) -> None:
    sale = product.invoice("Ana", "100.00")
    product.books.add_payment(sale.id, account=BANK, amount=Decimal(30))
    bank = product.books.account(BANK).id

    rows = xero.reports.trial_balance()

    assert {row.account_id: row.balance for row in rows}[bank] == Decimal(30)  # type: ignore[index]
    assert sum(row.balance for row in rows) == 0
    assert xero.reports.trial_balance(on=DAY - timedelta(days=1)) == () or all(
        row.balance == 0 for row in xero.reports.trial_balance(on=DAY - timedelta(days=1))
    )


def test_tokens_without_a_refresh_token_end_with_their_access(product: Product) -> None:
    xero = Xero(
        App(product.app.client_id),
        product.books.tenant_id,
        store=MemoryStore(),
        transport=product.simulator.transport,
        clock=product.clock,
    )
    xero.connect(Tokens(product.tokens.access_token, None, product.tokens.expires_at))
    product.clock.advance(29 * 60)

    with pytest.raises(ReconnectNeeded, match="offline_access"):
        xero.organisation()


def test_the_plain_client_closes_its_way_to_xero() -> None:
    closed: list[bool] = []

    class Closing(Through):
        async def close(self) -> None:
            closed.append(True)

    product = found_product()
    with product.xero(transport=Closing(product.simulator.transport)):
        pass
    assert closed == [True]

    async def awaited() -> None:
        async with product.asynchronous(Closing(product.simulator.transport)):
            pass

    asyncio.run(awaited())
    assert closed == [True, True]
    product.simulator.close()
