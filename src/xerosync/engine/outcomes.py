"""What a person must know of a write that did not simply end well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import evolve

from xerosync.engine.actions import (
    BILL_PAYMENT,
    CUSTOMER,
    SALE,
    CreateBill,
    CreateContact,
    CreateCreditNote,
    CreateSale,
    CreateSaleCredit,
    MoveMoney,
)
from xerosync.engine.intents import (
    ANOTHER_FILE,
    DISMISSED,
    FILE_UNREADABLE,
    OVERTAKEN,
    WITHDRAWN,
    Intent,
    text_at,
    wait_after,
)
from xerosync.engine.paper_actions import (
    CARD,
    AddNote,
    Attach,
    ChangeBill,
    ChangeCredit,
    ChangeSale,
    ChangeSpend,
    MarkBillable,
    UnmarkBillable,
)
from xerosync.engine.plans import Finding
from xerosync.engine.states import State

STILL_OPEN: Final = "still open"
"""What recovering itself leaves so has its own reasons, and another call of it is no remedy."""
FOUND_TWICE: Final = Finding(
    code="found twice in Xero",
    about="",
    cause="more than one document in Xero carries its mark",
    fix="remove all but one in Xero, then call recover()",
    who="the bookkeeper",
)
"""Of what Xero holds more than once, whatever it is about."""
REMOVED_SINCE: Final = Finding(
    code="removed in Xero",
    about="",
    cause="it was written, and somebody removed it in Xero since",
    fix="find out why; to write it again, submit it under a new id",
    who="the bookkeeper",
)
"""Of what was written and is gone, whatever it is about."""

# Xero's words for a name (F 6.23) and a number (F 6.26) that another contact has.
_TAKEN: Final = ("is already assigned to another contact", "Another contact has this contact number")
# Xero's words for a contact that was archived, or merged into another (F 6.31).
_ENDED: Final = "matched an archived contact"
_SUBMITTED: Final[Mapping[str, str]] = {
    CreateBill.kind: "",
    CreateCreditNote.kind: "",
    CreateSale.kind: SALE,
    CreateSaleCredit.kind: SALE,
    MoveMoney.kind: CARD,
    ChangeBill.kind: "",
    ChangeSale.kind: SALE,
    ChangeCredit.kind: "",
    ChangeSpend.kind: CARD,
}
"""The kinds of write that post or change what a host submits, each with how its name begins then."""
_NOT_SENT: Final[Mapping[tuple[str, ...], tuple[str, str]]] = {
    (WITHDRAWN,): ("changed since planned", "plan again"),
    (OVERTAKEN,): ("changed since planned", "plan again"),
    (ANOTHER_FILE,): ("changed since planned", "plan again"),
    (FILE_UNREADABLE,): ("cannot be attached", "make it readable, then attach it again"),
}


def about_of(intent: Intent) -> str:
    """The host's own id of what *intent* writes."""
    name = intent.operation.host_ref
    if intent.operation.kind == AddNote.kind:
        name = name.partition("/")[2]
    elif intent.operation.kind in {Attach.kind, MarkBillable.kind, UnmarkBillable.kind}:
        name = name.rpartition("/")[0]
    for prefix in (BILL_PAYMENT, CUSTOMER, CARD, SALE):
        name = name.removeprefix(prefix)
    return name


def finding_for(intent: Intent) -> Finding | None:
    """What a person must know of an intent that did not simply end well."""
    found = _finding_for(intent, about_of(intent))
    if found is not None and intent.operation.kind == AddNote.kind:
        return evolve(found, cause=f"of its note: {found.cause}")  # what it is on may be well
    is_vendor = intent.operation.kind == CreateContact.kind and not intent.operation.host_ref.startswith(CUSTOMER)
    return found if found is None or not is_vendor else evolve(found, root=f"vendor {found.about}")


def _finding_for(intent: Intent, about: str) -> Finding | None:
    match intent.state:
        case State.REJECTED if intent.messages == (DISMISSED,):
            return None
        case State.REJECTED:
            code, cause, fix = _refusal(intent)
            return Finding(code=code, about=about, cause=cause, fix=fix, retry=True)
        case State.UNKNOWN:
            return Finding(
                code="outcome unknown",
                about=about,
                cause="Xero did not answer after it was sent; it may have been recorded",
                fix="call recover(), which looks before it sends again",
                who="nobody, it is automatic",
                retry=True,
            )
        case State.INTENDED if intent.operation.kind == Attach.kind and not wait_after(intent.attempts):
            return Finding(
                code="file needed",
                about=about,
                cause="its file was to be attached when a run was interrupted, and no store keeps files",
                fix="attach it again: nothing is attached twice",
                retry=True,
            )
        case State.INTENDED if intent.next_at is not None:
            return Finding(
                code="put off",
                about=about,
                cause=f"it ended in doubt {intent.attempts} times, and was not found in Xero",
                fix=f"nothing: it is tried again from {intent.next_at:%Y-%m-%d %H:%M} UTC",
                who="nobody, it is automatic",
                retry=True,
            )
        case State.INTENDED | State.SENT:
            return Finding(
                code=STILL_OPEN,
                about=about,
                cause="another run is writing it, or was interrupted while it did",
                fix="call recover()",
                retry=True,
            )
        case _:
            return _finding_at_end(intent.state, about, intent.attempts)


def _finding_at_end(state: State, about: str, attempts: int) -> Finding | None:
    """What is left for a person where nothing more is done by itself."""
    match state:
        case State.PARKED:
            return Finding(
                code="parked",
                about=about,
                cause=f"it ended in doubt {attempts} times, and nobody knows why",
                fix="find out what Xero has against it, then release() it",
            )
        case State.REMOVED:
            return evolve(REMOVED_SINCE, about=about)
        case State.CONFLICT:
            return evolve(FOUND_TWICE, about=about)
        case State.SUSPECT:
            return Finding(
                code="perhaps typed by hand",
                about=about,
                cause="Xero holds one that this library did not write, and that may be the same",
                fix="say whether it is the same with backfill(chosen=…), or submit this one under a new id",
                who="the bookkeeper",
            )
        case _:
            return None


def _refusal(intent: Intent) -> tuple[str, str, str]:
    """What code, cause and fix there are to a refused write."""
    cause = " | ".join(intent.messages)
    if intent.messages in _NOT_SENT:
        code, fix = _NOT_SENT[intent.messages]
        return code, cause, fix
    if intent.operation.kind == CreateContact.kind and _is_taken(intent):
        fix = "plan again: the contact that has the name or number already is found and offered"
        return "contact already taken", cause, fix
    fix = "correct the cause Xero names, then plan again with retry_refused=True"
    if contact_had_ended(intent):
        fix = "plan again: the contact that its own was merged into is taken; restore one that is archived first"
    return "refused by Xero", cause, fix


def contact_had_ended(intent: Intent | None) -> bool:
    """
    Whether Xero refused what was submitted since its contact was archived, or merged, by then (F 6.31).

    Planning it again asks for the contact anew, so that it needs no word from a person.
    """
    if intent is None or intent.state is not State.REJECTED or not text_at(intent.payload, "Contact", "ContactID"):
        return False
    prefix = _SUBMITTED.get(intent.operation.kind)
    if prefix is None or not intent.operation.host_ref.startswith(prefix):
        return False
    return any(_ENDED in message for message in intent.messages)


def _is_taken(intent: Intent) -> bool:
    return any(text in message for text in _TAKEN for message in intent.messages)
