"""Every resource from creation to its end: what is written stands in the books, and is read again from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Protocol, cast

import pytest
from attrs import AttrsInstance, evolve, frozen
from tests.client.papers import contact, credit, journal, line, sale, spent
from tests.conftest import DAY, Product, Through

from xerosync import Xero
from xerosync.client.resources import Outcome, Written
from xerosync.errors import InvalidInput
from xerosync.models import (
    Account,
    AccountCode,
    AccountType,
    Contact,
    ContactGroup,
    Item,
    ItemDetails,
    PurchaseOrder,
    PurchaseOrderStatus,
    Quote,
    QuoteStatus,
    Shape,
    TaxComponent,
    TaxRate,
    TrackingCategory,
    TrackingOption,
)
from xerosync.models.base import own_id
from xerosync.ports import Request
from xerosync.simulator import Bookkeeper


class Resource(Protocol):
    """What every resource that can be changed has."""

    def get(self, document_id: str) -> AttrsInstance: ...
    def create(self, documents: list[AttrsInstance]) -> list[Written[AttrsInstance]]: ...
    def create_one(self, document: AttrsInstance) -> AttrsInstance: ...
    def update(self, documents: list[AttrsInstance], *, known: list[AttrsInstance]) -> list[Written[AttrsInstance]]: ...
    def update_one(self, document: AttrsInstance) -> AttrsInstance: ...
    def list(self) -> Iterator[AttrsInstance]: ...


@frozen
class Life:
    """
    The life of one document: how it is *made*, how it is *changed*, how it is *ended*, and what *stands* in the books
    *after* each.
    """

    resource: str
    made: Callable[[Product], AttrsInstance]
    changed: dict[str, object]
    ended: Callable[[Xero, str], object]
    stands: Callable[[Bookkeeper], list[tuple[object, ...]]]
    after: tuple[tuple[object, ...], ...]
    identified_by: str = ""

    def of(self, xero: Xero) -> Resource:
        return cast(Resource, getattr(xero, self.resource))

    def name(self, document: AttrsInstance) -> str:
        return cast(str, getattr(document, self.identified_by or own_id(type(document))))

    def in_books(self, books: Bookkeeper) -> list[tuple[object, ...]]:
        """What stands there of this life: the founder's own rows are left out."""
        firsts = {row[0] for row in self.after if row}
        return [row for row in self.stands(books) if row[0] in firsts]


LIVES = [
    Life(
        "accounts",
        lambda _: Account(code=AccountCode("777"), name="Charges", type=AccountType.EXPENSE),
        {"name": "Bank charges"},
        lambda xero, own: xero.accounts.archive(own),
        lambda books: [(each.code, each.name, each.status) for each in books.accounts],
        (("777", "Charges", "ACTIVE"), ("777", "Bank charges", "ACTIVE"), ("777", "Bank charges", "ARCHIVED")),
    ),
    Life(
        "contacts",
        lambda _: Contact(name="Ana", email_address="ana@example.com"),
        {"email_address": "ana@example.net"},
        lambda xero, own: xero.contacts.archive(own),
        lambda books: [(each.name, each.email, each.status) for each in books.contacts],
        (
            ("Ana", "ana@example.com", "ACTIVE"),
            ("Ana", "ana@example.net", "ACTIVE"),
            ("Ana", "ana@example.net", "ARCHIVED"),
        ),
    ),
    Life(
        "contact_groups",
        lambda _: ContactGroup(name="Friends"),
        {"name": "Family"},
        lambda xero, own: xero.contact_groups.delete(own),
        lambda books: [(each.name, each.status) for each in books.contact_groups],
        (("Friends", "ACTIVE"), ("Family", "ACTIVE"), ("Family", "DELETED")),
    ),
    Life(
        "invoices",
        sale,
        {"reference": "R-2"},
        lambda xero, own: xero.invoices.void(own),
        lambda books: [(each.number, each.reference, each.status, each.total) for each in books.invoices],
        (
            ("S-1", "", "AUTHORISED", Decimal("11.64")),
            ("S-1", "R-2", "AUTHORISED", Decimal("11.64")),
            ("S-1", "R-2", "VOIDED", Decimal("11.64")),
        ),
    ),
    Life(
        "credit_notes",
        credit,
        {"reference": "R-2"},
        lambda xero, own: xero.credit_notes.void(own),
        lambda books: [(each.number, each.reference, each.status) for each in books.credit_notes],
        (("C-1", "", "AUTHORISED"), ("C-1", "R-2", "AUTHORISED"), ("C-1", "R-2", "VOIDED")),
    ),
    Life(
        "bank_transactions",
        spent,
        {"reference": "R-2"},
        lambda xero, own: xero.bank_transactions.delete(own),
        lambda books: [(each.reference, each.total, each.status) for each in books.bank_transactions],
        (
            ("R-1", Decimal("11.50"), "AUTHORISED"),
            ("R-2", Decimal("11.50"), "AUTHORISED"),
            ("R-2", Decimal("11.50"), "DELETED"),
        ),
    ),
    Life(
        "manual_journals",
        journal,
        {"narration": "Deferral"},
        lambda xero, own: xero.manual_journals.void(own),
        lambda books: [(each.narration, each.status) for each in books.manual_journals],
        (("Accrual", "POSTED"), ("Deferral", "POSTED"), ("Deferral", "VOIDED")),
    ),
    Life(
        "tax_rates",
        lambda _: TaxRate(
            name="Levy", report_tax_type="OUTPUT", tax_components=(TaxComponent(name="L", rate=Decimal("2.5")),)
        ),
        {"name": "Duty"},
        lambda xero, own: xero.tax_rates.delete(own),
        lambda books: [(each.id, each.name, each.rate, each.status) for each in books.tax_rates],
        (
            ("TAX001", "Levy", Decimal("2.5"), "ACTIVE"),
            ("TAX001", "Duty", Decimal("2.5"), "ACTIVE"),
            ("TAX001", "Duty", Decimal("2.5"), "DELETED"),
        ),
        identified_by="tax_type",
    ),
    Life(
        "items",
        lambda _: Item(code="CUP", name="Cup", sales_details=ItemDetails(unit_price=Decimal("4.1234"))),
        {"name": "Mug"},
        lambda xero, own: xero.items.delete(own),
        lambda books: [(each.code, each.name, each.sold.price) for each in books.items],
        (("CUP", "Cup", Decimal("4.1234")), ("CUP", "Mug", Decimal("4.1234")), ()),
    ),
    Life(
        "tracking_categories",
        lambda _: TrackingCategory(name="Region", options=(TrackingOption(name="North"),)),
        {"name": "Area", "options": ()},
        lambda xero, own: xero.tracking_categories.archive(own),
        lambda books: [
            (each.name, each.status, [option.name for option in each.options]) for each in books.tracking_categories
        ],
        (("Region", "ACTIVE", ["North"]), ("Area", "ACTIVE", ["North"]), ("Area", "ARCHIVED", ["North"])),
    ),
    Life(
        "purchase_orders",
        lambda product: PurchaseOrder(
            contact=contact(product),
            line_items=(line(),),
            date=DAY,
            purchase_order_number="PO-1",
            status=PurchaseOrderStatus.AUTHORISED,
        ),
        {"reference": "R-2"},
        lambda xero, own: xero.purchase_orders.delete(own),
        lambda books: [(each.number, each.reference, each.status) for each in books.purchase_orders],
        (("PO-1", "", "AUTHORISED"), ("PO-1", "R-2", "AUTHORISED"), ("PO-1", "R-2", "DELETED")),
    ),
    Life(
        "quotes",
        lambda product: Quote(
            contact=contact(product), line_items=(line(),), date=DAY, quote_number="Q-1", status=QuoteStatus.DRAFT
        ),
        {"title": "Garden"},
        lambda xero, own: xero.quotes.delete(own),
        lambda books: [(each.number, each.title, each.status) for each in books.quotes],
        (("Q-1", "", "DRAFT"), ("Q-1", "Garden", "DRAFT"), ("Q-1", "Garden", "DELETED")),
    ),
]
EACH_LIFE = pytest.mark.parametrize("life", LIVES, ids=lambda life: life.resource)


@EACH_LIFE
def test_a_document_is_created_read_changed_and_ended(product: Product, xero: Xero, life: Life) -> None:
    resource = life.of(xero)
    created, changed, ended = life.after

    made = resource.create_one(life.made(product))
    assert life.in_books(product.books) == [created]
    assert getattr(made, "shape", Shape.REPLY) is Shape.REPLY
    own = life.name(made)
    assert [life.name(each) for each in resource.list() if life.name(each) == own] == [own]

    # As a caller does: what was read in full is changed in one place and written back.
    read = resource.get(own)
    resource.update_one(evolve(read, **life.changed))  # type: ignore[misc]
    assert life.in_books(product.books) == [changed]

    life.ended(xero, own)
    assert life.in_books(product.books) == [ended] * bool(ended)


@EACH_LIFE
def test_what_says_nothing_new_is_not_sent(product: Product, xero: Xero, life: Life) -> None:
    resource = life.of(xero)
    own = life.name(resource.create_one(life.made(product)))
    read = resource.get(own)
    sent: list[Request] = []
    watched = life.of(product.xero(transport=Through(product.simulator.transport, before=sent.append)))
    sent.clear()

    (written,) = watched.update([read], known=[read])

    assert (written.outcome, written.document, written.messages) == (Outcome.UNCHANGED, read, ())
    assert written.or_raise() is read
    assert sent == []


@EACH_LIFE
def test_a_copy_of_what_is_in_xero_is_not_created_again(product: Product, xero: Xero, life: Life) -> None:
    """Else an update that should have been would be a second document."""
    resource = life.of(xero)
    made = resource.create_one(life.made(product))
    before = life.in_books(product.books)

    if life.identified_by:
        assert resource.create([made])[0].outcome is Outcome.REJECTED
    else:
        with pytest.raises(InvalidInput, match="update it, or leave the id out"):
            resource.create([made])

    assert life.in_books(product.books) == before


def test_a_change_of_a_document_without_its_id_is_refused(xero: Xero) -> None:
    with pytest.raises(InvalidInput) as refused:
        xero.contacts.update([Contact(name="Ana")])
    assert refused.value.field == "documents[0].contact_id"

    with pytest.raises(InvalidInput) as refused:
        xero.tax_rates.update_one(TaxRate(name="Levy"))
    assert refused.value.field == "documents[0].tax_type"
