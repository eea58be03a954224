"""What customers, vendors and contacts are known by: keys, each a small function. A host may add its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import ClassVar, Final, TypeAlias

from attrs import field, frozen

from xerosync.arguments import fields_checked
from xerosync.matching.names import Names, plain_name
from xerosync.models import Contact


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class Customer:
    """
    A customer: the host's *id*, and the *custom_identifier* that must equal a contact's name in Xero (R9).

    The others are told where they are known. *contact_number*, *account_number*, *email* and *tax_number* are looked
    for in Xero as they are; *name* and *phone* only make suggestions. *facts* are for keys of the host's own.
    """

    called: ClassVar[str] = "customer"
    id: str
    custom_identifier: str
    name: str = ""
    contact_number: str = ""
    account_number: str = ""
    email: str = ""
    tax_number: str = ""
    phone: str = ""
    facts: Mapping[str, str] = field(factory=dict[str, str])

    def __repr__(self) -> str:
        return f"<Customer {self.id}>"


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class Vendor:
    """
    A vendor, known by the *name* on its bills: letter case and blanks make no other one (G4).

    The others are told where they are known. *contact_number*, *account_number*, *email* and *tax_number* are looked
    for in Xero as they are, and go into a contact that is created; *phone* only makes suggestions. *facts* are for keys
    of the host's own.
    """

    called: ClassVar[str] = "vendor"
    name: str
    contact_number: str = ""
    account_number: str = ""
    email: str = ""
    tax_number: str = ""
    phone: str = ""
    facts: Mapping[str, str] = field(factory=dict[str, str])

    @property
    def id(self) -> str:
        """What it is known by: its name, as names are compared."""
        return plain_name(self.name)

    @property
    def custom_identifier(self) -> str:
        """What the name of its contact must equal: its own."""
        return self.name

    def __repr__(self) -> str:
        return "<Vendor>"


def as_vendor(vendor: str | Vendor) -> Vendor:
    """A *vendor* that is given by name or by more, as one with its name."""
    return vendor if isinstance(vendor, Vendor) else Vendor(name=vendor)


def vendor_name(vendor: str | Vendor) -> str:
    """The name of a *vendor* that is given by name or by more."""
    return vendor.name if isinstance(vendor, Vendor) else vendor


Sought: TypeAlias = Customer | Vendor
"""Whoever of the host's a contact is looked for."""

Party: TypeAlias = Customer | Vendor | Contact
"""A customer or a vendor of the host, or a contact in Xero."""

MatchKey: TypeAlias = Callable[[Party], str]
"""
Gives what a customer, a vendor or a contact is known by; two are a pair when it gives the same text for both.

An empty text is no key. Name the function ``by_…``: reasons read "the same …".
"""


def by_name(party: Party) -> str:
    """The custom identifier, or the vendor's name, and the contact's name (R9)."""
    return plain_name(party.custom_identifier if isinstance(party, Customer) else party.name or "")


def by_contact_number(party: Party) -> str:
    """The number that programs give a contact, shown in Xero as Contact Code (F 6.26)."""
    return plain_name(party.contact_number or "")


def by_account_number(party: Party) -> str:
    """The account number that people give a contact."""
    return plain_name(party.account_number or "")


def by_email(party: Party) -> str:
    """The e-mail address."""
    return plain_name((party.email_address if isinstance(party, Contact) else party.email) or "")


def by_tax_number(party: Party) -> str:
    """The tax number, as it is written but for blanks."""
    return plain_name(party.tax_number or "").replace(" ", "")


MATCH_KEYS: Final[tuple[MatchKey, ...]] = (by_name, by_contact_number, by_account_number, by_email, by_tax_number)
"""The keys that are looked for unless a host gives its own, in this order."""

_OF_SOUGHT: Final[Mapping[MatchKey, attrgetter[str]]] = {
    by_name: attrgetter("custom_identifier"),
    by_contact_number: attrgetter("contact_number"),
    by_account_number: attrgetter("account_number"),
    by_email: attrgetter("email"),
    by_tax_number: attrgetter("tax_number"),
}
_OF_CONTACT: Final[Mapping[MatchKey, attrgetter[str | None]]] = {
    **_OF_SOUGHT,
    by_name: attrgetter("name"),
    by_email: attrgetter("email_address"),
}


def texts_of_sought(key: MatchKey, parties: Sequence[Sought]) -> Sequence[str]:
    """What *key* gives for each of *parties*; where it is none of a host's own, all at once."""
    return _texts(key, map(_OF_SOUGHT[key], parties)) if key in _OF_SOUGHT else [key(each) for each in parties]


def texts_of_contacts(key: MatchKey, contacts: Sequence[Contact]) -> Sequence[str]:
    """What *key* gives for each of *contacts*; where it is none of a host's own, all at once."""
    return _texts(key, map(_OF_CONTACT[key], contacts)) if key in _OF_CONTACT else [key(each) for each in contacts]


def _texts(key: MatchKey, written: Iterable[str | None]) -> Sequence[str]:
    texts = list(written)
    if not any(texts):
        return [""] * len(texts)
    plain = Names([text or "" for text in texts]).plain
    return [each.replace(" ", "") for each in plain] if key is by_tax_number else plain


@lru_cache(maxsize=256)
def words_of(key: MatchKey) -> str:
    """*key* in words: ``by_tax_number`` is "tax number"."""
    name = str(getattr(key, "__name__", "key"))
    return "e-mail" if key is by_email else name.removeprefix("by_").replace("_", " ").strip("<>")
