"""Books with settlements of all sorts, each posted whole, in which discrepancies can be planted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from attrs import define, field, frozen
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd

from xerosync import (
    Customer,
    Fee,
    LineKind,
    Receivables,
    Reconciliation,
    Settlement,
    SettlementLine,
    SettlementSettings,
)

WITHOUT_A_BANK: Final = "650"
SETTINGS: Final = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
LINES: Final = 12
"""How many lines of settlements there are for faults to be planted in."""


@frozen(order=True)
class Planted:
    """What a report must say of a discrepancy: its code, what it is about, and its part of the balance."""

    code: str
    about: str
    amount: Decimal


@define(eq=False)
class Books:
    """A product whose settlements were all posted, and what was planted in its books since."""

    product: Product
    chance: Random
    clearing: str
    sales: Receivables
    settlements: list[Settlement]
    planted: list[Planted] = field(factory=list[Planted])
    untouched: list[Settlement] = field(factory=list[Settlement])
    spare: list[str] = field(factory=list[str])
    names: Iterator[int] = field(factory=lambda: iter(range(1, 10_000)))

    @property
    def through_a_bank(self) -> bool:
        return self.clearing == CLEARING

    def amount(self) -> Decimal:
        """Any amount to the cent; different ones nearly always."""
        return Decimal(self.chance.randint(1, 99_999)).scaleb(-2)

    def day(self) -> date:
        return DAY + timedelta(days=self.chance.randint(0, 20))

    def name(self, what: str) -> str:
        return f"{what} {next(self.names)}"

    def plant(self, code: str, about: str, amount: Decimal) -> None:
        self.planted.append(Planted(code, about, amount))

    def victim(self, *, paid_out: bool | None = None) -> Settlement | None:
        """A settlement in which nothing was planted yet."""
        fit = [each for each in self.untouched if paid_out is None or (each.paid_out_on is not None) is paid_out]
        if not fit:
            return None
        chosen = self.chance.choice(fit)
        self.untouched.remove(chosen)
        return chosen

    def replace(self, settlement: Settlement, *others: Settlement) -> None:
        """Let the host have *others* in the place of *settlement*."""
        place = self.settlements.index(settlement)
        self.settlements[place : place + 1] = others

    def new_line(self, kind: LineKind = LineKind.COLLECTED, of: SettlementLine | None = None) -> Settlement | None:
        """A settlement of one line, which nobody has posted."""
        if of is None and not self.spare:
            return None
        transaction = of.transaction if of is not None else self.spare.pop()
        total = self.product.books.invoice(transaction).total
        amount = of.amount if of is not None else nzd(total)
        line = SettlementLine(id=self.name("line"), transaction=transaction, amount=amount, kind=kind)
        settlement = Settlement(id=self.name("settlement"), on=DAY + timedelta(days=25), lines=[line])
        self.settlements.append(settlement)
        return settlement

    def reconciled(self, *, brief: bool = False) -> Reconciliation:
        return self.sales.reconcile(self.settlements, brief=brief)


def founded(chance: Random, *, through_a_bank: bool) -> Books:
    """A product with settlements of all sorts, each posted whole."""
    product = found_product()
    clearing = CLEARING
    if not through_a_bank:
        clearing = WITHOUT_A_BANK
        product.books.add_account(clearing, "Clearing", type="CURRENT", enable_payments=True)
    ana = product.books.add_contact("Ana Costa").id
    transactions = [
        product.books.add_invoice(
            ana, number=f"INV-{place}", amount=Decimal(chance.randint(200, 99_999)).scaleb(-2), date=DAY
        )
        for place in range(LINES + 8)
    ]
    sales = Receivables(product.xero(), clearing_account=clearing, settlements=SETTINGS)
    sales.apply(sales.match([Customer(id="1", custom_identifier="Ana Costa")]))
    sales.apply(sales.import_invoices())
    settlements = [
        _settlement(chance, place, [(each.id, each.total) for each in transactions[place * 2 : place * 2 + 2]])
        for place in range(LINES // 2)
    ]
    sales.apply(sales.settle(settlements))
    return Books(
        product=product,
        chance=chance,
        clearing=clearing,
        sales=sales,
        settlements=list(settlements),
        untouched=list(settlements),
        spare=[each.id for each in transactions[LINES:]],
    )


def _settlement(chance: Random, place: int, collected: Sequence[tuple[str, Decimal]]) -> Settlement:
    """Two lines: the first pays half of its invoice, so that somebody may pay the other half."""
    amounts = [
        (total / 2).quantize(Decimal("0.01")) if part == 0 else total for part, (_, total) in enumerate(collected)
    ]
    lines = [
        SettlementLine(id=f"S{place}-{part}", transaction=transaction, amount=nzd(amount))
        for part, ((transaction, _), amount) in enumerate(zip(collected, amounts, strict=True))
    ]
    on = DAY + timedelta(days=place)
    fee = Decimal(chance.randint(1, 60)).scaleb(-2)
    paid_out_on = on + timedelta(days=2) if place % 2 else None
    return Settlement(id=f"S{place}", on=on, lines=lines, fees=[Fee(amount=nzd(fee))], paid_out_on=paid_out_on)
