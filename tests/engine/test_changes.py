"""Where a store's changes end, and what came after a mark."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xerosync import MemoryStore
from xerosync.client._books import Books
from xerosync.engine.changes import changed_since, latest
from xerosync.storage import Record
from xerosync.storage.adapt import stepped_storage

T = TypeVar("T")


class _Books:
    """As much of an organisation's books as is asked."""

    tenant = "t"

    def __init__(self, store: MemoryStore) -> None:
        self.storage = stepped_storage(store)


def run(flow: Coroutine[None, None, T]) -> T:
    """What a *flow* over a plain store comes to."""
    with pytest.raises(StopIteration) as done:
        flow.send(None)
    value: T = done.value.value
    return value


@given(st.lists(st.lists(st.integers(0, 9), max_size=4, unique=True), max_size=12), st.integers(0, 12))
def test_after_a_mark_come_all_that_were_changed_since_and_no_other(commits: list[list[int]], place: int) -> None:
    store = MemoryStore()
    books: Books = _Books(store)  # type: ignore[assignment]
    for commit in commits[:place]:
        store.commit([Record("k", "t", str(each), "{}") for each in commit])
        store.commit([Record("other", "t", "1", "{}")])
    mark = run(latest(books, "k"))
    for commit in commits[place:]:
        store.commit([Record("k", "t", str(each), "{}") for each in commit])

    read = run(changed_since(books, "k", mark))

    assert read is not None
    changed, last = read
    assert {each.key for each in changed} == {str(each) for commit in commits[place:] for each in commit}
    assert run(changed_since(books, "k", last)) == ([], last)
