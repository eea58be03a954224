"""Contacts that may be a customer's or a vendor's, scored, with the reasons in words: for a person, never applied."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from attrs import frozen

from xerosync.matching.contacts import Contacts
from xerosync.matching.keys import Sought, by_email
from xerosync.matching.loosely import LEGAL_FORMS, LooseName, bare_words, bare_words_of, in_order, loose_name, spellings
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
_NONE: Final = (0, "")
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
    """
    Finds suggestions for *parties* among the active *contacts* that are not *taken*.

    The indexes are made once, and of no more than what can lead from one of *parties* to a contact.
    """

    def __init__(self, contacts: Contacts, taken: AbstractSet[str], parties: Sequence[Sought]) -> None:
        self._looked_through: Final = contacts
        self._contacts: Final = [each for each in contacts.active if each.contact_id not in taken]
        self._bare: Final = bare_words_of([each.name or "" for each in self._contacts])
        names = {name for party in parties for name in _names_of(party)}
        self._words: Final = Words(self._bare, {word for name in names for word in bare_words(name)})
        self._having: Final = _index(
            self._contacts, self._bare, {clue for party in parties for clue in _clues_of_party(party)}
        )

    def suggest(self, party: Sought) -> tuple[Suggestion, ...]:
        """The contacts most like *party*, one of those that were given, best first, three at most."""
        names = _names_of(party)
        told = self._by_clues(party)
        looked_at = {**dict.fromkeys(self._by_words(names), ()), **told}
        alike = {name: {each.contact_id for each in self._looked_through.looking_like(name)} for name in names}
        scored = [self._compared(alike, place, reasons) for place, reasons in looked_at.items()]
        chosen = [one for one in scored if one is not None]
        return tuple(sorted(chosen, key=lambda one: (-one.score, one.contact_id))[:_MOST])

    def _by_words(self, names: Iterable[str]) -> list[int]:
        votes: dict[int, int] = {}
        for name in names:
            self._words.vote(bare_words(name), votes)
        least = min(sorted(votes.values())[-_LOOKED_AT:], default=0)
        best = sorted([(-vote, place) for place, vote in votes.items() if vote >= least])
        return [place for _, place in best[:_LOOKED_AT]]

    def _by_clues(self, party: Sought) -> dict[int, tuple[Reason, ...]]:
        """The contacts that share a clue, each with what that says."""
        found: dict[int, tuple[Reason, ...]] = {}
        for clue in sorted(_clues_of_party(party)):
            for place in self._having.get(clue, ())[:_LOOKED_AT]:
                said = (_PARTICULARS[clue[0]],) if clue[0] in _PARTICULARS else ()
                found[place] = tuple(dict.fromkeys((*found.get(place, ()), *said)))
        return found

    def _compared(
        self, alike: Mapping[str, AbstractSet[str | None]], place: int, told: tuple[Reason, ...]
    ) -> Suggestion | None:
        """
        A contact with all that speaks for it, if anything does; the strongest reason decides, others add a little.

        *alike* are the party's names with the contacts that look like each.
        """
        contact = self._contacts[place]
        by_name = max(
            [self._names(name, place, alike=contact.contact_id in ids) for name, ids in alike.items()], default=_NONE
        )
        reasons = sorted([each for each in (by_name, *told) if each[0] >= _LEAST], reverse=True)
        if not reasons:
            return None
        return Suggestion(
            contact_id=contact.contact_id or ContactId(""),
            name=contact.name or "",
            score=min(reasons[0][0] + 5 * (len(reasons) - 1), 99),
            reasons=tuple([reason for _, reason in reasons]),
        )

    def _names(self, one: str, place: int, *, alike: bool) -> Reason:
        ours, words = loose_name(one), self._bare[place]
        if not ours.bare or not words:
            return _NONE
        if ours.bare == " ".join(words):
            return self._but_for(ours, loose_name(self._contacts[place].name or ""))
        if ours.sorted == in_order(words):
            return 88, "the same words in another order"
        if ours.joined == "".join(words):
            return 88, "the same letters with other blanks"
        if alike:
            return _ALIKE
        likeness = min(self._words.likeness(ours.bare.split(), words), 87)
        return likeness, f"a similar name ({likeness} of 100)"

    def _but_for(self, ours: LooseName, theirs: LooseName) -> Reason:
        """What two names that are bare the same differ in."""
        if ours.accentless == theirs.accentless:
            return 95, "the same name but for accents"
        if ours.worded == theirs.worded:
            return 93, "the same name but for “&” and punctuation"
        return 90, "the same name but for the legal form"


class Words:
    """The words of many names: which have them, spelt so or nearly so, and how much each tells."""

    def __init__(self, names: Sequence[Sequence[str]], sought: AbstractSet[str]) -> None:
        places: dict[str, list[int]] = {}
        for place, words in enumerate(names):
            for word in dict.fromkeys(words):
                places.setdefault(word, []).append(place)
        asked = {spelling for word in sought for spelling in spellings(word)}
        spelt: dict[str, list[str]] = defaultdict(list)
        for word in places:
            # Nearly every word is left at once: nobody asks for it in any spelling.
            for spelling in asked.intersection(spellings(word)):
                spelt[spelling].append(word)
        self._places: Final[Mapping[str, Sequence[int]]] = places
        self._spelt: Final[Mapping[str, Sequence[str]]] = dict(spelt)
        self._near: Final[dict[str, AbstractSet[str]]] = {}
        self._told: Final[dict[str, float]] = {}
        self._led_to: Final[dict[str, Sequence[tuple[int, Sequence[int]]]]] = {}
        self._unheard: Final = math.log(2 + len(names))

    def vote(self, words: Sequence[str], votes: dict[int, int]) -> None:
        """Give *votes* to the places of names that share *words*, which were sought; telling words give more."""
        for word in words:
            if word not in self._led_to:
                near = [(each, places) for each in self.near(word) if len(places := self._places[each]) <= _COMMON]
                self._led_to[word] = [
                    (int(100 * self._tells(each) * _same_part(word, each)), places) for each, places in near
                ]
            for share, places in self._led_to[word]:
                for place in places:
                    votes[place] = votes.get(place, 0) + share

    def near(self, word: str) -> AbstractSet[str]:
        """The words that have a spelling in common with *word*, which was sought."""
        near = self._near.get(word)
        if near is None:
            near = self._near[word] = {each for spelt in spellings(word) for each in self._spelt.get(spelt, ())}
        return near

    def _tells(self, word: str) -> float:
        """How much *word* tells: the less, the more names have it."""
        told = self._told.get(word)
        if told is None:
            told = self._told[word] = self._unheard - math.log(1 + len(self._places.get(word, ())))
        return told

    def likeness(self, ours: Sequence[str], theirs: Sequence[str]) -> int:
        """How much of what two names tell is the same, of 100: a word that many names have tells little."""
        told = {word: len(word) * self._tells(word) for word in (*ours, *theirs)}
        same = 0.0
        left = list(theirs)
        for word in ours:
            if word in left:
                share, best = 1.0, word
            else:
                near = self.near(word)
                share, best = max([(_same_part(word, each), each) for each in left if each in near], default=(0.0, ""))
            if share > 0:
                left.remove(best)
                same += share * (told[word] + told[best])
        return int(100 * same / (sum([told[word] for word in ours]) + sum([told[word] for word in theirs])))


def _same_part(one: str, other: str) -> float:
    """The part that is the same of two words with a spelling in common: all of it, or all but a letter or two."""
    if one == other:
        return 1.0
    return 0.0 if len(one) < 3 or len(other) < 3 else 1 - 1 / max(len(one), len(other))


def _index(
    contacts: Sequence[Contact], bare: Sequence[Sequence[str]], asked: set[Clue]
) -> Mapping[Clue, Sequence[int]]:
    """The places of the *contacts* that have a clue of those *asked* for."""
    index: dict[Clue, list[int]] = {}
    names = {text for kind, text in asked if kind == "name"}
    words_asked = LEGAL_FORMS.union(*[name.split() for name in names])
    particulars = {clue for clue in asked if clue[0] != "name"}
    for place, (contact, words) in enumerate(zip(contacts, bare, strict=True)):
        clues = {("name", joined)} if contact.name and (joined := "".join(words)) in names else set[Clue]()
        # Nearly every name has a word that nobody asks for.
        if contact.name and words_asked.issuperset(words):
            clues.add(("name", in_order(words)))
        if particulars:
            clues |= _particulars_of_contact(contact)
        for clue in clues & asked:
            index.setdefault(clue, []).append(place)
    return index


def _names_of(party: Sought) -> list[str]:
    return list(dict.fromkeys(filter(None, (party.custom_identifier, party.name))))


def _clues_of_party(party: Sought) -> set[Clue]:
    numbers = (party.custom_identifier, party.contact_number, party.account_number)
    clues = _particulars(email=by_email(party), phones=(party.phone,), numbers=numbers)
    for name in _names_of(party):
        bare = bare_words(name)
        clues |= {("name", in_order(bare)), ("name", "".join(bare))}
    return clues


def _particulars_of_contact(contact: Contact) -> set[Clue]:
    numbers = (contact.contact_number or "", contact.account_number or "")
    phones = [f"{each.phone_area_code or ''}{each.phone_number or ''}" for each in contact.phones]
    return _particulars(email=by_email(contact), phones=phones, numbers=numbers)


def _particulars(*, email: str, phones: Iterable[str], numbers: Iterable[str]) -> set[Clue]:
    """What leads from one to the other besides whole names in their loosest forms: e-mails, telephones and numbers."""
    clues: set[Clue] = {("e-mail", email)} if email else set()
    clues.update([("telephone", digits) for phone in phones if phone and (digits := _digits(phone))])
    clues.update([("number", signless) for number in numbers if number and (signless := _signless(number))])
    return clues


def _digits(phone: str) -> str:
    """The last eight digits of *phone*, which no way of writing the country changes; empty for too short a number."""
    digits = "".join(letter for letter in phone if letter.isdecimal())
    return digits[-8:] if len(digits) >= 7 else ""


def _signless(number: str) -> str:
    """The letters and digits of *number*, if there is a digit among them."""
    signless = "".join(filter(str.isalnum, plain_name(number)))
    return signless if not signless.isalpha() else ""
