"""Resources that tell what has changed since the last look."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import ClassVar, TypeVar

from attrs import AttrsInstance, define

from xerosync.client._marks import Mark, Reading
from xerosync.client._paging import whole_pages
from xerosync.client.changes import AsyncChanges
from xerosync.client.resources.base import AsyncListed, as_given
from xerosync.errors import InvalidInput

T = TypeVar("T", bound=AttrsInstance)


@define(eq=False)
class AsyncStamped(AsyncListed[T]):
    """A resource whose rows say when they last changed, and whose lists can start from there (F 4.21)."""

    paged: ClassVar[bool] = True
    complete: ClassVar[Mapping[str, str]] = {}
    """Parameters without which a list leaves out what has ended."""

    def changes(self, *, since: Mark | None = None) -> AsyncChanges[T]:
        """
        What was added, edited or ended since a mark; all there is without one. Iterate, then keep ``mark``.

        No change is missed, whatever happens while it is read, as long as Xero stamps it; some changes Xero does not
        stamp (F 4.23). One that was met before does not come again, unless ten thousand changed within seconds. Raises
        `InvalidInput` for the mark of another resource or organisation.
        """
        tenant = self._books.tenant
        if as_given(since) is not None and not isinstance(since, Mark):
            raise InvalidInput("since", "give a mark as changes() gave it, or its text through Mark.from_text()")
        if since is not None and (since.tenant, since.collection) != (tenant, self.collection):
            raise InvalidInput("since", f"give a mark of {self.collection} of this organisation")
        return AsyncChanges(since or Mark(tenant, self.collection), self._id_name(), self._changed)

    async def _changed(self, reading: Reading) -> AsyncIterator[T]:
        query = self._query({**self.fixed, **self.complete}, reading.modified_since, None)
        session = await self._books.session()
        if not self.paged:
            page = await session.read(query)
            for document in self._chosen(reading.fresh(page.rows, page.server_time), None):
                yield document
            return
        async for some in whole_pages(session, query, self._id_name(), sized=self.sized):
            for document in self._chosen(reading.fresh(some.rows, some.server_time), None):
                yield document
