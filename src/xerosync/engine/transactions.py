"""What the store knows of the transactions made out of invoices, and what was posted for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal

from xerosync.client._books import Books
from xerosync.engine.actions import TRANSACTION, Pay, RemovePayment
from xerosync.engine.intents import Intent
from xerosync.engine.links import transaction_of
from xerosync.engine.mirror import PAYMENTS, records
from xerosync.engine.observed import all_links, intents_with, links_of, stamped
from xerosync.engine.states import OPEN, State
from xerosync.mapping.transactions import Transaction
from xerosync.models import InvoiceId, Payment, PaymentStatus


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


async def chains_of(books: Books, invoices: Iterable[InvoiceId]) -> dict[InvoiceId, list[Transaction]]:
    """Every attempt at each of these *invoices*, in order."""
    found: list[Transaction] = []
    for invoice in dict.fromkeys(invoices):
        lookup = ("xero_id", invoice)
        links = [record async for record in records(books, "link", states=[TRANSACTION], lookup=lookup)]
        found += [transaction_of(json.loads(record.body)) for record in links]
    return by_invoice(found)


async def posted_for(books: Books, ids: Iterable[str]) -> dict[str, Decimal | None]:
    """What stands in Xero of the payments posted for each transaction; None while one of them is in doubt."""
    written = {each: await intents_with(books, lookup=("transaction", each)) for each in dict.fromkeys(ids)}
    xero_ids = (intent.xero_id for group in written.values() for intent in group if intent.xero_id)
    payments = {key: payment for key, (payment, _) in (await stamped(books, PAYMENTS, Payment, xero_ids)).items()}
    return {each: _posted(group, payments) for each, group in written.items()}


def _posted(written: Iterable[Intent], payments: Mapping[str, Payment]) -> Decimal | None:
    intents = list(written)
    if any(intent.state in OPEN for intent in intents):
        return None
    removed = {
        intent.operation.host_ref
        for intent in intents
        if intent.operation.kind == RemovePayment.kind and intent.state is State.CONFIRMED
    }
    return sum(
        (
            Decimal(str(intent.payload["Amount"]))
            for intent in intents
            if intent.operation.kind == Pay.kind and intent.state is State.CONFIRMED
            if intent.operation.host_ref not in removed and _stands(payments.get(intent.xero_id or ""))
        ),
        Decimal(0),
    )


def _stands(payment: Payment | None) -> bool:
    """Whether a payment is there; one that is not mirrored yet was posted a moment ago."""
    return payment is None or payment.status != PaymentStatus.DELETED
