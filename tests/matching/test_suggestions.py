"""Suggestions: likely contacts, with reasons a person can judge."""

from __future__ import annotations

import pytest

from xerosync import Customer, Suggestion
from xerosync.matching.contacts import Contacts
from xerosync.matching.suggestions import Suggester
from xerosync.models import Contact, ContactId, ContactStatus, Phone, PhoneType

OTHERS = ["Bay Trading Ltd", "Smith Plumbing", "Jones Plumbing", "Ana Lopez", "Ocean Fish & Chips", "Kiwi Print"]


def contact(name: str, **others: str) -> Contact:
    return Contact(
        contact_id=ContactId(f"id of {name}"),
        name=name,
        contact_status=ContactStatus.ACTIVE,
        email_address=others.get("email"),
        contact_number=others.get("number"),
        phones=(Phone(phone_type=PhoneType.DEFAULT, phone_area_code="09", phone_number=others.get("phone")),),
    )


def suggested(customer: Customer, *contacts: Contact) -> tuple[Suggestion, ...]:
    return Suggester(Contacts([*contacts, *map(contact, OTHERS)]), frozenset(), [customer]).suggest(customer)


@pytest.mark.parametrize(
    ("written", "name", "reason"),
    [
        ("Cafe Jose", "Café José", "the same name but for accents"),
        ("Salt and Pepper", "Salt & Pepper", "the same name but for “&” and punctuation"),
        ("Acme Limited", "ACME Pty Ltd", "the same name but for the legal form"),
        ("Costa Ana", "Ana Costa", "the same words in another order"),
        ("Sun Flower", "Sunflower", "the same letters with other blanks"),
        ("Whitcombe Trading", "Whitcomb Trading", "a similar name"),
        ("Аcme", "Acme", "letters that look alike and are others"),
    ],
)
def test_the_likeliest_contact_comes_first_and_says_why(written: str, name: str, reason: str) -> None:
    first, *_ = suggested(Customer(id="1", custom_identifier=written), contact(name))

    assert first.name == name
    assert first.reasons[0].startswith(reason)
    assert 70 <= first.score < 100


def test_what_is_the_same_besides_the_name_is_said_too() -> None:
    customer = Customer(
        id="1", custom_identifier="C 104", name="Ana Kosta", email="ana@costa.test", phone="+64 9 555-0100"
    )
    ana = contact("Ana Costa", email="Ana@Costa.test", number="c-104", phone="5550100")

    (found,) = suggested(customer, ana)

    assert set(found.reasons) >= {"the same e-mail", "the same telephone number", "the same number but for signs"}
    assert found.score == 99


def test_nothing_is_suggested_for_quite_another_name() -> None:
    assert suggested(Customer(id="1", custom_identifier="Zebra Holdings")) == ()
    assert suggested(Customer(id="1", custom_identifier="")) == ()


def test_a_word_that_many_contacts_have_makes_no_likeness() -> None:
    crowd = [contact(f"Number {n} Plumbing") for n in range(300)]

    assert suggested(Customer(id="1", custom_identifier="Brown Plumbing"), *crowd) == ()


def test_three_at_most_are_suggested_and_archived_or_taken_ones_never() -> None:
    alike = [contact(f"Whitcomb {place} Traders") for place in "ABCDE"]
    archived = Contact(contact_id=ContactId("x"), name="Whitcomb Traders", contact_status=ContactStatus.ARCHIVED)
    taken = contact("Whitcomb Traders Ltd")

    customer = Customer(id="1", custom_identifier="Whitcomb Traders")
    found = Suggester(Contacts([*alike, archived, taken]), {taken.contact_id or ""}, [customer]).suggest(customer)

    assert len(found) == 3
    assert not {one.name for one in found} & {archived.name, taken.name}
