"""Reading from the mirror what people typed in Xero by hand: what stands, and the library did not write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from attrs import evolve

from xerosync.client._books import Books
from xerosync.engine.actions import MoveMoney, Seen, Transfer
from xerosync.engine.intents import sign_of
from xerosync.engine.mirror import BANK_TRANSACTIONS, BANK_TRANSFERS, GONE, PAYMENTS, Shelf, refresh, stamp_of, walk
from xerosync.engine.observed import intents_with
from xerosync.engine.typed import Typed
from xerosync.models import AccountId, BankTransaction, BankTransfer, Payment
from xerosync.money import Money
from xerosync.storage.protocol import Record


async def typed_payments(books: Books, currencies: Mapping[str, str]) -> list[Typed]:
    """The standing payments that the library did not write, of the documents whose *currencies* are given."""
    found: list[Typed] = []
    ours = sign_of(books.app.client_id)
    for document, currency in sorted(currencies.items()):
        async for record, payment in walk(books, PAYMENTS, Payment, lookup=("invoice", document)):
            if payment.status in GONE or dict(record.lookups).get("sign") == ours:
                continue
            account = payment.account.account_id if payment.account is not None else None
            amount = Money(payment.amount or Decimal(0), currency)
            found.append(
                Typed(seen=_seen(PAYMENTS, record), of=document, amount=amount, on=payment.date, account=account or "")
            )
    return await _left(books, found)


async def typed_movements(books: Books, clearing: AccountId, currency: str) -> list[Typed]:
    """What was spent or received through *clearing*, and the transfers from or to it, that are not ours."""
    await refresh(books, BANK_TRANSACTIONS, BANK_TRANSFERS)
    ours = sign_of(books.app.client_id)
    found: list[Typed] = []
    async for record, moved in walk(books, BANK_TRANSACTIONS, BankTransaction, lookup=("account", clearing)):
        if moved.status not in GONE and moved.type in {"SPEND", "RECEIVE"} and dict(record.lookups).get("sign") != ours:
            amount = Money((moved.total or Decimal(0)) * (-1 if moved.type == "SPEND" else 1), currency)
            found.append(
                Typed(
                    seen=_seen(BANK_TRANSACTIONS, record),
                    of=MoveMoney.kind,
                    amount=amount,
                    on=moved.date,
                    account=clearing,
                )
            )
    async for record, transfer in walk(books, BANK_TRANSFERS, BankTransfer, lookup=("account", clearing)):
        if transfer.status not in GONE and dict(record.lookups).get("sign") != ours:
            source = transfer.from_bank_account.account_id if transfer.from_bank_account is not None else None
            target = transfer.to_bank_account.account_id if transfer.to_bank_account is not None else None
            amount = Money((transfer.amount or Decimal(0)) * (-1 if source == clearing else 1), currency)
            other = (target if source == clearing else source) or ""
            found.append(
                Typed(
                    seen=_seen(BANK_TRANSFERS, record), of=Transfer.kind, amount=amount, on=transfer.date, account=other
                )
            )
    return await _left(books, found)


async def _left(books: Books, found: list[Typed]) -> list[Typed]:
    """What of those *found* is not taken over altogether, the oldest first."""
    left: list[Typed] = []
    for each in found:
        taken = Decimal(0)
        for intent in await intents_with(books, lookup=("xero_id", each.xero_id)):
            said = intent.facts.get("collected") or intent.facts.get("effect") or intent.facts.get("amount")
            taken += abs(Decimal(said)) if said is not None else abs(each.amount.amount)
        if taken < abs(each.amount.amount):
            left.append(evolve(each, taken=taken))
    return sorted(left, key=lambda each: (each.on or date.min, each.xero_id))


def _seen(shelf: Shelf, record: Record) -> Seen:
    return Seen(shelf.name, record.key, stamp_of(record))
