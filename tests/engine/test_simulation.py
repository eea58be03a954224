"""Whole schedules in which everything goes wrong that can: nothing is lost, nothing is there twice, all settles."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from decimal import Decimal
from functools import wraps

import pytest
from attrs import evolve
from tests.conftest import DAY
from tests.engine.seeds import CHUNKS, STORED

from xerosync import AsyncLedger, AsyncPayables, AsyncReceivables, AsyncXero
from xerosync.engine.kinds import KINDS
from xerosync.testing.simulation import FLOWS, QUIET, Client, Flow, World, mixed, play, simulate
from xerosync.testing.simulation.__main__ import main
from xerosync.testing.simulation.flows import flow_named

PUBLIC = (AsyncReceivables, AsyncPayables, AsyncLedger)
EACH_FLOW = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
SHORT = [flow for flow in FLOWS if flow.poison is None]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_stored_schedule_loses_or_doubles_anything(
    chunk: int, record_property: Callable[[str, object], None]
) -> None:
    seeds = STORED[chunk::CHUNKS]

    wrong = [str(run) for run in map(simulate, seeds) if not run]

    assert wrong == []
    record_property("schedules", len(seeds))


@EACH_FLOW
@pytest.mark.parametrize("client", ["async", "plain"])
def test_a_world_in_which_nothing_goes_wrong_ends_well(flow: Flow, client: Client) -> None:
    run = play(1, flow, evolve(QUIET, client=client, workers=2))

    assert run.wrong == ()
    assert (not run.faults) is (flow.poison is None)


@pytest.mark.parametrize("client", ["async", "plain", "both"])
def test_a_seed_plays_the_same_schedule_again(client: Client) -> None:
    mix = evolve(mixed(12), client=client, crash=0.005, late=0.1)

    first, again = (play(12, flow_named("receivables"), mix) for _ in range(2))

    assert first == again
    assert first.trace != play(13, flow_named("receivables"), mix).trace


def test_a_seed_plays_the_same_schedule_whatever_python_hashes_by() -> None:
    code = (
        "from xerosync.testing.simulation import FLOWS, simulate\n"
        "print(simulate(1001).trace, [simulate(seed, flow, fast=True).trace for flow in FLOWS for seed in (4, 5)])"
    )

    traces = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hashed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hashed in ("0", "1", "4711")
    }

    assert len(traces) == 1


def test_every_public_flow_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb of a story that no flow of the table calls is not simulated: add it to a flow, or a flow for it."""
    missing = {f"{story.__name__}.{name}" for story in PUBLIC for name in vars(story) if not name.startswith("_")}
    for story in PUBLIC:
        for name in [each for each in vars(story) if not each.startswith("_")]:
            monkeypatch.setattr(story, name, _noting(getattr(story, name), f"{story.__name__}.{name}", missing))

    for flow in FLOWS:
        play(1, flow, QUIET)
    restored = evolve(QUIET, backup_s=1.0, restored_s=900.0, until_s=300.0)
    play(1, flow_named("receivables"), restored)

    assert missing == set()


def _noting(
    verb: Callable[..., Coroutine[object, object, object] | AsyncIterator[object]], name: str, missing: set[str]
) -> Callable[..., Coroutine[object, object, object] | AsyncIterator[object]]:
    @wraps(verb)
    def noted(*args: object, **kwargs: object) -> Coroutine[object, object, object] | AsyncIterator[object]:
        missing.discard(name)
        return verb(*args, **kwargs)

    return noted


def test_every_kind_of_write_is_played() -> None:
    kinds: set[str] = set()
    for flow in SHORT:
        checked = evolve(flow, check=lambda world: _kinds_of(world, kinds))
        play(1, checked, QUIET)

    assert set(KINDS) - kinds == set()


def _kinds_of(world: World, kinds: set[str]) -> list[str]:
    for record in world.store.kept.query("intent", world.books.tenant_id):
        kinds.update(value for name, value in record.lookups if name == "kind")
    return []


def test_the_checker_sees_a_payment_that_is_there_twice() -> None:
    copied: list[str] = []

    async def doubled(xero: AsyncXero, world: World) -> bool:
        (first,) = [each.id for each in world.books.invoices if each.number == "INV-1"]
        if world.elapsed_s > 200 and not copied:
            (ours, *_) = world.books.payments_of(first)
            copied.append(ours.id)
            world.books.add_payment(first, account="091", amount=Decimal(20), date=DAY, reference=ours.reference)
        return await flow_named("receivables").work(xero, world)

    run = play(1, evolve(flow_named("receivables"), work=doubled), evolve(QUIET, until_s=300.0))

    assert any("stands 2 times" in wrong for wrong in run.wrong)
    assert any("parts of INV" in wrong for wrong in run.wrong)
    assert any("the audit says doubled" in wrong for wrong in run.wrong)


def test_the_checker_sees_what_was_never_posted() -> None:
    async def idle(xero: AsyncXero, world: World) -> bool:
        del xero, world
        return True

    run = play(1, evolve(flow_named("payables"), work=idle), QUIET)

    assert any("payments: [] where" in wrong for wrong in run.wrong)


def test_the_checker_sees_what_never_settles() -> None:
    async def restless(xero: AsyncXero, world: World) -> bool:
        await flow_named("receivables").work(xero, world)
        return False

    run = play(1, evolve(flow_named("receivables"), work=restless), QUIET, steps_max=1000)

    assert any("never settled" in wrong for wrong in run.wrong)


def test_fresh_seeds_are_drawn_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2"]) == 0

    out = capsys.readouterr().out
    assert "whole: 2 schedules, 0 wrong" in out
    assert "schedules a minute of one core" in out
