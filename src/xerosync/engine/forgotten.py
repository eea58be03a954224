"""Writes that the store has forgotten although their marks are in Xero: planned again, they are taken over (C15)."""

from __future__ import annotations

from collections.abc import Sequence

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Adopt, PayBatch
from xerosync.engine.intents import intent_key, tag_of
from xerosync.engine.mirror import refresh, stored
from xerosync.engine.observed import intents_of
from xerosync.engine.recovery import MARKS_ON
from xerosync.engine.strays import document_of, stray_key
from xerosync.storage.protocol import Record


async def taken_over(books: Books, actions: Sequence[Action]) -> list[Action]:
    """
    *actions*, those whose mark is met in Xero as what takes it over.

    A batch stays as it is: what it paid is known by its payments.
    """
    kinds = {action.kind for action in actions}
    await refresh(books, *(shelf for shelf, marked in MARKS_ON if kinds & marked))
    return await met_before(books, actions)


async def met_before(books: Books, actions: Sequence[Action]) -> list[Action]:
    """*actions*, those whose mark was met in Xero before now as what takes it over; see `taken_over`."""
    marked_kinds = frozenset[str]().union(*(marked for _, marked in MARKS_ON)) - {PayBatch.kind}
    tags = {
        action.itself: tag_of(intent_key(books.tenant, action.itself))
        for action in actions
        if action.kind in marked_kinds
    }
    strays = {record.key: record for record in await stored(books, (stray_key(books, tag) for tag in tags.values()))}
    if not strays:
        return list(actions)
    intents = await intents_of(books, tags)
    return [
        _adopted(action, strays[tag])
        if (tag := tags.get(action.itself, "")) in strays and intent_key(books.tenant, action.itself) not in intents
        else action
        for action in actions
    ]


def _adopted(action: Action, stray: Record) -> Adopt:
    return Adopt(
        host_ref=action.itself.host_ref,
        revision=action.revision,
        reason="its mark is in Xero already",
        adopted_kind=action.kind,
        xero_id=document_of(stray),
        facts=action.facts,
        write=action,
    )
