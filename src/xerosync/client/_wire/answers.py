"""What Xero's answers say: the envelope, and refusals with every message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, cast

from attrs import frozen

from xerosync.client._wire import dates
from xerosync.client._wire.codec import Json, parse
from xerosync.client._wire.names import our_name
from xerosync.client._wire.rows import Row, Wanted, opened, opened_for
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

_COUNTED_BY: Final = {
    "day": "X-DayLimit-Remaining",
    "minute": "X-MinLimit-Remaining",
    "appminute": "X-AppMinLimit-Remaining",
}
_UNTOLD_S: Final = {"day": 3600.0}
_UNREAD: Final = "PostDataInvalidException"
_DEEPEST: Final = 20
_DIGITS_MAX: Final = 9
"""Digits of a header that counts calls or seconds; with more it is a mistake, and would be one of dates too."""
_SAID: Final = frozenset({"ValidationErrors", "Warnings"})


@frozen(repr=False)
class Envelope:
    """
    One page of a list: its *rows*, the server's clock, and, if told, the number of *items* on all pages and how many a
    page has.
    """

    rows: Sequence[Row]
    server_time: datetime | None
    items: int | None = None
    page_size: int | None = None

    @property
    def pages(self) -> int | None:
        """How many pages there are, if told."""
        return -(-self.items // self.page_size) if self.items is not None and self.page_size else None


@frozen(repr=False)
class Remark:
    """
    One thing Xero said of a document: its *text*, verbatim, and the *field* it stands at.

    The field is told by our names, such as ``line_items[1]`` or ``contact``, and is blank for the document as a whole:
    Xero says which part it means, never which of its values (F 5.41). A *warning* did not stop the write (F 5.48).
    """

    text: str
    field: str = ""
    warning: bool = False

    def __repr__(self) -> str:
        return f"<Remark {'warning' if self.warning else 'refusal'} at {self.field or 'the document'}>"


def texts(remarks: Sequence[Remark]) -> tuple[str, ...]:
    """The texts of *remarks*, each once, in order."""
    return tuple(dict.fromkeys(remark.text for remark in remarks))


def envelope(response: Response, collection: str, wanted: Wanted = None) -> Envelope:
    """
    The rows under *collection*, as they are *wanted*. Raises `UnreadableAnswer` for what is no envelope or lacks them.

    Each row may raise, too, when it is asked for.
    """
    beside, rows = opened_for(response.body, collection, wanted) or opened(response.body, collection)
    paging = beside.get("pagination")
    told = cast(Json, paging) if isinstance(paging, dict) else {}
    items, size = told.get("itemCount"), told.get("pageSize")
    return Envelope(
        rows,
        _instant(beside.get("DateTimeUTC"), collection),
        items if isinstance(items, int) else None,
        size if isinstance(size, int) else None,
    )


def refusal(response: Response) -> XerosyncError:
    """The error that a *response* stands for, whose status is not the one that was due."""
    correlation = response.header("Xero-Correlation-Id")
    match response.status:
        case status if status < 400:
            return UnreadableAnswer("the answer as a whole", f"status {status}, which is no answer to this call")
        case 404:
            return NotFound(("Xero knows no such document",), 404, correlation)
        case 429:
            return RateLimited(which_limit(response), retry_after_s(response))
        case 401 if lacks_scope(response):
            return ScopeMissing(
                "the connection lacks a scope for this call: see missing_scopes(), and let the user consent again, to "
                f"those as well{_tail(correlation)}"
            )
        case 401:
            return NotAuthorised(f"Xero did not accept the access token{_tail(correlation)}")
        case 403:
            return OrganisationRefused(
                "Xero refuses access to this organisation: it was disconnected, reset, or is no longer the user's. "
                "connection_state() tells which; mostly the user has to connect it again"
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
    return texts(remarks_of(response))


def remarks_of(response: Response) -> tuple[Remark, ...]:
    """As `messages_of`, each message with the part of the document that it stands at."""
    try:
        body = parse(response.body, where="refusal")
    except UnreadableAnswer as unreadable:
        return (Remark(f"an answer that cannot be read: {unreadable.seen}"),)
    if not isinstance(body, dict):
        return (Remark("an answer without a message"),)
    said = cast(Json, body)
    listed = said.get("Elements")
    found = tuple(
        remark
        for row in (cast(list[object], listed) if isinstance(listed, list) else [said])
        for remark in remarks_in(row)
        if not remark.warning
    )
    summary = said.get("Message") or said.get("Detail") or said.get("error") or "an answer without a message"
    return found or (Remark(str(summary)),)


def is_readable(response: Response) -> bool:
    """Whether the body is JSON; an answer that cannot be read is no answer."""
    try:
        parse(response.body, where="answer")
    except UnreadableAnswer:
        return False
    return True


def remarks_in(value: object, field: str = "", *, depth: int = _DEEPEST) -> Iterator[Remark]:
    """All that is said in *value*, however deep (F 5.41, 5.48)."""
    if not depth:
        return
    if isinstance(value, Mapping):
        for name, item in cast(Mapping[str, object], value).items():
            if name in _SAID and isinstance(item, list):
                for said in cast(list[object], item):
                    text = cast(Json, said).get("Message") if isinstance(said, dict) else said
                    if isinstance(text, str):
                        yield Remark(text, field, name == "Warnings")
            elif isinstance(item, Mapping | list):
                inside = cast(object, item)
                yield from remarks_in(inside, f"{field}.{our_name(name)}".lstrip("."), depth=depth - 1)
    elif isinstance(value, list):
        for place, item in enumerate(cast(list[object], value)):
            yield from remarks_in(item, f"{field}[{place}]", depth=depth - 1)


def _instant(stamp: object, where: str) -> datetime | None:
    try:
        return dates.instant(stamp) if isinstance(stamp, str) else None
    except (ValueError, OverflowError):
        raise UnreadableAnswer(f"{where}.DateTimeUTC", "no instant") from None


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


def is_refused_unread(response: Response) -> bool:
    """Whether a 400 says that Xero could not even read what was sent, so that nothing of it was done (F 5.43)."""
    try:
        body = parse(response.body, where="refusal") if response.status == 400 else None
    except UnreadableAnswer:
        return False
    return isinstance(body, dict) and cast(Json, body).get("Type") == _UNREAD and "Elements" not in cast(Json, body)


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
    is_count = text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
    return int(text) if is_count else None
