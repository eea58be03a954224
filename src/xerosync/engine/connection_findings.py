"""What is said of a connection that does not stand, or of a clock that is wrong: its cause, what to do, and who can."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from xerosync.client.states import ConnectionState
from xerosync.engine.plans import Finding

CLOCK_WRONG: Final = "clock wrong"

_SKEW: Final = timedelta(seconds=60)
_SAYS: Final[Mapping[ConnectionState, tuple[str, str, str]]] = {
    ConnectionState.PASSING: (
        "Xero is away, slow, or its limits are used up",
        "examine again later",
        "nobody, it is automatic",
    ),
    ConnectionState.RECONNECT: (
        "the consent has ended, or the organisation was disconnected",
        "send the user to Xero to connect again",
        "the user",
    ),
    ConnectionState.SCOPE_MISSING: (
        "the consent is good but too narrow",
        "send the user to Xero to consent to more scopes",
        "the user",
    ),
    ConnectionState.REFUSED: (
        "the organisation is connected, yet Xero refuses it: its subscription ended, or the user lost their role in it",
        "renew the subscription, or let somebody who has a role there connect",
        "the organisation's subscriber",
    ),
    ConnectionState.MISCONFIGURED: (
        "the app's id, secret, kind or scopes are wrong",
        "correct them as developer.xero.com shows them",
        "you",
    ),
}


def finding_of_connection(state: ConnectionState, about: str = "connection") -> Finding:
    """The finding that a connection is in *state*, which is not CONNECTED; *about* names it."""
    cause, fix, who = _SAYS[state]
    passing = state is ConnectionState.PASSING
    return Finding(code=state.value, about=about, cause=cause, fix=fix, who=who, retry=passing)


def finding_of_clock(ahead: timedelta | None, about: str = "connection") -> Finding | None:
    """The finding that this machine's clock is *ahead* of Xero's, or behind it, by more than a minute; else None."""
    if ahead is None or abs(ahead) <= _SKEW:
        return None
    way = "ahead of" if ahead > timedelta() else "behind"
    return clock_wrong(f"this machine's clock is {abs(ahead).total_seconds():.0f} s {way} Xero's", about)


def clock_wrong(cause: str, about: str) -> Finding:
    """The finding that a clock is wrong, for this *cause*."""
    fix = "set it by a time server: claims and tokens are dated by it"
    return Finding(code=CLOCK_WRONG, about=about, cause=cause, fix=fix, who="you")
