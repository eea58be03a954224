"""A world: one organisation in the simulated Xero, a store, the processes of a host, and all that goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from hashlib import sha256
from random import Random
from typing import Final, cast

from attrs import define, field

from xerosync.client.gate import MemoryGate
from xerosync.client.oauth import App, Tokens
from xerosync.client.xero import AsyncXero, Xero
from xerosync.engine.intents import read_intent
from xerosync.engine.states import State, may_move
from xerosync.errors import (
    LedgerBehind,
    RateLimited,
    ReconnectNeeded,
    Suspended,
    XerosyncError,
)
from xerosync.ledger import AsyncLedger
from xerosync.ports import AnswerLost, Request, Response
from xerosync.simulator import Bookkeeper, Fault, Simulator, VirtualClock
from xerosync.storage import AsyncStorage, MemoryStore, Record, RecordKey, Storage
from xerosync.testing.simulation.flow import Flow
from xerosync.testing.simulation.inside import InsideSession, InsideTransport
from xerosync.testing.simulation.loop import Awaited, Crash, Loop, Plain, suspended
from xerosync.testing.simulation.mix import Mix
from xerosync.testing.simulation.ports import (
    AwaitedStore,
    PlainStore,
    WorldClock,
    WorldTransport,
    is_accounting,
)
from xerosync.testing.storage_face import plain_face
from xerosync.testing.storage_simulated import StoreFactory

_RESTART_S: Final = (1.0, 600.0)
_WRITES: Final = ("send PUT api.xro/", "send POST api.xro/")


class Vault:
    """The store that outlives its processes; it knows how it stood after each of its commits."""

    def __init__(self, new: StoreFactory) -> None:
        self._new = new
        self.kept: Storage = plain_face(new())
        self.faults: list[str] = []
        self.commits: list[tuple[Sequence[Record], Sequence[RecordKey]]] = []

    def call(self, verb: str, args: Sequence[object], kwargs: Mapping[str, object]) -> object:
        """Do *verb* on the store."""
        if verb != "commit":
            return cast(object, getattr(self.kept, verb)(*args, **kwargs))
        puts = cast(Sequence[Record], args[0])
        intents = [put for put in puts if put.kind == "intent"]
        before = self.kept.get_many([put.identity for put in intents]) if intents else []
        self.kept.commit(*args, **kwargs)  # type: ignore[arg-type]  # as the caller's
        self.commits.append((puts, cast(Sequence[RecordKey], kwargs.get("deletes", ()))))
        for earlier, put in zip(before, intents, strict=True):
            if not is_move(earlier, put):
                self.faults.append(f"an intent went from {earlier and earlier.state} to {put.state}")
        return None

    def restore(self, commits: int) -> None:
        """Be again as after so many *commits*; leases are gone, as their holders are."""
        self.kept.close()
        self.kept = plain_face(self._new())
        self.commits = self.commits[:commits]
        for puts, deletes in self.commits:
            self.kept.commit(puts, deletes=deletes)


def is_move(before: Record | None, after: Record) -> bool:
    """Whether an intent may be kept as *after* when it was *before*: a move of the table, or several at once."""
    end = State(after.state)
    if before is None:
        # What was forgotten and carries its mark is taken over as it is; a payment comes to be with its batch.
        is_of_a_batch = end is State.REMOVED and "batch" in dict(after.lookups)
        return is_of_a_batch or end in {State.INTENDED, State.CONFIRMED, State.SUSPECT}
    start = State(before.state)
    if start is State.CONFIRMED is end:
        # A payment that was taken over by itself is known to be one of a batch, once that is taken over too.
        return read_intent(before).xero_id == read_intent(after).xero_id
    if start is end:
        return start in {State.INTENDED, State.UNKNOWN, State.CONFLICT}
    by_doubt = may_move(start, State.UNKNOWN) and may_move(State.UNKNOWN, end)
    return may_move(start, end) or by_doubt


@define(eq=False)
class Life:
    """One run of a worker, from its start to its end or its death."""

    world: World
    worker: int
    body: Awaited | Plain = field(init=False)
    dead: bool = False

    def met(self, step: str, seconds: float) -> float:
        """How long the process rests at *step*. Raises `Crash` where it dies."""
        if self.dead:
            raise Crash
        frozen_s = self.world.step(self, step)
        self.check()
        return seconds + frozen_s

    def check(self) -> None:
        """Raise `Crash` in a process that is dead."""
        if self.dead:
            raise Crash

    async def point(self, step: str, seconds: float = 0.0) -> None:
        """A step of the process, which takes *seconds*."""
        if self.dead:
            raise Crash
        seconds += self.world.step(self, step)
        if self.dead:
            raise Crash
        if not self.body.passes(seconds):
            await suspended()
        if self.dead:
            raise Crash

    @property
    def is_plain(self) -> bool:
        """Whether it blocks."""
        return isinstance(self.body, Plain)


class World:
    """All there is: a host that carries *flow* through, and all that goes wrong by *mix*, or at the *deaths* given."""

    def __init__(
        self,
        seed: int,
        flow: Flow,
        mix: Mix,
        *,
        deaths: frozenset[int] = frozenset(),
        store: StoreFactory = MemoryStore,
    ) -> None:
        self.flow: Final = flow
        self.mix: Final = mix
        self.deaths: Final = deaths
        self.random: Final = Random(f"world {seed} {flow.name}")  # noqa: S311 - the same seed, the same world
        self.clock: Final = VirtualClock()
        self.simulator: Final = Simulator(clock=self.clock, seed=seed, switches=mix.switches)
        self.books: Final[Bookkeeper] = self.simulator.add_organisation()
        if self.is_inside:
            self._grow_old()
        self.loop: Final = Loop(self.clock, self.random)
        self.store: Final = Vault(store)
        self.faults: Final[Counter[str]] = Counter()
        self.violations: Final[list[str]] = []
        self.sends: Final[list[float]] = []
        self.moments: int = 0
        self.distinct: Final[list[int]] = []
        self.writes: Final[list[int]] = []
        self.rounds = 0
        self._gate = MemoryGate()
        self._registered = self.simulator.register_app("Simulation")
        self._over_s = max(mix.until_s, mix.restored_s or 0.0)
        self._drawn = self.random.random
        self._struck = mix.crash + mix.freeze + mix.stall
        self._trace: list[str] = []
        self._living: dict[int, Life] = {}
        self._bodies: list[Awaited | Plain] = []
        self._idle: Counter[int] = Counter()
        self.was_restored: bool = False
        if not self.is_inside:
            self._connect()
        flow.set_up(self)

    @property
    def trace(self) -> str:
        """The fingerprint of all that happened, in its order."""
        return sha256("\n".join(self._trace).encode()).hexdigest()

    @property
    def elapsed_s(self) -> float:
        """Virtual seconds since the world began."""
        return self.loop.now_s

    def has_come(self, fact: float) -> bool:
        """Whether the host knows a *fact* by now: 0 is known from the beginning, 1 comes when faults end."""
        return self.elapsed_s >= fact * self.mix.until_s

    @property
    def is_over(self) -> bool:
        """Whether nothing goes wrong any more."""
        return self.loop.now_s >= self._over_s

    def begin(self) -> None:
        """Start the workers, and plan the backup."""
        for worker in range(self.mix.workers):
            self.start(worker)
        if self.mix.backup_s is not None and self.mix.restored_s is not None:
            self.loop.after(self.mix.backup_s, self._back_up)

    def start(self, worker: int) -> None:
        """Start a process of *worker*."""
        process = Life(self, worker)
        ended = partial(self._ended, process)
        plain = self.mix.client == "plain" or (self.mix.client == "both" and worker % 2 == 1)
        process.body = Plain(self.loop, ended) if plain else Awaited(self.loop, ended)
        self._bodies.append(process.body)
        self._living[worker] = process
        process.body.start(_host(process))

    def step(self, process: Life, step: str) -> float:
        """Note one *step* of *process*, and decide whether it dies there, or for how long it is frozen."""
        self.moments += 1
        if not step.endswith(" done"):
            # Between a call that is done and the next one nothing happens outside the process: that is one moment.
            self.distinct.append(self.moments)
        if is_write := step.startswith(_WRITES):
            self.writes.append(self.moments)
        now_s = self.loop.now_s
        self._trace.append(f"{now_s:.6f} {process.worker} {step}")
        if self.moments in self.deaths:
            self._die(process)
        if now_s >= self._over_s:
            return 0.0
        chance = self._drawn()
        if chance >= self._struck:
            return 0.0
        if chance < self.mix.crash:
            self._die(process)
        elif chance < self.mix.crash + self.mix.freeze + (self.mix.stall if is_write else 0.0):
            self.faults["freeze"] += 1
            return self.random.uniform(*self.mix.frozen_s)
        return 0.0

    def note(self, what: str) -> None:
        """Put *what* happens into the trace."""
        self._trace.append(f"{self.loop.now_s:.6f} {what}")

    def fault(self, request: Request, path: str) -> str | Fault | None:
        """What is to strike *request*, if anything."""
        poison = self.flow.poison
        if poison is not None and poison in request.body and is_accounting(request):
            self.faults["poison"] += 1
            return Fault.SERVER_ERROR
        if is_accounting(request):
            self.sends.append(self.elapsed_s)
        if self.is_over:
            return None
        chance = self.random.random()
        mix = self.mix
        for name, share in (("refused", mix.refused), ("late", mix.late), ("doubled", mix.doubled), ("xero", mix.xero)):
            if chance < share:
                drawn = self.random.choice(mix.kinds) if name == "xero" else name
                self.faults[drawn.value if isinstance(drawn, Fault) else drawn] += 1
                self.note(f"fault {drawn} {path}")
                return drawn
            chance -= share
        return None

    def arrive(self, request: Request, fault: Fault | None = None) -> Response | None:
        """What Xero answers to *request* now, struck by *fault*; None where the answer is lost."""
        try:
            answer = self.inside(request, fault) if self.is_inside else self._outside(request, fault)
        except AnswerLost:
            answer = None
        self.note(f"xero {request.method} {answer and answer.status}")
        return answer

    @property
    def is_inside(self) -> bool:
        """Whether the engine stands at the books itself, without a client."""
        return self.mix.client == "inside"

    def inside(self, request: Request, fault: Fault | None = None) -> Response:
        """What the books answer to *request*, whoever sent it. Raises `AnswerLost`."""
        return self.simulator.inside(request, self._registered, self.books.tenant_id, fault=fault)

    def _outside(self, request: Request, fault: Fault | None) -> Response:
        if fault is not None:
            self.simulator.faults.plan(fault)
        try:
            return self.simulator.handle(request)
        finally:
            self.simulator.faults.clear()

    def client(self, process: Life) -> AsyncXero:
        """A client of *process*."""
        clock, transport = WorldClock(process), WorldTransport(process)
        app = App(self._registered.client_id, self._registered.client_secret)
        gate = self._gate if self.mix.shared_gate else MemoryGate()
        tenant, quarantine_s = self.books.tenant_id, self.mix.quarantine_s
        if isinstance(process.body, Plain):
            plain = cast(Storage, PlainStore(process, process.body))
            return Xero(
                app, tenant, store=plain, transport=transport, clock=clock, gate=gate, quarantine_s=quarantine_s
            ).asynchronous
        awaited = cast(AsyncStorage, AwaitedStore(process))
        xero = AsyncXero(
            app, tenant, store=awaited, transport=transport, clock=clock, gate=gate, quarantine_s=quarantine_s
        )
        self._take_inside(xero)
        return xero

    def quiet_client(self) -> Xero:
        """A client to which nothing happens, for the time after all."""
        app = App(self._registered.client_id, self._registered.client_secret)
        xero = Xero(
            app,
            self.books.tenant_id,
            store=cast(Storage, _Logged(self.store)),
            transport=InsideTransport(self) if self.is_inside else self.simulator.transport,
            clock=self.clock,
            gate=MemoryGate(),
        )
        self._take_inside(xero)
        return xero

    def _take_inside(self, xero: AsyncXero | Xero) -> None:
        if self.is_inside:
            xero.books.unbound = InsideSession

    def consent(self) -> Tokens:
        """The user lets the app in, anew."""
        given = self.simulator.consent(self._registered, tenants=[self.books.tenant_id])
        expires_at = self.clock.now() + timedelta(seconds=given.expires_in)
        return Tokens(given.access_token, given.refresh_token, expires_at)

    def close(self) -> None:
        """Give back the threads and the simulator."""
        for process in self._living.values():
            process.dead = True
        for body in self._bodies:
            body.kill()
        self.store.kept.close()
        self.simulator.close()

    def rest_s(self, worker: int) -> float:
        """How long a worker rests between two rounds: longer and longer once nothing goes wrong any more."""
        if not self.is_over:
            return self.random.uniform(*self.mix.rests) * self.mix.until_s
        self._idle[worker] += 1
        return min(self.mix.rests_s[1], self.mix.rests_s[0] * 2.0 ** min(self._idle[worker], 30))

    def _connect(self) -> None:
        self.quiet_client().connect(self.consent())

    def _grow_old(self) -> None:
        """Let the chart be older than one of its accounts, so that what changed of late is little to read."""
        self.clock.advance(3600)
        self.books.add_account("098", "Petty cash", type="CURRENT")
        self.clock.advance(3600)

    def _die(self, process: Life) -> None:
        self.faults["crash"] += 1
        process.dead = True

    def _ended(self, process: Life, error: BaseException | None) -> None:
        if self._living.get(process.worker) is process:
            del self._living[process.worker]
        self.note(f"{process.worker} ended {type(error).__name__}")
        if isinstance(error, Crash):
            if process.worker not in self._living:
                self.loop.after(self.random.uniform(*_RESTART_S), partial(self._restart, process.worker))
        elif error is not None:
            self.violations.append(f"a worker ended with {type(error).__name__}: {error}")

    def _restart(self, worker: int) -> None:
        if worker not in self._living:
            self.start(worker)

    def _back_up(self) -> None:
        commits = len(self.store.commits)
        self.loop.after((self.mix.restored_s or 0.0) - (self.mix.backup_s or 0.0), partial(self._put_back, commits))

    def _put_back(self, commits: int) -> None:
        """All workers are stopped, the store is put back, and they are started again."""
        self.faults["restored backup"] += 1
        self.note("restored")
        self.was_restored = True
        for process in self._living.values():
            process.dead = True
        self._living.clear()
        self.store.restore(commits)
        for worker in range(self.mix.workers):
            self.loop.after(self.random.uniform(*_RESTART_S), partial(self._restart, worker))


class _Logged:
    """The world's store in plain calls, for what is done before and after all."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def __getattr__(self, name: str) -> object:
        def verb(*args: object, **kwargs: object) -> object:
            return self._vault.call(name, args, kwargs)

        return verb


async def _host(process: Life) -> None:
    """The host's worker: round after round of the flow, until nothing is left to do and no fact is to come."""
    world = process.world
    xero = world.client(process)
    clock = WorldClock(process)
    while True:
        rest_s = world.rest_s(process.worker)
        try:
            world.rounds += 1
            knows_all = world.has_come(1.0)
            if await world.flow.work(xero, world) and knows_all:
                return
        except ReconnectNeeded:
            if not world.was_restored:
                world.violations.append(f"the consent was lost at {world.elapsed_s:.0f} s")
            rest_s += await _reconnected(xero, world)
        except LedgerBehind:
            rest_s = await _caught_up(xero)
        except RateLimited as limited:
            rest_s = limited.retry_after_s
        except Suspended as suspended:
            rest_s = (suspended.retry_at - clock.now()).total_seconds()
        except XerosyncError as error:
            world.note(f"{process.worker} {type(error).__name__}")
        await clock.sleep(rest_s)


async def _reconnected(xero: AsyncXero, world: World) -> float:
    try:
        await xero.connect(world.consent())
    except XerosyncError:
        return 60.0
    return 0.0


async def _caught_up(xero: AsyncXero) -> float:
    try:
        await AsyncLedger(xero).audit(adopt=True)
    except XerosyncError:
        return 60.0
    return 1.0
