"""Bytes and values: dates, exact numbers, unknown fields, and answers that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Final, cast

import pytest
from attrs import AttrsInstance
from hypothesis import given
from hypothesis import strategies as st

from xerosync.client._wire import dates
from xerosync.client._wire.answers import envelope, messages_of, refusal
from xerosync.client._wire.codec import Json, decode, dump, parse
from xerosync.client._wire.outgoing import encode
from xerosync.client._wire.verdicts import Verdict, elements
from xerosync.errors import (
    InvalidInput,
    NotAuthorised,
    NotFound,
    OrganisationRefused,
    RateLimited,
    Rejected,
    ScopeMissing,
    Unavailable,
    UnreadableAnswer,
    XerosyncError,
)
from xerosync.models import Account, Contact, CreditNote, Invoice, InvoiceType, LineItem, Organisation, Payment
from xerosync.ports import Response

RECORDINGS: Final = Path(__file__).parents[3] / "shared" / "recordings"
MODELS: Final[Mapping[str, type[AttrsInstance]]] = {
    "Accounts": Account,
    "Contacts": Contact,
    "CreditNotes": CreditNote,
    "Invoices": Invoice,
    "Organisations": Organisation,
    "Payments": Payment,
}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("/Date(1518685950940+0000)/", date(2018, 2, 15)),
        ("/Date(1518652800000)/", date(2018, 2, 15)),
        ("/Date(1388487600000+1300)/", date(2014, 1, 1)),  # local midnight, as answers of 2014 have it (A.12)
        ("/Date(1388552400000-0500)/", date(2014, 1, 1)),
        ("/Date(-62135596800000+0000)/", date(1, 1, 1)),
        ("2018-02-15T00:00:00", date(2018, 2, 15)),
        ("2018-02-15", date(2018, 2, 15)),
    ],
)
def test_a_day_is_the_organisations_own_whatever_its_form(text: str, day: date) -> None:
    assert dates.day(text) == day


def test_an_offset_is_a_label_and_does_not_move_the_instant() -> None:
    """F 5.10."""
    assert dates.instant("/Date(0+1300)/") == datetime(1970, 1, 1, tzinfo=UTC)
    assert dates.instant("2026-01-05T01:02:03.4567") == datetime(2026, 1, 5, 1, 2, 3, 456700, tzinfo=UTC)
    assert dates.instant("2026-01-05T13:00:00+13:00") == datetime(2026, 1, 5, tzinfo=UTC)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)), st.integers(-12 * 60, 14 * 60))  # noqa: DTZ001
def test_an_instant_is_asked_for_in_utc_from_wherever_it_is_told(moment: datetime, minutes: int) -> None:
    told = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))

    assert dates.instant(dates.header(told)) == told.astimezone(UTC).replace(microsecond=0)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**15), max_value=10**15))
def test_numbers_are_exact_both_ways(number: Decimal) -> None:
    back = parse(dump({"Amount": number}), where="test")

    assert Decimal(str(cast(Json, back)["Amount"])) == number


def recorded() -> Iterator[tuple[str, str, Json]]:
    """Each row of the recordings, with the recording's name and the collection it stands in."""
    for file in sorted(RECORDINGS.glob("*.json")):
        told = cast(Json, json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal))
        body = told.get("body")
        for collection, rows in cast(Json, body if isinstance(body, dict) else {}).items():
            if collection in MODELS and isinstance(rows, list):
                yield from ((file.stem, collection, cast(Json, row)) for row in cast(list[object], rows))


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings of real answers are not here")
def test_every_recorded_row_of_real_xero_is_understood() -> None:
    seen: set[str] = set()
    for name, collection, row in recorded():
        document = decode(MODELS[collection], row, where=f"{name}.{collection}")
        seen.add(collection)
        written = encode(document)
        assert written.keys() <= row.keys(), name
        extra = cast(Mapping[str, object], getattr(document, "extra", {}))
        known = {key for key in row if key not in extra and row[key] not in (None, [])}
        doubled = {key for key in known if key.endswith(("DateString", "UTCString"))}
        assert known - doubled - {"HasErrors", "HasValidationErrors"} <= written.keys(), name

    assert {"Accounts", "Contacts", "CreditNotes", "Invoices", "Organisations"} <= seen


def test_fields_nobody_knows_survive_a_round_trip() -> None:
    row: Json = {"InvoiceNumber": "INV-1", "Type": "ACCREC", "FutureThing": {"a": [1, Decimal("2.50")]}}

    invoice = decode(Invoice, row, where="test")

    assert invoice.extra == {"FutureThing": {"a": [1, Decimal("2.50")]}}
    assert encode(invoice) == row


def test_words_nobody_knows_survive_too() -> None:
    invoice = decode(Invoice, {"Type": "ACCFUTURE", "Status": "PARKED"}, where="test")

    assert (invoice.type, invoice.status) == ("ACCFUTURE", "PARKED")
    assert invoice.type is not InvoiceType.ACCREC
    assert encode(invoice) == {"Type": "ACCFUTURE", "Status": "PARKED"}


def test_what_is_absent_is_not_written() -> None:
    assert encode(Contact(name="Ana")) == {"Name": "Ana"}
    assert encode(Invoice(line_items=(LineItem(quantity=Decimal(1)),))) == {"LineItems": [{"Quantity": Decimal(1)}]}


def test_an_amount_may_come_as_a_text() -> None:
    """F 6.118."""
    assert decode(Payment, {"Amount": "12.30"}, where="test").amount == Decimal("12.30")


def test_float_money_is_never_written() -> None:
    with pytest.raises(InvalidInput, match="never a float"):
        encode(Payment(amount=0.1))  # type: ignore[arg-type]  # what this refuses


UNREADABLE: Final[list[tuple[Json, str]]] = [
    ({"Total": "lots"}, "Total"),
    ({"Total": True}, "Total"),
    ({"Date": "/Date(soon)/"}, "Date"),
    ({"LineItems": [{}, {"Quantity": {}}]}, "LineItems[1].Quantity"),
    ({"Contact": []}, "Contact"),
    ({"InvoiceNumber": 7}, "InvoiceNumber"),
]


def plain(path: str) -> str:
    """*path* without what tells Xero's spelling from ours."""
    return path.replace("_", "").lower()


@pytest.mark.parametrize(("row", "path"), UNREADABLE, ids=lambda value: value if isinstance(value, str) else "")
def test_an_answer_that_cannot_be_read_says_where(row: Json, path: str) -> None:
    with pytest.raises(UnreadableAnswer) as unread:
        decode(Invoice, row, where="Invoices[3]")

    assert plain(f"Invoices[3].{path}") in plain(unread.value.path)
    assert "lots" not in str(unread.value)


@pytest.mark.parametrize(
    ("body", "seen"),
    [(b"", "an empty body"), (b"<html>", "HTML or XML"), (b'{"Invoices": [', "no whole JSON"), (b"7", "int")],
)
def test_what_is_no_envelope_is_said_to_be(body: bytes, seen: str) -> None:
    with pytest.raises(UnreadableAnswer, match=seen):
        envelope(Response(200, {}, body), "Invoices")


def test_an_envelope_without_its_list_is_not_taken_for_an_empty_one() -> None:
    with pytest.raises(UnreadableAnswer, match="no such list"):
        envelope(Response(200, {}, b'{"Contacts": []}'), "Invoices")


REFUSALS: Final = [
    (Response(400, {}, b'{"Message": "A validation exception occurred"}'), Rejected, "A validation exception occurred"),
    (Response(401, {}, b'{"Detail": "TokenExpired"}'), NotAuthorised, "did not accept the access token"),
    (
        Response(401, {"www-authenticate": "insufficient_scope"}),
        ScopeMissing,
        "lacks a scope for this call: see missing_scopes()",
    ),
    (Response(403, {}, b"{}"), OrganisationRefused, "refuses access to this organisation"),
    (Response(404, {}, b"<html>"), NotFound, "no such document"),
    (Response(429, {"retry-after": "33", "x-rate-limit-problem": "Minute"}), RateLimited, "minute limit .* 33 s"),
    (Response(503, {}, b"offline"), Unavailable, "answered 503"),
    (Response(204), UnreadableAnswer, "status 204, which is no answer to this call"),
    (Response(302, {"location": "https://login.example"}), UnreadableAnswer, "status 302"),
]


@pytest.mark.parametrize(("response", "kind", "says"), REFUSALS, ids=lambda value: getattr(value, "__name__", ""))
def test_each_refusal_is_the_error_that_says_what_may_be_done(
    response: Response, kind: type[XerosyncError], says: str
) -> None:
    error = refusal(response)

    assert type(error) is kind
    with pytest.raises(kind, match=says):
        raise error


def test_a_refusal_carries_every_message_once_and_xeros_correlation_id() -> None:
    nested = {"Elements": [{"ValidationErrors": [{"Message": "one"}], "Payments": [{"ValidationErrors": [
        {"Message": "two"}, {"Message": "one"}]}]}]}  # fmt: skip
    response = Response(400, {"xero-correlation-id": "abc"}, json.dumps(nested).encode())

    assert messages_of(response) == ("one", "two")
    assert str(refusal(response)) == "Xero refused (400): one | two [Xero-Correlation-Id abc]"


def test_each_element_of_a_write_has_its_own_verdict() -> None:
    body = {"Payments": [
        {"PaymentID": "a", "StatusAttributeString": "OK"},
        {"PaymentID": "00000000-0000-0000-0000-000000000000", "HasValidationErrors": True,
         "ValidationErrors": [{"Message": "no"}]},
        {"StatusAttributeString": "ERROR"},
    ]}  # fmt: skip

    found = elements(Response(200, {}, json.dumps(body).encode()), "Payments", 3)

    assert [each.verdict for each in found] == [Verdict.CONFIRMED, Verdict.REJECTED, Verdict.REJECTED]
    assert [each.messages for each in found] == [(), ("no",), ("Xero gave no reason",)]


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"Payments": [{"PaymentID": "a"}]}', b'{"Other": []}'])
def test_an_answer_that_does_not_speak_of_every_element_decides_none(body: bytes) -> None:
    found = elements(Response(200, {}, body), "Payments", 2)

    assert [each.verdict for each in found] == [Verdict.UNKNOWN] * 2
