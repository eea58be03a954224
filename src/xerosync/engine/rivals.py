"""What becomes of the money of a settlement's line is decided once: of two plans that decide otherwise, one goes on."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from xerosync.engine.actions import Action, Adopt, CreateSale, MoveMoney, Pay, Pending, RemovePayment
from xerosync.engine.intents import Intent
from xerosync.engine.settlement_books import COUNTER, SURPLUS, parking
from xerosync.engine.states import State


def rivals(action: Action) -> tuple[Pending, ...]:
    """
    What another plan may have done instead of *action*: parked what is to be paid, removed what an invoice replaces.

    Neither moves the stamp of the invoice, so that alone does not tell that a plan is too old.
    """
    if isinstance(action, Adopt):
        return ()  # it stands already
    itself = action.itself
    line = itself.host_ref.removeprefix(SURPLUS).removeprefix(COUNTER)
    removal = Pending(RemovePayment.kind, line)
    counters = tuple(Pending(kind, COUNTER + line) for kind in (CreateSale.kind, MoveMoney.kind))
    if isinstance(action, Pay) and "collected" in action.facts:
        return parking(line)
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
    is_split = Pay.kind in {action.kind, rival.operation.kind}
    return is_split and Decimal(paid.get("surplus", "0")) == Decimal(parked["effect"])
