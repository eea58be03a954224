"""Rules of tax rates that people make themselves (F 6.167)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import TaxComponent, TaxRate
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid

_OWN: Final = re.compile(r"TAX\d{3,}")
_CLASSES: Final = {
    "INPUT": ("ASSET", "EQUITY", "EXPENSE", "LIABILITY"),
    "OUTPUT": ("ASSET", "EQUITY", "LIABILITY", "REVENUE"),
}
_EVERY_CLASS: Final = ("ASSET", "EQUITY", "EXPENSE", "LIABILITY", "REVENUE")


def create(books: Books, given: Given) -> TaxRate:
    """Create a tax rate under the next TaxType. Raises `Invalid`."""
    if (named := given.text("TaxType").strip().upper()) and not _OWN.fullmatch(named):
        raise Invalid(f"The TaxType '{named}' is a system tax type and cannot be created")
    name = _name(books, given, "")
    report = given.text("ReportTaxType").strip().upper()
    parts = _components(given)
    if not parts:
        raise Invalid("A tax rate must have at least one tax component")
    numbers = [int(one.id[3:]) for one in books.tax_rates if _OWN.fullmatch(one.id)]
    fresh = TaxRate(
        id=f"TAX{max(numbers, default=0) + 1:03d}",
        name=name,
        report_type=report or "OUTPUT",
        rate=effective(parts),
        classes=_CLASSES.get(report, _EVERY_CLASS),
        components=parts,
    )
    return books.tax_rates.put(fresh)


def update(books: Books, given: Given) -> TaxRate:
    """Change the tax rate of the TaxType or Name that is given, or delete it. Raises `Invalid`."""
    named = given.text("TaxType").strip().upper()
    old = books.tax_rates.get(named) if named else _of_name(books, given.text("Name").strip())
    if old is None:
        raise Invalid("An existing tax rate with the specified TaxType or Name could not be found")
    if not _OWN.fullmatch(old.id):
        raise Invalid(f"The TaxType '{old.id}' is a system tax type and cannot be edited")
    if old.status == "DELETED":
        raise Invalid("A deleted tax rate cannot be edited")
    parts = _components(given) or old.components
    status = given.choice("Status", ("ACTIVE", "DELETED", "ARCHIVED")) or old.status
    name = _name(books, given, old.id) if given.has("Name") else old.name
    return books.tax_rates.put(evolve(old, name=name, components=parts, rate=effective(parts), status=status))


def effective(parts: tuple[TaxComponent, ...]) -> Decimal:
    """What *parts* work out to in percent: a compound one is charged on the sum and the taxes before it."""
    plain = sum((part.rate for part in parts if not part.is_compound), start=Decimal(0))
    compound = sum((part.rate for part in parts if part.is_compound), start=Decimal(0))
    return plain + compound * (100 + plain) / 100


def _components(given: Given) -> tuple[TaxComponent, ...]:
    parts: list[TaxComponent] = []
    for row in given.many("TaxComponents") or []:
        rate = row.amount("Rate")
        if not row.text("Name").strip() or rate is None or not 0 <= rate <= 100:
            raise Invalid("A tax component must have a Name and a Rate between 0 and 100")
        flags = (row.flag("IsCompound") or False, row.flag("IsNonRecoverable") or False)
        parts.append(TaxComponent(row.text("Name").strip(), rate.quantize(Decimal("0.0001")), *flags))
    if sum(part.is_compound for part in parts) > 1:
        raise Invalid("Only one tax component can be compound")
    return tuple(parts)


def _of_name(books: Books, name: str) -> TaxRate | None:
    return next((one for one in books.tax_rates if one.name.lower() == name.lower() and one.status != "DELETED"), None)


def _name(books: Books, given: Given, own_id: str) -> str:
    name = given.text("Name").strip()
    if not name:
        raise Invalid("Name must be specified")
    taken = _of_name(books, name)
    if taken is not None and taken.id != own_id:
        raise Invalid("Please enter a unique Name.")
    return name
