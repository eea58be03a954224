"""Customers' credit set against what they owe: credit notes of the host's own, and what settlements parked (row 63)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import SALE, CreateSaleCredit, MoveMoney, Pay, PayBatch, Pending, Seen
from xerosync.engine.following import to_come
from xerosync.engine.intents import Intent, retries, text_at
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    OVERPAYMENTS,
    PAYMENTS,
    read_mirrored,
    refresh,
    stamp_of,
)
from xerosync.engine.noting import noted
from xerosync.engine.observed import intents_with, records_by, revisions, stamped
from xerosync.engine.outcomes import finding_for
from xerosync.engine.paper_actions import AllocateOverpayment, AllocateSaleCredit
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.settlement_books import SURPLUS
from xerosync.engine.settling_policies import HistoryNotes, OpenBooks, WhenLocked, open_books
from xerosync.engine.states import OPEN, State
from xerosync.engine.transactions import all_transactions, posted_for
from xerosync.models import (
    BankTransaction,
    CreditNote,
    CreditNoteId,
    DocumentStatus,
    Invoice,
    InvoiceId,
    InvoiceType,
    Overpayment,
    OverpaymentId,
)
from xerosync.money import Money, exactly
from xerosync.texts import plain_id

Allocation: TypeAlias = AllocateSaleCredit | AllocateOverpayment


@frozen(kw_only=True)
class Credit:
    """A customer's credit that stands in Xero: *name* is what the host knows it by, *written* what wrote it."""

    name: str
    written: Pending
    document: CreditNote | Overpayment
    seen: Seen

    @property
    def left(self) -> Money:
        """What is not set against anything yet."""
        stands = self.document.status == DocumentStatus.AUTHORISED
        left = self.document.remaining_credit if stands else None
        return Money(left or Decimal(0), self.document.currency_code or "XXX")

    @property
    def is_used(self) -> bool:
        """Whether a part of it is set against something, or was given back."""
        document = self.document
        spent = (document.total or Decimal(0)) - (document.remaining_credit or Decimal(0))
        return bool(document.allocations) or (document.status not in GONE and spent > 0)

    @property
    def contact(self) -> str:
        """Whose it is."""
        return (self.document.contact.contact_id or "") if self.document.contact is not None else ""

    def set_against(self, invoice: str) -> list[Decimal]:
        """The parts of it that are set against *invoice*."""
        return [
            each.amount or Decimal(0)
            for each in self.document.allocations
            if each.invoice is not None and each.invoice.invoice_id == invoice
        ]


@frozen(kw_only=True)
class Owed:
    """
    An invoice on which something is due: *free* of it is what nothing else is on its way for.

    It *waits* while a payment on it was begun of which nobody knows yet whether it stands.
    """

    invoice: Invoice
    free: Decimal
    seen: Seen
    waits: bool = False

    @property
    def age(self) -> tuple[date, date, str]:
        """What sorts the one that is due first."""
        return (
            self.invoice.due_date or date.max,
            self.invoice.date or date.max,
            self.invoice.invoice_number or "",
        )


@frozen(kw_only=True)
class KnownOwing:
    """
    What is known when credit is allocated: the credits, what is owed, and the allocations made before, by name.

    *by_hand* says that a person chose what is owed: then what somebody undid may be done again.
    """

    credits: Sequence[Credit]
    owed: Sequence[Owed]
    by_hand: bool
    before: Mapping[str, Sequence[Intent]]
    open_books: OpenBooks
    retry_refused: bool


async def allocate(
    books: Books,
    chosen: Collection[str] | None,
    invoices: Collection[str] | None,
    *,
    notes: HistoryNotes | None = None,
    retry_refused: bool,
) -> Plan:
    """Plan to set the credits *chosen*, or all, against *invoices*, or what transactions stand for."""
    before = await revisions(books, AllocateSaleCredit.kind) | await revisions(books, AllocateOverpayment.kind)
    written = [each for group in before.values() for each in group]
    found = await _credits(books, chosen)
    if not found:
        return await noted(books, Plan(tenant=books.tenant), notes, written, retry_refused=retry_refused)
    await refresh(books, INVOICES, PAYMENTS)
    known = KnownOwing(
        credits=found,
        owed=await _owed(books, {each.contact for each in found}, invoices),
        by_hand=invoices is not None,
        before=before,
        open_books=open_books(await books.organisation(), WhenLocked.REFUSE),
        retry_refused=retry_refused,
    )
    actions, findings = decide_allocations(known)
    plan = Plan(tenant=books.tenant, actions=tuple(actions), findings=tuple(findings))
    return await noted(books, plan, notes, written, retry_refused=retry_refused)


@exactly
def decide_allocations(known: KnownOwing) -> tuple[list[Allocation], list[Finding]]:
    """Each credit, the oldest first, against what its customer owes, what is due first first."""
    deciding = _Allocating(known, {each.seen.document_id: each.free for each in known.owed})
    by_contact: dict[str, list[Owed]] = defaultdict(list)
    for owed in sorted(known.owed, key=lambda each: each.age):
        by_contact[_contact(owed.invoice)].append(owed)
    for credit in sorted(known.credits, key=lambda each: (each.document.date or date.max, each.name)):
        deciding.spend(credit, by_contact[credit.contact])
    return deciding.actions, deciding.findings


@define
class _Allocating:
    known: KnownOwing
    free: dict[str, Decimal]
    actions: list[Allocation] = field(factory=list[Allocation])
    findings: list[Finding] = field(factory=list[Finding])

    def spend(self, credit: Credit, owed: Iterable[Owed]) -> None:
        """Set what is left of *credit* against what is *owed*."""
        left, told_before = credit.left.amount, len(self.findings)
        for each in owed:
            part = min(left, self.free[each.seen.document_id])
            same_currency = each.invoice.currency_code == credit.left.currency
            if part > 0 and same_currency and self._allocates(credit, each, Money(part, credit.left.currency)):
                self.free[each.seen.document_id] -= part
                left -= part
        self.findings[told_before:] = _told_once(self.findings[told_before:], credit.left)

    def _allocates(self, credit: Credit, owed: Owed, part: Money) -> bool:
        """Whether *part* is taken: planned, or perhaps set already; not what was undone in Xero, or refused."""
        name = f"{credit.written.host_ref.removeprefix(SALE)}→{owed.seen.document_id}"
        before = self.known.before.get(f"{SALE}{name}", ())
        latest, seen = (before[-1] if before else None), (credit.seen, owed.seen)
        done = [each for each in before if each.state is State.CONFIRMED]
        if len(done) > len(credit.set_against(owed.seen.document_id)) and not self.known.by_hand:
            cause = "it was set against this invoice before, and somebody undid that in Xero"
            fix = "find out why; to set it against the invoice again, name the invoice: allocate(invoices=…)"
            self.findings.append(Finding(code="removed in Xero", about=credit.name, cause=cause, fix=fix, worth=part))
            return False
        if owed.waits:
            cause = "a payment was begun on the invoice it is meant for, and nobody knows yet whether it stands"
            fix = "call recover(), then allocate() again"
            who = "nobody, it is automatic"
            self.findings.append(
                Finding(
                    code="payment in doubt", about=credit.name, cause=cause, fix=fix, who=who, worth=part, retry=True
                )
            )
            return False
        stands = latest is None or latest.state is State.CONFIRMED
        if latest is not None and not stands and not retries(latest, seen, always=self.known.retry_refused):
            self.findings += filter(None, [finding_for(latest)])
            # While nobody knows whether it stands, other credit does not take its place.
            return latest.state in OPEN
        on = max(filter(None, (owed.invoice.date, credit.document.date)), default=date.max)
        if self.known.open_books.is_closed(on):
            self.findings.append(self.known.open_books.finding(credit.name, part))
            return False
        revision = latest.operation.revision + (latest.state is State.CONFIRMED) if latest is not None else 1
        self.actions.append(_allocation(credit, owed, part, name=name, revision=revision, on=on))
        return True


def _told_once(findings: Iterable[Finding], most: Money) -> list[Finding]:
    """*findings* on one credit: what keeps it from several invoices is one, on all of that, *most* of it the whole."""
    told: dict[tuple[str, str], Finding] = {}
    for each in findings:
        before = told.get((each.code, each.about))
        both = [one.worth for one in (before, each) if one is not None and one.worth is not None]
        told[each.code, each.about] = evolve(each, worth=min(sum(both[1:], start=both[0]), most)) if both else each
    return list(told.values())


def _allocation(credit: Credit, owed: Owed, part: Money, *, name: str, revision: int, on: date) -> Allocation:
    reason = f"credit of {credit.name}, against what is due first"
    seen, facts = (credit.seen, owed.seen), {"credit": credit.written.host_ref}
    invoice = InvoiceId(owed.seen.document_id)
    if isinstance(credit.document, Overpayment):
        return AllocateOverpayment(
            host_ref=name,
            reason=reason,
            revision=revision,
            seen=seen,
            facts=facts,
            overpayment=OverpaymentId(credit.seen.document_id),
            invoice=invoice,
            amount=part,
            on=on,
        )
    return AllocateSaleCredit(
        host_ref=name,
        reason=reason,
        revision=revision,
        seen=seen,
        facts=facts,
        credit_note=CreditNoteId(credit.seen.document_id),
        invoice=invoice,
        amount=part,
        on=on,
    )


def credit_name(intent: Intent) -> str | None:
    """What the host knows the credit by that *intent* made: a sale's id, or a settlement line's. None for another."""
    name = intent.operation.host_ref
    for prefix in (SALE, SURPLUS):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return None


async def used_credits(books: Books, written: Iterable[Intent]) -> frozenset[str]:
    """The operations among *written* whose parked credit is set against something, or was given back, by name."""
    parked = {each.xero_id: each for each in written if each.xero_id and _is_parked(each)}
    found = await _documents(
        books,
        {key: each for key, each in parked.items() if each.operation.kind == CreateSaleCredit.kind},
        {key: each for key, each in parked.items() if each.operation.kind == MoveMoney.kind},
    )
    return frozenset(each.written.host_ref for each in found if each.is_used)


async def parked_credits(books: Books, lines: Collection[str]) -> list[Credit]:
    """What was parked of these *lines* of settlements, by their ids, whatever is left of it."""
    noted, moved = [
        {key: each for key, each in (await _written(books, kind, lines)).items() if _is_parked(each)}
        for kind in (CreateSaleCredit.kind, MoveMoney.kind)
    ]
    return await _documents(books, noted, moved)


async def _credits(books: Books, chosen: Collection[str] | None) -> list[Credit]:
    noted = await _written(books, CreateSaleCredit.kind, chosen)
    parked = {key: each for key, each in (await _written(books, MoveMoney.kind, chosen)).items() if _is_parked(each)}
    return [each for each in await _documents(books, noted, parked) if each.left]


async def _documents(books: Books, noted: Mapping[str, Intent], parked: Mapping[str, Intent]) -> list[Credit]:
    """The credit notes *noted*, and the overpayments of the bank transactions *parked*, both by Xero id."""
    found: list[Credit] = []
    if noted:
        await refresh(books, CREDIT_NOTES)
        for xero_id, (note, stamp) in (await stamped(books, CREDIT_NOTES, CreditNote, noted)).items():
            found.append(_credit(noted[xero_id], note, Seen(CREDIT_NOTES.name, xero_id, stamp)))
    if parked:
        await refresh(books, BANK_TRANSACTIONS, OVERPAYMENTS)
        moved = await stamped(books, BANK_TRANSACTIONS, BankTransaction, parked)
        ids = {str(one.overpayment_id): parked[key] for key, (one, _) in moved.items() if one.overpayment_id}
        for xero_id, (over, stamp) in (await stamped(books, OVERPAYMENTS, Overpayment, ids)).items():
            found.append(_credit(ids[xero_id], over, Seen(OVERPAYMENTS.name, xero_id, stamp)))
    return found


def _credit(intent: Intent, document: CreditNote | Overpayment, seen: Seen) -> Credit:
    return Credit(name=credit_name(intent) or "", written=intent.operation, document=document, seen=seen)


async def _written(books: Books, kind: str, chosen: Collection[str] | None) -> dict[str, Intent]:
    """The confirmed writes of *kind* that made a credit, those *chosen*, by Xero id."""
    written = await intents_with(books, lookup=("kind", kind), states=[State.CONFIRMED])
    named = [(credit_name(each), each) for each in written if each.xero_id]
    return {each.xero_id or "": each for name, each in named if name is not None and (chosen is None or name in chosen)}


def _is_parked(intent: Intent) -> bool:
    return intent.operation.host_ref.startswith(SURPLUS)


async def _owed(books: Books, contacts: set[str], chosen: Collection[str] | None) -> list[Owed]:
    """What these *contacts* owe, less what collections that are under way are to bring in."""
    transactions = await all_transactions(books)
    stands_for = {each.invoice_id for each in transactions} if chosen is None else set(map(plain_id, chosen))
    under_way = [each for each in transactions if each.is_live and each.status.is_under_way]
    posted = await posted_for(books, under_way)
    ahead: dict[str, Decimal] = defaultdict(Decimal)
    for each in under_way:
        ahead[each.invoice_id] += to_come(each, posted.get(each.id))
    in_doubt = await _paid_in_doubt(books)
    found: list[Owed] = []
    for record in await records_by(books, INVOICES, "contact", contacts):
        invoice = read_mirrored(record, Invoice)
        due = invoice.amount_due or Decimal(0)
        free = max(due - ahead[record.key], Decimal(0))
        is_meant = record.key in stands_for and invoice.type == InvoiceType.ACCREC
        if is_meant and invoice.status == DocumentStatus.AUTHORISED and free:
            seen = Seen(INVOICES.name, record.key, stamp_of(record))
            found.append(Owed(invoice=invoice, free=free, seen=seen, waits=record.key in in_doubt))
    return found


async def _paid_in_doubt(books: Books) -> frozenset[str]:
    """The invoices on which payments were begun that neither stand nor were refused: Xero may have them any moment."""
    states = sorted(OPEN)
    single = await intents_with(books, lookup=("kind", Pay.kind), states=states)
    batches = await intents_with(books, lookup=("kind", PayBatch.kind), states=states)
    inside = (one for batch in batches for one in batch.members)
    return frozenset(
        [*(text_at(each.payload, "Invoice", "InvoiceID") for each in single), *(each.invoice for each in inside)]
    )


def _contact(invoice: Invoice) -> str:
    return (invoice.contact.contact_id or "") if invoice.contact is not None else ""
