"""Customers' credit: submitted credit notes and parked money are set against what they owe, or given back (63)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd

from xerosync import (
    CreditRefund,
    Customer,
    LineKind,
    Receivables,
    Sale,
    SaleLine,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    TransactionState,
    TransactionStatus,
)
from xerosync.errors import InvalidInput, Misconfigured
from xerosync.models import AccountCode
from xerosync.simulator import Fault

WITHOUT_A_BANK = "650"


def sale(name: str, amount: str, days: int = 0, customer: str = "ana") -> Sale:
    line = SaleLine(description="Dues", amount=nzd(amount), account=AccountCode("200"))
    return Sale(id=name, customer=customer, on=DAY, due=DAY + timedelta(days=days), lines=[line])


def story(product: Product, clearing: str = CLEARING, *, batches: bool = False) -> Receivables:
    """A story that parks what is collected too much; customers ``ana`` and ``bea`` are connected."""
    chosen = SettlementSettings(surplus=Surplus.PARK, charge_back_account="850", batches=batches)
    sales = Receivables(product.xero(), clearing_account=clearing, settlements=chosen)
    names = {"ana": "Ana Costa", "bea": "Bea Diaz"}
    for name in names.values():
        if name not in {each.name for each in product.books.contacts}:
            product.books.add_contact(name)
    sales.apply(sales.match([Customer(id=name, custom_identifier=known) for name, known in names.items()]))
    return sales


@pytest.fixture
def sales(product: Product) -> Receivables:
    return story(product)


def submit(sales: Receivables, *papers: Sale) -> None:
    sales.apply(sales.submit(papers))


def collect(sales: Receivables, name: str, amount: str, line: str = "L1") -> None:
    lines = [SettlementLine(id=line, transaction=name, amount=nzd(amount))]
    plan = sales.settle(Settlement(id=line, on=DAY, lines=lines))
    assert plan.findings == ()
    sales.apply(plan)


def due(sales: Receivables, *names: str) -> list[Decimal]:
    return [each.due.amount for each in sales.posted(names)]


def test_a_credit_note_is_set_against_what_is_due_first(sales: Receivables) -> None:
    submit(sales, sale("late", "30.00", 9), sale("soon", "20.00", 3), sale("hers", "90.00", customer="bea"))
    submit(sales, sale("c1", "-35.00"))

    plan = sales.allocate()
    sales.apply(plan)

    assert [(each.worth, each.reason) for each in plan] == [
        (nzd("20.00"), "credit of c1, against what is due first"),
        (nzd("15.00"), "credit of c1, against what is due first"),
    ]
    assert due(sales, "soon", "late", "hers", "c1") == [0, Decimal(15), Decimal(90), 0]
    assert not sales.allocate()


@pytest.mark.parametrize("clearing", [CLEARING, WITHOUT_A_BANK])
def test_what_was_collected_too_much_is_offered_for_what_is_owed_next(product: Product, clearing: str) -> None:
    product.books.add_account(WITHOUT_A_BANK, "Clearing", type="CURRENT", enable_payments=True)
    sales = story(product, clearing)
    submit(sales, sale("s1", "50.00"))
    collect(sales, "s1", "70.00")
    assert not sales.allocate()
    submit(sales, sale("s2", "30.00"))

    assert not sales.allocate(["another"])
    sales.apply(sales.allocate(["L1"]))

    assert due(sales, "s1", "s2") == [0, Decimal(10)]
    assert (len(sales.allocate()), sales.reconcile().clean) == (0, True)


def test_invoices_that_the_host_does_not_know_are_left_unless_chosen(product: Product, sales: Receivables) -> None:
    by_hand = product.invoice("Ana Costa", "40.00")
    submit(sales, sale("c1", "-35.00"))

    assert not sales.allocate()
    sales.apply(sales.allocate(invoices=[by_hand.id]))

    assert product.books.invoice(by_hand.id).amount_due == Decimal(5)


def test_what_the_payer_was_asked_for_is_left_to_be_paid(product: Product, sales: Receivables) -> None:
    asked = product.invoice("Ana Costa", "40.00")
    sales.apply(sales.import_invoices())
    told = TransactionState(id=asked.id, status=TransactionStatus.SENT, amount=nzd("40.00"))
    sales.apply(sales.follow([told]))
    submit(sales, sale("c1", "-35.00"))

    assert not sales.allocate()
    sales.apply(sales.follow([evolve(told, status=TransactionStatus.DECLINED)]))
    sales.apply(sales.allocate())

    assert product.books.invoice(asked.id).amount_due == Decimal(5)


@pytest.mark.parametrize("clearing", [CLEARING, WITHOUT_A_BANK])
def test_what_was_due_is_paid_though_xero_refused_it_once_and_the_rest_is_parked(
    product: Product, clearing: str
) -> None:
    product.books.add_account(WITHOUT_A_BANK, "Clearing", type="CURRENT", enable_payments=True)
    sales = story(product, clearing)
    submit(sales, sale("s1", "50.00"))
    settlement = Settlement(id="S", on=DAY, lines=[SettlementLine(id="L1", transaction="s1", amount=nzd("70.00"))])
    product.simulator.faults.plan(Fault.PARTIAL_BATCH, method="PUT", path="/Payments")
    assert len(sales.apply(sales.settle(settlement)).unfinished) == 1

    assert [each.code for each in sales.settle(settlement).findings] == ["refused by Xero"]
    sales.apply(sales.settle(settlement, retry_refused=True))

    assert [each.amount for each in product.books.payments] == [Decimal(50)]
    assert product.books.balance(product.books.account(clearing).id) == Decimal(70)
    assert (len(sales.settle(settlement)), sales.reconcile().clean) == (0, True)


def test_what_was_due_is_not_paid_in_part_once_the_rest_is_parked(product: Product) -> None:
    sales = story(product)
    submit(sales, sale("s1", "50.00"))
    settlement = Settlement(id="S", on=DAY, lines=[SettlementLine(id="L1", transaction="s1", amount=nzd("70.00"))])
    product.simulator.faults.plan(Fault.PARTIAL_BATCH, method="PUT", path="/Payments")
    sales.apply(sales.settle(settlement))
    (invoice,) = product.books.invoices
    product.books.add_payment(invoice.id, account=BANK, amount=Decimal(10), date=DAY)

    plan = sales.settle(settlement, retry_refused=True)

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["does not fit"])


@pytest.mark.parametrize("batches", [False, True])
def test_credit_is_not_set_against_an_invoice_whose_payment_is_in_doubt(product: Product, batches: bool) -> None:
    sales = story(product, batches=batches)
    submit(sales, sale("s1", "50.00"), sale("s2", "20.00"), sale("c1", "-60.00"))
    lines = [SettlementLine(id=f"L{each}", transaction=each, amount=nzd("20.00")) for each in ("s1", "s2")]
    product.simulator.faults.plan(Fault.LOST_BEFORE, method="PUT")
    sales.apply(sales.settle(Settlement(id="S", on=DAY, lines=lines)))

    plan = sales.allocate()

    assert (len(plan), {each.code for each in plan.findings}) == (0, {"payment in doubt"})
    product.clock.advance(3600)
    assert sales.recover().open == 0
    sales.apply(sales.settle(Settlement(id="S", on=DAY, lines=lines)))
    sales.apply(sales.allocate())
    assert due(sales, "s1", "s2", "c1") == [0, 0, Decimal(-30)]
    assert sorted(each.amount for each in product.books.payments) == [20, 20]


def test_an_invoice_that_is_open_again_takes_more_of_the_same_credit(product: Product, sales: Receivables) -> None:
    submit(sales, sale("s1", "50.00"), sale("c1", "-60.00"))
    collect(sales, "s1", "30.00")
    sales.apply(sales.allocate())
    back = SettlementLine(id="B1", transaction="s1", amount=nzd("30.00"), kind=LineKind.CHARGED_BACK)
    sales.apply(sales.settle(Settlement(id="B", on=DAY, lines=[back])))

    sales.apply(sales.allocate())

    assert [each.amount for each in product.books.allocations] == [Decimal(20), Decimal(30)]
    assert due(sales, "s1", "c1") == [0, Decimal(-10)]
    assert not sales.allocate()


def test_an_allocation_that_somebody_took_back_is_not_made_again(product: Product, sales: Receivables) -> None:
    submit(sales, sale("s1", "20.00"), sale("c1", "-60.00"))
    sales.apply(sales.allocate())
    (allocated,) = product.books.allocations
    product.xero().credit_notes.delete_allocation(allocated.credit_id, allocated.id)

    plan = sales.allocate()

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (0, [("removed in Xero", "c1")])
    sales.apply(sales.allocate(invoices=[allocated.invoice_id]))
    assert due(sales, "s1") == [0]


def test_credit_in_closed_books_waits(product: Product, sales: Receivables) -> None:
    submit(sales, sale("s1", "20.00"), sale("c1", "-60.00"))
    product.books.lock_period(DAY)

    plan = sales.allocate()

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (0, [("books closed", "c1")])


@pytest.mark.parametrize(("credit", "worth"), [("-0.01", "0.01"), ("-60.00", "50.00"), ("-40.00", "40.00")])
def test_credit_in_closed_books_is_one_finding_however_many_invoices_it_is_meant_for(
    product: Product, sales: Receivables, credit: str, worth: str
) -> None:
    submit(sales, sale("s1", "20.00"), sale("s2", "30.00"), sale("c1", credit))
    product.books.lock_period(DAY)

    plan = sales.allocate()

    assert [(each.code, each.about, each.worth) for each in plan.findings] == [("books closed", "c1", nzd(worth))]


def test_what_is_left_of_a_credit_note_is_given_back_once(product: Product, sales: Receivables) -> None:
    submit(sales, sale("s1", "20.00"), sale("c1", "-50.00"))
    sales.apply(sales.allocate())
    part = CreditRefund(id="r1", credit_id="c1", on=DAY, amount=nzd("10.00"), account=BANK)
    rest = CreditRefund(id="r2", credit_id="c1", on=DAY)

    plan = sales.refund([part, rest])
    sales.apply(plan)

    assert [each.worth for each in plan] == [nzd("10.00"), nzd("20.00")]
    assert due(sales, "c1") == [0]
    assert product.books.balance(product.books.account(BANK).id) == Decimal(-10)
    assert product.books.balance(product.books.account(CLEARING).id) == Decimal(-20)
    assert (len(sales.refund([part, rest])), sales.refund([part, rest]).findings) == (0, ())


def test_a_refund_that_cannot_be_is_a_finding(product: Product, sales: Receivables) -> None:
    submit(sales, sale("c1", "-50.00"))
    wrong = [
        CreditRefund(id="r1", credit_id="c1", on=DAY, amount=nzd("51.00")),
        CreditRefund(id="r2", credit_id="never", on=DAY),
        CreditRefund(id="r3", credit_id="c1", on=DAY, account="200"),
    ]

    plan = sales.refund(wrong)

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (
        0, [("does not fit", "r1"), ("not created here", "r2"), ("account cannot pay", "r3")],
    )  # fmt: skip
    with pytest.raises(InvalidInput):
        CreditRefund(id="r4", credit_id="c1", on=DAY, amount=nzd("-1.00"))
    with pytest.raises(Misconfigured, match="clearing account"):
        Receivables(product.xero()).refund(wrong[:1])


def test_a_credit_that_something_is_set_against_is_not_taken_back(sales: Receivables) -> None:
    submit(sales, sale("s1", "20.00"), sale("c1", "-50.00"))
    sales.apply(sales.allocate())

    assert [(each.code, each.about) for each in sales.void(["c1"]).findings] == [("money on it", "c1")]


@pytest.mark.parametrize("clearing", [CLEARING, WITHOUT_A_BANK])
@pytest.mark.parametrize("paid_before", [True, False])
def test_money_that_was_parked_used_and_charged_back_is_owed_again(
    product: Product, clearing: str, paid_before: bool
) -> None:
    product.books.add_account(WITHOUT_A_BANK, "Clearing", type="CURRENT", enable_payments=True)
    sales = story(product, clearing)
    submit(sales, sale("s1", "50.00"), sale("s2", "30.00"))
    if paid_before:
        collect(sales, "s1", "50.00", line="L0")
    collect(sales, "s1", "70.00")
    sales.apply(sales.allocate())
    amount = nzd("120.00" if paid_before else "70.00")
    back = SettlementLine(id="B1", transaction="s1", amount=amount, kind=LineKind.CHARGED_BACK)

    plan = sales.settle(Settlement(id="B", on=DAY, lines=[back]))
    sales.apply(plan)

    balance = product.books.balance(product.books.account(clearing).id)
    owed = [each for each in product.books.invoices if each.is_posted]
    credit = sum(each.amount_due for each in product.books.credit_notes if each.is_posted)
    credit += sum((each.amount_due for each in product.books.overpayments if each.is_posted), Decimal(0))
    assert (balance, plan.findings) == (Decimal(0), ())
    assert sum(each.amount_due for each in owed) - credit == Decimal(80)
    assert not sales.settle(Settlement(id="B", on=DAY, lines=[back]))
    assert sales.reconcile().clean


AMOUNTS = st.lists(st.integers(1, 9_999).map(lambda cents: Decimal(cents) / 100), min_size=1, max_size=4)


@settings(max_examples=20)
@given(AMOUNTS, AMOUNTS)
def test_no_cent_of_credit_is_lost_or_used_twice(owed: list[Decimal], credited: list[Decimal]) -> None:
    product = found_product()
    sales = story(product)
    papers = [sale(f"s{place}", str(amount), place) for place, amount in enumerate(owed)]
    papers += [sale(f"c{place}", str(-amount)) for place, amount in enumerate(credited)]
    submit(sales, *papers)

    sales.apply(sales.allocate())

    allocated = sum((each.amount for each in product.books.allocations), Decimal(0))
    assert allocated == min(sum(owed), sum(credited))
    left = due(sales, *(paper.id for paper in papers))
    assert sum((each for each in left if each > 0), Decimal(0)) == sum(owed) - allocated
    assert -sum((each for each in left if each < 0), Decimal(0)) == sum(credited) - allocated
    assert not sales.allocate()
    product.simulator.close()
