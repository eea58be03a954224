"""Pairing vendors with contacts: as customers are, but each known by the name on its bills."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from attrs import define, evolve, field, frozen

from xerosync.matching.contacts import is_active
from xerosync.matching.keys import MatchKey, Vendor, as_vendor, by_name, words_of
from xerosync.matching.lookalikes import look_alike
from xerosync.matching.pairing import TO_CONNECT, Hits, Match, Matching, MatchStatus, stands
from xerosync.models import Contact, ContactId

_DECIDED: Final = TO_CONNECT | {MatchStatus.AMBIGUOUS, MatchStatus.TAKEN}


@frozen(repr=False)
class Named:
    """
    The vendors of many bills, each once by its name, with all that its bills tell of it.

    *unclear* names, by vendor, the key that its bills contradict each other in.
    """

    vendors: Sequence[Vendor]
    unclear: Mapping[str, str] = field(factory=dict[str, str])


def each_once(given: Iterable[Vendor | str], keys: Sequence[MatchKey]) -> Named:
    """The vendors *given*, by name or by more, as their *keys* tell them."""
    by_id: dict[str, list[Vendor]] = defaultdict(list)
    for each in given:
        vendor = as_vendor(each)
        by_id[vendor.id].append(vendor)
    unclear: dict[str, str] = {}
    for vendor_id, told in by_id.items():
        contradicted = (key for key in keys if key is not by_name and len({key(each) for each in told} - {""}) > 1)
        if (key := next(contradicted, None)) is not None:
            unclear[vendor_id] = words_of(key)
    return Named([_as_one(told) for told in by_id.values()], unclear)


def _as_one(told: Sequence[Vendor]) -> Vendor:
    """What all that was *told* of one vendor says together, the first that says a thing."""
    first, *others = told
    for each in others:
        first = evolve(
            first,
            contact_number=first.contact_number or each.contact_number,
            account_number=first.account_number or each.account_number,
            email=first.email or each.email,
            tax_number=first.tax_number or each.tax_number,
            phone=first.phone or each.phone,
            facts={**each.facts, **first.facts},
        )
    return first


@define(repr=False)
class VendorMatching(Matching[Vendor]):
    """
    Pairs vendors with *contacts*.

    The contact of a vendor's own name is its contact, whoever else is connected to it; one found by another key is a
    single vendor's, unless a person says that two are one, or the bookkeeper merges them. *unclear* are the vendors
    whose bills contradict each other, with the key.
    """

    unclear: Mapping[str, str] = field(factory=dict[str, str], kw_only=True)

    def __attrs_post_init__(self) -> None:
        survivors = ((vendor, self.contacts.surviving(contact)) for vendor, contact in self.pairs.linked.items())
        self._taken = {each.contact_id or "": vendor for vendor, each in survivors if each is not None}

    def _known(self) -> AbstractSet[str]:
        return super()._known() | self.unclear.keys()

    def _linked(self, party: Vendor, linked: str) -> Match[Vendor]:
        contact = self.contacts.surviving(linked)
        if contact is None:
            # Another worker has made it since the contacts were read.
            status, reason = MatchStatus.CONNECTED, "connected before"
            return Match(party=party, status=status, contacts=(ContactId(linked),), names=("",), reason=reason)
        if is_active(contact) and contact.contact_id != linked:
            return stands(party, MatchStatus.MERGED, [contact], "its contact was merged into this one")
        match = super()._linked(party, linked)
        if match.status is not MatchStatus.ARCHIVED:
            return match
        # The bookkeeper may have put another one in its place.
        found = self._searched(party)
        return found if found.status in _DECIDED else match

    def _searched(self, party: Vendor) -> Match[Vendor]:
        if party.id in self.unclear:
            reason = f"its bills give it more than one {self.unclear[party.id]}"
            return Match(party=party, status=MatchStatus.AMBIGUOUS, reason=reason)
        return super()._searched(party)

    def _not_found(self, party: Vendor, hits: Sequence[Hits]) -> Match[Vendor]:
        match = super()._not_found(party, hits)
        by_number = any(hit.archived for key, hit in zip(self.keys, hits, strict=True) if key is not by_name)
        if match.status is MatchStatus.ARCHIVED and not by_number:
            # Many are called the same in the course of years, and a new one may have the name (F 6.32).
            reason = "only an archived contact has its name"
            return Match(party=party, status=MatchStatus.NOT_IN_XERO, reason=reason)
        return match

    def _as_written(self, key: MatchKey, party: Vendor, active: Mapping[str, Contact]) -> Mapping[str, Contact]:
        # However it is spelt on one bill, it is one vendor.
        del key, party
        return active

    def _look_alike(self, one: str, other: str) -> bool:
        """Only in letters of another script: two Latin names are two vendors, of whom a product has thousands."""
        return not (one.isascii() and other.isascii()) and look_alike(one, other)

    def _look_alikes(self, party: Vendor) -> list[Contact]:
        return [each for each in super()._look_alikes(party) if self._look_alike(party.name, each.name or "")]

    def _taken_by(self, party: Vendor, contact: Contact) -> str | None:
        return None if self._has_its_name(party, contact) else super()._taken_by(party, contact)

    def _not_suggested(self) -> AbstractSet[str]:
        # Two spellings of one vendor are what a person is to see.
        return frozenset()

    def _told_apart(self, matches: Sequence[Match[Vendor]]) -> tuple[Match[Vendor], ...]:
        """*matches*, where a contact found for two is that of the one who has its name, or nobody's."""
        new = [each for each in matches if each.status in TO_CONNECT and each.party.id not in self.pairs.linked]
        found: dict[str, list[Match[Vendor]]] = defaultdict(list)
        for match in new:
            found[match.contacts[0]].append(match)
        decided = {match.party.id: self._among(match, found[match.contacts[0]]) for match in new}
        decided |= self._new_twins([each for each in matches if each.status is MatchStatus.NOT_IN_XERO])
        return tuple(decided.get(each.party.id, each) for each in matches)

    def _among(self, match: Match[Vendor], all_found: Sequence[Match[Vendor]]) -> Match[Vendor]:
        """*match*, where *all_found* found the same contact."""
        named = sorted(each.party.id for each in all_found if self._owns(each))
        if len(all_found) == 1 or self._owns(match):
            return match
        if named:
            return evolve(match, status=MatchStatus.TAKEN, taken_by=named[0])
        return evolve(match, status=MatchStatus.AMBIGUOUS, reason="it is found for another vendor too")

    def _owns(self, match: Match[Vendor]) -> bool:
        contact = self.contacts.get(match.contacts[0])
        return contact is not None and self._has_its_name(match.party, contact)

    def _has_its_name(self, party: Vendor, contact: Contact) -> bool:
        """Whether *contact*, or one that was merged into it, has the vendor's name."""
        found = self.contacts.answering(by_name, party.id)
        return contact.contact_id in {*found.active, *found.merged}

    def _new_twins(self, missing: Sequence[Match[Vendor]]) -> dict[str, Match[Vendor]]:
        """Those of *missing* that have a key in common: one would be created, and the other be found as that one."""
        alike: dict[tuple[str, str], list[Match[Vendor]]] = defaultdict(list)
        for match in missing:
            for key in self.keys:
                if key is not by_name and (text := key(match.party)):
                    alike[words_of(key), text].append(match)
        return {
            match.party.id: evolve(
                match, status=MatchStatus.AMBIGUOUS, reason=f"another new vendor has the same {words}"
            )
            for (words, _), twins in alike.items()
            if len(twins) > 1
            for match in twins
        }
