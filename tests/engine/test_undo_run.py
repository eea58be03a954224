"""Undoing a run, by what the record says that it decided."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.engine.scenarios import collected, paper, receipt

from xerosync import (
    BillPayment,
    CardSpend,
    Ledger,
    Payables,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Xero,
)
from xerosync.errors import InvalidInput
from xerosync.models import (
    AccountCode,
    BankTransaction,
    BankTransactionId,
    Contact,
    ContactId,
    Invoice,
    InvoiceId,
    LineItem,
)


@pytest.fixture
def ledger(xero: Xero) -> Ledger:
    return Ledger(xero)


def test_a_run_of_bills_and_one_of_their_payments_are_undone_one_after_the_other(
    product: Product, purchases: Payables, ledger: Ledger
) -> None:
    submitted = purchases.apply(purchases.submit([paper("b1", "30.00"), paper("c1", "-5.00")]))
    paid = purchases.apply(purchases.pay([BillPayment(id="p1", bill_id="b1", on=DAY, amount=nzd("10.00"))]))

    too_early = ledger.undo(submitted.run)
    assert not too_early
    assert [(each.about, each.cause) for each in too_early.findings] == [
        ("b1", "money that is not of this stands on it")
    ]

    purchases.apply(ledger.undo(paid.run))
    report = purchases.apply(ledger.undo(submitted.run))

    assert not report.unfinished
    assert product.live_bills() == []
    assert [note.status for note in product.books.credit_notes] == ["VOIDED"]
    assert product.books.balance(product.books.account(BANK).id) == 0
    assert not ledger.undo(submitted.run)
    assert purchases.pay([BillPayment(id="p1", bill_id="b1", on=DAY, amount=nzd("10.00"))]).findings == ()
    assert not purchases.submit([paper("b1", "30.00")])
    assert len(ledger.drift()) == 0
    assert ledger.audit().findings == ()


def test_what_people_had_typed_stays_when_the_run_that_took_it_over_is_undone(
    product: Product, xero: Xero, ledger: Ledger
) -> None:
    """The run wrote nothing to Xero: neither what somebody had typed is gone, nor is any of it in the way."""
    typed, ours = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    payment = product.books.add_payment(typed.id, account=CLEARING, date=DAY)
    transfer = product.books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(160), date=DAY)
    lines = [SettlementLine(id=f"L{each.total}", transaction=each.id, amount=nzd(each.total)) for each in (typed, ours)]
    settlement = Settlement(id="S1", on=DAY, lines=lines, paid_out_on=DAY)
    taken_over = sales.apply(sales.backfill(settlement))
    settled = sales.apply(sales.settle(settlement))
    assert sales.reconcile(settlement).clean

    assert not ledger.undo(taken_over.run)
    assert ledger.undo(taken_over.run).findings == ()
    sales.apply(ledger.undo(settled.run))

    assert [each.id for each in product.live_payments()] == [payment.id]
    assert [each.status for each in product.books.bank_transfers] == ["AUTHORISED"]
    assert transfer.id


def test_a_run_whose_money_a_later_one_paid_out_is_undone_after_that_one(
    product: Product, xero: Xero, ledger: Ledger
) -> None:
    sales = Receivables(xero, clearing_account=CLEARING, settlements=SettlementSettings(bank_account=BANK))
    settlement = collected(product.collectable("100.00").id)
    posted = sales.apply(sales.settle(settlement))
    paid_out = sales.apply(sales.settle(evolve(settlement, paid_out_on=DAY)))
    clearing = product.books.account(CLEARING).id

    too_early = ledger.undo(posted.run)
    sales.apply(too_early)

    assert [(each.about, each.cause) for each in too_early.findings] == [("L1", "it was paid out with settlement S1")]
    assert (len(too_early), product.books.balance(clearing)) == (0, Decimal(0))
    sales.apply(ledger.undo(paid_out.run))
    sales.apply(ledger.undo(posted.run))
    assert (product.live_payments(), product.books.balance(clearing)) == ([], Decimal(0))
    assert [each.code for each in sales.settle(evolve(settlement, paid_out_on=DAY)).findings] == ["undone"]


def test_card_receipts_and_batches_of_a_run_are_undone(product: Product, purchases: Payables, ledger: Ledger) -> None:
    purchases.apply(purchases.submit([paper("b1", "30.00"), paper("b2", "20.00")]))
    lines = paper("s1", "8.00").lines
    spent = purchases.apply(purchases.spend([CardSpend(id="s1", vendor="Taxi", on=DAY, account=BANK, lines=lines)]))
    both = [BillPayment(id=f"p-{each}", bill_id=each, on=DAY) for each in ("b1", "b2")]
    paid = purchases.apply(purchases.pay(both, batch=True))
    assert product.books.balance(product.books.account(BANK).id) == Decimal(-58)

    for run in (paid.run, spent.run):
        assert not purchases.apply(ledger.undo(run)).unfinished

    assert product.books.balance(product.books.account(BANK).id) == 0
    assert product.live_payments() == []
    assert [each.amount_due for each in product.live_bills()] == [Decimal(30), Decimal(20)]
    assert len(ledger.drift()) == 0


def test_what_a_run_edited_or_set_against_another_document_is_listed(purchases: Payables, ledger: Ledger) -> None:
    purchases.apply(purchases.submit([paper("b1", "30.00"), paper("c1", "-5.00")]))
    edited = purchases.apply(purchases.update([paper("b1", "31.00")]))
    credited = purchases.apply(purchases.settle_credits())

    assert [each.cause for each in ledger.undo(edited.run).findings] == ["an edit cannot be taken back"]
    assert [each.cause for each in ledger.undo(credited.run).findings] == ["a credit was set against a document"]


def test_what_people_coded_otherwise_and_what_a_later_run_changed_stays_and_the_reason_is_said(
    product: Product, purchases: Payables, ledger: Ledger
) -> None:
    """Neither the work of whoever keeps the books is voided, nor blamed for what the product did itself."""
    submitted = purchases.apply(purchases.submit([paper("b1", "30.00"), paper("b2", "20.00"), paper("b3", "10.00")]))
    coded = {"Description": "paper", "UnitAmount": "30.00", "AccountCode": "453"}
    product.books.edit_invoice(product.live_bills()[0].id, lines=[coded])
    purchases.apply(purchases.update([paper("b2", "21.00")]))

    plan = ledger.undo(submitted.run)

    assert not plan
    assert [(each.about, each.cause) for each in plan.findings] == [
        ("b1", "it was edited in Xero since: lines"),
        ("b2", "a later run of your own changed it"),
    ]
    assert "void()" in plan.findings[1].fix
    assert len(product.live_bills()) == 3


@pytest.mark.parametrize("reconciled", [True, False])
def test_a_receipt_that_people_coded_otherwise_is_not_removed(
    product: Product, purchases: Payables, ledger: Ledger, *, reconciled: bool
) -> None:
    spent = purchases.apply(purchases.spend([receipt("8.00")]))
    (written,) = product.books.bank_transactions
    product.clock.advance(60)
    coded = LineItem(description="taxi", unit_amount=Decimal("8.00"), account_code=AccountCode("453"))
    wanted = BankTransaction(bank_transaction_id=BankTransactionId(written.id), line_items=(coded,))
    product.xero().bank_transactions.update_one(wanted)
    if reconciled:
        product.books.reconcile_bank_transaction(written.id)

    plan = ledger.undo(spent.run)

    cause = "it is reconciled" if reconciled else "it was edited in Xero since: lines"
    assert [(each.code, each.cause) for each in plan.findings] == [("cannot be undone", cause)]
    assert not plan


@pytest.mark.parametrize("times", [1, 2])
def test_what_a_merge_of_contacts_took_along_is_undone(
    product: Product, purchases: Payables, ledger: Ledger, *, times: int
) -> None:
    submitted = purchases.apply(purchases.submit([paper("b1", "30.00"), paper("c1", "-5.00")]))
    spent = purchases.apply(purchases.spend([receipt("8.00")]))
    survivor = product.books.add_contact("Survivor Ltd")
    for vendor in ("Paper Ltd", "Taxi"):
        (last,) = (each.id for each in product.books.contacts if each.name == vendor)
        for _ in range(times - 1):
            between = product.books.add_contact(f"{vendor} & Sons").id
            product.books.merge_contacts(last, into=between)
            last = between
        product.books.merge_contacts(last, into=survivor.id)
    product.clock.advance(60)

    plans = [ledger.undo(each.run) for each in (submitted, spent)]
    reports = [purchases.apply(each) for each in plans]

    assert [each.findings for each in plans] == [(), ()]
    assert not any(each.unfinished for each in reports)
    assert product.live_bills() == []
    assert [each.status for each in product.books.credit_notes] == ["VOIDED"]
    assert [each.status for each in product.books.bank_transactions] == ["DELETED"]


@pytest.mark.parametrize("merged", [True, False])
def test_what_people_moved_to_another_contact_stays(
    product: Product, purchases: Payables, ledger: Ledger, *, merged: bool
) -> None:
    """Also where the contact it was of is another one's by now."""
    submitted = purchases.apply(purchases.submit([paper("b1", "30.00")]))
    spent = purchases.apply(purchases.spend([receipt("8.00")]))
    other = Contact(contact_id=ContactId(product.books.add_contact("Other Ltd").id))
    money, bill = product.books.bank_transactions[0], product.live_bills()[0]
    product.clock.advance(60)
    moved = BankTransaction(bank_transaction_id=BankTransactionId(money.id), contact=other)
    product.xero().bank_transactions.update_one(moved)
    product.xero().invoices.update_one(Invoice(invoice_id=InvoiceId(bill.id), contact=other))
    for each in (money.contact_id, bill.contact_id) if merged else ():
        product.books.merge_contacts(each, into=product.books.add_contact(f"Survivor of {each}").id)

    plans = [ledger.undo(each.run) for each in (submitted, spent)]

    assert not any(plans)
    causes = [each.cause for plan in plans for each in plan.findings]
    assert causes == ["it was edited in Xero since: contact"] * 2


def test_an_undone_run_is_explained(product: Product, xero: Xero, ledger: Ledger) -> None:
    sales = Receivables(xero, clearing_account=CLEARING)
    run = sales.apply(sales.settle(collected(product.collectable("100.00").id))).run
    (payment,) = product.live_payments()

    sales.apply(ledger.undo(run))

    assert "payment L1, to remove, was decided: the run that wrote it is undone" in str(ledger.why(payment.id))


def _edit(product: Product) -> None:
    product.books.edit_invoice(product.live_bills()[0].id, amount=Decimal(31))


def _pay(product: Product) -> None:
    product.books.add_payment(product.live_bills()[0].id, account=BANK, amount=Decimal(3))


def _allocate(product: Product) -> None:
    (credit,) = product.books.credit_notes
    product.books.allocate(credit.id, invoice_id=product.live_bills()[0].id, amount=Decimal(5))


@pytest.mark.parametrize("touch", [_edit, _pay, _allocate])
def test_where_one_document_is_touched_after_the_plan_nothing_of_the_run_is_undone(
    product: Product, purchases: Payables, ledger: Ledger, touch: Callable[[Product], None]
) -> None:
    run = purchases.apply(purchases.submit([paper("b1", "30.00"), paper("b2", "20.00"), paper("c1", "-5.00")])).run
    plan = ledger.undo(run)
    product.clock.advance(60)
    touch(product)

    report = purchases.apply(plan)

    assert {each.code for each in report.findings} == {"changed since planned", "held back"}
    assert len(product.live_bills()) == 2
    assert all(each.is_posted for each in product.books.credit_notes)


def test_a_run_that_is_not_recorded_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InvalidInput, match="nothing is recorded of it"):
        ledger.undo("yesterday")


def test_what_the_product_changed_of_a_receipt_that_was_put_back_is_not_blamed_on_people(
    product: Product, purchases: Payables, ledger: Ledger
) -> None:
    purchases.apply(purchases.spend([receipt("8.00")]))
    product.books.remove_bank_transaction(product.books.bank_transactions[0].id)
    put_back = purchases.apply(ledger.drift().restore())
    product.clock.advance(60)
    purchases.apply(purchases.update([receipt("9.00")]))

    plan = ledger.undo(put_back.run)

    assert not plan
    assert [(each.about, each.cause) for each in plan.findings] == [("card/s", "a later run of your own changed it")]


def test_a_run_is_undone_after_the_later_one_that_put_something_of_it_back(
    product: Product, xero: Xero, ledger: Ledger
) -> None:
    """Half of it would be gone, and the payment that was put back would stay."""
    sales = Receivables(xero, clearing_account=CLEARING)
    invoices = [product.collectable("100.00"), product.collectable("60.00", "Bo Lee")]
    lines = [SettlementLine(id=f"L{each.total}", transaction=each.id, amount=nzd(each.total)) for each in invoices]
    settlement = Settlement(id="S1", on=DAY, lines=lines)
    first = sales.apply(sales.settle(settlement))
    product.books.remove_payment(product.live_payments()[0].id)
    product.clock.advance(60)
    later = sales.apply(ledger.drift().restore())

    plan = ledger.undo(first.run)
    sales.apply(plan)

    assert not plan
    (finding,) = plan.findings
    assert (finding.about, finding.cause) == ("L100.00", "a later run of your own put it back")
    assert "that run first" in finding.fix
    assert len(product.live_payments()) == 2
    for run in (later.run, first.run):
        assert not sales.apply(ledger.undo(run)).unfinished
    assert product.live_payments() == []
    assert not ledger.undo(first.run)
    assert sales.reconcile(settlement).balance == nzd("0.00")


def test_a_receipt_that_a_later_run_put_back_is_listed_and_can_be_voided(
    product: Product, purchases: Payables, ledger: Ledger
) -> None:
    spent = purchases.apply(purchases.spend([receipt("8.00")]))
    product.clock.advance(60)
    product.books.edit_bank_transaction(product.books.bank_transactions[0].id, amount=Decimal("9.00"))
    purchases.apply(ledger.drift().restore())

    plan = ledger.undo(spent.run)

    assert [each.cause for each in plan.findings] == ["a later run of your own put it back"]
    assert "void()" in plan.findings[0].fix
    purchases.apply(purchases.void(["s"]))
    assert {each.status for each in product.books.bank_transactions} == {"DELETED"}
    assert ledger.undo(spent.run).findings == ()
