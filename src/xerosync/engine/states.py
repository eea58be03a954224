"""The life of one write, in one table. The diagram in the docs is drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a write stands; the words are what reports show."""

    INTENDED = "intended"
    SENT = "sent"
    UNKNOWN = "unknown"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    REMOVED = "removed"
    CONFLICT = "conflict"
    SUSPECT = "suspect"
    PARKED = "parked"


MOVES: Final[Mapping[State, Mapping[State, str]]] = {
    State.INTENDED: {
        State.SENT: "claimed, just before the first byte leaves",
        State.REJECTED: "before it was sent its document changed in Xero, or was undone: to be planned anew",
        State.UNKNOWN: "its mark is in Xero already: the store is older than the books",
    },
    State.SENT: {
        State.CONFIRMED: "Xero answered with an id",
        State.REJECTED: "Xero refused it",
        State.UNKNOWN: "no answer, or none that can be read",
        State.INTENDED: "certainly not applied: no connection, a limit, an expired token",
    },
    State.UNKNOWN: {
        State.CONFIRMED: "found in Xero by its mark",
        State.INTENDED: "not in Xero: to be sent again under a new key",
        State.REMOVED: "found, but removed in Xero since: never sent again",
        State.CONFLICT: "found more than once: a person must look",
        State.SUSPECT: "an unmarked twin is there, perhaps typed by hand: a person must look",
        State.PARKED: "in doubt for the eighth time, and nobody knows why: a person must look",
    },
    State.REJECTED: {
        State.INTENDED: "planned again after the document changed in Xero",
        State.UNKNOWN: "its mark is in Xero all the same: the store is older than the books",
    },
    State.CONFLICT: {
        State.CONFIRMED: "all but one were removed in Xero",
        State.REMOVED: "all were removed in Xero",
    },
    State.SUSPECT: {
        State.CONFIRMED: "a person says that it is the same",
        State.REJECTED: "a person says that it is another one: to be planned anew",
    },
    State.PARKED: {State.UNKNOWN: "released by a person: looked for before it is sent again"},
}
"""Each state with the states that may follow, and when. A write that died while SENT is first called UNKNOWN."""

NEVER_LEFT: Final = frozenset({State.INTENDED, State.REJECTED})
"""Where nothing of the write can be in Xero, as far as the ledger knows."""

POSTED: Final = frozenset({State.CONFIRMED, State.REMOVED})
"""Where the write came to be in Xero, whether or not it stands there still."""

OPEN: Final = frozenset({State.INTENDED, State.SENT, State.UNKNOWN})
"""What must be closed by `recover` before anything new is sent."""


def may_move(before: State, after: State) -> bool:
    """Whether a write in state *before* may be put into state *after*."""
    return after in MOVES.get(before, {})
