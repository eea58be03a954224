"""Posting settlements as payments into the clearing account: once each, exact, and the rest said (R16–R22)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import (
    Customer,
    Ledger,
    MemoryStore,
    Money,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    State,
    Surplus,
    Xero,
)
from xerosync.errors import InvalidInput, Misconfigured

LATER = date(2026, 1, 12)


def line(line_id: str, transaction: str, amount: str) -> SettlementLine:
    return SettlementLine(id=line_id, transaction=transaction, amount=nzd(amount))


def settlement(*lines: SettlementLine, settlement_id: str = "S1", on: date = DAY) -> Settlement:
    return Settlement(id=settlement_id, on=on, lines=lines)


def codes(sales: Receivables, *settlements: Settlement) -> list[tuple[str, str]]:
    """What a plan for *settlements* has found, when it plans nothing."""
    plan = sales.settle(settlements)
    assert not plan
    return [(finding.code, finding.about) for finding in plan.findings]


def test_a_settlement_becomes_a_payment_into_the_clearing_account(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")

    report = sales.apply(sales.settle(settlement(line("L1", invoice.id, "100.00"), on=LATER)))

    (payment,) = product.live_payments()
    clearing = product.books.account(CLEARING)
    assert (payment.document_id, payment.account_id) == (invoice.id, clearing.id)
    assert (payment.amount, payment.date) == (Decimal(100), LATER)
    assert payment.reference.startswith(f"{invoice.number} XS-")
    assert product.books.invoice(invoice.id).status == "PAID"
    assert product.books.balance(clearing.id) == 100
    assert (report.done("payment"), report.unfinished) == (1, ())


def test_settling_again_plans_nothing(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    part = settlement(line("L1", invoice.id, "40.00"))
    plan = sales.settle(part)
    sales.apply(plan)

    again = sales.settle(part)
    report = sales.apply(plan)

    assert (len(again), again.findings) == (0, ())
    assert [(result.state, result.earlier) for result in report.results] == [(State.CONFIRMED, True)]
    assert product.standing(invoice.id) == [(Decimal(40), DAY)]


def test_part_payments_of_one_invoice_are_all_posted(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    parts = nzd("100.00").instalments(3)
    lines = [line(f"L{part}", invoice.id, str(amount.amount)) for part, amount in enumerate(parts)]

    sales.apply(sales.settle([settlement(*lines[:2]), settlement(lines[2], settlement_id="S2", on=LATER)]))

    assert product.standing(invoice.id) == [(Decimal("33.33"), DAY), (Decimal("33.33"), LATER), (Decimal("33.34"), DAY)]
    assert product.books.invoice(invoice.id).amount_due == 0


def test_a_line_of_a_transaction_made_elsewhere_is_listed_with_what_to_do(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    other = product.invoice("Nobody connected", "50.00")

    plan = sales.settle(settlement(line("L1", invoice.id, "100.00"), line("L2", other.id, "50.00")))
    sales.apply(plan)

    (finding,) = plan.findings
    assert (finding.code, finding.about, finding.worth) == ("not created here", "L2", nzd("50.00"))
    assert finding.fix == (
        "import its invoice and settle it under that transaction, link it with link_transaction(), "
        "or mark the invoice paid in Xero by hand"
    )
    assert product.standing(other.id) == []
    assert product.standing(invoice.id) == [(Decimal(100), DAY)]


def test_more_than_is_due_is_a_finding_and_nothing_is_posted(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")

    assert codes(sales, settlement(line("L1", invoice.id, "100.01"))) == [("does not fit", "L1")]


def test_lines_that_together_exceed_what_is_due_fit_as_far_as_they_go(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")

    plan = sales.settle(settlement(line("L1", invoice.id, "60.00"), line("L2", invoice.id, "60.00")))
    sales.apply(plan)

    assert [finding.about for finding in plan.findings] == ["L2"]
    assert product.standing(invoice.id) == [(Decimal(60), DAY)]


def test_an_invoice_paid_or_voided_by_hand_is_a_finding(product: Product, sales: Receivables) -> None:
    paid, voided = product.collectable("100.00"), product.collectable("20.00")
    product.books.add_payment(paid.id, account=BANK)
    product.books.void_invoice(voided.id)

    lines = settlement(line("L1", paid.id, "100.00"), line("L2", voided.id, "20.00"))

    assert codes(sales, lines) == [("does not fit", "L1"), ("does not fit", "L2")]


def test_another_currency_than_the_invoices_is_a_finding(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    dollars = SettlementLine(id="L1", transaction=invoice.id, amount=Money("100.00", "USD"))

    assert codes(sales, settlement(dollars)) == [("another currency", "L1")]


def test_the_kind_of_a_line_may_be_written_as_a_word_and_nothing_else_will_do(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable("100.00")
    collected = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"), kind="collected")

    sales.apply(sales.settle(settlement(collected)))

    assert product.standing(invoice.id) == [(Decimal(100), DAY)]
    with pytest.raises(InvalidInput, match="collected, declined, charged back"):
        SettlementLine(id="L2", transaction=invoice.id, amount=nzd("1.00"), kind="returned")


@pytest.mark.parametrize("amount", ["0.00", "-5.00", "1.001"])
def test_an_amount_nobody_can_collect_is_refused(product: Product, sales: Receivables, amount: str) -> None:
    with pytest.raises(InvalidInput, match="positive amount"):
        sales.settle(settlement(line("L1", "any", amount)))
    assert product.live_payments() == []


def test_a_line_id_used_twice_is_refused_over_all_settlements(sales: Receivables) -> None:
    first, second = settlement(line("L1", "t", "1.00")), settlement(line("L1", "u", "2.00"), settlement_id="S2")

    with pytest.raises(InvalidInput, match="an id of its own"):
        sales.settle([first, second])
    with pytest.raises(InvalidInput, match="not blank"):
        sales.settle(settlement(line("", "t", "1.00")))


def test_float_money_is_refused_before_anything_is_planned() -> None:
    with pytest.raises(InvalidInput, match="never a float"):
        nzd(0.1)  # type: ignore[arg-type]  # what this refuses


def test_a_payment_removed_by_hand_is_a_finding_and_never_posted_again(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    part = settlement(line("L1", invoice.id, "40.00"))
    sales.apply(sales.settle(part))
    product.books.remove_payment(product.live_payments()[0].id)

    assert codes(sales, part) == [("removed in Xero", "L1")]
    assert product.standing(invoice.id) == []


def test_a_store_that_forgot_everything_takes_over_what_carries_its_mark(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    parts = settlement(line("L1", invoice.id, "40.00"), line("L2", invoice.id, "40.00"))
    sales.apply(sales.settle(parts))
    amnesiac = Receivables(product.xero(store=MemoryStore()), clearing_account=CLEARING)
    amnesiac.apply(amnesiac.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    amnesiac.apply(amnesiac.import_invoices())

    plan = amnesiac.settle(parts)
    amnesiac.apply(plan)

    assert plan.counts() == {"adopt": 2}
    assert product.standing(invoice.id) == [(Decimal(40), DAY), (Decimal(40), DAY)]
    assert not amnesiac.settle(parts)


@pytest.mark.parametrize("surplus", list(Surplus))
def test_a_store_that_forgot_a_batch_posts_and_parks_none_of_it_again(product: Product, surplus: Surplus) -> None:
    chosen = SettlementSettings(batches=True, surplus=surplus)
    sales = Receivables(product.xero(), clearing_account=CLEARING, settlements=chosen)
    too_much = "110.00" if surplus is Surplus.PARK else "100.00"
    paid = [product.invoice("Ana Costa", "100.00"), product.invoice("Ana Costa", "60.00")]
    sales.apply(sales.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    sales.apply(sales.import_invoices())
    whole = settlement(line("L1", paid[0].id, too_much), line("L2", paid[1].id, "60.00"))
    sales.apply(sales.settle(whole))
    before = product.books.balance(product.books.account(CLEARING).id)
    forgetful = product.xero(store=MemoryStore())
    amnesiac = Receivables(forgetful, clearing_account=CLEARING, settlements=chosen)
    amnesiac.apply(amnesiac.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    Ledger(forgetful).audit(adopt=True)

    plan = amnesiac.settle(whole)
    amnesiac.apply(plan)

    assert set(plan.counts()) == {"adopt", "transaction_note"}
    assert product.books.balance(product.books.account(CLEARING).id) == before
    assert (len(product.live_payments()), len(amnesiac.settle(whole))) == (2, 0)


def test_what_a_forgetful_store_took_over_can_be_charged_back_by_it(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    collected = settlement(line("L1", invoice.id, "40.00"))
    sales.apply(sales.settle(collected))
    amnesiac = Receivables(product.xero(store=MemoryStore()), clearing_account=CLEARING)
    amnesiac.apply(amnesiac.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    amnesiac.apply(amnesiac.import_invoices())
    amnesiac.apply(amnesiac.settle(collected))

    back = SettlementLine(id="B1", transaction=invoice.id, amount=nzd("40.00"), kind="charged back")
    amnesiac.apply(amnesiac.settle(settlement(back, settlement_id="S2", on=LATER)))

    assert product.standing(invoice.id) == []


def test_what_xero_refused_is_said_in_its_words_and_tried_again_when_told(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    part = settlement(line("L1", invoice.id, "40.00"))
    plan = sales.settle(part)
    product.books.lock_period(LATER)

    report = sales.apply(plan)

    (finding,) = report.findings
    assert (finding.code, finding.about) == ("refused by Xero", "L1")
    assert "lock" in finding.cause
    assert codes(sales, part) == [("refused by Xero", "L1")]
    product.books.lock_period(None)
    sales.apply(sales.settle(part, retry_refused=True))
    assert product.standing(invoice.id) == [(Decimal(40), DAY)]


def test_what_xero_refused_is_planned_again_once_its_invoice_has_changed(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    part = settlement(line("L1", invoice.id, "40.00"))
    plan = sales.settle(part)
    product.books.lock_period(LATER)
    sales.apply(plan)
    product.books.lock_period(None)
    product.books.edit_invoice(invoice.id, Reference="seen to")

    sales.apply(sales.settle(part))

    assert product.standing(invoice.id) == [(Decimal(40), DAY)]


@pytest.mark.parametrize("named", ["id", "number"])
def test_a_transaction_made_by_hand_is_settled_once_it_is_linked(
    product: Product, sales: Receivables, named: str
) -> None:
    invoice = product.invoice("Ana Costa", "50.00", "INV-77")
    sales.apply(sales.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    one = settlement(line("L1", "by hand", "50.00"))
    assert codes(sales, one) == [("not created here", "L1")]

    wanted = invoice.id if named == "id" else "INV-77"
    sales.apply(sales.link_transaction("by hand", invoice=wanted))
    sales.apply(sales.settle(one))

    assert product.books.invoice(invoice.id).status == "PAID"
    assert len(sales.link_transaction("by hand", invoice=wanted)) == 0
    assert [each.id for each in sales.transactions()] == ["by hand"]
    assert not sales.import_invoices()


def test_a_link_that_cannot_be_is_a_finding_and_nothing_is_remembered(product: Product, sales: Receivables) -> None:
    taken = product.collectable("50.00")
    other = product.invoice("Nobody", "9.00", "INV-9")

    plans = [
        sales.link_transaction("x", invoice="INV-0"),
        sales.link_transaction("x", invoice=taken.id),
        sales.link_transaction(taken.id, invoice=other.id),
        sales.link_transaction("x", invoice=other.id),
    ]

    assert [(len(plan), *(each.code for each in plan.findings)) for plan in plans] == [
        (0, "invoice unknown"),
        (0, "imported before"),
        (0, "transaction id taken"),
        (0, "customer not connected"),
    ]
    with pytest.raises(InvalidInput, match="transaction_id"):
        sales.link_transaction(" ", invoice=other.id)


def test_the_clearing_account_changes_and_past_payments_keep_theirs(product: Product, xero: Xero) -> None:
    """R6, R23: what was posted stays where it is; what was refused for the account is posted once it is changed."""
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    first, second = product.collectable("60.00", "Ana"), product.collectable("40.00", "Ben")
    both = [settlement(line("L1", first.id, "60.00"))]
    Receivables(xero, clearing_account=CLEARING).apply(Receivables(xero, clearing_account=CLEARING).settle(both))
    both.append(settlement(line("L2", second.id, "40.00"), settlement_id="S2"))
    with pytest.raises(Misconfigured, match="choose another one"):
        Receivables(xero, clearing_account="610").settle(both)

    changed = Receivables(xero, clearing_account="650")
    changed.apply(changed.settle(both))

    balances = [product.books.balance(product.books.account(code).id) for code in (CLEARING, "650")]
    assert balances == [60, 40]
    assert not changed.settle(both)
    assert [Receivables(xero, clearing_account=code).reconcile().clean for code in (CLEARING, "650")] == [True, True]
