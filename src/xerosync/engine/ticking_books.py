"""What the store holds that has to do with a payment, or a day, and is looked at together with it."""

from __future__ import annotations

from collections.abc import Iterable

from xerosync.client._books import Books
from xerosync.engine.chain_books import RETURNS, settled_on, written_for
from xerosync.engine.intents import Intent, tag_in
from xerosync.engine.mirror import PAYMENTS, records
from xerosync.engine.transactions import transactions_of
from xerosync.mapping.settlement import Settlement
from xerosync.models import Payment
from xerosync.storage.protocol import Record


async def intent_records(books: Books, lookup: tuple[str, str]) -> list[Record]:
    """The records of the intents that a *lookup* finds."""
    return [record async for record in records(books, "intent", lookup=lookup)]


async def alike(books: Books, payment: Payment) -> list[Record]:
    """The intents of what is on the invoice of *payment*, and of what has its mark."""
    invoice = (payment.invoice.invoice_id if payment.invoice is not None else None) or ""
    on_it = [record.key async for record in records(books, PAYMENTS.kind, lookup=("invoice", invoice))]
    found = [record for each in on_it for record in await intent_records(books, ("xero_id", each))]
    tag = tag_in(payment.reference or "")
    return found if tag is None else [*found, *await intent_records(books, ("tag", tag))]


async def came_in_as_it_went_back(books: Books, settlements: Iterable[Settlement]) -> list[Intent]:
    """What was written on the days on which, as *settlements* say, money of the same chain went back."""
    returns = [(each.on, line) for each in settlements for line in each.lines if line.kind in RETURNS]
    transactions = await transactions_of(books, (line.transaction for _, line in returns))
    written = await written_for(books, (line for _, line in returns), transactions)
    known = {line.id: transactions[line.transaction] for _, line in returns if line.transaction in transactions}
    days = {(known[line.id].invoice_id, on.isoformat()) for on, line in returns if line.id in known}
    return [each for invoice, on in sorted(days) for each in written[invoice] if settled_on(each) == on]
