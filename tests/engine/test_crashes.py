"""A process killed at any moment, then the same again: the books hold everything exactly once."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import combinations

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, nzd

from xerosync import (
    AsyncLedger,
    AsyncPayables,
    AsyncReceivables,
    AsyncXero,
    BillLine,
    CardSpend,
    Customer,
    Payables,
    Plan,
    Receivables,
    Recovery,
    Settlement,
    SettlementLine,
)
from xerosync.models import AccountCode, BankTransaction, BankTransactionId, LineItem
from xerosync.testing.simulation import FLOWS, QUIET, Flow, Run, World, nothing_left, play

CHUNKS = 4
EACH_CHUNK = pytest.mark.parametrize("chunk", range(CHUNKS))
EACH_FLOW = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
Count = Callable[[str, object], None]

# All of them take an hour. Strides are odd, so that moments before and after a call are met alike.
EVERYTHING = bool(os.environ.get("XEROSYNC_ALL_CRASH_POINTS"))
PAIRS_STRIDE = 1 if EVERYTHING else 49
ENOUGH = 120
FEW = 24
# The poisoned flow looks again for a day, and does the same each time: moments far apart stand for the others.
MONOTONOUS = {"poison": 150 if EVERYTHING else 601}


def moments(flow: Flow) -> Sequence[int]:
    """Every moment at which a lone process of *flow* may die: before and after each call of a port."""
    return play(0, flow, QUIET).distinct


def died(flow: Flow, *deaths: int) -> Run:
    """What comes of *flow* when its processes die at these moments of the very schedule that they were counted in."""
    run = play(0, flow, QUIET, deaths=frozenset(deaths))
    assert run.faults["crash"] >= 1, f"moment {deaths} never came"
    return run


@EACH_FLOW
@EACH_CHUNK
def test_a_crash_at_any_single_moment_loses_and_doubles_nothing(flow: Flow, chunk: int, record_property: Count) -> None:
    every = moments(flow)
    assert len(every) > 100

    stride = MONOTONOUS.get(flow.name, 1 if EVERYTHING else len(every) // ENOUGH | 1)
    chosen = every[chunk * stride :: CHUNKS * stride]
    wrong = [str(run) for run in (died(flow, moment) for moment in chosen) if not run]

    assert wrong == []
    record_property("crash points", len(chosen))


@EACH_FLOW
def test_crashes_in_several_processes_one_after_the_other_lose_and_double_nothing(flow: Flow) -> None:
    """Recovery itself dies too, again and again."""
    chance = random.Random(20260105)
    for _ in range(15 if EVERYTHING else 4):
        deaths = [chance.randint(1, 400) for _ in range(3)]
        assert play(0, flow, QUIET, deaths=frozenset(deaths)).wrong == (), deaths


def _imported(world: World) -> None:
    """One invoice, imported: all that a payment needs."""
    ana = world.books.add_contact("Ana").id
    world.books.add_invoice(ana, number="INV-1", amount=Decimal(100), date=DAY)
    sales = Receivables(world.quiet_client())
    sales.apply(sales.match([Customer(id="7", custom_identifier="Ana")]))
    sales.apply(sales.import_invoices())


async def _pay(xero: AsyncXero, world: World) -> bool:
    del world
    sales = AsyncReceivables(xero, clearing_account=CLEARING)
    recovery = await sales.recover()
    (transaction,) = await sales.transactions()
    line = SettlementLine(id="L1", transaction=transaction.id, amount=nzd("40.00"))
    plan = await sales.settle(Settlement(id="S1", on=DAY, lines=[line]))
    await sales.apply(plan)
    return nothing_left(recovery, plan)


def _paid_once(world: World) -> Iterator[str]:
    paid = [each.amount for each in world.books.payments]
    if paid != [Decimal(40)]:
        yield f"paid: {paid}"


PAYMENT = Flow(name="one payment", set_up=_imported, work=_pay, check=_paid_once)


@EACH_CHUNK
def test_any_two_crashes_of_a_payment_lose_and_double_nothing(chunk: int, record_property: Count) -> None:
    """The second process dies too, wherever it has come to by then."""
    pairs = list(combinations(moments(PAYMENT), 2))
    assert len(pairs) > 500

    chosen = pairs[chunk * PAIRS_STRIDE :: CHUNKS * PAIRS_STRIDE]
    wrong = [str(run) for run in (died(PAYMENT, *pair) for pair in chosen) if not run]

    assert wrong == []
    record_property("crash points", len(chosen))


def _receipt(amount: str) -> CardSpend:
    line = BillLine(description="taxi", amount=nzd(amount), account=AccountCode("429"))
    return CardSpend(id="s", vendor="Taxi", on=DAY, account=BANK, lines=[line])


def _posted_and_removed(world: World) -> None:
    """A card receipt that was posted, and that somebody removed in Xero."""
    purchases = Payables(world.quiet_client())
    purchases.apply(purchases.spend([_receipt("23.00")]))
    world.books.remove_bank_transaction(world.books.bank_transactions[0].id)


def _posted_and_edited(world: World) -> None:
    """A card receipt that was posted, and of which somebody changed the amount."""
    xero = world.quiet_client()
    purchases = Payables(xero)
    purchases.apply(purchases.spend([_receipt("23.00")]))
    line = LineItem(description="taxi", unit_amount=Decimal(5), account_code=AccountCode("429"))
    posted = BankTransactionId(world.books.bank_transactions[0].id)
    xero.bank_transactions.update([BankTransaction(bank_transaction_id=posted, line_items=(line,))])


async def _put_back_and_change(xero: AsyncXero, world: World) -> bool:
    """What people did is put back, and the receipt has another amount at its source by then."""
    del world
    purchases = AsyncPayables(xero)
    done: list[Plan | Recovery] = [await purchases.recover()]
    done.append(plan := (await AsyncLedger(xero).drift()).restore())
    await purchases.apply(plan)
    done.append(plan := await purchases.update([_receipt("25.00")]))
    await purchases.apply(plan)
    return nothing_left(*done)


def _spent_once(world: World) -> Iterator[str]:
    spent = [each.total for each in world.books.bank_transactions if each.status == "AUTHORISED"]
    if spent != [Decimal(25)]:
        yield f"spent: {spent}"


@pytest.mark.parametrize("meddled", [_posted_and_removed, _posted_and_edited])
def test_a_crash_while_a_receipt_is_put_back_and_changed_loses_and_doubles_nothing(
    meddled: Callable[[World], None], record_property: Count
) -> None:
    """What made room for it, what was put back and what was changed then: each may be the last that was done."""
    flow = Flow(name="put back and changed", set_up=meddled, work=_put_back_and_change, check=_spent_once)
    every = moments(flow)
    assert len(every) > 60

    chosen = every[:: 1 if EVERYTHING else len(every) // FEW | 1]
    wrong = [str(run) for run in (died(flow, moment) for moment in chosen) if not run]

    assert wrong == []
    record_property("crash points", len(chosen))


def test_the_crash_points_would_see_a_payment_that_is_sent_twice() -> None:
    """They are shown to work: with a host that pays under a new id after each crash, they see it at once."""

    async def careless(xero: AsyncXero, world: World) -> bool:
        sales = AsyncReceivables(xero, clearing_account=CLEARING)
        (transaction,) = await sales.transactions()
        line = SettlementLine(id=f"L{world.faults['crash']}", transaction=transaction.id, amount=nzd("40.00"))
        await sales.apply(plan := await sales.settle(Settlement(id="S1", on=DAY, lines=[line])))
        return nothing_left(plan)

    flow = evolve(PAYMENT, work=careless)

    assert any("paid" in str(died(flow, moment).wrong) for moment in moments(flow)[-12:])
