"""The documents that the host's ids stand for in Xero: of one side invoices and credit notes, and card receipts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from attrs import frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Pending, Seen
from xerosync.engine.bringing import linked_documents
from xerosync.engine.intents import intent_key
from xerosync.engine.mirror import BANK_TRANSACTIONS, CREDIT_NOTES, INVOICES, Shelf, refresh
from xerosync.engine.observed import intents_of, stamped
from xerosync.engine.restoring import current_of
from xerosync.engine.sides import PURCHASES, Side
from xerosync.engine.spending import card_operation, linked_spends
from xerosync.engine.states import State
from xerosync.mapping.papers import Bill
from xerosync.mapping.spending import CardSpend
from xerosync.models import BankTransaction, CreditNote, DocumentStatus, Invoice

Of: TypeAlias = type[Bill] | type[CardSpend]
"""Of what an id is, where a bill and a card receipt may have the same."""

USED_TWICE: Final = (
    "id used twice",
    "a bill and a card receipt go by this id",
    "say which of them is meant: of=Bill, or of=CardSpend",
)
"""The code, cause and fix of a finding where nobody can say what an id is of."""

UNAPPROVED: Final = frozenset({DocumentStatus.DRAFT, DocumentStatus.SUBMITTED})
"""The statuses of a document that nobody has approved yet."""

_SHELVES: Final = (INVOICES, CREDIT_NOTES, BANK_TRANSACTIONS)
_MODELS: Final[Mapping[str, type[Invoice | CreditNote | BankTransaction]]] = {
    INVOICES.name: Invoice,
    CREDIT_NOTES.name: CreditNote,
    BANK_TRANSACTIONS.name: BankTransaction,
}


@frozen(kw_only=True)
class PostedDocument:
    """
    A document of the host's: its id there, its resource at Xero and id there, and the document as the mirror has it.

    *by_hand* is one that was entered in Xero and linked; *is_one_of_two* one whose id a card receipt has, too.
    *revision* is that of the write which posted it: above one, it was put back.
    """

    host_id: str
    resource: str
    xero_id: str
    document: Invoice | CreditNote | BankTransaction
    seen: Seen
    by_hand: bool = False
    is_one_of_two: bool = False
    revision: int = 1


def creations(side: Side, host_id: str, of: Of | None) -> Iterable[tuple[Shelf, Pending]]:
    """Every operation that may have made what *host_id* stands for on that *side*, with the shelf of what it makes."""
    if of is not CardSpend:
        yield INVOICES, side.operation(side.invoice, host_id)
        yield CREDIT_NOTES, side.operation(side.credit, host_id)
    if side is PURCHASES and of is not Bill:
        yield BANK_TRANSACTIONS, card_operation(host_id)


def has_money(document: Invoice | CreditNote) -> bool:
    """Whether payments or credits stand on *document*; of a credit note, whether it was set against any or refunded."""
    if isinstance(document, Invoice):
        return bool(document.amount_paid or document.amount_credited)
    return document.status not in UNAPPROVED and document.remaining_credit != document.total


async def posted_documents(
    books: Books, host_ids: Iterable[str], *, side: Side = PURCHASES, of: Of | None = None
) -> dict[str, PostedDocument]:
    """
    Those of *host_ids* on that *side* that stand for a document in Xero, whatever became of it since.

    *of* says which they are, where a bill and a card receipt may have the same id.
    """
    ids = list(dict.fromkeys(host_ids))
    operations = [(each, shelf, operation) for each in ids for shelf, operation in creations(side, each, of)]
    # Of what is posted for the host only receipts are put back by being posted anew.
    find = current_of if side is PURCHASES and of is not Bill else intents_of
    intents = await find(books, (operation for _, _, operation in operations))
    written: dict[str, dict[str, str]] = {shelf.name: {} for shelf in _SHELVES}
    revisions: dict[str, int] = {}
    for host_id, shelf, operation in operations:
        intent = intents.get(intent_key(books.tenant, operation))
        if intent is not None and intent.state is State.CONFIRMED and intent.xero_id:
            written[shelf.name][intent.xero_id] = host_id
            revisions[intent.xero_id] = intent.operation.revision
    by_hand = set[str]()
    for each in await linked_documents(books, ids) if side is PURCHASES and of is not CardSpend else ():
        written[each.seen.shelf][each.seen.document_id] = each.host_id
        by_hand.add(each.host_id)
    for host_id, spent in (await linked_spends(books, ids)).items() if side is PURCHASES and of is not Bill else ():
        written[BANK_TRANSACTIONS.name][spent.bank_transaction_id or ""] = host_id
        by_hand.add(host_id)
    needed = [shelf for shelf in _SHELVES if written[shelf.name]]
    await refresh(books, *needed)
    found: dict[str, PostedDocument] = {}
    for shelf in needed:
        by_id: Mapping[str, tuple[Invoice | CreditNote | BankTransaction, str]]
        by_id = await stamped(books, shelf, _MODELS[shelf.name], written[shelf.name])
        for xero_id, (document, stamp) in by_id.items():
            host_id = written[shelf.name][xero_id]
            found[host_id] = PostedDocument(
                host_id=host_id,
                resource=shelf.collection,
                xero_id=xero_id,
                document=document,
                seen=Seen(shelf.name, xero_id, stamp),
                by_hand=host_id in by_hand,
                is_one_of_two=host_id in found,
                revision=revisions.get(xero_id, 1),
            )
    return found
