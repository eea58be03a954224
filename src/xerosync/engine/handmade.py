"""Transactions that the host made by hand, linked to their invoices after the fact (R19)."""

from __future__ import annotations

from decimal import Decimal

from xerosync.client._books import Books
from xerosync.engine.actions import ConnectCustomer, ImportInvoice, Seen
from xerosync.engine.mirror import INVOICES, refresh, stamp_of, walk
from xerosync.engine.observed import all_links, stamped
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.transactions import all_transactions
from xerosync.errors import InvalidInput
from xerosync.mapping.transactions import Transaction, TransactionStatus
from xerosync.models import Invoice, InvoiceId, InvoiceType
from xerosync.money import Money


async def link_transaction(books: Books, transaction_id: str, *, invoice: str, amount: Money | None) -> Plan:
    """
    Let the host's transaction *transaction_id*, made by hand, stand for *invoice*, given by its id or its number.

    *amount* is what the host asked the customer for, what is due unless given. Raises `InvalidInput` for a blank id.
    """
    if not transaction_id.strip():
        raise InvalidInput("transaction_id", "give the host's own id of the transaction")
    await refresh(books, INVOICES)
    found = await stamped(books, INVOICES, Invoice, [invoice])
    if not found:
        found = await _numbered(books, invoice)
    if len(found) != 1:
        cause = "no sales invoice has this id or number" if not found else "several invoices have this number"
        return _plan(books, _finding(transaction_id, "invoice unknown", cause, "give the invoice's own id"))
    ((document, stamp),) = found.values()
    known = {each.id: each for each in await all_transactions(books)}
    if transaction_id in known:
        if known[transaction_id].invoice_id == document.invoice_id:
            return _plan(books)
        cause = "the transaction stands for another invoice already"
        return _plan(books, _finding(transaction_id, "transaction id taken", cause, "give it an id of its own"))
    live = [each for each in known.values() if each.invoice_id == document.invoice_id and each.is_live]
    if live:
        cause = "another transaction stands for this invoice"
        return _plan(
            books, _finding(transaction_id, "imported before", cause, "settle under that one, or end it first")
        )
    contact = document.contact.contact_id if document.contact is not None else None
    customers = {link["xero_id"]: link["host_id"] for link in await all_links(books, ConnectCustomer.kind)}
    customer = customers.get(contact or "")
    if customer is None:
        cause = "the invoice's contact is not connected to a customer"
        return _plan(books, _finding(transaction_id, "customer not connected", cause, "match its customer first"))
    attempts = [each.attempt for each in known.values() if each.invoice_id == document.invoice_id]
    transaction = Transaction(
        id=transaction_id,
        invoice_id=document.invoice_id or InvoiceId(""),
        invoice_number=document.invoice_number or "",
        customer=customer,
        amount=amount or Money(document.amount_due or Decimal(0), document.currency_code or "XXX"),
        due=document.due_date,
        attempt=max(attempts, default=0) + 1,
        status=TransactionStatus.PROCESSED,
    )
    seen = (Seen("invoice", transaction.invoice_id, stamp),)
    return _plan(books, ImportInvoice.remember(transaction, reason="made by hand, and linked since", seen=seen))


async def _numbered(books: Books, number: str) -> dict[str, tuple[Invoice, str]]:
    """The sales invoices with this *number*."""
    return {
        record.key: (invoice, stamp_of(record))
        async for record, invoice in walk(books, INVOICES, Invoice, lookup=("number", number))
        if invoice.type == InvoiceType.ACCREC
    }


def _plan(books: Books, decided: ImportInvoice | Finding | None = None) -> Plan:
    actions = (decided,) if isinstance(decided, ImportInvoice) else ()
    findings = (decided,) if isinstance(decided, Finding) else ()
    return Plan(tenant=books.tenant, actions=actions, findings=findings)


def _finding(about: str, code: str, cause: str, fix: str) -> Finding:
    return Finding(code=code, about=about, cause=cause, fix=fix)
