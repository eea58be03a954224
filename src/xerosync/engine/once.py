"""What a host hands in is told apart by its own ids: the same one twice would be two answers to one question."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol, TypeVar

from xerosync.errors import InvalidInput


class _Identified(Protocol):
    @property
    def id(self) -> Hashable: ...


T = TypeVar("T", bound=_Identified)


def each_once(given: Iterable[T], what: str) -> list[T]:
    """What was *given*, in its order; *what* it is called. Raises `InvalidInput` where an id comes twice."""
    listed = list(given)
    if len({each.id for each in listed}) != len(listed):
        raise InvalidInput("id", f"give each {what} once, under an id of its own")
    return listed
