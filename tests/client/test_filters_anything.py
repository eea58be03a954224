"""Whatever the filter and whoever wrote the texts: Xero's list is what all rows would be cut to here."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final, TypeAlias

import pytest
from attrs import AttrsInstance, define, evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.client.all_fields import COLUMNS as EVERY_COLUMN
from tests.conftest import BANK, DAY, Product, Through, found_product

from xerosync import Xero
from xerosync.filters.expressions import Column, Condition, Filter, Given, Kind, Question
from xerosync.ports import Request

NOON: Final = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.UTC)
Document: TypeAlias = AttrsInstance

# Names as people, and people who mean harm, give them.
NAMES: Final = [
    "Ana", "ana costa", "Café Zoë", "cafe zoe", 'The "Best" Ltd', "O'Neil & Sons #1 + 2 = 3%", "back\\slash",
    '" OR Name!="', 'x") OR (1==1', 'a"&where=b', "ΑΣ Ltd", "ασ Ltd", "ß", "SS", "İx", "\u212a", "null",
    'Guid("0")', "日本", "Ze\u0301 Ltd", "100%", "_", "[a]",
]  # fmt: skip


@define
class Books:
    """An organisation of every kind of document, the rows of each list, and what was last asked."""

    xero: Xero
    requests: list[Request]
    rows: dict[str, list[Document]]

    def listed(self, name: str, where: Filter[Document] | None = None) -> list[Document]:
        listing: Callable[..., Iterator[Document]] = getattr(self.xero, name).list
        return list(listing() if where is None else listing(where=where))


def fill(product: Product) -> None:
    """Enter some of everything, with the names of everybody."""
    books = product.books
    people = [books.add_contact(name, number=f"C{place}", FirstName=name) for place, name in enumerate(NAMES)]
    for place, person in enumerate(people):
        product.clock.advance(0.4)
        amount = Decimal(100 + place)
        sale = books.add_invoice(
            person.id, number=person.name, reference=person.name, amount=amount, date=DAY + timedelta(days=place)
        )
        bill = books.add_invoice(person.id, type="ACCPAY", amount=amount, date=DAY, Url=f"https://example.com/{place}")
        note = books.add_credit_note(person.id, number=f"CN{place}", amount=Decimal(10), Reference=person.name)
        if place % 3 == 0:
            books.add_payment(sale.id, account=BANK, amount=Decimal(5), reference=person.name)
            books.add_bank_transaction(person.id, amount=amount, reference=person.name, is_reconciled=place % 2 == 0)
            books.add_journal(person.name, {"200": amount, "429": -amount})
            books.add_item(f"I{place}", person.name)
            books.add_contact_group(person.name)
            books.add_purchase_order(person.id, amount=amount, Reference=person.name)
            books.add_quote(person.id, amount=amount, Title=person.name)
        elif place % 3 == 1:
            books.remove_payment(books.add_payment(bill.id, account=BANK).id)
            books.void_invoice(sale.id)
            books.allocate(note.id, invoice_id=books.add_invoice(person.id, amount=amount).id, amount=Decimal(4))
        else:
            books.add_payment(sale.id, account=BANK)
            books.add_batch_payment({bill.id: Decimal(7)}, reference=person.name)
    books.archive_contact(people[0].id)
    books.add_account("095", "Other bank", type="BANK")
    books.add_transfer(from_bank=BANK, to_bank="095", amount=Decimal(20))
    for kind in ("RECEIVE-OVERPAYMENT", "RECEIVE-PREPAYMENT"):
        books.add_bank_transaction(people[1].id, type=kind, amount=Decimal(30), reference="x")
    books.add_tracking_category("Region", ["North"])
    books.add_tax_rate('7" tax', Decimal(7))
    books.add_currency("EUR")
    books.add_user("ben@example.com", "READONLY", first_name="Ben")


@pytest.fixture(scope="module")
def full() -> Iterator[Books]:
    product = found_product()
    fill(product)
    requests: list[Request] = []
    xero = product.xero(transport=Through(product.simulator.transport, before=requests.append))
    books = Books(xero, requests, {})
    for name in COLUMNS:
        books.rows[name] = books.listed(name)
        assert books.rows[name], name
    yield books
    product.simulator.close()


def by_resource() -> dict[str, list[Column]]:
    """The columns of each resource by the resource's name in the client."""
    plural = {"branding_theme": "branding_themes", "currency": "currencies", "tracking_category": "tracking_categories"}
    found: dict[str, list[Column]] = {}
    for column in EVERY_COLUMN:
        single = "".join(f"_{each.lower()}" if each.isupper() else each for each in column.model.__name__)[1:]
        found.setdefault(plural.get(single, f"{single}s"), []).append(column)
    return found


COLUMNS: Final = by_resource()


def near(column: Column, rows: Sequence[Document], draw: st.DrawFn) -> Given:
    """Something to compare the field with: what is there, next to it, or far from it."""
    there = [found for row in rows if (found := column.read(row)) not in {None, ""}]
    known: st.SearchStrategy[object] = st.sampled_from(there) if there else st.none()
    value = draw(known | st.none())
    match column.kind:
        case Kind.AMOUNT:
            step = Decimal(draw(st.sampled_from(["0", "0.01", "-0.01", "1"])))
            return (value if isinstance(value, Decimal) else Decimal(draw(st.integers(-5, 10**20)))) + step
        case Kind.INSTANT:
            moment = value if isinstance(value, datetime.datetime) else NOON
            return moment + timedelta(milliseconds=draw(st.integers(-1500, 1500)))
        case Kind.DAY:
            on = value if isinstance(value, datetime.date) else draw(st.dates())
            return on if on in {datetime.date.min, datetime.date.max} else on + timedelta(days=draw(st.integers(-1, 1)))
        case Kind.ID:
            return str(value).upper() if value is not None else str(draw(st.uuids()))
        case Kind.WORD:
            return str(value) if value is not None else draw(st.sampled_from(["DELETED", "PAID", 'a"b']))
        case _:
            text = str(value) if value is not None else draw(st.sampled_from(NAMES) | st.text(min_size=1, max_size=5))
            start = draw(st.sampled_from([0, 0, 1, 3]))
            cut = text[start : start + draw(st.sampled_from([50, 4, 2]))] or text
            return draw(st.sampled_from([text.upper(), text.lower(), text])) if cut == text else cut


ASKED: Final = {
    Kind.TEXT: [Question.EQUAL, Question.CONTAINS, Question.STARTS, Question.ENDS, Question.BLANK],
    Kind.FLAG: [Question.TRUE],
    Kind.ID: [Question.EQUAL, Question.BLANK],
    Kind.WORD: [Question.EQUAL, Question.BLANK],
}
ORDERED: Final = [
    Question.EQUAL, Question.BELOW, Question.UP_TO, Question.ABOVE, Question.FROM, Question.BLANK,
]  # fmt: skip


def condition(name: str, rows: Sequence[Document], draw: st.DrawFn) -> Filter[Document]:
    column = draw(st.sampled_from(COLUMNS[name]))
    question = draw(st.sampled_from(ASKED.get(column.kind, ORDERED)))
    if column.kind is Kind.TEXT and draw(st.booleans()):
        column = evolve(column, ignoring_case=True)
    unasked = question in {Question.BLANK, Question.TRUE}
    return Condition(column, question, None if unasked else near(column, rows, draw))


@st.composite
def filters_of(draw: st.DrawFn, name: str, rows: Sequence[Document], depth: int = 2) -> Filter[Document]:
    """A filter on the resource called *name*, of some conditions joined in some way."""
    if depth == 0 or not draw(st.integers(0, 2)):
        return condition(name, rows, draw)
    inner = filters_of(name, rows, depth - 1)
    match draw(st.integers(0, 2)):
        case 0:
            return draw(inner) & draw(inner)
        case 1:
            return draw(inner) | draw(inner)
        case _:
            return ~draw(inner)


@pytest.mark.parametrize("name", COLUMNS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(draws=st.data())
def test_a_filtered_list_is_the_whole_list_cut_here(full: Books, name: str, draws: st.DataObject) -> None:
    """S12: a text that someone else wrote chooses nothing but what it says."""
    rows = full.rows[name]
    where = draws.draw(filters_of(name, rows))

    assert full.listed(name, where) == [row for row in rows if where.matches(row)]


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_each_value_that_is_there_finds_its_rows(full: Books, name: str) -> None:
    """And it is Xero that cuts the list, wherever it can."""
    rows = full.rows[name]
    for column in COLUMNS[name]:
        for value in {column.read(row) for row in rows} - {None, True, False, ""}:
            assert isinstance(value, str | Decimal | datetime.date)
            where: Filter[Document] = Condition(column, Question.EQUAL, value)
            assert full.listed(name, where) == [row for row in rows if where.matches(row)] != []
            plain = isinstance(value, str) and ('"' in value or "\\" in value)
            assert ("where=" in full.requests[-1].url) == (column.sent and not plain) or plain
