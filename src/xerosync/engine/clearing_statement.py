"""The clearing account over some days: opening + in − out = closing, proven against Xero's own balance at both ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from decimal import Decimal
from operator import attrgetter

from attrs import evolve, frozen

from xerosync.engine.clearing import (
    OTHER_MOVEMENTS,
    ClearingReport,
    ExceptionItem,
    explain_clearing,
    other_movements,
)
from xerosync.engine.entries import Entry, balance_of, entries_on
from xerosync.engine.movements import Movements, amount_on, gone_from, signed_payment, signed_transfer
from xerosync.engine.pages import Cell, Section, page
from xerosync.engine.ticked import Ticked
from xerosync.models import AccountId, BankTransactionStatus, PaymentStatus
from xerosync.money import Money, exactly
from xerosync.tables import Tabular


@frozen(kw_only=True, repr=False)
class ClearingMovement:
    """
    An amount that moved on the account on one day, debit positive; *ours* says whether the library posted it.

    *about* is Xero's id of it; empty for the rest that nothing explains, journals and lines of other documents, and for
    what moved on one day and a brief report puts together: *count* says how many.
    """

    on: date
    what: str
    about: str
    amount: Money
    ours: bool
    count: int = 1

    def __repr__(self) -> str:
        return f"<ClearingMovement {self.what}>"


@frozen(kw_only=True, repr=False)
class ClearingStatement(Tabular):
    """
    What moved on a clearing account from *first* to *last*, both included.

    *opening* explains the balance that Xero gives for the day before, *closing* the one of the last day. Between them
    stands every movement, so that opening + in − out = closing, and closing = in flight + listed exceptions. *removed*
    is what the library posted in these days and somebody removed in Xero, each with the amount that it moved before.
    """

    first: date
    last: date
    opening: ClearingReport
    closing: ClearingReport
    movements: tuple[ClearingMovement, ...]
    removed: tuple[ClearingMovement, ...] = ()

    @property
    def money_in(self) -> Money:
        """What came in, all of it."""
        return self._total(1)

    @property
    def money_out(self) -> Money:
        """What went out, all of it, as a positive amount."""
        return -self._total(-1)

    @property
    def exceptions(self) -> tuple[ExceptionItem, ...]:
        """What of the closing balance is not in flight and was not there before the first day."""
        rest = _rest(self.closing) - _rest(self.opening)
        before = {(each.code, each.about, each.amount) for each in self.opening.exceptions}
        listed = [each for each in self.closing.exceptions if each.code != OTHER_MOVEMENTS]
        found = [each for each in listed if (each.code, each.about, each.amount) not in before]
        return (*found, *([other_movements(rest)] if rest else []))

    @property
    def proven(self) -> bool:
        """Whether both sums hold; they always do, since what nothing explains is listed as such."""
        moved = self.opening.balance + self.money_in - self.money_out == self.closing.balance
        return moved and self.opening.explained and self.closing.explained

    def rows(self) -> list[dict[str, str]]:
        """The statement line by line, for a table. Rows hold amounts: mind where they are shown."""
        ends = [
            {"on": "", "what": what, "amount": str(report.balance), "about": "", "ours": ""}
            for what, report in (("opening", self.opening), ("closing", self.closing))
        ]
        moved = [
            {
                "on": each.on.isoformat(),
                "what": each.what,
                "amount": str(each.amount),
                "about": each.about,
                "ours": "yes" if each.ours else "no",
            }
            for each in self.movements
        ]
        return [ends[0], *moved, ends[1]]

    def json(self) -> str:
        """The whole statement as JSON; amounts are strings."""
        told = {
            "account": self.closing.account,
            "currency": self.closing.balance.currency,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "opening": str(self.opening.balance.amount),
            "in": str(self.money_in.amount),
            "out": str(self.money_out.amount),
            "closing": str(self.closing.balance.amount),
            "in_flight": str(self.closing.in_flight.amount),
            "proven": self.proven,
            "in_base": None if self.closing.in_base is None else self.closing.in_base.told(),
            "movements": [row | {"amount": row["amount"].partition(" ")[0]} for row in self.rows()[1:-1]],
            "exceptions": [
                {
                    "code": each.code,
                    "about": each.about,
                    "amount": str(each.amount.amount),
                    "cause": each.cause,
                    "fix": each.fix,
                }
                for each in self.closing.exceptions
            ],
        }
        return json.dumps(told, ensure_ascii=False)

    def html(self) -> str:
        """One self-contained page, to be kept, sent or printed."""
        listed = [
            [Cell(each.code), Cell(str(each.amount)), Cell(each.cause), Cell(each.fix)]
            for each in self.closing.exceptions
        ]
        flight = [Cell("in flight"), Cell(str(self.closing.in_flight)), Cell("posted, and not yet paid out"), Cell("")]
        explained = Section(
            heading="Why the balance is what it is",
            columns=("what", "amount", "why", "what to do"),
            rows=[flight, *listed],
        )
        return page(f"Clearing account, {self.first} to {self.last}", [explained, self.section()])

    def section(self) -> Section:
        """Every movement, as a part of a page."""
        return Section(
            heading="What moved",
            says=f"Opening {self.opening.balance}, in {self.money_in}, out {self.money_out}, closing "
            f"{self.closing.balance}; {self._proof}.",
            columns=("on", "what", "amount", "posted here"),
            rows=[[Cell(row["on"]), Cell(row["what"]), Cell(row["amount"]), Cell(row["ours"])] for row in self.rows()],
        )

    @property
    def _proof(self) -> str:
        """What the balances rest on."""
        opening, closing = self.opening.in_base, self.closing.in_base
        if opening is None or closing is None:
            return "both balances are Xero's own"
        return f"in Xero the account was worth {opening} before, and {closing} at the end"

    def _total(self, sign: int) -> Money:
        amounts = (each.amount for each in self.movements if (each.amount.amount > 0) == (sign > 0))
        return Money.total(amounts, self.closing.balance.currency)

    def __str__(self) -> str:
        head = (
            f"{self.first} to {self.last}: opening {self.opening.balance} + in {self.money_in} − out {self.money_out} "
            f"= closing {self.closing.balance}"
        )
        return f"{head}\n{self.closing}"

    def __repr__(self) -> str:
        return f"<ClearingStatement of {len(self.movements)} movements>"


def _rest(report: ClearingReport) -> Money:
    """What of the balance nothing explains, of all days before: each day may add to it."""
    found = (each.amount for each in report.exceptions if each.code == OTHER_MOVEMENTS)
    return Money.total(found, report.balance.currency)


@exactly
def state_clearing(
    *,
    account: AccountId,
    first: date,
    last: date,
    opening: Money,
    closing: Money,
    movements: Movements,
    currency: str | None = None,
    ticked: Ticked | None = None,
) -> ClearingStatement:
    """
    The statement of *account* from the *movements* of all days, and Xero's balances before *first* and on *last*.

    It is in the *currency* that the account is kept in, where that is another than the balances'. What was *ticked* off
    besides is in it with the sum of each day.
    """
    gone = [each for each in entries_on(account, movements, currency or closing.currency) if _is_gone(each)]
    until, by_then = as_at(movements, first - timedelta(days=1)), as_at(movements, last)
    kept_in = currency or closing.currency
    others = ticked or Ticked(currency=kept_in)
    before = explain_clearing(
        account=account,
        balance=opening,
        movements=until,
        own=balance_of(account, until, kept_in),
        ticked=others.by(first - timedelta(days=1)),
        removed=[_removed(each) for each in gone if _day_of(each) < first],
    )
    after = explain_clearing(
        account=account,
        balance=closing,
        movements=by_then,
        own=balance_of(account, by_then, kept_in),
        ticked=others.by(last),
        removed=[_removed(each) for each in gone if _day_of(each) <= last],
    )
    opening, closing = before.balance, after.balance
    away = {*gone_from(movements), *(each.xero_id for each in gone)}
    listed = (*_moved(account, movements, closing.currency, away), *_ticked(others))
    moved = [each for each in listed if first <= each.on <= last]
    rest = closing - opening - Money.total((each.amount for each in moved), closing.currency)
    if rest:
        moved.append(ClearingMovement(on=last, what="other movements", about="", amount=rest, ours=False))
    return ClearingStatement(
        first=first,
        last=last,
        opening=before,
        closing=after,
        movements=tuple(sorted(moved, key=attrgetter("on", "what", "about"))),
        removed=tuple(
            ClearingMovement(on=_day_of(each), what=each.what, about=each.xero_id, amount=each.recorded, ours=True)
            for each in gone
            if first <= _day_of(each) <= last
        ),
    )


def _is_gone(entry: Entry) -> bool:
    """Whether the library posted *entry*, and somebody else removed it."""
    return entry.intent is not None and bool(entry.recorded) and not entry.actual


def _day_of(gone: Entry) -> date:
    return gone.recorded_on or date.min


def _removed(gone: Entry) -> ExceptionItem:
    did = "removed" if gone.is_removed else "moved to another account"
    return ExceptionItem(
        code="removed in Xero" if gone.is_removed else "changed in Xero",
        about=gone.xero_id,
        amount=-gone.recorded,
        cause=f"its {gone.what} was posted here, and {did} in Xero by somebody else",
        fix="find out why; then put it back by a plan of reconcile(), or leave it",
    )


def _ticked(ticked: Ticked) -> Iterator[ClearingMovement]:
    for day, (count, amount) in ticked.days.items():
        what = f"{count:,} payment{'s' * (count != 1)}"
        money = Money(amount, ticked.currency)
        yield ClearingMovement(on=day, what=what, about="", amount=money, ours=True, count=count)
    for (day, kind), (count, amount) in ticked.costs.items():
        what = f"{count:,} {kind}{'s' * (count != 1)}"
        money = Money(amount, ticked.currency)
        yield ClearingMovement(on=day, what=what, about="", amount=money, ours=True, count=count)


def as_at(movements: Movements, on: date) -> Movements:
    """Those of *movements* that had happened by the end of the day *on*."""
    return evolve(
        movements,
        payments=[each for each in movements.payments if each.date is None or each.date <= on],
        # What is gone says so whatever its day.
        transactions=[
            each
            for each in movements.transactions
            if each.date is None or each.date <= on or each.status != BankTransactionStatus.AUTHORISED
        ],
        transfers=[
            each
            for each in movements.transfers
            if each.date is None or each.date <= on or each.status == PaymentStatus.DELETED
        ],
        moved={
            xero_id: intent
            for xero_id, intent in movements.moved.items()
            if "dated" not in intent.facts or date.fromisoformat(intent.facts["dated"]) <= on
        },
    )


def _moved(
    account: AccountId, movements: Movements, currency: str, gone: AbstractSet[str]
) -> Iterator[ClearingMovement]:
    """Each amount that moved on *account*, ours as it was posted, but for what is *gone*, and others' as they stand."""
    for payment in movements.payments:
        if payment.status != PaymentStatus.DELETED and payment.date is not None:
            yield ClearingMovement(
                on=payment.date,
                what="payment",
                about=payment.payment_id or "",
                amount=signed_payment(payment, currency),
                ours=payment.payment_id in movements.paid,
            )
    for xero_id, intent in movements.moved.items():
        if xero_id not in gone and "dated" in intent.facts:
            yield ClearingMovement(
                on=date.fromisoformat(intent.facts["dated"]),
                what=intent.operation.kind.replace("_", " "),
                about=xero_id,
                amount=Money(Decimal(intent.facts["effect"]), currency),
                ours=True,
            )
    for each in movements.transactions:
        amount = amount_on(account, each, currency)
        if each.bank_transaction_id not in movements.moved and amount and each.date is not None:
            yield ClearingMovement(
                on=each.date,
                what="bank transaction",
                about=each.bank_transaction_id or "",
                amount=amount,
                ours=each.bank_transaction_id in movements.others,
            )
    for transfer in movements.transfers:
        amount = signed_transfer(account, transfer, movements, currency)
        if transfer.bank_transfer_id not in movements.moved and amount and transfer.date is not None:
            yield ClearingMovement(
                on=transfer.date,
                what="transfer",
                about=transfer.bank_transfer_id or "",
                amount=amount,
                ours=transfer.bank_transfer_id in movements.others,
            )
