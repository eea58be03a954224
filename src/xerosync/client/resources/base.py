"""Reading, as all resources do it: ``list`` and ``get``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar, Final, Generic, TypeVar, cast
from urllib.parse import quote
from uuid import UUID

from attrs import AttrsInstance, define

from xerosync.client._books import Books
from xerosync.client._session import PAGE_SIZE, Query
from xerosync.client._wire.codec import Json, decode, decode_all
from xerosync.errors import InvalidInput, UnreadableAnswer
from xerosync.models import Shape
from xerosync.models.base import own_id

T = TypeVar("T", bound=AttrsInstance)

IDS_A_READ: Final = 40
"""Ids a read, because of the length of its address (F 4.17)."""
_READINGS: Final = 3


@define(eq=False)
class AsyncListed(Generic[T]):
    """A resource whose rows are listed. *collection* is both the path and the key its rows stand under."""

    _books: Books
    collection: ClassVar[str]
    model: ClassVar[type[AttrsInstance]]
    fixed: ClassVar[Mapping[str, str]] = {}
    """Parameters of each read and write, such as four places for prices (F 5.21)."""
    page_size: ClassVar[int] = PAGE_SIZE

    async def _get(self, key: str) -> T:
        """The one document at *key*, which is ready to stand in a path."""
        page = await (await self._books.session()).read(Query(f"{self.collection}/{key}", self.collection, self.fixed))
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

    def _decode_page(self, rows: Iterable[Json]) -> list[T]:
        return cast("list[T]", decode_all(self.model, rows, where=self.collection))

    def _decode(self, row: Json, shape: Shape) -> T:
        return cast(T, decode(self.model, row, where=self.collection, shape=shape))

    @classmethod
    def _id_name(cls) -> str:
        return "".join(word.title() for word in own_id(cls.model).split("_"))[:-2] + "ID"


@define(eq=False)
class AsyncReadable(AsyncListed[T]):
    """A resource whose rows can be asked for one by one."""

    async def get(self, document_id: str) -> T:
        """The one document with this id, in full. Raises `NotFound` when Xero knows none (F 4.16)."""
        own = as_id(document_id)
        document = await self._get(own)
        if str(getattr(document, own_id(self.model))).lower() != own:
            raise UnreadableAnswer(self.collection, "another document than the one asked for")
        return document


def as_id(text: str, name: str = "id") -> str:
    """*text* as it may stand in a path. Raises `InvalidInput` unless it is a UUID, so that no path can be made up."""
    try:
        return str(UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise InvalidInput(name, "give the document's Xero id, a UUID") from None


def as_given(value: object) -> object:
    """*value*, of which nobody has checked yet that it is what its annotation says."""
    return value


def as_number(text: str, name: str) -> str:
    """*text*, a number or code people gave, as it may stand in a path. Raises `InvalidInput` for what may not."""
    given = as_given(text)
    if not isinstance(given, str) or not given.strip(". "):
        raise InvalidInput(name, "give the number or code as Xero shows it")
    if "/" in given or "\\" in given:
        # Servers and proxies take it for the end of a folder, however it is written.
        raise InvalidInput(name, "one with a slash cannot stand in an address: pick it from list()")
    return quote(given, safe="")


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
