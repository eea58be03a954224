"""
The rules R1–R9, each switched off by a patch, and a search for schedules that show it: nox -s simulate -- --mutants.

A mutant that no schedule kills would mean that its rule is not tested. Where the check for strays (C15) would catch
what the rule lets through, it is switched off too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import process_time
from typing import Final

import pytest
from attrs import evolve, frozen

from xerosync.client import _consent
from xerosync.client._pacing import Turn
from xerosync.client._wire.verdicts import Element, Verdict, verdicts
from xerosync.engine import intents, posting, recovery, strays
from xerosync.engine.intents import Intent
from xerosync.engine.kinds import Kind
from xerosync.engine.lease import Lease
from xerosync.engine.posting import Poster
from xerosync.engine.probes import Found
from xerosync.engine.states import State
from xerosync.errors import XerosyncError
from xerosync.ports import NotSent, Response
from xerosync.simulator import Fault
from xerosync.storage.owner import take_lease
from xerosync.storage.protocol import Fence, Owner, Record
from xerosync.testing.simulation import QUIET, Flow, Mix, Run, mixed, play
from xerosync.testing.simulation.flows import flow_named

Patch = Callable[[pytest.MonkeyPatch], None]


@frozen
class Mutant:
    """
    A rule switched off by *patch*; *flow* and *mix* are those in which it shows, *seed* one that shows it.

    *hurt* makes a mix of a seed: what kills one rule is rare among all that can go wrong. *shows* is what is said then.
    With *dies* a process of an otherwise quiet schedule dies, so many moments after a write leaves.
    """

    rule: str
    name: str
    patch: Patch
    flow: Flow
    hurt: Callable[[int], Mix]
    dies: int | None = None
    steps_max: int = 20_000
    shows: tuple[str, ...] = ("parts of INV", "times in the books")

    def is_seen(self, run: Run) -> bool:
        """
        Whether *run* went wrong as it must without the rule: with money lost or doubled, or by never ending.

        A patch that does not fit the engine any more shows nothing.
        """
        has_ended = not any("a worker ended" in wrong for wrong in run.wrong)
        return has_ended and any(text in wrong for wrong in run.wrong for text in self.shows)


def stormy(seed: int) -> Mix:
    """Answers are lost, requests late; processes die and sleep."""
    return evolve(
        mixed(seed), workers=2, late=0.1, xero=0.1, kinds=(Fault.LOST_AFTER, Fault.LOST_BEFORE, Fault.BAD_GATEWAY),
        crash=0.004, freeze=0.002, until_s=1500.0, backup_s=None, restored_s=None,
    )  # fmt: skip


def busy(seed: int) -> Mix:
    """Three workers almost without rest, and many requests that arrive late."""
    return evolve(
        mixed(seed, "inside"), workers=3, late=0.2, refused=0.0, doubled=0.0, xero=0.0, crash=0.0, freeze=0.0,
        until_s=600.0, rests=(0.0, 0.01), backup_s=None, restored_s=None,
    )  # fmt: skip


def stalling(seed: int) -> Mix:
    """Processes are frozen just before their writes leave, for so long that others take over."""
    return evolve(
        mixed(seed), workers=3, stall=0.5, frozen_s=(500.0, 1200.0), freeze=0.0, crash=0.0, late=0.0, xero=0.0,
        refused=0.0, doubled=0.0, until_s=2000.0, backup_s=None, restored_s=None,
    )  # fmt: skip


def sleepy(seed: int) -> Mix:
    """Nothing goes wrong but that processes are frozen at any moment, and overtaken by others before they wake."""
    return evolve(stalling(seed), stall=0.0, freeze=0.02)


def partial(seed: int) -> Mix:
    """Batches are done in part."""
    return evolve(stormy(seed), workers=1, crash=0.0, freeze=0.0, late=0.0, xero=0.5, kinds=(Fault.PARTIAL_BATCH,))


def quiet(seed: int) -> Mix:
    """Nothing goes wrong but one death."""
    del seed
    return evolve(QUIET, until_s=300.0)


def restored(seed: int) -> Mix:
    """A process dies, the store is copied before another one takes over, and put back when all is done."""
    return evolve(quiet(seed), until_s=1800.0, backup_s=30.0, restored_s=1700.0)


def deaf(seed: int) -> Mix:
    """Most answers are lost, so that all tries to read one come to nothing now and then."""
    return evolve(
        stormy(seed), workers=1, crash=0.0, freeze=0.0, late=0.0, refused=0.0, doubled=0.0, xero=0.72,
        kinds=(Fault.LOST_AFTER,), until_s=12_000.0,
    )  # fmt: skip


def edgy(seed: int) -> Mix:
    """The edge often says that it got no answer of what is done, and workers rest until Xero has forgotten the keys."""
    return evolve(deaf(seed), xero=0.5, kinds=(Fault.BAD_GATEWAY,), until_s=9000.0)


def poisoned(seed: int) -> Mix:
    """Nothing goes wrong but what Xero never answers."""
    return evolve(stormy(seed), workers=1, crash=0.0, freeze=0.0, late=0.0, xero=0.0, until_s=300.0)


def without_grace(seed: int) -> Mix:
    """Three workers, tokens that end, and a refresh token that can be used once (F 1.17 switched off)."""
    switches = evolve(mixed(seed).switches, refresh_grace_minutes=0)
    return evolve(
        sleepy(seed), freeze=0.08, frozen_s=(6.0, 40.0), until_s=3800.0, rests=(0.01, 0.03), switches=switches
    )  # fmt: skip


def _unclaimed(patch: pytest.MonkeyPatch) -> None:
    keep = Poster.keep

    async def forgetful(
        self: Poster, given: Sequence[Intent], also: Sequence[Record] = (), *, before: State | None = None
    ) -> list[Intent]:
        is_claim = bool(given) and all(each.state is State.SENT for each in given)
        return list(given) if is_claim else await keep(self, given, also, before=before)

    patch.setattr(Poster, "keep", forgetful)
    _trusting(patch)


def _without_deadline(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Intent, "not_after", property(lambda _: None))
    # Nor has the call, whose place in Xero's minute runs out, too.
    patch.setattr(Turn, "bound", lambda _, request, __: request)


def _without_fence(patch: pytest.MonkeyPatch) -> None:
    async def blind(
        self: Poster, given: Sequence[Intent], also: Sequence[Record] = (), *, before: State | None = None
    ) -> list[Intent]:
        self.trail.moved(given, before)
        await self.books.storage.commit([*(each.record() for each in given), *also, *(lines := self.trail.waiting())])
        self.trail.kept(lines)
        return list(given)

    async def held(self: Lease) -> Fence:
        return self.fence

    patch.setattr(Poster, "keep", blind)
    patch.setattr(Lease, "held", held)


def _impatient(patch: pytest.MonkeyPatch) -> None:
    async def at_once(*_: object) -> None:
        """Nobody waits."""

    patch.setattr(recovery, "_wait_out", at_once)


def _naive(patch: pytest.MonkeyPatch) -> None:
    send = Poster._send

    async def again(self: Poster, kind: Kind, batch: Sequence[Intent], turn: Turn) -> Response | NotSent | None:
        response = await send(self, kind, batch, turn)
        if response is None:
            # As a queue does: the same call under the same key, when Xero has forgotten it.
            await self.books.clock.sleep(400.0)
            late = [evolve(each, claimed_at=self.books.clock.now()) for each in batch]
            response = await send(self, kind, late, turn)
        return response

    patch.setattr(Poster, "_send", again)


def _credulous(patch: pytest.MonkeyPatch) -> None:
    async def not_there(books: object, kind: Kind, given: Sequence[Intent]) -> dict[str, Sequence[Found]]:
        try:
            found = await kind.probe(books, given)  # type: ignore[arg-type]
        except XerosyncError:
            found = {}
        return {each.key: found.get(each.key, ()) for each in given}

    patch.setattr(recovery, "look", not_there)
    _trusting(patch)


def _hopeful(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(posting, "NOT_APPLIED", frozenset({401, 403, 429, 500, 502, 503, 504}))
    _trusting(patch)


def _wholesale(patch: pytest.MonkeyPatch) -> None:

    def as_the_first(
        response: Response, collection: str, sent: Sequence[Mapping[str, object]], id_name: str
    ) -> list[Element]:
        told = verdicts(response, collection, sent, id_name)
        first = told[0]
        if first.verdict is not Verdict.CONFIRMED:
            return told
        return [each if each.verdict is Verdict.CONFIRMED else first for each in told]

    patch.setattr(posting, "verdicts", as_the_first)
    patch.setattr(posting, "_is_anothers", lambda *_: False)


def _endless(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(intents, "PARKED_AFTER", 10**9)


def _trusting(patch: pytest.MonkeyPatch) -> None:
    async def no_strays(*_: object) -> list[Record]:
        return []

    patch.setattr("xerosync.engine.mirror.strays_among", no_strays)
    patch.setattr(strays, "strays_among", no_strays)


def _unlocked(patch: pytest.MonkeyPatch) -> None:
    async def a_lease_for_each(self: _consent.Consent, owner: Owner) -> Fence | None:
        now = self.clock.now()
        return await take_lease(self.storage, f"grant/{self.key}/{owner.run}", owner, ttl_s=90.0, now=now)

    patch.setattr(_consent.Consent, "_take", a_lease_for_each)


SALES: Final = flow_named("receivables")
POISON: Final = flow_named("poison")

KILLERS: Final[Mapping[str, int]] = {
    "the claim is not kept before the write": 0,
    "the claim has no deadline": 1,
    "nobody is fenced off": 7,
    "doubt is not waited out": 1,
    "a key is replayed when Xero has forgotten it": 14,
    "a probe that fails means not there": 5,
    "what the edge says is believed": 1,
    "a batch has one outcome": 1,
    "nothing is ever parked": 0,
    "each worker refreshes for itself": 32,
    "an older store is trusted": 0,
}
"""By mutant, a seed that shows it: the first to try, since other changes of the library move them."""

MUTANTS: Final = (
    Mutant("R1", "the claim is not kept before the write", _unclaimed, SALES, quiet, dies=1),
    Mutant("R2", "the claim has no deadline", _without_deadline, SALES, stalling),
    Mutant("R2", "nobody is fenced off", _without_fence, SALES, sleepy, shows=("an intent went from",)),
    Mutant("R3", "doubt is not waited out", _impatient, SALES, busy),
    Mutant("R4", "a key is replayed when Xero has forgotten it", _naive, SALES, stormy),
    Mutant("R5", "a probe that fails means not there", _credulous, SALES, deaf),
    Mutant("R6", "what the edge says is believed", _hopeful, SALES, edgy, steps_max=6000),
    Mutant("R7", "a batch has one outcome", _wholesale, SALES, partial),
    Mutant("R8", "nothing is ever parked", _endless, POISON, poisoned, shows=("never settled",)),
    Mutant(
        "tokens",
        "each worker refreshes for itself",
        _unlocked,
        SALES,
        without_grace,
        steps_max=20_000,
        shows=("the consent was lost",),
    ),
    Mutant("C15", "an older store is trusted", _trusting, SALES, restored, dies=-4),
)
"""R9 has a test of its own: in no schedule does anything but the audit itself rest on it."""


@contextmanager
def switched_off(mutant: Mutant) -> Iterator[None]:
    """Without its rule, for as long as this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        mutant.patch(patch)
        yield


def tried(mutant: Mutant, seed: int) -> Run:
    """What comes of *seed* without the rule."""
    deaths = _deaths(mutant, seed)
    with switched_off(mutant):
        return _played(mutant, seed, deaths)


def spared(mutant: Mutant, seed: int) -> Run:
    """What comes of *seed* with the rule."""
    return _played(mutant, seed, _deaths(mutant, seed))


def _deaths(mutant: Mutant, seed: int) -> frozenset[int]:
    if mutant.dies is None:
        return frozenset()
    writes = _played(mutant, seed, frozenset()).writes
    return frozenset({writes[seed % len(writes)] + mutant.dies})


def _played(mutant: Mutant, seed: int, deaths: frozenset[int]) -> Run:
    return play(seed, mutant.flow, mutant.hurt(seed), deaths=deaths, steps_max=mutant.steps_max)


def search(mutant: Mutant, seeds: Sequence[int]) -> int | None:
    """The first of *seeds* that shows that the rule is off."""
    return next((seed for seed in seeds if mutant.is_seen(tried(mutant, seed))), None)


def main(arguments: list[str] | None = None) -> int:
    """Search a killer for every mutant; return how many have none."""
    parser = argparse.ArgumentParser("nox -s simulate -- --mutants", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1500, help="how many to try for each")
    parser.add_argument("--only", default="", help="a part of the name of those to search for")
    chosen = parser.parse_args(arguments)
    alive = 0
    for mutant in MUTANTS:
        if chosen.only not in f"{mutant.rule} {mutant.name}":
            continue
        began = process_time()
        killer = search(mutant, range(chosen.seeds))
        alive += killer is None
        found = f"seed {killer}" if killer is not None else "ALIVE"
        print(f"{mutant.rule} {mutant.name}: {found} ({process_time() - began:.0f} s)", flush=True)
    return alive


if __name__ == "__main__":
    sys.exit(main())
