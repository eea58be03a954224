"""Planning to undo a settlement, or a run: what was written, how it stands now, and then the decision."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from xerosync.client._books import Books
from xerosync.engine import actions as act
from xerosync.engine.actions import Pending, Seen
from xerosync.engine.drift_report import DriftField
from xerosync.engine.drifting import changes
from xerosync.engine.given_again import OF_RUN, UNDONE, WHOLE
from xerosync.engine.intents import Intent, intent_key, tag_of
from xerosync.engine.line_drift import Paper, lines_changed
from xerosync.engine.mirror import (
    BATCH_PAYMENTS,
    GONE,
    OVERPAYMENTS,
    PAYMENTS,
    Shelf,
    refresh,
    stored,
)
from xerosync.engine.noting import noted
from xerosync.engine.observed import intents_with, stamped, survivors
from xerosync.engine.overtaking import written_for, written_in
from xerosync.engine.payouts import PAYOUT, PAYS_PORTIONS, operations, portions_in
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.remembering import standing_as
from xerosync.engine.restoring import current, current_of, put_back_since
from xerosync.engine.settlement_books import line_of
from xerosync.engine.settling_policies import (
    HistoryNotes,
    SettlementSettings,
    WhenLocked,
    closed_up_to,
    open_books,
)
from xerosync.engine.states import NEVER_LEFT, OPEN, State
from xerosync.engine.strays import document_of, stray_key
from xerosync.engine.trail import RUN, TRAIL
from xerosync.engine.undoing import Document, Posted, Undoing, decide_undo, is_to_be_undone
from xerosync.engine.written import all_changes, written_as
from xerosync.engine.written_on import WRITTEN_ON
from xerosync.errors import InvalidInput
from xerosync.mapping.settlement import LineKind, Settlement, checked_settlements
from xerosync.models import (
    BankTransaction,
    BatchPayment,
    Overpayment,
)

_HELD_ON: Final[Mapping[str, tuple[Shelf, type[Document]]]] = {
    **WRITTEN_ON,
    act.PayBatch.kind: (BATCH_PAYMENTS, BatchPayment),
}


async def undo_settlement(books: Books, chosen: SettlementSettings, settlement: Settlement) -> Plan:
    """
    Plan to take back all that was posted for *settlement*, or say why nothing of it can be.

    Lines that had been posted in others, and were paid out with it, are of it.
    """
    books = books.reading_once()
    (settlement,) = checked_settlements([settlement])
    # It may have been posted with lines that it is given without.
    posted = await written_for(books, settlement.id)
    costs = await current_of(books, operations(settlement.id))
    portions = portions_in(each for each in costs.values() if each.state is not State.REJECTED)
    names = dict.fromkeys([*(line.id for line in settlement.lines), *sorted(portions)])
    named = await current_of(books, standing_as(names))
    found = {each.key: each for each in (*posted, *costs.values(), *named.values())}
    returned = [line.id for line in settlement.lines if line.kind is LineKind.CHARGED_BACK]
    for name in dict.fromkeys([*returned, *sorted(portions)]):
        found |= {each.key: each for each in await intents_with(books, lookup=("charged_back_by", name))}
    asked = [*standing_as(names), *operations(settlement.id)]
    if lost := await _forgotten(books, settlement, asked, {**costs, **named}, is_known=bool(found)):
        return Plan(tenant=books.tenant, findings=(lost,), whole=True)
    others = [each for each in found.values() if _is_of_another(each, settlement, portions)]
    if others := await _standing(books, others):
        findings = tuple(_of_another(each, settlement) for each in others)
        return Plan(tenant=books.tenant, findings=findings, whole=True)
    undoing = Undoing(
        reason=f"settlement {settlement.id} is undone",
        facts={UNDONE: settlement.id, WHOLE: "yes"},
        currency=settlement.proof.net.currency,
    )
    written = list(found.values())
    paid_out = await _paid_out(books, written)
    return await _taken_back(
        books, written, undoing, paid_out=paid_out, when_locked=chosen.when_locked, notes=chosen.notes
    )


async def _forgotten(
    books: Books, settlement: Settlement, asked: Iterable[Pending], known: Mapping[str, Intent], *, is_known: bool
) -> Finding | None:
    """
    The finding that our marks of something that is *asked* for stand in Xero, and the store does not know them, or that
    nothing of *settlement* *is_known*: it was set back, and what stands must not be passed over in silence.
    """
    await refresh(books, PAYMENTS)  # so that a store which was just set back meets them
    left = {key for key, each in known.items() if each.state not in NEVER_LEFT}
    keys = {key for each in asked if (key := intent_key(books.tenant, each)) not in left}
    strays = await stored(books, (stray_key(books, tag_of(key)) for key in keys))
    documents = set(map(document_of, strays))
    for shelf, model in {shelf.name: (shelf, model) for shelf, model in _HELD_ON.values()}.values():
        found = await stamped(books, shelf, model, documents)
        documents -= {xero_id for xero_id, (document, _) in found.items() if document.status in GONE}
    if is_known and not documents:
        return None
    cause = "nothing is recorded of it: it was not posted under this id, or the store was set back"
    fix = "give it as it was posted; of a store that was set back call audit(adopt=True) and settle() first"
    if documents:
        cause = (
            f"{len(documents)} of its documents bear our marks in Xero, and this store, set back, does not know them"
        )
        fix = "call audit(adopt=True) and plan settle(), which takes them over; then undo it"
    return Finding(code="cannot be undone", about=settlement.id, cause=cause, fix=fix)


def _is_of_another(written: Intent, settlement: Settlement, portions: Container[str]) -> bool:
    """Whether something of one of the lines was posted for another settlement, whose fees and payout would stay."""
    own = written.facts.get("settlement", settlement.id) == settlement.id or line_of(written) in portions
    return written.operation.kind in _HELD_ON and written.state is State.CONFIRMED and not own


async def _standing(books: Books, written: Sequence[Intent]) -> list[Intent]:
    """Those of *written* whose document was not removed in Xero, by whomever."""
    documents, _ = await _as_they_stand(books, written)
    there = {each.key: documents.get(each.xero_id or "") for each in written}
    return [each for each in written if (document := there[each.key]) is None or document.status not in GONE]


def _of_another(written: Intent, settlement: Settlement) -> Finding:
    return Finding(
        code="cannot be undone",
        about=written.operation.host_ref,
        cause=f"it was posted for settlement {written.facts['settlement']}, not for {settlement.id}",
        fix="give the settlement that it was posted for, under its own id",
    )


async def _paid_out(books: Books, written: Iterable[Intent], *, later: bool = False) -> dict[str, Intent]:
    """
    The payouts that hold money of *written* and are not among it, each by the key of what it holds.

    Of those that were there before what they hold, such as what was put back since, none where only *later* ones count.
    """
    each_alone = {one.key: one for each in written for one in (each, *each.as_single()) if "settlement" in one.facts}
    if not each_alone:
        return {}
    settlements = dict.fromkeys(each.facts["settlement"] for each in each_alone.values())
    own = await current_of(books, (each for one in settlements for each in operations(one)))
    other = current(await intents_with(books, lookup=PAYS_PORTIONS))
    payouts = {each.key: each for each in (*own.values(), *other) if _is_payout(each) and each.key not in each_alone}
    holding: dict[str, Intent] = {}
    for payout in await _standing(books, list(payouts.values())):
        settlement, portions = payout.operation.host_ref.removeprefix(PAYOUT), portions_in([payout])
        for key, each in each_alone.items():
            holds = each.facts["settlement"] == settlement or line_of(each) in portions
            if holds and (not later or _came_later(payout, each)):
                holding[key] = payout
    return holding


def _came_later(payout: Intent, written: Intent) -> bool:
    """Whether *payout* was sent after *written*, or is still to be; one that was taken over never was."""
    if payout.claimed_at is None or payout.state in OPEN:
        return payout.state in OPEN
    return written.claimed_at is None or payout.claimed_at > written.claimed_at


def _is_payout(written: Intent) -> bool:
    """Whether *written* is a payout that moved money, or that nobody knows of whether it did."""
    done = written.state is State.CONFIRMED or written.state in OPEN
    return done and written.operation.host_ref.startswith(PAYOUT)


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
    paid_out = await _paid_out(books, [*written, *anew], later=True)
    put_back = frozenset(each.key for each in anew)
    return await _taken_back(books, [*written, *anew], undoing, paid_out=paid_out, anew=put_back)


async def _taken_back(
    books: Books,
    written: Sequence[Intent],
    undoing: Undoing,
    *,
    paid_out: Mapping[str, Intent],
    when_locked: WhenLocked = WhenLocked.REFUSE,
    notes: HistoryNotes | None = None,
    anew: frozenset[str] = frozenset(),
) -> Plan:
    organisation = await books.organisation()
    written = [*written, *await _batches_of(books, written)]
    about = [(name, value) for name, value in undoing.facts.items() if name in {UNDONE, OF_RUN}]
    before = [each for one in about for each in await intents_with(books, lookup=one)]
    undone = [each for each in before if undoing.facts.items() <= each.facts.items()]
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
        paid_out=paid_out,
        begun=bool(undone),
    )
    actions, findings = decide_undo(undoing, posted)
    plan = Plan(
        tenant=books.tenant,
        actions=tuple(actions),
        findings=tuple(findings),
        whole=True,
        closed_up_to=_may_close_up_to(documents.values(), closed_up_to(organisation)),
        known=frozenset(each.key for each in (*written, *paid_out.values()) if each.state is State.CONFIRMED),
    )
    return await noted(books, plan, notes, before)


def _may_close_up_to(documents: Iterable[Document], closed: date | None) -> date | None:
    """The last day up to which books *closed* so far may be closed before *documents* are taken back."""
    days = [each.date for each in documents if each.status not in GONE]
    known = [day for day in days if day is not None]
    if not known or len(known) < len(days):
        return closed
    # What people typed and is left alone may lie in closed books already.
    return max(filter(None, [min(known) - timedelta(days=1), closed]))


async def is_more_to_undo(books: Books, plan: Plan) -> bool:
    """Whether more is written of what *plan* undoes, or was paid out of it, than was known when it was made."""
    written: list[Intent] = []
    for settlement in {each.facts[UNDONE]: None for each in plan if WHOLE in each.facts}:
        own = await written_for(books, settlement)
        written += [*own, *(await _paid_out(books, own)).values()]
    for run in {each.facts[OF_RUN]: None for each in plan if OF_RUN in each.facts}:
        own = await written_in(books, run)
        own += await put_back_since(books, own)
        written += [*own, *(await _paid_out(books, own, later=True)).values()]
    return any(is_to_be_undone(each) and each.key not in plan.known for each in written)


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
