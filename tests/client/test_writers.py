"""The quick way from a document to what is sent says what the detailed one says, and refuses what that refuses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import cast

import attrs
import pytest
from attrs import AttrsInstance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.client.all_models import MODELS
from tests.client.test_fast import ID, rows

from xerosync.client._wire.codec import decode_in_detail
from xerosync.client._wire.outgoing import encode, encode_in_detail
from xerosync.client._wire.writers import writer
from xerosync.errors import InvalidInput, UnreadableAnswer
from xerosync.models import Contact, ContactId, Invoice, InvoiceId, LineItem, LineTracking

ODD = st.one_of(
    st.sampled_from(
        [
            Decimal("1E+2"), Decimal("NaN"), Decimal("-Infinity"), Decimal("0E-9"), Decimal("1E+999999"), Decimal("-0"),
            Decimal("1." + "1" * 120), 7, 2**70, True, 1.5, "a\nb", "a\x00", "\ud800", "a" * 5000, "", ID.upper(), ID,
            (), [], (None,), ("a",), (1,), (LineItem(description="x\x01"),),
            Contact(name="A"), Contact(contact_id=ContactId("no")),
            {"Future": 1.5}, {"Future": Decimal("1.10")}, {"Name": "Ana"}, dt.date(2026, 1, 2),
            dt.datetime(2026, 1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=13))), dt.datetime(2026, 1, 2),  # noqa: DTZ001
        ]
    ),
    st.text(max_size=4),
    st.decimals(),
)  # fmt: skip


def written(document: AttrsInstance, *, to_write: bool, in_detail: bool) -> object:
    """What is sent of *document*, numbers with their scale, or what is said of it."""
    try:
        row = (encode_in_detail if in_detail else encode)(document, to_write=to_write)
    except InvalidInput as refused:
        return refused.args
    return repr(row)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data(), to_write=st.booleans())
def test_both_ways_write_a_document_alike(model: type[AttrsInstance], data: st.DataObject, *, to_write: bool) -> None:
    try:
        document = decode_in_detail(model, data.draw(rows(model, odd=True)), where="row")
    except UnreadableAnswer:
        document = decode_in_detail(model, data.draw(rows(model, odd=False)), where="row")
    names = [each.name for each in attrs.fields(model) if each.name != "shape"]
    odd = data.draw(st.dictionaries(st.sampled_from(names), ODD, max_size=2))
    if not odd.get("extra", True):
        del odd["extra"]
    document = cast(Callable[..., AttrsInstance], attrs.evolve)(document, **odd)

    told = written(document, to_write=to_write, in_detail=False)
    assert told == written(document, to_write=to_write, in_detail=True)


def test_an_ordinary_invoice_goes_the_quick_way() -> None:
    invoice = Invoice(
        contact=Contact(contact_id=ContactId(ID), name="Ana"),
        line_items=(LineItem(description="Rent", quantity=Decimal(1), tracking=(LineTracking(name="Area"),)),),
        date=dt.date(2026, 1, 2),
    )

    row = writer(Invoice, to_write=True)(invoice)

    assert row == encode_in_detail(invoice, to_write=True)
    assert row["Contact"] == {"ContactID": ID}


def test_a_document_of_another_class_in_a_place_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="give a Contact"):
        encode(Invoice(contact=cast(Contact, LineItem())))


@pytest.mark.parametrize(
    "own",
    [
        ID, ID.upper(), ID.replace("-", ""), ID.replace("-", "x"), ID[:-1], f"{ID}0", f"{ID[:-1]}x", f"{ID[:-1]}\u0661",
        f"{ID[:-1]}\ud800", f"{{{ID}}}", "x" * 36, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
    ],
)  # fmt: skip
def test_an_id_is_looked_at_alike_both_ways(own: str) -> None:
    invoice = Invoice(invoice_id=InvoiceId(own), contact=Contact(contact_id=ContactId(ID)))
    inside = Invoice(contact=Contact(contact_id=ContactId(own)))

    for document in (invoice, inside):
        assert written(document, to_write=True, in_detail=False) == written(document, to_write=True, in_detail=True)


@pytest.mark.parametrize(
    "value", [None, "", False, [], {}, (), 0, Decimal(0), Decimal("0E+999999"), 0.0, {()}, 7, [0.0]]
)
@pytest.mark.parametrize("name", ["Future", "", "a\x00", "\ud800", "Contact", 1])
def test_what_is_not_known_here_is_looked_at_alike_both_ways(name: str, value: object) -> None:
    invoice = Invoice(extra={"Beside": [], name: value})

    told = written(invoice, to_write=True, in_detail=False)
    assert told == written(invoice, to_write=True, in_detail=True)
