"""Reading files of bills that nobody has seen before: exactly, or with the row named; nothing is dropped in silence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from as_written import amount_of, amount_text, date_style, exact_sum
from bills_file import BillsFile, Columns, read_bills

COLUMNS = Columns("Vendor", "Amount", "Date", "Number", "Category")
HEADING = "Vendor,Amount,Date,Number,Category\n"
SIGNS = ("", "£", "$", "€", "GBP", "nz$", "Rs. ", "kr")
CENTS = st.integers(-(10**14), 10**14)


def bills(tmp_path: Path, content: str | bytes, columns: Columns = COLUMNS, **given_: str) -> BillsFile:
    path = tmp_path / "bills.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_bills(path, columns, **given_)


def grouped(digits: str, separator: str) -> str:
    return f"{int(digits):,}".replace(",", separator)


@st.composite
def written(draw: st.DrawFn) -> tuple[Decimal, str]:
    """An amount and one of the ways in which people write it."""
    amount = Decimal(draw(CENTS)).scaleb(-2)
    whole, cents = f"{abs(amount):.2f}".split(".")
    thousands, point = draw(
        st.sampled_from([("", "."), (",", "."), ("'", "."), (" ", "."), ("\u00a0", "."), (".", ",")])
    )
    digits = f"{grouped(whole, thousands)}{point}{cents}"
    sign = draw(st.sampled_from(SIGNS))
    signed = draw(st.sampled_from([f"{sign}{digits}", f"{digits} {sign}", f" {sign} {digits} "]))
    if amount >= 0:
        return amount, draw(st.sampled_from([signed, f"+{signed}".replace("+ ", "+")]))
    negative = [
        f"-{signed}",
        f"{signed}-",
        f"({signed})",
        f"{sign}({digits})",
        f"{signed} CR",
        f"−{signed}",
        f"{signed} -",
    ]
    return amount, draw(st.sampled_from(negative))


@given(written())
def test_an_amount_in_any_notation_is_read_exactly(each: tuple[Decimal, str]) -> None:
    amount, text = each

    assert amount_of(text) == amount


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_a_plain_number_is_read_exactly_however_many_digits_it_has(amount: Decimal) -> None:
    assert amount_of(f"{amount:f}") == amount


@given(st.text(alphabet="0123456789.,' -+()£$GBPCRDkrRs\u00a0x/E") | st.text())
def test_what_is_no_amount_is_not_read_and_never_an_error(text: str) -> None:
    amount = amount_of(text)

    assert amount is None or (amount.is_finite() and any(letter.isdigit() for letter in text))


@pytest.mark.parametrize(
    "text",
    ["", "-", "£", "n/a", "1-2", "--5", "(-5)", "(5", "5)", "-5 CR", "£1£2", "12 34", "0,123", "1,2345", "12 TBC",
     "1.2.3", "1,234.567,89", "1e5", "NaN", "Infinity", "5%", "£5 GBP", "+5-", "0x10", "1_000"],
)  # fmt: skip
def test_what_could_mean_two_things_is_no_amount(text: str) -> None:
    assert amount_of(text) is None


@pytest.mark.parametrize(
    ("text", "amount"),
    [("(1,234.50)", "-1234.50"), ("£(5.00)", "-5"), ("1.234.567", "1234567"), ("12,50 €", "12.50"), ("-$3", "-3"),
     ("7.00 DR", "7"), ("7.00Cr", "-7"), ("7.00-", "-7"), ("US$1,000", "1000"), (".5", "0.5"), ("-0.00", "0")],
)  # fmt: skip
def test_notations_of_accountants_are_understood(text: str, amount: str) -> None:
    read = amount_of(text)

    assert read == Decimal(amount)
    assert not str(read).startswith("-0")


@pytest.mark.parametrize(
    ("others", "read"),
    [(["12,50", "1.234,56", "7.00"], {"1.005": "1005", "1,005": None}), (["12.50"], {"1.005": None, "1,005": "1005"}),
     ([], {"1.005": None, "1,005": "1005"}), (["€ 3,10", "-0,05"], {"(2.500)": "-2500", "1.234.567": "1234567"})],
)  # fmt: skip
def test_a_thousand_and_a_decimal_are_told_apart_by_the_other_amounts_of_the_column(
    tmp_path: Path, others: list[str], read: dict[str, str | None]
) -> None:
    """What is hardly more than one is no amount of money, and stays unposted; it is never posted as a thousand."""
    amounts = [*others, *read]
    rows = [f'X;"{each}";2022-01-01;{place};' for place, each in enumerate(amounts)]

    file = bills(tmp_path, "\n".join([HEADING.strip().replace(",", ";"), *rows]))

    posted = {row.paper: row.amount for document in file.documents for row in document.rows}
    for text, amount in read.items():
        assert posted.get(str(amounts.index(text))) == (None if amount is None else Decimal(amount))
    assert {each.cause for each in file.troubles} <= {"its amount has a fraction of a cent"}


def test_sums_and_their_texts_lose_no_digit() -> None:
    huge = Decimal("1" + "0" * 60)

    assert amount_text(exact_sum([huge, Decimal("0.005"), Decimal("0.005")])) == f"{huge:f}.01"
    assert amount_text(Decimal("0.125")) == "0.125"
    assert amount_text(Decimal(5)) == "5.00"


@given(st.lists(st.dates(date(1970, 1, 1), date(2068, 12, 31)), min_size=1), st.sampled_from("/.- "), st.booleans())
def test_days_of_a_column_are_read_in_its_one_order(days: list[date], mark: str, short: bool) -> None:
    year = "%y" if short else "%Y"
    for first, second, name in (("%d", "%m", "day first"), ("%m", "%d", "month first")):
        texts = [day.strftime(f"{first}{mark}{second}{mark}{year}") for day in days]

        style = date_style(texts)

        if any(day.day > 12 for day in days):
            assert style.said == f"{name} (a value above 12 decides)"
            assert [style.day(text) for text in texts] == days
        else:
            assert style.said == "day first (no value above 12 decides)"
            assert None not in [style.day(text) for text in texts]


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_a_day_that_can_mean_only_one_is_read_in_any_column(day: date) -> None:
    for style in (date_style(["01/13/2022"]), date_style(["13/01/2022"]), date_style([])):
        for shape in (
            "%Y-%m-%d",
            "%Y/%m/%d",
            "%Y%m%d",
            "%Y-%m-%dT00:00:00",
            "%Y-%m-%d 0:00",
            "%d %b %Y",
            "%d-%B-%Y",
            "%B %d, %Y",
        ):
            assert style.day(f" {day.strftime(shape)} ") == day


@given(st.lists(st.text() | st.from_regex(r"[0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,4}")))
def test_what_is_no_day_is_not_read_and_never_an_error(texts: list[str]) -> None:
    style = date_style(texts)

    assert all(day is None or 1900 <= day.year < 2200 for day in map(style.day, texts))


def test_what_is_said_of_the_dates_is_true() -> None:
    assert date_style(["2022-04-01", "2022-05-02"]).said == "year first"
    assert date_style(["2022-04-01", "02/05/2022"]).said == "year first and day first (no value above 12 decides)"
    assert date_style(["1 April 2022"]).said == "as they stand"
    assert date_style(["45/04/2022", "04/13/2022"]).said == "month first (a value above 12 decides)"
    mixed = date_style(["04/13/2022", "04/14/2022", "15/04/2022"])
    assert mixed.said == "month first (but 1 cannot be read so: they are reported below)"
    assert mixed.day("15/04/2022") is None
    assert date_style(["04/13/2022"], "%d.%m.%y").said == "as %d.%m.%y"


@pytest.mark.parametrize("pattern", ["%d/%m", "%Q", "%d %d", "", "dd/mm/yyyy", "%", "%H:%M"])
def test_a_date_format_that_tells_no_day_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(ValueError, match="date format"):
        bills(tmp_path, HEADING, date_format=pattern)


def test_a_date_format_is_taken_at_its_word(tmp_path: Path) -> None:
    file = bills(tmp_path, HEADING + "A,1,22|05|01,1,x\nA,1,2022-05-01,2,x\n", date_format="%y|%d|%m")

    assert [document.on for document in file.documents] == [date(2022, 1, 5)]
    assert [trouble.row for trouble in file.troubles] == [3]


@pytest.mark.parametrize(
    "content",
    [
        (HEADING + "Café,1,2022-05-01,1,x\n").encode(),
        ("\ufeff" + HEADING + "Café,1,2022-05-01,1,x\n").encode(),
        ("ï»¿" + HEADING + "Café,1,2022-05-01,1,x\n").encode(),
        (HEADING + "Café,1,2022-05-01,1,x\n").encode("cp1252"),
        b"\xef\xbb\xbf" + (HEADING + "Café,1,2022-05-01,1,x\n").encode("cp1252"),
        (HEADING + "Café,1,2022-05-01,1,x\r\n").replace("\n", "\r\n").encode(),
        (HEADING + "Café,1,2022-05-01,1,x").replace("\n", "\r").encode(),
        (HEADING + "Café,1,2022-05-01,1,x").replace(",", ";").encode(),
        (HEADING + "Café,1,2022-05-01,1,x").replace(",", "\t").encode(),
        ("\n" + HEADING.upper() + "Café,1,2022-05-01,1,x").encode(),
        (
            "ï»¿" + HEADING.replace("Vendor", '"Vendor"').replace("Number", "  Number ") + "Café,1,2022-05-01,1,x"
        ).encode(),
    ],
)
def test_encodings_marks_and_delimiters_are_seen_through(tmp_path: Path, content: bytes) -> None:
    (document,) = bills(tmp_path, content).documents

    assert (document.vendor, document.number, document.rows[0].amount) == ("Café", "1", Decimal(1))


def test_rows_are_numbered_as_in_the_file_also_after_blank_rows_and_broken_lines(tmp_path: Path) -> None:
    content = HEADING + 'A,1,2022-05-01,1,"two\nlines"\n\n,,,,\nB,what,2022-05-01,2,x\n,2,2022-05-01,3,x\nC,3,,4,x\nD\n'

    file = bills(tmp_path, content)

    assert {trouble.row: (trouble.cause, trouble.amount) for trouble in file.troubles} == {
        3: ("it is blank", Decimal(0)),
        4: ("it is blank", Decimal(0)),
        5: ("its amount cannot be read", Decimal(0)),
        6: ("it has no vendor", Decimal(2)),
        7: ("its date cannot be read, or lies outside the years 1900 to 2199", Decimal(3)),
        8: ("it has no amount", Decimal(0)),
    }
    assert file.rows == 7
    assert file.unposted == 5
    assert file.categories == ("two lines",)


def test_a_row_with_more_cells_than_the_heading_is_not_guessed_at(tmp_path: Path) -> None:
    file = bills(tmp_path, HEADING + "Smith, Jones,5105,100.00,2022-05-01,1,x\nA,1,2022-05-01,1,x,,\n")

    assert [(each.row, each.amount) for each in file.troubles] == [(2, Decimal(0))]
    assert [document.vendor for document in file.documents] == ["A"]


def test_rows_of_one_vendor_and_number_are_one_document_of_its_earliest_day(tmp_path: Path) -> None:
    rows = "Acme  Ltd,1,2022-05-03,7,x\nACME LTD,2,2022-05-01,7,y\nAcme Ltd,4,2022-05-02,,x\nAcme Ltd,8,2022-05-02,,x\n"

    file = bills(tmp_path, HEADING + rows)

    assert [[row.number for row in document.rows] for document in file.documents] == [[2, 3], [4], [5]]
    assert file.documents[0].on == date(2022, 5, 1)
    assert [(each.row, each.cause, each.amount) for each in file.troubles] == [
        (4, "it has no number, so it is a document of its own", Decimal(0)),
        (5, "it has no number, so it is a document of its own", Decimal(0)),
    ]


@pytest.mark.parametrize("amount", ["1.005", "10000000000", "-1e400".replace("e400", "0" * 400), "0.001"])
def test_an_amount_that_cannot_be_posted_is_left_to_the_cent_and_below(tmp_path: Path, amount: str) -> None:
    file = bills(tmp_path, HEADING + f"A,{amount},2022-05-01,1,x\n")

    assert file.documents == ()
    assert file.unposted == Decimal(amount)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "has no column 'Vendor'; it has: no columns at all"),
        ("\n\n", "no columns at all"),
        ("Supplier,Amount\n", "has no column 'Vendor'; it has: 'Supplier', 'Amount'"),
        (HEADING.replace("\n", ",amount,Amount\n"), "has 2 columns named 'Amount'"),
        (HEADING + '"A,1,2022-05-01,1,x\nB,1,2022-05-01,1,x\n', "row 2: a quotation mark is opened and never closed"),
        (HEADING + '"A' + "x" * 200_000, "is a quotation mark never closed"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        bills(tmp_path, content)


def test_a_heading_without_rows_is_a_file_without_bills(tmp_path: Path) -> None:
    file = bills(tmp_path, HEADING)

    assert (file.rows, file.documents, file.troubles, file.unposted) == (0, (), (), Decimal(0))
