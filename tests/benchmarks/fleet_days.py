"""
Three days of a fleet of 10,000 organisations, in simulated time: ``python -m tests.benchmarks.fleet_days [--json]``.

A discrete-event simulation: what is decided is decided by the library itself (`why_now`, `next_time` and `after_error`
of the worker's schedule, and the gate), and what Xero answers is a number of changes. Sizes and activity are skewed:
most organisations change less than once a day, some hundreds of times, in the working hours of four time zones. All are
connected at once, so that the first hours are first imports. A run reads invoices and payments, half a second a call.

With webhooks, a change is told of after some seconds, of each two hundredth after a quarter of an hour; the worker
gathers for 13 minutes. Without, it reads each 14 minutes while an organisation is active, and less and less after.

Measured is how long a change of an active organisation, where a run found something in the two hours before, is not
known. The floor knows all changes beforehand, and promises the same: with webhooks each is read 15 minutes after the
first that is not known yet; without, each 15 minutes for two hours after a change; and each six hours in any case.
Limits are counted apart from the gate, by everything that was sent.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Final, TypeAlias

from attrs import define, evolve, field, frozen
from tests.benchmarks.turns import report

from xerosync import Limits
from xerosync.client._driver import run as step
from xerosync.client._paging import PAGE_SIZE
from xerosync.client._retry import LONGEST_WAIT_S
from xerosync.client.gate import Account, MemoryGate, Permit, Wait
from xerosync.engine.schedule import Ended, Rhythm, Seen, Standing, Why, after_error, idle_after, next_time, why_now
from xerosync.errors import RateLimited

GOAL_FRESH_MIN: Final = 15
GOAL_FLOOR: Final = 1.2
_START: Final = datetime(2026, 1, 5, tzinfo=UTC)
_DAY: Final = 86_400.0
_PROMISED: Final = 15 * 60.0
_ACTIVE: Final = 2 * 3600.0
_SILENCE: Final = 6 * 3600.0
_LATENCY: Final = 0.5
_COLLECTIONS: Final = 2
_PER_ROW: Final = 370
"""Bytes of one document in a compressed page, and of an answer without any."""
_PER_ANSWER: Final = 700


Process: TypeAlias = Generator[float, float, None]


def _at(seconds: float) -> datetime:
    return _START + timedelta(seconds=seconds)


@frozen
class Setting:
    """One fleet: how many *organisations*, for how many *days*, under which *limits*, told by *webhooks* or not."""

    organisations: int
    days: int
    limits: Limits
    webhooks: bool
    seed: int = 7

    @property
    def end(self) -> float:
        return self.days * _DAY

    @property
    def rhythm(self) -> Rhythm:
        """How the fleet's workers are set."""
        every, gather = (15, 13) if self.webhooks else (14, 0)
        return Rhythm(every=timedelta(minutes=every), max_silence=timedelta(hours=6), gather=timedelta(minutes=gather))


@define(eq=False)
class Organisation:
    """One organisation: how many documents of each kind it began with, and when others *changed*."""

    number: int
    size: int
    changed: Sequence[float]
    told: Sequence[float]
    standing: Standing | None = None
    due: float = 0.0
    read: int = 0
    """How many changes are known."""
    heard: int = 0
    """Of how many webhooks have told."""
    found: float | None = None
    """When a run found something the last time."""
    is_at_work: bool = False
    pages_read: list[int] = field(factory=lambda: [0] * _COLLECTIONS)
    """How far its first import has come, which goes on where it was broken off."""

    @property
    def account(self) -> Account:
        return Account("https://api.xero.com", "app", str(self.number))


def organisations_of(setting: Setting) -> Iterator[Organisation]:
    """The organisations of *setting*: always the same."""
    chance = random.Random(setting.seed)
    for number in range(setting.organisations):
        a_day = min(chance.lognormvariate(0.0, 1.8), 500.0)
        begins = chance.choice([0, 7, 12, 20]) * 3600.0
        times: list[float] = []
        for day in range(setting.days):
            hours = [chance.triangular(0, 9 * 3600, 3 * 3600) for _ in range(_poisson(chance, a_day))]
            times += [day * _DAY + (begins + each) % _DAY for each in hours]
        times.sort()
        told = [each + (900 if chance.random() < 0.005 else chance.expovariate(1 / 20)) for each in times]
        size = round(min(chance.lognormvariate(math.log(2000), 1.6), 500_000))
        yield Organisation(number, size, times, sorted(told))


def _poisson(chance: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def pages_of(rows: int) -> list[int]:
    """How many rows each page of a list of *rows* brings, as the library chooses its pages."""
    return [min(PAGE_SIZE, rows - start) for start in range(0, max(rows, 1), PAGE_SIZE)]


@define
class Counted:
    """What Xero saw: calls and bytes, and the most of each limit that was ever used, counted apart from the gate."""

    calls: int = 0
    bytes: int = 0
    most_a_minute: int = 0
    most_at_once: int = 0
    most_a_day: int = 0
    most_of_app: int = 0
    _recent: dict[int, deque[float]] = field(factory=dict[int, "deque[float]"])
    _app: deque[float] = field(factory=deque[float])
    _days: Counter[tuple[int, int]] = field(factory=Counter[tuple[int, int]])
    _now: Counter[int] = field(factory=Counter[int])

    def began(self, organisation: int, now: float, rows: int) -> None:
        """A call was sent that brings so many *rows*."""
        self.calls += 1
        self.bytes += _PER_ANSWER + _PER_ROW * rows
        recent = self._recent.setdefault(organisation, deque())
        self.most_a_minute = max(self.most_a_minute, _within_a_minute(recent, now))
        self.most_of_app = max(self.most_of_app, _within_a_minute(self._app, now))
        self._days[organisation, int(now // _DAY)] += 1
        self.most_a_day = max(self.most_a_day, self._days[organisation, int(now // _DAY)])
        self._now[organisation] += 1
        self.most_at_once = max(self.most_at_once, self._now[organisation])

    def ended(self, organisation: int) -> None:
        """Its answer has come."""
        self._now[organisation] -= 1


def _within_a_minute(calls: deque[float], now: float) -> int:
    calls.append(now)
    while calls[0] <= now - 60:
        calls.popleft()
    return len(calls)


@define
class Fleet:
    """The organisations of *setting* at work: *free* runs may be under way at a time."""

    setting: Setting
    free: int = 32
    organisations: list[Organisation] = field(init=False)
    counted: Counted = field(factory=Counted)
    began: list[float] = field(factory=list[float])
    fresh: list[float] = field(factory=list[float])
    _gate: MemoryGate = field(factory=MemoryGate)
    _events: list[tuple[float, int, Organisation, Process | None]] = field(factory=list)
    _ready: list[tuple[float, int, Organisation]] = field(factory=list)
    _number: int = 0

    def __attrs_post_init__(self) -> None:
        self.organisations = list(organisations_of(self.setting))

    def live(self) -> None:
        """Let the days pass."""
        for each in self.organisations:
            self._schedule(each, 0.0)
            if self.setting.webhooks:
                for told in each.told:
                    self._wait(told, each, None)
        while self._events:
            now, _, organisation, run = heappop(self._events)
            if now > self.setting.end:
                return
            if run is not None:
                self._go_on(now, organisation, run)
            else:
                self._arrived(now, organisation)
            self._begin(now)

    def _wait(self, until: float, organisation: Organisation, run: Process | None) -> None:
        self._number += 1
        heappush(self._events, (until, self._number, organisation, run))

    def _schedule(self, organisation: Organisation, due: float) -> None:
        organisation.due = due
        self._wait(due, organisation, None)

    def _arrived(self, now: float, organisation: Organisation) -> None:
        """A webhook came, or *organisation* may be due."""
        told = organisation.told
        while organisation.heard < len(told) and told[organisation.heard] <= now:
            organisation.heard += 1
        if organisation.is_at_work:
            return
        self._number += 1
        heappush(self._ready, (organisation.due, self._number, organisation))

    def _begin(self, now: float) -> None:
        while self._ready and self.free:
            _, _, organisation = heappop(self._ready)
            if organisation.is_at_work:
                continue
            why = self._why(organisation, now)
            if why is not Why.QUIET:
                organisation.is_at_work = True
                self.free -= 1
                self.began.append(now)
                self._go_on(now, organisation, self._run(organisation, now), is_new=True)

    def _seen(self, organisation: Organisation) -> Seen:
        is_told = self.setting.webhooks and organisation.heard > organisation.read
        return Seen(told=is_told, webhooks=self.setting.webhooks)

    def _why(self, organisation: Organisation, now: float) -> Why:
        """Why *organisation* is worked on now; if it is not, it is looked at again when that changes by itself."""
        standing, seen, rhythm = organisation.standing, self._seen(organisation), self.setting.rhythm
        why = why_now(standing, seen, rhythm, _at(now))
        if why is Why.QUIET and standing is not None:
            organisation.standing = standing.looked_at(seen, _at(now))
            self._look_again(organisation, now)
        return why

    def _look_again(self, organisation: Organisation, now: float) -> None:
        """Schedule *organisation*; looks at which nothing can have changed cost no call, and are passed over."""
        standing, seen, rhythm = organisation.standing, self._seen(organisation), self.setting.rhythm
        assert standing is not None
        due = _at(now)
        while why_now(standing, seen, rhythm, due) is Why.QUIET:
            due = max(next_time(standing, seen, rhythm, due), due + timedelta(seconds=1))
        if (seconds := (due - _START).total_seconds()) != organisation.due or seconds > now:
            self._schedule(organisation, seconds)

    def _go_on(self, now: float, organisation: Organisation, run: Process, *, is_new: bool = False) -> None:
        try:
            pause = next(run) if is_new else run.send(now)
        except StopIteration:
            self.free += 1
            organisation.is_at_work = False
        else:
            self._wait(now + pause, organisation, run)

    def _run(self, organisation: Organisation, now: float) -> Process:
        """One run: yields how long it waits, and is told what time it is then."""
        began, is_first, news = now, organisation.standing is None, 0
        for place in range(_COLLECTIONS):
            pages = pages_of(organisation.size)[organisation.pages_read[place] :] if is_first else [0]
            for page, rows in enumerate(pages):
                while not isinstance(answer := self._asked(organisation, now), Permit):
                    if answer.which == "day" or answer.seconds > LONGEST_WAIT_S:
                        self._broken_off(organisation, RateLimited(answer.which, answer.seconds), now)
                        return
                    now = yield answer.seconds
                there = _up_to(organisation, now) - organisation.read if place == 0 and page == 0 else news
                news = max(news, there)
                self.counted.began(organisation.number, now, rows if is_first else there)
                now = yield _LATENCY
                organisation.pages_read[place] += is_first
                step(self._gate.release(answer, _at(now)))
                self.counted.ended(organisation.number)
        self._done(organisation, began, now, news)

    def _asked(self, organisation: Organisation, now: float) -> Permit | Wait:
        return step(self._gate.acquire(organisation.account, self.setting.limits, _at(now), background=True))

    def _broken_off(self, organisation: Organisation, error: RateLimited, now: float) -> None:
        standing = organisation.standing or Standing()
        ended, due = after_error(error, standing.failed, self.setting.rhythm, _at(now))
        organisation.standing = evolve(standing, ended=ended, failed=standing.failed + 1)
        assert due is not None
        self._schedule(organisation, (due - _START).total_seconds())

    def _done(self, organisation: Organisation, began: float, now: float, news: int) -> None:
        before = organisation.standing
        known = range(organisation.read, organisation.read + news)
        found = organisation.found
        if before is not None and found is not None:
            self.fresh += [now - at for each in known if (at := organisation.changed[each]) - found <= _ACTIVE]
        if news and before is not None:
            organisation.found = now
        organisation.read += news
        organisation.heard = max(organisation.heard, organisation.read)
        idle = idle_after(before or Standing(), self.setting.rhythm, is_first=before is None, is_news=news > 0)
        organisation.standing = Standing(began=_at(began), ended=Ended.DONE, idle=idle)
        self._look_again(organisation, now)


def _up_to(organisation: Organisation, now: float) -> int:
    """How many changes there were until *now*."""
    return bisect_right(organisation.changed, now)


def floor_of(setting: Setting, organisations: Sequence[Organisation]) -> tuple[int, int]:
    """The calls and bytes of whoever knows all changes beforehand, and promises the same."""
    calls = sent = 0
    for each in organisations:
        first = _COLLECTIONS * -(-each.size // PAGE_SIZE)
        reads = sum(1 for _ in (_told_reads if setting.webhooks else _polled_reads)(each.changed, setting.end))
        calls += first + _COLLECTIONS * reads
        sent += _COLLECTIONS * (_PER_ROW * (each.size + len(each.changed)))
    return calls, sent + _PER_ANSWER * calls


def _told_reads(changed: Sequence[float], end: float) -> Iterator[float]:
    """When each change is read a quarter of an hour after the first not known yet; each six hours in any case."""
    last = 0.0
    for at in changed:
        if at <= last:
            continue
        while at > last + _SILENCE:
            last += _SILENCE
            yield last
        last = at + _PROMISED
        yield last
    yield from _silent_reads(last, end)


def _polled_reads(changed: Sequence[float], end: float) -> Iterator[float]:
    """When it is read each quarter of an hour for two hours after a change, and each six hours in any case."""
    last = 0.0
    for place, at in enumerate(changed):
        quiet_from = min(changed[place + 1] if place + 1 < len(changed) else end, at + _ACTIVE)
        while at > last + _SILENCE:
            last += _SILENCE
            yield last
        last = max(last, at)
        while last + _PROMISED <= quiet_from:
            last += _PROMISED
            yield last
    yield from _silent_reads(last, end)


def _silent_reads(last: float, end: float) -> Iterator[float]:
    while last + _SILENCE <= end:
        last += _SILENCE
        yield last


def row_of(fleet: Fleet, name: str) -> dict[str, object]:
    """A row of the report."""
    counted, limits = fleet.counted, fleet.setting.limits
    calls, sent = floor_of(fleet.setting, fleet.organisations)
    fresh = sorted(fleet.fresh)
    return {
        "Fleet": name,
        "runs": f"{len(fleet.began):,}",
        "calls": f"{counted.calls:,}",
        "times the floor": round(counted.calls / calls, 3),
        "GB": round(counted.bytes / 1e9, 2),
        "times the floor of bytes": round(counted.bytes / sent, 3),
        "minutes until known: half": round(fresh[len(fresh) // 2] / 60, 1),
        "99 in 100": round(fresh[len(fresh) * 99 // 100] / 60, 1),
        "most calls a minute": f"{counted.most_a_minute} of 60",
        "at once": f"{counted.most_at_once} of 5",
        "a day": f"{counted.most_a_day:,} of {limits.a_day:,}",
        "a minute of the app": f"{counted.most_of_app:,} of 10,000",
    }


def is_met(fleet: Fleet, row: Mapping[str, object]) -> bool:
    """Whether every goal is reached."""
    counted, limits = fleet.counted, fleet.setting.limits
    within = counted.most_a_minute <= 60 and counted.most_at_once <= 5 and counted.most_of_app <= 10_000
    cheap = all(float(str(row[name])) <= GOAL_FLOOR for name in ("times the floor", "times the floor of bytes"))
    is_fresh = float(str(row["99 in 100"])) <= GOAL_FRESH_MIN
    return within and counted.most_a_day <= limits.a_day and cheap and is_fresh


def main() -> int:
    """Print the figures as a Markdown table, or as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organisations", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    met: list[bool] = []
    for tier, a_day in (("Starter", 1000), ("standard", 5000)):
        for webhooks in (True, False):
            fleet = Fleet(Setting(given.organisations, given.days, Limits(a_day=a_day), webhooks))
            fleet.live()
            rows.append(row_of(fleet, f"{tier}, {'told by webhooks' if webhooks else 'polling'}"))
            met.append(is_met(fleet, rows[-1]))
    report(f"{given.organisations:,} organisations, {given.days} days", list(rows[0]), rows, as_json=given.json)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
