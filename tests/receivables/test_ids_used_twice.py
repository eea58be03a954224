"""Ids that a host uses twice, and events that come twice: said aloud, never money lost or moved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import DAY, Product, nzd

from xerosync import (
    Bill,
    BillPayment,
    Customer,
    ImportSettings,
    LineKind,
    Receivables,
    Sale,
    SaleLine,
    Settlement,
    SettlementLine,
    map_invoice,
)
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode


def collected(line: str, transaction: str, amount: str, on: date = DAY) -> Settlement:
    return Settlement(
        id=f"of {on}", on=on, lines=[SettlementLine(id=line, transaction=transaction, amount=nzd(amount))]
    )


def charged_back(line: str, transaction: str, on: date) -> Settlement:
    back = SettlementLine(id=line, transaction=transaction, amount=nzd("100.00"), kind=LineKind.CHARGED_BACK)
    return Settlement(id=f"back {on}", on=on, lines=[back])


def test_a_charge_back_sent_again_leaves_what_was_collected_anew(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    later = DAY + timedelta(days=37)
    settlements = [
        collected("first", invoice.id, "100.00"),
        charged_back("back", invoice.id, DAY + timedelta(days=30)),
        collected("second", invoice.id, "100.00", later),
    ]
    for _ in range(2):
        sales.apply(sales.settle(settlements))

    assert not sales.settle(settlements)
    assert not sales.settle(settlements[1])
    assert product.standing(invoice.id) == [(Decimal(100), later)]


def test_a_line_collected_anew_on_the_day_of_its_charge_back_stays(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    settlements = [
        collected("first", invoice.id, "100.00"),
        Settlement(
            id="both",
            on=DAY + timedelta(days=30),
            lines=[
                *charged_back("back", invoice.id, DAY).lines,
                *collected("second", invoice.id, "100.00").lines,
            ],
        ),
    ]
    for _ in range(2):
        sales.apply(sales.settle(settlements))

    assert not sales.settle(settlements)
    assert product.standing(invoice.id) == [(Decimal(100), DAY + timedelta(days=30))]


def test_two_charge_backs_of_one_transaction_remove_its_payment_once(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected("first", invoice.id, "100.00")))

    report = sales.apply(
        sales.settle([charged_back(name, invoice.id, DAY + timedelta(days=30)) for name in ("one", "two")])
    )

    assert report.done("removal") == 1
    assert product.standing(invoice.id) == []


@pytest.mark.parametrize(("amount", "on"), [("60.00", DAY), ("40.00", DAY + timedelta(days=1))], ids=["amount", "day"])
def test_a_line_sent_again_with_other_content_is_a_finding(
    product: Product, sales: Receivables, amount: str, on: date
) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected("line", invoice.id, "40.00")))

    plan = sales.settle(collected("line", invoice.id, amount, on))

    assert not plan
    assert [(finding.code, finding.about) for finding in plan.findings] == [("changed since posted", "line")]


def test_a_line_id_used_again_for_another_transaction_is_a_finding(product: Product, sales: Receivables) -> None:
    first, second = product.collectable("100.00"), product.collectable("100.00", "Bo Lind")
    sales.apply(sales.settle(collected("line", first.id, "40.00")))

    plan = sales.settle(collected("line", second.id, "40.00"))

    assert [finding.code for finding in plan.findings] == ["changed since posted"]


def all_named(name: str) -> ImportSettings:
    return ImportSettings(mapper=lambda invoice, terms: evolve(map_invoice(invoice, terms), id=name))


def test_a_transaction_id_given_twice_makes_one_transaction_and_a_finding(product: Product, sales: Receivables) -> None:
    first = product.collectable("10.00")
    product.invoice("Ana Costa", "20.00")

    plan = Receivables(product.xero(), imports=all_named(first.id)).import_invoices()
    sales.apply(plan)

    assert [finding.code for finding in plan.findings] == ["transaction id taken"]
    assert [(each.id, each.invoice_id) for each in sales.transactions()] == [(first.id, first.id)]


def test_a_transaction_id_given_to_two_invoices_at_once_is_a_finding(product: Product, sales: Receivables) -> None:
    product.invoice("Ana Costa", "10.00")
    product.invoice("Ana Costa", "20.00")
    sales.apply(sales.match([Customer(id="c", custom_identifier="Ana Costa")]))

    plan = Receivables(product.xero(), imports=all_named("same")).import_invoices()

    assert plan.tallies == {"to import": 1, "transaction id taken": 1}


def test_two_customers_with_one_custom_identifier_are_both_ambiguous(product: Product, sales: Receivables) -> None:
    """Of whom should the contact's invoices be collected?"""
    product.invoice("Ana Costa", "10.00")

    plan = sales.match([Customer(id=name, custom_identifier="Ana Costa") for name in ("one", "two")])

    assert not plan
    assert [(finding.code, finding.about) for finding in plan.findings] == [("ambiguous", "one"), ("ambiguous", "two")]
    assert {(finding.fix, finding.who) for finding in plan.findings} == {
        ("give each customer a custom identifier of its own, or choose whose contact it is with link()", "you")
    }


def test_a_contact_connected_before_is_no_other_customers(product: Product, sales: Receivables) -> None:
    product.invoice("Ana Costa", "10.00")
    sales.apply(sales.match([Customer(id="one", custom_identifier="Ana Costa")]))

    plan = sales.match([Customer(id="two", custom_identifier="Ana Costa")])

    assert [(finding.code, finding.about) for finding in plan.findings] == [("contact already taken", "two")]
    assert not plan


def test_a_moment_is_no_day_since_it_is_another_day_elsewhere() -> None:
    for moment in (datetime(2026, 1, 5, 0, 30, tzinfo=UTC), datetime(2026, 1, 5)):  # noqa: DTZ001 - a naive one too
        with pytest.raises(InvalidInput, match="on: give a date"):
            Settlement(id="S", on=moment, lines=())
        with pytest.raises(InvalidInput, match="on: give a date"):
            BillPayment(id="p", bill_id="b", on=moment)
        with pytest.raises(InvalidInput, match="due: give a date"):
            Bill(id="b", vendor="V", number="1", on=DAY, due=moment, lines=())


def sale(name: str, transaction: str = "", amount: str = "50.00") -> Sale:
    line = SaleLine(description="Dues", amount=nzd(amount), account=AccountCode("200"))
    return Sale(id=name, customer="Ana", on=DAY, lines=[line], transaction=transaction)


@pytest.mark.parametrize("named", ["id", "transaction"])
def test_a_sale_that_would_be_settled_as_an_imported_transaction_is_a_finding(
    product: Product, sales: Receivables, named: str
) -> None:
    """Money collected for one of them would pay the other."""
    imported = product.collectable("100.00")
    both = len(product.books.invoices)

    plan = sales.submit([sale(imported.id) if named == "id" else sale("s1", imported.id)])

    assert not plan
    assert [each.code for each in plan.findings] == ["transaction id taken"]
    assert len(product.books.invoices) == both


def test_two_sales_that_would_be_settled_as_one_transaction_are_told(product: Product, sales: Receivables) -> None:
    product.collectable("100.00")
    together = sales.submit([sale("s1", "t"), sale("s2", "t")])
    sales.apply(together)
    later = sales.submit([sale("s1", "t"), sale("s2", "t"), sale("t")])

    assert [(each.code, each.about) for each in together.findings] == [("transaction id taken", "s2")]
    assert [(each.code, each.about) for each in later.findings] == [
        ("transaction id taken", "s2"),
        ("transaction id taken", "t"),
    ]
    assert (together.counts(), len(later)) == ({"sale": 1}, 0)
    sales.apply(sales.settle(collected("L1", "t", "50.00")))
    assert [each.code for each in sales.submit([sale("s1", "t")]).findings] == []


def test_a_sale_does_not_take_another_ones_transaction_by_an_update(product: Product, sales: Receivables) -> None:
    imported = product.collectable("100.00")
    sales.apply(sales.submit([sale("s1")]))

    plan = sales.update([sale("s1", imported.id, "60.00")])

    assert not plan
    assert [(each.code, each.about) for each in plan.findings] == [("transaction id taken", "s1")]
    assert sales.update([sale("s1", "", "60.00")]).counts() == {"sale_edit": 1}


def test_a_credit_note_may_be_called_as_a_transaction_is(product: Product, sales: Receivables) -> None:
    imported = product.collectable("100.00")

    assert sales.submit([sale(imported.id, "", "-5.00")]).counts() == {"sale_credit": 1}
