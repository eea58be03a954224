"""`Connections` and `AsyncConnections`: which of the host's companies is connected to which organisation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

from attrs import frozen

from xerosync.client._driver import stepped
from xerosync.client._grant import ENDED, REVOKED, grant_key, read_grant
from xerosync.client._kept import COMPANY, Kept, company_key, read_kept
from xerosync.client.states import ConnectionState
from xerosync.errors import StoreFailed
from xerosync.models import TenantId
from xerosync.storage.adapt import pages_of, port_for
from xerosync.storage.protocol import AsyncStorage, Record, Storage
from xerosync.tables import Listing

_PAGE: Final = 500


@frozen(repr=False)
class ConnectionSummary:
    """
    A connection as a page of the host may show it.

    *company* is the host's own id of what is connected: the organisation's tenant id, unless ``connect()`` was told
    otherwise. *name* is the organisation's, as it was then. *scopes* are what the user granted, empty where Xero did
    not say. *connected_at* is when the user's consent came here, None where older versions did not keep it. *dies_at*
    is when the consent dies if nobody uses it before, None where it cannot.
    """

    company: str
    organisation: TenantId
    name: str | None
    scopes: tuple[str, ...]
    connected_at: datetime | None
    state: ConnectionState
    dies_at: datetime | None = None

    def __repr__(self) -> str:
        return f"<ConnectionSummary of {self.organisation}: {self.state.value}>"


class AsyncConnections:
    """
    What *store* knows of every connection, awaited; nothing is asked of Xero.

    So a state is CONNECTED where nothing says otherwise; ``AsyncXero.connection_summary()`` asks Xero.
    """

    def __init__(self, store: Storage | AsyncStorage, *, _blocking: bool = False) -> None:
        self._storage: Final = port_for(store, blocking=_blocking)

    async def list(self) -> Listing[ConnectionSummary]:
        """Every company that was ever connected, in the order of their ids; the disconnected ones too."""
        return Listing([each async for page in self._pages() for each in await summaries(self._storage, page)])

    async def of(self, company: str) -> ConnectionSummary | None:
        """The connection of *company*; None when it was never connected."""
        (record,) = await self._storage.get_many([company_key(company)])
        if record is None:
            return None
        (found,) = await summaries(self._storage, [read_kept(record)])
        return found

    async def _pages(self) -> AsyncIterator[Sequence[Kept]]:
        async for page in pages_of(self._storage, COMPANY, "", size=_PAGE):
            yield [read_kept(record) for record in page]


class Connections:
    """
    What *store* knows of every connection, in plain calls; nothing is asked of Xero.

    So a state is CONNECTED where nothing says otherwise; ``Xero.connection_summary()`` asks Xero.
    """

    def __init__(self, store: Storage) -> None:
        self._flows: Final = AsyncConnections(store, _blocking=True)

    list: Final = stepped(AsyncConnections.list)
    of: Final = stepped(AsyncConnections.of)


async def summaries(storage: AsyncStorage, kept: Sequence[Kept]) -> Sequence[ConnectionSummary]:
    """What *storage* says of the *kept* connections, in their order."""
    grants = await storage.get_many([grant_key(each.grant) for each in kept])
    return [_summary(each, grant) for each, grant in zip(kept, grants, strict=True)]


def _summary(kept: Kept, grant: Record | None) -> ConnectionSummary:
    scopes: tuple[str, ...] = ()
    ended = grant is None or grant.state in {REVOKED, ENDED} or not kept.is_connected
    dies_at: datetime | None = None
    if grant is not None:
        try:
            read = read_grant(grant)
            scopes, dies_at = read.tokens.scopes, None if ended else read.dies_at
        except StoreFailed:
            ended = True
    state = ConnectionState.RECONNECT if ended else ConnectionState.CONNECTED
    return ConnectionSummary(kept.company, kept.organisation, kept.name, scopes, kept.connected_at, state, dies_at)
