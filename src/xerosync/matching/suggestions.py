"""Contacts that may be a customer's or a vendor's, scored, with the reasons in words: for a person, never applied."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final

from attrs import frozen

from xerosync.matching.contacts import Contacts
from xerosync.matching.keys import Sought, by_email
from xerosync.matching.lookalikes import look_alike
from xerosync.matching.loosely import loose_name, spellings
from xerosync.matching.names import plain_name
from xerosync.models import Contact, ContactId

_MOST: Final = 3
_LEAST: Final = 70
_LOOKED_AT: Final = 6
_COMMON: Final = 200
"""A word that more contacts have leads to none of them."""

_PARTICULARS: Final = {
    "e-mail": (85, "the same e-mail"),
    "telephone": (75, "the same telephone number"),
    "number": (85, "the same number but for signs"),
}
_ALIKE: Final = (70, "letters that look alike and are others")

Clue = tuple[str, str]
Reason = tuple[int, str]


@frozen(kw_only=True, repr=False)
class Suggestion:
    """
    A contact that may be the customer's, or the vendor's. *score* goes from 70 to 99; *reasons* say in words what is
    the same.

    It is never applied by itself: `Receivables.link` and `Payables.link_vendor` connect what a person chose.
    """

    contact_id: ContactId
    name: str
    score: int
    reasons: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Suggestion {self.contact_id} {self.score}>"


class Suggester:
    """Finds suggestions among the active *contacts* that are not *taken*; the indexes are made once."""

    def __init__(self, contacts: Contacts, taken: AbstractSet[str] = frozenset()) -> None:
        self._contacts: Final = [each for each in contacts.active if each.contact_id not in taken]
        self._having: Final = _index(self._contacts)
        self._words: Final = Words(loose_name(each.name or "").bare for each in self._contacts)

    def suggest(self, party: Sought) -> tuple[Suggestion, ...]:
        """The contacts most like *party*, best first, three at most."""
        names = list(dict.fromkeys(filter(None, (party.custom_identifier, party.name))))
        told = self._by_clues(party)
        looked_at = {**dict.fromkeys(self._by_words(names), ()), **told}
        scored = [self._compared(names, place, reasons) for place, reasons in looked_at.items()]
        chosen = [one for one in scored if one.score >= _LEAST]
        return tuple(sorted(chosen, key=lambda one: (-one.score, one.contact_id))[:_MOST])

    def _by_words(self, names: Iterable[str]) -> list[int]:
        votes: Counter[int] = Counter()
        for name in names:
            votes.update(self._words.having(loose_name(name).bare))
        return [place for place, _ in votes.most_common(_LOOKED_AT)]

    def _by_clues(self, party: Sought) -> dict[int, tuple[Reason, ...]]:
        """The contacts that share a clue, each with what that says."""
        found: dict[int, tuple[Reason, ...]] = {}
        for clue in sorted(_clues_of_party(party)):
            for place in self._having.get(clue, ())[:_LOOKED_AT]:
                said = (_PARTICULARS[clue[0]],) if clue[0] in _PARTICULARS else ()
                found[place] = tuple(dict.fromkeys((*found.get(place, ()), *said)))
        return found

    def _compared(self, names: Sequence[str], place: int, told: tuple[Reason, ...]) -> Suggestion:
        """A contact with all that speaks for it; the strongest reason decides, others add a little."""
        contact = self._contacts[place]
        by_name = max((self._names(name, contact.name or "") for name in names), default=(0, ""))
        reasons = sorted((each for each in (by_name, *told) if each[0] >= _LEAST), reverse=True)
        return Suggestion(
            contact_id=contact.contact_id or ContactId(""),
            name=contact.name or "",
            score=min(reasons[0][0] + 5 * (len(reasons) - 1), 99) if reasons else 0,
            reasons=tuple(reason for _, reason in reasons),
        )

    def _names(self, one: str, other: str) -> Reason:
        ours, theirs = loose_name(one), loose_name(other)
        if not ours.sorted or not theirs.sorted:
            return 0, ""
        if ours.accentless == theirs.accentless:
            return 95, "the same name but for accents"
        if ours.worded == theirs.worded:
            return 93, "the same name but for “&” and punctuation"
        if ours.bare == theirs.bare:
            return 90, "the same name but for the legal form"
        if ours.sorted == theirs.sorted:
            return 88, "the same words in another order"
        if ours.joined == theirs.joined:
            return 88, "the same letters with other blanks"
        if look_alike(one, other):
            return _ALIKE
        likeness = min(self._words.likeness(ours.bare, theirs.bare), 87)
        return likeness, f"a similar name ({likeness} of 100)"


class Words:
    """The words of many names: which have them, spelt so or nearly so, and how much each tells."""

    def __init__(self, names: Iterable[str]) -> None:
        places: dict[str, list[int]] = defaultdict(list)
        spelt: dict[str, list[str]] = defaultdict(list)
        count = 0
        for place, name in enumerate(names):
            count += 1
            for word in dict.fromkeys(name.split()):
                places[word].append(place)
        for word in places:
            for spelling in spellings(word):
                spelt[spelling].append(word)
        self._places: Final[Mapping[str, Sequence[int]]] = dict(places)
        self._spelt: Final[Mapping[str, Sequence[str]]] = dict(spelt)
        self._unheard: Final = math.log(2 + count)
        self._told: Final = {word: self._unheard - math.log(1 + len(found)) for word, found in places.items()}

    def having(self, name: str) -> Counter[int]:
        """The places of the names that share words with *name*, those with the most telling words counting most."""
        votes: Counter[int] = Counter()
        for word in name.split():
            near = {each for spelling in spellings(word) for each in self._spelt.get(spelling, ())}
            for each in near:
                places = self._places[each]
                if len(places) <= _COMMON:
                    share = int(100 * self._told[each] * _same_part(word, each))
                    for place in places:
                        votes[place] += share
        return votes

    def likeness(self, one: str, other: str) -> int:
        """How much of what two names tell is the same, of 100: a word that many names have tells little."""
        ours, theirs = one.split(), other.split()
        told = {word: len(word) * self._told.get(word, self._unheard) for word in (*ours, *theirs)}
        same = 0.0
        left = list(theirs)
        for word in ours:
            share, best = max(((_same_part(word, each), each) for each in left), default=(0.0, ""))
            if share > 0:
                left.remove(best)
                same += share * (told[word] + told[best])
        return int(100 * same / (sum(told[word] for word in ours) + sum(told[word] for word in theirs)))


@lru_cache(maxsize=65536)
def _same_part(one: str, other: str) -> float:
    """The part of two words that is the same: all of it, all but a letter or two, or nothing."""
    if one == other:
        return 1.0
    if len(one) < 3 or len(other) < 3 or spellings(one).isdisjoint(spellings(other)):
        return 0.0
    return 1 - 1 / max(len(one), len(other))


def _index(contacts: Sequence[Contact]) -> Mapping[Clue, Sequence[int]]:
    index: dict[Clue, list[int]] = defaultdict(list)
    for place, contact in enumerate(contacts):
        for clue in _clues_of_contact(contact):
            index[clue].append(place)
    return dict(index)


def _clues_of_party(party: Sought) -> set[Clue]:
    numbers = (party.custom_identifier, party.contact_number, party.account_number)
    names = (party.custom_identifier, party.name)
    return _clues(names, email=by_email(party), phones=(party.phone,), numbers=numbers)


def _clues_of_contact(contact: Contact) -> set[Clue]:
    numbers = (contact.contact_number or "", contact.account_number or "")
    phones = (f"{each.phone_area_code or ''}{each.phone_number or ''}" for each in contact.phones)
    return _clues((contact.name or "",), email=by_email(contact), phones=phones, numbers=numbers)


def _clues(names: Iterable[str], *, email: str, phones: Iterable[str], numbers: Iterable[str]) -> set[Clue]:
    """What leads from one to the other: whole names in their loosest forms, e-mails, telephones and numbers."""
    loose = [loose_name(name) for name in names if name]
    clues = {("name", form) for each in loose for form in (each.sorted, each.joined)}
    clues |= {("e-mail", email)} if email else set()
    clues |= {("telephone", digits) for phone in phones if phone and (digits := _digits(phone))}
    return clues | {("number", signless) for number in numbers if number and (signless := _signless(number))}


def _digits(phone: str) -> str:
    """The last eight digits of *phone*, which no way of writing the country changes; empty for too short a number."""
    digits = "".join(letter for letter in phone if letter.isdecimal())
    return digits[-8:] if len(digits) >= 7 else ""


def _signless(number: str) -> str:
    """The letters and digits of *number*, if there is a digit among them."""
    signless = "".join(filter(str.isalnum, plain_name(number)))
    return signless if not signless.isalpha() else ""
