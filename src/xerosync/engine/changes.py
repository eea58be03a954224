"""What the store says has changed: where its changes end now, and all that came after such a mark."""

from __future__ import annotations

from typing import Final

from attrs import evolve, frozen

from xerosync.client._books import Books
from xerosync.storage.protocol import Record

_PAGE: Final = 1000
_FURTHEST: Final = 1 << 48


@frozen
class Mark:
    """The *last* record of a kind that had changed by some moment, without its body; None where there was none."""

    last: Record | None


async def latest(books: Books, kind: str) -> Mark:
    """
    Where the changes of *kind* end now.

    The store is asked for a change beyond a place, in steps that halve, so that few records are read.
    """
    found = await _after(books, kind, None)
    if found is None:
        return Mark(None)
    step = _FURTHEST
    while step:
        found = await _after(books, kind, evolve(found, changed=found.changed + step)) or found
        step //= 2
    page = [found]
    while page:
        found = page[-1]
        page = await _page(books, kind, found, limit=_PAGE)
    return Mark(evolve(found, body=""))


async def changed_since(books: Books, kind: str, mark: Mark) -> tuple[list[Record], Mark] | None:
    """
    The records of *kind* that have changed since *mark*, in the order they did, and where they end now.

    None where the store does not know the mark, since it was set back, or records were dropped from it.
    """
    if mark.last is not None:
        (known,) = await books.storage.get_many([mark.last.identity])
        if known is None or known.changed < mark.last.changed:
            return None
    found: list[Record] = []
    last = mark.last
    while page := await _page(books, kind, last, limit=_PAGE):
        found += page
        last = page[-1]
        if len(page) < _PAGE:
            break
    return found, Mark(None if last is None else evolve(last, body=""))


async def _after(books: Books, kind: str, place: Record | None) -> Record | None:
    return next(iter(await _page(books, kind, place, limit=1)), None)


async def _page(books: Books, kind: str, place: Record | None, *, limit: int) -> list[Record]:
    after = None if place is None else await books.storage.cursor(place, "changed")
    return await books.storage.query(kind, books.tenant, order="changed", after=after, limit=limit)
