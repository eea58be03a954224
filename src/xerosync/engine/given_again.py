"""Settlements given again: whether their lines still say what was posted for them. Pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from attrs import field, frozen

from xerosync.engine.intents import Intent
from xerosync.engine.plans import Finding
from xerosync.engine.settling_policies import FeesAs
from xerosync.engine.states import State
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine
from xerosync.models import AccountId
from xerosync.money import Money

CHANGED: Final = "changed since posted"
UNDONE: Final = "undone"
"""The code of a finding on what was taken back, and the fact that a removal did so."""
WHOLE: Final = "undone whole"
"""The fact that a removal is of a settlement undone whole."""
OF_RUN: Final = "undone_run"
"""The fact which run it was that a removal undoes."""
SETTLE_ANEW: Final = "settle it under new ids, the settlement's and the line's, or leave it"
"""What is to be done about what was undone: its fees and payout go by the settlement's id, its money by the line's."""
OF_UNDONE: Final = "its settlement was undone"
"""Why nothing of a settlement that was undone whole is posted, or put back."""
REMOVED_FIRST: Final = "somebody removed it in Xero, and its settlement was undone since"
"""What is so of what could not be taken back any more when its settlement was undone."""
_ANOTHER_ID: Final = (
    "give the line as it was posted; what is another line needs an id of its own, never one used before"
)
_GIVE_WHOLE: Final = (
    "give the settlement whole; if the line never was, remove what was posted for it in Xero, and settle again"
)
_CAME_IN: Final = frozenset({LineKind.COLLECTED, LineKind.REINSTATED})


@frozen(kw_only=True, repr=False)
class PostedLine:
    """
    What was posted of a line before; blank, or None, where it was not kept.

    *kind* is what it did to the books, *said* the kind that the host gave, *amount* what the line came to in its
    *currency*, *settled* what that made in the settlement's. *xero_ids* are the documents that stand for it.
    """

    id: str
    kind: LineKind
    said: str
    settlement: str
    transaction: str
    amount: Decimal | None
    currency: str
    settled: str
    on: str
    xero_ids: tuple[str, ...]

    def unlike(self, settlement: Settlement, line: SettlementLine, *, ended: bool) -> str:
        """
        How *line* of *settlement* is another than was posted: each of it then and now; blank where it is the same.

        *ended* is whether fees or a payout were posted of the settlement that it came with before.
        """
        told: list[str] = []

        def compare(what: str, then: str, now: str) -> None:
            if then and then != now:
                told.append(f"{what} was {then}, and is now {now}")

        did = LineKind.COLLECTED if line.kind in _CAME_IN else line.kind
        compare("kind", self.said or self.kind, line.kind if self.said or did is not self.kind else self.kind)
        compare("transaction", self.transaction, line.transaction)
        currency = self.currency or line.amount.currency
        if self.amount is not None:
            compare("amount", str(Money(self.amount, currency)), str(line.amount))
        else:
            compare("currency", self.currency, line.amount.currency)
        compare("day", self.on, settlement.on.isoformat())
        if did is self.kind and self.kind in _CAME_IN:
            then, now = (str(Money(Decimal(each), "XXX").amount) if each else "nothing" for each in self._settled(line))
            compare("settled", then, now)
        if ended:
            compare("settlement", self.settlement, settlement.id)
        return "; ".join(told)

    def _settled(self, line: SettlementLine) -> tuple[str, str]:
        """What it made in the settlement's currency, then and now."""
        return self.settled, "" if line.settled is None else str(line.settled.amount)

    def __repr__(self) -> str:
        return f"<PostedLine {self.id}>"


@frozen(kw_only=True)
class PostedBefore:
    """
    What was posted of the settlements that are given: *lines* by their ids, and *left_out*, by settlement, those that
    it was posted with and is given without.

    *ended* are the settlements of which fees or a payout were posted, *accounts* and *fees_as* what each was begun
    with: it keeps that. *undone* are the removals that undid something of them, *undone_whole* those that were undone
    as settlements.
    """

    lines: Mapping[str, Sequence[PostedLine]] = field(factory=dict[str, "Sequence[PostedLine]"])
    left_out: Mapping[str, Sequence[PostedLine]] = field(factory=dict[str, "Sequence[PostedLine]"])
    ended: frozenset[str] = frozenset()
    accounts: Mapping[str, AccountId] = field(factory=dict[str, AccountId])
    fees_as: Mapping[str, FeesAs] = field(factory=dict[str, FeesAs])
    undone: Sequence[Intent] = ()
    undone_whole: frozenset[str] = frozenset()

    @property
    def removals(self) -> frozenset[str]:
        """The keys of what undid something of them."""
        return frozenset(each.key for each in self.undone)

    def changed(self, settlement: Settlement, line: SettlementLine) -> Finding | None:
        """The finding that *line* is another than was posted under its id; None where it is the same, or new."""
        differences = [
            each.unlike(settlement, line, ended=each.settlement in self.ended) for each in self.lines.get(line.id, ())
        ]
        if not differences or "" in differences:
            return None
        cause = f"under this id another line was posted before: {differences[0]}"
        return Finding(code=CHANGED, about=line.id, cause=cause, fix=_ANOTHER_ID, worth=line.amount)

    def in_portions(self, settlement: Settlement) -> list[str]:
        """The lines of *settlement* that were posted in another, which was lines alone."""
        own = {"", settlement.id}
        return [
            line.id
            for line in settlement.lines
            if any(each.settlement not in own for each in self.lines.get(line.id, ()))
        ]

    def missing(self, settlement: Settlement) -> list[Finding]:
        """The findings that *settlement* is given without lines that it was posted with."""
        return [_left_out(each, settlement.id) for each in self.left_out.get(settlement.id, ())]


def undone_whole(removals: Iterable[Intent]) -> frozenset[str]:
    """The ids of the settlements that *removals* undid whole."""
    return frozenset(
        each.facts[UNDONE] for each in removals if WHOLE in each.facts and each.state is not State.REJECTED
    )


def _left_out(line: PostedLine, settlement: str) -> Finding:
    worth = None if line.amount is None else Money(line.amount, line.currency or "XXX")
    of = "" if worth is None else f" {worth}"
    cause = f"settlement {settlement} was posted with this line, {line.said or line.kind}{of}, and is given without it"
    return Finding(code=CHANGED, about=line.id, cause=cause, fix=_GIVE_WHOLE, worth=worth)
