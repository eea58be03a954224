"""What people edited or removed of what settlements are posted as besides payments: fees, payouts, what was parked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, TypeAlias

from xerosync.client._books import Books
from xerosync.engine.actions import CreateSaleCredit, MoveMoney
from xerosync.engine.clearing import posted_by_id
from xerosync.engine.discrepancies import AcceptDiscrepancy, said_by
from xerosync.engine.entries import Entry, entries_on
from xerosync.engine.intents import Intent
from xerosync.engine.mirror import BANK_TRANSACTIONS, refresh
from xerosync.engine.movements import Movements
from xerosync.engine.movements_flow import already_voided
from xerosync.engine.observed import all_links, intents_with, stamped
from xerosync.engine.payouts import FEES, PAYOUT
from xerosync.engine.restoring import TAKING_BACK, being_taken_back
from xerosync.engine.settlement_books import SURPLUS
from xerosync.errors import ScopeMissing
from xerosync.models import AccountId, BankTransaction

_KINDS: Final = frozenset({MoveMoney.kind, CreateSaleCredit.kind})
"""What people can edit, or nothing else says that it was removed; nobody can edit a payment, or a transfer."""


async def edited(books: Books, written: Iterable[Intent], currencies: Mapping[AccountId, str]) -> list[Entry]:
    """
    What of *written* moves another amount on its account than it was posted with, or comes to another in all.

    *currencies* are those that the accounts are kept in. What the library took back itself is not among it, nor what a
    person said is as it should be, unless it has changed since.
    """
    posted = posted_by_id(each for each in written if _is_looked_at(each))
    if not posted:
        return []
    try:
        await refresh(books, BANK_TRANSACTIONS)
    except ScopeMissing:
        return []
    documents = [each for each, _ in (await stamped(books, BANK_TRANSACTIONS, BankTransaction, posted)).values()]
    gone = frozenset(await already_voided(books, list(posted.values())))
    by_account: dict[AccountId, dict[str, Intent]] = defaultdict(dict)
    for xero_id, intent in posted.items():
        by_account[AccountId(intent.facts["account"])][xero_id] = intent
    found: list[Entry] = []
    for account, moved in by_account.items():
        if account in currencies:
            there = [each for each in documents if each.bank_transaction_id in moved]
            movements = Movements(payments=(), paid={}, transactions=there, moved=moved, removed=gone & moved.keys())
            entries = entries_on(account, movements, currencies[account])
            found += [each for each in entries if each.actual != each.recorded or each.in_all is not None]
    ours = await _taken_back(books) if any(each.is_removed for each in found) else frozenset[str]()
    accepted = await _accepted(books) if found else frozenset[_Accepted]()
    return [each for each in found if each.xero_id not in ours and _said_of(each) not in accepted]


_Accepted: TypeAlias = tuple[str, Decimal, str]
"""The id of a document, what it moves more than it should, and what it comes to where it moves what it should."""


def _said_of(entry: Entry) -> _Accepted:
    more = (entry.actual - entry.recorded).amount
    return entry.xero_id, more, "" if entry.in_all is None else str(entry.in_all)


async def _accepted(books: Books) -> frozenset[_Accepted]:
    """What was accepted as a discrepancy."""
    links = await all_links(books, AcceptDiscrepancy.kind)
    return frozenset((link["xero_id"], Decimal(now), in_all) for link in links for _, now, in_all in [said_by(link)])


def _is_looked_at(intent: Intent) -> bool:
    is_part = intent.operation.host_ref.startswith((FEES, PAYOUT, SURPLUS))
    return is_part and intent.operation.kind in _KINDS and {"account", "effect", "dated"} <= intent.facts.keys()


async def _taken_back(books: Books) -> frozenset[str]:
    """The ids of what the library took back, or is about to."""
    found = set(await being_taken_back(books))
    for kind in sorted(TAKING_BACK):
        found |= {each.target or "" for each in await intents_with(books, lookup=("kind", kind))}
    return frozenset(found)
