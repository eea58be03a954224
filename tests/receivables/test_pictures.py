"""Pictures: what they are drawn of is the books to the cent, and they say what they show."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st
from matplotlib.patches import Rectangle
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import Fee, LineKind, Money, Receivables, Settlement, SettlementLine, SettlementSettings, Xero
from xerosync.errors import InvalidInput
from xerosync.models import DocumentStatus, Invoice, InvoiceType
from xerosync.pictures import Picture, draw_ageing, draw_balance, draw_flow
from xerosync.series import MoneyFlow, ageing, balance_by_day, money_flow

FEES = "404"
END = DAY + timedelta(days=30)


def line(name: str, invoice_id: str, amount: str, kind: LineKind = LineKind.COLLECTED) -> SettlementLine:
    return SettlementLine(id=name, transaction=invoice_id, amount=nzd(amount), kind=kind)


@pytest.fixture
def sales(product: Product) -> Receivables:
    chosen = SettlementSettings(bank_account=BANK, fee_account=FEES, provider="Collections Ltd")
    return Receivables(product.xero(), clearing_account=CLEARING, settlements=chosen)


@pytest.fixture
def settlements(product: Product, sales: Receivables) -> list[Settlement]:
    """One paid out less a fee; one in flight, which takes something of the first one back; and two that wait."""
    ana, bo, cy = (product.collectable(amount, name) for name, amount in (("Ana", "100"), ("Bo", "60"), ("Cy", "40")))
    product.collectable("25.50", "Di")
    product.collectable("7.25", "Ed")
    fee = [Fee(amount=nzd("1.50"))]
    first = [line("1-1", ana.id, "100"), line("1-2", bo.id, "60")]
    second = [line("2-1", cy.id, "30"), line("2-2", bo.id, "60", LineKind.CHARGED_BACK)]
    week = timedelta(days=7)
    made = [
        Settlement(id="S1", on=DAY, lines=first, fees=fee, paid_out_on=DAY + timedelta(days=2)),
        Settlement(id="S2", on=DAY + week, lines=second),
    ]
    sales.apply(sales.settle(made))
    return made


def in_books(product: Product, account: str) -> Money:
    return nzd(product.books.balance(product.books.account(account).id))


def flow_in(sales: Receivables, settlements: list[Settlement]) -> MoneyFlow:
    report, in_clearing = sales.settlement_report(settlements), sales.reconcile(settlements).in_flight
    return money_flow(sales.transaction_report(), report, in_clearing=in_clearing)


def drawn_texts(picture: Picture) -> list[str]:
    return [each.get_text() for axes in picture.axes for each in axes.texts]


# --- What they are drawn of -----------------------------------------------------------------------------------------


def test_each_day_of_the_clearing_account_is_its_balance_in_xero(
    product: Product, sales: Receivables, settlements: list[Settlement]
) -> None:
    assert len(settlements) == 2
    by_hand = product.invoice("Flo", "11.00")
    product.books.add_payment(by_hand.id, account=CLEARING, date=DAY + timedelta(days=9))

    days = balance_by_day(sales.clearing_statement(DAY, END))

    proven = [sales.clearing_statement(DAY - timedelta(days=90), each.on).closing for each in days]
    assert [(each.balance, each.in_flight) for each in days] == [(each.balance, each.in_flight) for each in proven]
    assert days[-1].balance == in_books(product, CLEARING)
    assert [each.exceptions for each in days][-2:] == [nzd("11.00")] * 2
    assert (days[0].on, days[-1].on) == (DAY - timedelta(days=1), END)


def test_what_somebody_removed_is_no_longer_there_and_was_not_in_flight_for_that(
    product: Product, sales: Receivables, settlements: list[Settlement]
) -> None:
    """Paid out before it was removed: the account is short of it, and nothing below zero is on its way to a bank."""
    removed = next(each for each in product.books.payments if each.amount == 100)
    product.books.remove_payment(removed.id)

    statement = sales.clearing_statement(DAY, END)
    days = balance_by_day(statement)

    assert (days[-1].balance, days[-1].in_flight) == (in_books(product, CLEARING), nzd("-30.00"))
    assert {each.exceptions for each in days[1:]} == {nzd("-100.00")}
    assert [(each.code, each.about, each.amount) for each in statement.exceptions] == [
        ("removed in Xero", removed.id, nzd("-100.00"))
    ]
    assert [(each.on, each.about, each.amount) for each in statement.removed] == [(DAY, removed.id, nzd("100.00"))]
    reconciled = sales.reconcile(settlements)
    assert reconciled.in_flight == statement.closing.in_flight == reconciled.statement.closing.in_flight
    assert statement.proven


def test_what_was_removed_of_fees_is_told_alike(
    product: Product, sales: Receivables, settlements: list[Settlement]
) -> None:
    (fees,) = [each for each in product.books.bank_transactions if each.type == "SPEND"]
    product.books.remove_bank_transaction(fees.id)

    statement = sales.clearing_statement(DAY, END)

    assert [(each.code, each.amount) for each in statement.exceptions] == [("removed in Xero", nzd("1.50"))]
    assert statement.closing.in_flight == sales.reconcile(settlements).in_flight == nzd("-30.00")
    assert statement.closing.balance == in_books(product, CLEARING)


def test_a_day_that_begins_in_the_middle_begins_with_what_was_there(
    sales: Receivables, settlements: list[Settlement]
) -> None:
    assert len(settlements) == 2
    first, last = balance_by_day(sales.clearing_statement(DAY + timedelta(days=1), DAY + timedelta(days=1)))

    assert first.balance == last.balance == nzd("98.50")


def test_what_nothing_explains_is_in_the_last_day_and_not_in_flight(product: Product, xero: Xero) -> None:
    product.books.add_journal("moved", {"880": Decimal(5), FEES: Decimal(-5)}, date=DAY)
    sales = Receivables(xero, clearing_account="880")

    *_, last = balance_by_day(sales.clearing_statement(DAY, END))

    assert last.balance == last.exceptions == in_books(product, "880") == nzd("5.00")
    assert last.in_flight == nzd("0.00")


@pytest.mark.parametrize(
    ("days_late", "age"),
    [
        (-1, "not due yet"),
        (0, "not due yet"),
        (1, "1–30 days"),
        (30, "1–30 days"),
        (31, "31–60 days"),
        (60, "31–60 days"),
        (61, "61–90 days"),
        (90, "61–90 days"),
        (91, "over 90 days"),
        (5000, "over 90 days"),
    ],
)
def test_what_is_open_is_as_old_as_it_is_past_due(days_late: int, age: str) -> None:
    invoice = Invoice(
        type=InvoiceType.ACCREC,
        status=DocumentStatus.AUTHORISED,
        currency_code="NZD",
        due_date=END - timedelta(days=days_late),
        amount_due=Decimal("12.50"),
    )

    aged = ageing([invoice], on=END, currency="NZD")

    assert [(band.age, band.amount, band.count) for band in aged.bands if band.count] == [(age, nzd("12.50"), 1)]
    assert (aged.total, len(aged.bands)) == (nzd("12.50"), 5)


def test_what_is_open_is_what_the_books_say_is_due(product: Product, settlements: list[Settlement], xero: Xero) -> None:
    assert len(settlements) == 2
    draft = product.books.add_contact("Gus").id
    product.books.add_invoice(draft, number="D-1", amount=Decimal(999), date=DAY, status="DRAFT")

    aged = ageing(xero.invoices.list(), on=END, currency="NZD")

    due = [each.amount_due for each in product.books.invoices if each.status == "AUTHORISED"]
    assert aged.total == nzd(sum(due)) == nzd("102.75")
    assert sum(band.count for band in aged.bands) == len(due) == 4


def test_another_currency_is_another_picture_and_bills_are_not_mixed_with_invoices() -> None:
    invoice = Invoice(
        type=InvoiceType.ACCREC, status=DocumentStatus.AUTHORISED, currency_code="NZD", amount_due=Decimal(5)
    )

    assert ageing([invoice, evolve(invoice, currency_code="EUR")], on=END, currency="EUR").total == Money("5", "EUR")
    with pytest.raises(InvalidInput, match="documents: give invoices or bills"):
        ageing([invoice, evolve(invoice, type=InvoiceType.ACCPAY)], on=END, currency="NZD")


def test_where_the_money_is_is_where_the_books_have_it(
    product: Product, sales: Receivables, settlements: list[Settlement]
) -> None:
    flow = flow_in(sales, settlements)

    assert flow.asked_for == nzd("232.75")
    assert flow.asked_for == flow.to_collect + flow.ended + flow.collected
    assert (flow.to_collect, flow.ended, flow.collected) == (nzd("42.75"), nzd("60.00"), nzd("130.00"))
    assert flow.in_bank == in_books(product, BANK) == nzd("158.50")
    assert flow.in_clearing == in_books(product, CLEARING) == nzd("-30.00")
    assert flow.fees == in_books(product, FEES) == nzd("1.50")
    assert flow.other == nzd("0.00")


def test_a_brief_report_tells_the_same_flow(sales: Receivables, settlements: list[Settlement]) -> None:
    brief = sales.reconcile(settlements, brief=True)

    flow = money_flow(sales.transaction_report(), sales.settlement_report(settlements), in_clearing=brief.in_flight)

    assert flow == flow_in(sales, settlements)


def test_what_was_settled_in_a_settlement_that_is_not_given_is_other(
    sales: Receivables, settlements: list[Settlement]
) -> None:
    flow = money_flow(
        sales.transaction_report(),
        sales.settlement_report(settlements[1:]),
        in_clearing=sales.reconcile(settlements).in_flight,
    )

    assert (flow.in_bank, flow.fees, flow.other) == (nzd("0.00"), nzd("0.00"), nzd("160.00"))
    assert flow.collected == flow.in_clearing + flow.fees + flow.in_bank + flow.other


def test_a_flow_of_some_pages_or_of_another_currency_is_refused(
    sales: Receivables, settlements: list[Settlement]
) -> None:
    report, nothing = sales.settlement_report(settlements), nzd("-30.00")

    with pytest.raises(InvalidInput, match="transactions: give the lines of all 3 pages"):
        money_flow(sales.transaction_report(per_page=2), report, in_clearing=nothing)
    with pytest.raises(InvalidInput, match=r"transactions: give those in EUR"):
        money_flow(sales.transaction_report(), report, in_clearing=Money("0", "EUR"))

    pages = [each for page in (1, 2, 3) for each in sales.transaction_report(page=page, per_page=2)]
    assert money_flow(pages, report, in_clearing=nothing) == flow_in(sales, settlements)


def test_no_repr_shows_an_amount(sales: Receivables, settlements: list[Settlement]) -> None:
    days = balance_by_day(sales.clearing_statement(DAY, END))
    flow = flow_in(sales, settlements)

    assert [each for each in (repr(days), repr(flow)) if "NZD" in each or ".00" in each] == []


# --- What they show -------------------------------------------------------------------------------------------------


def flow_of(**amounts: str) -> MoneyFlow:
    given = dict.fromkeys(("to_collect", "ended", "collected", "in_clearing", "fees", "in_bank"), "0") | amounts
    return MoneyFlow(**{name: nzd(amount) for name, amount in given.items()})


def test_the_clearing_account_over_time_is_drawn_with_its_band(
    product: Product, sales: Receivables, settlements: list[Settlement]
) -> None:
    assert len(settlements) == 2
    by_hand = product.invoice("Flo", "11.00")
    product.books.add_payment(by_hand.id, account=CLEARING, date=DAY + timedelta(days=9))
    days = balance_by_day(sales.clearing_statement(DAY, END))

    picture = draw_balance(days)

    (axes,) = picture.axes
    assert axes.get_title(loc="left") == "Clearing account, 4 Jan 2026 to 4 Feb 2026"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("day", "balance at the end of the day, NZD")
    legend = axes.get_legend()
    assert legend is not None
    assert [each.get_text() for each in legend.get_texts()] == ["in flight", "exceptions", "balance in Xero"]
    assert drawn_texts(picture) == [str(days[-1].balance)]
    drawn = [Decimal(str(amount)) for amount in np.asarray(axes.get_lines()[0].get_ydata())]
    assert drawn == [each.balance.amount for each in days]


def test_no_text_of_a_picture_lies_on_another(product: Product, sales: Receivables) -> None:
    product.books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal("43.80"), date=DAY)
    below = draw_balance(balance_by_day(sales.clearing_statement(DAY, END)))
    several = {"to_collect": "12.00", "ended": "9.00", "collected": "1000.00"}
    rest = {"in_clearing": "8.00", "fees": "4.00", "in_bank": "950.00"}

    for picture in (below, draw_flow(flow_of(**several, **rest)), draw_flow(flow_of(collected="60.00", fees="70.00"))):
        picture.canvas.draw()
        axes = picture.axes[0]
        legend = axes.get_legend()
        boxes = [each.get_window_extent() for each in (*axes.texts, *([legend] if legend is not None else []))]
        assert [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])] == []
        line = axes.get_window_extent()
        assert legend is None or not legend.get_window_extent().overlaps(line)


def test_ageing_names_each_band_its_amount_and_its_count(settlements: list[Settlement], xero: Xero) -> None:
    assert len(settlements) == 2
    aged = ageing(xero.invoices.list(), on=END, currency="NZD")

    picture = draw_ageing(aged)

    (axes,) = picture.axes
    assert axes.get_title(loc="left") == "Open on 4 Feb 2026: 102.75 NZD"
    assert axes.get_ylabel() == "open, NZD"
    assert [each.get_text() for each in axes.get_xticklabels()] == [band.age for band in aged.bands]
    assert drawn_texts(picture) == [f"{band.amount}\n{band.count} open" for band in aged.bands]


def test_a_flow_names_each_place_with_money_and_no_other() -> None:
    flow = flow_of(to_collect="40.00", collected="60.00", in_bank="50.00", in_clearing="8.00", fees="2.00")

    assert drawn_texts(draw_flow(flow, title="Where $ and $$ are")) == [
        "asked for\n100.00 NZD",
        "collected\n60.00 NZD",
        "waits to be collected\n40.00 NZD",
        "in the bank\n50.00 NZD",
        "waits in the clearing account\n8.00 NZD",
        "fees\n2.00 NZD",
    ]


@given(st.lists(st.integers(-50_000, 50_000), min_size=4, max_size=4), st.integers(0, 50_000), st.integers(0, 50_000))
def test_whatever_the_amounts_a_flow_is_drawn_and_each_place_is_as_high_as_its_amount(
    amounts: list[int], to_collect: int, ended: int
) -> None:
    collected, in_clearing, fees, in_bank = (str(Decimal(cents) / 100) for cents in amounts)
    flow = flow_of(
        to_collect=str(Decimal(to_collect) / 100),
        ended=str(Decimal(ended) / 100),
        collected=collected,
        in_clearing=in_clearing,
        fees=fees,
        in_bank=in_bank,
    )
    assume(flow.asked_for.amount > 0)

    picture = draw_flow(flow)

    bars = [each for each in picture.axes[0].patches if isinstance(each, Rectangle)]
    said = [text.partition("\n")[2] for text in drawn_texts(picture)]
    assert len(bars) == len(said)
    for bar, amount in zip(bars, said, strict=True):
        assert bar.get_height() == pytest.approx(float(amount.removesuffix(" NZD")) / float(flow.asked_for.amount))


def test_what_is_more_than_was_collected_is_drawn_as_come_from_elsewhere() -> None:
    flow = flow_of(collected="60.00", in_bank="70.00", in_clearing="-10.00")

    assert drawn_texts(draw_flow(flow)) == [
        "asked for\n60.00 NZD",
        "from elsewhere\n10.00 NZD",
        "collected, or from elsewhere\n70.00 NZD",
        "in the bank\n70.00 NZD",
    ]


def test_a_picture_shows_itself_in_a_notebook_and_in_a_file() -> None:
    picture = draw_flow(flow_of(collected="60.00", in_bank="60.00"), title="It cost $5 and $6")
    file = BytesIO()

    picture.savefig(file, format="svg")

    assert picture._repr_png_().startswith(b"\x89PNG")
    assert file.getvalue().startswith(b"<?xml")
    assert picture.axes[0].get_title(loc="left") == "It cost $5 and $6"


def test_there_is_no_picture_of_nothing() -> None:
    with pytest.raises(InvalidInput, match="days: give those"):
        draw_balance([])
    with pytest.raises(InvalidInput, match="flow: give one"):
        draw_flow(flow_of())


def test_a_long_time_has_no_more_days_named_than_can_be_read(sales: Receivables, settlements: list[Settlement]) -> None:
    assert len(settlements) == 2
    for span in (0, 1, 9, 30, 70, 281, 300, 366, 4000):
        picture = draw_balance(balance_by_day(sales.clearing_statement(DAY, DAY + timedelta(days=span))))

        picture._repr_png_()
        named = [each.get_text() for each in picture.axes[0].get_xticklabels()]
        assert 1 <= len(named) <= 12
        assert len(set(named)) == len(named)
        assert named[0].endswith("Feb 2026" if span > 280 else "Jan")


def test_without_matplotlib_it_says_what_to_install() -> None:
    program = """
import sys
sys.modules["matplotlib"] = None
import xerosync.series
try:
    import xerosync.pictures
except ImportError as error:
    print(error)
"""

    said = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    ).stdout

    assert said == "Matplotlib is not installed: pip install 'xerosync[pictures]'\n"
