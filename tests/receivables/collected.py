"""A product with two settlements in its books: one paid out, one still in flight."""

from __future__ import annotations

from datetime import date, timedelta

from attrs import define, field
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import Fee, Money, Receivables, Reconciliation, Settlement, SettlementLine, SettlementSettings
from xerosync.simulator import Document

CHOSEN = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")


@define
class Collected:
    """A product with two settlements in its books: one paid out, one still in flight."""

    product: Product
    sales: Receivables
    settlements: list[Settlement] = field(factory=list[Settlement])

    def settle(self, name: str, *invoices: Document, on: date = DAY, paid_out: bool = True) -> Settlement:
        lines = [
            SettlementLine(id=f"{name}-{place}", transaction=each.id, amount=nzd(each.total))
            for place, each in enumerate(invoices)
        ]
        settlement = Settlement(
            id=name, on=on, lines=lines, fees=[Fee(amount=nzd("1.50"))], paid_out_on=on if paid_out else None
        )
        self.settlements.append(settlement)
        return settlement

    def apply(self) -> None:
        self.sales.apply(self.sales.settle(self.settlements))

    def remove_last(self, path: str) -> None:
        """Let somebody remove what was posted last by a call of *path*."""
        books = self.product.books
        if path == "/Payments":
            books.remove_payment(books.payments[-1].id)
        else:
            books.remove_bank_transaction(books.bank_transactions[-1].id)

    def report(self) -> Reconciliation:
        report = self.sales.reconcile(self.settlements)
        clearing = self.product.books.account(CLEARING).id
        parts = (each.amount for each in (*report.discrepancies, *report.accepted))
        assert report.balance == nzd(self.product.books.balance(clearing))
        assert report.balance == report.in_flight + Money.total(parts, "NZD")
        assert report.explained
        return report

    def found(self) -> list[tuple[str, str, str]]:
        return [(each.code, each.about, str(each.amount.amount)) for each in self.report().discrepancies]


def paid_out_and_in_flight(product: Product) -> Collected:
    """S1 of two lines was paid out, S2 of one is in flight; both are posted, with their fees."""
    made = Collected(product, Receivables(product.xero(), clearing_account=CLEARING, settlements=CHOSEN))
    made.settle("S1", product.collectable("100.00"), product.collectable("60.00", "Bo Lee"))
    made.settle("S2", product.collectable("40.00", "Cy Ray"), on=DAY + timedelta(days=7), paid_out=False)
    made.apply()
    return made
