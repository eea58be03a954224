"""What becomes of each document written, on good days and bad ones: told truly, and never sent again blindly."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from attrs import define, evolve
from tests.conftest import BANK, DAY, Product, Through, found_product, is_write
from tests.engine.test_strange_answers import Altered

from xerosync import Xero
from xerosync.client.resources import Outcome, Remark, Written
from xerosync.errors import (
    NotFound,
    OrganisationRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ScopeMissing,
    Unavailable,
    XerosyncError,
)
from xerosync.models import (
    Account,
    AccountCode,
    AccountId,
    AccountType,
    Contact,
    ContactId,
    CreditNote,
    DocumentStatus,
    Invoice,
    InvoiceId,
    InvoiceType,
    LineItem,
    Payment,
    Quote,
)
from xerosync.ports import NotSent, Request, Response, Transport, TransportFault
from xerosync.simulator import Fault, Switches

CREATED, REJECTED, UNKNOWN = Outcome.CREATED, Outcome.REJECTED, Outcome.UNKNOWN


def names(count: int) -> list[Contact]:
    return [Contact(name=f"Contact {place:03}") for place in range(count)]


def outcomes(written: Sequence[Written[Contact]]) -> list[Outcome]:
    return [each.outcome for each in written]


def in_books(product: Product) -> list[str]:
    return [each.name for each in product.books.contacts]


def sale(product: Product, **others: object) -> Invoice:
    ana = product.books.add_contact(f"Ana {len(product.books.contacts)}")
    invoice = Invoice(
        type=InvoiceType.ACCREC,
        contact=Contact(contact_id=ContactId(ana.id)),
        line_items=(LineItem(description="Work", unit_amount=Decimal(10), account_code=AccountCode("200")),),
        date=DAY,
        due_date=DAY,
    )
    return evolve(invoice, **others)  # type: ignore[arg-type]


def watched(product: Product) -> tuple[Xero, list[Request]]:
    """A client, and the writes it sends to the books."""
    sent: list[Request] = []

    def note(request: Request) -> None:
        if is_write(request):
            sent.append(request)

    return product.xero(transport=Through(product.simulator.transport, before=note)), sent


def test_every_write_bears_a_key_of_its_own_with_the_organisation_inside(product: Product) -> None:
    """F 3.01, 3.07."""
    owed = product.invoice("Ana", "100.00")
    xero, sent = watched(product)

    xero.contacts.create(names(60))
    xero.accounts.create_one(Account(code=AccountCode("777"), name="Charges", type=AccountType.EXPENSE))
    xero.invoices.update_one(Invoice(invoice_id=InvoiceId(owed.id), reference="R"))
    xero.invoices.add_note(owed.id, "Called")
    xero.invoices.attach(owed.id, "a.pdf", b"%PDF")
    xero.invoices.void(owed.id)
    xero.accounts.delete(str(next(each.id for each in product.books.accounts if each.code == "777")))

    keys = [request.headers["Idempotency-Key"] for request in sent]
    assert len(set(keys)) == len(sent) == 8
    assert all(product.books.tenant_id in key and len(key) <= 128 for key in keys)


def test_many_documents_are_cut_into_calls_of_fifty_and_told_in_order(product: Product) -> None:
    xero, sent = watched(product)
    product.books.add_contact("Contact 070")

    written = xero.contacts.create(each for each in names(120))

    assert len(sent) == 3
    assert outcomes(written) == [CREATED] * 70 + [REJECTED] + [CREATED] * 49
    assert [each.document.name for each in written if each.document] == [
        each.name for place, each in enumerate(names(120)) if place != 70
    ]
    assert len(in_books(product)) == 120


def test_large_documents_are_cut_by_their_bytes_too(product: Product) -> None:
    """F 2.19: Xero advises to stay below 3.5 MB a call."""
    wide = tuple(
        LineItem(description="x" * 4000, unit_amount=Decimal(1), account_code=AccountCode("200")) for _ in range(100)
    )
    xero, sent = watched(product)

    written = xero.invoices.create([sale(product, line_items=wide) for _ in range(10)])

    assert [each.outcome for each in written] == [CREATED] * 10
    assert len(sent) == 2
    assert max(len(request.body) for request in sent) < 3_500_000
    assert len(product.books.invoices) == 10


def test_nothing_to_write_is_no_call(product: Product) -> None:
    xero, sent = watched(product)

    assert (xero.contacts.create([]), xero.contacts.update(())) == ([], [])
    assert sent == []


def test_a_refusal_tells_every_message_and_the_part_it_stands_at(product: Product, xero: Xero) -> None:
    """Row 108; F 5.41, 6.18."""
    product.books.archive_account("429")
    lines = (
        LineItem(description="Good", unit_amount=Decimal(1), account_code=AccountCode("200")),
        LineItem(description="Bad", unit_amount=Decimal(1), account_code=AccountCode("429")),
    )

    bad, good = xero.invoices.create([sale(product, line_items=lines, status=DocumentStatus.AUTHORISED), sale(product)])

    assert (bad.outcome, good.outcome) == (REJECTED, CREATED)
    assert len(bad.messages) == 2
    assert "429" in bad.messages[0]
    assert "has been archived" in bad.messages[1]
    assert {each.text for each in bad.remarks if each.field == "line_items[1]"} == set(bad.messages)
    with pytest.raises(Rejected) as refused:
        bad.or_raise()
    assert refused.value.messages == bad.messages
    assert refused.value.correlation
    assert good.or_raise().invoice_id == product.books.invoices[0].id


def test_a_warning_is_kept_though_the_document_was_taken(product: Product, xero: Xero) -> None:
    """F 5.48, 6.73."""
    (written,) = xero.invoices.create([sale(product, sent_to_contact=True)])

    said = "Only AUTHORISED invoices may have SentToContact updated."
    assert (written.outcome, written.messages) == (CREATED, (said,))
    assert written.remarks == (Remark(said, "", warning=True),)
    assert written.or_raise().invoice_id == product.books.invoices[0].id


def test_one_document_needs_no_list(product: Product, xero: Xero) -> None:
    ana = xero.contacts.create_one(Contact(name="Ana"))

    assert ana.contact_id == product.books.contacts[0].id
    assert xero.contacts.update_one(evolve(ana, email_address="ana@example.com")).contact_id == ana.contact_id
    with pytest.raises(Rejected, match="already assigned to another contact"):
        xero.contacts.create_one(Contact(name="ana"))
    with pytest.raises(Rejected):
        xero.accounts.update_one(
            Account(account_id=AccountId(product.books.account("200").id), code=AccountCode("090"))
        )
    assert [each.email for each in product.books.contacts] == ["ana@example.com"]


IN_DOUBT = [
    (Fault.SERVER_ERROR, 1, 0),
    (Fault.KEYS_DOWN, 1, 0),
    (Fault.LOST_BEFORE, 3, 0),
    (Fault.RESET_BEFORE, 3, 0),
    (Fault.UNAVAILABLE, 3, 0),
    (Fault.MAINTENANCE, 3, 0),
    (Fault.LOST_AFTER, 3, 2),
    (Fault.RESET_AFTER, 3, 2),
    (Fault.TRUNCATED, 3, 2),
    (Fault.BAD_GATEWAY, 3, 2),
    (Fault.GATEWAY_TIMEOUT, 3, 2),
]


@pytest.mark.parametrize(("fault", "times", "there"), IN_DOUBT, ids=lambda each: getattr(each, "value", each))
def test_a_write_nobody_can_speak_for_is_unknown_and_never_sent_under_another_key(
    product: Product, fault: Fault, times: int, there: int
) -> None:
    product.simulator.faults.plan(fault, method="PUT", path="/Contacts", times=times)
    xero, sent = watched(product)

    written = xero.contacts.create(names(2))

    assert outcomes(written) == [UNKNOWN] * 2
    assert len(sent) == times
    assert len({request.headers["Idempotency-Key"] for request in sent}) == 1
    assert len(in_books(product)) == there
    with pytest.raises(OutcomeUnknown, match="read it back") as unknown:
        written[0].or_raise()
    assert unknown.value.intent == sent[0].headers["Idempotency-Key"]


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.BAD_GATEWAY], ids=lambda each: each.value)
def test_so_it_is_with_documents_that_are_written_alone(product: Product, xero: Xero, fault: Fault) -> None:
    product.simulator.faults.plan(fault, method="PUT", path="/Accounts", times=3)
    charges = Account(code=AccountCode("777"), name="Charges", type=AccountType.EXPENSE)

    (written,) = xero.accounts.create([charges])

    assert written.outcome is UNKNOWN
    assert any(each.code == "777" for each in product.books.accounts) == (fault is not Fault.LOST_BEFORE)


NOT_APPLIED = [
    Fault.EXPIRED_TOKEN,
    Fault.REVOKED_TOKEN,
    Fault.MINUTE_LIMIT,
    Fault.CONCURRENT_LIMIT,
    Fault.SILENT_LIMIT,
    Fault.APP_MINUTE_LIMIT,
]


@pytest.mark.parametrize("fault", NOT_APPLIED, ids=lambda each: each.value)
def test_what_xero_turned_away_unread_is_sent_again_under_its_key(product: Product, fault: Fault) -> None:
    """F 1.60, 3.10: a token that has ended, and limits that open soon."""
    product.simulator.faults.plan(fault, method="PUT", path="/Contacts")
    xero, sent = watched(product)

    written = xero.contacts.create(names(2))

    assert outcomes(written) == [CREATED] * 2
    assert len(in_books(product)) == 2
    assert len({request.headers["Idempotency-Key"] for request in sent}) == 1
    assert len(sent) == 2


STOPPED: list[tuple[Fault, type[XerosyncError]]] = [
    (Fault.DAY_LIMIT, RateLimited),
    (Fault.MISSING_SCOPE, ScopeMissing),
    (Fault.FORBIDDEN, OrganisationRefused),
]


@pytest.mark.parametrize(("fault", "error"), STOPPED, ids=lambda each: getattr(each, "value", ""))
def test_what_time_will_not_cure_is_raised_and_nothing_was_written(
    product: Product, xero: Xero, fault: Fault, error: type[XerosyncError]
) -> None:
    product.simulator.faults.plan(fault, method="PUT", path="/Contacts")
    before = product.clock.now()

    with pytest.raises(error):
        xero.contacts.create(names(2))

    assert in_books(product) == []
    assert product.clock.now() - before < timedelta(minutes=3)


def test_an_error_between_two_calls_is_told_of_the_documents_that_are_left(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="PUT", path="/Contacts", after=1)

    written = xero.contacts.create(names(60))

    assert outcomes(written) == [CREATED] * 50 + [REJECTED] * 10
    with pytest.raises(RateLimited, match="day limit"):
        written[-1].or_raise()
    assert len(in_books(product)) == 50


def test_a_lost_call_in_the_middle_touches_no_other(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Contacts", after=1, times=3)

    written = xero.contacts.create(names(120))

    assert outcomes(written) == [CREATED] * 50 + [UNKNOWN] * 50 + [CREATED] * 20
    assert len(in_books(product)) == 120


def test_a_silence_that_lasts_is_not_written_into(product: Product) -> None:
    product.simulator.faults.plan(Fault.BAD_GATEWAY, method="PUT", path="/Contacts", times=15)
    xero, sent = watched(product)

    written = xero.contacts.create(names(400))

    assert outcomes(written) == [UNKNOWN] * 250 + [REJECTED] * 150
    assert len({request.headers["Idempotency-Key"] for request in sent}) == 5
    with pytest.raises(Unavailable, match="not sent"):
        written[-1].or_raise()


def test_the_last_element_refused_does_not_touch_the_others(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.PARTIAL_BATCH, method="PUT", path="/Contacts")

    assert outcomes(xero.contacts.create(names(3))) == [CREATED, CREATED, REJECTED]
    assert len(in_books(product)) == 2


@define
class Unreachable:
    """A way to Xero on which the first *times* writes find no connection."""

    inner: Transport
    times: int

    async def send(self, request: Request) -> Response:
        if is_write(request) and self.times:
            self.times -= 1
            raise NotSent("no connection")
        return await self.inner.send(request)

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        return await self.inner.send_all(requests, at_most=at_most)

    async def close(self) -> None:
        await self.inner.close()


def test_what_never_left_is_tried_again_for_a_while(product: Product) -> None:
    xero = product.xero(transport=Unreachable(product.simulator.transport, 3))
    assert outcomes(xero.contacts.create(names(2))) == [CREATED] * 2

    xero = product.xero(transport=Unreachable(product.simulator.transport, 100))
    with pytest.raises(Unavailable, match="no connection"):
        xero.contacts.create([Contact(name="Ben")])
    assert len(in_books(product)) == 2


@define
class Summarised:
    """A way to Xero that has forgotten ``summarizeErrors=false``: a bad element makes the whole call a 400 (F 5.33)."""

    inner: Transport

    async def send(self, request: Request) -> Response:
        return await self.inner.send(evolve(request, url=request.url.replace("summarizeErrors=false", "")))

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        return await self.inner.send_all(requests, at_most=at_most)

    async def close(self) -> None:
        await self.inner.close()


@pytest.mark.parametrize("atomic", [False, True])
def test_of_a_batch_refused_as_a_whole_nobody_says_that_its_good_elements_are_not_there(atomic: bool) -> None:
    """A.01: they were saved, in the Xero that was seen; the refusal names the bad ones only."""
    product = found_product(switches=Switches(batch_is_atomic=atomic))
    product.books.add_contact("Contact 001")
    xero = product.xero(transport=Summarised(product.simulator.transport))

    written = xero.contacts.create(names(3))

    assert outcomes(written) == [UNKNOWN] * 3
    assert "already assigned" in written[0].messages[0]
    assert len(in_books(product)) == (1 if atomic else 3)
    product.simulator.close()


def test_of_a_batch_refused_to_its_last_element_all_are_rejected(product: Product) -> None:
    for each in names(3):
        product.books.add_contact(each.name or "")
    xero = product.xero(transport=Summarised(product.simulator.transport))

    written = xero.contacts.create(names(3))

    assert outcomes(written) == [REJECTED] * 3
    assert [f"Contact {place:03}" in each.messages[0] for place, each in enumerate(written)] == [True] * 3


Json = dict[str, object]


def altered(product: Product, change: Callable[[list[Json]], object], key: str = "Contacts") -> Xero:
    """A client to whom Xero answers writes with what *change* makes of the rows."""

    def lying(request: Request, response: Response) -> Response:
        if not is_write(request):
            return response
        body = msgspec.json.decode(response.body, type=dict[str, object])
        rows = change(msgspec.convert(body.pop("Contacts"), list[dict[str, object]]))
        return evolve(response, body=msgspec.json.encode({**body, key: rows}))

    return product.xero(transport=Altered(product.simulator.transport, lying))


def with_id(rows: list[Json], own: object) -> list[Json]:
    return [rows[0] | {"ContactID": own}, *rows[1:]]


LIES: dict[str, tuple[Callable[[list[Json]], object], list[Outcome]]] = {
    "fewer": (lambda rows: rows[:-1], [UNKNOWN] * 3),
    "more": (lambda rows: [*rows, rows[0]], [UNKNOWN] * 3),
    "none": (lambda _: [], [UNKNOWN] * 3),
    "no list": (lambda rows: rows[0], [UNKNOWN] * 3),
    "nothing": (lambda _: None, [UNKNOWN] * 3),
    "no objects": (lambda rows: [str(row) for row in rows], [UNKNOWN] * 3),
    "other order": (lambda rows: rows[::-1], [UNKNOWN, CREATED, UNKNOWN]),
    "one twice": (lambda rows: [rows[0], rows[0], rows[2]], [UNKNOWN, UNKNOWN, CREATED]),
    "no id": (lambda rows: with_id(rows, None), [UNKNOWN, CREATED, CREATED]),
    "zero id": (lambda rows: with_id(rows, "00000000-0000-0000-0000-000000000000"), [UNKNOWN, CREATED, CREATED]),
    "number as id": (lambda rows: with_id(rows, 7), [UNKNOWN, CREATED, CREATED]),
    "wrong types": (lambda rows: [rows[0] | {"Phones": "none"}, *rows[1:]], [UNKNOWN, CREATED, CREATED]),
    "errors, and all is well": (
        lambda rows: [rows[0] | {"ValidationErrors": [{"Message": "No."}]}, *rows[1:]],
        [REJECTED, CREATED, CREATED],
    ),
    "an error inside, and no word of the whole": (
        lambda rows: [
            {"ContactID": rows[0]["ContactID"], "Phones": [{"ValidationErrors": [{"Message": "No."}]}]},
            *rows[1:],
        ],
        [UNKNOWN, CREATED, CREATED],
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_does_not_fit_what_was_sent_is_not_believed(product: Product, lie: str) -> None:
    change, told = LIES[lie]

    written = altered(product, change).contacts.create(names(3))

    assert outcomes(written) == told
    assert len(in_books(product)) == 3
    assert all(each.messages for each in written if each.outcome is not CREATED)


def test_a_failure_inside_a_success_is_a_refusal(product: Product) -> None:
    """F 5.39."""
    ana = product.books.add_contact("Ana")

    def failed(rows: list[Json]) -> object:
        said = [{"Message": "Payment amount exceeds the amount outstanding on this document"}]
        return [rows[0] | {"HasValidationErrors": True, "ValidationErrors": said}]

    xero = altered(product, failed)

    (written,) = xero.contacts.update([Contact(contact_id=ContactId(ana.id), first_name="A")])
    assert (written.outcome, "exceeds" in written.messages[0]) == (REJECTED, True)
    with pytest.raises(Rejected, match="exceeds"):
        xero.contacts.archive(ana.id)


def test_an_update_answered_with_another_document_is_unknown(product: Product) -> None:
    ana, ben = product.books.add_contact("Ana"), product.books.add_contact("Ben")
    xero = altered(product, lambda rows: [rows[0] | {"ContactID": ben.id}])

    (written,) = xero.contacts.update([Contact(contact_id=ContactId(ana.id), first_name="A")])

    assert (written.outcome, written.document) == (UNKNOWN, None)
    with pytest.raises(OutcomeUnknown, match="another document"):
        xero.contacts.archive(ana.id)


PAGES = [
    b"",
    b"<html>Sign in</html>",
    b"<?xml version='1.0'?><Response/>",
    b'{"Contacts": [{"Cont',
    b"[]",
    b"7",
    b"\xff",
]


@pytest.mark.parametrize("status", [200, 201, 302, 400, 502])
@pytest.mark.parametrize("page", PAGES, ids=[f"{page[:5]!r}" for page in PAGES])
def test_an_answer_that_cannot_be_read_is_no_answer(product: Product, page: bytes, status: int) -> None:
    ana = product.books.add_contact("Ana")

    def spoilt(request: Request, response: Response) -> Response:
        return Response(status, {}, page) if is_write(request) else response

    xero = product.xero(transport=Altered(product.simulator.transport, spoilt))
    # A 400 of JSON, however poor, is a refusal.
    refused = status == 400 and page in {b"[]", b"7"}

    assert outcomes(xero.contacts.create(names(2))) == [REJECTED if refused else UNKNOWN] * 2
    with pytest.raises(Rejected if refused else OutcomeUnknown):
        xero.contacts.archive(ana.id)
    assert len(in_books(product)) == 3


def test_what_is_written_to_an_address_that_is_not_there_is_not_found(product: Product, xero: Xero) -> None:
    gone = "00000000-0000-4000-8000-000000000000"

    with pytest.raises(NotFound):
        xero.contacts.archive(gone)
    (written,) = xero.accounts.update([Account(account_id=AccountId(gone), name="Charges")])
    assert written.outcome is REJECTED
    with pytest.raises(NotFound):
        written.or_raise()
    assert in_books(product) == []


def test_amounts_belong_to_their_own_payments_when_the_answer_is_shuffled(product: Product) -> None:
    owed = [product.invoice(name, "100.00") for name in ("Ana", "Ben")]
    bank = Account(code=AccountCode(BANK))
    payments = [
        Payment(invoice=Invoice(invoice_id=InvoiceId(each.id)), account=bank, amount=Decimal(10), date=DAY)
        for each in owed
    ]

    def turned(request: Request, response: Response) -> Response:
        if not is_write(request):
            return response
        body = msgspec.json.decode(response.body, type=dict[str, object])
        rows = msgspec.convert(body["Payments"], list[object])
        return evolve(response, body=msgspec.json.encode({**body, "Payments": rows[::-1]}))

    xero = product.xero(transport=Altered(product.simulator.transport, turned))

    assert [each.outcome for each in xero.payments.create(payments)] == [UNKNOWN] * 2
    assert [product.standing(each.id) for each in owed] == [[(Decimal(10), DAY)]] * 2


def test_a_refusal_of_one_is_never_told_of_another_that_was_taken(product: Product) -> None:
    """Else the caller would correct and send again what is in the books already."""
    product.books.add_contact("Contact 000")

    written = altered(product, lambda rows: rows[::-1]).contacts.create(names(2))

    assert outcomes(written) == [UNKNOWN] * 2
    assert in_books(product) == ["Contact 000", "Contact 001"]


def test_a_refused_document_and_its_error_survive_pickling(product: Product, xero: Xero) -> None:
    product.books.add_contact("Ana")
    (written,) = xero.contacts.create([Contact(name="Ana")])

    again = pickle.loads(pickle.dumps(written))  # noqa: S301

    assert (again.outcome, again.messages) == (written.outcome, written.messages)
    with pytest.raises(Rejected, match="already assigned"):
        again.or_raise()
    assert "Ana" not in repr(written) + repr(written.remarks)


def test_both_kinds_of_orders_and_credits_are_written_by_the_same_rule(product: Product, xero: Xero) -> None:
    """One good and one bad of each, so that no resource has a rule of its own."""
    ana = Contact(contact_id=ContactId(product.books.add_contact("Ana").id))
    good = (LineItem(description="Work", unit_amount=Decimal(1), account_code=AccountCode("200")),)

    notes = xero.credit_notes.create(
        [CreditNote(type=InvoiceType.ACCRECCREDIT, contact=ana, line_items=good), CreditNote(contact=ana)]
    )
    quotes = xero.quotes.create([Quote(contact=ana, date=DAY, line_items=good), Quote(date=DAY, line_items=good)])

    assert [[each.outcome for each in both] for both in (notes, quotes)] == [[CREATED, REJECTED]] * 2
