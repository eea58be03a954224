"""Rules of linked transactions: what may be charged to whom, and how far that has come (F 6.174)."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import BankTransaction, Document, LinkedTransaction
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid

STATUSES: Final = ("APPROVED", "DRAFT", "ONDRAFT", "BILLED", "VOIDED")
_SOURCES: Final = ("ACCPAY", "SPEND")
_ENDED: Final = frozenset({"VOIDED", "DELETED"})
_NOT_APPROVED: Final = frozenset({"DRAFT", "SUBMITTED"})
_NO_SUCH_LINE: Final = "The SourceLineItemID and SourceTransactionID do not match"
_NO_SUCH_TARGET: Final = "The TargetLineItemID and TargetTransactionID do not match"
_ANOTHER_CONTACT: Final = "The ContactID and the TargetTransaction ContactID do not match"


def status(books: Books, linked: LinkedTransaction) -> str:
    """How far *linked* has come: it is as approved as its source, until it is on a sale, and void with its source."""
    source = _source(books, linked.source_id)
    if source is None or source.status in _ENDED or not _has_line(source, linked.source_line_id):
        return "VOIDED"
    target = _target(books, linked)
    if target is not None:
        return "ONDRAFT" if target.status in _NOT_APPROVED else "BILLED"
    return "DRAFT" if source.status in _NOT_APPROVED else "APPROVED"


def create(books: Books, given: Given) -> LinkedTransaction:
    """Charge a line of a bill, or of money spent, to a customer, or to nobody yet. Raises `Invalid`."""
    source_id, line_id = given.id("SourceTransactionID"), given.id("SourceLineItemID")
    source = _source(books, source_id)
    if source is None or not _has_line(source, line_id):
        raise Invalid(_NO_SUCH_LINE)
    if source.status in _ENDED:
        raise Invalid("The SourceTransaction is not of valid status")
    if any(status(books, one) != "VOIDED" for one in books.linked_transactions.by("line", line_id)):
        raise Invalid("The SourceLineItemID is already linked")
    fresh = LinkedTransaction(
        id=books.draw(),
        source_id=source_id,
        source_line_id=line_id,
        source_type=source.type,
        updated_ms=books.write_stamp(),
    )
    return books.linked_transactions.put(_charged(books, fresh, given))


def update(books: Books, old: LinkedTransaction, given: Given) -> LinkedTransaction:
    """Charge *old* to another customer, or put it on a sale; its source stays. Raises `Invalid`."""
    if status(books, old) in {"BILLED", "VOIDED"}:
        raise Invalid("The LinkedTransaction is not of valid status for modification")
    for name, kept in (("SourceTransactionID", old.source_id), ("SourceLineItemID", old.source_line_id)):
        if given.id(name) not in {"", kept}:
            raise Invalid(_NO_SUCH_LINE)
    changed = _charged(books, old, given)
    return books.linked_transactions.put(evolve(changed, updated_ms=books.write_stamp()))


def delete(books: Books, linked: LinkedTransaction) -> None:
    """Charge it to nobody any more. Raises `Invalid` for what a customer was billed for."""
    if status(books, linked) == "BILLED":
        raise Invalid("The LinkedTransaction is not of valid status for modification")
    books.linked_transactions.drop(linked.id)


def _charged(books: Books, linked: LinkedTransaction, given: Given) -> LinkedTransaction:
    """*linked* with the customer and the sale that are *given*."""
    contact_id = given.id("ContactID") or linked.contact_id
    if contact_id and books.contacts.get(contact_id) is None:
        raise Invalid("The ContactID could not be found")
    target_id = given.id("TargetTransactionID") or linked.target_id
    line_id = given.id("TargetLineItemID") or linked.target_line_id
    changed = evolve(linked, contact_id=contact_id, target_id=target_id, target_line_id=line_id)
    if not target_id and not line_id:
        return changed
    target = _target(books, changed)
    if target is None or not any(line.id == line_id for line in target.lines):
        raise Invalid(_NO_SUCH_TARGET)
    if contact_id != target.contact_id:
        raise Invalid(_ANOTHER_CONTACT)
    return changed


def _source(books: Books, source_id: str) -> Document | BankTransaction | None:
    source = books.documents.get(source_id) or books.bank_transactions.get(source_id)
    return source if source is not None and source.type in _SOURCES else None


def _has_line(source: Document | BankTransaction, line_id: str) -> bool:
    return any(line.id == line_id for line in source.lines)


def _target(books: Books, linked: LinkedTransaction) -> Document | None:
    """The sale it is on, while that stands: once it is voided, the expense can be billed again."""
    target = books.documents.get(linked.target_id)
    return target if target is not None and target.type == "ACCREC" and target.status not in _ENDED else None
