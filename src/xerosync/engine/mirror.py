"""The local mirror of what Xero holds: kept fresh by incremental reads, storing only what plans need."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property, lru_cache
from typing import Final, TypeVar, cast

from attrs import AttrsInstance, field, frozen

from xerosync.client._books import Books
from xerosync.client._marks import Mark, Reading
from xerosync.client._paging import Place, whole_pages, whole_rows
from xerosync.client._session import Query
from xerosync.client._wire import dates
from xerosync.client._wire.codec import Json, decode, dump, parse
from xerosync.client._wire.names import id_name, words_of
from xerosync.client._wire.rows import Header, Row, Sketch, dictionary
from xerosync.engine.intents import sign_in, sign_of, tag_in
from xerosync.engine.interrupted import Interrupted, read_interrupted, reading_key
from xerosync.engine.strays import strays_among
from xerosync.errors import VersionConflict
from xerosync.events import Event
from xerosync.models import (
    Account,
    BankTransaction,
    BankTransfer,
    BatchPayment,
    Contact,
    CreditNote,
    Currency,
    Invoice,
    InvoiceType,
    Item,
    Overpayment,
    Payment,
    TaxRate,
    TrackingCategory,
)
from xerosync.storage.adapt import pages_of
from xerosync.storage.protocol import Record, RecordKey
from xerosync.texts import can_be_kept

T = TypeVar("T", bound=AttrsInstance)
Lookups = list[tuple[str, str]]

GONE: Final = frozenset({"DELETED", "VOIDED"})
"""The statuses of a document in Xero that stands no more, of whatever kind it is."""

LINE_ON: Final = "line on"
"""What a bank transaction is looked up by for the accounts that its lines are on."""
_CHUNK: Final = 1000
_IDS_AT_ONCE: Final = 80
"""So that a URL stays below 4,000 characters (F 4.17)."""
_ROWS: Final = (dict, Sketch)


@frozen
class Shelf:
    """
    One mirrored resource: where it is read, which of its keys are kept, and what its rows are looked up by, for which
    some *more* keys may be needed.

    A row is told apart by its own id, unless *key* names something else. A *whole* one is short and has no stamps: it
    is read whole each time, and what is not there any more has gone.
    """

    name: str
    collection: str
    model: type[AttrsInstance]
    kept: frozenset[str]
    lookups: Callable[[Row], Lookups]
    params: Mapping[str, str] = field(factory=dict[str, str])
    paged: bool = True
    key: str = ""
    whole: bool = False
    more: frozenset[str] = frozenset()

    @cached_property
    def header(self) -> Header:
        """What its rows are read for."""
        keys = {*self.kept, *self.more, self.id_key, id_name(self.model), "UpdatedDateUTC"}
        inside = tuple((name, inside) for name, inside in _STUBS.items() if name in keys)
        listed = (("LineItems", _LINE),) if "LineItems" in self.kept else ()
        return Header(frozenset(keys), inside, tuple(words_of(self.model).items()), listed)

    @cached_property
    def is_kept_as_read(self) -> bool:
        """Whether all that its rows are read for is kept, as it is."""
        return self.header.keys == self.kept and self.kept.isdisjoint(_MOSTLY_BLANK)

    @cached_property
    def kind(self) -> str:
        """The kind of the records that keep its rows."""
        return f"mirror.{self.name}"

    @cached_property
    def id_key(self) -> str:
        """The key of a row that tells it apart."""
        return self.key or id_name(self.model)


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _text(row: object, *path: str) -> str:
    value = row
    for name in path:
        value = cast(Row, value).get(name) if isinstance(value, _ROWS) else None
    # A plain one: some of what stands in a row are words of a set, and stores keep texts.
    return str(value) if isinstance(value, str) else ""


def _tagged(text: str) -> Lookups:
    tag, sign = tag_in(text), sign_in(text)
    return [*([("tag", tag)] if tag else []), *([("sign", sign)] if sign else [])]


def _invoice_lookups(row: Row) -> Lookups:
    found = [("contact", _text(row, "Contact", "ContactID")), ("type", _text(row, "Type"))]
    tags = _tagged(_text(row, "Reference" if _text(row, "Type") == InvoiceType.ACCREC else "Url"))
    return [*found, ("number", _text(row, "InvoiceNumber")), *tags]


def _credit_note_lookups(row: Row) -> Lookups:
    lines = cast(Sequence[Json], row.get("LineItems") or ())
    to_customer = _text(row, "Type") == InvoiceType.ACCRECCREDIT
    texts = [_text(row, "Reference")] if to_customer else [_text(line, "Description") for line in lines[:1]]
    tags = [pair for text in texts for pair in _tagged(text)]
    return [("contact", _text(row, "Contact", "ContactID")), ("number", _text(row, "CreditNoteNumber")), *tags]


def _payment_lookups(row: Row) -> Lookups:
    found = [("invoice", _text(row, "Invoice", "InvoiceID")), ("account", _text(row, "Account", "AccountID"))]
    return [*found, ("batch", _text(row, "BatchPaymentID")), *_tagged(_text(row, "Reference"))]


def _bank_transaction_lookups(row: Row) -> Lookups:
    # The two halves of a transfer bear its reference, and its mark is not theirs.
    tags = [] if _text(row, "Type").endswith("-TRANSFER") else _tagged(_text(row, "Reference"))
    lines = row.get("LineItems")
    listed = cast(list[object], lines) if isinstance(lines, list) else []
    coded = dict.fromkeys((LINE_ON, _text(line, "AccountID")) for line in listed)
    return [("account", _text(row, "BankAccount", "AccountID")), *coded, *tags]


def tag_on(shelf: Shelf, row: Row, sign: str) -> str | None:
    """The tag that *row* of *shelf* carries, if it was written by the app of this *sign*."""
    lookups = dict(shelf.lookups(row))
    return lookups.get("tag") if lookups.get("sign") == sign else None


ACCOUNTS: Final = Shelf(
    "account",
    "Accounts",
    Account,
    _keys(
        "AccountID Code Name Type Class Status TaxType EnablePaymentsToAccount SystemAccount CurrencyCode "
        "UpdatedDateUTC"
    ),
    lambda row: [("code", _text(row, "Code"))],
    paged=False,
)
CONTACTS: Final = Shelf(
    "contact",
    "Contacts",
    Contact,
    _keys(
        "ContactID Name ContactStatus IsSupplier ContactNumber AccountNumber EmailAddress TaxNumber FirstName LastName "
        "Phones Addresses MergedToContactID UpdatedDateUTC"
    ),
    lambda _: [],  # never its name: what a record is found by stays readable in an encrypted store
    {"includeArchived": "true"},
)
INVOICES: Final = Shelf(
    "invoice",
    "Invoices",
    Invoice,
    _keys(
        "InvoiceID Type InvoiceNumber Contact Date DueDate Status CurrencyCode CurrencyRate Total AmountDue AmountPaid "
        "AmountCredited Url Reference HasAttachments UpdatedDateUTC"
    ),
    _invoice_lookups,
)
CREDIT_NOTES: Final = Shelf(
    "credit_note",
    "CreditNotes",
    CreditNote,
    _keys(
        "CreditNoteID Type CreditNoteNumber Contact Date Status CurrencyCode Total RemainingCredit Allocations "
        "Reference HasAttachments UpdatedDateUTC"
    ),
    _credit_note_lookups,
    more=_keys("LineItems"),
)
PAYMENTS: Final = Shelf(
    "payment",
    "Payments",
    Payment,
    _keys(
        "PaymentID PaymentType Date Amount BankAmount CurrencyRate Reference Status IsReconciled Invoice Account "
        "BatchPaymentID UpdatedDateUTC"
    ),
    _payment_lookups,
)
BANK_TRANSACTIONS: Final = Shelf(
    "bank_transaction",
    "BankTransactions",
    BankTransaction,
    _keys(
        "BankTransactionID Type Contact Date Status Total CurrencyRate BankAccount Reference IsReconciled "
        "HasAttachments OverpaymentID LineAmountTypes LineItems "
        "UpdatedDateUTC"
    ),
    _bank_transaction_lookups,
)
OVERPAYMENTS: Final = Shelf(
    "overpayment",
    "Overpayments",
    Overpayment,
    _keys("OverpaymentID Type Contact Date Status CurrencyCode Total RemainingCredit Allocations UpdatedDateUTC"),
    lambda row: [("contact", _text(row, "Contact", "ContactID"))],
)
BANK_TRANSFERS: Final = Shelf(
    "bank_transfer",
    "BankTransfers",
    BankTransfer,
    _keys(
        "BankTransferID FromBankAccount ToBankAccount ToBankTransactionID Amount CurrencyRate Date Status Reference "
        "FromIsReconciled ToIsReconciled"
    ),
    lambda row: [
        ("account", _text(row, "FromBankAccount", "AccountID")),
        ("account", _text(row, "ToBankAccount", "AccountID")),
        *_tagged(_text(row, "Reference")),
    ],
    {"includeDeleted": "true"},
    paged=False,
)
BATCH_PAYMENTS: Final = Shelf(
    "batch_payment",
    "BatchPayments",
    BatchPayment,
    _keys("BatchPaymentID Account Date Status Reference UpdatedDateUTC"),
    lambda row: _tagged(_text(row, "Reference")),
    paged=False,
)
TAX_RATES: Final = Shelf(
    "tax_rate",
    "TaxRates",
    TaxRate,
    _keys(
        "Name TaxType Status EffectiveRate CanApplyToAssets CanApplyToEquity CanApplyToExpenses CanApplyToLiabilities "
        "CanApplyToRevenue"
    ),
    lambda _: [],
    paged=False,
    key="TaxType",
    whole=True,
)
TRACKING: Final = Shelf(
    "tracking_category",
    "TrackingCategories",
    TrackingCategory,
    _keys("TrackingCategoryID Name Status Options"),
    lambda _: [],
    {"includeArchived": "true"},
    paged=False,
    whole=True,
)
ITEMS: Final = Shelf(
    "item",
    "Items",
    Item,
    _keys("ItemID Code Name IsPurchased PurchaseDetails"),
    lambda _: [],
    paged=False,
    whole=True,
)
CURRENCIES: Final = Shelf(
    "currency",
    "Currencies",
    Currency,
    _keys("Code Description"),
    lambda _: [],
    paged=False,
    key="Code",
    whole=True,
)
SHELVES: Final = {
    shelf.name: shelf
    for shelf in (
        ACCOUNTS,
        CONTACTS,
        INVOICES,
        CREDIT_NOTES,
        PAYMENTS,
        BANK_TRANSACTIONS,
        OVERPAYMENTS,
        BANK_TRANSFERS,
        BATCH_PAYMENTS,
        TAX_RATES,
        TRACKING,
        ITEMS,
        CURRENCIES,
    )
}

# Four telephones and two addresses come with every contact, blank ones included (F 6.25).
_MOSTLY_BLANK: Final = frozenset({"Phones", "Addresses"})
_STUBS: Final = {
    "Contact": _keys("ContactID Name"),
    "Invoice": _keys("InvoiceID Type CurrencyCode"),
    **dict.fromkeys(("Account", "BankAccount", "FromBankAccount", "ToBankAccount"), _keys("AccountID")),
}
_LINE: Final = _keys("AccountID LineAmount TaxAmount")
"""What is kept of a line, where lines are kept."""
_SHORTENED: Final = _MOSTLY_BLANK | _STUBS.keys() | {"LineItems"}


async def refresh(books: Books, *shelves: Shelf) -> None:
    """Read what has changed in Xero on *shelves* since they were last read, and keep it."""
    for shelf in shelves:
        if not books.has_read(shelf.name):
            await (_reread_whole if shelf.whole else _read_changes)(books, shelf)
            books.note_read(shelf.name)


async def _read_changes(books: Books, shelf: Shelf) -> None:
    known, broken_off = await books.storage.get_many(
        [cursor_key(books.tenant, shelf), reading_key(books.tenant, shelf.name)]
    )
    since = _since(books, shelf, known)
    earlier = read_interrupted(broken_off, since, books.clock.now())
    reading = Reading(since, id_name(shelf.model)) if earlier is None else earlier.going_on(since, shelf.model)
    is_kept = broken_off is not None
    async for rows, place in _changed(books, shelf, reading, None if earlier is None else earlier.place):
        also = [] if place is None else [Interrupted.at(place, reading).record(books.tenant, shelf.name, since)]
        is_kept = is_kept or bool(also)
        await keep(books, shelf, rows, also)
    mark = reading.mark()
    puts = [_cursor(books, shelf, mark.at)] if mark.at is not None and mark.at != since.at else []
    deletes = [reading_key(books.tenant, shelf.name)] if is_kept else []
    if puts or deletes:
        await books.storage.commit(puts, deletes=deletes)


async def _reread_whole(books: Books, shelf: Shelf) -> None:
    page = await (await books.session()).read(_query(shelf, shelf.params))
    rows = list(page.rows)
    await keep(books, shelf, rows)
    there = {_text(row, shelf.id_key) for row in rows}
    gone = [record.identity async for record in records(books, shelf.kind) if record.key not in there]
    if gone:
        await books.storage.commit([], deletes=gone)


async def reread(books: Books, shelf: Shelf, ids: Iterable[str]) -> None:
    """Read the documents with these *ids* as they are now, and keep them: for what Xero changes unstamped (F 4.23)."""
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        params = {"IDs": ",".join(wanted[start : start + _IDS_AT_ONCE])}
        rows = whole_rows(await books.session(), _query(shelf, params), id_name(shelf.model))
        await keep(books, shelf, [row async for row in rows])


async def keep(books: Books, shelf: Shelf, rows: Sequence[Row], also: Sequence[Record] = ()) -> None:
    """Keep *rows*, and with the last of them *also*."""
    fresh = [_mirrored(books, shelf, row) for row in rows]
    for start in range(0, len(fresh), _CHUNK):
        last = also if start + _CHUNK >= len(fresh) else ()
        while not await _kept(books, shelf, fresh[start : start + _CHUNK], last):
            pass  # another worker has kept something meanwhile, and it may be newer


async def walk(
    books: Books, shelf: Shelf, kind: type[T], *, lookup: tuple[str, str] | None = None
) -> AsyncIterator[tuple[Record, T]]:
    """Every mirrored document of *shelf*, or those a *lookup* finds, in the order of their ids."""
    async for page in record_pages(books, shelf.kind, lookup=lookup):
        for record in page:
            yield record, read_mirrored(record, kind)


async def records(
    books: Books, kind: str, *, states: Sequence[str] = (), lookup: tuple[str, str] | None = None
) -> AsyncIterator[Record]:
    """Every record of *kind* of this organisation that fits, in the order of their keys."""
    async for some in record_pages(books, kind, states=states, lookup=lookup):
        for record in some:
            yield record


async def record_pages(
    books: Books,
    kind: str,
    *,
    states: Sequence[str] = (),
    lookup: tuple[str, str] | None = None,
    after: str | None = None,
    size: int = _CHUNK,
) -> AsyncIterator[list[Record]]:
    """`records` by *size* at a time, those *after* the cursor of one; a *lookup* no store can keep finds none."""
    if lookup is not None and not can_be_kept(lookup[1]):
        return
    pages = pages_of(books.storage, kind, books.tenant, states=states, lookup=lookup, after=after, size=size)
    async for page in pages:
        yield page


async def stored(books: Books, keys: Iterable[RecordKey]) -> list[Record]:
    """The records under *keys*, each once, those that are there; under one that no store can keep there is none."""
    wanted = [each for each in dict.fromkeys(keys) if can_be_kept(each.key)]
    found: list[Record] = []
    for start in range(0, len(wanted), _CHUNK):
        found += filter(None, await books.storage.get_many(wanted[start : start + _CHUNK]))
    return found


def read_mirrored(record: Record, kind: type[T]) -> T:
    """The document in a mirror's *record*."""
    if kind is Account:
        return cast(T, _account(record.body))
    return _document(record.body, kind)


def _document(body: str, kind: type[T]) -> T:
    return decode(kind, parse(body.encode(), where="mirror"), where="mirror")


@lru_cache(maxsize=1024)
def _account(body: str) -> Account:
    # A chart is short, changes rarely, and nearly every plan looks through all of it.
    return _document(body, Account)


def mirror_key(shelf: Shelf, tenant: str, document_id: str) -> RecordKey:
    """Where the document of this id on *shelf* is mirrored."""
    return RecordKey(shelf.kind, tenant, document_id)


def cursor_key(tenant: str, shelf: Shelf) -> RecordKey:
    """Where it is kept up to where *shelf* was read; nothing is there until it was read whole."""
    return RecordKey("cursor", tenant, shelf.name)


def stamp_of(record: Record) -> str:
    """The document's ``UpdatedDateUTC`` as Xero wrote it; of one without, what changes with anything of it."""
    return record.state


def tag_of_record(record: Record) -> str | None:
    """The tag of ours that the mirrored document carries."""
    return dict(record.lookups).get("tag")


def our_tag(books: Books, record: Record) -> str | None:
    """The tag that the mirrored document carries, where this app wrote it."""
    lookups = dict(record.lookups)
    return lookups.get("tag") if lookups.get("sign") == sign_of(books.app.client_id) else None


async def _changed(
    books: Books, shelf: Shelf, reading: Reading, begin: Place | None
) -> AsyncIterator[tuple[list[Row], Place | None]]:
    """
    The rows of each page, and where to go on behind it.

    What was met before comes too, which may be newer than what another worker has kept since.
    """
    query = _query(shelf, shelf.params, reading.modified_since)
    session = await books.session()
    if not shelf.paged:
        whole = await session.read(query)
        yield list(reading.fresh(whole.rows, whole.server_time)), None
        return
    async for page in whole_pages(session, query, reading.id_name, begin=begin):
        yield list(reading.fresh(page.rows, page.server_time)), page.place


def _query(shelf: Shelf, params: Mapping[str, str], since: datetime | None = None) -> Query:
    return Query(shelf.collection, shelf.collection, params, since, shelf.header)


async def _kept(books: Books, shelf: Shelf, fresh: Sequence[Record], also: Sequence[Record]) -> bool:
    """Whether what is news among *fresh* is kept now, with *also*: not where another worker was faster."""
    keys = [each.identity for each in fresh]
    known = {record.key: record for record in await stored(books, keys)}
    changed = [record for record in fresh if _is_news(record, known.get(record.key))]
    marked = {tag: record.key for record in changed if (tag := our_tag(books, record)) is not None}
    # With the rows, if not before them: a mark that is read once more is not met as something new.
    puts = [*await strays_among(books, marked), *changed, *also]
    expect = {each.identity: known[each.key].version if each.key in known else 0 for each in changed}
    try:
        if puts:
            await books.storage.commit(puts, expect=expect)
    except VersionConflict:
        return False
    if changed:
        books.tell(Event.MIRRORED, shelf=shelf.name, documents=len(changed))
    return True


def _is_news(fresh: Record, known: Record | None) -> bool:
    """Whether *fresh* says something new: a worker that was held up may come with an older document than is known."""
    return known is None or (fresh.body != known.body and not is_older(fresh.state, known.state))


def is_older(stamp: str, other: str) -> bool:
    """Whether a document that bears this *stamp* is older than with the *other* one, where that can be told."""
    try:
        return dates.instant(stamp) < dates.instant(other)
    except (ValueError, OverflowError):
        return False  # not stamped


def _mirrored(books: Books, shelf: Shelf, row: Row) -> Record:
    body = dump(row if shelf.is_kept_as_read and isinstance(row, Sketch) else _kept_of(shelf, dictionary(row))).decode()
    lookups = tuple(pair for pair in shelf.lookups(row) if pair[1])
    # A transfer has no stamp: what it says itself tells whether it has changed.
    key, stamp = _text(row, shelf.id_key), _text(row, "UpdatedDateUTC") or _digest(body)
    return Record(shelf.kind, books.tenant, key, body, stamp, None, lookups)


def _kept_of(shelf: Shelf, row: Json) -> Json:
    return {
        name: _stub(name, row[name]) if name in _SHORTENED else row[name]
        for name in _in_order(shelf.kept)
        if name in row
    }


def _stub(name: str, value: object) -> object:
    if name in _MOSTLY_BLANK and isinstance(value, list):
        filled = [{key: text for key, text in row.items() if text != ""} for row in cast(list[Json], value)]
        return [row for row in filled if row.keys() - {"PhoneType", "AddressType"}]
    if name == "LineItems" and isinstance(value, list):
        lines = [cast(Json, row) for row in cast(list[object], value) if isinstance(row, dict)]
        return [{key: row[key] for key in _in_order(_LINE) if key in row} for row in lines]
    keys = _STUBS.get(name)
    if keys is None or not isinstance(value, dict):
        return value
    return {each: cast(Json, value)[each] for each in _in_order(keys) if each in value}


def _since(books: Books, shelf: Shelf, record: Record | None) -> Mark:
    kept: dict[str, str] = {} if record is None else json.loads(record.body)
    # What an earlier version kept less of is read anew.
    at = datetime.fromisoformat(kept["since"]) if kept.get("of") == _version(shelf.kept) else None
    return Mark(books.tenant, shelf.collection, at)


def _cursor(books: Books, shelf: Shelf, at: datetime) -> Record:
    return Record("cursor", books.tenant, shelf.name, json.dumps({"since": at.isoformat(), "of": _version(shelf.kept)}))


@cache
def _version(kept: frozenset[str]) -> str:
    return _digest(" ".join(_in_order(kept)))[:8]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _in_order(kept: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(kept))
