"""
The audit: what carries our marks in Xero against what the ledger says, whatever either of them remembers (R9).

It reads Xero's own lists, not the mirror, and never deletes or posts anything. With *adopt* it takes over what the
ledger does not know, so that a store restored from an older backup may be written from again (C15).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, cast

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.client._paging import whole_rows
from xerosync.client._session import Query
from xerosync.client._wire.codec import Json, decode
from xerosync.client._wire.names import id_name
from xerosync.client._wire.rows import Row
from xerosync.engine.actions import Pending
from xerosync.engine.intents import Intent, read_intent, sign_of, text_at
from xerosync.engine.lease import take
from xerosync.engine.mirror import BATCH_PAYMENTS, GONE, Shelf, records, tag_on
from xerosync.engine.outcomes import FOUND_TWICE, REMOVED_SINCE
from xerosync.engine.plans import Finding
from xerosync.engine.posting import Poster
from xerosync.engine.probes import Found, conclude, payments_in, payments_removed
from xerosync.engine.recovery import MARKS_ON, let_arrive
from xerosync.engine.restoring import RESTORED, superseded
from xerosync.engine.states import NEVER_LEFT, State
from xerosync.engine.strays import ADOPTED, open_strays, stray_record
from xerosync.errors import InvalidInput, ScopeMissing
from xerosync.models import BatchPayment
from xerosync.tables import Listing, Tabular

MISSING: Final = "missing in Xero"
DOUBLED: Final = "found twice in Xero"
FOREIGN: Final = "unknown to the ledger"
DELETED: Final = "removed in Xero"

_MARKED: Final = frozenset[str]().union(*(kinds for _, kinds in MARKS_ON))
_REMOVALS: Final = frozenset(
    {
        "removal",
        "bank_transaction_removal",
        "batch_payment_removal",
        "transfer_removal",
        "bill_voiding",
        "sale_voiding",
        "credit_note_voiding",
    }
)
_COMPARED: Final = frozenset({"Status", "Allocations"})
"""What of a document, beside its mark, is held against the ledger."""
_CHUNK: Final = 500
_UNDER_WAY: Final = timedelta(minutes=10)
"""What was written so shortly before the books were read may be missing from what was read of them."""


@frozen(kw_only=True, repr=False)
class Audit(Tabular):
    """
    What an audit came to: how many documents with our marks were *seen*, how many marks were *adopted*, and *findings*.

    Each finding is about the host's own id, or about Xero's where the ledger knows none.
    """

    seen: int = 0
    adopted: int = 0
    findings: Listing[Finding] = field(factory=Listing[Finding], converter=Listing[Finding])

    @property
    def missing(self) -> tuple[str, ...]:
        """What the ledger says was written, and Xero does not have."""
        return self._about(MISSING)

    @property
    def doubled(self) -> tuple[str, ...]:
        """What Xero has more than once under one mark."""
        return self._about(DOUBLED)

    @property
    def foreign(self) -> tuple[str, ...]:
        """The Xero ids of documents with our mark that the ledger does not know as written."""
        return self._about(FOREIGN)

    @property
    def deleted(self) -> tuple[str, ...]:
        """What was written, and removed in Xero by somebody else."""
        return self._about(DELETED)

    def _about(self, code: str) -> tuple[str, ...]:
        return tuple(finding.about for finding in self.findings if finding.code == code)

    def __bool__(self) -> bool:
        return not self.findings

    def rows(self) -> list[dict[str, object]]:
        """One row a finding, for a table or a dataframe."""
        return self.findings.rows()

    def __str__(self) -> str:
        counts = ((self.missing, "missing"), (self.doubled, "doubled"), (self.foreign, "foreign"))
        found = [f"{len(about):,} {word}" for about, word in (*counts, (self.deleted, "deleted")) if about]
        adopted = [f"{self.adopted:,} adopted"] if self.adopted else []
        return " · ".join([f"{self.seen:,} documents with our marks", *adopted, *(found or ["all is well"])])

    def __repr__(self) -> str:
        return f"<Audit {self}>"


@frozen(repr=False)
class Document:
    """What the audit needs of a document in Xero; *payments* are those of a batch, by what each pays."""

    xero_id: str
    tag: str | None
    stands: bool
    allocated: frozenset[tuple[str, Decimal]] = frozenset()
    payments: Mapping[str, str] = field(factory=dict[str, str])


@define
class _Books:
    """What Xero was found to hold, and what the ledger says of it."""

    intents: Sequence[Intent]
    documents: dict[str, Document] = field(factory=dict[str, Document])
    by_tag: dict[str, list[Document]] = field(factory=dict[str, list[Document]])
    unread: dict[str, ScopeMissing] = field(factory=dict[str, ScopeMissing])

    def add(self, document: Document) -> None:
        self.documents[document.xero_id] = document
        if document.tag is not None:
            self.by_tag.setdefault(document.tag, []).append(document)

    @property
    def by_mark(self) -> dict[str, Intent]:
        return {intent.tag: intent for intent in self.intents if intent.operation.kind in _MARKED}

    def has_more_than(self, adopted: set[str]) -> bool:
        """Whether Xero holds what the ledger does not know, or thinks never left, and has not *adopted* either."""
        known = {tag for tag, intent in self.by_mark.items() if intent.state not in NEVER_LEFT}
        return not self.by_tag.keys() <= known | adopted


async def audit(books: Books, *, since: datetime | None = None, adopt: bool = False) -> Audit:
    """
    Compare Xero with the ledger; see `xerosync.Ledger.audit`.

    A list that the connection has no scope for is left out where nothing was ever written to it; else `ScopeMissing`.
    Documents are read before the ledger is, which knows of every write before it leaves.
    """
    if since is not None and since.tzinfo is None:
        raise InvalidInput("since", "give an aware datetime, such as one in UTC: Xero keeps instants")
    if adopt and since is not None:
        raise InvalidInput("since", "leave it out: only the whole of the books says what the ledger lacks")
    settled_before = books.clock.now() - _UNDER_WAY
    compared = await _compared(books, since)
    if adopt and books.quarantine_s and compared.has_more_than(await _adopted_tags(books)):
        # What was sent before the store was set back may still be on its way.
        await let_arrive(books, books.quarantine_s)
        compared = await _compared(books, since)
    adopted = await _adopt(books, compared) if adopt else 0
    known = {tag for tag in compared.by_tag if adopt} | await _adopted_tags(books)
    return Audit(
        seen=sum(map(len, compared.by_tag.values())),
        adopted=adopted,
        findings=(*_of_marks(compared, known), *_of_intents(compared, since, settled_before)),
    )


async def _compared(books: Books, since: datetime | None) -> _Books:
    compared = _Books(())
    for shelf, kinds in MARKS_ON:
        try:
            async for document in _documents(books, shelf, since):
                compared.add(document)
        except ScopeMissing as missing:
            compared.unread |= dict.fromkeys(kinds, missing)
    compared.intents = [read_intent(record) async for record in records(books, "intent")]
    for intent in compared.intents:
        if intent.operation.kind in compared.unread:
            raise compared.unread[intent.operation.kind]
    return compared


async def _documents(books: Books, shelf: Shelf, since: datetime | None) -> AsyncIterator[Document]:
    session = await books.session()
    name, sign = id_name(shelf.model), sign_of(books.app.client_id)
    wanted = evolve(shelf.header, keys=shelf.header.keys | _COMPARED) if shelf is not BATCH_PAYMENTS else None
    query = Query(shelf.collection, shelf.collection, shelf.params, since, wanted)
    async for row in whole_rows(session, query, name):
        document = _document(row, str(row.get(name)), tag_on(shelf, row, sign))
        if shelf is BATCH_PAYMENTS:
            document = evolve(document, payments=payments_in(decode(BatchPayment, row, where=shelf.collection)))
        yield document


def _document(row: Row, xero_id: str, tag: str | None) -> Document:
    allocated = frozenset(
        (str(cast(Json, each.get("Invoice") or {}).get("InvoiceID")), Decimal(str(each.get("Amount"))))
        for each in cast("Sequence[Json]", row.get("Allocations") or ())
    )
    return Document(xero_id, tag, row.get("Status") not in GONE, allocated)


async def _adopted_tags(books: Books) -> set[str]:
    return {record.key async for record in records(books, "stray", states=[ADOPTED])}


def _of_marks(compared: _Books, known: set[str]) -> Iterator[Finding]:
    """What the marks in Xero say against the ledger."""
    by_mark = compared.by_mark
    confirmed = [intent for intent in compared.intents if intent.state is State.CONFIRMED]
    removed = superseded(confirmed) | {intent.target for intent in confirmed if intent.operation.kind in _REMOVALS}
    anew = {_named(intent.operation) for intent in confirmed if RESTORED[0] in intent.facts}
    for tag, documents in compared.by_tag.items():
        standing = [each for each in documents if each.stands]
        intent = by_mark.get(tag)
        about = documents[0].xero_id if intent is None else intent.operation.host_ref
        if len(standing) > 1:
            yield _finding(DOUBLED, about)
        if (intent is None and tag not in known) or (intent is not None and intent.state in NEVER_LEFT):
            yield _finding(FOREIGN, documents[0].xero_id)
        elif intent is not None and intent.state is State.CONFIRMED and _are_gone(documents, removed):
            members = {_named(each.operation) for each in intent.members}
            if not members or members - anew:  # those of a batch are put back one by one
                yield _finding(DELETED, about)


def _named(operation: Pending) -> tuple[str, str]:
    return operation.kind, operation.host_ref


def _are_gone(documents: Sequence[Document], removed: set[str]) -> bool:
    """Whether none of *documents* stands, and none was *removed* by us, or is in Xero once more in its place."""
    return not any(each.stands or each.xero_id in removed for each in documents)


def _of_intents(compared: _Books, since: datetime | None, settled_before: datetime) -> Iterator[Finding]:
    """What the ledger says against Xero: written, and not there."""
    for intent in compared.intents:
        at = intent.claimed_at
        is_old = since is not None and (at is None or at < since)
        is_new = at is not None and at >= settled_before
        if intent.state is State.CONFIRMED and not is_old and not is_new and not _is_there(intent, compared):
            yield _finding(MISSING, intent.operation.host_ref)


def _is_there(intent: Intent, compared: _Books) -> bool:
    match intent.operation.kind:
        case kind if kind in _MARKED:
            return intent.tag in compared.by_tag or intent.xero_id in compared.documents
        case kind if kind in _REMOVALS:
            document = compared.documents.get(intent.target)
            return document is None or not document.stands
        case "allocation":
            note = compared.documents.get(intent.target)
            return (
                note is None
                or (text_at(intent.payload, "Invoice", "InvoiceID"), Decimal(str(intent.payload["Amount"])))
                in note.allocated
            )
        case _:
            return True


async def _adopt(books: Books, compared: _Books) -> int:
    """Let the ledger know every mark in Xero; how many it did not know. The last commit lets writes go on."""
    lease = await take(books)
    try:
        poster = Poster(books, lease)
        by_mark = compared.by_mark
        contradicted = [
            await _overtaken(books, intent, documents)
            for tag, documents in compared.by_tag.items()
            if (intent := by_mark.get(tag)) is not None and intent.state in NEVER_LEFT
        ]
        compared.intents = [*compared.intents, *await poster.keep(contradicted, before=State.INTENDED)]
        strays = [
            stray_record(books, tag, documents[0].xero_id, ADOPTED)
            for tag, documents in compared.by_tag.items()
            if tag not in by_mark
        ]
        taken_over = {stray.key for stray in strays} - await _adopted_tags(books)
        strays += [evolve(stray, state=ADOPTED) for stray in await open_strays(books) if stray.key in by_mark]
        for start in range(0, len(strays), _CHUNK):
            await books.storage.commit(strays[start : start + _CHUNK], fence=await lease.held())
        return len(taken_over) + len(contradicted)
    finally:
        await lease.release()


async def _overtaken(books: Books, intent: Intent, documents: Sequence[Document]) -> Intent:
    """*intent*, which the ledger thinks never left, as its *documents* in Xero show it."""
    state = conclude([Found(each.xero_id, ours=True, stands=each.stands) for each in documents])
    standing = [each for each in documents if each.stands] or documents
    doubted, first = intent.moved(State.UNKNOWN), standing[0]
    if len(standing) != 1 and state is not State.REMOVED:
        return doubted.moved(state)
    ended = doubted.moved(state, xero_id=first.xero_id)
    is_gone = state is State.REMOVED and bool(ended.members) and not first.payments
    return ended.paying(await payments_removed(books, ended, first.xero_id) if is_gone else first.payments)


def _finding(code: str, about: str) -> Finding:
    match code:
        case "missing in Xero":
            return Finding(
                code="missing in Xero",
                about=about,
                cause="the ledger says that it was written, and Xero does not have it",
                fix="find out who undid it in Xero, or whether this store belongs to another organisation",
            )
        case "found twice in Xero":
            return evolve(FOUND_TWICE, about=about)
        case "unknown to the ledger":
            return Finding(
                code="unknown to the ledger",
                about=about,
                cause="a document in Xero carries our mark, and the ledger does not know that it was written",
                fix="call audit(adopt=True): the store was restored from an older backup, or another one writes too",
            )
        case _:
            return evolve(REMOVED_SINCE, about=about)
