"""Customers and suppliers."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from xerosync.simulator.entities.base import instant


@frozen
class Phone:
    """One of a contact's four phones."""

    type: str
    number: str = ""
    area: str = ""
    country: str = ""


@frozen
class Address:
    """One of a contact's two addresses; *parts* are (Xero's field name, text)."""

    type: str
    parts: tuple[tuple[str, str], ...] = ()


@frozen
class Person:
    """A further person at a contact."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    include_in_emails: bool = False


@frozen
class Contact:
    """A customer, a supplier, or both. *texts* are the plain text fields by Xero's names; one never set is absent."""

    id: str
    name: str
    updated_ms: int
    status: str = "ACTIVE"
    number: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    phones: tuple[Phone, ...] = ()
    addresses: tuple[Address, ...] = ()
    persons: tuple[Person, ...] = ()
    is_customer: bool = False
    is_supplier: bool = False
    merged_to: str = ""

    @property
    def email(self) -> str:
        """The email address; blank when there is none."""
        return dict(self.texts).get("EmailAddress", "")

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)
