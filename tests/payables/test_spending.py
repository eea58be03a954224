"""Card receipts as spend money, refunds as receive money, each once (85)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, DAY, Product, found_product, nzd
from tests.payables.priced import PRICED, SIGNS, Priced, comes_to, lines_of

from xerosync import (
    BillFile,
    BillLine,
    BillSettings,
    CardSpend,
    Duplicates,
    MemoryStore,
    Money,
    Payables,
    Rules,
    WhenLocked,
)
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode, LineAmountTypes


def spend(amount: str = "23.00", spend_id: str = "s1", account: str = BANK) -> CardSpend:
    line = BillLine(description="taxi", amount=nzd(amount), account=AccountCode("493"))
    return CardSpend(
        id=spend_id,
        vendor="Taxi Ltd",
        on=DAY,
        account=account,
        lines=[line],
        reference="T-1",
        amounts=LineAmountTypes.INCLUSIVE,
    )


def test_a_receipt_is_spend_money_with_its_tax(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.spend([spend()]))

    (spent,) = product.books.bank_transactions
    assert (spent.type, spent.total, spent.total_tax, spent.date) == ("SPEND", Decimal("23.00"), Decimal("3.00"), DAY)
    assert spent.reference.startswith("T-1 XS-")
    assert product.books.balance(product.books.account(BANK).id) == -23


def test_a_refund_is_receive_money(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.spend([spend("-23.00")]))

    (received,) = product.books.bank_transactions
    assert (received.type, received.total) == ("RECEIVE", Decimal("23.00"))
    assert product.books.balance(product.books.account(BANK).id) == 23


def test_spending_again_plans_nothing(product: Product, purchases: Payables) -> None:
    plan = purchases.spend([spend()])
    purchases.apply(plan)
    purchases.apply(plan)

    again = purchases.spend([spend()])

    assert (len(again), again.findings, len(product.books.bank_transactions)) == (0, (), 1)


def test_a_receipt_sent_again_with_other_content_is_a_finding(purchases: Payables) -> None:
    purchases.apply(purchases.spend([spend()]))

    again = purchases.spend([spend("24.00")])

    assert [each.code for each in again.findings] == ["changed since posted"]


def test_a_receipt_removed_in_xero_is_not_posted_again(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.spend([spend()]))
    product.books.remove_bank_transaction(product.books.bank_transactions[0].id)

    again = purchases.spend([spend()])

    assert (len(again), [each.code for each in again.findings]) == (0, ["removed in Xero"])


def test_a_store_that_forgot_takes_over_the_receipt_by_its_mark(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.spend([spend()]))
    forgetful = Payables(product.xero(store=MemoryStore()))

    plan = forgetful.spend([spend()])
    forgetful.apply(plan)

    assert plan.counts()["adopt"] == 1
    assert len(product.books.bank_transactions) == 1
    assert not forgetful.spend([spend()])


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (spend(account="429"), "account does not fit"),
        (spend(account="nothing"), "account does not fit"),
        (evolve(spend(), lines=[BillLine(description="x", amount=nzd("1.00"))]), "no account"),
        (evolve(spend(), lines=[BillLine(description="x", amount=Money("1.00", "USD"))]), "another currency"),
        (evolve(spend(), lines=[]), "cannot be posted"),
    ],
)
def test_what_cannot_be_posted_is_a_finding(purchases: Payables, wrong: CardSpend, code: str) -> None:
    plan = purchases.spend([wrong])

    assert (len(plan), [each.code for each in plan.findings]) == (0, [code])


def test_rules_and_closed_books_are_as_with_bills(product: Product) -> None:
    product.books.lock_period(DAY)
    settings = BillSettings(rules=Rules(default=AccountCode("429")), when_locked=WhenLocked.MOVE)
    purchases = Payables(product.xero(), bills=settings)
    bare = evolve(spend(), lines=[BillLine(description="x", amount=nzd("1.00"))])

    plan = purchases.spend([bare])
    purchases.apply(plan)

    (spent,) = product.books.bank_transactions
    assert (spent.date - DAY).days == 1
    assert "account by default" in plan.rows()[-1]["reason"]
    assert not purchases.spend([bare])


def test_each_receipt_is_given_once(purchases: Payables) -> None:
    with pytest.raises(InvalidInput, match="id"):
        purchases.spend([spend(), spend()])


def typed(product: Product, amount: str = "23.00", *, kind: str = "SPEND", vendor: str = "Taxi Ltd") -> str:
    found = [each.id for each in product.books.contacts if each.name == vendor]
    contact = found[0] if found else product.books.add_contact(vendor).id
    return product.books.add_bank_transaction(contact, type=kind, bank=BANK, amount=Decimal(amount), date=DAY).id


def choosing(product: Product, duplicates: Duplicates) -> Payables:
    return Payables(product.xero(), bills=BillSettings(duplicates=duplicates))


def test_a_receipt_that_somebody_typed_is_a_possible_duplicate(product: Product) -> None:
    typed(product)
    warned, stopped = choosing(product, Duplicates.WARN), choosing(product, Duplicates.STOP)

    held, plan = stopped.spend([spend()]), warned.spend([spend()])
    warned.apply(plan)

    assert (held.counts(), plan.counts()) == ({"vendor": 1}, {"vendor": 1, "bank_transaction": 1})
    for found in (held, plan, warned.spend([spend()])):
        assert [(each.code, each.about) for each in found.findings] == [("possible duplicate", "s1")]


def test_the_one_that_was_typed_is_taken_for_the_receipt(product: Product) -> None:
    entered = typed(product)
    linking = choosing(product, Duplicates.LINK)

    plan = linking.spend([spend(), spend(spend_id="s2")])
    linking.apply(plan)
    linking.apply(linking.attach([BillFile(bill_id="s1", name="taxi.jpg", content=b"jpg")]))

    assert plan.counts() == {"vendor": 1, "spend_link": 1}
    assert [(each.code, each.about) for each in plan.findings] == [("possible duplicate", "s2")]
    assert [each.id for each in product.books.bank_transactions] == [entered]
    assert [each.name for each in product.books.attachments_of(entered)] == ["taxi.jpg"]
    assert (len(linking.spend([spend()])), linking.spend([spend()]).findings) == (0, ())
    assert [each.code for each in linking.void(["s1"]).findings] == ["not created here"]
    product.books.remove_bank_transaction(entered)
    assert [each.code for each in linking.spend([spend()]).findings] == ["removed in Xero"]


def test_the_one_that_was_typed_is_taken_for_one_receipt_by_two_plans(product: Product) -> None:
    typed(product)
    linking = choosing(product, Duplicates.LINK)
    first, second = linking.spend([spend()]), linking.spend([spend(spend_id="s2")])

    linking.apply(first)
    report = linking.apply(second)

    assert ("changed since planned", "s2") in [(each.code, each.about) for each in report.findings]
    assert [each.code for each in linking.spend([spend(spend_id="s2")]).findings] == ["possible duplicate"]


@pytest.mark.parametrize(
    ("amount", "kind", "vendor"),
    [("24.00", "SPEND", "Taxi Ltd"), ("23.00", "RECEIVE", "Taxi Ltd"), ("23.00", "SPEND", "Bus Ltd")],
)
def test_other_money_is_no_duplicate(
    product: Product, purchases: Payables, amount: str, kind: str, vendor: str
) -> None:
    typed(product, amount, kind=kind, vendor=vendor)
    purchases.apply(purchases.spend([spend()]))

    plan = purchases.spend([spend(), spend(spend_id="s2")])

    assert (plan.counts(), plan.findings) == ({"bank_transaction": 1}, ())


def test_a_receipt_that_was_handled_outside_is_left_alone_until_it_is_taken_up(purchases: Payables) -> None:
    purchases.apply(purchases.handle_outside(receipts=["s1"], note="paid in cash"))

    assert not purchases.spend([spend()])
    assert [(each.what, each.id) for each in purchases.handled_outside()] == [("receipt", "s1")]
    purchases.apply(purchases.take_up_again(receipts=["s1"]))
    assert "bank_transaction" in purchases.spend([spend()]).counts()


@pytest.mark.parametrize(("sign", "kind"), [(1, "SPEND"), (-1, "RECEIVE")])
def test_tracking_items_prices_of_four_decimals_and_tax_on_top_come_to_the_cent(
    product: Product, purchases: Payables, sign: int, kind: str
) -> None:
    """Of a receipt and of a refund; the tax of each line is rounded by itself, as Xero does (F 5.23)."""
    region = product.books.add_tracking_category("Region", ["North", "South"])
    product.books.add_item("DESK", "Desk", cost=Decimal(80))
    screws = BillLine.priced(
        description="screws",
        quantity=Decimal(sign * 1003),
        unit_price=nzd("0.0123"),
        account=AccountCode("429"),
        tax_type="INPUT2",
        tracking={"Region": "North"},
    )
    desk = BillLine(description="desk", amount=nzd(sign * 80), account=AccountCode("404"), item="DESK", tax_type="NONE")
    paper = CardSpend(
        id="s1", vendor="V", on=DAY, account=BANK, lines=[screws, desk], amounts=LineAmountTypes.EXCLUSIVE
    )

    purchases.apply(purchases.spend([paper]))

    (spent,) = product.books.bank_transactions
    first, second = spent.lines
    assert (spent.type, spent.sub_total, spent.total_tax, spent.total) == (
        kind, Decimal("92.34"), Decimal("1.85"), Decimal("94.19"),
    )  # fmt: skip
    assert (first.quantity, first.unit_amount, first.amount, first.tax) == (
        Decimal(1003), Decimal("0.0123"), Decimal("12.34"), Decimal("1.85"),
    )  # fmt: skip
    assert first.tracking == ((region.id, region.options[0].id),)
    assert (second.item_code, second.amount, second.tax) == ("DESK", Decimal(80), Decimal(0))
    balances = {code: product.books.balance(product.books.account(code).id) * sign for code in ("429", "404", BANK)}
    assert balances == {"429": Decimal("12.34"), "404": Decimal(80), BANK: Decimal("-94.19")}
    assert (len(purchases.spend([paper])), len(purchases.update([paper]))) == (0, 0)


@settings(max_examples=20)
@given(PRICED, st.sampled_from(LineAmountTypes), SIGNS)
def test_whatever_was_spent_leaves_the_bank_to_the_cent(
    priced: list[Priced], amounts: LineAmountTypes, sign: int
) -> None:
    product = found_product()
    purchases = Payables(product.xero())
    lines, total = lines_of(priced, amounts, sign), comes_to(priced, amounts)

    plan = purchases.spend([CardSpend(id="s1", vendor="V", on=DAY, account=BANK, lines=lines, amounts=amounts)])
    purchases.apply(plan)

    assert [each.code for each in plan.findings] == ([] if total else ["cannot be posted"])
    assert [each.total for each in product.books.bank_transactions] == ([total] if total else [])
    assert product.books.balance(product.books.account(BANK).id) == -sign * total
    assert sum(each.balance for each in product.books.trial_balance()) == 0
    product.simulator.close()
