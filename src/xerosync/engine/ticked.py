"""What is ticked off on a clearing account: sums by day, and of what they are made as many numbers."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Final, TypeAlias

from attrs import define, evolve, field, frozen

from xerosync.money import Money, exactly

CostSums: TypeAlias = Mapping[tuple[date, str], tuple[int, Decimal]]
"""How often what else moved than payments, and what it came to, by day and what it was."""
BITS: Final = (1 << 60) - 1
"""As much of a hash as a small integer of Python's holds."""
_FEW: Final = 10_000


@frozen(kw_only=True)
class Ticked:
    """
    How many payments were ticked off, and what they brought in, by day; and of what else was, its *costs*, by day and
    what it is. *until* is the last day that settlements gave any of these.
    """

    currency: str
    days: Mapping[date, tuple[int, Decimal]] = field(factory=dict[date, tuple[int, Decimal]])
    costs: CostSums = field(factory=dict[tuple[date, str], tuple[int, Decimal]])
    until: date | None = None

    def by(self, last: date) -> Ticked:
        """Those of the days up to *last*."""
        if max(self.all_days, default=last) <= last:
            return self
        return evolve(
            self,
            days={day: each for day, each in self.days.items() if day <= last},
            costs={(day, what): each for (day, what), each in self.costs.items() if day <= last},
        )

    @property
    def count(self) -> int:
        """How many payments there are."""
        return sum(count for count, _ in self.days.values())

    @property
    def all_days(self) -> list[date]:
        """The days on which any of it moved."""
        return [*self.days, *(day for day, _ in self.costs)]

    @property
    @exactly
    def amount(self) -> Money:
        """What it all came to."""
        sums = chain(self.days.values(), self.costs.values())
        return Money.zero(self.currency) + Money(sum((amount for _, amount in sums), Decimal(0)), self.currency)


@frozen
class Numbers:
    """
    Very many numbers of 60 bits, *ordered*, and some *more*: eight bytes each, where a set takes eighty.

    Each of the sets of *more* is over twice as large as the next, so that adding a few copies few.
    """

    ordered: array[int] = field(factory=lambda: array("q"))
    more: tuple[frozenset[int], ...] = ()

    def __contains__(self, number: int) -> bool:
        place = bisect_left(self.ordered, number)
        if place < len(self.ordered) and self.ordered[place] == number:
            return True
        for some in self.more:  # noqa: SIM110 (asked a thousand times a look, and any() takes thrice as long)
            if number in some:
                return True
        return False

    def __iter__(self) -> Iterator[int]:
        return chain(self.ordered, *self.more)

    def adding(self, numbers: Iterable[int]) -> Numbers:
        """These numbers and others."""
        newly, more = frozenset(numbers), list(self.more)
        while more and len(more[-1]) <= 2 * len(newly):
            newly |= more.pop()
        more.append(newly)
        if sum(map(len, more)) <= max(_FEW, len(self.ordered) // 8):
            return Numbers(self.ordered, tuple(more))
        return Numbers(array("q", sorted(chain(self.ordered, *more))))


@define(eq=False)
class Tally:
    """Very many numbers of 60 bits, *ordered*, to be *struck* off once each: nine bytes, where a set takes eighty."""

    ordered: array[int] = field(factory=lambda: array("q"))
    struck: bytearray = field(factory=bytearray)
    count: int = 0
    """How many are not struck off yet."""

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Tally:
        """All *numbers*, none of which comes twice."""
        ordered = array("q", sorted(numbers))
        return cls(ordered, bytearray(len(ordered)), len(ordered))

    def __contains__(self, number: int) -> bool:
        return self.place(number) >= 0

    def place(self, number: int) -> int:
        """Where *number* stands; -1 where it does not, or is struck off."""
        place = bisect_left(self.ordered, number)
        stands = place < len(self.ordered) and self.ordered[place] == number and not self.struck[place]
        return place if stands else -1

    def strike(self, place: int) -> bool:
        """Strike off the number at *place*, if there is one that is not struck off; whether there was."""
        if place < 0 or self.struck[place]:
            return False
        self.struck[place] = 1
        self.count -= 1
        return True


@frozen(kw_only=True)
class Noted:
    """
    What was posted to an account and might be ticked off, as numbers: its lines by *names*, and as *lines* with all
    about them, and the *settlements* that were met.

    Nothing of it lasts longer than its process, in which alone a text has the same number.
    """

    names: Numbers = field(factory=Numbers)
    lines: Numbers = field(factory=Numbers)
    settlements: Numbers = field(factory=Numbers)

    def adding(self, other: Noted) -> Noted:
        """What was noted here or there."""
        return Noted(
            names=self.names.adding(other.names),
            lines=self.lines.adding(other.lines),
            settlements=self.settlements.adding(other.settlements),
        )


def number_of(text: str) -> int:
    """The number of *text*, in this process."""
    return hash(text) & BITS
