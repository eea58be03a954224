"""What becomes of the money of a settlement's line is decided once: of two plans that decide otherwise, one goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from xerosync.engine.actions import (
    Action,
    Adopt,
    CreateSale,
    MoveMoney,
    Pay,
    Pending,
    Refund,
    RemoveMoney,
    RemovePayment,
    Transfer,
)
from xerosync.engine.intents import Intent
from xerosync.engine.restoring import POSTED_ANEW, RESTORED
from xerosync.engine.settlement_books import COUNTER, SURPLUS, parking
from xerosync.engine.states import State
from xerosync.engine.undo_actions import RemoveTransfer

_REMOVALS: Final[Mapping[str, str]] = {
    Pay.kind: RemovePayment.kind,
    Refund.kind: RemovePayment.kind,
    MoveMoney.kind: RemoveMoney.kind,
    Transfer.kind: RemoveTransfer.kind,
}
"""What takes back each kind of write that can be put back, under the same name."""


def rivals(action: Action) -> tuple[Pending, ...]:
    """
    What another plan may have done instead of *action*: parked what is to be paid, removed what an invoice replaces,
    taken back what is to be put back.

    None of it moves the stamp of the invoice, so that alone does not tell that a plan is too old.
    """
    if isinstance(action, Adopt):
        return ()  # it stands already
    itself = action.itself
    line = itself.host_ref.removeprefix(SURPLUS).removeprefix(COUNTER)
    removal = Pending(RemovePayment.kind, line)
    counters = tuple(Pending(kind, COUNTER + line) for kind in (CreateSale.kind, MoveMoney.kind))
    parked = parking(line) if isinstance(action, Pay) and "collected" in action.facts else ()
    if POSTED_ANEW[0] in action.facts:
        return (removal,)  # what took the earlier one back is why it is posted anew
    if RESTORED[0] in action.facts and action.kind in _REMOVALS:
        return (Pending(_REMOVALS[action.kind], itself.host_ref), *parked)
    if parked:
        return parked
    if itself in parking(line):
        return (Pending(Pay.kind, line), removal, *counters, *(each for each in parking(line) if each != itself))
    if "charged_back_by" not in action.facts:
        return ()
    if itself in counters:
        return (removal,)
    return counters if itself == removal else ()


def is_overtaken(action: Action, known: Callable[[Pending], Intent | None]) -> bool:
    """Whether one of the rivals of *action* is *known* to have been begun, and does not leave as much to it."""
    return any(
        not _leaves(rival, action)
        for rival in filter(None, map(known, rivals(action)))
        if rival.state is not State.REJECTED
    )


def _leaves(rival: Intent, action: Action) -> bool:
    """Whether *rival* paid just what *action* does not park, or the other way round."""
    paid, parked = (action.facts, rival.facts) if isinstance(action, Pay) else (rival.facts, action.facts)
    is_split = Pay.kind in {action.kind, rival.operation.kind} and "effect" in parked
    return is_split and Decimal(paid.get("surplus", "0")) == Decimal(parked["effect"])
