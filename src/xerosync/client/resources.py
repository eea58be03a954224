"""
Xero's resources with one face each: ``list``, ``get``, ``create``.

The asynchronous classes hold the flows; the plain ones have the same methods, stepped (see `xerosync.client._driver`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import ClassVar, Final, Generic, TypeVar, cast
from uuid import UUID, uuid4

from attrs import AttrsInstance, define, frozen

from xerosync.client._books import Books
from xerosync.client._driver import stepped, stepped_rows
from xerosync.client._session import Query
from xerosync.client._wire.answers import Element, Verdict, elements, refusal
from xerosync.client._wire.codec import Json, decode
from xerosync.client._wire.outgoing import encode
from xerosync.errors import InvalidInput, OutcomeUnknown, UnreadableAnswer, XerosyncError
from xerosync.models import (
    Account,
    AccountId,
    Contact,
    CreditNote,
    Invoice,
    InvoiceType,
    Payment,
    TrialBalanceRow,
)
from xerosync.ports import AnswerLost

T = TypeVar("T", bound=AttrsInstance)

BATCH: Final = 50
"""Elements a write: more is allowed, not advised (F 2.19)."""


@frozen(repr=False)
class Written(Generic[T]):
    """What became of one document to be written: the *document* as Xero keeps it, or its refusal's *messages*."""

    verdict: Verdict
    document: T | None = None
    messages: tuple[str, ...] = ()


@define(eq=False)
class _Readable(Generic[T]):
    """What all resources share. *collection* is both the path and the key its rows stand under."""

    _books: Books
    collection: ClassVar[str]
    model: ClassVar[type[AttrsInstance]]
    order: ClassVar[str]

    async def get(self, document_id: str) -> T:
        """The one document with this id, in full. Raises `NotFound` when Xero knows none (F 4.16)."""
        session = await self._books.session()
        page = await session.read(Query(f"{self.collection}/{as_id(document_id)}", self.collection))
        if len(page.rows) != 1:
            raise UnreadableAnswer(self.collection, f"{len(page.rows)} rows where one is due")
        return self._decode(page.rows[0])

    async def _rows(self, params: Mapping[str, str], modified_since: datetime | None) -> AsyncIterator[T]:
        session = await self._books.session()
        given = {"order": self.order, **{name: value for name, value in params.items() if value}}
        async for page in session.pages(Query(self.collection, self.collection, given, _aware(modified_since))):
            for row in page.rows:
                yield self._decode(row)

    def _decode(self, row: Json) -> T:
        return cast(T, decode(self.model, row, where=self.collection))


@define(eq=False)
class _Resource(_Readable[T]):
    """A resource whose documents are written many at a time."""

    async def create(self, documents: Sequence[T]) -> list[Written[T]]:
        """
        Create *documents*, fifty a call, and say what became of each, in order (F 5.35).

        A lost answer makes its whole call's outcomes unknown: look before you send them again. For writes that must
        happen exactly once, whatever dies, plan and apply them instead. An error that stops the first call is raised;
        one that stops a later call is the outcome of the documents that are left.
        """
        written: list[Written[T]] = []
        for start in range(0, len(documents), BATCH):
            try:
                written += await self._put(documents[start : start + BATCH])
            except XerosyncError as stopped:
                if not written:
                    raise
                verdict = Verdict.UNKNOWN if isinstance(stopped, UnreadableAnswer) else Verdict.REJECTED
                left = [Written[T](verdict, None, (str(stopped),))] * (len(documents) - start)
                return [*written, *left]
        return written

    async def _put(self, documents: Sequence[T]) -> list[Written[T]]:
        session = await self._books.session()
        body: Json = {self.collection: [encode(document) for document in documents]}
        key = f"{self._books.tenant}-{uuid4()}"
        path = f"{self.collection}?summarizeErrors=false"
        try:
            response = await session.write("PUT", path, body, token=await session.ready(), key=key, not_after=None)
        except AnswerLost:
            return [Written(Verdict.UNKNOWN)] * len(documents)
        if response.status >= 500:
            return [Written(Verdict.UNKNOWN)] * len(documents)
        if response.status != 200:
            raise refusal(response)
        return [self._written(element) for element in elements(response, self.collection, len(documents))]

    def _written(self, element: Element) -> Written[T]:
        if element.verdict is not Verdict.CONFIRMED or element.row is None:
            return Written(element.verdict, None, element.messages)
        return Written(Verdict.CONFIRMED, self._decode(element.row), element.messages)


@define(eq=False)
class AsyncAccounts(_Readable[Account]):
    """The chart of accounts."""

    collection: ClassVar[str] = "Accounts"
    model: ClassVar[type[AttrsInstance]] = Account

    async def list(self, *, modified_since: datetime | None = None) -> AsyncIterator[Account]:
        """All accounts, archived ones too (F 6.16)."""
        session = await self._books.session()
        query = Query(self.collection, self.collection, modified_since=_aware(modified_since))
        for row in (await session.read(query)).rows:
            yield self._decode(row)


@define(eq=False)
class AsyncContacts(_Resource[Contact]):
    """Customers and suppliers."""

    collection: ClassVar[str] = "Contacts"
    model: ClassVar[type[AttrsInstance]] = Contact
    order: ClassVar[str] = "ContactID"

    def list(
        self, *, modified_since: datetime | None = None, ids: Sequence[str] = (), include_archived: bool = False
    ) -> AsyncIterator[Contact]:
        """Contacts in the order of their ids; archived ones only when asked for (F 6.33)."""
        archived = "true" if include_archived else ""
        return self._rows({"IDs": _ids(ids), "includeArchived": archived}, modified_since)


@define(eq=False)
class AsyncInvoices(_Resource[Invoice]):
    """Sales invoices and bills."""

    collection: ClassVar[str] = "Invoices"
    model: ClassVar[type[AttrsInstance]] = Invoice
    order: ClassVar[str] = "InvoiceID"

    def list(
        self,
        *,
        modified_since: datetime | None = None,
        ids: Sequence[str] = (),
        contact_ids: Sequence[str] = (),
        statuses: Sequence[str] = (),
        type: InvoiceType | None = None,  # noqa: A002 - Xero's name for it
    ) -> AsyncIterator[Invoice]:
        """Invoices and bills with their lines, in the order of their ids; voided and deleted ones too (F 4.26)."""
        params = {"IDs": _ids(ids), "ContactIDs": _ids(contact_ids), "Statuses": ",".join(statuses)}
        params["where"] = f'Type=="{type.value}"' if type is not None and type.value.isalpha() else ""
        return self._rows(params, modified_since)


@define(eq=False)
class AsyncCreditNotes(_Resource[CreditNote]):
    """Credit notes to customers and from suppliers."""

    collection: ClassVar[str] = "CreditNotes"
    model: ClassVar[type[AttrsInstance]] = CreditNote
    order: ClassVar[str] = "CreditNoteID"

    def list(self, *, modified_since: datetime | None = None) -> AsyncIterator[CreditNote]:
        """Credit notes with lines and allocations, in the order of their ids."""
        return self._rows({}, modified_since)


@define(eq=False)
class AsyncPayments(_Resource[Payment]):
    """Payments on invoices, bills and credit notes."""

    collection: ClassVar[str] = "Payments"
    model: ClassVar[type[AttrsInstance]] = Payment
    order: ClassVar[str] = "PaymentID"

    def list(self, *, modified_since: datetime | None = None) -> AsyncIterator[Payment]:
        """Payments in the order of their ids, removed ones too (F 6.126)."""
        return self._rows({}, modified_since)

    async def remove(self, payment_id: str) -> Payment:
        """
        Remove a payment: its document is open again, the payment stays readable as DELETED (F 6.122).

        Raises `Rejected` with Xero's words, `OutcomeUnknown` when the answer was lost: read it back then.
        """
        session = await self._books.session()
        path = f"Payments/{as_id(payment_id)}"
        body: Json = {"Status": "DELETED"}
        key = f"{self._books.tenant}-{uuid4()}"
        try:
            response = await session.write("POST", path, body, token=await session.ready(), key=key, not_after=None)
        except AnswerLost as lost:
            raise OutcomeUnknown(f"{lost}; the payment may have been removed: read it back", payment_id) from None
        if response.status != 200:
            raise refusal(response)
        (element,) = elements(response, self.collection, 1)
        if element.row is None:
            raise UnreadableAnswer(self.collection, "no payment in the answer")
        return self._decode(element.row)


@define(eq=False)
class AsyncReports:
    """Xero's own reports."""

    _books: Books

    async def trial_balance(self, *, on: date | None = None) -> tuple[TrialBalanceRow, ...]:
        """Every account's balance as at *on*, the organisation's today unless given (F 6.193)."""
        session = await self._books.session()
        params = {"date": on.isoformat()} if on is not None else {}
        page = await session.read(Query("Reports/TrialBalance", "Reports", params))
        if len(page.rows) != 1:
            raise UnreadableAnswer("Reports", f"{len(page.rows)} reports where one is due")
        return tuple(_balances(page.rows[0].get("Rows")))


class Accounts:
    """The chart of accounts."""

    def __init__(self, flows: AsyncAccounts) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncAccounts.list)
    get: Final = stepped(AsyncAccounts.get)


class Contacts:
    """Customers and suppliers."""

    def __init__(self, flows: AsyncContacts) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncContacts.list)
    get: Final = stepped(AsyncContacts.get)
    create: Final = stepped(AsyncContacts.create)


class Invoices:
    """Sales invoices and bills."""

    def __init__(self, flows: AsyncInvoices) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncInvoices.list)
    get: Final = stepped(AsyncInvoices.get)
    create: Final = stepped(AsyncInvoices.create)


class CreditNotes:
    """Credit notes to customers and from suppliers."""

    def __init__(self, flows: AsyncCreditNotes) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncCreditNotes.list)
    get: Final = stepped(AsyncCreditNotes.get)
    create: Final = stepped(AsyncCreditNotes.create)


class Payments:
    """Payments on invoices, bills and credit notes."""

    def __init__(self, flows: AsyncPayments) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncPayments.list)
    get: Final = stepped(AsyncPayments.get)
    create: Final = stepped(AsyncPayments.create)
    remove: Final = stepped(AsyncPayments.remove)


class Reports:
    """Xero's own reports."""

    def __init__(self, flows: AsyncReports) -> None:
        self._flows: Final = flows

    trial_balance: Final = stepped(AsyncReports.trial_balance)


def as_id(text: str) -> str:
    """*text* as it may stand in a path. Raises `InvalidInput` unless it is a UUID, so that no path can be made up."""
    try:
        return str(UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise InvalidInput("id", "give the document's Xero id, a UUID") from None


def _ids(ids: Sequence[str]) -> str:
    return ",".join(map(as_id, ids))


def _aware(moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise InvalidInput("modified_since", "give an aware datetime: Xero compares in UTC")
    return moment


def _balances(rows: object) -> list[TrialBalanceRow]:
    found: list[TrialBalanceRow] = []
    for row in cast(Sequence[Json], rows if isinstance(rows, list) else ()):
        found += _balances(row.get("Rows"))
        cells = cast(list[Json], row.get("Cells") or [])
        account = _account_of(cells)
        if row.get("RowType") == "Row" and account is not None and len(cells) >= 5:
            debit, credit = (_number(cells[column].get("Value")) for column in (3, 4))
            found.append(
                TrialBalanceRow(account_id=account, name=str(cells[0].get("Value")), debit=debit, credit=credit)
            )
    return found


def _account_of(cells: Sequence[Json]) -> AccountId | None:
    for cell in cells[:1]:
        for attribute in cast(list[Json], cell.get("Attributes") or []):
            if attribute.get("Id") == "account":
                return AccountId(str(attribute.get("Value")))
    return None


def _number(text: object) -> Decimal:
    try:
        return Decimal(str(text or "0"))
    except InvalidOperation:
        raise UnreadableAnswer("Reports[0].Rows", "a cell that is no number") from None
