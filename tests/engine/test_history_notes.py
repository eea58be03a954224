"""Notes in the history of what was written (row 64): what was done and by whom, each once, whatever dies meanwhile."""

from __future__ import annotations

import re

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.engine.backups import backup, restore

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    BillSettings,
    CardSpend,
    CreditRefund,
    Fee,
    Fleet,
    HistoryNotes,
    Ledger,
    LineKind,
    Payables,
    Receivables,
    Sale,
    SaleLine,
    SaleSettings,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
)
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode
from xerosync.simulator import Fault

NOTES = HistoryNotes(by="Acme Pay")
MARK = re.compile(r" \(XS-[A-Z2-7]{13}\.[A-Z2-7]{4}\)")


def collecting(product: Product, notes: HistoryNotes | None = NOTES, *, batches: bool = False) -> Receivables:
    chosen = SettlementSettings(
        bank_account=BANK, fee_account="404", provider="Collections Ltd", notes=notes, batches=batches
    )
    return Receivables(product.xero(), clearing_account=CLEARING, settlements=chosen)


def paying(product: Product) -> Payables:
    return Payables(product.xero(), payment_account=BANK, bills=BillSettings(notes=NOTES))


def collected(transaction: str, amount: str = "40.00", line: str = "L1", settlement: str = "S1") -> Settlement:
    return Settlement(
        id=settlement, on=DAY, lines=[SettlementLine(id=line, transaction=transaction, amount=nzd(amount))]
    )


def notes_on(product: Product, document_id: str) -> list[str]:
    """The notes in a document's history that are ours, without their marks, oldest first."""
    told = [each.details for each in product.books.history_of(document_id)]
    return [MARK.sub("", each) for each in told if MARK.search(each)]


def test_an_invoice_tells_what_was_paid_and_what_was_taken_back(product: Product) -> None:
    invoice = product.collectable()
    sales = collecting(product)
    sales.apply(sales.settle(collected(invoice.id)))
    back = SettlementLine(id="L2", transaction=invoice.id, amount=nzd("40.00"), kind=LineKind.CHARGED_BACK)
    sales.apply(sales.settle(Settlement(id="S2", on=DAY, lines=[back])))

    assert notes_on(product, invoice.id) == [
        "Acme Pay posted a payment of it: settlement S1, line L1",
        "Acme Pay removed a payment of it: charged back, line L2",
    ]


def test_planning_again_plans_no_note_again(product: Product) -> None:
    invoice = product.collectable()
    sales = collecting(product)
    plan = sales.settle(collected(invoice.id))
    assert [action.kind for action in plan] == ["payment", "note"]
    sales.apply(plan)
    sales.apply(plan)

    assert not sales.settle(collected(invoice.id))
    assert len(notes_on(product, invoice.id)) == 1


def test_no_note_is_written_unless_it_was_chosen(product: Product) -> None:
    """Nor for what was written before it was: to look for those would be a call for each."""
    invoice = product.collectable()
    plain = collecting(product, None)
    plain.apply(plain.settle(collected(invoice.id)))

    assert not collecting(product).settle(collected(invoice.id))
    assert notes_on(product, invoice.id) == []


def test_fees_and_the_payout_are_told_too(product: Product) -> None:
    invoice = product.collectable()
    line = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("40.00"))
    settlement = Settlement(id="S1", on=DAY, lines=[line], fees=[Fee(amount=nzd("1.00"))], paid_out_on=DAY)
    sales = collecting(product)
    sales.apply(sales.settle(settlement))

    told = [note for each in product.books.bank_transactions for note in notes_on(product, each.id)]
    told += [note for each in product.books.bank_transfers for note in notes_on(product, each.id)]
    assert told == [
        "Acme Pay posted it: fees of settlement S1",
        "Acme Pay posted it: payout of settlement S1",
    ]


def test_several_notes_on_one_document_are_one_call(product: Product) -> None:
    invoice = product.collectable()
    lines = [SettlementLine(id=f"L{part}", transaction=invoice.id, amount=nzd("10.00")) for part in range(3)]
    sales = collecting(product)
    noted = sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=lines)))

    assert len(notes_on(product, invoice.id)) == 3
    assert noted.calls == 3  # what has changed is read, then all payments go together, then all notes


def test_a_batch_has_one_note_for_all_its_payments(product: Product) -> None:
    invoices = [product.collectable(contact=name) for name in ("Ana", "Bea", "Cyd")]
    lines = [SettlementLine(id=each.id, transaction=each.id, amount=nzd("40.00")) for each in invoices]
    sales = collecting(product, batches=True)
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=lines)))

    (batch,) = product.books.batch_payments
    assert notes_on(product, batch.id) == ["Acme Pay posted it: payments that moved as one sum"]
    assert [notes_on(product, each.id) for each in invoices] == [[], [], []]
    assert not sales.settle(Settlement(id="S1", on=DAY, lines=lines))


def test_what_is_undone_is_told_where_it_was_posted(product: Product) -> None:
    invoice = product.collectable()
    sales = collecting(product)
    settlement = evolve(collected(invoice.id), paid_out_on=DAY)
    sales.apply(sales.settle(settlement))
    sales.apply(sales.undo_settlement(settlement))

    (transfer,) = product.books.bank_transfers
    assert notes_on(product, transfer.id) == [
        "Acme Pay posted it: payout of settlement S1",
        "Acme Pay withdrew it: settlement S1 was undone",
    ]
    assert notes_on(product, invoice.id)[1:] == ["Acme Pay removed a payment of it: settlement S1 was undone"]
    assert not sales.undo_settlement(settlement)


def test_bills_payments_and_receipts_are_told(product: Product) -> None:
    books = paying(product)
    line = BillLine(description="x", amount=nzd("10.00"), account=AccountCode("429"))
    bill = Bill(id="b1", vendor="Paper Ltd", number="17", on=DAY, lines=[line])
    books.apply(books.submit([bill]))
    books.apply(books.pay([BillPayment(id="p1", bill_id="b1", on=DAY, amount=nzd("4.00"))]))
    books.apply(books.spend([CardSpend(id="r1", vendor="Taxi", on=DAY, account=BANK, lines=[line])]))
    books.apply(books.void(["r1"]))

    (posted,) = product.live_bills()
    assert notes_on(product, posted.id) == [
        "Acme Pay posted it: bill b1",
        "Acme Pay posted a payment of it: payment p1",
    ]
    (receipt,) = product.books.bank_transactions
    assert notes_on(product, receipt.id) == [
        "Acme Pay posted it: receipt r1",
        "Acme Pay withdrew it: receipt r1",
    ]
    assert not books.submit([bill])
    assert not books.void(["r1"])


def test_what_becomes_of_customers_credit_is_told(product: Product) -> None:
    chosen = SettlementSettings(notes=NOTES, surplus=Surplus.PARK)
    sales = Receivables(product.xero(), clearing_account=CLEARING, settlements=chosen, sales=SaleSettings(notes=NOTES))
    invoice = product.collectable()
    sales.apply(sales.settle(collected(invoice.id, "130.00")))
    credit = SaleLine(description="Goodwill", amount=nzd("-50.00"), account=AccountCode("200"))
    sales.apply(sales.submit([Sale(id="c1", customer="Ana", on=DAY, lines=[credit])]))
    product.collectable("60.00")

    sales.apply(sales.allocate())
    sales.apply(sales.refund([refund := CreditRefund(id="r1", credit_id="c1", on=DAY)]))

    (parked,), (note,) = product.books.overpayments, product.books.credit_notes
    assert notes_on(product, parked.id) == ["Acme Pay set it against an invoice: credit of L1"]
    assert notes_on(product, note.id)[1:] == [
        "Acme Pay set it against an invoice: credit of c1",
        "Acme Pay posted its refund: refund r1",
    ]
    assert not sales.allocate()
    assert not sales.refund([refund])


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.RESET_AFTER])
def test_a_note_whose_answer_was_lost_is_looked_for_and_never_doubled(product: Product, fault: Fault) -> None:
    invoice = product.collectable()
    sales = collecting(product)
    product.simulator.faults.plan(fault, method="PUT", path="/History")
    sales.apply(sales.settle(collected(invoice.id)))
    sales.recover()

    assert notes_on(product, invoice.id) == ["Acme Pay posted a payment of it: settlement S1, line L1"]
    assert not sales.settle(collected(invoice.id))


def test_a_note_in_doubt_is_told_wherever_somebody_looks_until_it_is_recovered(product: Product) -> None:
    """And as what it is: the payment that it tells of is there."""
    invoice = product.collectable()
    sales = collecting(product)
    settlement = collected(invoice.id)
    plan = sales.settle(settlement)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/History")
    sales.apply(plan)

    again, fleet = sales.settle(settlement), Fleet(product.store, clock=product.clock).status()
    said = [*again.findings, *sales.reconcile([settlement]).discrepancies, *fleet.findings]

    assert not again
    assert [(each.code, each.about) for each in said] == [
        ("outcome unknown", "L1"),
        ("still open", "L1"),
        ("outcome unknown", "L1"),
    ]
    assert all("its note" in each.cause and "recover()" in each.fix for each in said)
    sales.recover()
    assert not sales.settle(settlement).findings
    assert sales.reconcile([settlement]).clean


def test_a_note_that_was_never_sent_is_sent_when_it_is_planned_again(product: Product) -> None:
    """The process died between the payment and its note: the next plan finds it missing in the history."""
    invoice = product.collectable()
    sales = collecting(product)
    sales.apply(sales.settle(collected(invoice.id)).only(lambda action: action.kind == "payment"))
    plan = sales.settle(collected(invoice.id))
    assert [action.kind for action in plan] == ["note"]
    sales.apply(plan)

    assert len(notes_on(product, invoice.id)) == 1


def test_a_restored_store_takes_the_notes_over_that_it_does_not_know(product: Product) -> None:
    invoice = product.collectable()
    sales = collecting(product)
    kept = backup(product)
    sales.apply(sales.settle(collected(invoice.id)))
    restore(product, kept)
    Ledger(product.xero()).audit(adopt=True)
    sales = collecting(product)
    sales.apply(sales.settle(collected(invoice.id)))

    assert len(notes_on(product, invoice.id)) == 1
    assert not sales.settle(collected(invoice.id))


def test_what_xero_refuses_has_no_note_and_no_finding_about_one(product: Product) -> None:
    invoice = product.collectable()
    sales = collecting(product)
    plan = sales.settle(collected(invoice.id))
    product.books.lock_period(DAY)
    report = sales.apply(plan)

    assert [finding.code for finding in report.findings] == ["refused by Xero"]
    assert notes_on(product, invoice.id) == []


@pytest.mark.parametrize("by", ["", "  ", "x" * 101])
def test_a_note_says_by_whom(by: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        HistoryNotes(by=by)
