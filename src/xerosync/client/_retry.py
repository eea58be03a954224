"""What follows on an outcome: one table for reads and writes, a pure decision apart from the loop that obeys it."""

from __future__ import annotations

from enum import Enum
from typing import Final

from attrs import evolve, frozen

from xerosync.client._wire.answers import is_readable, lacks_scope, refusal, retry_after_s, which_limit
from xerosync.client._wire.verdicts import NOT_APPLIED, says_nothing
from xerosync.errors import NotAuthorised, OutcomeUnknown, RateLimited, Unavailable, UnreadableAnswer, XerosyncError
from xerosync.ports import AnswerRefused, NotSent, Response, TransportFault

ATTEMPTS_MAX: Final = 5
LONGEST_WAIT_S: Final = 120.0
"""A limit that opens later than this is not waited out."""
KEY_AGE_MAX_S: Final = 60.0
"""How long after its first sending a write may be sent again under its key: well before Xero forgets it (F 3.05)."""
DOUBTS_MAX: Final = 3
"""How often a write whose outcome is in doubt is sent at most, the first time included."""

_PASSING: Final = frozenset({408, 502, 503, 504})


class Kind(Enum):
    """What a call does: a *read* changes nothing; a *write* may have happened though nobody knows."""

    READ = "read"
    WRITE = "write"


class Step(Enum):
    """What to do next."""

    TAKE = "take"
    """The outcome is the answer."""
    RESEND = "resend"
    """Send the same again, a write under the same key."""
    WAIT = "wait"
    """As RESEND, once the limit opens that refused it: nothing was done."""
    RENEW = "renew"
    """Renew the access token, then send the same again: nothing was done."""
    GIVE_UP = "give up"
    """Raise the error."""


@frozen
class Move:
    """The next *step*, after *wait_s* seconds; with `Step.GIVE_UP` the class of the *error* to raise."""

    step: Step
    wait_s: float = 0.0
    error: type[XerosyncError] | None = None


@frozen
class Tried:
    """
    What was tried so far: *attempt* counts from 1 and *age_s* from the first sending under this token.

    *doubts* counts the attempts that may have been done though no answer said so. *keyed* says whether Xero heeds an
    Idempotency-Key here, which it does for PUT and POST (F 3.02, 3.03).
    """

    attempt: int = 1
    age_s: float = 0.0
    doubts: int = 0
    renewed: bool = False
    keyed: bool = True

    def aged(self, age_s: float) -> Tried:
        """What was tried, *age_s* after its first sending."""
        return Tried(self.attempt, age_s, self.doubts, self.renewed, self.keyed)

    def then(self, move: Move, *, in_doubt: bool) -> Tried:
        """What was tried, one attempt later, after *move*."""
        return evolve(
            self,
            attempt=self.attempt + 1,
            doubts=self.doubts + in_doubt,
            renewed=self.renewed or move.step is Step.RENEW,
        )


def next_move(kind: Kind, outcome: Response | TransportFault, tried: Tried) -> Move:
    """
    What follows on *outcome*, that of the attempt described by *tried*.

    A read is sent again after whatever only passes, which an answer that was refused for what it is does not. A write
    is sent again when it certainly was not done; in doubt only under its key, with the same token, within
    `KEY_AGE_MAX_S`, `DOUBTS_MAX` times in all, and never after a 500, which Xero keeps under the key (F 3.05, 3.08). A
    limit that opens in minutes is waited out, the day's never (F 2.06).
    """
    if kind is Kind.READ:
        return _after_read(outcome, tried)
    if is_doubtful(outcome):
        return _in_doubt(outcome, evolve(tried, doubts=tried.doubts + 1))
    if tried.doubts and (isinstance(outcome, TransportFault) or outcome.status in NOT_APPLIED):
        # This attempt was not done, but an earlier one may have been: a refusal at the gate says nothing of that.
        return _in_doubt(outcome, tried)
    return _not_done(outcome, tried)


def is_doubtful(outcome: Response | TransportFault) -> bool:
    """Whether a write that ended in *outcome* may have been done all the same: an unreadable answer is no answer."""
    if isinstance(outcome, TransportFault):
        return not isinstance(outcome, NotSent)
    return says_nothing(outcome) or (outcome.status == 200 and not is_readable(outcome))


def opens_soon(refused: Response) -> bool:
    """Whether the limit by which Xero *refused* a call is waited out: the day's never is (F 2.06)."""
    return which_limit(refused) != "day" and retry_after_s(refused) <= LONGEST_WAIT_S


def _after_read(outcome: Response | TransportFault, tried: Tried) -> Move:
    if isinstance(outcome, AnswerRefused):
        return Move(Step.GIVE_UP, error=UnreadableAnswer)
    if isinstance(outcome, TransportFault) or outcome.status in _PASSING or outcome.status == 500:
        return _again(tried) or Move(Step.GIVE_UP, error=Unavailable)
    return _refused(outcome, tried)


def _not_done(outcome: Response | TransportFault, tried: Tried) -> Move:
    if isinstance(outcome, TransportFault):
        return _again(tried) or Move(Step.GIVE_UP, error=Unavailable)
    return _refused(outcome, tried)


def _refused(outcome: Response, tried: Tried) -> Move:
    if outcome.status < 400:
        return Move(Step.TAKE)
    if outcome.status == 401 and not lacks_scope(outcome):
        return Move(Step.GIVE_UP, error=NotAuthorised) if tried.renewed else Move(Step.RENEW)
    if outcome.status == 429:
        if not opens_soon(outcome) or tried.attempt >= ATTEMPTS_MAX:
            return Move(Step.GIVE_UP, error=RateLimited)
        return Move(Step.WAIT, retry_after_s(outcome))
    return Move(Step.GIVE_UP, error=type(refusal(outcome)))


def _in_doubt(outcome: Response | TransportFault, tried: Tried) -> Move:
    unknown = Move(Step.GIVE_UP, error=OutcomeUnknown)
    if not tried.keyed or tried.doubts >= DOUBTS_MAX or isinstance(outcome, AnswerRefused):
        return unknown
    if isinstance(outcome, Response) and outcome.status not in {200, 429, *_PASSING}:
        return unknown
    limited = isinstance(outcome, Response) and outcome.status == 429
    wait_s = retry_after_s(outcome) if isinstance(outcome, Response) and limited else _backoff_s(tried)
    if tried.attempt >= ATTEMPTS_MAX or tried.age_s + wait_s >= KEY_AGE_MAX_S:
        return unknown
    return Move(Step.WAIT if limited else Step.RESEND, wait_s)


def _again(tried: Tried) -> Move | None:
    return None if tried.attempt >= ATTEMPTS_MAX else Move(Step.RESEND, _backoff_s(tried))


def _backoff_s(tried: Tried) -> float:
    return float(2 ** (tried.attempt - 1))
