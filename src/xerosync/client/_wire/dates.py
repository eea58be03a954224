"""Xero's dates: Microsoft's ``/Date(ms+0000)/``, ISO texts, and days that only look like instants (F 5.10–5.14)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_MS_DATE = re.compile(r"/Date\((-?\d+)(?:([+-])(\d\d)(\d\d))?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def instant(text: str) -> datetime:
    """The UTC instant in *text*. An MS date's offset is a label, not a shift (F 5.10); no zone is UTC (F 1.32)."""
    if text.endswith("+0000)/") and text.startswith("/Date(") and (milliseconds := text[6:-7]).isdecimal():
        # As nearly all are: a page has a thousand, and the expression below takes twice as long.
        return _EPOCH + timedelta(0, 0, 0, int(milliseconds))
    if match := _MS_DATE.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=int(match[1]))
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@lru_cache(maxsize=4096)
def day(text: str) -> date:
    """
    The day in *text*: the UTC day of an MS date, never converted to local time (F 5.11).

    Bodies of 2014 carry local midnight with its offset (A.12); adding the offset gives the day both ways.
    """
    if match := _MS_DATE.fullmatch(text):
        shift = timedelta()
        if match[2]:
            shift = timedelta(hours=int(match[3]), minutes=int(match[4])) * (-1 if match[2] == "-" else 1)
        return (_EPOCH + timedelta(milliseconds=int(match[1])) + shift).date()
    return date.fromisoformat(text[:10])


def header(moment: datetime) -> str:
    """*moment* as ``If-Modified-Since`` wants it: UTC, whole seconds, no zone (F 4.18)."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
