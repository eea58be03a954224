"""The quick way from a row to a document says what the detailed one says, of whatever row it takes."""

from __future__ import annotations

import copy
import datetime as dt
import gc
import pickle
import weakref
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import NewType, Union, cast, get_args, get_origin, get_type_hints

import attrs
import pytest
from attrs import AttrsInstance, field, frozen
from attrs.exceptions import FrozenInstanceError
from attrs.validators import instance_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.client.all_models import MODELS
from tests.client.test_wire import recorded

from xerosync.client._wire import fast
from xerosync.client._wire.codec import Json, decode, decode_all, decode_in_detail
from xerosync.client._wire.names import OURS, wire_name
from xerosync.errors import UnreadableAnswer
from xerosync.models import Contact, DocumentStatus, Invoice, Item, OpenEnum

ID = "0d666415-cf77-43fa-80c7-56775591d426"
TEXTS = st.text(max_size=5)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)
MOMENTS = st.integers(-(10**12), 10**13)
DATES = st.one_of(
    MOMENTS.map("/Date({})/".format),
    MOMENTS.map("/Date({}+0000)/".format),
    MOMENTS.map("/Date({}+1300)/".format),
    st.dates().map(dt.date.isoformat),
    st.datetimes(dt.datetime(1800, 1, 1), dt.datetime(2200, 1, 1)).map(dt.datetime.isoformat),  # noqa: DTZ001
)
UNKNOWN = st.dictionaries(
    st.sampled_from(["Future", "FutureDateString", "HasErrors", "Warnings", "UpdatedDateUTCString"]) | TEXTS,
    st.none() | st.booleans() | TEXTS | st.just([{"a": [1]}]),
    max_size=2,
)
ODD = st.one_of(
    st.booleans(), st.integers(), TEXTS, NUMBERS, DATES, NUMBERS.map(str), st.just("NaN"), st.just(10**40),
    st.just(Decimal("1E+30")), st.sampled_from([[], {}, [None], [{}], ["a"], {"a": 1}, "", 0, False]),
)  # fmt: skip


@cache
def rows(model: type[AttrsInstance], *, odd: bool, depth: int = 2) -> st.SearchStrategy[Json]:
    """Rows of *model*: each field absent, null, as it should be, or *odd*; and fields nobody knows."""
    hints = get_type_hints(model)
    named = {wire_name(each): hints[each.name] for each in attrs.fields(model) if each.name not in OURS}
    strange = ODD if odd else st.nothing()
    fields = {name: st.none() | worth(hint, odd=odd, depth=depth) | strange for name, hint in named.items()}
    known = st.fixed_dictionaries({}, optional=fields)
    return st.builds(lambda unknown, row: {**unknown, **row}, UNKNOWN.filter(lambda one: not one.keys() & named), known)


def worth(hint: object, *, odd: bool, depth: int) -> st.SearchStrategy[object]:
    """What stands in a row for a value of *hint*."""
    if get_origin(hint) in {Union, UnionType}:
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is tuple:
        return st.lists(worth(get_args(hint)[0], odd=odd, depth=depth), max_size=2 if depth else 0)
    if isinstance(hint, type) and attrs.has(hint):
        return rows(hint, odd=odd, depth=depth - 1) if depth else st.just({})
    if isinstance(hint, type) and issubclass(hint, OpenEnum):
        return st.sampled_from([*map(str, hint), "FUTURE"])
    if isinstance(hint, NewType) or hint is str:
        return TEXTS
    plain: Mapping[object, st.SearchStrategy[object]] = {
        bool: st.booleans(),
        int: st.integers(),
        Decimal: NUMBERS | st.integers(-(10**9), 10**9),
    }
    return plain.get(hint, DATES)


def told(value: object) -> object:
    """All there is to *value*: kinds, scales and what was unknown too."""
    if attrs.has(type(value)):
        fields = attrs.fields(type(cast(AttrsInstance, value)))
        return type(value), [(each.name, told(getattr(value, each.name))) for each in fields]
    if isinstance(value, tuple):
        return [told(each) for each in cast(tuple[object, ...], value)]
    return type(value), repr(value)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_both_ways_make_the_same_of_a_row_that_is_as_it_should_be(
    model: type[AttrsInstance], data: st.DataObject
) -> None:
    row = data.draw(rows(model, odd=False))
    before = copy.deepcopy(row)

    assert told(fast.reader(model)(row)) == told(decode_in_detail(model, row, where="row"))
    assert row == before


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_the_quick_way_leaves_to_the_other_whatever_that_would_make_something_else_of(
    model: type[AttrsInstance], data: st.DataObject
) -> None:
    row = data.draw(rows(model, odd=True))
    try:
        expected: object = told(decode_in_detail(model, row, where="row"))
    except UnreadableAnswer as unreadable:
        expected = unreadable.args
    try:
        quick: object = told(fast.reader(model)(row))
    except Exception:  # noqa: BLE001 - it may say no as it likes
        quick = expected
    try:
        decoded: object = told(decode(model, row, where="row"))
    except UnreadableAnswer as unreadable:
        decoded = unreadable.args

    assert quick == expected
    assert decoded == expected


@pytest.mark.parametrize("value", [[], {}, "", 0, None, "Ana", [None], True], ids=repr)
def test_what_is_no_row_is_a_row_for_neither(value: object) -> None:
    if value == {}:
        assert told(fast.reader(Invoice)({})) == told(decode_in_detail(Invoice, {}, where="row"))
        return
    with pytest.raises(UnreadableAnswer, match="an object is due"):
        decode(Invoice, value, where="row")
    for inside in ({"Contact": value}, {"Payments": [value]}):
        if inside != {"Contact": None}:
            with pytest.raises(UnreadableAnswer, match="is due"):
                decode(Invoice, inside, where="row")


def test_every_recorded_row_goes_the_quick_way() -> None:
    for name, collection, row in recorded():
        model = next(each for each in MODELS if f"{each.__name__}s" == collection)
        assert told(fast.reader(model)(row)) == told(decode_in_detail(model, row, where="row")), name


def test_what_the_quick_way_makes_is_a_document_like_any_other() -> None:
    row: Json = {"InvoiceID": ID, "Contact": {"Name": "Ana"}, "Status": "PAID", "Total": Decimal("1.10")}
    made = fast.reader(Invoice)(row)

    assert type(made) is Invoice
    assert type(made.contact) is Contact
    assert made.status is DocumentStatus.PAID
    assert made == Invoice(**{each.name: getattr(made, each.name) for each in attrs.fields(Invoice)})
    assert pickle.loads(pickle.dumps(made)) == copy.copy(made) == made  # noqa: S301 - made right here
    assert attrs.evolve(made, reference="R").reference == "R"
    assert weakref.ref(made)() is made
    assert repr(made) == f"<Invoice {ID}>"
    with pytest.raises(FrozenInstanceError):
        made.reference = "R"  # type: ignore[misc]  # what this refuses


@frozen(kw_only=True)
class Checked:
    name: str | None = field(default=None, validator=instance_of(str))


def test_two_classes_of_one_name_are_told_apart() -> None:
    def named() -> type[AttrsInstance]:
        @frozen(kw_only=True)
        class Twice:
            name: str | None = None

        return Twice

    def coded() -> type[AttrsInstance]:
        @frozen(kw_only=True)
        class Twice:
            code: str | None = None

        return Twice

    one, other = named(), coded()
    row: Json = {"Name": "Ana", "Code": "091"}

    assert [attrs.asdict(decode(model, row, where="row")) for model in (one, other, one)] == [
        {"name": "Ana"}, {"code": "091"}, {"name": "Ana"}
    ]  # fmt: skip


def test_a_class_that_does_more_than_hold_its_fields_is_left_to_the_other_way() -> None:
    assert decode(Checked, {"Name": "Ana"}, where="row").name == "Ana"
    with pytest.raises(UnreadableAnswer):
        decode(Checked, {}, where="row")


def test_collecting_garbage_goes_on_after_a_page_whatever_came_of_it() -> None:
    seen: list[bool] = []

    def page() -> Iterator[Json]:
        seen.append(gc.isenabled())
        yield {"InvoiceID": ID}

    assert len(decode_all(Invoice, page(), where="Invoices")) == 1
    assert (seen, gc.isenabled()) == ([False], True)
    with pytest.raises(UnreadableAnswer):
        decode_all(Invoice, [{"Total": "lots"}], where="Invoices")
    assert gc.isenabled()
    gc.disable()
    try:
        decode_all(Invoice, [{}], where="Invoices")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_many_threads_read_at_once() -> None:
    page = [{"InvoiceID": ID, "Total": Decimal("1.10"), "LineItems": [{"Quantity": 2}] * 5}] * 50
    expected = [told(decode_in_detail(Invoice, row, where="row")) for row in page]

    with ThreadPoolExecutor(8) as threads:
        pages = list(threads.map(lambda _: decode_all(Invoice, page, where="Invoices"), range(32)))

    assert all([told(each) for each in one] == expected for one in pages)
    assert gc.isenabled()


def test_documents_without_unknown_fields_share_one_empty_mapping_that_nobody_can_fill() -> None:
    item, contact = decode(Item, {"Code": "A"}, where="row"), Contact(name="Ana")

    assert item.extra is contact.extra is pickle.loads(pickle.dumps(item)).extra  # noqa: S301 - made right here
    assert (item.extra, dict(item.extra), repr(item.extra), list(item.extra)) == ({}, {}, "{}", [])
    assert (item.extra.get("New"), "New" in item.extra) == (None, False)
    assert not hasattr(item.extra, "__setitem__")
