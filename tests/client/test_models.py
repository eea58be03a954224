"""Every model, whatever it holds: there and back, two answers merged, and bad values refused before they leave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import UnionType
from typing import NewType, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import attrs
import pytest
from attrs import AttrsInstance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.client.all_models import DOCUMENTS, MODELS

from xerosync import models
from xerosync.client._wire.codec import decode, dump, parse
from xerosync.client._wire.names import OURS, wire_name
from xerosync.client._wire.outgoing import encode
from xerosync.errors import InvalidInput
from xerosync.models import (
    Account,
    AccountCode,
    AccountId,
    Contact,
    ContactId,
    Currency,
    Invoice,
    InvoiceId,
    LineItem,
    OpenEnum,
    Payment,
    Shape,
    TaxRate,
    merged,
)

ID = "0d666415-cf77-43fa-80c7-56775591d426"
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=10)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
INSTANTS = st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2099, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
UNKNOWN = st.dictionaries(st.from_regex("Future[A-Z][a-z]{1,5}", fullmatch=True), TEXTS | st.booleans(), max_size=2)


def filled(model: type[AttrsInstance], depth: int = 2) -> st.SearchStrategy[AttrsInstance]:
    """Any value of *model*, each field absent or filled."""
    hints = get_type_hints(model)
    fields = {each.name: worth(hints[each.name], depth) for each in attrs.fields(model) if each.name not in OURS}
    if any(each.name == "extra" for each in attrs.fields(model)):
        fields["extra"] = UNKNOWN
    return st.builds(model, **fields)


def worth(hint: object, depth: int) -> st.SearchStrategy[object]:
    """Any value a field annotated with *hint* may have."""
    if get_origin(hint) in {Union, UnionType}:
        return st.one_of(*(worth(part, depth) for part in get_args(hint)))
    if get_origin(hint) is tuple:
        inside = get_args(hint)[0]
        many = depth > 0 or not attrs.has(inside)
        return st.lists(worth(inside, depth), max_size=2).map(tuple) if many else st.just(())
    if isinstance(hint, NewType):
        return st.uuids().map(str) if (hint.__name__ or "").endswith("Id") else TEXTS
    if isinstance(hint, type) and attrs.has(hint):
        return filled(hint, depth - 1) if depth > 0 else st.none()
    if isinstance(hint, type) and issubclass(hint, OpenEnum):
        return st.sampled_from(hint) | st.just(hint("FUTURE"))
    plain: Mapping[object, st.SearchStrategy[object]] = {
        type(None): st.none(), str: TEXTS, bool: st.booleans(), int: st.integers(0, 10**6), Decimal: NUMBERS,
        dt.date: st.dates(), dt.datetime: INSTANTS,
    }  # fmt: skip
    return plain[hint]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_what_is_written_is_read_again_as_the_same(model: type[AttrsInstance], data: st.DataObject) -> None:
    document = data.draw(filled(model))

    back = decode(model, parse(dump(encode(document)), where="test"), where="test")

    assert back == document
    assert len({back, document}) == 1
    assert [type(each) for each in values(back)] == [type(each) for each in values(document)]
    assert encode(back) == encode(document)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_however_xero_spells_a_document_it_is_read_as_the_same(model: type[AttrsInstance], data: st.DataObject) -> None:
    """F 5.07–5.14, 6.118: absent or null, dates of three kinds, numbers with and without a point or as texts."""
    document = data.draw(filled(model, depth=1))

    row = parse(dump(data.draw(spelt(document))), where="test")

    back = decode(model, row, where="test")
    assert back == document
    assert encode(decode(model, parse(dump(encode(back)), where="test"), where="test")) == encode(document)


@st.composite
def spelt(draw: st.DrawFn, document: AttrsInstance) -> dict[str, object]:
    """*document* as one of the JSON objects by which Xero may tell of it."""
    row: dict[str, object] = dict(cast(Mapping[str, object], getattr(document, "extra", {})))
    for each in attrs.fields(type(document)):
        value: object = getattr(document, each.name)
        if each.name in OURS:
            continue
        if isinstance(value, tuple):
            if draw(st.booleans()) or value:
                row[wire_name(each)] = [draw(spelt_value(one)) for one in cast(tuple[object, ...], value)]
        elif value is not None or draw(st.booleans()):
            row[wire_name(each)] = draw(spelt_value(value))
    return row


def spelt_value(value: object) -> st.SearchStrategy[object]:
    """The ways to write one *value*."""
    match value:
        case dt.datetime():
            plain = value.replace(tzinfo=None).isoformat()
            ways: list[object] = [plain, f"{plain}Z", f"{plain}+00:00"]
            if value.microsecond % 1000 == 0:
                ms = (value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)
                ways += [f"/Date({ms})/", f"/Date({ms}+0000)/"]
            return st.sampled_from(ways)
        case dt.date():
            ms = (value - dt.date(1970, 1, 1)).days * 86_400_000
            return st.sampled_from([f"{value}", f"{value}T00:00:00", f"/Date({ms}+0000)/", f"/Date({ms})/"])
        case Decimal():
            whole: list[object] = [int(value)] if value == int(value) else []
            return st.sampled_from([value, f"{value:f}", *whole])
        case _ if attrs.has(type(value)):
            return spelt(cast(AttrsInstance, value))
        case _:
            return st.just(value)


def values(document: AttrsInstance) -> list[object]:
    """All that stands in *document*, however deep, beside what it does not know."""
    found: list[object] = []
    for each in attrs.fields(type(document)):
        value: object = getattr(document, each.name)
        if each.name not in OURS:
            for one in cast(tuple[object, ...], value) if isinstance(value, tuple) else (value,):
                found += [one, *(values(cast(AttrsInstance, one)) if attrs.has(type(one)) else [])]
    return found


def test_every_model_can_be_read_from_nothing() -> None:
    for model in MODELS:
        document = decode(model, {}, where="test")
        assert {getattr(document, each.name) for each in attrs.fields(model) if each.name not in OURS} <= {None, ()}


def test_every_model_is_among_those_tested() -> None:
    documents = {each for each in vars(models).values() if isinstance(each, type) and attrs.has(each)}

    assert documents - {models.Connection, models.TrialBalanceRow} == set(MODELS)


@pytest.mark.parametrize("model", DOCUMENTS, ids=lambda model: model.__name__)
def test_a_document_tells_how_it_came_and_is_equal_all_the_same(model: type[AttrsInstance]) -> None:
    """F 4.11, 4.12."""
    row, single, new = decode(model, {}, where="test"), decode(model, {}, where="test", shape=Shape.SINGLE), model()

    assert [getattr(each, "shape") for each in (row, single, new)] == [Shape.ROW, Shape.SINGLE, Shape.NEW]  # noqa: B009
    assert row == single == new


def test_a_document_shows_its_kind_and_its_id_and_nothing_else() -> None:
    assert (
        repr(Invoice(invoice_id=InvoiceId("0d666415-cf77-43fa-80c7-56775591d426"), reference="Ana"))
        == "<Invoice 0d666415-cf77-43fa-80c7-56775591d426>"
    )
    assert repr(Invoice(reference="Ana")) == "<Invoice without id>"
    assert (repr(Currency(code="NZD")), repr(TaxRate(name="Ana"))) == ("<Currency>", "<TaxRate>")


def test_an_absent_key_overwrites_nothing() -> None:
    """F 4.12: the reply to a write leaves out what a single read shows."""
    read = Invoice(
        invoice_id=InvoiceId("0d666415-cf77-43fa-80c7-56775591d426"),
        reference="R-1",
        line_items=(LineItem(description="Work"),),
        shape=Shape.SINGLE,
    )
    reply = decode(Invoice, {"InvoiceID": ID, "AmountDue": Decimal("5.00"), "New": 1}, where="test", shape=Shape.REPLY)

    known = merged(read, reply)

    assert (known.reference, known.amount_due, known.extra) == ("R-1", Decimal("5.00"), {"New": 1})
    assert known.line_items == read.line_items
    assert merged(known, attrs.evolve(read, reference=None)).reference is None


def test_a_document_inside_another_is_named_by_its_id_alone() -> None:
    """F 6.36: whatever else is said of a contact in an invoice changes the contact."""
    invoice = Invoice(contact=Contact(contact_id=ContactId(ID), name="Ana", email_address="ana@example.com"))

    assert encode(invoice, to_write=True) == {"Contact": {"ContactID": ID}}
    assert encode(Invoice(contact=Contact(name="Ana")), to_write=True) == {"Contact": {"Name": "Ana"}}


def test_what_xero_alone_writes_stays_behind() -> None:
    invoice = Invoice(reference="R-1", total=Decimal(5), amount_due=Decimal(5), extra={"Future": 1})

    assert encode(invoice, to_write=True) == {"Reference": "R-1", "Future": 1}


BAD: list[tuple[Callable[[], AttrsInstance], str, str]] = [
    (lambda: Payment(amount=cast(Decimal, 1.5)), "amount", "exact"),
    (lambda: Payment(amount=Decimal("NaN")), "amount", "finite"),
    (lambda: Payment(amount=cast(Decimal, "1")), "amount", "Decimal"),
    (lambda: Payment(amount=cast(Decimal, True)), "amount", "Decimal"),
    (lambda: Payment(date=dt.datetime(2026, 1, 5, tzinfo=dt.UTC)), "date", "own day"),
    (lambda: Account(updated_date_utc=dt.datetime(2026, 1, 5)), "updated_date_utc", "time zone"),  # noqa: DTZ001
    (lambda: Contact(name="x" * 256), "name", "255"),
    (lambda: Contact(name="a\x00b"), "name", "control"),
    (lambda: Contact(name="a\ud800b"), "name", "control"),
    (lambda: Contact(is_customer=cast(bool, 1)), "is_customer", "bool"),
    (lambda: Invoice(invoice_id=InvoiceId("1/../2")), "invoice_id", "UUID"),
    (lambda: Invoice(contact=cast(Contact, "Ana")), "contact", "Contact"),
    (lambda: Invoice(contact=Contact(contact_id=ContactId("7"))), "contact.contact_id", "UUID"),
    (lambda: Invoice(line_items=cast("tuple[LineItem, ...]", LineItem())), "line_items", "tuple"),
    (
        lambda: Invoice(line_items=(LineItem(), LineItem(unit_amount=cast(Decimal, 0.1)))),
        "line_items[1].unit_amount",
        "exact",
    ),
    (
        lambda: Payment(account=Account(account_id=AccountId("x"), code=AccountCode("090"))),
        "account.account_id",
        "UUID",
    ),
]


@pytest.mark.parametrize(("make", "field", "remedy"), BAD)
def test_what_xero_could_not_take_is_refused_by_the_name_of_its_field(
    make: Callable[[], AttrsInstance], field: str, remedy: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        encode(make(), to_write=False)

    assert refused.value.field == field
    assert remedy in refused.value.remedy


def test_ids_are_written_as_xero_writes_them() -> None:
    assert encode(Invoice(invoice_id=InvoiceId(UUID(ID).hex.upper()))) == {"InvoiceID": ID}
