"""Paying many bills as one sum: each payment once, found again like any other, and none held up by its neighbour."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from tests.conftest import BANK, DAY, Product, Through, found_product, is_write, nzd
from tests.engine.backups import backup, restore
from tests.engine.crashes import Crash, Fuse, found_mortal

from xerosync import Bill, BillLine, BillPayment, DriftField, Ledger, MemoryStore, Payables
from xerosync.errors import LedgerBehind, RateLimited
from xerosync.models import AccountCode
from xerosync.ports import Request
from xerosync.simulator import Fault, Switches


def bill(bill_id: str, amount: str = "10.00", *, vendor: str = "") -> Bill:
    line = BillLine(description="paper", amount=nzd(amount), account=AccountCode("429"))
    return Bill(id=bill_id, vendor=vendor or f"Vendor {bill_id}", number=bill_id, on=DAY, lines=[line])


def payment(
    bill_id: str, amount: str | None = None, *, name: str = "", days: int = 0, account: str | None = None
) -> BillPayment:
    return BillPayment(
        id=name or f"p-{bill_id}",
        bill_id=bill_id,
        on=DAY + timedelta(days),
        amount=nzd(amount) if amount else None,
        account=account,
    )


@pytest.fixture
def submitted(purchases: Payables) -> Payables:
    purchases.apply(purchases.submit([bill("a"), bill("b", "20.00"), bill("c", "30.00")]))
    return purchases


def sums(product: Product) -> list[tuple[str, Decimal]]:
    return [(each.type, each.total) for each in product.books.batch_payments if each.status == "AUTHORISED"]


def test_bills_paid_on_one_day_are_one_sum_on_the_bank_statement(product: Product, submitted: Payables) -> None:
    payments = [payment("a"), payment("b"), payment("c", days=1)]

    plan = submitted.pay(payments, batch=True)
    report = submitted.apply(plan)

    assert plan.counts() == {"payment": 1, "batch_payment": 1}
    assert (report.done("payment"), report.done("batch_payment")) == (3, 1)
    assert sums(product) == [("PAYBATCH", Decimal(30))]
    assert {each.status for each in product.live_bills()} == {"PAID"}
    for batch in (True, False):
        again = submitted.pay(payments, batch=batch)
        assert (len(again), again.findings) == (0, ())


def test_parts_of_one_bill_are_never_in_one_sum(product: Product, submitted: Payables) -> None:
    parts = [payment("a", "3.00", name="1"), payment("a", "3.00", name="2"), payment("b", "1.00"), payment("c", "2.00")]

    submitted.apply(submitted.pay(parts, batch=True))

    assert sums(product) == [("PAYBATCH", Decimal(6))]
    assert [each.amount_due for each in product.live_bills()] == [Decimal(4), Decimal(19), Decimal(28)]
    assert not submitted.pay(parts, batch=True)


def test_each_payment_may_come_from_an_account_of_its_own(product: Product, submitted: Payables) -> None:
    product.books.add_account("095", "Card", type="BANK")
    payments = [payment("a", account="095"), payment("b", account="610"), payment("c", account="999")]

    plan = Payables(product.xero()).pay(payments)
    submitted.apply(plan)

    assert product.books.balance(product.books.account("095").id) == -10
    assert [(each.code, each.about) for each in plan.findings] == [("account cannot pay", f"p-{name}") for name in "bc"]


def test_a_batch_refused_for_one_of_its_bills_pays_the_others_alone(product: Product, submitted: Payables) -> None:
    payments = [payment("a"), payment("b"), payment("c")]
    voided = next(each.id for each in product.live_bills() if each.number == "b")

    def void(request: Request) -> None:
        if is_write(request, "/BatchPayments"):
            product.books.void_invoice(voided)

    xero = product.xero(transport=Through(product.simulator.transport, before=void))
    unlucky = Payables(xero, payment_account=BANK)
    report = unlucky.apply(unlucky.pay(payments, batch=True))
    assert [each.code for each in report.findings] == ["refused by Xero"]

    singly = submitted.pay(payments, batch=True)
    submitted.apply(singly)

    assert singly.counts() == {"payment": 2}
    assert [(each.number, each.status) for each in product.live_bills()] == [("a", "PAID"), ("c", "PAID")]
    assert not submitted.pay(payments, batch=True)


def test_a_bill_edited_after_planning_leaves_the_others_in_the_batch(product: Product, submitted: Payables) -> None:
    payments = [payment("a"), payment("b"), payment("c")]
    plan = submitted.pay(payments, batch=True)
    edited = next(each for each in product.live_bills() if each.number == "b")
    product.books.edit_invoice(edited.id, amount=Decimal(25))

    report = submitted.apply(plan)

    assert [(each.code, each.about) for each in report.findings] == [("changed since planned", "p-b")]
    assert sums(product) == [("PAYBATCH", Decimal(40))]
    submitted.apply(submitted.pay(payments, batch=True))
    assert {each.status for each in product.live_bills()} == {"PAID"}


def test_a_batch_whose_answer_was_lost_is_found_and_its_payments_with_it(product: Product, submitted: Payables) -> None:
    payments = [payment("a", "1.00"), payment("b", "2.00")]
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BatchPayments")
    submitted.apply(submitted.pay(payments, batch=True))

    open_ones = submitted.pay(payments)
    recovery = submitted.recover()

    assert [(each.code, each.about) for each in open_ones.findings] == [
        ("outcome unknown", "p-a"),
        ("outcome unknown", "p-b"),
    ]
    assert not open_ones
    assert recovery.found == 1
    assert not submitted.pay(payments)
    assert sums(product) == [("PAYBATCH", Decimal(3))]


@pytest.mark.parametrize(("first", "second"), [("1", "2"), ("3", "4"), ("5", "6"), ("7", "8"), ("a", "b")])
def test_a_part_in_doubt_is_not_taken_for_its_twin_in_a_batch_in_doubt(
    product: Product, submitted: Payables, first: str, second: str
) -> None:
    """The payments of a batch carry no mark: a part of the same amount and day looked like one somebody typed."""
    parts = [payment("a", "3.00", name=first), payment("a", "3.00", name=second), payment("b", "1.00")]
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BatchPayments")
    product.simulator.faults.plan(Fault.LOST_BEFORE, method="PUT", path="/Payments")
    submitted.apply(submitted.pay(parts, batch=True))

    recovery = submitted.recover()

    assert recovery.found == 1
    assert {each.code for each in recovery.findings} <= {"changed since planned"}
    submitted.apply(submitted.pay(parts, batch=True))
    assert [each.amount_due for each in product.live_bills()] == [Decimal(4), Decimal(19), Decimal(30)]
    assert not submitted.pay(parts, batch=True)


def test_the_payments_of_a_batch_in_doubt_are_not_taken_for_those_of_a_refused_one(
    product: Product, submitted: Payables
) -> None:
    parts = [payment(of, "2.00", name=f"{of}/{part}") for part in range(2) for of in ("a", "b")]
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BatchPayments")
    submitted.apply(submitted.pay(parts[:2], batch=True))
    product.clock.advance(600)

    plan = submitted.pay(parts, batch=True)  # planned while nobody knows what became of the first two
    submitted.apply(plan)
    submitted.apply(submitted.pay(parts, batch=True))

    assert sums(product) == [("PAYBATCH", Decimal(4))] * 2
    assert [each.amount_due for each in product.live_bills()] == [Decimal(6), Decimal(16), Decimal(30)]
    assert not submitted.pay(parts, batch=True)


def test_a_part_waits_while_nobody_can_say_what_became_of_the_batch_of_its_twin(
    product: Product, submitted: Payables
) -> None:
    parts = [payment("a", "3.00", name="1"), payment("a", "3.00", name="2"), payment("b", "1.00")]
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BatchPayments")
    product.simulator.faults.plan(Fault.LOST_BEFORE, method="PUT", path="/Payments")
    submitted.apply(submitted.pay(parts, batch=True))
    product.simulator.faults.plan(Fault.SERVER_ERROR, method="GET", path="/BatchPayments", times=20)

    held = submitted.recover()
    product.simulator.faults.clear()
    product.clock.advance(7 * 3600)
    recovery = submitted.recover()

    assert {each.code for each in held.findings} == {"outcome unknown"}
    assert {each.code for each in recovery.findings} <= {"changed since planned"}
    submitted.apply(submitted.pay(parts, batch=True))
    assert [each.amount_due for each in product.live_bills()] == [Decimal(4), Decimal(19), Decimal(30)]


def test_plans_that_overlap_pay_nothing_twice(product: Product, submitted: Payables) -> None:
    few = submitted.pay([payment("a", "1.00"), payment("b", "1.00")], batch=True)
    more = submitted.pay([payment("a", "1.00"), payment("b", "1.00"), payment("c", "1.00")], batch=True)
    alone = submitted.pay([payment("a", "1.00")])

    for plan in (few, more, alone):
        submitted.apply(plan)

    assert [each.amount_due for each in product.live_bills()] == [Decimal(9), Decimal(19), Decimal(29)]


def test_a_batch_removed_by_hand_is_a_finding_for_each_of_its_payments(product: Product, submitted: Payables) -> None:
    payments = [payment("a"), payment("b")]
    submitted.apply(submitted.pay(payments, batch=True))
    product.books.remove_batch_payment(product.books.batch_payments[0].id)

    plan = submitted.pay(payments, batch=True)

    assert not plan
    assert [(each.code, each.about) for each in plan.findings] == [("removed in Xero", f"p-{name}") for name in "ab"]


@pytest.mark.parametrize("listed", [True, False], ids=["payments listed", "payments not listed"])
def test_a_batch_that_was_removed_before_its_lost_answer_was_looked_for_can_be_put_back(*, listed: bool) -> None:
    """Whether or not Xero still says which payments went with it (F 4.25): its bills are paid again, each once."""
    product = found_product(switches=Switches(deleted_payments_are_listed=listed))
    purchases = Payables(product.xero(), payment_account=BANK)
    purchases.apply(purchases.submit([bill("a"), bill("b", "20.00")]))
    payments = [payment("a"), payment("b")]
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BatchPayments")
    purchases.apply(purchases.pay(payments, batch=True))
    product.books.remove_batch_payment(product.books.batch_payments[0].id)
    assert [each.code for each in purchases.recover().findings] == ["removed in Xero"]

    drift = Ledger(product.xero()).drift()
    for plan in (drift.restore(), Ledger(product.xero()).drift().restore()):
        purchases.apply(plan)

    assert [(each.about, each.field) for each in drift] == [
        ("bill payment/p-a", DriftField.EXISTENCE),
        ("bill payment/p-b", DriftField.EXISTENCE),
    ]
    assert sorted(each.amount for each in product.live_payments()) == [10, 20]
    assert {each.status for each in product.live_bills()} == {"PAID"}
    after = purchases.pay(payments, batch=True)
    assert (len(after), after.findings) == (0, ())
    ledger = Ledger(product.xero())
    assert (ledger.drift().drifts, ledger.audit().findings) == ((), ())


@pytest.mark.parametrize("days", [0, 1])
@pytest.mark.parametrize("listed", [True, False], ids=["payments listed", "payments not listed"])
def test_what_people_typed_anew_for_a_batch_that_was_found_removed_is_taken_over(*, listed: bool, days: int) -> None:
    product = found_product(switches=Switches(deleted_payments_are_listed=listed))
    purchases = Payables(product.xero(), payment_account=BANK)
    purchases.apply(purchases.submit([bill("a"), bill("b", "20.00")]))
    payments = [payment("a"), payment("b")]
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BatchPayments")
    purchases.apply(purchases.pay(payments, batch=True))
    product.books.remove_batch_payment(product.books.batch_payments[0].id)
    purchases.recover()
    on = DAY + timedelta(days=days)
    typed = {
        f"p-{each.number}": product.books.add_payment(each.id, account=BANK, amount=each.total, date=on).id
        for each in product.live_bills()
    }
    restore = Ledger(product.xero()).drift().restore()
    assert (len(restore), {each.code for each in restore.findings}) == (0, {"perhaps typed by hand"})

    plan = purchases.backfill([], payments=payments)
    purchases.apply(plan)
    purchases.apply(purchases.backfill([], payments=payments, chosen=typed))

    assert [each.code for each in plan.findings] == (["which one is it"] * 2 if days else [])
    after = purchases.pay(payments, batch=True)
    assert (len(after), after.findings) == (0, ())
    assert sorted(each.amount for each in product.live_payments()) == [10, 20]
    assert not Ledger(product.xero()).drift()


def test_a_crash_while_a_batch_is_found_removed_leaves_all_of_it_to_be_put_back() -> None:
    for moment in count(1, 5):
        mortal, fuse = found_mortal(), Fuse(moment)
        purchases = Payables(mortal.client(Fuse()), payment_account=BANK)
        purchases.apply(purchases.submit([bill("a"), bill("b", "20.00")]))
        mortal.product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BatchPayments")
        purchases.apply(purchases.pay([payment("a"), payment("b")], batch=True))
        mortal.product.books.remove_batch_payment(mortal.product.books.batch_payments[0].id)

        with suppress(Crash):
            dying = mortal.client(fuse)
            Ledger(dying).recover()
            Payables(dying).apply(Ledger(dying).drift().restore())
        heir = mortal.client(Fuse())
        Ledger(heir).recover()
        Payables(heir).apply(Ledger(heir).drift().restore())

        assert sorted(each.amount for each in mortal.product.live_payments()) == [10, 20], moment
        assert {each.status for each in mortal.product.live_bills()} == {"PAID"}
        if not fuse.dead:
            break
    assert moment > 20


@pytest.mark.parametrize("listed", [True, False], ids=["payments listed", "payments not listed"])
def test_a_batch_that_was_found_removed_is_left_so_where_that_is_accepted(*, listed: bool) -> None:
    product = found_product(switches=Switches(deleted_payments_are_listed=listed))
    purchases = Payables(product.xero(), payment_account=BANK)
    purchases.apply(purchases.submit([bill("a"), bill("b", "20.00")]))
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BatchPayments")
    purchases.apply(purchases.pay([payment("a"), payment("b")], batch=True))
    product.books.remove_batch_payment(product.books.batch_payments[0].id)
    purchases.recover()

    purchases.apply(Ledger(product.xero()).drift().ignore("bill payment/p-a"))
    purchases.apply(Ledger(product.xero()).drift().restore())

    assert [(each.number, each.status) for each in product.live_bills()] == [("a", "AUTHORISED"), ("b", "PAID")]
    assert not Ledger(product.xero()).drift()


def test_a_payment_of_a_batch_found_removed_is_not_put_back_on_a_bill_voided_since(
    product: Product, submitted: Payables
) -> None:
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BatchPayments")
    submitted.apply(submitted.pay([payment("a"), payment("b")], batch=True))
    product.books.remove_batch_payment(product.books.batch_payments[0].id)
    submitted.recover()
    product.books.void_invoice(next(each.id for each in product.live_bills() if each.number == "a"))

    plan = Ledger(product.xero()).drift().restore()
    submitted.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [
        ("cannot be put back", "bill payment/p-a"),
        ("cannot be put back", "a"),
    ]
    assert [(each.number, each.status) for each in product.live_bills()] == [("b", "PAID"), ("c", "AUTHORISED")]


def test_a_store_that_forgot_everything_pays_no_part_of_a_batch_twice(product: Product, submitted: Payables) -> None:
    bills = [bill("a"), bill("b", "20.00"), bill("c", "30.00")]
    parts = [payment("a", "1.00"), payment("b", "2.00"), payment("c", "3.00")]
    submitted.apply(submitted.pay(parts[:2], batch=True))
    xero = product.xero(store=MemoryStore())
    forgetful = Payables(xero, payment_account=BANK)
    forgetful.apply(forgetful.submit(bills))

    plan = forgetful.pay(parts, batch=True)
    with pytest.raises(LedgerBehind):
        forgetful.apply(plan)
    Ledger(xero).audit(adopt=True)
    forgetful.apply(plan)

    assert plan.counts() == {"adopt": 2, "payment": 1}
    assert [each.amount_due for each in product.live_bills()] == [Decimal(9), Decimal(18), Decimal(27)]
    assert not forgetful.pay(parts, batch=True)


def test_no_two_batches_bear_one_mark_where_a_forgotten_one_paid_the_twins_of_what_is_paid_now(
    product: Product, submitted: Payables
) -> None:
    parts = [payment(of, "1.00", name=f"{of}/{part}") for part in range(2) for of in ("a", "b")]
    kept = backup(product)
    submitted.apply(submitted.pay(parts[2:], batch=True))
    restore(product, kept)
    xero = product.xero()
    Ledger(xero).audit(adopt=True)
    restored = Payables(xero, payment_account=BANK)

    restored.apply(restored.pay(parts, batch=True))

    assert sums(product) == [("PAYBATCH", Decimal(2))] * 2
    assert [each.amount_due for each in product.live_bills()] == [Decimal(8), Decimal(18), Decimal(30)]
    assert (Ledger(xero).audit().findings, len(restored.pay(parts, batch=True))) == ((), 0)


def _post_behind_the_store(
    product: Product, submitted: Payables, parts: Sequence[BillPayment], *, removed: bool = False
) -> None:
    """*parts* are in Xero as a batch, or were, and a store that was set back thinks that it never left."""
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="PUT", path="/BatchPayments")
    with pytest.raises(RateLimited):
        submitted.apply(submitted.pay(parts, batch=True))
    kept = backup(product)
    product.clock.advance(86_400)
    submitted.recover()
    if removed:
        product.books.remove_batch_payment(product.books.batch_payments[0].id)
    restore(product, kept)
    product.clock.advance(3600)


def test_a_batch_that_a_store_thinks_never_left_is_taken_over_with_its_payments(
    product: Product, submitted: Payables
) -> None:
    parts = [payment("a", "1.00"), payment("b", "2.00")]
    _post_behind_the_store(product, submitted, parts)

    xero = product.xero()
    audit = Ledger(xero).audit(adopt=True)

    assert (audit.adopted, audit.findings) == (1, ())
    assert Ledger(xero).audit().findings == ()
    assert not Payables(xero, payment_account=BANK).pay(parts, batch=True)
    assert [each.amount_due for each in product.live_bills()] == [Decimal(9), Decimal(18), Decimal(30)]


def test_a_batch_that_a_store_thinks_never_left_and_that_was_removed_can_be_put_back(
    product: Product, submitted: Payables
) -> None:
    parts = [payment("a", "1.00"), payment("b", "2.00")]
    _post_behind_the_store(product, submitted, parts, removed=True)

    xero = product.xero()
    Ledger(xero).audit(adopt=True)
    restored = Payables(xero, payment_account=BANK)
    restored.apply(Ledger(xero).drift().restore())

    assert [each.amount_due for each in product.live_bills()] == [Decimal(9), Decimal(18), Decimal(30)]
    assert Ledger(xero).audit().findings == ()
    again = restored.pay(parts, batch=True)
    assert (len(again), again.findings, Ledger(xero).drift().drifts) == (0, (), ())
