"""Schedules that once went wrong, each named for what was mended."""

from __future__ import annotations

import pytest

from xerosync.testing.simulation import mixed, play
from xerosync.testing.simulation.flows import flow_named

ONCE_WRONG = {
    "a restored store has forgotten the transaction of a paid invoice": ("settlements", 34),
    "a restored store has forgotten the transaction of a voided invoice": ("imports", 3000515),
}


@pytest.mark.parametrize("why", ONCE_WRONG)
def test_a_schedule_that_once_went_wrong_goes_well(why: str) -> None:
    flow, seed = ONCE_WRONG[why]

    assert play(seed, flow_named(flow), mixed(seed)).wrong == ()
