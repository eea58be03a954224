"""The breaker of one organisation: after five writes in a row that all came to nothing, Xero is left in peace (R8)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Final, cast

from attrs import define, field

from xerosync.client._books import Books
from xerosync.engine.lease import Lease
from xerosync.errors import Suspended
from xerosync.storage.protocol import Record, RecordKey

FAILURES_MAX: Final = 5
_REST: Final = timedelta(minutes=5)
_LONGEST: Final = timedelta(hours=1)


def rest_after(failures: int) -> timedelta:
    """How long nothing is sent after so many *failures* in a row: five minutes, doubled each time, up to an hour."""
    over = failures - FAILURES_MAX
    return timedelta() if over < 0 else min(_LONGEST, _REST * 2 ** min(over, 10))


@define
class Breaker:
    """Counts failures in a row across all runs, in the store; one success begins anew."""

    books: Books
    lease: Lease
    _failures: int | None = field(default=None, init=False)

    async def check(self) -> None:
        """Raise `Suspended` while it is open."""
        failures, until = await self._load()
        if until is not None and until > self.books.clock.now():
            raise Suspended(failures, until)

    async def worked(self) -> None:
        """Xero gave an answer that can be read, or was found to have done what it gave no answer to."""
        if self._failures is None:
            await self._load()
        if self._failures:
            await self._keep(0)

    async def failed(self) -> None:
        """A call came to nothing. Raises `Suspended` when that was one too many."""
        failures = (self._failures or 0) + 1
        await self._keep(failures)
        rest = rest_after(failures)
        if rest:
            raise Suspended(failures, self.books.clock.now() + rest)

    async def _load(self) -> tuple[int, datetime | None]:
        (record,) = await self.books.storage.get_many([RecordKey("breaker", self.books.tenant, "breaker")])
        self._failures = 0 if record is None else cast(int, json.loads(record.body)["failures"])
        return self._failures, None if record is None else record.due

    async def _keep(self, failures: int) -> None:
        rest = rest_after(failures)
        until = self.books.clock.now() + rest if rest else None
        body = json.dumps({"failures": failures})
        kept = Record("breaker", self.books.tenant, "breaker", body, "open" if rest else "", until)
        await self.books.storage.commit([kept], fence=await self.lease.held())
        self._failures = failures
