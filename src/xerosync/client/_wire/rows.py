"""The rows of an answer, each parsed when its turn comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, cast, overload

import msgspec

from xerosync.client._wire.codec import Json, parse, unreadable
from xerosync.errors import UnreadableAnswer

_TOP: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


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
