"""The vendors of bills: paired with contacts as customers are, or created once when there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from attrs import define, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Ref
from xerosync.engine.connecting import Connecting
from xerosync.engine.known_pairs import read_creations, read_pairs
from xerosync.engine.mirror import CONTACTS, refresh
from xerosync.engine.pair_actions import ConnectVendor
from xerosync.engine.pairing import VENDORS, Pairing
from xerosync.engine.pairs import Creating, KnownPairs, findings_on, is_missing
from xerosync.engine.plans import Finding
from xerosync.mapping.papers import check_vendor
from xerosync.matching.keys import MATCH_KEYS, MatchKey, Vendor, by_name
from xerosync.matching.names import plain_name
from xerosync.matching.pairing import TO_CONNECT, Match, MatchStatus, Pairs
from xerosync.matching.vendors import Named, VendorMatching, each_once
from xerosync.models import Contact


def vendor_key(name: str) -> str:
    """What makes two spellings one vendor: letter case and blanks do not count."""
    return plain_name(name)


@frozen(repr=False)
class KnownVendors:
    """The vendors of a run's papers, by what they are found, and what is known of pairs."""

    named: Named
    pairs: KnownPairs
    keys: Sequence[MatchKey]

    def may_be_of(self, vendor_id: str) -> list[Contact]:
        """
        The contacts that people may have typed the papers of this vendor to, whoever it is paired with now.

        Those it was paired with, those called nearly as it is, and the archived ones that any of its keys leads to.
        """
        match, contacts = self.matches[vendor_id], self.pairs.contacts
        paired = (self.pairs.linked.get(vendor_id), self.pairs.created.get(vendor_id), *match.contacts)
        found = [
            *filter(None, (contacts.get(each) for each in paired if each)),
            *contacts.called_like(match.party.name),
            *(one for key in self.keys for one in contacts.answering(key, key(match.party)).archived.values()),
        ]
        return list({each.contact_id: each for each in found}.values())

    @cached_property
    def matches(self) -> Mapping[str, Match[Vendor]]:
        """How each of them stands, by its key."""
        matching = _matching(self.pairs, self.named, self.keys)
        return {each.party.id: each for each in matching.match(self.named.vendors)}


async def known_vendors(
    books: Books, given: Iterable[Vendor | str], keys: Sequence[MatchKey] = MATCH_KEYS
) -> KnownVendors:
    """What the mirror and the store know of the vendors *given*, who are looked for by *keys*."""
    named = each_once(given, keys)
    return KnownVendors(named, await _read(books, named.vendors, keys), keys)


async def _read(books: Books, vendors: Sequence[Vendor], keys: Sequence[MatchKey]) -> KnownPairs:
    """Of all vendors where one may be found by what another was given, too."""
    by_more = any(key(vendor) for key in keys if key is not by_name for vendor in vendors)
    return await read_pairs(books, VENDORS, [each.id for each in vendors], of_all=by_more)


def _matching(known: KnownPairs, named: Named, keys: Sequence[MatchKey]) -> VendorMatching:
    pairs = Pairs(linked=known.standing, apart=known.apart)
    return VendorMatching(known.contacts, pairs=pairs, keys=keys, unclear=named.unclear)


@define(repr=False)
class Vendors:
    """Finds the contact of each vendor; what must be done or looked at for it is added to *actions* and *findings*."""

    known: KnownVendors
    actions: list[Action]
    findings: list[Finding]
    retry_refused: bool = field(kw_only=True)
    _contacts: dict[str, Ref | None] = field(factory=dict[str, "Ref | None"], init=False)

    def contact(self, name: str) -> Ref | None:
        """
        The contact of the vendor *name*, one of those known; None when it cannot be used, which is a finding then.

        Raises `InvalidInput` for what Xero would refuse of a contact that must be created.
        """
        key = vendor_key(name)
        if key not in self._contacts:
            # Most runs have nothing new, and look for nobody.
            self._contacts[key] = self._decided(self.known.matches[key])
        return self._contacts[key]

    def _decided(self, match: Match[Vendor]) -> Ref | None:
        pairs = self.known.pairs
        if match.status is MatchStatus.CONNECTED:
            return match.contacts[0]
        if is_missing(match):
            return Creating(pairs, self.actions, self.findings, retry_refused=self.retry_refused).create(match.party)
        self.findings += findings_on(match, VENDORS)
        if match.status not in TO_CONNECT:
            return None
        if match.party.id not in pairs.standing:
            self.actions.append(_connect(match, pairs))
        return match.contacts[0]


def _connect(match: Match[Vendor], pairs: KnownPairs) -> ConnectVendor:
    before = pairs.linked.get(match.party.id)
    return ConnectVendor(host_ref=match.party.id, reason=match.reason, xero_id=match.contacts[0], before=before)


class ConnectingVendors(Connecting[Vendor]):
    """Pairs vendors before there are bills of theirs, and as a person says."""

    pairing: ClassVar[Pairing] = VENDORS

    @property
    def keys(self) -> Sequence[MatchKey]:
        """By what vendors are found, in this order."""
        return self._keys

    def matching(self, known: KnownPairs, parties: Sequence[Vendor]) -> VendorMatching:
        """By the links, and by the contacts that were created."""
        return _matching(known, Named(parties), self._keys)

    def check(self, party: Vendor) -> None:
        """Refuse a name, or another text, that cannot be."""
        check_vendor(party)

    async def known(self, parties: Sequence[Vendor]) -> KnownPairs:
        """What is known of pairs, and of *parties*, read anew."""
        await refresh(self._books, CONTACTS)
        return await _read(self._books, parties, self._keys)

    async def _contact_of(self, party_id: str) -> str | None:
        linked = await super()._contact_of(party_id)
        if linked is not None:
            return linked
        created = (await read_creations(self._books, VENDORS, [party_id])).get(party_id)
        return created.xero_id if created is not None else None
