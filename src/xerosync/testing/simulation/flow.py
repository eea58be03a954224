"""What a host does in a simulated world, and what its books must hold at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from attrs import frozen

from xerosync.client.xero import AsyncXero
from xerosync.engine.plans import Finding, Plan, Recovery

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World


@frozen(kw_only=True)
class Flow:
    """
    A story of a host.

    *set_up* is done by hand in Xero before the world begins. *work* is one round of a worker: it does all that the host
    knows of by then, and says whether nothing was left to do; it is awaited over either client. *check* names whatever
    is wrong with the books at the end. A write whose body holds *poison* is never answered. The larger its *share*, the
    more often it is drawn.
    """

    name: str
    set_up: Callable[[World], None]
    work: Callable[[AsyncXero, World], Awaitable[bool]]
    check: Callable[[World], Iterable[str]]
    poison: bytes | None = None
    share: int = 2


def nothing_left(*done: Plan | Recovery) -> bool:
    """Whether a round found nothing to do, now or later."""
    findings: list[Finding] = [finding for each in done for finding in each.findings]
    if any(finding.retry for finding in findings):
        return False
    return not any(each if isinstance(each, Plan) else each.open or each.sent for each in done)
