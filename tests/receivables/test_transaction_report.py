"""How transactions stand is told page by page, without a call to Xero (R39)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import CLEARING, DAY, Product, Through, nzd

from xerosync import (
    LineKind,
    Receivables,
    Sale,
    SaleLine,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Standing,
    Surplus,
    Transaction,
    TransactionState,
    TransactionStatus,
)
from xerosync.engine.transaction_report import ReportedTransaction, ReportWanted, paged
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode, InvoiceId

CHOSEN = SettlementSettings(surplus=Surplus.PARK, charge_back_account="850")


@pytest.fixture
def sales(product: Product) -> Receivables:
    return Receivables(product.xero(), clearing_account=CLEARING, settlements=CHOSEN)


def settle(sales: Receivables, transaction: str, amount: str, kind: LineKind = LineKind.COLLECTED) -> None:
    line = SettlementLine(id=f"{transaction} {kind}", transaction=transaction, amount=nzd(amount), kind=kind)
    sales.apply(sales.settle(Settlement(id=f"{kind} {transaction}", on=DAY, lines=[line])))


def told(sales: Receivables) -> dict[str, tuple[Standing, Decimal]]:
    return {each.transaction.id: (each.standing, each.collected.amount) for each in sales.transaction_report()}


def test_what_settlements_did_says_how_a_transaction_stands(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    stages: list[tuple[Standing, Decimal]] = [told(sales)[invoice.id]]

    for amount, kind in (("40.00", LineKind.COLLECTED), ("40.00", LineKind.CHARGED_BACK)):
        settle(sales, invoice.id, amount, kind)
        stages.append(told(sales)[invoice.id])
    settle(sales, invoice.id, "90.00", LineKind.REINSTATED)

    assert stages == [
        (Standing.PENDING, Decimal(0)),
        (Standing.APPROVED, Decimal(40)),
        (Standing.CHARGED_BACK, Decimal(0)),
    ]
    assert told(sales)[invoice.id] == (Standing.APPROVED, Decimal(90))
    (line,) = sales.transaction_report()
    assert line.settlements == (f"collected {invoice.id}", f"reinstated {invoice.id}")


def test_what_was_parked_counts_and_goes_with_a_charge_back(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    settle(sales, invoice.id, "120.00")
    assert told(sales)[invoice.id] == (Standing.APPROVED, Decimal(120))
    for payment in product.live_payments():
        product.books.reconcile_payment(payment.id)

    settle(sales, invoice.id, "120.00", LineKind.CHARGED_BACK)

    assert told(sales)[invoice.id] == (Standing.CHARGED_BACK, Decimal(0))


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        (TransactionStatus.SENT, Standing.PENDING),
        (TransactionStatus.APPROVED, Standing.APPROVED),
        (TransactionStatus.DECLINED, Standing.DECLINED),
        (TransactionStatus.DELETED, Standing.DELETED),
    ],
)
def test_what_the_host_said_counts_where_no_money_came(
    product: Product, sales: Receivables, status: TransactionStatus, standing: Standing
) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.follow([TransactionState(id=invoice.id, status=status, amount=nzd("100.00"))]))

    assert told(sales) == {invoice.id: (standing, Decimal(0))}
    assert [len(sales.transaction_report(each)) for each in Standing] == [each is standing for each in Standing]


def test_a_payment_that_somebody_removed_is_no_money(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    settle(sales, invoice.id, "100.00")
    product.books.remove_payment(product.live_payments()[0].id)
    sales.settle([])

    assert told(sales)[invoice.id] == (Standing.PENDING, Decimal(0))


def test_sales_of_the_hosts_own_are_reported_and_no_call_is_made(product: Product, sales: Receivables) -> None:
    product.collectable("100.00")
    line = SaleLine(description="x", amount=nzd("10.00"), account=AccountCode("200"))
    papers = [Sale(id=name, customer="Ana", on=DAY, lines=[line]) for name in ("s1", "s2")]
    sales.apply(sales.submit(papers))
    sales.apply(sales.void(["s2"]))
    sales.posted(["s2"])
    calls: list[str] = []
    quiet = Through(product.simulator.transport, before=lambda request: calls.append(request.url))
    reporting = Receivables(product.xero(transport=quiet), clearing_account=CLEARING)
    calls.clear()

    report = reporting.transaction_report()

    assert report.tallies == {"pending": 2, "deleted": 1}
    assert str(report) == "page 1 of 1: 2 pending · 1 deleted"
    assert {row["transaction"]: row["standing"] for row in report.rows()}["s2"] == "deleted"
    assert calls == []


def lines(count: int) -> Iterator[ReportedTransaction]:
    for number in range(count):
        transaction = Transaction(
            id=f"t{number:05}",
            invoice_id=InvoiceId(f"{number}"),
            invoice_number="",
            customer="ana",
            amount=nzd(1),
            on=DAY + timedelta(days=number % 3),
        )
        standing = Standing.APPROVED if number % 2 else Standing.PENDING
        yield ReportedTransaction(transaction=transaction, standing=standing, collected=nzd(0))


@given(st.integers(0, 60), st.integers(1, 9), st.sampled_from([None, *Standing]))
def test_the_pages_hold_each_transaction_once(count: int, per_page: int, standing: Standing | None) -> None:
    wanted = ReportWanted(standing=standing, per_page=per_page)
    first = paged(lines(count), wanted)

    pages = [paged(lines(count), evolve(wanted, page=page)) for page in range(1, first.pages + 1)]

    ids = [each.transaction.id for page in pages for each in page]
    expected = sorted(lines(count), key=lambda each: (each.transaction.on or DAY, each.transaction.id))
    assert ids == [each.transaction.id for each in expected if standing in {None, each.standing}]
    assert all(len(page) == per_page for page in pages[:-1])
    assert len(paged(lines(count), evolve(wanted, page=first.pages + 1))) == 0


def test_days_bound_a_report_and_what_cannot_be_is_refused(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    (line,) = sales.transaction_report()
    on = line.transaction.on or DAY

    assert [each.transaction.id for each in sales.transaction_report(first=on, last=on)] == [invoice.id]
    assert len(sales.transaction_report(last=on - timedelta(days=1))) == 0
    for wrong in ({"page": 0}, {"per_page": 1001}, {"first": on, "last": on - timedelta(days=1)}):
        with pytest.raises(InvalidInput):
            sales.transaction_report(**wrong)
    with pytest.raises(InvalidInput):
        sales.transaction_report("cleared")
