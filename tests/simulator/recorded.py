"""What real Xero answered to others, read from beside the project, and what sets an answer of ours apart from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlencode

from attrs import frozen

RECORDINGS: Final = Path(__file__).resolve().parents[2].parent / "shared" / "recordings"
_SCRUBBED: Final = "-scrubbed"


@frozen
class Number:
    """A number to the letter: 1.0 is not 1.00 where both sides kept what was written."""

    text: str

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.text)


Told: TypeAlias = "dict[str, Told] | list[Told] | str | Number | bool | None"
Part: TypeAlias = dict[str, Told]


def read(text: str) -> Told:
    """*text* as JSON, numbers to the letter."""
    told: Told = json.loads(text, parse_float=Number, parse_int=Number)
    return told


@frozen
class Recording:
    """
    One exchange with real Xero; no *body* where it was empty.

    A *literal* one holds the bytes as they came; the others passed through the official SDK, which rewrites numbers.
    Of its lists, only the first rows may have been *kept*.
    """

    method: str
    path: str
    status: int
    content_type: str
    headers: Part
    body: Told
    literal: bool
    kept: int | None

    def rows(self, plural: str) -> list[Part]:
        assert isinstance(self.body, dict)
        return parts(self.body, plural)


def parts(row: Part, name: str) -> list[Part]:
    """The rows in the list *name* of *row*; none where there is no such list."""
    found = row.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def part(row: Part, name: str) -> Part:
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def text(row: Part, name: str) -> str:
    """The text or number *name* of *row*; blank where there is none."""
    found = row.get(name)
    return found.text if isinstance(found, Number) else found if isinstance(found, str) else ""


@cache
def recording(name: str) -> Recording:
    told = read((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(told, dict)
    request, response, query = part(told, "request"), part(told, "response"), part(part(told, "request"), "query")
    written = told.get("body_text")
    asked = urlencode({key: text(query, key) for key in query})
    return Recording(
        method=text(request, "method"),
        path=text(request, "path").removeprefix("/api.xro/2.0/") + (f"?{asked}" if asked else ""),
        status=int(text(response, "status")),
        content_type=text(response, "content_type"),
        headers=part(response, "headers"),
        body=read(written) if isinstance(written, str) else told.get("body"),
        literal=isinstance(written, str),
        kept=int(text(told, "lists_kept_to") or 0) or None,
    )


# Values that differ from run to run: of these, the form is compared.
_FORMS: Final = {
    "an id": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "an id without dashes": re.compile(r"[0-9a-f]{32}"),
    "an escaped instant": re.compile(r"/Date\([0-9]+\+0000\)/"),
    "an escaped instant without offset": re.compile(r"/Date\([0-9]+\)/"),
    "a second in UTC": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"),
    "a short code": re.compile(r"![0-9A-Za-z]{5}"),
    "an instant to seven places": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{7}"),
}
_CHANGING: Final = re.compile(r"(ID|Id|UTC|UTCString|Utc|ShortCode)$|^(id|Instance|PeriodLockDate)$")


def form(value: str) -> str:
    """What kind of text *value* is; blank for a text like any other."""
    return next((name for name, pattern in _FORMS.items() if pattern.fullmatch(value)), "")


def differences(theirs: Told, ours: Told, *, literal: bool, at: str = "") -> Iterator[str]:
    """What sets *ours* apart from *theirs*: a key, the order of keys, a value, or the form of one that changes."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        yield from (f"{at}.{key}: missing" for key in theirs if key not in ours)
        yield from (f"{at}.{key}: not in the recording" for key in ours if key not in theirs)
        common = [key for key in theirs if key in ours]
        if common != [key for key in ours if key in theirs]:
            yield f"{at}: order of keys"
        for key in common:
            yield from differences(theirs[key], ours[key], literal=literal, at=f"{at}.{key}")
    elif isinstance(theirs, list) and isinstance(ours, list):
        if len(theirs) != len(ours):
            yield f"{at}[]: {len(ours)} rather than {len(theirs)}"
        for one, other in zip(theirs, ours, strict=False):
            yield from differences(one, other, literal=literal, at=f"{at}[]")
    elif not _same(theirs, ours, at.rpartition(".")[2], literal=literal):
        yield f"{at}: {ours!r} rather than {theirs!r}"


def _same(theirs: Told, ours: Told, key: str, *, literal: bool) -> bool:
    if isinstance(theirs, Number) and isinstance(ours, Number):
        return theirs == ours if literal else theirs.decimal == ours.decimal
    if isinstance(theirs, str) and isinstance(ours, str):
        if theirs.endswith(_SCRUBBED):
            return bool(ours)
        if _CHANGING.search(key) and form(theirs):
            return form(theirs) == form(ours)
    return theirs == ours
