"""Contacts as they are written to Xero, and their details as they come back to the host: pure functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import attrs
from attrs import frozen

from xerosync.mapping.documents import contact_named
from xerosync.models import Address, AddressType, Contact, Phone, PhoneType
from xerosync.texts import check_text


@frozen(kw_only=True, repr=False)
class ContactDetails:
    """
    What a host keeps of a contact (R32): names, e-mail, telephones, addresses; empty where Xero has nothing.

    *postal_address* is what Xero prints on an invoice. Telephones are one text: country, area, number.
    """

    name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    mobile: str = ""
    postal_address: Address = attrs.field(factory=Address)
    street_address: Address = attrs.field(factory=Address)

    def __repr__(self) -> str:
        return "<ContactDetails>"


def contact_details(contact: Contact) -> ContactDetails:
    """The details of *contact*."""
    phones = {phone.phone_type: _phone_text(phone) for phone in contact.phones}
    addresses = {address.address_type: address for address in contact.addresses}
    return ContactDetails(
        name=contact.name or "",
        first_name=contact.first_name or "",
        last_name=contact.last_name or "",
        email=contact.email_address or "",
        phone=phones.get(PhoneType.DEFAULT) or phones.get(PhoneType.DDI) or "",
        mobile=phones.get(PhoneType.MOBILE, ""),
        postal_address=addresses.get(AddressType.POBOX, Address()),
        street_address=addresses.get(AddressType.STREET, Address()),
    )


def fingerprints(details: ContactDetails) -> dict[str, str]:
    """A short sum of each detail, to see later whether it has changed without keeping it."""
    return {
        each.name: hashlib.sha256(_text(getattr(details, each.name)).encode()).hexdigest()[:16]
        for each in attrs.fields(ContactDetails)
    }


def changed_details(details: ContactDetails, told: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the *details* that differ from those *told* before, by their fingerprints; all when none were."""
    return tuple(name for name, sum_ in fingerprints(details).items() if told.get(name) != sum_)


def contact_document(
    *,
    name: str,
    field: str = "name",
    contact_number: str = "",
    account_number: str = "",
    email: str = "",
    tax_number: str = "",
    phone: str = "",
) -> Contact:
    """
    A new contact, whose *name* is given as *field*; what is empty is left out.

    Raises `InvalidInput` for what Xero would refuse.
    """
    check_text("contact_number", contact_number, longest=50)
    check_text("account_number", account_number, longest=50)
    check_text("email", email, longest=255)
    check_text("tax_number", tax_number, longest=50)
    check_text("phone", phone, longest=50)
    return attrs.evolve(
        contact_named(name, field=field),
        contact_number=contact_number or None,
        account_number=account_number or None,
        email_address=email or None,
        tax_number=tax_number or None,
        phones=(Phone(phone_type=PhoneType.DEFAULT, phone_number=phone),) if phone else (),
    )


def _phone_text(phone: Phone) -> str:
    return " ".join(filter(None, (phone.phone_country_code, phone.phone_area_code, phone.phone_number)))


def _text(value: str | Address) -> str:
    if isinstance(value, str):
        return value
    return json.dumps({each.name: getattr(value, each.name) for each in attrs.fields(Address) if each.name != "extra"})
