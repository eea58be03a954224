"""The reconciliation report in a real browser: it opens, shows what it says, loads nothing else, and prints."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.conftest import DAY, nzd

import report_picture
from chromium import opened
from xerosync import Receivables, Settlement, SettlementLine


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("report") / "report.html"
    page.write_text(report_picture.report(), encoding="utf-8")
    return page


def _text_of(printed: Path, *options: str) -> str:
    reader = shutil.which("pdftotext")
    if reader is None and not os.environ.get("CI"):
        pytest.skip("there is no pdftotext here: tests/system-packages.sh installs it")
    assert reader is not None
    return subprocess.run([reader, *options, printed, "-"], check=True, capture_output=True, text=True).stdout


def test_the_report_opens_and_shows_its_sums(chromium: str, page: Path) -> None:
    shown = report_picture.looked_at(chromium, page, "--dump-dom")

    assert shown.count("<section>") == 7  # the sum, the causes, one by one, three settlements, what moved
    for said in ("Harbour Yoga Ltd, account 091", "-81.30 NZD", "perhaps entered twice", "✗", "✓"):
        assert said in shown


def test_the_report_tells_what_to_do_on_a_telephone_without_being_pushed_aside(chromium: str, page: Path) -> None:
    with opened(chromium) as tab:
        tab.resize(375, 800)
        tab.open(page.as_uri())
        hidden = tab.script("[...document.querySelectorAll('table')].filter(t => t.scrollWidth > t.clientWidth).length")
        shown = tab.text("body")

    assert hidden == 0
    assert "find out why; then put it back, or leave it" in shown


def test_the_report_prints(chromium: str, page: Path) -> None:
    printed = page.with_suffix(".pdf")
    report_picture.looked_at(chromium, page, f"--print-to-pdf={printed}", "--no-pdf-header-footer")

    assert printed.read_bytes().startswith(b"%PDF")
    text = _text_of(printed)
    for said in ("Why the clearing account is what it is", "-81.30 NZD", "43.80 NZD", "What moved"):
        assert said in text


def test_a_long_report_prints_on_pages_that_each_name_their_columns(
    chromium: str, sales: Receivables, tmp_path: Path
) -> None:
    """It begins on the first page, no line of it is cut in two, and what is said of it fits the paper."""
    lines = [SettlementLine(id=f"line-{place:03}", transaction="nobody", amount=nzd("1.00")) for place in range(90)]
    page, printed = tmp_path / "long.html", tmp_path / "long.pdf"
    page.write_text(sales.reconcile(Settlement(id="S1", on=DAY, lines=lines)).html(), encoding="utf-8")
    report_picture.looked_at(chromium, page, f"--print-to-pdf={printed}", "--no-pdf-header-footer")

    sheets = _text_of(printed, "-layout").split("\f")[:-1]

    in_table = [sheet for sheet in sheets if "collected line-" in sheet]
    assert len(in_table) > 3
    assert all("what is wrong" in sheet and "what to do" in sheet for sheet in in_table)
    assert "By what is behind them" in sheets[0]
    assert [f"{each.id} " in "".join(sheets) for each in lines] == [True] * len(lines)


def test_the_report_has_a_picture(chromium: str, page: Path) -> None:
    picture = page.with_suffix(".png")
    report_picture.looked_at(chromium, page, f"--screenshot={picture}", "--window-size=1060,1180")

    header = picture.read_bytes()[:24]
    assert (int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")) == (1060, 1180)
    assert report_picture.PICTURE.read_bytes().startswith(b"\x89PNG")
