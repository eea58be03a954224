"""What people typed in Xero before, and what of the host's it is: sure, or for a person to say. Pure decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

from attrs import define, field, frozen

from xerosync.engine.actions import Adopt, Seen
from xerosync.engine.plans import Finding
from xerosync.engine.states import State
from xerosync.money import Money
from xerosync.texts import plain_id

WHICH_ONE: Final = "which one is it"
NONE_OF_THEM: Final = ""
"""What is chosen where none of the candidates is it."""

_NOT_IT: Final = "what was chosen is none of its candidates"


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
class Typed:
    """
    A payment, or other movement, that people typed: *of* what, how much, when, and through which account.

    *seen* is how it stood when the plan was made: it may be removed before that is applied.
    """

    seen: Seen
    of: str
    amount: Decimal
    on: date | None
    account: str

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

    def differs(self, typed: Typed) -> tuple[str, ...]:
        """What of *typed*, which is of the same amount, is otherwise."""
        days = (typed.on - self.on).days if typed.on is not None else None
        told: list[str] = []
        if days:
            told.append(f"{abs(days)} {'day' if abs(days) == 1 else 'days'} {'later' if days > 0 else 'earlier'}")
        elif days is None:
            told.append("without a day")
        return (*told, *(["through another account"] if typed.account != self.account else []))


@define
class Pairing:
    """What was found: *sure* ones by name, *doubtful* ones with their candidates, those of which *none* is it."""

    sure: dict[str, Typed] = field(factory=dict[str, Typed])
    doubtful: dict[str, tuple[Typed, ...]] = field(factory=dict[str, "tuple[Typed, ...]"])
    none: list[str] = field(factory=list[str])
    wrong: list[str] = field(factory=list[str])
    """Those for which something was chosen that is none of their candidates."""


def pair(wanted: Sequence[Wanted], typed: Iterable[Typed], chosen: Mapping[str, str]) -> Pairing:
    """
    Which of what was *typed* each of *wanted* is: sure where amount, day and account are the same.

    What a person has *chosen* goes before. Of several that are alike in all of it any is as good as the other.
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
            found.none.append(each.name)
        else:
            by_id = {one.xero_id: one for one in _alike(each, free)}
            it = by_id.get(plain_id(chosen[each.name]))
            _take(each, it, free, found) if it is not None else found.wrong.append(each.name)
    left: list[Wanted] = []
    for each in undecided:
        exact = next((one for one in _alike(each, free) if not each.differs(one)), None)
        if exact is not None:
            _take(each, exact, free, found)
        else:
            left.append(each)
    found.doubtful |= {each.name: tuple(candidates) for each in left if (candidates := _alike(each, free))}
    return found


def _alike(wanted: Wanted, free: Mapping[str, Sequence[Typed]]) -> list[Typed]:
    """What is free of the same document and amount."""
    return [one for one in free.get(wanted.of, ()) if one.amount == wanted.amount.amount]


def _take(wanted: Wanted, one: Typed, free: dict[str, list[Typed]], found: Pairing) -> None:
    found.sure[wanted.name] = one
    free[wanted.of].remove(one)


def in_doubt(wanted: Wanted, candidates: Iterable[Typed]) -> WhichOne:
    """The finding on *wanted*, with the *candidates* that a person is to choose from."""
    listed = tuple(
        Candidate(
            xero_id=one.xero_id,
            amount=Money(one.amount, wanted.amount.currency),
            on=one.on,
            differs=wanted.differs(one),
        )
        for one in candidates
    )
    return WhichOne(
        code=WHICH_ONE,
        about=wanted.name,
        cause="; ".join(f"one of the same amount is in Xero, {', '.join(each.differs)}" for each in listed[:3]),
        fix="choose it with backfill(chosen={id: its Xero id}), or say with '' that none is: nothing is posted before",
        worth=wanted.amount,
        candidates=listed,
    )


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
    fix = "choose one of its candidates, of the same document and amount, that is nothing else's"
    return Finding(code="does not fit", about=wanted.name, cause=_NOT_IT, fix=fix, worth=wanted.amount)
