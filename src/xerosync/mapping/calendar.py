"""The days on which money can be collected: a pure calendar, whose holidays the host gives."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo

from attrs import field, frozen

from xerosync.arguments import fields_checked, listed
from xerosync.errors import InvalidInput
from xerosync.mapping.documents import check_day

_DAY = timedelta(days=1)


def _days(values: Iterable[date]) -> frozenset[date]:
    days = frozenset(listed(values, date, "holidays"))
    for day in days:
        check_day("holidays", day)
    return days


def _weekdays(values: Iterable[int]) -> frozenset[int]:
    return frozenset(listed(values, int, "weekend"))


@frozen(kw_only=True, field_transformer=fields_checked)
class ProcessingCalendar:
    """
    When collections are processed: on every day but those of the *weekend* (Monday is 0) and *holidays*.

    *notice* is how many processing days must lie between today and the first day that can be asked for: with 0, it may
    be today itself. *zone* is the time zone in which a day begins and ends.
    """

    holidays: frozenset[date] = field(default=frozenset[date](), converter=_days)
    weekend: frozenset[int] = field(default=frozenset({5, 6}), converter=_weekdays)
    notice: int = 0
    zone: tzinfo = UTC

    def __attrs_post_init__(self) -> None:
        if not self.weekend < set(range(7)):
            raise InvalidInput("weekend", "give days from 0 (Monday) to 6, and leave one to work on")
        if self.notice < 0:
            raise InvalidInput("notice", "give a number of days of zero or more")

    def today(self, now: datetime) -> date:
        """The day that it is at *now* where money is collected."""
        return now.astimezone(self.zone).date()

    def is_processing_day(self, day: date) -> bool:
        """Whether collections are processed on *day*."""
        return day.weekday() not in self.weekend and day not in self.holidays

    def next_from(self, day: date) -> date:
        """The first processing day that is *day* or comes after it."""
        while not self.is_processing_day(day):
            day += _DAY
        return day

    def first_from(self, today: date) -> date:
        """The first day that can be asked for *today*: as many processing days ahead as notice is needed."""
        day = self.next_from(today)
        for _ in range(self.notice):
            day = self.next_from(day + _DAY)
        return day

    def day_for(self, due: date, *, today: date) -> date:
        """The day to collect what is *due*: that day, else the next on which it can be; the first if overdue (R24)."""
        return max(self.next_from(due), self.first_from(today))
