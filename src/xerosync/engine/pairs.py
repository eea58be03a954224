"""What pairs with contacts mean for a plan: pure decisions, nothing connected by a guess."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from attrs import define, field, frozen

from xerosync.engine.actions import Action, Pending, Seen
from xerosync.engine.intents import Intent
from xerosync.engine.outcomes import finding_for
from xerosync.engine.pair_actions import Connect, Disconnect, UpdateCustomer
from xerosync.engine.pairing import Pairing
from xerosync.engine.plans import Finding
from xerosync.engine.states import OPEN, POSTED, State
from xerosync.errors import InvalidInput
from xerosync.mapping.contacts import changed_details, contact_details, contact_document, fingerprints
from xerosync.matching.contacts import Contacts, is_active
from xerosync.matching.keys import Sought
from xerosync.matching.names import plain_name
from xerosync.matching.pairing import TO_CONNECT, Match, MatchStatus, W
from xerosync.models import Contact, ContactId

TAKEN: Final = "contact already taken"
UNFIT: Final = "cannot be created"
"""The code of a finding on a customer whose contact Xero would refuse, or that no contact can be looked for at all."""
UNFIT_FIX: Final = "correct it, then match again"

_SHOWN: Final = 3
"""How many namesakes a finding names."""


@frozen(kw_only=True)
class KnownPairs:
    """
    What is known when pairs are decided on: contacts with their stamps, those *linked*, the *creations* of contacts
    (the latest of each party), and the pairs that a person took *apart*.
    """

    pairing: Pairing
    contacts: Contacts
    stamps: Mapping[str, str]
    linked: Mapping[str, str]
    creations: Mapping[str, Intent]
    apart: AbstractSet[tuple[str, str]]

    @property
    def created(self) -> dict[str, str]:
        """The contacts that were created, by whom for."""
        return {each: intent.xero_id for each, intent in self.creations.items() if intent.xero_id}

    @property
    def standing(self) -> Mapping[str, str]:
        """The contacts by whom they are connected to; of those known by name, one that was created needs no link."""
        if not self.pairing.known_by_name:
            return self.linked
        return {**{each: made for each, made in self.created.items() if (each, made) not in self.apart}, **self.linked}


def decide_matches(
    matches: Iterable[Match[W]], known: KnownPairs, *, create_missing: bool, retry_refused: bool
) -> tuple[list[Action], list[Finding]]:
    """Connect those of *matches* that were found; with *create_missing*, create what is not in Xero and connect it."""
    listed = list(matches)
    wanted: dict[str, list[str]] = defaultdict(list)
    for match in listed:
        if is_missing(match):
            wanted[_new_name(match.party)].append(match.party.id)
    creating = Creating(known, retry_refused=retry_refused)
    for match in listed:
        if match.status in TO_CONNECT:
            creating.actions.append(_connect(match, known))
        if not create_missing or not is_missing(match):
            creating.findings += findings_on(match, known.pairing)
        elif len(namesakes := wanted[_new_name(match.party)]) > 1:
            creating.findings.append(_namesake(match.party, namesakes, known.pairing))
        else:
            creating.create_if_fit(match.party)
    return creating.actions, creating.findings


def decide_creation(match: Match[W], known: KnownPairs, *, retry_refused: bool) -> tuple[list[Action], list[Finding]]:
    """Create a contact because a person said so, although one is archived or looks alike; never beside a namesake."""
    creating = Creating(known, retry_refused=retry_refused)
    if is_missing(match) or match.status in {MatchStatus.ARCHIVED, MatchStatus.LOOK_ALIKE}:
        creating.create_if_fit(match.party)
    elif match.status in {*TO_CONNECT, MatchStatus.CONNECTED}:
        cause = f"Xero has a contact for it: {match.reason}"
        fix = f"connect it with match() or {known.pairing.link}"
        creating.findings.append(known.pairing.finding("contact there already", match.party.id, cause, fix))
    else:
        creating.findings += findings_on(match, known.pairing)
    return creating.actions, creating.findings


def decide_link(party_id: str, contact_id: str, known: KnownPairs, *, move: bool) -> Action | Finding | None:
    """
    Connect a party to the contact that a person chose, or to the one it was merged into; None when it is so already.

    One that is connected elsewhere is only *moved* when that is what was asked for.
    """
    pairing = known.pairing
    contact = known.contacts.surviving(contact_id)
    before = known.standing.get(party_id)
    if contact is None or contact.contact_id is None:
        cause, fix = "Xero has no contact of this id in the organisation", "choose one of its contacts"
        return pairing.finding("not in Xero", party_id, cause, fix)
    if before == contact.contact_id:
        return None
    if not is_active(contact):
        return _finding(party_id, MatchStatus.ARCHIVED, "the contact is archived (F 6.31)", pairing)
    taken_by = next((each for each, linked in known.linked.items() if linked == contact.contact_id), None)
    if taken_by is not None and not pairing.shared:
        cause = f"the contact is connected to {pairing.called} {taken_by}"
        return _finding(party_id, MatchStatus.TAKEN, cause, pairing)
    if before is not None and not move:
        cause = f"the {pairing.called} is connected to another contact"
        fix = f"use {pairing.move}, which puts the one in the place of the other"
        return pairing.finding("connected elsewhere", party_id, cause, fix)
    return _pair(party_id, contact, known, reason="chosen by a person")


def decide_undo(
    pairs: Iterable[Action], linked: Mapping[str, str], pairing: Pairing
) -> tuple[list[Action], list[Finding]]:
    """
    Put back the links that *pairs* made or ended, the last first.

    What was connected or disconnected again since is left as it is, which is a finding.
    """
    actions: list[Action] = []
    findings: list[Finding] = []
    now = dict(linked)
    for pair in pairs:
        if isinstance(pair, pairing.connects) and now.get(pair.host_ref) == pair.linked_id:
            actions.append(_back(pair, pairing))
            now.pop(pair.host_ref)
        elif isinstance(pair, pairing.parts) and pair.host_ref not in now:
            actions.append(pairing.connects(host_ref=pair.host_ref, reason=_UNDONE, xero_id=pair.linked_id))
            now[pair.host_ref] = pair.linked_id
        elif isinstance(pair, pairing.connects | pairing.parts):
            cause = f"its {pairing.called} was connected or disconnected again since"
            fix = f"see how it stands with matches(), then {pairing.link}, {pairing.move} or {pairing.unlink} it"
            findings.append(pairing.finding("changed since", pair.host_ref, cause, fix))
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


def _back(pair: Connect, pairing: Pairing) -> Connect | Disconnect:
    if pair.before is None:
        return pairing.parts(host_ref=pair.host_ref, reason=_UNDONE, xero_id=pair.linked_id)
    return pairing.connects(host_ref=pair.host_ref, reason=_UNDONE, xero_id=pair.before, before=pair.linked_id)


def _connect(match: Match[W], known: KnownPairs) -> Connect:
    contact = known.contacts.get(match.contacts[0]) or Contact(contact_id=match.contacts[0])
    return _pair(match.party.id, contact, known, reason=match.reason)


def _pair(party_id: str, contact: Contact, known: KnownPairs, *, reason: str) -> Connect:
    contact_id = contact.contact_id or ContactId("")
    return known.pairing.connects(
        host_ref=party_id,
        reason=reason,
        seen=(Seen("contact", contact_id, known.stamps.get(contact_id, "")),),
        xero_id=contact_id,
        before=known.linked.get(party_id),
    )


def is_missing(match: Match[W]) -> bool:
    """Whether no contact answers; one that a person took apart from the party does."""
    return match.status is MatchStatus.NOT_IN_XERO and not match.contacts


def _new_name(party: Sought) -> str:
    return plain_name(party.custom_identifier) or plain_name(party.name)


@define
class Creating:
    """Plans contacts for those that have none; what hinders that is a finding."""

    known: KnownPairs
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])
    retry_refused: bool = field(kw_only=True)

    def create_if_fit(self, party: Sought) -> None:
        """Plan the contact of *party*; that Xero would not take it is a finding."""
        try:
            self.create(party)
        except InvalidInput as error:
            self.findings.append(self.known.pairing.finding(UNFIT, party.id, str(error), UNFIT_FIX))

    def create(self, party: Sought) -> Pending | None:
        """
        Plan the contact of *party*, and give its name in the plan; None where it is not planned, which is a finding.

        Raises `InvalidInput` for what Xero would refuse.
        """
        intent = self.known.creations.get(party.id)
        if intent is None or (intent.state is State.REJECTED and self.retry_refused):
            return self._plan(party, revision=intent.operation.revision if intent is not None else 1)
        if intent.state in POSTED:
            # It was created, and is of no use any more: archived, or not what was meant.
            return self._plan(party, revision=intent.operation.revision + 1)
        if intent.state in OPEN:
            cause = "an earlier run was interrupted while creating its contact"
            found = self.known.pairing.finding("still open", party.id, cause, "call recover()", retry=True)
            self.findings.append(found)
        else:
            self.findings += filter(None, [finding_for(intent)])
        return None

    def _plan(self, party: Sought, *, revision: int) -> Pending:
        pairing = self.known.pairing
        contact = contact_document(
            name=party.custom_identifier.strip() or party.name,
            field=pairing.named,
            contact_number=party.contact_number,
            account_number=party.account_number,
            email=party.email,
            tax_number=party.tax_number,
            phone=party.phone,
        )
        reason = f"no contact in Xero can be used for this {pairing.called}"
        created = pairing.creates(host_ref=party.id, revision=revision, reason=reason, contact=contact)
        before = self.known.linked.get(party.id)
        self.actions.append(created)
        if before is not None or not pairing.known_by_name:
            reason = f"created for this {pairing.called}"
            linked = pairing.connects(host_ref=party.id, reason=reason, xero_id=created.itself, before=before)
            self.actions.append(linked)
        return created.itself


def findings_on(match: Match[W], pairing: Pairing) -> list[Finding]:
    """What a person must look at; for one that is connected all the same, a contact that could be taken for it."""
    if match.status in TO_CONNECT:
        cause = "another contact's name could be taken for its contact's, in letters that look alike"
        fix = "find out who made the other one, and that nothing meant for the first goes to it"
        return [pairing.finding("looks alike", match.party.id, cause, fix)] if match.look_alikes else []
    if match.status is MatchStatus.CONNECTED:
        return []
    if match.status is MatchStatus.AMBIGUOUS and len(match.contacts) < 2:
        code, waits = match.status.value, pairing.known_by_name
        return [pairing.finding(code, match.party.id, match.reason, pairing.alone, retry=waits)]
    cause = match.reason
    if match.taken_by:
        # A vendor's id is its name, which belongs into no text.
        whose = f"another {pairing.called}" if pairing.known_by_name else f"{pairing.called} {match.taken_by}"
        cause = f"{cause}, but it is connected to {whose}"
    return [_finding(match.party.id, match.status, cause, pairing)]


def _namesake(party: Sought, namesakes: Sequence[str], pairing: Pairing) -> Finding:
    """The finding that *party* and others, none of them in Xero, would get contacts that Xero takes for one."""
    others = [each for each in namesakes if each != party.id]
    shown = ", ".join(others[:_SHOWN]) + (f" and {len(others) - _SHOWN:,} more" if others[_SHOWN:] else "")
    called = f"{pairing.called} {shown}"
    cause = f"{called} would get a contact of the same name: letter case and blanks tell no two apart (F 6.23)"
    fix = "give each customer a custom identifier of its own; if they are one customer, give it once"
    return pairing.finding(MatchStatus.AMBIGUOUS.value, party.id, cause, fix)


def _finding(about: str, status: MatchStatus, cause: str, pairing: Pairing) -> Finding:
    fix, who = pairing.advice[status]
    # All bills of a vendor wait for it, until somebody has seen to it.
    retry = pairing.known_by_name or status is MatchStatus.NOT_IN_XERO
    return pairing.finding(status.value, about, cause, fix, who=who, retry=retry)
