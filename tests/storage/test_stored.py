"""A record that was read, whose look-ups nobody has asked for yet, is like one that was made."""

from __future__ import annotations

import copy
import pickle
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xerosync.storage import Record, SQLAlchemyStore, SQLiteStore, Storage
from xerosync.storage.rules import stored_record, to_micros

DUE = datetime(2026, 3, 1, 9, 30, 0, 7, UTC)
MADE = Record("intent", "books", "k-1", '{"n":"é"}', "sent", DUE, (("tag", "XS-1"), ("tag", "")), 1, 1)

_texts = st.text(max_size=5)
_records = st.builds(
    Record,
    kind=_texts,
    tenant=_texts,
    key=_texts,
    body=_texts,
    state=_texts,
    due=st.none() | st.datetimes(timezones=st.just(UTC)),
    lookups=st.lists(st.tuples(_texts, _texts), max_size=3).map(tuple),
    version=st.integers(1),
    changed=st.integers(1),
)


@given(_records)
def test_it_is_the_same_whatever_it_holds(made: Record) -> None:
    due = None if made.due is None else to_micros(made.due)
    row = made.key, made.body, made.state, due, "written", made.version, made.changed

    read = stored_record(made.kind, made.tenant, row, read={"written": made.lookups}.__getitem__)

    assert type(read) is Record
    assert attrs.astuple(read, recurse=False) == attrs.astuple(made, recurse=False)


@pytest.fixture(params=["sqlite", "sqlalchemy"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    path = tmp_path / "books.db"
    opened = SQLiteStore(path) if request.param == "sqlite" else SQLAlchemyStore(f"sqlite:///{path}")
    with closing(opened) as store:
        store.commit([MADE])
        yield store


def pickled(read: Record) -> Record:
    again: Record = pickle.loads(pickle.dumps(read))  # noqa: S301
    return again


def as_key(read: Record) -> Record:
    return {read: read}[MADE]


def referred(read: Record) -> Record:
    found = weakref.ref(read)()
    assert found is not None
    return found


def evolved(read: Record) -> Record:
    return read.with_body(MADE.body, due=DUE)


@pytest.mark.parametrize("use", [pickled, as_key, referred, evolved, copy.copy, copy.deepcopy])
def test_it_may_be_used_before_anybody_asks_for_its_lookups(store: Storage, use: Callable[[Record], Record]) -> None:
    [queried] = store.query("intent", "books")
    [got] = store.get_many([MADE.identity])

    assert use(queried) == MADE
    assert got is not None
    assert use(got).lookups == MADE.lookups


def test_what_no_record_has_it_has_not(store: Storage) -> None:
    [found] = store.query("intent", "books")

    assert not hasattr(found, "amount")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        found.body = "{}"  # type: ignore[misc]
    assert not hasattr(Record("intent", "books", "k-1", "{}"), "amount")
