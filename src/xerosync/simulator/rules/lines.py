"""Rules of document lines: amounts, taxes, accounts (F 5.21–5.27, 6.62–6.71)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from attrs import field, frozen

from xerosync.simulator.books import Books
from xerosync.simulator.entities import ZERO, Account, Line, TaxRate, total
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules.items import filled
from xerosync.simulator.rules.tracking import tracked

_CENT: Final = Decimal("0.01")
_LARGEST: Final = Decimal("9999999999.99")


@frozen
class LineSetting:
    """
    What the document says about its lines. *strict*: it is to be approved, so that every line must be whole. *sale*:
    items come in as sold, else as bought. *control*: the account that the line of an overpayment stands on (F 6.155).
    """

    books: Books
    line_amount_types: str
    strict: bool
    discounts: bool
    unit_places: int
    sale: bool
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
    lines: list[Line] = []
    faults: dict[tuple[str, int], tuple[str, ...]] = {}
    for place, row in enumerate(rows):
        try:
            lines.append(_draft(setting, row, known.get(row.id("LineItemID"))))
        except Invalid as fault:
            faults["LineItems", place] = fault.messages
    if faults:
        messages = dict.fromkeys(message for texts in faults.values() for message in texts)
        all_rise = setting.books.switches.line_faults_rise
        # What is wrong with an account code is said of the whole document too.
        raise Invalid(*(one for one in messages if all_rise or one.startswith("Account code")), nested=faults)
    return tuple(lines)


def _draft(setting: LineSetting, given: Given, old: Line | None) -> Line:
    """The line *given*, under the id of *old* if it replaces that. Raises `Invalid` with every fault of the line."""
    given = filled(setting.books, given, sale=setting.sale)
    description = given.text("Description") if given.has("Description") or old is None else old.description
    if len(description) > 4000:
        raise Invalid("Description must not exceed 4000 characters")
    tracking = tracked(setting.books, given, setting.warnings)
    line_id = old.id if old is not None else setting.books.draw()
    item = given.text("ItemCode")
    quantity, unit, amount = _amounts(setting, given)
    if amount is None:
        if not description:
            raise Invalid("Description must be at least 1 character.")
        return Line(id=line_id, description=description, item_code=item, tracking=tracking)
    account = _account(setting, given)
    rate = _tax_rate(setting, given, account)
    return Line(
        id=line_id,
        description=description,
        quantity=quantity,
        unit_amount=unit,
        amount=amount,
        tax_type=rate.id if rate is not None else "",
        tax=_tax(setting, given, amount, rate),
        account_id=account.id if account is not None else "",
        item_code=item,
        discount_rate=given.amount("DiscountRate"),
        tracking=tracking or (old.tracking if old is not None and not given.has("Tracking") else ()),
    )


def _amounts(setting: LineSetting, given: Given) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    places = Decimal(1).scaleb(-setting.unit_places)
    unit, quantity, stated = given.amount("UnitAmount"), given.amount("Quantity"), given.amount("LineAmount")
    if unit is None and stated is None:
        return None, None, None
    quantity = Decimal(1) if quantity is None else quantity.quantize(Decimal("0.0001"), setting.books.switches.rounding)
    if unit is None:
        whole = stated if stated is not None else ZERO
        unit = whole / quantity if quantity else ZERO
    unit = unit.quantize(places, setting.books.switches.rounding)
    discount, off = given.amount("DiscountRate") or ZERO, given.amount("DiscountAmount") or ZERO
    if (discount or off) and not setting.discounts:
        raise Invalid("Discounts are not supported on this type of document")
    expected = setting.cents(quantity * unit * (1 - discount / 100) - off)
    if stated is not None and setting.cents(stated) != expected:
        # A line stated as a total whose unit price does not divide evenly is taken as stated.
        if given.amount("UnitAmount") is not None:
            raise Invalid(f"The line total {stated} does not match the expected line total {expected}")
        expected = setting.cents(stated)
    if abs(expected) > _LARGEST:
        raise Invalid("The line amount is larger than 9,999,999,999.99")
    return quantity, unit, expected


def _account(setting: LineSetting, given: Given) -> Account | None:
    account_id, code = given.id("AccountID"), given.text("AccountCode").strip()
    if setting.control is not None:
        if (account_id or setting.control.id, code or setting.control.code) != (
            setting.control.id,
            setting.control.code,
        ):
            raise Invalid(f"Account code '{code or account_id}' is not a valid code for this document.")
        return setting.control
    account = setting.books.accounts.get(account_id) if account_id else setting.books.account(code) if code else None
    if account is not None and account.status == "ACTIVE" and _fits_a_line(account):
        return account
    if not setting.strict:
        if code or account_id:
            named = code or account_id
            setting.warnings.append(
                f"Account code '{named}' has been removed as it does not match a recognised account."
            )
        return None
    named = code or (account.code if account is not None else account_id)
    faults = [f"Account code '{named}' is not a valid code for this document."]
    if account is not None and account.status != "ACTIVE":
        faults.append(
            f"Account code '{named}' has been archived, or has been deleted. "
            "Each line item must reference a valid account."
        )
    raise Invalid(*faults)


def _fits_a_line(account: Account) -> bool:
    return account.type != "BANK" and account.system not in {"DEBTORS", "CREDITORS"}


def _tax_rate(setting: LineSetting, given: Given, account: Account | None) -> TaxRate | None:
    if setting.line_amount_types == "NoTax":
        return setting.books.tax_rates.get("NONE")
    named = given.text("TaxType").strip()
    rate = setting.books.tax_rates.get(named.upper() or (account.tax_type if account is not None else ""))
    if named and (rate is None or rate.status != "ACTIVE"):
        raise Invalid(f"The TaxType code '{named}' does not exist or cannot be used for this type of transaction.")
    if rate is not None and account is not None and account.account_class not in rate.classes:
        raise Invalid(f"The TaxType code '{rate.id}' cannot be used with account code '{account.code}'.")
    return rate


def _tax(setting: LineSetting, given: Given, amount: Decimal, rate: TaxRate | None) -> Decimal:
    if setting.line_amount_types == "NoTax":
        return ZERO
    stated = given.amount("TaxAmount")
    if stated is not None:
        return setting.cents(stated)
    if rate is None:
        return ZERO
    if setting.line_amount_types == "Inclusive":
        return setting.cents(amount * rate.rate / (100 + rate.rate))
    return setting.cents(amount * rate.rate / 100)
