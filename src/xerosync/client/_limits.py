"""What may be sent when, under Xero's four limits: decisions over values, apart from the gate that keeps the values."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, field, frozen

from xerosync.client._wire.answers import Counters
from xerosync.errors import InvalidInput

A_MINUTE: Final = 60
"""Calls that Xero takes from one app for one organisation in any minute (F 2.01, 2.02)."""
APP_A_MINUTE: Final = 10_000
"""Calls that Xero takes from one app for all organisations together in any minute (F 2.01)."""

LEASE: Final = timedelta(seconds=120)
"""A call of which no more is heard has ended by then: its worker died, or its answer never came."""

_MINUTE: Final = timedelta(seconds=60)
_DAY: Final = timedelta(hours=24)
_TRAVEL: Final = timedelta(seconds=10)
_ASK_AGAIN: Final = timedelta(hours=1)
_AHEAD: Final = timedelta(seconds=10)
"""How far the clocks of two workers, or one before and after it is set, may differ and be believed."""
_POLL_S: Final = 0.1


@frozen(kw_only=True)
class Limits:
    """
    What this process allows itself of one organisation's budget at Xero, and of its app's.

    Xero takes 60 calls a minute, 5 at a time, 5,000 a day (an app of the Starter tier: 1,000), and 10,000 a minute for
    all organisations of the app (F 2.01, 2.22). *at_a_time* and *app_a_minute* stay a little below. *a_minute* need
    not: a call counts until a minute after its answer, however long it travelled; a gate that several machines share
    leaves two of it. Clients made with ``background=True``
    leave *minute_reserve* calls of each minute and *day_reserve_percent* of the day to the others. Xero's own counters,
    in each of its answers, correct all of these.
    """

    a_minute: int = A_MINUTE
    at_a_time: int = 4
    a_day: int = 5000
    app_a_minute: int = 9_800
    minute_reserve: int = 10
    day_reserve_percent: int = 10

    def __attrs_post_init__(self) -> None:
        for name in ("a_minute", "at_a_time", "a_day", "app_a_minute"):
            given: object = getattr(self, name)
            if type(given) is not int or given < 1:
                raise InvalidInput(f"limits.{name}", "give a whole number from 1")
        reserves: list[object] = [self.minute_reserve, self.day_reserve_percent]
        if any(type(each) is not int or each < 0 for each in reserves) or self.day_reserve_percent > 100:
            raise InvalidInput("limits", "a reserve is a whole number from 0, and a percentage no more than 100")


@frozen
class Wait:
    """No call may be sent yet: the limit *which* (minute, day, concurrent, appminute) lets one through in *seconds*."""

    which: str
    seconds: float


@frozen
class Flight:
    """One call: when it was *sent*, and when its answer had come. Xero counted it at some moment in between."""

    number: int
    sent: datetime
    ended: datetime | None = None

    @property
    def over(self) -> datetime:
        """By when it is over, whatever became of it."""
        return self.ended or self.sent + LEASE

    def is_under_way(self, now: datetime) -> bool:
        """Whether its answer is still waited for at *now*."""
        return self.ended is None and now < self.sent + LEASE

    def known_at(self, now: datetime) -> Flight:
        """As it is known at *now*, see `OrganisationCalls.known_at`."""
        return Flight(self.number, past(self.sent, now), self.ended and past(self.ended, now))


@frozen
class Others:
    """Calls that somebody else made in the same minute, as Xero's counter gave away, and when they leave it."""

    count: int = 0
    until: datetime | None = None

    def known_at(self, now: datetime) -> Others:
        """As they are known at *now*, see `OrganisationCalls.known_at`."""
        return self if self.until is None else Others(self.count, min(self.until, now + _MINUTE + _AHEAD))

    def opens(self, now: datetime) -> list[datetime]:
        """When each of them leaves the minute."""
        return [self.until] * self.count if self.until is not None and self.until > now else []


@frozen
class OrganisationCalls:
    """
    What is known of the calls for one organisation.

    *left_today* is Xero's word, less what was sent since; *day_heard* says of when it is, *day_began* when the first
    call of the day was sent. *closed* holds until when Xero refuses each limit it named.
    """

    flights: tuple[Flight, ...] = ()
    others: Others = Others()
    heard: datetime | None = None
    closed: Mapping[str, datetime] = field(factory=dict[str, datetime])
    left_today: int | None = None
    day_heard: datetime | None = None
    day_began: datetime | None = None

    def known_at(self, now: datetime) -> OrganisationCalls:
        """
        As it is known at *now*: what is dated later, by a clock that was wrong, was just now.

        Else nothing would be sent before that moment comes.
        """
        moments = [flight.ended or flight.sent for flight in self.flights]
        told = [each for each in (self.heard, self.day_heard, self.day_began) if each is not None]
        if max([*moments, *told], default=now) <= now + _AHEAD and self.others.known_at(now) == self.others:
            return self
        return evolve(
            self,
            flights=tuple(flight.known_at(now) for flight in self.flights),
            others=self.others.known_at(now),
            heard=self.heard and past(self.heard, now),
            day_heard=self.day_heard and past(self.day_heard, now),
            day_began=self.day_began and past(self.day_began, now),
        )

    def sent(self, number: int, limits: Limits, now: datetime) -> OrganisationCalls:
        """As it is when call *number* is sent."""
        left, began, heard = self.left_today, self.day_began, self.day_heard
        if left is None or began is None or now >= began + _DAY:
            left, began = limits.a_day, now
        horizon = min([flight.sent for flight in self.flights if flight.is_under_way(now)], default=now) - _MINUTE
        flights = tuple(flight for flight in self.flights if flight.over > horizon)
        return evolve(
            self,
            flights=(*flights, Flight(number, now)),
            closed={which: until for which, until in self.closed.items() if until > now},
            left_today=left - 1,
            day_heard=heard if heard is not None and self.heard is not None else now,
            day_began=began,
        )

    def ended(self, number: int, now: datetime) -> OrganisationCalls:
        """As it is when the answer to call *number* has come, or will not come any more."""
        return evolve(
            self,
            flights=tuple(
                evolve(flight, ended=now) if flight.number == number and flight.ended is None else flight
                for flight in self.flights
            ),
        )

    def told(self, sent: datetime, counters: Counters, limits: Limits, now: datetime) -> OrganisationCalls:
        """As it is after the answer to a call that was sent at *sent* showed these *counters* (F 2.03–2.09)."""
        known = self if counters.refused is None else self._refused(counters.refused, counters.retry_after_s, now)
        if self.heard is not None and sent < self.heard:
            return known  # a later call has told already how it stands
        if counters.minute_left is not None:
            # What we sent so late that Xero may have counted it. The rest of what it counted was somebody else's.
            ours = sum(flight.over > sent - _MINUTE for flight in self.flights)
            hidden = max(A_MINUTE, limits.a_minute) - counters.minute_left - ours
            known = evolve(known, others=Others(max(hidden, 0), now + _MINUTE), heard=sent)
        if counters.day_left is not None and counters.refused != "day":
            left = counters.day_left - sum(flight.is_under_way(now) for flight in self.flights)
            known = evolve(known, left_today=left, day_heard=now, heard=sent)
        return known

    def _refused(self, which: str, retry_after_s: float, now: datetime) -> OrganisationCalls:
        until = now + timedelta(seconds=retry_after_s)
        closed = {**self.closed, which: max(until, self.closed.get(which, until))}
        # A new day begins when this one opens again, with all its calls.
        return evolve(self, closed=closed, left_today=None if which == "day" else self.left_today)


@frozen
class AppCalls:
    """What is known of the calls of one app for all its organisations: when each was sent in the last minute."""

    calls: tuple[datetime, ...] = ()
    others: Others = Others()
    closed_until: datetime | None = None

    def known_at(self, now: datetime) -> AppCalls:
        """As it is known at *now*, see `OrganisationCalls.known_at`."""
        latest, closes = now + _AHEAD, now + _MINUTE + _AHEAD
        closed = self.closed_until and min(self.closed_until, closes)
        others = self.others.known_at(now)
        if max(self.calls[-1:], default=now) <= latest and (closed, others) == (self.closed_until, self.others):
            return self
        return AppCalls(tuple(sorted(past(sent, now) for sent in self.calls)), others, closed)

    def sent(self, now: datetime) -> AppCalls:
        """As it is when one more call is sent."""
        return evolve(self, calls=(*self.calls[bisect_right(self.calls, now - _MINUTE - _TRAVEL) :], now))

    def told(self, sent: datetime, counters: Counters, limits: Limits, now: datetime) -> AppCalls:
        """As it is after an answer showed these *counters*."""
        known = self
        if counters.refused == "appminute":
            known = evolve(known, closed_until=now + timedelta(seconds=counters.retry_after_s))
        if counters.app_minute_left is not None:
            ours = len(self.calls) - bisect_right(self.calls, sent - _MINUTE - _TRAVEL)
            hidden = max(APP_A_MINUTE, limits.app_a_minute) - counters.app_minute_left - ours
            known = evolve(known, others=Others(max(hidden, 0), now + _MINUTE))
        return known


def wait_before(
    organisation: OrganisationCalls, app: AppCalls, limits: Limits, now: datetime, *, background: bool
) -> Wait | None:
    """
    How long the next call must wait, and for which limit; None when it may be sent at once.

    However calls and answers come, obeying it means: never more than ``limits.a_minute`` that were sent, or can have
    arrived, in any 60 seconds, nor more than ``limits.at_a_time`` under way.
    """
    opens = {
        **organisation.closed,
        "day": organisation.closed.get("day") or _day_opens(organisation, limits, background=background),
        "appminute": _latest(app.closed_until, _app_opens(app, limits, now)),
        "minute": _latest(
            organisation.closed.get("minute"), _minute_opens(organisation, limits, now, background=background)
        ),
    }
    waits = [
        Wait(which, (until - now).total_seconds())
        for which, until in opens.items()
        if until is not None and until > now
    ]
    if not waits and sum(flight.is_under_way(now) for flight in organisation.flights) >= limits.at_a_time:
        waits = [Wait("concurrent", _POLL_S)]
    # Nobody waits for a minute to learn of a day that is over.
    return max(waits, key=lambda wait: (wait.which == "day", wait.seconds), default=None)


def _minute_opens(
    organisation: OrganisationCalls, limits: Limits, now: datetime, *, background: bool
) -> datetime | None:
    # A call counts from when it is sent until a minute after its answer: Xero counted it at some moment in between.
    leaving = [min(flight.over, max(now, flight.sent)) + _MINUTE for flight in organisation.flights]
    room = limits.a_minute - (limits.minute_reserve if background else 0)
    return _opens([*leaving, *organisation.others.opens(now)], max(room, 1), now)


def _app_opens(app: AppCalls, limits: Limits, now: datetime) -> datetime | None:
    others = app.others.opens(now)
    if len(app.calls) + len(others) < limits.app_a_minute:
        return None
    return _opens([*(sent + _MINUTE for sent in app.calls), *others], limits.app_a_minute, now)


def _day_opens(organisation: OrganisationCalls, limits: Limits, *, background: bool) -> datetime | None:
    """
    When a call in the background may ask again how much is left of the day; None when there is enough.

    Xero does not say when its day begins. Whoever may use the last call is told by Xero's refusal when it opens (F
    2.06); the reserve is never used up to learn that, so that one call an hour looks.
    """
    left, heard = organisation.left_today, organisation.day_heard
    if not background or left is None or heard is None:
        return None
    return heard + _ASK_AGAIN if left <= limits.a_day * limits.day_reserve_percent // 100 else None


def _opens(leaving: Sequence[datetime], room: int, now: datetime) -> datetime | None:
    """When fewer than *room* of those that leave at *leaving* are left; None when it is so now."""
    still = sorted(each for each in leaving if each > now)
    return still[len(still) - room] if len(still) >= room else None


def past(moment: datetime, now: datetime) -> datetime:
    """*moment*, or *now* where it lies so far ahead that the clock it was read from cannot be believed."""
    return now if moment > now + _AHEAD else moment


def _latest(*moments: datetime | None) -> datetime | None:
    return max((each for each in moments if each is not None), default=None)
