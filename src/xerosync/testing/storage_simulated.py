"""The conformance kit's simulation: whole schedules of the library's own flows over the store, as all goes wrong."""

# ruff: noqa: S101
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from xerosync.storage import AsyncStorage, Storage

if TYPE_CHECKING:
    from xerosync.testing.simulation import Run

StoreFactory: TypeAlias = Callable[[], Storage | AsyncStorage]

_STEPS_MAX: Final = 20_000
"""Some ten times what a schedule takes: one that goes on waits for something that never comes."""


class SimulatedTests:
    """
    What becomes of invoices, bills and payments over the store; part of `StorageTests`.

    *schedules* is how many are played, with up to three workers that die, sleep and overtake each other, and with
    backups put back; each has a new store. A hundred take some ten seconds, and what the store itself takes.
    """

    schedules: ClassVar[int] = 200

    def test_no_schedule_over_the_store_loses_or_doubles_anything(self, store_factory: StoreFactory) -> None:
        """Play the first seeds, until one goes wrong; `played_over` plays it again."""
        for seed in range(self.schedules):
            run = played_over(store_factory, seed)
            assert run.wrong == (), run


def played_over(store_factory: StoreFactory, seed: int) -> Run:
    """What comes of the schedule of *seed* over a store of yours: every second one is crowded with sleepy workers."""
    # Only who runs it needs all of it.
    from xerosync.testing.simulation import crowded, mixed, play  # noqa: PLC0415
    from xerosync.testing.simulation.flows import flow_of  # noqa: PLC0415

    mix = crowded(seed) if seed % 2 else mixed(seed, "inside")
    return play(seed, flow_of(seed), mix, steps_max=_STEPS_MAX, store=store_factory)
