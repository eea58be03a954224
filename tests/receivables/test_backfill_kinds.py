"""Beginning where people entered payouts, bills and refunds by hand, which are no payment or transfer alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import (
    Fee,
    FeesAs,
    Ledger,
    LineKind,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    WhichOne,
    Xero,
)

ORDINARY = "650"
NETTED = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", fees_as=FeesAs.NETTED)
BILLED = evolve(NETTED, fees_as=FeesAs.BILL)
PLAIN = evolve(NETTED, fees_as=None)


@pytest.fixture
def settlement(product: Product) -> Settlement:
    """One of 100 less 1 that was collected into an account that is no bank account, as people typed."""
    product.books.add_account(ORDINARY, "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00").id
    product.books.add_payment(invoice, account=ORDINARY, amount=Decimal(100), date=DAY)
    line = SettlementLine(id="L1", transaction=invoice, amount=nzd("100.00"))
    return Settlement(id="S1", on=DAY, lines=[line], fees=[Fee(amount=nzd("1.00"))], paid_out_on=DAY)


def received(product: Product, *lines: tuple[str, str], days: int = 0) -> str:
    """Money that people received in the bank, with these lines."""
    provider = product.books.add_contact(f"Collections Ltd {len(product.books.bank_transactions)}").id
    listed: list[Mapping[str, str | int]] = [
        {"Description": "x", "Quantity": 1, "UnitAmount": amount, "AccountCode": code, "TaxType": "NONE"}
        for code, amount in lines
    ]
    on = DAY + timedelta(days=days)
    return product.books.add_bank_transaction(provider, type="RECEIVE", bank=BANK, lines=listed, date=on).id


def balances(product: Product) -> list[Decimal]:
    """What the clearing account and the bank hold."""
    return [product.books.balance(product.books.account(each).id) for each in (ORDINARY, BANK)]


def test_a_payout_received_out_of_an_account_that_is_no_bank_account_is_taken_over(
    product: Product, xero: Xero, settlement: Settlement
) -> None:
    received(product, (ORDINARY, "100.00"), ("404", "-1.00"))
    received(product, ("200", "99.00"))
    sales = Receivables(xero, clearing_account=ORDINARY, settlements=NETTED)

    plan = sales.backfill(settlement)
    sales.apply(plan)

    assert (plan.counts(), plan.findings) == ({"adopt": 2}, ())
    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    assert balances(product) == [Decimal(0), Decimal(198)]
    assert sales.reconcile(settlement).clean
    assert sales.settlement_report(settlement).crossed() == ()
    assert len(Ledger(xero).drift()) == 0
    assert not sales.backfill(settlement)
    sales.apply(sales.undo_settlement(settlement))
    assert balances(product) == [Decimal(0), Decimal(99)]


def test_a_payout_received_with_other_lines_or_on_another_day_is_asked_about(
    product: Product, xero: Xero, settlement: Settlement
) -> None:
    otherwise = received(product, (ORDINARY, "99.00"))
    later = received(product, (ORDINARY, "100.00"), ("404", "-1.00"), days=2)
    sales = Receivables(xero, clearing_account=ORDINARY, settlements=NETTED)

    plan = sales.backfill(settlement)
    sales.apply(plan)

    (finding,) = plan.findings
    assert isinstance(finding, WhichOne)
    assert finding.about == "payout/S1"
    assert {each.xero_id: each.differs for each in finding.candidates} == {
        otherwise: ("with other lines",),
        later: ("2 days later",),
    }
    held = sales.settle(settlement)
    assert (len(held), [each.code for each in held.findings]) == (0, ["perhaps typed by hand"])
    sales.apply(sales.backfill(settlement, chosen={"payout/S1": later}))
    assert not sales.settle(settlement).findings
    assert len(product.books.bank_transactions) == 2


def test_a_payout_without_netted_fees_is_taken_over_alone(product: Product, xero: Xero, settlement: Settlement) -> None:
    received(product, (ORDINARY, "99.00"))
    sales = Receivables(xero, clearing_account=ORDINARY, settlements=BILLED)

    plan = sales.backfill(settlement)
    sales.apply(plan)
    sales.apply(sales.settle(settlement))

    assert (plan.counts(), plan.findings) == ({"adopt": 2}, ())
    assert balances(product) == [Decimal(0), Decimal(99)]
    assert sales.reconcile(settlement).clean


def collected(product: Product, *more: SettlementLine, fees: str = "1.00") -> Settlement:
    """A settlement of 200 that people typed the payment of, with *more* lines of the same sale."""
    invoice = product.collectable("200.00").id
    product.books.add_payment(invoice, account=CLEARING, amount=Decimal(200), date=DAY)
    lines = [SettlementLine(id="L1", transaction=invoice, amount=nzd("200.00"))]
    lines += [evolve(each, transaction=invoice) for each in more]
    return Settlement(id="S1", on=DAY, lines=lines, fees=[Fee(amount=nzd(fees))] if fees else [])


def fee_bill(product: Product, amount: str, *, number: str = "77", vendor: str = "Collections Ltd") -> str:
    contact = product.books.add_contact(vendor).id
    bill = product.books.add_invoice(contact, type="ACCPAY", number=number, amount=Decimal(amount), date=DAY)
    return bill.id


def held_in_clearing(product: Product) -> Decimal:
    return product.books.balance(product.books.account(CLEARING).id)


@pytest.mark.parametrize("paid", [True, False])
def test_a_bill_of_fees_that_was_typed_is_taken_over_with_its_payment(
    product: Product, xero: Xero, *, paid: bool
) -> None:
    settlement = collected(product)
    bill = fee_bill(product, "1.00")
    if paid:
        product.books.add_payment(bill, account=CLEARING, amount=Decimal(1), date=DAY)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=BILLED)

    plan = sales.backfill(settlement)
    run = sales.apply(plan).run

    assert (plan.counts(), plan.findings) == ({"adopt": 3 if paid else 2}, ())
    assert sales.settle(settlement).counts() == ({} if paid else {"payment": 1})
    sales.apply(sales.settle(settlement))
    assert held_in_clearing(product) == Decimal(199)
    assert sales.reconcile(settlement).clean
    assert sales.settlement_report(settlement).crossed() == ()
    assert len(Ledger(xero).drift()) == 0
    assert not sales.backfill(settlement)
    assert not Ledger(xero).undo(run)
    sales.apply(sales.undo_settlement(settlement))
    assert held_in_clearing(product) == 0
    assert product.books.invoice(bill).status == "VOIDED"


@pytest.mark.parametrize("differs", ["paid otherwise", "another amount", "of another contact"])
def test_a_bill_that_may_be_of_the_fees_is_asked_about(product: Product, xero: Xero, differs: str) -> None:
    settlement = collected(product)
    amount = "1.10" if differs == "another amount" else "1.00"
    is_elsewhere = differs == "of another contact"
    bill = fee_bill(product, amount, number="S1", vendor="Somebody Ltd" if is_elsewhere else "Collections Ltd")
    if differs == "paid otherwise":
        product.books.add_payment(bill, account=BANK, amount=Decimal(1), date=DAY)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=BILLED)

    plan = sales.backfill(settlement)
    sales.apply(plan)

    (finding,) = plan.findings
    assert isinstance(finding, WhichOne)
    assert [(each.xero_id, each.differs) for each in finding.candidates] == [(bill, (differs,))]
    held = sales.settle(settlement)
    assert (len(held), [each.code for each in held.findings]) == (0, ["perhaps typed by hand"])
    sales.apply(sales.backfill(settlement, chosen={"fees/S1": ""}))
    sales.apply(sales.settle(settlement))
    assert held_in_clearing(product) == Decimal(199)
    assert len(product.live_bills()) == 2


@pytest.mark.parametrize("field", ["lines", "contact"])
def test_a_bill_of_fees_edited_after_it_was_taken_over_is_told_of_and_not_undone(
    product: Product, xero: Xero, field: str
) -> None:
    settlement = collected(product)
    bill = fee_bill(product, "1.00")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=BILLED)
    sales.apply(sales.backfill(settlement))
    ledger = Ledger(xero)
    assert len(ledger.drift()) == 0
    product.clock.advance(60)
    if field == "contact":
        product.books.edit_invoice(bill, Contact={"ContactID": product.books.add_contact("Another").id})
    else:
        line: Mapping[str, str] = {"Description": "x", "UnitAmount": "1.00", "AccountCode": "404", "TaxType": "NONE"}
        product.books.edit_invoice(bill, lines=[line])

    plan = sales.undo_settlement(settlement)

    assert [(each.about, each.cause) for each in plan.findings] == [
        ("fees/S1", f"it was edited in Xero since: {field}")
    ]
    report = ledger.drift()
    assert [(each.about, each.field) for each in report] == [("fees/S1", field)]
    assert not sales.apply(report.restore()).results
    sales.apply(report.ignore())
    assert len(ledger.drift()) == 0


@pytest.mark.parametrize("vendor", ["Collections Limited", "Collections Ltd"])
def test_a_bill_of_fees_typed_to_a_contact_like_the_provider_s_is_asked_about(
    product: Product, xero: Xero, vendor: str
) -> None:
    """One of nearly its name, or one that is archived by now."""
    settlement = collected(product)
    bill = fee_bill(product, "1.00", vendor=vendor)
    if vendor == BILLED.provider:
        product.books.archive_contact(product.books.invoice(bill).contact_id)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=BILLED)

    plan = sales.backfill(settlement)
    sales.apply(plan)

    (finding,) = plan.findings
    assert isinstance(finding, WhichOne)
    assert [(each.xero_id, each.differs) for each in finding.candidates] == [(bill, ("of another contact",))]
    sales.apply(sales.backfill(settlement, chosen={"fees/S1": bill}))
    sales.apply(sales.settle(settlement))
    assert held_in_clearing(product) == Decimal(199)
    assert len(product.live_bills()) == 1


@pytest.mark.parametrize("paid", [True, False])
def test_a_bill_typed_once_is_taken_over_once_by_two_plans_made_before_either_was_applied(
    product: Product, xero: Xero, *, paid: bool
) -> None:
    first = collected(product)
    line = SettlementLine(id="L2", transaction=product.collectable("60.00", "Bo Lee").id, amount=nzd("60.00"))
    second = evolve(first, id="S2", lines=[line])
    bill = fee_bill(product, "1.00")
    if paid:
        product.books.add_payment(bill, account=CLEARING, amount=Decimal(1), date=DAY)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=BILLED)
    plans = [sales.backfill(first), sales.backfill(second)]

    sales.apply(plans[0])
    report = sales.apply(plans[1])

    found = {(each.code, each.about) for each in report.findings}
    assert found == {("changed since planned", "fees/S2")}
    assert "another one's meanwhile" in report.findings[0].cause
    assert report.done("adopt") == 0
    sales.apply(sales.settle([first, second]))
    assert held_in_clearing(product) == Decimal(258)
    assert sales.reconcile([first, second]).clean
    assert len(product.live_bills()) == 2
    sales.apply(sales.undo_settlement(first))
    assert sales.settlement_report(second).complete


REFUND = SettlementLine(id="R1", transaction="", amount=nzd("10.00"), kind=LineKind.REFUNDED)


def refunded(product: Product, settlement: Settlement, amount: str, *, of: str = "") -> str:
    """A credit note to the customer *of* an amount, and the payment that gives back *amount* of it."""
    contact = product.books.invoice(settlement.lines[0].transaction).contact_id
    note = product.books.add_credit_note(contact, amount=Decimal(of or amount), date=DAY)
    product.books.add_payment(note.id, account=CLEARING, amount=Decimal(amount), date=DAY)
    return note.id


def test_a_refund_that_was_typed_is_taken_over_with_its_credit_note(product: Product, xero: Xero) -> None:
    settlement = collected(product, REFUND, fees="")
    note = refunded(product, settlement, "10.00")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=PLAIN)

    plan = sales.backfill(settlement)
    sales.apply(plan)

    assert (plan.counts(), plan.findings) == ({"adopt": 3}, ())
    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    assert held_in_clearing(product) == Decimal(190)
    assert sales.reconcile(settlement).clean
    assert sales.settlement_report(settlement).crossed() == ()
    assert len(Ledger(xero).drift()) == 0
    assert not sales.backfill(settlement)
    sales.apply(sales.undo_settlement(settlement))
    assert held_in_clearing(product) == 0
    assert [each.status for each in product.books.credit_notes if each.id == note] == ["VOIDED"]


@pytest.mark.parametrize(
    ("amount", "of", "differs"),
    [("9.99", "", "another amount"), ("10.00", "15.00", "of a credit note of another total")],
)
def test_what_may_be_the_refund_is_asked_about(
    product: Product, xero: Xero, amount: str, of: str, differs: str
) -> None:
    settlement = collected(product, REFUND, fees="")
    note = refunded(product, settlement, amount, of=of)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=PLAIN)

    plan = sales.backfill(settlement)
    sales.apply(plan)

    (finding,) = plan.findings
    assert isinstance(finding, WhichOne)
    assert [(each.xero_id, each.differs) for each in finding.candidates] == [(note, (differs,))]
    held = sales.settle(settlement)
    assert (len(held), [each.code for each in held.findings]) == (0, ["perhaps typed by hand"])
    sales.apply(sales.backfill(settlement, chosen={"R1": ""}))
    sales.apply(sales.settle(settlement))
    assert held_in_clearing(product) == Decimal(190) - Decimal(amount)


def test_a_refund_moved_to_another_contact_after_it_was_taken_over_is_told_of_and_not_undone(
    product: Product, xero: Xero
) -> None:
    settlement = collected(product, REFUND, fees="")
    note = refunded(product, settlement, "10.00")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=PLAIN)
    sales.apply(sales.backfill(settlement))
    product.clock.advance(60)
    product.books.edit_invoice(note, Contact={"ContactID": product.books.add_contact("Another").id})

    plan = sales.undo_settlement(settlement)

    assert [(each.about, each.cause) for each in plan.findings] == [("R1", "it was edited in Xero since: contact")]
    assert [(each.about, each.field) for each in Ledger(xero).drift()] == [("R1", "contact")]


@pytest.mark.parametrize("is_it", [True, False])
def test_a_refund_typed_to_a_contact_like_the_customer_s_is_asked_about(
    product: Product, xero: Xero, *, is_it: bool
) -> None:
    settlement = collected(product, REFUND, fees="")
    other = product.books.add_contact("Costa, Ana").id
    note = product.books.add_credit_note(other, amount=Decimal(10), date=DAY)
    product.books.add_payment(note.id, account=CLEARING, amount=Decimal(10), date=DAY)
    product.books.archive_contact(other)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=PLAIN)

    plan = sales.backfill(settlement)
    sales.apply(plan)

    (finding,) = plan.findings
    assert isinstance(finding, WhichOne)
    assert [(each.xero_id, each.differs) for each in finding.candidates] == [(note.id, ("of another contact",))]
    assert not sales.settle(settlement)
    sales.apply(sales.backfill(settlement, chosen={"R1": note.id if is_it else ""}))
    sales.apply(sales.settle(settlement))
    assert held_in_clearing(product) == Decimal(190 if is_it else 180)
    assert len(product.books.credit_notes) == (1 if is_it else 2)


def refunds_of(product: Product, *amounts: str) -> list[Settlement]:
    """What was collected, and settlements that each give so much of it back."""
    whole = collected(product, fees="")
    (line,) = whole.lines
    return [
        whole,
        *(
            evolve(whole, id=name, lines=[evolve(REFUND, id=name, transaction=line.transaction, amount=nzd(amount))])
            for name, amount in zip(("R1", "R2"), amounts, strict=True)
        ),
    ]


def test_a_refund_typed_once_is_taken_over_once_by_two_plans_made_before_either_was_applied(
    product: Product, xero: Xero
) -> None:
    settlements = refunds_of(product, "10.00", "10.00")
    refunded(product, settlements[0], "10.00")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=PLAIN)
    sales.apply(sales.backfill(settlements[0]))
    plans = [sales.backfill(each) for each in settlements[1:]]

    sales.apply(plans[0])
    report = sales.apply(plans[1])

    assert {(each.code, each.about) for each in report.findings} == {("changed since planned", "R2")}
    assert report.done("adopt") == 0
    sales.apply(sales.settle(settlements))
    assert held_in_clearing(product) == Decimal(180)
    assert sales.reconcile(settlements).clean
    sales.apply(sales.undo_settlement(settlements[1]))
    assert held_in_clearing(product) == Decimal(190)
    assert sales.settlement_report(settlements[2]).complete


def test_a_credit_note_given_back_in_two_parts_is_taken_over_for_both(product: Product, xero: Xero) -> None:
    settlements = refunds_of(product, "10.00", "20.00")
    note = refunded(product, settlements[0], "10.00", of="30.00")
    product.books.add_payment(note, account=CLEARING, amount=Decimal(20), date=DAY)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=PLAIN)
    sales.apply(sales.backfill(settlements[0]))
    plans = [sales.backfill(each, chosen={each.id: note}) for each in settlements[1:]]

    assert [sales.apply(each).findings for each in plans] == [(), ()]

    settled = sales.settle(settlements)
    assert (len(settled), settled.findings) == (0, ())
    assert held_in_clearing(product) == Decimal(170)


def test_a_credit_note_given_back_in_two_parts_is_taken_over_for_one_after_the_other(
    product: Product, xero: Xero
) -> None:
    settlements = refunds_of(product, "10.00", "20.00")
    note = refunded(product, settlements[0], "10.00", of="30.00")
    product.books.add_payment(note, account=CLEARING, amount=Decimal(20), date=DAY)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=PLAIN)
    sales.apply(sales.backfill(settlements[0]))

    for each in settlements[1:]:
        asked = sales.backfill(each)
        sales.apply(asked)
        (finding,) = asked.findings
        assert isinstance(finding, WhichOne)
        assert {one.xero_id for one in finding.candidates} == {note}
        chosen = sales.backfill(each, chosen={each.id: note})
        assert (sales.apply(chosen).findings, chosen.findings) == ((), ())

    settled = sales.settle(settlements)
    assert (len(settled), settled.findings) == (0, ())
    assert held_in_clearing(product) == Decimal(170)
    assert sales.reconcile(settlements).clean


def test_a_payment_typed_anew_of_a_credit_note_that_is_taken_over_is_asked_about(product: Product, xero: Xero) -> None:
    """It is as another refund is in all of it, and may be the one that its credit note was taken over for."""
    settlements = refunds_of(product, "10.00", "10.00")
    note = refunded(product, settlements[0], "10.00")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=PLAIN)
    sales.apply(sales.backfill(settlements[:2]))
    (paid,) = product.books.payments_of(note)
    product.books.remove_payment(paid.id)
    product.books.add_payment(note, account=CLEARING, amount=Decimal(10), date=DAY)

    plan = sales.backfill(settlements[2])

    (finding,) = plan.findings
    assert isinstance(finding, WhichOne)
    assert (plan.counts(), finding.about) == ({"doubt": 1}, "R2")
    assert finding.candidates[0].differs == ("of a credit note that is taken over for another",)


def test_a_line_that_was_parked_whole_is_not_looked_for_any_more(product: Product, xero: Xero) -> None:
    """Somebody paid its invoice otherwise, and what came in is the customer's credit."""
    invoice = product.collectable("100.00").id
    typed = product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY + timedelta(days=2))
    chosen = evolve(PLAIN, surplus=Surplus.PARK)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    line = SettlementLine(id="L1", transaction=invoice, amount=nzd("100.00"))
    settlement = Settlement(id="S1", on=DAY, lines=[line])
    sales.apply(sales.backfill(settlement))
    sales.apply(sales.backfill(settlement, chosen={"L1": ""}))
    sales.apply(sales.settle(settlement))

    again, chosen_now = sales.backfill(settlement), sales.backfill(settlement, chosen={"L1": typed.id})

    assert (len(again), again.findings, len(chosen_now)) == (0, (), 0)
    assert sales.settlement_report(settlement).complete
    assert [each.amount for each in product.live_payments()] == [Decimal(100)]
