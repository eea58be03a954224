"""What the store knows of the transactions made out of invoices, and what was posted for them."""

from __future__ import annotations

from collections.abc import Iterable

from xerosync.client._books import Books
from xerosync.engine.actions import TRANSACTION
from xerosync.engine.links import transaction_of
from xerosync.engine.observed import all_links, links_of
from xerosync.mapping.transactions import Transaction
from xerosync.models import InvoiceId


async def all_transactions(books: Books) -> list[Transaction]:
    """Every transaction that was made out of an invoice, whatever became of it."""
    return [transaction_of(link) for link in await all_links(books, TRANSACTION)]


async def transactions_of(books: Books, ids: Iterable[str]) -> dict[str, Transaction]:
    """The transactions with these *ids*, those that the library made."""
    links = await links_of(books, TRANSACTION, ids)
    return {host_id: transaction_of(link) for host_id, link in links.items()}


def by_invoice(transactions: Iterable[Transaction]) -> dict[InvoiceId, list[Transaction]]:
    """The chain of attempts at each invoice, in order."""
    chains: dict[InvoiceId, list[Transaction]] = {}
    for transaction in sorted(transactions, key=lambda each: each.attempt):
        chains.setdefault(transaction.invoice_id, []).append(transaction)
    return chains
