"""Reading, as all resources do it: ``list`` and ``get``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import ClassVar, Generic, TypeVar, cast
from urllib.parse import quote
from uuid import UUID

from attrs import AttrsInstance, define

from xerosync.client._books import Books
from xerosync.client._paging import fresh, whole_pages
from xerosync.client._session import Query
from xerosync.client._wire.checks import is_whole
from xerosync.client._wire.codec import decode, decode_all
from xerosync.client._wire.names import id_name
from xerosync.client._wire.rows import Row
from xerosync.client._wire.where import LONGEST, where_text
from xerosync.client.resources.asked import ADDRESS, Part, checked_where
from xerosync.errors import InvalidInput, NotFound, UnreadableAnswer
from xerosync.filters.expressions import Filter, fits_nothing
from xerosync.filters.kinds import Text
from xerosync.models import Shape
from xerosync.models.base import own_id

T = TypeVar("T", bound=AttrsInstance)


@define(eq=False)
class AsyncListed(Generic[T]):
    """A resource whose rows are listed. *collection* is both the path and the key its rows stand under."""

    _books: Books
    collection: ClassVar[str]
    model: ClassVar[type[AttrsInstance]]
    fixed: ClassVar[Mapping[str, str]] = {}
    """Parameters of each read and write, such as four places for prices (F 5.21)."""
    sized: ClassVar[bool] = True
    """Whether a page may have any number of rows (F 4.04)."""

    async def _get(self, key: str) -> T:
        """The one document at *key*, which is ready to stand in a path."""
        page = await (await self._books.session()).read(Query(f"{self.collection}/{key}", self.collection, self.fixed))
        if len(page.rows) != 1:
            raise UnreadableAnswer(self.collection, f"{len(page.rows)} rows where one is due")
        return self._decode(page.rows[0], Shape.SINGLE)

    async def _all(
        self, params: Mapping[str, str], modified_since: datetime | None = None, where: Filter[T] | None = None
    ) -> AsyncIterator[T]:
        """The rows of a list that has no pages."""
        query = self._query({**self.fixed, **params}, modified_since, checked_where(where, self.model))
        if where is not None and fits_nothing(where):
            return
        session = await self._books.session()
        for document in self._chosen((await session.read(query)).rows, where):
            yield document

    async def _paged(
        self,
        params: Mapping[str, str],
        modified_since: datetime | None = None,
        where: Filter[T] | None = None,
        parts: Sequence[Part[T]] = (Part(),),
    ) -> AsyncIterator[T]:
        """The rows of a list by pages, for each of *parts*, each row once, whatever people do in Xero meanwhile."""
        where = checked_where(where, self.model)
        session = await self._books.session()
        seen: set[object] | None = set() if len(parts) > 1 else None
        for part in parts:
            wanted = where if part.where is None else part.where if where is None else where & part.where
            if wanted is not None and fits_nothing(wanted):
                continue
            query = self._query({**self.fixed, **params, **part.params}, modified_since, wanted)
            async for page in whole_pages(session, query, self._id_name(), sized=self.sized):
                rows = page.rows if seen is None else fresh(page.rows, self._id_name(), seen)
                for document in self._chosen(rows, wanted):
                    yield document

    def _chosen(self, rows: Iterable[Row], where: Filter[T] | None) -> list[T]:
        """The documents of a page's *rows* that *where* lets through, whatever Xero made of it."""
        documents = cast("list[T]", decode_all(self.model, rows, where=self.collection))
        return documents if where is None else [each for each in documents if where.matches(each)]

    def _query(self, params: Mapping[str, str], modified_since: datetime | None, where: Filter[T] | None) -> Query:
        """The read of this collection with those *params* that say something."""
        given = {name: value for name, value in params.items() if value}
        if where is not None:
            room = ADDRESS - sum(len(f"&{name}={quote(value, safe='')}") for name, value in given.items())
            given["where"] = where_text(where, room=min(LONGEST, room))
        said = {name: value for name, value in given.items() if value}
        return Query(self.collection, self.collection, said, aware(modified_since), self.model)

    def _decode(self, row: Row, shape: Shape) -> T:
        return cast(T, decode(self.model, row, where=self.collection, shape=shape))

    @classmethod
    def _id_name(cls) -> str:
        return id_name(cls.model)


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

    async def _get_by_number(self, number: str, field: Text[T], params: Mapping[str, str]) -> T:
        """The one document whose *field* is *number* in any letter case, in full; *params* are those of a list."""
        given = as_given(number)
        if isinstance(given, str) and ("/" in given or "\\" in given):
            # Servers and proxies take it for the end of a folder, however it is written in a path.
            found = [each async for each in self._paged(params, where=field.ignoring_case == given.strip())]
            if not found:
                raise NotFound(("Xero knows no such document",), 404)
            return await self.get(getattr(found[0], own_id(self.model)))
        document = await self._get(as_number(number, field.name))
        if (getattr(document, field.name) or "").casefold() != number.strip().casefold():
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
    if not isinstance(given, str) or not given.strip(". ") or not is_whole(given):
        raise InvalidInput(name, "give the number or code as Xero shows it")
    if "/" in given or "\\" in given:
        raise InvalidInput(name, "one with a slash cannot stand in an address: pick it from list()")
    return quote(given, safe="")


def aware(moment: datetime | None) -> datetime | None:
    """*moment*, in UTC. Raises `InvalidInput` for a datetime without its time zone, and for anything else."""
    given = as_given(moment)
    if given is None:
        return None
    if not isinstance(given, datetime) or given.tzinfo is None:
        raise InvalidInput("modified_since", "give an aware datetime: Xero compares in UTC")
    try:
        return given.astimezone(UTC)
    except OverflowError:
        raise InvalidInput("modified_since", "give a moment that has a year in UTC, too") from None


def day(on: date | None, name: str) -> str:
    """A day in a parameter; blank when none is given. Raises `InvalidInput`, naming *name*, for what is no day."""
    given = as_given(on)
    if given is None:
        return ""
    if not isinstance(given, date) or isinstance(given, datetime):
        raise InvalidInput(name, f"give a date, the organisation's own day, not a {type(given).__name__}")
    return given.isoformat()


def as_text(text: str, name: str) -> str:
    """*text*, if it can be sent. Raises `InvalidInput` naming *name* for what is none, or holds half a character."""
    given = as_given(text)
    if not isinstance(given, str):
        raise InvalidInput(name, f"give a text, not a {type(given).__name__}")
    if not is_whole(given):
        raise InvalidInput(name, "leave out lone surrogates, which are half a character")
    return given
