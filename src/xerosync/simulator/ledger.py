"""Double entry: what everything in the books posts, and the balances that follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from attrs import evolve, frozen

from xerosync.simulator.entities import (
    ZERO,
    Allocation,
    BankTransaction,
    BankTransfer,
    Document,
    ManualJournal,
    Organisation,
    Payment,
    total,
)

_CENT = Decimal("0.01")


@frozen
class Journal:
    """What one thing in the books posts on *date*, in base currency, debits positive; the amounts sum to zero."""

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
    """
    What *document* posts; None while it is a draft, and once it is voided or deleted.

    An over- or prepayment posts nothing of its own: its bank transaction does.
    """
    if not document.is_posted or document.source_id:
        return None
    sign = 1 if document.is_sale != document.is_credit else -1
    entries = [(control.of(document), sign * base(document.total, document.rate))]
    entries += _line_entries(document, control, -sign)
    return _balanced(document.id, document.date, entries, control.rounding)


def payment_journal(
    payment: Payment, document: Document, control: ControlAccounts, *, cash: bool = False
) -> Journal | None:
    """
    What *payment* of *document* posts; None once it is deleted. A change of rate is a realised gain or loss.

    With *cash*, what it posts where only money counts: to the accounts of the lines, as the document posted nothing.
    """
    if payment.status != "AUTHORISED":
        return None
    into = 1 if document.is_sale != document.is_credit else -1
    entries = [(payment.account_id, into * base(payment.amount, payment.rate))]
    entries += _standing_entries(document, payment.amount, control, -into, by_lines=cash)
    return _balanced(payment.id, payment.date, entries, control.currency_gain)


def allocation_journal(
    allocation: Allocation, credit: Document, invoice: Document, control: ControlAccounts, *, cash: bool = False
) -> Journal | None:
    """
    What setting *credit* against *invoice* posts; None where both stand on one account at one rate.

    A prepayment leaves the accounts of its lines; a difference of rates is a realised gain or loss (F 6.116).
    *cash* is as in `payment_journal`.
    """
    sign = 1 if invoice.is_sale else -1
    entries = _standing_entries(credit, allocation.amount, control, sign, by_lines=cash)
    entries += _standing_entries(invoice, allocation.amount, control, -sign, by_lines=cash)
    journal = _balanced(allocation.id, allocation.date, entries, control.currency_gain)
    return journal if any(_netted(journal.entries).values()) else None


def parts_journal(
    document: Document, parts: Sequence[Payment | Allocation], control: ControlAccounts
) -> Journal | None:
    """
    The cents between what *parts* of *document* posted one by one and what they make together; None without any.

    With it a document that is settled leaves nothing behind, in however many parts it was.
    """
    sign = 1 if document.is_sale == document.is_credit else -1
    entries = _standing_entries(document, total(part.amount for part in parts), control, sign)
    for part in parts:
        entries += _standing_entries(document, part.amount, control, -sign)
    netted = [(account, amount) for account, amount in _netted(entries).items() if amount]
    on = max((part.date for part in parts), default=document.date)
    return _balanced(f"{document.id}/parts", on, netted, control.currency_gain) if netted else None


def bank_journal(transaction: BankTransaction, control: ControlAccounts) -> Journal | None:
    """What spend or receive money posts; None once it is deleted, and for one side of a transfer."""
    if transaction.status != "AUTHORISED" or transaction.transfer_id:
        return None
    sign = 1 if transaction.is_receipt else -1
    entries = [(transaction.account_id, sign * base(transaction.total, transaction.rate))]
    entries += _line_entries(transaction, control, -sign)
    return _balanced(transaction.id, transaction.date, entries, control.rounding)


def transfer_journal(transfer: BankTransfer) -> Journal | None:
    """What *transfer* posts; None once it is deleted."""
    if transfer.status != "AUTHORISED":
        return None
    amount = base(transfer.amount, transfer.rate)
    return Journal(transfer.id, transfer.date, ((transfer.to_account_id, amount), (transfer.from_account_id, -amount)))


def manual_journal(journal: ManualJournal, control: ControlAccounts) -> Journal | None:
    """What a manual journal posts; None unless it is POSTED."""
    if journal.status != "POSTED":
        return None
    inclusive = journal.line_amount_types == "Inclusive"
    entries = [(line.account_id, line.amount - (line.tax if inclusive else ZERO)) for line in journal.lines]
    entries.append((control.tax, total(line.tax for line in journal.lines)))
    return _balanced(journal.id, journal.date, entries, control.rounding)


def _line_entries(posted: Document | BankTransaction, control: ControlAccounts, sign: int) -> list[tuple[str, Decimal]]:
    """The lines of *posted* before tax, and their tax, in base currency."""
    inclusive = posted.line_amount_types == "Inclusive"
    entries: list[tuple[str, Decimal]] = []
    for line in posted.lines:
        if line.amount is not None:
            net = line.amount - ((line.tax or ZERO) if inclusive else ZERO)
            entries.append((line.account_id, sign * base(net, posted.rate)))
    return [*entries, (control.tax, sign * base(posted.total_tax, posted.rate))]


def _standing_entries(
    document: Document, amount: Decimal, control: ControlAccounts, sign: int, *, by_lines: bool = False
) -> list[tuple[str, Decimal]]:
    """*amount* of *document* on the account where it stands: its control account, or those of a prepayment's lines."""
    whole = sign * base(amount, document.rate)
    if not by_lines and document.family != "Prepayments":
        return [(control.of(document), whole)]
    if amount == document.total:
        entries = _line_entries(document, control, sign)
        return [*entries, (control.rounding, whole - total(part for _, part in entries))]
    shares = [
        (account, (whole * part / document.total).quantize(_CENT, ROUND_HALF_UP))
        for account, part in _line_entries(evolve(document, rate=Decimal(1)), control, 1)
    ]
    rest = whole - total(share for _, share in shares)
    return [*shares, (shares[0][0], rest)]


def _balanced(id_: str, on: date, entries: list[tuple[str, Decimal]], rest_to: str) -> Journal:
    rest = total(amount for _, amount in entries)
    if rest:
        entries.append((rest_to, -rest))
    return Journal(id_, on, tuple((account, amount) for account, amount in entries if amount))


def _netted(entries: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for account, amount in entries:
        sums[account] = sums.get(account, ZERO) + amount
    return sums


def between(journals: Iterable[Journal], first: date, last: date) -> dict[str, Decimal]:
    """What *journals* posted to each account from *first* to *last*, both included."""
    return _netted(entry for journal in journals if first <= journal.date <= last for entry in journal.entries)


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
        """Let *journal* stand for *id_*, in place of what stood for it before."""
        old = self._journals.pop(id_, None)
        if old is not None:
            self._add(old.entries, -1)
        if journal is not None:
            self._journals[id_] = journal
            self._add(journal.entries, 1)

    def get(self, id_: str) -> Journal | None:
        """What stands for *id_*; None when that posts nothing."""
        return self._journals.get(id_)

    def balance(self, account_id: str) -> Decimal:
        """All that was ever posted to *account_id*, debit positive, in base currency."""
        return self._balances.get(account_id, ZERO)

    def between(self, first: date, last: date) -> dict[str, Decimal]:
        """What was posted to each account from *first* to *last*, both included."""
        return between(self, first, last)

    def _add(self, entries: Iterable[tuple[str, Decimal]], times: int) -> None:
        for account, amount in entries:
            self._balances[account] = self._balances.get(account, ZERO) + times * amount
