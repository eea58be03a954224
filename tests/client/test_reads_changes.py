"""Incremental reads: every change once, from mark to mark, whatever happens while they are read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.client.busy import Busy
from tests.conftest import BANK, Product, Through, found_product

from xerosync import Xero, filters
from xerosync.client import _paging
from xerosync.client.changes import Mark
from xerosync.errors import InvalidInput, UnreadableAnswer
from xerosync.ports import Request, Response
from xerosync.simulator import Switches


def names(xero: Xero, since: Mark | None) -> tuple[list[str], Mark]:
    """The names of the contacts that have changed, and the mark after them."""
    changes = xero.contacts.changes(since=since)
    return [each.name or "" for each in changes], changes.mark


def test_each_read_goes_on_where_the_last_one_ended(product: Product, xero: Xero) -> None:
    ana = product.books.add_contact("Ana")
    product.books.add_contact("Ben")

    found, mark = names(xero, None)
    assert sorted(found) == ["Ana", "Ben"]
    assert names(xero, mark) == ([], mark)

    product.books.rename_contact(ana.id, "Ana Costa")
    found, later = names(xero, mark)
    assert found == ["Ana Costa"]
    assert names(xero, later) == ([], later)


def test_a_mark_survives_as_a_text(product: Product, xero: Xero) -> None:
    product.books.add_contact("Ana")
    _, mark = names(xero, None)

    assert Mark.from_text(mark.text) == mark
    assert Mark.from_text(Mark(product.books.tenant_id, "Contacts").text).at is None
    for text in ("", "null", "{}", '{"tenant": 1, "of": 2, "at": "x", "seen": []}', mark.text[:-5]):
        with pytest.raises(InvalidInput, match="mark"):
            Mark.from_text(text)


def test_a_mark_is_the_newest_stamp_of_xero_and_no_clock_of_ours(product: Product, xero: Xero) -> None:
    """F 4.27."""
    product.books.add_contact("Ana")
    stamp = product.books.contacts[0].updated
    product.clock.advance(10_000)

    _, mark = names(xero, None)

    assert mark.at == stamp


def test_a_mark_of_something_else_is_refused(xero: Xero) -> None:
    _, mark = names(xero, None)

    with pytest.raises(InvalidInput, match="mark of Invoices"):
        xero.invoices.changes(since=mark)
    with pytest.raises(InvalidInput, match="this organisation"):
        xero.contacts.changes(since=evolve(mark, tenant="45e4708e-d862-4111-ab3a-dd8cd03913e1"))


def test_what_was_not_read_to_its_end_moves_no_mark(product: Product, xero: Xero) -> None:
    product.books.add_contact("Ana")
    product.books.add_contact("Ben")
    changes = xero.contacts.changes()

    next(iter(changes))

    assert changes.mark.at is None
    assert len(list(changes)) == 2
    assert changes.mark.at is not None


def test_the_stamp_of_a_contact_inside_an_invoice_moves_no_mark(product: Product, xero: Xero) -> None:
    """F 5.12a, 8.19a: it lies half a day ahead."""
    sale = product.invoice("Ana", "10.00")
    changes = xero.invoices.changes()

    assert [each.invoice_id for each in changes] == [sale.id]
    assert changes.mark.at == product.books.invoice(sale.id).updated


def test_what_has_ended_is_a_change_too(product: Product, xero: Xero) -> None:
    """Archived, voided and removed (F 4.25, 4.26, 6.33)."""
    sale = product.invoice("Ana", "10.00")
    paid = product.books.add_payment(product.invoice("Ana", "5.00").id, account=BANK)
    contacts, invoices, payments = xero.contacts.changes(), xero.invoices.changes(), xero.payments.changes()
    for each in (contacts, invoices, payments):
        assert list(each)
    product.books.archive_contact(sale.contact_id)
    product.books.void_invoice(sale.id)
    product.books.remove_payment(paid.id)

    gone = [each.contact_status for each in xero.contacts.changes(since=contacts.mark)]

    assert gone == ["ARCHIVED"]
    assert "VOIDED" in [each.status for each in xero.invoices.changes(since=invoices.mark)]
    assert [each.status for each in xero.payments.changes(since=payments.mark)] == ["DELETED"]


def test_a_change_in_the_very_second_of_the_mark_is_not_missed(product: Product, xero: Xero) -> None:
    """F 4.19: the header has whole seconds, and need not include equal ones."""
    ana, ben = product.books.add_contact("Ana"), product.books.add_contact("Ben")
    _, mark = names(xero, None)
    product.books.rename_contact(ana.id, "A")
    assert product.books.contact(ana.id).updated - product.books.contact(ben.id).updated < timedelta(seconds=1)

    assert names(xero, mark)[0] == ["A"]


def test_the_awaited_client_reads_changes_in_the_same_way(product: Product) -> None:
    product.books.add_contact("Ana")

    async def story() -> list[list[str | None]]:
        async with product.asynchronous() as xero:
            await xero.connect(product.tokens)
            first = xero.contacts.changes()
            found = [[each.name async for each in first]]
            product.books.add_contact("Ben")
            found.append([each.name async for each in xero.contacts.changes(since=first.mark)])
            return found

    assert asyncio.run(story()) == [["Ana"], ["Ben"]]


def test_resources_that_do_not_say_when_they_changed_have_no_changes(xero: Xero) -> None:
    """F 4.21; the rows of bank transfers have no stamp."""
    resources = {name: value for name, value in vars(xero).items() if hasattr(value, "list")}

    assert {name for name, value in resources.items() if not hasattr(value, "changes")} == {
        "bank_transfers", "branding_themes", "contact_groups", "currencies", "linked_transactions",
        "tax_rates", "tracking_categories",
    }  # fmt: skip
    for name, value in resources.items():
        if hasattr(value, "changes"):
            changes = value.changes()
            first = list(changes)
            assert all(each.updated_date_utc is not None for each in first), name
            assert list(value.changes(since=changes.mark)) == [], name


def test_answers_without_a_date_keep_the_mark_behind_the_first_page(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written between two pages may not be on either, though something newer is."""
    monkeypatch.setattr(_paging, "PAGE_SIZE", 20)
    monkeypatch.setattr(_paging, "_SHARED", 2)
    people = sorted(product.books.add_contact(f"Contact {place}").id for place in range(30))

    class Undated(Through):
        async def send(self, request: Request) -> Response:
            response = await super().send(request)
            return Response(response.status, response.headers, response.body.replace(b"DateTimeUTC", b"Undated"))

    xero = product.xero(transport=Undated(product.simulator.transport))

    def work() -> None:
        product.clock.advance(100)
        product.books.rename_contact(people[0], "Early in the list")
        product.clock.advance(100)
        product.books.rename_contact(people[-1], "Late in the list")

    product.simulator.faults.then(work, path="/Contacts")
    found, mark = names(xero, None)
    assert ("Late in the list" in found, "Early in the list" in found) == (True, False)

    assert names(xero, mark)[0] == ["Early in the list"]


@pytest.mark.parametrize("stamp", [b"yesterday", b"/Date(99999999999999999999+0000)/", b""])
def test_a_stamp_that_is_no_instant_is_unreadable_and_moves_no_mark(product: Product, stamp: bytes) -> None:
    product.books.add_contact("Ana")

    class Misdated(Through):
        async def send(self, request: Request) -> Response:
            response = await super().send(request)
            body = re.sub(rb'("UpdatedDateUTC": ?)"[^"]*"', rb'\1"' + stamp + b'"', response.body)
            return Response(response.status, response.headers, body)

    xero = product.xero(transport=Misdated(product.simulator.transport))
    changes = xero.contacts.changes()

    with pytest.raises(UnreadableAnswer, match="updated_date_utc"):
        list(changes)
    assert changes.mark.at is None


def test_a_filter_also_cuts_an_incremental_list(product: Product, xero: Xero) -> None:
    product.invoice("Ana", "10.00")
    since = product.clock.now() - timedelta(seconds=5)

    assert list(xero.invoices.list(modified_since=since, where=filters.invoice.total > 10)) == []
    assert len(list(xero.invoices.list(modified_since=since, where=filters.invoice.total >= 10))) == 1


class Changing(RuleBasedStateMachine):
    """People edit, between reads and between pages of a read; the union of what is read is what the books hold."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(_paging, "PAGE_SIZE", 6)
        self.patch.setattr(_paging, "_SHARED", 1)
        self.mark: Mark | None = None
        self.copy: dict[str, tuple[str, str]] = {}
        self.versions: set[tuple[str, object]] = set()
        self.quiet = True

    @initialize(
        inclusive=st.booleans(),
        unchanged=st.booleans(),
        people=st.sampled_from([30, 20, 3, 0]),
        seed=st.integers(0, 99),
    )
    def found(self, *, inclusive: bool, unchanged: bool, people: int, seed: int) -> None:
        switches = evolve(Switches(), modified_since_includes_equal=inclusive, unchanged_is_304=unchanged)
        self.product = found_product(switches=switches)
        self.meanwhile: list[Callable[[], None]] = []
        self.xero = self.product.xero(transport=Busy(self.product.simulator.transport, self.work, Random(seed)))
        for _ in range(people):
            self.come()

    def work(self) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)()

    def come(self) -> None:
        self.product.books.add_contact(f"Contact {len(self.product.books.contacts)}")

    def edit(self, number: int) -> None:
        people = self.product.books.contacts
        if not people:
            return
        one = people[number % len(people)]
        if one.status == "ARCHIVED":
            self.product.books.restore_contact(one.id)
        elif number % 3:
            self.product.books.rename_contact(one.id, f"{one.name[:40]} {number}")
        else:
            self.product.books.archive_contact(one.id)

    @rule(milliseconds=st.sampled_from([0, 1, 400, 999, 1000, 1001, 40_000]))
    def wait(self, milliseconds: int) -> None:
        self.product.clock.advance(milliseconds / 1000)

    @rule()
    def somebody_comes(self) -> None:
        self.quiet = False
        self.come()

    @rule(number=st.integers(0, 60))
    def somebody_edits(self, number: int) -> None:
        self.quiet = False
        self.edit(number)

    @rule(everybody=st.booleans(), count=st.integers(1, 8), seed=st.integers(0, 10**6))
    def read_while_people_edit(self, *, everybody: bool, count: int, seed: int) -> None:
        """*everybody*: all were edited before, so that the read has several pages."""
        for one in self.product.books.contacts if everybody else ():
            if one.status == "ACTIVE":
                self.product.books.rename_contact(one.id, f"{one.name[:40]}!")
        chance = Random(seed)

        def work() -> None:
            self.product.clock.advance(chance.choice([0.0, 2.0, 45.0]))
            self.edit(chance.randrange(60)) if chance.randrange(5) else self.come()

        self.meanwhile = [work] * count
        self.read()
        self.meanwhile.clear()
        self.quiet = False

    @rule()
    def read_in_peace(self) -> None:
        self.read()
        self.quiet = True

    def read(self) -> None:
        changes = self.xero.contacts.changes(since=self.mark)
        for each in changes:
            assert each.contact_id is not None
            version = (each.contact_id, each.updated_date_utc)
            assert version not in self.versions
            self.versions.add(version)
            self.copy[each.contact_id] = (each.name or "", each.contact_status or "")
        assert self.mark is None or self.mark.at is None or (changes.mark.at or self.mark.at) >= self.mark.at
        self.mark = Mark.from_text(changes.mark.text)

    @precondition(lambda self: self.quiet and self.mark is not None)
    @invariant()
    def the_copy_is_the_books(self) -> None:
        assert self.copy == {each.id: (each.name, each.status) for each in self.product.books.contacts}

    def teardown(self) -> None:
        if self.mark is not None:
            self.read_in_peace()
            self.the_copy_is_the_books()
        self.patch.undo()
        if hasattr(self, "product"):
            self.product.simulator.close()


TestChanging = Changing.TestCase
TestChanging.settings = settings(max_examples=60, stateful_step_count=20)
