"""A product whose books people meddle with: what they remove is put back, what they enter is removed, by the report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary, WeakSet

from xerosync.client.xero import AsyncXero
from xerosync.engine.discrepancies import Fix
from xerosync.engine.plans import Plan, Recovery
from xerosync.engine.settling_policies import SettlementSettings
from xerosync.mapping.settlement import Fee, Settlement, SettlementLine
from xerosync.matching.keys import Customer
from xerosync.money import Money
from xerosync.receivables import AsyncReceivables
from xerosync.testing.simulation.flow import nothing_left

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_DAY: Final = date(2026, 1, 5)
_CLEARING: Final = "091"
_SETTINGS: Final = SettlementSettings(fee_account="404", provider="Collections Ltd")
_OWED: Final = {"INV-1": "100.00", "INV-2": "50.00"}
_FIXES: Final = {
    "removed in Xero": Fix.RESTORE,
    "not posted yet": Fix.POST,
    "bank transaction not posted here": Fix.REMOVE,
}

_ids: Final[WeakKeyDictionary[World, dict[str, str]]] = WeakKeyDictionary()
"""The product's own rows in each world, by the number of their invoice: they outlive its processes and its store."""
_meddled: Final[WeakSet[World]] = WeakSet()
"""The worlds in which people have done their work; it is done once, whatever dies."""
_left: Final[WeakKeyDictionary[World, set[str]]] = WeakKeyDictionary()
"""
What a person is told to put back in each world: of what was removed, an older store may know too little to do it.

A payment that was under way when that store was copied is found removed: it is never sent again.
"""


def billed(world: World) -> None:
    """Let the bookkeeper enter the invoices."""
    _ids[world] = {}
    ana = world.books.add_contact("Ana").id
    for number, amount in _OWED.items():
        world.books.add_invoice(ana, number=number, amount=Decimal(amount), date=_DAY)


async def mend(xero: AsyncXero, world: World) -> bool:
    """Settle, let people meddle, and put everything right by the plan of the report."""
    sales = AsyncReceivables(xero, clearing_account=_CLEARING, settlements=_SETTINGS)
    done: list[Plan | Recovery] = [await sales.recover()]
    ids = _ids[world]
    known = {each.invoice_number: each.id for each in await sales.transactions()}
    ids |= known
    if len(known) < len(_OWED):
        # An older store has forgotten them; what is paid already is not imported again.
        await sales.apply(await sales.match([Customer(id="7", custom_identifier="Ana")]))
        await sales.apply(await sales.import_invoices())
        if len(ids) < len(_OWED):
            return False
    settlement = _settlement(ids)
    if world in _meddled:
        done.append(plan := (await sales.reconcile([settlement])).plan(_FIXES))
        if world.was_restored:
            _left[world] = {each.about for each in plan.findings if each.code == "removed in Xero"}
        await sales.apply(plan)
        return nothing_left(*done)
    done.append(plan := await sales.settle(settlement, retry_refused=True))
    await sales.apply(plan)
    if nothing_left(*done) and world.has_come(0.3):
        _meddle(world)
    return False


def _settlement(ids: dict[str, str]) -> Settlement:
    lines = [
        SettlementLine(id=number, transaction=ids[number], amount=Money(amount, "NZD"))
        for number, amount in _OWED.items()
    ]
    return Settlement(id="S1", on=_DAY, lines=lines, fees=[Fee(amount=Money("1.00", "NZD"))])


def _meddle(world: World) -> None:
    """People remove a payment and the fees, and enter money that nobody knows of."""
    _meddled.add(world)
    books = world.books
    for payment in books.payments:
        if payment.amount == Decimal(100) and payment.status == "AUTHORISED":
            books.remove_payment(payment.id)
    for each in books.bank_transactions:
        if each.type == "SPEND" and each.status == "AUTHORISED":
            books.remove_bank_transaction(each.id)
    (ana,) = [each.id for each in books.contacts if each.name == "Ana"]
    books.add_bank_transaction(ana, type="RECEIVE", bank=_CLEARING, amount=Decimal(7), date=_DAY)


def each_thing_put_right(world: World) -> Iterator[str]:
    """Name whatever does not stand exactly once, or stands although it should not."""
    books, left = world.books, _left.get(world, set[str]())
    paid = sorted(each.amount for each in books.payments if each.status == "AUTHORISED")
    # What was told to be left may have been put back before the store was set back.
    without = "INV-1" in left and paid == [Decimal(50)]
    if paid != [Decimal(50), Decimal(100)] and not without:
        yield f"payments: {paid}"
    moved = [(each.type, each.total) for each in books.bank_transactions if each.status == "AUTHORISED"]
    free = "S1" in left and not moved
    if moved != [("SPEND", Decimal(1))] and not free:
        yield f"bank transactions: {moved}"
    expected = Decimal(50 if without else 150) - (0 if free else 1)
    if (balance := books.balance(books.account(_CLEARING).id)) != expected:
        yield f"clearing: {balance}"
