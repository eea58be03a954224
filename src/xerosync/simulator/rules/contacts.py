"""Rules of contacts (F 6.21–6.39)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Address, Contact, Document, Person, Phone
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid

STATUSES: Final = ("ACTIVE", "ARCHIVED", "GDPRREQUEST")
ARCHIVED: Final = "The specified contact details matched an archived contact. Archived contacts cannot currently be edited via the API."  # noqa: E501 (Xero's words in one piece)
UNIDENTIFIED: Final = "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID, ContactNumber"  # noqa: E501 (Xero's words in one piece)
PHONE_TYPES: Final = ("DEFAULT", "DDI", "FAX", "MOBILE")
ADDRESS_TYPES: Final = ("STREET", "POBOX")
ADDRESS_PARTS: Final = (
    "AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "City", "Region", "PostalCode", "Country",
    "AttentionTo",
)  # fmt: skip
# The plain texts of a contact, in the order Xero writes them, and their longest lengths (F 6.22).
TEXTS: Final = {
    "AccountNumber": 50, "FirstName": 255, "LastName": 255, "CompanyNumber": 50, "EmailAddress": 255,
    "SkypeUserName": 50, "BankAccountDetails": 255, "TaxNumber": 50, "AccountsReceivableTaxType": 50,
    "AccountsPayableTaxType": 50, "SalesDefaultAccountCode": 10, "PurchasesDefaultAccountCode": 10,
    "SalesDefaultLineAmountType": 20, "PurchasesDefaultLineAmountType": 20, "DefaultCurrency": 3,
}  # fmt: skip
_LONGEST_OF_ADDRESS: Final = {
    **{f"AddressLine{number}": 500 for number in range(1, 5)},
    "City": 255,
    "Region": 255,
    "AttentionTo": 255,
    "PostalCode": 50,
    "Country": 50,
}
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def taken(name: str) -> str:
    """Xero's words for a name that another active contact bears (F 6.23)."""
    return (
        f"The contact name {name} is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    )


def clean_name(books: Books, name: str) -> str:
    """*name* as Xero would keep it. Raises `Invalid`."""
    clean = " ".join(name.split())
    if "<" in name or ">" in name:
        raise Invalid("The contact name cannot contain the characters < or >")
    if clean != name and books.switches.blanks_in_names == "refused":
        raise Invalid("The contact name cannot contain leading, trailing or repeated blanks")
    if len(clean) > 255:
        raise Invalid("The contact name must not be longer than 255 characters")
    return clean


def resolve(books: Books, given: Given) -> Contact | None:
    """The contact that *given* means, by id, number or name; None when it means a new one. Raises `Invalid`."""
    if contact_id := given.id("ContactID"):
        contact = books.contacts.get(contact_id)
        if contact is None:
            raise Invalid("An existing Contact with the specified ContactID could not be found")
        return contact
    number, name = given.text("ContactNumber"), " ".join(given.text("Name").split())
    if not number and not name:
        raise Invalid(UNIDENTIFIED)
    if number and (found := books.contacts.by("number", number.lower())):
        return found[0]
    if name and (found := books.contacts.by("name", name.lower()) or books.contacts.by("any_name", name.lower())):
        return found[0]
    return None


def save(books: Books, given: Given, *, create_only: bool) -> Contact:
    """Create the contact *given*, or unless *create_only* update the one it means (F 6.24). Raises `Invalid`."""
    if create_only:
        return _create(books, given)
    found = resolve(books, given)
    if found is None or (_is_past_name(given, found) and not books.switches.post_meets_archived_names):
        return _create(books, given)
    return update(books, found, given)


def _is_past_name(given: Given, found: Contact) -> bool:
    """Whether *given* means the archived *found* by nothing but its name."""
    by_number = bool(given.text("ContactNumber")) and given.text("ContactNumber").lower() == found.number.lower()
    return found.status == "ARCHIVED" and not by_number and not given.id("ContactID")


def _create(books: Books, given: Given) -> Contact:
    named = books.contacts.get(given.id("ContactID"))
    if named is not None and named.status != "ACTIVE":
        raise Invalid(ARCHIVED)
    name = clean_name(books, given.text("Name"))
    if not name:
        raise Invalid(UNIDENTIFIED)
    if books.contacts.has("name", name.lower()):
        raise Invalid(taken(name))
    given.choice("ContactStatus", STATUSES)  # read though it decides nothing yet: one that is none is refused
    fresh = Contact(id=books.draw(), name=name, updated_ms=books.write_stamp())
    return books.contacts.put(_with_fields(books, fresh, given))


def update(books: Books, contact: Contact, given: Given) -> Contact:
    """Change what is *given* of *contact* and leave the rest (F 6.25). Raises `Invalid`."""
    if contact.status != "ACTIVE":
        raise Invalid(ARCHIVED)
    changed = contact
    if name := clean_name(books, given.text("Name")):
        if any(other.id != contact.id for other in books.contacts.by("name", name.lower())):
            raise Invalid(taken(name))
        changed = evolve(changed, name=name)
    status = given.choice("ContactStatus", STATUSES)
    changed = evolve(_with_fields(books, changed, given), status=status or changed.status)
    return books.contacts.put(evolve(changed, updated_ms=books.write_stamp()))


def mark_traded(books: Books, document: Document) -> None:
    """Note that the contact of *document* is a customer or a supplier, without moving its stamp (F 6.29)."""
    contact = books.contacts[document.contact_id]
    if document.is_sale and not contact.is_customer:
        books.contacts.put(evolve(contact, is_customer=True))
    elif not document.is_sale and not contact.is_supplier:
        books.contacts.put(evolve(contact, is_supplier=True))


def for_document(books: Books, given: Given) -> Contact:
    """
    The active contact a document names, by ContactID, ContactNumber or Name (F 6.36).

    A name nobody bears is created; further fields given update the contact. Raises `Invalid`; what is wrong with the
    contact's own fields is said of the document and of the contact inside it (F 5.41).
    """
    found = resolve(books, given)
    if found is not None and found.status != "ACTIVE":
        raise Invalid(ARCHIVED)
    if found is not None and not _says_more(given, found):
        return found
    try:
        return _create(books, given) if found is None else update(books, found, given)
    except Invalid as fault:
        raise Invalid(*fault.messages, nested={("Contact", -1): fault.every_message}) from fault


def _says_more(given: Given, contact: Contact) -> bool:
    texts = dict(contact.texts)
    if any(given.text(name) and given.text(name) != texts.get(name, "") for name in TEXTS):
        return True
    if given.has("ContactID") and given.text("Name") and " ".join(given.text("Name").split()) != contact.name:
        return True
    parts = [*(given.many("Phones") or []), *(given.many("Addresses") or []), *(given.many("ContactPersons") or [])]
    return any(value for part in parts for name, value in part.items() if not name.lower().endswith("type"))


def _with_fields(books: Books, contact: Contact, given: Given) -> Contact:
    texts = dict(contact.texts)
    for name, longest in TEXTS.items():
        if given.has(name):
            texts[name] = given.text(name)
            if len(texts[name]) > longest:
                raise Invalid(f"The {name} field must be {longest} characters or less.")
    if (email := texts.get("EmailAddress", "")) and not _EMAIL.fullmatch(email):
        raise Invalid("Email address must be valid.")
    return evolve(
        contact,
        texts=tuple((name, texts[name]) for name in TEXTS if name in texts),
        number=_number(books, contact, given),
        phones=_phones(contact, given),
        addresses=_addresses(contact, given),
        persons=_persons(contact, given),
    )


def _number(books: Books, contact: Contact, given: Given) -> str:
    number = given.text("ContactNumber") if given.has("ContactNumber") else contact.number
    if any(other.id != contact.id for other in books.contacts.by("number", number.lower())):
        raise Invalid("Another contact has this contact number. Please enter a different contact number.")
    if len(number) > 50:
        raise Invalid("The ContactNumber field must be 50 characters or less.")
    return number


def _refuse_long(given: Given, longest: Mapping[str, int]) -> None:
    """Raise `Invalid` where a text *given* is longer than *longest* says of its field (F 6.22)."""
    for name, characters in longest.items():
        if len(given.text(name)) > characters:
            raise Invalid(f"The {name} field must be {characters} characters or less.")


def _phones(contact: Contact, given: Given) -> tuple[Phone, ...]:
    phones = {phone.type: phone for phone in contact.phones}
    for row in given.many("Phones") or []:
        kind = row.choice("PhoneType", PHONE_TYPES) or "DEFAULT"
        _refuse_long(row, {"PhoneNumber": 50, "PhoneAreaCode": 10, "PhoneCountryCode": 20})
        phones[kind] = Phone(kind, row.text("PhoneNumber"), row.text("PhoneAreaCode"), row.text("PhoneCountryCode"))
    return tuple(phones[kind] for kind in PHONE_TYPES if kind in phones)


def _addresses(contact: Contact, given: Given) -> tuple[Address, ...]:
    addresses = {address.type: address for address in contact.addresses}
    for row in given.many("Addresses") or []:
        kind = row.choice("AddressType", (*ADDRESS_TYPES, "DELIVERY")) or "STREET"
        _refuse_long(row, _LONGEST_OF_ADDRESS)
        if any(letter.isdigit() for letter in row.text("Country")):
            raise Invalid("The Country field must contain letters only.")
        parts = tuple((name, row.text(name)) for name in ADDRESS_PARTS if row.has(name))
        addresses[kind] = Address(kind, parts)
    return tuple(addresses[kind] for kind in ADDRESS_TYPES if kind in addresses)


def _persons(contact: Contact, given: Given) -> tuple[Person, ...]:
    rows = given.many("ContactPersons")
    if rows is None:
        return contact.persons
    if len(rows) > 5:
        raise Invalid("A contact can have at most five additional people")
    return tuple(
        Person(
            row.text("FirstName"), row.text("LastName"), row.text("EmailAddress"), row.flag("IncludeInEmails") or False
        )
        for row in rows
    )
