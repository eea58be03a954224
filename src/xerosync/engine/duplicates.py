"""Which documents in Xero a bill may be the same paper as: those of our own, and those that people typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import evolve, frozen

from xerosync.client._books import Books
from xerosync.engine.intents import sign_of
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    read_mirrored,
    records,
    stamp_of,
    walk,
)
from xerosync.engine.observed import records_by
from xerosync.matching.contacts import is_active
from xerosync.models import BankTransaction, BankTransactionType, Contact, CreditNote, Invoice, InvoiceType

_SPENT: Final[Mapping[str, int]] = {BankTransactionType.SPEND: 1, BankTransactionType.RECEIVE: -1}

DUPLICATE: Final = "possible duplicate"
BY_NUMBER: Final = "number"
BY_DAY: Final = "day and amount"
BY_NEAR_NUMBER: Final = "number, written otherwise"
BY_NEAR_DAY: Final = "amount, some days apart"
NEAR_DAYS: Final = 6
"""So many days apart one paper may be typed; what comes every week is another one."""

_PARTS: Final = re.compile(r"[^\W\d_]+|\d+")


def plain_number(number: str) -> str:
    """*number* as a bookkeeper compares it: without letter case, blanks, punctuation, and noughts in front."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", number).casefold())
    return " ".join(part.lstrip("0") or "0" if part.isdigit() else part for part in _PARTS.findall(folded))


class Duplicates(StrEnum):
    """What becomes of a bill that looks like one that is in Xero already."""

    WARN = "warn"
    """It is posted, with a finding."""
    LINK = "link"
    """The one in Xero is taken for it, where somebody typed that; one that cannot be is held back, with a finding."""
    STOP = "stop"
    """It is held back, with a finding."""


@frozen(kw_only=True, repr=False)
class Twin:
    """
    What may be the same paper: a *document* in Xero, or another bill of the plan, by its id; *alike* says in what.

    *stamp* is the document's, *by_hand* whether somebody typed it, *whose* it is in words where it is not the vendor's
    own contact's. It *is_anothers* where it bears the number of another bill of the plan.
    """

    id: str
    document: Invoice | CreditNote | None = None
    stamp: str = ""
    by_hand: bool = False
    alike: str = BY_NUMBER
    whose: str = ""
    is_anothers: bool = False

    @property
    def is_guess(self) -> bool:
        """Whether it is nobody's duplicate where it is another paper's for sure."""
        return bool(self.whose) or self.is_anothers or self.alike == BY_NEAR_DAY


@frozen(kw_only=True)
class Entered:
    """
    The documents in Xero that still stand: by contact and number, as written and plain; those typed by contact, day and
    amount too.
    """

    by_number: Mapping[tuple[str, str], Sequence[Twin]]
    by_plain: Mapping[tuple[str, str], Sequence[Twin]]
    by_day: Mapping[tuple[str, date | None, Decimal, str], Sequence[Twin]]

    def twins(self, contact: str, number: str, *, on: date, total: Decimal, currency: str) -> list[Twin]:
        """
        The documents of *contact* with that *number*, whoever entered them, those people typed of that day and *total*,
        negative for a credit, and those whose number only is written otherwise.

        Documents of the host's own with numbers of their own are never alike for a day and an amount.
        """
        numbered = list(self.by_number.get((contact, number), ())) if number else []
        met = {each.id for each in numbered}
        alike = self.by_day.get((contact, on, total, currency), ()) if total else ()
        twins = [*numbered, *(each for each in alike if each.id not in met)]
        met = {each.id for each in twins}
        plain = plain_number(number)
        near = self.by_plain.get((contact, plain), ()) if plain else ()
        return [*twins, *(evolve(each, alike=BY_NEAR_NUMBER) for each in near if each.id not in met)]

    def days_apart(self, contact: str, number: str, *, on: date, total: Decimal, currency: str) -> list[Twin]:
        """
        The documents that people typed of *contact* and that *total* some days before or after, where not both have a
        number that tells them apart.
        """
        day = on.toordinal()
        first, last = max(day - NEAR_DAYS, date.min.toordinal()), min(day + NEAR_DAYS, date.max.toordinal())
        days = [each for each in map(date.fromordinal, range(first, last + 1)) if each != on] if total else []
        return [
            evolve(each, alike=BY_NEAR_DAY)
            for typed_on in days
            for each in self.by_day.get((contact, typed_on, total, currency), ())
            if may_be_one(number, number_of(each.document))
        ]

    def typed_to(self, one: Contact, number: str, *, on: date, total: Decimal, currency: str) -> list[Twin]:
        """What people typed to a contact that may be the vendor's, too, and that is alike, or some days apart."""
        contact = one.contact_id or ""
        found = self.twins(contact, number, on=on, total=total, currency=currency)
        found += self.days_apart(contact, number, on=on, total=total, currency=currency)
        whose = f"{'another' if is_active(one) else 'an archived'} contact that may be the vendor's"
        return [evolve(each, whose=whose) for each in found if each.by_hand]


def number_of(document: Invoice | CreditNote | None) -> str:
    """The number of *document*; blank where it has none."""
    number = document.invoice_number if isinstance(document, Invoice) else document and document.credit_note_number
    return number or ""


def may_be_one(one: str, other: str) -> bool:
    """Whether one of two numbers says nothing that the other does not, such as “INV-77” of “77”, or of none at all."""
    parts, others = set(plain_number(one).split()), set(plain_number(other).split())
    return parts <= others or others <= parts


async def entered_money(books: Books) -> dict[tuple[str, str, date | None, Decimal], list[BankTransaction]]:
    """Money that people typed, by bank account, contact, day and amount, negative for money in."""
    ours = sign_of(books.app.client_id)
    found: dict[tuple[str, str, date | None, Decimal], list[BankTransaction]] = {}
    async for record, each in walk(books, BANK_TRANSACTIONS, BankTransaction):
        sign = _SPENT.get(each.type or "")
        by_hand = dict(record.lookups).get("sign") != ours
        if by_hand and sign and each.status not in GONE and each.contact is not None and each.bank_account is not None:
            account, contact = each.bank_account.account_id or "", each.contact.contact_id or ""
            key = (account, contact, each.date, sign * (each.total or Decimal(0)))
            found.setdefault(key, []).append(each)
    return found


async def entered_documents(books: Books, contacts: Iterable[str] | None = None) -> Entered:
    """Every bill and supplier's credit note that stands in Xero, or those of *contacts*."""
    ours = sign_of(books.app.client_id)
    by_number: dict[tuple[str, str], list[Twin]] = {}
    by_plain: dict[tuple[str, str], list[Twin]] = {}
    by_day: dict[tuple[str, date | None, Decimal, str], list[Twin]] = {}

    def add(document: Invoice | CreditNote, lookups: Mapping[str, str], stamp: str) -> None:
        contact = (document.contact.contact_id or "") if document.contact is not None else ""
        is_bill = isinstance(document, Invoice)
        number = number_of(document)
        by_hand = lookups.get("sign") != ours
        xero_id = document.invoice_id if isinstance(document, Invoice) else document.credit_note_id
        twin = Twin(id=xero_id or "", document=document, stamp=stamp, by_hand=by_hand)
        by_number.setdefault((contact, number), []).append(twin)
        by_plain.setdefault((contact, plain_number(number)), []).append(twin)
        if by_hand:
            total = (document.total or Decimal(0)) * (1 if is_bill else -1)
            day = (contact, document.date, total, document.currency_code or "")
            by_day.setdefault(day, []).append(evolve(twin, alike=BY_DAY))

    if contacts is None:
        bills = [each async for each in records(books, INVOICES.kind, lookup=("type", InvoiceType.ACCPAY))]
        notes = [each async for each in records(books, CREDIT_NOTES.kind)]
    else:
        ids = set(contacts)
        bills = await records_by(books, INVOICES, "contact", ids)
        notes = await records_by(books, CREDIT_NOTES, "contact", ids)
    for record in bills:
        bill = read_mirrored(record, Invoice)
        if bill.type == InvoiceType.ACCPAY and bill.status not in GONE and bill.contact is not None:
            add(bill, dict(record.lookups), stamp_of(record))
    for record in notes:
        note = read_mirrored(record, CreditNote)
        if note.type == InvoiceType.ACCPAYCREDIT and note.status not in GONE and note.contact is not None:
            add(note, dict(record.lookups), stamp_of(record))
    return Entered(by_number=by_number, by_plain=by_plain, by_day=by_day)
