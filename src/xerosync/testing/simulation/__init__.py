"""
Deterministic simulation: a host, its store and Xero in a virtual world in which everything goes wrong that can.

``simulate(seed)`` plays one whole schedule: workers of a host carry a flow through, over the real client and the
simulated Xero, while requests are lost, late or doubled, answers fail, processes die and freeze, and the store is put
back from a backup. Then faults stop, everything must settle, and a checker looks at the books. The same seed plays the
same schedule.
"""

from __future__ import annotations

from collections import Counter
from time import perf_counter

from attrs import field, frozen

from xerosync.storage import MemoryStore
from xerosync.testing.simulation.checker import doubled, wrong_with
from xerosync.testing.simulation.flow import Flow, nothing_left
from xerosync.testing.simulation.flows import FLOWS, flow_of
from xerosync.testing.simulation.mix import QUIET, Client, Mix, crowded, mixed
from xerosync.testing.simulation.world import World
from xerosync.testing.storage_simulated import StoreFactory

__all__ = [
    "FLOWS",
    "QUIET",
    "Client",
    "Flow",
    "Mix",
    "Run",
    "World",
    "crowded",
    "mixed",
    "nothing_left",
    "play",
    "simulate",
]

STEPS_MAX = 60_000


@frozen(kw_only=True)
class Run:
    """
    What came of one schedule: *wrong* is empty where nothing was lost, doubled or left open.

    *trace* is the fingerprint of everything that happened, in its order. *moments* counts the steps of all processes;
    *distinct* are the numbers of those at which a death differs from one a moment before, *writes* of those where one
    leaves that writes to the books.
    """

    seed: int
    flow: str
    client: Client
    wrong: tuple[str, ...]
    moments: int
    distinct: tuple[int, ...] = field(repr=False, eq=False)
    writes: tuple[int, ...] = field(repr=False, eq=False)
    rounds: int
    virtual_s: float
    trace: str
    faults: Counter[str] = field(factory=Counter[str])
    seconds: float = field(default=0.0, eq=False)

    def __bool__(self) -> bool:
        return not self.wrong

    def __str__(self) -> str:
        end = "; ".join(self.wrong) or "well"
        return (
            f"seed {self.seed} {self.flow}/{self.client}: {self.moments:,} steps, {sum(self.faults.values())} faults, "
            f"{self.virtual_s / 3600:.1f} h: {end}"
        )


def simulate(
    seed: int,
    flow: Flow | None = None,
    mix: Mix | None = None,
    *,
    fast: bool = False,
    store: StoreFactory = MemoryStore,
) -> Run:
    """
    Play the schedule of *seed*: of all flows one, and all that goes wrong, by the seed unless given.

    A *fast* one has the engine over ports in memory, without the client, tokens, limits and HTTP between it and the
    books: several of them take no longer than one that goes through all of that. *store* makes the new and empty store
    that the workers of the world share.
    """
    return play(seed, flow or flow_of(seed), mix or mixed(seed, "inside" if fast else None), store=store)


def play(
    seed: int,
    flow: Flow,
    mix: Mix,
    *,
    deaths: frozenset[int] = frozenset(),
    steps_max: int = STEPS_MAX,
    store: StoreFactory = MemoryStore,
) -> Run:
    """
    Play *flow* with all that is in *mix*; the process that comes to a moment in *deaths* dies there.

    A schedule that has not come to its end after *steps_max* has gone wrong.
    """
    began = perf_counter()
    world = World(seed, flow, mix, deaths=deaths, store=store)
    try:
        world.begin()
        has_ended = world.loop.run(steps_max=steps_max)
        virtual_s = world.elapsed_s
        unsettled = f"it never settled: {steps_max:,} steps, {virtual_s:.0f} s"
        wrong = wrong_with(world) if has_ended else [unsettled, *doubled(world)]
    finally:
        world.close()
    return Run(
        seed=seed,
        flow=flow.name,
        client=mix.client,
        wrong=tuple(wrong),
        moments=world.moments,
        distinct=tuple(world.distinct),
        writes=tuple(world.writes),
        rounds=world.rounds,
        virtual_s=virtual_s,
        trace=world.trace,
        faults=world.faults,
        seconds=perf_counter() - began,
    )
