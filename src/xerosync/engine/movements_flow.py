"""Reading what moved on a clearing account: all of it, or what is left when the rest is ticked off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

from attrs import AttrsInstance, evolve

from xerosync.client._books import Books
from xerosync.engine.actions import (
    CreateSale,
    CreateSaleCredit,
    MoveMoney,
    Pay,
    Refund,
    RemoveMoney,
    RemovePayment,
    Transfer,
    VoidCredit,
)
from xerosync.engine.brought_forward import Left, Rolled
from xerosync.engine.clearing import posted_by_id
from xerosync.engine.intents import Intent, read_intent
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    LINE_ON,
    PAYMENTS,
    Shelf,
    read_mirrored,
    records,
    refresh,
    walk,
)
from xerosync.engine.movements import Movements
from xerosync.engine.observed import intents_with, stamped
from xerosync.engine.paper_actions import VoidSale
from xerosync.engine.restoring import RESTORED, being_taken_back, current, superseded
from xerosync.engine.ticking_flow import Briefly, tick_off
from xerosync.engine.undo_actions import RemoveTransfer
from xerosync.errors import ScopeMissing
from xerosync.models import Account, AccountId, BankTransaction, BankTransfer, CreditNote, Invoice, Payment

T = TypeVar("T", bound=AttrsInstance)

_REMOVALS: Final = (RemovePayment.kind, RemoveMoney.kind, RemoveTransfer.kind, VoidCredit.kind, VoidSale.kind)
_DOCUMENTS: Final = frozenset({CreateSale.kind, CreateSaleCredit.kind})


async def movements_on(
    books: Books, kept: Account, briefly: Briefly | None = None, rolled: Rolled | None = None
) -> tuple[Movements, Left | None]:
    """
    What moved on the account *kept*; or *briefly* what of that is to be looked at, and what else is left.

    Of an account that is *rolled* forward only what is to be looked at anew.
    """
    account = kept.account_id or AccountId("")
    removed = await _of_kinds(books, *_REMOVALS)
    everything = await intents_with(books, lookup=("account", account)) if rolled is None else rolled.moved
    moved = current(everything)
    left = None
    if briefly is None:
        written = await _of_kinds(books, Pay.kind, Refund.kind)
        walked = walk(books, PAYMENTS, Payment, lookup=("account", account))
        on_account = {record.key: payment async for record, payment in walked}
    else:
        left = await tick_off(books, account, briefly, others=moved, removals=removed, rolled=rolled)
        left = evolve(left, moved=frozenset(each.key for each in everything))
        written, on_account = left.written, left.payments
    for xero_id in superseded(written.values()):
        del written[xero_id]
    transactions, transfers = await _money_on(books, kept, moved, rolled)
    voided = await already_voided(books, moved)
    known = posted_by_id(moved)
    gone = {*voided, *_gone(on_account.values(), transactions, transfers)} & {*written, *known} - removed.keys()
    if gone:
        # Another run may have taken it back meanwhile, or be about to: then nobody else removed it.
        taken_back = await being_taken_back(books) | await _of_kinds(books, *_REMOVALS)
        removed |= {xero_id: each for xero_id, each in taken_back.items() if xero_id in gone}
    movements = Movements(
        # Whether Xero lists what was removed is not documented (F 4.25): what we removed is known anyhow.
        payments=[payment for key, payment in on_account.items() if key not in removed],
        taken_back=[payment for key, payment in on_account.items() if key in removed],
        # What made room for something to be put back was not taken back by the library for good.
        removals={xero_id: each for xero_id, each in removed.items() if RESTORED[0] not in each.facts},
        transactions=transactions,
        transfers=transfers,
        paid=written,
        moved={
            xero_id: intent for xero_id, intent in known.items() if intent.operation.kind not in {Pay.kind, Refund.kind}
        },
        removed=frozenset({*removed, *voided}),
        others=await _written_for_others(
            books, _ids(transactions, transfers) - known.keys(), one_by_one=rolled is not None
        ),
    )
    return movements, left


def _gone(
    payments: Iterable[Payment], transactions: Iterable[BankTransaction], transfers: Iterable[BankTransfer]
) -> Iterator[str]:
    """Those of the documents that stand no more, by id."""
    yield from (each.payment_id or "" for each in payments if each.status in GONE)
    yield from (each.bank_transaction_id or "" for each in transactions if each.status in GONE)
    yield from (each.bank_transfer_id or "" for each in transfers if each.status in GONE)


async def _money_on(
    books: Books, kept: Account, moved: Sequence[Intent], rolled: Rolled | None
) -> tuple[list[BankTransaction], list[BankTransfer]]:
    """The bank transactions and transfers on the account *kept*, and those by which the library *moved* it."""
    account = kept.account_id or AccountId("")
    # What the library wrote may stand on another account, as a payout does that is no transfer.
    ids = [each.xero_id for each in moved if each.xero_id]
    if rolled is not None:
        return (
            await _to_look_at(books, BANK_TRANSACTIONS, BankTransaction, rolled, ids),
            await _to_look_at(books, BANK_TRANSFERS, BankTransfer, rolled, ids),
        )
    try:
        await refresh(books, BANK_TRANSACTIONS, BANK_TRANSFERS)
    except ScopeMissing:
        # Who posts no payouts needs no scope for them: what moved there is the rest of the sum.
        if moved:
            raise
        return [], []
    return (
        await _on_account(books, BANK_TRANSACTIONS, BankTransaction, account, ids),
        await _on_account(books, BANK_TRANSFERS, BankTransfer, account, ids),
    )


async def _on_account(books: Books, shelf: Shelf, kind: type[T], account: AccountId, ids: Sequence[str]) -> list[T]:
    """The mirrored documents of *shelf* that are on *account*, or have a line on it, or these *ids*, each once."""
    found: dict[str, T] = {}
    for name in ("account", LINE_ON):
        found |= {record.key: document async for record, document in walk(books, shelf, kind, lookup=(name, account))}
    found |= {key: document for key, (document, _) in (await stamped(books, shelf, kind, ids)).items()}
    return list(found.values())


def _ids(transactions: Iterable[BankTransaction], transfers: Iterable[BankTransfer]) -> set[str]:
    ids = {each.bank_transaction_id or "" for each in transactions}
    return ids | {each.bank_transfer_id or "" for each in transfers}


async def _to_look_at(books: Books, shelf: Shelf, kind: type[T], rolled: Rolled, ids: Sequence[str]) -> list[T]:
    """Those documents of *shelf* on an account that are to be looked at, and those with these *ids*, each once."""
    found = {record.key: read_mirrored(record, kind) for record in rolled.documents.get(shelf.kind, ())}
    found |= {key: document for key, (document, _) in (await stamped(books, shelf, kind, ids)).items()}
    return list(found.values())


async def _written_for_others(books: Books, ids: AbstractSet[str], *, one_by_one: bool) -> dict[str, Intent]:
    """What wrote those of *ids*, bank transactions and transfers, that the library wrote, by id."""
    found: dict[str, Intent] = {}
    if one_by_one:
        written = [one for each in sorted(ids) for one in await intents_with(books, lookup=("xero_id", each))]
        return posted_by_id(each for each in written if each.operation.kind in {MoveMoney.kind, Transfer.kind})
    for kind in (MoveMoney.kind, Transfer.kind) if ids else ():
        async for record in records(books, "intent", lookup=("kind", kind)):
            if dict(record.lookups).get("xero_id") in ids:
                found |= posted_by_id([read_intent(record)])
    return found


async def _of_kinds(books: Books, *kinds: str) -> dict[str, Intent]:
    found: dict[str, Intent] = {}
    for kind in kinds:
        found |= posted_by_id(await intents_with(books, lookup=("kind", kind)))
    return found


async def already_voided(books: Books, moved: Sequence[Intent]) -> list[str]:
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
