"""Schedules of the engine over ports in memory: as many more, as honest, and as able to fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from tests.engine.mutants import MUTANTS, Mutant, switched_off

from xerosync.testing.simulation import FLOWS, QUIET, Flow, Run, mixed, play, simulate
from xerosync.testing.simulation.__main__ import main
from xerosync.testing.simulation.campaign import Chunk, campaign, chunks, entries, report, summed
from xerosync.testing.simulation.flows import flow_named

EACH_FLOW = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
INSIDE = evolve(QUIET, client="inside", workers=2)
SEEN_SOON = (
    "R2 nobody is fenced off",
    "R4 a key is replayed when Xero has forgotten it",
    "R7 a batch has one outcome",
    "R8 nothing is ever parked",
)
"""What some of the first schedules show; the rest of the rules are left to those that take more of them."""
KILLED = [mutant for mutant in MUTANTS if f"{mutant.rule} {mutant.name}" in SEEN_SOON]


@pytest.mark.parametrize("first", range(20_040, 20_120, 20))
def test_no_fast_schedule_loses_or_doubles_anything(first: int) -> None:
    wrong = [str(run) for seed in range(first, first + 20) if not (run := simulate(seed, fast=True))]

    assert wrong == []


@EACH_FLOW
def test_a_quiet_world_over_ports_in_memory_ends_well(flow: Flow) -> None:
    assert play(1, flow, INSIDE).wrong == ()


def test_a_fast_seed_plays_the_same_schedule_again() -> None:
    first, again = (simulate(12, fast=True) for _ in range(2))

    assert first == again
    assert first.client == "inside"
    assert first.trace != simulate(12).trace


@pytest.mark.parametrize("mutant", KILLED, ids=lambda mutant: f"{mutant.rule} {mutant.name}")
def test_fast_schedules_go_wrong_without_a_rule_and_well_with_it(mutant: Mutant) -> None:
    with switched_off(mutant):
        killer = next(seed for seed in range(100) if mutant.is_seen(_played(mutant, seed)))

    if mutant.rule != "R8":  # with it, what is poisoned takes long
        assert _played(mutant, killer).wrong == ()


def _played(mutant: Mutant, seed: int) -> Run:
    return play(seed, mutant.flow, evolve(mutant.hurt(seed), client="inside"), steps_max=20_000)


def test_faults_strike_where_no_client_is() -> None:
    mix = evolve(mixed(3, "inside"), xero=0.5, late=0.1, doubled=0.1, refused=0.1, until_s=900.0)

    run = play(3, flow_named("receivables"), mix)

    assert run.wrong == ()
    assert {"late", "doubled", "refused"} <= {*run.faults}
    assert {kind.value for kind in mix.kinds} & {*run.faults}


def test_a_run_goes_on_where_it_was_stopped_and_tells_of_all_of_it(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    wanted = chunks(7001, 4, size=2, fast=50)

    begun = list(campaign(wanted[:1], workers=1, journal=journal))
    journal.write_text(journal.read_text() + '\n{"chunk": {"fir')  # a line that was cut off
    rest = list(campaign(wanted, workers=1, journal=journal))

    assert [sum(tally.played for tally in come) for come in begun + rest] == [2, 2]
    sums = summed(tally for _, tallies in entries(journal) for tally in tallies)
    assert sum(tally.played for tally in sums) == 4
    assert {tally.way for tally in sums} == {"fast", "whole"}
    page = report(journal, "play them")
    assert "**4 whole schedules were played; none lost, doubled" in page
    assert "play them" in page


def test_seeds_are_shared_out_between_both_ways() -> None:
    chunk = Chunk(7000, 100, 90)

    assert sum(chunk.is_fast(seed) for seed in range(7000, 7100)) == 90
    assert {chunk.is_fast(seed) for seed in range(7000, 7020)} == {True, False}


def test_several_processes_share_the_schedules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal, page = tmp_path / "journal", tmp_path / "page.md"

    asked = ["--seeds", "4", "--first", "20000", "--fast", "--workers", "2", "--chunk", "2"]
    assert main([*asked, "--journal", str(journal), "--report", str(page)]) == 0

    assert "fast: 4 schedules, 0 wrong" in capsys.readouterr().out
    assert "**4 whole schedules" in page.read_text()
