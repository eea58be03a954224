"""The record of every run: complete, free of what is personal, and an answer to why something is there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.client.workers import EARLY
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd
from tests.engine.scenarios import charged_back, collected, paper

from xerosync import (
    Bill,
    BillFile,
    BillLine,
    BillPayment,
    BillSettings,
    CardSpend,
    Customer,
    Ledger,
    MemoryStore,
    Payables,
    Plan,
    Receivables,
    Report,
    Rule,
    Rules,
    Settlement,
    SettlementLine,
    Trail,
    TrailLine,
    TrailStep,
    Vendor,
    Xero,
)
from xerosync.errors import InvalidInput, ReconnectNeeded, Unavailable
from xerosync.models import AccountCode
from xerosync.simulator import Fault
from xerosync.storage import Fence, Record, RecordKey

VENDOR: Final = "Xylophagous Timber"
PERSON: Final = "Zebedee Quixworth"
AMOUNT: Final = "8093.57"
FILE: Final = "Quixworth: passport.pdf"
PRIVATE: Final = ("xylophagous", "quixworth", "zebedee", "8093", "passport")


def settled(product: Product) -> Report:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    return sales.apply(sales.settle(collected(invoice.id)))


def steps(trail: Trail) -> list[str]:
    return [str(line.facts.get("state", line.step.value)) for line in trail]


def test_every_decision_call_and_outcome_of_a_run_is_recorded(product: Product, xero: Xero) -> None:
    report = settled(product)

    trail = Ledger(xero).trail(run=report.run)

    assert steps(trail) == ["began", "call", "decided", "sent", "call", "confirmed", "ended"]
    decided, call, outcome = trail.lines[2], trail.lines[4], trail.lines[5]
    assert (decided.facts["host_id"], decided.facts["reason"]) == ("L1", "collected in settlement S1")
    assert (call.facts["method"], call.facts["path"], call.facts["status"]) == ("PUT", "Payments", 200)
    assert len(str(call.facts["correlation"])) == 36
    assert call.about == decided.about == outcome.about
    assert outcome.facts["xero_id"] == product.live_payments()[0].id
    assert {line.run for line in trail} == {report.run}


def test_why_a_payment_is_there_is_answered_by_its_id_its_mark_and_the_host_s_id(product: Product, xero: Xero) -> None:
    settled(product)
    (payment,) = product.live_payments()
    (invoice,) = product.books.invoices
    ledger = Ledger(xero)

    answer = ledger.why(payment.id)

    assert [sentence.partition(": ")[2] for sentence in answer.sentences][:3] == [
        f"invoice {invoice.id} was remembered: approved, due, and its customer is connected.",
        "payment L1 was decided: collected in settlement S1.",
        "it is sent: claimed, just before the first byte leaves.",
    ]
    assert answer.sentences[-1].endswith(f"it is confirmed, {payment.id}: Xero answered with an id.")
    for other in ("L1", "S1", payment.reference or ""):
        assert ledger.why(other).lines == answer.lines
    assert ledger.why("L2").sentences == ("Nothing is recorded of it: this library did not write it.",)
    (lost,) = Ledger(product.xero(store=MemoryStore())).why(payment.reference or "").sentences
    assert lost.startswith("Nothing is recorded of this mark: another store wrote it")


def test_what_was_decided_to_be_taken_back_says_so(product: Product, xero: Xero) -> None:
    report = settled(product)
    (payment,) = product.live_payments()
    Payables(xero).apply(Ledger(xero).undo(report.run))

    assert "payment L1, to remove, was decided: the run that wrote it is undone." in str(Ledger(xero).why(payment.id))


def test_a_mark_and_the_id_of_a_charge_back_tell_all_that_the_document_s_id_tells(product: Product, xero: Xero) -> None:
    settled(product)
    (payment,) = product.live_payments()
    (invoice,) = product.books.invoices
    sales, ledger = Receivables(xero, clearing_account=CLEARING), Ledger(xero)
    sales.apply(sales.settle(charged_back(invoice.id)))

    answer = ledger.why(payment.id)

    assert "payment L1, to remove, was decided: charged back by B1." in str(answer)
    assert ledger.why(payment.reference or "").lines == answer.lines
    assert "payment L1, to remove, was decided: charged back by B1." in str(ledger.why("B1"))
    assert "payment L1 was decided: collected" not in str(ledger.why("B1"))


def test_a_settlement_that_was_undone_tells_so(product: Product, xero: Xero) -> None:
    settled(product)
    (payment,) = product.live_payments()
    (invoice,) = product.books.invoices
    sales = Receivables(xero, clearing_account=CLEARING)
    sales.apply(sales.undo_settlement(collected(invoice.id)))

    for named in ("S1", payment.id, payment.reference or ""):
        assert "payment L1, to remove, was decided: settlement S1 is undone." in str(Ledger(xero).why(named))


def test_customers_and_vendors_are_explained_by_the_host_s_own_names(product: Product, xero: Xero) -> None:
    product.collectable("100.00", "Ana Costa")
    purchases = Payables(xero, payment_account=BANK)
    purchases.apply(purchases.submit([paper("b1", "30.00")]))
    product.books.add_contact("Glue Ltd")
    purchases.apply(purchases.match(["Glue Ltd"]))
    purchases.apply(purchases.handle_outside(["b9"], note="paid in cash"))
    ledger = Ledger(xero)
    (customer,) = [line.facts["host_id"] for line in ledger.trail() if line.facts.get("kind") == "customer"]

    assert f"customer {customer} was remembered" in str(ledger.why(str(customer)))
    assert "no contact in Xero can be used for this vendor" in str(ledger.why(" paper  LTD"))
    assert "was remembered: the same name" in str(ledger.why("Glue Ltd"))
    assert "was remembered" in str(ledger.why("b9"))


def test_what_bears_our_mark_is_not_denied_by_a_store_that_was_set_back(product: Product) -> None:
    settled(product)
    (payment,) = product.live_payments()
    typed = product.books.add_payment(product.collectable("5.00").id, account=BANK, date=DAY)
    restored = product.xero(store=MemoryStore())
    restored.connect(product.tokens)
    ledger = Ledger(restored)

    before = str(ledger.why(payment.id))
    ledger.audit(adopt=True)
    audited = str(ledger.why(payment.id))
    Receivables(restored, clearing_account=CLEARING).reconcile()
    read = str(ledger.why(payment.id))

    assert before.startswith("Nothing is recorded of it, and it is not among what was read from Xero so far")
    assert audited.startswith("Nothing is recorded of it, and yet it bears our mark")
    assert read == audited
    assert str(ledger.why(typed.id)) == "Nothing is recorded of it: this library did not write it."


def test_a_lost_answer_and_what_recovery_found_are_part_of_the_answer(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(xero, clearing_account=CLEARING)
    plan = sales.settle(collected(invoice.id))
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    sales.apply(plan)
    sales.recover()

    answer = str(Ledger(xero).why("L1"))

    assert "PUT Payments got no answer." in answer
    assert "it is unknown: no answer, or none that can be read." in answer
    assert "it is confirmed" in answer
    assert "found in Xero by its mark" in answer


def test_a_payment_of_a_batch_is_explained_with_its_batch(xero: Xero) -> None:
    purchases = Payables(xero, payment_account=BANK)
    purchases.apply(purchases.submit([paper("b1", "30.00"), paper("b2", "20.00")]))
    payments = [BillPayment(id=f"p-{each}", bill_id=each, on=DAY) for each in ("b1", "b2")]
    purchases.apply(purchases.pay(payments, batch=True))

    answer = str(Ledger(xero).why("p-b1"))

    assert "payment p-b1 was decided: paid by the host" in answer
    assert "2 payments of one account and day" in answer
    assert "PUT BatchPayments was answered 200" in answer
    assert "p-b2" not in answer


def test_a_run_that_an_error_broke_off_says_so(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(xero, clearing_account=CLEARING)
    plan = sales.settle(collected(invoice.id))
    product.simulator.faults.plan(Fault.UNAVAILABLE, method="GET", path="/Invoices", times=6)

    with pytest.raises(Unavailable):
        sales.apply(plan)
    product.simulator.faults.clear()

    lines = Ledger(xero).trail().lines
    assert (lines[-1].step, lines[-1].facts) == (TrailStep.STOPPED, {"error": "Unavailable"})
    assert [line.facts["status"] for line in lines if line.step is TrailStep.CALL][-1] == 503


def planned(product: Product) -> tuple[Receivables, Plan]:
    """A settlement that is planned now, to be applied later."""
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    return sales, sales.settle(collected(invoice.id))


def renewals(product: Product) -> list[dict[str, object]]:
    (consent,) = product.store.query("grant", "")
    lines = [line for line in Ledger(product.xero()).trail() if line.step is TrailStep.RENEWAL]
    assert {line.facts["consent"] for line in lines} <= {consent.key}
    return [{name: fact for name, fact in line.facts.items() if name != "consent"} for line in lines]


def test_a_token_that_is_renewed_in_a_run_is_recorded_without_the_token(product: Product) -> None:
    sales, plan = planned(product)
    product.clock.advance(EARLY)

    report = sales.apply(plan)

    trail = Ledger(product.xero()).trail(run=report.run)
    assert steps(trail)[:3] == ["began", "renewal", "call"]
    assert trail.sentences[1].endswith("UTC: the access token was renewed, and the new one kept.")
    assert renewals(product) == [{}]
    kept = json.loads(product.store.query("grant", "")[0].body)
    assert [name for name in ("access_token", "refresh_token") if kept[name] in trail.json_lines()] == []


def test_a_token_that_cannot_be_renewed_in_a_run_is_recorded_with_the_reason(product: Product) -> None:
    sales, plan = planned(product)
    product.clock.advance(EARLY)
    product.simulator.faults.plan(Fault.UNAVAILABLE, path="/connect/token", times=5)

    report = sales.apply(plan)

    assert not report.unfinished
    assert renewals(product) == [{"error": "Unavailable"}]
    assert "the access token could not be renewed: Unavailable" in str(Ledger(product.xero()).trail(run=report.run))


def test_a_consent_that_ended_in_a_run_is_recorded_and_breaks_it_off(product: Product) -> None:
    sales, plan = planned(product)
    ledger = Ledger(product.xero())
    product.clock.advance(61 * 24 * 3600)

    with pytest.raises(ReconnectNeeded):
        sales.apply(plan)

    assert steps(ledger.trail())[-2:] == ["renewal", "stopped"]
    assert [line.facts["error"] for line in ledger.trail().lines[-2:]] == ["ReconnectNeeded"] * 2


def test_a_token_that_is_renewed_outside_of_a_run_is_told_as_an_event_alone(product: Product) -> None:
    settled(product)
    xero = product.xero()
    product.clock.advance(EARLY)

    xero.organisation()

    assert renewals(product) == []


def test_an_export_goes_on_where_the_last_one_ended(product: Product, xero: Xero) -> None:
    settled(product)
    ledger = Ledger(xero)
    first = ledger.trail()
    assert not ledger.trail(after=first.after)

    purchases = Payables(xero)
    report = purchases.apply(purchases.submit([paper("b1", "30.00")]))
    second = ledger.trail(after=first.after)

    assert {line.run for line in second} == {report.run}
    objects = [json.loads(line) for line in second.json_lines().splitlines()]
    assert [each["step"] for each in objects] == [line.step.value for line in second]
    rows = second.rows()
    assert len(rows) == len(second)
    assert {tuple(row) for row in rows} == {tuple(rows[0])}


@given(st.lists(st.text() | st.sampled_from(["a\u2028b", "a\u2029b", "a\x85b", "a\r\nb", "\x0b\x0c\x1c\x1d\x1e"])))
def test_an_export_is_an_object_a_line_wherever_a_reader_ends_lines(ids: list[str]) -> None:
    lines = [
        TrailLine(run=each, at=datetime(2026, 1, 5, tzinfo=UTC), step=TrailStep.DECIDED, facts={"host_id": each})
        for each in ids
    ]

    exported = Trail(lines=tuple(lines)).json_lines()

    assert [json.loads(each) for each in exported.splitlines()] == [each.as_dict() for each in lines]


def test_a_run_and_a_place_to_go_on_from_are_not_asked_for_together(product: Product, xero: Xero) -> None:
    run = settled(product).run
    ledger = Ledger(xero)

    with pytest.raises(InvalidInput, match="after: leave it out"):
        ledger.trail(run=run, after=ledger.trail().after)


class Counting(MemoryStore):
    """A store that counts its commits, and notes each record of the trail that is not new."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self.changed: list[RecordKey] = []

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        self.commits += 1
        trail = [put.identity for put in puts if put.kind == "trail"]
        self.changed += [key for key, before in zip(trail, self.get_many(trail), strict=True) if before is not None]
        self.changed += [key for key in deletes if key.kind == "trail"]
        super().commit(puts, expect=expect, fence=fence, deletes=deletes)


def test_the_record_costs_no_commit_and_is_never_changed() -> None:
    """Begin, intents, and end are one each, however many batches of 50 there are; a batch has two of its own."""
    product = found_product()
    store = product.store = Counting()
    purchases = Payables(product.xero())
    bills = [paper(f"b{number}", "10.00") for number in range(100)]
    purchases.apply(purchases.submit(bills[:1]))
    plan = purchases.submit(bills)
    before = store.commits

    purchases.apply(plan)

    mirrored = 1  # what came back of the first bill
    assert store.commits - before - mirrored <= 3 + 2 * 2
    assert store.changed == []
    assert len([line for line in Ledger(product.xero()).trail() if line.step is TrailStep.DECIDED]) == 101


def test_nothing_personal_is_recorded(product: Product, xero: Xero) -> None:
    invoice = product.invoice(PERSON, AMOUNT)
    sales = Receivables(xero, clearing_account=CLEARING)
    missing = Customer(id="8", custom_identifier=f"{PERSON} Jr", email="zebedee@quixworth.example")
    sales.apply(sales.match([Customer(id="7", custom_identifier=PERSON), missing], create_missing=True))
    sales.apply(sales.import_invoices())
    sales.apply(sales.settle(_all_of(invoice.id)))
    by_vendor = Rules([Rule.for_vendor(VENDOR, account="429")])
    purchases = Payables(xero, payment_account=BANK, bills=BillSettings(rules=by_vendor))
    lines = [BillLine(description=PERSON, amount=nzd(AMOUNT))]
    # Two contacts of one name would be refused in words that quote it.
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Contacts")
    bill = Bill(id="b1", vendor=VENDOR, number="1", on=DAY, due=DAY, lines=lines)
    purchases.apply(purchases.submit([bill]))
    purchases.apply(purchases.submit([bill]))
    purchases.apply(purchases.spend([CardSpend(id="s1", vendor=VENDOR, on=DAY, account=BANK, lines=lines)]))
    purchases.apply(purchases.attach([BillFile(bill_id="b1", name=FILE, content=b"%PDF paper")]))
    purchases.apply(purchases.pay([BillPayment(id="p1", bill_id="b1", on=DAY)]))
    purchases.apply(purchases.handle_outside(["b9"], note=f"{PERSON} pays"))
    purchases.apply(purchases.move_vendor(VENDOR, product.books.contacts[0].id))
    other = Vendor(name=f"{VENDOR} two", email="zebedee@quixworth.example")
    purchases.apply(purchases.match([other, f"{VENDOR} three"], create_missing=True))
    purchases.apply(purchases.unlink_vendor(VENDOR))
    purchases.apply(purchases.submit([evolve(bill, id="b3"), evolve(bill, id="b4", vendor="Glue")]))
    unfit = Bill(id="b2", vendor=f"{VENDOR} <b>", number="2" * 300, on=DAY, due=DAY, lines=[_to("999")])
    purchases.apply(purchases.submit([unfit]))
    kinds = {str(line.facts.get("kind")) for line in Ledger(xero).trail()}
    assert {"customer", "vendor", "vendor_apart", "contact", "bill", "bank_transaction", "attachment"} <= kinds
    assert {"payment", "handled"} <= kinds

    told = Ledger(xero).trail().json_lines().lower() + str(Ledger(xero).trail()).lower()

    assert [word for word in PRIVATE if word in told] == []


def _to(account: str) -> BillLine:
    return BillLine(description=PERSON, amount=nzd(AMOUNT), account=AccountCode(account))


def _all_of(transaction: str) -> Settlement:
    return Settlement(id="S1", on=DAY, lines=[SettlementLine(id="L1", transaction=transaction, amount=nzd(AMOUNT))])
