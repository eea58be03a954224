"""Writing documents: one at a time or many, each with an outcome of its own, and never sent again blindly."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final, TypeVar, cast

import attrs
from attrs import AttrsInstance, define

from xerosync.client._delivery import JSON, Delivery, deliver
from xerosync.client._wire.answers import is_readable, refusal
from xerosync.client._wire.codec import Json, decode, dump
from xerosync.client._wire.names import wire_name
from xerosync.client._wire.outgoing import encode
from xerosync.client._wire.verdicts import Element, Verdict, says_nothing, verdicts
from xerosync.client.resources.base import AsyncListed, AsyncReadable, as_id
from xerosync.client.resources.written import Outcome, Written
from xerosync.errors import InvalidInput, Rejected, Unavailable, UnreadableAnswer, XerosyncError
from xerosync.models import Shape
from xerosync.models.base import own_id
from xerosync.ports import Response
from xerosync.resting import Uncollected

T = TypeVar("T", bound=AttrsInstance)
K = TypeVar("K", bound=AttrsInstance)

BATCH: Final = 50
"""Elements a write: more is allowed, not advised (F 2.19)."""
BODY_BYTES: Final = 3_000_000
"""Bytes a write at most: Xero advises to stay below 3.5 MB (F 2.19)."""
_LARGEST: Final = 10_000_000
_SILENT_MAX: Final = 5


@define(eq=False)
class AsyncEditable(AsyncListed[T]):
    """A resource whose documents can be acted upon, one at a time."""

    async def _post_one(self, document_id: str, change: Json, doing: str) -> T:
        """Change the one document of this id. Raises `Rejected`, `OutcomeUnknown`."""
        own = as_id(document_id)
        key = self._id_name()
        delivery = await self._sent("POST", f"{self.collection}/{own}{_query(self.fixed)}", change, doing)
        (row,) = taken(delivery, self.collection, [{key: own}], key, doing)
        return cast(T, reply(self.model, delivery, row, doing))

    async def _put_below(self, path: str, collection: str, rows: Sequence[Json], doing: str, *, key: str = "") -> None:
        """Write *rows* of another *collection* below a document of this one. Raises `Rejected`, `OutcomeUnknown`."""
        await self._written_below(path, collection, rows, doing, method="PUT", key=key)

    async def _put_one_below(
        self, kind: type[K], path: str, collection: str, row: Json, doing: str, *, method: str = "PUT", key: str = ""
    ) -> K:
        """As `_put_below`, for one row, which comes back as a *kind*."""
        delivery, (written,) = await self._written_below(path, collection, [row], doing, method=method, key=key)
        return reply(kind, delivery, written, doing)

    async def _written_below(
        self, path: str, collection: str, rows: Sequence[Json], doing: str, *, method: str, key: str
    ) -> tuple[Delivery, tuple[Json, ...]]:
        body: Json = {collection: list(rows)}
        delivery = await self._sent(method, f"{self.collection}/{path}", body, doing)
        return delivery, taken(delivery, collection, rows, key, doing)

    async def _delete(self, path: str) -> None:
        """End what stands at *path* below this collection. Raises `Rejected`, `OutcomeUnknown`."""
        delivery = await self._sent("DELETE", f"{self.collection}/{path}", b"", "deleted")
        if delivery.response is not None and delivery.response.body and not is_readable(delivery.response):
            raise delivery.unknown("Xero's answer cannot be read", doing="deleted")

    async def _sent(self, method: str, path: str, body: Json | bytes, doing: str, kind: str = JSON) -> Delivery:
        """The delivery of a write that Xero answered. Raises `Rejected`, or `OutcomeUnknown` when nobody can say."""
        delivery = await deliver(self._books, method, path, body, content_type=kind)
        if delivery.response is None:
            raise delivery.unknown(delivery.lost, doing=doing)
        if says_nothing(delivery.response):
            raise delivery.unknown(f"Xero answered {delivery.response.status}", doing=doing)
        if delivery.response.status not in {200, 204}:
            raise refusal(delivery.response)
        return delivery


@define(eq=False)
class AsyncWritable(AsyncEditable[T]):
    """A resource whose documents are written many at a time."""

    at_once: ClassVar[int] = BATCH
    """Documents a call. Xero takes one alone where it could not say of several what became of each (F 4.40)."""
    identified_by: ClassVar[str] = ""
    """Our name of the field that says which document it is, where that is not its id."""

    async def create(self, documents: Iterable[T]) -> list[Written[T]]:
        """
        Create *documents*, some fifty a call, and say what became of each, in order (F 5.35).

        A lost answer makes its whole call's outcomes unknown: look before you send them again. For writes that must
        happen exactly once, whatever dies, plan and apply them instead. An error that stops the first call is raised;
        one that stops a later call is the outcome of the documents that are left. Raises `InvalidInput` before
        anything is sent when a document holds what Xero could not take.
        """
        return await self._write("PUT", self._new_rows(documents), Outcome.CREATED)

    async def create_one(self, document: T) -> T:
        """
        Create *document* and return it as Xero's reply shows it.

        Raises `InvalidInput` before anything is sent, `Rejected` with Xero's words, and `OutcomeUnknown` when the
        answer was lost: look before you send it again.
        """
        (written,) = await self.create([document])
        return written.or_raise()

    async def _update(self, documents: Iterable[T], known: Iterable[T]) -> list[Written[T]]:
        name = self._own_field()
        there = {getattr(document, name): document for document in self._listed(known, "known")}
        rows: list[Json] = []
        same: dict[int, Written[T]] = {}
        listed = self._listed(documents, "documents")
        for place, document in enumerate(listed):
            own = getattr(document, name)
            if own is None:
                raise InvalidInput(f"documents[{place}].{name}", "say which document is to be changed")
            row = self._row(place, document)
            if own in there and _says_nothing_new(row, self._row_as_known(there[own])):
                same[place] = Written(Outcome.UNCHANGED, there[own])
            else:
                rows.append(row)
        done = iter(await self._write("POST", rows, Outcome.UPDATED))
        return [same[place] if place in same else next(done) for place in range(len(listed))]

    def _new_rows(self, documents: Iterable[T]) -> list[Json]:
        listed = self._listed(documents, "documents")
        with Uncollected():
            for place, document in enumerate(listed):
                if not self.identified_by and getattr(document, own_id(self.model)) is not None:
                    remedy = "it is in Xero already: update it, or leave the id out to create another"
                    raise InvalidInput(f"documents[{place}].{own_id(self.model)}", remedy)
            return [self._row(place, document) for place, document in enumerate(listed)]

    def _listed(self, documents: object, name: str) -> list[T]:
        """*documents*, each looked at. Raises `InvalidInput` for what is no list of this resource's documents."""
        due = self.model.__name__
        if isinstance(documents, self.model):
            raise InvalidInput(name, f"give a list, even of one {due}; create_one and update_one take it alone")
        listed = _as_list(documents, name, f"{due}s")
        for place, document in enumerate(listed):
            if not isinstance(document, self.model):
                raise InvalidInput(f"{name}[{place}]", f"give a {due}, not a {type(document).__name__}")
        return cast("list[T]", listed)

    def _row(self, place: int, document: T) -> Json:
        try:
            row = encode(document, to_write=True)
        except InvalidInput as fault:
            raise InvalidInput(f"documents[{place}].{fault.field}", fault.remedy) from None
        if len(dump(row)) > _LARGEST:
            raise InvalidInput(f"documents[{place}]", f"give less than {_LARGEST:,} bytes: Xero takes no more (F 2.19)")
        return row

    def _row_as_known(self, document: T) -> Json:
        try:
            return encode(document, to_write=True)
        except InvalidInput:
            # Xero holds what it would not take today, so nobody can say that the two are the same.
            return {}

    async def _write(self, method: str, rows: Sequence[Json], done: Outcome) -> list[Written[T]]:
        written: list[Written[T]] = []
        silent = 0
        for some in in_calls(rows, self.at_once):
            try:
                if silent == _SILENT_MAX:
                    raise Unavailable("Xero gave no answer that can be read to several calls in a row; not sent")
                told = await self._send(method, some, done)
            except XerosyncError as stopped:
                if not written:
                    raise
                left = len(rows) - len(written)
                return [*written, *[Written[T](Outcome.REJECTED, None, (), stopped)] * left]
            silent = silent + 1 if all(each.outcome is Outcome.UNKNOWN for each in told) else 0
            written += told
        return written

    async def _send(self, method: str, rows: Sequence[Json], done: Outcome) -> list[Written[T]]:
        body: Json = {self.collection: list(rows)}
        path = f"{self.collection}{_query({'summarizeErrors': 'false', **self.fixed})}"
        if self.at_once == 1:
            (body,) = rows
            path = self._path_of_one(method, body)
        delivery = await deliver(self._books, method, path, body)
        if delivery.response is None:
            return [Written(Outcome.UNKNOWN, error=delivery.unknown(delivery.lost, doing="written"))] * len(rows)
        told = verdicts(delivery.response, self.collection, rows, self._own_key())
        return [self._written(element, done, delivery, delivery.response) for element in told]

    def _path_of_one(self, method: str, row: Json) -> str:
        """Where a single document is written to: its own address once it has one."""
        below = f"/{row[self._own_key()]}" if method == "POST" else ""
        return f"{self.collection}{below}{_query(self.fixed)}"

    def _written(self, element: Element, done: Outcome, delivery: Delivery, response: Response) -> Written[T]:
        if element.verdict is Verdict.REJECTED:
            correlation = response.header("Xero-Correlation-Id")
            error = Rejected(element.messages, 400, correlation) if response.status == 200 else refusal(response)
            return Written(Outcome.REJECTED, None, element.remarks, error)
        if element.verdict is Verdict.UNKNOWN or element.row is None:
            said = " | ".join(element.messages) or f"Xero's answer ({response.status}) does not say what became of it"
            return Written(Outcome.UNKNOWN, None, element.remarks, delivery.unknown(said, doing="written"))
        try:
            return Written(done, self._decode(element.row, Shape.REPLY), element.remarks)
        except UnreadableAnswer as strange:
            return Written(Outcome.UNKNOWN, None, element.remarks, delivery.unknown(str(strange), doing="written"))

    @classmethod
    def _own_field(cls) -> str:
        return cls.identified_by or own_id(cls.model)

    @classmethod
    def _own_key(cls) -> str:
        return wire_name(attrs.fields_dict(cls.model)[cls._own_field()])


@define(eq=False)
class AsyncChangeable(AsyncWritable[T]):
    """A resource whose documents can be changed later."""

    async def update(self, documents: Iterable[T], *, known: Iterable[T] = ()) -> list[Written[T]]:
        """
        Change the documents of these ids, and say what became of each, in order; what a document leaves out stays.

        One that says nothing new beside its counterpart in *known*, as you last read it, is not sent: it is
        `Outcome.UNCHANGED`. Otherwise as `create`. Lines that you name by their ids are kept, others are removed, and
        without any lines all stay (F 6.65).
        """
        return await self._update(documents, known)

    async def update_one(self, document: T) -> T:
        """
        Change the document of this id, and return it as Xero's reply shows it; what *document* leaves out stays.

        Raises as `create_one`.
        """
        (written,) = await self.update([document])
        return written.or_raise()


@define(eq=False)
class AsyncSingly(AsyncChangeable[T], AsyncReadable[T]):
    """A resource of which Xero takes one document a call."""

    at_once: ClassVar[int] = 1


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


def words(values: Iterable[str], name: str) -> builtins.list[str]:
    """*values*, a list of texts. Raises `InvalidInput`, naming *name*, for one text alone or for what is none."""
    listed = _as_list(values, name, "texts")
    for place, value in enumerate(listed):
        if not isinstance(value, str):
            raise InvalidInput(f"{name}[{place}]", f"give a text, not a {type(value).__name__}")
    return cast("builtins.list[str]", listed)


def taken(delivery: Delivery, collection: str, sent: Sequence[Json], key: str, doing: str) -> tuple[Json, ...]:
    """The rows of a reply to *sent*. Raises `Rejected` if Xero refused one of them after all (F 5.39)."""
    response = delivery.response or Response(204)
    told = verdicts(response, collection, sent, key)
    refused = [element for element in told if element.verdict is Verdict.REJECTED]
    if refused:
        messages = [message for element in refused for message in element.messages]
        raise Rejected(tuple(dict.fromkeys(messages)), 400, response.header("Xero-Correlation-Id"))
    rows = tuple(element.row for element in told if element.row is not None)
    if len(rows) != len(sent) or any(element.verdict is Verdict.UNKNOWN for element in told):
        said = " | ".join(dict.fromkeys(message for element in told for message in element.messages))
        raise delivery.unknown(said or "Xero's answer does not say what became of it", doing=doing)
    return rows


def _as_list(values: object, name: str, due: str) -> builtins.list[object]:
    kind = type(values).__name__
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping):
        raise InvalidInput(name, f"give a list of {due}, not a {kind}")
    return list(cast(Iterable[object], values))


def reply(kind: type[K], delivery: Delivery, row: Json, doing: str) -> K:
    """The *row* of a reply as a *kind*. Raises `OutcomeUnknown` when it cannot be read: then nobody can say."""
    try:
        return decode(kind, row, where=kind.__name__, shape=Shape.REPLY)
    except UnreadableAnswer as strange:
        raise delivery.unknown(str(strange), doing=doing) from None


def _query(params: Mapping[str, str]) -> str:
    """*params*, which need no escaping, as they stand behind a path."""
    return "?" + "&".join(f"{name}={value}" for name, value in params.items()) if params else ""


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
