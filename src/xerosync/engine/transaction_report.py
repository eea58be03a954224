"""How the host's transactions stand, page by page, told from the store alone: no call to Xero is made (R39)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import frozen

from xerosync.client._books import Books
from xerosync.engine.actions import (
    CreateSale,
    CreateSaleCredit,
    MoveMoney,
    Pay,
    RemoveMoney,
    RemovePayment,
    VoidCredit,
)
from xerosync.engine.chain_books import lines_of
from xerosync.engine.given_again import UNDONE
from xerosync.engine.intents import Intent
from xerosync.engine.mirror import PAYMENTS
from xerosync.engine.observed import intents_with, stamped
from xerosync.engine.paper_actions import VoidSale
from xerosync.engine.settlement_books import COUNTER, SURPLUS
from xerosync.engine.states import OPEN, State
from xerosync.engine.transactions import all_transactions
from xerosync.errors import InvalidInput
from xerosync.mapping.declines import DeclineReason
from xerosync.mapping.transactions import Transaction, TransactionStatus
from xerosync.models import Payment, PaymentStatus
from xerosync.money import Money, exactly
from xerosync.tables import Tabular

PER_PAGE: Final = 1000

_BROUGHT_IN: Final = (Pay.kind, MoveMoney.kind, CreateSaleCredit.kind)
_TOOK_BACK: Final = (RemovePayment.kind, RemoveMoney.kind, VoidCredit.kind)


class Standing(StrEnum):
    """How a transaction stands, by what was settled for it, and what the host last said of it."""

    PENDING = "pending"
    """Nothing has come of it yet."""
    APPROVED = "approved"
    """Its money came in, all or a part, and stands."""
    DECLINED = "declined"
    """Nothing came in, and nothing will."""
    CHARGED_BACK = "charged back"
    """Its money came in, and was taken back."""
    DELETED = "deleted"
    """It was deleted, or is to be: nothing was due any more."""


def standing_of(wanted: Standing | str | None) -> Standing | None:
    """The standing that is *wanted*; None for all. Raises `InvalidInput` for one there is not."""
    try:
        return None if wanted is None else Standing(wanted)
    except ValueError:
        raise InvalidInput("standing", f"give one of {', '.join(Standing)}") from None


@frozen(kw_only=True, repr=False)
class ReportedTransaction:
    """
    A *transaction* with its *standing*, what was *collected* for it and stands, and the *settlements* that said so.

    While a write for it is *in_doubt*, what was collected may be more or less.
    """

    transaction: Transaction
    standing: Standing
    collected: Money
    settlements: tuple[str, ...] = ()
    in_doubt: bool = False

    @property
    def reason(self) -> DeclineReason | None:
        """Why it was last declined, or charged back; None where nobody said."""
        return self.transaction.declines[-1].reason if self.transaction.declines else None

    def __repr__(self) -> str:
        return f"<ReportedTransaction {self.transaction.id} {self.standing}>"


@frozen(kw_only=True, repr=False)
class TransactionReport(Tabular):
    """
    One *page* of *pages*, of up to a thousand transactions unless asked for fewer, in the order of their days.

    *tallies* counts all that were asked for, by standing, not those of the page alone.
    """

    lines: tuple[ReportedTransaction, ...]
    page: int
    pages: int
    tallies: Mapping[str, int]

    def __iter__(self) -> Iterator[ReportedTransaction]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def rows(self) -> list[dict[str, str]]:
        """One row a transaction, for a table or a dataframe. Rows hold amounts: mind where they are shown."""
        return [_row(line) for line in self.lines]

    def __str__(self) -> str:
        counts = " · ".join(f"{count:,} {standing}" for standing, count in self.tallies.items()) or "no transactions"
        return f"page {self.page} of {self.pages}: {counts}"

    def __repr__(self) -> str:
        return f"<TransactionReport page {self.page} of {self.pages}>"


@frozen(kw_only=True)
class ReportWanted:
    """Which transactions are reported: those of one *standing*, with a day from *first* to *last*, on this *page*."""

    standing: Standing | None = None
    first: date | None = None
    last: date | None = None
    page: int = 1
    per_page: int = PER_PAGE

    def __attrs_post_init__(self) -> None:
        if self.page < 1:
            raise InvalidInput("page", "give a page from 1 on")
        if not 1 <= self.per_page <= PER_PAGE:
            raise InvalidInput("per_page", f"give 1 to {PER_PAGE:,}")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise InvalidInput("last", "give a day that is not before the first")

    def holds(self, line: ReportedTransaction) -> bool:
        """Whether *line* is asked for."""
        on = _day(line.transaction)
        return (
            (self.standing is None or line.standing is self.standing)
            and (self.first is None or on >= self.first)
            and (self.last is None or on <= self.last)
        )


async def transaction_report(books: Books, wanted: ReportWanted) -> TransactionReport:
    """The page that is *wanted*, from the store: as fresh as what was last read from Xero."""
    written: dict[str, list[Intent]] = defaultdict(list)
    undone: set[str] = set()
    for kind in (*_TOOK_BACK, VoidSale.kind, *_BROUGHT_IN, CreateSale.kind):
        for intent in await intents_with(books, lookup=("kind", kind)):
            if UNDONE in intent.facts and intent.state is State.CONFIRMED:
                undone.add(intent.target)
            elif intent.xero_id not in undone:
                written[intent.facts.get("transaction", "")].append(intent)
    paid = [each.xero_id for group in written.values() for each in group if each.operation.kind == Pay.kind]
    payments = await stamped(books, PAYMENTS, Payment, filter(None, paid))
    gone = {key for key, (payment, _) in payments.items() if payment.status == PaymentStatus.DELETED}
    lines = [reported(each, written.get(each.id, ()), gone) for each in await all_transactions(books)]
    return paged(lines, wanted)


def paged(lines: Iterable[ReportedTransaction], wanted: ReportWanted) -> TransactionReport:
    """The page of *lines* that is *wanted*."""
    asked = sorted(
        (each for each in lines if wanted.holds(each)), key=lambda each: (_day(each.transaction), each.transaction.id)
    )
    counted = Counter(each.standing for each in asked)
    start = (wanted.page - 1) * wanted.per_page
    return TransactionReport(
        lines=tuple(asked[start : start + wanted.per_page]),
        page=wanted.page,
        pages=max(1, -(-len(asked) // wanted.per_page)),
        tallies={each.value: counted[each] for each in Standing if counted[each]},
    )


@exactly
def reported(transaction: Transaction, written: Sequence[Intent], gone: AbstractSet[str]) -> ReportedTransaction:
    """
    How *transaction* stands by all that was *written* for it; *gone* are the payments that were removed in Xero.

    What the host said of it ends it; else its money says how it stands.
    """
    done = [each for each in written if each.state is State.CONFIRMED]
    undone = {each.operation.host_ref for each in done if each.operation.kind in _TOOK_BACK}
    collected = Decimal(0)
    for each in done:
        name = each.operation.host_ref
        if each.operation.kind == Pay.kind and name not in undone and each.xero_id not in gone:
            collected += Decimal(str(each.payload["Amount"]))
        elif name.startswith(SURPLUS) and each.operation.kind in _BROUGHT_IN and name not in undone:
            collected += Decimal(each.facts["effect"])
        elif name.startswith(COUNTER) and each.operation.kind == CreateSale.kind:
            collected -= lines_of(each)
    charged_back = any("charged_back_by" in each.facts for each in done)
    settled = {
        (each.facts.get("settled_on", ""), each.facts["settlement"])
        for each in done
        if "settlement" in each.facts and "charged_back_by" not in each.facts
    }
    return ReportedTransaction(
        transaction=transaction,
        standing=_standing(transaction, has_money=collected > 0, charged_back=charged_back),
        collected=Money(collected, transaction.amount.currency),
        settlements=tuple(dict.fromkeys(settlement for _, settlement in sorted(settled) if settlement)),
        in_doubt=any(each.state in OPEN for each in written),
    )


def _standing(transaction: Transaction, *, has_money: bool, charged_back: bool) -> Standing:
    match transaction.status:
        case TransactionStatus.DECLINED:
            return Standing.DECLINED
        case TransactionStatus.CHARGED_BACK:
            return Standing.CHARGED_BACK
        case TransactionStatus.DELETED:
            return Standing.DELETED
        case status if has_money or (status is TransactionStatus.APPROVED and not charged_back):
            return Standing.APPROVED
        case _ if charged_back:
            return Standing.CHARGED_BACK
        case _:
            return Standing.DELETED if transaction.cancelled else Standing.PENDING


def _day(transaction: Transaction) -> date:
    return transaction.on or transaction.due or date.max


def _row(line: ReportedTransaction) -> dict[str, str]:
    transaction = line.transaction
    return {
        "transaction": transaction.id,
        "customer": transaction.customer,
        "invoice_number": transaction.invoice_number,
        "on": str(transaction.on or ""),
        "amount": str(transaction.amount),
        "standing": line.standing.value,
        "collected": str(line.collected),
        "reason": line.reason.words if line.reason is not None else "",
        "settlements": ", ".join(line.settlements),
    }
