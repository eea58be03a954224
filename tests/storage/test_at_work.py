"""Workers killed, frozen, cut off from their database or out of disk: each invoice is paid once all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from attrs import define, evolve
from tests.conftest import CLEARING, DAY
from tests.storage.postgres import Postgres

from xerosync import App, Customer, Receivables, Tokens, Xero
from xerosync.simulator import Bookkeeper, Simulator
from xerosync.storage import Record, SQLAlchemyStore, SQLiteStore, Storage

if sys.platform == "win32":
    pytest.skip("Windows has no such signals", allow_module_level=True)

from tests.storage.at_work import SharedClock, Work, Worker

INVOICES = ("45.00", "120.00", "7.25", "45.00")


@define
class Business:
    """A product whose invoices wait to be settled, in a Xero that is served on this machine."""

    books: Bookkeeper
    work: Work

    def stands_paid_once(self) -> bool:
        """Whether every invoice has exactly the payment it should, and the books no other."""
        live = sorted(each.amount for each in self.books.payments if each.status == "AUTHORISED")
        return live == sorted(map(Decimal, INVOICES)) and all(
            invoice.status == "PAID" for invoice in self.books.invoices
        )


def sqlite(tmp_path: Path) -> Callable[[], Storage]:
    return partial(SQLiteStore, tmp_path / "books.db")


def postgresql(server: Postgres) -> Callable[[], Storage]:
    return partial(SQLAlchemyStore, server.new_database())


def begun(simulator: Simulator, clock: SharedClock, opener: Callable[[], Storage], path: Path, url: str) -> Business:
    """A business with everything imported, and nothing paid yet."""
    books = simulator.add_organisation()
    ana = books.add_contact("Ana")
    for number, amount in enumerate(INVOICES):
        books.add_invoice(ana.id, number=f"INV-{number}", amount=Decimal(amount), date=DAY)
    app = simulator.register_app("Tests")
    given = simulator.consent(app, tenants=[books.tenant_id])
    with closing(opener()) as store:
        xero = Xero(
            App(app.client_id, app.client_secret),
            books.tenant_id,
            store=store,
            transport=simulator.transport,
            clock=clock,
        )
        expires_at = clock.now() + timedelta(seconds=given.expires_in)
        xero.connect(Tokens(given.access_token, given.refresh_token, expires_at))
        sales = Receivables(xero, clearing_account=CLEARING)
        sales.apply(sales.match([Customer(id="1", custom_identifier="Ana")]))
        sales.apply(sales.import_invoices())
        paid = tuple((each.id, str(each.amount.amount)) for each in sales.transactions())
        xero.close()
    work = Work(opener, path, url, books.tenant_id, (app.client_id, app.client_secret or ""), paid)
    return Business(books, work)


@contextmanager
def at_xero(opener: Callable[[], Storage], tmp_path: Path) -> Iterator[Business]:
    """A business whose Xero is open for as long as the block lasts."""
    path = tmp_path / "clock"
    clock = SharedClock(path)
    with Simulator(clock=clock, limits=False) as simulator, simulator.serve() as server:
        yield begun(simulator, clock, opener, path, server.url)


@pytest.fixture
def business(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Business]:
    """On the store that the test names, SQLite unless it does."""
    chosen: str = getattr(request, "param", "sqlite")
    opener = sqlite(tmp_path) if chosen == "sqlite" else postgresql(request.getfixturevalue(chosen))
    with at_xero(opener, tmp_path) as business:
        yield business


def settle_again(business: Business) -> str:
    """Run a worker that nothing happens to; what it says at its end."""
    with Worker(business.work) as worker:
        return worker.ended()


on_both = pytest.mark.parametrize("business", ["sqlite", "postgres"], indirect=True)
at_both_moments = pytest.mark.parametrize("when", ["claimed", "answered"])


@on_both
@at_both_moments
def test_a_killed_worker_is_followed_at_once_and_nothing_is_paid_twice(business: Business, when: str) -> None:
    with Worker(evolve(business.work, when=when, then="stop")) as first:
        assert first.has_stopped(), first.ended()
        with Worker(business.work) as second:
            assert second.waits(), second.said
            first.kill()
            assert second.ended() == "0"

    assert business.stands_paid_once()
    assert settle_again(business) == "0"
    assert business.stands_paid_once()


@on_both
@at_both_moments
def test_a_frozen_worker_that_wakes_beside_its_successor_sends_nothing_more(business: Business, when: str) -> None:
    """Its lease has run out, and its claim too: it stops, and says that another has taken over."""
    with Worker(evolve(business.work, when=when, then="stop")) as first:
        assert first.has_stopped(), first.ended()
        with Worker(business.work) as second:
            assert second.waits(), second.said
            assert second.ended() == "0"
        assert business.stands_paid_once()
        first.go_on()
        assert first.ended().startswith("LeaseLost")

    assert business.stands_paid_once()
    assert settle_again(business) == "0"
    assert business.stands_paid_once()


@at_both_moments
def test_a_run_whose_database_was_stopped_hard_says_so_and_the_next_one_pays_once(
    tmp_path: Path, own_postgres: Postgres, when: str
) -> None:
    with at_xero(postgresql(own_postgres), tmp_path) as business:
        with Worker(evolve(business.work, when=when, then="stop")) as worker:
            assert worker.has_stopped(), worker.ended()
            own_postgres.stop_hard()
            worker.go_on()
            assert "the database cannot be reached" in worker.ended()
        own_postgres.start_again()

        assert settle_again(business) == "0"
        assert business.stands_paid_once()


def test_a_run_goes_on_when_its_database_was_stopped_hard_and_is_back(tmp_path: Path, own_postgres: Postgres) -> None:
    with at_xero(postgresql(own_postgres), tmp_path) as business:
        with Worker(evolve(business.work, when="answered", then="stop")) as worker:
            assert worker.has_stopped(), worker.ended()
            own_postgres.stop_hard()
            own_postgres.start_again()
            worker.go_on()
            assert worker.ended() == "0"

        assert business.stands_paid_once()


@at_both_moments
def test_a_run_whose_disk_is_full_says_so_and_the_next_one_pays_once(business: Business, when: str) -> None:
    with Worker(evolve(business.work, when=when, then="no disk")) as worker:
        assert worker.ended().startswith("StoreFailed: The store ")

    assert settle_again(business) == "0"
    assert business.stands_paid_once()


FROZEN_WRITER = """
import os, signal, sys
from sqlalchemy import text
from xerosync.storage import Record, SQLAlchemyStore

store = SQLAlchemyStore(sys.argv[1], lock_timeout_s=0.5)
store.commit([Record("link", "books", "1", "{}")])
with store._writing.begin() as connection:
    store.within(connection).commit([Record("link", "books", "1", "frozen")])
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_worker_frozen_within_a_transaction_holds_up_others_no_longer_than_the_time_out(postgres: Postgres) -> None:
    """The server ends what stands still, and nothing of it is kept."""
    address = postgres.new_database()
    with (
        subprocess.Popen([sys.executable, "-c", FROZEN_WRITER, address], stderr=subprocess.DEVNULL) as frozen,
        closing(SQLAlchemyStore(address)) as store,
    ):
        assert os.WIFSTOPPED(os.waitpid(frozen.pid, os.WUNTRACED)[1])
        store.commit([Record("link", "books", "2", "{}")])
        frozen.send_signal(signal.SIGCONT)
        frozen.wait()
        assert [(record.key, record.body) for record in store.query("link", "books")] == [("1", "{}"), ("2", "{}")]
