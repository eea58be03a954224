"""
Books with settlements in which discrepancies are planted, each of a kind that the docs name.

``python -m tests.receivables.planted --seeds 3000`` plants some in as many books, and says where the report finds
anything else than what was planted.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from random import Random, SystemRandom
from typing import Final

from attrs import evolve
from tests.conftest import BANK, DAY, nzd
from tests.receivables.settled_books import Books, Planted, founded

from xerosync import (
    Discrepancy,
    Fee,
    Fix,
    LineKind,
    Money,
    Reconciliation,
    Settlement,
    SettlementLine,
)
from xerosync.models import AccountCode, BankTransaction, BankTransactionId, LineItem
from xerosync.simulator import Fault
from xerosync.storage import RecordKey

Planter = Callable[[Books], None]
KINDS: Final[dict[str, Planter]] = {}
"""Every kind of discrepancy by its name, as docs/howto/why-not-zero.md lists them."""
OF_BANKS: Final[set[str]] = set()
"""Those that only a clearing account can have that is a bank account."""
OF_OTHERS: Final[set[str]] = set()
"""Those that only a clearing account can have that is none."""


def kind(name: str, *, of_banks: bool = False, of_others: bool = False) -> Callable[[Planter], Planter]:
    def add(planter: Planter) -> Planter:
        KINDS[name] = planter
        if of_banks:
            OF_BANKS.add(name)
        if of_others:
            OF_OTHERS.add(name)
        return planter

    return add


@kind("a line is not posted yet")
def _not_posted(books: Books) -> None:
    if settlement := books.new_line():
        (line,) = settlement.lines
        books.plant("not posted yet", line.id, -line.amount.amount)


@kind("a charge-back is not posted yet")
def _not_charged_back(books: Books) -> None:
    if victim := books.victim():
        line = victim.lines[1]
        back = books.new_line(LineKind.CHARGED_BACK, of=line)
        assert back is not None
        books.plant("not posted yet", back.lines[0].id, line.amount.amount)


@kind("a refund is not posted yet")
def _not_refunded(books: Books) -> None:
    if victim := books.victim():
        line = victim.lines[1]
        refund = books.new_line(LineKind.REFUNDED, of=line)
        assert refund is not None
        books.plant("not posted yet", refund.lines[0].id, line.amount.amount)


@kind("the host has lost a settlement")
def _settlement_lost(books: Books) -> None:
    if victim := books.victim():
        books.settlements.remove(victim)
        for line in victim.lines:
            books.plant("not in your settlements", line.id, line.amount.amount)
        fees, net = victim.proof.fees.amount, victim.proof.net.amount
        if books.through_a_bank:
            books.plant("not in your settlements", victim.id, -fees)
        if victim.paid_out_on is not None:
            books.plant("not in your settlements", victim.id, -net if books.through_a_bank else -net - fees)


@kind("the host still has a settlement that was undone")
def _undone(books: Books) -> None:
    if victim := books.victim():
        books.sales.apply(books.sales.undo_settlement(victim))
        for line in victim.lines:
            books.plant("undone", line.id, -line.amount.amount)
        fees, net = victim.proof.fees.amount, victim.proof.net.amount
        if books.through_a_bank:
            books.plant("undone", victim.id, fees)
        if victim.paid_out_on is not None:
            books.plant("undone", victim.id, net if books.through_a_bank else net + fees)


@kind("the host has lost a line")
def _line_lost(books: Books) -> None:
    if victim := books.victim(paid_out=False):
        lost = victim.lines[1]
        books.replace(victim, evolve(victim, lines=victim.lines[:1]))
        books.plant("not in your settlements", lost.id, lost.amount.amount)


@kind("the host gives a line another amount")
def _line_changed(books: Books) -> None:
    if victim := books.victim(paid_out=False):
        first, second = victim.lines
        more = nzd(second.amount.amount + Decimal("0.01"))
        books.replace(victim, evolve(victim, lines=[first, evolve(second, amount=more)]))
        books.plant("changed since posted", second.id, Decimal("-0.01"))


@kind("the host settles a transaction that is unknown")
def _transaction_unknown(books: Books) -> None:
    line = SettlementLine(id=books.name("line"), transaction="nobody's", amount=nzd(books.amount()))
    books.settlements.append(Settlement(id=books.name("settlement"), on=DAY, lines=[line]))
    books.plant("not created here", line.id, -line.amount.amount)


@kind("the invoice of a line was voided")
def _invoice_voided(books: Books) -> None:
    if settlement := books.new_line():
        (line,) = settlement.lines
        books.product.books.void_invoice(line.transaction)
        books.plant("does not fit", line.id, -line.amount.amount)


@kind("somebody paid a line's invoice by hand")
def _typed_for_us(books: Books) -> None:
    if settlement := books.new_line():
        (line,) = settlement.lines
        books.product.books.add_payment(line.transaction, account=books.clearing, date=books.day())
        books.plant("perhaps typed by hand", line.id, Decimal(0))


@kind("somebody typed a payout that is not posted yet", of_banks=True)
def _payout_typed_for_us(books: Books) -> None:
    if victim := books.victim(paid_out=False):
        on = victim.on + timedelta(days=2)
        books.product.books.add_transfer(
            from_bank=books.clearing, to_bank=BANK, amount=victim.proof.net.amount, date=on
        )
        books.replace(victim, evolve(victim, paid_out_on=on))
        books.plant("perhaps typed by hand", victim.id, Decimal(0))


@kind("somebody typed fees that are not posted yet", of_banks=True)
def _fees_typed_for_us(books: Books) -> None:
    if settlement := books.new_line():
        books.sales.apply(books.sales.settle(settlement))
        fee = books.amount()
        books.product.books.add_bank_transaction(
            books.product.books.contacts[0].id,
            type="SPEND",
            bank=books.clearing,
            amount=fee,
            date=settlement.on,
            account="404",
        )
        books.replace(settlement, evolve(settlement, fees=[Fee(amount=nzd(fee))]))
        books.plant("perhaps typed by hand", settlement.id, Decimal(0))


@kind("somebody removed a payment")
def _payment_removed(books: Books) -> None:
    if victim := books.victim():
        line = books.chance.choice(victim.lines)
        (payment,) = books.product.books.payments_of(line.transaction)
        books.product.books.remove_payment(payment.id)
        books.plant("removed in Xero", line.id, -line.amount.amount)


@kind("somebody removed a payment and typed it anew, later")
def _payment_typed_anew(books: Books) -> None:
    if victim := books.victim():
        line = victim.lines[0]
        (payment,) = books.product.books.payments_of(line.transaction)
        books.product.books.remove_payment(payment.id)
        later = victim.on + timedelta(days=1)
        typed = books.product.books.add_payment(
            line.transaction, account=books.clearing, amount=line.amount.amount, date=later
        )
        books.plant("removed in Xero", line.id, -line.amount.amount)
        books.plant("payment not posted here", typed.id, line.amount.amount)


@kind("somebody removed the fees", of_banks=True)
def _fees_removed(books: Books) -> None:
    if victim := books.victim():
        books.product.books.remove_bank_transaction(_fees_of(books, victim))
        books.plant("removed in Xero", victim.id, victim.proof.fees.amount)


@kind("somebody edited the fees", of_banks=True)
def _fees_edited(books: Books) -> None:
    if victim := books.victim():
        more = Decimal("0.01")
        line = LineItem(
            description="Fees", unit_amount=victim.proof.fees.amount + more, account_code=AccountCode("404")
        )
        edited = BankTransaction(bank_transaction_id=BankTransactionId(_fees_of(books, victim)), line_items=(line,))
        books.product.xero().bank_transactions.update_one(edited)
        books.plant("changed in Xero", victim.id, -more)


@kind("somebody removed a payout")
def _payout_removed(books: Books) -> None:
    if victim := books.victim(paid_out=True):
        net = victim.proof.net.amount
        if books.through_a_bank:
            (transfer,) = [
                each for each in books.product.books.bank_transfers if f"Payout {victim.id} " in each.reference
            ]
            books.product.xero().bank_transfers.delete(transfer.id)
        else:
            moved = books.product.books.bank_transactions
            (paid,) = [each for each in moved if f"Payout {victim.id} " in each.reference]
            books.product.books.remove_bank_transaction(paid.id)
        books.plant("removed in Xero", victim.id, net if books.through_a_bank else net + victim.proof.fees.amount)


@kind("somebody paid another invoice into the account")
def _payment_typed(books: Books) -> None:
    invoice = books.product.invoice("Bo Lee", str(books.amount()))
    payment = books.product.books.add_payment(invoice.id, account=books.clearing, date=books.day())
    books.plant("payment not posted here", payment.id, payment.amount)


@kind("somebody paid a bill from the account")
def _bill_paid(books: Books) -> None:
    vendor = books.product.books.add_contact(books.name("Vendor"))
    bill = books.product.books.add_invoice(vendor.id, type="ACCPAY", number=books.name("B"), amount=books.amount())
    payment = books.product.books.add_payment(bill.id, account=books.clearing, date=books.day())
    books.plant("payment not posted here", payment.id, -payment.amount)


@kind("somebody typed a payment that was posted too")
def _payment_twice(books: Books) -> None:
    if victim := books.victim():
        line = victim.lines[0]
        rest = books.product.books.invoice(line.transaction).amount_due
        if rest < line.amount.amount:
            books.untouched.append(victim)
            return
        typed = books.product.books.add_payment(
            line.transaction, account=books.clearing, amount=line.amount.amount, date=victim.on
        )
        books.plant("perhaps entered twice", typed.id, line.amount.amount)


@kind("a payment took effect twice")
def _payment_doubled(books: Books) -> None:
    if victim := books.victim():
        line = victim.lines[0]
        (payment,) = books.product.books.payments_of(line.transaction)
        if books.product.books.invoice(line.transaction).amount_due < payment.amount:
            books.untouched.append(victim)
            return
        double = books.product.books.add_payment(
            line.transaction,
            account=books.clearing,
            amount=payment.amount,
            date=payment.date,
            reference=payment.reference,
        )
        books.plant("posted twice", double.id, payment.amount)


@kind("somebody received money into the account", of_banks=True)
def _received(books: Books) -> None:
    _moved(books, "RECEIVE", 1)


@kind("somebody spent money from the account", of_banks=True)
def _spent(books: Books) -> None:
    _moved(books, "SPEND", -1)


@kind("somebody transferred money out of the account", of_banks=True)
def _transferred_out(books: Books) -> None:
    amount = books.amount()
    made = books.product.books.add_transfer(from_bank=books.clearing, to_bank=BANK, amount=amount, date=books.day())
    books.plant("transfer not posted here", made.id, -amount)


@kind("somebody transferred money into the account", of_banks=True)
def _transferred_in(books: Books) -> None:
    amount = books.amount()
    made = books.product.books.add_transfer(from_bank=BANK, to_bank=books.clearing, amount=amount, date=books.day())
    books.plant("transfer not posted here", made.id, amount)


@kind("somebody typed a payout that was posted too", of_banks=True)
def _payout_twice(books: Books) -> None:
    if victim := books.victim(paid_out=True):
        net = victim.proof.net.amount
        if net <= 0:
            return
        made = books.product.books.add_transfer(
            from_bank=books.clearing, to_bank=BANK, amount=net, date=victim.paid_out_on
        )
        books.plant("perhaps entered twice", made.id, -net)


@kind("a payout took effect twice", of_banks=True)
def _payout_doubled(books: Books) -> None:
    if victim := books.victim(paid_out=True):
        (payout,) = [
            each for each in books.product.books.bank_transfers if each.reference.startswith(f"Payout {victim.id} ")
        ]
        net = victim.proof.net.amount
        source, target = (books.clearing, BANK) if net > 0 else (BANK, books.clearing)
        double = books.product.books.add_transfer(
            from_bank=source, to_bank=target, amount=abs(net), date=payout.date, reference=payout.reference
        )
        books.plant("posted twice", double.id, -net)


@kind("an answer was lost after the payment was posted")
def _answer_lost(books: Books) -> None:
    _lost(books, Fault.LOST_AFTER)


@kind("an answer was lost before the payment was posted")
def _request_lost(books: Books) -> None:
    _lost(books, Fault.LOST_BEFORE)


@kind("the store lost the record of a payment")
def _forgotten(books: Books) -> None:
    if victim := books.victim():
        line = victim.lines[1]
        store, tenant = books.product.store, books.product.books.tenant_id
        (payment,) = books.product.books.payments_of(line.transaction)
        (record,) = store.query("intent", tenant, lookup=("xero_id", payment.id))
        store.commit([], deletes=[RecordKey("intent", tenant, record.key)])
        books.plant("payment the store does not know", line.id, Decimal(0))


def _lost(books: Books, fault: Fault) -> None:
    if settlement := books.new_line():
        (line,) = settlement.lines
        books.product.simulator.faults.plan(fault, method="PUT", path="/Payments")
        books.sales.apply(books.sales.settle(settlement))
        books.plant("still open", line.id, Decimal(0) if fault is Fault.LOST_AFTER else -line.amount.amount)


def _moved(books: Books, type_: str, sign: int) -> None:
    contact, amount = books.product.books.add_contact(books.name("Somebody")), books.amount()
    made = books.product.books.add_bank_transaction(
        contact.id, type=type_, bank=books.clearing, amount=amount, date=books.day()
    )
    books.plant("bank transaction not posted here", made.id, sign * amount)


def _fees_of(books: Books, settlement: Settlement) -> str:
    moved = books.product.books.bank_transactions
    (fees,) = [each.id for each in moved if each.reference.startswith(f"Fees {settlement.id} ")]
    return fees


@kind("somebody posted a journal to the account", of_others=True)
def _journalled(books: Books) -> None:
    """What no document explains: journals, which go to accounts that are no bank accounts alone."""
    amount = books.amount()
    books.product.books.add_journal("moved", {books.clearing: amount, "404": -amount}, date=DAY)
    _plant_in_sum(books, "other movements", amount)


@kind("fees of a settlement are on the account itself", of_others=True)
def _kept(books: Books) -> None:
    if settlement := books.new_line():
        fee = books.chance.randint(1, 19)
        fees = [Fee(amount=nzd(Decimal(fee).scaleb(-2)), account=books.clearing)]
        whole = evolve(settlement, fees=fees, paid_out_on=settlement.on)
        books.replace(settlement, whole)
        books.sales.apply(books.sales.settle(whole))
        _plant_in_sum(books, "kept on the account", Decimal(fee).scaleb(-2))


def _plant_in_sum(books: Books, code: str, amount: Decimal) -> None:
    """Plant what is told in one sum, of all that there is of it."""
    others = [each for each in books.planted if each.code == code]
    if others:
        books.planted.remove(others[0])
        amount += others[0].amount
    if amount:
        books.plant(code, "", amount)


_LAST: Final = (
    "an answer was lost after the payment was posted",
    "an answer was lost before the payment was posted",
    "the store lost the record of a payment",
)


def plant(seed: int, kinds: Sequence[str], *, through_a_bank: bool) -> Books:
    """Books of this *seed* with a discrepancy of each of *kinds* that they can have."""
    books = founded(Random(f"books {seed}"), through_a_bank=through_a_bank)
    # Whatever is sent closes what was left open, and is refused once the store is known to have lost something.
    last = [name for name in kinds if name in _LAST][:1]
    for name in [*(each for each in kinds if each not in _LAST), *last]:
        if name not in (OF_OTHERS if through_a_bank else OF_BANKS):
            KINDS[name](books)
    return books


def wrong_with(books: Books) -> list[str]:
    """Whatever the report finds that was not planted, or does not find that was; and every sum that does not hold."""
    report = books.reconciled()
    found = Counter(Planted(each.code, each.about, each.amount.amount) for each in report.discrepancies)
    planted = Counter(books.planted)
    wrong = [f"not planted: {each}" for each in (found - planted).elements()]
    wrong += [f"not found: {each}" for each in (planted - found).elements()]
    balance = books.product.books.balance(books.product.books.account(books.clearing).id)
    if report.balance.amount != balance:
        wrong.append(f"the balance is {balance}, and the report says {report.balance}")
    if report.in_flight + Money.total((each.amount for each in report.discrepancies), "NZD") != report.balance:
        wrong.append("the sum does not hold")
    if not report.explained:
        wrong.append("it says itself that it is not explained")
    wrong += [
        f"says too little: {each.code} {each.about}" for each in report.discrepancies if not _is_told(books, each)
    ]
    return [*wrong, *differences(report, books.reconciled(brief=True))]


def _is_told(books: Books, found: Discrepancy) -> bool:
    """Whether a person can go by it: its cause, what is at stake, what to do, who can, and where it is in Xero."""
    transfers = {each.id for each in books.product.books.bank_transfers}  # Xero names no address of these
    leads = found.link is not None or not found.xero_id or found.xero_id in transfers
    return bool(found.cause and found.fix and found.who and found.worth and leads)


def differences(whole: Reconciliation, brief: Reconciliation) -> list[str]:
    """What a *brief* report says otherwise than the *whole* one."""
    told = {
        "another discrepancy": (whole.discrepancies, brief.discrepancies),
        "another sum": [(each.opening, each.balance, each.in_flight, each.payments) for each in (whole, brief)],
        "another plan": (whole.plan(_first), brief.plan(_first)),
        "other movements": [(each.statement.money_in, each.statement.money_out) for each in (whole, brief)],
        "something accepted": (whole.accepted, brief.accepted),
    }
    wrong = [f"a brief report has {what}" for what, (theirs, ours) in told.items() if theirs != ours]
    return wrong if brief.explained else [*wrong, "a brief report is not explained"]


def _first(discrepancy: Discrepancy) -> Fix | None:
    return next(iter(discrepancy.fixes), None)


def left_after_fixing(books: Books) -> list[str]:
    """
    What is left once plans have fixed all that plans can fix, nothing of which may have a fix; and what was not there
    before.
    """
    before: set[tuple[str, str]] = set()
    for place in range(4):
        books.sales.recover()
        report = books.reconciled()
        found = {(each.code, each.about) for each in report.discrepancies}
        if place and not found <= before:
            return [f"came with a fix: {code} {about}" for code, about in sorted(found - before)]
        before = found
        plan = report.plan(_first)
        if not plan:
            break
        books.sales.apply(plan)
    else:
        report = books.reconciled()
    return [f"{each.code} {each.about}" for each in report.discrepancies]


def drawn(chance: Random) -> tuple[int, list[str], bool]:
    """A seed, some kinds, and whether the clearing account is a bank account."""
    return chance.randrange(2**32), chance.choices(sorted(KINDS), k=chance.randint(0, 6)), chance.random() < 0.7


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant, report, and compare, over and over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=None)
    chosen = parser.parse_args(arguments)
    first = SystemRandom().randrange(2**32) if chosen.first is None else chosen.first
    planted: Counter[str] = Counter()
    bad = 0
    for number in range(first, first + chosen.seeds):
        seed, kinds, through_a_bank = drawn(Random(number))
        books = plant(seed, kinds, through_a_bank=through_a_bank)
        planted.update(each.code for each in books.planted)
        wrong = wrong_with(books) or [f"left: {each}" for each in left_after_fixing(books)]
        if wrong:
            bad += 1
            print(f"{number}: {kinds}, bank {through_a_bank}: {wrong}", flush=True)  # noqa: T201
        books.product.simulator.close()
    print(f"{chosen.seeds:,} books from {first}, {planted.total():,} discrepancies planted, {bad:,} wrong")  # noqa: T201
    for code, count in sorted(planted.items()):
        print(f"  {count:>7,} {code}")  # noqa: T201
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
