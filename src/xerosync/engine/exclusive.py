"""Which links may be kept: no contact is two customers', no document two bills', and no newer choice is undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from xerosync.client._books import Books
from xerosync.engine.actions import Link, Pending
from xerosync.engine.bringing import LinkBill
from xerosync.engine.observed import all_links
from xerosync.engine.pair_actions import Connect, Disconnect
from xerosync.engine.pairing import CUSTOMERS, VENDORS, Pairing
from xerosync.engine.paper_actions import LinkSpend

Refusal = tuple[str, str]

_TYPED: Final = (LinkBill.kind, LinkSpend.kind)
"""The kinds of links from what is the host's to a document that people typed."""


async def refused_links(books: Books, links: Sequence[Link]) -> dict[Pending, Refusal]:
    """Those of *links* that must not be kept, as the store stands now, each with a code and its cause."""
    refused: dict[Pending, Refusal] = {}
    for pairing in (CUSTOMERS, VENDORS):
        pairs = [link for link in links if isinstance(link, pairing.connects | pairing.parts)]
        if pairs:
            now = {link["host_id"]: link["xero_id"] for link in await all_links(books, pairing.connects.kind)}
            refused |= refused_pairs(pairs, now, pairing)
    for kind in _TYPED:
        typed = [link for link in links if link.kind == kind]
        if typed:
            refused |= _refused_documents(
                typed, {each["host_id"]: each["xero_id"] for each in await all_links(books, kind)}
            )
    return refused


def _refused_documents(links: Sequence[Link], now: Mapping[str, str]) -> dict[Pending, Refusal]:
    """Those of *links* to what people typed that do not fit what the host's are linked to *now*."""
    refused: dict[Pending, Refusal] = {}
    taken = {document: host_id for host_id, document in now.items()}
    for link in links:
        if now.get(link.host_ref, link.linked_id) != link.linked_id:
            refused[link.itself] = ("changed since planned", "another document in Xero was linked to it since")
        elif taken.setdefault(link.linked_id, link.host_ref) != link.host_ref:
            refused[link.itself] = ("changed since planned", "what was to be linked in Xero is another one's meanwhile")
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
