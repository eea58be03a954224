"""Reference data comes once, then what is new, changed or gone; a rename is a finding before a failure (G16)."""

from __future__ import annotations

from decimal import Decimal

from tests.conftest import Product

from xerosync import News, Payables, Plan, UpdateReference


def told(plan: Plan) -> list[tuple[str, str, str, str]]:
    return sorted(
        (str(each.news), each.value.resource, each.value.code, each.value.name) for each in plan.of(UpdateReference)
    )


def take_over(purchases: Payables) -> Plan:
    plan = purchases.import_reference()
    purchases.apply(plan)
    return plan


def test_everything_that_documents_may_refer_to_comes_once(product: Product, purchases: Payables) -> None:
    product.books.add_tracking_category("Region", ["North"])
    product.books.add_item("DESK", "Desk", cost=Decimal(80))
    vendor = product.books.add_contact("Paper Ltd")
    product.books.add_invoice(vendor.id, type="ACCPAY", amount=Decimal(10))

    plan = take_over(purchases)

    assert {("new", "tracking option", "Region", "North"), ("new", "item", "DESK", "Desk")} <= set(told(plan))
    assert ("new", "supplier", "", "Paper Ltd") in told(plan)
    assert ("new", "tax rate", "INPUT2", "15% GST on Expenses") in told(plan)
    active = [each for each in product.books.accounts if each.status == "ACTIVE"]
    assert sum(each[1] == "account" for each in told(plan)) == len(active)
    assert not any("12.5%" in each[3] for each in told(plan))
    assert not take_over(purchases)


def test_what_was_not_applied_is_told_again(purchases: Payables) -> None:
    first, again = purchases.import_reference(), purchases.import_reference()

    assert told(first) == told(again)


def test_what_is_new_or_gone_is_told_once_with_a_finding_where_it_hurts(product: Product, purchases: Payables) -> None:
    product.books.add_account("4990", "Paint", type="EXPENSE")
    region = product.books.add_tracking_category("Region", ["North", "South"])
    take_over(purchases)
    product.books.archive_account("4990")
    product.books.archive_tracking_option(region.id, "South")
    product.books.add_account("4991", "Glue", type="EXPENSE")

    plan = take_over(purchases)

    assert told(plan) == [
        ("gone", "account", "4990", "Paint"),
        ("gone", "tracking option", "Region", "South"),
        ("new", "account", "4991", "Glue"),
    ]
    assert [each.code for each in plan.findings] == ["gone in Xero"] * 2
    assert not take_over(purchases)


def test_a_rename_is_told_with_both_names(product: Product, purchases: Payables) -> None:
    vendor = product.books.add_contact("Paper Ltd")
    product.books.add_invoice(vendor.id, type="ACCPAY", amount=Decimal(10))
    product.books.add_item("DESK", "Desk", cost=Decimal(80))
    take_over(purchases)
    product.books.rename_contact(vendor.id, "Papers Ltd")
    xero = product.xero()
    (item,) = xero.items.list()
    xero.items.update_one(type(item)(item_id=item.item_id, code="DESK2", name="Desk"))

    plan = take_over(purchases)

    changed = {each.value.resource: each for each in plan.of(UpdateReference)}
    assert {name: each.news for name, each in changed.items()} == {"supplier": News.CHANGED, "item": News.CHANGED}
    before = changed["item"].before
    assert before is not None
    assert (before.code, changed["item"].value.code) == ("DESK", "DESK2")
    assert [(each.code, each.about.partition("/")[0]) for each in plan.findings] == [("renamed in Xero", "item")]
