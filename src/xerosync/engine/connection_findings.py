"""What is said of a connection that does not stand: its cause, what to do, and who can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from xerosync.client.states import ConnectionState
from xerosync.engine.plans import Finding

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
