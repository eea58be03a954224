"""What has changed in Xero since the last look: the documents, and the mark to go on from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Generic, TypeVar

from xerosync.client._driver import iterate
from xerosync.client._marks import Mark, Reading

__all__ = ["AsyncChanges", "Changes", "Mark"]

T = TypeVar("T")


class AsyncChanges(Generic[T]):
    """
    The documents that have changed since a mark, to be iterated over; each iteration is a reading of its own.

    A document that changes while it is read comes in one of its versions; the newer one may be left for the next mark.
    """

    def __init__(self, since: Mark, id_name: str, documents: Callable[[Reading], AsyncIterator[T]]) -> None:
        self._since = since
        self._id_name = id_name
        self._documents = documents
        self._mark = since

    @property
    def mark(self) -> Mark:
        """From where to go on, once all were read; until then the mark it began with, so that nothing is skipped."""
        return self._mark

    async def __aiter__(self) -> AsyncIterator[T]:
        """The documents, as they are read."""
        reading = Reading(self._since, self._id_name)
        async for document in self._documents(reading):
            yield document
        self._mark = reading.mark()

    def __repr__(self) -> str:
        return f"<Changes since {self._since}>"


class Changes(Generic[T]):
    """
    The documents that have changed since a mark, to be iterated over; each iteration is a reading of its own.

    A document that changes while it is read comes in one of its versions; the newer one may be left for the next mark.
    """

    def __init__(self, changes: AsyncChanges[T]) -> None:
        self._changes = changes

    @property
    def mark(self) -> Mark:
        """From where to go on, once all were read; until then the mark it began with, so that nothing is skipped."""
        return self._changes.mark

    def __iter__(self) -> Iterator[T]:
        """The documents, as they are read."""
        return iterate(aiter(self._changes))

    def __repr__(self) -> str:
        return repr(self._changes)
