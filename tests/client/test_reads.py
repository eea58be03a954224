"""Lists by pages: lines on every row, no row lost and none twice, whatever people do in Xero meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from random import Random

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.client.busy import Busy, Old
from tests.conftest import BANK, DAY, Product, Through, found_product

from xerosync import Xero, filters
from xerosync.client import _paging
from xerosync.client._paging import Window, window_from, windows_ahead
from xerosync.errors import InvalidInput, Unavailable
from xerosync.models import DocumentStatus, PaymentStatus
from xerosync.ports import Request, Response, Transport, TransportFault
from xerosync.simulator import Switches
from xerosync.simulator.given import Fields


def contacts(product: Product, count: int) -> list[str]:
    product.books.set_up("contacts", contacts=[{"name": f"Contact {place}"} for place in range(count)])
    return [each.id for each in product.books.contacts]


def watched(product: Product) -> tuple[Xero, list[Request]]:
    """A client, and the lists it reads."""
    reads: list[Request] = []

    def see(request: Request) -> None:
        if "page=" in request.url:
            reads.append(request)

    return product.xero(transport=Through(product.simulator.transport, before=see)), reads


# Which pages


@given(st.integers(0, 10_000_000), st.sampled_from([20, 100, 1000]))
def test_a_page_begins_at_a_row_or_before_it_and_goes_on_behind_it(row: int, largest: int) -> None:
    window = window_from(row, largest=largest)

    assert window.start <= row <= window.end - largest // 2
    assert window.size <= largest


@given(st.integers(1001, 200_000))
def test_pages_overlap_and_reach_the_end_in_few_calls_more(items: int) -> None:
    end, count = 1000, 1
    while end < items:
        for window in windows_ahead(end, items, at_most=4, largest=1000, shared=10):
            assert window.start <= end - 10
            end, count = window.end, count + 1

    assert count <= -(-items // 1000) * 1.05 + 1


def test_a_hundred_thousand_rows_take_a_hundred_and_five_calls() -> None:
    end, count = 1000, 1
    while end < 100_000:
        (window,) = windows_ahead(end, 100_000, at_most=1, largest=1000, shared=10)
        end, count = window.end, count + 1

    assert (count, window_from(990, largest=1000)) == (105, Window(2, 990))


@given(st.integers(1001, 200_000))
def test_pages_that_share_nothing_follow_each_other_without_a_call_more(items: int) -> None:
    end, count = 1000, 1
    while end < items:
        for window in windows_ahead(end, items, at_most=4, largest=1000, shared=0):
            assert window.start == end
            end, count = window.end, count + 1

    assert count == -(-items // 1000)


# Whole lists


def test_every_row_has_its_lines(product: Product, xero: Xero) -> None:
    """F 4.08: a list without pages has none."""
    product.invoice("Ana", "100.00")
    product.books.add_credit_note(product.books.contacts[0].id, amount=Decimal(5))
    product.books.add_bank_transaction(product.books.contacts[0].id, amount=Decimal(5))
    product.books.add_journal("x", {"200": Decimal(5), "429": Decimal(-5)})

    assert [len(each.line_items) for each in xero.invoices.list()] == [1]
    assert [len(each.line_items) for each in xero.credit_notes.list()] == [1]
    assert [len(each.line_items) for each in xero.bank_transactions.list()] == [1]
    assert [len(each.journal_lines) for each in xero.manual_journals.list()] == [2]


def test_a_list_of_several_pages_is_read_by_the_thousand_four_at_a_time(product: Product) -> None:
    ids = contacts(product, 5200)
    together: list[int] = []

    class Counted(Through):
        async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
            together.append(len(requests))
            return await super().send_all(requests, at_most=at_most)

    xero = product.xero(transport=Counted(product.simulator.transport))

    assert [each.contact_id for each in xero.contacts.list()] == sorted(ids)
    assert together == [4, 1]


def test_a_list_streams(product: Product) -> None:
    contacts(product, 3000)
    xero, reads = watched(product)

    first = next(iter(xero.contacts.list()))

    assert (first.contact_id is not None, len(reads)) == (True, 1)


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250])
def test_replies_without_counts_are_read_to_their_end(count: int) -> None:
    """F 4.03, 8.12, 8.13."""
    product = found_product()
    ids = contacts(product, count) if count else []

    assert [each.contact_id for each in product.xero(transport=Old(product.simulator.transport)).contacts.list()] == (
        sorted(ids)
    )
    product.simulator.close()


@pytest.mark.parametrize("count", [100, 250])
def test_quotes_come_by_the_hundred(product: Product, xero: Xero, count: int) -> None:
    """F 4.04."""
    ana = product.books.add_contact("Ana")
    ids = [product.books.add_quote(ana.id, amount=Decimal(5)).id for _ in range(count)]

    assert [each.quote_id for each in xero.quotes.list()] == sorted(ids)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_list_that_shrinks_to_fewer_pages_is_read_to_its_end(*, keeps: bool) -> None:
    """F 4.09: pages past the end."""
    product = found_product(switches=evolve(Switches(), page_past_end_keeps_counts=keeps))
    ids = contacts(product, 2300)

    def leave() -> None:
        for each in sorted(ids)[:1500]:
            product.books.archive_contact(each)

    product.simulator.faults.then(leave, path="/Contacts")

    found = [each.contact_id for each in product.xero().contacts.list()]

    assert set(sorted(ids)[1500:]) <= set(found)
    assert len(found) == len(set(found))
    assert product.simulator.faults.unmet() == []
    product.simulator.close()


# Long lists of ids


def test_ids_are_asked_for_forty_at_a_time_and_come_once(product: Product) -> None:
    ids = contacts(product, 95)
    xero, reads = watched(product)

    found = [each.contact_id for each in xero.contacts.list(ids=[*ids, *ids, ids[0].upper()])]

    assert sorted(map(str, found)) == sorted(ids)
    assert len(reads) == 3
    assert max(len(read.url) for read in reads) < 2000


def test_ids_of_two_kinds_choose_what_is_in_both(product: Product) -> None:
    people = contacts(product, 30)
    rows: list[Fields] = [{"contact": f"Contact {place}", "amount": Decimal(1)} for place in range(30)]
    product.books.set_up("sales", invoices=rows)
    sales = [each.id for each in product.books.invoices]
    owners = {each.id: each.contact_id for each in product.books.invoices}
    xero, reads = watched(product)

    found = [each.invoice_id for each in xero.invoices.list(ids=sales[:25], contact_ids=people[5:])]

    assert sorted(map(str, found)) == sorted(each for each in sales[:25] if owners[each] in people[5:])
    assert max(len(read.url) for read in reads) < 2000


def test_numbers_are_found_in_any_case_even_with_commas_and_quotes(product: Product, xero: Xero) -> None:
    numbers = ["INV-1", "A,1", 'B"2', "C 3"]
    for number in [*numbers, "A", "1"]:
        product.invoice("Ana", "10.00", number)

    found = {each.invoice_number for each in xero.invoices.list(numbers=["inv-1", "a,1", 'B"2', "C 3", "none"])}

    assert found == set(numbers)
    with pytest.raises(InvalidInput, match="numbers"):
        list(xero.invoices.list(numbers=[" "]))


@pytest.mark.parametrize("chosen_by", ["ids", "numbers", "contact_ids", "statuses"])
def test_a_list_that_is_empty_chooses_nothing_and_any_iterable_will_do(
    product: Product, xero: Xero, chosen_by: str
) -> None:
    """What is left when everything was sorted out must not be taken for everything."""
    contact = product.books.add_contact("Ana")
    sale = product.books.add_invoice(contact.id, number="INV-1", amount=Decimal(1), date=DAY)
    own = {"ids": sale.id, "numbers": "INV-1", "contact_ids": contact.id, "statuses": "AUTHORISED"}[chosen_by]

    def found(chosen: Iterable[str] | None) -> list[str | None]:
        lists = {
            "ids": lambda: xero.invoices.list(ids=chosen),
            "numbers": lambda: xero.invoices.list(numbers=chosen),
            "contact_ids": lambda: xero.invoices.list(contact_ids=chosen),
            "statuses": lambda: xero.invoices.list(statuses=chosen),
        }
        return [each.invoice_number for each in lists[chosen_by]()]

    assert (found([]), found(iter(()))) == ([], [])
    assert (found([own]), found(each for each in [own]), found({own})) == (["INV-1"],) * 3
    assert found(None) == ["INV-1"]
    assert list(xero.contacts.list(ids=[])) == []


def test_words_in_a_list_are_words(xero: Xero) -> None:
    with pytest.raises(InvalidInput, match="statuses"):
        list(xero.invoices.list(statuses=["PAID&where=x"]))
    with pytest.raises(InvalidInput, match="statuses"):
        list(xero.invoices.list(statuses="PAID"))


def test_invoices_are_searched_and_told_by_their_app(product: Product, xero: Xero) -> None:
    product.invoice("Ana", "10.00", "X-17")
    product.invoice("Ana", "10.00", "Y")

    assert [each.invoice_number for each in xero.invoices.list(search="x-1")] == ["X-17"]
    assert list(xero.invoices.list(created_by_this_app=True)) == []


# While people work


@define(eq=False)
class Work:
    """
    What people do after each page; *script* says what, by numbers. *always* were in the list all the time.

    What leaves the books' daily life *stays* on some lists.
    """

    product: Product
    script: list[list[int]]
    leave: Callable[[Product, str], None]
    come: Callable[[Product], str]
    there: list[str]
    stays: bool = False
    always: set[str] = field(init=False)
    ever: set[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.always, self.ever = set(self.there), set(self.there)

    def __call__(self) -> None:
        for number in self.script.pop(0) if self.script else []:
            if number < 0 or not self.there:
                new = self.come(self.product)
                self.there.append(new)
                self.ever.add(new)
            else:
                self.there.sort()
                gone = self.there.pop(number % len(self.there))
                self.leave(self.product, gone)
                if not self.stays:
                    self.always.discard(gone)


def in_contacts(product: Product, script: list[list[int]]) -> Work:
    def come(to: Product) -> str:
        return to.books.add_contact(f"New {len(to.books.contacts)}").id

    return Work(product, script, lambda of, gone: void(of.books.archive_contact(gone)), come, contacts(product, 70))


def in_open_invoices(product: Product, script: list[list[int]]) -> Work:
    rows: list[Fields] = [{"contact": "Ana", "amount": Decimal(9)} for _ in range(70)]
    product.books.set_up("sales", contacts=[{"name": "Ana"}], invoices=rows)
    first = product.books.invoices[0].contact_id

    def leave(of: Product, gone: str) -> None:
        if int(gone[0], 16) % 2:
            of.books.add_payment(gone, account=BANK)
        else:
            of.books.void_invoice(gone)

    def come(to: Product) -> str:
        return to.books.add_invoice(first, amount=Decimal(9), date=DAY).id

    return Work(product, script, leave, come, [each.id for each in product.books.invoices])


def in_all_contacts(product: Product, script: list[list[int]]) -> Work:
    return evolve(in_contacts(product, script), stays=True)


def in_all_invoices(product: Product, script: list[list[int]]) -> Work:
    return evolve(in_open_invoices(product, script), stays=True)


def in_payments(product: Product, script: list[list[int]]) -> Work:
    sale = product.invoice("Ana", "100000.00").id

    def come(to: Product) -> str:
        return to.books.add_payment(sale, account=BANK, amount=Decimal(1)).id

    paid = [come(product) for _ in range(70)]
    return Work(product, script, lambda of, gone: void(of.books.remove_payment(gone)), come, paid)


def void(_: object) -> None:
    """Nothing more."""


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty rows a page, so that a list of seventy has some."""
    monkeypatch.setattr(_paging, "PAGE_SIZE", 20)
    monkeypatch.setattr(_paging, "_SHARED", 2)


SCRIPTS = st.lists(st.lists(st.integers(-1, 200) | st.just(-1) | st.integers(0, 30), max_size=12), max_size=12)


def read_plainly(product: Product, transport: Transport, name: str) -> list[str]:
    xero = product.xero(transport=transport)
    match name:
        case "contacts":
            return [str(each.contact_id) for each in xero.contacts.list()]
        case "all contacts":
            return [str(each.contact_id) for each in xero.contacts.list(include_archived=True)]
        case "all invoices":
            return [str(each.invoice_id) for each in xero.invoices.list()]
        case "open invoices":
            unpaid = filters.invoice.status == DocumentStatus.AUTHORISED
            return [str(each.invoice_id) for each in xero.invoices.list(where=unpaid & (filters.invoice.total > 1))]
        case _:
            standing = filters.payment.status == PaymentStatus.AUTHORISED
            return [str(each.payment_id) for each in xero.payments.list(where=standing)]


async def read_awaited(product: Product, transport: Transport, name: str) -> list[str]:
    async with product.asynchronous(transport) as xero:
        await xero.connect(product.tokens)
        match name:
            case "contacts":
                return [str(each.contact_id) async for each in xero.contacts.list()]
            case "all contacts":
                return [str(each.contact_id) async for each in xero.contacts.list(include_archived=True)]
            case "all invoices":
                return [str(each.invoice_id) async for each in xero.invoices.list()]
            case "open invoices":
                open_ones = xero.invoices.list(statuses=["AUTHORISED"])
                return [str(each.invoice_id) async for each in open_ones]
            case _:
                return [str(each.payment_id) async for each in xero.payments.list()]


WORK: dict[str, Callable[[Product, list[list[int]]], Work]] = {
    "contacts": in_contacts,
    "all contacts": in_all_contacts,
    "all invoices": in_all_invoices,
    "open invoices": in_open_invoices,
    "payments": in_payments,
}


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("awaited", [False, True], ids=["plain", "awaited"])
@pytest.mark.parametrize("name", WORK)
@settings(max_examples=40)
@given(script=SCRIPTS, seed=st.integers(0, 1000))
def test_no_row_is_lost_and_none_comes_twice_while_people_work(
    name: str, *, awaited: bool, script: list[list[int]], seed: int
) -> None:
    """F 4.14, 8.11: rows come and go between any two pages, which themselves come in any order."""
    # The harder way: a payment that is removed is listed no more.
    product = found_product(switches=evolve(Switches(), deleted_payments_are_listed=False))
    work = WORK[name](product, script)
    transport = Busy(product.simulator.transport, work, Random(seed))

    found = asyncio.run(read_awaited(product, transport, name)) if awaited else read_plainly(product, transport, name)

    assert [each for each, times in Counter(found).items() if times > 1] == []
    assert work.always - set(found) == set()
    assert set(found) - work.ever == set()
    product.simulator.close()


@define(eq=False)
class Torn(Through):
    """A way to a Xero that counts a list before it looks its rows up: *people* may work in between, and afterwards."""

    people: Callable[[], None] = field(kw_only=True)
    order: Random = field(kw_only=True)

    async def send(self, request: Request) -> Response:
        if "page=" not in request.url:
            return await self.inner.send(request)
        counted = json.loads((await self.inner.send(request)).body)["pagination"]["itemCount"]
        self.people()
        response = await self.inner.send(request)
        body = json.loads(response.body)
        # A last page that is full to its last row is taken at its count's word.
        if body["pagination"]["page"] * body["pagination"]["pageSize"] != counted:
            body["pagination"]["itemCount"] = counted
        self.people()
        return Response(response.status, response.headers, json.dumps(body).encode())

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        assert len(requests) <= at_most
        turns = self.order.sample(range(len(requests)), len(requests))
        outcomes = {turn: await self.send(requests[turn]) for turn in turns}
        return [outcomes[place] for place in range(len(requests))]


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("name", WORK)
@settings(max_examples=60)
@given(script=SCRIPTS, seed=st.integers(0, 1000))
def test_no_row_is_lost_where_a_count_is_older_than_its_rows(name: str, script: list[list[int]], seed: int) -> None:
    product = found_product()
    work = WORK[name](product, script)

    found = read_plainly(product, Torn(product.simulator.transport, people=work, order=Random(seed)), name)

    assert [each for each, times in Counter(found).items() if times > 1] == []
    assert work.always - set(found) == set()
    product.simulator.close()


def read_while_added(script: list[list[int]], *, torn: bool, order: Random) -> None:
    """Read 125 contacts while others are added, and lose none."""
    product = found_product()
    work = in_all_contacts(product, script)
    work.there += [product.books.add_contact(f"More {place}").id for place in range(55)]
    work.always |= set(work.there)
    inner = product.simulator.transport
    transport = Torn(inner, people=work, order=order) if torn else Busy(inner, work, order)

    found = read_plainly(product, transport, "all contacts")

    assert len(found) == len(set(found))
    assert work.always - set(found) == set()
    product.simulator.close()


@pytest.mark.usefixtures("small_pages")
@settings(max_examples=60)
@given(
    added=st.lists(st.sampled_from([0, 0, 0, 1, 2]), max_size=24),
    torn=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_rows_that_are_added_meanwhile_hide_none(added: list[int], *, torn: bool, order: Random) -> None:
    read_while_added([[-1] * many for many in added], torn=torn, order=order)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("moment", range(14))
def test_rows_that_are_added_at_any_single_moment_hide_none(moment: int) -> None:
    """Between any count and its rows, and between any two pages, in whatever order they come."""
    for seed in range(6):
        read_while_added([*([] for _ in range(moment)), [-1] * 4], torn=True, order=Random(seed))


@pytest.mark.usefixtures("small_pages")
def test_a_list_that_only_grows_is_read_without_a_call_more_while_it_does_not(product: Product) -> None:
    contacts(product, 200)
    xero, reads = watched(product)

    assert (len(list(xero.contacts.list(include_archived=True))), len(reads)) == (200, 10)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("after", range(1, 10))
def test_a_row_that_comes_meanwhile_costs_a_few_pages_and_not_the_whole_list(product: Product, after: int) -> None:
    ids = contacts(product, 200)
    xero, reads = watched(product)
    list(xero.contacts.list())
    sharing = len(reads)
    reads.clear()
    product.simulator.faults.then(lambda: product.books.add_contact("New"), path="/Contacts", after=after)

    found = [str(each.contact_id) for each in xero.contacts.list(include_archived=True)]

    assert set(ids) <= set(found)
    assert len(found) == len(set(found))
    # What was in flight twice, and the page that the row may begin.
    assert len(reads) <= sharing + 8 + 1


@settings(max_examples=15)
@given(script=st.lists(st.lists(st.integers(-1, 300), max_size=5), max_size=3), seed=st.integers(0, 1000))
def test_where_pages_cannot_overlap_a_list_is_read_until_people_pause(script: list[list[int]], seed: int) -> None:
    product = found_product()
    work = in_contacts(product, script)
    work.there += [product.books.add_contact(f"More {place}").id for place in range(200)]
    work.always |= set(work.there)
    work.ever |= set(work.there)
    old = Old(Busy(product.simulator.transport, work, Random(seed)))

    found = [each.contact_id for each in product.xero(transport=old).contacts.list()]

    assert len(found) == len(set(found))
    assert work.always <= set(found) <= work.ever
    product.simulator.close()


def test_a_list_that_never_stands_still_is_no_list(product: Product) -> None:
    work = in_contacts(product, [[-1] for _ in range(99)])
    work.there += [product.books.add_contact(f"More {place}").id for place in range(200)]

    with pytest.raises(Unavailable, match="the list of Contacts never stood still"):
        list(product.xero(transport=Old(Busy(product.simulator.transport, work, Random(1)))).contacts.list())


def test_counts_that_promise_rows_which_never_come_end_the_read(product: Product) -> None:
    contacts(product, 3)

    class Lying(Through):
        async def send(self, request: Request) -> Response:
            response = await super().send(request)
            return Response(200, response.headers, response.body.replace(b'"itemCount": 3', b'"itemCount": 9'))

        async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
            return [await self.send(request) for request in requests[:at_most]]

    with pytest.raises(Unavailable):
        list(product.xero(transport=Lying(product.simulator.transport)).contacts.list())


def test_a_row_that_leaves_between_two_pages_of_a_thousand_hides_no_other(product: Product, xero: Xero) -> None:
    ids = sorted(contacts(product, 2100))
    leaving = iter(ids[5:8])
    for after in (1, 2, 3):
        product.simulator.faults.then(
            lambda: product.books.archive_contact(next(leaving)), path="/Contacts", after=after
        )

    found = [each.contact_id for each in xero.contacts.list()]

    assert found == ids
