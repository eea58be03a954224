"""Filters: what they choose, what Xero is told of them, and that nobody's text can say more than it should."""

from __future__ import annotations

import datetime
from datetime import UTC, date
from decimal import Decimal
from typing import Final

import attrs
import pytest
from attrs import AttrsInstance
from tests.client.all_fields import COLUMNS
from tests.conftest import BANK, DAY, Product, Through

from xerosync import Xero, filters
from xerosync.client._wire.where import LONGEST, where_text
from xerosync.errors import InvalidInput
from xerosync.filters import Filter
from xerosync.filters.expressions import Column, Kind
from xerosync.models import (
    AccountId,
    AccountType,
    ContactId,
    DocumentStatus,
    Invoice,
    InvoiceId,
    InvoiceType,
    PaymentStatus,
)
from xerosync.ports import Request

INVOICE: Final = filters.invoice
CONTACT: Final = filters.contact
PAYMENT: Final = filters.payment
NOON: Final = datetime.datetime(2026, 1, 5, 12, tzinfo=UTC)
AN_ID: Final = "6811641c-0a1b-4c2d-8e3f-0123456789ab"

# Names as people, and people who mean harm, give them; no < or >, which Xero refuses, and no blanks at the ends.
NAMES: Final = [
    "Ana", "ANA", "ana costa", "Café Zoë", "cafe zoe", 'The "Best" Ltd', "O'Neil & Sons #1 + 2 = 3%", "back\\slash",
    '" OR Name!="', 'x") OR (1==1', "ΑΣ", "ασ", "ß", "SS", "İx", "K", "k", "null", "Guid(", "日本", "Ze\u0301 Ltd",
]  # fmt: skip


def asked(where: Filter[Invoice]) -> str:
    return where_text(where)


# What Xero is told


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (INVOICE.type == InvoiceType.ACCPAY, 'Type=="ACCPAY"'),
        (INVOICE.status != DocumentStatus.DELETED, 'Status!="DELETED"'),
        (INVOICE.amount_due > 0, "AmountDue>0"),
        (INVOICE.total >= Decimal("-12.50"), "Total>=-12.50"),
        (~(INVOICE.total >= 7), "Total<7"),
        (INVOICE.date == DAY, "(Date>=DateTime(2026, 1, 5) AND Date<DateTime(2026, 1, 6))"),
        (INVOICE.due_date <= DAY, "DueDate<DateTime(2026, 1, 6)"),
        (INVOICE.updated_date_utc > NOON, "UpdatedDateUTC>=DateTime(2026, 1, 5, 12, 0, 0)"),
        (INVOICE.contact.contact_id == ContactId(AN_ID.upper()), f'Contact.ContactID==Guid("{AN_ID}")'),
        (INVOICE.reference == "A&B", 'Reference=="A&B"'),
        (INVOICE.reference.is_blank(), '(Reference==null OR Reference=="")'),
        (~INVOICE.reference.is_blank(), "Reference!=null"),
        (INVOICE.reference.starts_with("PO-"), '(Reference!=null AND Reference.StartsWith("PO-"))'),
        (INVOICE.sent_to_contact, "SentToContact==true"),
        (
            (INVOICE.type == InvoiceType.ACCREC) & ((INVOICE.total > 5) | (INVOICE.reference == "x")),
            'Type=="ACCREC" AND (Total>5 OR Reference=="x")',
        ),
    ],
    ids=str,
)
def test_xero_is_told_in_its_own_words(where: Filter[Invoice], said: str) -> None:
    """F 4.44, 4.46."""
    assert asked(where) == said


@pytest.mark.parametrize(
    ("where", "said"),
    [
        # Quotes cannot be written (F 4.47): what stands between them still narrows the list.
        (INVOICE.contact.name == 'The "Best" Ltd', '(Contact.Name!=null AND Contact.Name.Contains("Best"))'),
        (INVOICE.reference == '"', ""),
        (INVOICE.reference == "a\x00b", '(Reference!=null AND Reference.Contains("a"))'),
        # Xero takes for equal what is not, so that "not equal" would leave out too much (F 4.45).
        (INVOICE.reference != "x", ""),
        (~INVOICE.reference.contains("x"), ""),
        # Where the date may be missing, "not before" is more than "from".
        (~(INVOICE.due_date < DAY), ""),
        (INVOICE.has_attachments, ""),
        (~INVOICE.sent_to_contact, ""),
        (INVOICE.total > Decimal("1E+30"), ""),
        (INVOICE.date > date(1, 1, 1), ""),
        # A part that cannot be said falls away by itself from an "and", and takes an "or" with it.
        ((INVOICE.reference != "x") & (INVOICE.total > 5), "Total>5"),
        ((INVOICE.reference != "x") | (INVOICE.total > 5), ""),
        (~((INVOICE.reference == "x") & (INVOICE.total > 5)), ""),
        (~((INVOICE.reference != "x") | (INVOICE.total > 5)), '(Reference=="x" AND Total<=5)'),
        (INVOICE.reference.is_in("x" * 100 for _ in range(99)), ""),
    ],
    ids=str,
)
def test_what_xero_cannot_express_is_left_out(where: Filter[Invoice], said: str) -> None:
    assert asked(where) == said


def test_what_is_sent_is_never_longer_than_an_address_may_be() -> None:
    many = INVOICE.invoice_id.is_in(InvoiceId(AN_ID) for _ in range(500))

    assert asked(many) == ""
    assert asked(many & (INVOICE.total > 5)) == "Total>5"
    assert where_text(INVOICE.reference == "x" * 100, room=90) == ""
    assert LONGEST < 2000


# What a filter chooses


def listed(xero: Xero, where: Filter[Invoice]) -> list[str]:
    return sorted(each.invoice_number or "" for each in xero.invoices.list(where=where))


def test_a_name_with_a_quote_finds_its_contact_alone(product: Product, xero: Xero) -> None:
    for name in ('The "Best" Ltd', "The Best Ltd", 'the "best" ltd (old)'):
        product.books.add_contact(name)

    assert [each.name for each in xero.contacts.list(where=CONTACT.name == 'The "Best" Ltd')] == ['The "Best" Ltd']


def test_letter_case_counts_unless_told_otherwise(product: Product, xero: Xero) -> None:
    """F 8.15: Xero takes both for equal."""
    product.books.add_contact("Acme")
    lower = CONTACT.name == "acme"
    either = CONTACT.name.ignoring_case == "acme"

    assert list(xero.contacts.list(where=lower)) == []
    assert [each.name for each in xero.contacts.list(where=either)] == ["Acme"]
    assert [each.name for each in xero.contacts.list(where=CONTACT.name != "acme")] == ["Acme"]


def test_what_is_left_out_at_xero_is_looked_at_here(product: Product, xero: Xero) -> None:
    product.invoice("Ana", "10.00", "A")
    product.invoice("Ben", "20.00", "B")
    product.books.add_payment(product.invoice("Ana", "30.00", "C").id, account=BANK)

    assert listed(xero, (INVOICE.contact.name != "Ben") & (INVOICE.total > 5)) == ["A", "C"]
    assert listed(xero, INVOICE.fully_paid_on_date.is_blank()) == ["A", "B"]
    assert listed(xero, ~(INVOICE.status == DocumentStatus.PAID) & ~INVOICE.contact.name.contains("e")) == ["A"]


def test_payments_of_some_documents_are_found_by_their_ids(product: Product, xero: Xero) -> None:
    one, two, other = (product.invoice("Ana", "10.00") for _ in range(3))
    for each in (one, two, other):
        product.books.add_payment(each.id, account=BANK, amount=Decimal(4))

    of = PAYMENT.invoice.invoice_id.is_in([InvoiceId(one.id), InvoiceId(two.id)])
    found = list(xero.payments.list(where=of & (PAYMENT.status == PaymentStatus.AUTHORISED)))

    assert sorted(each.invoice.invoice_id or "" for each in found if each.invoice) == sorted([one.id, two.id])
    bank = AccountId(product.books.account(BANK).id)
    assert len(list(xero.payments.list(where=PAYMENT.account.account_id == bank))) == 3


def test_an_empty_choice_lists_nothing_and_asks_nothing(product: Product) -> None:
    requests: list[Request] = []
    xero = product.xero(transport=Through(product.simulator.transport, before=requests.append))
    before = len(requests)

    assert list(xero.invoices.list(where=INVOICE.invoice_id.is_in([]) & (INVOICE.total > 5))) == []
    assert list(xero.accounts.list(where=filters.account.code.is_in([]))) == []

    assert len(requests) == before


def test_resources_without_a_filter_at_xero_are_chosen_from_here(xero: Xero) -> None:
    """F 4.34, 4.35."""
    bank = filters.account.type == AccountType.BANK

    assert {each.code for each in xero.accounts.list(where=bank)} >= {BANK}
    assert list(xero.purchase_orders.list(where=filters.purchase_order.total > 5)) == []
    assert list(xero.quotes.list(where=filters.quote.title == "x")) == []
    assert list(xero.branding_themes.list(where=filters.branding_theme.name == "x")) == []


# What is refused


def test_the_type_checker_and_the_library_refuse_what_does_not_compare(xero: Xero) -> None:
    """Each ignored error is one that mypy reports: an ignore too many would fail the check of types."""
    with pytest.raises(InvalidInput, match="total: compare it with a Decimal"):
        xero.invoices.list(where=INVOICE.total == 1.5)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="total"):
        INVOICE.total > 1.5  # type: ignore[operator]  # noqa: B015
    with pytest.raises(InvalidInput, match="total"):
        INVOICE.total < "7"  # type: ignore[operator]  # noqa: B015
    with pytest.raises(InvalidInput, match="total"):
        INVOICE.total.is_in([Decimal("NaN")])
    with pytest.raises(InvalidInput, match="total"):
        xero.invoices.list(where=INVOICE.total == True)  # noqa: E712
    with pytest.raises(InvalidInput, match=r"contact\.name: compare it with a text"):
        INVOICE.contact.name.contains(7)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="at least one character"):
        INVOICE.contact.name.contains("")
    with pytest.raises(InvalidInput, match="date: compare it with a date"):
        INVOICE.date >= NOON  # noqa: B015
    with pytest.raises(InvalidInput, match="aware datetime"):
        INVOICE.updated_date_utc >= datetime.datetime(2026, 1, 5)  # noqa: B015, DTZ001
    with pytest.raises(InvalidInput, match="UUID"):
        xero.invoices.list(where=INVOICE.invoice_id == "INV-1")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="DocumentStatus"):
        xero.invoices.list(where=INVOICE.status == 7)  # type: ignore[arg-type]


def test_ids_are_told_apart_by_type(xero: Xero) -> None:
    of_contact = ContactId(AN_ID)

    assert list(xero.invoices.list(where=INVOICE.invoice_id == of_contact)) == []  # type: ignore[arg-type]


def test_a_filter_is_no_truth_and_no_text(xero: Xero) -> None:
    with pytest.raises(InvalidInput, match=r"& and \|"):
        assert (INVOICE.total > 5) and (INVOICE.total < 7)  # noqa: PT018
    with pytest.raises(InvalidInput, match=r"& and \|"):
        assert 5 < INVOICE.total < 7
    with pytest.raises(InvalidInput, match="parentheses"):
        (INVOICE.total > 5) & True  # type: ignore[operator]
    with pytest.raises(InvalidInput, match=r"filter made of xerosync\.filters"):
        list(xero.invoices.list(where='Type=="ACCPAY"'))  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="about Contact, not Invoice"):
        list(xero.invoices.list(where=CONTACT.name == "Ana"))  # type: ignore[arg-type]


def test_a_filter_shows_its_fields_and_never_what_they_are_compared_with() -> None:
    where = (INVOICE.contact.name == "Ana Costa") & (INVOICE.total > 12345)

    assert repr(where) == "<Filter on contact.name, total>"
    assert repr(INVOICE.contact.name) == "<Text contact.name>"


# Every field


_TYPES: Final = {
    Kind.AMOUNT: "Decimal", Kind.DAY: "date", Kind.INSTANT: "datetime.datetime", Kind.FLAG: "bool",
}  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{column.model.__name__}.{'.'.join(column.path)}")
def test_each_field_is_one_of_its_model_and_of_its_kind(column: Column) -> None:
    kind: type[AttrsInstance] = column.model
    for name in column.path[:-1]:
        inner = attrs.fields_dict(attrs.resolve_types(kind))[name].type
        kind = next(each for each in getattr(inner, "__args__", ()) if attrs.has(each))
    typed = str(attrs.fields_dict(attrs.resolve_types(kind))[column.path[-1]].type)

    expected = _TYPES.get(column.kind, {Kind.ID: "Id", Kind.WORD: "models.words", Kind.TEXT: ""}.get(column.kind, ""))
    assert expected in typed, typed
    assert (column.kind is Kind.TEXT) == (not any(word in typed for word in ("Decimal", "date", "bool", "Id", "words")))
