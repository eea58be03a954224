"""Who works in an organisation, and the groups its contacts are sorted into."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from xerosync.simulator.entities.base import instant


@frozen
class User:
    """
    A person who works in an organisation: *role* is READONLY, INVOICEONLY, STANDARD, FINANCIALADVISER …

    The same person has the same *id* in every organisation.
    """

    id: str
    email: str
    first_name: str
    last_name: str
    role: str
    updated_ms: int
    is_subscriber: bool = False

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)


@frozen
class ContactGroup:
    """A group of contacts, by their ids."""

    id: str
    name: str
    status: str = "ACTIVE"
    contact_ids: tuple[str, ...] = ()
