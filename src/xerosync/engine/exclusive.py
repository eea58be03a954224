"""Which pairs of customers and contacts may be kept: no contact is two customers', and no newer choice is undone."""

from __future__ import annotations

from collections.abc import Sequence

from xerosync.client._books import Books
from xerosync.engine.actions import ConnectCustomer, DisconnectCustomer, Link, Pending
from xerosync.engine.observed import all_links

Refusal = tuple[str, str]


async def refused_links(books: Books, links: Sequence[Link]) -> dict[Pending, Refusal]:
    """Those of *links* that must not be kept, as the store stands now, each with a code and its cause."""
    pairs = [link for link in links if isinstance(link, ConnectCustomer | DisconnectCustomer)]
    if not pairs:
        return {}
    now = {link["host_id"]: link["xero_id"] for link in await all_links(books, ConnectCustomer.kind)}
    return refused_pairs(pairs, now)


def refused_pairs(pairs: Sequence[ConnectCustomer | DisconnectCustomer], now: dict[str, str]) -> dict[Pending, Refusal]:
    """Those of *pairs* that do not fit the contacts that customers are connected to *now*."""
    refused: dict[Pending, Refusal] = {}
    taken = {contact: customer for customer, contact in now.items()}
    for pair in sorted(pairs, key=lambda pair: isinstance(pair, ConnectCustomer)):
        current = now.get(pair.host_ref)
        before = pair.before if isinstance(pair, ConnectCustomer) else pair.linked_id
        if current not in {before, _after(pair)}:
            refused[pair.itself] = ("changed since planned", "its customer was connected or disconnected since")
        elif isinstance(pair, DisconnectCustomer):
            taken.pop(pair.linked_id, None)
        elif taken.get(pair.linked_id, pair.host_ref) != pair.host_ref:
            refused[pair.itself] = ("contact already taken", "its contact is another customer's")
        else:
            taken.pop(current or "", None)
            taken[pair.linked_id] = pair.host_ref
    return refused


def _after(pair: ConnectCustomer | DisconnectCustomer) -> str | None:
    return pair.linked_id if isinstance(pair, ConnectCustomer) else None
