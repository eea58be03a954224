"""The settlement report: every line, the fees and the payout, ticked or crossed with the cause and the next step."""

from __future__ import annotations

import json
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd

from xerosync import (
    AsyncReceivables,
    Fee,
    FeesAs,
    Fix,
    LineKind,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementReport,
    SettlementSettings,
    Surplus,
    Xero,
    deep_link,
)
from xerosync.client._driver import run
from xerosync.simulator import Fault


def collecting(xero: Xero) -> Receivables:
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    return Receivables(xero, clearing_account=CLEARING, settlements=chosen)


def settled(*lines: SettlementLine, name: str = "S1") -> Settlement:
    return Settlement(id=name, on=DAY, lines=lines, fees=[Fee(amount=nzd("1.30"))], paid_out_on=DAY)


def line(name: str, transaction: str, amount: str, kind: LineKind = LineKind.COLLECTED) -> SettlementLine:
    return SettlementLine(id=name, transaction=transaction, amount=nzd(amount), kind=kind)


def marks(report: SettlementReport) -> list[tuple[str, str, str]]:
    return [(each.mark.value, each.what, each.code) for one in report for each in one.lines]


def test_before_it_is_applied_every_line_is_crossed_and_afterwards_ticked(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales, settlement = collecting(xero), settled(line("L1", invoice.id, "100.00"))

    before = sales.settlement_report(settlement)
    sales.apply(sales.settle(settlement))
    after = sales.settlement_report([settlement])

    assert marks(before) == [("✗", what, "not posted yet") for what in ("collected", "fees", "payout")]
    assert {each.fix for each in before.crossed()} == {"apply the plan that settle() makes of it"}
    assert marks(after) == [("✓", "collected", ""), ("✓", "fees", ""), ("✓", "payout", "")]
    assert (before.complete, after.complete) == (False, True)
    collected, fees, payout = after.settlements[0].lines
    (payment,) = product.live_payments()
    assert collected.xero_ids == {"payment": payment.id}
    assert (collected.link or "").endswith(payment.id)
    assert [str(each.worth) for each in (collected, fees, payout)] == ["100.00 NZD", "1.30 NZD", "98.70 NZD"]
    assert fees.link is not None
    assert payout.xero_ids.keys() == {"transfer"}


def test_lines_that_are_to_go_in_one_batch_are_crossed_until_it_stands(product: Product, xero: Xero) -> None:
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", batches=True)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    first, second = product.collectable("100.00"), product.collectable("50.00", "Bo Li")
    settlement = settled(line("L1", first.id, "100.00"), line("L2", second.id, "50.00"))

    before, report = sales.settlement_report(settlement), sales.reconcile([settlement])
    sales.apply(sales.settle(settlement))
    after = sales.settlement_report(settlement)

    whats = ("collected", "collected", "fees", "payout")
    assert marks(before) == [("✗", what, "not posted yet") for what in whats]
    assert {each.code for each in report.discrepancies} == {"not posted yet"}
    assert marks(after) == [("✓", what, "") for what in whats]


def test_a_report_writes_nothing(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")

    collecting(xero).settlement_report(settled(line("L1", invoice.id, "100.00")))

    assert product.live_payments() == []


def test_each_trouble_crosses_its_own_line_and_no_other(product: Product, xero: Xero) -> None:
    good, paid_elsewhere, removed = (product.collectable("10.00", name) for name in ("Ana Costa", "Bo Lee", "Cy Fox"))
    sales = collecting(xero)
    first = Settlement(id="S0", on=DAY, lines=[line("L0", removed.id, "10.00")])
    sales.apply(sales.settle(first))
    product.books.remove_payment(product.live_payments()[0].id)
    product.books.add_payment(paid_elsewhere.id, account=BANK, date=DAY)
    second = settled(
        line("L1", good.id, "10.00"),
        line("L2", paid_elsewhere.id, "10.00"),
        line("L3", "made-by-hand", "5.00"),
        line("L4", good.id, "7.00", LineKind.DECLINED),
        name="S2",
    )
    sales.apply(sales.settle(second))

    report = sales.settlement_report([first, second])

    assert marks(report) == [
        ("✗", "collected", "removed in Xero"),
        ("✓", "collected", ""),
        ("✗", "collected", "does not fit"),
        ("✗", "collected", "not created here"),
        ("✓", "declined", ""),
        ("✓", "fees", ""),
        ("✗", "payout", "payout held"),
    ]
    assert all(each.cause and each.fix and each.who for each in report.crossed())
    # Where nothing was posted, the link leads to the invoice.
    assert paid_elsewhere.id in (report.crossed()[1].link or "")


def test_a_charge_back_is_ticked_once_its_payment_is_gone(product: Product, xero: Xero) -> None:
    invoice = product.collectable("10.00")
    sales = collecting(xero)
    paid = Settlement(id="S1", on=DAY, lines=[line("L1", invoice.id, "10.00")])
    back = Settlement(id="S2", on=DAY, lines=[line("B1", invoice.id, "10.00", LineKind.CHARGED_BACK)])
    sales.apply(sales.settle(paid))

    before = sales.settlement_report(back)
    sales.apply(sales.settle([paid, back]))

    assert marks(before) == [("✗", "charged back", "not posted yet")]
    after = sales.settlement_report([paid, back])
    assert marks(after) == [("✓", "collected", ""), ("✓", "charged back", "")]
    assert after.settlements[1].lines[0].xero_ids.keys() == {"removal"}


def test_what_is_not_paid_out_yet_waits(product: Product, xero: Xero) -> None:
    invoice = product.collectable("10.00")
    sales = collecting(xero)
    settlement = Settlement(
        id="S1", on=DAY, lines=[line("L1", invoice.id, "10.00")], fees=[Fee(amount=nzd("1.00"))], net=nzd("9.00")
    )
    sales.apply(sales.settle(settlement))

    report = sales.settlement_report(settlement)

    assert marks(report) == [("✓", "collected", ""), ("✓", "fees", ""), ("·", "payout", "")]
    assert report.complete


def test_fees_and_payouts_whose_contact_cannot_be_used_are_not_ticked(product: Product, xero: Xero) -> None:
    first, second = product.collectable("10.00", "Ana Costa"), product.collectable("10.00", "Bo Lee")
    sales = collecting(xero)
    sales.apply(sales.settle(settled(line("L1", first.id, "10.00"))))
    (provider,) = [each for each in product.books.contacts if each.name == "Collections Ltd"]
    product.books.archive_contact(provider.id)
    settlement = settled(line("L2", second.id, "10.00"), name="S2")
    sales.apply(sales.settle(settlement))

    report = sales.settlement_report(settlement)

    assert marks(report) == [("✓", "collected", ""), ("✗", "fees", "held back"), ("✓", "payout", "")]


@pytest.mark.parametrize("fees_as", [FeesAs.SPEND_MONEY, FeesAs.BILL])
def test_fees_whose_contact_xero_refused_are_crossed_before_anything_is_paid_out(
    product: Product, xero: Xero, fees_as: FeesAs
) -> None:
    """Fees are posted with the lines of their settlement: they wait for no payout."""
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", fees_as=fees_as)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    settlement = evolve(settled(line("L1", product.collectable("10.00").id, "10.00")), paid_out_on=None)
    product.simulator.faults.plan(Fault.PARTIAL_BATCH, method="PUT", path="/Contacts")
    sales.apply(sales.settle(settlement))

    report = sales.settlement_report(settlement)
    (found,) = sales.reconcile([settlement]).discrepancies
    sales.apply(sales.settle(settlement, retry_refused=True))

    assert marks(report) == [("✓", "collected", ""), ("✗", "fees", "held back"), ("·", "payout", "")]
    (told,) = report.crossed()
    assert told.cause.startswith("the provider's contact cannot be used, refused by Xero: ")
    assert (told.fix, told.retry) == ("correct the cause Xero names, then plan again with retry_refused=True", True)
    assert (found.code, found.part, found.cause, found.fix) == (told.code, ("fees", "S1"), told.cause, told.fix)
    assert sales.settlement_report(settlement).complete
    assert sales.reconcile([settlement]).clean


def test_fees_that_are_taken_off_a_payout_wait_for_it(product: Product, xero: Xero) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    sales = Receivables(xero, clearing_account="650", settlements=chosen)
    settlement = evolve(settled(line("L1", product.collectable("10.00").id, "10.00")), paid_out_on=None)
    sales.apply(sales.settle(settlement))

    assert marks(sales.settlement_report(settlement)) == [
        ("✓", "collected", ""),
        ("·", "fees", ""),
        ("·", "payout", ""),
    ]


@settings(max_examples=15)
@given(
    kinds=st.lists(st.sampled_from(["collect", "unknown", "too much", "decline"]), min_size=1, max_size=5),
    applied=st.booleans(),
)
def test_a_line_is_crossed_exactly_when_settle_has_something_left_to_do_or_say(kinds: list[str], applied: bool) -> None:
    product = found_product()
    sales = collecting(product.xero())
    lines = []
    for place, kind in enumerate(kinds):
        invoice = product.collectable("10.00", f"{place} Customer")
        transaction = "elsewhere" if kind == "unknown" else invoice.id
        amount = "11.00" if kind == "too much" else "10.00"
        meant = LineKind.DECLINED if kind == "decline" else LineKind.COLLECTED
        lines.append(line(f"L{place}", transaction, amount, meant))
    settlement = Settlement(id="S1", on=DAY, lines=lines)
    if applied:
        sales.apply(sales.settle(settlement))
    plan = sales.settle(settlement)

    crossed = {each.about for each in sales.settlement_report(settlement).crossed()}

    assert crossed == {action.host_ref for action in plan} | {finding.about for finding in plan.findings}
    assert crossed == {
        f"L{place}"
        for place, kind in enumerate(kinds)
        if kind in {"unknown", "too much"} or (kind == "collect" and not applied)
    }


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_text_rows_json_and_html_all_tell_the_same(product: Product, xero: Xero) -> None:
    invoice = product.collectable("10.00")
    nasty = '<script>alert("x")</script>'
    settlement = settled(line("L1", invoice.id, "10.00"), line(nasty, "elsewhere", "5.00"))
    sales = collecting(xero)
    sales.apply(sales.settle(settlement))
    report = sales.settlement_report(settlement)

    seen = _Text()
    seen.feed(report.html())
    (told,) = json.loads(report.json())

    assert "script" not in seen.tags
    assert nasty in seen.text
    assert "gross 15.00 NZD · fees -1.30 NZD · net 13.70 NZD" in seen.text
    assert {"link", "img", "iframe"}.isdisjoint(seen.tags)
    assert [each["mark"] for each in told["lines"]] == ["ticked", "crossed", "ticked", "crossed"]
    assert told["proof"]["net"] == "13.70 NZD"
    assert told["lines"][0]["amount"] == "10.00"
    assert [row["mark"] for row in report.rows()] == ["✓", "✗", "✓", "✗"]
    assert str(report).splitlines()[0] == f"S1 · {DAY} · 2 of 4 ticked · net 13.70 NZD"


def test_the_awaited_client_reports_the_same(product: Product, xero: Xero) -> None:
    invoice = product.collectable("10.00")
    settlement = settled(line("L1", invoice.id, "10.00"))
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    awaited = AsyncReceivables(xero.asynchronous, clearing_account=CLEARING, settlements=chosen)

    report = run(awaited.settlement_report(settlement))

    assert report.rows() == collecting(xero).settlement_report(settlement).rows()


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("sale", "%2FAccountsReceivable%2FView.aspx%3FInvoiceID%3Dabc"),
        ("bill", "%2FAccountsPayable%2FEdit.aspx%3FInvoiceID%3Dabc"),
        ("credit note", "%2FAccountsPayable%2FViewCreditNote.aspx%3FcreditNoteID%3Dabc"),
        ("sale credit", "%2FAccountsReceivable%2FViewCreditNote.aspx%3FcreditNoteID%3Dabc"),
        ("payment", "%2FBank%2FViewTransaction.aspx%3FbankTransactionID%3Dabc"),
        ("contact", "%2FContacts%2FView%2Fabc"),
    ],
)
def test_a_deep_link_opens_the_document_in_its_own_organisation(kind: str, path: str) -> None:
    login = "https://go.xero.com/organisationlogin/default.aspx?shortcode=%21NLglS&redirecturl="

    assert deep_link(kind, "abc", "!NLglS") == login + path


def test_there_is_no_deep_link_to_what_xero_names_no_address_of() -> None:
    assert deep_link("transfer", "abc", "!NLglS") is None
    assert deep_link("sale", "", "!NLglS") is None
    assert deep_link("contact", "abc", None) == "https://go.xero.com/Contacts/View/abc"


@pytest.mark.parametrize(
    ("changed", "amount", "crossed"),
    [
        ("SPEND", "3.00", ("fees", "S1", "changed in Xero")),
        ("SPEND", None, ("fees", "S1", "removed in Xero")),
        ("RECEIVE-OVERPAYMENT", "40.00", ("collected", "L1", "changed in Xero")),
        ("RECEIVE-OVERPAYMENT", None, ("collected", "L1", "removed in Xero")),
    ],
)
def test_what_people_edited_or_removed_crosses_its_line_until_it_is_put_back(
    product: Product, xero: Xero, changed: str, amount: str | None, crossed: tuple[str, str, str]
) -> None:
    """Of L1 50.00 more was collected than was due, and is parked as the customer's credit."""
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", surplus=Surplus.PARK)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    settlement = settled(line("L1", product.collectable("100.00").id, "150.00"))
    sales.apply(sales.settle(settlement))
    product.clock.advance(60)
    books = product.books
    (document,) = (each for each in books.bank_transactions if each.type == changed)
    if amount is None:
        books.remove_bank_transaction(document.id)
    else:
        account = "404" if changed == "SPEND" else ""
        books.edit_bank_transaction(document.id, amount=Decimal(amount), account=account)

    report, reconciled = sales.settlement_report(settlement), sales.reconcile([settlement])
    (told,) = report.crossed()
    (found,) = reconciled.discrepancies
    sales.apply(reconciled.plan(Fix.RESTORE))

    assert (told.what, told.about, told.code) == crossed
    assert (told.cause, told.who, told.link is not None) == (found.cause, found.who, True)
    assert (found.about, found.code) == crossed[1:]
    assert reconciled.settlements is not None
    assert reconciled.settlements.crossed() == (told,)
    assert sales.settlement_report(settlement).complete
    assert sales.reconcile([settlement]).clean


def test_an_edit_that_a_person_accepted_crosses_its_line_no_more(product: Product, xero: Xero) -> None:
    sales, settlement = collecting(xero), settled(line("L1", product.collectable("100.00").id, "100.00"))
    sales.apply(sales.settle(settlement))
    product.clock.advance(60)
    (fees,) = (each for each in product.books.bank_transactions if each.type == "SPEND")
    product.books.edit_bank_transaction(fees.id, amount=Decimal("2.00"), account="404")
    report = sales.reconcile([settlement])
    assert [each.what for each in sales.settlement_report(settlement).crossed()] == ["fees"]

    sales.apply(report.plan(Fix.IGNORE))

    assert sales.reconcile([settlement]).clean
    assert sales.settlement_report(settlement).complete
    product.clock.advance(60)
    product.books.edit_bank_transaction(fees.id, amount=Decimal("3.00"), account="404")
    assert [each.what for each in sales.settlement_report(settlement).crossed()] == ["fees"]


def test_a_surplus_that_a_charge_back_took_back_is_not_said_to_be_removed_by_somebody(
    product: Product, xero: Xero
) -> None:
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", surplus=Surplus.PARK)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    invoice = product.collectable("100.00")
    collected = settled(line("L1", invoice.id, "150.00"))
    back = settled(line("L2", invoice.id, "150.00", LineKind.CHARGED_BACK), name="S2")
    sales.apply(sales.settle([collected, back]))
    sales.apply(sales.settle([collected, back]))

    assert sales.settlement_report([collected, back]).complete
    assert sales.reconcile([collected, back]).clean
