"""Documents of the host's that have ended in Xero, and by whom: what the host took back is nobody else's doing."""

from __future__ import annotations

from collections.abc import Iterable

from xerosync.client._books import Books
from xerosync.engine.actions import SALE, Pending, RemoveMoney
from xerosync.engine.observed import intents_of
from xerosync.engine.paper_actions import CARD, SUPPLIER, VoidBill, VoidSale, VoidSupplierCredit, WithdrawSaleCredit
from xerosync.engine.plans import Finding
from xerosync.engine.sides import PURCHASES, SALES, Side
from xerosync.engine.states import State
from xerosync.money import Money


def operations(host_id: str, *, side: Side = PURCHASES) -> tuple[Pending, ...]:
    """Every operation that may take back what *host_id* stands for on that *side*."""
    if side is SALES:
        return (Pending(VoidSale.kind, f"{SALE}{host_id}"), Pending(WithdrawSaleCredit.kind, f"{SALE}{host_id}"))
    return (
        Pending(VoidBill.kind, host_id),
        Pending(VoidSupplierCredit.kind, f"{SUPPLIER}{host_id}"),
        Pending(RemoveMoney.kind, f"{CARD}{host_id}"),
    )


async def withdrawn(books: Books, host_ids: Iterable[str], *, side: Side = PURCHASES) -> frozenset[str]:
    """Those of *host_ids* whose document the host itself took back."""
    ids = {operation: each for each in host_ids for operation in operations(each, side=side)}
    done = (await intents_of(books, ids)).values()
    return frozenset(ids[each.operation] for each in done if each.state is State.CONFIRMED)


def gone_finding(about: str, status: str, worth: Money | None, *, by_host: bool) -> Finding:
    """The finding on a paper whose document has ended in Xero, so that nothing more becomes of it."""
    code, cause = "removed in Xero", f"somebody made it {status} in Xero; it is not posted again"
    if by_host:
        code, cause = "withdrawn", "it was taken back with void(); it is not posted again"
    fix = "find out why; to post it again, or to link what was typed anew, give it under a new id"
    if by_host:
        fix = "nothing, if it is to stay away; to post it again, submit it under a new id"
    return Finding(code=code, about=about, cause=cause, fix=fix, worth=worth)
