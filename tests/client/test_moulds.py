"""What a page is read for is read in one go, and says what its rows say one by one, in detail."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

import attrs
import pytest
from attrs import AttrsInstance, field, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.client.all_models import MODELS
from tests.client.test_fast import ID, Checked, rows, told
from tests.client.test_wire import recorded
from tests.conftest import Product

from xerosync import Xero
from xerosync.client import _paging
from xerosync.client._driver import run
from xerosync.client._session import Query
from xerosync.client._wire import moulds
from xerosync.client._wire.answers import envelope
from xerosync.client._wire.codec import Json, decode_all, decode_in_detail, dump, parse
from xerosync.client._wire.fast import MET
from xerosync.client._wire.moulds import Mould, mould
from xerosync.client._wire.rows import Header, Row, Sketch, Wanted, dictionary
from xerosync.errors import UnreadableAnswer
from xerosync.models import Contact, DocumentStatus, Invoice, InvoiceType
from xerosync.models.base import Quiet, no_extra
from xerosync.ports import Response

LARGE = b" " * 60_000
"""What makes a page one that moulds are made for, and says nothing."""


def page(listed: Sequence[Json], wanted: Wanted) -> Sequence[Row]:
    return envelope(Response(200, {}, dump({"Rows": listed}) + LARGE), "Rows", wanted).rows


def read(model: type[AttrsInstance], listed: Sequence[Json]) -> object:
    """What is read of a page, or what is said of it."""
    try:
        return [plain(told(each)) for each in decode_all(model, page(listed, model), where="Rows")]
    except UnreadableAnswer as unreadable:
        return unreadable.args


def read_in_detail(model: type[AttrsInstance], listed: Sequence[Json]) -> object:
    try:
        rows = cast(Sequence[Json], parse(dump(listed), where="Rows"))
        return [plain(told(decode_in_detail(model, row, where="Rows"))) for row in rows]
    except UnreadableAnswer as unreadable:
        return unreadable.args


def plain(value: object) -> object:
    """*value* with unknown fields in one order, whatever that of the row was."""
    if isinstance(value, tuple) and len(cast(tuple[object, ...], value)) == 2 and value[0] is dict:
        return dict, "".join(sorted(cast(str, value[1])))
    if isinstance(value, list | tuple):
        return [plain(each) for each in cast(list[object], value)]
    return value


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_page_read_in_one_go_says_what_its_rows_say_in_detail(
    model: type[AttrsInstance], data: st.DataObject
) -> None:
    listed = data.draw(st.lists(rows(model, odd=False), max_size=3))

    for _ in ("as the moulds are", "once the unknown fields are known"):
        assert read(model, listed) == read_in_detail(model, listed)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_page_with_odd_rows_is_read_as_in_detail_or_refused_as_there(
    model: type[AttrsInstance], data: st.DataObject
) -> None:
    listed = data.draw(st.lists(rows(model, odd=True), min_size=1, max_size=2))

    for _ in ("as the moulds are", "once the unknown fields are known"):
        assert read(model, listed) == read_in_detail(model, listed)


@pytest.fixture
def nothing_met() -> None:
    """No field was met yet that nobody knew, whatever other tests have read."""
    for met in MET.values():
        met.clear()
    for made in (moulds._LAST, moulds._NAMES, moulds._MOULDS):
        made.clear()


@pytest.mark.usefixtures("nothing_met")
def test_every_recorded_row_is_read_in_one_go_as_in_detail() -> None:
    for name, collection, row in recorded():
        model = next(each for each in MODELS if f"{each.__name__}s" == collection)
        for _ in range(2):
            assert read(model, [row]) == read_in_detail(model, [row]), name
        assert isinstance(page([row], model)[0], Mould), name


@frozen(kw_only=True, repr=False)
class Line(Quiet):
    amount: Decimal | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class Paper(Quiet):
    paper_id: str | None = None
    line_items: tuple[Line, ...] = ()
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


def test_a_field_that_nobody_knows_is_kept_from_the_first_page_on_and_costs_one_slow_page() -> None:
    row: Json = {"PaperID": ID, "NewlyThought": [{"Of": Decimal("1.10")}], "LineItems": [{"AlsoNew": "a"}]}

    first = page([row], Paper)
    (met,) = decode_all(Paper, first, where="Rows")
    second = page([row], Paper)
    (known,) = decode_all(Paper, second, where="Rows")

    assert not isinstance(first[0], Mould)
    assert isinstance(second[0], Mould)
    assert met == known
    assert known.extra == {"NewlyThought": [{"Of": Decimal("1.10")}]}
    assert known.line_items[0].extra == {"AlsoNew": "a"}


@pytest.mark.parametrize("name", ["New {}", "{}", "Ñew{}", "New{}\ud800", "'+{}+'", "self"])
def test_a_field_of_an_odd_name_is_kept(name: str) -> None:
    row: Json = {"PaperID": ID, name: 1}
    whole = {"Rows": [row]}

    for _ in range(2):
        body = json.dumps(whole).encode() + LARGE
        try:
            found = envelope(Response(200, {}, body), "Rows", Paper).rows
            assert [each.extra for each in decode_all(Paper, found, where="Rows")] == [{name: 1}]
        except UnreadableAnswer:
            assert "\ud800" in name


def test_however_many_fields_are_new_all_are_kept() -> None:
    for number in range(60):
        row: Json = {"PaperID": ID, f"New{number}": number}
        assert [each.extra for each in decode_all(Paper, page([row], Paper), where="Rows")] == [
            {f"New{number}": number}
        ]
    assert len(MET[Paper]) <= 45


def test_one_row_that_cannot_be_read_is_named_by_its_path() -> None:
    listed: list[Json] = [{"InvoiceID": ID}, {"InvoiceID": ID, "Payments": {"Amount": 1}}]

    with pytest.raises(UnreadableAnswer, match=r"payments|Payments"):
        decode_all(Invoice, page(listed, Invoice), where="Rows")


def test_a_day_that_is_none_is_told_from_the_mould_too() -> None:
    listed: list[Json] = [{"InvoiceID": ID, "Date": "soon"}]
    found = page(listed, Invoice)

    assert isinstance(found[0], Mould)
    with pytest.raises(UnreadableAnswer, match="a date is due"):
        decode_all(Invoice, found, where="Rows")


def test_a_short_answer_is_not_worth_a_mould() -> None:
    found = envelope(Response(200, {}, dump({"Rows": [{"InvoiceID": ID}]})), "Rows", Invoice).rows

    assert found[0] == {"InvoiceID": ID}


def test_there_is_no_mould_of_a_class_that_does_more_than_hold_its_fields() -> None:
    assert page([{"Name": "Ana"}], Checked)[0] == {"Name": "Ana"}
    assert page([{"Name": "Ana"}], Checked)[0] == {"Name": "Ana"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.decimals(-10, 10, places=2),
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(st.sampled_from("abcd"), inside, max_size=3),
    max_leaves=6,
)


@given(
    listed=st.lists(st.dictionaries(st.sampled_from("abcdef"), JSON, max_size=6), max_size=3),
    keys=st.frozensets(st.sampled_from("abcd")),
    inside=st.frozensets(st.sampled_from("abcd")),
)
def test_a_header_is_what_the_whole_row_says_under_those_keys(
    listed: list[Json], keys: frozenset[str], inside: frozenset[str]
) -> None:
    keys |= {"a"}
    whole = [dictionary(row) for row in page(listed, None)]
    headers = [dictionary(row) for row in page(listed, Header(keys, (("a", inside),)))]

    def cut(row: Mapping[str, object], kept: frozenset[str]) -> Json:
        return {name: value for name, value in row.items() if name in kept}

    assert [cut(row, keys) | cut_inside(row, inside) for row in whole] == [
        cut(row, keys) | cut_inside(row, inside) for row in headers
    ]
    if all(isinstance(row.get("a"), dict | None) for row in whole):
        assert all(row.keys() <= keys for row in headers)


def cut_inside(row: Mapping[str, object], inside: frozenset[str]) -> Json:
    value = row.get("a")
    if not isinstance(value, dict):
        return {}
    return {"a": {name: each for name, each in cast(Json, value).items() if name in inside}}


@pytest.mark.parametrize("contacts", [3, _paging.PAGE_SIZE + 3])
def test_every_page_of_a_list_is_read_for_what_the_list_is(product: Product, xero: Xero, contacts: int) -> None:
    for number in range(contacts):
        product.books.add_contact(f"Ana {number}")
    header = Header(frozenset({"ContactID", "Name"}))

    async def names() -> list[Json]:
        session = await xero.books.session()
        query = Query("Contacts", "Contacts", wanted=header)
        return [dictionary(row) async for row in _paging.whole_rows(session, query, "ContactID")]

    found = run(names())

    assert len(found) == contacts
    assert all(row.keys() == header.keys for row in found)


WORDS = st.sampled_from(["ACCREC", "ACCPAY", "A word of next year", ""])
TEXTS = st.sampled_from(["NZD", "EUR", "/Date(1767312000000+0000)/", ""])


@given(
    listed=st.lists(
        st.fixed_dictionaries({}, optional={
            "Type": WORDS | st.none(), "Date": TEXTS | st.none(), "CurrencyCode": TEXTS | st.none(),
            "Total": st.decimals(-10, 10, places=2) | st.none(),
            "Contact": st.none() | st.fixed_dictionaries({}, optional={"ContactID": st.text(max_size=3) | st.none()}),
            "Beyond": JSON,
        }),
        max_size=4,
    ),
    odd=st.sampled_from(["Type", "Date", "CurrencyCode", "Contact"]) | st.none(),
)  # fmt: skip
def test_a_sketch_says_what_stands_in_the_row_and_what_does_not(listed: list[Json], odd: str | None) -> None:
    if odd is not None:
        listed = [*listed, {odd: 7}]
    keys = frozenset({"Type", "Date", "CurrencyCode", "Total", "Contact", "Due"})
    header = Header(keys, (("Contact", frozenset({"ContactID"})),), (("Type", InvoiceType),))
    whole = [{name: row[name] for name in sorted(row) if name in keys} for row in map(dictionary, page(listed, None))]

    sketches = page(listed, header)

    assert all(isinstance(row, Sketch) for row in sketches) == (odd is None)
    for row, sketch in zip(whole, sketches, strict=True):
        assert {name: row.get(name) for name in keys} == {
            name: dictionary(value) if isinstance(value := sketch.get(name), Sketch) else value for name in keys
        }
        if isinstance(sketch, Sketch):
            assert dump(sketch) == dump(row)


def test_headers_that_say_the_same_have_one_text_for_it() -> None:
    header = Header(frozenset({"Date", "Status"}), words=(("Status", DocumentStatus),))
    row: Json = {"Date": "2026-01-05", "Status": "PAID"}
    one, other = page([row, row], header)

    assert one.get("Date") is other.get("Date")
    assert one.get("Status") is other.get("Status")


def test_a_long_list_of_documents_is_poured_into_moulds(product: Product, xero: Xero) -> None:
    for number in range(200):
        product.books.add_contact(f"Ana {number}")

    async def pages() -> list[Row]:
        session = await xero.books.session()
        query = Query("Contacts", "Contacts", wanted=Contact)
        return [row async for row in _paging.whole_rows(session, query, "ContactID")]

    run(pages())  # the first page makes known what the model lacks
    assert all(isinstance(row, Mould) for row in run(pages()))
    assert len(list(xero.contacts.list())) == 200


def test_a_mould_lays_out_what_its_model_does() -> None:
    names = {each.name for each in attrs.fields(Invoice)}

    assert len(mould(Invoice).__struct_fields__) > len(names)
    assert mould(Invoice) is mould(Invoice)
