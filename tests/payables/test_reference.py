"""Reference data comes once, then what is new, changed or gone; a rename is a finding before a failure (G16)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve, frozen
from tests.conftest import DAY, Product, Through

from xerosync import Bill, BillLine, Money, News, Payables, Plan, UpdateReference, Xero
from xerosync.models import Account, AccountCode, Item, LineAmountTypes, TrackingCategory
from xerosync.ports import Request


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


PAINT = AccountCode("4990")
Change = Callable[[Product, Xero], object]


def bill(
    *, currency: str = "NZD", tax_type: str | None = None, region: str | None = None, item: str | None = None
) -> Bill:
    line = BillLine(
        description="x",
        amount=Money("10.00", currency),
        account=PAINT,
        tax_type=tax_type,
        tracking=[] if region is None else [("Region", region)],
        item=item,
    )
    amounts = LineAmountTypes.EXCLUSIVE
    return Bill(id="b1", vendor="Paper Ltd", number="1", on=DAY, due=DAY, lines=[line], amounts=amounts)


def _account(xero: Xero) -> Account:
    (account,) = [each for each in xero.accounts.list() if each.code == PAINT]
    return account


def _recode_account(_: Product, xero: Xero) -> object:
    return xero.accounts.update_one(Account(account_id=_account(xero).account_id, code=AccountCode("4991")))


def _rename_tax(_: Product, xero: Xero) -> object:
    (rate,) = [each for each in xero.tax_rates.list() if each.name == "Levy"]
    return xero.tax_rates.update_one(evolve(rate, name="Green levy"))


def _end_tax(_: Product, xero: Xero) -> object:
    return xero.tax_rates.delete("TAX001")


def _rename_option(_: Product, xero: Xero) -> object:
    (category,) = xero.tracking_categories.list()
    (option,) = category.options
    return xero.tracking_categories.rename_option(
        category.tracking_category_id or "", option.tracking_option_id or "", "Far north"
    )


def _rename_category(_: Product, xero: Xero) -> object:
    (category,) = xero.tracking_categories.list()
    renamed = TrackingCategory(tracking_category_id=category.tracking_category_id, name="Area")
    return xero.tracking_categories.update_one(renamed)


def _archive_category(_: Product, xero: Xero) -> object:
    (category,) = xero.tracking_categories.list()
    return xero.tracking_categories.archive(category.tracking_category_id or "")


def _archive_option(product: Product, _: Xero) -> object:
    (category,) = product.books.tracking_categories
    return product.books.archive_tracking_option(category.id, "North")


def _recode_item(_: Product, xero: Xero) -> object:
    (item,) = xero.items.list()
    return xero.items.update_one(Item(item_id=item.item_id, code="DESK2", name="Desk"))


def _delete_item(_: Product, xero: Xero) -> object:
    (item,) = xero.items.list()
    return xero.items.delete(item.item_id or "")


def _vendor(product: Product, name: str = "Paper Ltd") -> str:
    (contact,) = [each.id for each in product.books.contacts if each.name == name]
    return contact


def _merge(product: Product, _: Xero) -> object:
    return product.books.merge_contacts(_vendor(product), into=_vendor(product, "Glue Ltd"))


RENAMED, GONE = ["renamed in Xero"], ["gone in Xero"]


@frozen
class Case:
    """A *change* in Xero: its *news*, its *finding*, and what becomes of a bill that names the thing as it was."""

    change: Change
    news: tuple[str, str, str, str]
    finding: list[str]
    bill: Bill
    refused: list[str]


@pytest.mark.parametrize(
    "case",
    [
        Case(_recode_account, ("changed", "account", "4991", "Paint"), RENAMED, bill(), ["account does not fit"]),
        Case(
            lambda product, _: product.books.archive_account(PAINT),
            ("gone", "account", PAINT, "Paint"), GONE, bill(), ["account does not fit"],
        ),
        Case(_rename_tax, ("changed", "tax rate", "TAX001", "Green levy"), RENAMED, bill(tax_type="TAX001"), []),
        Case(_end_tax, ("gone", "tax rate", "TAX001", "Levy"), GONE, bill(tax_type="TAX001"), ["tax does not fit"]),
        Case(
            _rename_option,
            ("changed", "tracking option", "Region", "Far north"), RENAMED, bill(region="North"),
            ["tracking does not fit"],
        ),
        Case(
            _rename_category,
            ("changed", "tracking option", "Area", "North"), RENAMED, bill(region="North"), ["tracking does not fit"],
        ),
        Case(
            _archive_option,
            ("gone", "tracking option", "Region", "North"), GONE, bill(region="North"), ["tracking does not fit"],
        ),
        Case(
            _archive_category,
            ("gone", "tracking option", "Region", "North"), GONE, bill(region="North"), ["tracking does not fit"],
        ),
        Case(_recode_item, ("changed", "item", "DESK2", "Desk"), RENAMED, bill(item="DESK"), ["item unknown"]),
        Case(_delete_item, ("gone", "item", "DESK", "Desk"), GONE, bill(item="DESK"), ["item unknown"]),
        Case(
            lambda product, _: product.books.add_currency("EUR"),
            ("new", "currency", "EUR", "Euro"), [], bill(currency="EUR"), [],
        ),
        Case(
            lambda product, _: product.books.rename_contact(_vendor(product), "Papers Ltd"),
            ("changed", "supplier", "", "Papers Ltd"), [], bill(), [],
        ),
        Case(
            lambda product, _: product.books.archive_contact(_vendor(product)),
            ("gone", "supplier", "", "Paper Ltd"), GONE, bill(), ["archived", "vendor unclear"],
        ),
        Case(_merge, ("gone", "supplier", "", "Paper Ltd"), GONE, bill(), []),
    ],
)  # fmt: skip
def test_each_rename_and_end_is_told_with_a_finding_before_a_bill_that_names_it_fails(
    product: Product, purchases: Payables, xero: Xero, case: Case
) -> None:
    """Nothing in Xero renames a currency, or takes one away (F 6.172); a supplier is known by its id, not its name."""
    product.books.add_account(PAINT, "Paint", type="EXPENSE")
    product.books.add_tax_rate("Levy", Decimal(10), report_type="INPUT")
    product.books.add_tracking_category("Region", ["North"])
    product.books.add_item("DESK", "Desk", cost=Decimal(80))
    for vendor in ("Paper Ltd", "Glue Ltd"):
        purchases.apply(purchases.submit([evolve(bill(), id=vendor, vendor=vendor, number=vendor)]))
    take_over(purchases)
    case.change(product, xero)

    plan = take_over(purchases)
    submitted = purchases.submit([case.bill])
    report = purchases.apply(submitted)

    assert told(plan) == [case.news]
    assert [each.code for each in plan.findings] == case.finding
    assert [each.code for each in submitted.findings] == case.refused
    assert report.findings == submitted.findings
    assert len(product.live_bills()) == (2 if case.refused else 3)
    assert not take_over(purchases)


@pytest.mark.parametrize("by_host", [True, False])
def test_who_was_known_before_the_first_bill_is_a_supplier_by_it(
    product: Product, purchases: Payables, *, by_host: bool
) -> None:
    """Without a stamp that a read of changes would see (F 6.29): by the bill, where bills are read."""
    contact = product.books.add_contact("Paper Ltd")
    product.clock.advance(60)
    other = product.books.add_contact("The last to be stamped")
    product.books.add_invoice(other.id, type="ACCPAY", amount=Decimal(10))
    purchases.follow_bills()
    take_over(purchases)
    product.clock.advance(3600)
    if by_host:
        product.books.add_account(PAINT, "Paint", type="EXPENSE")
        purchases.apply(purchases.submit([bill()]))
    else:
        product.books.add_invoice(contact.id, type="ACCPAY", amount=Decimal(10))

    plan = take_over(purchases)

    assert ("new", "supplier", "", "Paper Ltd") in told(plan)
    assert not take_over(purchases)


def test_the_second_run_reads_only_what_changed_of_the_lists_that_grow(product: Product) -> None:
    asked: list[Request] = []
    xero = product.xero(transport=Through(product.simulator.transport, before=asked.append))
    purchases = Payables(xero)
    suppliers = [product.books.add_contact(f"Paper {number}") for number in range(3)]
    for supplier in suppliers:
        product.books.add_invoice(supplier.id, type="ACCPAY", amount=Decimal(10))
    take_over(purchases)
    assert {each.url.partition("?")[0].rpartition("/")[2] for each in asked if _since(each)} == set()
    asked.clear()
    product.clock.advance(3600)
    product.books.rename_contact(suppliers[1].id, "Papers")
    product.books.add_account(PAINT, "Paint", type="EXPENSE")

    plan = take_over(purchases)

    assert told(plan) == [("changed", "supplier", "", "Papers"), ("new", "account", PAINT, "Paint")]
    lists = [each for each in asked if "/api.xro/" in each.url]
    since = {each.url.partition("?")[0].rpartition("/")[2]: _since(each) for each in lists}
    assert {name for name, moment in since.items() if moment} == {"Contacts", "Accounts"}
    assert len(lists) == len(since) == 6


def _since(request: Request) -> str:
    return {name.lower(): value for name, value in request.headers.items()}.get("if-modified-since", "")
