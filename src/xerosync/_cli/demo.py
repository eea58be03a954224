"""``demo``: both stories on the embedded simulator, as a few short tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from xerosync._cli import sample
from xerosync.engine.paying import BillPayment
from xerosync.engine.plans import WORDS, Finding, Plan, Report
from xerosync.engine.reconciliation import Reconciliation
from xerosync.money import Money
from xerosync.payables import Payables
from xerosync.receivables import Receivables
from xerosync.testing.sandbox import Sandbox, sandbox

Outcome = dict[str, object]


class _Story:
    """Plans, shows, applies: one step after the other, remembering what was planned and done."""

    def __init__(self, screen: Console, apply: Callable[[Plan], Report]) -> None:
        self._screen = screen
        self._apply = apply
        self.planned = 0
        self.findings: list[Finding] = []
        self._reports: list[Report] = []

    def step(self, title: str, plan: Plan) -> Plan:
        """Show *plan* under *title* and do it."""
        self.planned += len(plan)
        self.findings += plan.findings
        looked_at = " · ".join(f"{count:,} {status}" for status, count in plan.tallies.items() if count)
        self._screen.print(f"\n[bold]{title}[/]" + (f"  [dim]{looked_at}[/]" if looked_at else ""), highlight=False)
        table = _table("what", "how many", "worth")
        for kind, count in plan.counts().items():
            table.add_row(WORDS[kind][count != 1], f"{count:,}", _worth(plan, kind))
        if not plan:
            table.add_row("nothing to do", "", "")
        self._screen.print(table)
        for finding in plan.findings:
            self._screen.print(
                f"[yellow]{finding.code}[/] · {finding.about}: {finding.cause} → {finding.fix}", highlight=False
            )
        self._reports.append(self._apply(plan))
        return plan

    def done(self, *kinds: str) -> int:
        """How many actions of *kinds* were carried out."""
        return sum(report.done(*kinds) for report in self._reports)


def run(store: Path | None, *, quiet: bool = False) -> Outcome:
    """Play both stories on the store file, or on a temporary one; what was planned, done, and how things stand."""
    screen = Console(quiet=quiet)
    with sandbox(store) as box:
        box.set_up("demo", accounts=sample.ACCOUNTS, contacts=sample.CONTACTS, invoices=sample.invoices())
        currency = box.xero.organisation().base_currency or ""
        collected, planned = _collect(box, screen, currency)
        billed, planned_bills = _pay_bills(box, screen, currency)
        _show_clearing(screen, Receivables(box.xero, clearing_account=sample.CLEARING).reconcile())
        if store is not None:
            screen.print(f"Kept in {store} and {store}.xero: run it again, and it plans nothing.", highlight=False)
    return {"receivables": collected, "payables": billed, "planned": planned + planned_bills}


def _collect(box: Sandbox, screen: Console, currency: str) -> tuple[Outcome, int]:
    screen.rule("Receivables: from customers to a clearing account")
    before = box.calls
    sales = Receivables(box.xero, clearing_account=sample.CLEARING)
    sales.recover()
    story = _Story(screen, sales.apply)
    story.step("1 · match customers with contacts", sales.match(sample.customers()))
    story.step("2 · import invoices of connected customers", sales.import_invoices())
    paid = {each.invoice_number: each.id for each in sales.transactions()}
    story.step("3 · settle, and take back what was charged back", sales.settle(sample.settlements(paid, currency)))
    matched = sum(match.status == "connected" for match in sales.matches(sample.customers()))
    explained = sales.reconcile()
    outcome: Outcome = {
        "matched": matched,
        "imported": story.done("transaction"),
        "posted": story.done("payment"),
        "reversed": story.done("removal"),
        "findings": len(story.findings) + len(explained.exceptions) + len(explained.findings),
        "calls": box.calls - before,
        "clearing_balance": str(explained.balance.amount),
    }
    return outcome, story.planned


def _pay_bills(box: Sandbox, screen: Console, currency: str) -> tuple[Outcome, int]:
    screen.rule("Payables: from bills to payments")
    before = box.calls
    bills = sample.bills(currency)
    books = Payables(box.xero, payment_account=sample.BANK)
    story = _Story(screen, books.apply)
    story.step("4 · submit bills and credit notes", books.submit(bills))
    story.step("5 · set credits against open bills, refund the rest", books.settle_credits())
    due = [BillPayment(id=bill.id, bill_id=bill.id, on=bill.on) for bill in bills if bill.total.amount > 0]
    story.step("6 · pay the bills", books.pay(due))
    posted = books.posted([bill.id for bill in bills])
    outcome: Outcome = {
        "rows": sum(len(bill.lines) for bill in bills),
        "vendors": story.done("contact"),
        "bills": story.done("bill"),
        "credit_notes": story.done("credit_note"),
        "payments": story.done("payment", "refund"),
        "findings": len(story.findings),
        "calls": box.calls - before,
        "total": str(Money.total((each.total for each in posted), currency).amount),
        "unposted": str(_unposted([bill.total for bill in bills], [each.total for each in posted], currency).amount),
    }
    return outcome, story.planned


def _unposted(submitted: Sequence[Money], posted: Sequence[Money], currency: str) -> Money:
    return Money.total(submitted, currency) - Money.total(posted, currency)


def _show_clearing(screen: Console, report: Reconciliation) -> None:
    screen.rule("The clearing account, explained")
    table = _table("what", "why", "amount")
    for row in report.rows():
        table.add_row(row["what"], row["why"], row["amount"])
    screen.print(table)
    screen.print(str(report), highlight=False)


def _table(what: str, between: str, amount: str) -> Table:
    table = Table(box=SIMPLE, pad_edge=False, min_width=64)
    table.add_column(what)
    table.add_column(between, justify="right" if between == "how many" else "left")
    table.add_column(amount, justify="right")
    return table


def _worth(plan: Plan, kind: str) -> str:
    amounts = [action.worth for action in plan if action.kind == kind and action.worth is not None]
    return str(Money.total(amounts, amounts[0].currency)) if amounts else ""
