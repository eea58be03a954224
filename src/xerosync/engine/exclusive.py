"""Which pairs with contacts may be kept: no contact is two customers', and no newer choice is undone."""

from __future__ import annotations

from collections.abc import Sequence

from xerosync.client._books import Books
from xerosync.engine.actions import Link, Pending
from xerosync.engine.observed import all_links
from xerosync.engine.pair_actions import Connect, Disconnect
from xerosync.engine.pairing import CUSTOMERS, VENDORS, Pairing

Refusal = tuple[str, str]


async def refused_links(books: Books, links: Sequence[Link]) -> dict[Pending, Refusal]:
    """Those of *links* that must not be kept, as the store stands now, each with a code and its cause."""
    refused: dict[Pending, Refusal] = {}
    for pairing in (CUSTOMERS, VENDORS):
        pairs = [link for link in links if isinstance(link, pairing.connects | pairing.parts)]
        if pairs:
            now = {link["host_id"]: link["xero_id"] for link in await all_links(books, pairing.connects.kind)}
            refused |= refused_pairs(pairs, now, pairing)
    return refused


def refused_pairs(
    pairs: Sequence[Connect | Disconnect], now: dict[str, str], pairing: Pairing
) -> dict[Pending, Refusal]:
    """Those of *pairs* that do not fit the contacts that whoever is paired is connected to *now*."""
    refused: dict[Pending, Refusal] = {}
    taken = {contact: customer for customer, contact in now.items()}
    for pair in sorted(pairs, key=lambda pair: isinstance(pair, Connect)):
        current = now.get(pair.host_ref)
        before = pair.before if isinstance(pair, Connect) else pair.linked_id
        if current not in {before, _after(pair)}:
            refused[pair.itself] = (
                "changed since planned",
                f"its {pairing.called} was connected or disconnected since",
            )
        elif isinstance(pair, Disconnect):
            taken.pop(pair.linked_id, None)
        elif not pairing.shared and taken.get(pair.linked_id, pair.host_ref) != pair.host_ref:
            refused[pair.itself] = ("contact already taken", f"its contact is another {pairing.called}'s")
        else:
            taken.pop(current or "", None)
            taken[pair.linked_id] = pair.host_ref
    return refused


def _after(pair: Connect | Disconnect) -> str | None:
    return pair.linked_id if isinstance(pair, Connect) else None
