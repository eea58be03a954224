"""What the store knows, in bulk: links, intents and mirrored documents by key."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar, cast

from attrs import AttrsInstance

from xerosync.client._books import Books
from xerosync.engine.actions import Pending, Seen, link_key
from xerosync.engine.clearing import ClearingChoice, clearing_choice
from xerosync.engine.intents import Intent, read_intent, record_key
from xerosync.engine.mirror import (
    ACCOUNTS,
    CONTACTS,
    SHELVES,
    Shelf,
    mirror_key,
    read_mirrored,
    record_pages,
    records,
    refresh,
    stamp_of,
    stored,
    tag_of_record,
    walk,
)
from xerosync.errors import Misconfigured, ScopeMissing
from xerosync.matching.contacts import Contacts
from xerosync.models import Account, Contact, Payment
from xerosync.storage.protocol import Record, RecordKey
from xerosync.texts import plain_id

T = TypeVar("T", bound=AttrsInstance)
Facts = dict[str, str]

_FEW: Final = 50
"""So many are looked up one by one, however few records there are."""
_WALKED_A_LOOKUP: Final = 20
"""How many records are read in a walk in about the time of one look-up."""


async def links_of(books: Books, kind: str, host_ids: Iterable[str]) -> dict[str, Facts]:
    """The links of *kind* from these *host_ids*, by host id."""
    keys = [RecordKey("link", books.tenant, link_key(kind, each)) for each in host_ids]
    links = [cast(Facts, json.loads(record.body)) for record in await stored(books, keys)]
    return {link["host_id"]: link for link in links}


async def all_links(books: Books, kind: str) -> list[Facts]:
    """Every link of *kind*."""
    return [json.loads(record.body) async for record in records(books, "link", states=[kind])]


async def intents_of(books: Books, operations: Iterable[Pending]) -> dict[str, Intent]:
    """The intents of these *operations* by their key, those that were ever made."""
    keys = [record_key(books.tenant, operation) for operation in operations]
    return {record.key: books.made_of(record, read_intent) for record in await stored(books, keys)}


async def intents_with(
    books: Books, *, lookup: tuple[str, str] | None = None, states: Sequence[str] = ()
) -> list[Intent]:
    """Every intent that a *lookup* or its state finds."""
    found = records(books, "intent", lookup=lookup, states=states)
    return [books.made_of(record, read_intent) async for record in found]


async def revisions(books: Books, kind: str) -> dict[str, list[Intent]]:
    """Every intent of *kind* by what its operation is about, in the order of their revisions."""
    found: dict[str, list[Intent]] = {}
    for each in await intents_with(books, lookup=("kind", kind)):
        found.setdefault(each.operation.host_ref, []).append(each)
    return {name: sorted(each, key=lambda one: one.operation.revision) for name, each in found.items()}


async def stamped(books: Books, shelf: Shelf, kind: type[T], ids: Iterable[str]) -> dict[str, tuple[T, str]]:
    """The mirrored documents with these *ids*, each with its stamp."""
    keys = [mirror_key(shelf, books.tenant, each) for each in ids]
    read = partial(read_mirrored, kind=kind)
    return {record.key: (books.made_of(record, read), stamp_of(record)) for record in await stored(books, keys)}


async def followed(books: Books, contact_ids: Iterable[str]) -> Contacts:
    """The mirrored contacts with these ids, and those they were merged into."""
    found: dict[str, Contact] = {}
    wanted = set(contact_ids)
    while wanted:
        read = await stamped(books, CONTACTS, Contact, wanted)
        found.update({contact_id: contact for contact_id, (contact, _) in read.items()})
        merged = (contact.merged_to_contact_id for contact, _ in read.values())
        wanted = {str(contact_id) for contact_id in merged if contact_id is not None} - found.keys()
    return Contacts(found.values())


async def called_alike(books: Books, contact_ids: Iterable[str]) -> dict[str, list[str]]:
    """The contacts, archived ones too, that are called as each of these is, or nearly so."""
    with suppress(ScopeMissing):
        await refresh(books, CONTACTS)
    contacts = Contacts([each async for _, each in walk(books, CONTACTS, Contact)])
    found: dict[str, list[str]] = {}
    for each in contact_ids:
        named = contacts.get(each)
        alike = contacts.called_like(named.name or "") if named is not None else []
        found[each] = [other for one in alike if (other := one.contact_id) and other != each]
    return found


async def survivors(books: Books, left: Collection[str]) -> dict[str, str]:
    """What each contact that documents have *left* was merged into: that takes them along, and moves none (F 6.34)."""
    if not left:
        return {}
    with suppress(ScopeMissing):
        await refresh(books, CONTACTS)
    contacts = await followed(books, left)
    found = {each: contacts.surviving(each) for each in left}
    return {each: contact.contact_id for each, contact in found.items() if contact is not None and contact.contact_id}


async def account_choice(books: Books, wanted: str | None, *, setting: str) -> ClearingChoice:
    """
    The account of code or id *wanted*, with the answer to whether payments may go through it.

    Raises `Misconfigured`, naming the *setting*, when none was chosen or the organisation has no such account.
    """
    if wanted is None:
        raise Misconfigured(f"choose the {setting.replace('_', ' ')}: give {setting}=… its code or id")
    await refresh(books, ACCOUNTS)
    by_id = mirror_key(ACCOUNTS, books.tenant, plain_id(wanted))
    by_code = [record async for record in records(books, by_id.kind, lookup=("code", wanted))]
    for record in by_code or await stored(books, [by_id]):
        return clearing_choice(read_mirrored(record, Account))
    raise Misconfigured(f"the organisation has no account {wanted}: choose a {setting.replace('_', ' ')} that it has")


async def stamps_now(books: Books, seen: Iterable[Seen], *, is_fresh: bool = False) -> dict[Seen, str]:
    """
    The stamps that the documents *seen* have in Xero now; empty for one that is not there.

    Where the mirror *is_fresh*, it is asked as it is.
    """
    wanted = list(dict.fromkeys(seen))
    if not is_fresh:
        await refresh(books, *(SHELVES[name] for name in dict.fromkeys(each.shelf for each in wanted)))
    keys = {each: mirror_key(SHELVES[each.shelf], books.tenant, each.document_id) for each in wanted}
    stamps = {record.identity: stamp_of(record) for record in await stored(books, keys.values())}
    return {each: stamps.get(key, "") for each, key in keys.items()}


async def records_by(books: Books, shelf: Shelf, name: str, values: Iterable[str]) -> list[Record]:
    """
    The mirrored documents of *shelf* whose look-up *name* is one of *values*, in the order of their ids.

    How much is read of the store goes by *values*, whatever else it holds.
    """
    wanted = {(name, value) for value in values}
    if len(wanted) > _FEW:
        found = await _walked(books, shelf, wanted, at_most=_WALKED_A_LOOKUP * len(wanted))
        if found is not None:
            return found
    met: dict[str, Record] = {}
    for lookup in wanted:
        met |= {each.key: each async for each in records(books, shelf.kind, lookup=lookup)}
    return [met[key] for key in sorted(met)]


async def _walked(books: Books, shelf: Shelf, wanted: set[tuple[str, str]], *, at_most: int) -> list[Record] | None:
    """Those of *shelf* that any look-up *wanted* finds, from a walk through all; None where that are too many."""
    found: list[Record] = []
    async for page in record_pages(books, shelf.kind):
        found += [each for each in page if not wanted.isdisjoint(each.lookups)]
        at_most -= len(page)
        if at_most < 0:
            return None
    return found


async def tagged(books: Books, shelf: Shelf, kind: type[T], tags: Iterable[str]) -> dict[str, T]:
    """The mirrored documents that carry one of these *tags* of ours."""
    found = await records_by(books, shelf, "tag", tags)
    return {tag_of_record(record) or "": read_mirrored(record, kind) for record in found}


def invoice_paid(payment: Payment) -> dict[str, str]:
    """What a mirrored *payment* is of, as a payment's payload names it."""
    return {"InvoiceID": (payment.invoice.invoice_id or "") if payment.invoice is not None else ""}
