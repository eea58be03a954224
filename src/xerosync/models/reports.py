"""Xero's reports, as tables, and the trial balance row by row."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from xerosync.models.base import READ_ONLY, AccountId, Quiet, no_extra, wire
from xerosync.models.words import RowType
from xerosync.money import EXACT


@frozen(kw_only=True, repr=False)
class ReportAttribute(Quiet):
    """What a cell refers to: *id* says of what kind, *value* which one."""

    id: str | None = field(default=None, metadata=wire("Id"))
    value: str | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class ReportCell(Quiet):
    """One cell: a text, even where it is a number."""

    value: str | None = None
    attributes: tuple[ReportAttribute, ...] = ()
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class ReportRow(Quiet):
    """A row of a report, or a section with rows of its own, as *row_type* says."""

    row_type: RowType | None = None
    title: str | None = None
    cells: tuple[ReportCell, ...] = ()
    rows: tuple[ReportRow, ...] = ()
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class ReportFields(Quiet):
    """A parameter of the report, as it was made."""

    field_id: str | None = None
    description: str | None = None
    value: str | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class Report(Quiet):
    """A report as a table."""

    report_id: str | None = None
    report_name: str | None = None
    report_title: str | None = None
    report_type: str | None = None
    report_titles: tuple[str, ...] = ()
    report_date: str | None = None
    rows: tuple[ReportRow, ...] = ()
    fields: tuple[ReportFields, ...] = ()
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class TrialBalanceRow:
    """
    One account on the trial balance: its balance as at the report's day in base currency, on one of the two sides.

    The columns are the report's "YTD" ones; its plain debit and credit are the month's movement (F 6.193).
    """

    account_id: AccountId
    name: str
    debit: Decimal
    credit: Decimal

    @property
    def balance(self) -> Decimal:
        """Debit less credit."""
        return EXACT.subtract(self.debit, self.credit)

    def __repr__(self) -> str:
        return f"<TrialBalanceRow {self.account_id}>"
