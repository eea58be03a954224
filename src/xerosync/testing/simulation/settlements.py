"""A product that settles whole: fees, payouts, too much money, a payment that stays, a refund."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from xerosync.client.xero import AsyncXero
from xerosync.engine.plans import Plan, Recovery
from xerosync.engine.settling_policies import SettlementSettings, Surplus
from xerosync.mapping.declines import DeclineReason
from xerosync.mapping.settlement import Fee, LineKind, Settlement, SettlementLine
from xerosync.matching.keys import Customer
from xerosync.money import Money
from xerosync.receivables import AsyncReceivables
from xerosync.testing.simulation.flow import nothing_left

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_DAY: Final = date(2026, 1, 5)
_BANK: Final = "090"
_CLEARING: Final = "091"
_WITHOUT_A_BANK: Final = "650"
_SETTINGS: Final = SettlementSettings(
    bank_account=_BANK,
    fee_account="404",
    charge_back_account="850",
    provider="Collections Ltd",
    surplus=Surplus.PARK,
)
_OWED: Final = {"PAID-TWICE": "100.00", "RECONCILED": "60.00", "REFUNDED": "45.00", "NO-BANK": "30.00"}
_BY_HAND: Final = "BY-HAND"

_ids: Final[WeakKeyDictionary[World, dict[str, str]]] = WeakKeyDictionary()
"""The product's own rows in each world, by the number of their invoice: they outlive its processes and its store."""


def sold(world: World) -> None:
    """Let the bookkeeper enter the invoices, and an account for what is collected without a bank."""
    _ids[world] = {}
    world.books.add_account(_WITHOUT_A_BANK, "Clearing", type="CURRENT", enable_payments=True)
    ana = world.books.add_contact("Ana").id
    for number, amount in {**_OWED, _BY_HAND: "10.00"}.items():
        world.books.add_invoice(ana, number=number, amount=Decimal(amount), date=_DAY)


async def settle_whole(xero: AsyncXero, world: World) -> bool:
    """Settle what was collected, and later what went back."""
    through_a_bank = AsyncReceivables(xero, clearing_account=_CLEARING, settlements=_SETTINGS)
    without = AsyncReceivables(xero, clearing_account=_WITHOUT_A_BANK, settlements=_SETTINGS)
    done: list[Plan | Recovery] = [await through_a_bank.recover()]
    done.append(plan := await through_a_bank.match([Customer(id="7", custom_identifier="Ana")]))
    await through_a_bank.apply(plan)
    done.append(plan := await through_a_bank.link_transaction("made by hand", invoice=_BY_HAND))
    await through_a_bank.apply(plan)
    done.append(plan := await through_a_bank.import_invoices())
    await through_a_bank.apply(plan)
    ids = _ids[world]
    ids |= {each.invoice_number: each.id for each in await through_a_bank.transactions()}
    if set(ids) != {*_OWED, _BY_HAND}:
        return False
    _reconcile(world)
    for sales, settlements in ((through_a_bank, _through_a_bank(ids, world)), (without, _without(ids, world))):
        done.append(plan := await sales.settle(settlements, retry_refused=True))
        await sales.apply(plan)
    if world.has_come(1.0):
        await through_a_bank.settlement_report(_through_a_bank(ids, world))
        await through_a_bank.clearing_statement(_DAY, _DAY)
    return nothing_left(*done)


def _reconcile(world: World) -> None:
    """The bookkeeper finds one of the payments on the bank statement."""
    for payment in world.books.payments:
        if payment.amount == Decimal(60) and payment.status == "AUTHORISED" and not payment.is_reconciled:
            world.books.reconcile_payment(payment.id)


def _line(ids: dict[str, str], number: str, amount: str, kind: LineKind = LineKind.COLLECTED) -> SettlementLine:
    why = DeclineReason.DISPUTED if kind is LineKind.CHARGED_BACK else None
    money = Money(amount, "NZD")
    return SettlementLine(id=f"{number} {kind}", transaction=ids[number], amount=money, kind=kind, reason=why)


def _through_a_bank(ids: dict[str, str], world: World) -> list[Settlement]:
    lines = [
        _line(ids, number, amount)
        for number, amount in (("PAID-TWICE", "120.00"), ("RECONCILED", "60.00"), ("REFUNDED", "45.00"))
    ]
    lines.append(_line(ids, _BY_HAND, "10.00"))
    fees = [Fee(amount=Money("1.00", "NZD"))]
    settlements = [Settlement(id="S1", on=_DAY, lines=lines, fees=fees, paid_out_on=_DAY)]
    if world.has_come(0.4) and any(each.is_reconciled for each in world.books.payments):
        back = [
            _line(ids, "PAID-TWICE", "120.00", LineKind.CHARGED_BACK),
            _line(ids, "RECONCILED", "60.00", LineKind.CHARGED_BACK),
            _line(ids, "REFUNDED", "15.00", LineKind.REFUNDED),
        ]
        settlements.append(Settlement(id="S2", on=_DAY, lines=back, paid_out_on=_DAY))
    return settlements


def _without(ids: dict[str, str], world: World) -> list[Settlement]:
    settlements = [Settlement(id="N1", on=_DAY, lines=[_line(ids, "NO-BANK", "50.00")])]
    if world.has_come(0.5):
        back = _line(ids, "NO-BANK", "50.00", LineKind.CHARGED_BACK)
        settlements.append(Settlement(id="N2", on=_DAY, lines=[back]))
    return settlements


def each_settlement_once(world: World) -> Iterator[str]:
    """Name each balance and each kind of document that is not what the settlements say."""
    codes = (_CLEARING, _BANK, "404", "850", _WITHOUT_A_BANK, "610")
    balances = {code: world.books.balance(world.books.account(code).id) for code in codes}
    expected = dict.fromkeys(codes, Decimal(0)) | {_BANK: Decimal(39), "404": Decimal(1), "610": Decimal(190)}
    if balances != expected:
        yield f"balances: {balances} are not what was settled"
    moved = Counter(each.type for each in world.books.bank_transactions if each.status == "AUTHORISED")
    if moved != {"SPEND": 2, "SPEND-TRANSFER": 2, "RECEIVE-TRANSFER": 2}:
        yield f"bank transactions: {dict(moved)} where two spend money and two transfers are due"
    notes = [(each.total, each.status) for each in world.books.credit_notes if each.status != "VOIDED"]
    if notes != [(Decimal(15), "PAID")]:
        yield f"credit notes: {notes} where one, the refund, is due"
