"""The one face that all resources share: ``list``, ``get``, ``create``, ``update``."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar, Final, Generic, TypeVar, cast
from uuid import UUID, uuid4

from attrs import AttrsInstance, define

from xerosync.client._books import Books
from xerosync.client._session import PAGE_SIZE, Query
from xerosync.client._wire.answers import Element, Verdict, elements, envelope, refusal
from xerosync.client._wire.codec import Json, decode, decode_all, dump
from xerosync.client._wire.outgoing import encode
from xerosync.client.resources.written import Outcome, Written
from xerosync.errors import InvalidInput, OutcomeUnknown, Rejected, UnreadableAnswer, XerosyncError
from xerosync.models import Shape
from xerosync.models.base import own_id
from xerosync.ports import AnswerLost, Response

T = TypeVar("T", bound=AttrsInstance)

BATCH: Final = 50
"""Elements a write: more is allowed, not advised (F 2.19)."""
BODY_BYTES: Final = 3_000_000
"""Bytes a write at most: Xero advises to stay below 3.5 MB (F 2.19)."""
IDS_A_READ: Final = 40
"""Ids a read, because of the length of its address (F 4.17)."""
JSON: Final = "application/json"
_READINGS: Final = 3


@define(eq=False)
class AsyncReadable(Generic[T]):
    """A resource that is read. *collection* is both the path and the key its rows stand under."""

    _books: Books
    collection: ClassVar[str]
    model: ClassVar[type[AttrsInstance]]
    fixed: ClassVar[Mapping[str, str]] = {}
    """Parameters of each read and write, such as four places for prices (F 5.21)."""
    page_size: ClassVar[int] = PAGE_SIZE

    async def get(self, document_id: str) -> T:
        """The one document with this id, in full. Raises `NotFound` when Xero knows none (F 4.16)."""
        session = await self._books.session()
        path = f"{self.collection}/{as_id(document_id)}"
        page = await session.read(Query(path, self.collection, self.fixed))
        if len(page.rows) != 1:
            raise UnreadableAnswer(self.collection, f"{len(page.rows)} rows where one is due")
        return self._decode(page.rows[0], Shape.SINGLE)

    async def _all(self, params: Mapping[str, str], modified_since: datetime | None = None) -> AsyncIterator[T]:
        """The rows of a list that has no pages."""
        session = await self._books.session()
        given = {**self.fixed, **{name: value for name, value in params.items() if value}}
        page = await session.read(Query(self.collection, self.collection, given, aware(modified_since)))
        for document in self._decode_page(page.rows):
            yield document

    async def _paged(
        self, params: Mapping[str, str], modified_since: datetime | None = None, ids: Sequence[str] = ()
    ) -> AsyncIterator[T]:
        """The rows of a list by pages of a thousand, each once, whatever people do in Xero meanwhile."""
        for some in [ids[start : start + IDS_A_READ] for start in range(0, len(ids), IDS_A_READ)] or [()]:
            given = {"order": self._id_name(), **self.fixed, **params, "IDs": ",".join(map(as_id, some))}
            query = Query(
                self.collection,
                self.collection,
                {name: value for name, value in given.items() if value},
                aware(modified_since),
                self.page_size,
            )
            async for rows in self._each_once(query):
                for document in self._decode_page(rows):
                    yield document

    async def _each_once(self, query: Query) -> AsyncIterator[Iterable[Json]]:
        """The rows of each page that were on none before; they are parsed as they are taken."""
        session = await self._books.session()
        seen: set[object] = set()
        for _ in range(_READINGS):
            fewest: int | None = None
            shrank = False
            async for page in session.pages(query):
                if page.items is not None:
                    shrank = shrank or (fewest is not None and page.items < fewest)
                    fewest = page.items
                yield self._fresh(page.rows, seen)
            if not shrank:
                return
            # A row that left the list moved those behind it one place forward, over the edge of a page read already.

    def _fresh(self, rows: Iterable[Json], seen: set[object]) -> Iterator[Json]:
        for row in rows:
            name = row.get(self._id_name())
            if name is None or name not in seen:
                seen.add(name)
                yield row

    async def _post_one(self, document_id: str, change: Json, doing: str) -> T:
        """Change the one document of this id. Raises `Rejected`, `OutcomeUnknown`."""
        response = await self._sent("POST", f"{self.collection}/{as_id(document_id)}", change, doing)
        (element,) = elements(response, self.collection, 1)
        if element.verdict is not Verdict.CONFIRMED or element.row is None:
            raise UnreadableAnswer(self.collection, "no document in the answer")
        return self._decode(element.row, Shape.REPLY)

    async def _put_below(self, path: str, collection: str, rows: Sequence[Json], doing: str) -> tuple[Json, ...]:
        """Add *rows* of another *collection* to a document of this one. Raises `Rejected`, `OutcomeUnknown`."""
        response = await self._sent("PUT", f"{self.collection}/{path}", {collection: list(rows)}, doing)
        return tuple(envelope(response, collection).rows)

    async def _delete(self, path: str) -> None:
        """End what stands at *path* below this collection. Raises `Rejected`, `OutcomeUnknown`."""
        await self._sent("DELETE", f"{self.collection}/{path}", b"", "deleted")

    async def _sent(self, method: str, path: str, body: Json | bytes, doing: str, kind: str = JSON) -> Response:
        """The answer to a write that Xero took. Raises `Rejected`, or `OutcomeUnknown` when nobody can say."""
        session = await self._books.session()
        key = f"{self._books.tenant}-{uuid4()}"
        try:
            response = await session.change(method, path, body, key=key, content_type=kind)
        except AnswerLost as lost:
            raise OutcomeUnknown(f"{lost}; it may have been {doing}: read it back", key) from None
        if response.status not in {200, 204}:
            raise refusal(response)
        return response

    def _decode_page(self, rows: Iterable[Json]) -> builtins.list[T]:
        return cast("builtins.list[T]", decode_all(self.model, rows, where=self.collection))

    def _decode(self, row: Json, shape: Shape) -> T:
        return cast(T, decode(self.model, row, where=self.collection, shape=shape))

    @classmethod
    def _id_name(cls) -> str:
        return "".join(word.title() for word in own_id(cls.model).split("_"))[:-2] + "ID"


@define(eq=False)
class AsyncWritable(AsyncReadable[T]):
    """A resource whose documents are written many at a time."""

    at_once: ClassVar[int] = BATCH

    async def create(self, documents: Sequence[T]) -> list[Written[T]]:
        """
        Create *documents*, some fifty a call, and say what became of each, in order (F 5.35).

        A lost answer makes its whole call's outcomes unknown: look before you send them again. For writes that must
        happen exactly once, whatever dies, plan and apply them instead. An error that stops the first call is raised;
        one that stops a later call is the outcome of the documents that are left. Raises `InvalidInput` before
        anything is sent when a document holds what Xero could not take.
        """
        rows = [self._row(place, document) for place, document in enumerate(documents)]
        return await self._write("PUT", rows, Outcome.CREATED)

    async def _update(self, documents: Sequence[T], known: Iterable[T]) -> list[Written[T]]:
        name = own_id(self.model)
        there = {getattr(document, name): document for document in known}
        rows: list[Json] = []
        same: dict[int, Written[T]] = {}
        for place, document in enumerate(documents):
            document_id = getattr(document, name)
            if document_id is None:
                raise InvalidInput(f"documents[{place}].{name}", "give the id of the document to be changed")
            row = self._row(place, document)
            if document_id in there and _says_nothing_new(row, encode(there[document_id], to_write=True)):
                same[place] = Written(Outcome.UNCHANGED, there[document_id])
            else:
                rows.append(row)
        done = iter(await self._write("POST", rows, Outcome.UPDATED))
        return [same[place] if place in same else next(done) for place in range(len(documents))]

    def _row(self, place: int, document: T) -> Json:
        try:
            return encode(document, to_write=True)
        except InvalidInput as fault:
            raise InvalidInput(f"documents[{place}].{fault.field}", fault.remedy) from None

    async def _write(self, method: str, rows: Sequence[Json], done: Outcome) -> list[Written[T]]:
        written: list[Written[T]] = []
        for some in in_calls(rows, self.at_once):
            try:
                written += await self._send(method, some, done)
            except XerosyncError as stopped:
                if not written:
                    raise
                outcome = Outcome.UNKNOWN if isinstance(stopped, UnreadableAnswer) else Outcome.REJECTED
                left = [Written[T](outcome, None, (str(stopped),))] * (len(rows) - len(written))
                return [*written, *left]
        return written

    async def _send(self, method: str, rows: Sequence[Json], done: Outcome) -> list[Written[T]]:
        session = await self._books.session()
        key = f"{self._books.tenant}-{uuid4()}"
        params = "&".join(f"{name}={value}" for name, value in {"summarizeErrors": "false", **self.fixed}.items())
        path = f"{self.collection}?{params}"
        body: Json = {self.collection: list(rows)}
        try:
            response = await session.change(method, path, body, key=key)
        except AnswerLost:
            return [Written(Outcome.UNKNOWN)] * len(rows)
        if response.status != 200:
            raise refusal(response)
        return [self._written(element, done) for element in elements(response, self.collection, len(rows))]

    def _written(self, element: Element, done: Outcome) -> Written[T]:
        if element.verdict is Verdict.REJECTED:
            return Written(Outcome.REJECTED, None, element.messages)
        if element.verdict is not Verdict.CONFIRMED or element.row is None:
            return Written(Outcome.UNKNOWN, None, element.messages)
        return Written(done, self._decode(element.row, Shape.REPLY), element.messages)


@define(eq=False)
class AsyncChangeable(AsyncWritable[T]):
    """A resource whose documents can be changed later, many at a time."""

    async def update(self, documents: Sequence[T], *, known: Iterable[T] = ()) -> list[Written[T]]:
        """
        Change the documents of these ids, and say what became of each, in order; what a document leaves out stays.

        One that says nothing new beside its counterpart in *known*, as you last read it, is not sent: it is
        `Outcome.UNCHANGED`. Otherwise as `create`. Lines that you name by their ids are kept, others are removed, and
        without any lines all stay (F 6.65).
        """
        return await self._update(documents, known)


@define(eq=False)
class AsyncSingly(AsyncChangeable[T]):
    """A resource of which Xero takes one document a call."""

    at_once: ClassVar[int] = 1

    async def _send(self, method: str, rows: Sequence[Json], done: Outcome) -> list[Written[T]]:
        (row,) = rows
        path = f"{self.collection}/{row[self._id_name()]}" if method == "POST" else self.collection
        try:
            response = await self._sent(method, path, row, "written")
        except OutcomeUnknown as unknown:
            return [Written(Outcome.UNKNOWN, None, (str(unknown),))]
        except Rejected as refused:
            return [Written(Outcome.REJECTED, None, refused.messages)]
        return [self._written(element, done) for element in elements(response, self.collection, 1)]


def in_calls(rows: Sequence[Json], at_once: int) -> builtins.list[builtins.list[Json]]:
    """*rows* cut into calls of *at_once* at most, that are not too many bytes either (F 2.19)."""
    calls: builtins.list[builtins.list[Json]] = []
    room = 0
    for row in rows:
        size = len(dump(row)) + 1
        if not calls or len(calls[-1]) == at_once or size > room:
            calls.append([])
            room = BODY_BYTES
        calls[-1].append(row)
        room -= size
    return calls


def as_id(text: str) -> str:
    """*text* as it may stand in a path. Raises `InvalidInput` unless it is a UUID, so that no path can be made up."""
    try:
        return str(UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise InvalidInput("id", "give the document's Xero id, a UUID") from None


def aware(moment: datetime | None) -> datetime | None:
    """*moment*, if it has a time zone. Raises `InvalidInput` when it has none."""
    if moment is not None and moment.tzinfo is None:
        raise InvalidInput("modified_since", "give an aware datetime: Xero compares in UTC")
    return moment


def joined(words: Iterable[str]) -> str:
    """*words* as a list in a parameter."""
    return ",".join(words)


def day(on: date | None) -> str:
    """A day in a parameter; blank when none is given."""
    return "" if on is None else on.isoformat()


def _says_nothing_new(row: object, known: object) -> bool:
    """Whether all that *row* says stands in *known* too, however deep."""
    if isinstance(row, Mapping) and isinstance(known, Mapping):
        mine, theirs = cast(Mapping[str, object], row), cast(Mapping[str, object], known)
        return all(name in theirs and _says_nothing_new(value, theirs[name]) for name, value in mine.items())
    if isinstance(row, builtins.list) and isinstance(known, builtins.list):
        pairs = zip(cast("builtins.list[object]", row), cast("builtins.list[object]", known), strict=False)
        return len(cast("builtins.list[object]", row)) == len(cast("builtins.list[object]", known)) and all(
            _says_nothing_new(one, other) for one, other in pairs
        )
    return row == known
