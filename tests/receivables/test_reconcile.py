"""The clearing account explained: balance = in flight + exceptions, to the cent, against Xero's own."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import CLEARING, DAY, Product, Through, found_product, nzd

from xerosync import (
    Customer,
    LineKind,
    MemoryStore,
    Money,
    Receivables,
    Reconciliation,
    Settlement,
    SettlementLine,
    Tokens,
    Xero,
)
from xerosync.client.scopes import scopes_for
from xerosync.simulator import Fault, Switches
from xerosync.simulator.given import Fields


def collect(sales: Receivables, transaction: str, amount: str | Decimal, line_id: str = "L1") -> None:
    line = SettlementLine(id=line_id, transaction=transaction, amount=nzd(amount))
    sales.apply(sales.settle(Settlement(id=f"S-{line_id}", on=DAY, lines=[line])))


def assert_adds_up(product: Product, report: Reconciliation) -> None:
    assert report.balance == nzd(product.books.balance(report.account))
    assert report.balance == report.in_flight + Money.total((each.amount for each in report.exceptions), "NZD")
    assert report.explained


def test_all_of_a_clean_balance_is_in_flight(product: Product, sales: Receivables) -> None:
    first, second = product.collectable("100.00"), product.collectable("50.25")
    collect(sales, first.id, "100.00", "L1")
    collect(sales, second.id, "50.25", "L2")

    report = sales.reconcile()

    assert_adds_up(product, report)
    assert (report.balance, report.in_flight, report.payments) == (nzd("150.25"), nzd("150.25"), 2)
    assert report.clean
    assert str(report) == "clearing 150.25 NZD = 150.25 NZD in flight + 0 exceptions"


def test_an_empty_clearing_account_is_explained_too(product: Product, sales: Receivables) -> None:
    report = sales.reconcile()

    assert_adds_up(product, report)
    assert (report.balance, report.clean) == (nzd(0), True)


def test_a_payment_made_by_hand_is_an_exception(product: Product, sales: Receivables) -> None:
    mine, theirs = product.collectable("100.00"), product.collectable("30.00")
    collect(sales, mine.id, "100.00")
    by_hand = product.books.add_payment(theirs.id, account=CLEARING)

    report = sales.reconcile()

    assert_adds_up(product, report)
    (exception,) = report.exceptions
    assert (exception.code, exception.about) == ("payment not posted here", by_hand.id)
    assert (exception.amount, report.in_flight) == (nzd("30.00"), nzd("100.00"))


def test_a_bill_paid_from_the_clearing_account_by_hand_counts_as_money_out(
    product: Product, sales: Receivables
) -> None:
    vendor = product.books.add_contact("Vendor")
    bill = product.books.add_invoice(vendor.id, type="ACCPAY", number="B1", amount=Decimal(12))
    product.books.add_payment(bill.id, account=CLEARING)

    report = sales.reconcile()

    assert_adds_up(product, report)
    assert [each.amount for each in report.exceptions] == [nzd("-12.00")]


def test_our_payment_removed_by_hand_is_an_exception(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    collect(sales, invoice.id, "60.00", "L1")
    collect(sales, invoice.id, "40.00", "L2")
    (removed,) = [each for each in product.live_payments() if each.amount == 60]
    product.books.remove_payment(removed.id)

    report = sales.reconcile()

    assert_adds_up(product, report)
    (exception,) = report.exceptions
    assert (exception.code, exception.about, exception.amount) == ("removed in Xero", "L1", nzd("-60.00"))
    assert (report.in_flight, report.payments) == (nzd("100.00"), 1)


def test_a_movement_that_is_no_payment_is_one_exception(product: Product, xero: Xero) -> None:
    sales = Receivables(xero, clearing_account="880")
    invoice = product.collectable("100.00")
    collect(sales, invoice.id, "100.00")
    contact = product.books.add_contact("Somebody")
    line: Fields = {
        "Description": "moved",
        "Quantity": 1,
        "UnitAmount": Decimal(25),
        "AccountCode": "880",
        "TaxType": "NONE",
    }
    product.books.add_invoice(contact.id, lines=[line])

    report = sales.reconcile()

    assert_adds_up(product, report)
    assert [(each.code, each.amount) for each in report.exceptions] == [("other movements", nzd("-25.00"))]
    assert (report.balance, report.in_flight) == (nzd("75.00"), nzd("100.00"))


def test_a_payment_the_store_has_forgotten_is_told_apart_by_its_mark(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    collect(sales, invoice.id, "100.00")
    forgetful = Receivables(product.xero(store=type(product.store)()), clearing_account=CLEARING)

    report = forgetful.reconcile()

    assert_adds_up(product, report)
    assert [each.code for each in report.exceptions] == ["payment the store does not know"]


def test_a_write_still_open_is_said(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    collect(sales, invoice.id, "100.00")

    before = sales.reconcile()
    sales.recover()
    after = sales.reconcile()

    assert_adds_up(product, before)
    assert ([each.code for each in before.findings], before.clean) == (["still open"], False)
    assert (after.in_flight, after.clean) == (nzd("100.00"), True)


def test_the_scopes_of_the_feature_are_enough_and_no_journal_is_ever_read(product: Product) -> None:
    """Journals need a plan of Xero's that few apps have (F 6.166): the trial balance proves the sum (F 6.193)."""
    invoice, by_hand = product.collectable("100.00"), product.invoice("Ana Costa", "9.00")
    scopes = scopes_for("receivables", "clearing balance")
    consent = product.simulator.consent(product.app, tenants=[product.books.tenant_id], scopes=" ".join(scopes))
    ends = product.clock.now() + timedelta(seconds=consent.expires_in)
    asked: list[str] = []
    least = evolve(
        product, tokens=Tokens(consent.access_token, consent.refresh_token, ends, scopes), store=MemoryStore()
    )
    xero = least.xero(transport=Through(product.simulator.transport, before=lambda sent: asked.append(sent.url)))
    sales = Receivables(xero, clearing_account=CLEARING)
    sales.apply(sales.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    sales.apply(sales.import_invoices([invoice.id]))
    collect(sales, invoice.id, "100.00")
    product.books.add_payment(by_hand.id, account=CLEARING)

    report = sales.reconcile()

    assert_adds_up(product, report)
    assert (report.in_flight, [each.amount for each in report.exceptions]) == (nzd("100.00"), [nzd("9.00")])
    assert [url for url in asked if "Journals" in url] == []
    assert [url for url in asked if "Reports/TrialBalance" in url] != []


def test_the_report_is_a_table_that_ends_in_xeros_own_balance(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    collect(sales, invoice.id, "100.00")

    assert [(row["what"], row["amount"], row["why"]) for row in sales.reconcile().rows()] == [
        ("in flight", "100.00 NZD", "collected and not yet paid out, of 1 payment posted in all"),
        ("balance in Xero", "100.00 NZD", "TrialBalance"),
    ]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["collect", "collect", "charge back", "pay by hand", "remove by hand", "settle lost"]),
        st.integers(0, 2),
        st.integers(1, 4000),
    ),
    max_size=8,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_the_sum_is_exact_whatever_happened(steps: list[tuple[str, int, int]]) -> None:
    """Any history of collections, charge-backs, lost answers and other people's hands."""
    product = found_product()
    invoices = [product.invoice("Ana Costa", "100.00") for _ in range(3)]
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    sales.apply(sales.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    sales.apply(sales.import_invoices())

    for place, (step, which, cents) in enumerate(steps):
        invoice = product.books.invoice(invoices[which].id)
        amount = Decimal(cents).scaleb(-2)
        standing = product.books.payments_of(invoice.id)
        if step == "pay by hand" and 0 < amount <= invoice.amount_due:
            product.books.add_payment(invoice.id, account=CLEARING, amount=amount)
        elif step == "remove by hand" and standing:
            product.books.remove_payment(standing[0].id)
        elif step in {"collect", "settle lost", "charge back"}:
            if step == "settle lost":
                product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
            kind = LineKind.CHARGED_BACK if step == "charge back" else LineKind.COLLECTED
            line = SettlementLine(id=f"L{place}", transaction=invoice.id, amount=nzd(amount), kind=kind)
            sales.apply(sales.settle(Settlement(id=f"S{place}", on=DAY, lines=[line])))

    product.simulator.faults.clear()
    assert_adds_up(product, sales.reconcile())
    sales.recover()
    assert_adds_up(product, sales.reconcile())
    product.simulator.close()


def test_what_was_taken_back_is_out_of_the_sum_even_where_xero_lists_no_removed_payments() -> None:
    product = found_product(switches=Switches(deleted_payments_are_listed=False))
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    paid = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"))
    back = SettlementLine(id="L2", transaction=invoice.id, amount=nzd("100.00"), kind=LineKind.CHARGED_BACK)
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[paid])))
    sales.apply(sales.settle(Settlement(id="S2", on=DAY + timedelta(days=30), lines=[back])))

    report = sales.reconcile()

    assert (report.clean, report.balance, report.in_flight) == (True, nzd("0.00"), nzd("0.00"))
