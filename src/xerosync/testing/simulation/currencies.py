"""A product that collects and pays in other currencies: through clearing in each, charged back at another rate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from xerosync.client.xero import AsyncXero
from xerosync.engine.paying import BillPayment
from xerosync.engine.plans import Plan, Recovery
from xerosync.engine.settling_policies import SettlementSettings
from xerosync.mapping.lines import BillLine
from xerosync.mapping.papers import Bill
from xerosync.mapping.settlement import Fee, LineKind, Settlement, SettlementLine
from xerosync.matching.keys import Customer
from xerosync.models import AccountCode
from xerosync.money import Money
from xerosync.payables import AsyncPayables
from xerosync.receivables import AsyncReceivables
from xerosync.testing.simulation.flow import nothing_left

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_DAY: Final = date(2026, 1, 5)
_BANK: Final = "090"
_CLEARING: Final = "091"
_EUROS: Final = "092"
_FEES: Final = "404"
_EXCHANGE: Final = "429"
_SETTINGS: Final = SettlementSettings(
    bank_account=_BANK, fee_account=_FEES, exchange_account=_EXCHANGE, provider="Collections Ltd"
)
_IN_EUROS: Final = SettlementSettings(fee_account=_FEES, provider="Collections Ltd")


_ids: Final[WeakKeyDictionary[World, dict[str, str]]] = WeakKeyDictionary()
"""The product's own rows in each world, by the number of their invoice."""


def sold_abroad(world: World) -> None:
    """Let the bookkeeper subscribe to the euro, open an account in it, and enter three invoices."""
    _ids[world] = {}
    world.books.add_currency("EUR")
    world.books.add_account(_EUROS, "Euro clearing", type="BANK", CurrencyCode="EUR")
    ana = world.books.add_contact("Ana").id
    for number in ("KEPT", "TAKEN-BACK", "EURO"):
        world.books.add_invoice(
            ana, number=number, amount=Decimal(100), date=_DAY, CurrencyCode="EUR", CurrencyRate="0.55"
        )


async def trade_abroad(xero: AsyncXero, world: World) -> bool:
    """Settle into either account, charge one back, and pay a bill in euros."""
    sales = AsyncReceivables(xero, clearing_account=_CLEARING, settlements=_SETTINGS)
    euros = AsyncReceivables(xero, clearing_account=_EUROS, settlements=_IN_EUROS)
    bills = AsyncPayables(xero, payment_account=_BANK)
    done: list[Plan | Recovery] = [await sales.recover()]
    done.append(plan := await sales.match([Customer(id="7", custom_identifier="Ana")]))
    await sales.apply(plan)
    done.append(plan := await sales.import_invoices())
    await sales.apply(plan)
    ids = _ids[world]
    ids |= {each.invoice_number: each.id for each in await sales.transactions()}
    if set(ids) != {"KEPT", "TAKEN-BACK", "EURO"}:
        return False
    done.append(plan := await sales.settle(_settled(ids, world), retry_refused=True))
    await sales.apply(plan)
    done.append(plan := await euros.settle(_in_euros(ids), retry_refused=True))
    await euros.apply(plan)
    done.append(plan := await bills.submit([_bill()], retry_refused=True))
    await bills.apply(plan)
    paid = BillPayment(id="p1", bill_id="b1", on=_DAY, paid=Money("55.01", "NZD"))
    done.append(plan := await bills.pay([paid] if await bills.posted(["b1"]) else [], retry_refused=True))
    await bills.apply(plan)
    return nothing_left(*done)


def _line(ids: dict[str, str], number: str, made: str, kind: LineKind = LineKind.COLLECTED) -> SettlementLine:
    return SettlementLine(
        id=f"{number} {kind}",
        transaction=ids[number],
        amount=Money("100.00", "EUR"),
        settled=Money(made, "NZD"),
        kind=kind,
    )


def _settled(ids: dict[str, str], world: World) -> list[Settlement]:
    lines = [_line(ids, "KEPT", "182.35"), _line(ids, "TAKEN-BACK", "182.00")]
    settlements = [Settlement(id="S1", on=_DAY, lines=lines, paid_out_on=_DAY)]
    if world.has_come(0.4):
        back = _line(ids, "TAKEN-BACK", "185.00", LineKind.CHARGED_BACK)
        settlements.append(Settlement(id="S2", on=_DAY, lines=[back], paid_out_on=_DAY))
    return settlements


def _in_euros(ids: dict[str, str]) -> Settlement:
    line = SettlementLine(id="EURO collected", transaction=ids["EURO"], amount=Money("100.00", "EUR"))
    return Settlement(id="E1", on=_DAY, lines=[line], fees=[Fee(amount=Money("2.00", "EUR"))], rate=Decimal("0.5"))


def _bill() -> Bill:
    line = BillLine(description="paper", amount=Money("30.00", "EUR"), account=AccountCode("310"))
    return Bill(id="b1", vendor="Papier GmbH", number="b1", on=_DAY, lines=[line], currency_rate=Decimal("0.55"))


def each_cent_of_both(world: World) -> Iterator[str]:
    """Name each balance in base currency, and each document, that is not what was settled and paid."""
    books = world.books
    expected = {
        _CLEARING: Decimal(0),
        _BANK: Decimal("182.35") + 182 - 185 - Decimal("55.01"),
        _EXCHANGE: Decimal(3),
        _EUROS: Decimal(196),
        _FEES: Decimal(4),
    }
    balances = {code: books.balance(books.account(code).id) for code in expected}
    if balances != expected:
        yield f"balances: {balances} where {expected} are due"
    due = {each.number: each.amount_due for each in books.invoices if each.is_posted}
    if due != {"KEPT": 0, "TAKEN-BACK": 100, "EURO": 0, "b1": 0}:
        yield f"due: {due}"
