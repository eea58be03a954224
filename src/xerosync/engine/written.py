"""How a document of ours was written last: as it was created, and as each change of it since then was wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar, cast

from attrs import AttrsInstance, evolve, frozen

from xerosync.client._books import Books
from xerosync.client._paging import whole_rows
from xerosync.client._session import Query
from xerosync.client._wire.codec import Json, decode, parse
from xerosync.client._wire.outgoing import encode
from xerosync.engine.actions import SALE, Action, CreateBill, CreateCreditNote, MoveMoney, Pending, Seen
from xerosync.engine.intents import Intent, intent_key, retries, text_at
from xerosync.engine.observed import revisions
from xerosync.engine.paper_actions import (
    CARD,
    ChangeBill,
    ChangeSale,
    ChangeSaleCredit,
    ChangeSpend,
    ChangeSupplierCredit,
    SubmitSale,
    SubmitSaleCredit,
)
from xerosync.engine.states import OPEN, State
from xerosync.models import CreditNote, Invoice, LineAmountTypes

T = TypeVar("T", bound=AttrsInstance)

_APART: Final = frozenset({"Contact", "InvoiceID", "CreditNoteID", "BankTransactionID"})
"""What two changes of one document are compared without: a vendor's contact may be new each time."""
_IDS_AT_ONCE: Final = 80
AS_TYPED: Final = "as_typed"
"""The fact that keeps what people had typed, as it was when it was taken over."""
_CHANGED_BY: Final[Mapping[type[Action], tuple[str, str]]] = {
    ChangeBill: (CreateBill.kind, ""),
    ChangeSupplierCredit: (CreateCreditNote.kind, ""),
    ChangeSale: (SubmitSale.kind, SALE),
    ChangeSaleCredit: (SubmitSaleCredit.kind, SALE),
    ChangeSpend: (MoveMoney.kind, CARD),
}
"""What each change is a change of: the kind of its creation, and what the name of that begins with."""


async def all_changes(books: Books) -> dict[str, list[Intent]]:
    """Every change of a document of ours by the key of its first creation, in the order they were made."""
    found: dict[str, list[Intent]] = {}
    for change, (kind, prefix) in _CHANGED_BY.items():
        for name, changes in (await revisions(books, change.kind)).items():
            if name.startswith(change.prefix):
                created = Pending(kind, f"{prefix}{name.removeprefix(change.prefix)}")
                found[intent_key(books.tenant, created)] = changes
    return found


@frozen(kw_only=True)
class Written:
    """
    The *creation* of a document, and the *changes* of it in their order, whatever became of them.

    Where it was put back, *earlier* are the changes of what it took the place of: it was posted with them.
    """

    creation: Intent
    changes: Sequence[Intent] = ()
    earlier: Sequence[Intent] = ()

    @property
    def last(self) -> Intent:
        """The write that stands: the last change that was made, or else the creation."""
        return next((each for each in reversed(self.changes) if each.state is State.CONFIRMED), self.creation)

    @property
    def latest(self) -> Intent | None:
        """The last change, whether it was made or not; the numbers go on where a document was put back."""
        numbered = (*self.earlier, *self.changes)
        return max(numbered, key=lambda each: each.operation.revision) if numbered else None

    @property
    def edits(self) -> int:
        """How many changes were made."""
        return sum(each.state is State.CONFIRMED for each in self.changes)

    @property
    def wanted(self) -> Mapping[str, object] | None:
        """
        The whole document as it was wanted last: under money only a part of it was sent.

        None where nobody knows: the store had forgotten the document, and it was taken over as it stands.
        """
        # What was put back may have kept that of what it took the place of, which bore another mark.
        wanted = self.last.facts.get("wanted") if self.last is not self.creation else None
        return (self.last.payload or None) if wanted is None else cast(Json, parse(wanted.encode(), where="wanted"))

    @property
    def known(self) -> tuple[Mapping[str, object], str]:
        """The document as it was known last, written or taken over as it was typed, with its stamp then."""
        typed = as_typed(self.creation)
        if typed and self.last is self.creation:
            return typed, str(typed.get("UpdatedDateUTC", ""))
        return self.wanted or {}, self.last.stamp

    @property
    def is_open(self) -> bool:
        """Whether nobody can say yet what became of the last change."""
        return self.latest is not None and self.latest.state in OPEN

    @property
    def next_revision(self) -> int:
        """What the next change is numbered: one that was not made is taken up again under its own number."""
        latest = self.latest
        return 1 if latest is None else latest.operation.revision + (latest.state is State.CONFIRMED)

    def refused(self, payload: Mapping[str, object], seen: Seen, *, always: bool) -> Intent | None:
        """The last change, where Xero refused the very same *payload*, and nothing makes it worth another try."""
        latest = self.latest
        if latest is None or latest.state is State.CONFIRMED:
            return None
        same = without(payload, _APART) == without(latest.payload, _APART)
        return latest if same and not retries(latest, (seen,), always=always) else None

    def as_one(self) -> Intent:
        """The creation, as if it had written at once what stands now."""
        last = self.last
        if last is self.creation:
            return last
        payload = {**self.creation.payload, **last.payload, **(self.wanted or {})}
        known = {name: fact for name, fact in self.creation.facts.items() if name != "total"}
        return evolve(self.creation, payload=payload, facts={**known, **last.facts})


def as_typed(creation: Intent) -> Json:
    """What people had typed and *creation* took over, as it was then; nothing where that is not known."""
    kept = creation.facts.get(AS_TYPED)
    return {} if kept is None else cast(Json, parse(kept.encode(), where=AS_TYPED))


def first_key(creation: Intent) -> str:
    """The key of what was written first of what *creation* writes, by which `all_changes` has its changes."""
    is_anew = creation.operation.kind == MoveMoney.kind and creation.operation.revision > 1
    return intent_key(creation.tenant, evolve(creation.operation, revision=1)) if is_anew else creation.key


def written_as(creation: Intent, changes: Mapping[str, Sequence[Intent]]) -> Written:
    """*creation* with those of all *changes* that are of its document, and those of what it took the place of."""
    made = changes.get(first_key(creation), ()) if changes else ()
    if creation.operation.kind != MoveMoney.kind:
        return Written(creation=creation, changes=made)
    own = [each for each in made if text_at(each.payload, "BankTransactionID") == creation.xero_id]
    return Written(creation=creation, changes=own, earlier=[each for each in made if each not in own])


def written_total(intent: Intent) -> Decimal | None:
    """What the document of *intent* came to, as Xero said, or as it was sent; None where only Xero worked it out."""
    if "total" in intent.facts:
        return Decimal(intent.facts["total"])
    if "Amount" in intent.payload:
        return Decimal(str(intent.payload["Amount"]))
    amount = intent.facts.get("amount")
    if amount is None or intent.payload.get("LineAmountTypes") == LineAmountTypes.EXCLUSIVE:
        return None
    return abs(Decimal(amount))


def differing(wanted: Mapping[str, object], written: Mapping[str, object]) -> set[str]:
    """The names of what is *wanted* otherwise than it was *written*."""
    return {name for name in wanted if _plain(wanted[name]) != _plain(written.get(name))}


def fields_of(document: AttrsInstance, wanted: Json) -> Json:
    """What *document* has in the fields that are *wanted*, however deep."""
    return cast(Json, _fields_of(encode(document), wanted))


def _fields_of(there: object, wanted: object) -> object:
    found = there
    if isinstance(there, Mapping) and isinstance(wanted, Mapping):
        row, named = cast(Json, there), cast(Json, wanted)
        found = {name: _fields_of(row[name], named[name]) for name in named if name in row}
    elif isinstance(there, list) and isinstance(wanted, list):
        rows, named_rows = cast(list[object], there), cast(list[object], wanted)
        paired = zip(rows, named_rows, strict=False)
        found = [*(_fields_of(row, named) for row, named in paired), *rows[len(named_rows) :]]
    return found


async def read_whole(books: Books, collection: str, model: type[T], ids: Iterable[str]) -> dict[str, T]:
    """The documents of these *ids*, whole, as they are in Xero now: a call for each."""
    session, found = await books.session(), dict[str, T]()
    for each in ids:
        for row in (await session.read(Query(f"{collection}/{each}", collection, {"unitdp": "4"}))).rows:
            found[each] = decode(model, row, where=collection)
    return found


async def now_in_xero(books: Books, documents: Iterable[Invoice | CreditNote]) -> dict[str, Invoice | CreditNote]:
    """Those *documents*, whole, as they are in Xero, by id: a call for 80 invoices, and one for each credit note."""
    now: dict[str, Invoice | CreditNote] = {}
    listed = list(documents)
    ids = [each.invoice_id or "" for each in listed if isinstance(each, Invoice)]
    for start in range(0, len(ids), _IDS_AT_ONCE):
        query = Query("Invoices", "Invoices", {"IDs": ",".join(ids[start : start + _IDS_AT_ONCE]), "unitdp": "4"})
        async for row in whole_rows(await books.session(), query, "InvoiceID"):
            invoice = decode(Invoice, row, where="Invoices")
            now[invoice.invoice_id or ""] = invoice
    notes = [each.credit_note_id or "" for each in listed if isinstance(each, CreditNote)]
    return now | await read_whole(books, "CreditNotes", CreditNote, notes)


def without(part: Mapping[str, object], names: frozenset[str]) -> dict[str, object]:
    """*part* of a document without the fields of these *names*, nor the ids of lines, so that it compares."""
    return {name: _plain(value) for name, value in part.items() if name not in names and name != "LineItemID"}


def _plain(value: object) -> object:
    """*value* so that what is kept as text, or as a whole number, compares with what is sent."""
    if isinstance(value, Mapping):
        return without(cast(Mapping[str, object], value), frozenset())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast(Sequence[object], value)]
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
