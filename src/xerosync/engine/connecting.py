"""The flows that pair customers with contacts, and bring contacts' details to the host."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, Final, Generic

from attrs import evolve

from xerosync.client._books import Books
from xerosync.engine.actions import Action
from xerosync.engine.known_pairs import read_linked, read_pairs
from xerosync.engine.mirror import CONTACTS, refresh
from xerosync.engine.observed import followed, links_of
from xerosync.engine.once import sifted
from xerosync.engine.pair_actions import ConnectCustomer, UpdateCustomer
from xerosync.engine.pairing import CUSTOMERS, Pairing
from xerosync.engine.pairs import (
    UNFIT,
    UNFIT_FIX,
    KnownPairs,
    decide_creation,
    decide_link,
    decide_matches,
    decide_undo,
    decide_update,
)
from xerosync.engine.plans import Finding, Plan, Report
from xerosync.engine.states import State
from xerosync.errors import InvalidInput
from xerosync.matching.keys import Customer, MatchKey
from xerosync.matching.pairing import Match, Matching, MatchStatus, Pairs, W
from xerosync.tables import Listing
from xerosync.texts import check_id, check_text, plain_id


class Connecting(ABC, Generic[W]):
    """Pairs parties with the contacts of one organisation, by *keys* in their order."""

    pairing: ClassVar[Pairing]

    def __init__(self, books: Books, keys: Iterable[MatchKey]) -> None:
        self._books: Final = books
        self._keys: Final = tuple(keys)

    @abstractmethod
    def matching(self, known: KnownPairs, parties: Sequence[W]) -> Matching[W]:
        """What tells how *parties* stand, by what is *known*."""

    @abstractmethod
    def check(self, party: W) -> None:
        """Refuse a *party* that no contact can be looked for. Raises `InvalidInput`."""

    async def matches(self, parties: Iterable[W]) -> Listing[Match[W]]:
        """How each of *parties* stands, with suggestions."""
        listed = self._each_once(parties)
        matching = self.matching(await self.known(listed), listed)
        return Listing(matching.match(listed, suggest=True))

    async def match(self, parties: Iterable[W], *, create_missing: bool, retry_refused: bool) -> Plan:
        """Connect those that are found; with *create_missing*, create and connect those that are not in Xero."""
        listed, unfit = sifted(self._each_once(parties), self.check)
        unfit = [evolve(each, code=UNFIT, fix=UNFIT_FIX, root=self.pairing.root(each.about)) for each in unfit]
        known = await self.known(listed)
        matches = self.matching(known, listed).match(listed)
        actions, findings = decide_matches(matches, known, create_missing=create_missing, retry_refused=retry_refused)
        tallies = {status.value: sum(match.status is status for match in matches) for status in MatchStatus}
        return Plan(tenant=self._books.tenant, actions=tuple(actions), findings=(*unfit, *findings), tallies=tallies)

    async def create_contact(self, party: W, *, retry_refused: bool) -> Plan:
        """Create a contact for *party* because a person said so."""
        self.check(party)
        known = await self.known([party])
        (match,) = self.matching(known, [party]).match([party])
        actions, findings = decide_creation(match, known, retry_refused=retry_refused)
        return self._plan(actions, findings)

    async def link(self, party_id: str, contact_id: str, *, move: bool) -> Plan:
        """Connect the one of this id to the contact a person chose."""
        await refresh(self._books, CONTACTS)
        known = await read_pairs(self._books, self.pairing, [party_id])
        decided = decide_link(party_id, plain_id(contact_id), known, move=move)
        actions = [decided] if isinstance(decided, Action) else []
        return self._plan(actions, [decided] if isinstance(decided, Finding) else [])

    async def unlink(self, party_id: str) -> Plan:
        """Take the one of this id and its contact apart; nothing is to do for one that is not connected."""
        contact_id = await self._contact_of(party_id)
        if contact_id is None:
            return self._plan([], [])
        reason = "taken apart by a person"
        return self._plan([self.pairing.parts(host_ref=party_id, reason=reason, xero_id=contact_id)], [])

    async def undo(self, report: Report) -> Plan:
        """Put back the links that an apply made or ended."""
        done = [result.action for result in reversed(report.results) if result.state is State.CONFIRMED]
        return self._plan(*decide_undo(done, await read_linked(self._books, self.pairing), self.pairing))

    async def _contact_of(self, party_id: str) -> str | None:
        """The contact that the one of this id is connected to."""
        links = await links_of(self._books, self.pairing.connects.kind, [party_id])
        return links[party_id]["xero_id"] if party_id in links else None

    async def known(self, parties: Sequence[W]) -> KnownPairs:
        """What is known of pairs, and of *parties*, read anew."""
        await refresh(self._books, CONTACTS)
        return await read_pairs(self._books, self.pairing, [each.id for each in parties])

    def _each_once(self, parties: Iterable[W]) -> list[W]:
        listed = list(parties)
        if len({each.id for each in listed}) != len(listed):
            raise InvalidInput(f"{self.pairing.called}s", f"give each {self.pairing.called} once")
        return listed

    def _plan(self, actions: Sequence[Action], findings: Sequence[Finding]) -> Plan:
        return Plan(tenant=self._books.tenant, actions=tuple(actions), findings=tuple(findings))


class ConnectingCustomers(Connecting[Customer]):
    """Pairs customers, and tells of their contacts' details."""

    pairing: ClassVar[Pairing] = CUSTOMERS

    def matching(self, known: KnownPairs, parties: Sequence[Customer]) -> Matching[Customer]:
        """By the links, and by the contacts that were created for *parties*."""
        del parties
        pairs = Pairs(linked=known.linked, created=known.created, apart=known.apart)
        return Matching(known.contacts, pairs=pairs, keys=self._keys)

    def check(self, party: Customer) -> None:
        """Refuse an id, or a text, that cannot be."""
        check_id("id", party.id)
        for name in ("custom_identifier", "name", "contact_number", "account_number", "email", "tax_number", "phone"):
            check_text(name, getattr(party, name))

    async def updates(self, customer_ids: Iterable[str]) -> Plan:
        """What changed of the contacts of these customers since the host was told."""
        links = await links_of(self._books, ConnectCustomer.kind, customer_ids)
        await refresh(self._books, CONTACTS)
        contacts = await followed(self._books, (link["xero_id"] for link in links.values()))
        told = await links_of(self._books, UpdateCustomer.kind, links)
        updates = [
            decide_update(customer_id, contacts.surviving(link["xero_id"]), told.get(customer_id, {}))
            for customer_id, link in links.items()
        ]
        return self._plan([update for update in updates if update is not None], [])
