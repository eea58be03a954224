"""The contacts that documents are written to, by name: found, or created once when there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Action, ConnectVendor, CreateContact, Pending, Ref
from xerosync.engine.intents import Intent, intent_key
from xerosync.engine.observed import contacts_by_id_and_name, intents_of, links_of
from xerosync.engine.plans import Finding
from xerosync.engine.recovery import finding_for
from xerosync.engine.states import OPEN, State
from xerosync.mapping.documents import contact_named
from xerosync.matching.names import plain_name
from xerosync.models import Contact, ContactId, ContactStatus, TenantId


@frozen(kw_only=True, repr=False)
class KnownVendors:
    """Contacts by plain name and by id, vendors linked before, and the intents of contacts created here."""

    tenant: TenantId
    linked: Mapping[str, str]
    created: Mapping[str, Intent]
    by_name: Mapping[str, Sequence[Contact]]
    by_id: Mapping[str, Contact]


def vendor_key(name: str) -> str:
    """What makes two spellings one vendor: letter case and blanks do not count."""
    return plain_name(name)


async def known_vendors(books: Books, keys: Sequence[str]) -> KnownVendors:
    """What the mirror and the store know of the vendors with these *keys*."""
    by_id, by_name = await contacts_by_id_and_name(books)
    links = await links_of(books, ConnectVendor.kind, keys)
    return KnownVendors(
        tenant=books.tenant,
        linked={key: link["xero_id"] for key, link in links.items()},
        created=await intents_of(books, (Pending(CreateContact.kind, key) for key in dict.fromkeys(keys))),
        by_name=by_name,
        by_id=by_id,
    )


@define(repr=False)
class Vendors:
    """Finds the contact of each vendor; what must be done or looked at for it is added to *actions* and *findings*."""

    known: KnownVendors
    actions: list[Action]
    findings: list[Finding]
    retry_refused: bool = field(kw_only=True)
    _contacts: dict[str, Ref | None] = field(factory=dict[str, "Ref | None"], init=False)

    def contact(self, name: str) -> Ref | None:
        """
        The contact of the vendor *name*; None when it cannot be used, which is a finding then.

        Raises `InvalidInput` for a name that Xero refuses.
        """
        key = vendor_key(name)
        if key not in self._contacts:
            self._contacts[key] = self._found(key) or self._new(key, name)
        return self._contacts[key]

    def _found(self, key: str) -> Ref | None:
        intent = self.known.created.get(intent_key(self.known.tenant, Pending(CreateContact.kind, key)))
        known_id = self.known.linked.get(key)
        if known_id is None and intent is not None and intent.state is State.CONFIRMED:
            known_id = intent.xero_id
        if known_id is not None and (survivor := _survivor(known_id, self.known.by_id)) is not None:
            return survivor
        named = self._named(key)
        if len(named) != 1:
            return None
        contact_id = named[0].contact_id or ContactId("")
        if known_id != contact_id:
            self.actions.append(
                ConnectVendor(host_ref=key, reason="a contact of this name is in Xero", xero_id=contact_id)
            )
        return contact_id

    def _new(self, key: str, name: str) -> Ref | None:
        intent = self.known.created.get(intent_key(self.known.tenant, Pending(CreateContact.kind, key)))
        if self._named(key):
            cause = "more than one active contact has the vendor's name"
            self._vendor_finding(key, "ambiguous", cause, "rename or merge the contacts in Xero, so that one is meant")
            return None
        if key in self.known.linked or (intent is not None and intent.state is State.CONFIRMED):
            cause = "its contact was archived in Xero, and nothing can be posted to an archived contact (F 6.31)"
            self._vendor_finding(key, "archived", cause, "restore the contact in Xero")
            return None
        if intent is not None and intent.state in OPEN:
            cause = "an earlier run was interrupted while creating it"
            self._vendor_finding(key, "still open", cause, "call recover()")
            return None
        if intent is not None and not self.retry_refused:
            self.findings += filter(None, [finding_for(intent)])
            return None
        action = CreateContact(host_ref=key, reason="no contact of this name is in Xero", contact=contact_named(name))
        self.actions.append(action)
        return action.itself

    def _named(self, key: str) -> list[Contact]:
        return [each for each in self.known.by_name.get(key, ()) if each.contact_status == ContactStatus.ACTIVE]

    def _vendor_finding(self, key: str, code: str, cause: str, fix: str) -> None:
        self.findings.append(Finding(code=code, about=key, cause=cause, fix=fix, who="the bookkeeper", retry=True))


def _survivor(contact_id: str, by_id: Mapping[str, Contact]) -> str | None:
    """The contact *contact_id*, or what it was merged into (F 6.34), if it can be used; None when it cannot."""
    seen: set[str] = set()
    while contact_id not in seen:
        seen.add(contact_id)
        contact = by_id.get(contact_id)
        if contact is None or contact.contact_status == ContactStatus.ACTIVE:
            return contact_id
        if contact.merged_to_contact_id is None:
            return None
        contact_id = contact.merged_to_contact_id
    return None
