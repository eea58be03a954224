"""What the store and the mirror know of pairs with contacts."""

from __future__ import annotations

from collections.abc import Iterable

from xerosync.client._books import Books
from xerosync.engine.actions import CUSTOMER, CreateContact
from xerosync.engine.intents import Intent, intent_key
from xerosync.engine.mirror import CONTACTS, stamp_of, walk
from xerosync.engine.observed import all_links, intents_of, revisions
from xerosync.engine.pairing import Pairing
from xerosync.engine.pairs import KnownPairs
from xerosync.matching.contacts import Contacts
from xerosync.models import Contact


async def read_pairs(books: Books, pairing: Pairing, party_ids: Iterable[str], *, of_all: bool = False) -> KnownPairs:
    """
    All contacts as the mirror has them, all links, and the contacts that were created for those of these ids, or *of
    all*.
    """
    contacts: list[Contact] = []
    stamps: dict[str, str] = {}
    async for record, contact in walk(books, CONTACTS, Contact):
        contacts.append(contact)
        stamps[record.key] = stamp_of(record)
    apart = await all_links(books, pairing.parts.kind)
    return KnownPairs(
        pairing=pairing,
        contacts=Contacts(contacts),
        stamps=stamps,
        linked=await read_linked(books, pairing),
        creations=await (_all_creations(books) if of_all else read_creations(books, pairing, party_ids)),
        apart={(link["host_id"], link["xero_id"]) for link in apart},
    )


async def read_linked(books: Books, pairing: Pairing) -> dict[str, str]:
    """The contacts by whom they are connected to."""
    return {link["host_id"]: link["xero_id"] for link in await all_links(books, pairing.connects.kind)}


async def read_creations(books: Books, pairing: Pairing, party_ids: Iterable[str]) -> dict[str, Intent]:
    """The latest attempt to create a contact for each of these, where there was one."""
    found: dict[str, Intent] = {}
    again, revision = list(dict.fromkeys(party_ids)), 1
    while again:
        keys = {each: intent_key(books.tenant, pairing.creation(each, revision)) for each in again}
        intents = await intents_of(books, [pairing.creation(each, revision) for each in again])
        again, revision = [each for each in again if keys[each] in intents], revision + 1
        found.update({each: intents[keys[each]] for each in again})
    return found


async def _all_creations(books: Books) -> dict[str, Intent]:
    """The latest attempt to create a contact for each vendor."""
    attempts = await revisions(books, CreateContact.kind)
    return {name: each[-1] for name, each in attempts.items() if not name.startswith(CUSTOMER)}
