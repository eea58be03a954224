"""Bills and their payments in other currencies (row 80): paid as the bank paid them, or found before they are sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import Bill, BillLine, BillPayment, CardSpend, Money, Payables
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode

EUROS: Final = "092"
RATE: Final = Decimal("0.550000")


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture(autouse=True)
def _euros(product: Product) -> None:
    for code in ("EUR", "USD"):
        product.books.add_currency(code)
    product.books.add_account(EUROS, "Euro bank", type="BANK", CurrencyCode="EUR")


def bill(name: str = "b1", amount: Money | None = None) -> Bill:
    line = BillLine(description="x", amount=amount or eur("100.00"), account=AccountCode("429"))
    return Bill(id=name, vendor="Papier GmbH", number=name, on=DAY, lines=[line], currency_rate=RATE)


def paid(name: str = "p1", bill_id: str = "b1", made: Money | None = None, rate: str | None = None) -> BillPayment:
    return BillPayment(id=name, bill_id=bill_id, on=DAY, paid=made, rate=None if rate is None else Decimal(rate))


@pytest.fixture
def posted(purchases: Payables) -> Payables:
    purchases.apply(purchases.submit([bill()]))
    return purchases


def balance(product: Product, code: str = BANK) -> Decimal:
    return product.books.balance(product.books.account(code).id)


def test_a_bill_in_euros_leaves_the_bank_as_what_the_bank_says(product: Product, posted: Payables) -> None:
    posted.apply(posted.pay([paid(made=nzd("183.07"))]))

    (payment,) = product.live_payments()
    assert (payment.amount, payment.bank_amount, balance(product)) == (
        Decimal("100.00"),
        Decimal("183.07"),
        Decimal("-183.07"),
    )
    assert not posted.pay([paid(made=nzd("183.07"))])


def test_a_rate_says_what_left_the_bank_to_the_cent(product: Product, posted: Payables) -> None:
    posted.apply(posted.pay([paid(rate="0.54")]))

    assert balance(product) == Decimal("-185.19")


def test_an_account_in_the_bills_currency_needs_neither(product: Product, posted: Payables) -> None:
    payment = evolve(paid(rate="0.5"), account=EUROS)
    posted.apply(posted.pay([payment]))

    (made,) = product.live_payments()
    assert (made.bank_amount, made.rate) == (Decimal("100.00"), Decimal("0.5"))
    assert balance(product, EUROS) == Decimal("-200.00")


def test_what_says_neither_goes_at_xeros_rate_when_that_is_chosen(product: Product, posted: Payables) -> None:
    posted.apply(posted.pay([paid()], at_xeros_rate=True))

    assert balance(product) == Decimal("-181.82")


@pytest.mark.parametrize(
    ("currency", "account", "made", "code"),
    [
        ("EUR", BANK, None, "rate missing"),
        ("EUR", BANK, Money("100.00", "USD"), "another currency"),
        ("USD", EUROS, None, "another currency"),
        ("NZD", EUROS, None, "another currency"),
        ("NZD", BANK, Money("90.00", "NZD"), "does not fit"),
    ],
)
def test_what_cannot_be_paid_so_is_found_before_it_is_sent(
    purchases: Payables, currency: str, account: str, made: Money | None, code: str
) -> None:
    wanted = bill(amount=Money("100.00", currency))
    purchases.apply(purchases.submit([evolve(wanted, currency_rate=None) if currency == "NZD" else wanted]))
    plan = purchases.pay([evolve(paid(made=made), account=account)])

    assert [(len(plan), finding.code) for finding in plan.findings] == [(0, code)]


def test_a_bill_in_a_currency_the_organisation_has_not_is_found(purchases: Payables) -> None:
    plan = purchases.submit([bill(amount=Money("100.00", "CHF"))])

    assert "currency not open" in {finding.code for finding in plan.findings}


def test_another_amount_from_the_bank_under_the_same_id_is_found(posted: Payables) -> None:
    posted.apply(posted.pay([paid(made=nzd("183.07"))]))
    plan = posted.pay([paid(made=nzd("184.00"))])

    assert [(len(plan), finding.code) for finding in plan.findings] == [(0, "changed since posted")]


def test_foreign_payments_stay_single_in_a_batch(product: Product, purchases: Payables) -> None:
    plain = [evolve(bill(name, nzd("10.00")), currency_rate=None) for name in ("b2", "b3")]
    purchases.apply(purchases.submit([bill(), *plain]))
    payments = [paid(made=nzd("183.07")), paid("p2", "b2"), paid("p3", "b3")]
    plan = purchases.pay(payments, batch=True)
    assert sorted(action.kind for action in plan) == ["batch_payment", "payment"]
    purchases.apply(plan)

    assert balance(product) == Decimal("-203.07")


def test_a_suppliers_credit_is_set_against_bills_of_its_currency_alone(product: Product, purchases: Payables) -> None:
    dollars = evolve(bill("b1", nzd("100.00")), currency_rate=None)
    purchases.apply(purchases.submit([dollars, bill("b2"), bill("c1", eur("-30.00"))]))
    purchases.apply(purchases.settle_credits())

    due = {each.number: each.amount_due for each in product.live_bills()}
    assert due == {"b1": Decimal("100.00"), "b2": Decimal("70.00")}


def test_a_refund_in_another_currency_comes_in_at_the_rate_that_is_given(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("c1", eur("-30.00"))]))
    plan = purchases.settle_credits()
    assert [(len(plan), finding.code) for finding in plan.findings] == [(0, "rate missing")]
    purchases.apply(purchases.settle_credits(rates={"EUR": Decimal("0.5")}))

    assert balance(product) == Decimal("60.00")
    assert not purchases.settle_credits()


@pytest.mark.parametrize("made", [nzd("0.00"), nzd("-1.00"), nzd("0.001")])
def test_what_left_the_bank_is_an_amount_that_can_be_paid(made: Money) -> None:
    with pytest.raises(InvalidInput, match="paid"):
        paid(made=made)


@pytest.mark.parametrize("rate", ["0", "-1"])
def test_a_rate_is_above_zero(rate: str) -> None:
    with pytest.raises(InvalidInput, match="rate"):
        paid(rate=rate)


def receipt(amount: str, *, name: str = "s1", account: str = EUROS) -> CardSpend:
    line = BillLine(description="x", amount=eur(amount), account=AccountCode("429"))
    return CardSpend(id=name, vendor="Taxi GmbH", on=DAY, account=account, lines=[line], currency_rate=RATE)


def test_a_receipt_in_euros_leaves_the_card_in_euros_at_its_rate(product: Product, purchases: Payables) -> None:
    """And what came back comes back at its own; the books hold both in the organisation's currency."""
    papers = [receipt("100.00"), receipt("-40.00", name="s2")]

    purchases.apply(purchases.spend(papers))

    assert [(each.type, each.currency, each.rate, each.total) for each in product.books.bank_transactions] == [
        ("SPEND", "EUR", RATE, Decimal(100)),
        ("RECEIVE", "EUR", RATE, Decimal(40)),
    ]
    net = Decimal("181.82") - Decimal("72.73")
    assert (balance(product, EUROS), balance(product, "429")) == (-net, net)
    assert (len(purchases.spend(papers)), purchases.spend(papers).findings, len(purchases.update(papers))) == (0, (), 0)


def test_a_receipt_in_another_currency_than_its_card_is_found(purchases: Payables) -> None:
    plan = purchases.spend([receipt("100.00", account=BANK)])

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (0, [("another currency", "s1")])


def test_a_credit_note_in_euros_stands_at_its_rate_and_is_set_against_a_bill_of_the_same(
    product: Product, posted: Payables
) -> None:
    posted.apply(posted.submit([bill("c1", eur("-30.00"))]))

    posted.apply(posted.settle_credits())

    (note,) = product.books.credit_notes
    assert (note.currency, note.rate, note.total, note.amount_due) == ("EUR", RATE, Decimal(30), Decimal(0))
    assert [each.due for each in posted.posted(["b1"])] == [eur("70.00")]
    assert sum(each.balance for each in product.books.trial_balance()) == 0
