"""A long reading that is broken off goes on where it stopped, and misses nothing of what changes meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Product, Through, found_product

from xerosync import Customer, Receivables
from xerosync.client import _paging
from xerosync.engine.mirror import CONTACTS
from xerosync.ports import Request

CONTACTS_THERE = 300


class Killed(BaseException):
    """The process dies."""


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_paging, "PAGE_SIZE", 20)
    monkeypatch.setattr(_paging, "_SHARED", 2)


def mirrored(product: Product) -> dict[str, str]:
    """The names in the mirror, by id."""
    import json  # noqa: PLC0415

    return {
        each.key: json.loads(each.body)["Name"] for each in product.store.query(CONTACTS.kind, product.books.tenant_id)
    }


def read_until(product: Product, pages: int) -> int:
    """Let a process read the contacts and die after so many *pages*; how many it had asked for."""
    asked: list[Request] = []

    def see(request: Request) -> None:
        if "/Contacts" in request.url:
            if len(asked) >= pages:
                raise Killed
            asked.append(request)

    client = product.xero(transport=Through(product.simulator.transport, before=see))
    with suppress(Killed):
        Receivables(client).match([Customer(id="7", custom_identifier="Nobody")])
    return len(asked)


@pytest.mark.parametrize("pages", [1, 5, 9, 13])
def test_a_reading_goes_on_where_its_process_died(pages: int) -> None:
    product = found_product()
    for place in range(CONTACTS_THERE):
        product.books.add_contact(f"Contact {place}")
    product.clock.advance(600)
    whole = read_until(found_like(product), 10_000)

    first = read_until(product, pages)
    second = read_until(product, 10_000)

    assert first == pages
    # What was in flight when it died, four pages at most, is read again.
    assert first + second <= whole + 5
    assert len(mirrored(product)) == CONTACTS_THERE
    assert read_until(product, 10_000) == 1, "it has come to its end"
    product.simulator.close()


def found_like(product: Product) -> Product:
    other = found_product()
    for each in product.books.contacts:
        other.books.add_contact(each.name)
    return other


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from(["rename", "add", "archive"]), st.integers(0, 70)), max_size=12),
)
def test_whatever_changes_between_two_processes_is_met(
    deaths: Sequence[int], changes: Sequence[tuple[str, int]]
) -> None:
    product = found_product()
    for place in range(90):
        product.books.add_contact(f"Contact {place}")
    left = list(changes)
    for pages in deaths:
        read_until(product, pages)
        for what, place in [left.pop() for _ in range(min(3, len(left)))]:
            product.clock.advance(40)
            active = sorted(each.id for each in product.books.contacts if each.status == "ACTIVE")
            if what == "rename":
                product.books.rename_contact(active[place], f"Anew at {product.clock.now()}")
            elif what == "add":
                product.books.add_contact(f"Added at {product.clock.now()}")
            else:
                product.books.archive_contact(active[place])

    read_until(product, 10_000)
    read_until(product, 10_000)

    assert mirrored(product) == {each.id: each.name for each in product.books.contacts}
    product.simulator.close()


def test_a_list_whose_known_end_has_gone_is_read_from_its_beginning() -> None:
    product = found_product()
    for place in range(100):
        product.books.add_contact(f"Contact {place}")
    read_until(product, 2)
    (record,) = product.store.query("reading", product.books.tenant_id)
    gone = json.dumps({**json.loads(record.body), "last": ["gone"]})
    product.store.commit([record.with_body(gone)])

    read_until(product, 10_000)

    assert len(mirrored(product)) == 100
    product.simulator.close()
