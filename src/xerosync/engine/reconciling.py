"""Explaining the clearing account: what moved on it, what of that is ours, and what is left to say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, TypeVar

from attrs import AttrsInstance

from xerosync.client._books import Books
from xerosync.client.resources import AsyncReports
from xerosync.engine.actions import (
    CreateSale,
    CreateSaleCredit,
    Pay,
    Refund,
    RemoveMoney,
    RemovePayment,
    VoidCredit,
)
from xerosync.engine.clearing import ClearingReport, Movements, confirmed_by_id, explain_clearing
from xerosync.engine.clearing_statement import ClearingStatement, state_clearing
from xerosync.engine.intents import OPEN_STATES, Intent
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    PAYMENTS,
    Shelf,
    refresh,
    walk,
)
from xerosync.engine.observed import account_choice, intents_with, stamped
from xerosync.errors import InvalidInput, ScopeMissing
from xerosync.mapping.documents import check_day
from xerosync.models import (
    AccountId,
    AccountType,
    BankTransaction,
    BankTransfer,
    CreditNote,
    Invoice,
    Payment,
)
from xerosync.money import Money

T = TypeVar("T", bound=AttrsInstance)

_DOCUMENTS: Final = frozenset({CreateSale.kind, CreateSaleCredit.kind})


async def reconcile(books: Books, clearing_account: str | None) -> ClearingReport:
    """Explain the balance that Xero gives for the clearing account, exception by exception, to the cent."""
    choice = await account_choice(books, clearing_account, setting="clearing_account")
    account = choice.account.account_id or AccountId("")
    await refresh(books, PAYMENTS)
    organisation = await books.organisation()
    currency = organisation.base_currency or "XXX"
    movements = await _movements(books, account, through_a_bank=choice.account.type == AccountType.BANK)
    # As at today, the report leaves out what is dated later.
    latest = max(movements.days(), default=None)
    dated_ahead = latest is not None and latest > books.clock.now().date()
    return explain_clearing(
        account=account,
        balance=await _balance(books, account, currency, latest if dated_ahead else None),
        movements=movements,
        open_intents=await intents_with(books, states=OPEN_STATES),
    )


async def clearing_statement(books: Books, clearing_account: str | None, first: date, last: date) -> ClearingStatement:
    """What moved on the clearing account from *first* to *last*, proven against Xero's balance at both ends."""
    check_day("first", first)
    check_day("last", last)
    if last < first:
        raise InvalidInput("last", "give a day that is not before the first")
    choice = await account_choice(books, clearing_account, setting="clearing_account")
    account = choice.account.account_id or AccountId("")
    await refresh(books, PAYMENTS)
    currency = (await books.organisation()).base_currency or "XXX"
    return state_clearing(
        account=account,
        first=first,
        last=last,
        opening=await _balance(books, account, currency, first - timedelta(days=1)),
        closing=await _balance(books, account, currency, last),
        movements=await _movements(books, account, through_a_bank=choice.account.type == AccountType.BANK),
    )


async def _balance(books: Books, account: AccountId, currency: str, on: date | None) -> Money:
    rows = await AsyncReports(books).trial_balance(on=on)
    return Money.total((Money(row.balance, currency) for row in rows if row.account_id == account), currency)


async def _movements(books: Books, account: AccountId, *, through_a_bank: bool) -> Movements:
    written = await _of_kinds(books, Pay.kind, Refund.kind)
    removed = await _of_kinds(books, RemovePayment.kind, RemoveMoney.kind, VoidCredit.kind)
    moved = await intents_with(books, lookup=("account", account))
    transactions: list[BankTransaction] = []
    transfers: list[BankTransfer] = []
    if through_a_bank or moved:
        try:
            await refresh(books, BANK_TRANSACTIONS, BANK_TRANSFERS)
        except ScopeMissing:
            # Who posts no payouts needs no scope for them: what moved there is the rest of the sum.
            if moved:
                raise
        else:
            # What the library wrote may stand on another account, as a payout does that is no transfer.
            ids = [each.xero_id for each in moved if each.xero_id]
            transactions = await _on_account(books, BANK_TRANSACTIONS, BankTransaction, account, ids)
            transfers = await _on_account(books, BANK_TRANSFERS, BankTransfer, account, ids)
    # Whether Xero lists what was removed is not documented (F 4.25): what we removed is known anyhow.
    payments = [
        payment
        async for record, payment in walk(books, PAYMENTS, Payment, lookup=("account", account))
        if record.key not in removed
    ]
    return Movements(
        payments=payments,
        transactions=transactions,
        transfers=transfers,
        paid=written,
        moved={
            xero_id: intent
            for xero_id, intent in confirmed_by_id(moved).items()
            if intent.operation.kind not in {Pay.kind, Refund.kind}
        },
        removed=frozenset({*removed, *await _voided(books, moved)}),
    )


async def _on_account(books: Books, shelf: Shelf, kind: type[T], account: AccountId, ids: Sequence[str]) -> list[T]:
    """The mirrored documents of *shelf* on *account*, and those with these *ids*, each once."""
    found = {record.key: document async for record, document in walk(books, shelf, kind, lookup=("account", account))}
    found |= {key: document for key, (document, _) in (await stamped(books, shelf, kind, ids)).items()}
    return list(found.values())


async def _of_kinds(books: Books, *kinds: str) -> dict[str, Intent]:
    found: dict[str, Intent] = {}
    for kind in kinds:
        found |= confirmed_by_id(await intents_with(books, lookup=("kind", kind)))
    return found


async def _voided(books: Books, moved: Sequence[Intent]) -> list[str]:
    """Those of the invoices and credit notes that *moved* the account which people voided since, by id."""
    written = [each.xero_id for each in moved if each.operation.kind in _DOCUMENTS and each.xero_id]
    if not written:
        return []
    await refresh(books, INVOICES, CREDIT_NOTES)
    invoices = await stamped(books, INVOICES, Invoice, written)
    notes = await stamped(books, CREDIT_NOTES, CreditNote, written)
    statuses = {key: document.status for key, (document, _) in invoices.items()}
    statuses |= {key: document.status for key, (document, _) in notes.items()}
    return [key for key, status in statuses.items() if status in GONE]
