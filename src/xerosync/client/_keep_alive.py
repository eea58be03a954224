"""Token sets that nobody uses: refreshed in good time, so that no user has to connect again for want of work."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from xerosync.client._consent import Consent
from xerosync.client._grant import UnreadableGrant, read_grant
from xerosync.client._kept import COMPANY, CONNECTED
from xerosync.client.oauth import App, Endpoints
from xerosync.errors import Misconfigured, ReconnectNeeded, Unavailable
from xerosync.ports import Clock, Transport
from xerosync.storage.owner import this_process
from xerosync.storage.protocol import AsyncStorage

_PAGE: Final = 100


@frozen
class KeptAlive:
    """What became of the token sets that were due: *refreshed*, *ended* for good, or *postponed* to the next call."""

    refreshed: int = 0
    ended: int = 0
    postponed: int = 0


async def keep_alive(
    app: App, storage: AsyncStorage, *, transport: Transport, clock: Clock, endpoints: Endpoints
) -> KeptAlive:
    """Refresh every token set of *app* in *storage* that is due, and leave alone those that no connection uses."""
    owner = this_process("keep alive")
    refreshed = ended = postponed = 0
    after: str | None = None
    until = clock.now()
    while True:
        due = await storage.query("grant", "", due_before=until, order="due", after=after, limit=_PAGE)
        for record in due:
            users = await storage.query(COMPANY, "", lookup=("grant", record.key), states=(CONNECTED,), limit=1)
            if not users:
                continue
            try:
                grant = read_grant(record)
                if grant.client_id != app.client_id:
                    continue
                consent = Consent(app, record.key, storage, transport, clock, endpoints, owner)
                renewed = await consent.renew_early(grant.tokens.access_token)
            except (ReconnectNeeded, UnreadableGrant):
                ended += 1
            except (Unavailable, Misconfigured):
                postponed += 1
            else:
                refreshed += renewed != grant.tokens.access_token
                postponed += renewed == grant.tokens.access_token
        if len(due) < _PAGE:
            return KeptAlive(refreshed, ended, postponed)
        after = await storage.cursor(due[-1], "due")
