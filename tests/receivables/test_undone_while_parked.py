"""What is parked of what was undone: released, it is looked for, and never sent again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, Through, is_write, nzd
from tests.engine.scenarios import paper

from xerosync import (
    BillPayment,
    Fee,
    Ledger,
    LineKind,
    Payables,
    Plan,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Xero,
)
from xerosync.errors import Suspended
from xerosync.ports import AnswerLost, Request

CHOSEN = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")


def losing(product: Product, path: str, part: str) -> Xero:
    """A client from which no write to *path* arrives that says this *part*."""

    def swallow(request: Request) -> None:
        if is_write(request, path) and part.encode() in request.body:
            raise AnswerLost("the connection was reset")

    return product.xero(transport=Through(product.simulator.transport, before=swallow))


def parked(product: Product, sales: Receivables | Payables, plan: Callable[[], Plan]) -> None:
    """Apply what is planned until something of it is parked, and Xero was left in peace for a day."""
    ledger = Ledger(product.xero())
    for _ in range(48):
        with suppress(Suspended):
            sales.recover()
            sales.apply(plan())
        product.clock.advance(3600)
        if ledger.parked():
            product.clock.advance(86_400)
            return
    raise AssertionError("it never came to an end")


def settlement(product: Product, *, paid_out: bool = False) -> Settlement:
    invoices = {"L1": product.collectable("100.00"), "L2": product.collectable("13.00", "Bo Lee")}
    lines = [SettlementLine(id=name, transaction=each.id, amount=nzd(each.total)) for name, each in invoices.items()]
    fees = [Fee(amount=nzd("1.00"))]
    return Settlement(id="S1", on=DAY, lines=lines, fees=fees, paid_out_on=DAY if paid_out else None)


def release(product: Product) -> set[tuple[str, str]]:
    """Let what is parked go; what is said of it: each code with its cause."""
    ledger = Ledger(product.xero())
    assert ledger.release() == 1
    recovery = ledger.recover()
    assert (recovery.sent, ledger.parked()) == (0, ())
    return {(each.code, each.cause) for each in recovery.findings}


NOT_SENT = {("changed since planned", "what it is of was undone since it was planned, so it was not sent")}


def nothing_stands(product: Product) -> bool:
    balances = {product.books.balance(product.books.account(code).id) for code in (CLEARING, BANK, "404")}
    return (balances, product.live_payments()) == ({Decimal(0)}, [])


@pytest.mark.parametrize("of", ["settlement", "run"])
def test_a_payment_that_is_parked_is_not_posted_after_its_settlement_or_its_run_was_undone(
    product: Product, of: str
) -> None:
    sales = Receivables(losing(product, "/Payments", "13.00"), clearing_account=CLEARING, settlements=CHOSEN)
    given = settlement(product)
    report = sales.apply(sales.settle(given))
    parked(product, sales, lambda: sales.settle(given))
    ledger = Ledger(product.xero())

    def undo() -> Plan:
        return sales.undo_settlement(given) if of == "settlement" else ledger.undo(report.run)

    plan = undo()
    sales.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("parked", "L2")]
    assert [each.code for each in undo().findings] == ["parked"]
    assert release(product) == NOT_SENT
    assert nothing_stands(product)
    assert (len(undo()), undo().findings) == (0, ())


def test_a_parked_payment_that_is_found_after_its_settlement_was_undone_is_undone_then(product: Product) -> None:
    sales = Receivables(losing(product, "/Payments", "13.00"), clearing_account=CLEARING, settlements=CHOSEN)
    given = settlement(product)
    parked(product, sales, lambda: sales.settle(given))
    sales.apply(sales.undo_settlement(given))
    (intent,) = [each for each in product.store.query("intent", product.books.tenant_id) if each.state == "parked"]
    mark = dict(intent.lookups)["tag"]
    product.books.add_payment(given.lines[1].transaction, account=CLEARING, date=DAY, reference=f"found {mark}")
    ledger = Ledger(product.xero())
    ledger.release()

    assert ledger.recover().found == 1
    sales.apply(sales.undo_settlement(given))

    assert nothing_stands(product)


def test_where_all_of_a_settlement_is_parked_it_is_released_before_it_is_undone(product: Product) -> None:
    """Nothing that was taken back would say that it was undone, and released, it would be posted."""
    sales = Receivables(losing(product, "/Payments", "13.00"), clearing_account=CLEARING, settlements=CHOSEN)
    given = evolve(settlement(product), fees=[])
    given = evolve(given, lines=given.lines[1:])
    parked(product, sales, lambda: sales.settle(given))

    plan = sales.undo_settlement(given)

    assert not plan
    assert [(each.code, each.fix) for each in plan.findings] == [
        ("cannot be undone", "release() it and call recover(), then undo again")
    ]
    ledger = Ledger(product.xero())
    ledger.release()
    ledger.recover()
    sales.apply(sales.undo_settlement(given))
    assert nothing_stands(product)


@pytest.mark.parametrize("of", ["settlement", "run of its lines", "portion"])
def test_a_payout_that_is_parked_is_not_posted_after_what_it_pays_out_was_undone(product: Product, of: str) -> None:
    sales = Receivables(losing(product, "/BankTransfers", "112"), clearing_account=CLEARING, settlements=CHOSEN)
    given = settlement(product, paid_out=True)
    portion = Settlement(id="P1", on=DAY, lines=given.lines)
    run = sales.apply(sales.settle(portion if of == "portion" else evolve(given, fees=[], paid_out_on=None))).run
    parked(product, sales, lambda: sales.settle(given))

    match of:
        case "settlement":
            sales.apply(sales.undo_settlement(given))
        case "portion":
            sales.apply(sales.undo_settlement(portion))
        case _:
            sales.apply(Ledger(product.xero()).undo(run))

    assert release(product) == NOT_SENT
    assert not product.books.bank_transfers
    assert product.live_payments() == []


def test_a_batch_that_is_parked_is_not_posted_after_its_settlement_was_undone(product: Product) -> None:
    chosen = evolve(CHOSEN, batches=True)
    sales = Receivables(losing(product, "/BatchPayments", "13.00"), clearing_account=CLEARING, settlements=chosen)
    given = settlement(product)
    parked(product, sales, lambda: sales.settle(given))

    plan = sales.undo_settlement(given)
    sales.apply(plan)

    assert {(each.code, each.about) for each in plan.findings} == {("parked", "L1"), ("parked", "L2")}
    assert release(product) == NOT_SENT
    assert nothing_stands(product)


def test_a_charge_back_that_is_parked_takes_nothing_back_after_its_settlement_was_undone(product: Product) -> None:
    sales = Receivables(losing(product, "/Payments/", "DELETED"), clearing_account=CLEARING, settlements=CHOSEN)
    given = evolve(settlement(product), fees=[])
    sales.apply(sales.settle(given))
    line = SettlementLine(
        id="B1", transaction=given.lines[0].transaction, amount=nzd("100.00"), kind=LineKind.CHARGED_BACK
    )
    back = Settlement(id="S2", on=DAY, lines=[line], fees=[Fee(amount=nzd("2.00"))])
    parked(product, sales, lambda: sales.settle([given, back]))

    sales.apply(sales.undo_settlement(back))

    assert release(product) == NOT_SENT
    assert sorted(each.amount for each in product.live_payments()) == [13, 100]


def test_a_payment_of_a_bill_that_is_parked_is_not_posted_after_its_run_was_undone_until_it_is_planned_again(
    product: Product,
) -> None:
    bills = Payables(losing(product, "/Payments", "13.00"), payment_account=BANK)
    bills.apply(bills.submit([paper("b1", "13.00"), paper("b2", "20.00")]))
    payments = [BillPayment(id=f"p-{each}", bill_id=each, on=DAY) for each in ("b1", "b2")]
    run = bills.apply(bills.pay(payments)).run
    parked(product, bills, lambda: bills.pay(payments))

    bills.apply(Ledger(product.xero()).undo(run))

    assert release(product) == NOT_SENT
    assert nothing_stands(product)
    working = Payables(product.xero(), payment_account=BANK)
    working.apply(working.pay(payments[:1]))
    assert [each.amount for each in product.live_payments()] == [13]
