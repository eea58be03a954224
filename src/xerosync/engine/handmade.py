"""Transactions that the host made by hand, linked to their invoices after the fact (R19)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import define, field

from xerosync.client._books import Books
from xerosync.engine.actions import ImportInvoice, Seen
from xerosync.engine.mirror import INVOICES, refresh, stamp_of, walk
from xerosync.engine.observed import all_links, stamped
from xerosync.engine.pair_actions import ConnectCustomer
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.transactions import all_transactions
from xerosync.mapping.transactions import Transaction, TransactionStatus
from xerosync.models import Invoice, InvoiceId, InvoiceType
from xerosync.money import Money
from xerosync.texts import check_id, plain_id


async def link_transaction(books: Books, transaction_id: str, *, invoice: str, amount: Money | None) -> Plan:
    """
    Let the host's transaction *transaction_id*, made by hand, stand for *invoice*, given by its id or its number.

    *amount* is what the host asked the customer for, what is due unless given. Raises `InvalidInput` for an id
    that cannot be.
    """
    decided = await link_transactions(books, {transaction_id: invoice}, {transaction_id: amount} if amount else {})
    return Plan(
        tenant=books.tenant,
        actions=tuple(each for each in decided if isinstance(each, ImportInvoice)),
        findings=tuple(each for each in decided if isinstance(each, Finding)),
    )


async def link_transactions(
    books: Books, invoices: Mapping[str, str], amounts: Mapping[str, Money]
) -> list[ImportInvoice | Finding]:
    """
    What lets each of the host's transactions stand for its invoice of *invoices*, or why it cannot; nothing where it
    does.

    Raises `InvalidInput` for an id that cannot be.
    """
    for each in invoices:
        check_id("transaction_id", each)
    if not invoices:
        return []
    await refresh(books, INVOICES)
    linking = _Linking(
        known={each.id: each for each in await all_transactions(books)},
        customers={link["xero_id"]: link["host_id"] for link in await all_links(books, ConnectCustomer.kind)},
    )
    by_id = await stamped(books, INVOICES, Invoice, map(plain_id, invoices.values()))
    for transaction_id, invoice in invoices.items():
        one = by_id.get(plain_id(invoice))
        found = {invoice: one} if one is not None else await _numbered(books, invoice)
        linking.link(transaction_id, found, amounts.get(transaction_id))
    return linking.decided


@define
class _Linking:
    """What is known of transactions and customers, and what was decided so far."""

    known: dict[str, Transaction]
    customers: Mapping[str, str]
    decided: list[ImportInvoice | Finding] = field(factory=list["ImportInvoice | Finding"], init=False)

    def link(self, transaction_id: str, found: Mapping[str, tuple[Invoice, str]], amount: Money | None) -> None:
        if len(found) != 1:
            cause = "no sales invoice has this id or number" if not found else "several invoices have this number"
            self.decided.append(_finding(transaction_id, "invoice unknown", cause, "give the invoice's own id"))
            return
        ((document, stamp),) = found.values()
        if transaction_id in self.known:
            if self.known[transaction_id].invoice_id != document.invoice_id:
                cause = "the transaction stands for another invoice already"
                self.decided.append(_finding(transaction_id, "transaction id taken", cause, "give it an id of its own"))
            return
        attempts = [each for each in self.known.values() if each.invoice_id == document.invoice_id]
        contact = document.contact.contact_id if document.contact is not None else None
        customer = self.customers.get(contact or "")
        if any(each.is_live for each in attempts):
            cause = "another transaction stands for this invoice"
            self.decided.append(
                _finding(transaction_id, "imported before", cause, "settle under that one, or end it first")
            )
        elif customer is None:
            cause = "the invoice's contact is not connected to a customer"
            self.decided.append(_finding(transaction_id, "customer not connected", cause, "match its customer first"))
        else:
            transaction = Transaction(
                id=transaction_id,
                invoice_id=document.invoice_id or InvoiceId(""),
                invoice_number=document.invoice_number or "",
                customer=customer,
                amount=amount or Money(document.amount_due or Decimal(0), document.currency_code or "XXX"),
                due=document.due_date,
                attempt=max((each.attempt for each in attempts), default=0) + 1,
                status=TransactionStatus.PROCESSED,
            )
            self.known[transaction_id] = transaction
            seen = (Seen("invoice", transaction.invoice_id, stamp),)
            self.decided.append(ImportInvoice.remember(transaction, reason="made by hand, and linked since", seen=seen))


async def _numbered(books: Books, number: str) -> dict[str, tuple[Invoice, str]]:
    """The sales invoices with this *number*."""
    return {
        record.key: (invoice, stamp_of(record))
        async for record, invoice in walk(books, INVOICES, Invoice, lookup=("number", number))
        if invoice.type == InvoiceType.ACCREC
    }


def _finding(about: str, code: str, cause: str, fix: str) -> Finding:
    return Finding(code=code, about=about, cause=cause, fix=fix)
