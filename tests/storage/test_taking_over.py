"""Going from a SQLite file to a host's database: everything is there, and goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve
from tests.conftest import CLEARING, DAY, Product, found_product, nzd
from tests.storage.postgres import Postgres

from xerosync import Customer, Receivables, Settlement, SettlementLine, SQLiteStore
from xerosync.errors import InvalidInput, StoreFailed
from xerosync.storage import Event, Record, SQLAlchemyStore, Storage
from xerosync.storage.owner import this_process

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def target(postgres: Postgres) -> Iterator[SQLAlchemyStore]:
    with closing(SQLAlchemyStore(postgres.new_database())) as store:
        yield store


def filled(path: Path, count: int = 3) -> SQLiteStore:
    store = SQLiteStore(path)
    records = [
        Record(
            "link", "books", f"c-{number:05}", f'{{"é": {number}}}', "found" * (number % 2),
            NOON + timedelta(seconds=number) if number % 3 else None, (("name", f"n-{number % 7}"), ("all", "x")),
        )
        for number in range(count)
    ]  # fmt: skip
    store.commit(records)
    store.commit([*records[1:2], Record("cursor", "", "invoice", "{}")])
    store.append("trail", [Event(NOON, "began", "{}"), Event(NOON, "ended", "{}")])
    return store


def told(store: Storage) -> list[object]:
    """All that can be found out, in every order."""
    found: list[object] = [store.events("trail", after=0), store.query("cursor", "")]
    for order in ("key", "due", "changed"):
        records = store.query("link", "books", order=order, limit=20_000)
        found += [records, [store.cursor(each, order) for each in records]]
    return [*found, store.query("link", "books", lookup=("name", "n-1"), limit=20_000)]


@pytest.mark.parametrize("count", [1, 12_000])
def test_everything_is_there_as_it_was(tmp_path: Path, target: SQLAlchemyStore, count: int) -> None:
    with closing(filled(tmp_path / "books.db", count)) as source:
        assert target.take_over(source) == count + 1
        assert told(target) == told(source)


def test_what_is_written_after_comes_after(tmp_path: Path, target: SQLAlchemyStore) -> None:
    """Whoever reads changes by a cursor of before goes on with it, and versions go on being checked."""
    with closing(filled(tmp_path / "books.db")) as source:
        seen = source.query("link", "books", order="changed")
        cursor = source.cursor(seen[-1], "changed")
        target.take_over(source)

    first = seen[0]
    target.commit([evolve(first, body="{}")], expect={first.identity: first.version})
    target.commit([Record("link", "another", "c-1", "{}")])
    target.append("trail", [Event(NOON, "again", "{}")])

    assert [each.key for each in target.query("link", "books", order="changed", after=cursor)] == [first.key]
    assert [number for number, _ in target.events("trail")] == [1, 2, 3]


def test_one_that_is_not_empty_takes_nothing_over(tmp_path: Path, target: SQLAlchemyStore) -> None:
    target.commit([Record("link", "books", "mine", "{}")])
    with closing(filled(tmp_path / "books.db")) as source, pytest.raises(InvalidInput, match="empty"):
        target.take_over(source)

    assert [each.key for each in target.query("link", "books")] == ["mine"]


def test_nothing_is_taken_over_while_somebody_is_at_work(tmp_path: Path, target: SQLAlchemyStore) -> None:
    with closing(filled(tmp_path / "books.db")) as source:
        fence = source.lease("run/books", this_process("worker"), ttl_s=600, now=NOON)
        assert fence is not None
        with pytest.raises(InvalidInput, match="stop all workers"):
            target.take_over(source)
        assert target.query("link", "books") == []

        source.release(fence)
        dead = evolve(this_process("worker"), process=2**22 + 1)
        assert source.lease("run/books", dead, ttl_s=600, now=NOON) is not None
        assert target.take_over(source) == 4


def test_a_file_that_is_damaged_leaves_nothing_behind(tmp_path: Path, target: SQLAlchemyStore) -> None:
    with closing(filled(tmp_path / "books.db", 500)) as source:
        source.close()
        content = source.path.read_bytes()
        source.path.write_bytes(content[:20_000] + b"\xff" * 30_000 + content[50_000:])
        with pytest.raises(StoreFailed, match=r"books\.db"):
            target.take_over(source)

    assert target.query("link", "books") == []


def test_a_product_goes_on_where_it_was_and_posts_nothing_twice(tmp_path: Path, target: SQLAlchemyStore) -> None:
    product = evolve(found_product(), store=SQLiteStore(tmp_path / "books.db"))
    invoice = product.invoice("Ana Costa", "80.00")
    line = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("80.00"))

    def settled(here: Product) -> tuple[int, int]:
        with here.xero() as xero:
            sales = Receivables(xero, clearing_account=CLEARING)
            done = sales.apply(sales.match([Customer(id="c1", custom_identifier="Ana Costa")])).done("link")
            sales.apply(sales.import_invoices())
            posted = sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=(line,)))).done("payment")
            return done, posted

    assert settled(product) == (0, 1)
    moved = product.store
    assert isinstance(moved, SQLiteStore)
    target.take_over(moved)
    product = evolve(product, store=target)

    assert settled(product) == (0, 0)
    assert len(product.live_payments()) == 1
    product.simulator.close()
