"""Quantities, taxes, tracking and items, to the cent; drafts and approvals as chosen (G1, 62, 83, 89, 96)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, DAY, Product, found_product, nzd
from tests.payables.priced import PRICED, SIGNS, Priced, comes_to, lines_of

from xerosync import Bill, BillLine, BillSettings, CardSpend, Money, Payables, Rule, Rules, map_bill
from xerosync.models import AccountCode, CreditNote, DocumentStatus, Invoice, LineAmountTypes

EXCLUSIVE, INCLUSIVE = LineAmountTypes.EXCLUSIVE, LineAmountTypes.INCLUSIVE


def line(amount: str, tax_type: str | None = "INPUT2") -> BillLine:
    return BillLine(description="paper", amount=nzd(amount), account=AccountCode("429"), tax_type=tax_type)


def bill(*lines: BillLine, amounts: LineAmountTypes = EXCLUSIVE, bill_id: str = "b1") -> Bill:
    return Bill(id=bill_id, vendor="Paper Ltd", number=bill_id, on=DAY, lines=lines, amounts=amounts)


@pytest.mark.parametrize(("amounts", "net", "tax"), [(EXCLUSIVE, "100.00", "15.00"), (INCLUSIVE, "86.96", "13.04")])
def test_amounts_exclude_or_include_their_tax(
    product: Product, purchases: Payables, amounts: LineAmountTypes, net: str, tax: str
) -> None:
    purchases.apply(purchases.submit([bill(line("100.00"), amounts=amounts)]))

    (posted,) = product.live_bills()
    assert (posted.sub_total, posted.total_tax) == (Decimal(net), Decimal(tax))


def test_a_line_without_a_tax_of_its_own_bears_that_of_its_account(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill(line("100.00", tax_type=None))]))

    (posted,) = product.live_bills()
    assert posted.lines[0].tax_type == "INPUT2"


def test_unit_prices_keep_four_decimals(product: Product, purchases: Payables) -> None:
    screws = BillLine.priced(
        description="screws", quantity=Decimal(1000), unit_price=nzd("0.0123"), account=AccountCode("429")
    )
    hours = BillLine(description="hours", amount=nzd("100.00"), quantity=Decimal("1.5"), account=AccountCode("429"))

    purchases.apply(purchases.submit([bill(screws, hours, amounts=LineAmountTypes.NO_TAX)]))

    (posted,) = product.live_bills()
    assert [(each.quantity, each.unit_amount, each.amount) for each in posted.lines] == [
        (Decimal(1000), Decimal("0.0123"), Decimal("12.30")),
        (Decimal("1.5"), Decimal("66.6667"), Decimal("100.00")),
    ]


def test_what_is_returned_stands_on_the_credit_note_as_so_many_at_their_price(
    product: Product, purchases: Payables
) -> None:
    """Whichever of quantity and price the paper has below nothing."""
    back = [
        BillLine.priced(
            description="screws", quantity=Decimal(count), unit_price=nzd(price), account=AccountCode("429")
        )
        for count, price in ((-1000, "0.0123"), (1000, "-0.0123"))
    ]

    purchases.apply(purchases.submit([bill(*back, amounts=LineAmountTypes.NO_TAX)]))

    (note,) = product.books.credit_notes
    assert [(each.quantity, each.unit_amount, each.amount) for each in note.lines] == [
        (Decimal(1000), Decimal("0.0123"), Decimal("12.30"))
    ] * 2
    assert not purchases.update([bill(*back, amounts=LineAmountTypes.NO_TAX)])


def test_an_amount_that_its_price_does_not_make_is_a_finding(purchases: Payables) -> None:
    wrong = evolve(line("10.00"), quantity=Decimal(3), unit_price=nzd("3.00"))

    (finding,) = purchases.submit([bill(wrong)]).findings

    assert finding.code == "cannot be posted"
    assert "unit_price" in finding.cause


def test_tracking_and_items_stand_on_the_lines(product: Product, purchases: Payables) -> None:
    region = product.books.add_tracking_category("Region", ["North", "South"])
    product.books.add_item("DESK", "Desk", cost=Decimal(80))
    tracked = BillLine(
        description="desk", amount=nzd("80.00"), tracking={"Region": "North"}, item="DESK", quantity=Decimal(1)
    )

    purchases.apply(purchases.submit([bill(tracked, amounts=LineAmountTypes.NO_TAX)]))

    (posted,) = product.live_bills()
    assert posted.lines[0].tracking == ((region.id, region.options[0].id),)
    assert (posted.lines[0].item_code, posted.lines[0].account_id) == ("DESK", product.books.account("429").id)


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "AUTHORISED"])
def test_documents_are_posted_as_drafts_awaiting_approval_or_approved(product: Product, status: str) -> None:
    chosen = BillSettings(status=DocumentStatus(status))
    purchases = Payables(product.xero(), payment_account=BANK, bills=chosen)

    purchases.apply(purchases.submit([bill(line("10.00")), bill(line("-4.00"), bill_id="c1")]))

    assert [each.status for each in [*product.books.invoices, *product.books.credit_notes]] == [status, status]


def test_one_document_may_be_a_draft_among_approved_ones(product: Product, purchases: Payables) -> None:
    draft = evolve(bill(line("10.00"), bill_id="b2"), status=DocumentStatus.DRAFT)

    purchases.apply(purchases.submit([bill(line("10.00")), draft]))

    assert {each.number: each.status for each in product.books.invoices} == {"b1": "AUTHORISED", "b2": "DRAFT"}


def test_a_foreign_bill_is_posted_at_the_rate_given(product: Product, purchases: Payables) -> None:
    product.books.add_currency("USD")
    dollars = BillLine(description="x", amount=Money("100.00", "USD"), account=AccountCode("429"))
    foreign = evolve(bill(dollars, amounts=LineAmountTypes.NO_TAX), currency_rate=Decimal("0.625"))

    purchases.apply(purchases.submit([foreign]))

    (posted,) = product.live_bills()
    assert (posted.currency, posted.rate, posted.total) == ("USD", Decimal("0.625"), Decimal(100))


def test_a_mapper_of_the_hosts_own_wraps_ours(product: Product) -> None:
    def numbered(given: Bill) -> Invoice | CreditNote:
        document = map_bill(given)
        return evolve(document, invoice_number=f"X-{given.number}") if isinstance(document, Invoice) else document

    purchases = Payables(product.xero(), payment_account=BANK, bills=BillSettings(mapper=numbered))

    purchases.apply(purchases.submit([bill(line("10.00"))]))

    assert [each.number for each in product.live_bills()] == ["X-b1"]
    assert not purchases.submit([bill(line("10.00"))])


def test_the_cents_that_taxes_do_not_add_up_to_are_a_line_of_their_own(product: Product, purchases: Payables) -> None:
    """Three times 0.03 is 15 % of 0.23 rounded each time; the paper taxes the sum: 0.10."""
    paper = evolve(bill(*[line("0.23")] * 3), stated_total=nzd("0.79"))

    purchases.apply(purchases.submit([paper]))

    (posted,) = product.live_bills()
    assert posted.total == Decimal("0.79")
    assert [(each.description, each.amount, each.tax) for each in posted.lines[3:]] == [
        ("Rounding", Decimal("0.01"), Decimal(0))
    ]


def test_a_total_that_is_off_by_more_is_a_finding(product: Product, purchases: Payables) -> None:
    paper = evolve(bill(line("100.00")), stated_total=nzd("120.00"))

    (finding,) = purchases.submit([paper]).findings

    assert (finding.code, product.live_bills()) == ("cannot be posted", [])
    assert "120.00 NZD" in finding.cause
    assert "115.00 NZD" in finding.cause


CENTS = st.integers(1, 99_999).map(lambda cents: nzd(Decimal(cents) / 100))
TAXED = st.lists(st.tuples(CENTS, st.sampled_from(["INPUT2", "NONE", None])), min_size=1, max_size=6)


def standing(product: Product) -> list[Decimal]:
    """The totals of the bills and credit notes in the books."""
    return [*(each.total for each in product.live_bills()), *(-each.total for each in product.books.credit_notes)]


@settings(max_examples=20)
@given(TAXED, st.sampled_from([EXCLUSIVE, INCLUSIVE]), SIGNS)
def test_a_stated_total_is_posted_to_the_cent_whatever_the_lines(
    lines: list[tuple[Money, str | None]], amounts: LineAmountTypes, sign: int
) -> None:
    product = found_product()
    purchases = Payables(product.xero(), payment_account=BANK)
    made = [line(str(sign * amount.amount), tax_type) for amount, tax_type in lines]
    net = sum((amount.amount for amount, _ in lines), start=Decimal(0))
    tax = sum((amount.amount for amount, taxed in lines if taxed != "NONE"), start=Decimal(0)) * 15 / 100
    total = nzd(sign * (net if amounts is INCLUSIVE else net + tax)).rounded()

    purchases.apply(purchases.submit([evolve(bill(*made, amounts=amounts), stated_total=total)]))

    assert standing(product) == [total.amount]
    product.simulator.close()


@settings(max_examples=20)
@given(PRICED, st.sampled_from(LineAmountTypes), SIGNS)
def test_whatever_prices_quantities_and_taxes_make_is_owed_to_the_cent(
    priced: list[Priced], amounts: LineAmountTypes, sign: int
) -> None:
    product = found_product()
    purchases = Payables(product.xero(), payment_account=BANK)
    paper = bill(*lines_of(priced, amounts, sign), amounts=amounts)

    purchases.apply(purchases.submit([paper]))

    owed = sign * comes_to(priced, amounts)
    assert standing(product) == [owed]
    assert product.books.balance(product.books.account("800").id) == -owed
    assert not purchases.update([paper])
    product.simulator.close()


def test_a_tax_on_a_paper_whose_amounts_bear_none_is_found_and_never_dropped(
    product: Product, purchases: Payables
) -> None:
    """Whether the line says it or a rule chose it, on bills, credit notes and card receipts."""
    taxed = BillLine(description="x", amount=nzd("10.00"), account=AccountCode("429"), tax_type="INPUT2")
    back = evolve(taxed, amount=nzd("-10.00"))
    papers = [
        Bill(id=name, vendor="V", number=name, on=DAY, lines=[each]) for name, each in (("b", taxed), ("c", back))
    ]
    ruled = BillSettings(rules=Rules([Rule.for_category("meals", tax_type="INPUT2")]))
    by_rule = evolve(taxed, tax_type=None, category="meals")

    plans = [
        purchases.submit(papers),
        purchases.spend([CardSpend(id="s", vendor="V", on=DAY, account=BANK, lines=[taxed])]),
        Payables(product.xero(), bills=ruled).submit([evolve(papers[0], lines=[by_rule])]),
    ]
    purchases.apply(purchases.submit([evolve(papers[0], amounts=LineAmountTypes.INCLUSIVE)]))
    purchases.apply(purchases.submit([evolve(papers[0], id="n", lines=[evolve(taxed, tax_type="none")])]))

    assert [(each.code, each.about) for plan in plans for each in plan.findings] == [
        ("cannot be posted", name) for name in "bcsb"
    ]
    assert all("tax_type: " in each.cause for plan in plans for each in plan.findings)
    assert [each.lines[0].tax_type for each in product.live_bills()] == ["INPUT2", "NONE"]
