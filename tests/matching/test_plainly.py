"""Those who are told of all at once stand as if each had been looked into: what is quick decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.matching.names import NAUGHTY

from xerosync import Customer, MatchStatus, Party, Vendor
from xerosync.matching.contacts import Contacts
from xerosync.matching.keys import MATCH_KEYS, MatchKey
from xerosync.matching.names import plain_name
from xerosync.matching.pairing import Matching, Pairs
from xerosync.matching.plainly import plain_contacts
from xerosync.matching.vendors import VendorMatching
from xerosync.models import Contact, ContactId, ContactStatus

ALIKE = st.sampled_from(["Ana", "ANA ", "An  a", "ＡＮＡ", "Аna", "An\u202ea", "B0", "Bo", "Burn", "Bum", "C-1", "C-l"])
NAMES = ALIKE | st.sampled_from(NAUGHTY)
KIN = st.sampled_from(
    [("Ana", "Bo"), ("Bo", "B0"), ("Burn", "Bum"), ("C-1", "C-l"), ("Ana", "Аna"), ("Ana", "ＡＮＡ"), ("Ana", "ANA ")]
)
NUMBERS = st.sampled_from(["7", " A-7", "a-7", "７", "7 7"])
IDS: Final = [ContactId(f"contact-{number}") for number in range(4)]
PARTIES: Final = [f"customer-{number}" for number in range(4)]
FROM = st.sampled_from([0, 0, 0, 1, 2, 4])
PLACES = st.integers(0, 59)
MERGED = st.sampled_from([*[None] * 5, *IDS])
STATUSES = st.sampled_from([*[ContactStatus.ACTIVE] * 9, *ContactStatus, None])


def by_nothing(party: Party) -> str:
    """A key of a host's own, for which each is looked into; nobody has it."""
    del party
    return ""


LOOKED_INTO: Final[Sequence[MatchKey]] = (*MATCH_KEYS, by_nothing)


@frozen
class Field:
    """Contacts, and customers and vendors who are called as they are, or nearly so."""

    contacts: list[Contact]
    customers: list[Customer]
    vendors: list[Vendor]
    pairs: Pairs


@st.composite
def fields(draw: st.DrawFn) -> Field:
    names, numbers = [*draw(KIN), *draw(st.lists(NAMES, max_size=2)), "Cy", "Di"], draw(st.lists(NUMBERS, max_size=2))
    seldom = draw(st.sampled_from([4, 60, 60]))

    def name(place: int) -> str:
        """Most have one of their own, or few would be plain."""
        other = draw(PLACES)
        return names[(place if other < 40 else other) % len(names)]

    def number() -> str:
        """Few have one: whoever has one that another has, too, is looked into for that alone."""
        place = (59 - draw(PLACES)) % seldom  # small ones are drawn most often
        return numbers[place] if place < len(numbers) else ""

    def some() -> dict[str, str]:
        known = [each for each in (*PARTIES, plain_name(names[0])) if draw(st.integers(0, 3)) == 1]
        return {each: draw(st.sampled_from(IDS)) for each in known}

    return Field(
        contacts=[
            Contact(
                contact_id=each,
                name=name(place) or None,
                contact_number=number() or None,
                account_number=number(),
                email_address=number(),
                tax_number=number(),
                contact_status=draw(STATUSES),
                merged_to_contact_id=draw(MERGED),
            )
            for place, each in enumerate(IDS[draw(FROM) :])
        ],
        customers=[
            Customer(
                id=each,
                custom_identifier=name(place),
                name=name(place + 1) if draw(st.integers(0, 3)) == 1 else "",
                contact_number=number(),
                account_number=number(),
                email=number(),
                tax_number=number(),
            )
            for place, each in enumerate(PARTIES[draw(FROM) :])
        ],
        vendors=[
            Vendor(name=each, contact_number=number(), account_number=number(), email=number(), tax_number=number())
            for each in dict(zip(map(plain_name, names), names, strict=True)).values()
        ],
        pairs=Pairs(linked=some(), created=some(), apart=frozenset(some().items())),
    )


@settings(max_examples=300)
@given(fields())
def test_customers_stand_as_if_each_had_been_looked_into(field: Field) -> None:
    at_once = Matching[Customer](Contacts(field.contacts), pairs=field.pairs)
    one_by_one = Matching[Customer](Contacts(field.contacts), pairs=field.pairs, keys=LOOKED_INTO)

    assert at_once.match(field.customers) == one_by_one.match(field.customers)


@settings(max_examples=300)
@given(fields(), st.booleans())
def test_vendors_stand_as_if_each_had_been_looked_into(field: Field, contradicted: bool) -> None:
    unclear = {each.id: "e-mail" for each in field.vendors[:1] if contradicted}
    at_once = VendorMatching(Contacts(field.contacts), pairs=field.pairs, unclear=unclear)
    one_by_one = VendorMatching(Contacts(field.contacts), pairs=field.pairs, unclear=unclear, keys=LOOKED_INTO)

    assert at_once.match(field.vendors) == one_by_one.match(field.vendors)


@settings(max_examples=300)
@given(fields())
def test_contacts_are_known_by_what_each_key_gives_for_each(field: Field) -> None:
    known, listed = Contacts(field.contacts), sorted(field.contacts, key=lambda contact: contact.contact_id or "")

    for key in MATCH_KEYS:
        assert known.have(key) == any(map(key, listed))
        for text in filter(None, map(key, listed)):
            assert [*known.known_by(key, text)] == [each for each in listed if key(each) == text]


def test_who_has_a_plain_name_is_told_of_all_at_once() -> None:
    """Or the tests above would compare a thing with itself."""
    ana, bo = (
        Contact(contact_id=ContactId(name), name=name, email_address=name, contact_status=ContactStatus.ACTIVE)
        for name in ("Ana", "Bo")
    )
    named = [("ANA", "ana"), ("Bo", "Ana"), ("Cy", ""), ("B0", ""), ("Аna", "")]
    customers = [Customer(id=name, custom_identifier=name, email=email) for name, email in named]
    customers.append(Customer(id="Di", custom_identifier="Di", name="Аna"))

    found, plain = plain_contacts(Contacts([ana, bo]), customers, MATCH_KEYS)

    assert [one for one, is_plain in zip(found, plain, strict=True) if is_plain] == [ana, None]
    assert plain == [True, False, True, False, False, False]
    assert not any(plain_contacts(Contacts([ana, bo]), customers, LOOKED_INTO)[1])
    matches = Matching[Customer](Contacts([ana, bo])).match(customers)
    assert [match.status for match in matches] == [
        MatchStatus.MATCH_FOUND, MatchStatus.AMBIGUOUS, MatchStatus.NOT_IN_XERO, MatchStatus.LOOK_ALIKE,
        MatchStatus.LOOK_ALIKE, MatchStatus.LOOK_ALIKE,
    ]  # fmt: skip
