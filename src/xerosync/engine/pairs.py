"""What the pairs of customers and contacts mean for a plan: pure decisions, nothing connected by a guess."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import define, field, frozen

from xerosync.engine.actions import (
    CUSTOMER,
    Action,
    ConnectCustomer,
    CreateContact,
    CreateCustomerContact,
    DisconnectCustomer,
    Pending,
    Seen,
    UpdateCustomer,
)
from xerosync.engine.intents import Intent
from xerosync.engine.plans import Finding
from xerosync.engine.recovery import finding_for
from xerosync.engine.states import OPEN, State
from xerosync.errors import InvalidInput
from xerosync.mapping.contacts import changed_details, contact_details, contact_document, fingerprints
from xerosync.matching.contacts import Contacts, is_active
from xerosync.matching.customers import TO_CONNECT, Match, MatchStatus
from xerosync.matching.keys import Customer
from xerosync.matching.names import plain_name
from xerosync.models import Contact, ContactId

TAKEN: Final = "contact already taken"
UNFIT: Final = "cannot be created"
"""The code of a finding on a customer whose contact Xero would refuse, or that no contact can be looked for at all."""
UNFIT_FIX: Final = "correct it, then match again"

_BOOKKEEPER: Final = "the bookkeeper"
_SHOWN: Final = 3
"""How many namesakes a finding names."""
_ADVICE: Final[Mapping[MatchStatus, tuple[str, str]]] = {
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
        "restore the contact in Xero, choose another one with link() or move(), or let create_contact() make a new one",
        _BOOKKEEPER,
    ),
    MatchStatus.LOOK_ALIKE: (
        "find out who made the contact: if it is the right one, choose it with link(); if not, create_contact()",
        "you",
    ),
}


@frozen(kw_only=True)
class KnownPairs:
    """What is known when pairs are decided on: contacts with their stamps, links, and the contacts created for them."""

    contacts: Contacts
    stamps: Mapping[str, str]
    linked: Mapping[str, str]
    creations: Mapping[str, Intent]
    """The latest of each customer."""


def creation(customer_id: str, revision: int = 1) -> Pending:
    """The operation that creates a customer's contact, as `CreateCustomerContact.itself` names it."""
    return Pending(CreateContact.kind, f"{CUSTOMER}{customer_id}", revision)


def decide_matches(
    matches: Iterable[Match], known: KnownPairs, *, create_missing: bool, retry_refused: bool
) -> tuple[list[Action], list[Finding]]:
    """Connect those of *matches* that were found; with *create_missing*, create what is not in Xero and connect it."""
    listed = list(matches)
    wanted: dict[str, list[str]] = defaultdict(list)
    for match in listed:
        if _is_missing(match):
            wanted[_new_name(match.customer)].append(match.customer.id)
    creating = _Creating(known, retry_refused=retry_refused)
    for match in listed:
        if match.status in TO_CONNECT:
            creating.actions.append(_connect(match, known))
        if not create_missing or not _is_missing(match):
            creating.findings += _findings_on(match)
        elif len(namesakes := wanted[_new_name(match.customer)]) > 1:
            creating.findings.append(_namesake(match.customer, namesakes))
        else:
            creating.create(match.customer)
    return creating.actions, creating.findings


def decide_creation(match: Match, known: KnownPairs, *, retry_refused: bool) -> tuple[list[Action], list[Finding]]:
    """Create a contact because a person said so, although one is archived or looks alike; never beside a namesake."""
    creating = _Creating(known, retry_refused=retry_refused)
    if _is_missing(match) or match.status in {MatchStatus.ARCHIVED, MatchStatus.LOOK_ALIKE}:
        creating.create(match.customer)
    elif match.status in {*TO_CONNECT, MatchStatus.CONNECTED}:
        creating.findings.append(
            Finding(
                code="contact there already",
                about=match.customer.id,
                cause=f"Xero has a contact for it: {match.reason}",
                fix="connect it with match() or link()",
            )
        )
    else:
        creating.findings += _findings_on(match)
    return creating.actions, creating.findings


def decide_link(customer_id: str, contact_id: str, known: KnownPairs, *, move: bool) -> Action | Finding | None:
    """
    Connect a customer to the contact that a person chose, or to the one it was merged into; None when it is so already.

    A customer that is connected elsewhere is only *moved* when that is what was asked for.
    """
    contact = known.contacts.surviving(contact_id)
    before = known.linked.get(customer_id)
    if contact is None or contact.contact_id is None:
        return Finding(
            code="not in Xero",
            about=customer_id,
            cause="Xero has no contact of this id in the organisation",
            fix="choose one of its contacts",
        )
    taken_by = next((each for each, linked in known.linked.items() if linked == contact.contact_id), None)
    if taken_by == customer_id:
        return None
    if not is_active(contact):
        return _finding(customer_id, MatchStatus.ARCHIVED, "the contact is archived (F 6.31)")
    if taken_by is not None:
        return _finding(customer_id, MatchStatus.TAKEN, f"the contact is connected to customer {taken_by}")
    if before is not None and not move:
        return Finding(
            code="connected elsewhere",
            about=customer_id,
            cause="the customer is connected to another contact",
            fix="use move(), which puts the one in the place of the other",
        )
    return _pair(customer_id, contact, known, reason="chosen by a person")


def decide_undo(pairs: Iterable[Action], linked: Mapping[str, str]) -> tuple[list[Action], list[Finding]]:
    """
    Put back the links that *pairs* made or ended, the last first.

    A customer that was connected or disconnected again since is left as it is, which is a finding.
    """
    actions: list[Action] = []
    findings: list[Finding] = []
    now = dict(linked)
    for pair in pairs:
        match pair:
            case ConnectCustomer() if now.get(pair.host_ref) == pair.linked_id:
                actions.append(_back(pair))
                now.pop(pair.host_ref)
            case DisconnectCustomer() if pair.host_ref not in now:
                actions.append(ConnectCustomer(host_ref=pair.host_ref, reason=_UNDONE, xero_id=pair.linked_id))
                now[pair.host_ref] = pair.linked_id
            case ConnectCustomer() | DisconnectCustomer():
                findings.append(
                    Finding(
                        code="changed since",
                        about=pair.host_ref,
                        cause="its customer was connected or disconnected again since",
                        fix="see how it stands with matches(), then link(), move() or unlink() it",
                    )
                )
            case _:
                continue
    return actions, findings


def decide_update(customer_id: str, contact: Contact | None, told: Mapping[str, str]) -> UpdateCustomer | None:
    """What the host must hear of *contact*, by what it was *told* before; nothing of one that is archived."""
    if contact is None or contact.contact_id is None or not is_active(contact):
        return None
    details = contact_details(contact)
    changed = changed_details(details, told)
    if not changed:
        return None
    return UpdateCustomer(
        host_ref=customer_id,
        reason=f"changed in Xero: {', '.join(changed).replace('_', ' ')}",
        facts=fingerprints(details),
        xero_id=contact.contact_id,
        details=details,
        changed=changed,
    )


_UNDONE: Final = "undone by a person"


def _back(pair: ConnectCustomer) -> ConnectCustomer | DisconnectCustomer:
    if pair.before is None:
        return DisconnectCustomer(host_ref=pair.host_ref, reason=_UNDONE, xero_id=pair.linked_id)
    return ConnectCustomer(host_ref=pair.host_ref, reason=_UNDONE, xero_id=pair.before, before=pair.linked_id)


def _connect(match: Match, known: KnownPairs) -> ConnectCustomer:
    contact = known.contacts.get(match.contacts[0]) or Contact(contact_id=match.contacts[0])
    return _pair(match.customer.id, contact, known, reason=match.reason)


def _pair(customer_id: str, contact: Contact, known: KnownPairs, *, reason: str) -> ConnectCustomer:
    contact_id = contact.contact_id or ContactId("")
    return ConnectCustomer(
        host_ref=customer_id,
        reason=reason,
        seen=(Seen("contact", contact_id, known.stamps.get(contact_id, "")),),
        xero_id=contact_id,
        before=known.linked.get(customer_id),
    )


def _is_missing(match: Match) -> bool:
    """Whether no contact answers; one that a person took apart from the customer does."""
    return match.status is MatchStatus.NOT_IN_XERO and not match.contacts


def _new_name(customer: Customer) -> str:
    return plain_name(customer.custom_identifier) or plain_name(customer.name)


@define
class _Creating:
    """Plans contacts for customers; what hinders that is a finding."""

    known: KnownPairs
    actions: list[Action] = field(factory=list[Action], init=False)
    findings: list[Finding] = field(factory=list[Finding], init=False)
    retry_refused: bool = field(kw_only=True)

    def create(self, customer: Customer) -> None:
        intent = self.known.creations.get(customer.id)
        if intent is None or (intent.state is State.REJECTED and self.retry_refused):
            self._plan(customer, revision=intent.operation.revision if intent is not None else 1)
        elif intent.state in {State.CONFIRMED, State.REMOVED}:
            # It was created, and is of no use any more: archived, or not meant by the customer.
            self._plan(customer, revision=intent.operation.revision + 1)
        elif intent.state in OPEN:
            cause = "an earlier run was interrupted while creating its contact"
            self.findings.append(
                Finding(code="still open", about=customer.id, cause=cause, fix="call recover()", retry=True)
            )
        else:
            self.findings += filter(None, [finding_for(intent)])

    def _plan(self, customer: Customer, *, revision: int) -> None:
        try:
            contact = contact_document(
                name=customer.custom_identifier.strip() or customer.name,
                contact_number=customer.contact_number,
                account_number=customer.account_number,
                email=customer.email,
                tax_number=customer.tax_number,
                phone=customer.phone,
            )
        except InvalidInput as error:
            self.findings.append(Finding(code=UNFIT, about=customer.id, cause=str(error), fix=UNFIT_FIX))
            return
        created = CreateCustomerContact(
            host_ref=customer.id,
            revision=revision,
            reason="no contact in Xero can be used for this customer",
            contact=contact,
        )
        connected = ConnectCustomer(
            host_ref=customer.id,
            reason="created for this customer",
            xero_id=created.itself,
            before=self.known.linked.get(customer.id),
        )
        self.actions += [created, connected]


def _findings_on(match: Match) -> list[Finding]:
    """What a person must look at; for one that is connected all the same, a contact that could be taken for it."""
    if match.status in TO_CONNECT:
        cause = "another contact's name could be taken for its contact's, in letters that look alike"
        fix = "find out who made the other one, and that nothing meant for the first goes to it"
        alike = Finding(code="looks alike", about=match.customer.id, cause=cause, fix=fix)
        return [alike] if match.look_alikes else []
    if match.status is MatchStatus.CONNECTED:
        return []
    if match.status is MatchStatus.AMBIGUOUS and len(match.contacts) == 1:
        fix = "give each customer a custom identifier of its own, or choose whose contact it is with link()"
        return [Finding(code=match.status.value, about=match.customer.id, cause=match.reason, fix=fix)]
    cause = f"{match.reason}, but it is connected to customer {match.taken_by}" if match.taken_by else match.reason
    return [_finding(match.customer.id, match.status, cause)]


def _namesake(customer: Customer, namesakes: Sequence[str]) -> Finding:
    """The finding that *customer* and others, none of them in Xero, would get contacts that Xero takes for one."""
    others = [each for each in namesakes if each != customer.id]
    shown = ", ".join(others[:_SHOWN]) + (f" and {len(others) - _SHOWN:,} more" if others[_SHOWN:] else "")
    cause = f"customer {shown} would get a contact of the same name: letter case and blanks tell no two apart (F 6.23)"
    fix = "give each customer a custom identifier of its own; if they are one customer, give it once"
    return Finding(code=MatchStatus.AMBIGUOUS.value, about=customer.id, cause=cause, fix=fix)


def _finding(about: str, status: MatchStatus, cause: str) -> Finding:
    fix, who = _ADVICE[status]
    retry = status is MatchStatus.NOT_IN_XERO
    return Finding(code=status.value, about=about, cause=cause, fix=fix, who=who, retry=retry)
