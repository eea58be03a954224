"""Whatever customers and contacts there are: order does not count, and no contact goes to two customers."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.matching.names import NAUGHTY

from xerosync import Customer, MatchStatus, Party
from xerosync.matching._alike import LOOKS_LIKE
from xerosync.matching.contacts import Contacts, is_active
from xerosync.matching.keys import MATCH_KEYS
from xerosync.matching.lookalikes import look_alike, looks, shapes, turns_writing
from xerosync.matching.pairing import TO_CONNECT, Matching, Pairs
from xerosync.matching.suggestions import Suggester
from xerosync.models import Contact, ContactId, ContactStatus

NAMES = st.sampled_from(["Acme", "acme", "ＡＣＭＥ", "Аcme", "Ana", "Bo", "C-1", "C-l", *NAUGHTY])
LETTERS = sorted({letter for letters in LOOKS_LIKE.values() for letter in letters} | set("01IilmMrnOo"))
ALIKE = st.sampled_from(LETTERS)
NUMBERS = st.sampled_from(["", "", "7", "8", "A-7"])
IDS = [ContactId(f"contact-{number}") for number in range(6)]


@st.composite
def contact_lists(draw: st.DrawFn) -> list[Contact]:
    return [
        Contact(
            contact_id=contact_id,
            name=draw(NAMES),
            contact_number=draw(NUMBERS),
            email_address=draw(NUMBERS),
            contact_status=draw(st.sampled_from(ContactStatus)),
            merged_to_contact_id=draw(st.none() | st.sampled_from(IDS)),
        )
        for contact_id in draw(st.lists(st.sampled_from(IDS), unique=True))
    ]


@st.composite
def customer_lists(draw: st.DrawFn) -> list[Customer]:
    return [
        Customer(
            id=f"customer-{number}", custom_identifier=draw(NAMES), contact_number=draw(NUMBERS), email=draw(NUMBERS)
        )
        for number in range(draw(st.integers(0, 5)))
    ]


@st.composite
def pairs(draw: st.DrawFn) -> Pairs:
    taken = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=3))
    return Pairs(linked={f"customer-{number}": contact for number, contact in enumerate(taken)})


@given(contact_lists(), customer_lists(), pairs(), st.randoms(use_true_random=False))
def test_the_order_of_customers_and_of_contacts_does_not_count(
    contacts: list[Contact], customers: list[Customer], known: Pairs, chance: random.Random
) -> None:
    matches = Matching[Customer](Contacts(contacts), pairs=known).match(customers)
    shuffled = Matching[Customer](Contacts(chance.sample(contacts, len(contacts))), pairs=known)
    again = shuffled.match(chance.sample(customers, len(customers)))

    assert {match.customer.id: match for match in again} == {match.customer.id: match for match in matches}


@given(contact_lists(), customer_lists(), pairs())
def test_no_contact_goes_to_two_customers(contacts: list[Contact], customers: list[Customer], known: Pairs) -> None:
    matches = Matching[Customer](Contacts(contacts), pairs=known).match(customers)

    after = {
        **known.linked,
        **{match.customer.id: match.contacts[0] for match in matches if match.status in TO_CONNECT},
    }
    assert max(Counter(after.values()).values(), default=0) <= 1


@given(contact_lists(), customer_lists())
def test_what_is_found_is_active_has_a_key_and_deceives_nobody(
    contacts: list[Contact], customers: list[Customer]
) -> None:
    known = Contacts(contacts)
    for match in Matching[Customer](known).match(customers):
        if match.status is MatchStatus.MATCH_FOUND:
            contact = known.get(match.contacts[0])
            assert contact is not None
            assert contact.contact_status == ContactStatus.ACTIVE
            assert any(key(contact) == key(match.customer) != "" for key in MATCH_KEYS)
            assert not turns_writing(contact.name or "")
            assert not look_alike(match.customer.custom_identifier, contact.name or "")


@given(contact_lists(), customer_lists(), pairs())
def test_matching_again_finds_nothing_new(contacts: list[Contact], customers: list[Customer], known: Pairs) -> None:
    """What is connected changes no other customer's luck, or a second run would do what the first would not."""
    matching = Matching[Customer](Contacts(contacts), pairs=known)
    found = {match.customer.id: match.contacts[0] for match in matching.match(customers) if match.status in TO_CONNECT}

    again = Matching[Customer](Contacts(contacts), pairs=Pairs(linked={**known.linked, **found})).match(customers)

    assert [match for match in again if match.status in TO_CONNECT] == []


@given(contact_lists(), st.lists(NAMES, max_size=4))
def test_every_active_contact_that_looks_like_a_name_is_found(contacts: list[Contact], names: list[str]) -> None:
    known = Contacts(contacts)

    for name in names:
        alike = [each for each in contacts if is_active(each) and look_alike(name, each.name or "")]
        assert known.looking_like(name) == sorted(alike, key=lambda contact: contact.contact_id or "")


@given(st.one_of(st.sampled_from(LETTERS), st.text(max_size=4)), st.text(alphabet=ALIKE, max_size=6))
def test_names_that_look_alike_are_looked_for_in_the_same_place(before: str, name: str) -> None:
    seen_as = {letter: shape for shape, letters in LOOKS_LIKE.items() for letter in letters}
    for written in (name, name.lower(), name.upper()):
        twin = before + "".join(seen_as.get(letter, letter) for letter in written)
        if shapes(before + name) & shapes(twin):
            assert set(looks(before + name)) & set(looks(twin))


SUGGESTED = st.sampled_from(
    ["Acme Trading Ltd", "Trading Acme", "Acmé & Co", "MacDonald", "Mac Donald Ltd", "Macdonald", "Mcdonald", "0mega"]
)


@given(st.lists(SUGGESTED, max_size=8), st.lists(st.one_of(SUGGESTED, NAMES), min_size=1, max_size=4), NUMBERS)
def test_what_is_suggested_is_the_same_whoever_else_is_asked_for(
    contacts: list[str], customers: list[str], number: str
) -> None:
    known = Contacts(
        Contact(
            contact_id=ContactId(f"{place}"),
            name=name,
            account_number=number,
            contact_status=ContactStatus.ACTIVE,
        )
        for place, name in enumerate(contacts)
    )
    asked = [
        Customer(id=f"{place}", custom_identifier=name, name=customers[0], contact_number=number.lower())
        for place, name in enumerate(customers)
    ]
    together = Suggester(known, frozenset(), asked)

    assert [together.suggest(each) for each in asked] == [
        Suggester(known, frozenset(), [each]).suggest(each) for each in asked
    ]


def test_each_customer_and_each_contact_is_asked_for_a_key_once() -> None:
    """Ten thousand of each are paired in about a second, since nobody is compared with everybody."""
    asked: Counter[str] = Counter()

    def by_note(party: Party) -> str:
        asked["customer" if isinstance(party, Customer) else "contact"] += 1
        return party.facts["note"] if isinstance(party, Customer) else party.name or ""

    contacts = Contacts(
        Contact(contact_id=ContactId(f"{n}"), name=f"N{n}", contact_status=ContactStatus.ACTIVE) for n in range(500)
    )
    customers = [Customer(id=f"{n}", custom_identifier="", facts={"note": f"N{n}"}) for n in range(500)]

    matches = Matching[Customer](contacts, keys=[by_note]).match(customers)

    assert {match.status for match in matches} == {MatchStatus.MATCH_FOUND}
    assert asked == {"customer": 500, "contact": 500}
