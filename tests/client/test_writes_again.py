"""Writes of the typed client on a bad day: what only passes heals by itself, and nothing is ever there twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Literal

import pytest
from attrs import define, evolve, field
from tests.conftest import BANK, DAY, Product, Through, found_product, is_write

from xerosync import Xero
from xerosync.client.resources import Outcome
from xerosync.errors import (
    NotAuthorised,
    OrganisationRefused,
    OutcomeUnknown,
    RateLimited,
    ScopeMissing,
    Unavailable,
    XerosyncError,
)
from xerosync.models import Account, AccountCode, Contact, Invoice, InvoiceId, Payment
from xerosync.ports import AnswerLost, NotSent, Request, Response, Transport, TransportFault
from xerosync.simulator import Fault, Switches

HEALS = [
    Fault.LOST_BEFORE,
    Fault.LOST_AFTER,
    Fault.RESET_BEFORE,
    Fault.RESET_AFTER,
    Fault.TRUNCATED,
    Fault.BAD_GATEWAY,
    Fault.GATEWAY_TIMEOUT,
    Fault.UNAVAILABLE,
    Fault.MAINTENANCE,
    Fault.MINUTE_LIMIT,
    Fault.CONCURRENT_LIMIT,
    Fault.APP_MINUTE_LIMIT,
    Fault.SILENT_LIMIT,
    Fault.EXPIRED_TOKEN,
    Fault.REVOKED_TOKEN,
]


def payment(invoice: str, amount: str = "10.00") -> Payment:
    return Payment(
        invoice=Invoice(invoice_id=InvoiceId(invoice)),
        account=Account(code=AccountCode(BANK)),
        amount=Decimal(amount),
        date=DAY,
    )


@define
class Watched:
    """The writes that left, by key and body, and something that happens in between."""

    inner: Transport
    writes: list[Request] = field(factory=list[Request])

    def watch(self, request: Request) -> None:
        if is_write(request):
            self.writes.append(request)

    def transport(self) -> Transport:
        return Through(self.inner, before=self.watch)


@pytest.mark.parametrize("fault", HEALS, ids=lambda fault: fault.value)
def test_a_write_outlives_what_only_passes_and_is_there_once(product: Product, fault: Fault) -> None:
    """Xero would take the same part payment twice without a word (F 6.128)."""
    sale = product.invoice("Ana", "100.00")
    watched = Watched(product.simulator.transport)
    xero = product.xero(transport=watched.transport())
    product.simulator.faults.plan(fault, method="PUT", path="/Payments")

    (written,) = xero.payments.create([payment(sale.id)])

    assert written.outcome is Outcome.CREATED
    assert product.standing(sale.id) == [(Decimal(10), DAY)]
    first, second = watched.writes
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.body == second.body


@pytest.mark.parametrize("scope", ["app", "token"])
@pytest.mark.parametrize("second", [Fault.EXPIRED_TOKEN, Fault.DAY_LIMIT, Fault.SERVER_ERROR, Fault.FORBIDDEN])
def test_a_write_in_doubt_is_never_sent_under_another_token_nor_called_refused(
    scope: Literal["app", "token"], second: Fault
) -> None:
    """Its first answer is lost; what the second attempt hears says nothing of the first (F 3.07, 3.10)."""
    product = found_product(switches=evolve(Switches(), idempotency_scope=scope))
    sale = product.invoice("Ana", "100.00")
    xero = product.xero()
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    product.simulator.faults.plan(second, method="PUT", path="/Payments")

    (written,) = xero.payments.create([payment(sale.id)])

    # A key that Xero knows is answered from its memory, whatever state the server is in; the gateway comes first.
    assert written.outcome is (Outcome.CREATED if second is Fault.SERVER_ERROR else Outcome.UNKNOWN)
    assert product.standing(sale.id) == [(Decimal(10), DAY)]
    product.simulator.close()


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.KEYS_DOWN], ids=lambda fault: fault.value)
def test_a_500_is_never_asked_again(product: Product, fault: Fault) -> None:
    """F 3.08: Xero keeps it under the key."""
    watched = Watched(product.simulator.transport)
    xero = product.xero(transport=watched.transport())
    product.simulator.faults.plan(fault, method="PUT", path="/Contacts")

    (written,) = xero.contacts.create([Contact(name="Ana")])

    assert (written.outcome, len(watched.writes)) == (Outcome.UNKNOWN, 1)
    assert list(product.books.contacts) == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.DAY_LIMIT, RateLimited),
        (Fault.MISSING_SCOPE, ScopeMissing),
        (Fault.FORBIDDEN, OrganisationRefused),
    ],
)
def test_what_does_not_pass_is_told_at_once(
    product: Product, xero: Xero, fault: Fault, error: type[XerosyncError]
) -> None:
    product.simulator.faults.plan(fault, method="PUT", path="/Contacts")
    before = product.clock.now()

    with pytest.raises(error):
        xero.contacts.create([Contact(name="Ana")])

    assert product.clock.now() - before < timedelta(seconds=2)
    assert list(product.books.contacts) == []


def test_a_token_that_is_refused_twice_is_told(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.EXPIRED_TOKEN, method="PUT", path="/Contacts", times=2)

    with pytest.raises(NotAuthorised, match="did not accept"):
        xero.contacts.create([Contact(name="Ana")])


@define
class Failing:
    """A way to Xero that fails at each write as *faults* say, after the call was done where the answer is lost."""

    product: Product
    faults: list[TransportFault]
    late_s: float = 0.0
    meanwhile: Callable[[], object] = bool
    sent: int = 0

    async def send(self, request: Request) -> Response:
        if not is_write(request) or not self.faults:
            return await self.product.simulator.transport.send(request)
        if request.not_after is not None and self.product.clock.now() > request.not_after:
            raise NotSent("too late")
        fault = self.faults.pop(0)
        self.sent += 1
        if isinstance(fault, AnswerLost):
            await self.product.simulator.transport.send(request)
        self.product.clock.advance(self.late_s)
        self.meanwhile()
        raise fault

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        assert at_most
        return [await self.send(request) for request in requests]

    async def close(self) -> None:
        """Nothing is held."""


def test_a_write_that_never_left_is_sent_until_it_does(product: Product) -> None:
    sale = product.invoice("Ana", "100.00")
    xero = product.xero(transport=Failing(product, [NotSent("no connection")] * 4))

    (written,) = xero.payments.create([payment(sale.id)])

    assert written.outcome is Outcome.CREATED
    assert product.standing(sale.id) == [(Decimal(10), DAY)]


def test_a_write_that_never_leaves_changed_nothing_and_says_so(product: Product) -> None:
    xero = product.xero(transport=Failing(product, [NotSent("no connection")] * 9))

    with pytest.raises(Unavailable, match="no connection"):
        xero.contacts.create([Contact(name="Ana")])

    assert list(product.books.contacts) == []


def test_a_write_in_doubt_that_then_cannot_leave_stays_in_doubt(product: Product) -> None:
    lost: list[TransportFault] = [AnswerLost("reset"), *[NotSent("no connection")] * 9]
    xero = product.xero(transport=Failing(product, lost))

    (written,) = xero.contacts.create([Contact(name="Ana")])

    assert written.outcome is Outcome.UNKNOWN
    assert [each.name for each in product.books.contacts] == ["Ana"]


def test_a_write_whose_answer_was_waited_for_too_long_is_not_sent_again(product: Product) -> None:
    """Its key is a minute old by then, and Xero forgets it after six (F 3.05, 3.13)."""
    sale = product.invoice("Ana", "100.00")
    failing = Failing(product, [AnswerLost("read timed out")] * 3, late_s=60.0)
    xero = product.xero(transport=failing)

    (written,) = xero.payments.create([payment(sale.id)])

    assert (written.outcome, failing.sent) == (Outcome.UNKNOWN, 1)
    assert product.standing(sale.id) == [(Decimal(10), DAY)]


def test_a_write_in_doubt_does_not_wait_for_a_turn_longer_than_its_key_may_live(product: Product) -> None:
    """The minute is used up when its turn would come: by then the key is too old, and it stays unknown."""
    sale = product.invoice("Ana", "100.00")
    other = product.xero()

    def spend() -> None:
        for _ in range(59):
            other.organisation()

    failing = Failing(product, [AnswerLost("reset")], meanwhile=spend)
    xero = product.xero(transport=failing)
    product.clock.advance(120)

    (written,) = xero.payments.create([payment(sale.id)])

    assert (written.outcome, failing.sent) == (Outcome.UNKNOWN, 1)
    assert product.standing(sale.id) == [(Decimal(10), DAY)]


def test_a_write_in_doubt_whose_run_has_no_call_left_is_unknown(product: Product) -> None:
    sale = product.invoice("Ana", "100.00")
    xero = product.xero(transport=Failing(product, [AnswerLost("reset")]))

    with xero.run(calls=1):
        (written,) = xero.payments.create([payment(sale.id)])

    assert written.outcome is Outcome.UNKNOWN
    assert product.standing(sale.id) == [(Decimal(10), DAY)]


def test_a_removal_for_which_xero_heeds_no_key_is_asked_once_when_in_doubt(product: Product) -> None:
    """F 3.02: no DELETE takes a key."""
    sale = product.invoice("Ana", "100.00")
    note = product.books.add_credit_note(sale.contact_id, amount=Decimal(40))
    part = product.books.allocate(note.id, invoice_id=sale.id, amount=Decimal(10))
    failing = Failing(product, [AnswerLost("reset")])
    xero = product.xero(transport=failing)

    with pytest.raises(OutcomeUnknown, match="read it back"):
        xero.credit_notes.delete_allocation(note.id, part.id)

    assert failing.sent == 1
    assert not [each for each in product.books.allocations if each.id == part.id]


def test_a_file_is_attached_once_though_its_answer_was_lost(product: Product, xero: Xero) -> None:
    sale = product.invoice("Ana", "100.00")
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Attachments")

    xero.invoices.attach(sale.id, "receipt.pdf", b"%PDF-1.4")

    assert [each.file_name for each in xero.invoices.attachments(sale.id)] == ["receipt.pdf"]


def test_a_storm_over_many_writes_doubles_and_loses_nothing_that_was_told(product: Product, xero: Xero) -> None:
    sale = product.invoice("Ana", "1000.00")
    storm = product.simulator.faults.storm(
        rate=0.3, seed=7, method="PUT", path="/Payments", kinds=[Fault.LOST_AFTER, Fault.LOST_BEFORE, Fault.BAD_GATEWAY]
    )
    outcomes = [xero.payments.create([payment(sale.id, f"{place}.00")])[0].outcome for place in range(1, 31)]

    amounts = [amount for amount, _ in product.standing(sale.id)]
    told = [Decimal(place) for place, outcome in enumerate(outcomes, 1) if outcome is Outcome.CREATED]
    assert len(amounts) == len(set(amounts))
    assert set(told) <= set(amounts)
    assert len(told) >= 29
    assert storm.struck


def test_a_single_write_in_doubt_says_to_look(product: Product) -> None:
    sale = product.invoice("Ana", "100.00")
    paid = product.books.add_payment(sale.id, account=BANK)
    xero = product.xero(transport=Failing(product, [AnswerLost("reset")] * 3))

    with pytest.raises(OutcomeUnknown, match="read it back"):
        xero.payments.delete(paid.id)

    assert product.standing(sale.id) == []
