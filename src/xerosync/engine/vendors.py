"""The contacts that documents are written to, by name: found, or created once when there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Action, CreateContact, Pending, Ref
from xerosync.engine.intents import Intent, intent_key
from xerosync.engine.mirror import CONTACTS, walk
from xerosync.engine.observed import intents_of, links_of
from xerosync.engine.pair_actions import ConnectVendor
from xerosync.engine.plans import Finding
from xerosync.engine.recovery import finding_for
from xerosync.engine.states import OPEN, State
from xerosync.mapping.documents import contact_named
from xerosync.matching.contacts import Contacts, is_active
from xerosync.matching.keys import by_name
from xerosync.matching.names import plain_name
from xerosync.models import Contact, TenantId


@frozen(kw_only=True, repr=False)
class KnownVendors:
    """The contacts in Xero, vendors linked before, and the intents of contacts created here."""

    tenant: TenantId
    linked: Mapping[str, str]
    created: Mapping[str, Intent]
    contacts: Contacts


def vendor_key(name: str) -> str:
    """What makes two spellings one vendor: letter case and blanks do not count."""
    return plain_name(name)


def vendor_root(name: str) -> str:
    """What is behind the findings on a vendor, and on all that waits for it."""
    return f"vendor {vendor_key(name)}"


async def known_vendors(books: Books, keys: Sequence[str]) -> KnownVendors:
    """What the mirror and the store know of the vendors with these *keys*."""
    links = await links_of(books, ConnectVendor.kind, keys)
    return KnownVendors(
        tenant=books.tenant,
        linked={key: link["xero_id"] for key, link in links.items()},
        created=await intents_of(books, (Pending(CreateContact.kind, key) for key in dict.fromkeys(keys))),
        contacts=Contacts([contact async for _, contact in walk(books, CONTACTS, Contact)]),
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
        if known_id is not None:
            known = self.known.contacts.surviving(known_id)
            if known is None or is_active(known):
                return known_id if known is None else known.contact_id
        named = self._named(key)
        if len(named) != 1:
            return None
        (contact_id,) = named
        self.actions.append(ConnectVendor(host_ref=key, reason="a contact of this name is in Xero", xero_id=contact_id))
        return contact_id

    def _new(self, key: str, name: str) -> Ref | None:
        intent = self.known.created.get(intent_key(self.known.tenant, Pending(CreateContact.kind, key)))
        if self._named(key):
            cause = "more than one active contact has the vendor's name"
            fix = "rename or merge the contacts in Xero, so that one is meant, or choose one with link_vendor()"
            self._vendor_finding(key, "ambiguous", cause, fix)
            return None
        if key in self.known.linked or (intent is not None and intent.state is State.CONFIRMED):
            cause = "its contact was archived in Xero, and nothing can be posted to an archived contact (F 6.31)"
            fix = "restore the contact in Xero, or choose another one with link_vendor()"
            self._vendor_finding(key, "archived", cause, fix)
            return None
        if intent is not None and intent.state in OPEN:
            cause = "an earlier run was interrupted while creating it"
            self._vendor_finding(key, "still open", cause, "call recover()")
            return None
        if intent is not None and not self.retry_refused:
            refused = finding_for(intent)
            if refused is not None:
                self.findings.append(evolve(refused, root=f"vendor {key}"))
            return None
        if self._looks_like_another(name):
            cause = "a contact's name could be taken for the vendor's: letters of it look alike and are others"
            fix = "ask the vendor: link_vendor() the contact if it is the right one, else enter the right one in Xero"
            self._vendor_finding(key, "looks alike", cause, fix)
            return None
        action = CreateContact(
            host_ref=key, reason="no contact of this name is in Xero", contact=contact_named(name, field="vendor")
        )
        self.actions.append(action)
        return action.itself

    def _named(self, key: str) -> list[str]:
        """The active contacts of the vendor's name; what others of it were merged into only where there is none."""
        found = self.known.contacts.answering(by_name, key)
        return list(found.active or found.merged)

    def _looks_like_another(self, name: str) -> bool:
        """Whether a contact looks like the vendor in letters of another script: so that money goes to another."""
        alike = self.known.contacts.looking_like(name)
        return any(not (name.isascii() and (each.name or "").isascii()) for each in alike)

    def _vendor_finding(self, key: str, code: str, cause: str, fix: str) -> None:
        found = Finding(
            code=code, about=key, cause=cause, fix=fix, who="the bookkeeper", retry=True, root=f"vendor {key}"
        )
        self.findings.append(found)


def decide_vendor(vendor: str, contact_id: str, contacts: Contacts, now: str | None) -> Action | Finding | None:
    """Connect *vendor* to the contact a person chose, or to the one it was merged into; None when it is so *now*."""
    key = vendor_key(vendor)
    contact = contacts.surviving(contact_id)
    if contact is None or contact.contact_id is None:
        cause = "Xero has no contact of this id in the organisation"
        return Finding(
            code="not in Xero", about=key, cause=cause, fix="choose one of its contacts", root=f"vendor {key}"
        )
    if not is_active(contact):
        cause = "the contact is archived, and nothing can be posted to an archived contact (F 6.31)"
        return Finding(
            code="archived",
            about=key,
            cause=cause,
            fix="restore the contact in Xero, or choose another one",
            root=f"vendor {key}",
        )
    if now == contact.contact_id:
        return None
    return ConnectVendor(host_ref=key, reason="chosen by a person", xero_id=contact.contact_id)
