"""Account, tax and tracking by ordered rules, with a default and a reason that is seen (G15, 87)."""

from __future__ import annotations

import pytest
from tests.conftest import DAY, Product, nzd

from xerosync import Bill, BillLine, BillSettings, Payables, Rule, Rules
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode, LineAmountTypes

RULES = Rules(
    [
        Rule.for_category("Travel", account="493", tracking={"Region": "North"}),
        Rule.for_vendor("kauri  TIMBER ltd", account="404", tax_type="NONE"),
        Rule(name="large", when=lambda _, line: line.amount.amount > 1000, account=AccountCode("710")),
    ],
    default=AccountCode("429"),
)


def line(amount: str = "10.00", *, account: str | None = None, category: str = "") -> BillLine:
    return BillLine(
        description="x", amount=nzd(amount), account=AccountCode(account) if account else None, category=category
    )


@pytest.mark.parametrize(
    ("vendor", "given", "account", "because"),
    [
        ("Kauri Timber Ltd", line(account="453"), "453", {"tax_type": "its vendor"}),
        ("Kauri Timber Ltd", line(), "404", {"account": "its vendor", "tax_type": "its vendor"}),
        (
            "Kauri Timber Ltd",
            line(category="Travel"),
            "493",
            {"account": "category Travel", "tax_type": "its vendor", "tracking": "category Travel"},
        ),
        ("Other", line("2000.00"), "710", {"account": "large"}),
        ("Other", line(), "429", {"account": "default"}),
    ],
)
def test_the_line_decides_then_the_first_rule_then_the_default(
    vendor: str, given: BillLine, account: str, because: dict[str, str]
) -> None:
    coded = RULES.code(vendor, given)

    assert (coded.line.account, coded.because) == (account, because)


def test_an_item_has_an_account_of_its_own() -> None:
    given = BillLine(description="desk", amount=nzd("80.00"), item="DESK")

    assert RULES.code("Other", given).line.account is None


def test_a_bill_is_posted_as_the_rules_say_and_the_plan_says_why(product: Product) -> None:
    product.books.add_tracking_category("Region", ["North"])
    purchases = Payables(product.xero(), bills=BillSettings(rules=RULES))
    travel = Bill(
        id="b1",
        vendor="Airline",
        number="1",
        on=DAY,
        lines=[line(category="Travel"), line()],
        amounts=LineAmountTypes.EXCLUSIVE,
    )

    plan = purchases.submit([travel])
    purchases.apply(plan)

    (posted,) = product.live_bills()
    codes = {each.id: each.code for each in product.books.accounts}
    assert [codes[each.account_id] for each in posted.lines] == ["493", "429"]
    assert plan.rows()[-1]["reason"] == (
        "submitted, on 2026-01-05; account by category Travel, tracking by category Travel; account by default"
    )


def test_a_rule_needs_a_name_that_plans_can_show() -> None:
    with pytest.raises(InvalidInput, match="name"):
        Rule(name=" ", account=AccountCode("429"))
