"""Money is exact, and never without its currency."""

from __future__ import annotations

import pickle
from decimal import Context, Decimal, DecimalException, Inexact, Rounded, localcontext
from fractions import Fraction
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xerosync import Money
from xerosync.errors import InvalidInput
from xerosync.money import minor_unit

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=4, allow_nan=False, allow_infinity=False)
CENTS = st.integers(-(10**12), 10**12).map(lambda cents: Money(Decimal(cents).scaleb(-2), "NZD"))
MONEY = AMOUNTS.map(lambda amount: Money(amount, "NZD"))


@given(CENTS, st.integers(1, 60))
def test_instalments_sum_to_the_amount_exactly(amount: Money, count: int) -> None:
    parts = amount.instalments(count)

    assert len(parts) == count
    assert Money.total(parts, "NZD") == amount
    assert all(part.to_the_cent for part in parts)
    assert abs(abs(parts[0]) - abs(parts[-1])) <= Money("0.01", "NZD")
    assert list(parts) == sorted(parts, key=abs, reverse=True)


@pytest.mark.parametrize(("currency", "parts"), [("JPY", ("34", "33", "33")), ("KWD", ("33.334", "33.333", "33.333"))])
def test_instalments_are_whole_coins_of_the_currency(currency: str, parts: tuple[str, ...]) -> None:
    assert Money(100, currency).instalments(3) == tuple(Money(part, currency) for part in parts)


def test_what_is_no_whole_number_of_coins_cannot_be_split() -> None:
    with pytest.raises(InvalidInput, match="fraction of a coin"):
        Money("0.5", "JPY").instalments(2)
    with pytest.raises(InvalidInput, match="at least one"):
        Money("1.00", "NZD").instalments(0)
    with pytest.raises(InvalidInput, match="whole number"):
        Money("1.00", "NZD").instalments(cast(int, 2.5))


@given(MONEY, MONEY)
def test_adding_and_taking_away_are_exact(one: Money, other: Money) -> None:
    assert Fraction((one + other).amount) == Fraction(one.amount) + Fraction(other.amount)
    assert one + other - other == one
    assert one - one == Money.zero("NZD")
    assert Money.zero("NZD") - one == -one


@pytest.mark.parametrize("traps", [[], [Inexact, Rounded], list(Context().traps)])
@given(one=CENTS, other=MONEY, count=st.integers(1, 60), digits=st.integers(1, 9))
def test_no_precision_that_a_host_has_set_rounds_money(
    one: Money, other: Money, count: int, digits: int, traps: list[type[DecimalException]]
) -> None:
    """Python's own documentation begins with ``getcontext().prec = 6``."""

    def worked_out() -> list[Money]:
        made = Money(str(other.amount), "NZD")
        return [
            one + other,
            one - other,
            -one,
            abs(other),
            made.rounded(),
            *one.instalments(count),
            Money.total([one] * 3, "NZD"),
        ]

    plainly = worked_out()

    with localcontext(Context(prec=digits, traps=traps)):
        assert worked_out() == plainly


@given(st.lists(MONEY, max_size=20))
def test_a_total_does_not_depend_on_the_order(amounts: list[Money]) -> None:
    assert Money.total(amounts, "NZD") == Money.total(reversed(amounts), "NZD")


def test_a_total_is_exact_though_on_the_way_it_has_more_digits_than_an_amount_may() -> None:
    most = Money("999999999999999999.999999999", "NZD")

    assert Money.total([most] * 1000 + [-most] * 999, "NZD") == most
    with pytest.raises(InvalidInput, match=r"below 10\^18"):
        Money.total([most, most], "NZD")


@given(MONEY, MONEY)
def test_amounts_are_in_order(one: Money, other: Money) -> None:
    assert (one < other, one > other) == (one.amount < other.amount, one.amount > other.amount)
    assert (one <= other, one >= other) == (not one > other, not one < other)


@given(MONEY)
def test_rounding_moves_by_half_a_coin_at_most_and_away_from_zero_at_the_half(amount: Money) -> None:
    rounded = amount.rounded()

    assert rounded.to_the_cent
    assert abs(rounded - amount) <= Money("0.005", "NZD")
    assert abs(rounded - amount) < Money("0.005", "NZD") or abs(rounded) > abs(amount)


@given(st.floats())
def test_floats_are_refused(amount: float) -> None:
    with pytest.raises(InvalidInput, match="never a float"):
        Money(amount, "NZD")


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "12,50", "", "ten", True, None])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(InvalidInput, match="amount"):
        Money(amount, "NZD")


@pytest.mark.parametrize("currency", ["nzd", "NZ", "NZDX", "", "ÑZD", None])
def test_what_is_no_currency_is_refused(currency: str) -> None:
    with pytest.raises(InvalidInput, match="ISO 4217"):
        Money("1.00", currency)


def test_currencies_never_mix() -> None:
    kiwi, aussie = Money("1.00", "NZD"), Money("1.00", "AUD")

    assert kiwi != aussie
    for mixed in (
        lambda: kiwi + aussie,
        lambda: kiwi - aussie,
        lambda: kiwi < aussie,
        lambda: kiwi >= aussie,
        lambda: Money.total([kiwi, aussie], "NZD"),
    ):
        with pytest.raises(InvalidInput, match="NZD and AUD"):
            mixed()


def test_equal_amounts_are_one_however_they_are_written() -> None:
    assert Money("1.50", "NZD") == Money("1.5", "NZD") == Money(Decimal("1.500"), "NZD")
    assert len({Money("1.50", "NZD"), Money("1.5", "NZD")}) == 1
    assert str(Money("-0.00", "NZD")) == "0.00 NZD"
    assert not Money("-0.00", "NZD")


def test_money_prints_plainly_and_its_repr_keeps_quiet() -> None:
    assert str(Money("1E+3", "NZD")) == "1000 NZD"
    assert repr(Money("12.34", "NZD")) == "<Money NZD>"


@given(MONEY)
def test_money_survives_pickling(amount: Money) -> None:
    copy: object = pickle.loads(pickle.dumps(amount))  # noqa: S301 (our own bytes)

    assert copy == amount


def test_coins_are_those_of_the_currency() -> None:
    assert (minor_unit("NZD"), minor_unit("JPY"), minor_unit("KWD")) == (Decimal("0.01"), Decimal(1), Decimal("0.001"))


@pytest.mark.parametrize("amount", ["1e18", "-1e400", "1234567890123456789.5", "0.0000000001", "1e-400"])
def test_an_amount_that_could_not_be_kept_exactly_is_refused(amount: str) -> None:
    with pytest.raises(InvalidInput, match="below 10"):
        Money(amount, "NZD")


def test_the_largest_amounts_are_kept_to_the_last_digit() -> None:
    largest = Money("999999999999999999.999999999", "NZD")

    assert str(largest) == "999999999999999999.999999999 NZD"
    assert largest - largest == Money.zero("NZD")
    with pytest.raises(InvalidInput, match="below 10"):
        _ = largest + largest
