"""Schedules that once went wrong, each named for what was mended."""

from __future__ import annotations

import pytest

from xerosync.testing.simulation import Client, mixed, play
from xerosync.testing.simulation.flows import flow_named

ONCE_WRONG: dict[str, tuple[str, int, Client | None]] = {
    "a restored store has forgotten the transaction of a paid invoice": ("settlements", 34, None),
    "a restored store has forgotten the transaction of a voided invoice": ("imports", 3000515, None),
    "a sale that was taken over is never updated again": ("sales", 10000342, "inside"),
    "a bill taken over by a restored store is changed at its source": ("papers", 1079, None),
    "a refund whose credit note was withdrawn is planned again": ("settlements", 7000161, "inside"),
    "what a restored store had put back is not put back once more": ("mended", 7000055, "inside"),
    "what a restored store had undone is undone": ("undone", 7000016, "inside"),
    "fees that an older store cannot put back are left to a person": ("mended", 8000088, None),
    "a payment that an older store saw removed is left to a person": ("mended", 31000008, None),
    "an older store has forgotten an invoice that people meddled with": ("mended", 21002052, "inside"),
    "a payout waits for lines that are left to a person": ("undone", 31000008, None),
    "a payout that waits is overtaken by the undo": ("undone", 31000040, "inside"),
    "one worker undoes what another cannot undo any more": ("undone", 40000510, "inside"),
    "a forgotten batch has paid the twins of what is paid now": ("payables", 720339, "inside"),
    "what was parked is found removed by a charge-back": ("settlements", 40000053, "inside"),
    "one of two parts of a settlement is found removed by a charge-back": ("audited", 42000835, "inside"),
    "an allocation in doubt keeps its place": ("sales", 40000176, "inside"),
    "what one worker paid is not parked by another that had read before": ("sales", 30004197, "inside"),
    "an older store takes over the payments of a batch, and then the batch": ("payables", 30013077, "inside"),
    "the payments of a batch in doubt are no forgotten ones": ("payables", 30014924, "inside"),
    "what is parked and charged back by one plan": ("settlements", 30044119, "inside"),
    "what is parked beside a payment that an older store finds removed": ("settlements", 30057396, "inside"),
    "credit that is given back is replaced by other credit": ("sales", 32007876, "inside"),
    "a file that is there comes cut off": ("papers", 30026116, "inside"),
    "the undo overtakes the payments of a batch that was refused": ("undone", 40007551, "inside"),
    "a worker wakes after its place in Xero's minute was given away": ("settlements", 40055478, None),
    "an older store calls a payment refused, and nothing is due any more": ("sales", 50047720, "inside"),
    "an older store has forgotten who began to undo": ("undone", 30016087, "inside"),
    "what was put back is found removed once more": ("mended", 63004464, "inside"),
}


@pytest.mark.parametrize("why", ONCE_WRONG)
def test_a_schedule_that_once_went_wrong_goes_well(why: str) -> None:
    flow, seed, client = ONCE_WRONG[why]

    assert play(seed, flow_named(flow), mixed(seed, client)).wrong == ()
