"""The audit tells what Xero and the ledger do not agree on, and lets a store that is older than the books catch up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal

import pytest
from attrs import define
from tests.conftest import BANK, CLEARING, DAY, Product, Through, is_write, nzd
from tests.engine.backups import backup, restore
from tests.engine.crashes import Crash, Fuse, MortalStore, found_mortal
from tests.engine.scenarios import charged_back, collected, paper

from xerosync import (
    App,
    BillPayment,
    Customer,
    Ledger,
    LineKind,
    MemoryStore,
    Payables,
    Receivables,
    Settlement,
    SettlementLine,
    Tokens,
    Xero,
)
from xerosync.errors import InvalidInput, LedgerBehind
from xerosync.ports import Request
from xerosync.simulator import Fault, VirtualClock
from xerosync.storage import Record


class LostOnTheWay(BaseException):
    """The process ends with its write on the way."""


@define
class Clock:
    """The books' clock; while somebody sleeps by it, something happens."""

    right: VirtualClock
    meanwhile: Callable[[], object]

    def now(self) -> datetime:
        return self.right.now()

    async def sleep(self, seconds: float) -> None:
        await self.right.sleep(seconds)
        self.meanwhile()


def story(product: Product) -> Receivables:
    return Receivables(product.xero(), clearing_account=CLEARING)


def parts(transaction: str, *amounts: str) -> Settlement:
    lines = [SettlementLine(id=f"L{amount}", transaction=transaction, amount=nzd(amount)) for amount in amounts]
    return Settlement(id="S1", on=DAY, lines=lines)


def test_books_that_agree_have_no_findings(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = story(product)
    sales.apply(sales.settle(collected(invoice.id)))
    sales.apply(sales.settle(charged_back(invoice.id)))
    purchases = Payables(product.xero(), payment_account=BANK)
    purchases.apply(purchases.submit([paper("b", "10.00"), paper("c", "-4.00")]))
    purchases.apply(purchases.settle_credits())

    audit = Ledger(product.xero()).audit()

    assert audit
    assert (audit.seen, audit.findings) == (3, ())
    assert str(audit) == "3 documents with our marks · all is well"


def test_what_is_missing_doubled_foreign_and_deleted_is_told(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = story(product)
    sales.apply(sales.settle(parts(invoice.id, "10.00", "11.00", "12.00")))
    by_amount = {each.amount: each for each in product.live_payments()}
    product.books.add_payment(
        invoice.id, account=CLEARING, amount=Decimal(10), date=DAY, reference=by_amount[Decimal(10)].reference
    )
    product.books.remove_payment(by_amount[Decimal(11)].id)
    _, sign = by_amount[Decimal(12)].reference.rsplit(".", 1)
    foreign = product.books.add_payment(
        invoice.id, account=CLEARING, amount=Decimal(5), date=DAY, reference=f"XS-ABCDEFGHIJKLM.{sign}"
    )
    kept = [each for each in product.store.query("intent", product.books.tenant_id) if "12.00" in each.body]
    lost = [each.with_body(each.body.replace("L12.00", "L99.00"), state="confirmed") for each in kept]
    moved = [Record("intent", each.tenant, f"zzzz{each.key[4:]}", each.body, each.state) for each in lost]
    nowhere = [each.with_body(each.body.replace(by_amount[Decimal(12)].id, "nowhere")) for each in moved]
    product.store.commit(nowhere)
    product.clock.advance(3600)

    audit = Ledger(product.xero()).audit()

    assert not audit
    assert audit.missing == ("L99.00",)
    assert audit.doubled == ("L10.00",)
    assert audit.deleted == ("L11.00",)
    assert audit.foreign == (foreign.id,)
    assert "1 doubled" in str(audit)
    assert len(product.books.payments) == 5  # it has removed nothing


def test_what_was_put_back_and_removed_while_in_doubt_is_told_as_deleted(product: Product) -> None:
    sales = story(product)
    sales.apply(sales.settle(parts(product.collectable("100.00").id, "10.00")))
    ledger = Ledger(product.xero())
    product.books.remove_payment(product.live_payments()[0].id)
    product.clock.advance(3600)
    plan = ledger.drift().restore()
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    sales.apply(plan)
    product.books.remove_payment(product.live_payments()[0].id)
    product.clock.advance(3600)
    sales.recover()
    product.clock.advance(3600)

    assert ledger.audit().deleted == ("L10.00",)


def test_a_batch_whose_payments_were_put_back_is_not_told_as_deleted(product: Product) -> None:
    bills = Payables(product.xero(), payment_account=BANK)
    bills.apply(bills.submit([paper("a", "10.00"), paper("b", "10.00")]))
    payments = [BillPayment(id=f"p{name}", bill_id=name, on=DAY, amount=nzd("4.00")) for name in "ab"]
    bills.apply(bills.pay(payments, batch=True))
    ledger = Ledger(product.xero())
    product.books.remove_batch_payment(product.books.batch_payments[0].id)
    product.clock.advance(3600)
    assert len(ledger.audit().deleted) == 1

    bills.apply(ledger.drift().restore("bill payment/pa"))
    product.clock.advance(3600)
    assert len(ledger.audit().deleted) == 1
    bills.apply(ledger.drift().restore())
    product.clock.advance(3600)

    assert ledger.audit().deleted == ()


def test_what_was_put_back_is_not_told_as_deleted(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = story(product)
    sales.apply(sales.settle(parts(invoice.id, "10.00", "11.00")))
    ledger = Ledger(product.xero())
    for payment in product.live_payments():
        product.books.remove_payment(payment.id)
    product.clock.advance(3600)
    assert sorted(ledger.audit().deleted) == ["L10.00", "L11.00"]

    sales.apply(ledger.drift().restore("L10.00"))
    product.clock.advance(3600)

    audit = ledger.audit()
    assert audit.deleted == ("L11.00",)


def test_the_documents_of_another_product_on_this_library_are_not_ours(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = story(product)
    sales.apply(sales.settle(collected(invoice.id)))
    other = product.simulator.register_app("Another product")
    given = product.simulator.consent(other, tenants=[product.books.tenant_id])
    xero = Xero(
        App(other.client_id, other.client_secret),
        product.books.tenant_id,
        store=MemoryStore(),
        transport=product.simulator.transport,
        clock=product.clock,
        quarantine_s=0.0,
    )
    xero.connect(Tokens(given.access_token, given.refresh_token, product.clock.now()))
    purchases = Payables(xero, payment_account=BANK)

    purchases.apply(purchases.submit([paper("b", "10.00")]))
    purchases.apply(purchases.pay([]))

    assert [each.total for each in product.live_bills()] == [Decimal(10)]
    assert Ledger(xero).audit().findings == ()
    assert Ledger(product.xero()).audit().findings == ()


def test_a_store_older_than_the_books_posts_nothing_until_the_audit_has_caught_up(product: Product) -> None:
    """The backup was taken between the intent and its sending; a restored worker would send it again."""
    invoice = product.collectable("100.00")
    settlement = parts(invoice.id, "10.00", "10.50", "11.00")
    sales = story(product)
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="PUT", path="/Payments")
    with pytest.raises(Exception, match="day limit"):
        sales.apply(sales.settle(settlement))
    kept = backup(product)
    assert [each.state for each in kept if each.kind == "intent"] == ["intended"] * 3
    product.clock.advance(86_400)
    sales.recover()
    assert len(product.standing(invoice.id)) == 3
    restore(product, kept)

    restored = story(product)
    with pytest.raises(LedgerBehind) as behind:
        restored.apply(restored.settle(parts(invoice.id, "10.00", "10.50", "11.00", "12.00")))
    audit = Ledger(product.xero()).audit(adopt=True)
    restored.apply(restored.settle(parts(invoice.id, "10.00", "10.50", "11.00", "12.00")))

    assert behind.value.marks == 3
    assert (audit.adopted, audit.findings) == (3, ())
    assert [amount for amount, _ in product.standing(invoice.id)] == [
        Decimal(10), Decimal("10.50"), Decimal(11), Decimal(12),
    ]  # fmt: skip


def test_a_store_older_than_the_books_does_not_tell_of_findings_alone(product: Product) -> None:
    """Nothing is due of what the backup calls refused, so that nothing is planned: no write would ever tell."""
    invoice = product.collectable("100.00")
    settlement = parts(invoice.id, "40.00", "60.00")
    sales = story(product)
    product.simulator.faults.plan(Fault.PARTIAL_BATCH, method="PUT", path="/Payments")
    sales.apply(sales.settle(settlement))
    kept = backup(product)
    sales.apply(sales.settle(settlement, retry_refused=True))
    assert product.books.invoice(invoice.id).status == "PAID"
    restore(product, kept)

    restored = story(product)
    plan = restored.settle(settlement, retry_refused=True)
    assert (plan.actions, len(plan.findings)) == ((), 1)
    with pytest.raises(LedgerBehind):
        restored.apply(plan)
    assert Ledger(product.xero()).audit(adopt=True).adopted == 1
    again = restored.settle(settlement, retry_refused=True)

    assert (again.actions, again.findings) == ((), ())
    assert [amount for amount, _ in product.standing(invoice.id)] == [Decimal(40), Decimal(60)]


def test_what_was_written_after_the_backup_is_taken_over_when_it_is_planned(product: Product) -> None:
    invoice = product.collectable("100.00")
    kept = backup(product)
    sales = story(product)
    sales.apply(sales.settle(parts(invoice.id, "10.00")))
    restore(product, kept)

    restored = story(product)
    both = restored.settle(parts(invoice.id, "10.00", "11.00"))
    only_the_new = both.only(lambda action: action.host_ref == "L11.00")
    with pytest.raises(LedgerBehind):
        restored.apply(only_the_new)
    assert Ledger(product.xero()).audit(adopt=True).adopted == 1
    restored.apply(restored.settle(parts(invoice.id, "10.00", "11.00")))

    assert [amount for amount, _ in product.standing(invoice.id)] == [Decimal(10), Decimal(11)]
    assert not restored.settle(parts(invoice.id, "10.00", "11.00"))


def test_a_plan_older_than_the_restored_store_posts_nothing_twice(product: Product) -> None:
    """It does not know what the audit has taken over since; what applies it does."""
    purchases = Payables(product.xero(), payment_account=BANK)
    plan = purchases.submit([paper("b", "10.00"), paper("c", "-4.00")])
    kept = backup(product)
    purchases.apply(plan)
    restore(product, kept)
    product.clock.advance(1200)  # longer than Xero remembers an Idempotency-Key

    Ledger(product.xero()).audit(adopt=True)
    report = Payables(product.xero(), payment_account=BANK).apply(plan)

    assert [each.state for each in report.results] == ["confirmed"] * len(plan)
    assert [each.total for each in (*product.live_bills(), *product.books.credit_notes)] == [Decimal(10), Decimal(4)]
    assert Ledger(product.xero()).audit().findings == ()


@pytest.mark.parametrize("name", ["as imported", "made by hand"])
def test_what_paid_a_transaction_that_an_older_store_forgot_is_taken_over_and_charged_back(
    product: Product, name: str
) -> None:
    """Its invoice is paid, so that it is not imported again: what was written for it says what it was."""
    invoice = product.invoice("Ana Costa", "100.00", "INV-1")
    sales = story(product)
    sales.apply(sales.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    kept = backup(product)
    transaction = invoice.id if name == "as imported" else name
    sales.apply(sales.import_invoices() if name == "as imported" else sales.link_transaction(name, invoice="INV-1"))
    sales.apply(sales.settle(parts(transaction, "40.00", "60.00")))
    assert product.books.invoice(invoice.id).status == "PAID"
    restore(product, kept)

    restored = story(product)
    assert not restored.import_invoices()
    assert Ledger(product.xero()).audit(adopt=True).adopted == 2
    restored.apply(restored.settle(parts(transaction, "40.00", "60.00")))

    assert [(each.id, each.invoice_id) for each in restored.transactions()] == [(transaction, invoice.id)]
    back = SettlementLine(id="B1", transaction=transaction, amount=nzd("100.00"), kind=LineKind.CHARGED_BACK)
    restored.apply(restored.settle(Settlement(id="S2", on=DAY, lines=[back])))
    assert product.standing(invoice.id) == []
    assert not restored.import_invoices()


def test_a_bill_known_as_intended_and_posted_since_the_backup_is_not_posted_again(product: Product) -> None:
    purchases = Payables(product.xero(), payment_account=BANK)
    purchases.apply(purchases.submit([paper("a", "5.00")]))
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="PUT", path="/Invoices")
    with pytest.raises(Exception, match="day limit"):
        purchases.apply(purchases.submit([paper("b", "10.00")]))
    kept = backup(product)
    product.clock.advance(86_400)
    purchases.recover()
    restore(product, kept)

    restored = Payables(product.xero(), payment_account=BANK)
    with pytest.raises(LedgerBehind):
        restored.recover()
    Ledger(product.xero()).audit(adopt=True)
    restored.apply(restored.submit([paper("a", "5.00"), paper("b", "10.00")]))

    assert sorted(each.total for each in product.live_bills()) == [Decimal(5), Decimal(10)]


def test_a_mark_that_was_noticed_is_not_forgotten_with_the_process_that_noticed_it() -> None:
    """The read that meets it moves on; the next process must know all the same, wherever this one dies."""
    moment = 0
    while True:
        moment += 1
        mortal = found_mortal()
        product = mortal.product
        purchases = Payables(product.xero())
        purchases.apply(purchases.submit([paper("a", "5.00")]))
        kept = backup(product)
        purchases.apply(purchases.submit([paper("b", "10.00")]))
        restore(product, kept)
        mortal.store = MortalStore()
        for record in (*product.store.query("grant", ""), *kept):
            MemoryStore.commit(mortal.store, [record])
        product.store = mortal.store

        fuse = Fuse(moment)
        with suppress(Crash, LedgerBehind):
            dying = Payables(mortal.client(fuse))
            dying.apply(dying.submit([paper("c", "7.00")]))
        product.clock.advance(1000)
        living = Payables(mortal.client(Fuse()))
        with pytest.raises(LedgerBehind):
            living.apply(living.submit([paper("c", "7.00")]))
        assert sorted(each.total for each in product.live_bills()) == [Decimal(5), Decimal(10)]
        if not fuse.dead:
            break
    assert moment > 10


def test_the_whole_of_the_books_is_needed_to_take_marks_over(product: Product) -> None:
    with pytest.raises(InvalidInput, match="whole"):
        Ledger(product.xero()).audit(since=datetime(2026, 1, 1, tzinfo=product.clock.now().tzinfo), adopt=True)


def test_an_instant_of_no_zone_is_refused(product: Product) -> None:
    with pytest.raises(InvalidInput, match="since: give an aware datetime"):
        Ledger(product.xero()).audit(since=datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_audit_of_what_changed_since_reads_no_more_than_that(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = story(product)
    sales.apply(sales.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    sales.apply(sales.settle(parts(invoice.id, "10.00")))
    product.clock.advance(86_400)
    since = product.clock.now()
    product.clock.advance(60)
    sales.apply(sales.settle(parts(invoice.id, "10.00", "11.00")))
    product.clock.advance(3600)

    audit = Ledger(product.xero()).audit(since=since)

    assert (audit.seen, audit.findings) == (1, ())


def test_what_was_on_its_way_when_the_store_was_set_back_is_waited_for(product: Product) -> None:
    """Sent for the second time it has another key than what a store that has forgotten it would send."""
    paid, lost = product.collectable("100.00"), product.collectable("70.00")
    settlements = [
        Settlement(id=each.id, on=DAY, lines=[SettlementLine(id=each.id, transaction=each.id, amount=nzd(part))])
        for each, part in ((paid, 40), (lost, 30))
    ]
    kept = backup(product)
    on_its_way: list[Request] = []

    def leave(request: Request) -> None:
        if is_write(request, "/Payments"):
            on_its_way.append(request)
            raise LostOnTheWay

    def arrive() -> None:
        while on_its_way:
            product.simulator.handle(on_its_way.pop())

    sales = story(product)
    sales.apply(sales.settle(settlements[0]))
    product.simulator.faults.plan(Fault.SERVER_ERROR, method="PUT", path="/Payments")
    assert sales.apply(sales.settle(settlements[1])).unfinished
    leaving = product.xero(transport=Through(product.simulator.transport, before=leave))
    with pytest.raises(LostOnTheWay):
        Receivables(leaving).recover()
    restore(product, kept)
    app = App(product.app.client_id, product.app.client_secret)
    again = Xero(
        app, product.books.tenant_id, store=product.store, transport=product.simulator.transport,
        clock=Clock(product.clock, arrive),
    )  # fmt: skip

    adopted = Ledger(again).audit(adopt=True).adopted
    sales = Receivables(again, clearing_account=CLEARING)
    sales.apply(sales.settle(settlements))
    arrive()

    assert sorted(each.amount for each in product.live_payments()) == [Decimal(30), Decimal(40)]
    assert adopted == 2
