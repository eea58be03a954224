"""What stands between the app and an organisation, as one of few states: who must act, and whether anybody must."""

from __future__ import annotations

from enum import Enum

from xerosync.errors import (
    Misconfigured,
    NotAuthorised,
    OrganisationRefused,
    OtherOrganisation,
    RateLimited,
    ReconnectNeeded,
    Rejected,
    ScopeMissing,
    StoreFailed,
    Unavailable,
    UnreadableAnswer,
    XerosyncError,
)
from xerosync.ports import TransportFault


class ConnectionState(Enum):
    """
    How it stands with the connection to an organisation.

    Only RECONNECT is for the user to cure by connecting again; PASSING needs nobody (F 1.31, 1.53–1.55).
    """

    CONNECTED = "connected"
    """Calls go through."""

    PASSING = "passing"
    """Xero is away, slow, or its limits are used up: a later call may do; disturb nobody."""

    RECONNECT = "reconnect needed"
    """The consent has ended, or the organisation was disconnected: send the user to Xero."""

    SCOPE_MISSING = "scope missing"
    """The consent is good but too narrow: send the user to Xero, with more scopes (F 1.23)."""

    REFUSED = "refused"
    """
    The organisation is connected, yet Xero refuses it: its subscription ended, or the user lost their role or place.
    """

    MISCONFIGURED = "misconfigured"
    """The app's id, secret, kind or scopes are wrong: for the developer."""


def state_of(error: XerosyncError | None) -> ConnectionState | None:
    """
    The state that *error* shows the connection in: connected when there was none.

    None for errors that say nothing of the connection, such as a refused document or a wrong argument.
    """
    match error:
        case None | Rejected():
            # Xero looks at a document only once it has let the caller in.
            return ConnectionState.CONNECTED
        case ReconnectNeeded() | OtherOrganisation():
            return ConnectionState.RECONNECT
        case ScopeMissing():
            return ConnectionState.SCOPE_MISSING
        case OrganisationRefused():
            return ConnectionState.REFUSED
        case NotAuthorised():
            # A token that was refused, and so was the one that came of refreshing it: only Xero can be wrong there.
            return ConnectionState.PASSING
        case Unavailable() | RateLimited() | UnreadableAnswer() | TransportFault():
            return ConnectionState.PASSING
        case Misconfigured():
            return ConnectionState.MISCONFIGURED
        case StoreFailed() | XerosyncError():
            return None
