"""The kinds of fields a filter is made of, each with the comparisons that make sense for it, and typed so."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Generic, TypeVar
from uuid import UUID

from attrs import AttrsInstance, evolve

from xerosync.errors import InvalidInput
from xerosync.filters.expressions import Column, Condition, Either, Filter, Given, Kind, Not, Question
from xerosync.models import OpenEnum

M = TypeVar("M", bound=AttrsInstance)
V = TypeVar("V")
I = TypeVar("I", bound=str)  # noqa: E741 - an id
W = TypeVar("W", bound=OpenEnum)


def column(model: type[AttrsInstance], path: str, kind: Kind, *, sent: bool, always: bool) -> Column:
    """The column at the dotted *path* of *model*."""
    return Column(model, tuple(path.split(".")), kind, sent, always)


class Field(Generic[M, V]):  # noqa: PLW1641 - comparing makes filters, so nothing can be found by it
    """A field of the documents *M* that compares with values *V*."""

    def __init__(self, of: Column) -> None:
        self._column = of

    def __eq__(self, other: V) -> Filter[M]:  # type: ignore[override]
        return self._asked(Question.EQUAL, other)

    def __ne__(self, other: V) -> Filter[M]:  # type: ignore[override]
        return Not(self._asked(Question.EQUAL, other))

    def is_in(self, values: Iterable[V]) -> Filter[M]:
        """It is one of *values*; where there are none, nothing fits, and nothing is read."""
        return Either(tuple(self._asked(Question.EQUAL, value) for value in values))

    def is_blank(self) -> Filter[M]:
        """Nothing is there: the field is missing or empty."""
        return Condition(self._column, Question.BLANK)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'.'.join(self._column.path)}>"

    def _asked(self, question: Question, value: object) -> Condition[M]:
        return Condition(self._column, question, self._checked(value))

    def _checked(self, value: object) -> Given:
        raise NotImplementedError

    def _refusal(self, remedy: str) -> InvalidInput:
        return InvalidInput(".".join(self._column.path), remedy)


class Ordered(Field[M, V]):
    """A field whose values come before and after each other."""

    def __lt__(self, other: V) -> Filter[M]:
        return self._asked(Question.BELOW, other)

    def __le__(self, other: V) -> Filter[M]:
        return self._asked(Question.UP_TO, other)

    def __gt__(self, other: V) -> Filter[M]:
        return self._asked(Question.ABOVE, other)

    def __ge__(self, other: V) -> Filter[M]:
        return self._asked(Question.FROM, other)


class Text(Field[M, str]):
    """A text, compared letter by letter; a text that is missing is a blank one. Raises `InvalidInput` for no text."""

    def __init__(self, model: type[M], path: str, *, sent: bool = True) -> None:
        super().__init__(column(model, path, Kind.TEXT, sent=sent, always=False))
        self._model = model

    @property
    def name(self) -> str:
        """What the field is called, dotted where it is inside another."""
        return ".".join(self._column.path)

    @property
    def ignoring_case(self) -> Text[M]:
        """The same text, in which ``A`` and ``a`` are one letter."""
        folded = Text(self._model, self.name)
        folded._column = evolve(self._column, ignoring_case=True)
        return folded

    def contains(self, text: str) -> Filter[M]:
        """*text* stands somewhere in it."""
        return self._part(Question.CONTAINS, text)

    def starts_with(self, text: str) -> Filter[M]:
        """It begins with *text*."""
        return self._part(Question.STARTS, text)

    def ends_with(self, text: str) -> Filter[M]:
        """It ends with *text*."""
        return self._part(Question.ENDS, text)

    def _part(self, question: Question, text: str) -> Filter[M]:
        if not self._checked(text):
            raise self._refusal("give at least one character")
        return self._asked(question, text)

    def _checked(self, value: object) -> str:
        if not isinstance(value, str):
            raise self._refusal("compare it with a text")
        return str(value)


class Amount(Ordered[M, Decimal | int]):
    """An amount, exact. Raises `InvalidInput` for a float, which is none, and for what is no number."""

    def __init__(self, model: type[M], path: str, *, sent: bool = True, always: bool = False) -> None:
        super().__init__(column(model, path, Kind.AMOUNT, sent=sent, always=always))

    def _checked(self, value: object) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, Decimal | int) or not Decimal(value).is_finite():
            raise self._refusal('compare it with a Decimal or a whole number, such as Decimal("12.50")')
        return Decimal(value)


class Day(Ordered[M, datetime.date]):
    """A day of the organisation's calendar. Raises `InvalidInput` for an instant, and for what is no date."""

    def __init__(self, model: type[M], path: str, *, sent: bool = True, always: bool = False) -> None:
        super().__init__(column(model, path, Kind.DAY, sent=sent, always=always))

    def _checked(self, value: object) -> datetime.date:
        if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date):
            raise self._refusal("compare it with a date")
        return value


class Instant(Ordered[M, datetime.datetime]):
    """An instant. Raises `InvalidInput` for a datetime without a time zone, which is none."""

    def __init__(self, model: type[M], path: str, *, sent: bool = True, always: bool = False) -> None:
        super().__init__(column(model, path, Kind.INSTANT, sent=sent, always=always))

    def _checked(self, value: object) -> datetime.datetime:
        if not isinstance(value, datetime.datetime) or value.tzinfo is None:
            raise self._refusal("compare it with an aware datetime: Xero compares in UTC")
        return value.astimezone(datetime.UTC)


class Id(Field[M, I]):
    """An id of Xero's, told apart by type. Raises `InvalidInput` for what is no UUID."""

    def __init__(
        self, model: type[M], path: str, kind: Callable[[str], I], *, sent: bool = True, always: bool = False
    ) -> None:
        super().__init__(column(model, path, Kind.ID, sent=sent, always=always))
        self._kind = kind

    def _checked(self, value: object) -> str:
        try:
            return str(UUID(str(value)))
        except ValueError:
            raise self._refusal("compare it with a Xero id, a UUID") from None


class Word(Field[M, W]):
    """One of a set of words, such as a status. Raises `InvalidInput` for what is no word."""

    def __init__(self, model: type[M], path: str, words: type[W], *, sent: bool = True, always: bool = False) -> None:
        super().__init__(column(model, path, Kind.WORD, sent=sent, always=always))
        self._words = words

    def _checked(self, value: object) -> str:
        if not isinstance(value, str) or not value:
            raise self._refusal(f"compare it with a {self._words.__name__}")
        return str(value)


class Flag(Condition[M]):
    """A yes or no, and a filter itself: ``field`` is yes, ``~field`` is no, as is one that is missing (F 5.17)."""

    def __init__(self, model: type[M], path: str, *, sent: bool = True, always: bool = False) -> None:
        super().__init__(column(model, path, Kind.FLAG, sent=sent, always=always), Question.TRUE)
