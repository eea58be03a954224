"""What Xero would refuse is found before it is sent, and named with its remedy (88, 92)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, Through, is_write, nzd

from xerosync import Bill, BillLine, BillSettings, CardSpend, Money, Payables, WhenLocked
from xerosync.models import AccountCode, DocumentStatus, LineAmountTypes
from xerosync.ports import Request


def bill(line: BillLine, *, on: date = DAY, bill_id: str = "b1") -> Bill:
    return Bill(id=bill_id, vendor="Paper Ltd", number=bill_id, on=on, lines=[line], amounts=LineAmountTypes.EXCLUSIVE)


def coded(
    account: str = "429", tax_type: str | None = None, amount: Money | None = None, item: str | None = None
) -> BillLine:
    return BillLine(
        description="x", amount=amount or nzd("10.00"), account=AccountCode(account), tax_type=tax_type, item=item
    )


def tracked(category: str, option: str) -> BillLine:
    return BillLine(description="x", amount=nzd("10.00"), account=AccountCode("429"), tracking=[(category, option)])


@pytest.fixture
def set_up(product: Product) -> None:
    product.books.add_account("4999", "Old", type="EXPENSE")
    product.books.archive_account("4999")
    region = product.books.add_tracking_category("Region", ["North", "Gone"])
    product.books.archive_tracking_option(region.id, "Gone")


WRONG = [
    (coded("12345"), "account does not fit", "has no account 12345"),
    (coded("4999"), "account does not fit", "is ARCHIVED"),
    (coded(BANK), "account does not fit", "is a bank account"),
    (coded("800"), "account does not fit", "is a control account"),
    (coded("429", "OUTPUT2"), "tax does not fit", "OUTPUT2 cannot be used with account 429"),
    (coded("429", "INPUT"), "tax does not fit", "is DELETED"),
    (coded("429", "TAX999"), "tax does not fit", "has no tax TAX999"),
    (coded(item="DESK"), "item unknown", "no item DESK"),
    (coded(amount=Money("10.00", "EUR")), "currency not open", "no books in EUR"),
    (tracked("Region", "West"), "tracking does not fit", "no active option West"),
    (tracked("Region", "Gone"), "tracking does not fit", "no active option Gone"),
    (tracked("Team", "A"), "tracking does not fit", "no active tracking category Team"),
    (BillLine(description="x", amount=nzd("1.00")), "no account", "lines[0].account"),
]


@pytest.mark.parametrize(("line", "code", "cause"), WRONG)
@pytest.mark.usefixtures("set_up")
def test_what_does_not_fit_is_found_before_anything_is_sent(
    product: Product, purchases: Payables, line: BillLine, code: str, cause: str
) -> None:
    good = bill(coded(), bill_id="b2")

    plan = purchases.submit([bill(line), good])
    purchases.apply(plan)

    assert [(finding.code, finding.about) for finding in plan.findings] == [(code, "b1")]
    assert cause in plan.findings[0].cause
    assert plan.findings[0].fix
    assert [each.number for each in product.live_bills()] == ["b2"]


@pytest.mark.parametrize(("line", "code", "cause"), WRONG)
@pytest.mark.usefixtures("set_up")
def test_what_does_not_fit_is_found_of_credit_notes_receipts_and_changes_too(
    product: Product, purchases: Payables, line: BillLine, code: str, cause: str
) -> None:
    right = bill(coded(), bill_id="b2")
    purchases.apply(purchases.submit([right]))
    receipt = CardSpend(
        id="s1", vendor="Paper Ltd", on=DAY, account=BANK, lines=[coded()], amounts=LineAmountTypes.EXCLUSIVE
    )
    purchases.apply(purchases.spend([receipt]))
    back = evolve(line, amount=-line.amount)

    plans = [
        purchases.submit([bill(back, bill_id="c1")]),
        purchases.spend([evolve(receipt, id="s2", lines=[line])]),
        purchases.update([evolve(right, lines=[line]), evolve(receipt, lines=[line])]),
    ]

    stays = {"changed since posted", "another currency"} if line.amount.currency != "NZD" else set[str]()
    found = [(each.about, each) for plan in plans for each in plan.findings]
    assert [about for about, _ in found] == ["c1", "s2", "b2", "s1"]
    for _, each in found:
        assert each.code in {code, *stays}
        assert cause in each.cause or each.code in stays
    assert [len(plan) for plan in plans] == [0, 0, 0]
    assert (len(product.live_bills()), len(product.books.bank_transactions)) == (1, 1)


@pytest.mark.usefixtures("set_up")
def test_what_is_mended_in_xero_is_submitted_by_itself(product: Product, purchases: Payables) -> None:
    assert not purchases.submit([bill(coded(item="DESK"))])

    product.books.add_item("DESK", "Desk", cost=Decimal(80))
    purchases.apply(purchases.submit([bill(coded(item="DESK"))]))

    assert len(product.live_bills()) == 1


@pytest.mark.parametrize(
    ("policy", "code"), [(WhenLocked.REFUSE, "books closed"), (WhenLocked.QUEUE, "waits for open books")]
)
def test_a_bill_in_closed_books_is_stated_never_sent(product: Product, policy: WhenLocked, code: str) -> None:
    product.books.lock_period(DAY)
    purchases = Payables(product.xero(), bills=BillSettings(when_locked=policy))

    plan = purchases.submit([bill(coded())])
    product.books.lock_period(None)

    assert (len(plan), [each.code for each in plan.findings]) == (0, [code])
    assert purchases.submit([bill(coded())]).counts()["bill"] == 1


def test_a_bill_in_closed_books_is_moved_when_told_and_the_plan_says_so(product: Product) -> None:
    product.books.lock_period(DAY)
    purchases = Payables(product.xero(), bills=BillSettings(when_locked=WhenLocked.MOVE))

    plan = purchases.submit([bill(coded())])
    purchases.apply(plan)

    (posted,) = product.live_bills()
    assert posted.date == DAY + timedelta(days=1)
    assert "moved from 2026-01-05" in plan.rows()[-1]["reason"]
    assert not purchases.submit([bill(coded())])


def test_a_bill_in_closed_books_becomes_a_draft_when_told_for_the_bookkeeper_to_date(product: Product) -> None:
    product.books.lock_period(DAY)
    purchases = Payables(product.xero(), bills=BillSettings(when_locked=WhenLocked.DRAFT))

    plan = purchases.submit([bill(coded())])
    purchases.apply(plan)

    (drafted,) = product.books.invoices
    assert (drafted.status, drafted.date) == ("DRAFT", DAY + timedelta(days=1))
    assert "moved as a draft from 2026-01-05: the books are closed" in plan.rows()[-1]["reason"]
    assert not purchases.submit([bill(coded())])
    assert not purchases.update([bill(coded())])


def test_a_receipt_cannot_be_a_draft_so_that_closed_books_are_a_finding(product: Product) -> None:
    product.books.lock_period(DAY)
    purchases = Payables(product.xero(), bills=BillSettings(when_locked=WhenLocked.DRAFT))
    spent = CardSpend(id="r1", vendor="Paper Ltd", on=DAY, account=BANK, lines=[coded()])

    plan = purchases.spend([spent])

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["books closed"])


def test_a_plan_without_bills_says_so(product: Product, purchases: Payables) -> None:
    product.books.change_plan("LEDGER")

    assert [each.code for each in purchases.submit([bill(coded())]).findings] == ["not in the plan"]


@pytest.mark.parametrize("plan", ["STARTER", "IGNITE"])
def test_one_bill_more_than_the_plan_approves_in_a_month_is_said_before_it_is_sent(
    product: Product, purchases: Payables, plan: str
) -> None:
    """Drafts and other months do not count. Xero's own count decides, so that it is sent all the same."""
    product.books.change_plan(plan)
    paper = product.books.add_contact("Paper")
    for on in (DAY, DAY, DAY + timedelta(days=40)):
        product.books.add_invoice(paper.id, type="ACCPAY", amount=Decimal(1), date=on)
    bills = [bill(coded(), bill_id=f"b{place}") for place in range(5)]
    bills[0] = evolve(bills[0], status=DocumentStatus.DRAFT)

    first = purchases.submit(bills[:4])
    purchases.apply(first)
    last = purchases.submit(bills)

    assert (first.counts()["bill"], first.findings) == (4, ())
    assert [(each.code, each.about) for each in last.findings] == [("plan limit", "b4")]
    (refused,) = purchases.apply(last).results
    assert "reached the limit of bills" in " ".join(refused.messages)
    assert not purchases.submit(bills)


def test_reference_data_is_read_once_a_run_and_only_what_is_needed(product: Product) -> None:
    read: list[str] = []

    def note(request: Request) -> None:
        if not is_write(request) and "/api.xro/" in request.url:
            read.append(request.url.rpartition("/")[2].partition("?")[0])

    xero = product.xero(transport=Through(product.simulator.transport, before=note))
    purchases = Payables(xero)
    read.clear()
    bills = [bill(coded(), bill_id=f"b{number}") for number in range(5)]
    purchases.apply(purchases.submit(bills))

    assert [read.count(name) for name in ("Organisation", "Accounts", "TaxRates")] == [1, 1, 1]
    assert not {"TrackingCategories", "Items", "Currencies"} & set(read)
    read.clear()
    purchases.submit(bills)
    assert not {"Organisation", "Accounts", "TaxRates"} & set(read)
