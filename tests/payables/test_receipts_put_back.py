"""Card receipts that people removed or changed in Xero and that were put back: what comes after is of what stands."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import BillFile, BillLine, CardSpend, Customer, Ledger, MemoryStore, Payables, Receivables, Xero
from xerosync.models import AccountCode, BankTransaction, BankTransactionId, LineItem
from xerosync.simulator import Fault


def receipt(amount: str = "23.00", *, vendor: str = "Taxi Ltd", reference: str = "T-1") -> CardSpend:
    line = BillLine(description="taxi", amount=nzd(amount), account=AccountCode("493"))
    return CardSpend(id="s1", vendor=vendor, on=DAY, account=BANK, lines=[line], reference=reference)


def _remove(product: Product, xero: Xero) -> None:
    del xero
    product.books.remove_bank_transaction(_standing(product)[0])


def _change(product: Product, xero: Xero) -> None:
    line = LineItem(description="taxi", unit_amount=Decimal(5), account_code=AccountCode("493"))
    standing = BankTransactionId(_standing(product)[0])
    xero.bank_transactions.update([BankTransaction(bank_transaction_id=standing, line_items=(line,))])


def _standing(product: Product) -> list[str]:
    return [each.id for each in product.books.bank_transactions if each.status == "AUTHORISED"]


def spent(product: Product) -> list[Decimal]:
    """What stands in Xero, which is what left the bank."""
    found = [each.total for each in product.books.bank_transactions if each.status == "AUTHORISED"]
    assert product.books.balance(product.books.account(BANK).id) == -sum(found)
    return found


MEDDLED = pytest.mark.parametrize("meddle", [_remove, _change])
Meddle = Callable[[Product, Xero], None]


@pytest.fixture
def put_back(product: Product, purchases: Payables, xero: Xero, meddle: Meddle) -> Payables:
    """A receipt was posted, people meddled with it, and it was put back."""
    purchases.apply(purchases.spend([receipt()]))
    meddle(product, xero)
    restore(purchases, xero)
    assert spent(product) == [23]
    return purchases


def restore(purchases: Payables, xero: Xero) -> None:
    plan = Ledger(xero).drift().restore()
    assert plan
    assert purchases.apply(plan).findings == ()
    assert not Ledger(xero).drift()


@MEDDLED
def test_a_receipt_that_was_put_back_needs_nothing_more(put_back: Payables) -> None:
    again, updated = put_back.spend([receipt()]), put_back.update([receipt()])

    assert (len(again), again.findings, len(updated), updated.findings) == (0, (), 0, ())


@MEDDLED
def test_a_receipt_that_was_put_back_is_changed_as_any_other_each_time_once(
    product: Product, put_back: Payables, xero: Xero
) -> None:
    for amount in ("24.00", "25.00", "23.00"):
        plan = put_back.update([receipt(amount, reference=f"of {amount}")])
        put_back.apply(plan)
        put_back.apply(plan)

        again = put_back.update([receipt(amount, reference=f"of {amount}")])
        assert (len(plan), len(again), again.findings) == (1, 0, ())
        assert spent(product) == [Decimal(amount)]
        assert not Ledger(xero).drift()
        assert [each.code for each in put_back.spend([receipt("9.00")]).findings] == ["changed since posted"]


@MEDDLED
def test_what_was_changed_before_it_was_put_back_is_put_back_as_changed_and_changed_on(
    product: Product, purchases: Payables, xero: Xero, meddle: Meddle
) -> None:
    """The changes of what is gone count no more, and their numbers are not given again."""
    purchases.apply(purchases.spend([receipt()]))
    for before, after in (("24.00", "25.00"), ("26.00", "23.00"), ("23.50", "24.00")):
        purchases.apply(purchases.update([receipt(before, vendor=f"Taxi {before}")]))
        meddle(product, xero)
        restore(purchases, xero)
        assert spent(product) == [Decimal(before)]
        assert not purchases.update([receipt(before, vendor=f"Taxi {before}")])

        purchases.apply(purchases.update([receipt(after)]))

        assert spent(product) == [Decimal(after)]
        again = purchases.update([receipt(after)])
        assert (len(again), again.findings, Ledger(xero).drift().drifts) == (0, (), ())


@MEDDLED
def test_a_receipt_that_was_put_back_is_taken_back_and_stays_away(
    product: Product, put_back: Payables, xero: Xero
) -> None:
    plan = put_back.void(["s1"])
    put_back.apply(plan)

    assert (len(plan), spent(product), len(Ledger(xero).drift())) == (1, [], 0)
    for later in (put_back.spend([receipt()]), put_back.update([receipt("24.00")])):
        assert (len(later), [each.code for each in later.findings]) == (0, ["withdrawn"])
    assert not put_back.void(["s1"])


def test_a_receipt_of_which_nobody_knows_whether_it_was_put_back_waits(
    product: Product, purchases: Payables, xero: Xero
) -> None:
    purchases.apply(purchases.spend([receipt()]))
    _remove(product, xero)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BankTransactions")
    purchases.apply(Ledger(xero).drift().restore())

    waiting = (purchases.spend([receipt()]), purchases.update([receipt("24.00")]), purchases.void(["s1"]))
    assert [len(each) for each in waiting] == [0, 0, 0]
    assert [[each.code for each in plan.findings] for plan in waiting] == [["still open"]] * 3

    purchases.recover()
    purchases.apply(purchases.update([receipt("24.00")]))

    assert spent(product) == [24]
    assert not Ledger(xero).drift()


def test_a_change_in_doubt_of_a_receipt_that_was_removed_is_made_on_what_was_put_back(
    product: Product, purchases: Payables, xero: Xero
) -> None:
    """It never reached what is gone, and goes to what stands under the number that it had."""
    purchases.apply(purchases.spend([receipt()]))
    product.simulator.faults.plan(Fault.LOST_BEFORE, method="POST", path="/BankTransactions")
    purchases.apply(purchases.update([receipt("24.00")]))
    _remove(product, xero)
    purchases.recover()
    restore(purchases, xero)
    assert spent(product) == [23]

    purchases.apply(purchases.update([receipt("24.00")]))

    assert spent(product) == [24]
    again = purchases.update([receipt("24.00")])
    assert (len(again), again.findings, Ledger(xero).drift().drifts) == (0, (), ())


def test_a_receipt_that_was_only_removed_to_be_put_back_is_put_back_by_the_next_plan(
    product: Product, purchases: Payables, xero: Xero
) -> None:
    """A run that died in between had made room for it, and nothing told of it any more."""
    purchases.apply(purchases.spend([receipt()]))
    _change(product, xero)
    plan = Ledger(xero).drift().restore()
    purchases.apply(plan.only(lambda action: action.kind == "bank_transaction_removal"))
    assert spent(product) == []

    restore(purchases, xero)

    assert spent(product) == [23]
    assert not purchases.spend([receipt()]).findings


@MEDDLED
def test_a_store_that_forgot_takes_over_what_was_put_back_and_what_it_took_the_place_of(
    product: Product, put_back: Payables, xero: Xero, meddle: Meddle
) -> None:
    """Else it would call the receipt removed, and somebody would submit it under a new id besides."""
    meddle(product, xero)
    restore(put_back, xero)
    other = product.xero(store=MemoryStore())
    forgetful = Payables(other, payment_account=BANK)
    Ledger(other).audit(adopt=True)

    plan = forgetful.spend([receipt()])
    forgetful.apply(plan)

    assert plan.counts() == {"adopt": 3}
    again = forgetful.spend([receipt()])
    assert (len(again), again.findings, Ledger(other).drift().drifts) == (0, (), ())
    forgetful.apply(forgetful.update([receipt("24.00")]))
    assert spent(product) == [24]
    forgetful.apply(forgetful.void(["s1"]))
    assert spent(product) == []


@MEDDLED
def test_a_file_of_what_is_gone_is_attached_to_what_was_put_back_once(
    product: Product, purchases: Payables, xero: Xero, meddle: Meddle
) -> None:
    purchases.apply(purchases.spend([receipt()]))
    file = BillFile(bill_id="s1", name="taxi.pdf", content=b"%PDF-1.4", of=CardSpend)
    purchases.apply(purchases.attach([file]))
    assert not purchases.attach([file])
    meddle(product, xero)
    restore(purchases, xero)

    purchases.apply(purchases.attach([file]))

    (standing,) = _standing(product)
    assert [each.name for each in product.books.attachments_of(standing)] == ["taxi.pdf"]
    assert not purchases.attach([file])


@MEDDLED
def test_a_file_that_comes_later_is_attached_to_what_was_put_back(product: Product, put_back: Payables) -> None:
    put_back.apply(put_back.attach([BillFile(bill_id="s1", name="taxi.pdf", content=b"%PDF-1.4", of=CardSpend)]))

    (standing,) = _standing(product)
    assert [each.name for each in product.books.attachments_of(standing)] == ["taxi.pdf"]


@MEDDLED
@pytest.mark.parametrize("by_hand", [False, True])
def test_that_files_do_not_come_back_with_a_receipt_is_said_by_the_plan(
    product: Product, purchases: Payables, xero: Xero, meddle: Meddle, *, by_hand: bool
) -> None:
    purchases.apply(purchases.spend([receipt()]))
    if by_hand:
        product.books.attach("BankTransactions", _standing(product)[0], "paper.pdf", b"%PDF-1.4")
    else:
        purchases.apply(purchases.attach([BillFile(bill_id="s1", name="taxi.pdf", content=b"%PDF-1.4")]))
    meddle(product, xero)

    (told,) = Ledger(xero).drift().restore().findings

    assert (told.code, told.about) == ("not all comes back", "card/s1")
    assert "without its files" in told.cause
    restore(purchases, xero)
    assert spent(product) == [23]


@MEDDLED
def test_that_its_lines_are_billable_no_more_is_said_by_the_plan(
    product: Product, purchases: Payables, xero: Xero, meddle: Meddle
) -> None:
    sales = Receivables(xero)
    product.books.add_contact("Ana")
    sales.apply(sales.match([Customer(id="ana", custom_identifier="Ana")]))
    line = BillLine(description="taxi", amount=nzd("23.00"), account=AccountCode("493"), billable_to="ana")
    spend = CardSpend(id="s1", vendor="Taxi Ltd", on=DAY, account=BANK, lines=[line])
    purchases.apply(purchases.spend([spend]))
    purchases.apply(purchases.mark_billable([spend]))
    meddle(product, xero)

    (told,) = Ledger(xero).drift().restore().findings
    restore(purchases, xero)
    purchases.apply(purchases.mark_billable([spend]))
    purchases.apply(purchases.mark_billable([evolve(spend, lines=[evolve(line, billable_to="")])]))
    meddle(product, xero)
    again = Ledger(xero).drift().restore()

    assert (told.code, "without the marks of its billable lines" in told.cause) == ("not all comes back", True)
    assert again
    assert again.findings == ()


def _typed_anew(product: Product) -> str:
    (vendor,) = (each.id for each in product.books.contacts if each.name == "Taxi Ltd")
    return product.books.add_bank_transaction(vendor, amount=Decimal("23.00"), account="493", date=DAY).id


def test_a_receipt_that_was_typed_anew_is_not_put_back_beside(
    product: Product, purchases: Payables, xero: Xero
) -> None:
    purchases.apply(purchases.spend([receipt()]))
    _remove(product, xero)
    early = Ledger(xero).drift().restore()
    typed = _typed_anew(product)

    plan = Ledger(xero).drift().restore()

    (finding,) = plan.findings
    assert (len(plan), finding.code) == (0, "perhaps typed by hand")
    assert finding.fix == "follow or ignore it, and give it under a new id; or remove what was typed in Xero"
    assert [each.worth for each in early] == [nzd("-23.00")]
    product.books.remove_bank_transaction(typed)
    restore(purchases, xero)
    assert spent(product) == [23]


def test_a_receipt_is_put_back_beside_what_was_there_when_it_was_posted(
    product: Product, purchases: Payables, xero: Xero
) -> None:
    product.books.add_contact("Taxi Ltd")
    _typed_anew(product)
    purchases.apply(purchases.spend([receipt()]))
    (ours,) = (each.id for each in product.books.bank_transactions if "XS-" in (each.reference or ""))
    product.books.remove_bank_transaction(ours)

    restore(purchases, xero)

    assert spent(product) == [23, 23]
