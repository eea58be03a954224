"""What people changed is followed, put back or ignored, each by a plan; what cannot be put back is said before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.engine.scenarios import paper, receipt

from xerosync import (
    DriftField,
    Fee,
    FollowDrift,
    Ledger,
    Payables,
    Receivables,
    Sale,
    SaleLine,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Xero,
)
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
from xerosync.simulator import Bookkeeper

LATER = DAY + timedelta(days=3)
Change = Callable[[Product], object]
Standing = tuple[object, ...]


@pytest.fixture(autouse=True)
def written(product: Product) -> None:
    """One of everything: a bill, a credit note, a card receipt, a sale, a payment with fees and a payout."""
    xero = product.xero()
    bills = Payables(xero, payment_account=BANK)
    bills.apply(bills.submit([paper("b", "30.00"), paper("c", "-5.00")]))
    bills.apply(bills.spend([receipt("8.00")]))
    invoice = product.collectable("100.00")
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    line = SaleLine(description="Lessons", amount=nzd("20.00"), account=AccountCode("200"))
    sales.apply(sales.submit([Sale(id="s", customer="Ana", on=DAY, lines=[line])]))
    paid = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"))
    fees = [Fee(amount=nzd("1.00"))]
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[paid], fees=fees, paid_out_on=DAY)))
    product.clock.advance(60)


def bill(books: Bookkeeper) -> str:
    return next(each.id for each in books.invoices if each.type == "ACCPAY")


def sale(books: Bookkeeper) -> str:
    return next(each.id for each in books.invoices if each.total == 20)


def spent(books: Bookkeeper) -> str:
    return next(each.id for each in books.bank_transactions if each.total == 8)


def fees(books: Bookkeeper) -> str:
    return next(each.id for each in books.bank_transactions if each.total == 1)


def edit_receipt(product: Product, **changed: object) -> None:
    wanted = {"bank_transaction_id": BankTransactionId(spent(product.books)), **changed}
    product.xero().bank_transactions.update_one(BankTransaction(**wanted))  # type: ignore[arg-type]


def _other(product: Product) -> Contact:
    return Contact(contact_id=ContactId(product.books.add_contact("Somebody else").id))


def _move_bill(product: Product) -> None:
    moved = Invoice(invoice_id=InvoiceId(bill(product.books)), contact=_other(product))
    product.xero().invoices.update_one(moved)


def _recode_bill(product: Product) -> None:
    recoded = {"Description": "b", "UnitAmount": "30.00", "AccountCode": "453"}
    product.books.edit_invoice(bill(product.books), lines=[recoded])


def _nine(product: Product) -> None:
    line = LineItem(description="taxi", unit_amount=Decimal("9.00"), account_code=AccountCode("404"))
    edit_receipt(product, line_items=(line,))


def _recode(found: Callable[[Bookkeeper], str], amount: str) -> Change:
    """Somebody books the bank transaction that is *found* on another account."""

    def recode(product: Product) -> None:
        line = LineItem(description="recoded", unit_amount=Decimal(amount), account_code=AccountCode("453"))
        wanted = BankTransaction(bank_transaction_id=BankTransactionId(found(product.books)), line_items=(line,))
        product.xero().bank_transactions.update_one(wanted)

    return recode


def _recode_note(product: Product) -> None:
    note = product.books.credit_notes[0]
    line = {"Description": "c", "UnitAmount": str(note.total), "AccountCode": "453"}
    product.books.edit_invoice(note.id, lines=[line])


def _then(*changes: Change) -> Change:
    def both(product: Product) -> None:
        for each in changes:
            each(product)

    return both


def _dated(product: Product) -> None:
    product.books.edit_invoice(bill(product.books), date=LATER.isoformat())


def _receipt_dated(product: Product) -> None:
    edit_receipt(product, date=LATER)


def _receipt_of_another(product: Product) -> None:
    edit_receipt(product, contact=_other(product))


def _payment_removed(product: Product) -> None:
    product.books.remove_payment(product.live_payments()[0].id)


def _reconciled(product: Product) -> None:
    product.books.reconcile_bank_transaction(spent(product.books))


def _closed(until: date) -> Change:
    def close(product: Product) -> None:
        product.books.lock_period(until)

    return close


def customer(books: Bookkeeper) -> str:
    return next(each.id for each in books.contacts if each.name == "Ana Costa")


def _merged(product: Product) -> None:
    product.books.merge_contacts(customer(product.books), into=product.books.add_contact("Ana Costa and Sons").id)


def provider(books: Bookkeeper) -> str:
    return next(each.id for each in books.contacts if each.name == "Collections Ltd")


def _provider_merged(product: Product) -> None:
    product.books.merge_contacts(provider(product.books), into=product.books.add_contact("Collections Limited").id)


CHANGES: dict[str, tuple[Change, list[DriftField]]] = {
    "bill edited": (lambda it: it.books.edit_invoice(bill(it.books), amount=Decimal(31)), [DriftField.AMOUNT]),
    "bill dated": (_dated, [DriftField.DATE]),
    "bill due": (lambda it: it.books.edit_invoice(bill(it.books), due=LATER), [DriftField.DUE_DATE]),
    "bill of another": (_move_bill, [DriftField.CONTACT]),
    "bill on another account": (_recode_bill, [DriftField.LINES]),
    "sale edited": (lambda it: it.books.edit_invoice(sale(it.books), amount=Decimal(21)), [DriftField.AMOUNT]),
    "receipt edited": (_nine, [DriftField.AMOUNT]),
    "receipt dated": (_receipt_dated, [DriftField.DATE]),
    "receipt of another": (_receipt_of_another, [DriftField.CONTACT]),
    "receipt on another account": (_recode(spent, "8.00"), [DriftField.LINES]),
    "fees on another account": (_recode(fees, "1.00"), [DriftField.LINES]),
    "receipt removed": (lambda it: it.books.remove_bank_transaction(spent(it.books)), [DriftField.EXISTENCE]),
    "payment removed": (_payment_removed, [DriftField.EXISTENCE]),
    "payout removed": (
        lambda it: it.xero().bank_transfers.delete(it.books.bank_transfers[0].id),
        [DriftField.EXISTENCE],
    ),
}
LEFT: dict[str, tuple[Change, list[DriftField]]] = {
    "bill voided": (lambda it: it.books.void_invoice(bill(it.books)), [DriftField.EXISTENCE]),
    "credit note voided": (lambda it: it.books.void_invoice(it.books.credit_notes[0].id), [DriftField.EXISTENCE]),
    "sale voided": (lambda it: it.books.void_invoice(sale(it.books)), [DriftField.EXISTENCE]),
    "credit note on another account": (_recode_note, [DriftField.LINES]),
    "receipt on another account, reconciled": (_then(_recode(spent, "8.00"), _reconciled), [DriftField.LINES]),
    "receipt dated, reconciled": (_then(_receipt_dated, _reconciled), [DriftField.DATE]),
    "receipt dated, closed": (_then(_receipt_dated, _closed(DAY)), [DriftField.DATE]),
    "receipt edited, account archived": (
        _then(_nine, lambda it: it.books.archive_account("429")),
        [DriftField.AMOUNT],
    ),
    "receipt removed, bank account archived": (
        _then(lambda it: it.books.remove_bank_transaction(spent(it.books)), lambda it: it.books.archive_account(BANK)),
        [DriftField.EXISTENCE],
    ),
    "fees edited, provider archived": (
        _then(_recode(fees, "2.00"), lambda it: it.books.archive_contact(provider(it.books))),
        [DriftField.AMOUNT],
    ),
    "fees edited, provider merged": (_then(_recode(fees, "2.00"), _provider_merged), [DriftField.AMOUNT]),
    "bill dated, closed": (_then(_dated, _closed(LATER)), [DriftField.DATE]),
    "payment removed, closed": (_then(_payment_removed, _closed(DAY)), [DriftField.EXISTENCE]),
    "customer merged": (_merged, [DriftField.CONTACT, DriftField.CONTACT]),
    "customer archived": (lambda it: it.books.archive_contact(customer(it.books)), [DriftField.CONTACT_STATUS]),
}


def standing(product: Product) -> Standing:
    """All that stands in the books, but for ids, which what was posted anew has others of."""
    books = product.books
    documents = sorted(
        (each.type, each.number or "", each.contact_id, each.date, each.due_date, each.total, each.amount_due,
         tuple((line.account_id, line.amount) for line in each.lines))
        for each in (*books.invoices, *books.credit_notes) if each.is_posted
    )  # fmt: skip
    moved = sorted(
        (each.type, each.contact_id, each.date, each.total)
        for each in books.bank_transactions
        if each.status == "AUTHORISED"
    )
    payments = sorted((each.date, each.amount) for each in product.live_payments())
    transfers = sorted((each.date, each.amount) for each in books.bank_transfers if each.status == "AUTHORISED")
    balances = tuple(books.balance(books.account(code).id) for code in (BANK, CLEARING, "404", "429", "453", "200"))
    return (documents, moved, payments, transfers, balances)


@pytest.mark.parametrize(("change", "fields"), CHANGES.values(), ids=CHANGES)
def test_what_was_changed_is_put_back_as_it_was(product: Product, change: Change, fields: list[DriftField]) -> None:
    ledger, bills = Ledger(product.xero()), Payables(product.xero())
    before = standing(product)
    change(product)
    assert standing(product) != before

    report = ledger.drift()
    plan = report.restore()
    outcome = bills.apply(plan)

    assert [each.field for each in report] == fields
    assert (plan.findings, outcome.unfinished) == ((), ())
    assert standing(product) == before
    assert len(ledger.drift()) == 0


@pytest.mark.parametrize(("change", "fields"), LEFT.values(), ids=LEFT)
def test_what_xero_would_refuse_to_put_back_is_a_finding_and_nothing_is_sent(
    product: Product, change: Change, fields: list[DriftField]
) -> None:
    change(product)
    ledger, bills = Ledger(product.xero()), Payables(product.xero())
    before = standing(product)

    report = ledger.drift()
    plan = report.restore()
    bills.apply(plan)

    assert [each.field for each in report] == fields
    assert (len(plan), {each.code for each in plan.findings}) == (0, {"cannot be put back"})
    assert all(each.cause and each.fix and each.who == "the bookkeeper" for each in plan.findings)
    assert standing(product) == before


@pytest.mark.parametrize("how", ["follow", "ignore"])
@pytest.mark.parametrize(("change", "fields"), [*CHANGES.values(), *LEFT.values()], ids=[*CHANGES, *LEFT])
def test_what_was_changed_may_stay_so_and_is_told_no_more(
    product: Product, change: Change, fields: list[DriftField], how: str
) -> None:
    change(product)
    ledger, bills = Ledger(product.xero()), Payables(product.xero())
    before = standing(product)

    report = ledger.drift()
    plan = getattr(report, how)()
    bills.apply(plan)

    assert plan.findings == ()
    told = [(each.about, each.was, each.now) for each in plan.of(FollowDrift)]
    assert told == ([(each.about, each.was, each.now) for each in report] if how == "follow" else [])
    assert len(fields) == len(plan)
    assert standing(product) == before
    assert len(ledger.drift()) == 0


def test_what_is_changed_once_more_after_the_plan_is_not_put_back_over_that(product: Product, xero: Xero) -> None:
    _receipt_dated(product)
    plan = Ledger(xero).drift().restore()
    product.clock.advance(60)
    _nine(product)
    before = standing(product)

    outcome = Payables(xero).apply(plan)

    assert {each.code for each in outcome.findings} == {"changed since planned", "held back"}
    assert standing(product) == before


def test_of_what_is_left_the_reason_is_said(product: Product, xero: Xero) -> None:
    _then(_receipt_dated, _reconciled)(product)
    product.books.edit_invoice(sale(product.books), amount=Decimal(21))
    product.books.archive_contact(customer(product.books))

    causes = [each.cause for each in Ledger(xero).drift([DriftField.DATE, DriftField.AMOUNT]).restore().findings]

    assert [cause.partition(": ")[2] for cause in causes] == [
        "it is reconciled",
        "its contact was archived, or merged into another one",
    ]
