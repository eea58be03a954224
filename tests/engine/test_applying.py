"""Applying: exactly the plan, each write journalled before it leaves, each element with its own outcome."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import CLEARING, DAY, Product, Through, is_write, nzd
from tests.engine.scenarios import collected, paper

from xerosync import MemoryStore, Payables, Receivables, Settlement, SettlementLine, State
from xerosync.engine.actions import Pending
from xerosync.engine.intents import Intent
from xerosync.engine.states import MOVES, OPEN, may_move
from xerosync.errors import InvalidInput
from xerosync.models import TenantId
from xerosync.ports import Request
from xerosync.simulator import Fault

LATER = date(2026, 1, 20)


class Killed(BaseException):
    """The process dies."""


def settlement(*lines: tuple[str, str, str], on: date = DAY) -> Settlement:
    return Settlement(
        id=f"S-{on}",
        on=on,
        lines=[SettlementLine(id=name, transaction=paid, amount=nzd(amount)) for name, paid, amount in lines],
    )


def journal(product: Product) -> list[tuple[str, bool]]:
    """The state of each intent in the store, and whether it was claimed."""
    records = product.store.query("intent", product.books.tenant_id)
    return [(record.state, record.due is not None) for record in records]


def test_an_intent_is_claimed_and_on_disk_before_the_write_leaves(product: Product) -> None:
    invoice = product.collectable("100.00")
    seen: list[list[tuple[str, bool]]] = []

    def look(request: Request) -> None:
        if is_write(request):
            seen.append(journal(product))

    sales = Receivables(
        product.xero(transport=Through(product.simulator.transport, before=look)), clearing_account="091"
    )

    sales.apply(sales.settle(collected(invoice.id)))

    assert seen == [[("sent", True)]]
    assert journal(product) == [("confirmed", True)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_killed_at_the_write_leaves_an_intent_that_recovery_closes(product: Product, moment: str) -> None:
    invoice = product.collectable("100.00")

    def die(request: Request) -> None:
        if is_write(request):
            raise Killed

    inner = product.simulator.transport
    transport = Through(inner, before=die) if moment == "before" else Through(inner, after=die)
    doomed = Receivables(product.xero(transport=transport), clearing_account=CLEARING)
    with pytest.raises(Killed):
        doomed.apply(doomed.settle(collected(invoice.id)))
    assert [state for state, _ in journal(product)] == ["sent"]

    recovery = Receivables(product.xero()).recover()

    assert (recovery.found, recovery.sent) == ((0, 1) if moment == "before" else (1, 0))
    assert product.standing(invoice.id) == [(Decimal(40), DAY)]
    assert journal(product) == [("confirmed", True)]


def test_recovery_without_anything_open_asks_xero_nothing(product: Product) -> None:
    sales = Receivables(product.xero())
    calls = product.simulator.calls

    assert str(sales.recover()) == "0 found in Xero, 0 sent, 0 still open"
    assert product.simulator.calls == calls


def test_an_element_that_xero_refuses_does_not_touch_the_others_of_its_batch(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    early, late = settlement(("L1", invoice.id, "10.00")), settlement(("L2", invoice.id, "20.00"), on=LATER)
    plan = sales.settle([early, late])
    product.books.lock_period(DAY)

    report = sales.apply(plan)

    assert [(result.action.host_ref, result.state) for result in report.results] == [
        ("L1", State.REJECTED),
        ("L2", State.CONFIRMED),
    ]
    assert report.results[0].messages
    assert report.results[0].messages == tuple(report.findings[0].cause.split(" | "))
    assert product.standing(invoice.id) == [(Decimal(20), LATER)]


def test_an_invoice_edited_after_planning_leaves_out_its_own_payment_alone(product: Product) -> None:
    edited, kept = product.collectable("100.00"), product.collectable("50.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    lines = settlement(("L1", edited.id, "100.00"), ("L2", kept.id, "50.00"))
    plan = sales.settle(lines)
    product.books.edit_invoice(edited.id, amount=Decimal(120))

    report = sales.apply(plan)

    assert [(finding.code, finding.about) for finding in report.findings] == [("changed since planned", "L1")]
    assert (product.standing(edited.id), product.standing(kept.id)) == ([], [(Decimal(50), DAY)])
    sales.apply(sales.settle(lines))
    assert product.standing(edited.id) == [(Decimal(100), DAY)]


def test_a_credit_note_changed_after_planning_is_not_allocated(product: Product) -> None:
    purchases = Payables(product.xero(), payment_account="090")
    purchases.apply(purchases.submit([paper("b", "10.00"), paper("c", "-10.00")]))
    plan = purchases.settle_credits()
    product.books.add_payment(product.books.credit_notes[0].id, account="090", amount=Decimal(7))

    report = purchases.apply(plan)
    purchases.apply(purchases.settle_credits())

    assert [finding.code for finding in report.findings] == ["changed since planned"]
    assert [each.amount for each in product.books.allocations] == [Decimal(3)]


def test_one_typed_by_hand_while_ours_was_lost_is_for_a_person_to_judge(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.LOST_BEFORE, method="PUT", path="/Payments")
    sales.apply(sales.settle(collected(invoice.id)))
    product.books.add_payment(invoice.id, account=CLEARING, amount=Decimal(40), date=DAY)

    recovery = sales.recover()
    again = sales.settle(collected(invoice.id))

    assert [finding.code for finding in recovery.findings] == ["perhaps typed by hand"]
    assert (len(again), [finding.code for finding in again.findings]) == (0, ["perhaps typed by hand"])
    assert product.standing(invoice.id) == [(Decimal(40), DAY)]


@pytest.mark.parametrize(("amount", "on"), [("40.01", DAY), ("40.00", LATER)])
def test_another_amount_or_day_typed_by_hand_is_not_mistaken_for_ours(product: Product, amount: str, on: date) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.LOST_BEFORE, method="PUT", path="/Payments")
    sales.apply(sales.settle(collected(invoice.id)))
    product.books.add_payment(invoice.id, account=CLEARING, amount=Decimal(amount), date=on)

    recovery = sales.recover()
    sales.apply(sales.settle(collected(invoice.id)))

    assert [finding.code for finding in recovery.findings] == ["changed since planned"]
    assert product.standing(invoice.id) == sorted([(Decimal(40), DAY), (Decimal(amount), on)])


def test_a_payment_removed_while_its_answer_was_lost_is_not_posted_again(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    sales.apply(sales.settle(collected(invoice.id)))
    product.books.remove_payment(product.live_payments()[0].id)

    recovery = sales.recover()
    again = sales.settle(collected(invoice.id))

    assert [finding.code for finding in recovery.findings] == ["removed in Xero"]
    assert (len(again), [finding.code for finding in again.findings]) == (0, ["removed in Xero"])
    assert product.live_payments() == []


def test_two_that_carry_our_mark_are_a_conflict(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    sales.apply(sales.settle(collected(invoice.id)))
    (ours,) = product.live_payments()
    copied = product.books.add_payment(
        invoice.id, account=CLEARING, amount=Decimal(40), date=DAY, reference=ours.reference
    )

    recovery = sales.recover()
    again = sales.settle(collected(invoice.id))

    assert [finding.code for finding in recovery.findings] == ["found twice in Xero"]
    assert (len(again), [finding.code for finding in again.findings]) == (0, ["found twice in Xero"])
    assert {ours.id, copied.id} == {payment.id for payment in product.live_payments()}


def test_an_allocation_of_another_amount_by_hand_is_not_mistaken_for_ours(product: Product) -> None:
    """An allocation carries no mark; its credit note, bill and amount must be ours."""
    purchases = Payables(product.xero(), payment_account="090")
    purchases.apply(purchases.submit([paper("b", "10.00"), paper("c", "-4.00")]))
    product.simulator.faults.plan(Fault.LOST_BEFORE, method="PUT", path="/Allocations")
    purchases.apply(purchases.settle_credits())
    (bill,), (note,) = product.live_bills(), product.books.credit_notes
    product.books.allocate(note.id, invoice_id=bill.id, amount=Decimal(1))

    recovery = purchases.recover()
    purchases.apply(purchases.settle_credits())

    assert (recovery.found, [finding.code for finding in recovery.findings]) == (0, ["changed since planned"])
    assert sorted(each.amount for each in product.books.allocations) == [Decimal(1), Decimal(3)]
    assert product.books.invoice(note.id).status == "PAID"


def test_a_plan_of_another_organisation_is_refused(product: Product) -> None:
    sales = Receivables(product.xero())
    plan = sales.match([])
    elsewhere = evolve(plan, tenant=TenantId("00000000-0000-4000-8000-000000000000"))

    with pytest.raises(InvalidInput, match="another organisation"):
        sales.apply(elsewhere)


def test_an_empty_plan_does_nothing_and_calls_nobody(product: Product) -> None:
    sales = Receivables(product.xero())
    plan = sales.match([])
    calls = product.simulator.calls

    report = sales.apply(plan)

    assert (report.results, report.calls, str(report)) == ((), 0, "nothing to do")
    assert product.simulator.calls == calls


def test_a_report_counts_the_calls_it_took(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    plan = sales.settle(collected(invoice.id))
    calls = product.simulator.calls

    report = sales.apply(plan)

    assert report.calls == product.simulator.calls - calls == 2  # one read of what changed, one write
    assert report.calls_needed == 1
    assert report.bytes_up > 100
    assert report.bytes_down > 1000
    kilobytes = -(-(report.bytes_up + report.bytes_down) // 1000)
    assert report.cost == f"2 calls and {kilobytes} kB; the floor is 1"
    assert sales.apply(plan).calls_needed == 0  # it was done before


def test_only_part_of_a_plan_may_be_applied_and_the_rest_later(product: Product) -> None:
    first, second = product.collectable("100.00"), product.collectable("50.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    plan = sales.settle(settlement(("L1", first.id, "100.00"), ("L2", second.id, "50.00")))

    sales.apply(plan.only(lambda action: action.host_ref == "L2"))

    assert (product.standing(first.id), product.standing(second.id)) == ([], [(Decimal(50), DAY)])
    sales.apply(plan)
    assert (product.standing(first.id), product.standing(second.id)) == ([(Decimal(100), DAY)], [(Decimal(50), DAY)])


def test_no_state_can_be_moved_to_but_by_the_table() -> None:
    intent = Intent(tenant=TenantId("t"), operation=Pending("payment", "L1"), payload={})
    for before in State:
        for after in State:
            standing = evolve(intent, state=before)
            if may_move(before, after):
                assert standing.moved(after).state is after
            else:
                with pytest.raises(ValueError, match=f"{before} cannot become {after}"):
                    standing.moved(after)


def test_every_open_state_has_a_way_out_and_the_ends_have_none_that_sends_again() -> None:
    ends = {State.CONFIRMED, State.REMOVED, State.CONFLICT, State.SUSPECT}

    assert all(MOVES.get(state) for state in OPEN)
    assert all(not OPEN & MOVES.get(state, {}).keys() for state in ends)
    assert set(State) == OPEN | ends | {State.REJECTED, State.PARKED}


def test_a_store_given_twice_remembers_for_both(product: Product) -> None:
    assert isinstance(product.store, MemoryStore)
    invoice = product.collectable("100.00")
    first, second = (Receivables(product.xero(), clearing_account=CLEARING) for _ in range(2))

    first.apply(first.settle(collected(invoice.id)))

    assert not second.settle(collected(invoice.id))
