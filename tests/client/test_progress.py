"""Bars in a terminal or a notebook, made of the events that everybody may hear."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO

import pytest
from rich.console import Console
from tests.client.test_events import client
from tests.conftest import CLEARING, Product
from tests.engine.scenarios import collected

from xerosync import Receivables
from xerosync.events import Event
from xerosync.progress import Bar, bar_for, progress


def terminal(*, is_one: bool = True) -> Console:
    return Console(file=StringIO(), force_terminal=is_one, force_jupyter=False, width=100)


def shown(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("event", "fields", "expected"),
    [
        (Event.PAGE_READ, {"path": "Contacts", "page": 2, "pages": 9, "rows": 1000}, ("reading Contacts, pages", 2, 9)),
        (Event.PAGE_READ, {"path": "Contacts", "page": 2, "rows": 1000}, ("reading Contacts, pages", 2, None)),
        (Event.POSTED, {"kind": "bill_payment", "elements": 50, "done": 50, "of": 120},
         ("writing, now: bill payment", 50, 120)),
        (Event.WAITING, {"reason": "the minute limit", "seconds": 12.4},
         ("waiting: the minute limit, 12 s", None, None)),
        (Event.WAITING, {"reason": "another worker"}, ("waiting: another worker", None, None)),
    ],
)  # fmt: skip
def test_an_event_says_how_far_the_work_is(
    event: Event, fields: Mapping[str, object], expected: tuple[str, int | None, int | None]
) -> None:
    bar = bar_for(event, fields)

    assert isinstance(bar, Bar)
    assert (bar.says, bar.done, bar.of) == expected


def test_what_says_nothing_of_how_far_it_is_has_no_bar() -> None:
    assert bar_for(Event.TOKEN_REFRESHED, {}) is None
    assert bar_for("a later event", {"done": 1}) is None


def test_reading_and_writing_show_how_far_they_are(product: Product) -> None:
    owed = product.collectable("100.00")
    console = terminal()

    with progress(after_s=0, console=console) as listener:
        sales = Receivables(client(product, listener), clearing_account=CLEARING)
        product.books.add_contact("Bo Lund")
        report = sales.apply(sales.settle(collected(owed.id)))
        sales.preview_imports()

    assert report.done("payment") == 1
    assert "writing, now: payment" in shown(console)
    assert "1 of 1" in shown(console)


def test_a_wait_is_shown_until_it_is_over() -> None:
    console = terminal()

    with progress(after_s=0, console=console) as listener:
        listener(Event.WAITING, {"organisation": "o", "reason": "the minute limit", "seconds": 9})
        during = shown(console)
        listener(Event.PAGE_READ, {"organisation": "o", "path": "Contacts", "page": 1, "pages": 3, "rows": 10})

    assert "waiting: the minute limit, 9 s" in during
    last = shown(console).rpartition("reading Contacts, pages")
    assert last[1]
    assert "waiting" not in last[2]


def test_a_list_that_is_read_again_begins_its_bar_again() -> None:
    console = terminal()
    page = {"organisation": "o", "path": "Contacts", "pages": 3, "rows": 10}

    with progress(after_s=0, console=console) as listener:
        for number in (1, 2, 3, 1):
            listener(Event.PAGE_READ, {**page, "page": number})

    assert "3 of 3" in shown(console)
    assert "1 of 3" in shown(console).rpartition("pages")[2]


def test_short_work_and_a_pipe_show_nothing(product: Product) -> None:
    owed = product.collectable("100.00")
    quick, pipe = terminal(), terminal(is_one=False)

    for console, after_s in ((quick, 3600.0), (pipe, 0.0)):
        with progress(after_s=after_s, console=console) as listener:
            sales = Receivables(client(product, listener), clearing_account=CLEARING)
            sales.apply(sales.settle(collected(owed.id)))

    assert shown(quick).strip() == ""
    assert shown(pipe) == ""
    assert len(product.live_payments()) == 1
