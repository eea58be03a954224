"""What Xero tells of the library's own writes, and of what people did beside them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conftest import BANK, CLEARING, DAY, Product, Through, is_write, nzd
from tests.running.conftest import listening, wait, worker_of
from tests.running.test_worker import Host, settlement

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    Customer,
    Ended,
    Payables,
    Receivables,
    Settlement,
    SettlementLine,
    Why,
    Xero,
)
from xerosync.models import AccountCode
from xerosync.ports import Request


@pytest.fixture
def host() -> Host:
    return Host()


def settle_three(xero: Xero) -> None:
    sales = Receivables(xero, clearing_account=CLEARING)
    sales.apply(sales.match([Customer(id="c1", custom_identifier="Ana Costa")]))
    sales.apply(sales.import_invoices())
    lines = tuple(SettlementLine(id=each.id, transaction=each.id, amount=nzd("1.00")) for each in sales.transactions())
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=lines[:3])))


def pay_three(xero: Xero) -> None:
    purchases = Payables(xero, payment_account=BANK)
    bills = [
        Bill(
            id=f"b{place}", vendor="Paper Ltd", number=f"B{place}", on=DAY,
            lines=[BillLine(description="paper", amount=nzd("1.00"), account=AccountCode("429"))],
        )
        for place in range(3)
    ]  # fmt: skip
    purchases.apply(purchases.submit(bills))
    paid = [BillPayment(id=f"p{each.id}", bill_id=each.id, on=DAY) for each in bills]
    purchases.apply(purchases.pay(paid, batch=True))


@pytest.mark.parametrize("work", [settle_three, pay_three])
def test_the_echo_of_one_s_own_payments_costs_no_call(prompt: Product, work: Callable[[Xero], None]) -> None:
    """Xero tells that the invoices have changed, which nobody but the library has done."""
    for place in (1, 2, 3):
        prompt.invoice("Ana Costa", f"{place}.00")
    hook = listening(prompt)
    wait(prompt, 1)
    worker = worker_of(prompt, work)
    worker.run(prompt.books.tenant_id)
    calls = prompt.simulator.calls
    assert len(prompt.live_payments()) == 3
    wait(prompt, 5)
    assert hook.told.count(("INVOICE", "UPDATE")) == 3
    (due,) = worker.due()

    assert worker.run(due.organisation).ended is Ended.QUIET
    assert prompt.simulator.calls == calls

    prompt.invoice("Ana Costa", "7.00")
    wait(prompt, 5)
    assert worker.run(prompt.books.tenant_id).why is Why.TOLD


@pytest.mark.parametrize("before", [True, False])
def test_what_people_change_beside_one_s_own_payment_is_no_echo(prompt: Product, host: Host, before: bool) -> None:
    """Two seconds before the payment, but after all was read, or two seconds after it."""
    invoice = prompt.invoice("Ana Costa", "100.00")
    hook = listening(prompt)

    def edit(request: Request) -> None:
        if before and is_write(request, "/Payments"):
            prompt.books.edit_invoice(invoice.id, Reference="of people")
            prompt.clock.advance(2)

    worker = worker_of(prompt, host, transport=Through(prompt.simulator.transport, before=edit))
    worker.run(prompt.books.tenant_id)
    host.settlements.append(settlement(invoice.id, "40.00", prompt.clock.now().date()))
    worker.wake(prompt.books.tenant_id)
    worker.run(prompt.books.tenant_id)
    if not before:
        prompt.clock.advance(2)
        prompt.books.edit_invoice(invoice.id, Reference="of people")
    assert [each.amount for each in prompt.live_payments()] == [40]
    wait(prompt, 1)

    assert sum(len(answer.events) for answer in hook.answers) == 2
    assert worker.run(prompt.books.tenant_id).why is Why.TOLD


def test_what_is_told_of_a_list_that_the_work_never_reads_costs_one_run(prompt: Product, host: Host) -> None:
    """Nothing of it will ever show in the mirror, so that there is nothing to wait for."""
    ana = prompt.invoice("Ana Costa", "1.00").contact_id
    listening(prompt)
    worker = worker_of(prompt, host)
    worker.run(prompt.books.tenant_id)
    prompt.books.add_credit_note(ana, amount=nzd("5.00").amount)
    wait(prompt, 0.1)

    assert worker.run(prompt.books.tenant_id).why is Why.TOLD
    wait(prompt, 2)
    assert worker.due() == ()
    assert worker.run(prompt.books.tenant_id).ended is Ended.QUIET
