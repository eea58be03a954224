"""What people typed in Xero before, and what of the host's it is: sure, or for a person to say. Pure decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

from attrs import define, evolve, field, frozen

from xerosync.engine.actions import Adopt, Seen
from xerosync.engine.plans import Finding
from xerosync.engine.states import State
from xerosync.money import Money, exactly
from xerosync.texts import plain_id

WHICH_ONE: Final = "which one is it"
NONE_OF_THEM: Final = ""
"""What is chosen where none of the candidates is it."""

TAKEN_OVER: Final = "taken over for another"
"""What is said of a candidate that is another one's already, and cannot be chosen."""

_OTHERWISE: Final = "another amount"
_NOT_IT: Final = "what was chosen is none of its candidates"
_CHOOSE: Final = "choose it with backfill(chosen={id: its Xero id}), or say with '' that none is"
_ONE_EACH: Final = "; a sum of several must become one for each in Xero first"
_NOT_BEFORE: Final = ": nothing is posted before"


@frozen(kw_only=True, repr=False)
class Suspect(Adopt):
    """Hold back a write, since somebody may have typed the same in Xero: until a person says so, it is not sent."""

    kind: ClassVar[str] = "doubt"
    ends: ClassVar[State] = State.SUSPECT


@frozen(kw_only=True, repr=False)
class Dismiss(Adopt):
    """Let a write that was held back be planned again: a person says that nothing in Xero is the same."""

    kind: ClassVar[str] = "dismissal"
    ends: ClassVar[State] = State.REJECTED


@frozen(kw_only=True, repr=False)
class Candidate:
    """What a person may have typed for something of the host's: its Xero id, *amount* and day, and what differs."""

    xero_id: str
    amount: Money
    on: date | None
    differs: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Candidate {self.xero_id}>"


@frozen(kw_only=True, repr=False)
class WhichOne(Finding):
    """A finding on something that people may have typed already: choose one of the *candidates*, or none of them."""

    candidates: tuple[Candidate, ...]


@frozen(kw_only=True)
class Paid:
    """The payment of a document that people typed: how it stood when the plan was made, and its day."""

    seen: Seen
    on: date | None


@frozen(kw_only=True)
class Typed:
    """
    A payment, or other movement, that people typed: *of* what, how much, when, and through which account.

    *seen* is how it stood when the plan was made: it may be removed before that is applied. *taken* is what of it is
    taken over already: the rest may be another's, but it cannot be chosen twice. *cleared* is what its lines took out
    of a clearing account that is no bank account; *paid* the payment of a bill or a credit note, and *otherwise* says
    how that is another. *pays* is the document that a payment stands on, where it was typed on another one.
    """

    seen: Seen
    of: str
    amount: Money
    on: date | None
    account: str
    taken: Decimal = Decimal(0)
    cleared: Decimal | None = None
    paid: Paid | None = None
    otherwise: str = ""
    pays: str = ""

    @property
    def is_free(self) -> bool:
        """Whether nothing of it is taken over."""
        return not self.taken

    @property
    def xero_id(self) -> str:
        """Its Xero id."""
        return self.seen.document_id


@frozen(kw_only=True)
class Wanted:
    """What the host's books hold and the library did not write: its *name*, *of* what it is, and how it should look."""

    name: str
    of: str
    amount: Money
    on: date
    account: str
    cleared: Decimal | None = None
    elsewhere: str = "through another account"

    def differs(self, typed: Typed) -> tuple[str, ...]:
        """What of *typed* is otherwise."""
        days = (typed.on - self.on).days if typed.on is not None else None
        told = [] if typed.amount == self.amount else [_OTHERWISE]
        if days:
            told.append(f"{abs(days)} {'day' if abs(days) == 1 else 'days'} {'later' if days > 0 else 'earlier'}")
        elif days is None:
            told.append("without a day")
        told += [self.elsewhere] if typed.account != self.account else []
        told += ["with other lines"] if typed.cleared != self.cleared else []
        told += [typed.otherwise] if typed.otherwise else []
        return (*told, *([TAKEN_OVER] if not typed.is_free else []))

    def may_be(self, typed: Typed, *, is_short: bool) -> bool:
        """
        Whether *typed*, of the same document, is perhaps it: of its amount; or of its day and account, mistyped, net of
        fees, or one sum for several; or, where what is left to pay is too short for it, whatever paid there.
        """
        if not _same_way(self.amount, typed.amount):
            return False
        if not typed.is_free:
            return (is_short or self._is_there(typed)) and abs(typed.amount.amount) - typed.taken >= abs(
                self.amount.amount
            )
        return is_short or typed.amount == self.amount or self._is_there(typed)

    def _is_there(self, typed: Typed) -> bool:
        """Whether *typed* is of the same day and account."""
        return (typed.on, typed.account) == (self.on, self.account)


@define
class Pairing:
    """What was found: *sure* ones by name, *doubtful* ones and those of which *none* is it with their candidates."""

    sure: dict[str, Typed] = field(factory=dict[str, Typed])
    doubtful: dict[str, tuple[Typed, ...]] = field(factory=dict[str, "tuple[Typed, ...]"])
    none: dict[str, tuple[Typed, ...]] = field(factory=dict[str, "tuple[Typed, ...]"])
    wrong: list[str] = field(factory=list[str])
    """Those for which something was chosen that is none of their candidates."""


@exactly
def pair(
    wanted: Sequence[Wanted], typed: Iterable[Typed], chosen: Mapping[str, str], due: Mapping[str, Decimal]
) -> Pairing:
    """
    Which of what was *typed* each of *wanted* is: sure where amount, day and account are the same.

    What a person has *chosen* goes before. Of several that are alike in all of it any is as good as the other. *due* is
    what is left to pay, by what it is of.
    """
    free: dict[str, list[Typed]] = defaultdict(list)
    for one in typed:
        free[one.of].append(one)
    found = Pairing()
    undecided: list[Wanted] = []
    for each in wanted:
        if each.name not in chosen:
            undecided.append(each)
        elif chosen[each.name] == NONE_OF_THEM:
            is_short = each.of in due
            found.none[each.name] = tuple(one for one in free[each.of] if each.may_be(one, is_short=is_short))
        else:
            listed = [one for one in free[each.of] if one.is_free and _same_way(each.amount, one.amount)]
            # A credit note that was given back in several parts is there once for each: that of the amount goes before.
            alike = {one.xero_id: one for one in listed if one.amount == each.amount}
            it = ({one.xero_id: one for one in listed} | alike).get(plain_id(chosen[each.name]))
            _take(each, it, free, found) if it is not None else found.wrong.append(each.name)
    left: list[Wanted] = []
    for each in undecided:
        exact = next((one for one in free[each.of] if not each.differs(one)), None)
        if exact is not None:
            _take(each, exact, free, found)
        else:
            left.append(each)
    found.doubtful |= _doubts(left, free, due)
    return found


def _doubts(
    wanted: Iterable[Wanted], free: Mapping[str, Sequence[Typed]], due: Mapping[str, Decimal]
) -> dict[str, tuple[Typed, ...]]:
    """The candidates of each of *wanted* that has any; those without are to be paid out of what is *due*."""
    found: dict[str, tuple[Typed, ...]] = {}
    unpaid = dict(due)
    for each in wanted:
        is_short = each.of in unpaid and each.amount.amount > unpaid[each.of]
        candidates = tuple(one for one in free.get(each.of, ()) if each.may_be(one, is_short=is_short))
        if candidates:
            found[each.name] = candidates
        elif each.of in unpaid:
            unpaid[each.of] -= each.amount.amount
    return found


def _same_way(one: Money, other: Money) -> bool:
    """Whether both are of one currency, and go the same way."""
    return one.currency == other.currency and (one.amount > 0) == (other.amount > 0)


def _take(wanted: Wanted, one: Typed, free: dict[str, list[Typed]], found: Pairing) -> None:
    found.sure[wanted.name] = one
    free[wanted.of].remove(one)
    if abs(one.amount.amount) > abs(wanted.amount.amount):
        free[wanted.of].append(evolve(one, taken=abs(wanted.amount.amount)))


def in_doubt(wanted: Wanted, candidates: Iterable[Typed]) -> WhichOne:
    """The finding on *wanted*, with the *candidates* that a person is to choose from."""
    listed = tuple(
        Candidate(
            xero_id=one.xero_id,
            amount=one.amount,
            on=one.on,
            differs=wanted.differs(one),
        )
        for one in candidates
    )
    is_sum = any(each.amount != wanted.amount for each in listed)
    return WhichOne(
        code=WHICH_ONE,
        about=wanted.name,
        cause="; ".join(_seen(each, wanted) for each in listed[:3]),
        fix=_CHOOSE + (_ONE_EACH if is_sum else "") + _NOT_BEFORE,
        worth=wanted.amount,
        candidates=listed,
    )


def _seen(candidate: Candidate, wanted: Wanted) -> str:
    if candidate.amount == wanted.amount:
        return f"one of the same amount is in Xero, {', '.join(candidate.differs)}"
    told = [each for each in candidate.differs if each != _OTHERWISE]
    return f"one of {abs(candidate.amount)} is in Xero, {', '.join(told) or 'on the same day'}"


def not_given(answered: Iterable[str], names: Collection[str]) -> list[Finding]:
    """The findings on what was *answered* of nothing that was given, by their *names*: a slip, or given elsewhere."""
    cause = "an answer was given for it, and nothing of this id was"
    fix = "give the answer under the id of what it is about, together with that"
    return [
        Finding(code="not among those given", about=each, cause=cause, fix=fix)
        for each in sorted({*answered} - {*names})
    ]


def not_it(wanted: Wanted) -> Finding:
    """The finding that what was chosen for *wanted* cannot be it."""
    fix = "choose one of its candidates, of the same document and currency, that is nothing else's" + _NOT_BEFORE
    return Finding(code="does not fit", about=wanted.name, cause=_NOT_IT, fix=fix, worth=wanted.amount)
