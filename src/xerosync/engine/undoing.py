"""Undoing a settlement: all that was posted for it is taken back, or nothing, with the reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, cast

from attrs import frozen

from xerosync.engine.actions import (
    WAS_ON,
    Action,
    CreateSaleCredit,
    MoveMoney,
    Pay,
    Refund,
    RemoveMoney,
    RemovePayment,
    VoidCredit,
)
from xerosync.engine.drifting import changes
from xerosync.engine.intents import Intent
from xerosync.engine.mirror import GONE
from xerosync.engine.plans import Finding
from xerosync.engine.settling_policies import OpenBooks
from xerosync.engine.states import OPEN, State
from xerosync.mapping.settlement import LineKind, Settlement
from xerosync.models import BankTransaction, CreditNote, Payment, PaymentId
from xerosync.money import Money

Document = Payment | BankTransaction | CreditNote

_TAKEN_BACK_BY: Final[Mapping[str, type[RemovePayment | RemoveMoney | VoidCredit]]] = {
    Pay.kind: RemovePayment,
    Refund.kind: RemovePayment,
    MoveMoney.kind: RemoveMoney,
    CreateSaleCredit.kind: VoidCredit,
}
_BY_HAND: Final = "undo it in Xero by hand, or leave the settlement as it is"


@frozen(kw_only=True)
class Posted:
    """What was *written* for a settlement, and the *documents* in Xero that came of it, by id, as they stand now."""

    written: Sequence[Intent]
    documents: Mapping[str, Document]
    open_books: OpenBooks


def decide_undo(settlement: Settlement, posted: Posted) -> tuple[list[Action], list[Finding]]:
    """
    What takes back all that stands of *settlement*: payout and fees, then its payments, so that invoices open again.

    Where one thing cannot be taken back (reconciled, in a batch, in closed books, edited since, or of a kind that has
    no way back), nothing is, and each such thing is a finding.
    """
    actions: list[Action] = []
    findings: list[Finding] = list(_no_way_back(settlement))
    for intent in posted.written:
        document = posted.documents.get(intent.xero_id or "")
        if intent.state in OPEN:
            findings.append(_finding(intent, "an earlier run was interrupted while posting it", "call recover()"))
        if intent.state is not State.CONFIRMED or (document is not None and document.status in GONE):
            continue
        reason = _why_it_stays(intent, document, posted.open_books)
        action = None if reason else _taking_back(settlement, intent)
        if action is not None:
            actions.append(action)
        else:
            findings.append(_finding(intent, reason or "what was posted for it has no way back here", _BY_HAND))
    return ([] if findings else actions), findings


def _no_way_back(settlement: Settlement) -> Iterator[Finding]:
    """The lines that took money back already: to undo those would be to post anew."""
    for line in settlement.lines:
        if line.kind is LineKind.CHARGED_BACK:
            yield Finding(
                code="cannot be undone",
                about=line.id,
                cause="a payment that was removed cannot be brought back",
                fix="settle it again, as reinstated, under a new line id",
                worth=line.amount,
            )


def _why_it_stays(intent: Intent, document: Document | None, open_books: OpenBooks) -> str:
    """Why what *intent* wrote cannot be taken back; blank when it can."""
    if document is None:
        return "it is not among what was read from Xero" if _TAKEN_BACK_BY.get(intent.operation.kind) else ""
    if isinstance(document, Payment | BankTransaction) and document.is_reconciled:
        return "it is reconciled"
    if isinstance(document, Payment) and document.batch_payment_id is not None:
        return "it is part of a batch"
    if document.date is not None and open_books.is_closed(document.date):
        return "it lies in closed books"
    touched = ", ".join(field.value for field, _, _ in changes(intent, document))
    return f"it was edited in Xero since: {touched}" if touched else ""


def _taking_back(settlement: Settlement, intent: Intent) -> Action | None:
    name, xero_id = intent.operation.host_ref, intent.xero_id or ""
    reason = f"settlement {settlement.id} is undone"
    facts = {"undone": settlement.id}
    amount = Money(abs(_amount(intent)), settlement.proof.net.currency)
    by = _TAKEN_BACK_BY.get(intent.operation.kind)
    if by is RemovePayment:
        facts |= _paid_on(intent)
        return RemovePayment(host_ref=name, reason=reason, facts=facts, payment=PaymentId(xero_id), amount=amount)
    if by is RemoveMoney:
        return RemoveMoney(host_ref=name, reason=reason, facts=facts, transaction=xero_id, amount=amount)
    if by is VoidCredit:
        return VoidCredit(host_ref=name, reason=reason, facts=facts, credit_note=xero_id, amount=amount)
    return None


def _paid_on(intent: Intent) -> dict[str, str]:
    """The invoice or credit note that a payment was of, as the fact of its removal."""
    for name, collection in (("Invoice", "Invoices"), ("CreditNote", "CreditNotes")):
        paid = intent.payload.get(name)
        if isinstance(paid, Mapping):
            return {WAS_ON: f"{collection}/{cast(Mapping[str, object], paid).get(f'{name}ID')}"}
    return {}


def _amount(intent: Intent) -> Decimal:
    """What was posted: a payment's amount, what moved on clearing, or the sum of a credit note's lines."""
    said = intent.payload.get("Amount") or intent.facts.get("effect")
    if said is not None:
        return Decimal(str(said))
    lines = cast(Sequence[Mapping[str, object]], intent.payload.get("LineItems", ()))
    return sum(
        (Decimal(str(each.get("Quantity", 1))) * Decimal(str(each.get("UnitAmount", 0))) for each in lines), Decimal(0)
    )


def _finding(intent: Intent, cause: str, fix: str) -> Finding:
    return Finding(code="cannot be undone", about=intent.operation.host_ref, cause=cause, fix=fix, who="the bookkeeper")
