"""Amounts and dates as people write them: read exactly, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Context, Decimal

from attrs import frozen

_CODES = "AED AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS INR JPY KRW MXN NOK NZD PLN SEK SGD THB TRY USD ZAR"
_CURRENCY = re.compile(rf"{'|'.join(_CODES.split())}|(?:A|AU|C|CA|HK|NZ|S|US)?\$|[£€¥₹]|Rs\.?|kr\.?", re.IGNORECASE)
_AMOUNT = re.compile(
    rf"(?P<before>(?:[-+( ]|{_CURRENCY.pattern})*)"
    r"(?P<digits>\.?\d(?:[\d.,' ]*\d)?)"
    rf"(?P<after>(?:[-+) ]|CR|DR|{_CURRENCY.pattern})*)",
    re.IGNORECASE,
)
_IS_NEGATIVE = {
    ("", ""): False,
    ("+", ""): False,
    ("", "+"): False,
    ("", "DR"): False,
    ("-", ""): True,
    ("", "-"): True,
    ("(", ")"): True,
    ("", "CR"): True,
}
_PLAIN = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_POINT_AFTER_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:([,' ])\d{3})(?:\1\d{3})*(?:\.\d+)?|[1-9]\d{0,2}(?:\.\d{3}){2,}")
_COMMA_AFTER_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:([.' ])\d{3})(?:\1\d{3})*,\d{1,2}|\d+,\d{1,2}")
_COMMA_ONLY = re.compile(r"(?:.*\D)?\d+,\d{1,2}\D*")
_POINT_ONLY = re.compile(r"(?:.*\D)?\d*\.\d{1,2}\D*")
_EITHER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_TYPOGRAPHY = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2011": "-", "\u2019": "'"})
_SWAPPED = str.maketrans(",.", ".,")
_EXACT = Context(prec=200_000)

_TIME = r"(?:[T ]\d{1,2}:\d{2}.*)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})(?:([./ -])(\d{{1,2}})\2(\d{{1,2}})|()(\d{{2}})(\d{{2}})){_TIME}")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([./ -])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}")
_MONTHS_NAMED = ("%d %b %Y", "%d %B %Y", "%d %b %y", "%d %B %y", "%b %d %Y", "%B %d %Y", "%Y %b %d", "%Y %B %d")
_YEARS = range(1900, 2200)


def has_decimal_comma(texts: Iterable[str]) -> bool:
    """Whether the amounts in *texts*, one column, have a decimal comma: more of them cannot be read otherwise."""
    listed = [text.strip() for text in texts]
    return sum(map(bool, map(_COMMA_ONLY.fullmatch, listed))) > sum(map(bool, map(_POINT_ONLY.fullmatch, listed)))


def amount_of(text: str, *, decimal_comma: bool = False) -> Decimal | None:
    """
    The amount written in *text*, exactly; None when it is no amount, or could mean two.

    Where its column has a *decimal_comma*, 1.005 is a thousand and five, and 1,005 is hardly more than one; else the
    other way round.

    Understood are thousands separators, a decimal point or comma, one currency sign, and for a negative amount
    parentheses, a minus on either side, or CR.
    """
    written = _AMOUNT.fullmatch(" ".join(text.translate(_TYPOGRAPHY).split()))
    if written is None:
        return None
    around = [_CURRENCY.subn("", written[side].upper()) for side in ("before", "after")]
    (before, _), (after, _) = around
    is_negative = _IS_NEGATIVE.get((before.replace(" ", ""), after.replace(" ", "")))
    digits = written["digits"]
    amount = _unsigned(digits.translate(_SWAPPED) if decimal_comma and _EITHER.fullmatch(digits) else digits)
    if is_negative is None or amount is None or sum(signs for _, signs in around) > 1:
        return None
    return amount.copy_negate() if is_negative and amount else amount


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of *amounts*, however many digits it takes."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def amount_text(amount: Decimal) -> str:
    """*amount* with two decimals, or as many more as it has."""
    places = max(2, -int(amount.normalize(_EXACT).as_tuple().exponent))
    return f"{_EXACT.quantize(amount, Decimal(1).scaleb(-places)):f}"


def _unsigned(digits: str) -> Decimal | None:
    if _PLAIN.fullmatch(digits) or _POINT_AFTER_THOUSANDS.fullmatch(digits):
        several_dots = digits.count(".") > 1
        return Decimal(re.sub(r"[,' .]" if several_dots else r"[,' ]", "", digits))
    if _COMMA_AFTER_THOUSANDS.fullmatch(digits):
        return Decimal(re.sub(r"[.' ]", "", digits).replace(",", "."))
    return None


@frozen
class DateStyle:
    """
    How the dates of one column are written: by a *pattern* of strptime, or else in one order of day and month.

    *said* tells a person which, and what decided it.
    """

    said: str
    month_first: bool = False
    pattern: str | None = None

    def day(self, text: str) -> date | None:
        """The day in *text*; None when it is no day of the years 1900 to 2199."""
        plain = " ".join(text.split())
        found = _parsed(plain, [self.pattern]) if self.pattern else _day(plain, month_first=self.month_first)
        return found if found is not None and found.year in _YEARS else None


def date_style(texts: Iterable[str], pattern: str | None = None) -> DateStyle:
    """
    How the dates in *texts*, one column, are written; with *pattern*, as that says.

    Any value above 12 decides whether the day or the month comes first; else the day does. Raises `ValueError` for a
    *pattern* that does not tell a day.
    """
    if pattern is not None:
        return DateStyle(f"as {_checked(pattern)}", pattern=pattern)
    plain = [" ".join(text.split()) for text in texts]
    open_ = [text for text in plain if _YEAR_LAST.fullmatch(text)]
    read = [(_day(text, month_first=False), _day(text, month_first=True)) for text in open_]
    only_day_first = sum(month_first is None and day_first is not None for day_first, month_first in read)
    only_month_first = sum(day_first is None and month_first is not None for day_first, month_first in read)
    orders = ["year first"] if any(map(_YEAR_FIRST.fullmatch, plain)) else []
    if open_:
        order = "month first" if only_month_first > only_day_first else "day first"
        orders.append(f"{order} ({_why(only_day_first, only_month_first)})")
    return DateStyle(" and ".join(orders) or "as they stand", month_first=only_month_first > only_day_first)


def _why(only_day_first: int, only_month_first: int) -> str:
    if only_day_first and only_month_first:
        return f"but {min(only_day_first, only_month_first)} cannot be read so: they are reported below"
    return "a value above 12 decides" if only_day_first or only_month_first else "no value above 12 decides"


def _checked(pattern: str) -> str:
    sample = datetime(2001, 2, 13)  # noqa: DTZ001 - a day has no time zone
    try:
        told = datetime.strptime(sample.strftime(pattern), pattern).date()  # noqa: DTZ007 - as above
    except (ValueError, re.error):
        told = None
    if told != sample.date():
        raise ValueError(f"the date format {pattern!r} does not tell day, month and year: write it as %d/%m/%Y")
    return pattern


def _day(plain: str, *, month_first: bool) -> date | None:
    if last := _YEAR_LAST.fullmatch(plain):
        first, _, second, year = last.groups()
        month, day = (first, second) if month_first else (second, first)
        if len(year) == 2:
            # As strptime reads them: 69 is 1969, 68 is 2068.
            year = f"{'19' if int(year) >= 69 else '20'}{year}"
    elif leading := _YEAR_FIRST.fullmatch(plain):
        year, month, day = leading[1], leading[3] or leading[6], leading[4] or leading[7]
    else:
        return _parsed(" ".join(re.split(r"[ ,/-]+", plain)), _MONTHS_NAMED)
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _parsed(text: str, patterns: Iterable[str]) -> date | None:
    for pattern in patterns:
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    return None
