"""What Xero's answers say: the envelope, refusals with every message, and one verdict for each element of a write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Final, cast

from attrs import frozen

from xerosync.client._wire import dates
from xerosync.client._wire.codec import Json, parse
from xerosync.client._wire.rows import opened
from xerosync.errors import (
    NotAuthorised,
    NotFound,
    OrganisationRefused,
    RateLimited,
    Rejected,
    ScopeMissing,
    Unavailable,
    UnreadableAnswer,
    XerosyncError,
)
from xerosync.ports import Response

NO_ID: Final = "00000000-0000-0000-0000-000000000000"
_COUNTED_BY: Final = {
    "day": "X-DayLimit-Remaining",
    "minute": "X-MinLimit-Remaining",
    "appminute": "X-AppMinLimit-Remaining",
}
_UNTOLD_S: Final = {"day": 3600.0}


@frozen(repr=False)
class Envelope:
    """
    One page of a list, or the reply to a write: its *rows*, the server's clock, and, if told, the number of pages and
    of *items* on all of them.
    """

    rows: Sequence[Json]
    server_time: datetime | None
    pages: int | None
    items: int | None = None


class Verdict(Enum):
    """What became of one element of a write."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@frozen(repr=False)
class Element:
    """One element's *verdict*, the row Xero gave back for it, and all messages that came with it, nested ones too."""

    verdict: Verdict
    row: Json | None = None
    messages: tuple[str, ...] = ()


def envelope(response: Response, collection: str, *, at_once: bool = True) -> Envelope:
    """
    The rows under *collection*. Raises `UnreadableAnswer` when the body is no envelope or lacks the collection.

    Rows that are not parsed *at_once* are so when they are asked for: then each may raise, too.
    """
    beside, rows = opened(response.body, collection)
    stamp = beside.get("DateTimeUTC")
    paging = beside.get("pagination")
    told = cast(Json, paging) if isinstance(paging, dict) else {}
    pages, items = told.get("pageCount"), told.get("itemCount")
    return Envelope(
        tuple(rows) if at_once else rows,
        dates.instant(stamp) if isinstance(stamp, str) else None,
        pages if isinstance(pages, int) else None,
        items if isinstance(items, int) else None,
    )


def refusal(response: Response) -> XerosyncError:
    """The error that a *response* other than 200 stands for."""
    correlation = response.header("Xero-Correlation-Id")
    match response.status:
        case 404:
            return NotFound(("Xero knows no such document",), 404, correlation)
        case 429:
            return RateLimited(which_limit(response), retry_after_s(response))
        case 401 if lacks_scope(response):
            return ScopeMissing(f"the connection lacks a scope for this call{_tail(correlation)}")
        case 401:
            return NotAuthorised(f"Xero did not accept the access token{_tail(correlation)}")
        case 403:
            return OrganisationRefused(
                "Xero refuses access to this organisation: it was disconnected, reset, or is no longer the user's"
                f"{_tail(correlation)}"
            )
        case status if status < 500:
            return Rejected(messages_of(response), status, correlation)
        case status:
            return Unavailable(f"Xero answered {status}{_tail(correlation)}")


def lacks_scope(response: Response) -> bool:
    """Whether a 401 is for want of a scope, not of a good token (F 1.53, A.03); the spelling varies."""
    said = (response.header("WWW-Authenticate") or "").lower()
    return "insuffic" in said or b"AuthorizationUnsuccessful" in response.body


def messages_of(response: Response) -> tuple[str, ...]:
    """Every message of a refusal, verbatim, in order; the summary alone when there is no validation message."""
    try:
        body = parse(response.body, where="refusal")
    except UnreadableAnswer as unreadable:
        return (f"an answer that cannot be read: {unreadable.seen}",)
    found = tuple(dict.fromkeys(_validation(body)))
    if found or not isinstance(body, dict):
        return found or ("an answer without a message",)
    said = cast(Json, body)
    return (str(said.get("Message") or said.get("Detail") or said.get("error") or "an answer without a message"),)


def is_readable(response: Response) -> bool:
    """Whether the body is JSON; an answer that cannot be read is no answer."""
    try:
        parse(response.body, where="answer")
    except UnreadableAnswer:
        return False
    return True


def elements(response: Response, collection: str, count: int) -> list[Element]:
    """
    The verdict on each of the *count* elements sent, in order, from a 200 under ``summarizeErrors=false`` (F
    5.35–5.39).

    Elements the answer does not hold are unknown, and all are when it cannot be read: an answer that cannot be read is
    no answer.
    """
    try:
        rows = envelope(response, collection).rows
    except UnreadableAnswer:
        rows = ()
    if len(rows) != count:
        return [Element(Verdict.UNKNOWN)] * count
    return [_element(row) for row in rows]


def _element(row: Json) -> Element:
    said = tuple(dict.fromkeys(_validation(row)))
    failed = row.get("HasErrors") is True or row.get("HasValidationErrors") is True
    if failed or str(row.get("StatusAttributeString", "")).upper() == "ERROR" or (said and _has_no_id(row)):
        return Element(Verdict.REJECTED, row, said or ("Xero gave no reason",))
    return Element(Verdict.CONFIRMED, row)


def _has_no_id(row: Json) -> bool:
    ids = [value for name, value in row.items() if name.endswith("ID") and isinstance(value, str)]
    return not ids or NO_ID in ids


def _validation(value: object) -> Iterator[str]:
    """All ``ValidationErrors`` messages in *value*, however deep (F 5.41)."""
    if isinstance(value, Mapping):
        row = cast(Mapping[str, object], value)
        for name, item in row.items():
            if name == "ValidationErrors" and isinstance(item, list):
                for error in cast(list[object], item):
                    if isinstance(error, dict) and "Message" in error:
                        yield str(cast(Json, error)["Message"])
            else:
                yield from _validation(item)
    elif isinstance(value, list):
        for item in cast(list[object], value):
            yield from _validation(item)


def _tail(correlation: str | None) -> str:
    return f" [Xero-Correlation-Id {correlation}]" if correlation else ""


def named_in_refusal(response: Response) -> Sequence[Json]:
    """The elements a 400 names as failed; the others of that call may have been saved (A.01)."""
    try:
        body = parse(response.body, where="refusal")
    except UnreadableAnswer:
        return ()
    listed = cast(Json, body).get("Elements") if isinstance(body, dict) else None
    return [cast(Json, row) for row in cast(list[object], listed)] if isinstance(listed, list) else ()


@frozen
class Counters:
    """
    What one answer says of Xero's limits: the calls *left* under each, None where it is not told.

    *refused* is the limit that a 429 names, and *retry_after_s* the seconds until it opens.
    """

    minute_left: int | None = None
    day_left: int | None = None
    app_minute_left: int | None = None
    refused: str | None = None
    retry_after_s: float = 0.0


def counters(response: Response) -> Counters:
    """What *response* says of the limits (F 2.03–2.09)."""
    refused = response.status == 429
    return Counters(
        _count(response, "X-MinLimit-Remaining"),
        _count(response, "X-DayLimit-Remaining"),
        _count(response, "X-AppMinLimit-Remaining"),
        which_limit(response) if refused else None,
        retry_after_s(response) if refused else 0.0,
    )


def retry_after_s(response: Response) -> float:
    """
    How long a 429 asks to wait, in seconds.

    One that does not say is asked again after two (F 2.08), that of the day after an hour.
    """
    told = _count(response, "Retry-After")
    return float(told) if told is not None else _UNTOLD_S.get(which_limit(response), 2.0)


def which_limit(response: Response) -> str:
    """
    The limit a 429 names, in lower case: minute, day, concurrent or appminute (F 2.05–2.07).

    One that names none is known by the counter that shows nothing left.
    """
    named = (response.header("X-Rate-Limit-Problem") or "").strip().lower()
    if named:
        return named
    return next((which for which, header in _COUNTED_BY.items() if _count(response, header) == 0), "concurrent")


def _count(response: Response, header: str) -> int | None:
    text = (response.header(header) or "").strip()
    return int(text) if text.isascii() and text.isdigit() else None
