"""The organisation and its taxes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from attrs import frozen


@frozen
class Organisation:
    """One set of books. *id* is its tenant id too (F 6.02); lock dates close what is dated up to them (F 6.03)."""

    id: str
    name: str
    country: str
    version: str
    currency: str
    timezone: str
    zone: str
    short_code: str
    created_ms: int
    year_end_day: int
    year_end_month: int
    period_lock: date | None = None
    year_lock: date | None = None
    currencies: tuple[str, ...] = ()
    invoices_numbered: int = 0
    credit_notes_numbered: int = 0
    set_ups: tuple[str, ...] = ()
    plan: str = "DEMO"
    status: Literal["ACTIVE", "EXPIRED", "READONLY", "RESET"] = "ACTIVE"
    emailed_on: date | None = None
    emails_sent: int = 0


@frozen
class TaxComponent:
    """A part of a tax, in percent; one that *is_compound* is charged on top of the others."""

    name: str
    rate: Decimal
    is_compound: bool = False
    is_non_recoverable: bool = False


@frozen
class TaxRate:
    """
    A tax of the organisation: *rate* in percent as it works out, and the classes of accounts it may be used with
    (F 6.169). The *id* is its TaxType.
    """

    id: str
    name: str
    report_type: str
    rate: Decimal
    classes: tuple[str, ...]
    status: str = "ACTIVE"
    components: tuple[TaxComponent, ...] = ()
