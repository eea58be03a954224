"""What one read of a list asks for besides its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from attrs import AttrsInstance, field, frozen

from xerosync.errors import InvalidInput
from xerosync.filters.expressions import Filter

T = TypeVar("T", bound=AttrsInstance)

ADDRESS: Final = 1900
"""Characters of an address behind its path, beside page and order: servers bear some 2,000."""


@frozen
class Part(Generic[T]):
    """One of the reads that together are a list: the parameters, and the filter, that it has besides the others'."""

    params: Mapping[str, str] = field(factory=dict[str, str])
    where: Filter[T] | None = None


def checked_where(where: Filter[T] | None, model: type[AttrsInstance]) -> Filter[T] | None:
    """*where*, if it is a filter of *model*. Raises `InvalidInput` for a text, which nobody can vouch for."""
    given: object = where
    if where is None:
        return None
    if not isinstance(given, Filter):
        raise InvalidInput("where", "give a filter made of xerosync.filters, such as filters.invoice.total > 100")
    others = {column.model.__name__ for column in where.columns() if column.model is not model}
    if others:
        raise InvalidInput("where", f"it is about {', '.join(sorted(others))}, not {model.__name__}")
    return where
