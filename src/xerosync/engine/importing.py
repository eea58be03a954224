"""Which sales invoices become transactions of the host, and why the others do not: pure decisions, and their flows."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import TRANSACTION, ImportInvoice, Seen
from xerosync.engine.declining import forbidden
from xerosync.engine.mirror import (
    INVOICES,
    read_mirrored,
    record_pages,
    refresh,
    reread,
    stamp_of,
    stored,
    tag_of_record,
)
from xerosync.engine.observed import all_links, links_of
from xerosync.engine.pair_actions import ConnectCustomer
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.policies import ImportPolicy, KeptPolicy, kept_policies
from xerosync.engine.transactions import (
    NO_ATTEMPTS,
    Attempts,
    all_made,
    by_invoice,
    charged_back_again,
    sales_written,
    tags_of_sales,
)
from xerosync.errors import InvalidInput
from xerosync.mapping.declines import RetryPolicy
from xerosync.mapping.transactions import ImportSettings, Transaction
from xerosync.models import DocumentStatus, Invoice, InvoiceId, InvoiceType, TenantId
from xerosync.money import Money
from xerosync.storage.protocol import Record
from xerosync.tables import Tabular

TO_IMPORT: Final = "to import"


class LeftOut(StrEnum):
    """Why an invoice does not become a transaction; `cause` says it in words, `fix` what to do."""

    NOT_CONNECTED = "customer not connected"
    NOT_APPROVED = "not approved"
    PAID = "paid"
    VOIDED = "voided or deleted"
    NOTHING_DUE = "nothing due"
    IMPORTED_BEFORE = "imported before"
    ENDED_BEFORE = "ended before"
    RETRY_FORBIDDEN = "retry not allowed"
    SUBMITTED = "submitted from here"
    BEFORE_CUT_OFF = "due before the cut-off"
    BEFORE_AUTOMATIC = "due before automatic import"
    NOT_AUTOMATIC = "not automatic"
    NOT_CHOSEN = "not chosen"
    ID_TAKEN = "transaction id taken"
    NOT_MAPPED = "cannot be mapped"

    @property
    def cause(self) -> str:
        """What is so."""
        return _WORDS[self][0]

    @property
    def fix(self) -> str:
        """What to do to have it imported."""
        return _WORDS[self][1]


_WORDS: Final[Mapping[LeftOut, tuple[str, str]]] = {
    LeftOut.NOT_CONNECTED: (
        "its contact is not connected to a customer",
        "set the customer's custom identifier to the contact's name, then match again",
    ),
    LeftOut.NOT_APPROVED: ("it is a draft, or awaits approval", "approve it in Xero"),
    LeftOut.PAID: ("it is paid", "nothing is left to collect"),
    LeftOut.VOIDED: ("it was voided or deleted in Xero", "raise a new invoice"),
    LeftOut.NOTHING_DUE: ("nothing is due on it", "nothing is left to collect"),
    LeftOut.IMPORTED_BEFORE: (
        "a transaction of it is there, and may still bring in the money",
        "delete that transaction, say so with follow(), and choose the invoice again",
    ),
    LeftOut.ENDED_BEFORE: (
        "its last transaction was deleted, declined or charged back",
        "choose it by its id to collect it again",
    ),
    LeftOut.SUBMITTED: (
        "it was submitted from here, and is settled without being imported",
        "settle it under its own id; once that has ended, say so with follow(), and choose the invoice",
    ),
    LeftOut.BEFORE_CUT_OFF: ("it was due before the day from which invoices are offered", "choose an earlier day"),
    LeftOut.BEFORE_AUTOMATIC: (
        "it was due before its customer was set to automatic import",
        "choose it by its id",
    ),
    LeftOut.NOT_AUTOMATIC: ("its customer's invoices are imported by hand", "choose it by its id, or set the policy"),
    LeftOut.NOT_CHOSEN: ("it was not among those chosen", "choose it by its id"),
    LeftOut.ID_TAKEN: (
        "the id given for its transaction is that of another one",
        "let the mapper give every transaction an id of its own",
    ),
    LeftOut.NOT_MAPPED: (
        "the mapper makes no transaction of it that can be collected",
        "correct the mapper of your ImportSettings",
    ),
    LeftOut.RETRY_FORBIDDEN: (
        "your retry policy allows no other attempt",
        "collect it in another way, or get the payer's agreement and choose it with agreed_anew=True",
    ),
}
_BY_DUE_DATE: Final = frozenset({None, LeftOut.BEFORE_CUT_OFF, LeftOut.BEFORE_AUTOMATIC})
_LEFT_OUT_BY_STATUS: Final[Mapping[str, LeftOut]] = {
    DocumentStatus.PAID: LeftOut.PAID,
    DocumentStatus.VOIDED: LeftOut.VOIDED,
    DocumentStatus.DELETED: LeftOut.VOIDED,
}


@frozen(kw_only=True, repr=False)
class ImportRow:
    """
    One invoice of a preview: the *transaction* it would become, or why it is *left_out*.

    The transaction of an invoice left out because its last one ended is what choosing it would make. *why* says more of
    one that the mapper makes nothing of.
    """

    invoice: Invoice
    stamp: str = ""
    transaction: Transaction | None = None
    left_out: LeftOut | None = None
    why: str = ""

    @property
    def can_be_chosen(self) -> bool:
        """Whether choosing it by its id would import it."""
        return self.transaction is not None

    def __repr__(self) -> str:
        return f"<ImportRow {self.left_out or TO_IMPORT}>"


@frozen(kw_only=True, repr=False)
class ImportPreview(Tabular):
    """One row an invoice, in the order of their due dates. Nothing is imported by looking."""

    lines: tuple[ImportRow, ...]

    @property
    def tallies(self) -> dict[str, int]:
        """How many rows there are of each status."""
        return _ordered(Counter(row.left_out for row in self.lines))

    def __iter__(self) -> Iterator[ImportRow]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def rows(self) -> list[dict[str, str]]:
        """One dict an invoice, for a table or a dataframe. Rows hold names and amounts: mind where they are shown."""
        return [_row(line) for line in self.lines]

    def __str__(self) -> str:
        return " · ".join(f"{count:,} {status}" for status, count in self.tallies.items()) or "no invoices"

    def __repr__(self) -> str:
        return f"<ImportPreview of {len(self.lines)} invoices>"


@frozen(kw_only=True)
class Choice:
    """
    Which invoices are looked at: those *chosen* by id, or all; due *due_from* or later; *automatic* ones alone.

    *retries* says which may be tried again, those that were *agreed_anew* in any case. Raises `InvalidInput` where that
    is said of none in particular.
    """

    chosen: frozenset[str] | None = None
    due_from: date | None = None
    automatic: bool = False
    retries: RetryPolicy = field(factory=RetryPolicy)
    agreed_anew: bool = False

    def __attrs_post_init__(self) -> None:
        if self.agreed_anew and self.chosen is None:
            raise InvalidInput("agreed_anew", "choose the invoices whose payers agreed to another attempt")


@frozen(kw_only=True)
class Importable:
    """
    What is known when imports are decided on: the customer of each connected contact, their policies, the *attempts*
    made at each invoice before, and the day it is.

    *owed_again* are the invoices that the library made where a payment was charged back and could not be removed,
    *submitted* those it made of the host's own sales, whose marks are *sales*, and whose transactions' ids are *ids*.
    *telling* are the attempts at each that say why they failed. Where *is_read_now*, every invoice was read as it is
    now.
    """

    customers: Mapping[str, str]
    policies: Mapping[str, KeptPolicy]
    attempts: Mapping[InvoiceId, Attempts]
    settings: ImportSettings
    today: date
    owed_again: AbstractSet[str] = frozenset()
    submitted: AbstractSet[str] = frozenset()
    sales: AbstractSet[str] = frozenset()
    ids: AbstractSet[str] = frozenset()
    telling: Mapping[InvoiceId, Sequence[Transaction]] = field(factory=dict[InvoiceId, "Sequence[Transaction]"])
    is_read_now: bool = False

    def attempts_at(self, invoice: Invoice) -> Attempts:
        """What was made of *invoice* before."""
        return self.attempts.get(invoice.invoice_id or InvoiceId(""), NO_ATTEMPTS)


def judge(invoice: Invoice, stamp: str, choice: Choice, known: Importable) -> ImportRow:
    """
    What becomes of the sales invoice *invoice*: a transaction, or a reason why not.

    One is made of an approved invoice on which something is due (F 6.74), whose customer is connected (R8), and of
    which no transaction is alive (R28). After one that ended, it must be chosen by id (R15).
    """
    reason = _unfit(invoice, known)
    if reason is not None:
        return ImportRow(invoice=invoice, stamp=stamp, left_out=reason)
    due = invoice.due_date or known.today
    try:
        transaction = known.settings.transaction(
            invoice,
            customer=known.customers[_contact(invoice)],
            attempt=1 + known.attempts_at(invoice).last,
            on=known.settings.calendar.day_for(due, today=known.today),
        )
    except InvalidInput as error:
        return ImportRow(invoice=invoice, stamp=stamp, left_out=LeftOut.NOT_MAPPED, why=str(error))
    if transaction.attempt > 1 and choice.agreed_anew:
        transaction = evolve(transaction, agreed_anew=True)
    row = ImportRow(invoice=invoice, stamp=stamp, transaction=transaction)
    why = forbidden(choice.retries, known.telling.get(transaction.invoice_id, ()), transaction)
    if why and (choice.chosen is None or transaction.invoice_id in choice.chosen):
        return evolve(row, transaction=None, left_out=LeftOut.RETRY_FORBIDDEN, why=why)
    reason = _passed_over(invoice.invoice_id or "", due, transaction, choice, known)
    return row if reason is None else evolve(row, left_out=reason)


def _unfit(invoice: Invoice, known: Importable) -> LeftOut | None:
    attempts = known.attempts_at(invoice)
    if invoice.invoice_id in known.submitted and not attempts.has_ended:
        return LeftOut.SUBMITTED
    if attempts.may_come:
        return LeftOut.IMPORTED_BEFORE
    if invoice.status != DocumentStatus.AUTHORISED:
        return _LEFT_OUT_BY_STATUS.get(invoice.status or "", LeftOut.NOT_APPROVED)
    if not invoice.amount_due:
        return LeftOut.NOTHING_DUE
    return None if _contact(invoice) in known.customers else LeftOut.NOT_CONNECTED


def _passed_over(
    invoice_id: str, due: date, transaction: Transaction, choice: Choice, known: Importable
) -> LeftOut | None:
    """Why an invoice that can be imported is not, by this *choice*."""
    if choice.chosen is not None and invoice_id not in choice.chosen:
        return LeftOut.NOT_CHOSEN
    if choice.due_from is not None and due < choice.due_from:
        return LeftOut.BEFORE_CUT_OFF
    if choice.automatic:
        kept = known.policies.get(transaction.customer)
        if kept is None or kept.policy is not ImportPolicy.AUTOMATIC:
            return LeftOut.NOT_AUTOMATIC
        if due < kept.since:
            return LeftOut.BEFORE_AUTOMATIC
    was_tried = transaction.attempt > 1 or invoice_id in known.owed_again
    return LeftOut.ENDED_BEFORE if was_tried and choice.chosen is None else None


@frozen
class Imports:
    """
    The plan as it grows row by row; *taken* are the ids of transactions there were.

    Its tallies count the invoices left out by reason. Those that wait for a customer are findings, and so is whatever
    was chosen and is left out.
    """

    choice: Choice
    taken: set[str]
    actions: list[ImportInvoice] = field(factory=list[ImportInvoice])
    findings: list[Finding] = field(factory=list[Finding])
    tallies: Counter[LeftOut | None] = field(factory=Counter[LeftOut | None])
    met: set[str] = field(factory=set[str])

    def take(self, row: ImportRow) -> None:
        """Plan *row*, or count it."""
        invoice_id = row.invoice.invoice_id or ""
        self.met.add(invoice_id)
        reason = row.left_out
        if reason is None and row.transaction is not None:
            reason = self._import(row.transaction, Seen("invoice", invoice_id, row.stamp))
        if reason is not None and self._is_said(reason, invoice_id):
            due = row.invoice.amount_due
            worth = None if due is None else Money(due, row.invoice.currency_code or "XXX")
            self.findings.append(finding_on(reason, invoice_id, worth, why=row.why))
        self.tallies[reason] += 1

    def plan(self, tenant: TenantId) -> Plan:
        """The plan of all rows so far."""
        missed = sorted((self.choice.chosen or frozenset()) - self.met)
        return Plan(
            tenant=tenant,
            actions=tuple(self.actions),
            findings=(*self.findings, *map(_unknown, missed)),
            tallies=_ordered(self.tallies),
        )

    def _import(self, transaction: Transaction, seen: Seen) -> LeftOut | None:
        if transaction.id in self.taken:
            return LeftOut.ID_TAKEN
        self.taken.add(transaction.id)
        again = f", attempt {transaction.attempt}" if transaction.attempt > 1 else ""
        reason = f"approved, due, and its customer is connected{again}"
        self.actions.append(ImportInvoice.remember(transaction, reason=reason, seen=(seen,)))
        return None

    def _is_said(self, reason: LeftOut, invoice_id: str) -> bool:
        """Whether a person must hear of it: of what was chosen, all; else what waits for a customer or an id."""
        if self.choice.chosen is not None and reason is not LeftOut.ID_TAKEN:
            return invoice_id in self.choice.chosen
        is_faulty = reason in {LeftOut.ID_TAKEN, LeftOut.NOT_MAPPED}
        return is_faulty or (reason is LeftOut.NOT_CONNECTED and not self.choice.automatic)


async def preview(books: Books, settings: ImportSettings, choice: Choice) -> ImportPreview:
    """Every sales invoice with what would become of it, those due first first."""
    found = [row async for some in _judged(books, choice, await importable(books, settings)) for row in some]
    found.sort(key=lambda row: (row.invoice.due_date or date.max, row.invoice.invoice_number or ""))
    return ImportPreview(lines=tuple(found))


async def import_invoices(books: Books, settings: ImportSettings, choice: Choice) -> Plan:
    """The imports to make by *choice*."""
    known = await importable(books, settings)
    imports = Imports(choice, {*known.ids})
    async for rows in _judged(books, choice, known):
        imports.taken.update(await ids_taken(books, rows))
        for row in rows:
            imports.take(row)
    return imports.plan(books.tenant)


async def importable(books: Books, settings: ImportSettings) -> Importable:
    """What imports are decided by, read anew."""
    await refresh(books, INVOICES)
    written = await sales_written(books)
    made = await all_made(books, written)
    return Importable(
        customers=await customers_by_contact(books),
        policies=await kept_policies(books),
        attempts=made.attempts,
        settings=settings,
        today=settings.calendar.today(books.clock.now()),
        owed_again=charged_back_again(written),
        sales=tags_of_sales(written),
        ids=made.ids,
        telling=by_invoice(made.telling),
    )


async def ids_taken(books: Books, rows: Iterable[ImportRow]) -> set[str]:
    """Those ids which *rows* would give to transactions, and which are others' already."""
    wanted = [row.transaction.id for row in rows if row.transaction is not None and row.left_out is None]
    return set(await links_of(books, TRANSACTION, wanted))


async def customers_by_contact(books: Books) -> dict[str, str]:
    """The customer that each connected contact is."""
    return {link["xero_id"]: link["host_id"] for link in await all_links(books, ConnectCustomer.kind)}


async def _judged(books: Books, choice: Choice, known: Importable) -> AsyncIterator[list[ImportRow]]:
    """The rows for all sales invoices of the mirror, some at a time."""
    again: list[Record] = []
    async for some in record_pages(books, INVOICES.kind):
        rows, unsure = judged(some, choice, known)
        again += unsure
        yield rows
    yield await judged_again(books, again, choice, known)


def judged(mirrored: Iterable[Record], choice: Choice, known: Importable) -> tuple[list[ImportRow], list[Record]]:
    """
    A row for each sales invoice among those *mirrored*; and those which are to be judged again, once read again.

    Xero does not stamp it when the due date of a part-paid one changes (F 4.23): so for those on whose day something
    depends.
    """
    rows: list[ImportRow] = []
    again: list[Record] = []
    for record in mirrored:
        if ("type", InvoiceType.ACCREC) not in record.lookups:
            continue
        row = _judged_one(record, choice, known)
        if row.left_out in _BY_DUE_DATE and is_part_paid(row.invoice) and not known.is_read_now:
            again.append(record)
        else:
            rows.append(row)
    return rows, again


async def judged_again(books: Books, unsure: Sequence[Record], choice: Choice, known: Importable) -> list[ImportRow]:
    """The rows of those *unsure*, as they are in Xero now."""
    await reread(books, INVOICES, [record.key for record in unsure])
    now = await stored(books, [record.identity for record in unsure])
    return [_judged_one(record, choice, known) for record in now]


def _judged_one(record: Record, choice: Choice, known: Importable) -> ImportRow:
    # An invoice of our own may be there before its answer has come.
    tag = tag_of_record(record)
    if tag in known.sales:
        known = evolve(known, submitted=frozenset({record.key}))
    elif tag is not None:
        known = evolve(known, owed_again=known.owed_again | {record.key})
    return judge(read_mirrored(record, Invoice), stamp_of(record), choice, known)


def is_part_paid(invoice: Invoice) -> bool:
    """Whether money is applied to *invoice*, so that its due date may change unstamped (F 4.23)."""
    return bool(invoice.amount_paid or invoice.amount_credited)


def _contact(invoice: Invoice) -> str:
    return (invoice.contact.contact_id or "") if invoice.contact is not None else ""


def finding_on(reason: LeftOut, about: str, worth: Money | None, *, why: str = "") -> Finding:
    """The finding that what it is *about* is left out, for a *reason* of which *why* says more."""
    return Finding(
        code=reason.value,
        about=about,
        cause=f"{reason.cause}: {why}" if why else reason.cause,
        fix=reason.fix,
        retry=reason is LeftOut.NOT_CONNECTED,
        worth=worth,
    )


def _ordered(counted: Mapping[LeftOut | None, int]) -> dict[str, int]:
    return {str(reason or TO_IMPORT): counted[reason] for reason in (None, *LeftOut) if counted.get(reason)}


def _unknown(invoice_id: str) -> Finding:
    return Finding(
        code="invoice unknown",
        about=invoice_id,
        cause="no sales invoice with this id is among those read from Xero",
        fix="choose by the ids that the preview shows",
    )


def _row(line: ImportRow) -> dict[str, str]:
    invoice, transaction = line.invoice, line.transaction
    due = Money(invoice.amount_due or Decimal(0), invoice.currency_code or "XXX")
    return {
        "invoice_id": invoice.invoice_id or "",
        "invoice_number": invoice.invoice_number or "",
        "contact": (invoice.contact.name or "") if invoice.contact is not None else "",
        "due": str(invoice.due_date or ""),
        "amount": str(due),
        "on": str(transaction.on or "") if transaction is not None else "",
        "status": str(line.left_out or TO_IMPORT),
        "remedy": line.left_out.fix if line.left_out is not None else "",
    }
