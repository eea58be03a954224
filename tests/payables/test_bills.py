"""Submitting bills and credit notes: each once, with its lines, and every doubt said (G1–G10)."""

from __future__ import annotations

from datetime import date
from decimal import Context, Decimal, getcontext, localcontext, setcontext

import pytest
from tests.conftest import BANK, DAY, Product, Through, nzd

from xerosync import Bill, BillLine, MemoryStore, Money, Payables, Xero
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode

DUE = date(2026, 2, 20)


def bill(bill_id: str, *amounts: str, vendor: str = "Paper Ltd", number: str = "4711", account: str = "429") -> Bill:
    lines = [
        BillLine(description=f"line {place}", amount=nzd(amount), account=AccountCode(account))
        for place, amount in enumerate(amounts)
    ]
    return Bill(id=bill_id, vendor=vendor, number=number, on=DAY, due=DUE, lines=lines)


def test_only_active_expense_accounts_are_imported(product: Product, purchases: Payables) -> None:
    product.books.add_account("4001", "Paint", type="EXPENSE")
    product.books.add_account("4002", "Glue", type="DIRECTCOSTS")
    product.books.add_account("4003", "Old", type="OVERHEADS")
    product.books.archive_account("4003")

    codes = [account.code for account in purchases.import_accounts()]

    assert {"310", "429", "4001", "4002"} <= set(codes)
    assert not {"4003", "090", "200", "610", "800"} & set(codes)
    assert codes == sorted(code or "" for code in codes)


def test_a_bill_becomes_an_approved_bill_with_its_lines(product: Product, purchases: Payables) -> None:
    report = purchases.apply(purchases.submit([bill("b1", "80.00", "-5.50", account="404")]))

    (posted,) = product.live_bills()
    assert (posted.number, posted.status, posted.date, posted.due_date) == ("4711", "AUTHORISED", DAY, DUE)
    assert (posted.total, posted.total_tax, posted.currency) == (Decimal("74.50"), Decimal(0), "NZD")
    assert [(line.description, line.unit_amount) for line in posted.lines] == [
        ("line 0", Decimal("80.00")),
        ("line 1", Decimal("-5.50")),
    ]
    assert {line.account_id for line in posted.lines} == {product.books.account("404").id}
    assert product.books.contact(posted.contact_id).name == "Paper Ltd"
    assert posted.url.startswith("https://xerosync.invalid/XS-")
    assert (report.done("contact"), report.done("bill")) == (1, 1)


def test_a_program_that_works_with_few_digits_posts_every_cent_all_the_same(product: Product) -> None:
    """``getcontext().prec = 6`` is the host's, for its own sums; ours would be rounded in silence."""
    plenty = getcontext()
    with localcontext(Context(prec=6)) as few:
        xero = product.xero(
            transport=Through(
                product.simulator.transport, before=lambda _: setcontext(plenty), after=lambda _: setcontext(few)
            )
        )
        purchases = Payables(xero, payment_account=BANK)
        purchases.apply(purchases.submit([bill("b1", "1234567.89", "0.01"), bill("b2", "-1234567.89", number="CN1")]))
        balances = [row.balance for row in xero.reports.trial_balance() if row.balance]

    (posted,), (note,) = product.live_bills(), product.books.credit_notes
    assert [line.unit_amount for line in (*posted.lines, *note.lines)] == [
        Decimal("1234567.89"), Decimal("0.01"), Decimal("1234567.89"),
    ]  # fmt: skip
    assert sorted(balances) == [Decimal("-0.01"), Decimal("0.01")]


def test_submitting_again_plans_nothing(product: Product, purchases: Payables) -> None:
    bills = [bill("b1", "80.00"), bill("b2", "-20.00", number="CN1"), bill("b3", "0.00", number="0")]
    plan = purchases.submit(bills)
    purchases.apply(plan)

    again = purchases.submit(bills)
    purchases.apply(plan)

    assert (len(again), again.findings) == (0, ())
    assert (len(product.books.invoices), len(product.books.credit_notes), len(product.books.contacts)) == (2, 1, 1)


def test_a_negative_total_becomes_a_suppliers_credit_note(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("c1", "-20.00", "5.00", number="CN1")]))

    (note,) = product.books.credit_notes
    assert (note.type, note.number, note.total, note.status) == ("ACCPAYCREDIT", "CN1", Decimal("15.00"), "AUTHORISED")
    assert [line.unit_amount for line in note.lines] == [Decimal("20.00"), Decimal("-5.00")]
    assert note.lines[0].description.startswith("line 0 XS-")
    assert product.live_bills() == []
    (posted,) = purchases.posted(["c1"])
    assert (posted.total, posted.due) == (nzd("-15.00"), nzd("-15.00"))


def test_a_bill_of_nothing_is_paid_without_a_payment(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("b1", "10.00", "-10.00")]))

    (posted,) = product.live_bills()
    assert (posted.status, posted.total) == ("PAID", Decimal(0))
    assert product.books.payments == ()


def test_the_same_number_of_two_vendors_is_no_duplicate(product: Product, purchases: Payables) -> None:
    plan = purchases.submit([bill("b1", "10.00"), bill("b2", "10.00", vendor="Other Ltd")])
    purchases.apply(plan)

    assert plan.findings == ()
    assert [each.number for each in product.live_bills()] == ["4711", "4711"]


def test_bills_without_a_number_are_no_duplicates_of_each_other(product: Product, purchases: Payables) -> None:
    plan = purchases.submit([bill("b1", "10.00", number=""), bill("b2", "10.00", number="")])
    purchases.apply(plan)

    assert plan.findings == ()
    assert len(product.live_bills()) == 2


def test_the_same_paper_under_another_id_is_posted_with_one_finding(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("b1", "10.00")]))

    plan = purchases.submit([bill("b2", "10.00")])
    purchases.apply(plan)
    again = purchases.submit([bill("b1", "10.00"), bill("b2", "10.00")])

    assert [(finding.code, finding.about) for finding in plan.findings] == [("possible duplicate", "b2")]
    assert len(product.live_bills()) == 2
    assert (len(again), [finding.about for finding in again.findings]) == (0, ["b2"])


def test_twins_in_one_submission_are_one_finding(product: Product, purchases: Payables) -> None:
    plan = purchases.submit([bill("b1", "10.00"), bill("b2", "10.00")])
    purchases.apply(plan)

    assert [finding.about for finding in plan.findings] == ["b2"]
    assert len(product.live_bills()) == 2


def test_a_bill_typed_by_hand_makes_ours_a_possible_duplicate(product: Product, purchases: Payables) -> None:
    vendor = product.books.add_contact("Paper Ltd")
    product.books.add_invoice(vendor.id, type="ACCPAY", number="4711", amount=Decimal(10))

    assert [finding.code for finding in purchases.submit([bill("b1", "10.00")]).findings] == ["possible duplicate"]


def test_a_possible_duplicate_is_held_back_when_asked(product: Product, xero: Xero) -> None:
    purchases = Payables(xero, payment_account=BANK, hold_duplicates=True)
    purchases.apply(purchases.submit([bill("b1", "10.00")]))

    plan = purchases.submit([bill("b1", "10.00"), bill("b2", "10.00")])

    assert (len(plan), [finding.about for finding in plan.findings]) == (0, ["b2"])
    (held,) = plan.findings
    assert "held back" in held.cause
    product.books.void_invoice(product.live_bills()[0].id)
    assert purchases.submit([bill("b2", "10.00")]).counts() == {"bill": 1}


def test_what_xero_refuses_is_said_in_its_words_and_tried_again_when_told(
    product: Product, purchases: Payables
) -> None:
    product.books.add_account("4999", "Paint", type="EXPENSE")
    bad, good = bill("b1", "10.00", account="4999"), bill("b2", "20.00", number="4712")
    plan = purchases.submit([bad, good])
    product.books.archive_account("4999")

    report = purchases.apply(plan)
    again = purchases.submit([bad, good])

    assert [each.number for each in product.live_bills()] == ["4712"]
    (finding,) = report.findings
    assert (finding.code, finding.about) == ("refused by Xero", "b1")
    assert finding.cause == (
        "Account code '4999' is not a valid code for this document. | Account code '4999' has been archived, "
        "or has been deleted. Each line item must reference a valid account."
    )
    assert (len(again), [each.cause for each in again.findings]) == (0, [finding.cause])
    mended = bill("b1", "10.00", account="429")
    purchases.apply(purchases.submit([mended, good], retry_refused=True))
    assert sorted(each.number for each in product.live_bills()) == ["4711", "4712"]


def test_a_store_that_forgot_everything_takes_over_what_carries_its_mark(product: Product, purchases: Payables) -> None:
    bills = [bill("b1", "80.00"), bill("c1", "-20.00", number="CN1")]
    purchases.apply(purchases.submit(bills))
    forgetful = Payables(product.xero(store=MemoryStore()), payment_account=BANK)

    plan = forgetful.submit(bills)
    forgetful.apply(plan)

    assert plan.counts() == {"adopt": 2}
    assert (len(product.books.invoices), len(product.books.credit_notes)) == (1, 1)
    assert not forgetful.submit(bills)
    assert [each.id for each in forgetful.posted(["b1", "c1"])] == ["b1", "c1"]


def test_a_bill_voided_in_xero_is_a_finding_and_never_posted_again(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("b1", "80.00")]))
    product.books.void_invoice(product.live_bills()[0].id)

    plan = purchases.submit([bill("b1", "80.00")])

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["removed in Xero"])
    assert purchases.posted(["b1"]) == ()


def test_totals_are_read_back_from_xero(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("b1", "80.00")]))
    product.books.edit_invoice(product.live_bills()[0].id, amount=Decimal(90))

    (posted,) = purchases.posted(["b1", "never submitted"])

    assert (posted.id, posted.total, posted.due, posted.status) == ("b1", nzd("90.00"), nzd("90.00"), "AUTHORISED")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (bill("b1", "1.005"), "amount: give amounts to the currency's smallest coin"),
        (bill("b1", "10000000000.00"), "amount: Xero takes no line above 9,999,999,999.99 (F 6.85)"),
        (bill("b1"), "lines: give at least one line"),
        (bill("b1", "1.00", vendor="  "), "vendor: give a text that is not blank"),
        (bill("b1", "1.00", vendor="<b>"), "vendor: Xero takes no < or > in a contact name (F 5.20)"),
        (bill("b1", "1.00", number="x" * 256), "number: give at most 255 characters"),
        (bill("b1", "1.00", number="a\x00b"), "number: take control characters out of it, which Xero cannot keep"),
    ],
)
def test_a_bill_xero_could_not_keep_is_a_finding_before_anything_is_sent(
    product: Product, purchases: Payables, wrong: Bill, says: str
) -> None:
    plan = purchases.submit([wrong, bill("b2", "5.00", number="4712")])
    purchases.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("cannot be posted", "b1")]
    assert plan.findings[0].cause == says
    assert [each.number for each in product.live_bills()] == ["4712"]


def test_lines_of_two_currencies_are_a_finding(purchases: Payables) -> None:
    lines = [
        BillLine(description="a", amount=nzd(1), account=AccountCode("429")),
        BillLine(description="b", amount=Money(1, "USD"), account=AccountCode("429")),
    ]

    plan = purchases.submit([Bill(id="b1", vendor="Paper Ltd", number="1", on=DAY, lines=lines)])

    assert [(each.code, each.about) for each in plan.findings] == [("cannot be posted", "b1")]


def test_a_bill_given_twice_is_refused(purchases: Payables) -> None:
    with pytest.raises(InvalidInput, match="each bill once"):
        purchases.submit([bill("b1", "1.00"), bill("b1", "1.00")])
