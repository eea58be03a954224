"""What Xero could not take is refused by the name of its field, before anything leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Final, cast

import attrs
import pytest
from attrs import AttrsInstance
from hypothesis import given
from hypothesis import strategies as st
from tests import openapi
from tests.client.all_models import MODELS
from tests.conftest import Product, Through, found_product

from xerosync import App, AsyncXero, Mark, MemoryStore, Tokens, Xero, scopes_for
from xerosync.client._wire.answers import envelope, messages_of, named_in_refusal, refusal, retry_after_s
from xerosync.client._wire.codec import Json, decode, dump, parse
from xerosync.client._wire.names import wire_name
from xerosync.client._wire.outgoing import encode
from xerosync.client._wire.rows import Header, Row
from xerosync.client._wire.verdicts import Verdict, verdicts
from xerosync.errors import InvalidInput, UnreadableAnswer, XerosyncError
from xerosync.events import OnEvent
from xerosync.models import (
    Account,
    AccountCode,
    Address,
    BatchPayment,
    Contact,
    ContactGroup,
    ContactId,
    ContactPerson,
    CreditNote,
    Invoice,
    InvoiceId,
    Item,
    LineItem,
    LineTracking,
    Payment,
    PaymentTerm,
    PaymentTerms,
    Phone,
    PurchaseOrder,
    Quote,
    TrackingOption,
)
from xerosync.ports import Request, Response

ID: Final = "0d666415-cf77-43fa-80c7-56775591d426"
NAIVE: Final = dt.datetime(2026, 1, 5, 12, 0)  # noqa: DTZ001
DAY: Final = dt.date(2026, 1, 5)
FIRST: Final = dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=14)))


def one_of(text: object) -> str:
    """*text*, whatever it is, where a text is due."""
    return cast(str, text)


def moment(value: object) -> dt.datetime:
    """*value*, whatever it is, where an instant is due."""
    return cast(dt.datetime, value)


def nested(depth: int) -> list[object]:
    """A list in a list, and so on."""
    inside: list[object] = []
    for _ in range(depth):
        inside = [inside]
    return inside


BAD: list[tuple[str, Callable[[Xero], object], str]] = [
    ("documents", lambda xero: xero.contacts.create(cast("list[Contact]", Contact(name="Ana"))), "create_one"),
    ("documents", lambda xero: xero.contacts.create(cast("list[Contact]", "Ana")), "list of Contacts"),
    ("documents", lambda xero: xero.contacts.create(cast("list[Contact]", {"Name": "Ana"})), "list of Contacts"),
    ("documents", lambda xero: xero.contacts.create(cast("list[Contact]", None)), "list of Contacts"),
    ("documents[0]", lambda xero: xero.contacts.create_one(cast(Contact, "Ana")), "give a Contact, not a str"),
    ("documents[1]", lambda xero: xero.contacts.create([Contact(name="Ana"), cast(Contact, Invoice())]), "not a Inv"),
    ("known", lambda xero: xero.contacts.update([], known=cast("list[Contact]", "Ana")), "list of Contacts"),
    ("documents[1].name", lambda xero: xero.contacts.create([Contact(name="A"), Contact(name="x" * 256)]), "255"),
    ("documents[0].name", lambda xero: xero.contacts.create_one(Contact(name="A <b> C")), "leave out < >"),
    ("documents[0].name", lambda xero: xero.contacts.create_one(Contact(name="a\x0bb")), "control"),
    ("documents[0].name", lambda xero: xero.contacts.create_one(Contact(name=one_of(7))), "text, not a int"),
    (
        "documents[0].contact.name",
        lambda xero: xero.invoices.create_one(Invoice(contact=Contact(name="<b>"))),
        "leave out < >",
    ),
    (
        "documents[0].contact_persons",
        lambda xero: xero.contacts.create_one(Contact(name="A", contact_persons=(ContactPerson(),) * 6)),
        "5 at most",
    ),
    (
        "documents[0].addresses[0].city",
        lambda xero: xero.contacts.create_one(Contact(name="A", addresses=(Address(city="x" * 256),))),
        "255",
    ),
    (
        "documents[0].phones[1].phone_area_code",
        lambda xero: xero.contacts.create_one(Contact(name="A", phones=(Phone(), Phone(phone_area_code="x" * 11)))),
        "10",
    ),
    (
        "documents[0].line_items[0].unit_amount",
        lambda xero: xero.invoices.create_one(Invoice(line_items=(LineItem(unit_amount=cast(Decimal, 0.1)),))),
        "never a float",
    ),
    (
        "documents[0].line_items[0].description",
        lambda xero: xero.invoices.create_one(Invoice(line_items=(LineItem(description="x" * 4001),))),
        "4000",
    ),
    (
        "documents[0].line_items[0].tracking",
        lambda xero: xero.invoices.create_one(Invoice(line_items=(LineItem(tracking=(LineTracking(),) * 3),))),
        "2 at most",
    ),
    (
        "documents[0].line_items",
        lambda xero: xero.invoices.create_one(Invoice(line_items=cast("tuple[LineItem, ...]", "x"))),
        "tuple",
    ),
    (
        "documents[0].line_items",
        lambda xero: xero.quotes.create_one(
            Quote(line_items=cast("tuple[LineItem, ...]", (each for each in [LineItem()])))
        ),
        "tuple",
    ),
    (
        "documents[0].line_items[0]",
        lambda xero: xero.credit_notes.create_one(CreditNote(line_items=cast("tuple[LineItem, ...]", ("x",)))),
        "LineItem",
    ),
    ("documents[0].date", lambda xero: xero.invoices.create_one(Invoice(date=NAIVE)), "own day"),
    ("documents[0].date", lambda xero: xero.invoices.create_one(Invoice(date=cast(dt.date, "2026-01-05"))), "a date"),
    ("documents[0].amount", lambda xero: xero.payments.create_one(Payment(amount=Decimal("Infinity"))), "finite"),
    ("documents[0].amount", lambda xero: xero.payments.create_one(Payment(amount=cast(Decimal, "1"))), "Decimal"),
    (
        "documents[0].invoice.invoice_id",
        lambda xero: xero.payments.create_one(Payment(invoice=Invoice(invoice_id=InvoiceId("7")))),
        "UUID",
    ),
    ("documents[0].details", lambda xero: xero.batch_payments.create_one(BatchPayment(details="x" * 19)), "18"),
    ("documents[0].code", lambda xero: xero.accounts.create_one(Account(code=AccountCode("x" * 11))), "10"),
    ("documents[0].code", lambda xero: xero.items.create_one(Item(code="x" * 31)), "30"),
    (
        "documents[0].delivery_instructions",
        lambda xero: xero.purchase_orders.create_one(PurchaseOrder(delivery_instructions="x" * 501)),
        "500",
    ),
    ("documents[0].extra.Rate", lambda xero: xero.items.create_one(Item(extra={"Rate": 1.5})), "exact"),
    ("documents[0].extra.At[0]", lambda xero: xero.items.create_one(Item(extra={"At": [NAIVE]})), "JSON"),
    ("documents[0].extra.Code", lambda xero: xero.items.create_one(Item(extra={"Code": "A"})), "field of this"),
    ("documents[0].extra", lambda xero: xero.items.create_one(Item(extra=cast("dict[str, object]", [1]))), "mapping"),
    (
        "documents[0].contact_id",
        lambda xero: xero.contacts.update_one(Contact(contact_id=ContactId("7"), name="A")),
        "UUID",
    ),
    ("id", lambda xero: xero.invoices.void("INV-1"), "UUID"),
    ("id", lambda xero: xero.invoices.get("../Contacts"), "UUID"),
    ("id", lambda xero: xero.payments.delete(one_of(None)), "UUID"),
    ("group_id", lambda xero: xero.contact_groups.add_contacts("7", [ID]), "UUID"),
    ("contact_ids", lambda xero: xero.contact_groups.add_contacts(ID, ID), "list of texts"),
    ("contact_ids[1]", lambda xero: xero.contact_groups.add_contacts(ID, [ID, "7"]), "UUID"),
    ("contact_ids[0]", lambda xero: xero.contact_groups.add_contacts(ID, [one_of(7)]), "text, not a int"),
    ("contact_id", lambda xero: xero.contact_groups.remove_contact(ID, "7"), "UUID"),
    ("option_id", lambda xero: xero.tracking_categories.rename_option(ID, "7", "x"), "UUID"),
    ("name", lambda xero: xero.tracking_categories.add_option(ID, "x" * 101), "100"),
    ("name", lambda xero: xero.tracking_categories.add_option(ID, one_of(["North"])), "text, not a list"),
    ("invoice_id", lambda xero: xero.credit_notes.allocate(ID, invoice_id="7", amount=Decimal(1)), "UUID"),
    ("amount", lambda xero: xero.credit_notes.allocate(ID, invoice_id=ID, amount=cast(Decimal, 1.5)), "never a float"),
    ("tax_type", lambda xero: xero.tax_rates.get("../Users"), "slash"),
    ("tax_type", lambda xero: xero.tax_rates.delete(""), "number or code"),
    ("invoice_number", lambda xero: xero.invoices.get_by_number("INV\ud800"), "number or code"),
    ("documents[0].extra.A[0]", lambda xero: xero.items.create_one(Item(extra={"A": [Decimal("1E+99")]})), "exact"),
    ("documents[0].extra.A", lambda xero: xero.items.create_one(Item(extra={"A": 10**5000})), "fewer digits"),
    ("documents[0].extra.A", lambda xero: xero.items.create_one(Item(extra={"A": "\ud800"})), "half a character"),
    ("documents[0].extra", lambda xero: xero.items.create_one(Item(extra={"\ud800": 1})), "half a character"),
    ("documents[0].extra.A", lambda xero: xero.items.create_one(Item(extra={"A": {1: 2}})), "not by a int"),
    (
        "documents[0].extra.A" + "[0]" * 99,
        lambda xero: xero.items.create_one(Item(extra={"A": nested(5000)})),
        "deeply",
    ),
    (
        "documents[0].payment_terms.sales.day",
        lambda xero: xero.contacts.create_one(Contact(payment_terms=PaymentTerms(sales=PaymentTerm(day=10**5000)))),
        "reasonable size",
    ),
    ("modified_since", lambda xero: list(xero.invoices.list(modified_since=NAIVE)), "aware"),
    ("modified_since", lambda xero: list(xero.accounts.list(modified_since=moment("2026-01-05"))), "aware"),
    ("modified_since", lambda xero: list(xero.invoices.list(modified_since=moment(DAY))), "aware"),
    ("modified_since", lambda xero: list(xero.invoices.list(modified_since=FIRST)), "a year in UTC"),
    ("ids", lambda xero: list(xero.invoices.list(ids=ID)), "list of texts"),
    ("ids[1]", lambda xero: list(xero.contacts.list(ids=[ID, "7"])), "UUID"),
    ("contact_ids[0]", lambda xero: list(xero.invoices.list(contact_ids=[one_of(7)])), "text, not a int"),
    ("numbers[0]", lambda xero: list(xero.invoices.list(numbers=[one_of(7)])), "text, not a int"),
    ("numbers", lambda xero: list(xero.invoices.list(numbers="INV-1")), "list of texts"),
    ("statuses", lambda xero: list(xero.invoices.list(statuses=["PAID", "A&B"])), "such as AUTHORISED"),
    ("search", lambda xero: list(xero.contacts.list(search=one_of(7))), "text, not a int"),
    ("search", lambda xero: list(xero.invoices.list(search="\ud800")), "half a character"),
    ("date_from", lambda xero: list(xero.quotes.list(date_from=cast(dt.date, "2026-01-05"))), "own day, not a str"),
    ("date_to", lambda xero: list(xero.purchase_orders.list(date_to=NAIVE)), "own day, not a datetime"),
    ("contact_id", lambda xero: list(xero.quotes.list(contact_id="7")), "UUID"),
    ("on", lambda xero: xero.reports.trial_balance(on=cast(dt.date, "2026-01-05")), "own day, not a str"),
    ("since", lambda xero: xero.invoices.changes(since=cast(Mark, "a text")), "Mark.from_text"),
    ("calls", lambda xero: xero.run(calls=cast(int, 1.5)), "whole number"),
    ("calls", lambda xero: xero.run(calls=True), "whole number"),
    ("bytes_down", lambda xero: xero.run(bytes_down=cast(int, "many")), "whole number"),
]


@pytest.fixture(scope="module")
def watched() -> tuple[Xero, list[Request]]:
    """A client, and all that it sends."""
    sent: list[Request] = []
    product = found_product()
    return product.xero(transport=Through(product.simulator.transport, before=sent.append)), sent


@pytest.mark.parametrize(("field", "act", "remedy"), BAD, ids=[f"{place}-{each[0]}" for place, each in enumerate(BAD)])
def test_a_bad_value_is_refused_by_the_name_of_its_field_and_nothing_is_sent(
    watched: tuple[Xero, list[Request]], field: str, act: Callable[[Xero], object], remedy: str
) -> None:
    xero, sent = watched
    sent.clear()

    with pytest.raises(InvalidInput) as refused:
        act(xero)

    assert refused.value.field == field
    assert remedy in refused.value.remedy
    assert sent == []


TENANT: Final = "45e4708e-d862-4111-ab3a-dd8cd03913e1"
MADE: list[tuple[str, Callable[[App], object], str]] = [
    ("organisation", lambda app: Xero(app, "Acme", store=MemoryStore()), "a UUID"),
    ("app", lambda _: Xero(cast(App, "my client id"), TENANT, store=MemoryStore()), "made of your client id"),
    ("quarantine_s", lambda app: Xero(app, TENANT, store=MemoryStore(), quarantine_s=-1), "from 0 to 86,400"),
    ("quarantine_s", lambda app: Xero(app, TENANT, store=MemoryStore(), quarantine_s=float("nan")), "from 0"),
    ("quarantine_s", lambda app: AsyncXero(app, TENANT, store=MemoryStore(), quarantine_s=cast(int, "5")), "from 0"),
    ("on_event", lambda app: Xero(app, TENANT, store=MemoryStore(), on_event=cast(OnEvent, "print")), "be called"),
    ("tokens", lambda app: Xero(app, TENANT, store=MemoryStore()).connect(cast(Tokens, "access")), "not a str"),
    ("expires_at", lambda _: Tokens("access", "refresh", NAIVE), "aware"),
    ("client_id", lambda _: App(cast(str, None)), "a text"),
    ("client_id", lambda _: App(cast(str, b"id")), "a text"),
    ("features", lambda _: scopes_for(one_of(["read only"])), "choose among receivables"),
]


@pytest.mark.parametrize(("field", "act", "remedy"), MADE, ids=[f"{at}-{each[0]}" for at, each in enumerate(MADE)])
def test_a_client_cannot_be_made_or_connected_of_what_it_could_not_work_with(
    field: str, act: Callable[[App], object], remedy: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        act(App("app"))

    assert refused.value.field == field
    assert remedy in refused.value.remedy


def test_a_document_too_large_for_any_call_is_refused(watched: tuple[Xero, list[Request]]) -> None:
    """F 2.19."""
    xero, sent = watched
    sent.clear()
    lines = tuple(LineItem(description="x" * 4000) for _ in range(2600))

    with pytest.raises(InvalidInput) as refused:
        xero.invoices.create([Invoice(), Invoice(line_items=lines)])

    assert (refused.value.field, sent) == ("documents[1]", [])


def test_a_generator_that_fails_sends_nothing(product: Product) -> None:
    xero = product.xero()

    def contacts() -> object:
        yield Contact(name="Ana")
        raise LookupError("the file ended")

    with pytest.raises(LookupError):
        xero.contacts.create(cast("list[Contact]", contacts()))
    assert product.books.contacts == ()


def test_an_amount_is_written_out(product: Product, xero: Xero) -> None:
    """``Decimal("100").normalize()`` is 1E+2, which is a number to JSON, but not to every reader."""
    assert dump(encode(Payment(amount=Decimal("1E+2")))) == b'{"Amount":100}'
    item = xero.items.create_one(Item(code="A", name="A", extra={"Future": [Decimal("1.50"), None, True, {"a": "b"}]}))
    assert item.code == "A"
    assert len(product.books.items) == 1


@pytest.mark.parametrize("price", ["1E+999999", "0E-999999", "1E+31", "1." + "1" * 100])
def test_a_number_of_more_digits_than_could_be_read_again_is_refused(
    watched: tuple[Xero, list[Request]], price: str
) -> None:
    """Written out, ten characters may be a million digits."""
    xero, sent = watched
    sent.clear()

    with pytest.raises(InvalidInput, match=r"^documents\[0\]\.line_items\[0\]\.unit_amount: .* money can be"):
        xero.invoices.create_one(Invoice(line_items=(LineItem(unit_amount=Decimal(price)),)))
    assert sent == []


@pytest.mark.parametrize("kind", [Contact, ContactGroup, TrackingOption], ids=lambda kind: kind.__name__)
def test_a_name_that_xero_let_in_once_can_be_read(kind: type[AttrsInstance]) -> None:
    """What was kept before a rule came is told as it is; only writing it again is refused."""
    assert encode(decode(kind, {"Name": "A <b>"}, where="test")) == {"Name": "A <b>"}


@pytest.mark.skipif(not openapi.SHARED.is_dir(), reason="Xero's published specification is not here")
def test_every_length_that_the_specification_tells_is_kept() -> None:
    schemas = cast(dict[str, dict[str, dict[str, dict[str, object]]]], openapi.specification("xero_accounting").schemas)
    checked = 0
    for model in MODELS:
        told = schemas.get(model.__name__, {}).get("properties", {})
        for each in attrs.fields(model):
            longest = told.get(wire_name(each), {}).get("maxLength")
            if longest is not None:
                checked += 1
                assert each.metadata.get("longest") == longest, f"{model.__name__}.{each.name}"
    assert checked > 30


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "Contacts ContactID Name Phones Addresses Elements ValidationErrors Warnings Message HasErrors "
                "StatusAttributeString DateTimeUTC pagination pageCount UpdatedDateUTC Balances Discount".split()
            )
            | st.text(max_size=4),
            inside,
            max_size=5,
        )
    ),
    max_leaves=12,
)
BODIES = st.binary(max_size=60) | JSON.map(dump) | st.fixed_dictionaries({"Contacts": st.lists(JSON)}).map(dump)
STATUSES = st.sampled_from([200, 204, 302, 400, 401, 403, 404, 405, 408, 409, 412, 429, 500, 503])


@given(body=BODIES, status=STATUSES, header=st.text(max_size=5), sent=st.integers(1, 3))
def test_no_answer_however_strange_is_more_than_unreadable(body: bytes, status: int, header: str, sent: int) -> None:
    headers = {"retry-after": header, "x-rate-limit-problem": header, "www-authenticate": header}
    response = Response(status, headers, body)

    for wanted in (None, Header(frozenset({"ContactID", "Phones"}), (("Phones", frozenset({"PhoneType"})),))):
        rows: Sequence[Row] = ()
        with suppress(UnreadableAnswer):
            rows = tuple(envelope(response, "Contacts", wanted).rows)
        for row in rows:
            with suppress(UnreadableAnswer):
                decode(Contact, row, where="Contacts")
    assert isinstance(refusal(response), XerosyncError)
    assert str(refusal(response))
    assert messages_of(response)
    assert retry_after_s(response) >= 0
    assert isinstance(refusal(response), UnreadableAnswer) == (status < 400)
    named_in_refusal(response)
    written: list[Json] = [{"Name": f"Contact {place}"} for place in range(sent)]
    told = verdicts(response, "Contacts", written, "ContactID")
    assert len(told) == sent
    confirmed = [each for each in told if each.verdict is Verdict.CONFIRMED]
    assert all(each.row is not None and isinstance(each.row["ContactID"], str) for each in confirmed)
    assert not confirmed or status == 200


DEEP: Final = b'{"Elements": ' + b"[" * 600 + b'{"ValidationErrors": [{"Message": "No."}]}' + b"]" * 600 + b"}"


def test_a_refusal_nested_beyond_reason_is_still_a_refusal() -> None:
    assert messages_of(Response(400, {}, DEEP)) == ("an answer without a message",)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"Contacts": [' + b"[" * 5000, b"1" * 10_000, b"1e999999999999"])
def test_an_answer_made_to_exhaust_its_reader_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        envelope(Response(200, {}, body), "Contacts")
    assert parse(b"1", where="test") == 1
