"""Money: an exact decimal amount that is never without its currency."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from decimal import (
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from numbers import Integral
from typing import Final, ParamSpec, TypeVar

from attrs import field, frozen

from xerosync.arguments import came
from xerosync.errors import InvalidInput

EXACT: Final = Context(
    prec=28,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
"""How amounts are added up, whatever precision the host has set for its thread: no sum comes out rounded for that."""
P = ParamSpec("P")
R = TypeVar("R")


def exactly(decide: Callable[P, R]) -> Callable[P, R]:
    """*decide*, which adds up bare decimals, done in the `EXACT` context."""

    @functools.wraps(decide)
    def decided(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext(EXACT):
            return decide(*args, **kwargs)

    return decided


_FINEST: Final = Decimal("1E-9")
_TOO_LONG: Final = 18
_CENT: Final = Decimal("0.01")
_NOUGHT: Final = Decimal(0)
_SUMS: Final = Context(prec=100, traps=[InvalidOperation, Inexact])
"""How very many amounts are added up, any of which may have all digits that one can have."""

# The ISO 4217 currencies whose smallest coin is not a hundredth.
_NO_DECIMALS: Final = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THREE_DECIMALS: Final = frozenset("BHD IQD JOD KWD LYD OMR TND".split())


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of *currency*, an ISO 4217 code: 0.01 NZD, 1 JPY, 0.001 KWD."""
    if currency in _NO_DECIMALS:
        return Decimal(1)
    return Decimal("0.001") if currency in _THREE_DECIMALS else Decimal("0.01")


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        # Integral is what numpy and pandas call a whole number.
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise InvalidInput("amount", f"money is exact: give a Decimal, an int or a str, never {came(value)}")
        value = int(value)
    try:
        return Decimal(value)
    except InvalidOperation:
        raise InvalidInput("amount", "give a decimal number such as '120.00'") from None


def _amount(value: object) -> Decimal:
    amount = value if type(value) is Decimal else _decimal(value)
    if amount and amount.same_quantum(_CENT) and amount.adjusted() < _TOO_LONG:
        return amount  # as nearly all are, of which millions are made
    if not amount.is_finite():
        raise InvalidInput("amount", "give a finite amount, not NaN or Infinity")
    # We work with 28 digits, and Decimal rounds beyond them in silence: within these bounds every sum is exact.
    if amount and (amount.adjusted() >= _TOO_LONG or amount != amount.quantize(_FINEST, context=EXACT)):
        raise InvalidInput("amount", "give an amount below 10^18, with nine decimals at most")
    return EXACT.add(amount, _NOUGHT)  # a negative zero becomes zero


def _currency(value: object) -> str:
    if not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isupper()):
        raise InvalidInput("currency", "give an ISO 4217 code of three capital letters, such as 'NZD'")
    return value


@frozen(order=False, repr=False)
class Money:
    """
    An *amount* of one *currency* (ISO 4217). Amounts of different currencies never add up or compare.

    Amounts are kept as given; `to_the_cent` says whether one can be paid, `rounded` makes it so (half-up, F 5.25).
    """

    amount: Decimal = field(converter=_amount)
    currency: str = field(converter=_currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in *currency*, written to its smallest coin: 0.00 NZD."""
        return _zero(currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str) -> Money:
        """The sum of *amounts*, all of *currency*; zero of it when there are none."""
        none = cls.zero(currency)
        total = none.amount
        for each in amounts:
            total = _SUMS.add(total, _same(none, each))
        return cls(total, currency)

    @property
    def to_the_cent(self) -> bool:
        """Whether the amount is a whole number of the currency's smallest coin."""
        return self.amount == self.rounded().amount

    def rounded(self) -> Money:
        """This amount to the currency's smallest coin, half-up (away from zero)."""
        return Money(self.amount.quantize(minor_unit(self.currency), ROUND_HALF_UP, EXACT), self.currency)

    def at_rate(self, rate: Decimal, currency: str) -> Money:
        """
        What this amount is in *currency*, to its smallest coin, at *rate* units of its own for one of that (F 6.70).

        Raises `InvalidInput` for a rate that is not above zero.
        """
        given: object = rate
        if type(given) is not Decimal or not given.is_finite() or given <= 0:
            raise InvalidInput("rate", "give a Decimal above zero: units of this currency for one of the other")
        found = EXACT.divide(self.amount, rate)
        coin = minor_unit(currency)
        return Money(found.quantize(coin, ROUND_HALF_UP, EXACT), currency)

    def instalments(self, count: int) -> tuple[Money, ...]:
        """*count* parts that differ by one coin at most and sum to this amount exactly, larger parts first."""
        given: object = count
        if type(given) is not int or given < 1:
            raise InvalidInput("count", "give a whole number of instalments, at least one")
        coin = minor_unit(self.currency)
        coins = int(EXACT.divide(self.amount, coin))
        if EXACT.multiply(coins, coin) != self.amount:
            raise InvalidInput("amount", "an amount with a fraction of a coin cannot be paid in instalments")
        whole, rest = divmod(abs(coins), count)
        sign = -1 if coins < 0 else 1
        return tuple(
            Money(EXACT.multiply(sign * (whole + (part < rest)), coin), self.currency) for part in range(count)
        )

    def __add__(self, other: Money) -> Money:
        return Money(EXACT.add(self.amount, _same(self, other)), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(EXACT.subtract(self.amount, _same(self, other)), self.currency)

    def __neg__(self) -> Money:
        return Money(EXACT.minus(self.amount), self.currency)

    def __abs__(self) -> Money:
        return Money(EXACT.abs(self.amount), self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: Money) -> bool:
        return self.amount < _same(self, other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= _same(self, other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > _same(self, other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= _same(self, other)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def __repr__(self) -> str:
        return f"<Money {self.currency}>"


def _same(one: Money, other: Money) -> Decimal:
    """The amount of *other*, which is of the same currency as *one*."""
    if other.currency != one.currency:
        raise InvalidInput("currency", f"{one.currency} and {other.currency} cannot be added or compared")
    return other.amount


@functools.lru_cache(maxsize=256)
def _zero(currency: str) -> Money:
    return Money(EXACT.multiply(0, minor_unit(currency)), currency)
