"""Collections in other currencies (row 80): paid at the rate that was had, proven in both, refused before sending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd

from xerosync import (
    Customer,
    Fee,
    FeesAs,
    Fix,
    LineKind,
    Money,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
)
from xerosync.errors import InvalidInput, Misconfigured
from xerosync.simulator import Document, Switches

EUROS: Final = "092"
FOREIGN_BANK: Final = "093"
EXCHANGE: Final = "429"
GAINS: Final = "REALISEDCURRENCYGAIN"
RATE: Final = Decimal("0.550000")


def eur(amount: str | Decimal) -> Money:
    return Money(amount, "EUR")


def found(switches: Switches | None = None) -> Product:
    """A product whose organisation keeps books in euros too, with accounts in them."""
    product = found_product(switches=switches)
    for code in ("EUR", "USD"):
        product.books.add_currency(code)
    product.books.add_account(EUROS, "Euro clearing", type="BANK", CurrencyCode="EUR")
    product.books.add_account(FOREIGN_BANK, "Euro bank", type="BANK", CurrencyCode="EUR")
    return product


@pytest.fixture
def product() -> Product:
    return found()


def sold(product: Product, amount: str = "100.00", *, currency: str = "EUR", rate: Decimal = RATE) -> Document:
    """An invoice in another currency, imported."""
    ana = next((one.id for one in product.books.contacts if one.name == "Ana"), "")
    invoice = product.books.add_invoice(
        ana or product.books.add_contact("Ana").id,
        amount=Decimal(amount),
        date=DAY,
        CurrencyCode=currency,
        CurrencyRate=str(rate),
    )
    sales = Receivables(product.xero())
    sales.apply(sales.match([Customer(id="7", custom_identifier="Ana")]))
    sales.apply(sales.import_invoices())
    return invoice


def collecting(
    product: Product,
    clearing: str = CLEARING,
    *,
    bank: str = BANK,
    exchange: str | None = EXCHANGE,
    surplus: Surplus = Surplus.ASK,
) -> Receivables:
    chosen = SettlementSettings(
        bank_account=bank,
        fee_account="404",
        charge_back_account="850",
        exchange_account=exchange,
        provider="Collections Ltd",
        surplus=surplus,
    )
    return Receivables(product.xero(), clearing_account=clearing, settlements=chosen)


def line(
    invoice: Document,
    amount: str,
    settled: Money | None = None,
    *,
    name: str = "L1",
    kind: LineKind = LineKind.COLLECTED,
) -> SettlementLine:
    return SettlementLine(id=name, transaction=invoice.id, amount=eur(amount), settled=settled, kind=kind)


def day(*lines: SettlementLine, name: str = "S1") -> Settlement:
    return Settlement(id=name, on=DAY, lines=lines)


def balance(product: Product, code: str) -> Decimal:
    books = product.books
    return books.balance(books.account(code).id)


def gained(product: Product) -> Decimal:
    """What was gained by rates: a credit to the account that Xero keeps for it."""
    (account,) = [one for one in product.books.accounts if one.system == GAINS]
    return -product.books.balance(account.id)


def test_an_invoice_in_euros_makes_in_clearing_what_was_settled(product: Product) -> None:
    """The payment says both amounts, so that no cent hangs on a rate of Xero's; the gain stands where Xero puts it."""
    invoice = sold(product)
    sales = collecting(product)
    fees = [Fee(amount=nzd("2.35"))]
    collected = day(line(invoice, "100.00", nzd("182.35")))
    settlement = evolve(collected, fees=fees, net=nzd("180.00"), paid_out_on=DAY)
    sales.apply(sales.settle(settlement))

    assert product.books.invoice(invoice.id).status == "PAID"
    assert (balance(product, CLEARING), balance(product, BANK)) == (Decimal(0), Decimal("180.00"))
    assert gained(product) == Decimal("182.35") - Decimal("181.82")
    assert not sales.settle(settlement)
    (told,) = sales.settlement_report(settlement)
    assert (told.complete, told.lines[0].settled, told.lines[0].gain) == (True, nzd("182.35"), nzd("0.53"))
    assert "100.00 EUR = 182.35 NZD (gain 0.53 NZD)" in str(told)
    report = sales.reconcile()
    assert (report.balance, report.in_flight, report.clean) == (nzd("0.00"), nzd("0.00"), True)


def test_collected_but_not_paid_out_the_clearing_account_holds_base_currency(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product)
    sales.apply(sales.settle(day(line(invoice, "100.00", nzd("182.35")))))

    report = sales.reconcile()
    assert (report.balance, report.in_flight, report.clean) == (nzd("182.35"), nzd("182.35"), True)
    assert report.in_base is None


def test_payments_that_people_typed_count_as_what_they_made_here(product: Product) -> None:
    """A payment of 100 euros is no 100 dollars."""
    invoice = sold(product)
    product.books.add_payment(invoice.id, amount=Decimal(100), account=CLEARING, rate=Decimal("0.5"))

    (item,) = collecting(product).reconcile().exceptions
    assert (item.code, item.amount) == ("payment not posted here", nzd("200.00"))


def test_a_clearing_account_in_euros_is_proven_in_euros_and_in_base_currency(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product, EUROS, bank=FOREIGN_BANK)
    fees = [Fee(amount=eur("2.00"))]
    settlement = evolve(day(line(invoice, "100.00")), fees=fees, rate=Decimal("0.500000"))
    sales.apply(sales.settle(settlement))

    report = sales.reconcile()
    assert (report.balance, report.in_flight, report.clean) == (eur("98.00"), eur("98.00"), True)
    assert sales.reconcile([settlement]).clean
    assert report.in_base is not None
    assert (report.in_base.balance, report.in_base.revalued) == (nzd("196.00"), nzd("0.00"))
    assert gained(product) == Decimal("200.00") - Decimal("181.82")

    paid_out = evolve(settlement, paid_out_on=DAY)
    sales.apply(sales.settle(paid_out))
    statement = sales.clearing_statement(DAY, DAY)
    assert (statement.closing.balance, statement.proven) == (eur("0.00"), True)
    assert (statement.money_in, statement.money_out) == (eur("100.00"), eur("100.00"))
    assert not sales.settle(paid_out)


def test_without_a_rate_xero_takes_its_own_where_no_cent_hangs_on_it(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product, EUROS, bank=FOREIGN_BANK)
    sales.apply(sales.settle(day(line(invoice, "100.00"))))

    assert sales.reconcile().balance == eur("100.00")
    assert gained(product) == 0


@pytest.mark.parametrize(
    ("clearing", "currency", "settled", "code"),
    [
        (CLEARING, "EUR", None, "rate missing"),
        (CLEARING, "EUR", Money("110.00", "USD"), "another currency"),
        (EUROS, "USD", None, "another currency"),
        (EUROS, "USD", Money("90.00", "EUR"), "another currency"),
    ],
)
def test_what_xero_would_refuse_or_guess_is_found_before_anything_is_sent(
    product: Product, clearing: str, currency: str, settled: Money | None, code: str
) -> None:
    invoice = sold(product, currency=currency)
    asked = SettlementLine(id="L1", transaction=invoice.id, amount=Money("100.00", currency), settled=settled)
    sales = collecting(product, clearing, bank=FOREIGN_BANK if clearing == EUROS else BANK)
    plan = sales.settle(Settlement(id="S1", on=DAY, lines=[asked]))

    assert [(len(plan), finding.code) for finding in plan.findings] == [(0, code)]


def test_what_is_at_stake_of_a_line_in_another_currency_is_told_in_that(product: Product) -> None:
    """It explains nothing of the account's balance, yet money waits."""
    invoice = sold(product, currency="USD")
    asked = SettlementLine(id="L1", transaction=invoice.id, amount=Money("100.00", "USD"))

    report = collecting(product).reconcile(Settlement(id="S1", on=DAY, lines=[asked]))

    assert [(each.about, each.amount, each.worth) for each in report.discrepancies] == [
        ("L1", nzd(0), Money("100.00", "USD"))
    ]


def test_a_base_currency_invoice_is_not_settled_into_another_currencys_account(product: Product) -> None:
    invoice = product.collectable()
    asked = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"))
    plan = collecting(product, EUROS, bank=FOREIGN_BANK).settle(Settlement(id="S1", on=DAY, lines=[asked]))

    assert [(len(plan), finding.code) for finding in plan.findings] == [(0, "another currency")]


def test_fees_in_another_currency_than_the_clearing_account_are_found(product: Product) -> None:
    settlement = Settlement(id="S1", on=DAY, lines=[], fees=[Fee(amount=eur("2.00"))])
    plan = collecting(product).settle(settlement)

    assert [(len(plan), finding.code) for finding in plan.findings] == [(0, "another currency")]


def test_a_payout_to_a_bank_of_another_currency_is_misconfigured(product: Product) -> None:
    with pytest.raises(Misconfigured, match="kept in EUR"):
        collecting(product, bank=FOREIGN_BANK).settle(day(line(sold(product), "100.00", nzd("182.00"))))


def test_a_settlement_says_what_its_foreign_lines_made(product: Product) -> None:
    invoice = sold(product)
    with pytest.raises(InvalidInput, match="settled"):
        collecting(product).settle(evolve(day(line(invoice, "100.00")), fees=[Fee(amount=nzd("1.00"))]))
    with pytest.raises(InvalidInput, match="settled"):
        line(invoice, "100.00", eur("100.00"))


def test_a_charge_back_at_another_rate_leaves_its_difference_on_the_account_chosen_for_it(product: Product) -> None:
    """The payment leaves clearing at the rate it came at; the provider took three dollars more."""
    invoice = sold(product)
    sales = collecting(product)
    collected = evolve(day(line(invoice, "100.00", nzd("182.00"))), paid_out_on=DAY)
    sales.apply(sales.settle(collected))
    back = line(invoice, "100.00", nzd("185.00"), name="L2", kind=LineKind.CHARGED_BACK)
    settlement = evolve(day(back, name="S2"), paid_out_on=DAY)
    plan = sales.settle(settlement)
    assert [action.kind for action in plan] == ["removal", "contact", "bank_transaction", "transfer"]
    sales.apply(plan)

    assert product.books.invoice(invoice.id).amount_due == Decimal(100)
    assert balance(product, CLEARING) == 0
    assert balance(product, BANK) == Decimal("-3.00")
    assert balance(product, EXCHANGE) == Decimal("3.00")
    assert not sales.settle(settlement)
    assert sales.reconcile().clean
    assert sales.reconcile([collected, settlement]).clean


def test_without_an_account_for_it_the_charge_back_waits(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product, exchange=None)
    sales.apply(sales.settle(day(line(invoice, "100.00", nzd("182.00")))))
    back = line(invoice, "100.00", nzd("185.00"), name="L2", kind=LineKind.CHARGED_BACK)
    plan = sales.settle(day(back, name="S2"))

    assert [(len(plan), finding.code) for finding in plan.findings] == [(0, "exchange difference")]


def test_a_charge_back_at_the_same_rate_needs_no_such_account(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product, exchange=None)
    sales.apply(sales.settle(day(line(invoice, "100.00", nzd("182.00")))))
    back = line(invoice, "100.00", nzd("182.00"), name="L2", kind=LineKind.CHARGED_BACK)
    sales.apply(sales.settle(day(back, name="S2")))

    assert balance(product, CLEARING) == 0


def test_collected_and_charged_back_in_one_plan_leaves_the_difference_alone(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product)
    back = line(invoice, "100.00", nzd("185.00"), name="L2", kind=LineKind.CHARGED_BACK)
    both = [day(line(invoice, "100.00", nzd("182.00"))), day(back, name="S2")]
    sales.apply(sales.settle(both))

    assert balance(product, CLEARING) == Decimal("-3.00")
    assert balance(product, EXCHANGE) == Decimal("3.00")
    assert not sales.settle(both)


def test_a_refund_leaves_clearing_as_what_it_cost_there(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product)
    sales.apply(sales.settle(day(line(invoice, "100.00", nzd("182.00")))))
    given_back = line(invoice, "40.00", nzd("75.00"), name="L2", kind=LineKind.REFUNDED)
    sales.apply(sales.settle(day(given_back, name="S2")))

    assert balance(product, CLEARING) == Decimal("107.00")
    assert sales.reconcile().clean
    (note,) = product.books.credit_notes
    assert (note.total, note.currency, note.rate, note.status) == (Decimal(40), "EUR", RATE, "PAID")


def test_a_foreign_payment_that_stays_is_for_a_person(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product)
    sales.apply(sales.settle(day(line(invoice, "100.00", nzd("182.00")))))
    (payment,) = product.live_payments()
    product.books.reconcile_payment(payment.id)
    back = line(invoice, "100.00", nzd("182.00"), name="L2", kind=LineKind.CHARGED_BACK)
    plan = sales.settle(day(back, name="S2"))

    assert [(len(plan), finding.code) for finding in plan.findings] == [(0, "payment stays")]


def test_more_than_is_due_in_another_currency_is_never_parked(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product, surplus=Surplus.PARK)
    plan = sales.settle(day(line(invoice, "120.00", nzd("220.00"))))

    assert [(len(plan), finding.code) for finding in plan.findings] == [(0, "does not fit")]


def test_another_amount_in_clearing_under_the_same_id_is_found(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product)
    sales.apply(sales.settle(day(line(invoice, "100.00", nzd("182.00")))))
    plan = sales.settle(day(line(invoice, "100.00", nzd("183.00"))))

    assert [(len(plan), finding.code) for finding in plan.findings] == [(0, "changed since posted")]


def test_undoing_takes_a_foreign_payment_back(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product)
    settlement = day(line(invoice, "100.00", nzd("182.00")))
    sales.apply(sales.settle(settlement))
    plan = sales.undo_settlement(settlement)
    assert [action.worth for action in plan] == [eur("-100.00")]
    sales.apply(plan)

    assert (balance(product, CLEARING), gained(product)) == (Decimal(0), Decimal(0))


def test_where_xero_works_the_amount_out_by_itself_the_cents_are_listed() -> None:
    """F 6.115: a Xero that knows no BankAmount of ours rounds by the rate; a large payment may be cents off then."""
    product = found(Switches(payment_takes_bank_amount=False))
    invoice = sold(product, "654321.00")
    sales = collecting(product)
    sales.apply(sales.settle(day(line(invoice, "654321.00", nzd("1193456.78")))))

    report = sales.reconcile()
    assert report.in_flight == nzd("1193456.78")
    assert [item.code for item in report.exceptions] == ["at another rate"]
    assert report.explained
    assert abs(report.balance - report.in_flight) < nzd("2.00")


AMOUNTS = st.decimals("0.01", "9999.99", places=2)
RATES = st.decimals("0.000200", "999.000000", places=6)


@settings(max_examples=20)
@given(lines=st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=3), rate=RATES, foreign=st.booleans())
def test_every_cent_of_both_currencies_is_explained(
    lines: Sequence[tuple[Decimal, Decimal]], rate: Decimal, *, foreign: bool
) -> None:
    """Whatever the amounts and rates: clearing holds what was settled, and all the rest is realised gain."""
    product = found()
    invoices = [sold(product, str(amount), rate=rate) for amount, _ in lines]
    sales = collecting(product, EUROS, bank=FOREIGN_BANK) if foreign else collecting(product)
    asked = [
        line(invoice, str(amount), None if foreign else nzd(made), name=invoice.id)
        for invoice, (amount, made) in zip(invoices, lines, strict=True)
    ]
    settlement = evolve(day(*asked), rate=Decimal("0.512345") if foreign else None)
    sales.apply(sales.settle(settlement))

    report = sales.reconcile([settlement])
    whole = settlement.proof.net
    assert (report.balance, report.in_flight, report.clean) == (whole, whole, True)
    owed = sum((eur(amount).at_rate(rate, "NZD").amount for amount, _ in lines), Decimal(0))
    code = EUROS if foreign else CLEARING
    assert gained(product) == balance(product, code) - owed
    if report.in_base is not None:
        assert report.in_base.revalued == nzd("0.00")
    product.simulator.close()


@given(amount=AMOUNTS, rate=RATES)
def test_an_amount_at_a_rate_and_back_is_off_by_less_than_a_coin_of_each(amount: Decimal, rate: Decimal) -> None:
    made = eur(amount).at_rate(rate, "NZD")

    assert made.to_the_cent
    assert abs(made.amount * rate - amount) <= rate * Decimal("0.005")


@pytest.mark.parametrize("rate", [Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("Infinity"), 0.5])
def test_a_rate_is_a_decimal_above_zero(rate: Decimal) -> None:
    with pytest.raises(InvalidInput, match="rate"):
        eur("1.00").at_rate(rate, "NZD")


@pytest.mark.parametrize("rate", [Decimal(0), Decimal(-1)])
def test_a_settlements_rate_is_above_zero(rate: Decimal) -> None:
    with pytest.raises(InvalidInput, match="rate"):
        Settlement(id="S1", on=date(2026, 1, 5), lines=[], rate=rate)


def test_what_is_parked_in_a_euro_account_is_a_credit_in_euros(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product, EUROS, bank=FOREIGN_BANK, surplus=Surplus.PARK)
    sales.apply(sales.settle(day(line(invoice, "120.00"))))

    (parked,) = [one for one in product.books.bank_transactions if one.type == "RECEIVE-OVERPAYMENT"]
    assert (parked.total, parked.currency) == (Decimal(20), "EUR")
    report = sales.reconcile()
    assert (report.balance, report.clean) == (eur("120.00"), True)


def test_a_payment_that_stays_in_a_euro_account_gets_an_invoice_in_its_place(product: Product) -> None:
    """Both sides of the account between bear one rate, so that nothing is left on it."""
    invoice = sold(product)
    sales = collecting(product, EUROS, bank=FOREIGN_BANK)
    sales.apply(sales.settle(day(line(invoice, "100.00"))))
    (payment,) = product.live_payments()
    product.books.reconcile_payment(payment.id)
    back = line(invoice, "100.00", name="L2", kind=LineKind.CHARGED_BACK)
    sales.apply(sales.settle(evolve(day(back, name="S2"), rate=Decimal("0.51"))))

    report = sales.reconcile()
    assert (report.balance, report.clean) == (eur("0.00"), True)
    assert balance(product, "850") == 0


def test_fees_in_euros_may_be_billed(product: Product) -> None:
    invoice = sold(product)
    chosen = SettlementSettings(fee_account="404", provider="Collections Ltd", fees_as=FeesAs.BILL)
    sales = Receivables(product.xero(), clearing_account=EUROS, settlements=chosen)
    settlement = evolve(day(line(invoice, "100.00")), fees=[Fee(amount=eur("2.00"))], rate=Decimal("0.5"))
    sales.apply(sales.settle(settlement))

    report = sales.reconcile([settlement])
    assert (report.balance, report.clean) == (eur("98.00"), True)
    assert balance(product, "404") == Decimal("4.00")


def test_an_account_that_is_no_bank_takes_foreign_payments_in_base_currency(product: Product) -> None:
    """Its payout is one document, which holds the fees and the difference of rates, too."""
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    invoice = sold(product)
    sales = collecting(product, "650")
    first = evolve(day(line(invoice, "100.00", nzd("182.00"))), fees=[Fee(amount=nzd("2.00"))], paid_out_on=DAY)
    back = line(invoice, "100.00", nzd("185.00"), name="L2", kind=LineKind.CHARGED_BACK)
    second = evolve(day(back, name="S2"), paid_out_on=DAY)
    sales.apply(sales.settle([first, second]))

    assert (balance(product, "650"), balance(product, EXCHANGE)) == (Decimal(0), Decimal("3.00"))
    assert balance(product, BANK) == Decimal("-5.00")
    assert sales.reconcile([first, second]).clean
    assert not sales.settle([first, second])


def test_money_transferred_in_from_another_currency_counts_as_what_came(product: Product) -> None:
    """A transfer's amount is in the currency it left in; what came of it stands on its other half."""
    sales = collecting(product, EUROS, bank=FOREIGN_BANK)
    product.books.add_transfer(from_bank=BANK, to_bank=EUROS, amount=Decimal("166.00"), date=DAY)

    report = sales.reconcile()
    (item,) = report.exceptions
    assert (item.code, item.amount, report.balance) == ("transfer not posted here", eur("92.00"), eur("92.00"))
    assert report.in_base is not None
    assert report.in_base.revalued == nzd("0.00")


def test_a_foreign_payment_that_was_removed_is_put_back_as_it_was(product: Product) -> None:
    invoice = sold(product)
    sales = collecting(product)
    settlement = day(line(invoice, "100.00", nzd("182.35")))
    sales.apply(sales.settle(settlement))
    (payment,) = product.live_payments()
    product.books.remove_payment(payment.id)
    sales.apply(sales.reconcile([settlement]).plan(Fix.RESTORE))

    (anew,) = product.live_payments()
    assert (anew.amount, anew.bank_amount) == (Decimal(100), Decimal("182.35"))
    assert sales.reconcile([settlement]).clean
