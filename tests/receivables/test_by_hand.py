"""What the user chooses, and what never comes in: the rest of the books stays as it is."""

from __future__ import annotations

from tests.conftest import DAY, Product, nzd

from xerosync import Customer, Receivables, Settlement, SettlementLine


def test_the_user_imports_the_invoices_chosen_and_the_rest_later(product: Product, sales: Receivables) -> None:
    chosen, other = product.invoice("Ana", "100.00", "INV-1"), product.invoice("Ana", "50.00", "INV-2")
    sales.apply(sales.match([Customer(id="7", custom_identifier="Ana")]))
    preview = sales.import_invoices()
    assert {row["amount"] for row in preview.rows()} == {"100.00 NZD", "50.00 NZD"}

    sales.apply(preview.only(lambda action: action.host_ref == chosen.id))
    first = [transaction.id for transaction in sales.transactions()]
    sales.apply(sales.import_invoices())

    assert first == [chosen.id]
    assert {transaction.id for transaction in sales.transactions()} == {chosen.id, other.id}


def test_what_was_declined_is_no_line_and_its_invoice_stays_open(product: Product, sales: Receivables) -> None:
    approved, declined = product.collectable("100.00"), product.collectable("50.00")
    line = SettlementLine(id="L1", transaction=approved.id, amount=nzd("100.00"))

    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line])))

    assert product.books.invoice(approved.id).status == "PAID"
    assert product.books.invoice(declined.id).status == "AUTHORISED"
    assert product.standing(declined.id) == []
