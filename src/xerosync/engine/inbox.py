"""
What Xero has told of changes, kept until somebody has looked: a record a document, and one for each sequence.

An event is a hint and no fact (F 7.12): however often, late or out of order it comes, all that follows is that a
document is read again. So of each document one record is kept, with the moments that it was told to have changed at.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from attrs import evolve, frozen

from xerosync.client._wire.codec import Json
from xerosync.storage.protocol import Record, RecordKey

EVENT: Final = "webhook"
SEQUENCE: Final = "webhook.sequence"
WAITING: Final = "waiting"
DONE: Final = "done"

_LATE: Final = timedelta(minutes=20)
"""Xero delivers again after 15 minutes (F 7.11): what is missing until then may only be late."""
_REMEMBERED: Final = timedelta(days=31)
_MOST_GAPS: Final = 100
_MOST_MOMENTS: Final = 50
_WRAPPED: Final = 1 << 30


@frozen
class Told:
    """
    That the document *resource_id* of *category* changed *at* (UTC) in the organisation *tenant*.

    As it is kept, *at* is the latest such moment, *seen* are all of them, and *waiting* those that nobody has looked at
    yet: one of them may be of people, the next of a write of our own.
    """

    tenant: str
    category: str
    resource_id: str
    kind: str
    at: datetime
    seen: tuple[datetime, ...] = ()
    waiting: tuple[datetime, ...] = ()

    @property
    def identity(self) -> RecordKey:
        """Where it is kept."""
        return RecordKey(EVENT, self.tenant, f"{self.category}/{self.resource_id}")

    def record(self, known: Record | None) -> Record | None:
        """The record that keeps it in the place of *known*; None when that one has it."""
        before = None if known is None else read_told(known)
        if before is None:
            return _kept(self, (self.at,), (self.at,))
        if self.at in before.seen:
            return None
        latest = self if self.at > before.at else before
        return _kept(latest, (*before.seen, self.at)[-_MOST_MOMENTS:], (*before.waiting, self.at)[-_MOST_MOMENTS:])


def read_told(record: Record) -> Told:
    """What *record* keeps; of one that was looked at, nothing is waiting."""
    body = cast(Json, json.loads(record.body))
    category, _, resource_id = record.key.partition("/")
    waiting = _moments(body["waiting"]) if record.state == WAITING else ()
    at = datetime.fromisoformat(str(body["at"]))
    return Told(record.tenant, category, resource_id, str(body["kind"]), at, _moments(body["seen"]), waiting)


def _kept(latest: Told, seen: Sequence[datetime], waiting: Sequence[datetime]) -> Record:
    body = {
        "at": latest.at.isoformat(),
        "kind": latest.kind,
        "seen": [each.isoformat() for each in seen],
        "waiting": [each.isoformat() for each in waiting],
    }
    return Record(EVENT, latest.tenant, latest.identity.key, json.dumps(body), WAITING)


def _moments(kept: object) -> tuple[datetime, ...]:
    return tuple(datetime.fromisoformat(each) for each in cast(list[str], kept))


@frozen
class Gap:
    """That the events *first* to *last* had not come when it was *noticed*; 0 for some that could not be read."""

    first: int
    last: int
    noticed: datetime

    def without(self, first: int, last: int) -> tuple[Gap, ...]:
        """What is left of it when *first* to *last* have come after all."""
        if self.last < first or self.first > last:
            return (self,)
        pieces = (evolve(self, last=first - 1), evolve(self, first=last + 1))
        return tuple(piece for piece in pieces if piece.first <= piece.last)

    def counts_from(self) -> datetime:
        """From when on it is no longer taken for a delivery that is only late."""
        return self.noticed if self.last == 0 else self.noticed + _LATE


@frozen
class EventNumbers:
    """How far the numbered events of one subscription have come (F 7.06); *last* is None before the first."""

    last: int | None = None
    gaps: tuple[Gap, ...] = ()

    def after(self, first: int, last: int, now: datetime) -> EventNumbers:
        """These numbers once the events *first* to *last* have come."""
        if self.last is None or self.last - first > _WRAPPED:  # after 2147483647 comes 1
            return evolve(self, last=last)
        recent = (gap for gap in self.gaps if now - gap.noticed < _REMEMBERED)
        gaps = [piece for gap in recent for piece in gap.without(first, last)]
        if first > self.last + 1:
            gaps.append(Gap(self.last + 1, first - 1, now))
        return EventNumbers(max(self.last, last), tuple(gaps[-_MOST_GAPS:]))

    def unread(self, now: datetime) -> EventNumbers:
        """These numbers after a delivery of which not all could be read."""
        return evolve(self, gaps=(*self.gaps, Gap(0, 0, now))[-_MOST_GAPS:])

    def record(self, subscription: str) -> Record:
        """The record that keeps them."""
        gaps = [[gap.first, gap.last, gap.noticed.isoformat()] for gap in self.gaps]
        return Record(SEQUENCE, "", subscription, json.dumps({"last": self.last, "gaps": gaps}))


def read_numbers(record: Record | None) -> EventNumbers:
    """The numbers that *record* keeps."""
    if record is None:
        return EventNumbers()
    body = json.loads(record.body)
    return EventNumbers(body["last"], tuple(Gap(a, b, datetime.fromisoformat(at)) for a, b, at in body["gaps"]))
