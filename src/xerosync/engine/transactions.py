"""What the store knows of the transactions made out of invoices, and what was posted for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Final

from attrs import field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import (
    SALE,
    TRANSACTION,
    CreateSale,
    CreateSaleCredit,
    MoveMoney,
    Pay,
    RemoveMoney,
    RemovePayment,
    VoidCredit,
)
from xerosync.engine.intents import Intent
from xerosync.engine.links import attempt_of, says_why, status_of, transaction_of
from xerosync.engine.mirror import GONE, INVOICES, PAYMENTS, records
from xerosync.engine.observed import all_links, intents_with, links_of, revisions, stamped
from xerosync.engine.paper_actions import ChangeSale
from xerosync.engine.settlement_books import COUNTER, SURPLUS
from xerosync.engine.states import OPEN, State
from xerosync.mapping.transactions import Transaction, TransactionStatus
from xerosync.models import Invoice, InvoiceId, Payment, PaymentStatus
from xerosync.money import Money, exactly

_UNDOING: Final = frozenset({RemovePayment.kind, RemoveMoney.kind, VoidCredit.kind})


async def all_transactions(books: Books) -> list[Transaction]:
    """Every transaction that was made out of an invoice, or stands for a sale, whatever became of it."""
    linked = [transaction_of(link) for link in await all_links(books, TRANSACTION)]
    known = {each.id for each in linked}
    sold = await _of_sales(books, await sales_written(books))
    return [*linked, *(each for each in sold if each.id not in known)]


async def transactions_of(books: Books, ids: Iterable[str]) -> dict[str, Transaction]:
    """The transactions with these *ids*, those that the library made, or that stand for sales."""
    wanted = list(dict.fromkeys(ids))
    links = await links_of(books, TRANSACTION, wanted)
    found = {host_id: transaction_of(link) for host_id, link in links.items()}
    written = [
        intent
        for each in wanted
        if each not in found
        for intent in await intents_with(books, lookup=("transaction", each))
    ]
    return found | {each.id: each for each in await _of_sales(books, written)}


async def _of_sales(books: Books, intents: Iterable[Intent]) -> list[Transaction]:
    """
    The transactions of sales among *intents*, as the mirror has their invoices.

    A sale is settled without having been imported: its transaction is kept once something is to be remembered of it.
    """
    sales = {
        intent.xero_id: intent
        for intent in intents
        if intent.xero_id and intent.state is State.CONFIRMED and is_sale(intent)
    }
    if not sales:
        return []
    found = await stamped(books, INVOICES, Invoice, sales)
    changed = await revisions(books, ChangeSale.kind)
    made: list[Transaction] = []
    for xero_id, intent in sales.items():
        done = [each for each in changed.get(intent.operation.host_ref, ()) if each.state is State.CONFIRMED]
        facts = {**intent.facts, **(done[-1].facts if done else {})}
        if xero_id in found:
            made.append(_of_sale(found[xero_id][0], facts))
        elif "amount" in facts:  # it was posted a moment ago
            total, currency = Decimal(facts["amount"]), str(intent.payload.get("CurrencyCode") or "XXX")
            made.append(_of_sale(Invoice(invoice_id=InvoiceId(xero_id), total=total, currency_code=currency), facts))
    return made


def is_sale(intent: Intent) -> bool:
    """Whether *intent* posts a sale of the host's own."""
    return intent.operation.kind == CreateSale.kind and intent.operation.host_ref.startswith(SALE)


def _of_sale(invoice: Invoice, facts: Mapping[str, str]) -> Transaction:
    return Transaction(
        id=facts["transaction"],
        invoice_id=invoice.invoice_id or InvoiceId(""),
        invoice_number=invoice.invoice_number or "",
        customer=facts["customer"],
        amount=Money(invoice.total or Decimal(0), invoice.currency_code or "XXX"),
        due=invoice.due_date,
        cancelled=invoice.status in GONE,
    )


@frozen
class Attempts:
    """
    What is known of the attempts at one invoice, at a fraction of their size: the number of the *last* one, and whether
    any *has_ended*, or *may_come* to money.
    """

    last: int = 0
    has_ended: bool = False
    may_come: bool = False

    def also(self, attempt: int, *, has_ended: bool) -> Attempts:
        """These and one more."""
        # Few differ: half a million invoices share a handful.
        return _attempts(max(self.last, attempt), self.has_ended or has_ended, self.may_come or not has_ended)


@cache
def _attempts(last: int, has_ended: bool, may_come: bool) -> Attempts:  # noqa: FBT001 - cached by their values
    return Attempts(last, has_ended, may_come)


NO_ATTEMPTS: Final = Attempts()


@frozen
class Made:
    """
    The transactions there are: the *attempts* made at each invoice, and the *ids* of those that stand for sales.

    *telling* are those alone that say why they failed, or that the payer agreed anew.
    """

    attempts: dict[InvoiceId, Attempts] = field(factory=dict[InvoiceId, Attempts])
    ids: set[str] = field(factory=set[str])
    telling: list[Transaction] = field(factory=list[Transaction])

    def take(self, invoice: InvoiceId, attempt: int, status: TransactionStatus) -> None:
        """Count one more attempt at *invoice*."""
        so_far = self.attempts.get(invoice, NO_ATTEMPTS)
        self.attempts[invoice] = so_far.also(attempt, has_ended=status.has_ended)


async def sales_written(books: Books) -> list[Intent]:
    """Every write of a sales invoice: of the host's own sales, and of what took the place of a payment."""
    return await intents_with(books, lookup=("kind", CreateSale.kind))


async def all_made(books: Books, written: Iterable[Intent]) -> Made:
    """What was made of every invoice so far, sales *written* among them; few transactions are kept in memory."""
    made = Made()
    async for record in records(books, "link", states=[TRANSACTION]):
        facts = json.loads(record.body)
        made.take(InvoiceId(facts["xero_id"]), attempt_of(facts), status_of(facts))
        if says_why(facts):
            made.telling.append(transaction_of(facts))
    sold = await _of_sales(books, written)
    linked = await links_of(books, TRANSACTION, (each.id for each in sold))
    for each in sold:
        made.ids.add(each.id)
        if each.id not in linked:
            made.take(each.invoice_id, each.attempt, each.status)
    return made


async def standing_under(books: Books, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """
    What stands under each of *names* as a transaction already, or is about to: the host's ids of sales, and a blank for
    an invoice that was imported or linked.
    """
    wanted = list(dict.fromkeys(names))
    links = await links_of(books, TRANSACTION, wanted)
    found: dict[str, frozenset[str]] = {}
    for name in wanted:
        sold = {
            intent.operation.host_ref.removeprefix(SALE): intent
            for intent in await intents_with(books, lookup=("transaction", name))
            if is_sale(intent) and intent.state is not State.REJECTED
        }
        link = links.get(name)
        # What is remembered of a sale's transaction is kept as a link, too.
        is_own = link is None or link["xero_id"] in {each.xero_id for each in sold.values()}
        found[name] = frozenset(sold) | (frozenset() if is_own else {""})
    return found


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
        known = {each.id for each in found}
        sold = await _of_sales(books, await intents_with(books, lookup=lookup))
        found += [each for each in sold if each.id not in known]
    return by_invoice(found)


async def posted_for(books: Books, transactions: Iterable[Transaction]) -> dict[str, Decimal | None]:
    """
    What became of the money of each transaction: paid on its own invoice, or parked as the customer's credit.

    None while one of its payments is in doubt.
    """
    invoices = {each.id: each.invoice_id for each in transactions}
    written = {each: await intents_with(books, lookup=("transaction", each)) for each in invoices}
    xero_ids = (intent.xero_id for group in written.values() for intent in group if intent.xero_id)
    payments = {key: payment for key, (payment, _) in (await stamped(books, PAYMENTS, Payment, xero_ids)).items()}
    return {each: _posted(group, invoices[each], payments) for each, group in written.items()}


@exactly
def _posted(intents: Sequence[Intent], invoice: InvoiceId, payments: Mapping[str, Payment]) -> Decimal | None:
    if any(intent.state in OPEN for intent in intents):
        return None
    done = [intent for intent in intents if intent.state is State.CONFIRMED]
    undone = {each.operation.host_ref for each in done if each.operation.kind in _UNDOING}
    return sum((_amount(each, invoice, payments) for each in done if each.operation.host_ref not in undone), Decimal(0))


def _amount(intent: Intent, invoice: InvoiceId, payments: Mapping[str, Payment]) -> Decimal:
    """What *intent* made of the money: nothing where it paid another invoice, or its payment is gone."""
    kind, payload = intent.operation.kind, intent.payload
    if kind in {MoveMoney.kind, CreateSaleCredit.kind} and intent.operation.host_ref.startswith(SURPLUS):
        return Decimal(intent.facts["effect"])
    if kind != Pay.kind:
        return Decimal(0)
    paid = payload.get("Invoice", {"InvoiceID": invoice})
    payment = payments.get(intent.xero_id or "")  # one that is not mirrored yet was posted a moment ago
    is_there = payment is None or payment.status != PaymentStatus.DELETED
    return Decimal(str(payload["Amount"])) if paid == {"InvoiceID": invoice} and is_there else Decimal(0)


def charged_back_again(written: Iterable[Intent]) -> frozenset[str]:
    """The invoices *written* in place of payments which were charged back and could not be removed."""
    return frozenset(each.xero_id for each in written if each.xero_id and each.operation.host_ref.startswith(COUNTER))


def tags_of_sales(written: Iterable[Intent]) -> frozenset[str]:
    """The marks on the invoices *written* of the host's own sales, those whose answer has not come among them."""
    return frozenset(intent.tag for intent in written if is_sale(intent))
