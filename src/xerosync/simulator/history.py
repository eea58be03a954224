"""What was done to each row of the books, in Xero's words, as GET …/History tells it (F 6.191)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar

from attrs import evolve

from xerosync.simulator.entities import (
    Attachment,
    BankTransaction,
    BankTransfer,
    BatchPayment,
    Contact,
    Document,
    History,
    HistoryEntry,
    Item,
    ManualJournal,
    Offer,
    Payment,
    milliseconds,
)
from xerosync.simulator.tables import Stamped, Table

if TYPE_CHECKING:
    from xerosync.simulator.books import Books

Telling: TypeAlias = tuple[str, str]


class _Stated(Protocol):
    """A row with a status and a write stamp."""

    @property
    def status(self) -> str: ...

    @property
    def updated_ms(self) -> int: ...


T = TypeVar("T", bound=Stamped)
_FIRST: Final = {"DRAFT": "Created", "SUBMITTED": "Submitted", "BILLED": "Billed", "SENT": "Quote sent"}
_THEN: Final = {
    "SUBMITTED": "Submitted", "AUTHORISED": "Approved", "VOIDED": "Voided", "DELETED": "Deleted", "BILLED": "Billed",
    "SENT": "Quote sent", "ACCEPTED": "Accepted", "DECLINED": "Declined", "INVOICED": "Invoiced",
    "ARCHIVED": "Archived", "POSTED": "Posted",
}  # fmt: skip


def keep_history(books: Books) -> None:
    """From now on write down what is done to the rows of *books*: a kind of change and a sentence for each."""

    def follow(table: Table[T], told: Callable[[T | None, T], Telling | None]) -> None:
        def write(old: T | None, new: T) -> None:
            telling = told(old, new)
            if telling is not None:
                _append(books, new.id, HistoryEntry(new.updated_ms, *telling))

        table.record(write)

    follow(books.documents, lambda old, new: _document(books, old, new))
    follow(books.contacts, _contact)
    follow(books.payments, _payment)
    follow(books.batch_payments, _moved)
    follow(books.bank_transactions, _moved)
    follow(books.bank_transfers, _moved)
    follow(books.manual_journals, _moved)
    follow(books.items, _item)
    follow(books.purchase_orders, lambda old, new: _changed(books, old, new))
    follow(books.quotes, lambda old, new: _changed(books, old, new))


def add_note(books: Books, owner_id: str, details: str, *, changes: str = "Note") -> HistoryEntry:
    """Add to the history of the row *owner_id* what nobody could see from the row itself."""
    last = books.histories.get(owner_id)
    at_ms = max(milliseconds(books.now()), last.entries[-1].at_ms if last is not None else 0)
    entry = HistoryEntry(at_ms, changes, details)
    _append(books, owner_id, entry)
    return entry


def note_attachment(books: Books, attachment: Attachment, app: str) -> None:
    """Tell in the history of its owner that a file was attached, through *app* or, if that is blank, by hand."""
    through = f" through the Xero API using {app}" if app else ""
    add_note(books, attachment.owner_id, f"Attached the file {attachment.name}{through}", changes="Attached a file")


def _append(books: Books, owner_id: str, entry: HistoryEntry) -> None:
    history = books.histories.get(owner_id) or History(owner_id)
    books.histories.put(evolve(history, entries=(*history.entries, entry)))


def _document(books: Books, old: Document | None, new: Document) -> Telling | None:
    if old is not None and new.paid != old.paid:
        return _paid(books, old, new)
    if old is not None and new.credited != old.credited:
        amount = new.credited - old.credited
        if amount < 0:
            return "Credit removed", f"Amount credited of {-amount:,.2f} was removed."
        return "Credited", f"Amount credited on {books.today():%d/%m/%Y} for {amount:,.2f}."
    if old is not None and new.sent_to_contact and not old.sent_to_contact:
        return "Invoice sent", "This invoice has been sent"
    return _changed(books, old, new)


def _paid(books: Books, old: Document, new: Document) -> Telling:
    amount = new.paid - old.paid
    if amount < 0:
        return "Payment removed", f"Payment of {-amount:,.2f} was removed."
    received = new.is_sale != new.is_credit
    name = books.contacts[new.contact_id].name
    on = max((one.date for one in books.payments_of(new.id)), default=books.today())
    sentence = f"Payment {'received from' if received else 'made to'} {name} on {on.day} {on:%B %Y} for {amount:,.2f}."
    rest = "This has been fully paid." if new.amount_due == 0 else f"There is {new.amount_due:,.2f} outstanding."
    return "Paid", f"{sentence} {rest}"


def _changed(books: Books, old: Document | Offer | None, new: Document | Offer) -> Telling | None:
    word = _word(old, new, _FIRST.get(new.status, "Approved"))
    name = books.contacts[new.contact_id].name
    return None if word is None else (word, f"{new.number} to {name} for {new.total:,.2f}.".strip())


def _word(old: _Stated | None, new: _Stated, first: str) -> str | None:
    """What became of a row, *first* when it is new; None when nothing did that moves its stamp."""
    if old is None:
        return first
    if new.updated_ms == old.updated_ms:
        return None
    return _THEN.get(new.status, "Edited") if new.status != old.status else "Edited"


Moved: TypeAlias = BankTransaction | BankTransfer | BatchPayment | ManualJournal


def _moved(old: Moved | None, new: Moved) -> Telling | None:
    word = _word(old, new, "Posted" if new.status == "POSTED" else "Created")
    if word is None:
        return None
    match new:
        case ManualJournal():
            return word, new.narration
        case BankTransfer():
            return word, f"Bank transfer on {new.date.day} {new.date:%B %Y} for {new.amount:,.2f}."
        case _:
            return word, f"{new.reference} on {new.date.day} {new.date:%B %Y} for {new.total:,.2f}.".strip()


def _contact(old: Contact | None, new: Contact) -> Telling | None:
    word = _word(old, new, "Created")
    return None if word is None else (word, f"The contact {new.name} was {word.lower()}.")


def _item(old: Item | None, new: Item) -> Telling:
    return ("Created", f"Item {new.code} was created.") if old is None else ("Edited", f"Item {new.code} was edited.")


def _payment(old: Payment | None, new: Payment) -> Telling | None:
    word = _word(old, new, "Created")
    return None if word is None else (word, f"Payment of {new.amount:,.2f} on {new.date.day} {new.date:%B %Y}.")
