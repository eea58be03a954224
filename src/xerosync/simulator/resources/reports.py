"""/Reports/TrialBalance: strings in cells, as people would read them (F 6.192, 6.193)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from attrs import frozen

from xerosync.simulator.books import Books
from xerosync.simulator.cash_basis import cash_journals
from xerosync.simulator.entities import ZERO, Account, total
from xerosync.simulator.ledger import between, year_start
from xerosync.simulator.resources.aged import get_aged_payables, get_aged_receivables
from xerosync.simulator.resources.bank_summary import get_bank_summary
from xerosync.simulator.resources.call import Answer, Call
from xerosync.simulator.resources.report import (
    NONE,
    Attributes,
    day_asked,
    header,
    report,
    section,
    summary,
    text_row,
    written,
)
from xerosync.simulator.resources.route import Route
from xerosync.simulator.wire import Row

_SECTIONS: Final = (
    ("Revenue", "REVENUE"), ("Expenses", "EXPENSE"), ("Assets", "ASSET"), ("Liabilities", "LIABILITY"),
    ("Equity", "EQUITY"),
)  # fmt: skip
_CREDIT_CLASSES: Final = frozenset({"REVENUE", "LIABILITY", "EQUITY"})


@frozen
class TrialLine:
    """One account of a trial balance, in base currency, debits positive: *month* so far, *balance* as at the day."""

    account: Account
    month: Decimal
    balance: Decimal


def trial_balance(books: Books, on: date, *, cash: bool = False) -> list[TrialLine]:
    """
    The balances as at *on*, by name, of the accounts that have any, on the *cash* basis or the usual one.

    Earnings of earlier years stand in retained earnings. Both columns sum to zero.
    """
    start = year_start(books.organisation, on)
    journals = list(cash_journals(books)) if cash else books.ledger
    before = between(journals, date.min, start - timedelta(days=1))
    year = between(journals, start, on)
    month = between(journals, on.replace(day=1), on)
    balances: dict[str, Decimal] = dict(year)
    retained = books.control().retained
    for account_id, amount in before.items():
        earned = books.accounts[account_id].account_class in {"REVENUE", "EXPENSE"}
        at = retained if earned else account_id
        balances[at] = balances.get(at, ZERO) + amount
    return [
        TrialLine(account, month.get(account.id, ZERO), balances.get(account.id, ZERO))
        for account in sorted(books.accounts, key=lambda account: account.name.lower())
        if month.get(account.id) or balances.get(account.id)
    ]


def get_trial_balance(call: Call) -> Answer:
    """GET /Reports/TrialBalance?date=&paymentsOnly=. Raises `Invalid`."""
    books = call.books
    on = day_asked(call, "date") or books.today()
    lines = trial_balance(books, on, cash=call.flag("paymentsOnly"))
    retained = books.control().retained
    earlier = {"fromDate": "", "toDate": f"{year_start(books.organisation, on) - timedelta(days=1):%m/%d/%Y}"}
    rows: list[Row] = [header(*_TITLES)]
    for title, kind in _SECTIONS:
        inside = [
            _line(line, earlier if line.account.id == retained else NONE)
            for line in lines
            if line.account.account_class == kind
        ]
        if inside:
            rows.append(section(inside, title))
    rows.append(section([_sum(lines)]))
    titles = ("Trial Balance", books.organisation.name, f"As at {written(on)}")
    return report(call, "TrialBalance", name="Trial Balance", titles=titles, rows=rows)


_TITLES: Final = ("Account", "Debit", "Credit", "YTD Debit", "YTD Credit")


def _line(line: TrialLine, told: Attributes) -> Row:
    account = line.account
    name = f"{account.name} ({account.code})" if account.code else account.name
    credit = account.account_class in _CREDIT_CLASSES
    values = [name, *_columns(line.month, credit=credit), *_columns(line.balance, credit=credit)]
    named = {"account": account.id}
    return text_row(values, [named, *[named | dict(told)] * (len(values) - 1)])


def _columns(amount: Decimal, *, credit: bool) -> tuple[str, str]:
    on_credit = amount < 0 or (amount == 0 and credit)
    text = f"{abs(amount):.2f}"
    return ("", text) if on_credit else (text, "")


def _sum(lines: list[TrialLine]) -> Row:
    amounts = [[line.month for line in lines], [line.balance for line in lines]]
    values = ["Total"]
    for column in amounts:
        values.append(f"{total(amount for amount in column if amount > 0):.2f}")
        values.append(f"{-total(amount for amount in column if amount < 0):.2f}")
    return summary(values)


ROUTES: Final = (
    Route(
        ("reports", "trialbalance"),
        "accounting.reports.trialbalance.read",
        "accounting.reports.read",
        plain={"GET": get_trial_balance},
    ),
    Route(
        ("reports", "banksummary"),
        "accounting.reports.banksummary.read",
        "accounting.reports.read",
        plain={"GET": get_bank_summary},
    ),
    *(
        Route(
            ("reports", f"aged{side}bycontact"),
            "accounting.reports.aged.read",
            "accounting.reports.read",
            plain={"GET": get_aged},
        )
        for side, get_aged in (("receivables", get_aged_receivables), ("payables", get_aged_payables))
    ),
)
