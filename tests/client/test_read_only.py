"""A client that is read_only reads and plans; whatever would write is refused before anything is sent or recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from attrs import define, field
from tests.conftest import CLEARING, Product, Through, is_write
from tests.engine.scenarios import SCENARIOS, Scenario, collected
from tests.running.conftest import worker_of

from xerosync import App, AsyncReceivables, AsyncXero, Customer, Ended, Ledger, Receivables, Xero
from xerosync.errors import OutcomeUnknown, ReadOnly, XerosyncError
from xerosync.models import Contact, InvoiceId
from xerosync.ports import Request
from xerosync.simulator import Fault

EACH_KIND = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.kind)


@define
class Guarded:
    """A read-only client on the store of *product*, and what it *sent* to Xero."""

    product: Product
    sent: list[Request] = field(factory=list[Request])

    def client(self) -> Xero:
        return Xero(**self._given())  # type: ignore[arg-type]  # one set of arguments for both clients

    def awaited(self) -> AsyncXero:
        return AsyncXero(**self._given())  # type: ignore[arg-type]  # as above

    def _given(self) -> dict[str, object]:
        return {
            "app": App(self.product.app.client_id, self.product.app.client_secret),
            "organisation": self.product.books.tenant_id,
            "store": self.product.store,
            "transport": Through(self.product.simulator.transport, before=self.sent.append),
            "clock": self.product.clock,
            "quarantine_s": 0.0,
            "read_only": True,
        }

    @property
    def written(self) -> list[Request]:
        return [each for each in self.sent if is_write(each) or each.method == "DELETE"]


@EACH_KIND
def test_each_kind_of_write_is_planned_and_refused(product: Product, scenario: Scenario) -> None:
    product.xero()
    scenario.arrange(product)
    before = scenario.held(product)
    guarded = Guarded(product)
    xero = guarded.client()

    plan = scenario.plan(product, xero)
    asked = len(guarded.sent)
    for again in range(2):
        with pytest.raises(ReadOnly, match="read_only"):
            Receivables(xero).apply(plan)
        assert len(guarded.sent) == asked, again

    assert plan
    assert guarded.written == []
    assert scenario.held(product) == before
    assert Ledger(xero).parked() == ()
    scenario.plan(product, product.xero())
    Receivables(product.xero()).apply(plan)
    assert scenario.held(product) == scenario.expected


def test_a_write_left_in_doubt_is_left_to_a_client_that_may_write(product: Product) -> None:
    owed = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    sales.apply(sales.settle(collected(owed.id)))
    guarded = Guarded(product)
    ledger = Ledger(guarded.client())

    for refused in (ledger.recover, ledger.release, lambda: ledger.audit(adopt=True)):
        with pytest.raises(ReadOnly):
            refused()

    assert guarded.written == []
    assert Ledger(product.xero()).recover().found == 1
    assert len(product.live_payments()) == 1


CALLS: list[Callable[[Xero, str], object]] = [
    lambda xero, _: xero.contacts.create([Contact(name="Bo Lund")]),
    lambda xero, _: xero.contacts.create_one(Contact(name="Bo Lund")),
    lambda xero, owed: xero.invoices.void(InvoiceId(owed)),
    lambda xero, owed: xero.invoices.attach(InvoiceId(owed), "receipt.pdf", b"%PDF-1.4"),
    lambda xero, owed: xero.invoices.add_note(InvoiceId(owed), "a note"),
    lambda xero, _: list(Receivables(xero).import_in_pages()),
    lambda xero, _: xero.disconnect(),
    lambda xero, _: xero.revoke(),
]


@pytest.mark.parametrize("call", CALLS)
def test_no_call_of_the_client_itself_writes(product: Product, call: Callable[[Xero, str], object]) -> None:
    owed = product.invoice("Ana Costa", "100.00")
    product.xero()
    guarded = Guarded(product)
    xero = guarded.client()

    with pytest.raises(ReadOnly):
        call(xero, owed.id)

    assert guarded.sent == []
    assert [each.invoice_number for each in xero.invoices.list()] == [owed.number]


def test_the_awaited_client_is_guarded_too(product: Product) -> None:
    owed = product.collectable("100.00")
    guarded = Guarded(product)

    async def tried() -> None:
        async with guarded.awaited() as xero:
            sales = AsyncReceivables(xero, clearing_account=CLEARING)
            plan = await sales.settle(collected(owed.id))
            with pytest.raises(ReadOnly):
                await sales.apply(plan)
            with pytest.raises(ReadOnly):
                await xero.contacts.create_one(Contact(name="Bo Lund"))

    asyncio.run(tried())

    assert guarded.written == []
    assert product.live_payments() == []


def test_a_worker_whose_work_holds_a_guarded_client_ends_broken_and_writes_nothing(product: Product) -> None:
    product.invoice("Ana Costa", "100.00")
    guarded = Guarded(product)

    def work(_: Xero) -> None:
        sales = Receivables(guarded.client())
        sales.apply(sales.match([Customer(id="c1", custom_identifier="Ana Costa")]))

    ran = worker_of(product, work).run(product.books.tenant_id)

    assert isinstance(ran.error, ReadOnly)
    assert ran.ended is not Ended.DONE
    assert guarded.written == []


def test_an_expired_token_is_still_refreshed(product: Product) -> None:
    """Reading needs it; it writes nothing to anybody's books."""
    product.xero()
    product.clock.advance(3_600)
    guarded = Guarded(product)

    assert guarded.client().organisation().name

    assert any("/token" in each.url for each in guarded.sent)


def test_the_refusal_is_one_of_the_library_s_errors_and_no_doubt() -> None:
    assert issubclass(ReadOnly, XerosyncError)
    assert not issubclass(ReadOnly, OutcomeUnknown)
