"""The clearing account was changed: what came in through the former one, and goes back now, leaves both at nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import define, evolve, field
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import Fee, LineKind, Receivables, Settlement, SettlementLine, SettlementSettings, Surplus

OTHER = "095"
CHOSEN = SettlementSettings(
    bank_account=BANK, charge_back_account="850", provider="Collections Ltd", surplus=Surplus.PARK
)


@define
class Moving:
    """A product whose clearing account may change between its settlements, each of one line, paid out or not."""

    product: Product
    chosen: SettlementSettings
    given: list[Settlement] = field(factory=list[Settlement])

    def through(self, clearing: str) -> Receivables:
        return Receivables(self.product.xero(), clearing_account=clearing, settlements=self.chosen)

    def settle(self, clearing: str, *lines: SettlementLine, paid_out: bool = True) -> list[str]:
        """Settle *lines* through *clearing*, and see that settling all again plans nothing and finds the same."""
        on = DAY + timedelta(days=len(self.given))
        self.given.append(
            Settlement(id=f"S{len(self.given)}", on=on, lines=lines, paid_out_on=on if paid_out else None)
        )
        sales = self.through(clearing)
        plan = sales.settle(self.given)
        sales.apply(plan)
        again = sales.settle(self.given)
        assert not again, again.rows()
        assert [each.code for each in again.findings] == [each.code for each in plan.findings]
        return [each.code for each in plan.findings]

    def balances(self) -> list[Decimal]:
        books = self.product.books
        return [books.balance(books.account(code).id) for code in (CLEARING, OTHER, BANK)]

    def assert_stands(self, balances: Sequence[Decimal | int], *, owed: Decimal | int) -> None:
        """See what is in both clearing accounts and the bank, and what the customer owes, less her credit."""
        assert self.balances() == balances
        assert self.owed() == owed

    def owed(self) -> Decimal:
        books = self.product.books
        due = sum((each.amount_due for each in books.invoices if each.is_posted), Decimal(0))
        kept = sum(
            (each.amount_due for each in (*books.overpayments, *books.credit_notes) if each.is_posted), Decimal(0)
        )
        return due - kept

    def assert_clean(self) -> None:
        for clearing in (CLEARING, OTHER):
            sales = self.through(clearing)
            assert sales.reconcile(self.given).clean, str(sales.reconcile(self.given))
            assert sales.settlement_report(self.given).complete


def line(name: str, transaction: str, amount: str, kind: LineKind = LineKind.COLLECTED) -> SettlementLine:
    return SettlementLine(id=name, transaction=transaction, amount=nzd(amount), kind=kind)


@pytest.fixture(params=["BANK", "CURRENT"])
def moving(request: pytest.FixtureRequest, product: Product) -> Moving:
    if request.param == "BANK":
        product.books.add_account(OTHER, "Other clearing", type="BANK")
    else:
        product.books.add_account(OTHER, "Other clearing", type="CURRENT", enable_payments=True)
    return Moving(product, CHOSEN)


@pytest.mark.parametrize("paid_out", [True, False])
@pytest.mark.parametrize("accounts", [(CLEARING, OTHER), (OTHER, CLEARING)])
def test_what_came_in_through_the_former_account_is_charged_back_through_the_new_one(
    moving: Moving, accounts: tuple[str, str], *, paid_out: bool
) -> None:
    invoice = moving.product.collectable("100.00")
    moving.settle(accounts[0], line("L1", invoice.id, "100.00"), paid_out=paid_out)

    found = moving.settle(accounts[1], line("B1", invoice.id, "100.00", LineKind.CHARGED_BACK))

    assert found == []
    assert sum(moving.balances()) == 0
    assert moving.balances()[1 if accounts[1] == OTHER else 0] == 0
    assert moving.owed() == 100
    moving.assert_clean()
    moving.settle(accounts[1], line("R1", invoice.id, "100.00", LineKind.REINSTATED))
    assert moving.owed() == 0
    moving.settle(accounts[1], line("B2", invoice.id, "100.00", LineKind.CHARGED_BACK))
    assert moving.owed() == 100
    moving.assert_clean()


def test_of_instalments_in_both_accounts_each_goes_back_so_that_both_end_at_nothing(moving: Moving) -> None:
    invoice = moving.product.collectable("100.00")
    moving.settle(CLEARING, line("L1", invoice.id, "60.00"))
    moving.settle(OTHER, line("L2", invoice.id, "40.00"))

    assert moving.settle(OTHER, line("B1", invoice.id, "100.00", LineKind.CHARGED_BACK)) == []

    moving.assert_stands([0, 0, 0], owed=100)
    moving.assert_clean()


@pytest.mark.parametrize("due", ["80.00", "0.00"])
def test_what_was_parked_in_the_former_account_is_charged_back_with_the_rest(moving: Moving, due: str) -> None:
    invoice = moving.product.collectable("100.00")
    elsewhere = Decimal(100) - Decimal(due)
    moving.product.books.add_payment(invoice.id, account="090", amount=elsewhere, date=DAY)
    moving.settle(CLEARING, line("L1", invoice.id, "100.00"))

    assert moving.settle(OTHER, line("B1", invoice.id, "100.00", LineKind.CHARGED_BACK)) == []

    moving.assert_stands([0, 0, elsewhere], owed=Decimal(due))
    moving.assert_clean()


def test_a_part_that_was_refunded_and_the_rest_that_is_charged_back_leave_both_accounts_at_nothing(
    moving: Moving,
) -> None:
    invoice = moving.product.collectable("100.00")
    moving.settle(CLEARING, line("L1", invoice.id, "100.00"))
    moving.settle(OTHER, line("F1", invoice.id, "30.00", LineKind.REFUNDED))

    assert moving.settle(OTHER, line("B1", invoice.id, "70.00", LineKind.CHARGED_BACK)) == []

    moving.assert_stands([0, 0, 0], owed=70)
    moving.assert_clean()


def test_what_is_posted_into_the_former_account_by_the_same_plan_is_charged_back_through_the_new_one(
    moving: Moving,
) -> None:
    first, second = moving.product.collectable("100.00"), moving.product.collectable("60.00")
    moving.settle(CLEARING, line("L1", first.id, "100.00"), paid_out=False)
    (begun,) = moving.given
    moving.given[:] = [evolve(begun, lines=[*begun.lines, line("L2", second.id, "60.00")], paid_out_on=DAY)]

    assert moving.settle(OTHER, line("B1", second.id, "60.00", LineKind.CHARGED_BACK)) == []

    moving.assert_stands([0, 0, 100], owed=60)
    moving.assert_clean()


def test_without_an_account_for_it_a_charge_back_from_the_former_account_is_a_finding(product: Product) -> None:
    product.books.add_account(OTHER, "Other clearing", type="BANK")
    moving = Moving(product, evolve(CHOSEN, charge_back_account=None))
    invoice = product.collectable("100.00")
    moving.settle(CLEARING, line("L1", invoice.id, "100.00"))

    found = moving.settle(OTHER, line("B1", invoice.id, "100.00", LineKind.CHARGED_BACK))

    assert found == ["payment stays", "payout held"]
    moving.assert_stands([0, 0, 100], owed=0)
    moving.chosen = CHOSEN
    sales = moving.through(OTHER)
    sales.apply(sales.settle(moving.given))
    moving.assert_stands([0, 0, 0], owed=100)
    moving.assert_clean()


def half_typed(product: Product) -> tuple[Settlement, Settlement]:
    """A settlement of which a part was posted, or none, and all of it; people typed the rest through `CLEARING`."""
    product.books.add_account(OTHER, "Other clearing", type="BANK")
    ana, ben = product.collectable("100.00", "Ana Costa"), product.collectable("60.00", "Ben Ode")
    lines = [line("L1", ana.id, "100.00"), line("L2", ben.id, "60.00")]
    product.books.add_payment(ben.id, account=CLEARING, amount=Decimal(60), date=DAY)
    begun = Settlement(id="S1", on=DAY, lines=lines[:1])
    return begun, Settlement(id="S1", on=DAY, lines=lines, fees=[Fee(amount=nzd("2.00"))], paid_out_on=DAY)


def test_what_was_typed_of_a_settlement_is_taken_over_in_the_account_that_it_was_begun_in(product: Product) -> None:
    moving = Moving(product, evolve(CHOSEN, fee_account="404"))
    begun, whole = half_typed(product)
    former, sales = moving.through(CLEARING), moving.through(OTHER)
    former.apply(former.settle(begun))
    product.books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(158), date=DAY)

    plan = sales.backfill(whole)
    sales.apply(plan)
    sales.apply(sales.settle(whole))

    assert (plan.counts(), plan.findings) == ({"adopt": 2}, ())
    moving.given.append(whole)
    moving.assert_stands([0, 0, 158], owed=0)
    moving.assert_clean()
    assert not sales.backfill(whole)


@pytest.mark.parametrize("by_a_person", [True, False])
def test_a_settlement_that_was_typed_stays_in_the_account_that_it_was_typed_in(
    product: Product, *, by_a_person: bool
) -> None:
    moving = Moving(product, evolve(CHOSEN, fee_account="404"))
    _, whole = half_typed(product)
    former, sales = moving.through(CLEARING), moving.through(OTHER)
    if by_a_person:
        sales.apply(sales.backfill(whole))
        sales.apply(sales.backfill(whole, chosen={"L2": product.books.payments[0].id}))
    else:
        former.apply(former.backfill(whole))

    sales.apply(sales.settle(whole))

    moving.given.append(whole)
    moving.assert_stands([0, 0, 158], owed=0)
    moving.assert_clean()
    assert not sales.settle(whole)


def test_a_payment_that_people_removed_from_the_former_account_is_not_charged_back_through_the_new_one(
    moving: Moving,
) -> None:
    invoice = moving.product.collectable("100.00")
    moving.settle(CLEARING, line("L1", invoice.id, "100.00"))
    (payment,) = moving.product.live_payments()
    moving.product.books.remove_payment(payment.id)

    found = moving.settle(OTHER, line("B1", invoice.id, "100.00", LineKind.CHARGED_BACK))

    assert found == ["removed in Xero", "does not fit", "payout held"]
    moving.assert_stands([-100, 0, 100], owed=100)


def test_nothing_is_charged_back_of_two_payments_where_people_removed_one_from_the_former_account(
    moving: Moving,
) -> None:
    invoice = moving.product.collectable("100.00")
    moving.settle(CLEARING, line("L1", invoice.id, "60.00"), line("L2", invoice.id, "40.00"))
    (removed,) = [each for each in moving.product.live_payments() if each.amount == Decimal(60)]
    moving.product.books.remove_payment(removed.id)

    found = moving.settle(OTHER, line("B1", invoice.id, "100.00", LineKind.CHARGED_BACK))

    assert found == ["removed in Xero", "does not fit", "payout held"]
    moving.assert_stands([-60, 0, 100], owed=60)
