"""Whether and when a read is tried again: a pure decision, apart from the loop that obeys it."""

from __future__ import annotations

from typing import Final

from xerosync.client._wire.answers import retry_after_s, which_limit
from xerosync.ports import Response, TransportFault

ATTEMPTS_MAX: Final = 5
_LONGEST_WAIT_S: Final = 120.0
_PASSING: Final = frozenset({408, 500, 502, 503, 504})


def wait_before_rereading(outcome: Response | TransportFault, attempt: int) -> float | None:
    """
    Seconds to wait before a *read* that ended in *outcome* is sent again; None when *outcome* stands.

    *attempt* counts from 1. A limit that opens in minutes is waited out, the day limit never (F 2.06). Writes are not
    decided here: theirs is the engine's business, and a lost write is never re-sent blindly.
    """
    if isinstance(outcome, TransportFault) or outcome.status in _PASSING:
        return None if attempt >= ATTEMPTS_MAX else float(2 ** (attempt - 1))
    if outcome.status != 429 or attempt >= ATTEMPTS_MAX:
        return None
    wait_s = retry_after_s(outcome)
    return None if which_limit(outcome) == "day" or wait_s > _LONGEST_WAIT_S else wait_s
