"""What one worker takes back while another one looks at the books, or has looked, is never put back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import define, evolve, field
from tests.conftest import BANK, CLEARING, DAY, Product, Through, is_write, nzd

from xerosync import (
    BillLine,
    CardSpend,
    Fee,
    Fix,
    Ledger,
    LineKind,
    MemoryStore,
    Payables,
    Plan,
    Receivables,
    Reconciliation,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Xero,
)
from xerosync.models import AccountCode
from xerosync.ports import Request
from xerosync.simulator import Document
from xerosync.storage import Record

CHOSEN = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")


class Death(BaseException):
    """The worker is gone in the middle of what it does."""


@define
class Shared:
    """A settlement that was posted and paid out, and the charge-back of its line, before several workers."""

    product: Product
    invoice: Document
    settlement: Settlement = field(init=False)
    back: Settlement = field(init=False)
    before: Reconciliation = field(init=False)

    def __attrs_post_init__(self) -> None:
        line = SettlementLine(id="L", transaction=self.invoice.id, amount=nzd("100.00"))
        returned = SettlementLine(id="B", transaction=self.invoice.id, amount=nzd("100.00"), kind=LineKind.CHARGED_BACK)
        self.settlement = Settlement(id="S", on=DAY, lines=[line], fees=[Fee(amount=nzd("1.00"))], paid_out_on=DAY)
        self.back = Settlement(id="SB", on=DAY + timedelta(days=1), lines=[returned])
        sales = self.worker()
        sales.apply(sales.settle(self.settlement))
        self.before = sales.reconcile([self.settlement], brief=True)

    @property
    def given(self) -> list[Settlement]:
        return [self.settlement, self.back]

    def worker(self, xero: Xero | None = None) -> Receivables:
        return Receivables(xero or self.product.xero(), clearing_account=CLEARING, settlements=CHOSEN)

    def charge_back(self, xero: Xero | None = None) -> None:
        sales = self.worker(xero)
        sales.apply(sales.settle(self.given))

    def undo(self, xero: Xero | None = None) -> None:
        sales = self.worker(xero)
        sales.apply(sales.undo_settlement(self.settlement))


@pytest.fixture
def shared(product: Product) -> Shared:
    return Shared(product, product.collectable("100.00"))


def once(action: Callable[[], object], *, when: Callable[[Request], bool]) -> Callable[[Request], None]:
    """Do *action* at the first call of which *when* is so."""
    done: list[bool] = []

    def at_first(request: Request) -> None:
        if not done and when(request):
            done.append(True)
            action()

    return at_first


@define(eq=False)
class Midst:
    """Lets *action* happen after the call of this *place*, counted from when a look began."""

    action: Callable[[], object]
    place: int
    calls: int | None = None

    def __call__(self, _: Request) -> None:
        if self.calls is not None:
            self.calls += 1
            if self.calls == self.place + 1:
                self.action()

    def client(self, product: Product) -> Xero:
        """A client whose look begins now."""
        xero = product.xero(transport=Through(product.simulator.transport, after=self))
        self.calls = 0
        return xero

    def end(self) -> bool:
        """The look is over: whether it came to that call."""
        has_happened = self.calls is not None and self.calls > self.place
        self.calls = None
        return has_happened


def die() -> None:
    raise Death


PUT_BACK: dict[str, Callable[[Shared, Xero], Plan]] = {
    "drift": lambda _, xero: Ledger(xero).drift().restore(),
    "report": lambda shared, xero: shared.worker(xero).reconcile(shared.given).plan(Fix.RESTORE),
    "report without settlements": lambda shared, xero: shared.worker(xero).reconcile().plan(Fix.RESTORE),
    "brief report": lambda shared, xero: shared.worker(xero).reconcile(shared.given, brief=True).plan(Fix.RESTORE),
    "rolled report": lambda shared, xero: (
        shared.worker(xero).reconcile([shared.back], brief=True, since=shared.before).plan(Fix.RESTORE)
    ),
}
TAKEN_BACK: dict[str, Callable[[Shared, Xero | None], None]] = {
    "charged back": Shared.charge_back,
    "undone": Shared.undo,
}
put_back = pytest.mark.parametrize("plan", PUT_BACK.values(), ids=PUT_BACK)
taken_back = pytest.mark.parametrize("take_back", TAKEN_BACK.values(), ids=TAKEN_BACK)


@put_back
@taken_back
def test_what_a_worker_died_over_taking_back_is_not_put_back(
    shared: Shared, plan: Callable[[Shared, Xero], Plan], take_back: Callable[[Shared, Xero | None], None]
) -> None:
    """Xero has removed the payment, and the answer was lost: nobody else removed it."""
    inner = shared.product.simulator.transport
    mortal = Through(inner, after=once(die, when=lambda request: is_write(request, "/Payments/")))
    with pytest.raises(Death):
        take_back(shared, shared.product.xero(transport=mortal))
    xero = shared.product.xero()

    again = plan(shared, xero)
    shared.worker(xero).apply(again)
    shared.worker(xero).recover()

    assert [each for each in again if each.kind == "payment"] == []
    assert shared.product.standing(shared.invoice.id) == []


@pytest.mark.parametrize("place", range(8))
@put_back
def test_what_is_charged_back_while_another_worker_looks_is_not_put_back(
    shared: Shared, plan: Callable[[Shared, Xero], Plan], place: int
) -> None:
    """Whatever call it comes after, and though the mirror that both share knows by then that the payment is gone."""

    def meanwhile() -> None:
        shared.charge_back()
        shared.worker().settle(shared.given)

    midst = Midst(meanwhile, place)
    xero = midst.client(shared.product)

    again = plan(shared, xero)
    has_happened = midst.end()
    shared.worker(xero).apply(again)

    assert again.actions == ()
    assert shared.product.standing(shared.invoice.id) == ([] if has_happened else [(Decimal(100), DAY)])


def test_what_was_charged_back_since_a_plan_to_put_it_back_was_made_is_not_put_back(shared: Shared) -> None:
    (payment,) = shared.product.live_payments()
    shared.product.books.remove_payment(payment.id)
    sales = shared.worker()
    plan = sales.reconcile([shared.settlement]).plan(Fix.RESTORE)
    assert [each.kind for each in plan] == ["payment"]
    shared.charge_back()

    report = sales.apply(plan)

    assert [each.code for each in report.findings] == ["changed since planned"]
    assert shared.product.standing(shared.invoice.id) == []


def receipt(name: str, amount: str) -> CardSpend:
    line = BillLine(description="Taxi", amount=nzd(amount), account=AccountCode("404"))
    return CardSpend(id=name, vendor="Taxi Ltd", on=DAY, account=BANK, lines=[line])


def spent(product: Product) -> list[tuple[Decimal, str | None]]:
    return sorted((each.total, each.status) for each in product.books.bank_transactions)


@pytest.mark.parametrize("reads_it", [False, True])
@pytest.mark.parametrize("place", range(5))
def test_what_the_host_edits_while_another_worker_looks_is_not_edited_back(
    product: Product, place: int, *, reads_it: bool
) -> None:
    purchases = Payables(product.xero())
    purchases.apply(purchases.spend([receipt("c", "10.00")]))

    def meanwhile() -> None:
        other = Payables(product.xero())
        other.apply(other.update([receipt("c", "20.00")]))
        if reads_it:
            other.update([receipt("c", "20.00")])

    midst = Midst(meanwhile, place)
    xero = midst.client(product)

    again = Ledger(xero).drift().restore()
    has_happened = midst.end()
    Payables(xero).apply(again)

    assert spent(product) == [(Decimal(20 if has_happened else 10), "AUTHORISED")]


def test_an_edit_that_a_worker_died_over_is_not_edited_back(product: Product) -> None:
    purchases = Payables(product.xero())
    purchases.apply(purchases.spend([receipt("c", "10.00")]))
    dies = once(die, when=lambda request: is_write(request, "/BankTransactions"))
    mortal = Payables(product.xero(transport=Through(product.simulator.transport, after=dies)))
    with pytest.raises(Death):
        mortal.apply(mortal.update([receipt("c", "20.00")]))
    xero = product.xero()

    again = Ledger(xero).drift().restore()
    Payables(xero).apply(again)
    Payables(xero).recover()

    assert spent(product) == [(Decimal(20), "AUTHORISED")]


@pytest.mark.parametrize("place", range(6))
def test_a_receipt_that_is_posted_while_it_is_updated_is_not_told_as_removed(product: Product, place: int) -> None:
    purchases = Payables(product.xero())
    purchases.apply(purchases.spend([receipt("c", "10.00")]))
    midst = Midst(lambda: purchases.apply(purchases.spend([receipt("d", "5.00")])), place)
    xero = midst.client(product)

    plan = Payables(xero).update([receipt("c", "20.00"), receipt("d", "6.00")])

    assert "removed in Xero" not in {each.code for each in plan.findings}
    assert "c" in {each.host_ref for each in plan if each.kind == "bank_transaction_edit"}


def test_what_is_posted_while_a_brief_report_ticks_off_is_in_the_next_one(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on the account, though it was not among what was posted when the report began."""
    store = MemoryStore()
    shared = evolve(product, store=store)
    query: Callable[..., list[Record]] = store.query
    meanwhile: list[Callable[[], object]] = []

    def asked(kind: str, tenant: str, **wanted: object) -> list[Record]:
        """Something happens, once, before the payments on an account are looked up."""
        if (kind, wanted.get("lookup") is None) == ("mirror.payment", False) and meanwhile:
            meanwhile.pop()()
        return query(kind, tenant, **wanted)

    monkeypatch.setattr(store, "query", asked)
    first, second = shared.collectable("100.00"), shared.collectable("60.00", "Bo Lee")
    settlements = [
        Settlement(id=name, on=DAY, lines=[SettlementLine(id=name, transaction=each.id, amount=nzd(each.total))])
        for name, each in (("S1", first), ("S2", second))
    ]
    sales, other = (Receivables(shared.xero(), clearing_account=CLEARING) for _ in range(2))
    sales.apply(sales.settle(settlements[0]))

    def settle_the_other() -> None:
        other.apply(other.settle(settlements[1]))
        other.settle(settlements[1])  # so that the mirror has its payment

    meanwhile.append(settle_the_other)
    during = sales.reconcile(settlements, brief=True)
    after = sales.reconcile([], brief=True, since=during)

    assert meanwhile == []
    assert during.balance == after.balance == nzd("160.00")
    assert (after.in_flight, after.payments, after.discrepancies) == (nzd("160.00"), 2, ())
