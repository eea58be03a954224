"""What a filter is: conditions on fields, joined by ``&``, ``|`` and ``~``, and how a document fits them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import Enum
from typing import Final, Generic, NoReturn, TypeAlias, TypeVar

from attrs import AttrsInstance, frozen

from xerosync.errors import InvalidInput

M = TypeVar("M", bound=AttrsInstance)
Given: TypeAlias = "str | Decimal | datetime.date"
"""What a field is compared with; an instant is a `datetime.datetime`, which is a date to Python."""


class Kind(Enum):
    """What a field holds, which decides how it compares."""

    TEXT = "text"
    AMOUNT = "amount"
    DAY = "day"
    INSTANT = "instant"
    ID = "id"
    WORD = "word"
    FLAG = "flag"


class Question(Enum):
    """What a condition asks of its field."""

    EQUAL = "=="
    BELOW = "<"
    UP_TO = "<="
    ABOVE = ">"
    FROM = ">="
    CONTAINS = "contains"
    STARTS = "starts with"
    ENDS = "ends with"
    BLANK = "is blank"
    TRUE = "is true"


@frozen
class Column:
    """
    One field of the documents of *model*: its *path* there, and what it holds.

    *sent*: Xero can filter by it. *always*: no document of Xero's is without it, so that "not this" may be sent too.
    """

    model: type[AttrsInstance]
    path: tuple[str, ...]
    kind: Kind
    sent: bool = True
    always: bool = False
    ignoring_case: bool = False

    def read(self, document: object) -> object:
        """What *document* holds there; None when it, or what it stands in, is missing."""
        for name in self.path:
            document = getattr(document, name, None)
        return document


class Filter(Generic[M]):
    """
    Which documents of kind *M* to list: made of the fields in `xerosync.filters`, joined by ``&``, ``|`` and ``~``.

    It is not a truth value: ``and``, ``or``, ``not`` and ``1 < field < 5`` are refused, since Python would drop a part.
    """

    __slots__ = ()

    def __and__(self, other: Filter[M]) -> Filter[M]:
        _refuse_others(other)
        return All((*_parts(All, self), *_parts(All, other)))

    def __or__(self, other: Filter[M]) -> Filter[M]:
        _refuse_others(other)
        return Either((*_parts(Either, self), *_parts(Either, other)))

    def __invert__(self) -> Filter[M]:
        return Not(self)

    def __bool__(self) -> NoReturn:
        raise InvalidInput("where", "join filters with & and |, turn one round with ~, and put each in parentheses")

    def matches(self, document: M) -> bool:
        """Whether *document* fits, by what it holds here."""
        raise NotImplementedError

    def columns(self) -> Iterator[Column]:
        """The fields it asks about."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """The fields, without what they are compared with, which may be a name or an amount."""
        return f"<Filter on {', '.join(dict.fromkeys('.'.join(column.path) for column in self.columns()))}>"


@frozen(repr=False)
class Joined(Filter[M]):
    """Several *parts* in one."""

    parts: tuple[Filter[M], ...]

    def columns(self) -> Iterator[Column]:
        """Those of all parts."""
        return (column for part in self.parts for column in part.columns())


@frozen(repr=False)
class All(Joined[M]):
    """What fits every one of its parts."""

    def matches(self, document: M) -> bool:
        """Whether *document* fits all."""
        return all(part.matches(document) for part in self.parts)


@frozen(repr=False)
class Either(Joined[M]):
    """What fits one of its parts; nothing does when there are none."""

    def matches(self, document: M) -> bool:
        """Whether *document* fits one."""
        return any(part.matches(document) for part in self.parts)


@frozen(repr=False)
class Not(Filter[M]):
    """What does not fit *part*."""

    part: Filter[M]

    def matches(self, document: M) -> bool:
        """Whether *document* does not fit."""
        return not self.part.matches(document)

    def columns(self) -> Iterator[Column]:
        """Those of its part."""
        return self.part.columns()


@frozen(repr=False)
class Condition(Filter[M]):
    """One *question* about one *column*, with what is *given* to compare where it needs that."""

    column: Column
    question: Question
    given: Given | None = None

    def matches(self, document: M) -> bool:
        """Whether the field of *document* passes; one that is missing fits no comparison, and is a blank text."""
        there = self.column.read(document)
        if self.question is Question.BLANK:
            return there is None or there == ""
        if self.question is Question.TRUE:
            return there is True
        if self.column.kind is Kind.TEXT:
            return _TEXTS[self.question](self._folded(there or ""), self._folded(self.given))
        if there is None:
            return False
        if self.column.kind in {Kind.ID, Kind.WORD}:
            return str(there).lower() == str(self.given).lower()
        return _ORDERS[self.question](_order(there, self.given))

    def columns(self) -> Iterator[Column]:
        """Its own."""
        return iter((self.column,))

    def _folded(self, text: object) -> str:
        return str(text).lower() if self.column.ignoring_case else str(text)


def fits_nothing(where: Filter[M]) -> bool:
    """Whether no document can fit *where*, however it looks: nothing need be read."""
    match where:
        case Either(parts):
            return all(map(fits_nothing, parts))
        case All(parts):
            return any(map(fits_nothing, parts))
        case _:
            return False


_TEXTS: Final[dict[Question, Callable[[str, str], bool]]] = {
    Question.EQUAL: lambda there, given: there == given,
    Question.CONTAINS: lambda there, given: given in there,
    Question.STARTS: lambda there, given: there.startswith(given),
    Question.ENDS: lambda there, given: there.endswith(given),
}
_ORDERS: Final[dict[Question, Callable[[int], bool]]] = {
    Question.EQUAL: lambda order: order == 0,
    Question.BELOW: lambda order: order < 0,
    Question.UP_TO: lambda order: order <= 0,
    Question.ABOVE: lambda order: order > 0,
    Question.FROM: lambda order: order >= 0,
}


def _order(there: object, given: object) -> int:
    if isinstance(there, Decimal) and isinstance(given, Decimal):
        return (there > given) - (there < given)
    if isinstance(there, datetime.date) and isinstance(given, datetime.date):
        return (there > given) - (there < given)
    raise InvalidInput("where", f"a {type(there).__name__} does not compare with a {type(given).__name__}")


def _parts(kind: type[Joined[M]], part: Filter[M]) -> tuple[Filter[M], ...]:
    return part.parts if isinstance(part, kind) else (part,)


def _refuse_others(other: object) -> None:
    if not isinstance(other, Filter):
        raise InvalidInput("where", "join filters with filters: put each comparison in parentheses")
