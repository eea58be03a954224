"""Rules of manual journals (F 6.165)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from attrs import evolve

from xerosync.simulator.entities import ZERO, Account, JournalLine, ManualJournal, total
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules.dates import refuse_locked, refuse_locked_edit
from xerosync.simulator.rules.documents import LINE_AMOUNT_TYPES, Wish
from xerosync.simulator.rules.tracking import tracked

_NEXT: Final = {"DRAFT": {"DRAFT", "POSTED", "DELETED"}, "POSTED": {"POSTED", "VOIDED"}}
_CENT: Final = Decimal("0.01")


def save(wish: Wish) -> ManualJournal:
    """Create a manual journal, or change the one whose id is given. Raises `Invalid`."""
    journal_id = wish.given.id("ManualJournalID")
    if not journal_id:
        return create(wish)
    old = wish.books.manual_journals.get(journal_id)
    if old is None:
        raise Invalid("An existing Manual Journal with the specified ManualJournalID could not be found")
    return update(wish, old)


def create(wish: Wish) -> ManualJournal:
    """Create a manual journal, a draft unless it is to be POSTED. Raises `Invalid`."""
    given, books = wish.given, wish.books
    status = given.text("Status").strip().upper() or "DRAFT"
    if status not in {"DRAFT", "POSTED"}:
        raise Invalid("Manual Journal not of valid status for creation")
    if not given.text("Narration").strip():
        raise Invalid("Narration must be specified")
    on = given.day("Date") or books.today()
    refuse_locked(books, on)
    types = given.choice("LineAmountTypes", LINE_AMOUNT_TYPES) or "NoTax"
    fresh = ManualJournal(
        id=books.draw(),
        narration=given.text("Narration"),
        date=on,
        status=status,
        line_amount_types=types,
        lines=_lines(wish, types, status),
        updated_ms=books.write_stamp(),
    )
    return books.manual_journals.put(_with_texts(given, fresh))


def update(wish: Wish, old: ManualJournal) -> ManualJournal:
    """Change *old*, post it, delete it while it is a draft, void it once it is posted. Raises `Invalid`."""
    given, books = wish.given, wish.books
    status = given.text("Status").strip().upper() or old.status
    if status not in _NEXT.get(old.status, set()):
        raise Invalid("Manual Journal not of valid status for modification")
    refuse_locked_edit(books, old.date)
    stamp = books.write_stamp()
    if status in {"DELETED", "VOIDED"}:
        return books.manual_journals.put(evolve(old, status=status, updated_ms=stamp))
    on = given.day("Date") or old.date
    if on != old.date:
        refuse_locked(books, on)
    types = given.choice("LineAmountTypes", LINE_AMOUNT_TYPES) or old.line_amount_types
    lines = old.lines
    if given.has("JournalLines"):
        lines = _lines(wish, types, status)
    elif types != old.line_amount_types:
        raise Invalid("The journal lines must be given when LineAmountTypes changes")
    elif status == "POSTED":
        for line in lines:
            _refuse_unfit(books.accounts.get(line.account_id), line.account_id)
    changed = evolve(old, date=on, status=status, line_amount_types=types, lines=lines, updated_ms=stamp)
    return books.manual_journals.put(_with_texts(given, changed))


def _lines(wish: Wish, types: str, status: str) -> tuple[JournalLine, ...]:
    rows = wish.given.many("JournalLines") or []
    if len(rows) < 2:
        raise Invalid("A manual journal must have at least two journal lines")
    lines: list[JournalLine] = []
    faults: dict[tuple[str, int], tuple[str, ...]] = {}
    for place, row in enumerate(rows):
        try:
            lines.append(_line(wish, row, types, strict=status == "POSTED"))
        except Invalid as fault:
            faults["JournalLines", place] = fault.messages
    if faults:
        messages = dict.fromkeys(message for texts in faults.values() for message in texts)
        raise Invalid(*(one for one in messages if one.startswith("Account code")), nested=faults)
    whole = [line.amount + (line.tax if types == "Exclusive" else ZERO) for line in lines]
    debits, credits_ = total(one for one in whole if one > 0), total(one for one in whole if one < 0)
    if debits + credits_ != 0:
        raise Invalid(f"The total debits ({debits:.2f}) must equal total credits ({credits_:.2f})")
    return tuple(lines)


def _line(wish: Wish, row: Given, types: str, *, strict: bool) -> JournalLine:
    books = wish.books
    amount = row.amount("LineAmount")
    if amount is None:
        raise Invalid("LineAmount must be specified")
    amount = amount.quantize(_CENT, books.switches.rounding)
    account = _account(wish, row, strict=strict)
    named = row.text("TaxType").strip().upper()
    default = account.tax_type if account is not None and types != "NoTax" else "NONE"
    rate = books.tax_rates.get("NONE" if types == "NoTax" else named or default)
    if rate is None or rate.status != "ACTIVE":
        raise Invalid(f"The TaxType code '{named}' does not exist or cannot be used for this type of transaction.")
    if account is not None and account.account_class not in rate.classes:
        raise Invalid(f"The TaxType code '{rate.id}' cannot be used with account code '{account.code}'.")
    tax = ZERO
    if types != "NoTax":
        stated = row.amount("TaxAmount")
        whole = 100 + rate.rate if types == "Inclusive" else Decimal(100)
        tax = (amount * rate.rate / whole if stated is None else stated).quantize(_CENT, books.switches.rounding)
    tracking = tracked(books, row, wish.warnings)
    return JournalLine(
        account.id if account is not None else "", amount, rate.id, tax, row.text("Description"), tracking
    )


def _account(wish: Wish, row: Given, *, strict: bool) -> Account | None:
    books = wish.books
    account_id, code = row.id("AccountID"), row.text("AccountCode").strip()
    account = books.accounts.get(account_id) if account_id else books.account(code) if code else None
    named = code or account_id
    if strict or (account is not None and account.status == "ACTIVE"):
        _refuse_unfit(account, named)
        return account
    if named:
        wish.warnings.append(f"Account code '{named}' has been removed as it does not match a recognised account.")
    return None


def _refuse_unfit(account: Account | None, named: str) -> None:
    """Raise `Invalid` unless a journal may post to *account*, *named* so: not to Xero's own, nor to a bank's."""
    code = account.code if account is not None and account.code else named
    refusal = f"Account code '{code}' is not a valid code for this document."
    if account is not None and account.status != "ACTIVE":
        archived = f"Account code '{code}' has been archived, or has been deleted. "
        raise Invalid(refusal, f"{archived}Each line item must reference a valid account.")
    if account is None or account.type == "BANK" or account.system:
        raise Invalid(refusal)


def _with_texts(given: Given, journal: ManualJournal) -> ManualJournal:
    url = given.text("Url") if given.has("Url") else journal.url
    if url and not (urlsplit(url).scheme and urlsplit(url).netloc):
        raise Invalid("Url must be a valid absolute url")
    shown = given.flag("ShowOnCashBasisReports")
    return evolve(
        journal,
        url=url,
        narration=given.text("Narration") or journal.narration,
        on_cash_basis=journal.on_cash_basis if shown is None else shown,
    )
