"""Xero's own reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from attrs import define

from xerosync.client._books import Books
from xerosync.client._driver import stepped
from xerosync.client._session import Query
from xerosync.client._wire.codec import decode
from xerosync.client.resources.base import as_id, day
from xerosync.errors import UnreadableAnswer
from xerosync.models import AccountId, Report, ReportRow, RowType, TrialBalanceRow


@define(eq=False)
class AsyncReports:
    """Xero's own reports."""

    _books: Books

    async def trial_balance(self, *, on: date | None = None) -> tuple[TrialBalanceRow, ...]:
        """Every account's balance as at *on*, the organisation's today unless given (F 6.193)."""
        report = await self._report("TrialBalance", {"date": day(on, "on")})
        return tuple(_balances(report.rows))

    async def bank_summary(self, *, from_date: date | None = None, to_date: date | None = None) -> Report:
        """What each bank account opened with, received, spent and closed with (F 6.194)."""
        return await self._report(
            "BankSummary", {"fromDate": day(from_date, "from_date"), "toDate": day(to_date, "to_date")}
        )

    async def aged_receivables_by_contact(self, contact_id: str, *, on: date | None = None) -> Report:
        """What a customer owes, by age, as at *on*, the organisation's today unless given."""
        return await self._report(
            "AgedReceivablesByContact", {"contactID": as_id(contact_id, "contact_id"), "date": day(on, "on")}
        )

    async def aged_payables_by_contact(self, contact_id: str, *, on: date | None = None) -> Report:
        """What is owed to a supplier, by age, as at *on*, the organisation's today unless given."""
        return await self._report(
            "AgedPayablesByContact", {"contactID": as_id(contact_id, "contact_id"), "date": day(on, "on")}
        )

    async def _report(self, name: str, params: Mapping[str, str]) -> Report:
        session = await self._books.session()
        given = {key: value for key, value in params.items() if value}
        page = await session.read(Query(f"Reports/{name}", "Reports", given))
        if len(page.rows) != 1:
            raise UnreadableAnswer("Reports", f"{len(page.rows)} reports where one is due")
        return decode(Report, page.rows[0], where="Reports[0]")


class Reports:
    """Xero's own reports."""

    def __init__(self, flows: AsyncReports) -> None:
        self._flows: Final = flows

    trial_balance: Final = stepped(AsyncReports.trial_balance)
    bank_summary: Final = stepped(AsyncReports.bank_summary)
    aged_receivables_by_contact: Final = stepped(AsyncReports.aged_receivables_by_contact)
    aged_payables_by_contact: Final = stepped(AsyncReports.aged_payables_by_contact)


def _balances(rows: Iterable[ReportRow]) -> Iterator[TrialBalanceRow]:
    for row in rows:
        yield from _balances(row.rows)
        account = _account_of(row)
        if row.row_type is RowType.ROW and account is not None and len(row.cells) >= 5:
            debit, credit = (_number(cell.value) for cell in row.cells[3:5])
            yield TrialBalanceRow(account_id=account, name=row.cells[0].value or "", debit=debit, credit=credit)


def _account_of(row: ReportRow) -> AccountId | None:
    named = (each.value for cell in row.cells[:1] for each in cell.attributes if each.id == "account")
    return next((AccountId(value) for value in named if value), None)


def _number(text: str | None) -> Decimal:
    try:
        return Decimal(text or "0")
    except InvalidOperation:
        raise UnreadableAnswer("Reports[0].Rows", "a cell that is no number") from None
