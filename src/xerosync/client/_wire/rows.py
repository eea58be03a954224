"""The rows of an answer: parsed for what they are read for, or else each when its turn comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from operator import attrgetter
from typing import Any, Final, Protocol, cast, overload

import msgspec
from attrs import field, frozen
from msgspec import UNSET

from xerosync.client._wire.codec import Json, exact, parse, unreadable
from xerosync.client._wire.moulds import mould
from xerosync.errors import UnreadableAnswer
from xerosync.models import OpenEnum

_TOP: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_WORTH_A_MOULD: Final = 50_000
"""Bytes of an answer from which moulds, which take some hundredths of a second to make once, are the quicker way."""
_BESIDE: Final = ("pagination", "DateTimeUTC")
_REPEATED: Final = frozenset({"CurrencyCode", "Date", "DueDate"})
"""Texts that are the same in many rows: they are kept once."""
_REMEMBERED: Final = 4096


class Row(Protocol):
    """One row of an answer, whatever it was parsed to."""

    def get(self, name: str, /) -> object:
        """What stands in it under this *name* of Xero's; None if nothing does."""
        ...


@frozen
class Header:
    """
    What some rows are read for: these *keys* alone, and of the objects under some of them only the keys *inside*.

    The rest of such a row is passed over, which takes an eighth of the time, and is not kept. *listed* is as *inside*,
    of lists of objects; *words* are the keys under which one of so many words stands, which are known beforehand.
    """

    keys: frozenset[str]
    inside: tuple[tuple[str, frozenset[str]], ...] = field(default=())
    words: tuple[tuple[str, type[OpenEnum]], ...] = field(default=())
    listed: tuple[tuple[str, frozenset[str]], ...] = field(default=())


class Sketch(msgspec.Struct, gc=False):
    """
    A row of which a `Header` was wanted: its attributes bear Xero's names, and are UNSET where the row does not have
    them, which is not to say that they are null.

    It takes a third of the memory of a dictionary, and is JSON again without one.
    """

    def get(self, name: str, /) -> object:
        """What stands in it under *name*; None if nothing does."""
        value = getattr(self, name, None)
        return None if value is UNSET else value


Wanted = type[Any] | Header | None
"""What rows are read for: to be documents of one class, for their headers, or for all that stands in them."""


class Rows(Sequence[Json]):
    """
    The rows that stand under *where*; each is parsed anew whenever it is asked for.

    A page of a thousand documents parsed at once is some hundred thousand values, kept together, looked through by the
    collector of garbage and out of the processor's reach when their turn comes: parsing each one just before it is
    decoded takes a third less time, and no memory to speak of.

    Asking for a row raises `UnreadableAnswer` when it is none.
    """

    def __init__(self, raw: Sequence[msgspec.Raw], where: str) -> None:
        self._raw = raw
        self._where = where

    def __len__(self) -> int:
        return len(self._raw)

    def __iter__(self) -> Iterator[Json]:
        for place, raw in enumerate(self._raw):
            yield self._parsed(raw, place)

    @overload
    def __getitem__(self, place: int, /) -> Json: ...
    @overload
    def __getitem__(self, place: slice, /) -> Rows: ...
    def __getitem__(self, place: int | slice, /) -> Json | Rows:
        if isinstance(place, slice):
            return Rows(self._raw[place], self._where)
        return self._parsed(self._raw[place], place)

    def _parsed(self, raw: msgspec.Raw, place: int) -> Json:
        row = parse(raw, where=f"{self._where}[{place}]")
        if not isinstance(row, dict):
            raise UnreadableAnswer(f"{self._where}[{place}]", f"a {type(row).__name__} where an object is due")
        return cast(Json, row)


def opened(body: bytes, collection: str) -> tuple[Json, Rows]:
    """
    What an envelope says beside its rows, and the rows, which stand under *collection*.

    Raises `UnreadableAnswer` when *body* is no envelope or lacks the collection.
    """
    try:
        fields = _TOP.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(body, error, where=collection) from None
    listed = fields.pop(collection, None)
    try:
        rows = Rows(_LIST.decode(listed or b""), collection)
    except msgspec.DecodeError:
        raise UnreadableAnswer(collection, "no such list in the answer") from None
    return {name: parse(raw, where=f"{collection}, {name}") for name, raw in fields.items()}, rows


def opened_for(body: bytes, collection: str, wanted: Wanted) -> tuple[Json, Sequence[Row]] | None:
    """As `opened`, the rows parsed at once for what is *wanted*; None where that does not pay, or something is odd."""
    if wanted is None or (not isinstance(wanted, Header) and len(body) < _WORTH_A_MOULD):
        return None
    try:
        kind = _sketch(wanted) if isinstance(wanted, Header) else mould(wanted)
        page = _decoder(collection, kind).decode(body)
        rows = cast(Sequence[Row], getattr(page, collection))
        if isinstance(wanted, Header):
            _keep_once(rows, wanted.keys & _REPEATED)
    except Exception:  # noqa: BLE001 - whatever it was, the other way takes it, or says what is wrong
        return None
    return {name: getattr(page, name) for name in _BESIDE}, rows


def dictionary(row: Row) -> Json:
    """*row*, which was not wanted as a document, as what JSON calls an object."""
    if not isinstance(row, Sketch):
        return cast(Json, row)
    said = zip(row.__struct_fields__, msgspec.structs.astuple(row), strict=True)
    return {name: _plain(value) for name, value in said if value is not UNSET}


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(each) for each in cast(list[object], value)]
    return dictionary(value) if isinstance(value, Sketch) else value


@lru_cache(maxsize=64)
def _decoder(collection: str, row: type) -> msgspec.json.Decoder[msgspec.Struct]:
    beside = [(name, Any, None) for name in _BESIDE]
    page = msgspec.defstruct("Page", [(collection, list[row]), *beside], kw_only=True)  # type: ignore[valid-type]
    return msgspec.json.Decoder(page, float_hook=exact)


@lru_cache(maxsize=64)
def _sketch(header: Header) -> type[Sketch]:
    """The class of a *header*'s rows."""
    inside: dict[str, object] = {name: _of_keys(keys, {}) | None for name, keys in header.inside}
    for name, keys in header.listed:
        line = _of_keys(keys, {})
        inside[name] = list[line] | None  # type: ignore[valid-type]
    return _of_keys(header.keys, inside | {name: word | None for name, word in header.words})


def _of_keys(keys: frozenset[str], kinds: Mapping[str, object]) -> type[Sketch]:
    fields = [(name, kinds.get(name, str | None if name in _REPEATED else Any), UNSET) for name in sorted(keys)]
    return cast(type[Sketch], msgspec.defstruct("Header", fields, bases=(Sketch,), module=__name__, gc=False))


def _keep_once(rows: Sequence[Row], names: frozenset[str]) -> None:
    """Let all *rows* that say the same under one of *names* have one text for it."""
    for name in names:
        deque(map(setattr, rows, repeat(name), map(_kept, map(attrgetter(name), rows))), maxlen=0)


@lru_cache(maxsize=_REMEMBERED)
def _kept(text: object) -> object:
    return text
