"""The flows that pair customers with contacts, and bring contacts' details to the host."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import evolve

from xerosync.client._books import Books
from xerosync.engine.actions import Action, ConnectCustomer, DisconnectCustomer, UpdateCustomer
from xerosync.engine.intents import Intent, intent_key
from xerosync.engine.mirror import CONTACTS, refresh, stamp_of, walk
from xerosync.engine.observed import all_links, intents_of, links_of, stamped
from xerosync.engine.once import sifted
from xerosync.engine.pairs import (
    UNFIT,
    UNFIT_FIX,
    KnownPairs,
    creation,
    decide_creation,
    decide_link,
    decide_matches,
    decide_undo,
    decide_update,
)
from xerosync.engine.plans import Finding, Plan, Report
from xerosync.engine.states import State
from xerosync.errors import InvalidInput
from xerosync.matching.contacts import Contacts
from xerosync.matching.customers import Match, Matching, MatchStatus, Pairs
from xerosync.matching.keys import Customer, MatchKey
from xerosync.models import Contact
from xerosync.tables import Listing
from xerosync.texts import check_id, check_text, plain_id


class Connecting:
    """Pairs customers with the contacts of one organisation, by *keys* in their order."""

    def __init__(self, books: Books, keys: Iterable[MatchKey]) -> None:
        self._books: Final = books
        self._keys: Final = tuple(keys)

    async def matches(self, customers: Iterable[Customer]) -> Listing[Match]:
        """How each of *customers* stands, with suggestions."""
        listed = _each_once(customers)
        return Listing((await self._matching(await self._known(listed))).match(listed, suggest=True))

    async def match(self, customers: Iterable[Customer], *, create_missing: bool, retry_refused: bool) -> Plan:
        """Connect those that are found; with *create_missing*, create and connect those that are not in Xero."""
        listed, unfit = sifted(_each_once(customers), _check_texts)
        unfit = [evolve(each, code=UNFIT, fix=UNFIT_FIX) for each in unfit]
        known = await self._known(listed)
        matches = (await self._matching(known)).match(listed)
        actions, findings = decide_matches(matches, known, create_missing=create_missing, retry_refused=retry_refused)
        tallies = {status.value: sum(match.status is status for match in matches) for status in MatchStatus}
        return Plan(tenant=self._books.tenant, actions=tuple(actions), findings=(*unfit, *findings), tallies=tallies)

    async def create_contact(self, customer: Customer, *, retry_refused: bool) -> Plan:
        """Create a contact for *customer* because a person said so."""
        _check_texts(customer)
        known = await self._known([customer])
        (match,) = (await self._matching(known)).match([customer])
        actions, findings = decide_creation(match, known, retry_refused=retry_refused)
        return self._plan(actions, findings)

    async def link(self, customer_id: str, contact_id: str, *, move: bool) -> Plan:
        """Connect a customer to the contact a person chose."""
        check_id("customer_id", customer_id)
        decided = decide_link(customer_id, plain_id(contact_id), await self._known([]), move=move)
        actions = [decided] if isinstance(decided, Action) else []
        return self._plan(actions, [decided] if isinstance(decided, Finding) else [])

    async def unlink(self, customer_id: str) -> Plan:
        """Take a customer and its contact apart; nothing is to do for one that is not connected."""
        links = await links_of(self._books, ConnectCustomer.kind, [customer_id])
        apart = [
            DisconnectCustomer(host_ref=customer_id, reason="taken apart by a person", xero_id=link["xero_id"])
            for link in links.values()
        ]
        return self._plan(apart, [])

    async def undo(self, report: Report) -> Plan:
        """Put back the links that an apply made or ended."""
        done = [result.action for result in reversed(report.results) if result.state is State.CONFIRMED]
        return self._plan(*decide_undo(done, await self._linked()))

    async def updates(self, customer_ids: Iterable[str]) -> Plan:
        """What changed of the contacts of these customers since the host was told."""
        links = await links_of(self._books, ConnectCustomer.kind, customer_ids)
        await refresh(self._books, CONTACTS)
        contacts = await self._followed(link["xero_id"] for link in links.values())
        told = await links_of(self._books, UpdateCustomer.kind, links)
        updates = [
            decide_update(customer_id, contacts.surviving(link["xero_id"]), told.get(customer_id, {}))
            for customer_id, link in links.items()
        ]
        return self._plan([update for update in updates if update is not None], [])

    async def _followed(self, contact_ids: Iterable[str]) -> Contacts:
        """These contacts, and those they were merged into."""
        found: dict[str, Contact] = {}
        wanted = set(contact_ids)
        while wanted:
            read = await stamped(self._books, CONTACTS, Contact, wanted)
            found.update({contact_id: contact for contact_id, (contact, _) in read.items()})
            merged = (contact.merged_to_contact_id for contact, _ in read.values())
            wanted = {str(contact_id) for contact_id in merged if contact_id is not None} - found.keys()
        return Contacts(found.values())

    async def _known(self, customers: Sequence[Customer]) -> KnownPairs:
        books = self._books
        await refresh(books, CONTACTS)
        contacts: list[Contact] = []
        stamps: dict[str, str] = {}
        async for record, contact in walk(books, CONTACTS, Contact):
            contacts.append(contact)
            stamps[record.key] = stamp_of(record)
        return KnownPairs(
            contacts=Contacts(contacts),
            stamps=stamps,
            linked=await self._linked(),
            creations=await self._creations([customer.id for customer in customers]),
        )

    async def _creations(self, customer_ids: Sequence[str]) -> dict[str, Intent]:
        """The latest attempt to create a contact for each of these customers, where there was one."""
        found: dict[str, Intent] = {}
        again, revision = list(customer_ids), 1
        while again:
            keys = {each: intent_key(self._books.tenant, creation(each, revision)) for each in again}
            intents = await intents_of(self._books, [creation(each, revision) for each in again])
            again, revision = [each for each in again if keys[each] in intents], revision + 1
            found.update({each: intents[keys[each]] for each in again})
        return found

    async def _matching(self, known: KnownPairs) -> Matching:
        apart = await all_links(self._books, DisconnectCustomer.kind)
        pairs = Pairs(
            linked=known.linked,
            created={each: intent.xero_id for each, intent in known.creations.items() if intent.xero_id},
            apart={(link["host_id"], link["xero_id"]) for link in apart},
        )
        return Matching(known.contacts, pairs=pairs, keys=self._keys)

    async def _linked(self) -> dict[str, str]:
        links = await all_links(self._books, ConnectCustomer.kind)
        return {link["host_id"]: link["xero_id"] for link in links}

    def _plan(self, actions: Sequence[Action], findings: Sequence[Finding]) -> Plan:
        return Plan(tenant=self._books.tenant, actions=tuple(actions), findings=tuple(findings))


def _check_texts(customer: Customer) -> None:
    check_id("id", customer.id)
    for name in ("custom_identifier", "name", "contact_number", "account_number", "email", "tax_number", "phone"):
        check_text(name, getattr(customer, name))


def _each_once(customers: Iterable[Customer]) -> list[Customer]:
    listed = list(customers)
    if len({customer.id for customer in listed}) != len(listed):
        raise InvalidInput("customers", "give each customer once")
    return listed
