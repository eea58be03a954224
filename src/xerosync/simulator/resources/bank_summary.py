"""/Reports/BankSummary: what came into and went out of every bank account (F 6.194)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from xerosync.simulator.entities import ZERO, Account
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.resources.call import Answer, Call
from xerosync.simulator.resources.report import NONE, day_asked, header, report, section, summary, text_row, written
from xerosync.simulator.wire import Row

_TITLES: Final = ("Bank Accounts", "Opening Balance", "Cash Received", "Cash Spent", "Closing Balance")


def get_bank_summary(call: Call) -> Answer:
    """GET /Reports/BankSummary?fromDate&toDate, the whole of this month unless days are given. Raises `Invalid`."""
    books = call.books
    today = books.today()
    last = day_asked(call, "toDate") or today.replace(day=monthrange(today.year, today.month)[1])
    first = day_asked(call, "fromDate") or last.replace(day=1)
    if first > last:
        raise Invalid("The fromDate must not be after the toDate")
    opening = books.ledger.between(date.min, first - timedelta(days=1))
    moved = {account.id: [ZERO, ZERO] for account in books.accounts if account.type == "BANK"}
    for journal in books.ledger:
        if first <= journal.date <= last:
            for account_id, amount in journal.entries:
                if account_id in moved:
                    moved[account_id][0 if amount > 0 else 1] += abs(amount)
    rows: list[Row] = []
    sums = [ZERO] * 4
    for account in sorted((books.accounts[account_id] for account_id in moved), key=lambda one: one.name.lower()):
        start = opening.get(account.id, ZERO)
        received, spent = moved[account.id]
        amounts = (start, received, spent, start + received - spent)
        if account.status == "ACTIVE" or any(amounts):
            rows.append(_row(account, amounts))
            sums = [one + other for one, other in zip(sums, amounts, strict=True)]
    rows.append(summary(["Total", *(f"{amount:.2f}" for amount in sums)]))
    titles = ("Bank Summary", books.organisation.name, f"From {written(first)} to {written(last)}")
    return report(call, "BankSummary", name="Bank Summary", titles=titles, rows=[header(*_TITLES), section(rows)])


def _row(account: Account, amounts: tuple[Decimal, ...]) -> Row:
    # The first cell names its account by another id than the others (F 6.194); the balances name none.
    moved = {"account": account.id}
    attributes = ({"accountID": account.id}, NONE, moved, moved, NONE)
    return text_row([account.name, *(f"{amount:.2f}" for amount in amounts)], attributes)
