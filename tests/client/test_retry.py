"""What follows on an outcome, row by row: when a call is sent again, when it is given up, and with which error."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xerosync.client._retry import Kind, Move, Step, Tried, next_move
from xerosync.client._wire.answers import refusal
from xerosync.errors import (
    NotAuthorised,
    NotFound,
    OrganisationRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ScopeMissing,
    Unavailable,
    UnreadableAnswer,
    XerosyncError,
)
from xerosync.ports import AnswerLost, AnswerRefused, NotSent, Response, TransportFault

Outcome = Response | TransportFault


def limited(which: str, retry_after: str | None = None) -> Response:
    headers = {"x-rate-limit-problem": which}
    return Response(429, headers if retry_after is None else {**headers, "retry-after": retry_after})


DONE: Final = Response(200, {}, b'{"Contacts":[]}')
EXPIRED: Final = Response(401, {}, b'{"Detail":"TokenExpired: token expired at 01/05/2026 00:00:00"}')
NO_SCOPE: Final = Response(401, {"www-authenticate": "insufficient_scope"}, b'{"Detail":"AuthorizationUnsuccessful"}')
REFUSED: Final = Response(400, {}, b'{"Message":"A validation exception occurred"}')
UNREADABLE: Final = Response(200, {}, b'{"Contacts":[')

TAKE: Final = Move(Step.TAKE)
RENEW: Final = Move(Step.RENEW)


def again(wait_s: float = 1.0) -> Move:
    return Move(Step.RESEND, wait_s)


def wait(wait_s: float) -> Move:
    return Move(Step.WAIT, wait_s)


def give_up(error: type[XerosyncError]) -> Move:
    return Move(Step.GIVE_UP, error=error)


UNKNOWN: Final = give_up(OutcomeUnknown)

# The outcome; then what follows for a read, for a write, and for a write of which an earlier attempt is in doubt.
TABLE: Final[list[tuple[str, Outcome, Move, Move, Move]]] = [
    ("not sent", NotSent("no connection"), again(), again(), again()),
    ("answer lost", AnswerLost("reset"), again(), again(), again()),
    ("answer refused", AnswerRefused("too large"), give_up(UnreadableAnswer), UNKNOWN, UNKNOWN),
    ("200", DONE, TAKE, TAKE, TAKE),
    ("204", Response(204), TAKE, TAKE, TAKE),
    ("200 unreadable", UNREADABLE, TAKE, again(), again()),
    ("200 empty", Response(200), TAKE, again(), again()),
    ("400", REFUSED, give_up(Rejected), give_up(Rejected), give_up(Rejected)),
    ("400 unreadable", Response(400), give_up(Rejected), UNKNOWN, UNKNOWN),
    ("401 expired", EXPIRED, RENEW, RENEW, UNKNOWN),
    ("401 scope", NO_SCOPE, give_up(ScopeMissing), give_up(ScopeMissing), UNKNOWN),
    ("403", Response(403), give_up(OrganisationRefused), give_up(OrganisationRefused), UNKNOWN),
    ("404", Response(404), give_up(NotFound), give_up(NotFound), give_up(NotFound)),
    ("408", Response(408), again(), again(), again()),
    ("409", Response(409), give_up(Rejected), UNKNOWN, UNKNOWN),
    ("413", Response(413), give_up(Rejected), give_up(Rejected), give_up(Rejected)),
    ("429 minute", limited("minute", "26"), wait(26), wait(26), wait(26)),
    ("429 minute, silent", limited("minute"), wait(2), wait(2), wait(2)),
    ("429 minute, long", limited("minute", "121"), give_up(RateLimited), give_up(RateLimited), UNKNOWN),
    ("429 concurrent", limited("concurrent", "1"), wait(1), wait(1), wait(1)),
    ("429 concurrent, silent", limited("concurrent"), wait(2), wait(2), wait(2)),
    ("429 appminute", limited("AppMinute", "59"), wait(59), wait(59), wait(59)),
    ("429 appminute, silent", limited("AppMinute"), wait(2), wait(2), wait(2)),
    ("429 day", limited("Day", "66975"), give_up(RateLimited), give_up(RateLimited), UNKNOWN),
    ("429 day, short", limited("day", "3"), give_up(RateLimited), give_up(RateLimited), wait(3)),
    ("429 day, silent", limited("day"), give_up(RateLimited), give_up(RateLimited), UNKNOWN),
    ("500", Response(500), again(), UNKNOWN, UNKNOWN),
    ("501", Response(501), give_up(Unavailable), UNKNOWN, UNKNOWN),
    ("502", Response(502), again(), again(), again()),
    ("503", Response(503), again(), again(), again()),
    ("504", Response(504), again(), again(), again()),
]
ROWS = pytest.mark.parametrize(
    ("outcome", "read", "write", "doubtful"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
OUTCOMES = st.sampled_from([row[1] for row in TABLE])


@ROWS
def test_each_outcome_has_its_row(outcome: Outcome, read: Move, write: Move, doubtful: Move) -> None:
    assert next_move(Kind.READ, outcome, Tried()) == read
    assert next_move(Kind.WRITE, outcome, Tried()) == write
    assert next_move(Kind.WRITE, outcome, Tried(doubts=1)) == doubtful


@ROWS
def test_the_error_of_the_table_is_the_one_that_the_answer_stands_for(
    outcome: Outcome, read: Move, write: Move, doubtful: Move
) -> None:
    for move in (read, write, doubtful):
        if move.step is Step.GIVE_UP and move.error is not OutcomeUnknown and isinstance(outcome, Response):
            assert type(refusal(outcome)) is move.error


@given(OUTCOMES, st.integers(5, 9))
def test_nothing_is_sent_for_ever(outcome: Outcome, attempt: int) -> None:
    for kind in Kind:
        move = next_move(kind, outcome, Tried(attempt=attempt, renewed=True))
        assert move.step in {Step.TAKE, Step.GIVE_UP}


@given(OUTCOMES, st.integers(1, 4), st.integers(1, 5), st.floats(0, 600))
def test_a_write_in_doubt_is_sent_again_only_within_its_minute_and_thrice_in_all(
    outcome: Outcome, attempt: int, doubts: int, age_s: float
) -> None:
    move = next_move(Kind.WRITE, outcome, Tried(attempt=attempt, doubts=doubts, age_s=age_s))

    if move.step in {Step.RESEND, Step.WAIT}:
        assert age_s + move.wait_s < 60
        assert doubts < 3
    assert move.step is not Step.RENEW  # under another token the same key might do it twice


@given(OUTCOMES)
def test_a_write_without_a_key_that_xero_heeds_is_never_sent_again_in_doubt(outcome: Outcome) -> None:
    """F 3.02: a DELETE has none."""
    move = next_move(Kind.WRITE, outcome, Tried(keyed=False))

    if move.step is Step.RESEND:
        assert isinstance(outcome, NotSent)
    assert next_move(Kind.WRITE, outcome, Tried(keyed=False, doubts=1)).step in {Step.TAKE, Step.GIVE_UP}


def test_a_token_is_renewed_once() -> None:
    for kind in Kind:
        assert next_move(kind, EXPIRED, Tried(attempt=2, renewed=True)) == give_up(NotAuthorised)


def test_pauses_grow() -> None:
    moves = [next_move(Kind.READ, AnswerLost("reset"), Tried(attempt=attempt)) for attempt in range(1, 6)]

    assert moves == [again(1), again(2), again(4), again(8), give_up(Unavailable)]
