"""What the library tells goes into a dataframe as it is, and shows itself in a notebook as text, never as markup."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import Protocol

import pandas
import polars
import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import CLEARING, DAY, Product, nzd
from tests.engine.scenarios import collected

import xerosync
from xerosync import (
    Connections,
    Customer,
    Doctor,
    Finding,
    Fleet,
    Ledger,
    Listing,
    Plan,
    Receivables,
    Settlement,
    SettlementLine,
)
from xerosync.models import TenantId
from xerosync.tables import Tabular, html_table, plain

EVIL = "<script>alert('1')</script> & Söhne"


class Shown(Protocol):
    """What a notebook shows as a table."""

    def rows(self) -> list[dict[str, object]]: ...
    def _repr_html_(self) -> str: ...


class Reader(HTMLParser):
    """Reads the tags and the text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


OURS = {"p", "table", "thead", "tbody", "tr", "th", "td", "a"}


def told(product: Product) -> dict[str, object]:
    """All that the library tells of an organisation in which a name is markup, by what it is."""
    owed = product.invoice("Ana Costa", "100.00", EVIL)
    xero = product.xero()
    sales = Receivables(xero, clearing_account=CLEARING)
    sales.apply(sales.match([Customer(id="Ana", custom_identifier="Ana Costa")]))
    sales.apply(sales.import_invoices())
    ledger = Ledger(xero)
    unknown = SettlementLine(id="x/<b>1</b>", transaction="unknown", amount=nzd("5.00"))
    plan = sales.settle([collected(owed.id), Settlement(id="S<i>2", on=DAY, lines=(unknown,))])
    report = sales.apply(plan)
    customers = [Customer(id="c<1>", custom_identifier=EVIL), Customer(id="c2", custom_identifier="Nobody")]
    return {
        "plan": plan,
        "plan.findings": plan.findings,
        "report": report,
        "report.results": report.results,
        "recovery": ledger.recover(),
        "matches": sales.matches(customers),
        "match": sales.match(customers),
        "preview": sales.preview_imports(),
        "transactions": sales.transactions(),
        "transaction report": sales.transaction_report(),
        "settlement report": sales.settlement_report(collected(owed.id)),
        "proof": collected(owed.id).proof,
        "reconciliation": sales.reconcile([collected(owed.id)]),
        "discrepancies": sales.reconcile([]).discrepancies,
        "causes": sales.reconcile([]).causes,
        "statement": sales.clearing_statement(DAY, DAY),
        "clearing accounts": sales.clearing_accounts(),
        "posted": sales.posted(["s1"]),
        "audit": ledger.audit(),
        "drift": ledger.drift(),
        "trail": ledger.trail(),
        "why": ledger.why("x/<b>1</b>"),
        "parked": ledger.parked(),
        "doctor": Doctor(xero, features=("receivables",)).examine(),
        "status": Fleet(product.store, clock=product.clock).status(),
        "connections": Connections(product.store).list(),
    }


def test_all_that_is_told_shows_itself_as_a_table_and_no_name_becomes_markup(product: Product) -> None:
    shown = ""
    for what, each in told(product).items():
        assert isinstance(each, Tabular), what
        html = each._repr_html_()
        shown += html
        assert Reader(html).tags <= OURS, what

    assert "<script" not in shown
    assert EVIL in Reader(shown).text
    assert "x/<b>1</b>" in Reader(shown).text


def test_rows_go_into_a_dataframe_as_they_are(product: Product) -> None:
    for what, each in told(product).items():
        assert isinstance(each, Tabular), what
        rows = [dict(row) for row in each.rows()]
        assert len({tuple(row) for row in rows}) <= 1, what
        for frame in (pandas.DataFrame(rows), polars.DataFrame(rows)):
            assert frame.shape == (len(rows), len(rows[0]) if rows else 0), what


def test_findings_tell_what_to_do_about_what(product: Product) -> None:
    plan = Receivables(product.xero(), clearing_account=CLEARING).settle(collected("T-9"))

    (row,) = plan.findings.rows()
    (finding,) = plan.findings

    assert row["about"] == finding.about
    assert (row["code"], row["fix"], row["who"]) == (finding.code, finding.fix, finding.who)
    assert plan.findings == (finding,)
    assert finding.fix in Reader(plan._repr_html_()).text


def test_what_has_more_than_a_hundred_rows_says_how_many_are_left_out() -> None:
    findings = Listing(Finding(code="odd", about=str(place), cause="so", fix="mend it") for place in range(1234))

    html = findings._repr_html_()

    assert html.count("<tr>") == 101
    assert "1,134 more" in html
    assert len(findings.rows()) == 1234


def test_nothing_to_show_is_said() -> None:
    assert Listing[Finding]().rows() == []
    assert "none" in Listing[Finding]()._repr_html_()


@pytest.mark.parametrize("address", ["javascript:alert(1)", 'https://go.xero.com/?a=1&b="><script>', ""])
def test_only_an_address_of_the_web_is_a_link(address: str) -> None:
    html = html_table([{"link": address, "other": "https://evil.test"}])

    assert ("<a " in html) == address.startswith("https://")
    assert "<script" not in html


@given(st.text(), st.text())
def test_no_text_becomes_markup(column: str, text: str) -> None:
    html = html_table([{column: text}])

    assert Reader(html).tags <= OURS
    assert html.count("<") == html_table([{"a": "b"}]).count("<") + (2 if "<a href" in html else 0)


def test_values_are_told_plainly() -> None:
    @frozen
    class Other:
        id: str = "x-1"

    assert plain(Decimal("1.50")) == "1.50"
    assert plain(date(2026, 1, 5)) == "2026-01-05"
    assert plain(("a", 1, None)) == "a, 1, None"
    assert plain({"a": Decimal(1)}) == "a: 1"
    assert plain(xerosync.LineMark.CROSSED) == xerosync.LineMark.CROSSED.value
    assert plain(Other()) == "x-1"
    assert plain(xerosync.Money("2.00", "NZD")) == "2.00 NZD"
    assert plain(True) is True


def test_whatever_has_rows_is_shown_by_the_one_piece_of_code() -> None:
    """A new report cannot forget to show itself."""
    kinds = [getattr(xerosync, name) for name in xerosync.__all__]
    with_rows = [each for each in kinds if isinstance(each, type) and hasattr(each, "rows")]

    assert [each.__name__ for each in with_rows if not issubclass(each, Tabular)] == []
    assert len(with_rows) > 10
    assert not [each for each in with_rows if re.search("_repr_html_", str(vars(each).keys())) and each is not Listing]


def test_why_shows_a_line_in_words_and_keeps_all_of_it_in_its_rows(product: Product) -> None:
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    settlement = collected(product.collectable("40.00").id)
    sales.apply(sales.settle(settlement))

    trail = Ledger(product.xero()).why(settlement.lines[0].id)
    shown = Reader(trail._repr_html_()).text

    assert len(trail.rows()[0]) > 6
    assert trail._repr_html_().count("<th ") == 3
    assert all(sentence.partition(": ")[2] in shown for sentence in trail.sentences)
    assert "nothing is recorded" in Ledger(product.xero()).why("nobody")._repr_html_().lower()


def test_a_cause_shows_the_first_of_what_waits_for_it() -> None:
    findings = [Finding(code="a", about=f"b-{place}", cause="c", fix="d") for place in range(7)]

    (row,) = Plan(tenant=TenantId("t"), findings=findings).causes.rows()

    assert row["waits"] == "b-0, b-1, b-2, b-3, b-4 and 2 more"
