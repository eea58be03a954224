"""A product that imports and follows: one invoice is edited, one is voided, one paid elsewhere while it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from attrs import evolve

from xerosync.client.xero import AsyncXero
from xerosync.engine.actions import CancelTransaction, ChangeTransaction
from xerosync.engine.plans import Plan, Recovery, Report
from xerosync.engine.policies import ImportPolicy
from xerosync.mapping.transactions import Transaction, TransactionState, TransactionStatus
from xerosync.matching.keys import Customer
from xerosync.money import Money
from xerosync.receivables import AsyncReceivables
from xerosync.testing.simulation.flow import nothing_left

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_DAY: Final = date(2026, 1, 5)
_DUE: Final = date(2026, 1, 12)
_MOVED: Final = date(2026, 1, 20)
_OWED: Final = {"EDITED": "100.00", "VOIDED": "60.00", "SENT": "45.00"}

Table = dict[str, TransactionState]
_tables: Final[WeakKeyDictionary[World, Table]] = WeakKeyDictionary()
"""The product's own rows in each world: they outlive its processes, as the store does."""


def owed(world: World) -> None:
    """Let the bookkeeper enter three invoices."""
    _tables[world] = {}
    ana = world.books.add_contact("Ana").id
    for number, amount in _OWED.items():
        world.books.add_invoice(ana, number=number, amount=Decimal(amount), date=_DAY, due=_DUE)


async def import_and_follow(xero: AsyncXero, world: World) -> bool:
    """Import what is due, keep rows of it, and do in them what the library tells."""
    sales, table = AsyncReceivables(xero), _tables[world]
    done: list[Plan | Recovery] = [await sales.recover()]
    done.append(plan := await sales.match([Customer(id="7", custom_identifier="Ana")]))
    await sales.apply(plan)
    done.append(plan := await sales.set_import_policies({"7": ImportPolicy.AUTOMATIC}))
    await sales.apply(plan)
    await sales.preview_imports()
    automatic = bool(await sales.import_policies())
    if not table:
        async for _ in sales.import_in_pages(automatic=automatic, per_page=2):
            pass
    done.append(plan := await sales.import_invoices(automatic=automatic))
    await sales.apply(plan)
    for each in await sales.transactions():
        if each.is_live:
            table.setdefault(each.id, _row(each))
    _meanwhile(world, table)
    done.append(plan := await sales.follow(table.values()))
    _obey(await sales.apply(plan), table)
    return nothing_left(*done)


def _row(made: Transaction) -> TransactionState:
    return TransactionState(id=made.id, status=TransactionStatus.FUTURE, amount=made.amount, on=made.on)


def _meanwhile(world: World, table: Table) -> None:
    """What people do in Xero and at the bank by now."""
    by_number = {each.number: each for each in world.books.invoices}
    edited, voided, sent = (by_number[number] for number in _OWED)
    if world.has_come(0.3) and edited.total == Decimal(100):
        world.books.edit_invoice(edited.id, amount=Decimal(120), due=_MOVED)
    if world.has_come(0.5) and sent.id in table:
        table[sent.id] = evolve(table[sent.id], status=TransactionStatus.SENT)
        if sent.amount_due == sent.total:
            world.books.add_payment(sent.id, account="090", amount=Decimal(20))
    if world.has_come(0.6) and voided.status == "AUTHORISED":
        world.books.void_invoice(voided.id)


def _obey(report: Report, table: Table) -> None:
    for result in report.results:
        row = table[result.action.host_ref]
        if row.status is not TransactionStatus.FUTURE or result.state is None:
            continue
        match result.action:
            case ChangeTransaction(transaction=told):
                table[told.id] = evolve(row, amount=told.amount, on=told.on)
            case CancelTransaction():
                table[row.id] = evolve(row, status=TransactionStatus.DELETED)
            case _:
                pass


def each_row_is_what_is_due(world: World) -> Iterator[str]:
    """Name each row that is not what Xero says is due of it."""
    ids = {each.id: each.number for each in world.books.invoices}
    rows = {ids.get(row.id, row.id): (row.status.value, row.amount, row.on) for row in _tables[world].values()}
    expected = {
        "EDITED": ("future", Money("120.00", "NZD"), _MOVED),
        "SENT": ("sent to bank", Money("45.00", "NZD"), _DUE),
    }
    voided = rows.pop("VOIDED", None)
    if rows != expected:
        yield f"rows: {rows} are not what is due"
    if voided is not None and voided[0] != "deleted":
        yield "the row of a voided invoice stands"
