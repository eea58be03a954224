"""Notes in the history of what the library wrote: in plain words what was done, and by whom, each once (row 64)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

from attrs import evolve, frozen

from xerosync.client._books import Books
from xerosync.client._session import Query
from xerosync.client._wire.codec import decode
from xerosync.engine import actions as act
from xerosync.engine import paper_actions as papers
from xerosync.engine import undo_actions as undone
from xerosync.engine.declining import REASON
from xerosync.engine.intents import Intent, intent_key, retries, tag_in, tag_of
from xerosync.engine.observed import intents_of, intents_with
from xerosync.engine.outcomes import finding_for
from xerosync.engine.payouts import FEES, PAYOUT
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.settlement_books import COUNTER, SURPLUS
from xerosync.engine.settling_policies import HistoryNotes
from xerosync.engine.states import State
from xerosync.mapping.declines import DeclineReason
from xerosync.models import HistoryRecord

_LONGEST: Final = 300
"""Characters of what a note is about: older Xero takes 450 in all (F 8.68)."""
_DUE: Final = "note"
"""The fact of a write that was planned with its note: only such a one is looked at again for it."""

_COLLECTIONS: Final[Mapping[str, str]] = {
    act.CreateBill.kind: "Invoices",
    act.CreateSale.kind: "Invoices",
    papers.ChangeBill.kind: "Invoices",
    papers.VoidBill.kind: "Invoices",
    papers.ChangeSale.kind: "Invoices",
    papers.ChangeCredit.kind: "CreditNotes",
    papers.ChangeSpend.kind: "BankTransactions",
    papers.VoidSale.kind: "Invoices",
    act.CreateCreditNote.kind: "CreditNotes",
    act.CreateSaleCredit.kind: "CreditNotes",
    act.VoidCredit.kind: "CreditNotes",
    act.Allocate.kind: "CreditNotes",
    papers.AllocateOverpayment.kind: "Overpayments",
    act.Pay.kind: "Payments",
    act.Refund.kind: "Payments",
    act.RemovePayment.kind: "Payments",
    act.PayBatch.kind: "BatchPayments",
    act.MoveMoney.kind: "BankTransactions",
    act.RemoveMoney.kind: "BankTransactions",
    act.Transfer.kind: "BankTransfers",
    undone.RemoveTransfer.kind: "BankTransfers",
    undone.RemoveBatch.kind: "BatchPayments",
}
_DID: Final[Mapping[str, str]] = {
    act.Pay.kind: "posted a payment of it",
    act.Refund.kind: "posted its refund",
    act.RemovePayment.kind: "removed a payment of it",
    act.Allocate.kind: "set it against a bill",
    papers.AllocateOverpayment.kind: "set it against an invoice",
    papers.ChangeBill.kind: "changed it",
    papers.VoidBill.kind: "withdrew it",
    papers.ChangeSale.kind: "changed it",
    papers.ChangeCredit.kind: "changed it",
    papers.ChangeSpend.kind: "changed it",
    papers.VoidSale.kind: "withdrew it",
    act.VoidCredit.kind: "withdrew it",
    act.RemoveMoney.kind: "withdrew it",
    undone.RemoveTransfer.kind: "withdrew it",
    undone.RemoveBatch.kind: "withdrew it",
}
_OF: Final[Mapping[str, str]] = {
    act.CreateCreditNote.kind: "credit",
    act.Refund.kind: "what no bill took of credit",
    act.Allocate.kind: "credit",
}
_AGAINST: Final = "→"
"""What stands between a credit and the invoice that it is set against, in the name of an allocation."""
_OF_CUSTOMERS: Final[Mapping[str, str]] = {
    act.Refund.kind: "refund",
    act.Allocate.kind: "credit of",
    papers.AllocateOverpayment.kind: "credit of",
}
"""What is told of customers' credit, whose names begin as those of sales do."""
_PREFIXES: Final[Mapping[str, str]] = {
    SURPLUS: "what was collected beyond what was due, line",
    COUNTER: "charged back, and its payment could not be removed, line",
    FEES: "fees of settlement",
    PAYOUT: "payout of settlement",
    act.BILL_PAYMENT: "payment",
    papers.CARD: "receipt",
    papers.SUPPLIER: "credit",
    act.SALE: "sale",
}


@frozen
class _Due:
    """A note that is to be: of the write *of*, on a *document* of *collection*; *is_new* where that is yet to come."""

    of: act.Pending
    collection: str
    document: act.Ref
    text: str
    is_new: bool

    @property
    def itself(self) -> act.Pending:
        return act.Pending(papers.AddNote.kind, f"{self.of.kind}/{self.of.host_ref}", self.of.revision)


async def noted(
    books: Books,
    plan: Plan,
    notes: HistoryNotes | None,
    written: Iterable[Intent] = (),
    *,
    retry_refused: bool = False,
) -> Plan:
    """
    *plan* with the *notes* that what it writes is to get, and that what was *written* with them on lacks.

    Whether a note of an earlier run is there is read from the history itself, one call for each document, since no
    list of Xero tells.
    """
    if notes is None:
        return plan
    actions = [evolve(each, facts={**each.facts, _DUE: "due"}) if _is_noted(each) else each for each in plan.actions]
    earlier = [each for each in written if each.state is State.CONFIRMED]
    earlier += await _batches_of(books, earlier)
    wanted = {each.itself: each for each in _of_intents(earlier, notes)}
    wanted |= {each.itself: each for each in _of_actions(actions, notes)}
    known = await intents_of(books, wanted)
    there = await _there(books, [each for each in wanted.values() if not _known(books, each, known)])
    findings: list[Finding] = []
    for due in wanted.values():
        intent = known.get(intent_key(books.tenant, due.itself))
        if due.itself in there:
            # One that Xero refused, and has, was written again after the backup that the store was put back from.
            actions += [_adopted(due, there[due.itself])] if intent is None else []
        elif intent is None or retries(intent, (), always=retry_refused):
            actions.append(_note(due))
        elif not due.is_new:
            findings += filter(None, [finding_for(intent)])
    return evolve(plan, actions=tuple(actions), findings=(*plan.findings, *findings))


def _known(books: Books, due: _Due, known: Mapping[str, Intent]) -> bool:
    """Whether what became of a note needs no look: its write is yet to come, or the ledger knows that it was sent."""
    intent = known.get(intent_key(books.tenant, due.itself))
    return due.is_new or (intent is not None and intent.state is not State.REJECTED)


def _is_noted(action: act.Action) -> bool:
    if isinstance(action, act.Adopt):
        # Who removed a payment is not known: somebody did, or the library before its store was put back.
        return action.adopted_kind in _COLLECTIONS and action.adopted_kind != act.RemovePayment.kind
    return action.kind in _COLLECTIONS


async def _batches_of(books: Books, written: Iterable[Intent]) -> list[Intent]:
    """The batches that those of *written* are in which are payments."""
    ids = dict.fromkeys(each.facts["batch"] for each in written if "batch" in each.facts)
    found = [each for batch in ids for each in await intents_with(books, lookup=("xero_id", batch))]
    return [each for each in found if each.operation.kind == act.PayBatch.kind and each.state is State.CONFIRMED]


async def _there(books: Books, due: Sequence[_Due]) -> dict[act.Pending, str]:
    """Those notes of *due* that their documents' histories hold already, each with the document it is on."""
    places = list(dict.fromkeys(f"{each.collection}/{each.document}" for each in due))
    if not places:
        return {}
    session = await books.session()
    pages = await session.read_all([Query(f"{place}/History", "HistoryRecords") for place in places])
    tags: dict[str | None, str] = {}
    for place, page in zip(places, pages, strict=True):
        told = (decode(HistoryRecord, row, where="HistoryRecords") for row in page.rows)
        tags |= {tag_in(each.details or ""): place for each in told}
    found = {each.itself: tags.get(tag_of(intent_key(books.tenant, each.itself))) for each in due}
    return {note: place for note, place in found.items() if place is not None}


def _adopted(due: _Due, place: str) -> act.Adopt:
    return act.Adopt(
        host_ref=due.itself.host_ref,
        revision=due.itself.revision,
        reason="the note is in its history already",
        adopted_kind=papers.AddNote.kind,
        xero_id=place,
    )


def _note(due: _Due) -> papers.AddNote:
    return papers.AddNote(
        host_ref=due.itself.host_ref,
        revision=due.itself.revision,
        reason="for the history of its document",
        collection=due.collection,
        document=due.document,
        text=due.text,
        after=(due.of,) if due.is_new else (),
    )


def _of_actions(actions: Iterable[act.Action], notes: HistoryNotes) -> Iterator[_Due]:
    for action in actions:
        if _is_noted(action):
            place = _place_of(action)
            is_new = not isinstance(action, act.Adopt)
            yield _Due(action.itself, *place, _text(action.itself, action.facts, notes), is_new)


def _place_of(action: act.Action) -> tuple[str, act.Ref]:
    """Where people look for what *action* did: a payment is told on what it pays, which shows the whole chain."""
    match action:
        case act.Adopt():
            own = _COLLECTIONS[action.adopted_kind], action.xero_id
            return _paid_by(action.adopted_kind, action.payload) or own
        case act.Pay():
            return "Invoices", action.invoice
        case papers.AllocateOverpayment() | act.RefundOverpayment():
            return "Overpayments", action.overpayment
        case act.Refund() | act.Allocate() | act.VoidCredit():
            return "CreditNotes", action.credit_note
        case act.RemovePayment():
            return _was_on(action.facts) or ("Payments", action.payment)
        case act.RemoveMoney():
            return "BankTransactions", action.transaction
        case _:
            return _COLLECTIONS[action.kind], _own(action)


def _own(action: act.Action) -> act.Ref:
    """The document that *action* makes, changes or takes back."""
    match action:
        case papers.ChangeBill():
            return action.invoice.invoice_id or ""
        case papers.ChangeCredit():
            return action.credit_note.credit_note_id or ""
        case papers.ChangeSpend():
            return action.transaction.bank_transaction_id or ""
        case papers.VoidBill():
            return action.bill
        case undone.RemoveTransfer() | undone.RemoveBatch():
            return action.removed
        case _:
            return action.itself


def _of_intents(written: Iterable[Intent], notes: HistoryNotes) -> Iterator[_Due]:
    for intent in written:
        if _DUE in intent.facts and intent.operation.kind in _COLLECTIONS:
            place = _place_of_intent(intent)
            yield _Due(intent.operation, *place, _text(intent.operation, intent.facts, notes), is_new=False)


def _place_of_intent(intent: Intent) -> tuple[str, act.Ref]:
    """As `_place_of`, of what was done."""
    own = _COLLECTIONS[intent.operation.kind], intent.target or intent.xero_id or ""
    return _paid_by(intent.operation.kind, intent.payload) or _was_on(intent.facts) or own


_PAID: Final = (("Invoice", "Invoices"), ("CreditNote", "CreditNotes"), ("Overpayment", "Overpayments"))


def _paid_by(kind: str, payload: Mapping[str, object]) -> tuple[str, str] | None:
    """What the payment or refund of this *payload* is of."""
    for name, collection in _PAID:
        paid = payload.get(name)
        if kind in {act.Pay.kind, act.Refund.kind} and isinstance(paid, Mapping):
            document = cast(Mapping[str, object], paid).get(f"{name}ID")
            return (collection, str(document)) if document else None
    return None


def _was_on(facts: Mapping[str, str]) -> tuple[str, str] | None:
    """The document that a payment was of which is removed."""
    collection, _, document = facts.get(act.WAS_ON, "").partition("/")
    return (collection, document) if document else None


def _text(operation: act.Pending, facts: Mapping[str, str], notes: HistoryNotes) -> str:
    did = _DID.get(operation.kind, "posted it")
    if operation.host_ref.startswith(act.SALE) and operation.kind == act.Allocate.kind:
        did = _DID[papers.AllocateOverpayment.kind]
    return f"{' '.join(notes.by.split())} {did}: {_about(operation, facts)[:_LONGEST]}"


def _about(operation: act.Pending, facts: Mapping[str, str]) -> str:
    """What was done, in plain words, by the host's own ids."""
    name = " ".join(operation.host_ref.split())
    if "charged_back_by" in facts:
        why = f": {DeclineReason(facts[REASON]).words}" if REASON in facts else ""
        return f"charged back, line {facts['charged_back_by']}{why}"
    if "undone" in facts:
        return f"settlement {facts['undone']} was undone"
    if name.startswith(act.SALE) and operation.kind in _OF_CUSTOMERS:
        name = name.removeprefix(act.SALE).removeprefix(SURPLUS).partition(_AGAINST)[0]
        return f"{_OF_CUSTOMERS[operation.kind]} {name}"
    for prefix, words in _PREFIXES.items():
        if name.startswith(prefix):
            return f"{words} {name.removeprefix(prefix)}"
    if operation.kind == act.PayBatch.kind:
        return "payments that moved as one sum"
    if "settlement" in facts:
        return f"settlement {facts['settlement']}, line {name}"
    return f"{_OF.get(operation.kind, 'bill')} {name}"
