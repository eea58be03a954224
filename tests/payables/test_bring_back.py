"""Bills entered in Xero reach the host and are paid from there; what people do to any bill is told once (G20)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, Through, nzd

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    BillSettings,
    Duplicates,
    LinkBill,
    Payables,
    UpdateBill,
    WhenLocked,
)
from xerosync.models import AccountCode, LineAmountTypes
from xerosync.ports import Request
from xerosync.simulator import Document


def bill(bill_id: str, amount: str = "30.00", vendor: str = "Paper Ltd") -> Bill:
    line = BillLine(description="paper", amount=nzd(amount), account=AccountCode("429"))
    return Bill(id=bill_id, vendor=vendor, number=bill_id, on=DAY, lines=[line])


def typed(product: Product, amount: str = "100.00", *, number: str = "T-1", vendor: str = "Typed Ltd") -> Document:
    found = [each.id for each in product.books.contacts if each.name == vendor]
    contact = found[0] if found else product.books.add_contact(vendor).id
    return product.books.add_invoice(contact, type="ACCPAY", number=number, amount=Decimal(amount), date=DAY, due=DAY)


def told(purchases: Payables) -> list[UpdateBill]:
    """What the host is told, and takes."""
    plan = purchases.follow_bills()
    purchases.apply(plan)
    assert not purchases.follow_bills()
    return plan.of(UpdateBill)


def test_an_open_bill_entered_in_xero_is_paid_from_the_host(product: Product, purchases: Payables) -> None:
    entered = typed(product)

    plan = purchases.bring_back(bill_id=lambda found: f"x/{found.number}", lines=True)
    purchases.apply(plan)

    (action,) = plan.of(LinkBill)
    found = action.bill
    assert (action.host_ref, action.linked_id, action.worth) == ("x/T-1", entered.id, nzd("100.00"))
    assert (found.vendor, found.number, found.on, found.due_on) == ("Typed Ltd", "T-1", DAY, DAY)
    assert (found.status, found.total, found.due) == ("AUTHORISED", nzd("100.00"), nzd("100.00"))
    assert [line.line_amount for line in found.lines] == [Decimal(100)]
    assert not purchases.bring_back(bill_id=lambda each: f"x/{each.number}")
    payment = BillPayment(id="p", bill_id="x/T-1", on=DAY)
    purchases.apply(purchases.pay([payment]))
    assert product.books.invoice(entered.id).status == "PAID"
    assert [each.status for each in purchases.posted(["x/T-1"])] == ["PAID"]
    assert not purchases.pay([payment])
    assert told(purchases) == []


def test_drafts_paid_bills_and_bills_of_ours_are_not_brought_back(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("ours")]))
    paid = typed(product, number="paid")
    product.books.add_payment(paid.id, account=BANK)
    product.books.void_invoice(typed(product, number="void").id)
    wanted, other = typed(product, number="1"), typed(product, number="2")

    assert [each.bill.number for each in purchases.bring_back([wanted.id]).of(LinkBill)] == ["1"]
    assert {each.linked_id for each in purchases.bring_back().of(LinkBill)} == {wanted.id, other.id}
    assert all(each.bill.lines == () for each in purchases.bring_back().of(LinkBill))


def test_two_bills_never_get_one_id(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("1")]))
    typed(product, number="1")
    typed(product, number="2")
    typed(product, number="2")

    plan = purchases.bring_back(bill_id=lambda each: each.number)

    assert plan.counts() == {"bill_link": 1}
    assert [each.code for each in plan.findings] == ["bill id taken"] * 2


@pytest.mark.parametrize("origin", ["posted", "brought back"])
def test_a_payment_made_in_xero_is_told_once_and_again_when_it_is_removed(
    product: Product, purchases: Payables, origin: str
) -> None:
    if origin == "posted":
        purchases.apply(purchases.submit([bill("b", "100.00")]))
        document = product.live_bills()[0]
    else:
        document = typed(product)
        purchases.apply(purchases.bring_back(bill_id=lambda _: "b"))
    assert told(purchases) == []
    made = product.books.add_payment(document.id, account=BANK, amount=Decimal(40))

    (paid,) = told(purchases)
    product.books.remove_payment(made.id)
    (reopened,) = told(purchases)

    assert (paid.host_ref, paid.changed, paid.bill.due) == ("b", ("payments",), nzd("60.00"))
    assert [(each.xero_id, each.amount, each.on) for each in paid.payments] == [(made.id, nzd("40.00"), made.date)]
    assert (reopened.removed, reopened.payments, reopened.bill.due) == ((made.id,), (), nzd("100.00"))


def test_a_payment_of_the_hosts_that_was_removed_in_xero_opens_its_bill_again(
    product: Product, purchases: Payables
) -> None:
    purchases.apply(purchases.submit([bill("b")]))
    purchases.apply(purchases.pay([BillPayment(id="p", bill_id="b", on=DAY)]))
    assert told(purchases) == []
    (ours,) = product.live_payments()
    product.books.remove_payment(ours.id)

    (reopened,) = told(purchases)

    assert (reopened.removed, reopened.bill.due, reopened.bill.status) == ((ours.id,), nzd("30.00"), "AUTHORISED")


def test_a_sum_of_the_hosts_that_was_removed_in_xero_opens_all_its_bills_again(
    product: Product, purchases: Payables
) -> None:
    """One of them was entered in Xero, and is paid with the host's own."""
    purchases.apply(purchases.submit([bill("b")]))
    entered = typed(product)
    purchases.apply(purchases.bring_back(bill_id=lambda _: "typed"))
    payments = [BillPayment(id=f"p-{each}", bill_id=each, on=DAY) for each in ("b", "typed")]
    purchases.apply(purchases.pay(payments, batch=True))
    (batch,) = product.books.batch_payments
    assert [each.amount_due for each in product.live_bills()] == [0, 0]
    assert told(purchases) == []
    product.books.remove_batch_payment(batch.id)

    reopened = {each.host_ref: each for each in told(purchases)}

    assert {name: each.bill.due for name, each in reopened.items()} == {"b": nzd("30.00"), "typed": nzd(entered.total)}
    gone = {each.document_id: (each.id,) for each in product.books.payments}
    assert {each.bill.xero_id: each.removed for each in reopened.values()} == gone
    assert told(purchases) == []


def test_what_the_host_did_itself_is_not_told(purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("b"), bill("c", "-12.00")]))
    purchases.apply(purchases.settle_credits())
    purchases.apply(purchases.pay([BillPayment(id="p", bill_id="b", on=DAY, amount=nzd("5.00"))]))

    assert told(purchases) == []


def test_edits_voids_and_credits_of_people_are_told(product: Product, purchases: Payables) -> None:
    edited, voided, credited = (typed(product, number=name) for name in "abc")
    purchases.apply(purchases.bring_back(bill_id=lambda each: each.number))
    product.books.edit_invoice(edited.id, amount=Decimal(70))
    product.books.void_invoice(voided.id)
    note = product.books.add_credit_note(credited.contact_id, type="ACCPAYCREDIT", amount=Decimal(25))
    product.books.allocate(note.id, invoice_id=credited.id, amount=Decimal(25))

    changes = {each.host_ref: (each.changed, each.bill.due) for each in told(purchases)}

    assert changes == {
        "a": (("total",), nzd("70.00")),
        "b": (("is_gone",), nzd("0.00")),
        "c": (("credited",), nzd("75.00")),
    }


def test_an_edit_of_people_is_told_and_one_of_the_hosts_is_not(product: Product, purchases: Payables) -> None:
    """Also after an edit of people was told, and of a bill whose taxes Xero worked out."""
    taxed = evolve(bill("b"), amounts=LineAmountTypes.EXCLUSIVE)
    purchases.apply(purchases.submit([bill("a"), taxed]))
    by_number = {each.number: each.id for each in product.live_bills()}

    purchases.apply(purchases.update([evolve(bill("a", "40.00"), due=DAY + timedelta(days=3))]))
    assert told(purchases) == []

    product.books.edit_invoice(by_number["a"], amount=Decimal(70))
    product.books.edit_invoice(by_number["b"], amount=Decimal(80))
    assert [(each.host_ref, each.changed) for each in told(purchases)] == [("a", ("total",)), ("b", ("total",))]

    purchases.apply(purchases.update([bill("a", "50.00")]))
    assert told(purchases) == []
    product.books.edit_invoice(by_number["a"], amount=Decimal(70))
    assert [(each.host_ref, each.changed) for each in told(purchases)] == [("a", ("total",))]


def test_a_due_date_that_moves_on_a_part_paid_bill_is_told(product: Product, purchases: Payables) -> None:
    """Xero does not stamp it (F 4.23), so that part-paid bills are read again: one more call for 80 of them."""
    purchases.apply(purchases.submit([bill("a"), bill("b")]))
    purchases.apply(purchases.pay([BillPayment(id="p", bill_id="a", on=DAY, amount=nzd("5.00"))]))
    assert told(purchases) == []
    (part_paid,) = [each for each in product.live_bills() if each.number == "a"]
    product.books.edit_invoice(part_paid.id, due=DAY + timedelta(days=30))
    calls: list[str] = []
    following = Payables(product.xero(transport=Through(product.simulator.transport, before=_note(calls))))

    (action,) = following.follow_bills().of(UpdateBill)

    assert (action.host_ref, action.changed, action.bill.due_on) == ("a", ("due_on",), DAY + timedelta(days=30))
    assert len(calls) <= 4


def test_it_takes_a_few_calls_however_many_bills_were_paid(product: Product, purchases: Payables) -> None:
    entered = [typed(product, number=str(place)) for place in range(60)]
    purchases.apply(purchases.bring_back())
    for each in entered:
        product.books.add_payment(each.id, account=BANK)
    calls: list[str] = []
    following = Payables(product.xero(transport=Through(product.simulator.transport, before=_note(calls))))

    plan = following.follow_bills()

    assert len(plan) == len(entered)
    assert len(calls) <= 3


def _note(calls: list[str]) -> Callable[[Request], None]:
    def note(request: Request) -> None:
        if "/api.xro/" in request.url:
            calls.append(request.url)

    return note


def test_what_the_host_could_not_take_is_told_again(product: Product, purchases: Payables) -> None:
    document = typed(product)
    purchases.apply(purchases.bring_back())
    product.books.add_payment(document.id, account=BANK)

    lost = purchases.follow_bills()
    again = purchases.follow_bills()

    assert lost.rows() == again.rows() != []
    assert product.store.query("link", product.books.tenant_id, states=["bill_change"]) == []
    assert again.records()


@pytest.mark.parametrize("by_hand", [True, False])
def test_another_number_or_day_in_xero_is_told(product: Product, purchases: Payables, *, by_hand: bool) -> None:
    """Once, until it is another again; what the host changes itself is not told."""
    if by_hand:
        typed(product, number="1")
        purchases.apply(purchases.bring_back(bill_id=lambda _: "b"))
    else:
        purchases.apply(purchases.submit([bill("b")]))
    (document,) = product.live_bills()
    assert told(purchases) == []
    product.books.edit_invoice(document.id, InvoiceNumber="2")
    (numbered,) = told(purchases)
    product.books.edit_invoice(document.id, Date="2026-02-03")
    (dated,) = told(purchases)

    assert (numbered.changed, numbered.bill.number) == (("number",), "2")
    assert (dated.changed, str(dated.bill.on)) == (("on",), "2026-02-03")
    assert told(purchases) == []
    if not by_hand:
        purchases.apply(
            purchases.update([evolve(bill("b"), number="3", on=DAY + timedelta(1), due=DAY + timedelta(1))])
        )
        assert told(purchases) == []


def test_a_bill_moved_out_of_closed_books_is_not_told_as_edited(product: Product) -> None:
    product.books.lock_period(DAY)
    moving = Payables(product.xero(), payment_account=BANK, bills=BillSettings(when_locked=WhenLocked.MOVE))
    moving.apply(moving.submit([bill("b")]))
    moving.apply(moving.pay([BillPayment(id="p", bill_id="b", on=DAY + timedelta(3), amount=nzd("1.00"))]))
    assert told(moving) == []

    moving.apply(moving.update([evolve(bill("b"), number="other")]))

    assert (product.live_bills()[0].number, told(moving)) == ("other", [])


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_people_do_to_a_credit_note_is_told(product: Product, purchases: Payables, *, by_hand: bool) -> None:
    purchases.apply(purchases.submit([bill("b")]))
    if by_hand:
        linking = Payables(product.xero(), payment_account=BANK, bills=BillSettings(duplicates=Duplicates.LINK))
        contact = product.live_bills()[0].contact_id
        product.books.add_credit_note(contact, type="ACCPAYCREDIT", number="c", amount=Decimal(12), date=DAY)
        linking.apply(linking.submit([bill("c", "-12.00")]))
    else:
        purchases.apply(purchases.submit([bill("c", "-12.00")]))
    (note,) = product.books.credit_notes
    assert told(purchases) == []

    product.books.allocate(note.id, invoice_id=product.live_bills()[0].id, amount=Decimal(5))
    set_against = {each.host_ref: each for each in told(purchases)}
    assert {name: each.changed for name, each in set_against.items()} == {"b": ("credited",), "c": ("credited",)}
    assert set_against["c"].bill.due == nzd("-7.00")

    product.books.remove_allocation(product.books.allocations[0].id)
    assert {each.host_ref: each.changed for each in told(purchases)} == {"b": ("credited",), "c": ("credited",)}
    product.books.void_invoice(note.id)
    (gone,) = told(purchases)
    assert (gone.host_ref, gone.changed, gone.bill.due) == ("c", ("is_gone",), nzd("0.00"))
    assert told(purchases) == []


def test_a_refund_or_an_allocation_of_the_hosts_that_people_removed_is_told(
    product: Product, purchases: Payables
) -> None:
    """And settling again finds it, and does it not again."""
    purchases.apply(purchases.submit([bill("b", "5.00"), bill("c", "-12.00")]))
    purchases.apply(purchases.settle_credits())
    assert told(purchases) == []
    (refund,) = product.live_payments()
    product.books.remove_payment(refund.id)

    (reopened,) = told(purchases)
    assert (reopened.host_ref, reopened.changed, reopened.removed) == ("c", ("removed",), (refund.id,))
    assert reopened.bill.due == nzd("-7.00")
    product.books.remove_allocation(product.books.allocations[0].id)
    assert {each.host_ref: each.changed for each in told(purchases)} == {"b": ("credited",), "c": ("credited",)}
    settled = purchases.settle_credits()
    assert (len(settled), {each.code for each in settled.findings}) == (0, {"removed in Xero"})


def test_what_the_host_took_back_itself_is_not_told(purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("b"), bill("c", "-12.00")]))
    purchases.apply(purchases.void(["b", "c"]))

    assert told(purchases) == []


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_bill_that_people_moved_to_another_contact_is_told(
    product: Product, purchases: Payables, *, by_hand: bool
) -> None:
    """Once; what the host moves itself is not told, and the next move of people is."""
    other = product.books.add_contact("Other Ltd")
    if by_hand:
        typed(product)
        purchases.apply(purchases.bring_back(bill_id=lambda _: "b"))
    else:
        purchases.apply(purchases.submit([bill("b"), bill("c", "-12.00")]))
        (note,) = product.books.credit_notes
        product.books.edit_invoice(note.id, Contact={"ContactID": other.id})
    (document,) = product.live_bills()
    product.books.edit_invoice(document.id, Contact={"ContactID": other.id})

    moved = told(purchases)

    assert {each.changed for each in moved} == {("contact",)}
    assert {each.host_ref for each in moved} == ({"b"} if by_hand else {"b", "c"})
    assert {(each.bill.vendor, each.bill.contact_id) for each in moved} == {("Other Ltd", other.id)}
    assert moved[0].reason == "in Xero: another contact"
    if not by_hand:
        purchases.apply(purchases.update([bill("b", vendor="Third Ltd")]))
        assert told(purchases) == []
        product.books.edit_invoice(document.id, Contact={"ContactID": other.id})
        assert [each.changed for each in told(purchases)] == [("contact",)]


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_merge_of_contacts_moves_no_bill(product: Product, purchases: Payables, *, by_hand: bool) -> None:
    """The vendor is the same; only a bill that is then moved away from the survivor is told."""
    if by_hand:
        typed(product, vendor="Paper Ltd")
        purchases.apply(purchases.bring_back(bill_id=lambda _: "b"))
    else:
        purchases.apply(purchases.submit([bill("b")]))
    (document,) = product.live_bills()
    survivor, other = product.books.add_contact("Paper & Sons"), product.books.add_contact("Other Ltd")
    product.books.merge_contacts(document.contact_id, into=survivor.id)
    product.books.edit_invoice(document.id, InvoiceNumber="2")

    assert [each.changed for each in told(purchases)] == [("number",)]
    product.books.edit_invoice(document.id, Contact={"ContactID": other.id})
    assert [(each.changed, each.bill.vendor) for each in told(purchases)] == [(("contact",), "Other Ltd")]
