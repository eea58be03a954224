"""
What a client tells while it works: one listener for progress, metrics and audit.

Hand a listener in as ``Xero(…, on_event=listener)``. It is called with an event's name and its fields, in the thread or
task that works, so that it should be quick. Fields hold ids, counts, durations and words of this library or of Xero's
protocol; never a name, an amount, a token, or a value of a query. What a listener raises is logged under ``xerosync``
and goes no further: a write must not be cut in half because nobody could hear of it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

OnEvent = Callable[[str, Mapping[str, object]], None]
"""
What a host may listen with: an event's name, one of `Event`, and its fields, which hold ids and counts but never names
or amounts.
"""


class Event(StrEnum):
    """
    The names of the events. Each is told with ``organisation``, the tenant id, unless it says otherwise, and the fields
    that stand here.

    A field that is not known is left out.
    """

    CALL_FINISHED = "xerosync.call_finished"
    """
    A call to Xero's API has ended: ``method``, ``path`` (a template: ``Invoices/{id}``), ``status`` (left out when no
    answer came), ``correlation`` (the id that Xero's support asks for, if it gave one), ``outcome`` (``answered``,
    ``not sent``, ``answer lost``), ``attempt`` from 1, ``seconds``, ``bytes_up`` and ``bytes_down``, of bodies, as they
    went over the wire.
    """
    PAGE_READ = "xerosync.page_read"
    """A page of a list was read: ``path``, ``page``, ``pages`` if Xero said how many there are, ``rows``."""
    WAITING = "xerosync.waiting"
    """
    Nothing happens for a while: ``reason`` in words, ``seconds`` if known, and ``limit`` (``minute``, ``day``,
    ``concurrent``, ``appminute``) where one of Xero's limits is waited for.
    """
    TOKEN_REFRESHED = "xerosync.token_refreshed"  # noqa: S105
    """A new access token is kept."""
    TOKENS_UNSAVED = "xerosync.tokens_unsaved"
    """
    The store failed to keep new tokens ``attempts`` times. They wait in memory (``Xero.unsaved_tokens``), and the next
    call tries again: mend the store, and leave this process alive.
    """
    CONSENT_ENDED = "xerosync.consent_ended"
    """Xero takes the refresh token no more: the user must connect again, and nothing is asked of Xero until then."""
    MIRRORED = "xerosync.mirrored"
    """The mirror holds what changed in Xero: ``shelf``, the kind of document, and ``documents``, how many."""
    POSTED = "xerosync.posted"
    """A batch of a plan was sent and recorded: ``kind`` of action, ``elements``; ``done`` ``of`` those to be sent."""
    APPLIED = "xerosync.applied"
    """
    A plan was applied to its end: ``kinds``, what it was to do, ``done`` of it this time, ``findings``; ``calls``,
    ``bytes_up`` and ``bytes_down`` that it took, and ``calls_needed``, the fewest that its writes take.
    """
    RECOVERED = "xerosync.recovered"
    """Writes left open by an earlier run were closed: ``found`` in Xero, ``sent`` again, still ``open``."""
    RUN_FINISHED = "xerosync.run_finished"
    """
    A worker's run has ended: ``why`` it was due and how it ``ended``, in words of `Why` and `Ended`, ``seconds``,
    ``lag`` in seconds since it was due, ``calls`` and ``bytes_down``, documents in Xero that were ``news``, and
    ``posted``; ``error`` is the class of what stopped it.
    """
    FLEET_SEEN = "xerosync.fleet_seen"
    """
    A `Fleet` was looked at; told of all together, without ``organisation``: ``organisations``, how many, the sums of
    ``runs``, ``calls``, ``bytes_down``, ``open`` writes, those ``parked`` and ``refused``, ``findings``, the longest
    ``lag`` in seconds, and how many are ``overdue``, need a ``reconnect``, or have a consent that is ``dying``.
    """
    DISCONNECTED = "xerosync.disconnected"
    """The organisation was disconnected; ``told_xero`` is false where the consent had ended already."""
    CONSENT_REVOKED = "xerosync.consent_revoked"
    """The consent was revoked."""


_LOG: Final = logging.getLogger("xerosync")
_QUIET: Final = frozenset({Event.CALL_FINISHED, Event.PAGE_READ})


def unheard(event: str, fields: Mapping[str, object]) -> None:
    """The listener of a client that was given none: nobody listens."""


def log_event(event: str, fields: Mapping[str, object]) -> None:
    """
    A ready listener: log *event* under ``xerosync``, with its fields as ``xerosync.…`` attributes of the record.

    Calls and pages are logged at level DEBUG, everything else at INFO.
    """
    level = logging.DEBUG if event in _QUIET else logging.INFO
    _LOG.log(level, event, extra={f"xerosync.{name}": value for name, value in fields.items()})


def every(*listeners: OnEvent) -> OnEvent:
    """One listener that tells each of *listeners*, whatever another one raises."""

    def tell_each(event: str, fields: Mapping[str, object]) -> None:
        for listener in listeners:
            tell(listener, event, fields)

    return tell_each


def tell(listener: OnEvent, event: str, fields: Mapping[str, object]) -> None:
    """Tell *listener* of *event*; what it raises is logged by its class alone, as its text is nobody's to judge."""
    try:
        listener(event, fields)
    except Exception as error:  # noqa: BLE001 - whatever a host's listener raises, the work goes on
        told = {"xerosync.event": str(event), "xerosync.error": type(error).__name__}
        _LOG.error("xerosync.listener_failed", extra=told)


_ID: Final = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_WORDS: Final = frozenset(
    "Allocations Attachments Contacts Email History OnlineInvoice Options Payments Pdf Tracking".split()
)


def is_id(text: str) -> bool:
    """Whether *text* is an id as Xero gives them, and so says nothing of anybody."""
    return _ID.fullmatch(text) is not None


def path_template(path: str) -> str:
    """
    *path* below Xero's API without what it names: ``Invoices/{id}/Attachments/{name}``.

    Only the words of Xero's own addresses are kept; the query goes.
    """
    first, *below = path.partition("?")[0].strip("/").split("/")
    if first == "Reports" and below:
        return f"{first}/{below[0] if below[0].isalpha() else '{name}'}"
    return "/".join([first, *map(_placeholder, below)])


def _placeholder(part: str) -> str:
    if part in _WORDS:
        return part
    return "{id}" if is_id(part) else "{name}"
