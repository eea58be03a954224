"""
What becomes of the money of one invoice, line by line: a pure function over its chain.

Money comes in, is taken back by the bank, given back by the host, comes in again. What can still go back is what was
collected, less what was taken back and what was refunded; a line that says more than that does not fit, and changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final, TypeAlias

from attrs import evolve, field, frozen

from xerosync.engine.intents import Intent
from xerosync.mapping.settlement import LineKind
from xerosync.money import exactly


@frozen(kw_only=True, repr=False)
class Part:
    """
    What the line *name* brought in for a *transaction*, and what of that was *taken* back, by the line that took it.

    *settlement* is the one it came in by, blank where that is not known; *gone* says that somebody removed its payment
    in Xero, and no line has taken it back.
    """

    name: str
    transaction: str
    amount: Decimal
    taken: Mapping[str, Decimal] = field(factory=dict[str, Decimal])
    gone: bool = False
    settlement: str = ""

    @property
    def left(self) -> Decimal:
        """What of it no line has taken back."""
        return self.amount - sum(self.taken.values(), Decimal(0))

    @property
    def stands(self) -> bool:
        """Whether anything of it is in Xero."""
        return self.left > 0 and not self.gone

    def __repr__(self) -> str:
        return f"<Part {self.name}>"


@frozen(kw_only=True, repr=False)
class Chain:
    """The money of one invoice: its *parts*, in the order they came in, and what was *refunded*, by line."""

    parts: tuple[Part, ...] = ()
    refunded: Mapping[str, Decimal] = field(factory=dict[str, Decimal])

    @property
    def given_back(self) -> Decimal:
        """All that was refunded."""
        return sum(self.refunded.values(), Decimal(0))

    @property
    def left(self) -> Decimal:
        """What can still go back: what stands in Xero, less what was refunded."""
        return max(_sum(each for each in self.parts if each.stands) - self.given_back, Decimal(0))

    def before(self, later: AbstractSet[str]) -> Chain:
        """This chain without the parts that came in by the lines *later*."""
        return evolve(self, parts=tuple(each for each in self.parts if each.name not in later))

    def __repr__(self) -> str:
        return f"<Chain of {len(self.parts)} parts>"


@frozen(kw_only=True, repr=False)
class Event:
    """
    What the line *name* says of a *transaction*; *of* is the line whose money it takes back, where it names that.

    *later* are the lines that brought money in after it: what they brought is not what it is about.
    """

    kind: LineKind
    name: str
    transaction: str
    amount: Decimal
    of: str = ""
    later: AbstractSet[str] = frozenset()

    def __repr__(self) -> str:
        return f"<Event {self.name} {self.kind}>"


@frozen(kw_only=True, repr=False)
class Taking:
    """The *amount* of *part* that a line takes back."""

    part: Part
    amount: Decimal

    @property
    def whole(self) -> bool:
        """Whether nothing of the part is left."""
        return self.amount == self.part.amount

    def __repr__(self) -> str:
        return f"<Taking {self.part.name}>"


@frozen(kw_only=True, repr=False)
class Effect:
    """What a line does to its chain: the *takings*, those that it had before too; *why* they, where one could ask."""

    takings: tuple[Taking, ...] = ()
    why: str = ""


@frozen(kw_only=True)
class Unfit:
    """Why a line cannot be: what a finding says of it."""

    code: str
    cause: str
    fix: str
    retry: bool = False


@frozen(kw_only=True)
class KnownChain:
    """The *chain* of an invoice as the books have it, the days that its parts came in *on*, and what is *in_doubt*."""

    chain: Chain = field(factory=Chain)
    on: Mapping[str, str] = field(factory=dict[str, str])
    in_doubt: Mapping[str, Intent] = field(factory=dict[str, Intent])


Outcome: TypeAlias = tuple[Chain, Effect | Unfit]


@exactly
def follow(chain: Chain, event: Event) -> Outcome:
    """What becomes of *chain* by *event*, and what that does; the same event again changes nothing more."""
    match event.kind:
        case LineKind.COLLECTED | LineKind.REINSTATED:
            return _came_in(chain, event)
        case LineKind.CHARGED_BACK:
            return _taken_back(chain, event)
        case LineKind.REFUNDED:
            return _given_back(chain, event)
        case LineKind.DECLINED:
            return chain, Effect()


def _came_in(chain: Chain, event: Event) -> Outcome:
    if any(each.name == event.name for each in chain.parts):
        # A part of it was parked before, and the rest is posted now.
        parts = (evolve(each, amount=event.amount) if each.name == event.name else each for each in chain.parts)
        return evolve(chain, parts=tuple(parts)), Effect()
    part = Part(name=event.name, transaction=event.transaction, amount=event.amount)
    return evolve(chain, parts=(*chain.parts, part)), Effect()


def _given_back(chain: Chain, event: Event) -> Outcome:
    if event.name in chain.refunded:
        return chain, Effect()
    left = chain.before(event.later).left
    if not left:
        return chain, _NOTHING_TO_REFUND
    if event.amount > left:
        return chain, _TOO_MUCH_REFUNDED
    return evolve(chain, refunded={**chain.refunded, event.name: event.amount}), Effect()


def _taken_back(chain: Chain, event: Event) -> Outcome:
    own = [each for each in chain.parts if event.name in each.taken]
    had = tuple(Taking(part=each, amount=each.taken[event.name]) for each in own)
    rest = event.amount - sum((each.amount for each in had), Decimal(0))
    if had and not rest:
        return chain, Effect(takings=had)
    chosen = _chosen(chain.before(event.later), evolve(event, amount=rest)) if rest > 0 else _TAKEN_BEFORE
    if isinstance(chosen, Unfit):
        return chain, chosen
    taken = {each.part.name: each.amount for each in chosen.takings}
    parts = tuple(_without(each, event.name, taken.get(each.name)) for each in chain.parts)
    return evolve(chain, parts=parts), evolve(chosen, takings=(*had, *chosen.takings))


def _without(part: Part, line: str, amount: Decimal | None) -> Part:
    return part if amount is None else evolve(part, taken={**part.taken, line: amount})


def _chosen(chain: Chain, event: Event) -> Effect | Unfit:
    """Which parts a charge-back is about: the one it names, all of them, or the only or newest one of its amount."""
    # A part has one invoice in its place at most: what is left of one that was taken in part was refunded.
    own = [
        each
        for each in chain.parts
        if each.transaction == event.transaction and each.left > 0 and not each.taken and event.of in {"", each.name}
    ]
    standing, gone = [each for each in own if not each.gone], _not_replaced(chain, own)
    if not standing and not gone:
        was_there = any(each.transaction == event.transaction for each in chain.parts)
        return _ALL_TAKEN_BACK if was_there else _NOTHING_CAME_IN
    found = _among(standing, event.amount, left=chain.left) if event.amount <= chain.left else None
    with_gone = _sum([*(each for each in chain.parts if each.stands), *gone]) - chain.given_back
    if found is None and gone and event.amount <= with_gone:
        found = _among_gone(standing, gone, event.amount)
    return found or (_TOO_MUCH_TAKEN if event.amount > with_gone else _NOT_A_PAYMENT)


def _among(standing: Sequence[Part], amount: Decimal, *, left: Decimal) -> Effect | None:
    """Which of the parts that stand make *amount*."""
    if amount == _sum(standing):
        return _whole(standing)
    if alike := [each for each in standing if each.left == amount]:
        return _newest(alike)
    return _newest_first(standing, amount) if amount == min(left, _sum(standing)) else None


def _among_gone(standing: Sequence[Part], gone: Sequence[Part], amount: Decimal) -> Effect | None:
    """Which parts make *amount* with those that somebody removed in Xero already."""
    if amount == _sum([*standing, *gone]):
        return _whole([*standing, *gone])
    alike = [each for each in gone if each.left == amount]
    return _newest(alike) if alike else None


def _not_replaced(chain: Chain, own: Sequence[Part]) -> list[Part]:
    """
    The parts that somebody removed in Xero, but for those whose money was settled anew under another line.

    Two lines of one settlement are two parts, however alike they are.
    """
    found: list[Part] = []
    for each in own:
        since = chain.parts[chain.parts.index(each) + 1 :]
        others = (one for one in since if not one.settlement or one.settlement != each.settlement)
        alike = (one for one in others if (one.transaction, one.amount) == (each.transaction, each.amount))
        if each.gone and not any(not one.gone for one in alike):
            found.append(each)
    return found


def _sum(parts: Iterable[Part]) -> Decimal:
    return sum((each.left for each in parts), Decimal(0))


def _whole(parts: Sequence[Part]) -> Effect:
    return Effect(takings=tuple(Taking(part=each, amount=each.left) for each in parts))


def _newest(alike: Sequence[Part]) -> Effect:
    why = f", the newest of {len(alike)} payments of this amount" if len(alike) > 1 else ""
    return evolve(_whole(alike[-1:]), why=why)


def _newest_first(standing: Sequence[Part], amount: Decimal) -> Effect:
    """All that was not refunded; of the oldest parts, then, only what is left."""
    takings: list[Taking] = []
    for each in reversed(standing):
        part = min(each.left, amount)
        amount -= part
        if part:
            takings.append(Taking(part=each, amount=part))
    return Effect(takings=tuple(takings), why=", all that was not refunded")


_NOTHING_CAME_IN: Final = Unfit(
    code="nothing to take back",
    cause="nothing was ever posted for this transaction",
    fix="settle its collection first, or leave it",
    retry=True,
)
_ALL_TAKEN_BACK: Final = Unfit(
    code="nothing to take back",
    cause="all that was collected for this transaction was taken back before",
    fix="if the bank took it twice, dispute that; if it was collected again, settle that first",
    retry=True,
)
_TOO_MUCH_TAKEN: Final = Unfit(
    code="does not fit",
    cause="more was taken back than is left of what was collected, less what went back before",
    fix="correct the line; what the bank took too much is to be disputed, or entered by hand",
)
_NOT_A_PAYMENT: Final = Unfit(
    code="does not fit",
    cause="less was taken back than was collected for the transaction, it is none of its payments, and a payment is "
    "removed whole or not",
    fix="name the line that failed with of=…, charge back all that was collected, or correct the payments in Xero",
)
_TAKEN_BEFORE: Final = Unfit(
    code="changed since posted",
    cause="under this id more was taken back before",
    fix="give every line an id of its own, never one used before",
)
_NOTHING_TO_REFUND: Final = Unfit(
    code="nothing to refund",
    cause="nothing stands of what was collected for its invoice that was not given back",
    fix="settle its collection first, or correct the line",
    retry=True,
)
_TOO_MUCH_REFUNDED: Final = Unfit(
    code="does not fit",
    cause="more was refunded than is left of what was collected for its invoice",
    fix="refund at most what was collected and did not go back before, or post the rest by hand",
    retry=True,
)
