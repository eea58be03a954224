"""Undoing what was written: all of it is taken back in the right order, or nothing, with the reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, cast

from attrs import define, field, frozen

from xerosync.engine import actions as act
from xerosync.engine import paper_actions as papers
from xerosync.engine.drift_report import DriftField
from xerosync.engine.drifting import changes, was_typed
from xerosync.engine.intents import Intent
from xerosync.engine.mirror import GONE
from xerosync.engine.payouts import PAYOUT
from xerosync.engine.plans import Finding
from xerosync.engine.settling_policies import OpenBooks
from xerosync.engine.states import OPEN, State
from xerosync.engine.undo_actions import STAYS, RemoveBatch, RemoveTransfer
from xerosync.models import (
    BankTransaction,
    BankTransfer,
    BatchPayment,
    CreditNote,
    DocumentStatus,
    Invoice,
    InvoiceId,
    Payment,
    PaymentId,
)
from xerosync.money import Money

Document = Payment | BankTransaction | BankTransfer | BatchPayment | CreditNote | Invoice

TAKES_BACK: Final[Mapping[str, str]] = {
    act.Pay.kind: act.RemovePayment.kind,
    act.Refund.kind: act.RemovePayment.kind,
    act.PayBatch.kind: RemoveBatch.kind,
    act.MoveMoney.kind: act.RemoveMoney.kind,
    act.Transfer.kind: RemoveTransfer.kind,
    act.CreateBill.kind: papers.VoidBill.kind,
    act.CreateSale.kind: papers.VoidSale.kind,
    act.CreateCreditNote.kind: act.VoidCredit.kind,
    act.CreateSaleCredit.kind: act.VoidCredit.kind,
}
"""Each kind of write that can be undone, with the kind that undoes it."""

_EDITED: Final = ("an edit cannot be taken back", "correct it at its source, then call update()")
_NO_WAY_BACK: Final[Mapping[str, tuple[str, str]]] = {
    act.Allocate.kind: (
        "a credit was set against a document",
        "remove the allocation in Xero, or with xero.credit_notes.delete_allocation(), then undo again",
    ),
    papers.ChangeBill.kind: _EDITED,
    papers.ChangeSale.kind: _EDITED,
    papers.ChangeCredit.kind: _EDITED,
    papers.ChangeSpend.kind: _EDITED,
}
_REMOVED: Final = ("what was removed cannot be brought back", "post it again under a new id")
_REMOVALS: Final = ("removal", "voiding")
"""How the kinds of what takes something back end."""
_BY_HAND: Final = "undo it in Xero by hand, or leave all of it as it is"
_UPDATED: Final = "a later run of your own changed it"
_PUT_BACK: Final = "a later run of your own put it back"
_FIXES: Final[Mapping[str, str]] = {
    _UPDATED: "take it back with void(), whatever it says by now",
    _PUT_BACK: "undo its settlement, or that run first; take a receipt back with void()",
}
_UNAPPROVED: Final = frozenset({DocumentStatus.DRAFT, DocumentStatus.SUBMITTED})


@frozen(kw_only=True)
class Undoing:
    """
    What is undone, in words, and the *facts* that are kept with each thing taken back; amounts are in *currency*.

    Where it *leaves_typed*, what people had typed stays, although it was taken over: nothing was written for it.
    """

    reason: str
    facts: Mapping[str, str]
    currency: str
    leaves_typed: bool = False


@frozen(kw_only=True)
class Posted:
    """
    What was *written*, and the *documents* in Xero that came of it by id, as they stand now, each as it was *seen*.

    *used* are the bank transactions whose money was set against something else since, *recoded* those whose
    lines people booked otherwise, *updated* those that the library itself changed in a later run; all by their ids.
    *survivors* are the contacts that those of documents were merged into; *anew* are the keys of those of the writes
    with which a later run put back earlier ones, *paid_out* the payouts that hold money of what was written, and are
    not undone with it, by the key of that. *begun* is whether the same was undone before.
    """

    written: Sequence[Intent]
    documents: Mapping[str, Document]
    seen: Mapping[str, act.Seen]
    open_books: OpenBooks
    used: frozenset[str] = frozenset()
    recoded: frozenset[str] = frozenset()
    updated: frozenset[str] = frozenset()
    survivors: Mapping[str, str] = field(factory=dict[str, str])
    anew: frozenset[str] = frozenset()
    paid_out: Mapping[str, Intent] = field(factory=dict[str, Intent])
    begun: bool = False


def decide_undo(undoing: Undoing, posted: Posted) -> tuple[list[act.Action], list[Finding]]:
    """
    What takes back all that stands of what was written: money first, then the documents that it was on.

    Where one thing cannot be taken back (reconciled, in closed books, edited since, under money of somebody else's, or
    of a kind that has no way back), nothing is, and each such thing is a finding. What is parked keeps nothing else
    from it: released, it is looked for, and not sent again.
    """
    deciding = _Undoing(undoing, posted)
    for intent in sorted(posted.written, key=lambda each: _TURNS.get(each.operation.kind, len(_TURNS))):
        deciding.undo(intent)
    if deciding.findings:
        return [], deciding.findings
    parked = [each for each in posted.written if each.state is State.PARKED and each.operation.kind not in STAYS]
    is_undone = posted.begun or bool(deciding.actions)
    return deciding.actions, [_in_doubt(each, is_undone=is_undone) for each in parked]


def is_to_be_undone(intent: Intent) -> bool:
    """Whether what *intent* wrote, or may write yet, goes where all is undone that it belongs to."""
    return intent.state in {*OPEN, State.CONFIRMED, State.CONFLICT} and intent.operation.kind not in STAYS


_TURNS: Final = {kind: turn for turn, kind in enumerate(TAKES_BACK)}


@define
class _Undoing:
    undoing: Undoing
    posted: Posted
    actions: list[act.Action] = field(factory=list[act.Action])
    findings: list[Finding] = field(factory=list[Finding])
    _taken: dict[str, list[tuple[Decimal, act.Pending]]] = field(
        factory=lambda: defaultdict[str, list[tuple[Decimal, act.Pending]]](list)
    )
    """What this plan takes off each document, and by which removal."""

    def undo(self, intent: Intent) -> None:
        kind = intent.operation.kind
        document = self.posted.documents.get(intent.xero_id or "")
        if intent.state in OPEN:
            self._keep_all(intent, "an earlier run was interrupted while writing it", "call recover()", retry=True)
        if intent.state is State.CONFLICT:
            fix = "remove all but one in Xero, call recover(), then undo again"
            self._keep_all(intent, "more than one document in Xero carries its mark", fix)
        if intent.state is not State.CONFIRMED or kind in STAYS:
            return
        if kind not in TAKES_BACK:
            other = _REMOVED if kind.endswith(_REMOVALS) else ("what it did has no way back here", _BY_HAND)
            self._keep_all(intent, *_NO_WAY_BACK.get(kind, other))
        elif document is None:
            self._keep_all(intent, "it is not among what was read from Xero", _BY_HAND)
        elif document.status not in GONE and not (self.undoing.leaves_typed and was_typed(intent, document)):
            payouts = (self.posted.paid_out.get(each.key) for each in (intent, *intent.as_single()))
            reason = self._why_it_stays(intent, document)
            if (payout := next(filter(None, payouts), None)) is not None:
                self._leave_paid_out(intent, payout)
            elif reason:
                self._keep_all(intent, reason, _FIXES.get(reason, _BY_HAND))
            elif not (kind == act.Pay.kind and "batch" in intent.facts):
                self._take_back(intent, document)

    def _why_it_stays(self, intent: Intent, document: Document) -> str:
        """Why what *intent* wrote cannot be taken back; blank when it can."""
        if intent.key in self.posted.anew:
            return _PUT_BACK
        if isinstance(document, BatchPayment):
            return self._why_batch_stays(intent)  # its payments say the rest
        if isinstance(document, Payment | BankTransaction | BankTransfer) and document.is_reconciled:
            return "it is reconciled"
        if document.date is not None and self.posted.open_books.is_closed(document.date):
            return "it lies in closed books"
        if intent.xero_id in self.posted.updated:
            return self._what_rests_on(document) or _UPDATED
        return self._what_rests_on(document) or _touched(intent, document, self.posted)

    def _what_rests_on(self, document: Document) -> str:
        """What of somebody else's rests on *document*; blank where nothing does."""
        match document:
            case Payment() if document.batch_payment_id is not None:
                batches = {each.xero_id for each in self.posted.written if each.operation.kind == act.PayBatch.kind}
                return "" if document.batch_payment_id in batches else "it is part of a batch"
            case BankTransaction() if document.bank_transaction_id in self.posted.used:
                return "its money was set against something else since"
            case Invoice():
                return self._money_on(document.invoice_id or "", document.amount_paid, document)
            case CreditNote():
                spent = (document.total or Decimal(0)) - (document.remaining_credit or Decimal(0))
                return self._money_on(document.credit_note_id or "", spent, document)
            case _:
                return ""

    def _why_batch_stays(self, batch: Intent) -> str:
        ours = {each.key for each in self.posted.written}
        others = [each for each in batch.as_single() if each.key not in ours]
        return f"{len(others)} of its payments are of something else" if others else ""

    def _money_on(self, xero_id: str, money: Decimal | None, document: Invoice | CreditNote) -> str:
        approved = document.status not in _UNAPPROVED
        left = (money or Decimal(0)) - sum((taken for taken, _ in self._taken[xero_id]), Decimal(0))
        credited = document.amount_credited if isinstance(document, Invoice) else None
        return "money that is not of this stands on it" if approved and (left or credited) else ""

    def _take_back(self, intent: Intent, document: Document) -> None:
        match document:
            case Payment():
                currency = document.invoice.currency_code if document.invoice is not None else None
                self.actions.append(removal := self._removal(intent, currency))
                self._taken[_paid(intent)].append((removal.amount.amount, removal.itself))
            case BatchPayment():
                batch = self._batch_removal(intent)
                self.actions.append(batch)
                for payment, single in zip(batch.payments, intent.as_single(), strict=True):
                    self._taken[_paid(single)].append((payment.amount.amount, batch.itself))
            case BankTransaction():
                self.actions.append(
                    act.RemoveMoney(
                        host_ref=intent.operation.host_ref,
                        revision=_revision(intent),
                        reason=self.undoing.reason,
                        seen=self._seen(intent),
                        facts=self._facts(intent),
                        transaction=intent.xero_id or "",
                        amount=self._money(_amount(intent) or document.total),
                    )
                )
            case BankTransfer():
                self.actions.append(
                    RemoveTransfer(
                        host_ref=intent.operation.host_ref,
                        reason=self.undoing.reason,
                        seen=self._seen(intent),
                        facts=self._facts(intent),
                        removed=intent.xero_id or "",
                        amount=self._money(document.amount),
                    )
                )
            case Invoice() | CreditNote():
                self.actions.append(self._voiding(intent, document))

    def _removal(self, intent: Intent, currency: str | None = None) -> act.RemovePayment:
        return act.RemovePayment(
            host_ref=intent.operation.host_ref,
            reason=self.undoing.reason,
            seen=self._seen(intent),
            facts=self._facts(intent) | _paid_on(intent),
            payment=PaymentId(intent.xero_id or ""),
            amount=self._money(_amount(intent), currency),
        )

    def _batch_removal(self, intent: Intent) -> RemoveBatch:
        payments = tuple(self._removal(each) for each in intent.as_single())
        return RemoveBatch(
            host_ref=intent.operation.host_ref,
            reason=self.undoing.reason,
            seen=tuple(seen for each in payments for seen in each.seen),
            facts=self._facts(intent),
            removed=intent.xero_id or "",
            payments=payments,
        )

    def _voiding(self, intent: Intent, document: Invoice | CreditNote) -> act.Action:
        """The voiding under the name that the story of the document gives it, after what is on it was removed."""
        name, xero_id, facts = intent.operation.host_ref, intent.xero_id or "", self._facts(intent)
        status = DocumentStatus.DELETED if document.status in _UNAPPROVED else DocumentStatus.VOIDED
        after = tuple(dict.fromkeys(removal for _, removal in self._taken[xero_id]))
        # What the removals take off it changes it in Xero, too.
        seen = () if after else self._seen(intent)
        amount = Money(document.total or Decimal(0), document.currency_code or self.undoing.currency).rounded()
        if isinstance(document, Invoice):
            is_sale = intent.operation.kind == act.CreateSale.kind
            return (papers.VoidSale if is_sale else papers.VoidBill)(
                host_ref=name.removeprefix(act.SALE) if is_sale else name,
                revision=_revision(intent),
                reason=self.undoing.reason,
                seen=seen,
                facts=facts,
                bill=InvoiceId(xero_id),
                status=status,
                amount=amount,
                after=after,
            )
        end: type[act.VoidCredit] = act.VoidCredit
        if intent.operation.kind == act.CreateCreditNote.kind:
            end = papers.VoidSupplierCredit
        elif name.startswith(act.SALE):
            end = papers.WithdrawSaleCredit
        return end(
            host_ref=name.removeprefix(end.prefix),
            reason=self.undoing.reason,
            seen=seen,
            facts=facts,
            credit_note=xero_id,
            status=status,
            amount=amount,
            after=after,
        )

    def _seen(self, intent: Intent) -> tuple[act.Seen, ...]:
        seen = self.posted.seen.get(intent.xero_id or "")
        return () if seen is None else (seen,)

    def _facts(self, intent: Intent) -> dict[str, str]:
        about = {"undone": intent.facts["settlement"]} if "settlement" in intent.facts else {}
        return {**about, **self.undoing.facts}

    def _money(self, amount: Decimal | None, currency: str | None = None) -> Money:
        return Money(abs(amount or Decimal(0)), currency or self.undoing.currency)

    def _leave_paid_out(self, intent: Intent, payout: Intent) -> None:
        """Without it, less would be in clearing than its payout took out."""
        settlement, is_open = payout.operation.host_ref.removeprefix(PAYOUT), payout.state in OPEN
        cause = f"it was paid out with settlement {settlement}"
        if is_open:
            cause = f"an earlier run was interrupted while paying it out with settlement {settlement}"
        fix = "call recover()" if is_open else f"undo settlement {settlement}, which takes this back, too"
        about = intent.operation.host_ref
        self.findings.append(Finding(code="cannot be undone", about=about, cause=cause, fix=fix, retry=is_open))

    def _keep_all(self, intent: Intent, cause: str, fix: str, *, retry: bool = False) -> None:
        about = intent.operation.host_ref
        who = "you" if retry else "the bookkeeper"
        self.findings.append(Finding(code="cannot be undone", about=about, cause=cause, fix=fix, who=who, retry=retry))


def _in_doubt(intent: Intent, *, is_undone: bool) -> Finding:
    """That nobody knows whether Xero has what *intent* was to write; *is_undone* is whether anything else is."""
    about = intent.operation.host_ref
    cause = f"it ended in doubt {intent.attempts} times, and nobody knows whether Xero has it"
    if not is_undone:  # nothing would say that it was undone
        fix = "release() it and call recover(), then undo again"
        return Finding(code="cannot be undone", about=about, cause=cause, fix=fix)
    fix = "when the rest is undone, release() it and call recover(): it is not sent again; if it is found, undo again"
    return Finding(code="parked", about=about, cause=cause, fix=fix)


def _revision(intent: Intent) -> int:
    """The revision of what takes back what *intent* wrote: what took a payment's place may be posted anew, and go."""
    return intent.operation.revision if "charged_back_by" in intent.facts else 1


def _touched(
    intent: Intent, document: Payment | BankTransaction | BankTransfer | CreditNote | Invoice, posted: Posted
) -> str:
    changed = {
        field
        for field, was, now in changes(intent, document)
        # A merge of contacts moves all that they had, and it goes all the same.
        if field is not DriftField.CONTACT or posted.survivors.get(was, was) != now
    }
    # Where it comes to another amount, that its lines are others goes without saying.
    if (intent.xero_id or "") in posted.recoded and DriftField.AMOUNT not in changed:
        changed.add(DriftField.LINES)
    touched = ", ".join(sorted(changed))
    return f"it was edited in Xero since: {touched}" if touched else ""


def _paid_on(intent: Intent) -> dict[str, str]:
    """The document that a payment was of, as the fact of its removal."""
    for name, collection in (("Invoice", "Invoices"), ("CreditNote", "CreditNotes")):
        paid = intent.payload.get(name)
        if isinstance(paid, Mapping):
            return {act.WAS_ON: f"{collection}/{cast(Mapping[str, object], paid).get(f'{name}ID')}"}
    return {}


def _paid(intent: Intent) -> str:
    return _paid_on(intent).get(act.WAS_ON, "").partition("/")[2]


def _amount(intent: Intent) -> Decimal | None:
    """What was posted: a payment's amount, or what moved on clearing."""
    said = intent.payload.get("Amount") or intent.facts.get("effect")
    return None if said is None else Decimal(str(said))
