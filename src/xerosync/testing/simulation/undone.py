"""A product that settled what it should not have, and posted a receipt that was another's: both are undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary, WeakSet

from xerosync.client.xero import AsyncXero
from xerosync.engine.plans import Plan, Recovery
from xerosync.engine.settling_policies import FeesAs, SettlementSettings, Surplus
from xerosync.engine.trail import TrailStep
from xerosync.ledger import AsyncLedger
from xerosync.mapping.lines import BillLine
from xerosync.mapping.settlement import Fee, Settlement, SettlementLine
from xerosync.mapping.spending import CardSpend
from xerosync.matching.keys import Customer
from xerosync.models import AccountCode
from xerosync.money import Money
from xerosync.payables import AsyncPayables
from xerosync.receivables import AsyncReceivables
from xerosync.simulator import Fault
from xerosync.testing.simulation.flow import nothing_left

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_DAY: Final = date(2026, 1, 5)
_BANK: Final = "090"
_CLEARING: Final = "091"
_OWED: Final = {"INV-1": "100.00", "INV-2": "60.00", "INV-3": "45.00"}
_SETTINGS: Final = SettlementSettings(
    bank_account=_BANK,
    fee_account="404",
    provider="Collections Ltd",
    surplus=Surplus.PARK,
    fees_as=FeesAs.BILL,
    batches=True,
)

_ids: Final[WeakKeyDictionary[World, dict[str, str]]] = WeakKeyDictionary()
"""The product's own rows in each world, by the number of their invoice: they outlive its processes and its store."""
_left: Final[WeakSet[World]] = WeakSet()
"""The worlds in which a person is told to undo the settlement by hand: an older store has forgotten its batch."""


_begun: Final[WeakSet[World]] = WeakSet()
"""Those in which a person is told that its fees or payout were removed: an older store has forgotten who began that."""


def owed_in_error(world: World) -> None:
    """Let the bookkeeper enter the invoices."""
    _ids[world] = {}
    ana = world.books.add_contact("Ana").id
    for number, amount in _OWED.items():
        world.books.add_invoice(ana, number=number, amount=Decimal(amount), date=_DAY)


async def settle_and_undo(xero: AsyncXero, world: World) -> bool:
    """Settle in a batch, with fees as a bill and a payout, spend by card; later undo the settlement, and the run."""
    sales = AsyncReceivables(xero, clearing_account=_CLEARING, settlements=_SETTINGS)
    purchases, ledger = AsyncPayables(xero), AsyncLedger(xero)
    done: list[Plan | Recovery] = [await sales.recover()]
    done.append(plan := await sales.match([Customer(id="7", custom_identifier="Ana")]))
    await sales.apply(plan)
    done.append(plan := await sales.import_invoices())
    await sales.apply(plan)
    ids = _ids[world]
    ids |= {each.invoice_number: each.id for each in await sales.transactions()}
    if set(ids) != set(_OWED):
        return False
    done.append(plan := await sales.settle(_settlement(ids), retry_refused=True))
    if world.was_restored and any(each.code == "removed in Xero" for each in plan.findings):
        _begun.add(world)
    await sales.apply(plan)
    line = BillLine(description="taxi", amount=Money("8.00", "NZD"), account=AccountCode("429"))
    spent = CardSpend(id="s1", vendor="Taxi", on=_DAY, account=_BANK, lines=[line])
    done.append(plan := await purchases.spend([spent], retry_refused=True))
    await purchases.apply(plan)
    if not world.has_come(0.5):
        return False
    done.append(plan := await sales.undo_settlement(_settlement(ids)))
    if world.was_restored and any(each.code == "cannot be undone" for each in plan.findings):
        _left.add(world)
    await sales.apply(plan)
    runs = [each.run for each in await ledger.why("s1") if each.step is TrailStep.DECIDED]
    for run in dict.fromkeys(runs):
        done.append(plan := await ledger.undo(run))
        await purchases.apply(plan)
    return nothing_left(*done)


def _settlement(ids: dict[str, str]) -> Settlement:
    paid = {"INV-1": "100.00", "INV-2": "60.00", "INV-3": "50.00"}
    lines = [
        SettlementLine(id=f"line {number}", transaction=ids[number], amount=Money(amount, "NZD"))
        for number, amount in paid.items()
    ]
    return Settlement(id="S1", on=_DAY, lines=lines, fees=[Fee(amount=Money("2.00", "NZD"))], paid_out_on=_DAY)


def nothing_stands(world: World) -> Iterator[str]:
    """Name whatever is left of the settlement and of the receipt."""
    books = world.books
    balances = {code: books.balance(books.account(code).id) for code in (_CLEARING, _BANK, "404", "429")}
    # Who was told that it cannot be undone may have been overtaken by another worker, who did.
    if world in _left and any(balances.values()):
        yield from _all_stands(world, balances)
        return
    if any(balances.values()):
        yield f"balances: {balances} where nothing is left"
    paid = [each.amount for each in books.payments if each.status == "AUTHORISED"]
    if paid:
        yield f"payments: {paid} stand"
    due = sorted(each.amount_due for each in books.invoices if each.is_posted)
    if due != sorted(map(Decimal, _OWED.values())):
        yield f"due: {due} is not what was owed before"
    # Payments of a batch that Xero refused go one by one later; a payout waits for all, and the undo may overtake both.
    if not (books.payments or world.faults[Fault.PARTIAL_BATCH.value]) or not (books.bank_transfers or world.faults):
        yield "nothing was ever settled"


def _all_stands(world: World, balances: Mapping[str, Decimal]) -> Iterator[str]:
    """What cannot be undone stands once, but for what a person is told of; the receipt was undone beside it."""
    books = world.books
    fees = sum((each.amount for each in books.payments if each.amount == 2 and each.status == "AUTHORISED"), Decimal(0))
    stands = {_CLEARING: Decimal(0), _BANK: Decimal(208), "404": Decimal(2), "429": Decimal(0)}
    is_told = world in _begun and balances["429"] == 0 and {balances[_BANK], balances["404"], fees} <= {0, 2, 208}
    if balances != stands and not (is_told and balances[_CLEARING] + balances[_BANK] + fees == 210):
        yield f"balances: {balances} where the settlement stands once"
