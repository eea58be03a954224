"""The contacts of an organisation as they are searched: by id, by key, by look, by likeness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import compress
from typing import Final, TypeAlias

from attrs import frozen

from xerosync.matching.keys import MatchKey, by_name, texts_of_contacts
from xerosync.matching.lookalikes import latin_looks, look_alike, looks
from xerosync.matching.loosely import bare_words, bare_words_of, in_order
from xerosync.matching.names import Names
from xerosync.models import Contact, ContactId, ContactStatus

Index: TypeAlias = Mapping[str, Contact | list[Contact]]
"""Contacts by a text: the one alone that has it, as nearly all do, or the several that have it, in order."""

_ACTIVE: Final = ContactStatus.ACTIVE


def is_active(contact: Contact) -> bool:
    """Whether documents can be written to *contact* (F 6.31)."""
    return contact.contact_status == _ACTIVE


@frozen(kw_only=True)
class Answering:
    """The contacts that answer to one key, by id: *active* ones, what others were *merged* into, *archived* ones."""

    active: Mapping[str, Contact]
    merged: Mapping[str, Contact]
    archived: Mapping[str, Contact]


class Contacts:
    """
    Every contact of one organisation, archived ones too. Each index is made once, when it is first needed.

    Whatever is found comes in the order of the contacts' ids, so that nothing depends on the order they were read in.
    """

    def __init__(self, contacts: Iterable[Contact]) -> None:
        listed = sorted(contacts, key=lambda contact: contact.contact_id or "")
        self._by_id = {contact.contact_id: contact for contact in listed if contact.contact_id is not None}
        self._by_key: dict[MatchKey, Index] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, contact_id: str) -> Contact | None:
        """The contact of this id."""
        return self._by_id.get(ContactId(contact_id))

    def surviving(self, contact_id: str) -> Contact | None:
        """
        The contact of this id, or the one it was merged into in the end (F 6.34).

        It may be archived all the same; None when Xero lists no such contact.
        """
        contact = self.get(contact_id)
        return None if contact is None else self._surviving(contact)

    def _surviving(self, contact: Contact) -> Contact:
        seen: set[str] = set()
        while contact.merged_to_contact_id and contact.contact_id not in seen:
            seen.add(contact.contact_id or "")
            contact = self.get(contact.merged_to_contact_id) or contact
        return contact

    def known_by(self, key: MatchKey, text: str) -> Sequence[Contact]:
        """The contacts for which *key* gives *text*, archived ones too; none for an empty text."""
        return _listed(self.by_key(key).get(text))

    def have(self, key: MatchKey) -> bool:
        """Whether *key* gives a text for any contact."""
        return bool(self.by_key(key))

    def by_key(self, key: MatchKey) -> Index:
        """The contacts by what *key* gives for them, archived ones too; those are left out for which it gives none."""
        index = self._by_key.get(key)
        if index is None:
            texts = self._names.plain if key is by_name else texts_of_contacts(key, self._listed)
            index = self._by_key[key] = (
                _indexed(list(filter(None, texts)), list(compress(self._listed, texts))) if any(texts) else {}
            )
        return index

    def answering(self, key: MatchKey, text: str) -> Answering:
        """The contacts for which *key* gives *text*, each that was merged as the one it became."""
        return self.as_they_are(self.known_by(key, text))

    def as_they_are(self, known: Iterable[Contact]) -> Answering:
        """*known* ones by how they are, each that was merged as the one it became."""
        active: dict[str, Contact] = {}
        merged: dict[str, Contact] = {}
        archived: dict[str, Contact] = {}
        for contact in known:
            survivor = self._surviving(contact)
            kept = archived if not is_active(survivor) else active if survivor is contact else merged
            kept[survivor.contact_id or ""] = survivor
        return Answering(active=active, merged=merged, archived=archived)

    def looking_like(self, name: str) -> list[Contact]:
        """The active contacts whose name is another, but could be taken for *name*."""
        found = {
            contact.contact_id: contact
            for look in looks(name)
            for contact in _listed(self.by_look.get(look))
            if contact.name != name and look_alike(name, contact.name or "")
        }
        return sorted(found.values(), key=lambda contact: contact.contact_id or "") if found else []

    def called_like(self, name: str) -> list[Contact]:
        """
        The contacts, archived ones too, whose name is *name* but for its legal form, accents, signs, blanks, and the
        order of its words.
        """
        found = {
            contact.contact_id: contact
            for form in _loose_forms(bare_words(name))
            for contact in self._by_loose_form.get(form, ())
        }
        return sorted(found.values(), key=lambda contact: contact.contact_id or "")

    @cached_property
    def active(self) -> list[Contact]:
        """The active ones."""
        return [contact for contact in self._listed if is_active(contact)]

    @cached_property
    def by_look(self) -> Index:
        """The active ones that have a name, by what to look for when something looks like it."""
        seen = zip(latin_looks(self._names), self._listed, strict=True)
        latin = [look if is_active(contact) else "" for look, contact in seen]
        odd = [
            (look, contact)
            for contact in map(self._listed.__getitem__, self._names.odd)
            if is_active(contact)
            for look in looks(contact.name or "")
        ]
        return _indexed(
            [*filter(None, latin), *[look for look, _ in odd]],
            [*compress(self._listed, latin), *[contact for _, contact in odd]],
        )

    @cached_property
    def _by_loose_form(self) -> Mapping[str, list[Contact]]:
        index: dict[str, list[Contact]] = {}
        bare = bare_words_of([contact.name or "" for contact in self._listed])
        for contact, words in zip(self._listed, bare, strict=True):
            for form in _loose_forms(words):
                index.setdefault(form, []).append(contact)
        return index

    @cached_property
    def _listed(self) -> list[Contact]:
        return list(self._by_id.values())

    @cached_property
    def _names(self) -> Names:
        return Names([contact.name or "" for contact in self._listed])


def _loose_forms(bare: Sequence[str]) -> set[str]:
    """Under what a name of these *bare* words is looked for; under nothing where it has none."""
    return {in_order(bare), "".join(bare)} - {""}


def _indexed(texts: Sequence[str], contacts: Sequence[Contact]) -> Index:
    index = dict(zip(texts, contacts, strict=True))
    if len(index) == len(texts):
        return index
    several: dict[str, list[Contact]] = {}
    for text, contact in zip(texts, contacts, strict=True):
        if index[text] is not contact or text in several:  # the last of several is the one that has taken the place
            several.setdefault(text, []).append(contact)
    return {**index, **several}


def _listed(found: Contact | list[Contact] | None) -> Sequence[Contact]:
    return () if found is None else found if isinstance(found, list) else (found,)
