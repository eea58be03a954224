"""Pairing customers, and vendors, with contacts: a status for each, with its reason; never a guess."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from functools import cached_property
from itertools import compress, repeat
from typing import Generic, TypeVar

from attrs import define, evolve, field, fields, frozen

from xerosync.matching.contacts import Contacts, is_active
from xerosync.matching.keys import MATCH_KEYS, Customer, MatchKey, Sought, Vendor, by_name, words_of
from xerosync.matching.lookalikes import look_alike, turns_writing
from xerosync.matching.names import plain_name
from xerosync.matching.plainly import plain_contacts
from xerosync.matching.suggestions import Suggester, Suggestion
from xerosync.models import Contact, ContactId
from xerosync.resting import Uncollected

W = TypeVar("W", bound=Sought)


class MatchStatus(StrEnum):
    """How a customer or a vendor stands towards the contacts in Xero (R11)."""

    CONNECTED = "connected"
    MATCH_FOUND = "match found"
    MERGED = "merged"
    NOT_IN_XERO = "not in Xero"
    AMBIGUOUS = "ambiguous"
    TAKEN = "contact already taken"
    ARCHIVED = "archived"
    LOOK_ALIKE = "looks alike"


TO_CONNECT = frozenset({MatchStatus.MATCH_FOUND, MatchStatus.MERGED})
"""The statuses whose one contact a plan connects."""

_FOUND = TO_CONNECT | {MatchStatus.CONNECTED}


@frozen(kw_only=True, repr=False)
class Match(Generic[W]):
    """
    The *status* of one *party*, a customer or a vendor, its *reason* in words, and the contacts it concerns with their
    names.

    One contact when it was found, connected or taken (by the customer or vendor *taken_by*), several when ambiguous.
    *look_alikes* are further contacts whose names could be taken for the party's; *suggestions* are for a person.
    """

    party: W
    status: MatchStatus
    contacts: tuple[ContactId, ...] = ()
    names: tuple[str, ...] = ()
    reason: str = ""
    taken_by: str | None = None
    look_alikes: tuple[ContactId, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def customer(self: Match[Customer]) -> Customer:
        """The customer, where customers were matched."""
        return self.party

    @property
    def vendor(self: Match[Vendor]) -> Vendor:
        """The vendor, where vendors were matched."""
        return self.party

    def row(self) -> dict[str, object]:
        """Its line of a table."""
        return {
            self.party.called: self.party.id,
            "named": self.party.custom_identifier or "",
            "status": self.status.value,
            "contacts": " ".join(self.contacts),
            "names": ", ".join(self.names),
            "reason": self.reason,
            "taken_by": self.taken_by or "",
            "suggestions": ", ".join(each.name for each in self.suggestions),
        }

    def __repr__(self) -> str:
        return f"<Match {self.party!r} {self.status}>"


@frozen(kw_only=True, repr=False)
class Pairs:
    """
    What is known of pairs: contacts *linked* to customers, and *created* for them, by customer; and the pairs, customer
    and contact, that a person took *apart*.
    """

    linked: Mapping[str, str] = field(factory=dict[str, str])
    created: Mapping[str, str] = field(factory=dict[str, str])
    apart: AbstractSet[tuple[str, str]] = frozenset()

    def taken(self) -> dict[str, str]:
        """The customers by contact."""
        return {contact: customer for customer, contact in self.linked.items()}


@define(repr=False)
class Matching(Generic[W]):
    """
    Pairs customers with *contacts* by *keys*, in order; *pairs* are those made, or taken apart, before.

    A contact is one customer's alone, whose invoices would else be asked of two.
    """

    contacts: Contacts
    pairs: Pairs = field(factory=Pairs, kw_only=True)
    keys: Sequence[MatchKey] = field(default=MATCH_KEYS, kw_only=True)
    _taken: dict[str, str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._taken = self.pairs.taken()

    @cached_property
    def _asked(self) -> Sequence[MatchKey]:
        """The keys that any contact has."""
        return [key for key in self.keys if self.contacts.have(key)]

    def match(self, parties: Iterable[W], *, suggest: bool = False) -> tuple[Match[W], ...]:
        """How each of *parties* stands, whatever their order; *suggest* for those that nothing was found for."""
        with Uncollected():
            return self._matches(parties, suggest=suggest)

    def _matches(self, parties: Iterable[W], *, suggest: bool) -> tuple[Match[W], ...]:
        listed = list(parties)
        found, plain = self._plain(listed)
        made = iter(all_stand(list(compress(listed, plain)), list(compress(found, plain)), _same(by_name)))
        matches = self._told_apart(
            [next(made) if is_plain else self._match(party) for party, is_plain in zip(listed, plain, strict=True)]
        )
        left = [match.party for match in matches if match.status not in _FOUND]
        if not suggest or not left:
            return matches
        suggester = Suggester(self.contacts, self._not_suggested(), left)
        return tuple(
            match if match.status in _FOUND else evolve(match, suggestions=suggester.suggest(match.party))
            for match in matches
        )

    def _plain(self, parties: Sequence[W]) -> tuple[Sequence[Contact | None], Sequence[bool]]:
        """The contact of each of *parties*, and for whom that is all that there is to say."""
        found, plain = plain_contacts(self.contacts, parties, self.keys)
        if known := self._known():
            plain = [is_plain and party.id not in known for party, is_plain in zip(parties, plain, strict=True)]
        return found, [
            is_plain and (one is None or (one.contact_id not in self._taken and not one.merged_to_contact_id))
            for one, is_plain in zip(found, plain, strict=True)
        ]

    def _known(self) -> AbstractSet[str]:
        """Those of whom more is known than what they are known by."""
        return {*self.pairs.linked, *self.pairs.created, *(party for party, _ in self.pairs.apart)}

    def _match(self, party: W) -> Match[W]:
        linked = self.pairs.linked.get(party.id)
        if linked is not None:
            return self._linked(party, linked)
        created = self.pairs.created.get(party.id)
        if created is not None and (party.id, created) not in self.pairs.apart:
            made = self.contacts.surviving(created)
            if made is not None and is_active(made):
                return self._found(party, made, f"it was created for this {party.called}")
        return self._searched(party)

    def _linked(self, party: W, linked: str) -> Match[W]:
        contact = self.contacts.surviving(linked)
        if contact is None:
            reason = "Xero no longer lists its contact"
            return Match(
                party=party,
                status=MatchStatus.ARCHIVED,
                contacts=(ContactId(linked),),
                names=("",),
                reason=reason,
            )
        if contact.contact_id == linked:
            if is_active(contact):
                return stands(party, MatchStatus.CONNECTED, [contact], "connected before")
            return stands(party, MatchStatus.ARCHIVED, [contact], "its contact was archived in Xero")
        if not is_active(contact):
            return stands(party, MatchStatus.ARCHIVED, [contact], "its contact was merged into an archived one")
        return self._found(party, contact, "its contact was merged into this one", MatchStatus.MERGED)

    def _searched(self, party: W) -> Match[W]:
        """
        By all keys: the first that any active contact answers to decides, and a later one may leave fewer.

        One to which only others answer contradicts it: then nobody can say which is meant.
        """
        known = {key: each for key in self._asked if (each := self.contacts.known_by(key, key(party)))}
        if len(known) == 1 and not self.pairs.apart:
            ((key, each),) = known.items()
            if len(each) == 1 and is_active(each[0]) and not each[0].merged_to_contact_id:
                return self._found(party, each[0], _same(key))  # as nearly all are, and what is below would say
        found: Mapping[str, Contact] = {}
        reasons: list[str] = []
        hits = [self._hits(key, party, known[key]) if key in known else _NOBODY for key in self.keys]
        for hit in hits:
            if not hit.active:
                continue
            reasons.append(hit.reason)
            agreed = {each: contact for each, contact in found.items() if each in hit.active}
            if found and not agreed:
                both = [*found.values(), *hit.active.values()]
                why = f"{reasons[0]} as one contact, {reasons[-1]} as another"
                return stands(party, MatchStatus.AMBIGUOUS, both, why)
            found = agreed or hit.active
        if not found:
            return self._not_found(party, hits)
        if len(found) > 1:
            return stands(party, MatchStatus.AMBIGUOUS, found.values(), f"{reasons[0]} as several contacts")
        (contact,) = found.values()
        if any(hit.merged and contact.contact_id in hit.active for hit in hits):
            reason = f"{reasons[0]} as a contact that was merged into this one"
            return self._found(party, contact, reason, MatchStatus.MERGED)
        return self._found(party, contact, reasons[0])

    def _hits(self, key: MatchKey, party: W, known: Sequence[Contact]) -> Hits:
        """Who answers to *key*, as all *known* do; those that others were merged into only where nobody else does."""
        found = self.contacts.as_they_are(known)
        active, merged, apart = found.active, found.merged, dict[str, Contact]()
        if self.pairs.apart:
            both = {**active, **merged}
            apart = {each: one for each, one in both.items() if (party.id, each) in self.pairs.apart}
            active = {each: one for each, one in active.items() if each not in apart}
            merged = {each: one for each, one in merged.items() if each not in apart}
        return Hits(
            reason=_same(key),
            active=self._as_written(key, party, active) or merged,
            merged=not active and bool(merged),
            archived=found.archived,
            apart=apart,
        )

    def _found(
        self, party: W, contact: Contact, reason: str, status: MatchStatus = MatchStatus.MATCH_FOUND
    ) -> Match[W]:
        """One contact was found: it may be another's, or only look like the one that is meant."""
        if deceit := self._deceit(party, contact):
            return stands(party, MatchStatus.LOOK_ALIKE, [contact], deceit)
        if (taken_by := self._taken_by(party, contact)) is not None:
            return evolve(stands(party, MatchStatus.TAKEN, [contact], reason), taken_by=taken_by)
        twins = tuple(each.contact_id for each in self._look_alikes(party) if each.contact_id is not None)
        match = stands(party, status, [contact], reason)
        return evolve(match, look_alikes=twins) if twins else match

    def _not_found(self, party: W, hits: Sequence[Hits]) -> Match[W]:
        if alike := self._look_alikes(party):
            return stands(party, MatchStatus.LOOK_ALIKE, alike, "letters of its name look alike and are others")
        if apart := {each: one for hit in hits for each, one in hit.apart.items()}:
            reason = "a person took it apart from the contact that has the key"
            return stands(party, MatchStatus.NOT_IN_XERO, apart.values(), reason)
        if archived := {each: one for hit in hits for each, one in hit.archived.items()}:
            reason = "the only contact found is archived"
            return stands(party, MatchStatus.ARCHIVED, archived.values(), reason)
        return Match(party=party, status=MatchStatus.NOT_IN_XERO, reason=_NONE)

    def _look_alikes(self, party: W) -> list[Contact]:
        names = dict.fromkeys(filter(None, (party.custom_identifier.strip(), party.name.strip())))
        found = {each.contact_id: each for name in names for each in self.contacts.looking_like(name)}
        own = {by_name(party)}
        return [each for each in found.values() if by_name(each) not in own]

    def _as_written(self, key: MatchKey, party: W, active: Mapping[str, Contact]) -> Mapping[str, Contact]:
        """Of several contacts of one name, the one written in the very same letters, where there is one."""
        if key is not by_name or len(active) < 2:
            return active
        return {each: contact for each, contact in active.items() if contact.name == party.custom_identifier} or active

    def _deceit(self, party: W, contact: Contact) -> str:
        """Why *contact* only seems to be the one that is meant, if so (reliability 6.2)."""
        name = contact.name or ""
        if turns_writing(name) or turns_writing(party.custom_identifier):
            return "its name has marks that turn the direction of writing"
        if name == party.custom_identifier or plain_name(name) == plain_name(party.custom_identifier):
            return ""
        alike = self._look_alike(party.custom_identifier, name) or self._look_alike(party.name, name)
        return "letters of its name look alike and are others" if alike else ""

    def _look_alike(self, one: str, other: str) -> bool:
        return look_alike(one, other)

    def _taken_by(self, party: W, contact: Contact) -> str | None:
        """Whose *contact* is, if another's."""
        taken_by = self._taken.get(contact.contact_id or "")
        return taken_by if taken_by != party.id else None

    def _not_suggested(self) -> AbstractSet[str]:
        """The contacts that are nobody else's to be."""
        return self._taken.keys()

    def _told_apart(self, matches: Sequence[Match[W]]) -> tuple[Match[W], ...]:
        """*matches*, where a contact found for two is nobody's: ambiguous."""
        connected = [match.contacts[0] for match in matches if match.status in TO_CONNECT]
        if len(set(connected)) == len(connected):
            return tuple(matches)
        found = Counter(connected)
        return tuple(
            evolve(match, status=MatchStatus.AMBIGUOUS, reason=f"it is found for another {match.party.called} too")
            if match.status in TO_CONNECT and found[match.contacts[0]] > 1
            else match
            for match in matches
        )


@frozen(kw_only=True)
class Hits:
    """
    The contacts that answer to one key, by id; *merged*: the active ones only as what others were merged into; *apart*:
    those that a person took apart from the party.
    """

    reason: str
    active: Mapping[str, Contact]
    merged: bool
    archived: Mapping[str, Contact]
    apart: Mapping[str, Contact]


_NONE = "no contact has any of its keys"


def _same(key: MatchKey) -> str:
    return f"the same {words_of(key)}"


_NOBODY = Hits(reason="", active={}, merged=False, archived={}, apart={})
"""What answers to a key that nobody has."""


def stands(party: W, status: MatchStatus, contacts: Iterable[Contact], reason: str) -> Match[W]:
    """That *party* stands so towards *contacts*."""
    known = [each for each in contacts if each.contact_id is not None]
    return Match(
        party=party,
        status=status,
        contacts=tuple([each.contact_id or ContactId("") for each in known]),
        names=tuple([each.name or "" for each in known]),
        reason=reason,
    )


_new = object.__new__


def all_stand(parties: Sequence[W], contacts: Sequence[Contact | None], reason: str) -> list[Match[W]]:
    """That each of *parties* is paired with its one of *contacts*, for a *reason*, or is not in Xero."""
    told: dict[str, Iterable[object]] = {
        "party": parties,
        "status": [MatchStatus.NOT_IN_XERO if one is None else MatchStatus.MATCH_FOUND for one in contacts],
        "contacts": [() if one is None else (one.contact_id,) for one in contacts],
        "names": [() if one is None else (one.name or "",) for one in contacts],
        "reason": [_NONE if one is None else reason for one in contacts],
    }
    # Filling one field of all takes a third of the time of making them one by one.
    made: list[Match[W]] = [_new(Match) for _ in parties]
    for each in fields(Match):
        fill: Callable[[Match[W], object], None] = vars(Match)[each.name].__set__
        deque(map(fill, made, told.get(each.name, repeat(each.default))), maxlen=0)
    return made
