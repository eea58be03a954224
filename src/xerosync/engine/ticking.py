"""
Ticking off what stands on a clearing account just as it was posted, and just as a settlement says.

Nearly all of an account is so. What is ticked off is remembered as a number of 60 bits each, and as a sum a day, so
that a million payments fit where a million objects would not; only what is left is looked at in full.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Final, Literal, TypeVar

import msgspec
from attrs import define, evolve, field, frozen

from xerosync.client._wire import dates
from xerosync.engine.actions import Pay
from xerosync.engine.intents import Intent
from xerosync.engine.states import State
from xerosync.engine.ticked import BITS, Noted, Numbers, Tally, Ticked, number_of
from xerosync.errors import InvalidInput
from xerosync.mapping.settlement import (
    ONE_CURRENCY,
    LineKind,
    Settlement,
    SettlementLine,
    SettlementProof,
    is_more_than_lines,
)
from xerosync.models import AccountId
from xerosync.money import Money, exactly
from xerosync.storage.protocol import Record

T = TypeVar("T")

_IN: Final = frozenset({LineKind.COLLECTED, LineKind.REINSTATED})
_NOTHING: Final = (0, Decimal(0))


class _Account(msgspec.Struct, rename={"id": "AccountID"}, gc=False):
    id: str = ""


class _Payload(msgspec.Struct, rename="pascal", gc=False):
    amount: Decimal
    date: str
    account: _Account | None = None


class _Facts(msgspec.Struct, gc=False):
    transaction: str = ""
    settlement: str = ""
    line: str = LineKind.COLLECTED.value
    currency: str = ""
    collected: Decimal | None = None
    settled_on: str = ""
    surplus: str | None = None
    settled: str | None = None
    charged_back_by: str | None = None
    restored: str | None = None
    account: str = ""


class PaidLine(msgspec.Struct, gc=False):
    """What an intent's record says of a payment, as far as it matters here."""

    kind: str
    host_ref: str
    revision: int
    payload: _Payload
    xero_id: str | None
    facts: _Facts

    @property
    def payment(self) -> int:
        """What tells the payment from all others, and from itself with another amount or day."""
        return hash((self.xero_id, self.payload.amount, self.payload.date)) & BITS

    @property
    def line(self) -> int:
        """What tells the settlement's line from all others, and from itself with anything else about it."""
        facts, on = self.facts, self.settled_on
        return hash((self.host_ref, facts.transaction, self.payload.amount, on, facts.settlement, facts.line)) & BITS

    @property
    def settled_on(self) -> str:
        """The day of its settlement, which a payment that was dated ahead does not bear."""
        return self.facts.settled_on or self.payload.date

    def as_given(self, currency: str) -> SettlementLine:
        """The settlement's line, as it was when its payment was ticked off."""
        amount = Money(self.payload.amount, currency)
        return SettlementLine(
            id=self.host_ref, transaction=self.facts.transaction, amount=amount, kind=LineKind(self.facts.line)
        )


class _Paid(msgspec.Struct, rename={"currency": "CurrencyCode"}, gc=False):
    currency: str | None = None


class StandingPayment(msgspec.Struct, rename="pascal", gc=False):
    """What the mirror says of a payment that stands and brought money in, as far as it matters here."""

    amount: Decimal
    date: str
    payment_type: Literal["ACCRECPAYMENT"]
    status: Literal["AUTHORISED"]
    bank_amount: Decimal | None = None
    invoice: _Paid | None = None
    account: _Account | None = None


_written: Final = msgspec.json.Decoder(PaidLine)
_payment: Final = msgspec.json.Decoder(StandingPayment)


def read_paid(record: Record) -> PaidLine | None:
    """What an intent's *record* says of the payment of a line; None where that is not all there."""
    try:
        return _written.decode(record.body)
    except msgspec.ValidationError:
        return None  # it keeps less of its payment, or something else was written


def read_standing(record: Record) -> StandingPayment | None:
    """What the mirror's *record* says of a payment that stands and brought money in; None of any other."""
    try:
        return _payment.decode(record.body)
    except msgspec.ValidationError:
        return None


@frozen
class Reader:
    """How records are read: the intents of payments, and the *standing* ones of the mirror."""

    paid: Callable[[Record], PaidLine | None] = read_paid
    standing: Callable[[Record], StandingPayment | None] = read_standing

    @classmethod
    def once(cls) -> Reader:
        """One that reads each record once, and keeps what it says."""
        return cls(paid=_once(read_paid), standing=_once(read_standing))


def _once(read: Callable[[Record], T]) -> Callable[[Record], T]:
    kept: dict[str, tuple[int, T]] = {}

    def reading(record: Record) -> T:
        found = kept.get(record.key)
        if found is None or found[0] != record.version:
            found = kept[record.key] = record.version, read(record)
        return found[1]

    return reading


@lru_cache(maxsize=4096)
def _day(text: str) -> tuple[date, str]:
    day = dates.day(text)
    return day, day.isoformat()


@frozen(kw_only=True, repr=False)
class Condensed(Settlement):
    """
    A settlement of which only some lines are left to look at.

    Those that were ticked off, *count* in all, came to *ticked*, which is still in its sum, on the *account*;
    *besides* gives whatever else was written for it; where that is None, *is_ticked* knows by its record what was not.
    """

    ticked: Money
    count: int
    account: AccountId
    is_ticked: Callable[[Record], bool]
    besides: Sequence[Intent] | None

    def laid_by(self) -> Condensed:
        """What of it is kept for later, which holds nothing of how it was looked at."""
        return evolve(self, is_ticked=_never, besides=None)

    def with_line(self, line: SettlementLine) -> Condensed:
        """This settlement once *line*, which was ticked off, is to be looked at again."""
        return evolve(self, lines=(*self.lines, line), ticked=self.ticked - line.amount, count=self.count - 1)

    @property
    def proof(self) -> SettlementProof:
        """The sum of the whole settlement."""
        besides = (*self.lines, *self.all_fees, *self.adjustments, self.reserve, self.net)
        if self.count and all(each is None for each in besides):
            none = Money.zero(self.ticked.currency)
            return SettlementProof(gross=self.ticked, returned=none, fees=none, reserve=none, adjustments=none)
        rest = super().proof
        if not self.count:
            return rest
        if rest.gross.currency != self.ticked.currency:
            raise InvalidInput("currency", ONE_CURRENCY)
        return evolve(rest, gross=rest.gross + self.ticked)


def _never(_: Record) -> bool:
    return False


@define(eq=False)
class Ticking:
    """
    Ticks off payments into an *account* kept in the organisation's own *currency*, up to the day *last*.

    A line that is *touched* is never ticked off: something else was written for it besides its payment. Settlements
    *with_costs* are looked at, those of which fees or payouts were posted; *is_ticked* and *besides* are handed to
    them. What stands from before *first* on is in flight whether or not its settlement is given. *was_ticked* knows
    the lines that were ticked off earlier, in the sums of whose *days* this one goes on; *elsewhere* are the numbers of
    settlements some of which was posted to another account. *read* reads the records.
    """

    account: AccountId
    currency: str
    first: date | None
    last: date | None
    touched: AbstractSet[str]
    with_costs: AbstractSet[str]
    removed: AbstractSet[str]
    is_ticked: Callable[[Record], bool]
    besides: Callable[[str], Sequence[Intent]]
    was_ticked: Callable[[str], bool] = lambda _: False
    read: Reader = field(factory=Reader)
    days: dict[date, tuple[int, Decimal]] = field(factory=dict[date, "tuple[int, Decimal]"])
    elsewhere: set[int] = field(factory=set[int])
    doubted: list[str] = field(factory=list[str])
    _own: frozenset[str | None] = field(init=False)
    """How its own currency is told, where it is."""
    _posted: set[int] = field(factory=set[int])
    _named: array[int] = field(factory=lambda: array("q"))
    _early: array[int] = field(factory=lambda: array("q"))
    _out: set[int] = field(factory=set[int])
    _left: Tally = field(factory=Tally)
    _met: array[int] = field(factory=lambda: array("q"))
    _names: array[int] = field(factory=lambda: array("q"))
    _settlements: set[int] = field(factory=set[int])

    def __attrs_post_init__(self) -> None:
        self._own = frozenset({None, "", self.currency})

    def posted(self, page: Iterable[Record]) -> list[Record]:
        """
        Note what *page*, of payments' intents, posted to the account.

        What must be looked at in full comes back, and what was not posted.
        """
        left: list[Record] = []
        for record in page:
            written = self.read.paid(record) if record.state == State.CONFIRMED else None
            if written is None or not self._is_plain(written):
                left.append(record)
            elif not self._is_here(written):
                self.elsewhere.add(hash(written.facts.settlement) & BITS)
            elif (payment := written.payment) in self._posted:
                self.doubted.append(written.xero_id or "")
            else:
                self._posted.add(payment)
                self._names.append(number_of(written.host_ref))
                early = self.first is not None and date.fromisoformat(written.settled_on) < self.first
                (self._early if early else self._named).append(written.line)
        return left

    def withdraw(self, intents: Iterable[Record]) -> None:
        """Tick off nothing that *intents* posted, before any payment was looked at."""
        for _, written in self._noted(intents):
            self._posted.discard(written.payment)
            self._out.add(written.line)

    @exactly
    def standing(self, page: Iterable[Record]) -> list[Record]:
        """Tick off what of *page*, of payments on the account, stands as it was posted; the rest comes back."""
        left: list[Record] = []
        for record in page:
            payment = self.read.standing(record)
            if payment is None:
                left.append(record)
                continue
            try:
                day, on = _day(payment.date)
            except ValueError:
                left.append(record)
                continue
            number = hash((record.key, payment.amount, on)) & BITS
            if number in self._posted and self._stands(payment, day):
                self._posted.remove(number)
                count, amount = self.days.get(day, _NOTHING)
                self.days[day] = count + 1, amount + payment.amount
            else:
                left.append(record)
        return left

    @property
    def is_unmet(self) -> bool:
        """Whether something was posted to the account, and is not on it as it was posted."""
        return bool(self._posted)

    def unmet(self, page: Iterable[Record]) -> list[Record]:
        """Those of *page*, of payments' intents, whose payment was not met as it was posted."""
        return [record for record, written in self._noted(page) if written.payment in self._posted]

    @exactly
    def forget(self, intents: Iterable[Record]) -> None:
        """Look at what *intents* posted in full, whether their payments were ticked off or not."""
        for _, written in self._noted(intents):
            if written.line in self._out:
                continue
            self._out.add(written.line)
            if written.payment in self._posted:
                self._posted.remove(written.payment)
            elif written.line in self._in_order():  # else another run has posted it since, and it was never noted
                self._take_off(written)

    def turn_to_lines(self) -> None:
        """All payments have been looked at: what was posted is now to be met by the lines of settlements."""
        self._posted = set()
        left = self._in_order()
        for number in self._out:
            left.strike(left.place(number))

    @exactly
    def condensed(self, settlement: Settlement) -> Condensed | None:
        """*settlement* without the lines that are ticked off; None where nothing is left of it."""
        self._settlements.add(number_of(settlement.id))
        whole = is_more_than_lines(settlement) or settlement.id in self.with_costs
        # A line may be called as its settlement is; what is found about such a one is not told apart.
        name, on = settlement.id, settlement.on.isoformat()
        numbers = [self._number(line, name, on) if not whole or line.id != name else None for line in settlement.lines]
        places = [-1 if number is None else self._left.place(number) for number in numbers]
        # What a charge-back takes back is looked at with it.
        together = {line.transaction for line, place in zip(settlement.lines, places, strict=True) if place < 0}
        left: list[SettlementLine] = []
        ticked = Decimal(0)
        for line, place in zip(settlement.lines, places, strict=True):
            if line.transaction in together or not self._left.strike(place):
                left.append(line)
                continue
            self._met.append(hash(line.id))
            ticked += line.amount.amount
        if settlement.lines and not left and not whole:
            return None
        return self._condensed(settlement, left, Money(ticked, self.currency))

    def met(self, names: Iterable[str]) -> list[str]:
        """Those of the lines *names* that were ticked off."""
        wanted = {hash(name): name for name in names}
        before = [name for name in wanted.values() if self.was_ticked(name)]
        return [*before, *(wanted[number] for number in self._met if number in wanted)]

    def is_named(self) -> bool:
        """Whether something was posted on or after the first day, for lines that no settlement has."""
        for number in self._early:
            self._left.strike(self._left.place(number))
        return self._left.count > 0

    def named(self, page: Iterable[Record]) -> list[Record]:
        """Those of *page*, of payments' intents, that posted it."""
        return [record for record, written in self._noted(page) if written.line in self._left]

    @exactly
    def untick(self, intents: Iterable[Record], met: Collection[str] = ()) -> list[Record]:
        """Those of *intents* that were ticked off, for no line yet or for one of *met*; they are no more."""
        found: list[Record] = []
        for record, written in self._noted(intents):
            if self._left.strike(self._left.place(written.line)) or written.host_ref in met:
                self._take_off(written)
                found.append(record)
        return found

    def noted(self) -> Noted:
        """What `posted` noted, and `condensed` met."""
        names, settlements = (Numbers(array("q", sorted(each))) for each in (self._names, self._settlements))
        return Noted(names=names, lines=Numbers(self._left.ordered), settlements=settlements)

    def done(self) -> Ticked:
        """What is ticked off."""
        return Ticked(currency=self.currency, days={day: each for day, each in self.days.items() if each[0]})

    def has_noted(self, record: Record) -> bool:
        """Whether `posted` noted what the intent of *record* posted, of a line that a settlement has."""
        return any(written.line not in self._left for _, written in self._noted([record]))

    def _in_order(self) -> Tally:
        """The lines of all that `posted` noted; nothing more is noted once they were asked for."""
        if not self._left.ordered:
            self._left = Tally.of(chain(self._named, self._early))
        return self._left

    def _number(self, line: SettlementLine, settlement: str, on: str) -> int | None:
        is_plain = line.kind in _IN and line.settled is None and not line.agreed_anew
        if not is_plain or line.amount.currency != self.currency:
            return None
        # A kind's hash is that of its word.
        return hash((line.id, line.transaction, line.amount.amount, on, settlement, line.kind)) & BITS

    def _condensed(self, settlement: Settlement, left: Sequence[SettlementLine], ticked: Money) -> Condensed:
        count = len(settlement.lines) - len(left)
        if isinstance(settlement, Condensed):
            ticked, count = ticked + settlement.ticked, count + settlement.count
        return Condensed(
            id=settlement.id,
            on=settlement.on,
            lines=tuple(left),
            fees=settlement.fees,
            adjustments=settlement.adjustments,
            reserve=settlement.reserve,
            net=settlement.net,
            paid_out_on=settlement.paid_out_on,
            rate=settlement.rate,
            ticked=ticked,
            count=count,
            account=self.account,
            is_ticked=self.is_ticked,
            besides=self.besides(settlement.id) if hash(settlement.id) & BITS not in self.elsewhere else None,
        )

    def _noted(self, page: Iterable[Record]) -> Iterator[tuple[Record, PaidLine]]:
        """Those of *page* that `posted` noted."""
        for record in page:
            written = self.read.paid(record) if record.state == State.CONFIRMED else None
            if written is not None and self._is_plain(written) and self._is_here(written):
                yield record, written

    def _is_here(self, written: PaidLine) -> bool:
        return written.payload.account is None or written.payload.account.id == self.account

    def _is_plain(self, written: PaidLine) -> bool:
        """Whether *written* is the one payment of a line, and nothing else ever became of that."""
        facts = written.facts
        return (
            written.kind == Pay.kind
            and written.revision == 1
            and written.xero_id is not None
            and bool(facts.transaction)
            and facts.currency in self._own
            and facts.surplus is facts.settled is facts.charged_back_by is facts.restored is None
            and (facts.collected is None or facts.collected == written.payload.amount)
            and written.host_ref not in self.touched
            and written.xero_id not in self.removed
        )

    def _stands(self, payment: StandingPayment, day: date) -> bool:
        """Whether *payment* brought in what it says, by the last day."""
        return (
            (payment.bank_amount is None or payment.bank_amount == payment.amount)
            and (payment.invoice is None or payment.invoice.currency in self._own)
            and (self.last is None or day <= self.last)
        )

    def _take_off(self, written: PaidLine) -> None:
        take_off(self.days, written)


def take_off(days: dict[date, tuple[int, Decimal]], paid: PaidLine) -> None:
    """Take the payment of *paid*, which was ticked off, out of the sums of *days*."""
    day = date.fromisoformat(paid.payload.date)
    count, amount = days[day]
    days[day] = count - 1, amount - paid.payload.amount
