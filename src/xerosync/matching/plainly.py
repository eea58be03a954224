"""Whom most are paired with, told of all at once: the contact that has the name, where nothing else is to be said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xerosync.matching.contacts import Contacts, Index
from xerosync.matching.keys import MATCH_KEYS, MatchKey, Sought, by_name, texts_of_sought
from xerosync.matching.lookalikes import latin_looks
from xerosync.matching.names import Names
from xerosync.models import Contact


def plain_contacts(
    contacts: Contacts, parties: Sequence[Sought], keys: Sequence[MatchKey]
) -> tuple[list[Contact | None], list[bool]]:
    """
    The contact that has the name of each of *parties*, if any, and whether that is plain: it is active, and there is no
    other that has any of its *keys*, or may look like it.

    Nothing is plain where a host asks for keys of its own, or for another one before the name.
    """
    if keys[:1] != MATCH_KEYS[:1] or not set(MATCH_KEYS).issuperset(keys):
        return [None] * len(parties), [False] * len(parties)
    named = Names([party.custom_identifier for party in parties])
    found = list(map(contacts.by_key(by_name).get, named.plain))
    # What looks is active; and of two that have one text neither is found, since each index has its own list of them.
    clear = [one is other for one, other in zip(found, map(contacts.by_look.get, latin_looks(named)), strict=True)]
    for place in named.odd:
        clear[place] = False
    if any(written := [party.name if party.name != party.custom_identifier else "" for party in parties]):
        called = Names(written)
        clear = _agree(clear, found, contacts.by_look, latin_looks(called))
        for place in called.odd:
            clear[place] = False
    for key in filter(contacts.have, keys[1:]):
        if any(texts := texts_of_sought(key, parties)):
            clear = _agree(clear, found, contacts.by_key(key), texts)
    return [None if isinstance(one, list) else one for one in found], clear


def _agree(clear: Iterable[bool], found: Iterable[object], index: Index, texts: Iterable[str]) -> list[bool]:
    """Which were *clear*, and are still: their *texts* lead in another *index* to what was *found*, or to nobody."""
    told = zip(clear, found, map(index.get, texts), strict=True)
    return [was_clear and (other is None or other is one) for was_clear, one, other in told]
