"""The verbs that only some resources have: pay, allocate, send, print, find by number; and what is only read."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

import pytest
from attrs import AttrsInstance, evolve
from tests.client.papers import contact, credit, journal, sale
from tests.client.test_resources import Resource
from tests.conftest import BANK, CLEARING, DAY, Product
from tests.engine.test_strange_answers import Altered

from xerosync import Xero
from xerosync.client.resources import Outcome
from xerosync.errors import InvalidInput, NotFound, OutcomeUnknown, Rejected
from xerosync.models import (
    Account,
    AccountCode,
    AccountType,
    BankTransaction,
    BankTransactionType,
    BankTransfer,
    BatchPayment,
    Contact,
    ContactGroup,
    CreditNoteId,
    Currency,
    DocumentStatus,
    Invoice,
    InvoiceId,
    LineItem,
    ManualJournalStatus,
    Payment,
    TrackingCategory,
)
from xerosync.models.base import own_id
from xerosync.ports import Request, Response


def test_payments_are_made_and_taken_back_but_never_changed(product: Product, xero: Xero) -> None:
    """F 6.121, 6.122."""
    owed = product.invoice("Ana", "100.00")

    paid = xero.payments.create_one(
        Payment(
            invoice=Invoice(invoice_id=InvoiceId(owed.id)),
            account=Account(code=AccountCode(BANK)),
            amount=Decimal("40.00"),
            date=DAY,
        )
    )

    assert product.standing(owed.id) == [(Decimal(40), DAY)]
    assert paid.payment_id is not None
    assert xero.payments.get(paid.payment_id).amount == Decimal(40)
    assert xero.payments.delete(paid.payment_id).status == "DELETED"
    assert product.standing(owed.id) == []
    assert not hasattr(xero.payments, "update")


def test_a_batch_pays_several_and_is_taken_back_whole(product: Product, xero: Xero) -> None:
    owed = [product.invoice("Ana", "100.00"), product.invoice("Ana", "50.00")]
    parts = [
        Payment(invoice=Invoice(invoice_id=InvoiceId(each.id)), amount=amount)
        for each, amount in zip(owed, (Decimal(100), Decimal(20)), strict=True)
    ]

    made = xero.batch_payments.create_one(
        BatchPayment(account=Account(code=AccountCode(BANK)), date=DAY, reference="May", payments=tuple(parts))
    )

    assert [product.standing(each.id) for each in owed] == [[(Decimal(100), DAY)], [(Decimal(20), DAY)]]
    assert made.batch_payment_id is not None
    assert xero.batch_payments.get(made.batch_payment_id).total_amount == Decimal(120)
    assert xero.batch_payments.delete(made.batch_payment_id).status == "DELETED"
    assert [product.standing(each.id) for each in owed] == [[], []]


def test_money_is_moved_between_banks_and_back(product: Product, xero: Xero) -> None:
    made = xero.bank_transfers.create(
        [
            BankTransfer(
                from_bank_account=Account(code=AccountCode(BANK)),
                to_bank_account=Account(code=AccountCode(CLEARING)),
                amount=Decimal(amount),
                date=DAY,
            )
            for amount in ("5.00", "-1.00", "7.00")
        ]
    )

    assert [each.outcome for each in made] == [Outcome.CREATED, Outcome.REJECTED, Outcome.CREATED]
    assert product.books.balance(product.books.account(CLEARING).id) == Decimal(12)
    first = made[0].or_raise().bank_transfer_id
    assert first is not None
    assert xero.bank_transfers.get(first).amount == Decimal(5)
    assert xero.bank_transfers.delete(first).status == "DELETED"
    assert product.books.balance(product.books.account(CLEARING).id) == Decimal(7)
    assert len(list(xero.bank_transfers.list())) == 1
    assert len(list(xero.bank_transfers.list(include_deleted=True))) == 2


def test_credit_is_set_against_an_invoice_and_taken_back(product: Product, xero: Xero) -> None:
    owed = product.invoice("Ana", "100.00")
    note = xero.credit_notes.create_one(credit(product))
    assert note.credit_note_id is not None

    allocated = xero.credit_notes.allocate(note.credit_note_id, invoice_id=owed.id, amount=Decimal("4.00"))

    assert (allocated.amount, product.books.invoice(owed.id).credited) == (Decimal(4), Decimal(4))
    (found,) = xero.credit_notes.get(note.credit_note_id).allocations
    assert found.allocation_id is not None
    with pytest.raises(Rejected):
        xero.credit_notes.allocate(note.credit_note_id, invoice_id=owed.id, amount=Decimal("400.00"))
    with pytest.raises(Rejected):
        xero.credit_notes.void(note.credit_note_id)
    xero.credit_notes.delete_allocation(note.credit_note_id, found.allocation_id)
    assert product.books.invoice(owed.id).credited == 0


@pytest.mark.parametrize("kind", ["OVERPAYMENT", "PREPAYMENT"])
def test_money_ahead_is_made_as_a_bank_transaction_and_allocated(product: Product, xero: Xero, kind: str) -> None:
    """F 6.154, 6.155."""
    owed = product.invoice("Ana", "100.00")
    debtors = next(each for each in product.books.accounts if each.system == "DEBTORS")
    into = AccountCode(debtors.code if kind == "OVERPAYMENT" else "200")
    xero.bank_transactions.create_one(
        BankTransaction(
            type=BankTransactionType(f"RECEIVE-{kind}"),
            contact=contact(product),
            line_items=(LineItem(description="Ahead", line_amount=Decimal(30), account_code=into),),
            bank_account=Account(code=AccountCode(BANK)),
            date=DAY,
        )
    )
    ahead = (xero.overpayments, xero.prepayments)[kind == "PREPAYMENT"]
    (held,) = product.books.overpayments or product.books.prepayments

    ahead.allocate(held.id, invoice_id=owed.id, amount=Decimal(30))

    assert product.books.invoice(owed.id).credited == Decimal(30)
    (found,) = ahead.get(held.id).allocations
    assert found.allocation_id is not None
    ahead.delete_allocation(held.id, found.allocation_id)
    assert product.books.invoice(owed.id).credited == 0
    assert len(list(ahead.list())) == 1
    ahead.add_note(held.id, "Asked Ana")
    assert "Asked Ana" in [each.details for each in ahead.history(held.id)]


def test_contacts_are_put_into_groups_and_taken_out(product: Product, xero: Xero) -> None:
    group = xero.contact_groups.create_one(ContactGroup(name="Friends")).contact_group_id
    ids = [product.books.add_contact(f"Contact {place}").id for place in range(60)]
    assert group is not None

    xero.contact_groups.add_contacts(group, ids)
    xero.contact_groups.add_contacts(group, iter(ids[:2]))
    assert product.books.contact_groups[0].contact_ids == tuple(ids)
    assert len(xero.contact_groups.get(group).contacts) == 60

    xero.contact_groups.remove_contact(group, ids[0])
    assert product.books.contact_groups[0].contact_ids == tuple(ids[1:])
    with pytest.raises(NotFound):
        xero.contact_groups.remove_contact(group, ids[0])
    with pytest.raises(Rejected):
        xero.contact_groups.add_contacts(group, [ids[0], "00000000-0000-4000-8000-000000000000"])
    xero.contact_groups.remove_all_contacts(group)
    assert product.books.contact_groups[0].contact_ids == ()


def test_tracking_options_are_added_renamed_archived_and_deleted(product: Product, xero: Xero) -> None:
    own = xero.tracking_categories.create_one(TrackingCategory(name="Region")).tracking_category_id
    assert own is not None

    def options() -> list[tuple[str, str]]:
        return [(each.name, each.status) for each in product.books.tracking_categories[0].options]

    north = xero.tracking_categories.add_option(own, "North").tracking_option_id
    south = xero.tracking_categories.add_option(own, "South").tracking_option_id
    assert north is not None
    assert south is not None
    assert xero.tracking_categories.rename_option(own, north, "Up North").name == "Up North"
    assert xero.tracking_categories.archive_option(own, north).status == "ARCHIVED"
    xero.tracking_categories.delete_option(own, south)
    assert options() == [("Up North", "ARCHIVED"), ("South", "DELETED")]
    with pytest.raises(Rejected):
        xero.tracking_categories.add_option(own, "Up North")

    xero.tracking_categories.delete(own)
    assert [each.status for each in product.books.tracking_categories] == ["DELETED"]


@pytest.mark.parametrize("amount", ['"much"', "[]", "true"])
def test_an_allocation_whose_answer_cannot_be_read_may_have_been_made(product: Product, amount: str) -> None:
    owed = product.invoice("Ana", "100.00")

    def spoilt(request: Request, answer: Response) -> Response:
        body = f'{{"Allocations": [{{"Amount": {amount}}}]}}'.encode()
        return evolve(answer, body=body) if "/Allocations" in request.url else answer

    xero = product.xero(transport=Altered(product.simulator.transport, spoilt))
    note = xero.credit_notes.create_one(credit(product)).credit_note_id

    with pytest.raises(OutcomeUnknown, match="may have been allocated"):
        xero.credit_notes.allocate(str(note), invoice_id=owed.id, amount=Decimal(1))

    assert product.books.invoice(owed.id).credited == 1


def test_a_currency_is_added_for_good(product: Product, xero: Xero) -> None:
    added = xero.currencies.create_one(Currency(code="EUR"))

    assert added.code == "EUR"
    assert "EUR" in {each.code for each in xero.currencies.list()}
    assert not {"get", "update", "delete"} & set(dir(xero.currencies))
    assert product.books.organisation.currencies


def test_an_account_is_brought_back_or_deleted_if_nothing_is_coded_to_it(product: Product, xero: Xero) -> None:
    own = xero.accounts.create_one(
        Account(code=AccountCode("777"), name="Charges", type=AccountType.EXPENSE)
    ).account_id
    assert own is not None

    xero.accounts.archive(own)
    assert xero.accounts.restore(own).status == "ACTIVE"
    xero.accounts.delete(own)
    assert product.books.account("777").status == "DELETED"
    with pytest.raises(Rejected, match="System accounts cannot be deleted"):
        xero.accounts.delete(next(each.id for each in product.books.accounts if each.system == "DEBTORS"))


@pytest.mark.parametrize("resource", ["invoices", "credit_notes", "manual_journals"])
def test_a_draft_is_deleted(product: Product, xero: Xero, resource: str) -> None:
    """What is approved is voided instead (F 6.51)."""
    drafts: dict[str, AttrsInstance] = {
        "invoices": evolve(sale(product), status=DocumentStatus.DRAFT),
        "credit_notes": evolve(credit(product), status=DocumentStatus.DRAFT),
        "manual_journals": evolve(journal(product), status=ManualJournalStatus.DRAFT),
    }
    one = cast(Resource, getattr(xero, resource)).create_one(drafts[resource])
    own = cast(str, getattr(one, own_id(type(one))))

    getattr(xero, resource).delete(own)

    documents = [*product.books.invoices, *product.books.credit_notes]
    statuses = [each.status for each in documents] + [each.status for each in product.books.manual_journals]
    assert statuses == ["DELETED"]


def test_documents_are_found_by_the_number_people_know(product: Product, xero: Xero) -> None:
    """F 6.37, 6.80."""
    ana = product.books.add_contact("Ana", number="C7 & co.")
    owed = product.books.add_invoice(ana.id, number="INV 1+2", amount=Decimal(5))
    order = product.books.add_purchase_order(ana.id, number="PO#3", amount=Decimal(5))

    assert xero.contacts.get_by_number("c7 & co.").contact_id == ana.id
    assert xero.invoices.get_by_number("INV 1+2").invoice_id == owed.id
    assert xero.purchase_orders.get_by_number("PO#3").purchase_order_id == order.id
    assert xero.tax_rates.get("OUTPUT2").name == "15% GST on Income"
    with pytest.raises(NotFound):
        xero.invoices.get_by_number("INV 9")
    for number in ("", "..", "."):
        with pytest.raises(InvalidInput, match="number or code"):
            xero.contacts.get_by_number(number)


@pytest.mark.parametrize("number", ["2026/001", "A\\B", "/", '\u2215/"x'])
def test_a_number_that_no_address_can_hold_is_found_all_the_same(product: Product, xero: Xero, number: str) -> None:
    ana = product.books.add_contact("Ana", number=number)
    product.books.add_contact("Ben", number=f"{number}0")
    owed = product.books.add_invoice(ana.id, number=number, amount=Decimal(5))
    order = product.books.add_purchase_order(ana.id, number=number, amount=Decimal(5))

    assert xero.contacts.get_by_number(number).contact_id == ana.id
    assert xero.invoices.get_by_number(f" {number.lower()}").invoice_id == owed.id
    assert xero.purchase_orders.get_by_number(number).purchase_order_id == order.id
    with pytest.raises(NotFound):
        xero.invoices.get_by_number(f"{number}/9")


def test_an_invoice_is_sent_shown_and_printed(product: Product, xero: Xero) -> None:
    product.books.change_plan("STANDARD")
    owed = xero.invoices.create_one(
        evolve(sale(product), contact=Contact(name="Ben", email_address="ben@example.com"))
    ).invoice_id
    draft = xero.invoices.create_one(
        evolve(sale(product), invoice_number="S-2", status=DocumentStatus.DRAFT)
    ).invoice_id
    assert owed is not None
    assert draft is not None

    xero.invoices.email(owed)

    assert product.books.invoice(owed).sent_to_contact
    assert xero.invoices.online_url(owed).startswith("https://in.xero.com/")
    with pytest.raises(Rejected):
        xero.invoices.email(draft)
    with pytest.raises(Rejected):
        xero.invoices.online_url(draft)
    assert xero.invoices.pdf(owed).startswith(b"%PDF")
    note = xero.credit_notes.create_one(credit(product))
    assert xero.credit_notes.pdf(CreditNoteId(note.credit_note_id or "")).startswith(b"%PDF")


def test_the_organisation_tells_what_its_user_may_do(product: Product, xero: Xero) -> None:
    """F 6.05."""
    allowed = {each.name: each.status for each in xero.actions()}
    assert allowed["CreateApprovedInvoice"] == "ALLOWED"

    product.books.change_plan("STARTER")
    assert {each.name: each.status for each in xero.actions()}["UseMulticurrency"] == "NOT-ALLOWED"


def test_what_can_only_be_read_is_read(product: Product, xero: Xero) -> None:
    user = next(iter(xero.users.list()))
    theme = next(iter(xero.branding_themes.list()))
    owed = product.invoice("Ana", "100.00")

    assert user.user_id is not None
    assert theme.branding_theme_id is not None
    assert xero.users.get(user.user_id) == user
    assert xero.branding_themes.get(theme.branding_theme_id) == theme
    assert xero.reports.aged_receivables_by_contact(owed.contact_id).rows
    assert xero.reports.aged_payables_by_contact(owed.contact_id).report_name
    assert xero.reports.bank_summary().rows
    for resource in (xero.users, xero.branding_themes, xero.overpayments, xero.prepayments):
        assert not {"create", "create_one", "update", "update_one"} & set(dir(resource))


def test_prices_keep_four_places_there_and_back(product: Product, xero: Xero) -> None:
    """F 5.21, 5.22: without ``unitdp=4`` a read and a write of the same would lose cents."""
    (first,) = xero.invoices.create([sale(product)])
    made = first.or_raise()
    assert made.line_items[0].unit_amount == Decimal("10.1234")

    again = xero.invoices.update_one(evolve(xero.invoices.get(str(made.invoice_id)), reference="R-2"))
    assert again.line_items[0].unit_amount == Decimal("10.1234")
    assert xero.invoices.void(str(made.invoice_id)).line_items[0].unit_amount == Decimal("10.1234")
    assert [each.lines[0].unit_amount for each in product.books.invoices] == [Decimal("10.1234")]
