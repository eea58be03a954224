"""Beginning where people entered things by hand: what matches is taken over, nothing is twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd

from xerosync import (
    Customer,
    Fee,
    Ledger,
    LineKind,
    Money,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    WhichOne,
    Xero,
)
from xerosync.models import BankTransaction, BankTransactionId
from xerosync.simulator import Fault

SETTINGS = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")


@pytest.fixture
def sales(xero: Xero) -> Receivables:
    return Receivables(xero, clearing_account=CLEARING, settlements=SETTINGS)


def of(*lines: tuple[str, str], whole: bool = False) -> Settlement:
    """A settlement of lines L0, L1 … each of a transaction and an amount; a *whole* one has fees and was paid out."""
    listed = [
        SettlementLine(id=f"L{place}", transaction=transaction, amount=nzd(amount))
        for place, (transaction, amount) in enumerate(lines)
    ]
    fees = [Fee(amount=nzd("1.00"))] if whole else []
    return Settlement(id="S1", on=DAY, lines=listed, fees=fees, paid_out_on=DAY if whole else None)


def sold(product: Product, amount: str = "100.00") -> str:
    """An invoice whose customer is connected, and that nothing was imported of."""
    invoice = product.invoice("Ana Costa", amount)
    sales = Receivables(product.xero())
    sales.apply(sales.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    return invoice.id


def clearing(product: Product) -> Decimal:
    return product.books.balance(product.books.account(CLEARING).id)


def test_a_payment_typed_on_its_day_is_taken_over_and_not_posted_again(product: Product, sales: Receivables) -> None:
    invoice = sold(product)
    product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY)
    settlement = of(("t-1", "100.00"))

    plan = sales.backfill(settlement, invoices={"t-1": invoice})
    report = sales.apply(plan)

    assert plan.counts() == {"transaction": 1, "adopt": 1}
    assert not report.unfinished
    assert len(product.live_payments()) == 1
    assert not sales.settle(settlement)
    assert sales.settlement_report(settlement).crossed() == ()
    assert sales.reconcile().clean
    assert not sales.backfill(settlement, invoices={"t-1": invoice})
    back = SettlementLine(id="B1", transaction="t-1", amount=nzd("100.00"), kind=LineKind.CHARGED_BACK)
    sales.apply(sales.settle(Settlement(id="S2", on=DAY, lines=[back])))
    assert product.live_payments() == []


def test_what_differs_is_held_back_until_a_person_says_which_it_is(
    product: Product, sales: Receivables, xero: Xero
) -> None:
    invoice = sold(product, "200.00")
    later = DAY + timedelta(days=2)
    typed = product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=later)
    product.books.add_payment(invoice, account=BANK, amount=Decimal(100), date=DAY)
    settlement = of(("t-1", "100.00"))

    plan = sales.backfill(settlement, invoices={"t-1": invoice})
    sales.apply(plan)

    (finding,) = plan.findings
    assert isinstance(finding, WhichOne)
    assert {each.differs for each in finding.candidates} == {("2 days later",), ("through another account",)}
    held = sales.settle(settlement)
    assert (len(held), [each.code for each in held.findings]) == (0, ["perhaps typed by hand"])
    sales.apply(sales.backfill(settlement, chosen={"L0": typed.id}))
    assert len(product.live_payments()) == 2
    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    assert "2 days later: chosen by a person" in str(Ledger(xero).why("L0"))
    assert len(Ledger(xero).drift()) == 0


def test_where_a_person_says_that_none_is_it_the_line_is_posted(product: Product, sales: Receivables) -> None:
    invoice = sold(product, "200.00")
    product.books.add_payment(invoice, account=BANK, amount=Decimal(100), date=DAY)
    settlement = of(("t-1", "100.00"))
    sales.apply(sales.backfill(settlement, invoices={"t-1": invoice}))

    sales.apply(sales.backfill(settlement, chosen={"L0": ""}))
    report = sales.apply(sales.settle(settlement))

    assert report.done("payment") == 1
    assert clearing(product) == Decimal(100)


def test_fees_and_payout_that_were_typed_are_taken_over(product: Product, sales: Receivables) -> None:
    invoice = sold(product)
    books = product.books
    books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY)
    provider = books.add_contact("Collections Ltd")
    books.add_bank_transaction(provider.id, bank=CLEARING, amount=Decimal(1), account="404", date=DAY)
    books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(99), date=DAY)
    settlement = of(("t-1", "100.00"), whole=True)

    plan = sales.backfill(settlement, invoices={"t-1": invoice})
    sales.apply(plan)

    assert plan.counts() == {"transaction": 1, "adopt": 3}
    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    assert clearing(product) == 0
    assert sales.settlement_report(settlement).crossed() == ()
    sales.apply(sales.undo_settlement(settlement))
    assert product.live_payments() == []
    assert books.balance(books.account(BANK).id) == 0


def typed_twice(product: Product, kind: str) -> list[Settlement]:
    """Two settlements of their own invoices, collected by hand, beside one more document of *kind* that fits both."""
    books = product.books
    invoices = [product.collectable("100.00", name) for name in ("Ana Costa", "Bo Lee")]
    for each in invoices:
        books.add_payment(each.id, account=CLEARING, amount=Decimal(100), date=DAY)
    if kind == "transfer":
        books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(99), date=DAY)
    else:
        provider = books.add_contact("Collections Ltd")
        books.add_bank_transaction(provider.id, bank=CLEARING, amount=Decimal(1), account="404", date=DAY)
    return [
        evolve(
            of((each.id, "100.00"), whole=True), id=name, lines=[evolve(line, id=f"{name}-{line.id}") for line in rows]
        )
        for name, each in zip(("S1", "S2"), invoices, strict=True)
        if (rows := of((each.id, "100.00")).lines)
    ]


@pytest.mark.parametrize(("kind", "part"), [("transfer", "payout"), ("bank_transaction", "fees")])
def test_what_was_typed_once_is_taken_over_once_by_two_plans_made_before_either_was_applied(
    product: Product, sales: Receivables, kind: str, part: str
) -> None:
    settlements = typed_twice(product, kind)
    first, second = [sales.backfill(each) for each in settlements]
    assert first.counts() == second.counts() == {"adopt": 2}

    sales.apply(first)
    report = sales.apply(second)

    assert [(each.code, each.about) for each in report.findings] == [("changed since planned", f"{part}/S2")]
    assert "another one's meanwhile" in report.findings[0].cause
    sales.apply(sales.settle(settlements))
    assert clearing(product) == 0
    assert sales.reconcile(settlements).clean


def test_what_was_removed_after_the_plan_is_not_taken_over(product: Product, sales: Receivables, xero: Xero) -> None:
    invoice = product.collectable("100.00").id
    books = product.books
    paid = books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY)
    provider = books.add_contact("Collections Ltd")
    spent = books.add_bank_transaction(provider.id, bank=CLEARING, amount=Decimal(1), account="404", date=DAY)
    moved = books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(99), date=DAY)
    settlement = of((invoice, "100.00"), whole=True)
    plan = sales.backfill(settlement)
    product.clock.advance(60)
    books.remove_payment(paid.id)
    books.remove_bank_transaction(spent.id)
    xero.bank_transfers.delete(moved.id)

    report = sales.apply(plan)

    assert {(each.code, each.about) for each in report.findings} == {
        ("changed since planned", each) for each in ("L0", "fees/S1", "payout/S1")
    }
    sales.apply(sales.settle(settlement))
    assert len(product.live_payments()) == 1
    assert clearing(product) == 0
    assert sales.reconcile(settlement).clean


def raise_fees(product: Product) -> None:
    (fees,) = (each for each in product.books.bank_transactions if each.type == "SPEND")
    product.books.edit_bank_transaction(fees.id, amount=Decimal("1.50"))


def date_fees_later(product: Product) -> None:
    (fees,) = (each for each in product.books.bank_transactions if each.type == "SPEND")
    later = BankTransaction(bank_transaction_id=BankTransactionId(fees.id), date=DAY + timedelta(days=2))
    product.xero().bank_transactions.update_one(later)


def code_fees_otherwise(product: Product) -> None:
    (fees,) = (each for each in product.books.bank_transactions if each.type == "SPEND")
    product.books.edit_bank_transaction(fees.id, amount=Decimal(1), account="453")


def move_fees(product: Product) -> None:
    (fees,) = (each for each in product.books.bank_transactions if each.type == "SPEND")
    product.books.edit_bank_transaction(fees.id, Contact={"ContactID": product.books.add_contact("Another").id})


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (raise_fees, "amount"),
        (date_fees_later, "date"),
        (code_fees_otherwise, "lines"),
        (move_fees, "contact"),
    ],
)
def test_what_people_edited_after_it_was_taken_over_is_told_of_and_not_undone(
    product: Product, sales: Receivables, edit: Callable[[Product], None], field: str
) -> None:
    invoice = sold(product)
    product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY)
    provider = product.books.add_contact("Collections Ltd")
    product.books.add_bank_transaction(provider.id, bank=CLEARING, amount=Decimal(1), account="404", date=DAY)
    settlement = evolve(of(("t-1", "100.00"), whole=True), paid_out_on=None)
    sales.apply(sales.backfill(settlement, invoices={"t-1": invoice}))
    ledger = Ledger(product.xero())
    assert len(ledger.drift()) == 0
    assert len(sales.undo_settlement(settlement)) == 2
    product.clock.advance(60)

    edit(product)
    plan = sales.undo_settlement(settlement)
    sales.apply(plan)

    assert not plan
    assert [(each.about, each.cause) for each in plan.findings] == [
        ("fees/S1", f"it was edited in Xero since: {field}")
    ]
    assert [each.status for each in product.books.bank_transactions] == ["AUTHORISED"]
    assert len(product.live_payments()) == 1
    assert [(each.about, each.field) for each in ledger.drift()] == [("fees/S1", field)]


def typed_whole(product: Product, invoice: str) -> tuple[str, str, str]:
    """The payment, the fees and the payout of a whole settlement, typed by hand."""
    books = product.books
    provider = next((each.id for each in books.contacts if each.name == "Collections Ltd"), None)
    provider = provider or books.add_contact("Collections Ltd").id
    return (
        books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY).id,
        books.add_bank_transaction(provider, bank=CLEARING, amount=Decimal(1), account="404", date=DAY).id,
        books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(99), date=DAY).id,
    )


def test_what_people_removed_and_typed_anew_is_taken_over_again(
    product: Product, sales: Receivables, xero: Xero
) -> None:
    invoice = product.collectable("100.00").id
    settlement = of((invoice, "100.00"), whole=True)
    for times in range(3):
        paid, spent, moved = typed_whole(product, invoice)
        product.clock.advance(60)

        plan = sales.backfill(settlement)
        sales.apply(plan)

        assert plan.counts() == {"adopt": 3}
        settled = sales.settle(settlement)
        assert (len(settled), settled.findings) == (0, ())
        assert sales.reconcile(settlement).clean
        assert sales.settlement_report(settlement).crossed() == ()
        assert len(Ledger(xero).drift()) == 0
        if times < 2:
            product.books.remove_payment(paid)
            product.books.remove_bank_transaction(spent)
            xero.bank_transfers.delete(moved)
            assert not sales.backfill(settlement)

    sales.apply(sales.undo_settlement(settlement))
    assert product.live_payments() == []
    assert clearing(product) == product.books.balance(product.books.account(BANK).id) == 0


@pytest.mark.parametrize(("charged_back", "batches"), [(True, False), (False, False), (False, True)])
def test_what_was_taken_back_from_here_is_not_taken_over_anew(
    product: Product, *, charged_back: bool, batches: bool
) -> None:
    chosen = evolve(SETTINGS, batches=batches)
    sales = Receivables(product.xero(), clearing_account=CLEARING, settlements=chosen)
    invoice, other = product.collectable("100.00").id, product.collectable("60.00", "Bo Lee").id
    settlement = of((invoice, "100.00"), (other, "60.00"))
    sales.apply(sales.settle(settlement))
    back = SettlementLine(id="B1", transaction=invoice, amount=nzd("100.00"), kind=LineKind.CHARGED_BACK)
    returned = Settlement(id="S2", on=DAY, lines=[back])
    sales.apply(sales.settle(returned) if charged_back else sales.undo_settlement(settlement))
    product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY)

    plan = sales.backfill([settlement, returned])

    assert (plan.counts(), plan.findings) == ({}, ())


def test_what_was_settled_before_the_day_is_left_alone(product: Product, sales: Receivables) -> None:
    invoice = sold(product)
    product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY)

    assert not sales.backfill(of(("t-1", "100.00")), since=DAY + timedelta(days=1), invoices={"t-1": invoice})


def test_what_is_chosen_must_be_a_candidate(product: Product, sales: Receivables) -> None:
    invoice, other = sold(product, "200.00"), sold(product)
    elsewhere = product.books.add_payment(other, account=CLEARING, amount=Decimal(100), date=DAY)

    plan = sales.backfill(of(("t-1", "100.00")), invoices={"t-1": invoice}, chosen={"L0": elsewhere.id})

    assert [each.code for each in plan.findings] == ["does not fit"]
    assert plan.counts() == {"transaction": 1, "doubt": 1}


@pytest.mark.parametrize("answer", ["the right one", "none"])
def test_nothing_is_posted_on_top_of_what_was_typed_where_the_wrong_one_was_chosen_for_it(
    product: Product, sales: Receivables, answer: str
) -> None:
    invoice = product.collectable("100.00").id
    typed = product.books.add_payment(invoice, account=CLEARING, amount=Decimal(40), date=DAY + timedelta(days=2))
    line = SettlementLine(id="L1", transaction=invoice, amount=nzd("40.00"))
    settlement = Settlement(id="S1", on=DAY, lines=[line])

    sales.apply(sales.backfill(settlement, chosen={"L1": str(UUID(int=1))}))

    held = sales.settle(settlement)
    assert (len(held), [each.code for each in held.findings]) == (0, ["perhaps typed by hand"])
    sales.apply(sales.backfill(settlement, chosen={"L1": typed.id if answer == "the right one" else ""}))
    sales.apply(sales.settle(settlement))
    assert clearing(product) == (40 if answer == "the right one" else 80)


def test_an_answer_on_what_was_not_given_is_a_finding(product: Product, sales: Receivables) -> None:
    invoice = sold(product)
    settlement = of(("t-1", "100.00"))
    answers = {"LO": "", "L0": "", f"payout/{settlement.id}": "", "fees/elsewhere": ""}

    plan = sales.backfill(settlement, invoices={"t-1": invoice, "t-l": invoice}, chosen=answers)
    later = sales.backfill(settlement, since=DAY + timedelta(days=1), invoices={"t-1": invoice}, chosen={"L0": ""})

    told = [(each.code, each.about) for each in plan.findings]
    assert told == [("not among those given", each) for each in ("t-l", "LO", "fees/elsewhere")]
    assert later.findings == ()


@pytest.mark.parametrize(
    ("due", "typed", "lines"),
    [
        ("200.00", "100.00", ("60.00", "40.00")),
        ("200.00", "100.00", ("99.99",)),
        ("200.00", "99.00", ("100.00",)),
        ("100.00", "100.00", ("130.00",)),
    ],
    ids=["several in one", "rounded", "net of a fee", "all that was due"],
)
def test_what_was_typed_there_on_that_day_with_another_amount_is_asked_about(
    product: Product, xero: Xero, due: str, typed: str, lines: tuple[str, ...]
) -> None:
    invoice = sold(product, due)
    payment = product.books.add_payment(invoice, account=CLEARING, amount=Decimal(typed), date=DAY)
    parks = evolve(SETTINGS, surplus=Surplus.PARK)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=parks)
    settlement = of(*(("t-1", amount) for amount in lines))

    plan = sales.backfill(settlement, invoices={"t-1": invoice})
    sales.apply(plan)

    asked = {each.about: each.candidates for each in plan.findings if isinstance(each, WhichOne)}
    assert list(asked) == [each.id for each in settlement.lines]
    assert {one.xero_id for candidates in asked.values() for one in candidates} == {payment.id}
    assert f"one of {typed} NZD is in Xero, on the same day" in plan.findings[0].cause
    held = sales.settle(settlement)
    assert (len(held), {each.code for each in held.findings}) == (0, {"perhaps typed by hand"})
    sales.apply(sales.backfill(settlement, chosen=dict.fromkeys(asked, "")))
    sales.apply(sales.settle(settlement))
    assert clearing(product) == Decimal(typed) + sum(map(Decimal, lines))


def test_what_is_chosen_although_its_amount_differs_is_the_line_s(product: Product, sales: Receivables) -> None:
    invoice = sold(product, "200.00")
    typed = product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY)
    settlement = of(("t-1", "99.99"))
    sales.apply(sales.backfill(settlement, invoices={"t-1": invoice}))

    sales.apply(sales.backfill(settlement, chosen={"L0": typed.id}))

    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    assert not sales.backfill(settlement).findings
    assert len(product.live_payments()) == 1
    assert [each.amount for each in sales.reconcile(settlement).exceptions] == [nzd("0.01")]
    back = SettlementLine(id="B1", transaction="t-1", amount=nzd("99.99"), kind=LineKind.CHARGED_BACK)
    sales.apply(sales.settle(Settlement(id="S2", on=DAY, lines=[back])))
    assert product.live_payments() == []


def test_a_sum_of_several_that_is_chosen_for_one_is_still_held_against_the_others(
    product: Product, sales: Receivables
) -> None:
    invoice = sold(product, "200.00")
    typed = product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY)
    settlement = of(("t-1", "60.00"), ("t-1", "40.00"), ("t-1", "50.00"))
    sales.apply(sales.backfill(settlement, invoices={"t-1": invoice}))

    sales.apply(sales.backfill(settlement, chosen={"L0": typed.id}))
    again = sales.backfill(settlement, chosen={"L1": typed.id})
    sales.apply(again)
    sales.apply(sales.backfill(settlement))
    sales.apply(sales.settle(settlement))

    assert [(each.about, each.code) for each in again.findings] == [("L1", "does not fit")]
    assert sorted(each.amount for each in product.live_payments()) == [Decimal(50), Decimal(100)]
    assert [each.about for each in sales.settle(settlement).findings] == ["L1"]


def test_a_sum_of_several_that_is_entered_one_by_one_instead_is_taken_over(
    product: Product, sales: Receivables
) -> None:
    invoice = sold(product)
    typed = product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY)
    settlement = of(("t-1", "60.00"), ("t-1", "40.00"))
    sales.apply(sales.backfill(settlement, invoices={"t-1": invoice}))

    product.books.remove_payment(typed.id)
    product.books.add_payment(invoice, account=CLEARING, amount=Decimal(60), date=DAY)
    sales.apply(sales.backfill(settlement))
    sales.apply(sales.settle(settlement))

    assert sorted(each.amount for each in product.live_payments()) == [Decimal(40), Decimal(60)]
    assert sales.settle(settlement).findings == ()
    assert sales.reconcile().clean


def test_what_is_clearly_another_payment_raises_no_question(product: Product, sales: Receivables) -> None:
    invoice = sold(product, "200.00")
    books = product.books
    books.add_payment(invoice, account=CLEARING, amount=Decimal(60), date=DAY)
    books.add_payment(invoice, account=CLEARING, amount=Decimal(30), date=DAY + timedelta(days=3))
    books.add_payment(invoice, account=BANK, amount=Decimal(20), date=DAY)
    settlement = of(("t-1", "60.00"), ("t-1", "40.00"))

    plan = sales.backfill(settlement, invoices={"t-1": invoice})
    sales.apply(plan)

    assert (plan.counts(), plan.findings) == ({"transaction": 1, "adopt": 1}, ())
    assert sales.apply(sales.settle(settlement)).done("payment") == 1


def test_where_less_is_left_than_the_line_what_was_paid_on_another_day_is_asked_about(
    product: Product, sales: Receivables
) -> None:
    invoice = sold(product)
    product.books.add_payment(invoice, account=BANK, amount=Decimal(70), date=DAY + timedelta(days=3))

    plan = sales.backfill(of(("t-1", "20.00"), ("t-1", "30.00")), invoices={"t-1": invoice})

    assert [each.about for each in plan.findings] == ["L1"]
    assert "one of 70.00 NZD is in Xero, 3 days later, through another account" in plan.findings[0].cause


def test_a_payment_in_another_currency_is_no_line_s(product: Product, sales: Receivables) -> None:
    product.books.add_currency("USD")
    contact = product.books.add_contact("Ana Costa")
    invoice = product.books.add_invoice(
        contact.id, amount=Decimal(100), date=DAY, CurrencyCode="USD", CurrencyRate=Decimal("0.5")
    ).id
    sales.apply(sales.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    typed = product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY, rate=Decimal("0.5"))
    settlement = of(("t-1", "100.00"))

    plan = sales.backfill(settlement, invoices={"t-1": invoice})
    sales.apply(plan)

    assert plan.counts() == {"transaction": 1}
    assert [each.code for each in sales.settle(settlement).findings] == ["another currency"]
    wrong = sales.backfill(settlement, chosen={"L0": typed.id})
    assert [each.code for each in wrong.findings] == ["does not fit"]


def test_a_line_that_says_what_it_made_in_the_account_is_the_same_when_given_again(
    product: Product, sales: Receivables
) -> None:
    product.books.add_currency("USD")
    contact = product.books.add_contact("Ana Costa")
    invoice = product.books.add_invoice(
        contact.id, amount=Decimal(100), date=DAY, CurrencyCode="USD", CurrencyRate=Decimal("0.5")
    ).id
    sales.apply(sales.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY, rate=Decimal("0.5"))
    line = SettlementLine(id="L0", transaction="t-1", amount=Money("100.00", "USD"), settled=nzd("200.00"))
    settlement = Settlement(id="S1", on=DAY, lines=[line])

    sales.apply(sales.backfill(settlement, invoices={"t-1": invoice}))

    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    assert sales.reconcile(settlement).clean
    other = evolve(settlement, lines=[evolve(line, settled=nzd("201.00"))])
    assert [each.code for each in sales.settle(other).findings] == ["changed since posted"]


def test_one_sum_for_the_fees_or_the_payouts_of_several_settlements_is_asked_about(
    product: Product, sales: Receivables, xero: Xero
) -> None:
    invoice, books = sold(product, "200.00"), product.books
    books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY)
    books.add_payment(invoice, account=CLEARING, amount=Decimal(60), date=DAY)
    provider = books.add_contact("Collections Ltd")
    books.add_bank_transaction(provider.id, bank=CLEARING, amount=Decimal(2), account="404", date=DAY)
    books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(158), date=DAY)
    first, second = (of(("t-1", each), whole=True) for each in ("100.00", "60.00"))
    (line,) = second.lines
    past = [first, evolve(second, id="S2", lines=[evolve(line, id="L1")])]

    plan = sales.backfill(past, invoices={"t-1": invoice})
    sales.apply(plan)

    assert {each.about for each in plan.findings} == {"fees/S1", "payout/S1", "fees/S2", "payout/S2"}
    assert not sales.settle(past)
    assert clearing(product) == 0
    (fees,) = (each for each in books.bank_transactions if each.type == "SPEND")
    sales.apply(sales.backfill(past, chosen={"fees/S1": fees.id}))
    sales.apply(sales.backfill(past))
    assert not sales.settle(past)
    assert len(Ledger(xero).drift()) == 0


@settings(max_examples=15)
@given(
    amounts=st.lists(st.sampled_from(["10.00", "20.00"]), min_size=1, max_size=4),
    typed=st.lists(st.tuples(st.sampled_from([10, 20]), st.sampled_from([0, 1]), st.booleans()), max_size=4),
    fault=st.sampled_from([None, Fault.LOST_AFTER, Fault.LOST_BEFORE]),
)
def test_no_line_is_ever_twice_in_the_books(
    amounts: list[str], typed: list[tuple[int, int, bool]], fault: Fault | None
) -> None:
    """Whatever was typed, and whatever a person answers, each line ends as one payment; what was typed stays."""
    product = found_product()
    invoice = sold(product, "200.00")
    for amount, days, clears in typed:
        account = CLEARING if clears else BANK
        product.books.add_payment(invoice, account=account, amount=Decimal(amount), date=DAY + timedelta(days=days))
    sales = Receivables(product.xero(), clearing_account=CLEARING, settlements=SETTINGS)
    settlement = of(*(("t-1", amount) for amount in amounts))

    plan = sales.backfill(settlement, invoices={"t-1": invoice})
    sales.apply(plan)
    answers: dict[str, str] = {}
    for finding in plan.findings:
        assert isinstance(finding, WhichOne)
        alike = [each.xero_id for each in finding.candidates if each.amount == finding.worth]
        free = [each for each in alike if each not in answers.values()]
        answers[finding.about] = free[0] if free else ""
    sales.apply(sales.backfill(settlement, chosen=answers))
    posts = sales.settle(settlement)
    if fault is not None and len(posts):
        product.simulator.faults.plan(fault, method="PUT", path="/Payments")
    sales.apply(posts)
    sales.recover()
    sales.apply(sales.settle(settlement, retry_refused=True))

    same = sum(min(amounts.count(f"{size}.00"), sum(one[0] == size for one in typed)) for size in (10, 20))
    assert len(product.live_payments()) == len(typed) + len(amounts) - same
    assert sales.settle(settlement).findings == ()
