"""Rules of document lines: amounts, taxes, accounts (F 5.21–5.27, 6.62–6.71)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from attrs import evolve, field, frozen

from xerosync.simulator.books import Books
from xerosync.simulator.entities import ZERO, Account, Line, TaxRate, total
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules.items import filled
from xerosync.simulator.rules.tracking import tracked

_CENT: Final = Decimal("0.01")
_LARGEST: Final = Decimal("9999999999.99")
_PRICING: Final = ("Quantity", "UnitAmount", "LineAmount", "DiscountRate", "DiscountAmount")


@frozen
class LineSetting:
    """
    What the document says about its lines. *strict*: it is to be approved, so that every line must be whole. *sale*:
    items come in as sold, else as bought. *new_types*: amounts mean something else than before. *tax_of_account*: a
    line without TaxType takes its account's (F 6.15), after *contact_tax* where that fits (F 6.39). *control*: the
    account that the line of an overpayment stands on (F 6.155).
    """

    books: Books
    line_amount_types: str
    strict: bool
    discounts: bool
    unit_places: int
    sale: bool
    new_types: bool = False
    tax_of_account: bool = True
    contact_tax: str = ""
    control: Account | None = None
    warnings: list[str] = field(factory=list[str])

    def cents(self, amount: Decimal) -> Decimal:
        """*amount* to the cent, half a cent as the switches say (F 5.25)."""
        return amount.quantize(_CENT, self.books.switches.rounding)


@frozen
class Sums:
    """The totals of a document (F 5.24, 5.26)."""

    sub_total: Decimal
    total_tax: Decimal
    total: Decimal


def sums(lines: Sequence[Line], line_amount_types: str) -> Sums:
    """Add up *lines*: inclusive amounts make the total, exclusive ones the subtotal."""
    amounts = total(line.amount for line in lines if line.amount is not None)
    tax = total(line.tax for line in lines if line.tax is not None)
    if line_amount_types == "Inclusive":
        return Sums(amounts - tax, tax, amounts)
    return Sums(amounts, tax, amounts + tax)


def draft_all(setting: LineSetting, rows: Sequence[Given], old: Sequence[Line] = ()) -> tuple[Line, ...]:
    """The lines *rows* give, those that name an *old* one under its id. Raises `Invalid` with every fault of each."""
    known = {line.id: line for line in old}
    return each_line(setting.books, rows, lambda row: _draft(setting, row, known.get(row.id("LineItemID"))))


def each_line(books: Books, rows: Sequence[Given], write: Callable[[Given], Line]) -> tuple[Line, ...]:
    """What *write* makes of each of *rows*. Raises `Invalid` with every fault of each, on the line it concerns."""
    lines: list[Line] = []
    faults: dict[tuple[str, int], tuple[str, ...]] = {}
    for place, row in enumerate(rows):
        try:
            lines.append(write(row))
        except Invalid as fault:
            faults["LineItems", place] = fault.messages
    if faults:
        messages = dict.fromkeys(message for texts in faults.values() for message in texts)
        # What is wrong with an account code is said of the whole document too.
        rising = [one for one in messages if books.switches.line_faults_rise or one.startswith("Account code")]
        raise Invalid(*rising, nested=faults)
    return tuple(lines)


def _draft(setting: LineSetting, given: Given, old: Line | None) -> Line:
    """
    The line *given*; where it replaces *old*, under its id and with all of it that is not given (F 6.65).

    Raises `Invalid` with every fault of the line.
    """
    before = old if old is not None else Line(id="")
    if old is None or given.text("ItemCode").strip().lower() != old.item_code.lower():
        given = filled(setting.books, given, sale=setting.sale)
    description = given.text("Description") if given.has("Description") else before.description
    if len(description) > 4000:
        raise Invalid("Description must not exceed 4000 characters")
    tracking = tracked(setting.books, given, setting.warnings) if given.has("Tracking") else before.tracking
    line = evolve(
        before,
        id=before.id or setting.books.draw(),
        description=description,
        item_code=given.text("ItemCode") if given.has("ItemCode") else before.item_code,
        tracking=tracking,
    )
    line = _priced(setting, given, line)
    if not description and (line.amount is None or setting.strict):
        raise Invalid("Description must be at least 1 character.")
    if line.amount is None:
        return line
    account = _account(setting, given, before)
    rate = _tax_rate(setting, given, account, before)
    return evolve(
        line,
        tax_type=rate.id if rate is not None else "",
        tax=_tax(setting, given, line, before, rate),
        account_id=account.id if account is not None else "",
    )


def _priced(setting: LineSetting, given: Given, line: Line) -> Line:
    """*line* with what *given* says of its amount, as it stands when that is nothing."""
    if all(given.amount(name) is None for name in _PRICING):
        return line
    unit, stated = given.amount("UnitAmount"), given.amount("LineAmount")
    if unit is None and stated is None and line.unit_amount is None:
        return line
    rounding = setting.books.switches.rounding
    counted = given.amount("Quantity")
    quantity = counted.quantize(Decimal("0.0001"), rounding) if counted is not None else line.quantity
    quantity = Decimal(1) if quantity is None else quantity
    price = line.unit_amount or ZERO
    if unit is not None or stated is not None:
        whole = stated / quantity if stated is not None and quantity else ZERO
        price = (unit if unit is not None else whole).quantize(Decimal(1).scaleb(-setting.unit_places), rounding)
    rate, off = given.amount("DiscountRate"), given.amount("DiscountAmount")
    if rate is None and off is None:
        rate, off = line.discount_rate, line.discount_amount
    if (rate or off) and not setting.discounts:
        raise Invalid("Discounts are not supported on this type of document")
    expected = setting.cents(quantity * price * (1 - (rate or ZERO) / 100) - (off or ZERO))
    if stated is not None and setting.cents(stated) != expected:
        # A line stated as a total whose unit price does not divide evenly is taken as stated.
        if unit is not None:
            raise Invalid(f"The line total {stated} does not match the expected line total {expected}")
        expected = setting.cents(stated)
    if abs(expected) > _LARGEST:
        raise Invalid("The line amount is larger than 9,999,999,999.99")
    return evolve(line, quantity=quantity, unit_amount=price, amount=expected, discount_rate=rate, discount_amount=off)


def _account(setting: LineSetting, given: Given, old: Line) -> Account | None:
    account_id, code = given.id("AccountID"), given.text("AccountCode").strip()
    if not account_id and not code:
        account_id = old.account_id
    if setting.control is not None:
        if (account_id or setting.control.id, code or setting.control.code) != (
            setting.control.id,
            setting.control.code,
        ):
            raise Invalid(f"Account code '{code or account_id}' is not a valid code for this document.")
        return setting.control
    try:
        return line_account(setting.books, account_id=account_id, code=code)
    except Invalid:
        if setting.strict:
            raise
        if code or account_id:
            known = setting.books.accounts.get(account_id)
            named = code or (known.code if known is not None else account_id)
            setting.warnings.append(
                f"Account code '{named}' has been removed as it does not match a recognised account."
            )
        return None


def line_account(books: Books, *, account_id: str, code: str) -> Account:
    """The account a line may be coded to (F 6.18, 6.20). Raises `Invalid` with every reason why it may not."""
    account = books.accounts.get(account_id) if account_id else books.account(code) if code else None
    fits = account is not None and account.type != "BANK" and account.system not in {"DEBTORS", "CREDITORS"}
    if account is not None and fits and account.status == "ACTIVE":
        return account
    named = code or (account.code if account is not None else account_id)
    faults = [f"Account code '{named}' is not a valid code for this document."]
    if account is not None and account.status != "ACTIVE":
        faults.append(
            f"Account code '{named}' has been archived, or has been deleted. "
            "Each line item must reference a valid account."
        )
    raise Invalid(*faults)


def _tax_rate(setting: LineSetting, given: Given, account: Account | None, old: Line) -> TaxRate | None:
    named = given.text("TaxType").strip() or old.tax_type
    if not named and not setting.tax_of_account:
        return None
    if setting.line_amount_types == "NoTax":
        return setting.books.tax_rates.get("NONE")
    rate = setting.books.tax_rates.get(named.upper() or _usual_tax(setting, account))
    if named and (rate is None or rate.status != "ACTIVE"):
        raise Invalid(f"The TaxType code '{named}' does not exist or cannot be used for this type of transaction.")
    if rate is not None and account is not None and account.account_class not in rate.classes:
        raise Invalid(f"The TaxType code '{rate.id}' cannot be used with account code '{account.code}'.")
    return rate


def _usual_tax(setting: LineSetting, account: Account | None) -> str:
    if account is None:
        return ""
    own = setting.books.tax_rates.get(setting.contact_tax)
    is_fit = own is not None and own.status == "ACTIVE" and account.account_class in own.classes
    return own.id if own is not None and is_fit else account.tax_type


def _tax(setting: LineSetting, given: Given, line: Line, old: Line, rate: TaxRate | None) -> Decimal:
    """The tax of *line*: as stated (F 5.27), else as it was where nothing it follows from has changed."""
    if setting.line_amount_types == "NoTax":
        return ZERO
    stated = given.amount("TaxAmount")
    if stated is not None:
        return setting.cents(stated)
    amount, tax_type = line.amount or ZERO, rate.id if rate is not None else ""
    if old.tax is not None and not setting.new_types and (old.amount, old.tax_type) == (amount, tax_type):
        return old.tax
    if rate is None:
        return ZERO
    if setting.line_amount_types == "Inclusive":
        return setting.cents(amount * rate.rate / (100 + rate.rate))
    return setting.cents(amount * rate.rate / 100)
