"""Double entry: what every document and payment posts, and the balances that follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from attrs import frozen

from xerosync.simulator.entities import ZERO, Document, Organisation, Payment, total

_CENT = Decimal("0.01")


@frozen
class Journal:
    """What one document or payment posts on *date*, in base currency, debits positive; the amounts sum to zero."""

    id: str
    date: date
    entries: tuple[tuple[str, Decimal], ...]


@frozen
class ControlAccounts:
    """The ids of the accounts that Xero posts to by itself."""

    debtors: str
    creditors: str
    tax: str
    rounding: str
    currency_gain: str
    retained: str

    def of(self, document: Document) -> str:
        """The account that holds what is due on *document*."""
        return self.debtors if document.is_sale else self.creditors


def base(amount: Decimal, rate: Decimal) -> Decimal:
    """*amount* of a document's currency in base currency (F 6.70), to the cent."""
    return (amount / rate).quantize(_CENT, ROUND_HALF_UP)


def document_journal(document: Document, control: ControlAccounts) -> Journal | None:
    """What *document* posts; None while it is a draft, and once it is voided or deleted."""
    if not document.is_posted:
        return None
    sign = 1 if document.is_sale != document.is_credit else -1
    entries = [(control.of(document), sign * base(document.total, document.rate))]
    for line in document.lines:
        if line.amount is not None:
            net = line.amount - ((line.tax or ZERO) if document.line_amount_types == "Inclusive" else ZERO)
            entries.append((line.account_id, -sign * base(net, document.rate)))
    entries.append((control.tax, -sign * base(document.total_tax, document.rate)))
    return _balanced(document.id, document.date, entries, control.rounding)


def payment_journal(payment: Payment, document: Document, control: ControlAccounts) -> Journal | None:
    """What *payment* of *document* posts; None once it is deleted. A change of rate is a realised gain or loss."""
    if payment.status != "AUTHORISED":
        return None
    into = 1 if document.is_sale != document.is_credit else -1
    entries = [
        (payment.account_id, into * base(payment.amount, payment.rate)),
        (control.of(document), -into * base(payment.amount, document.rate)),
    ]
    return _balanced(payment.id, payment.date, entries, control.currency_gain)


def _balanced(id_: str, on: date, entries: list[tuple[str, Decimal]], rest_to: str) -> Journal:
    rest = total(amount for _, amount in entries)
    if rest:
        entries.append((rest_to, -rest))
    return Journal(id_, on, tuple((account, amount) for account, amount in entries if amount))


def year_start(organisation: Organisation, on: date) -> date:
    """The first day of the financial year that *on* lies in."""
    day, month = organisation.year_end_day, organisation.year_end_month
    first = date(on.year, month % 12 + 1, 1) if day >= 28 else date(on.year, month, day + 1)
    return first if first <= on else first.replace(year=on.year - 1)


class Ledger:
    """The journals of one organisation."""

    def __init__(self) -> None:
        self._journals: dict[str, Journal] = {}
        self._balances: dict[str, Decimal] = {}

    def __iter__(self) -> Iterator[Journal]:
        return iter(self._journals.values())

    def post(self, id_: str, journal: Journal | None) -> None:
        """Let *journal* stand for document or payment *id_*, in place of what stood for it before."""
        old = self._journals.pop(id_, None)
        if old is not None:
            self._add(old.entries, -1)
        if journal is not None:
            self._journals[id_] = journal
            self._add(journal.entries, 1)

    def balance(self, account_id: str) -> Decimal:
        """All that was ever posted to *account_id*, debit positive, in base currency."""
        return self._balances.get(account_id, ZERO)

    def between(self, first: date, last: date) -> dict[str, Decimal]:
        """What was posted to each account from *first* to *last*, both included."""
        sums: dict[str, Decimal] = {}
        for journal in self._journals.values():
            if first <= journal.date <= last:
                for account, amount in journal.entries:
                    sums[account] = sums.get(account, ZERO) + amount
        return sums

    def _add(self, entries: Iterable[tuple[str, Decimal]], times: int) -> None:
        for account, amount in entries:
            self._balances[account] = self._balances.get(account, ZERO) + times * amount
