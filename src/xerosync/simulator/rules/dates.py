"""Lock dates: what is dated on or before them is closed (F 6.03, 6.67)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from xerosync.simulator.books import Books
from xerosync.simulator.refusals import Invalid


def refuse_locked(books: Books, on: date) -> None:
    """Raise `Invalid` when something new may not be dated *on*."""
    for name, lock in _locks(books):
        if on <= lock:
            raise Invalid(f"The document date cannot be before the {name} lock date, currently set at {lock:%d %B %Y}")


def refuse_locked_edit(books: Books, on: date) -> None:
    """Raise `Invalid` when what is dated *on* may not be changed any more."""
    for name, lock in _locks(books):
        if on <= lock:
            raise Invalid(f"The document cannot be edited as it is currently dated before the {name} lock date")


def _locks(books: Books) -> Iterator[tuple[str, date]]:
    organisation = books.organisation
    if organisation.year_lock is not None:
        yield "end of year", organisation.year_lock
    if organisation.period_lock is not None and not books.by_adviser:
        yield "period", organisation.period_lock
