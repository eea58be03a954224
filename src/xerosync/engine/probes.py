"""How each kind of write is found again in Xero when its answer was lost, and what finding it means."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar, cast

from attrs import AttrsInstance, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.client._paging import whole_pages, whole_rows
from xerosync.client._session import Query
from xerosync.client._wire.codec import Json, decode
from xerosync.client._wire.names import id_name
from xerosync.client._wire.outgoing import encode
from xerosync.engine.intents import Intent, tag_in
from xerosync.engine.mirror import GONE
from xerosync.engine.states import State
from xerosync.errors import NotFound
from xerosync.matching.names import plain_name
from xerosync.models import (
    Account,
    AccountStatus,
    Attachment,
    BankTransaction,
    BankTransfer,
    BatchPayment,
    Contact,
    ContactStatus,
    CreditNote,
    HistoryRecord,
    Invoice,
    InvoiceId,
    InvoiceType,
    LinkedTransaction,
    LinkedTransactionStatus,
    Overpayment,
    Payment,
    PaymentStatus,
    PaymentType,
)
from xerosync.models.base import own_id

T = TypeVar("T", bound=AttrsInstance)
C = TypeVar("C", CreditNote, Overpayment)
D = TypeVar("D", Invoice, CreditNote, Payment, BankTransaction, BankTransfer, BatchPayment)


# Guid filters are some 90 characters each when encoded, and URLs should stay below 4,000 (F 4.17).
_AT_ONCE: Final = 25


@frozen(repr=False)
class Found:
    """
    A document in Xero that may be what an intent wrote: *ours* carries its mark, *stands* was not removed since.

    *payments* are the ids of the payments in a batch, by what each pays.
    """

    xero_id: str
    ours: bool
    stands: bool = True
    payments: Mapping[str, str] = field(factory=dict[str, str])


def conclude(found: Sequence[Found]) -> State:
    """What a probe means. Nothing found: it may be sent again, under a new key (reliability 4.2)."""
    ours = [each for each in found if each.ours]
    match [each for each in ours if each.stands]:
        case [] if ours:
            return State.REMOVED
        case [] if any(each.stands for each in found):
            return State.SUSPECT
        case []:
            return State.INTENDED
        case [_]:
            return State.CONFIRMED
        case _:
            return State.CONFLICT


async def _rows(
    books: Books,
    collection: str,
    model: type[T],
    clauses: Sequence[str],
    also: str = "",
    *,
    params: Mapping[str, str] | None = None,
) -> list[T]:
    """All rows of *collection* that any of *clauses* fits, and *also*."""
    session = await books.session()
    rows: list[T] = []
    wanted = list(dict.fromkeys(clauses))
    for start in range(0, len(wanted), _AT_ONCE):
        where = " OR ".join(wanted[start : start + _AT_ONCE])
        where = f"({where}) AND {also}" if also else where
        query = Query(collection, collection, {**(params or {}), "where": where})
        rows += [decode(model, row, where=collection) async for row in whole_rows(session, query, id_name(model))]
    return rows


def _payload_id(intent: Intent, *path: str) -> str:
    value: object = intent.payload
    for name in path:
        value = cast(Json, value)[name] if isinstance(value, Mapping) else ""
    return str(value)


async def _probe_payments(books: Books, intents: Sequence[Intent], key: str) -> dict[str, list[Found]]:
    document = {intent.key: _payload_id(intent, *key.split(".")) for intent in intents}
    # The payment of a credit note stands under Invoice too, with the credit note's id (F 6.119).
    clauses = [f'Invoice.InvoiceID==guid("{each}")' for each in document.values()]
    paid: dict[str, list[Payment]] = {}
    for payment in await _rows(books, "Payments", Payment, clauses):
        on = payment.invoice.invoice_id if payment.invoice is not None else None
        paid.setdefault(on or "", []).append(payment)
    found: dict[str, list[Found]] = {}
    for intent in intents:
        found[intent.key] = []
        for payment in paid.get(document[intent.key], []):
            ours = tag_in(payment.reference or "") == intent.tag
            if _may_be(intent, payment) and (ours or not await _is_known(books, payment.payment_id or "")):
                stands = payment.status != PaymentStatus.DELETED
                found[intent.key].append(Found(payment.payment_id or "", ours=ours, stands=stands))
    return found


async def _is_known(books: Books, xero_id: str) -> bool:
    """Whether a document without a mark is known as that of another write: taken over, or moved in a batch."""
    return bool(await books.storage.query("intent", books.tenant, lookup=("xero_id", xero_id), limit=1))


def _may_be(intent: Intent, payment: Payment) -> bool:
    tag = tag_in(payment.reference or "")
    if tag is not None:
        return tag == intent.tag
    same_day = payment.date is not None and payment.date.isoformat() == intent.payload.get("Date")
    return same_day and payment.amount == Decimal(str(intent.payload.get("Amount")))


async def probe_invoice_payments(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the tag in its reference, among the payments of its invoice or bill."""
    return await _probe_payments(books, intents, "Invoice.InvoiceID")


async def probe_refunds(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the tag in its reference, among the payments of its credit note, or the overpayments' refunds of that day."""
    of_notes = [each for each in intents if "Overpayment" not in each.payload]
    others = [each for each in intents if "Overpayment" in each.payload]
    found = await _probe_payments(books, of_notes, "CreditNote.CreditNoteID")
    # No fact says under which key Xero shows what such a payment is of.
    also = f'PaymentType=="{PaymentType.AROVERPAYMENTPAYMENT.value}"'
    paid = await _rows(books, "Payments", Payment, [_on(each) for each in others], also)
    return found | _by_tag(others, paid, lambda one: one.reference)


async def probe_bills(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the tag in its link, among the vendor's bills."""
    return _by_tag(intents, await _invoices(books, intents, InvoiceType.ACCPAY), lambda bill: bill.url)


async def probe_sales(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the tag in its reference, among the customer's invoices."""
    return _by_tag(intents, await _invoices(books, intents, InvoiceType.ACCREC), lambda sale: sale.reference)


async def probe_credit_notes(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the tag behind its first line's description, among the vendor's credit notes."""
    notes = await _credit_notes(books, intents, InvoiceType.ACCPAYCREDIT)
    return _by_tag(intents, notes, lambda note: note.line_items[0].description if note.line_items else None)


async def probe_sale_credits(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the tag in its reference, among the customer's credit notes."""
    notes = await _credit_notes(books, intents, InvoiceType.ACCRECCREDIT)
    return _by_tag(intents, notes, lambda note: note.reference)


async def _invoices(books: Books, intents: Sequence[Intent], kind: InvoiceType) -> list[Invoice]:
    return await _rows(books, "Invoices", Invoice, _contacts(intents), f'Type=="{kind.value}"')


async def _credit_notes(books: Books, intents: Sequence[Intent], kind: InvoiceType) -> list[CreditNote]:
    return await _rows(books, "CreditNotes", CreditNote, _contacts(intents), f'Type=="{kind.value}"')


def _contacts(intents: Sequence[Intent]) -> list[str]:
    return [f'Contact.ContactID==guid("{_payload_id(intent, "Contact", "ContactID")}")' for intent in intents]


def _by_tag(
    intents: Sequence[Intent], documents: Iterable[D], marked: Callable[[D], str | None]
) -> dict[str, list[Found]]:
    by_tag: dict[str | None, list[Found]] = {}
    for document in documents:
        xero_id = getattr(document, own_id(type(document))) or ""
        found = Found(xero_id, ours=True, stands=document.status not in GONE)
        by_tag.setdefault(tag_in(marked(document) or ""), []).append(found)
    return {intent.key: by_tag.get(intent.tag, []) for intent in intents}


async def probe_bank_transactions(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the tag in its reference, among its bank account's transactions of that day."""
    clauses = [
        f'(BankAccount.AccountID==guid("{_payload_id(intent, "BankAccount", "AccountID")}") AND {_on(intent)})'
        for intent in intents
    ]
    return _by_tag(intents, await _rows(books, "BankTransactions", BankTransaction, clauses), lambda one: one.reference)


async def probe_transfers(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the tag in its reference, among the transfers of that day."""
    clauses = [_on(intent) for intent in intents]
    ended = {"includeDeleted": "true"}
    transfers = await _rows(books, "BankTransfers", BankTransfer, clauses, params=ended)
    return _by_tag(intents, transfers, lambda one: one.reference)


async def probe_batch_payments(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the tag in its reference, among the batch payments of that account and day."""
    clauses = [
        f'(Account.AccountID==guid("{_payload_id(each, "Account", "AccountID")}") AND {_on(each)})' for each in intents
    ]
    batches = await _rows(books, "BatchPayments", BatchPayment, clauses)
    members = {str(each.batch_payment_id): payments_in(each) for each in batches}
    found = _by_tag(intents, batches, lambda one: one.reference)
    for intent in intents:
        for one in found[intent.key]:
            if not one.stands and not members[one.xero_id]:
                members[one.xero_id] = await payments_removed(books, intent, one.xero_id)
    return {key: [evolve(one, payments=members[one.xero_id]) for one in group] for key, group in found.items()}


async def payments_removed(books: Books, batch: Intent, batch_id: str) -> dict[str, str]:
    """
    The ids of the payments that went with a *batch* of this id, by the id of what each paid.

    No fact says that a batch that was removed lists them still; each names its batch (F 6.118), where Xero lists it.
    """
    clauses = [f'Invoice.InvoiceID==guid("{each.invoice}")' for each in batch.members]
    return {
        each.invoice.invoice_id or "": each.payment_id or ""
        for each in await _rows(books, "Payments", Payment, clauses)
        if each.batch_payment_id == batch_id and each.invoice is not None
    }


def payments_in(batch: BatchPayment) -> dict[str, str]:
    """The ids of the payments in *batch*, by the id of what each pays (F 6.143)."""
    return {
        (each.invoice.invoice_id or "") if each.invoice is not None else "": each.payment_id or ""
        for each in batch.payments
    }


def _on(intent: Intent) -> str:
    on = date.fromisoformat(str(intent.payload["Date"]))
    return f"Date==DateTime({on.year},{on.month:02},{on.day:02})"


async def probe_contacts(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By name, which is unique among active contacts (F 6.23): whoever has it now is the one to use."""
    session = await books.session()
    found: dict[str, list[Found]] = {}
    for intent in intents:
        name = str(intent.payload["Name"])
        query = Query("Contacts", "Contacts", {"searchTerm": name})
        found_rows = whole_rows(session, query, id_name(Contact))
        rows = [decode(Contact, row, where="Contacts") async for row in found_rows]
        found[intent.key] = [
            Found(contact.contact_id or "", ours=True)
            for contact in rows
            if plain_name(contact.name or "") == plain_name(name) and contact.contact_status == ContactStatus.ACTIVE
        ]
    return found


async def probe_allocations(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By invoice and amount, among what its credit note was set against."""
    return await _allocations(books, intents, "CreditNotes", CreditNote)


async def probe_overpayment_allocations(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By invoice and amount, among what its overpayment was set against."""
    return await _allocations(books, intents, "Overpayments", Overpayment)


async def _allocations(
    books: Books, intents: Sequence[Intent], collection: str, model: type[C]
) -> dict[str, list[Found]]:
    """Those of the same invoice and amount that are not known as another write's."""
    found: dict[str, list[Found]] = {}
    credits_: dict[str, C] = {}
    for intent in intents:
        if intent.target not in credits_:
            credits_[intent.target] = await _one(books, collection, model, intent.target)
        found[intent.key] = [
            Found(allocation.allocation_id or intent.target, ours=True)
            for allocation in credits_[intent.target].allocations
            if allocation.invoice is not None
            and allocation.invoice.invoice_id == InvoiceId(_payload_id(intent, "Invoice", "InvoiceID"))
            and allocation.amount == Decimal(str(intent.payload["Amount"]))
            and not await _is_of_another(books, intent, allocation.allocation_id)
        ]
    return found


async def _is_of_another(books: Books, intent: Intent, xero_id: str | None) -> bool:
    """Whether what has *xero_id* is known to have been written by another intent than *intent*."""
    if xero_id is None:
        return False
    known = await books.storage.query("intent", books.tenant, lookup=("xero_id", xero_id), limit=2)
    return any(record.key != intent.key for record in known)


async def probe_removals(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the status of the payment that was to be removed."""
    return await _ended(books, intents, "Payments", Payment)


async def probe_bank_transaction_removals(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the status of the bank transaction that was to be removed."""
    return await _ended(books, intents, "BankTransactions", BankTransaction)


async def probe_batch_removals(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the status of the batch of payments that was to be removed."""
    return await _ended(books, intents, "BatchPayments", BatchPayment)


async def probe_transfer_removals(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the status of the transfer that was to be deleted."""
    return await _ended(books, intents, "BankTransfers", BankTransfer)


async def probe_changed_bills(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the fields that were to be changed, on the bill itself."""
    return await _changed(books, intents, "Invoices", Invoice)


async def probe_changed_credits(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the fields that were to be changed, on the credit note itself."""
    return await _changed(books, intents, "CreditNotes", CreditNote)


async def probe_changed_spends(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the fields that were to be changed, on the bank transaction itself."""
    return await _changed(books, intents, "BankTransactions", BankTransaction)


async def _changed(books: Books, intents: Sequence[Intent], collection: str, model: type[D]) -> dict[str, list[Found]]:
    found: dict[str, list[Found]] = {}
    for intent in intents:
        document_id = str(intent.payload[id_name(model)])
        document = encode(await _one(books, collection, model, f"{document_id}?unitdp=4"))
        found[intent.key] = [Found(document_id, ours=True)] if shows(document, intent.payload) else []
    return found


def shows(there: object, sent: object) -> bool:
    """Whether all that was *sent* is *there*."""
    if isinstance(sent, Mapping) and isinstance(there, Mapping):
        told, known = cast(Json, sent), cast(Json, there)
        return all(shows(known.get(name), value) for name, value in told.items())
    if isinstance(sent, list) and isinstance(there, list):
        lines, kept = cast(list[object], sent), cast(list[object], there)
        return len(lines) == len(kept) and all(shows(*pair) for pair in zip(kept, lines, strict=True))
    if isinstance(sent, str) and isinstance(there, str):
        return there.replace("\r\n", "\n") == sent.replace("\r\n", "\n")  # Xero keeps lines its own way
    return bool(there == sent)


async def probe_voided_bills(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the status of the bill that was to be voided."""
    return await _ended(books, intents, "Invoices", Invoice)


async def probe_attachments(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By name, length and hash, among the files of its document: what has another content is not it."""
    session = await books.session()
    found: dict[str, list[Found]] = {}
    for intent in intents:
        path = f"{intent.target.rpartition('/')[0]}"
        rows = (await session.read(Query(path, "Attachments"))).rows
        files = [decode(Attachment, row, where="Attachments") for row in rows]
        named = [
            each
            for each in files
            if _same(each.file_name, intent, "FileName") and each.content_length == intent.payload["ContentLength"]
        ]
        found[intent.key] = []
        for each in named:
            place, size = f"{path}/{each.attachment_id}", each.content_length
            kept = await session.fetch(place, accept="application/octet-stream", size=size)
            if hashlib.sha256(kept.body).hexdigest() == intent.payload["SHA256"]:
                found[intent.key].append(Found(each.attachment_id or "", ours=True))
    return found


async def probe_billable_expenses(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By its line, of which Xero knows one that stands; to another customer it is somebody else's."""
    found: dict[str, list[Found]] = {}
    for intent in intents:
        rows = await _linked(books, {"SourceTransactionID": str(intent.payload["SourceTransactionID"])})
        found[intent.key] = [
            Found(each.linked_transaction_id or "", ours=_same(each.contact_id, intent, "ContactID"))
            for each in rows
            if _same(each.source_line_item_id, intent, "SourceLineItemID")
            and each.status != LinkedTransactionStatus.VOIDED
        ]
    return found


async def probe_billable_removals(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By its not being there any more."""
    found: dict[str, list[Found]] = {}
    for intent in intents:
        rows = await _linked(books, {"LinkedTransactionID": intent.target})
        found[intent.key] = [] if rows else [Found(intent.target, ours=True)]
    return found


async def _linked(books: Books, params: Mapping[str, str]) -> list[LinkedTransaction]:
    query = Query("LinkedTransactions", "LinkedTransactions", params)
    found: list[LinkedTransaction] = []
    async for page in whole_pages(await books.session(), query, id_name(LinkedTransaction), sized=False):
        found += [decode(LinkedTransaction, row, where="LinkedTransactions") for row in page.rows]
    return found


async def probe_notes(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the tag in its text, in the history of its document; a note has no id, and is never removed."""
    session = await books.session()
    places = list(dict.fromkeys(intent.target for intent in intents))
    pages = await session.read_all([Query(f"{place}/History", "HistoryRecords") for place in places])
    tags: dict[str, list[str | None]] = {}
    for place, page in zip(places, pages, strict=True):
        told = (decode(HistoryRecord, row, where="HistoryRecords") for row in page.rows)
        tags[place] = [tag_in(each.details or "") for each in told]
    return {
        intent.key: [Found(intent.target, ours=True) for tag in tags[intent.target] if tag == intent.tag]
        for intent in intents
    }


async def probe_voided_credits(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the status of the credit note that was to be voided."""
    return await _ended(books, intents, "CreditNotes", CreditNote)


async def _ended(books: Books, intents: Sequence[Intent], collection: str, model: type[D]) -> dict[str, list[Found]]:
    found: dict[str, list[Found]] = {}
    for intent in intents:
        document = await _one(books, collection, model, intent.target)
        found[intent.key] = [Found(intent.target, ours=True)] if document.status in GONE else []
    return found


async def probe_accounts(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By the setting itself."""
    found: dict[str, list[Found]] = {}
    for intent in intents:
        account = await _one(books, "Accounts", Account, intent.target)
        found[intent.key] = [Found(intent.target, ours=True)] if account.enable_payments_to_account else []
    return found


async def probe_new_accounts(books: Books, intents: Sequence[Intent]) -> dict[str, list[Found]]:
    """By code, name and type: whoever opened it, codes and names are unique (F 6.11)."""
    session = await books.session()
    chart = whole_rows(session, Query("Accounts", "Accounts"), id_name(Account))
    accounts = [decode(Account, row, where="Accounts") async for row in chart]
    return {
        intent.key: [
            Found(account.account_id or "", ours=True, stands=account.status == AccountStatus.ACTIVE)
            for account in accounts
            if _same(account.code, intent, "Code")
            and _same(account.name, intent, "Name")
            and account.type == intent.payload.get("Type")
        ]
        for intent in intents
    }


def _same(text: str | None, intent: Intent, key: str) -> bool:
    return (text or "").lower() == str(intent.payload.get(key, "")).lower()


async def _one(books: Books, collection: str, model: type[T], document_id: str) -> T:
    session = await books.session()
    rows = (await session.read(Query(f"{collection}/{document_id}", collection))).rows
    if not rows:
        raise NotFound(("Xero knows no such document",), 404)
    return decode(model, rows[0], where=collection)
