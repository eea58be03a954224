"""Importing sales invoices as requests for payment: only for connected customers, each once (R8, R28)."""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve
from tests.conftest import BANK, Product, nzd

from xerosync import Customer, ImportSettings, ImportTerms, Receivables, Transaction, map_invoice
from xerosync.models import Invoice
from xerosync.simulator import Bookkeeper


def connect(sales: Receivables, *names: str) -> None:
    sales.apply(sales.match([Customer(id=f"c-{name}", custom_identifier=name) for name in names]))


def test_only_invoices_of_connected_customers_are_imported(product: Product, sales: Receivables) -> None:
    mine, theirs = product.invoice("Ana", "100.00", "INV-1"), product.invoice("Ben", "50.00", "INV-2")
    connect(sales, "Ana")

    plan = sales.import_invoices()
    sales.apply(plan)

    (transaction,) = sales.transactions()
    assert (transaction.id, transaction.invoice_id, transaction.invoice_number) == (mine.id, mine.id, "INV-1")
    assert (transaction.customer, transaction.amount) == ("c-Ana", nzd("100.00"))
    assert [(finding.code, finding.about) for finding in plan.findings] == [("customer not connected", theirs.id)]
    assert plan.tallies == {"to import": 1, "customer not connected": 1}


def test_every_reason_to_leave_an_invoice_out_is_counted(
    product: Product, sales: Receivables, books: Bookkeeper
) -> None:
    contact = books.add_contact("Ana")
    amount = Decimal(10)
    books.add_invoice(contact.id, amount=amount, status="DRAFT")
    books.add_invoice(contact.id, amount=amount, status="SUBMITTED")
    books.void_invoice(books.add_invoice(contact.id, amount=amount).id)
    books.add_payment(books.add_invoice(contact.id, amount=amount).id, account=BANK)
    books.add_invoice(contact.id, amount=amount, type="ACCPAY", number="B1")
    product.invoice("Ben", "10.00")
    imported = product.invoice("Ana", "10.00")
    connect(sales, "Ana")
    sales.apply(sales.import_invoices())
    product.invoice("Ana", "20.00")

    plan = sales.import_invoices()

    assert dict(plan.tallies) == {
        "not approved": 2,
        "voided or deleted": 1,
        "paid": 1,
        "customer not connected": 1,
        "imported before": 1,
        "to import": 1,
    }
    assert imported.id in {each.id for each in sales.transactions()}


def test_a_part_paid_invoice_is_imported_for_what_is_still_due(
    product: Product, sales: Receivables, books: Bookkeeper
) -> None:
    invoice = product.invoice("Ana", "100.00")
    books.add_payment(invoice.id, account=BANK, amount=Decimal(30))
    connect(sales, "Ana")

    sales.apply(sales.import_invoices())

    assert [each.amount for each in sales.transactions()] == [nzd("70.00")]


def test_importing_again_plans_nothing_even_when_the_invoice_was_edited(
    product: Product, sales: Receivables, books: Bookkeeper
) -> None:
    invoice = product.invoice("Ana", "100.00")
    connect(sales, "Ana")
    sales.apply(sales.import_invoices())
    books.edit_invoice(invoice.id, amount=Decimal(120))

    plan = sales.import_invoices()

    assert (len(plan), dict(plan.tallies)) == (0, {"imported before": 1})
    assert len(sales.transactions()) == 1


def test_an_invoice_is_imported_once_its_customer_is_connected(product: Product, sales: Receivables) -> None:
    product.invoice("Ana", "100.00")
    assert not sales.import_invoices()

    connect(sales, "Ana")

    assert sales.import_invoices().counts() == {"transaction": 1}


def test_the_host_wraps_the_mapper_and_names_its_transactions_itself(product: Product) -> None:
    product.invoice("Ana", "100.00", "INV-7")

    def own(invoice: Invoice, terms: ImportTerms) -> Transaction:
        return evolve(map_invoice(invoice, terms), id=f"t/{invoice.invoice_number}", comment="by direct debit")

    sales = Receivables(product.xero(), imports=ImportSettings(mapper=own))
    connect(sales, "Ana")

    sales.apply(sales.import_invoices())

    assert [(each.id, each.comment) for each in sales.transactions()] == [("t/INV-7", "by direct debit")]


def test_an_invoice_edited_after_planning_is_left_for_the_next_plan(
    product: Product, sales: Receivables, books: Bookkeeper
) -> None:
    edited, kept = product.invoice("Ana", "100.00"), product.invoice("Ana", "40.00")
    connect(sales, "Ana")
    plan = sales.import_invoices()
    books.edit_invoice(edited.id, amount=Decimal(120))

    report = sales.apply(plan)

    assert [each.id for each in sales.transactions()] == [kept.id]
    assert [(finding.code, finding.about) for finding in report.findings] == [("changed since planned", edited.id)]
    sales.apply(sales.import_invoices())
    assert {each.id: each.amount for each in sales.transactions()}[edited.id] == nzd("120.00")
