"""The documents that the host's ids stand for in Xero: of one side invoices and credit notes, and card receipts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Pending, Seen
from xerosync.engine.intents import intent_key
from xerosync.engine.mirror import BANK_TRANSACTIONS, CREDIT_NOTES, INVOICES, Shelf, refresh
from xerosync.engine.observed import intents_of, stamped
from xerosync.engine.sides import PURCHASES, Side
from xerosync.engine.spending import card_operation
from xerosync.engine.states import State
from xerosync.models import BankTransaction, CreditNote, DocumentStatus, Invoice

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
    """A document of ours: the host's id, its resource at Xero and id there, and the document as the mirror has it."""

    host_id: str
    resource: str
    xero_id: str
    document: Invoice | CreditNote | BankTransaction
    seen: Seen


def _operations(side: Side, host_id: str) -> Iterable[tuple[Shelf, Pending]]:
    yield INVOICES, side.operation(side.invoice, host_id)
    yield CREDIT_NOTES, side.operation(side.credit, host_id)
    if side is PURCHASES:
        yield BANK_TRANSACTIONS, card_operation(host_id)


def has_money(document: Invoice | CreditNote) -> bool:
    """Whether payments or credits stand on *document*; of a credit note, whether it was set against any or refunded."""
    if isinstance(document, Invoice):
        return bool(document.amount_paid or document.amount_credited)
    return document.status not in UNAPPROVED and document.remaining_credit != document.total


async def posted_documents(
    books: Books, host_ids: Iterable[str], *, side: Side = PURCHASES
) -> dict[str, PostedDocument]:
    """Those of *host_ids* on that *side* that stand for a document written to Xero, whatever became of it since."""
    ids = list(dict.fromkeys(host_ids))
    operations = [(each, shelf, operation) for each in ids for shelf, operation in _operations(side, each)]
    intents = await intents_of(books, (operation for _, _, operation in operations))
    written: dict[str, dict[str, str]] = {shelf.name: {} for shelf in _SHELVES}
    for host_id, shelf, operation in operations:
        intent = intents.get(intent_key(books.tenant, operation))
        if intent is not None and intent.state is State.CONFIRMED and intent.xero_id:
            written[shelf.name][intent.xero_id] = host_id
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
            )
    return found
