"""The lines of the host's papers, which say the same of a sale and of a purchase: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Self, cast

from attrs import evolve, field, frozen

from xerosync.arguments import fields_checked, listed
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode, LineAmountTypes, LineItem, LineTracking
from xerosync.money import EXACT, Money, minor_unit
from xerosync.texts import check_id, check_text

LONGEST: Final = {"number": 255, "description": 4000, "reference": 255}
"""How many characters Xero keeps of a text."""

_LONGEST_CODES: Final = {"account": 36, "tax_type": 50, "item": 30, "category": 0}
"""How many characters what a line refers to has at most; an account may be named by its id."""
_LONGEST_TRACKING: Final = 100

_NO_TAX: Final = "NONE"
_PRICE: Final = Decimal("0.0001")


def as_pairs(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Names with what each is, given either way, in order."""
    pairs = cast(Mapping[str, str], given).items() if isinstance(given, Mapping) else given
    return listed(pairs, tuple[str, str], "tracking")


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class PaperLine:
    """What the lines of a bill, a receipt and a sale have in common; `BillLine` says what each part means."""

    description: str
    amount: Money
    account: AccountCode | None = None
    tax_type: str | None = None
    tax: Money | None = None
    tracking: tuple[tuple[str, str], ...] = field(default=(), converter=as_pairs)
    item: str | None = None
    quantity: Decimal = Decimal(1)
    unit_price: Money | None = None
    category: str = ""

    @classmethod
    def priced(
        cls,
        *,
        description: str,
        quantity: Decimal,
        unit_price: Money,
        account: AccountCode | None = None,
        tax_type: str | None = None,
        tracking: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        item: str | None = None,
        category: str = "",
    ) -> Self:
        """A line of *quantity* × *unit_price*, whose amount is rounded to the coin as Xero does (F 5.23, 5.25)."""
        return cls(
            description=description,
            amount=product(quantity, unit_price),
            account=account,
            tax_type=tax_type,
            tracking=tracking,
            item=item,
            quantity=quantity,
            unit_price=unit_price,
            category=category,
        )

    @property
    def made(self) -> Money:
        """What quantity and unit price make, rounded to the coin as Xero does (F 5.23, 5.25)."""
        return product(self.quantity, Money(unit_price(self), self.amount.currency))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class BillLine(PaperLine):
    """
    One line of a bill or a card's receipt: *amount* in its currency, negative for a deduction, on *account*.

    The amount is *quantity* × *unit_price* to the coin (`priced` works it out); a unit price has four decimals at most
    (F 5.21), and follows from the amount unless given. *tax_type* is Xero's word for the tax, *tax* its amount where
    the paper's is not what Xero would work out (F 5.27), *tracking* an option for each of two categories at most,
    *item* the code of an item. What is left out is chosen by `Rules`, by the host's own *category* among others; a tax
    that nobody chose is the account's own (F 6.15). *billable_to* is the host's id of the customer who is to
    pay for it.
    """

    billable_to: str = ""

    @classmethod
    def priced(
        cls,
        *,
        description: str,
        quantity: Decimal,
        unit_price: Money,
        account: AccountCode | None = None,
        tax_type: str | None = None,
        tracking: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        item: str | None = None,
        category: str = "",
        billable_to: str = "",
    ) -> Self:
        """A line of *quantity* × *unit_price*, whose amount is rounded to the coin as Xero does (F 5.23, 5.25)."""
        line = super().priced(
            description=description,
            quantity=quantity,
            unit_price=unit_price,
            account=account,
            tax_type=tax_type,
            tracking=tracking,
            item=item,
            category=category,
        )
        return evolve(line, billable_to=billable_to)


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class SaleLine(PaperLine):
    """
    One line of a sale, as a `BillLine` is one of a bill, less a discount.

    The *discount_rate* is in per cent of what quantity and unit price make, the *discount* an amount off it; *amount*
    is what is left, rounded to the coin as Xero does (F 5.23). Xero knows no discount on a credit note (F 6.105).
    """

    discount_rate: Decimal | None = None
    discount: Money | None = None

    @classmethod
    def priced(
        cls,
        *,
        description: str,
        quantity: Decimal,
        unit_price: Money,
        account: AccountCode | None = None,
        tax_type: str | None = None,
        tracking: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        item: str | None = None,
        category: str = "",
        discount_rate: Decimal | None = None,
        discount: Money | None = None,
    ) -> Self:
        """A line of *quantity* × *unit_price* less the discount, whose amount is rounded to the coin as Xero does."""
        return cls(
            description=description,
            amount=_less(quantity, unit_price, discount_rate, discount),
            account=account,
            tax_type=tax_type,
            tracking=tracking,
            item=item,
            quantity=quantity,
            unit_price=unit_price,
            category=category,
            discount_rate=discount_rate,
            discount=discount,
        )

    @property
    def is_discounted(self) -> bool:
        """Whether there is a discount on it."""
        return bool(self.discount_rate) or bool(self.discount)

    @property
    def made(self) -> Money:
        """What quantity and unit price make, less the discount. Raises `InvalidInput` for one that cannot be."""
        if not self.is_discounted:
            return super().made
        if self.unit_price is None:
            raise InvalidInput("unit_price", "give the price that the discount is off")
        whole = EXACT.multiply(self.quantity, self.unit_price.amount)
        if self.discount_rate and self.discount:
            raise InvalidInput("discount", "give a rate, or an amount, not both")
        if self.discount_rate and (not 0 < self.discount_rate <= 100 or is_too_fine(self.discount_rate)):
            raise InvalidInput("discount_rate", "give per cent, up to 100, with four decimals at most")
        if self.discount and not (self.discount.to_the_cent and 0 < self.discount.amount <= whole):
            raise InvalidInput("discount", "give an amount to the coin, no larger than what it is off")
        return _less(self.quantity, self.unit_price, self.discount_rate, self.discount)


def _less(quantity: Decimal, unit: Money, rate: Decimal | None, discount: Money | None) -> Money:
    whole = EXACT.multiply(quantity, unit.amount)
    left = EXACT.divide(EXACT.multiply(whole, EXACT.subtract(Decimal(100), rate or Decimal(0))), Decimal(100))
    off = Money.zero(unit.currency) if discount is None else discount
    if off.currency != unit.currency:
        raise InvalidInput("discount", "give it in the currency of the amount")
    return _to_the_coin(EXACT.subtract(left, off.amount), unit.currency)


def lines_total(lines: Sequence[PaperLine], amounts: LineAmountTypes) -> Money:
    """The sum of *lines*, with the taxes they state where *amounts* exclude them. Raises `InvalidInput`."""
    if not lines:
        raise InvalidInput("lines", "give at least one line")
    total = Money.total((line.amount for line in lines), lines[0].amount.currency)
    if amounts != LineAmountTypes.EXCLUSIVE:
        return total
    return sum((line.tax for line in lines if line.tax is not None), start=total)


def check_lines(lines: Sequence[PaperLine], amounts: LineAmountTypes, currency_rate: Decimal | None) -> None:
    """Refuse what Xero could not keep of *lines*. Raises `InvalidInput` naming the field."""
    for line in lines:
        _check_line(line, amounts)
    if abs(lines_total(lines, amounts).amount) >= Decimal("1e10"):
        raise InvalidInput("amount", "Xero takes no line above 9,999,999,999.99 (F 6.85)")
    if currency_rate is not None and currency_rate <= 0:
        raise InvalidInput("currency_rate", "give units of the document's currency for one of the organisation's own")


def _check_line(line: PaperLine, amounts: LineAmountTypes) -> None:
    check_text("description", line.description, longest=LONGEST["description"])
    for name, longest in _LONGEST_CODES.items():
        check_text(name, getattr(line, name) or "", longest=longest)
    for each in (text for pair in line.tracking for text in pair):
        check_text("tracking", each, longest=_LONGEST_TRACKING, needed=True)
    if isinstance(line, BillLine) and line.billable_to:
        check_id("billable_to", line.billable_to)
    if not line.amount.to_the_cent:
        raise InvalidInput("amount", "give amounts to the currency's smallest coin")
    if line.tax is not None and (amounts == LineAmountTypes.NO_TAX or not line.tax.to_the_cent):
        raise InvalidInput("tax", "give it to the coin, on a paper whose amounts include or exclude tax")
    if len(line.tracking) > 2 or len(dict(line.tracking)) < len(line.tracking):
        raise InvalidInput("tracking", "give an option for each of two categories at most (F 6.63)")
    if is_too_fine(unit_price(line)) or is_too_fine(line.quantity):
        raise InvalidInput("unit_price", "give unit price and quantity with four decimals at most (F 5.21)")
    if line.made != line.amount:
        raise InvalidInput("unit_price", f"give what the price makes, as {type(line).__name__}.priced() does")


def unit_price(line: PaperLine) -> Decimal:
    """The price of one, as given or as it follows from the amount. Raises `InvalidInput` for a quantity of nothing."""
    if line.unit_price is not None:
        if line.unit_price.currency != line.amount.currency:
            raise InvalidInput("unit_price", "give it in the currency of the amount")
        return line.unit_price.amount
    if line.quantity == 1:
        return line.amount.amount
    if not line.quantity:
        raise InvalidInput("quantity", "give a quantity other than nothing")
    return EXACT.divide(line.amount.amount, line.quantity).quantize(_PRICE, ROUND_HALF_UP, EXACT)


def is_too_fine(number: Decimal) -> bool:
    """Whether *number* has more than four decimals."""
    return number != number.quantize(_PRICE, context=EXACT)


def product(quantity: Decimal, unit: Money) -> Money:
    """*quantity* × *unit*, rounded to the coin."""
    return _to_the_coin(EXACT.multiply(quantity, unit.amount), unit.currency)


def _to_the_coin(amount: Decimal, currency: str) -> Money:
    return Money(amount.quantize(minor_unit(currency), ROUND_HALF_UP, EXACT), currency)


def line_items(lines: Sequence[PaperLine], amounts: LineAmountTypes, *, sign: int = 1) -> tuple[LineItem, ...]:
    """*lines* as Xero's, each worth *sign* times as much. Raises `InvalidInput` for a tax where *amounts* bear none."""
    if amounts == LineAmountTypes.NO_TAX and any((line.tax_type or _NO_TAX).upper() != _NO_TAX for line in lines):
        remedy = "the amounts bear no tax: give amounts=LineAmountTypes.INCLUSIVE or EXCLUSIVE, or no tax type but NONE"
        raise InvalidInput("tax_type", remedy)
    return tuple(_line_item(line, amounts, sign) for line in lines)


def _line_item(line: PaperLine, amounts: LineAmountTypes, sign: int) -> LineItem:
    sold = line if isinstance(line, SaleLine) else None
    # What came back is written as so many given back, not as fewer than none at a price below nothing.
    is_returned = sign < 0 and line.quantity < 0
    return LineItem(
        description=line.description or "-",
        quantity=-line.quantity if is_returned else line.quantity,
        unit_amount=unit_price(line) if is_returned else sign * unit_price(line),
        item_code=line.item,
        account_code=line.account,
        tax_type=_NO_TAX if amounts == LineAmountTypes.NO_TAX else line.tax_type,
        tax_amount=sign * line.tax.amount if line.tax is not None else None,
        tracking=tuple(LineTracking(name=category, option=option) for category, option in line.tracking),
        discount_rate=sold.discount_rate if sold is not None else None,
        discount_amount=sold.discount.amount if sold is not None and sold.discount is not None else None,
    )
