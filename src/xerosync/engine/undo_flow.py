"""Planning to undo a settlement, or a run: what was written, how it stands now, and then the decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from xerosync.client._books import Books
from xerosync.engine import actions as act
from xerosync.engine.actions import Seen
from xerosync.engine.drift_report import DriftField
from xerosync.engine.drifting import changes
from xerosync.engine.intents import Intent
from xerosync.engine.line_drift import Paper, lines_changed
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    BATCH_PAYMENTS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    OVERPAYMENTS,
    PAYMENTS,
    Shelf,
    refresh,
)
from xerosync.engine.noting import noted
from xerosync.engine.observed import intents_with, stamped, survivors
from xerosync.engine.overtaking import written_for, written_in
from xerosync.engine.payouts import operations
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.remembering import standing_for
from xerosync.engine.restoring import current_of, put_back_since
from xerosync.engine.settling_policies import (
    HistoryNotes,
    SettlementSettings,
    WhenLocked,
    closed_up_to,
    open_books,
)
from xerosync.engine.states import State
from xerosync.engine.trail import RUN, TRAIL
from xerosync.engine.undoing import OF_RUN, WHOLE, Document, Posted, Undoing, decide_undo
from xerosync.engine.written import all_changes, written_as
from xerosync.errors import InvalidInput
from xerosync.mapping.settlement import LineKind, Settlement, checked_settlements
from xerosync.models import (
    BankTransaction,
    BankTransfer,
    BatchPayment,
    CreditNote,
    Invoice,
    Overpayment,
    Payment,
)

_HELD_ON: Final[Mapping[str, tuple[Shelf, type[Document]]]] = {
    act.Pay.kind: (PAYMENTS, Payment),
    act.Refund.kind: (PAYMENTS, Payment),
    act.PayBatch.kind: (BATCH_PAYMENTS, BatchPayment),
    act.MoveMoney.kind: (BANK_TRANSACTIONS, BankTransaction),
    act.Transfer.kind: (BANK_TRANSFERS, BankTransfer),
    act.CreateBill.kind: (INVOICES, Invoice),
    act.CreateSale.kind: (INVOICES, Invoice),
    act.CreateCreditNote.kind: (CREDIT_NOTES, CreditNote),
    act.CreateSaleCredit.kind: (CREDIT_NOTES, CreditNote),
}


async def undo_settlement(books: Books, chosen: SettlementSettings, settlement: Settlement) -> Plan:
    """Plan to take back all that was posted for *settlement*, or say why nothing of it can be."""
    (settlement,) = checked_settlements([settlement])
    # It may have been posted with lines that it is given without.
    posted = await written_for(books, settlement.id)
    named = await current_of(books, [*standing_for(settlement.lines), *operations(settlement.id)])
    others = tuple(_of_another(each, settlement) for each in named.values() if _is_of_another(each, settlement))
    if others:
        return Plan(tenant=books.tenant, findings=others, whole=True)
    found = {each.key: each for each in (*posted, *named.values())}
    for line in settlement.lines:
        if line.kind is LineKind.CHARGED_BACK:
            found |= {each.key: each for each in await intents_with(books, lookup=("charged_back_by", line.id))}
    undoing = Undoing(
        reason=f"settlement {settlement.id} is undone",
        facts={"undone": settlement.id, WHOLE: "yes"},
        currency=settlement.proof.net.currency,
    )
    return await _taken_back(books, list(found.values()), undoing, when_locked=chosen.when_locked, notes=chosen.notes)


def _is_of_another(written: Intent, settlement: Settlement) -> bool:
    """Whether a payment of one of the lines was posted for another settlement, whose fees and payout would stay."""
    own = written.facts.get("settlement", settlement.id) == settlement.id
    return written.operation.kind == act.Pay.kind and written.state is State.CONFIRMED and not own


def _of_another(written: Intent, settlement: Settlement) -> Finding:
    return Finding(
        code="cannot be undone",
        about=written.operation.host_ref,
        cause=f"it was posted for settlement {written.facts['settlement']}, not for {settlement.id}",
        fix="give the settlement that it was posted for, under its own id",
    )


async def undo_run(books: Books, run: str) -> Plan:
    """Plan to take back all that was decided in *run*, whoever carried it out, or say why nothing of it can be."""
    books = books.reading_once()
    written = await written_in(books, run)
    if not written and not await books.storage.query(TRAIL, books.tenant, lookup=(RUN, run), limit=1):
        raise InvalidInput("run", "nothing is recorded of it: give the run of a Report, or of a line of trail()")
    anew = await put_back_since(books, written)
    organisation = await books.organisation()
    undoing = Undoing(
        reason="the run that wrote it is undone",
        facts={OF_RUN: run},
        currency=organisation.base_currency or "XXX",
        leaves_typed=True,
    )
    return await _taken_back(books, [*written, *anew], undoing, anew=frozenset(each.key for each in anew))


async def _taken_back(
    books: Books,
    written: Sequence[Intent],
    undoing: Undoing,
    *,
    when_locked: WhenLocked = WhenLocked.REFUSE,
    notes: HistoryNotes | None = None,
    anew: frozenset[str] = frozenset(),
) -> Plan:
    organisation = await books.organisation()
    written = [*written, *await _batches_of(books, written)]
    documents, seen = await _as_they_stand(books, written)
    recoded, updated = await _changed_since(books, written, documents, seen)
    posted = Posted(
        written=written,
        documents=documents,
        seen=seen,
        open_books=open_books(organisation, when_locked),
        used=await _used(books, documents.values()),
        recoded=recoded,
        updated=updated,
        survivors=await survivors(books, _contacts_left(written, documents)),
        anew=anew,
    )
    actions, findings = decide_undo(undoing, posted)
    plan = Plan(
        tenant=books.tenant,
        actions=tuple(actions),
        findings=tuple(findings),
        whole=True,
        closed_up_to=closed_up_to(organisation),
        known=frozenset(each.key for each in written if each.state is State.CONFIRMED),
    )
    undone: list[Intent] = []
    if notes is not None:
        for name, value in undoing.facts.items():
            undone += await intents_with(books, lookup=(name, value))
    return await noted(books, plan, notes, undone)


async def _batches_of(books: Books, written: Sequence[Intent]) -> list[Intent]:
    """The batches that payments of *written* moved in, those that are not among them."""
    known = {each.xero_id for each in written}
    moved_in = dict.fromkeys(each.facts.get("batch", "") for each in written if each.operation.kind == act.Pay.kind)
    wanted = [batch for batch in moved_in if batch and batch not in known]
    found = [each for batch in wanted for each in await intents_with(books, lookup=("xero_id", batch))]
    return [each for each in found if each.operation.kind == act.PayBatch.kind]


async def _as_they_stand(books: Books, written: Sequence[Intent]) -> tuple[dict[str, Document], dict[str, Seen]]:
    by_shelf: dict[str, tuple[Shelf, type[Document], list[str]]] = {}
    for intent in written:
        if intent.operation.kind in _HELD_ON and intent.xero_id:
            shelf, model = _HELD_ON[intent.operation.kind]
            by_shelf.setdefault(shelf.name, (shelf, model, []))[2].append(intent.xero_id)
    await refresh(books, *(shelf for shelf, _, _ in by_shelf.values()))
    documents: dict[str, Document] = {}
    seen: dict[str, Seen] = {}
    for shelf, model, ids in by_shelf.values():
        for xero_id, (document, stamp) in (await stamped(books, shelf, model, ids)).items():
            documents[xero_id] = document
            if stamp:
                seen[xero_id] = Seen(shelf.name, xero_id, stamp)
    return documents, seen


async def _changed_since(
    books: Books, written: Sequence[Intent], documents: Mapping[str, Document], seen: Mapping[str, Seen]
) -> tuple[frozenset[str], frozenset[str]]:
    """The ids of those *documents* whose lines people booked otherwise, and of those that a later run changed."""
    ours = {each.xero_id: each for each in written if each.xero_id and isinstance(documents.get(each.xero_id), Paper)}
    if not ours:
        return frozenset(), frozenset()
    changed = await all_changes(books)
    as_written = {key: written_as(each, changed) for key, each in ours.items()}
    updated = frozenset(key for key, each in as_written.items() if each.edits)
    standing = {
        key: (each, seen[key].stamp)
        for key, each in documents.items()
        if isinstance(each, Paper) and each.status not in GONE and key in seen and key in ours and key not in updated
    }
    lines = await lines_changed(books, as_written, standing)
    return frozenset(key for key, each in lines.items() if each.lines is not None), updated


def _contacts_left(written: Iterable[Intent], documents: Mapping[str, Document]) -> set[str]:
    """The contacts that *documents* were written for, and are not of any more."""
    there = ((each, documents.get(each.xero_id or "")) for each in written)
    return {
        was
        for each, document in there
        if document is not None and not isinstance(document, BatchPayment)
        for of, was, _ in changes(each, document)
        if of is DriftField.CONTACT
    }


async def _used(books: Books, documents: Iterable[Document]) -> frozenset[str]:
    """Those overpayments among *documents* of whose money something was set against another document."""
    parked = {
        str(each.overpayment_id): each.bank_transaction_id or ""
        for each in documents
        if isinstance(each, BankTransaction) and each.overpayment_id and each.status not in GONE
    }
    if parked:
        await refresh(books, OVERPAYMENTS)
    overpaid = await stamped(books, OVERPAYMENTS, Overpayment, parked)
    whole = {parked[key] for key, (each, _) in overpaid.items() if each.remaining_credit == each.total}
    return frozenset(parked.values()) - whole
