"""Billable expenses through the typed client (F 6.174)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import Product

from xerosync import Xero
from xerosync.client.resources import Outcome
from xerosync.errors import InvalidInput, NotFound, Rejected
from xerosync.models import ContactId, LineItemId, LinkedTransaction, LinkedTransactionStatus
from xerosync.simulator.entities import Document
from xerosync.simulator.given import Json


def bill(product: Product, lines: int = 2, vendor: str = "Timber") -> Document:
    of = product.books.add_contact(vendor)
    rows: list[dict[str, Json]] = [
        {"Description": str(each), "Quantity": 1, "UnitAmount": 10, "AccountCode": "429"} for each in range(lines)
    ]
    return product.books.add_invoice(of.id, type="ACCPAY", lines=rows)


def expense(of: Document, line: int = 0, contact_id: str | None = None) -> LinkedTransaction:
    return LinkedTransaction(
        source_transaction_id=of.id,
        source_line_item_id=LineItemId(of.lines[line].id),
        contact_id=ContactId(contact_id) if contact_id else None,
    )


def test_an_expense_is_created_read_given_to_another_customer_and_deleted(product: Product, xero: Xero) -> None:
    wood, ana, ben = bill(product), product.books.add_contact("Ana").id, product.books.add_contact("Ben").id

    made = xero.linked_transactions.create_one(expense(wood, contact_id=ana))

    own = str(made.linked_transaction_id)
    assert (made.status, made.type, made.source_transaction_type_code) == ("APPROVED", "BILLABLEEXPENSE", "ACCPAY")
    read = xero.linked_transactions.get(own)
    assert (read.contact_id, read.source_line_item_id) == (ana, wood.lines[0].id)
    assert xero.linked_transactions.update_one(evolve(read, contact_id=ContactId(ben))).contact_id == ben
    assert xero.linked_transactions.update([read], known=[read])[0].outcome is Outcome.UNCHANGED
    assert [each.contact_id for each in product.books.linked_transactions] == [ben]
    xero.linked_transactions.delete(own)
    assert product.books.linked_transactions == ()
    with pytest.raises(NotFound):
        xero.linked_transactions.get(own)


def test_the_list_is_chosen_from_and_whole_over_its_pages(product: Product, xero: Xero) -> None:
    ana, wood, steel = product.books.add_contact("Ana").id, bill(product, 1), bill(product, 130, "Steel")
    mine = xero.linked_transactions.create_one(expense(wood, contact_id=ana)).linked_transaction_id
    for line in steel.lines:
        product.books.link_expense(steel.id, line_id=line.id)

    listed = xero.linked_transactions.list

    assert len(list(listed())) == 131
    assert len(list(listed(source_transaction_id=steel.id))) == 130
    assert [each.linked_transaction_id for each in listed(contact_id=ana)] == [mine]
    assert [each.linked_transaction_id for each in listed(source_transaction_id=wood.id)] == [mine]
    assert list(listed(contact_id=ana, status=LinkedTransactionStatus.BILLED)) == []
    sale = product.books.add_invoice(ana, amount=Decimal(5))
    product.books.bill_expense(str(mine), sale_id=sale.id)
    assert [each.status for each in listed(target_transaction_id=sale.id)] == ["BILLED"]
    with pytest.raises(InvalidInput, match="UUID"):
        listed(contact_id="Ana")


def test_what_xero_refuses_says_why(product: Product, xero: Xero) -> None:
    wood, steel = bill(product), bill(product, vendor="Steel")
    with pytest.raises(Rejected, match="The SourceLineItemID and SourceTransactionID do not match"):
        xero.linked_transactions.create_one(evolve(expense(wood), source_transaction_id=steel.id))

    ana, ben = product.books.add_contact("Ana").id, product.books.add_contact("Ben").id
    made = xero.linked_transactions.create_one(expense(wood, contact_id=ana))
    sale = product.books.add_invoice(ben, amount=Decimal(5))
    line = LineItemId(sale.lines[0].id)
    with pytest.raises(Rejected, match="The ContactID and the TargetTransaction ContactID do not match"):
        xero.linked_transactions.update_one(evolve(made, target_transaction_id=sale.id, target_line_item_id=line))

    own = product.books.add_invoice(ana, amount=Decimal(5))
    product.books.bill_expense(str(made.linked_transaction_id), sale_id=own.id)
    with pytest.raises(Rejected):
        xero.linked_transactions.delete(str(made.linked_transaction_id))
    assert [each.target_id for each in product.books.linked_transactions] == [own.id]
