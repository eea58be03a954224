"""The actions that pair customers and vendors with contacts, and take them apart: kept in the store alone."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from xerosync.engine.actions import VENDOR, VENDOR_APART, Link, link_key
from xerosync.mapping.contacts import ContactDetails


@frozen(kw_only=True, repr=False)
class Connect(Link):
    """
    Pair one of the host's with a contact, by the contact's id, so that a rename does no harm.

    *before* is the contact it was connected to until then.
    """

    parted_by: ClassVar[str]
    """The kind that takes such a pair apart."""
    before: str | None = None

    @property
    def undoes(self) -> str:
        """The remembrance that the two were taken apart."""
        return link_key(self.parted_by, f"{self.host_ref}/{self.linked_id}")


@frozen(kw_only=True, repr=False)
class Disconnect(Link):
    """Take one of the host's and its contact apart, and remember that, so that nothing pairs them again by itself."""

    paired_by: ClassVar[str]
    """The kind that makes such a pair."""

    @property
    def key(self) -> str:
        """The key of the pair."""
        return link_key(self.kind, f"{self.host_ref}/{self.linked_id}")

    @property
    def undoes(self) -> str:
        """The link."""
        return link_key(self.paired_by, self.host_ref)


@frozen(kw_only=True, repr=False)
class ConnectCustomer(Connect):
    """Pair a customer of the host with a contact."""

    kind: ClassVar[str] = "customer"
    parted_by: ClassVar[str] = "apart"


@frozen(kw_only=True, repr=False)
class DisconnectCustomer(Disconnect):
    """Take a customer and its contact apart."""

    kind: ClassVar[str] = "apart"
    paired_by: ClassVar[str] = ConnectCustomer.kind


@frozen(kw_only=True, repr=False)
class UpdateCustomer(Link):
    """What a connected contact's *details* are now; *changed* names those that differ from what the host was told."""

    kind: ClassVar[str] = "details"
    details: ContactDetails
    changed: tuple[str, ...]


@frozen(kw_only=True, repr=False)
class ConnectVendor(Connect):
    """Pair a vendor of the host, known by its plain name, with a contact that was already in Xero."""

    kind: ClassVar[str] = VENDOR
    parted_by: ClassVar[str] = VENDOR_APART

    def __repr__(self) -> str:
        return "<ConnectVendor>"


@frozen(kw_only=True, repr=False)
class DisconnectVendor(Disconnect):
    """Take a vendor and its contact apart."""

    kind: ClassVar[str] = VENDOR_APART
    paired_by: ClassVar[str] = VENDOR

    def __repr__(self) -> str:
        return "<DisconnectVendor>"
