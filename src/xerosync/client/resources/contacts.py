"""Customers and suppliers, and their groups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import ClassVar, Final

from attrs import AttrsInstance, define

from xerosync.client._driver import stepped, stepped_rows
from xerosync.client._wire.codec import Json
from xerosync.client.resources.base import AsyncChangeable, AsyncSingly, as_id
from xerosync.client.resources.files import AsyncFiled
from xerosync.models import Contact, ContactGroup, ContactStatus


@define(eq=False)
class AsyncContacts(AsyncChangeable[Contact], AsyncFiled[Contact]):
    """Customers and suppliers."""

    collection: ClassVar[str] = "Contacts"
    model: ClassVar[type[AttrsInstance]] = Contact

    def list(
        self,
        *,
        modified_since: datetime | None = None,
        ids: Sequence[str] = (),
        include_archived: bool = False,
        search: str = "",
    ) -> AsyncIterator[Contact]:
        """
        Contacts in the order of their ids; archived ones only when asked for (F 6.33).

        *search* looks for a text in name, first and last name, number, company number and e-mail address.
        """
        archived = "true" if include_archived else ""
        return self._paged({"includeArchived": archived, "searchTerm": search}, modified_since, ids)

    async def archive(self, contact_id: str) -> Contact:
        """Archive a contact; only a person in Xero can bring it back (F 6.31). Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(contact_id, {"ContactStatus": ContactStatus.ARCHIVED}, "archived")


@define(eq=False)
class AsyncContactGroups(AsyncSingly[ContactGroup]):
    """Sets of contacts."""

    collection: ClassVar[str] = "ContactGroups"
    model: ClassVar[type[AttrsInstance]] = ContactGroup

    def list(self) -> AsyncIterator[ContactGroup]:
        """All groups, without their contacts: `get` tells those."""
        return self._all({})

    async def add_contacts(self, group_id: str, contact_ids: Sequence[str]) -> None:
        """Put contacts into a group. Raises `Rejected`, `OutcomeUnknown`."""
        rows: Sequence[Json] = [{"ContactID": as_id(each)} for each in contact_ids]
        await self._put_below(f"{as_id(group_id)}/Contacts", "Contacts", rows, "added")


class Contacts:
    """Customers and suppliers."""

    def __init__(self, flows: AsyncContacts) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncContacts.list)
    get: Final = stepped(AsyncContacts.get)
    create: Final = stepped(AsyncContacts.create)
    update: Final = stepped(AsyncContacts.update)
    history: Final = stepped(AsyncContacts.history)
    add_note: Final = stepped(AsyncContacts.add_note)
    attachments: Final = stepped(AsyncContacts.attachments)
    attach: Final = stepped(AsyncContacts.attach)
    download: Final = stepped(AsyncContacts.download)
    archive: Final = stepped(AsyncContacts.archive)


class ContactGroups:
    """Sets of contacts."""

    def __init__(self, flows: AsyncContactGroups) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncContactGroups.list)
    get: Final = stepped(AsyncContactGroups.get)
    create: Final = stepped(AsyncContactGroups.create)
    update: Final = stepped(AsyncContactGroups.update)
    add_contacts: Final = stepped(AsyncContactGroups.add_contacts)
