"""The simulator's clocks and its transport are what flows ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from xerosync.errors import InvalidInput
from xerosync.ports import Clock, Transport
from xerosync.simulator import Simulator, SystemClock, VirtualClock


def test_clocks_and_transport_keep_to_the_ports() -> None:
    assert isinstance(VirtualClock(), Clock)
    assert isinstance(SystemClock(), Clock)
    assert isinstance(Simulator().transport, Transport)


def test_sleeping_by_the_virtual_clock_takes_no_time_and_never_suspends() -> None:
    clock = VirtualClock()
    before = clock.now()

    with pytest.raises(StopIteration):
        clock.sleep(3600).send(None)

    assert clock.now() == before + timedelta(hours=1)


def test_time_does_not_go_back() -> None:
    clock = VirtualClock(datetime(2026, 1, 5, tzinfo=UTC))
    with pytest.raises(InvalidInput):
        clock.advance(-1)
    clock.move_to(datetime(2025, 1, 1, tzinfo=UTC))

    assert clock.now() == datetime(2026, 1, 5, tzinfo=UTC)
    with pytest.raises(InvalidInput):
        VirtualClock(datetime(2026, 1, 5))  # noqa: DTZ001


def test_every_write_has_its_own_later_stamp() -> None:
    """Also when a batch writes faster than the clock goes."""
    with Simulator() as simulator:
        books = simulator.add_organisation()
        with simulator.transaction():
            stamps = [books.add_contact(f"Customer {count}").updated_ms for count in range(200)]

        assert stamps == sorted(set(stamps))
        assert simulator.clock.now() >= books.contacts[-1].updated


def test_the_same_seed_gives_the_same_world() -> None:
    worlds = [Simulator(seed=seed).add_organisation().accounts for seed in (7, 7, 8)]

    assert worlds[0] == worlds[1]
    assert worlds[0] != worlds[2]
