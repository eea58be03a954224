"""The fields that filters are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from xerosync import filters
from xerosync.filters import fields
from xerosync.filters.expressions import Column
from xerosync.filters.kinds import Field, Flag


def _inside(value: object) -> Iterator[Column]:
    if isinstance(value, Field):
        yield value._column
    elif isinstance(value, Flag):
        yield value.column
    elif type(value).__module__ == fields.__name__:
        for part in vars(value).values():
            yield from _inside(part)


COLUMNS: Final = tuple(column for name in filters.__all__ for column in _inside(getattr(filters, name)))
