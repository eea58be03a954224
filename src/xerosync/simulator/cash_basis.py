"""The books as they stand where only money counts: what is owed has not been earned yet."""

from __future__ import annotations

from collections.abc import Iterator

from xerosync.simulator.books import Books
from xerosync.simulator.ledger import Journal, allocation_journal, payment_journal


def cash_journals(books: Books) -> Iterator[Journal]:
    """
    The journals of the cash basis.

    Invoices, bills and credit notes post nothing; what settles them posts to the accounts of their lines, each its
    share. A manual journal may say that it has no part in it.
    """
    control, documents = books.control(), books.documents
    told = (one for one in books.manual_journals if one.on_cash_basis)
    for row in (*books.bank_transactions, *books.bank_transfers, *told):
        if (journal := books.ledger.get(row.id)) is not None:
            yield journal
    for payment in books.payments:
        journal = payment_journal(payment, documents[payment.document_id], control, cash=True)
        if journal is not None:
            yield journal
    for part in books.allocations:
        credit, invoice = documents[part.credit_id], documents[part.invoice_id]
        if (journal := allocation_journal(part, credit, invoice, control, cash=True)) is not None:
            yield journal
