"""A product that tells in Xero's histories what it did: payments, a charge-back, a bill and its withdrawal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from xerosync.client.xero import AsyncXero
from xerosync.engine.paper_settings import BillSettings
from xerosync.engine.plans import Plan, Recovery
from xerosync.engine.settling_policies import HistoryNotes, SettlementSettings
from xerosync.mapping.lines import BillLine
from xerosync.mapping.papers import Bill
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine
from xerosync.matching.keys import Customer
from xerosync.models import AccountCode
from xerosync.money import Money
from xerosync.payables import AsyncPayables
from xerosync.receivables import AsyncReceivables
from xerosync.testing.simulation.flow import nothing_left

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_DAY: Final = date(2026, 1, 5)
_CLEARING: Final = "091"
_NOTES: Final = HistoryNotes(by="Acme Pay")
_OURS: Final = re.compile(r"XS-[A-Z2-7]{13}")


def sold_twice(world: World) -> None:
    """Let the bookkeeper enter two invoices."""
    ana = world.books.add_contact("Ana").id
    for number in ("INV-1", "INV-2"):
        world.books.add_invoice(ana, number=number, amount=Decimal(100), date=_DAY)


async def write_with_notes(xero: AsyncXero, world: World) -> bool:
    """Settle, charge back, submit a bill and withdraw it, with notes of all."""
    sales = AsyncReceivables(xero, clearing_account=_CLEARING, settlements=SettlementSettings(notes=_NOTES))
    books = AsyncPayables(xero, bills=BillSettings(notes=_NOTES))
    done: list[Plan | Recovery] = [await sales.recover()]
    done.append(plan := await sales.match([Customer(id="7", custom_identifier="Ana")]))
    await sales.apply(plan)
    done.append(plan := await sales.import_invoices())
    await sales.apply(plan)
    transactions = {each.invoice_number: each.id for each in await sales.transactions()}
    done.append(plan := await sales.settle(_settled(transactions, world), retry_refused=True))
    await sales.apply(plan)
    line = BillLine(description="paper", amount=Money("30.00", "NZD"), account=AccountCode("429"))
    bill = Bill(id="b1", vendor="Paper Ltd", number="b1", on=_DAY, lines=[line])
    done.append(plan := await books.submit([bill], retry_refused=True))
    await books.apply(plan)
    if world.has_come(0.5):
        done.append(plan := await books.void(["b1"], retry_refused=True))
        await books.apply(plan)
    return nothing_left(*done)


def _settled(transactions: dict[str, str], world: World) -> list[Settlement]:
    lines = [
        SettlementLine(id=f"{number}/{part}", transaction=transaction, amount=Money("20.00", "NZD"))
        for number, transaction in transactions.items()
        for part in range(2)
    ]
    settlements = [Settlement(id="S1", on=_DAY, lines=lines)]
    if world.has_come(0.4):
        second, taken = transactions["INV-2"], Money("40.00", "NZD")
        back = SettlementLine(id="back", transaction=second, amount=taken, kind=LineKind.CHARGED_BACK)
        settlements.append(Settlement(id="S2", on=_DAY, lines=[back]))
    return settlements


def each_note_once(world: World) -> Iterator[str]:
    """Name each document whose history does not tell exactly what was done."""
    # What was withdrawn carries no mark: a store that was put back cannot know that it was we who did it.
    expected = {"INV-1": {2}, "INV-2": {4}, "b1": {2}}
    if world.was_restored:
        expected |= {"INV-2": {2, 3, 4}, "b1": {1, 2}}
    for document in world.books.invoices:
        told = [each.details for each in world.books.history_of(document.id) if _OURS.search(each.details)]
        if len(told) not in expected[document.number]:
            yield f"{document.number} tells {len(told)} of {expected[document.number]} things: {told}"
