"""The processing calendar: which day money that is due can be collected on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xerosync import ProcessingCalendar
from xerosync.errors import InvalidInput

DAYS = st.dates(date(2025, 12, 1), date(2026, 3, 1))
CALENDARS = st.builds(
    ProcessingCalendar,
    holidays=st.frozensets(DAYS, max_size=30),
    weekend=st.frozensets(st.integers(0, 6), max_size=6),
    notice=st.integers(0, 5),
)


@given(CALENDARS, DAYS, DAYS)
def test_the_day_is_one_on_which_money_is_collected_and_never_too_early(
    calendar: ProcessingCalendar, due: date, today: date
) -> None:
    day = calendar.day_for(due, today=today)

    assert calendar.is_processing_day(day)
    assert day >= due
    assert sum(calendar.is_processing_day(today + timedelta(n)) for n in range((day - today).days)) >= calendar.notice


@given(CALENDARS, DAYS, DAYS)
def test_no_earlier_day_would_have_done(calendar: ProcessingCalendar, due: date, today: date) -> None:
    day = calendar.day_for(due, today=today)

    between = [due + timedelta(n) for n in range((day - due).days)]
    possible = [each for each in between if calendar.is_processing_day(each) and each >= calendar.first_from(today)]
    assert possible == []


@given(CALENDARS, DAYS, DAYS, DAYS)
def test_what_is_due_later_is_never_collected_earlier(
    calendar: ProcessingCalendar, due: date, later: date, today: date
) -> None:
    assert calendar.day_for(min(due, later), today=today) <= calendar.day_for(max(due, later), today=today)


@pytest.mark.parametrize(
    ("due", "day"),
    [
        ("2026-01-02", "2026-01-07"),  # overdue: the first day there is
        ("2026-01-07", "2026-01-07"),
        ("2026-01-10", "2026-01-12"),  # a Saturday
        ("2026-01-15", "2026-01-16"),  # a holiday
    ],
)
def test_overdue_is_next_and_weekends_and_holidays_are_passed_over(due: str, day: str) -> None:
    calendar = ProcessingCalendar(holidays=[date(2026, 1, 6), date(2026, 1, 15)])

    assert calendar.day_for(date.fromisoformat(due), today=date(2026, 1, 6)) == date.fromisoformat(day)


def test_notice_counts_processing_days() -> None:
    calendar = ProcessingCalendar(notice=2)

    assert calendar.first_from(date(2026, 1, 8)) == date(2026, 1, 12)  # Thursday, Friday, Monday


def test_the_day_is_that_of_the_calendar_s_own_zone() -> None:
    night = datetime(2026, 1, 5, 11, 30, tzinfo=UTC)

    assert ProcessingCalendar(zone=ZoneInfo("Pacific/Auckland")).today(night) == date(2026, 1, 6)
    assert ProcessingCalendar().today(night) == date(2026, 1, 5)


def test_a_week_without_a_processing_day_is_refused() -> None:
    with pytest.raises(InvalidInput, match="weekend"):
        ProcessingCalendar(weekend=range(7))
    with pytest.raises(InvalidInput, match="notice"):
        ProcessingCalendar(notice=-1)
    with pytest.raises(InvalidInput, match="holidays"):
        ProcessingCalendar(holidays=[datetime(2026, 1, 5, tzinfo=UTC)])
