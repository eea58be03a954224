"""Customers and suppliers, and their groups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final

from attrs import AttrsInstance, define

from xerosync import filters
from xerosync.client._driver import stepped, stepped_into, stepped_rows
from xerosync.client._wire.codec import Json
from xerosync.client.changes import Changes
from xerosync.client.resources.base import as_id, as_text
from xerosync.client.resources.files import AsyncFiled, AsyncNoted
from xerosync.client.resources.parts import crossed, id_parts
from xerosync.client.resources.stamped import AsyncStamped
from xerosync.client.resources.writing import BATCH, AsyncChangeable, AsyncSingly, words
from xerosync.filters.expressions import Filter
from xerosync.models import Contact, ContactGroup, ContactGroupStatus, ContactStatus


@define(eq=False)
class AsyncContacts(AsyncChangeable[Contact], AsyncFiled[Contact], AsyncNoted[Contact], AsyncStamped[Contact]):
    """Customers and suppliers."""

    collection: ClassVar[str] = "Contacts"
    model: ClassVar[type[AttrsInstance]] = Contact
    complete: ClassVar[Mapping[str, str]] = {"includeArchived": "true"}

    def list(
        self,
        *,
        where: Filter[Contact] | None = None,
        modified_since: datetime | None = None,
        ids: Iterable[str] | None = None,
        include_archived: bool = False,
        search: str = "",
    ) -> AsyncIterator[Contact]:
        """
        Contacts in the order of their ids; archived ones only when asked for (F 6.33).

        *ids* may be many: forty are asked for at a time (F 4.17). No ids at all are no contacts.
        *search* looks for a text in name, first and last name, number, company number and e-mail address.
        """
        archived = "true" if include_archived else ""
        params = {"includeArchived": archived, "searchTerm": as_text(search, "search")}
        return self._paged(params, modified_since, where, crossed([id_parts(ids=("IDs", ids))]))

    async def get_by_number(self, contact_number: str) -> Contact:
        """The one contact with this ContactNumber, in full (F 6.37). Raises `NotFound` when Xero knows none."""
        return await self._get_by_number(contact_number, filters.contact.contact_number, self.complete)

    async def archive(self, contact_id: str) -> Contact:
        """Archive a contact; only a person in Xero can bring it back (F 6.31). Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(contact_id, {"ContactStatus": ContactStatus.ARCHIVED}, "archived")


@define(eq=False)
class AsyncContactGroups(AsyncSingly[ContactGroup]):
    """Sets of contacts."""

    collection: ClassVar[str] = "ContactGroups"
    model: ClassVar[type[AttrsInstance]] = ContactGroup

    def list(self, *, where: Filter[ContactGroup] | None = None) -> AsyncIterator[ContactGroup]:
        """All groups, without their contacts: `get` tells those."""
        return self._all({}, where=where)

    async def delete(self, group_id: str) -> ContactGroup:
        """Delete a group; its contacts stay. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(group_id, {"Status": ContactGroupStatus.DELETED}, "deleted")

    async def add_contacts(self, group_id: str, contact_ids: Iterable[str]) -> None:
        """
        Put contacts into a group; those in it already stay, so it may be done again.

        Raises `Rejected` when Xero does not take one of them: others may be in the group then (A.01). Raises
        `InvalidInput`, `OutcomeUnknown`.
        """
        group, ids = as_id(group_id, "group_id"), words(contact_ids, "contact_ids")
        rows: Sequence[Json] = [{"ContactID": as_id(each, f"contact_ids[{at}]")} for at, each in enumerate(ids)]
        for start in range(0, len(rows), BATCH):
            await self._put_below(
                f"{group}/Contacts", "Contacts", rows[start : start + BATCH], "added", key="ContactID"
            )

    async def remove_contact(self, group_id: str, contact_id: str) -> None:
        """Take a contact out of a group. Raises `NotFound` when it is not in it, `Rejected`, `OutcomeUnknown`."""
        await self._delete(f"{as_id(group_id, 'group_id')}/Contacts/{as_id(contact_id, 'contact_id')}")

    async def remove_all_contacts(self, group_id: str) -> None:
        """Empty a group. Raises `Rejected`, `OutcomeUnknown`."""
        await self._delete(f"{as_id(group_id, 'group_id')}/Contacts")


class Contacts:
    """Customers and suppliers."""

    def __init__(self, flows: AsyncContacts) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncContacts.list)
    changes: Final = stepped_into(AsyncContacts.changes, Changes[Contact])
    get: Final = stepped(AsyncContacts.get)
    get_by_number: Final = stepped(AsyncContacts.get_by_number)
    create: Final = stepped(AsyncContacts.create)
    create_one: Final = stepped(AsyncContacts.create_one)
    update: Final = stepped(AsyncContacts.update)
    update_one: Final = stepped(AsyncContacts.update_one)
    archive: Final = stepped(AsyncContacts.archive)
    attachments: Final = stepped(AsyncContacts.attachments)
    attach: Final = stepped(AsyncContacts.attach)
    download: Final = stepped(AsyncContacts.download)
    history: Final = stepped(AsyncContacts.history)
    add_note: Final = stepped(AsyncContacts.add_note)


class ContactGroups:
    """Sets of contacts."""

    def __init__(self, flows: AsyncContactGroups) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncContactGroups.list)
    get: Final = stepped(AsyncContactGroups.get)
    create: Final = stepped(AsyncContactGroups.create)
    create_one: Final = stepped(AsyncContactGroups.create_one)
    update: Final = stepped(AsyncContactGroups.update)
    update_one: Final = stepped(AsyncContactGroups.update_one)
    delete: Final = stepped(AsyncContactGroups.delete)
    add_contacts: Final = stepped(AsyncContactGroups.add_contacts)
    remove_contact: Final = stepped(AsyncContactGroups.remove_contact)
    remove_all_contacts: Final = stepped(AsyncContactGroups.remove_all_contacts)
