"""Lines that customers pay for: marked in Xero once, taken off again, and never charged twice (row 89, F 6.174)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import Bill, BillLine, CardSpend, Customer, Payables, Plan, Receivables, Report
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode, DocumentStatus
from xerosync.simulator import Fault


def line(amount: str, to: str = "", account: str = "429") -> BillLine:
    return BillLine(description=f"For {amount}", amount=nzd(amount), account=AccountCode(account), billable_to=to)


def bill(*lines: BillLine, bill_id: str = "b1") -> Bill:
    return Bill(id=bill_id, vendor="Timber", number=bill_id, on=DAY, lines=lines)


WOOD = bill(line("10.00", "ana"), line("4.00"), line("6.00", "ben"))


def receipt(*lines: BillLine) -> CardSpend:
    return CardSpend(id="s1", vendor="Taxi", on=DAY, account=BANK, lines=lines)


@pytest.fixture
def connected(product: Product, sales: Receivables, purchases: Payables) -> Payables:
    """Ana and Ben are connected; Cas is nobody."""
    for name in ("Ana", "Ben"):
        product.books.add_contact(name)
    people = [Customer(id=each.lower(), custom_identifier=each) for each in ("Ana", "Ben")]
    assert sales.apply(sales.match(people)).findings == ()
    return purchases


@pytest.fixture
def posted(connected: Payables) -> Payables:
    connected.apply(connected.submit([WOOD]))
    return connected


def mark(purchases: Payables, *papers: Bill | CardSpend) -> Report:
    return purchases.apply(purchases.mark_billable(papers))


def codes(told: Plan | Report) -> list[str]:
    return [each.code for each in told.findings]


def charged(product: Product) -> list[tuple[str, str, str]]:
    """Whom each line is charged to that is not void: what the line says, the contact's name, and the status."""
    books = product.books
    names = {each.id: each.name for each in books.contacts}
    lines = {each.id: each.description for of in books.invoices for each in of.lines}
    lines |= {each.id: each.description for of in books.bank_transactions for each in of.lines}
    found = [
        (lines.get(each.source_line_id, "gone"), names.get(each.contact_id, ""), books.linked_status(each.id))
        for each in books.linked_transactions
    ]
    return sorted(each for each in found if each[2] != "VOIDED")


BOTH = [("For 10.00", "Ana", "APPROVED"), ("For 6.00", "Ben", "APPROVED")]


def test_lines_of_a_bill_are_charged_to_two_customers_once(product: Product, posted: Payables) -> None:
    plan = posted.mark_billable([WOOD])
    assert (charged(product), len(plan)) == ([], 2)

    done = posted.apply(plan)
    posted.apply(plan)

    assert (codes(done), charged(product)) == ([], BOTH)
    assert posted.mark_billable([WOOD]).actions == ()


def test_a_receipts_line_is_billable_too(product: Product, connected: Payables) -> None:
    taxi = receipt(line("8.00", "ana"))
    connected.apply(connected.spend([taxi]))

    mark(connected, taxi)

    assert charged(product) == [("For 8.00", "Ana", "APPROVED")]
    assert connected.mark_billable([taxi]).actions == ()


def test_a_customer_who_is_not_connected_is_a_finding_and_nothing_of_the_bill_is_marked(
    product: Product, connected: Payables, sales: Receivables
) -> None:
    mixed = bill(line("10.00", "ana"), line("6.00", "cas"))
    connected.apply(connected.submit([mixed]))

    plan = connected.mark_billable([mixed])

    assert (plan.actions, sorted(codes(plan))) == ((), ["customer not connected", "customer unclear"])
    sales.apply(sales.link("cas", product.books.add_contact("Cas").id))
    mark(connected, mixed)
    assert charged(product) == [("For 10.00", "Ana", "APPROVED"), ("For 6.00", "Cas", "APPROVED")]


def test_a_bill_that_was_not_posted_is_a_finding(connected: Payables) -> None:
    plan = connected.mark_billable([WOOD, bill(line("1.00"), bill_id="b2")])

    assert (plan.actions, codes(plan)) == ((), ["not created here"])


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.UNAVAILABLE])
def test_an_answer_that_was_lost_leaves_each_line_charged_once(
    product: Product, posted: Payables, fault: Fault
) -> None:
    product.simulator.faults.plan(fault, path="/LinkedTransactions", method="PUT")

    mark(posted, WOOD)
    product.clock.advance(900)
    posted.recover()
    mark(posted, WOOD)

    assert charged(product) == BOTH
    assert posted.mark_billable([WOOD]).actions == ()


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_an_answer_lost_while_taking_off_leaves_it_taken_off(product: Product, posted: Payables, fault: Fault) -> None:
    mark(posted, WOOD)
    none = bill(line("10.00"), line("4.00"), line("6.00", "ben"))
    product.simulator.faults.plan(fault, path="/LinkedTransactions", method="DELETE")

    mark(posted, none)
    product.clock.advance(900)
    posted.recover()
    mark(posted, none)

    assert charged(product) == [("For 6.00", "Ben", "APPROVED")]
    assert posted.mark_billable([none]).actions == ()


def test_a_line_goes_from_one_customer_to_another_and_back(product: Product, posted: Payables) -> None:
    other = bill(line("10.00", "ben"), line("4.00"), line("6.00", "ben"))
    for wanted, to in ((WOOD, "Ana"), (other, "Ben"), (WOOD, "Ana"), (other, "Ben")):
        assert codes(mark(posted, wanted)) == []
        assert charged(product) == [("For 10.00", to, "APPROVED"), ("For 6.00", "Ben", "APPROVED")]
        assert posted.mark_billable([wanted]).actions == ()


def test_a_line_that_is_billable_no_longer_is_taken_off_and_may_be_marked_again(
    product: Product, posted: Payables
) -> None:
    none = bill(line("10.00"), line("4.00"), line("6.00"))
    for wanted, stands in ((WOOD, BOTH), (none, []), (WOOD, BOTH), (none, [])):
        assert codes(mark(posted, wanted)) == []
        assert charged(product) == stands
        assert posted.mark_billable([wanted]).actions == ()


@pytest.mark.parametrize("status", ["DRAFT", "AUTHORISED"])
def test_what_a_customer_was_billed_for_is_never_touched(product: Product, posted: Payables, status: str) -> None:
    mark(posted, WOOD)
    ana = next(each for each in product.books.contacts if each.name == "Ana")
    (linked,) = [each for each in product.books.linked_transactions if each.contact_id == ana.id]
    sale = product.books.add_invoice(ana.id, amount=Decimal(10), status=status)
    product.books.bill_expense(linked.id, sale_id=sale.id)
    before = charged(product)
    assert posted.mark_billable([WOOD]).actions == ()

    for first in ("", "ben"):
        changed = bill(line("10.00", first), line("4.00"), line("6.00", "ben"))
        plan = posted.mark_billable([changed])
        assert (plan.actions, codes(plan)) == ((), ["billed already"])
    assert charged(product) == before


def test_the_lines_of_a_changed_bill_are_charged_anew(product: Product, posted: Payables) -> None:
    mark(posted, WOOD)
    dearer = bill(line("11.00", "ana"), line("4.00"), line("6.00", "ben"))
    before = posted.mark_billable([dearer])
    assert (before.actions, codes(before)) == ((), ["lines differ"])

    posted.apply(posted.update([dearer]))
    mark(posted, dearer)

    assert charged(product) == [("For 11.00", "Ana", "APPROVED"), ("For 6.00", "Ben", "APPROVED")]
    assert posted.mark_billable([dearer]).actions == ()


def test_a_changed_bill_of_which_a_line_was_billed_is_not_charged_again(product: Product, posted: Payables) -> None:
    mark(posted, WOOD)
    ana = next(each for each in product.books.contacts if each.name == "Ana")
    (linked,) = [each for each in product.books.linked_transactions if each.contact_id == ana.id]
    product.books.bill_expense(linked.id, sale_id=product.books.add_invoice(ana.id, amount=Decimal(10)).id)
    dearer = bill(line("11.00", "ana"), line("4.00"), line("6.00", "ben"))

    posted.apply(posted.update([dearer]))
    plan = posted.mark_billable([dearer])

    assert (plan.actions, codes(plan)) == ((), ["billed already"])


def test_a_voided_bill_charges_nobody(product: Product, posted: Payables) -> None:
    mark(posted, WOOD)

    posted.apply(posted.void(["b1"]))

    assert charged(product) == []
    plan = posted.mark_billable([WOOD])
    assert (plan.actions, plan.findings) == ((), ())


def test_a_draft_is_marked_and_approved_later(product: Product, connected: Payables) -> None:
    draft = evolve(WOOD, status=DocumentStatus.DRAFT)
    connected.apply(connected.submit([draft]))
    mark(connected, draft)
    assert {each[2] for each in charged(product)} == {"DRAFT"}

    connected.apply(connected.update([evolve(WOOD, status=DocumentStatus.AUTHORISED)]))

    assert charged(product) == BOTH
    assert connected.mark_billable([WOOD]).actions == ()


def test_what_people_marked_in_xero_is_theirs(product: Product, posted: Payables) -> None:
    owed = product.books.invoices[0]
    people = {each.name: each.id for each in product.books.contacts}
    product.books.link_expense(owed.id, line_id=owed.lines[0].id, contact_id=people["Ana"])
    product.books.link_expense(owed.id, line_id=owed.lines[2].id, contact_id=people["Ana"])

    plan = posted.mark_billable([WOOD])
    assert (plan.actions, codes(plan)) == ((), ["marked by hand"])
    mark(posted, bill(line("10.00", "ana"), line("4.00"), line("6.00", "ana")))
    mark(posted, bill(line("10.00"), line("4.00"), line("6.00")))

    assert charged(product) == [("For 10.00", "Ana", "APPROVED"), ("For 6.00", "Ana", "APPROVED")]


def test_what_people_took_off_in_xero_stays_off(product: Product, posted: Payables) -> None:
    mark(posted, WOOD)
    for each in product.books.linked_transactions:
        product.xero().linked_transactions.delete(each.id)

    plan = posted.mark_billable([WOOD])

    assert (plan.actions, codes(plan)) == ((), ["unmarked in Xero"])


def test_a_credit_and_money_back_are_billable_to_nobody(connected: Payables) -> None:
    credit, refund = bill(line("-10.00", "ana")), receipt(line("-8.00", "ana"))
    connected.apply(connected.submit([credit]))
    connected.apply(connected.spend([refund]))

    plan = connected.mark_billable([credit, refund])

    assert (plan.actions, codes(plan)) == ((), ["cannot be billable"] * 2)


def test_a_line_of_cents_that_was_added_is_nobodys(product: Product, connected: Payables) -> None:
    odd = evolve(bill(line("10.00", "ana")), stated_total=nzd("10.01"))
    connected.apply(connected.submit([odd]))

    mark(connected, odd)

    assert charged(product) == [("For 10.00", "Ana", "APPROVED")]


def test_a_customer_that_can_be_none_is_a_finding_before_anything_is_sent(connected: Payables) -> None:
    plan = connected.submit([bill(line("10.00", "a\x00"))])

    assert (plan.actions, codes(plan)) == ((), ["cannot be posted"])
    with pytest.raises(InvalidInput):
        connected.mark_billable([WOOD, WOOD])


def test_a_price_by_the_piece_is_billable(product: Product, connected: Payables) -> None:
    dozen = BillLine.priced(
        description="For nails",
        quantity=Decimal(12),
        unit_price=nzd("0.1234"),
        account=AccountCode("429"),
        billable_to="ana",
    )
    connected.apply(connected.submit([bill(dozen)]))

    mark(connected, bill(dozen))

    assert charged(product) == [("For nails", "Ana", "APPROVED")]
