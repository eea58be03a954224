"""What the host withdrew is voided or deleted in Xero, and never from under money (95)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import Bill, BillLine, BillPayment, CardSpend, Payables
from xerosync.models import AccountCode, DocumentStatus
from xerosync.simulator import Fault

LINE = BillLine(description="x", amount=nzd("10.00"), account=AccountCode("429"))


def bill(bill_id: str = "b1", amount: str = "10.00") -> Bill:
    return Bill(id=bill_id, vendor="Paper Ltd", number=bill_id, on=DAY, lines=[evolve(LINE, amount=nzd(amount))])


@pytest.mark.parametrize(
    ("status", "ended"), [("DRAFT", "DELETED"), ("SUBMITTED", "DELETED"), ("AUTHORISED", "VOIDED")]
)
def test_a_withdrawn_document_ends_as_its_status_allows(
    product: Product, purchases: Payables, status: str, ended: str
) -> None:
    papers = [evolve(each, status=DocumentStatus(status)) for each in (bill(), bill("c1", "-4.00"))]
    purchases.apply(purchases.submit(papers))

    purchases.apply(purchases.void(["b1", "c1"]))

    assert [each.status for each in [*product.books.invoices, *product.books.credit_notes]] == [ended, ended]
    assert not purchases.void(["b1", "c1"])


def test_a_withdrawn_receipt_is_removed(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.spend([CardSpend(id="s1", vendor="Taxi", on=DAY, account=BANK, lines=[LINE])]))

    purchases.apply(purchases.void(["s1"]))

    assert [each.status for each in product.books.bank_transactions] == ["DELETED"]


def test_nothing_is_voided_under_money(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill()]))
    purchases.apply(purchases.pay([BillPayment(id="p1", bill_id="b1", on=DAY, amount=nzd("3.00"))]))

    plan = purchases.void(["b1"])

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["money on it"])
    product.books.remove_payment(product.live_payments()[0].id)
    purchases.apply(purchases.void(["b1"]))
    assert [each.status for each in product.books.invoices] == ["VOIDED"]


def test_a_reconciled_receipt_stays(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.spend([CardSpend(id="s1", vendor="Taxi", on=DAY, account=BANK, lines=[LINE])]))
    product.books.reconcile_bank_transaction(product.books.bank_transactions[0].id)

    assert [each.code for each in purchases.void(["s1"]).findings] == ["reconciled"]


def test_a_bill_in_closed_books_stays(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill()]))
    product.books.lock_period(DAY)

    assert [each.code for each in purchases.void(["b1"]).findings] == ["books closed"]


def test_what_the_library_did_not_post_is_left_alone(product: Product, purchases: Payables) -> None:
    plan = purchases.void(["nothing"])

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (0, [("not created here", "nothing")])
    assert product.books.invoices == ()


def test_a_bill_and_a_receipt_of_one_id_are_told_apart(product: Product, purchases: Payables) -> None:
    """Also when one of them has gone already: the same call, made again, must not take the other."""
    purchases.apply(purchases.submit([bill("1")]))
    purchases.apply(purchases.spend([CardSpend(id="1", vendor="Taxi", on=DAY, account=BANK, lines=[LINE])]))

    unclear = purchases.void(["1"])
    purchases.apply(purchases.void(["1"], of=Bill))

    assert (len(unclear), [each.code for each in unclear.findings]) == (0, ["id used twice"])
    assert not purchases.void(["1"])
    assert [each.status for each in product.books.bank_transactions] == ["AUTHORISED"]
    purchases.apply(purchases.void(["1"], of=CardSpend))
    assert [each.status for each in product.books.bank_transactions] == ["DELETED"]


def test_a_bill_that_was_entered_in_xero_is_voided_there(product: Product, purchases: Payables) -> None:
    contact = product.books.add_contact("Typed Ltd")
    typed = product.books.add_invoice(contact.id, type="ACCPAY", number="T-1", amount=Decimal(100), date=DAY)
    purchases.apply(purchases.bring_back(bill_id=lambda each: each.number))

    plan = purchases.void(["T-1"])

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (0, [("not created here", "T-1")])
    product.books.void_invoice(typed.id)
    assert purchases.void(["T-1"]).findings == ()


@pytest.mark.parametrize("in_doubt", [True, False])
def test_what_somebody_has_voided_already_needs_nothing_more(
    product: Product, purchases: Payables, *, in_doubt: bool
) -> None:
    """Also where its answer was lost, and it was found voided when it was looked for."""
    if in_doubt:
        product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Invoices")
    purchases.apply(purchases.submit([bill()]))
    product.books.void_invoice(product.books.invoices[0].id)
    purchases.recover()

    plan = purchases.void(["b1"])

    assert (len(plan), plan.findings) == (0, ())


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
@pytest.mark.parametrize("name", ["b1", "c1", "s1"])
def test_what_may_be_taken_back_already_is_neither_paid_nor_changed_and_is_said_to_be_open(
    product: Product, purchases: Payables, name: str, fault: Fault
) -> None:
    """Nobody knows whether it stands, and recovering would take it back before anything else was sent."""
    receipt = CardSpend(id="s1", vendor="Taxi", on=DAY, account=BANK, lines=[LINE])
    papers: dict[str, Bill | CardSpend] = {"b1": bill(), "c1": bill("c1", "-4.00"), "s1": receipt}
    purchases.apply(purchases.submit([bill(), bill("c1", "-4.00")]))
    purchases.apply(purchases.spend([receipt]))
    product.simulator.faults.plan(fault, method="POST")
    purchases.apply(purchases.void([name]))
    later = evolve(papers[name], lines=[evolve(LINE, amount=nzd("-5.00" if name == "c1" else "11.00"))])

    plans = [purchases.update([later])]
    if name == "b1":
        plans.append(purchases.pay([BillPayment(id="p1", bill_id="b1", on=DAY)]))

    told = [(each.code, each.retry) for plan in plans for each in plan.findings]
    assert (sum(map(len, plans)), len(told)) == (0, len(plans))
    assert fault is Fault.LOST_AFTER or told == [("still open", True)] * len(plans)
    product.clock.advance(3600)
    purchases.recover()
    assert {each.code for each in purchases.update([later]).findings} == {"withdrawn"}
