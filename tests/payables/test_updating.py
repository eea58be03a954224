"""Bills that changed at their source are changed in Xero as far as money on them allows (95)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    BillSettings,
    CardSpend,
    Duplicates,
    Ledger,
    Payables,
    Plan,
    WhenLocked,
)
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode, DocumentStatus
from xerosync.simulator import Fault
from xerosync.storage import MemoryStore


def line(amount: str = "10.00", account: str = "429", description: str = "paper") -> BillLine:
    return BillLine(description=description, amount=nzd(amount), account=AccountCode(account))


BILL = Bill(id="b1", vendor="Paper Ltd", number="7", on=DAY, lines=[line()])


CREDIT = evolve(BILL, id="c1", lines=[line("-10.00")])
SPEND = CardSpend(id="s1", vendor="Taxi Ltd", on=DAY, account=BANK, lines=[line("8.00")], reference="T-1")


def post(purchases: Payables, bill: Bill, *, paid: str = "") -> None:
    purchases.apply(purchases.submit([bill]))
    if paid:
        purchases.apply(purchases.pay([BillPayment(id="p1", bill_id=bill.id, on=DAY, amount=nzd(paid))]))


def test_what_has_not_changed_is_left_alone(purchases: Payables) -> None:
    post(purchases, BILL)

    plan = purchases.update([BILL])

    assert (len(plan), plan.findings) == (0, ())


def test_a_bill_is_changed_as_its_source_was(product: Product, purchases: Payables) -> None:
    post(purchases, BILL)
    changed = evolve(
        BILL,
        vendor="Other Ltd",
        number="8",
        on=DAY + timedelta(days=1),
        due=DAY + timedelta(days=9),
        lines=[line("12.00"), line("3.00", "404")],
    )

    purchases.apply(purchases.update([changed]))

    (bill,) = product.live_bills()
    assert (bill.number, bill.total, bill.date, bill.due_date) == ("8", Decimal(15), changed.on, changed.due)
    assert product.books.contact(bill.contact_id).name == "Other Ltd"
    assert (len(purchases.update([changed])), len(purchases.submit([changed]))) == (0, 0)
    assert purchases.submit([changed]).findings == ()


def test_it_may_change_again_and_back(product: Product, purchases: Payables) -> None:
    post(purchases, BILL)

    for amount in ("11.00", "10.00", "11.00"):
        purchases.apply(purchases.update([evolve(BILL, lines=[line(amount)])]))
        assert [each.total for each in product.live_bills()] == [Decimal(amount)]


def test_texts_and_coding_change_under_money_and_amounts_do_not(product: Product, purchases: Payables) -> None:
    post(purchases, BILL, paid="4.00")
    recoded = evolve(BILL, number="8", due=DAY + timedelta(days=9), lines=[line(account="404", description="glue")])

    purchases.apply(purchases.update([recoded]))
    plan = purchases.update([evolve(recoded, lines=[line("12.00", "404", "glue")])])

    (bill,) = product.live_bills()
    assert (bill.number, bill.due_date, bill.total, bill.amount_due) == ("8", recoded.due, Decimal(10), Decimal(6))
    assert bill.lines[0].account_id == product.books.account("404").id
    assert bill.lines[0].description == "glue"
    assert (len(plan), [each.code for each in plan.findings]) == (0, ["money on it"])
    assert not purchases.update([recoded])


def test_a_draft_is_approved_when_its_source_says_so_and_stays_so(product: Product, purchases: Payables) -> None:
    draft = evolve(BILL, status=DocumentStatus.DRAFT)
    post(purchases, draft)

    purchases.apply(purchases.update([BILL]))

    assert [each.status for each in product.books.invoices] == ["AUTHORISED"]
    assert not purchases.update([draft])


def test_a_bill_in_closed_books_stays(product: Product, purchases: Payables) -> None:
    post(purchases, BILL)
    product.books.lock_period(DAY)

    plan = purchases.update([evolve(BILL, lines=[line("12.00")])])

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["books closed"])


@pytest.mark.parametrize("by_audit", [False, True])
def test_what_the_store_had_forgotten_is_changed_as_any_other(product: Product, *, by_audit: bool) -> None:
    """What was sent is not known any more, so it is compared with what stands in Xero."""
    before = Payables(product.xero())
    for each in (BILL, CREDIT):
        post(before, each)
    before.apply(before.spend([SPEND]))
    xero = product.xero(store=MemoryStore())
    later = Payables(xero)
    if by_audit:
        Ledger(xero).audit(adopt=True)
    later.apply(later.submit([BILL, CREDIT]))
    later.apply(later.spend([SPEND]))
    assert [each.reason for each in later.update([BILL, CREDIT, SPEND])] == []

    changed: list[Bill | CardSpend] = [
        evolve(BILL, lines=[line("12.00")]),
        evolve(CREDIT, lines=[line("-13.00")]),
        evolve(SPEND, lines=[line("9.00")]),
    ]
    later.apply(later.update(changed))

    assert [each.total for each in (*product.live_bills(), *product.books.credit_notes)] == [Decimal(12), Decimal(13)]
    assert [each.total for each in product.books.bank_transactions] == [Decimal(9)]
    assert not later.update(changed)


def test_a_credit_note_is_changed_as_its_source_was(product: Product, purchases: Payables) -> None:
    post(purchases, CREDIT)
    changed = evolve(
        CREDIT, vendor="Other Ltd", number="8", on=DAY + timedelta(days=1), lines=[line("-12.00"), line("-3.00", "404")]
    )

    purchases.apply(purchases.update([changed]))

    (note,) = product.books.credit_notes
    assert (note.number, note.total, note.date) == ("8", Decimal(15), changed.on)
    assert product.books.contact(note.contact_id).name == "Other Ltd"
    assert [len(purchases.update([changed])), *purchases.submit([changed]).findings] == [0]
    assert not Ledger(product.xero()).drift()
    assert Ledger(product.xero()).audit().findings == ()


def test_a_credit_note_that_was_used_stays(purchases: Payables) -> None:
    post(purchases, BILL)
    post(purchases, CREDIT)
    purchases.apply(purchases.settle_credits())

    plan = purchases.update([evolve(CREDIT, lines=[line("-10.00", "404")])])

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (0, [("money on it", "c1")])


def test_a_draft_of_a_credit_note_is_approved_when_its_source_says_so(product: Product, purchases: Payables) -> None:
    draft = evolve(CREDIT, status=DocumentStatus.DRAFT)
    post(purchases, draft)

    purchases.apply(purchases.update([CREDIT]))

    assert [each.status for each in product.books.credit_notes] == ["AUTHORISED"]
    assert not purchases.update([draft])


def test_a_bill_never_turns_into_a_credit_note(product: Product, purchases: Payables) -> None:
    post(purchases, BILL)

    assert [each.code for each in purchases.update([evolve(CREDIT, id=BILL.id)]).findings] == ["cannot be posted"]
    assert [each.code for each in purchases.submit([evolve(CREDIT, id=BILL.id)]).findings] == ["changed since posted"]
    assert [each.total for each in product.live_bills()] == [Decimal(10)]


def test_a_card_receipt_is_changed_as_its_source_was(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.spend([SPEND]))
    changed = evolve(
        SPEND,
        vendor="Bus Ltd",
        on=DAY + timedelta(days=1),
        reference="T-2",
        lines=[line("9.00", "404"), line("2.00")],
    )

    purchases.apply(purchases.update([changed]))

    (spent,) = product.books.bank_transactions
    assert (spent.total, spent.date, spent.reference[:7]) == (Decimal(11), changed.on, "T-2 XS-")
    assert product.books.contact(spent.contact_id).name == "Bus Ltd"
    assert product.books.balance(product.books.account(BANK).id) == -11
    assert (len(purchases.update([changed])), len(purchases.spend([changed]))) == (0, 0)
    assert purchases.spend([changed]).findings == ()
    assert not Ledger(product.xero()).drift()


def test_a_receipt_that_no_edit_can_change_is_a_finding(product: Product, purchases: Payables) -> None:
    """Its account and its direction stay; and nothing of it changes once it is reconciled, or its books are closed."""
    product.books.add_account("095", "Other card", type="BANK")
    purchases.apply(purchases.spend([SPEND]))

    def found(spend: CardSpend) -> list[str]:
        plan = purchases.update([spend])
        assert not plan
        return [each.code for each in plan.findings]

    dearer = evolve(SPEND, lines=[line("9.00")])
    assert found(SPEND) == []
    assert found(evolve(SPEND, account="095")) == ["changed since posted"]
    assert found(evolve(SPEND, account="nowhere")) == ["account does not fit"]
    assert found(evolve(SPEND, lines=[line("-8.00")])) == ["changed since posted"]
    assert found(evolve(SPEND, lines=[line("9.00", "12345")])) == ["account does not fit"]
    product.books.lock_period(DAY)
    assert found(dearer) == ["books closed"]
    product.books.lock_period(None)
    product.books.reconcile_bank_transaction(product.books.bank_transactions[0].id)
    assert found(dearer) == ["reconciled"]
    assert found(SPEND) == []


@pytest.mark.parametrize(
    "wrong",
    [evolve(BILL, stated_total=nzd("50.00")), evolve(BILL, vendor="<b>"), evolve(SPEND, vendor="<b>")],
)
def test_what_cannot_be_is_a_finding_and_holds_up_no_other(
    product: Product, purchases: Payables, wrong: Bill | CardSpend
) -> None:
    post(purchases, BILL)
    post(purchases, other := evolve(BILL, id="b2", number="8"))
    purchases.apply(purchases.spend([SPEND]))

    plan = purchases.update([wrong, evolve(other, lines=[line("11.00")])])
    purchases.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("cannot be posted", wrong.id)]
    assert [each.total for each in product.live_bills()] == [Decimal(10), Decimal(11)]
    with pytest.raises(InvalidInput, match="id: give each bill"):
        purchases.update([BILL, BILL])


def test_a_receipt_that_was_moved_out_of_closed_books_stays_where_it_is(product: Product) -> None:
    product.books.lock_period(DAY)
    moving = Payables(product.xero(), bills=BillSettings(when_locked=WhenLocked.MOVE))
    moving.apply(moving.spend([SPEND]))

    assert not moving.update([SPEND])
    product.books.lock_period(None)
    moving.apply(moving.update([evolve(SPEND, lines=[line("9.00")])]))

    (spent,) = product.books.bank_transactions
    assert (spent.date, spent.total) == (DAY + timedelta(days=1), Decimal(9))


def test_a_bill_and_a_receipt_of_a_new_vendor_create_it_once(product: Product, purchases: Payables) -> None:
    post(purchases, BILL)
    purchases.apply(purchases.spend([SPEND]))

    plan = purchases.update([evolve(BILL, vendor="New Ltd"), evolve(SPEND, vendor="NEW  ltd")])
    purchases.apply(plan)

    assert plan.counts() == {"contact": 1, "bill_edit": 1, "bank_transaction_edit": 1}
    assert [each.name for each in product.books.contacts] == ["Paper Ltd", "Taxi Ltd", "New Ltd"]


PAPERS: list[Bill | CardSpend] = [BILL, CREDIT, SPEND]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("what", ["archived", "merged"])
def test_a_move_to_a_contact_that_ended_after_planning_goes_on_by_itself_once_there_is_one_to_use(
    product: Product, purchases: Payables, paper: Bill | CardSpend, what: str
) -> None:
    contact, survivor = product.books.add_contact("Old Ltd"), product.books.add_contact("Survivor Ltd")
    post_any(purchases, paper)
    changed = evolve(paper, vendor="Old Ltd")
    plan = purchases.update([changed])
    if what == "merged":
        product.books.merge_contacts(contact.id, into=survivor.id)
    else:
        product.books.archive_contact(contact.id)
    assert [each.code for each in purchases.apply(plan).findings] == ["refused by Xero"]

    if what == "archived":
        waiting = purchases.update([changed])
        assert (len(waiting), [each.code for each in waiting.findings]) == (0, ["archived", "vendor unclear"])
        product.books.restore_contact(contact.id)
    purchases.apply(purchases.update([changed]))

    documents = [each.contact_id for each in (*product.live_bills(), *product.books.credit_notes)]
    money = [each.contact_id for each in product.books.bank_transactions]
    assert documents + money == [survivor.id if what == "merged" else contact.id]
    assert (len(purchases.update([changed])), purchases.update([changed]).findings) == (0, ())


def found(plan: Plan) -> list[tuple[str, str]]:
    return [(each.code, each.about) for each in plan.findings]


@pytest.mark.parametrize("paper", PAPERS)
def test_what_was_not_posted_cannot_be_changed_and_that_is_said(
    product: Product, purchases: Payables, paper: Bill | CardSpend
) -> None:
    assert found(purchases.update([paper])) == [("not created here", paper.id)]
    assert product.books.contacts == ()


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("by_host", [True, False])
def test_what_has_ended_in_xero_cannot_be_changed_and_that_is_said(
    product: Product, purchases: Payables, paper: Bill | CardSpend, *, by_host: bool
) -> None:
    """By whom, too: what the host took back itself is not laid at somebody else's door, also when it is given again."""
    post_any(purchases, paper)
    if by_host:
        purchases.apply(purchases.void([paper.id]))
    elif isinstance(paper, Bill):
        product.books.void_invoice([*product.books.invoices, *product.books.credit_notes][0].id)
    else:
        product.books.remove_bank_transaction(product.books.bank_transactions[0].id)

    again = purchases.submit([paper]) if isinstance(paper, Bill) else purchases.spend([paper])

    expected = [("withdrawn" if by_host else "removed in Xero", paper.id)]
    assert (found(purchases.update([paper])), found(again), found(purchases.void([paper.id]))) == (
        expected,
        expected,
        [],
    )


def test_what_cannot_be_posted_cannot_be_changed_and_that_is_said(purchases: Payables) -> None:
    post(purchases, BILL)
    wrong: list[Bill | CardSpend] = [evolve(BILL, lines=[]), evolve(SPEND, lines=[])]

    assert found(purchases.update(wrong)) == [("cannot be posted", "b1"), ("cannot be posted", "s1")]


def test_what_was_interrupted_cannot_be_changed_nor_taken_back_yet(product: Product, purchases: Payables) -> None:
    product.simulator.faults.plan(Fault.LOST_AFTER, path="/Invoices", method="PUT")
    purchases.apply(purchases.submit([BILL]))

    assert found(purchases.update([BILL])) == found(purchases.void(["b1"])) == [("still open", "b1")]


def test_what_people_typed_stays_and_what_changed_since_is_said(product: Product) -> None:
    """Until it is so in Xero: somebody edits it there, as the finding says."""
    contact = product.books.add_contact("Paper Ltd")
    typed = product.books.add_invoice(contact.id, type="ACCPAY", number="7", amount=Decimal(10), date=DAY, due=DAY)
    linking = Payables(product.xero(), payment_account=BANK, bills=BillSettings(duplicates=Duplicates.LINK))
    linking.apply(linking.submit([BILL]))
    changed = evolve(BILL, number="8")

    same, plan = linking.update([BILL]), linking.update([changed])

    assert (len(same), same.findings, len(plan)) == (0, (), 0)
    assert found(plan) == [("entered in Xero", "b1")]
    assert "number" in plan.findings[0].cause
    product.books.void_invoice(typed.id)
    assert found(linking.update([changed])) == [("removed in Xero", "b1")]


def post_any(purchases: Payables, paper: Bill | CardSpend) -> None:
    purchases.apply(purchases.submit([paper]) if isinstance(paper, Bill) else purchases.spend([paper]))


@pytest.mark.parametrize("status", ["AUTHORISED", "DRAFT"])
def test_how_people_coded_lines_stays_when_something_else_changes(product: Product, status: str) -> None:
    """Until the host's own lines change; another number, day or an approval takes no accountant's work back."""
    drafting = Payables(product.xero(), payment_account=BANK, bills=BillSettings(status=DocumentStatus(status)))
    drafting.apply(drafting.submit([BILL]))
    (document,) = product.books.invoices
    there = [{"Description": "x", "UnitAmount": str(document.total), "AccountCode": "453"}]
    product.books.edit_invoice(document.id, lines=there)
    purchases = Payables(product.xero(), payment_account=BANK)

    changed = evolve(BILL, number="other", due=DAY + timedelta(days=20))
    purchases.apply(purchases.update([changed]))

    (document,) = product.live_bills()
    assert (document.number, document.due_date) == ("other", DAY + timedelta(days=20))
    assert [each.account_id for each in document.lines] == [product.books.account("453").id]
    assert not purchases.update([changed])
    purchases.apply(purchases.update([evolve(changed, lines=[evolve(changed.lines[0], description="new")])]))
    assert product.books.account("453").id not in [each.account_id for each in product.live_bills()[0].lines]
