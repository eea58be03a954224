"""
A long reading that was broken off, which goes on where it stopped: half a million invoices are not read twice.

What a page held and how far the reading has come are kept in one commit.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Final, Self, cast

from attrs import AttrsInstance, frozen

from xerosync.client._marks import Mark, Reading
from xerosync.client._paging import Place
from xerosync.client._wire.codec import Json
from xerosync.client._wire.names import id_name
from xerosync.storage.protocol import Record, RecordKey

_KIND: Final = "reading"
_STALE: Final = timedelta(days=7)
"""What has changed since is read after it anyway; but what is as old as this is better read anew."""


@frozen
class Interrupted:
    """A reading that has come to *place*: its first page was *looked_up* then, *newest* is the newest stamp it met."""

    place: Place
    looked_up: datetime | None
    newest: datetime | None

    @classmethod
    def at(cls, place: Place, reading: Reading) -> Self:
        """*reading*, as it is at *place*."""
        return cls(place, *reading.state)

    def going_on(self, since: Mark, model: type[AttrsInstance]) -> Reading:
        """The reading of documents of *model* that goes on."""
        return Reading.going_on(since, id_name(model), (self.looked_up, self.newest))

    def record(self, tenant: str, shelf: str, since: Mark) -> Record:
        """The record that keeps it, of what had changed *since* a mark."""
        body = {
            "end": self.place.end,
            "last": sorted(self.place.last),
            "looked_up": _text(self.looked_up),
            "newest": _text(self.newest),
            "since": _text(since.at),
        }
        return Record(_KIND, tenant, shelf, json.dumps(body))


def read_interrupted(record: Record | None, since: Mark, now: datetime) -> Interrupted | None:
    """Where a reading goes on that was broken off, if *record* keeps one of what has changed *since*."""
    if record is None:
        return None
    body = cast(Json, json.loads(record.body))
    looked_up = _instant(body["looked_up"])
    if body["since"] != _text(since.at) or looked_up is None or now - looked_up > _STALE:
        return None
    place = Place(int(str(body["end"])), frozenset(cast("list[str]", body["last"])))
    return Interrupted(place, looked_up, _instant(body["newest"]))


def reading_key(tenant: str, shelf: str) -> RecordKey:
    """Where an unfinished reading of *shelf* is kept."""
    return RecordKey(_KIND, tenant, shelf)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
