"""A product whose bills and receipts people meddle with: all is put back as it was written, by the report of drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary, WeakSet

from xerosync.client.xero import AsyncXero
from xerosync.engine.paying import BillPayment
from xerosync.engine.plans import Plan, Recovery
from xerosync.ledger import AsyncLedger
from xerosync.mapping.lines import BillLine
from xerosync.mapping.papers import Bill
from xerosync.mapping.spending import CardSpend
from xerosync.models import AccountCode
from xerosync.money import Money
from xerosync.payables import AsyncPayables
from xerosync.testing.simulation.flow import nothing_left

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_DAY: Final = date(2026, 1, 5)
_DUE: Final = date(2026, 1, 20)
_BANK: Final = "090"
_PAID: Final = Decimal(10)
_GONE: Final = Decimal(8)
_EDITED: Final = Decimal(9)

_meddled: Final[WeakSet[World]] = WeakSet()
"""The worlds in which people have done their work; it is done once, whatever dies."""
_left: Final[WeakKeyDictionary[World, set[str]]] = WeakKeyDictionary()
"""What a person is told to put back in each world: of what was changed, an older store may know too little to do it."""


def no_papers(world: World) -> None:
    """Nothing is in the books."""
    _left[world] = set()


async def put_back(xero: AsyncXero, world: World) -> bool:
    """Post a bill with its payment, and receipts; let people meddle, and put everything back by the plan of drift."""
    purchases, ledger = AsyncPayables(xero, payment_account=_BANK), AsyncLedger(xero)
    bill, receipts = _bill(), [_receipt("gone", _GONE), _receipt("edited", _EDITED)]
    payment = BillPayment(id="p", bill_id="b", on=_DAY, amount=Money(_PAID, "NZD"))
    done: list[Plan | Recovery] = [await purchases.recover()]
    done.append(plan := await purchases.submit([bill], retry_refused=True))
    await purchases.apply(plan)
    done.append(plan := await purchases.spend(receipts, retry_refused=True))
    await purchases.apply(plan)
    # An older store takes what people made of it for what was written: only its source knows better.
    done.append(plan := await purchases.update([bill, *receipts], retry_refused=True))
    await purchases.apply(plan)
    if not nothing_left(*done):
        return False  # once money stands on the bill, its amount stays as it is
    done.append(plan := await purchases.pay([payment], retry_refused=True))
    await purchases.apply(plan)
    if world in _meddled:
        done.append(plan := (await ledger.drift()).restore(retry_refused=True))
        if world.was_restored:
            _left[world] |= {each.about for each in plan.findings if each.code == "cannot be put back"}
        await purchases.apply(plan)
        return nothing_left(*done)
    if nothing_left(*done) and world.has_come(0.3):
        _meddle(world)
    return False


def _line(what: str, amount: Decimal) -> BillLine:
    return BillLine(description=what, amount=Money(amount, "NZD"), account=AccountCode("429"))


def _bill() -> Bill:
    lines = [_line("Paper", Decimal(20)), _line("Ink", Decimal(10))]
    return Bill(id="b", vendor="Paper Ltd", number="b", on=_DAY, due=_DUE, lines=lines)


def _receipt(name: str, amount: Decimal) -> CardSpend:
    return CardSpend(id=name, vendor="Taxi", on=_DAY, account=_BANK, lines=[_line("taxi", amount)])


def _meddle(world: World) -> None:
    """People remove the payment and a receipt, and give the bill another day and the other receipt other lines."""
    _meddled.add(world)
    books = world.books
    for payment in books.payments:
        if payment.status == "AUTHORISED":
            books.remove_payment(payment.id)
    for each in books.bank_transactions:
        if each.total == _GONE and each.status == "AUTHORISED":
            books.remove_bank_transaction(each.id)
        if each.total == _EDITED and each.status == "AUTHORISED":
            books.edit_bank_transaction(each.id, amount=Decimal(5), account="404")
    for bill in books.invoices:
        if bill.is_posted:
            books.edit_invoice(bill.id, due=_DAY, amount=Decimal(33))


def each_as_it_was_written(world: World) -> Iterator[str]:
    """Name whatever does not stand exactly once, and as it was written."""
    books, left = world.books, _left[world]
    bills = [(each.total, each.due_date, len(each.lines)) for each in books.invoices if each.is_posted]
    if bills != [(Decimal(30), _DUE, 2)] and not ("b" in left and bills == [(Decimal(33), _DAY, 1)]):
        yield f"bills: {bills}"
    paid = [each.amount for each in books.payments if each.status == "AUTHORISED"]
    if paid != [_PAID] and not ("bill payment/p" in left and not paid):
        yield f"payments: {paid}"
    spent = [each.total for each in books.bank_transactions if each.status == "AUTHORISED"]
    told = [amount for name, amount in (("card/gone", _GONE), ("card/edited", _EDITED)) if name in left]
    lacking = Counter([_GONE, _EDITED]) - Counter(spent)
    if Counter(spent) - Counter([_GONE, _EDITED]) or lacking - Counter(told):
        yield f"receipts: {spent}"
