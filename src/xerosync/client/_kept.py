"""
What the store keeps of a connection: two records, written together.

One lies with the organisation, and says by which token set it is reached. The other lies apart from all organisations
under the host's own company, so that a host finds the organisation of a company, and whom a token set serves.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final, cast

from attrs import evolve, frozen

from xerosync.client._wire.codec import Json
from xerosync.errors import StoreFailed
from xerosync.models import Connection, ConnectionId, TenantId
from xerosync.storage.keys import check_plain
from xerosync.storage.protocol import Record, RecordKey

COMPANY: Final = "company"
CONNECTED: Final = ""
DISCONNECTED: Final = "disconnected"


@frozen(repr=False)
class Kept:
    """A kept connection: whose it is, where to, by which token set, and since when."""

    company: str
    organisation: TenantId
    connection_id: ConnectionId
    grant: str
    connected_at: datetime | None = None
    name: str | None = None
    is_connected: bool = True

    def records(self) -> list[Record]:
        """Both records, to be committed together."""
        body = json.dumps(
            {
                "company": self.company,
                "organisation": self.organisation,
                "connection_id": self.connection_id,
                "grant": self.grant,
                "connected_at": None if self.connected_at is None else self.connected_at.isoformat(),
                "name": self.name,
            }
        )
        state = CONNECTED if self.is_connected else DISCONNECTED
        return [
            Record("connection", self.organisation, "connection", body, state),
            Record(COMPANY, "", self.company, body, state, lookups=(("grant", self.grant),)),
        ]

    def renewed(self, connection: Connection, grant: str, *, company: str, at: datetime) -> Kept:
        """This connection after another `connect`: since the first time, unless it had ended or has another consent."""
        goes_on = self.is_connected and self.grant == grant and self.connected_at is not None
        return evolve(
            self,
            company=company,
            connection_id=connection.connection_id,
            grant=grant,
            connected_at=self.connected_at if goes_on else at,
            name=connection.tenant_name,
            is_connected=True,
        )


def kept_key(organisation: str) -> RecordKey:
    """Where the connection of *organisation* is kept."""
    return RecordKey("connection", organisation, "connection")


def company_key(company: str) -> RecordKey:
    """Where the connection of *company* is kept."""
    return RecordKey(COMPANY, "", company)


def read_kept(record: Record) -> Kept:
    """The connection in either of its records. Raises `StoreFailed` for one that this library did not write."""
    check_plain(record, f"the stored connection {record.key}")
    try:
        body = cast(Json, json.loads(record.body))
        since = body.get("connected_at")
        name = body.get("name")
        # Older records name neither company nor organisation: they lie with the organisation, which is its own company.
        return Kept(
            str(body.get("company", record.tenant)),
            TenantId(str(body.get("organisation", record.tenant))),
            ConnectionId(str(body["connection_id"])),
            str(body["grant"]),
            datetime.fromisoformat(since) if isinstance(since, str) else None,
            name if isinstance(name, str) else None,
            record.state != DISCONNECTED,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StoreFailed(f"the stored connection {record.key} cannot be read: connect to Xero again") from None
