"""The report of drift: each change that people made in Xero, and the plans that follow, accept or put back."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Final

from attrs import evolve, frozen

from xerosync.arguments import listed
from xerosync.engine.actions import AcceptDrift, Action, Pay, Pending
from xerosync.engine.paper_actions import CARD, ChangeBill, ChangeSale
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.restoring import PERHAPS_TYPED
from xerosync.errors import InvalidInput
from xerosync.models import TenantId
from xerosync.storage.protocol import Record
from xerosync.tables import Tabular


class DriftField(StrEnum):
    """What of a document may have been changed; a host names those that count for it."""

    EXISTENCE = "existence"
    """It was voided, or removed."""
    AMOUNT = "amount"
    """Its total is another one."""
    DATE = "date"
    """It bears another day."""
    DUE_DATE = "due date"
    """It is due on another day."""
    CONTACT = "contact"
    """It is another contact's: moved, or the contact was merged."""
    ACCOUNT = "account"
    """It is on another bank account."""
    LINES = "lines"
    """The lines of a document are coded or split otherwise, and its total is as it was."""
    TEXTS = "texts"
    """The descriptions of its lines are others, and its total is as it was."""
    CONTACT_STATUS = "contact status"
    """The contact of a customer or vendor of yours was archived."""


BOOKED: Final = tuple(each for each in DriftField if each is not DriftField.TEXTS)
"""What is in the books: all but texts, which bookkeepers mend as they read."""


_UNDER_MONEY: Final = frozenset({DriftField.DUE_DATE, DriftField.CONTACT})
"""What may be edited of a document that money stands on."""


@frozen(kw_only=True, repr=False)
class FollowDrift(AcceptDrift):
    """
    Somebody changed a document in Xero, and the host is to follow: give its own row of *about* what the *field* is now.

    Applied, it is remembered as accepted; *restates* is what fees and payouts are on record as from then on.
    """

    what: str
    about: str
    field: str
    was: str
    now: str
    restates: Record | None = None

    @property
    def besides(self) -> tuple[Record, ...]:
        """What is on record from then on."""
        return (self.restates,) if self.restates is not None else ()


@frozen(kw_only=True, repr=False)
class Drift:
    """
    One change: the host's *about* and Xero's *xero_id* of a document of some *kind*, the *field*, what it *was* when it
    was written and what it is *now*, and a *link* to it where Xero has an address of it.

    *remedy* is what puts it back; empty where only a person can. *stays* says why that is so, or what keeps Xero from
    taking the edit that would, where that is known. *refused* are Xero's words where it refused the remedy before, and
    nothing has changed since; *leaves* says what the remedy does not bring back. *restates* is what fees
    and payouts are on record as once it is followed.
    """

    kind: str
    about: str
    xero_id: str
    field: DriftField
    was: str
    now: str
    link: str | None = None
    remedy: tuple[Action, ...] = ()
    refused: tuple[str, ...] = ()
    stays: str = ""
    leaves: str = ""
    restates: Record | None = None

    def accepted(self) -> AcceptDrift:
        """The action that remembers that this is as it should be."""
        return AcceptDrift(
            host_ref=self._name, reason="changed in Xero, and accepted", xero_id=self.xero_id, facts={"now": self.now}
        )

    def followed(self) -> FollowDrift:
        """The action that tells the host to follow, and remembers that it did."""
        return FollowDrift(
            host_ref=self._name,
            reason="changed in Xero, and followed",
            xero_id=self.xero_id,
            facts={"now": self.now},
            what=self.kind,
            about=self.about,
            field=self.field.value,
            was=self.was,
            now=self.now,
            restates=self.restates,
        )

    @property
    def _name(self) -> str:
        return f"{self.kind}/{self.about}/{self.field}"

    def __str__(self) -> str:
        why_not = f"; Xero refused to have it put back: {' | '.join(self.refused)}" if self.refused else ""
        return f"{self.kind} {self.about}: {self.field} was {self.was}, is {self.now}{why_not}"

    def __repr__(self) -> str:
        return f"<Drift of {self.kind} in {self.field}>"


@frozen(kw_only=True, repr=False)
class DriftReport(Tabular):
    """
    What people changed of *looked_at* documents that the library wrote, and that nobody has accepted yet. Those
    *under_way*, by Xero's ids, a run is changing, or was when it was interrupted: nothing is said of them before it is
    recovered.

    Rows hold ids and amounts: mind where they are shown.
    """

    tenant: TenantId
    looked_at: int
    drifts: tuple[Drift, ...] = ()
    under_way: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Drift]:
        return iter(self.drifts)

    def __len__(self) -> int:
        return len(self.drifts)

    def __bool__(self) -> bool:
        """Whether anything has drifted."""
        return bool(self.drifts)

    def ignore(self, *about: str) -> Plan:
        """
        The plan that accepts what people did, of the documents *about* or of all: it is not told again until it
        changes again. Nothing is written to Xero. Raises `InvalidInput` for a document that has no change here.
        """
        return Plan(tenant=self.tenant, actions=tuple(each.accepted() for each in self._chosen(about)))

    def follow(self, *about: str) -> Plan:
        """
        The plan that takes over what people did, of the documents *about* or of all: each `FollowDrift` says what to
        change in your own rows. Change them, then apply it. Nothing is written to Xero. Raises as `ignore`.
        """
        actions: list[FollowDrift] = []
        met: set[str] = set()
        for each in self._chosen(about):
            # One document may have changed in several fields, and its record takes them over at once.
            actions.append(evolve(each.followed(), restates=None if each.xero_id in met else each.restates))
            met.add(each.xero_id)
        return Plan(tenant=self.tenant, actions=tuple(actions))

    def restore(self, *about: str, retry_refused: bool = False) -> Plan:
        """
        The plan that puts everything back as it was written, of the documents *about* or of all; what only a person can
        put back is a finding, and so is what Xero refused before, unless *retry_refused*, and what does not come back
        with a receipt that is posted anew, as its files. Raises as `ignore`.
        """
        chosen = self._chosen(about)
        actions: dict[Pending, Action] = {}
        findings: list[Finding] = []
        for each in chosen:
            if each.refused and not retry_refused:
                findings.append(_refused(each))
            elif each.remedy and not each.stays:
                actions |= {action.itself: action for action in each.remedy}
                findings += _left_behind(each)
            else:
                findings.append(_by_hand(each))
        ordered, waiting = self._edited_first(list(actions.values()))
        return Plan(tenant=self.tenant, actions=tuple(ordered), findings=tuple(dict.fromkeys([*findings, *waiting])))

    def _edited_first(self, actions: Collection[Action]) -> tuple[list[Action], list[Finding]]:
        """
        Those *actions*, a payment after the edit of its document; without it where that is not edited now.

        Once money stands on it, Xero changes no amount of it any more (F 6.66).
        """
        edits: dict[object, Pending] = {
            each.invoice.invoice_id: each.itself for each in actions if isinstance(each, ChangeBill | ChangeSale)
        }
        waited_for: set[object] = {
            each.xero_id for each in self.drifts if each.field not in _UNDER_MONEY and _is_edited(each)
        }
        waited_for |= self.under_way
        ordered: list[Action] = []
        findings: list[Finding] = []
        for each in actions:
            if not isinstance(each, Pay) or each.invoice not in waited_for:
                ordered.append(each)
            elif (edit := edits.get(each.invoice)) is not None:
                ordered.append(evolve(each, after=(*each.after, edit)))
            else:
                findings.append(_waits(each, is_open=each.invoice in self.under_way))
        return ordered, findings

    def _chosen(self, about: Collection[str]) -> list[Drift]:
        if set(listed(about, str, "about")) - {each.about for each in self.drifts}:
            raise InvalidInput("about", "give your own ids of documents that this report has changes of")
        return [each for each in self.drifts if not about or each.about in about]

    def rows(self) -> list[dict[str, str]]:
        """One row a change, for a table or a dataframe."""
        return [
            {
                "kind": each.kind,
                "about": each.about,
                "xero_id": each.xero_id,
                "field": each.field.value,
                "was": each.was,
                "now": each.now,
                "link": each.link or "",
                "refused": " | ".join(each.refused),
            }
            for each in self.drifts
        ]

    def __str__(self) -> str:
        head = f"{len(self.drifts):,} changed in Xero of {self.looked_at:,} written"
        if self.under_way:
            count = f"{len(self.under_way):,}"
            head += f", besides {count} that a run is changing, or was when it was interrupted: call recover()"
        return "\n".join([head, *(f"  {each}" for each in self.drifts)])

    def __repr__(self) -> str:
        return f"<DriftReport of {len(self.drifts)} drifts>"


def _is_edited(drift: Drift) -> bool:
    """Whether an edit puts *drift* back, though Xero may have refused it."""
    return any(isinstance(each, ChangeBill | ChangeSale) for each in drift.remedy)


def _waits(payment: Action, *, is_open: bool) -> Finding:
    """That *payment* is put back later: its document is to be edited back before, which *is_open* where a run does."""
    about = payment.itself.host_ref
    if is_open:
        cause = "its document is being changed by a run, or was when that was interrupted"
        return Finding(code="still open", about=about, cause=cause, fix="call recover()", retry=True)
    return Finding(
        code="held back",
        about=about,
        cause="its document is to be edited back first: Xero changes no amount under money (F 6.66)",
        fix="restore its document with it, or follow or ignore what was changed of that",
        worth=payment.worth,
    )


def _refused(drift: Drift) -> Finding:
    return Finding(
        code="refused by Xero",
        about=drift.about,
        cause=" | ".join(drift.refused),
        fix="correct the cause Xero names, then restore it with retry_refused=True",
        retry=True,
    )


def _left_behind(drift: Drift) -> list[Finding]:
    if not drift.leaves:
        return []
    return [
        Finding(
            code="not all comes back",
            about=drift.about,
            cause=f"it is posted anew, without {drift.leaves}: those stay on the document that was removed, or is now",
            fix="attach() its files and mark_billable() it again once it is put back; what people attached, they must",
        )
    ]


def _by_hand(drift: Drift) -> Finding:
    if drift.stays == PERHAPS_TYPED:
        is_gone = drift.field is DriftField.EXISTENCE
        # A backfill asks of what is gone alone.
        answer = "say with backfill(chosen=…) which one it is, or '' for none" if is_gone else "edit it back in Xero"
        if drift.about.startswith(CARD):
            answer = "follow or ignore it, and give it under a new id"
        return Finding(
            code="perhaps typed by hand",
            about=drift.about,
            cause=f"it was {'removed' if is_gone else 'edited'} in Xero, and {drift.stays}: it would be there twice",
            fix=f"{answer}; or remove what was typed in Xero",
            who="the bookkeeper",
        )
    fix = _BY_HAND.get(drift.field, "put it back in Xero, or follow or ignore it")
    stays = f": {drift.stays}" if drift.stays else ""
    if drift.field is DriftField.EXISTENCE:
        fix = "enter it anew under a new id, or follow or ignore it"
    return Finding(
        code="cannot be put back",
        about=drift.about,
        cause=f"its {drift.field} was changed in Xero, and no plan can change that back{stays}",
        fix=fix,
        who="the bookkeeper",
    )


_BY_HAND: Final = {
    DriftField.CONTACT_STATUS: "restore the contact in Xero, which only people can (F 6.31), or follow or ignore it",
}
