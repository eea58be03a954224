"""
Transactions that an older store has forgotten, known again (C15).

Nothing in Xero says that a transaction was made of an invoice. What does are the id that the library gave it, and the
marks of what was written for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from attrs import evolve

from xerosync.client._books import Books
from xerosync.engine.actions import CreateSaleCredit, Pay, Pending, Refund
from xerosync.engine.intents import intent_key, tag_in, tag_of
from xerosync.engine.mirror import INVOICES, PAYMENTS, stored
from xerosync.engine.observed import all_links, stamped
from xerosync.engine.pair_actions import ConnectCustomer
from xerosync.engine.settlement_books import parking
from xerosync.engine.strays import document_of, stray_key
from xerosync.mapping.settlement import LineKind, SettlementLine
from xerosync.mapping.transactions import Transaction, TransactionStatus, behind
from xerosync.models import Invoice, InvoiceId, InvoiceType, Payment
from xerosync.money import Money

FORGOTTEN: Final = "it was made here, and the store has forgotten it"


def standing_for(lines: Iterable[SettlementLine]) -> Iterable[Pending]:
    """Whatever may have been posted for *lines* under their own names."""
    return standing_as(line.id for line in lines)


def standing_as(names: Iterable[str]) -> Iterable[Pending]:
    """Whatever may have been posted for the lines of these *names*."""
    for name in names:
        yield from (Pending(kind, name) for kind in (Pay.kind, CreateSaleCredit.kind, Refund.kind))
        yield from parking(name)


async def by_their_ids(books: Books, ids: Iterable[str]) -> dict[str, Transaction]:
    """Those of *ids* that the library gives to transactions, where their invoice and its customer are known."""
    return await _made_of(books, {each: named for each in ids if (named := behind(each)) is not None})


async def by_what_was_written(
    books: Books, lines: Sequence[SettlementLine], in_batches: Collection[str]
) -> dict[str, Transaction]:
    """
    The transactions of those *lines* for which something of ours is in Xero that the store did not know.

    One with an id of the host's own is known by the invoice that its payment is on, but not where that stands in
    another's place, nor where the payment moved in a batch: those carry no mark, and *in_batches* are the invoices that
    they are on.
    """
    tags = {tag_of(intent_key(books.tenant, each)): line for line in lines for each in standing_for([line])}
    strays = await stored(books, (stray_key(books, tag) for tag in tags))
    documents = {document_of(stray): tags[stray.key].transaction for stray in strays}
    moved = [line.transaction for line in lines if (named := behind(line.transaction)) and named[0] in in_batches]
    found = await by_their_ids(books, [*documents.values(), *moved])
    payments = await stamped(books, PAYMENTS, Payment, documents)
    paid = {
        documents[key]: (payment.invoice.invoice_id or InvoiceId(""), 1)
        for key, (payment, _) in payments.items()
        if documents[key] not in found and payment.invoice is not None
    }
    found |= await _made_of(books, paid)
    return {name: evolve(one, amount=_asked(one, lines)) for name, one in found.items()}


def _asked(transaction: Transaction, lines: Sequence[SettlementLine]) -> Money:
    """What *lines* say that was collected for *transaction*; all of its invoice where they do not say."""
    collected = [each.amount for each in lines if (each.transaction, each.kind) == (transaction.id, LineKind.COLLECTED)]
    return Money.total(collected, transaction.amount.currency) if collected else transaction.amount


async def _made_of(books: Books, attempts: Mapping[str, tuple[InvoiceId, int]]) -> dict[str, Transaction]:
    """The transactions that are *attempts* at invoices not our own, whose customer is connected."""
    invoices = await stamped(books, INVOICES, Invoice, (invoice_id for invoice_id, _ in attempts.values()))
    if not invoices:
        return {}
    customers = {link["xero_id"]: link["host_id"] for link in await all_links(books, ConnectCustomer.kind)}
    found: dict[str, Transaction] = {}
    for name, (invoice_id, attempt) in attempts.items():
        invoice, _ = invoices.get(invoice_id, (None, ""))
        if invoice is None or invoice.type != InvoiceType.ACCREC or tag_in(invoice.reference or "") is not None:
            continue
        customer = customers.get((invoice.contact.contact_id or "") if invoice.contact is not None else "")
        if customer is not None:
            found[name] = Transaction(
                id=name,
                invoice_id=invoice_id,
                invoice_number=invoice.invoice_number or "",
                customer=customer,
                amount=Money(invoice.total or Decimal(0), invoice.currency_code or "XXX"),
                due=invoice.due_date,
                attempt=attempt,
                status=TransactionStatus.PROCESSED,
            )
    return found
