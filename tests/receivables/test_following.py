"""Transactions follow their invoices in Xero while they can be changed; what comes too late is a finding."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd
from tests.engine.backups import backup, restore
from tests.receivables.host import Host

from xerosync import (
    ChangeTransaction,
    Customer,
    Difference,
    Finding,
    ImportPolicy,
    ImportSettings,
    ImportTerms,
    LineKind,
    Money,
    Receivables,
    Settlement,
    SettlementLine,
    Transaction,
    TransactionState,
    TransactionStatus,
    map_invoice,
)
from xerosync.errors import InvalidInput
from xerosync.models import Invoice
from xerosync.simulator import Bookkeeper

SENT, APPROVED = TransactionStatus.SENT, TransactionStatus.APPROVED
DECLINED, DELETED = TransactionStatus.DECLINED, TransactionStatus.DELETED
LATER = date(2026, 1, 20)


@pytest.fixture
def host(sales: Receivables) -> Host:
    return Host(sales)


def follow_edits(sales: Receivables, policy: ImportPolicy = ImportPolicy.FOLLOWED) -> None:
    sales.apply(sales.set_import_policies({"Ana": policy}))


def found(findings: Iterable[Finding]) -> list[tuple[str, Money, Money]]:
    """The code and both amounts of each difference, which is all there may be."""
    differences = [each for each in findings if isinstance(each, Difference)]
    assert len(differences) == len(list(findings))
    return [(each.code, each.asked, each.due) for each in differences]


def test_edits_of_total_and_due_date_reach_the_host_once(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    invoice = product.collectable("100.00")
    follow_edits(sales)
    host.look()
    books.edit_invoice(invoice.id, amount=Decimal(120), due=LATER)

    plan = sales.follow(host.states())
    host.follow()

    assert plan.counts() == {"transaction_change": 1}
    assert (host.rows[invoice.id].amount, host.rows[invoice.id].on) == (nzd("120.00"), LATER)
    assert not sales.follow(host.states())
    (transaction,) = sales.transactions()
    assert (transaction.amount, transaction.due, transaction.on) == (nzd("120.00"), LATER, LATER)


def test_what_is_due_is_followed_when_a_part_is_paid_or_credited(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    paid, credited = product.collectable("100.00"), product.collectable("50.00")
    follow_edits(sales)
    host.look()
    books.add_payment(paid.id, account=BANK, amount=Decimal(30))
    note = books.add_credit_note(credited.contact_id, amount=Decimal(20))
    books.allocate(note.id, invoice_id=credited.id, amount=Decimal(20))

    host.follow()

    assert {name: row.amount for name, row in host.rows.items()} == {paid.id: nzd("70.00"), credited.id: nzd("30.00")}


def test_the_due_date_of_a_part_paid_invoice_is_followed_though_xero_does_not_stamp_it(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    """F 4.23."""
    invoice = product.collectable("100.00")
    follow_edits(sales)
    books.add_payment(invoice.id, account=BANK, amount=Decimal(30))
    product.clock.advance(3600)
    product.invoice("Bo Lind", "10.00")  # the last to be stamped is read again anyhow
    host.follow()
    product.clock.advance(3600)
    books.edit_invoice(invoice.id, due=LATER)

    host.follow()

    assert host.rows[invoice.id].on == LATER


@pytest.mark.parametrize("how", ["voided", "paid elsewhere"])
def test_an_invoice_on_which_nothing_is_due_any_more_cancels_its_transaction(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host, how: str
) -> None:
    invoice = product.collectable("100.00")
    follow_edits(sales)
    host.look()
    if how == "voided":
        books.void_invoice(invoice.id)
    else:
        books.add_payment(invoice.id, account=BANK)

    plan = sales.follow(host.states())
    host.follow()

    assert plan.counts() == {"transaction_cancel": 1}
    assert host.rows[invoice.id].status is DELETED
    host.follow()
    assert not sales.follow(host.states())
    assert not sales.import_invoices([invoice.id])


def test_a_payment_elsewhere_that_is_taken_back_asks_for_the_money_again(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    """The host had not come to delete its row."""
    invoice = product.collectable("100.00")
    follow_edits(sales)
    host.look()
    payment = books.add_payment(invoice.id, account=BANK)
    sales.apply(sales.follow(host.states()))
    books.remove_payment(payment.id)

    host.follow()

    (transaction,) = sales.transactions()
    assert (transaction.is_live, transaction.amount) == (True, nzd("100.00"))
    assert not sales.follow(host.states())


def test_a_change_is_told_again_until_the_host_s_own_row_shows_it(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    """The host died between the library's store and its own."""
    edited, voided = product.collectable("100.00"), product.collectable("50.00")
    follow_edits(sales)
    host.look()
    books.edit_invoice(edited.id, amount=Decimal(120))
    books.void_invoice(voided.id)
    first = sales.follow(host.states())
    sales.apply(first)

    second = sales.follow(host.states())
    report = sales.apply(second)

    def told(plan: Iterable[object]) -> set[tuple[str, str]]:
        return {(type(each).__name__, str(getattr(each, "worth", ""))) for each in plan}

    assert told(second) == told(first) == {("ChangeTransaction", "120.00 NZD"), ("CancelTransaction", "-50.00 NZD")}
    assert report.unfinished == ()
    host.follow()
    host.follow()
    assert not sales.follow(host.states())


def test_the_day_stays_while_the_due_date_does(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    """What was overdue when it was imported does not move on with every day that passes."""
    invoice = product.collectable("100.00")
    follow_edits(sales)
    host.look()
    product.clock.advance(86400)
    books.edit_invoice(invoice.id, amount=Decimal(90))

    host.follow()

    assert (host.rows[invoice.id].amount, host.rows[invoice.id].on) == (nzd("90.00"), DAY)


def test_a_day_told_too_late_becomes_the_next_one(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    invoice = product.collectable("100.00")
    follow_edits(sales)
    host.look()
    books.edit_invoice(invoice.id, due=date(2026, 1, 8))
    sales.apply(sales.follow(host.states()))
    product.clock.advance(5 * 86400)  # to a Saturday

    host.follow()

    assert host.rows[invoice.id].on == date(2026, 1, 12)


@pytest.mark.parametrize("how", ["edited", "voided"])
def test_edits_of_invoices_imported_by_hand_are_findings_never_silent(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host, how: str
) -> None:
    """R14; the cure is R15."""
    invoice = product.collectable("100.00")
    host.look()
    if how == "edited":
        books.edit_invoice(invoice.id, amount=Decimal(120))
    else:
        books.void_invoice(invoice.id)

    plan = sales.follow(host.states())

    assert not plan
    due = nzd(120 if how == "edited" else 0)
    assert found(plan.findings) == [("edited since imported", nzd("100.00"), due)]
    host.change(invoice.id, DELETED)
    host.follow()
    again = sales.import_invoices([invoice.id])
    assert [str(action.worth) for action in again] == (["120.00 NZD"] if how == "edited" else [])


@pytest.mark.parametrize("status", [SENT, TransactionStatus.PROCESSED, APPROVED])
def test_an_edit_after_the_money_left_is_a_finding_with_both_amounts(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host, status: TransactionStatus
) -> None:
    invoice = product.collectable("100.00")
    follow_edits(sales, ImportPolicy.AUTOMATIC)
    host.look()
    host.change(invoice.id, status)
    host.follow()
    books.edit_invoice(invoice.id, amount=Decimal(120))

    plan = sales.follow(host.states())

    assert not plan
    assert found(plan.findings) == [("edited after it was sent", nzd("100.00"), nzd("120.00"))]
    assert [finding.worth for finding in plan.findings] == [nzd("20.00")]


def test_what_was_settled_is_no_edit(product: Product, sales: Receivables, books: Bookkeeper, host: Host) -> None:
    invoice = product.collectable("100.00")
    host.look()
    host.change(invoice.id, APPROVED)
    line = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"))
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line])))
    host.follow()

    assert sales.follow(host.states()).findings == ()
    books.edit_invoice(invoice.id, Reference="their order")
    assert sales.follow(host.states()).findings == ()


def test_one_paid_elsewhere_while_it_was_under_way_is_a_finding(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    invoice = product.collectable("100.00")
    host.look()
    host.change(invoice.id, SENT)
    books.add_payment(invoice.id, account=BANK, amount=Decimal(30))

    assert found(sales.follow(host.states()).findings) == [("edited after it was sent", nzd("100.00"), nzd("70.00"))]


def test_an_invoice_moved_to_another_customer_is_not_collected_from_the_first(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    invoice = product.collectable("100.00")
    other = product.collectable("10.00", "Bo Lind")
    sales.apply(sales.set_import_policies({"Ana": ImportPolicy.AUTOMATIC, "Bo ": ImportPolicy.AUTOMATIC}))
    host.look()
    books.edit_invoice(invoice.id, Contact={"ContactID": other.contact_id})

    host.follow()
    host.follow()

    assert host.rows[invoice.id].status is DELETED
    sales.apply(sales.import_invoices([invoice.id]))
    live = {each.id: (each.customer, each.amount) for each in sales.transactions() if each.is_live}
    assert live == {other.id: ("Bo ", nzd("10.00")), f"{invoice.id}/2": ("Bo ", nzd("100.00"))}


@pytest.mark.parametrize("how", [DELETED, DECLINED, TransactionStatus.CHARGED_BACK])
def test_an_invoice_is_imported_again_after_its_transaction_ended_when_it_is_chosen(
    product: Product, sales: Receivables, host: Host, how: TransactionStatus
) -> None:
    """R15, 55, 60: the attempts are one chain."""
    invoice = product.collectable("100.00")
    host.look()
    host.change(invoice.id, how)
    assert not sales.import_invoices([invoice.id])
    host.follow()

    assert not sales.import_invoices()
    sales.apply(sales.import_invoices([invoice.id]))

    assert [(each.id, each.attempt, each.status, each.invoice_id) for each in sales.transactions()] == [
        (invoice.id, 1, how, invoice.id),
        (f"{invoice.id}/2", 2, TransactionStatus.FUTURE, invoice.id),
    ]
    assert not sales.import_invoices([invoice.id])


def test_the_second_attempt_is_settled_like_the_first(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    invoice = product.collectable("100.00")
    host.look()
    host.change(invoice.id, DECLINED)
    host.follow()
    sales.apply(sales.import_invoices([invoice.id]))
    line = SettlementLine(id="L2", transaction=f"{invoice.id}/2", amount=nzd("100.00"))

    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line])))

    assert books.invoice(invoice.id).status == "PAID"
    (payment,) = books.payments_of(invoice.id)
    assert payment.reference.startswith(books.invoice(invoice.id).number)


def test_an_attempt_that_is_approved_after_all_cancels_the_next_one(
    product: Product, sales: Receivables, host: Host
) -> None:
    """A decline reported by mistake must not collect twice."""
    invoice = product.collectable("100.00")
    follow_edits(sales)
    host.look()
    host.change(invoice.id, DECLINED)
    host.follow()
    sales.apply(sales.import_invoices([invoice.id]))
    host.look()
    host.change(invoice.id, APPROVED)

    host.follow()

    assert host.rows[f"{invoice.id}/2"].status is DELETED
    assert [each.id for each in sales.transactions() if each.is_live] == [invoice.id]


def test_two_attempts_that_both_brought_in_money_are_a_finding(
    product: Product, sales: Receivables, host: Host
) -> None:
    invoice = product.collectable("100.00")
    host.look()
    host.change(invoice.id, DECLINED)
    host.follow()
    sales.apply(sales.import_invoices([invoice.id]))
    host.look()
    host.change(invoice.id, APPROVED)
    host.change(f"{invoice.id}/2", SENT)

    assert found(sales.follow(host.states()).findings) == [("edited after it was sent", nzd("100.00"), nzd("0.00"))]


def test_a_charge_back_is_no_edit(product: Product, sales: Receivables, host: Host) -> None:
    invoice = product.collectable("100.00")
    host.look()
    line = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"))
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line])))
    host.change(invoice.id, TransactionStatus.CHARGED_BACK)
    host.follow()
    assert not sales.import_invoices([invoice.id])
    back = evolve(line, id="B1", kind=LineKind.CHARGED_BACK)
    sales.apply(sales.settle(Settlement(id="S2", on=LATER, lines=[back])))

    sales.apply(sales.import_invoices([invoice.id]))

    assert sales.follow(host.states()).findings == ()
    assert [each.attempt for each in sales.transactions() if each.is_live] == [2]


def test_a_mapper_that_asks_for_a_part_is_followed_too(product: Product, books: Bookkeeper) -> None:
    def half(invoice: Invoice, terms: ImportTerms) -> Transaction:
        whole = map_invoice(invoice, terms)
        return evolve(whole, amount=whole.amount.instalments(2)[0])

    sales = Receivables(product.xero(), imports=ImportSettings(mapper=half), clearing_account="091")
    invoice = product.invoice("Ana Costa", "100.00")
    product.collectable("1.00")  # Ana is connected
    follow_edits(sales)
    host = Host(sales)
    host.follow()
    books.edit_invoice(invoice.id, amount=Decimal(120))
    host.follow()
    (row,) = [each for each in host.rows.values() if each.id == invoice.id]
    assert row.amount == nzd("60.00")

    host.change(invoice.id, APPROVED)
    line = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("60.00"))
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line])))

    assert sales.follow([host.states_of(invoice.id)]).findings == ()


def test_a_number_edited_in_xero_reaches_the_comment(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    """R21."""
    invoice = product.collectable("100.00")
    follow_edits(sales)
    host.look()
    books.edit_invoice(invoice.id, InvoiceNumber="INV-900")

    host.follow()

    (transaction,) = sales.transactions()
    assert (transaction.comment, transaction.invoice_number) == ("Invoice INV-900", "INV-900")


def test_a_transaction_made_elsewhere_is_listed_with_what_to_do(sales: Receivables) -> None:
    state = TransactionState(id="by hand", status=SENT, amount=nzd("12.00"))

    plan = sales.follow([state])

    assert [(each.code, each.about, each.worth) for each in plan.findings] == [
        ("not created here", "by hand", nzd("12.00"))
    ]


def test_rows_that_an_older_store_has_forgotten_are_followed_as_before(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    """Their invoices are voided, paid, or due still; only the last is imported again by itself."""
    voided, asked, edited = (product.invoice("Ana Costa", amount) for amount in ("60.00", "45.00", "100.00"))
    sales.apply(sales.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    follow_edits(sales)
    kept = backup(product)
    sales.apply(sales.import_invoices())
    host.look()
    host.change(asked.id, SENT)
    books.void_invoice(voided.id)
    books.edit_invoice(edited.id, amount=Decimal(120))
    books.add_payment(asked.id, account=BANK, amount=Decimal(45))
    restore(product, kept)

    host.sales = sales = Receivables(product.xero())
    host.follow()

    rows = [(host.states_of(each.id).status, host.states_of(each.id).amount) for each in (voided, asked, edited)]
    assert rows == [(DELETED, nzd("60.00")), (SENT, nzd("45.00")), (TransactionStatus.FUTURE, nzd("120.00"))]
    assert {each.id for each in sales.transactions()} == {voided.id, asked.id, edited.id}
    host.follow()
    after = sales.follow(host.states())
    assert (len(after), found(after.findings)) == (0, [("edited after it was sent", nzd("45.00"), nzd("0.00"))])
    assert not sales.import_invoices()


def test_a_plan_older_than_what_was_remembered_since_is_left_out(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    """Two workers follow at once; the slower one does not undo what the other has remembered."""
    invoice = product.collectable("100.00")
    follow_edits(sales)
    host.look()
    books.edit_invoice(invoice.id, amount=Decimal(120))
    slow = sales.follow(host.states())
    host.change(invoice.id, SENT)
    host.follow()

    report = sales.apply(slow)

    assert [finding.code for finding in report.findings] == ["changed since planned"]
    (transaction,) = sales.transactions()
    assert (transaction.status, transaction.amount) == (SENT, nzd("100.00"))


def test_an_import_planned_before_another_s_does_not_undo_what_was_said_since(
    product: Product, sales: Receivables, host: Host
) -> None:
    product.collectable("1.00")
    invoice = product.invoice("Ana Costa", "100.00")
    slow = sales.import_invoices()
    sales.apply(sales.import_invoices())
    host.look()
    assert sales.apply(slow).findings == ()
    host.change(invoice.id, DELETED)
    host.follow()

    report = sales.apply(slow)

    assert [finding.code for finding in report.findings] == ["changed since planned"]
    assert {each.id: each.status for each in sales.transactions()}[invoice.id] is DELETED


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"status": "future", "on": DAY}, "amount"),
        ({"status": "future", "amount": nzd(1)}, "on"),
        ({"status": "sent to bank"}, "amount"),
        ({"status": "lost"}, "status"),
    ],
)
def test_a_state_that_says_too_little_is_refused(given: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        TransactionState(id="t", **given)  # type: ignore[arg-type]


def test_a_transaction_given_twice_is_refused(sales: Receivables) -> None:
    state = TransactionState(id="t", status=DELETED)

    with pytest.raises(InvalidInput, match="once"):
        sales.follow([state, state])


def test_a_change_holds_all_that_the_host_needs(
    product: Product, sales: Receivables, books: Bookkeeper, host: Host
) -> None:
    invoice = product.collectable("100.00")
    follow_edits(sales)
    host.look()
    books.edit_invoice(invoice.id, amount=Decimal(120))

    report = sales.apply(sales.follow(host.states()))

    (result,) = report.results
    assert isinstance(result.action, ChangeTransaction)
    changed = result.action.transaction
    assert (changed.id, changed.amount, changed.on) == (invoice.id, nzd("120.00"), DAY)
