"""What is offered for import, what the user chooses, and what comes in by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, Through, nzd

from xerosync import (
    Customer,
    ImportPolicy,
    ImportSettings,
    ImportTerms,
    Money,
    ProcessingCalendar,
    Receivables,
    Transaction,
    TransactionState,
    TransactionStatus,
    map_invoice,
)
from xerosync.errors import InvalidInput
from xerosync.models import Invoice
from xerosync.ports import Request
from xerosync.simulator import Bookkeeper, Document


def connected(sales: Receivables, *names: str) -> None:
    sales.apply(sales.match([Customer(id=name, custom_identifier=name) for name in names]))


def owed(books: Bookkeeper, name: str, amount: str, due: date, number: str = "") -> Document:
    """An approved sale to the contact of this name, who is added when there is none."""
    found = [one.id for one in books.contacts if one.name == name]
    contact = found[0] if found else books.add_contact(name).id
    return books.add_invoice(contact, amount=Decimal(amount), date=DAY - timedelta(60), due=due, number=number)


def standing(sales: Receivables, **bounds: date) -> dict[str, str]:
    """The status that the preview gives each invoice, by number."""
    return {row["invoice_number"]: row["status"] for row in sales.preview_imports(**bounds).rows()}


def test_a_preview_has_one_row_an_invoice_with_its_reason_and_remedy(sales: Receivables, books: Bookkeeper) -> None:
    owed(books, "Ana", "100.00", DAY - timedelta(3), "late")
    owed(books, "Ana", "80.00", DAY + timedelta(3), "soon")
    owed(books, "Ben", "50.00", DAY + timedelta(9), "his")
    connected(sales, "Ana")

    preview = sales.preview_imports()

    assert [
        (row["invoice_number"], row["contact"], row["amount"], row["on"], row["status"]) for row in preview.rows()
    ] == [
        ("late", "Ana", "100.00 NZD", "2026-01-05", "to import"),
        ("soon", "Ana", "80.00 NZD", "2026-01-08", "to import"),
        ("his", "Ben", "50.00 NZD", "", "customer not connected"),
    ]
    (left_out,) = [row.left_out for row in preview if row.left_out is not None]
    assert (left_out.cause, left_out.fix) == (
        "its contact is not connected to a customer",
        "set the customer's custom identifier to the contact's name, then match again",
    )
    assert (str(preview), len(preview)) == ("2 to import · 1 customer not connected", 3)
    assert "Ana" not in repr(preview) + repr(list(preview))


def test_looking_changes_nothing(sales: Receivables, books: Bookkeeper) -> None:
    owed(books, "Ana", "100.00", DAY)
    connected(sales, "Ana")
    sales.preview_imports()

    assert sales.transactions() == ()
    assert len(sales.import_invoices()) == 1


def test_what_is_due_before_the_day_chosen_is_left_out(sales: Receivables, books: Bookkeeper) -> None:
    """R25."""
    owed(books, "Ana", "100.00", DAY - timedelta(1), "before")
    owed(books, "Ana", "80.00", DAY, "on")
    connected(sales, "Ana")

    assert standing(sales, due_from=DAY) == {"before": "due before the cut-off", "on": "to import"}
    plan = sales.import_invoices(due_from=DAY)
    assert [action.worth for action in plan] == [nzd("80.00")]


def test_chosen_invoices_are_imported_and_each_that_cannot_be_is_a_finding(
    sales: Receivables, books: Bookkeeper
) -> None:
    chosen, other = owed(books, "Ana", "100.00", DAY), owed(books, "Ana", "80.00", DAY)
    theirs = owed(books, "Ben", "50.00", DAY)
    paid = owed(books, "Ana", "20.00", DAY)
    books.add_payment(paid.id, account=BANK)
    connected(sales, "Ana")

    plan = sales.import_invoices([chosen.id, theirs.id, paid.id, "no such id"])
    sales.apply(plan)

    assert [each.id for each in sales.transactions()] == [chosen.id]
    assert {finding.about: finding.code for finding in plan.findings} == {
        theirs.id: "customer not connected",
        paid.id: "paid",
        "no such id": "invoice unknown",
    }
    assert plan.tallies["not chosen"] == 1
    assert [row.invoice.invoice_id for row in sales.preview_imports() if row.can_be_chosen] == [other.id]


def test_only_customers_set_to_automatic_are_imported_by_themselves(sales: Receivables, books: Bookkeeper) -> None:
    """R13, R31: due today or later when it was set; what fell due while the product was away is still taken."""
    mine = owed(books, "Ana", "100.00", DAY, "today")
    owed(books, "Ana", "80.00", DAY - timedelta(1), "overdue")
    owed(books, "Ben", "50.00", DAY, "his")
    connected(sales, "Ana", "Ben")
    sales.apply(sales.set_import_policies({"Ana": ImportPolicy.AUTOMATIC, "Ben": "by hand, edits followed"}))

    plan = sales.import_invoices(automatic=True)

    assert [action.host_ref for action in plan] == [mine.id]
    assert plan.tallies == {"to import": 1, "due before automatic import": 1, "not automatic": 1}
    assert plan.findings == ()


def test_an_invoice_that_fell_due_while_the_product_was_away_is_taken_late(
    product: Product, sales: Receivables, books: Bookkeeper
) -> None:
    owed(books, "Ana", "100.00", DAY)
    connected(sales, "Ana")
    sales.apply(sales.set_import_policies({"Ana": ImportPolicy.AUTOMATIC}))
    product.clock.advance(3 * 86400)

    sales.apply(sales.import_invoices(automatic=True))

    assert [each.on for each in sales.transactions()] == [DAY + timedelta(3)]


def test_a_policy_is_set_by_a_plan_and_kept(sales: Receivables, books: Bookkeeper) -> None:
    owed(books, "Ana", "100.00", DAY)
    connected(sales, "Ana")
    plan = sales.set_import_policies({"Ana": ImportPolicy.AUTOMATIC, "nobody": ImportPolicy.AUTOMATIC})
    assert sales.import_policies() == {}

    sales.apply(plan)

    assert sales.import_policies() == {"Ana": ImportPolicy.AUTOMATIC}
    assert [(each.code, each.about) for each in plan.findings] == [("customer not connected", "nobody")]
    assert not sales.set_import_policies({"Ana": ImportPolicy.AUTOMATIC})
    sales.apply(sales.set_import_policies({"Ana": ImportPolicy.BY_HAND}))
    assert not sales.import_invoices(automatic=True)


def test_a_policy_that_there_is_not_is_refused(sales: Receivables) -> None:
    with pytest.raises(InvalidInput, match="policy: give one of"):
        sales.set_import_policies({"Ana": "sometimes"})


def test_days_are_the_calendar_s(product: Product, books: Bookkeeper) -> None:
    calendar = ProcessingCalendar(holidays=[DAY + timedelta(1)], notice=1)
    sales = Receivables(
        product.xero(), imports=ImportSettings(calendar=calendar, comment="{invoice_number} / {due:%d.%m.}")
    )
    owed(books, "Ana", "100.00", DAY - timedelta(3), "late")
    owed(books, "Ana", "80.00", date(2026, 1, 17), "on a Saturday")
    connected(sales, "Ana")

    sales.apply(sales.import_invoices())

    assert {(each.on, each.comment) for each in sales.transactions()} == {
        (date(2026, 1, 7), "late / 02.01."),
        (date(2026, 1, 19), "on a Saturday / 17.01."),
    }


def test_a_transaction_is_named_by_its_invoice_s_number(sales: Receivables, books: Bookkeeper) -> None:
    """R21."""
    owed(books, "Ana", "100.00", DAY, "INV-77")
    connected(sales, "Ana")

    sales.apply(sales.import_invoices())

    assert [each.comment for each in sales.transactions()] == ["Invoice INV-77"]


def test_the_day_of_a_part_paid_invoice_is_read_anew_though_xero_did_not_stamp_it(
    product: Product, sales: Receivables, books: Bookkeeper
) -> None:
    """F 4.23."""
    invoice = owed(books, "Ana", "100.00", DAY)
    books.add_payment(invoice.id, account=BANK, amount=Decimal(30))
    connected(sales, "Ana")
    product.clock.advance(3600)
    owed(books, "Ben", "10.00", DAY)  # the last to be stamped is read again anyhow
    sales.preview_imports()
    product.clock.advance(3600)
    books.edit_invoice(invoice.id, due=DAY + timedelta(10))

    sales.apply(sales.import_invoices())

    assert [(each.due, each.amount) for each in sales.transactions()] == [(DAY + timedelta(10), nzd("70.00"))]


def test_what_is_not_part_paid_is_read_once(product: Product, books: Bookkeeper) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    sales = Receivables(product.xero(transport=Through(product.simulator.transport, before=note)))
    owed(books, "Ana", "100.00", DAY)
    connected(sales, "Ana")
    sales.preview_imports()

    assert [url for url in asked if "IDs=" in url] == []


def test_a_template_that_names_something_else_is_refused() -> None:
    for template in ("{number}", "{0}", "{", "{due:%Q"):
        with pytest.raises(InvalidInput, match="comment"):
            ImportSettings(comment=template)


def changed_customer(invoice: Invoice, terms: ImportTerms) -> Transaction:
    return evolve(map_invoice(invoice, terms), customer="somebody else")


def another_currency(invoice: Invoice, terms: ImportTerms) -> Transaction:
    return evolve(map_invoice(invoice, terms), amount=Money("1.00", "AUD"))


def nothing(invoice: Invoice, terms: ImportTerms) -> Transaction:
    return evolve(map_invoice(invoice, terms), amount=nzd(0))


def none_at_all(invoice: Invoice, terms: ImportTerms) -> None:
    del invoice, terms


def a_text(invoice: Invoice, terms: ImportTerms) -> str:
    return f"{terms.customer} {invoice.invoice_number}"


def bare_amount(invoice: Invoice, terms: ImportTerms) -> Transaction:
    return evolve(map_invoice(invoice, terms), amount="50.00")  # type: ignore[arg-type]


def an_error(invoice: Invoice, terms: ImportTerms) -> Transaction:
    raise ValueError(f"nothing is known of {terms.customer}, who owes {invoice.amount_due}")


def an_error_of_ours(invoice: Invoice, terms: ImportTerms) -> Transaction:
    return evolve(map_invoice(invoice, terms), amount=Money(str(invoice.invoice_number), "NZD"))


@pytest.mark.parametrize(
    ("mapper", "told"),
    [
        (changed_customer, "mapper: leave the invoice, its currency, the customer and the attempt as they are"),
        (another_currency, "mapper: leave the invoice, its currency, the customer and the attempt as they are"),
        (nothing, "mapper: give a positive amount, to the currency's smallest coin, and a day"),
        (none_at_all, "mapper: give a Transaction, not None"),
        (a_text, "mapper: give a Transaction, not a text"),
        (bare_amount, "mapper: amount: give a Money, not a text"),
        (an_error, "mapper: correct it: it raised ValueError"),
        (an_error_of_ours, "mapper: amount: give a decimal number such as '120.00'"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_an_invoice_that_the_mapper_makes_nothing_of_is_a_finding_and_the_others_go_on(
    product: Product, mapper: Callable[[Invoice, ImportTerms], Transaction], told: str
) -> None:
    product.collectable("100.00")
    wrong, right = product.invoice("Ana Costa", "50.00"), product.invoice("Ana Costa", "70.00")

    def chosen(invoice: Invoice, terms: ImportTerms) -> Transaction:
        return mapper(invoice, terms) if invoice.amount_due == 50 else map_invoice(invoice, terms)

    sales = Receivables(product.xero(), imports=ImportSettings(mapper=chosen))
    plan = sales.import_invoices()
    sales.apply(plan)

    (finding,) = plan.findings
    assert (finding.code, finding.about, finding.worth) == ("cannot be mapped", wrong.id, nzd("50.00"))
    assert finding.cause == f"the mapper makes no transaction of it that can be collected: {told}"
    assert right.id in {each.id for each in sales.transactions()}
    assert wrong.id not in {each.id for each in sales.transactions()}
    assert sales.preview_imports().tallies == {"imported before": 2, "cannot be mapped": 1}
    assert [each.code for each in sales.import_invoices([wrong.id]).findings] == ["cannot be mapped"]


def test_a_transaction_that_the_mapper_makes_nothing_of_any_more_is_a_finding(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), imports=ImportSettings(mapper=an_error))
    future = TransactionState(id=invoice.id, status=TransactionStatus.FUTURE, amount=nzd("100.00"), on=DAY)

    for state in (future, evolve(future, status=TransactionStatus.PROCESSED)):
        plan = sales.follow([state])
        assert ("cannot be mapped", invoice.id) in [(each.code, each.about) for each in plan.findings]


def test_the_default_mapper_asks_for_what_is_due() -> None:
    invoice = Invoice(
        invoice_id="i",  # type: ignore[arg-type]
        invoice_number="INV-1",
        total=Decimal(100),
        amount_due=Decimal(70),
        currency_code="NZD",
        due_date=DAY,
    )
    terms = ImportTerms(customer="7", attempt=2, on=date(2026, 1, 6), comment="{invoice_number}")

    made = map_invoice(invoice, terms)

    assert (made.id, made.amount, made.due, made.on) == ("i/2", nzd("70.00"), DAY, date(2026, 1, 6))


def test_today_is_where_money_is_collected(product: Product, books: Bookkeeper) -> None:
    """It is the sixth in Auckland while it is the fifth in London."""
    product.clock.move_to(datetime(2026, 1, 5, 20, tzinfo=UTC))
    calendar = ProcessingCalendar(zone=ZoneInfo("Pacific/Auckland"))
    sales = Receivables(product.xero(), imports=ImportSettings(calendar=calendar))
    owed(books, "Ana", "100.00", DAY)
    connected(sales, "Ana")

    assert [row.transaction.on for row in sales.preview_imports() if row.transaction] == [date(2026, 1, 6)]
