"""Incremental reads that miss nothing: from where the next one starts, by Xero's own stamps alone (F 4.18–4.27)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from attrs import define, field, frozen

from xerosync.client._wire import dates
from xerosync.client._wire.rows import Row
from xerosync.errors import InvalidInput, UnreadableAnswer

# The header has whole seconds, need not include equal stamps (F 4.19), and a write may show up a little late.
_OVERLAP: Final = timedelta(seconds=1)
# Between the moment a page's rows were looked up and the moment its answer was dated, at most.
_DATED_LATE: Final = timedelta(seconds=30)
_REMEMBERED: Final = 10_000

Change = tuple[str, datetime]
"""One version of a document: its id, and its stamp."""


@frozen(repr=False)
class Mark:
    """
    Up to where the changes of one resource of one organisation were read. Keep its `text`, and go on from there.

    *at* is a stamp of Xero's, never of this machine's clock (F 4.27); None when there was nothing yet. *seen* are the
    versions that the next read, which starts a second earlier, meets again (F 4.19).
    """

    tenant: str
    collection: str
    at: datetime | None = None
    seen: frozenset[Change] = frozenset()

    @property
    def text(self) -> str:
        """The mark as a text to keep; `Mark.from_text` reads it."""
        seen = sorted([document_id, moment.isoformat()] for document_id, moment in self.seen)
        at = self.at.isoformat() if self.at is not None else None
        return json.dumps({"tenant": self.tenant, "of": self.collection, "at": at, "seen": seen})

    @classmethod
    def from_text(cls, text: str) -> Mark:
        """The mark that was kept as *text*. Raises `InvalidInput` for any other text."""
        try:
            kept = cast(Mapping[str, object], json.loads(text))
            at = kept["at"]
            seen = cast("list[tuple[str, str]]", kept["seen"])
            return cls(
                str(kept["tenant"]),
                str(kept["of"]),
                None if at is None else _instant(str(at)),
                frozenset((document_id, _instant(moment)) for document_id, moment in seen),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidInput(
                "since", "give a mark as changes() gave it, or its text through Mark.from_text()"
            ) from None

    def __repr__(self) -> str:
        return f"<Mark of {self.collection} at {self.at}>"


@define
class Reading:
    """
    What one incremental read has met so far, and the mark for the next.

    The read may take several pages. What was written after the first of them was looked up may be missing from the
    result, although something newer is in it; so the mark never steps over that moment. Stamps count of the rows
    themselves only: those of documents inside them may lie half a day ahead (F 5.12a).
    """

    since: Mark
    id_name: str
    _pages: int = 0
    _newest: datetime | None = None
    _looked_up: datetime | None = None
    _met: set[Change] = field(factory=set[Change])

    @property
    def modified_since(self) -> datetime | None:
        """What to ask Xero for; None for everything."""
        return _start(self.since.at)

    def fresh(self, rows: Iterable[Row], server_time: datetime | None) -> Iterator[Row]:
        """Those *rows* of a page answered at *server_time* whose version the read that gave the mark had not met."""
        for row in rows:
            stamp = row.get("UpdatedDateUTC")
            if not isinstance(stamp, str):
                yield row
                continue
            version = (str(row.get(self.id_name)), _told(stamp, self.since.collection))
            self._newest = max(version[1], self._newest or version[1])
            self._met.add(version)
            if version not in self.since.seen:
                yield row
        self._pages += 1
        if self._pages == 1:
            self._looked_up = self._newest if server_time is None else server_time - _DATED_LATE
        # The mark will not lie before the earlier of these two, so that of a long list few versions need be remembered.
        start = _start(min((each for each in (self._looked_up, self._newest) if each is not None), default=None))
        if start is not None:
            self._met = {version for version in self._met if version[1] >= start}

    @property
    def state(self) -> tuple[datetime | None, datetime | None]:
        """When its first page was looked up, and the newest stamp so far: `going_on` takes it up again."""
        return self._looked_up, self._newest

    @classmethod
    def going_on(cls, since: Mark, id_name: str, state: tuple[datetime | None, datetime | None]) -> Reading:
        """A read that goes on where one stopped that was in this *state*; some versions may be met again."""
        reading = cls(since, id_name)
        reading._pages = 1
        reading._looked_up, reading._newest = state
        return reading

    def mark(self) -> Mark:
        """From where to go on when all of it was read; the mark it began with when nothing has changed."""
        at = self._newest
        if self._pages > 1 and at is not None:
            at = min(at, self._looked_up) if self._looked_up is not None else self.since.at
        if at is None or (self.since.at is not None and at < self.since.at):
            at = self.since.at
        start = _start(at)
        again = [version for version in {*self.since.seen, *self._met} if start is not None and version[1] >= start]
        newest_last = sorted(again, key=lambda version: version[1])
        return Mark(self.since.tenant, self.since.collection, at, frozenset(newest_last[-_REMEMBERED:]))


def _start(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(microsecond=0) - _OVERLAP


def _told(stamp: str, collection: str) -> datetime:
    try:
        return dates.instant(stamp)
    except (ValueError, OverflowError):
        raise UnreadableAnswer(f"{collection}.updated_date_utc", "a text that is no instant") from None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
