"""What is paired with contacts: by which actions, and what a person is told to do where it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from xerosync.engine.actions import CreateContact, CreateCustomerContact, Pending
from xerosync.engine.pair_actions import (
    Connect,
    ConnectCustomer,
    ConnectVendor,
    Disconnect,
    DisconnectCustomer,
    DisconnectVendor,
)
from xerosync.engine.plans import Finding
from xerosync.matching.keys import Customer, Vendor
from xerosync.matching.pairing import MatchStatus

_BOOKKEEPER: Final = "the bookkeeper"


@frozen(kw_only=True)
class Pairing:
    """
    Customers, or vendors: what they are *called*, what *connects* them, *parts* them and *creates* contacts for them.

    Two may have one contact, *shared*, where a person says so. Of those *known_by_name*, one that was created needs
    no link. *advice* is the fix for each status, and who can do it; *alone* the fix where two lead to one contact;
    *named* is the field with the name of a new contact, *link*, *move* and *unlink* are what a host calls.
    """

    called: str
    connects: type[Connect]
    parts: type[Disconnect]
    creates: type[CreateContact]
    advice: Mapping[MatchStatus, tuple[str, str]] = field(repr=False)
    alone: str
    shared: bool = False
    known_by_name: bool = False
    named: str = "name"
    link: str = "link()"
    move: str = "move()"
    unlink: str = "unlink()"

    def creation(self, party_id: str, revision: int = 1) -> Pending:
        """The operation that creates a contact for the one of this id, as its action names it."""
        return Pending(self.creates.kind, f"{self.creates.prefix}{party_id}", revision)

    def finding(self, code: str, about: str, cause: str, fix: str, *, who: str = "you", retry: bool = False) -> Finding:
        """A finding on one of them."""
        return Finding(code=code, about=about, cause=cause, fix=fix, who=who, retry=retry, root=self.root(about))

    def root(self, about: str) -> str:
        """What is behind all that waits for the one of this id."""
        return vendor_root(about) if self.known_by_name else ""


def vendor_root(vendor_id: str) -> str:
    """What is behind the findings on a vendor, and on all that waits for it."""
    return f"vendor {vendor_id}"


CUSTOMERS: Final = Pairing(
    called=Customer.called,
    connects=ConnectCustomer,
    parts=DisconnectCustomer,
    creates=CreateCustomerContact,
    alone="give each customer a custom identifier of its own, or choose whose contact it is with link()",
    advice={
        MatchStatus.NOT_IN_XERO: (
            "set the custom identifier to the contact's name in Xero, create the contact, or choose one with link()",
            "you",
        ),
        MatchStatus.AMBIGUOUS: (
            "rename or merge the contacts in Xero so that one is meant, or choose one with link()",
            _BOOKKEEPER,
        ),
        MatchStatus.TAKEN: (
            "give each customer a contact and a custom identifier of its own, or unlink() the other",
            "you",
        ),
        MatchStatus.ARCHIVED: (
            "restore the contact in Xero, choose another with link() or move(), or let create_contact() make a new one",
            _BOOKKEEPER,
        ),
        MatchStatus.LOOK_ALIKE: (
            "find out who made the contact: if it is the right one, choose it with link(); if not, create_contact()",
            "you",
        ),
    },
)

VENDORS: Final = Pairing(
    called=Vendor.called,
    connects=ConnectVendor,
    parts=DisconnectVendor,
    creates=CreateContact,
    shared=True,
    known_by_name=True,
    named="vendor",
    alone="correct what is said of them; if two names are one vendor's, give one, or choose the contact for both with "
    "link_vendor()",
    link="link_vendor()",
    move="move_vendor()",
    unlink="unlink_vendor()",
    advice={
        MatchStatus.NOT_IN_XERO: (
            "choose its contact with link_vendor(), or have one created: match with create_missing, or submit a bill",
            "you",
        ),
        MatchStatus.AMBIGUOUS: (
            "rename or merge the contacts in Xero so that one is meant, or choose one with link_vendor()",
            _BOOKKEEPER,
        ),
        MatchStatus.TAKEN: (
            "if the two are one vendor, choose the contact for this one, too, with link_vendor(); else correct the key",
            "you",
        ),
        MatchStatus.ARCHIVED: (
            "restore the contact in Xero, choose another with move_vendor() or link_vendor(), or create_vendor() anew",
            _BOOKKEEPER,
        ),
        MatchStatus.LOOK_ALIKE: (
            "ask the vendor: link_vendor() the contact if it is the right one; if not, create_vendor()",
            _BOOKKEEPER,
        ),
    },
)
