"""Sales of the host's own become invoices in Xero: each once, to the cent, and settled like imported ones (61, 62)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import CLEARING, DAY, Product, found_product, nzd
from tests.engine.backups import backup, restore

from xerosync import (
    Customer,
    HistoryNotes,
    Ledger,
    LineKind,
    Money,
    Receivables,
    Rule,
    Rules,
    Sale,
    SaleLine,
    SaleSettings,
    Settlement,
    SettlementLine,
    WhenLocked,
    map_sale,
)
from xerosync.engine.intents import tag_in
from xerosync.models import AccountCode, CreditNote, DocumentStatus, Invoice, LineAmountTypes
from xerosync.simulator import Document

EXCLUSIVE, INCLUSIVE = LineAmountTypes.EXCLUSIVE, LineAmountTypes.INCLUSIVE


def line(amount: str = "100.00", tax_type: str | None = None, description: str = "Dues") -> SaleLine:
    return SaleLine(description=description, amount=nzd(amount), account=AccountCode("200"), tax_type=tax_type)


SALE = Sale(id="s1", customer="ana", on=DAY, lines=[line()])


@pytest.fixture
def sales(product: Product) -> Receivables:
    return connected(product)


def connected(product: Product, chosen: SaleSettings | None = None) -> Receivables:
    """A story whose customer ``ana`` is connected."""
    product.books.add_contact("Ana Costa")
    sales = Receivables(product.xero(), clearing_account=CLEARING, sales=chosen)
    sales.apply(sales.match([Customer(id="ana", custom_identifier="Ana Costa")]))
    return sales


def invoices(product: Product) -> list[Document]:
    return [each for each in product.books.invoices if each.is_posted]


def settle(sales: Receivables, amount: str, kind: LineKind = LineKind.COLLECTED, name: str = "s1") -> list[str]:
    """Settle one line of a transaction, and name the findings."""
    lines = [SettlementLine(id=f"{name} {kind}", transaction=name, amount=nzd(amount), kind=kind)]
    plan = sales.settle(Settlement(id=f"{kind}", on=DAY, lines=lines))
    sales.apply(plan)
    return [each.code for each in plan.findings]


def test_a_sale_becomes_an_approved_invoice_of_its_customer_that_xero_numbers(
    product: Product, sales: Receivables
) -> None:
    report = sales.apply(sales.submit([evolve(SALE, reference="Order 7", due=DAY + timedelta(days=14))]))

    (posted,) = invoices(product)
    assert (posted.type, posted.status, posted.total, posted.date) == ("ACCREC", "AUTHORISED", Decimal(100), DAY)
    assert product.books.contact(posted.contact_id).name == "Ana Costa"
    assert (posted.due_date, posted.reference[:11]) == (DAY + timedelta(days=14), "Order 7 XS-")
    (told,) = sales.posted(["s1", "never submitted"])
    assert (told.number, told.xero_id, told.total, told.due) == (posted.number, posted.id, nzd("100.00"), nzd("100.00"))
    assert posted.number
    assert report.done("sale") == 1


def test_submitting_again_plans_nothing(product: Product, sales: Receivables) -> None:
    papers = [SALE, evolve(SALE, id="c1", lines=[line("-20.00")])]
    plan = sales.submit(papers)
    sales.apply(plan)
    sales.apply(plan)

    assert not sales.submit(papers)
    assert sales.submit(papers).findings == ()
    assert (len(product.books.invoices), len(product.books.credit_notes)) == (1, 1)


def test_the_number_that_xero_gave_may_be_told_back(product: Product, sales: Receivables) -> None:
    sales.apply(sales.submit([SALE]))
    numbered = evolve(SALE, number=sales.posted(["s1"])[0].number)

    assert sales.submit([numbered]).findings == ()
    assert not sales.update([numbered])
    assert len(invoices(product)) == 1


@pytest.mark.parametrize(("amounts", "net", "tax"), [(EXCLUSIVE, "100.00", "15.00"), (INCLUSIVE, "86.96", "13.04")])
def test_amounts_exclude_or_include_their_tax(
    product: Product, sales: Receivables, amounts: LineAmountTypes, net: str, tax: str
) -> None:
    sales.apply(sales.submit([evolve(SALE, lines=[line(tax_type="OUTPUT2")], amounts=amounts)]))

    (posted,) = invoices(product)
    assert (posted.sub_total, posted.total_tax) == (Decimal(net), Decimal(tax))


def test_discounts_are_a_rate_or_an_amount_off_the_price(product: Product, sales: Receivables) -> None:
    off_a_tenth = SaleLine.priced(
        description="Hours",
        quantity=Decimal("1.5"),
        unit_price=nzd("33.3333"),
        account=AccountCode("200"),
        discount_rate=Decimal("12.5"),
    )
    off_five = SaleLine.priced(
        description="Cap", quantity=Decimal(3), unit_price=nzd("9.99"), account=AccountCode("200"), discount=nzd("5.00")
    )

    sales.apply(sales.submit([evolve(SALE, lines=[off_a_tenth, off_five])]))

    (posted,) = invoices(product)
    assert [each.amount for each in posted.lines] == [Decimal("43.75"), Decimal("24.97")]
    assert (posted.lines[0].discount_rate, posted.lines[1].discount_amount) == (Decimal("12.5"), Decimal("5.00"))
    assert posted.total == evolve(SALE, lines=[off_a_tenth, off_five]).total.amount


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (evolve(SALE, id="bad", customer=""), "customer"),
        (evolve(SALE, id="bad", lines=[]), "at least one line"),
        (evolve(SALE, id="bad", reference="x" * 256), "at most 255"),
        (evolve(SALE, id="bad", lines=[evolve(line(), discount_rate=Decimal(10))]), "price that the discount"),
        (evolve(SALE, id="bad", lines=[evolve(line(), unit_price=nzd(100), discount_rate=Decimal(101))]), "up to 100"),
        (evolve(SALE, id="bad", lines=[evolve(line(), unit_price=nzd(100), discount=nzd(101))]), "no larger"),
        (evolve(SALE, id="bad", lines=[evolve(line(), unit_price=nzd(100), discount=nzd(10))]), "priced()"),
        (
            evolve(
                SALE,
                id="bad",
                lines=[evolve(line("-90.00"), quantity=Decimal(-1), unit_price=nzd(100), discount_rate=Decimal(10))],
            ),
            "F 6.105",
        ),
    ],
)
def test_a_sale_xero_could_not_keep_is_a_finding_before_anything_is_sent(
    product: Product, sales: Receivables, wrong: Sale, says: str
) -> None:
    plan = sales.submit([wrong, SALE])
    sales.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("cannot be posted", "bad")]
    assert says in plan.findings[0].cause
    assert len(invoices(product)) == 1


def test_tracking_and_items_stand_on_the_lines(product: Product, sales: Receivables) -> None:
    region = product.books.add_tracking_category("Region", ["North", "South"])
    product.books.add_item("DESK", "Desk", price=Decimal(80))
    sold = SaleLine(description="desk", amount=nzd("80.00"), tracking={"Region": "North"}, item="DESK")

    sales.apply(sales.submit([evolve(SALE, lines=[sold])]))

    (posted,) = invoices(product)
    assert posted.lines[0].tracking == ((region.id, region.options[0].id),)
    assert (posted.lines[0].item_code, posted.lines[0].account_id) == ("DESK", product.books.account("200").id)


def test_rules_code_what_a_sale_does_not_say(product: Product) -> None:
    rules = Rules([Rule.for_customer("ana", tax_type="OUTPUT2")], default=AccountCode("260"))
    sales = connected(product, SaleSettings(rules=rules, status=DocumentStatus.DRAFT))
    plan = sales.submit([evolve(SALE, lines=[SaleLine(description="x", amount=nzd(10))], amounts=EXCLUSIVE)])
    sales.apply(plan)

    (posted,) = product.books.invoices
    assert (posted.status, posted.total) == ("DRAFT", Decimal("11.50"))
    assert "tax type by its customer; account by default" in plan.rows()[0]["reason"].replace(", ", "; ")


def test_a_mapper_of_the_hosts_own_wraps_ours(product: Product) -> None:
    def numbered(given: Sale) -> Invoice | CreditNote:
        document = map_sale(given)
        return evolve(document, invoice_number=f"X-{given.id}") if isinstance(document, Invoice) else document

    sales = connected(product, SaleSettings(mapper=numbered))

    sales.apply(sales.submit([SALE]))

    assert [each.number for each in invoices(product)] == ["X-s1"]


def test_a_customer_without_a_contact_waits(product: Product, sales: Receivables) -> None:
    plan = sales.submit([evolve(SALE, customer="bea"), evolve(SALE, id="s2", customer="bea")])

    assert [(each.code, each.about) for each in plan.findings] == [
        ("customer not connected", "bea"), ("customer unclear", "s1"), ("customer unclear", "s2"),
    ]  # fmt: skip
    product.books.archive_contact(product.books.contacts[0].id)
    assert [each.code for each in sales.submit([SALE]).findings] == ["archived", "customer unclear"]


def test_a_sale_refused_for_a_contact_that_ended_after_planning_goes_on_by_itself(
    product: Product, sales: Receivables
) -> None:
    plan = sales.submit([SALE])
    (contact,) = product.books.contacts
    product.books.archive_contact(contact.id)
    report = sales.apply(plan)
    assert [(each.code, each.about) for each in report.findings] == [("refused by Xero", "s1")]
    assert [each.code for each in sales.submit([SALE]).findings] == ["archived", "customer unclear"]

    product.books.restore_contact(contact.id)
    sales.apply(sales.submit([SALE]))

    assert [each.contact_id for each in invoices(product)] == [contact.id]
    assert (len(sales.submit([SALE])), sales.submit([SALE]).findings) == (0, ())


def test_a_number_that_another_invoice_has_is_found_before_xero_refuses_it(
    product: Product, sales: Receivables
) -> None:
    product.invoice("Bea Diaz", "5.00", number="INV-7")

    plan = sales.submit(
        [evolve(SALE, number="INV-7"), evolve(SALE, id="s2", number="8"), evolve(SALE, id="s3", number="8")]
    )
    sales.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("number taken", "s1"), ("number taken", "s3")]
    assert sorted(each.number for each in invoices(product)) == ["8", "INV-7"]


def test_an_invoice_of_the_hosts_own_is_not_imported(product: Product, sales: Receivables) -> None:
    sales.apply(sales.submit([SALE]))

    chosen = sales.import_invoices([invoices(product)[0].id])

    assert (len(chosen), [each.code for each in chosen.findings]) == (0, ["submitted from here"])
    assert not sales.import_invoices()
    assert sales.preview_imports().tallies == {"submitted from here": 1}


def test_it_is_settled_and_charged_back_like_an_imported_one(product: Product, sales: Receivables) -> None:
    sales.apply(sales.submit([SALE]))
    sale = invoices(product)[0].id

    assert settle(sales, "100.00") == []
    assert (product.books.invoice(sale).status, sales.reconcile().clean) == ("PAID", True)
    assert settle(sales, "100.00", LineKind.CHARGED_BACK) == []

    assert (product.books.invoice(sale).amount_due, sales.reconcile().balance) == (Decimal(100), nzd("0.00"))


def test_it_may_be_settled_under_another_id(product: Product, sales: Receivables) -> None:
    sales.apply(sales.submit([evolve(SALE, transaction="pull 9")]))

    assert settle(sales, "40.00", name="pull 9") == []
    assert settle(sales, "40.00", name="s1") == ["not created here"]
    assert invoices(product)[0].amount_due == Decimal(60)


def test_it_changes_as_its_source_does_and_stays_known(product: Product, sales: Receivables) -> None:
    sales.apply(sales.submit([evolve(SALE, reference="Order 7")]))
    changed = evolve(SALE, reference="Order 8", number="A-1", due=DAY + timedelta(days=9), lines=[line("120.00")])

    plan = sales.update([changed])
    sales.apply(plan)

    (posted,) = invoices(product)
    assert plan.rows()[0]["reason"] == "changed at its source: DueDate, InvoiceNumber, LineItems, Reference"
    assert (posted.number, posted.total, posted.reference[:11]) == ("A-1", Decimal(120), "Order 8 XS-")
    assert (len(sales.update([changed])), len(sales.submit([changed])), sales.submit([changed]).findings) == (0, 0, ())
    assert settle(sales, "120.00") == []
    assert not sales.import_invoices()


def test_texts_change_under_money_and_amounts_do_not(product: Product, sales: Receivables) -> None:
    sales.apply(sales.submit([SALE]))
    settle(sales, "40.00")
    told = evolve(SALE, reference="Order 8", lines=[line(description="Fees")])

    sales.apply(sales.update([told]))
    plan = sales.update([evolve(told, lines=[line("120.00", description="Fees")])])

    (posted,) = invoices(product)
    assert (posted.lines[0].description, posted.reference[:11], posted.total) == ("Fees", "Order 8 XS-", Decimal(100))
    assert (len(plan), [each.code for each in plan.findings]) == (0, ["money on it"])


@pytest.mark.parametrize(("status", "ended"), [("DRAFT", "DELETED"), ("AUTHORISED", "VOIDED")])
def test_what_the_host_withdraws_ends_and_nothing_from_under_money(
    product: Product, sales: Receivables, status: str, ended: str
) -> None:
    credit = evolve(SALE, id="c1", lines=[line("-20.00")])
    sales.apply(sales.submit([evolve(each, status=DocumentStatus(status)) for each in (SALE, credit)]))
    sales.apply(sales.submit([paid := evolve(SALE, id="s2")]))
    settle(sales, "40.00", name=paid.id)

    plan = sales.void(["s1", "c1", "s2"])
    sales.apply(plan)

    assert [each.status for each in product.books.invoices] == [ended, "AUTHORISED"]
    assert [each.status for each in product.books.credit_notes] == [ended]
    assert [(each.code, each.about) for each in plan.findings] == [("money on it", "s2")]
    assert (len(sales.void(["s1", "c1"])), sales.posted(["s1", "c1"])) == (0, ())


def test_a_credit_note_is_changed_as_its_source_was(product: Product, sales: Receivables) -> None:
    credit = evolve(SALE, id="c1", number="CN-1", lines=[line("-20.00")])
    sales.apply(sales.submit([credit]))
    changed = evolve(credit, lines=[line("-25.00")])

    sales.apply(sales.update([changed]))

    (note,) = product.books.credit_notes
    assert (note.number, note.total, tag_in(note.reference) is not None) == ("CN-1", Decimal(25), True)
    assert (len(sales.update([changed])), len(sales.submit([changed]))) == (0, 0)
    assert sales.submit([changed]).findings == ()


CENTS = st.integers(1, 99_999).map(lambda cents: nzd(Decimal(cents) / 100))
PRICES = st.integers(1, 9_999_999).map(lambda price: nzd(Decimal(price) / 10_000))
QUANTITIES = st.integers(1, 99_999).map(lambda count: Decimal(count) / 1_000)
RATES = st.none() | st.integers(1, 10_000).map(lambda rate: Decimal(rate) / 100)
LINES = st.lists(st.tuples(QUANTITIES, PRICES, RATES), min_size=1, max_size=5)


@settings(max_examples=20)
@given(LINES, st.sampled_from(list(LineAmountTypes)))
def test_every_priced_line_comes_to_what_xero_makes_of_it(
    lines: list[tuple[Decimal, Money, Decimal | None]], amounts: LineAmountTypes
) -> None:
    product = found_product()
    sales = connected(product)
    made = [
        SaleLine.priced(description="x", quantity=q, unit_price=p, account=AccountCode("200"), discount_rate=off)
        for q, p, off in lines
    ]

    sales.apply(sales.submit([evolve(SALE, lines=made, amounts=amounts)]))

    (posted,) = invoices(product)
    assert [each.amount for each in posted.lines] == [each.amount.amount for each in made]
    product.simulator.close()


@settings(max_examples=15)
@given(st.lists(st.tuples(CENTS, st.sampled_from(["OUTPUT2", "NONE", None])), min_size=1, max_size=6))
def test_a_stated_total_is_posted_to_the_cent_whatever_the_lines(lines: list[tuple[Money, str | None]]) -> None:
    product = found_product()
    sales = connected(product)
    made = [line(str(amount.amount), tax_type) for amount, tax_type in lines]
    tax = sum((amount.amount for amount, taxed in lines if taxed != "NONE"), start=Decimal(0)) * 15 / 100
    total = nzd(sum((amount.amount for amount, _ in lines), start=Decimal(0)) + tax).rounded()

    sales.apply(sales.submit([evolve(SALE, lines=made, amounts=EXCLUSIVE, stated_total=total)]))

    assert [each.total for each in invoices(product)] == [total.amount]
    product.simulator.close()


def test_the_history_of_a_sale_tells_what_was_done_to_it(product: Product) -> None:
    sales = connected(product, SaleSettings(notes=HistoryNotes(by="Acme")))

    sales.apply(sales.submit([SALE]))
    sales.apply(sales.update([evolve(SALE, reference="Order 8")]))
    sales.apply(sales.void(["s1"]))

    (sale,) = product.books.invoices
    told = [each.details for each in product.books.history_of(sale.id) if each.details.startswith("Acme")]
    assert sorted(each.partition(" (XS-")[0] for each in told) == [
        "Acme changed it: sale s1", "Acme posted it: sale s1", "Acme withdrew it: sale s1",
    ]  # fmt: skip


def test_an_edit_that_a_restored_store_has_forgotten_is_known_again_under_money(
    product: Product, sales: Receivables
) -> None:
    sales.apply(sales.submit([SALE]))
    before = backup(product)
    changed = evolve(SALE, lines=[line("120.00")])
    sales.apply(sales.update([changed]))
    settle(sales, "20.00")
    restore(product, before)
    Ledger(product.xero()).audit(adopt=True)
    anew = Receivables(product.xero(), clearing_account=CLEARING)

    plan = anew.update([changed])
    anew.apply(plan)

    assert (plan.counts(), plan.findings, len(anew.update([changed]))) == ({"adopt": 1}, (), 0)
    assert [each.code for each in anew.update([SALE]).findings] == ["money on it"]


@pytest.mark.parametrize(
    ("policy", "code"), [(WhenLocked.REFUSE, "books closed"), (WhenLocked.QUEUE, "waits for open books")]
)
def test_a_sale_in_closed_books_is_stated_never_sent(product: Product, policy: WhenLocked, code: str) -> None:
    sales = connected(product, SaleSettings(when_locked=policy))
    product.books.lock_period(DAY)

    plan = sales.submit([SALE])
    sales.apply(plan)

    assert (len(plan), [each.code for each in plan.findings], invoices(product)) == (0, [code], [])
    product.books.lock_period(None)
    assert len(sales.submit([SALE])) == 1


@pytest.mark.parametrize(
    ("policy", "status", "reason"),
    [
        (WhenLocked.MOVE, "AUTHORISED", "moved from 2026-01-05"),
        (WhenLocked.DRAFT, "DRAFT", "moved as a draft from 2026-01-05"),
    ],
)
def test_a_sale_in_closed_books_goes_to_the_first_open_day_when_told_and_the_plan_says_so(
    product: Product, policy: WhenLocked, status: str, reason: str
) -> None:
    sales = connected(product, SaleSettings(when_locked=policy))
    product.books.lock_period(DAY)

    plan = sales.submit([SALE])
    sales.apply(plan)

    assert [(each.status, each.date) for each in product.books.invoices] == [(status, DAY + timedelta(days=1))]
    assert reason in plan.rows()[-1]["reason"]
    assert not sales.submit([SALE])
