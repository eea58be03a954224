"""What documents may refer to (accounts, taxes, tracking, items, currencies, open days), read once a run if needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, TypeAlias

from attrs import field, frozen

from xerosync.client._books import Books
from xerosync.engine.mirror import ACCOUNTS, CURRENCIES, ITEMS, TAX_RATES, TRACKING, Shelf, refresh, walk
from xerosync.engine.settling_policies import OpenBooks, WhenLocked, open_books
from xerosync.errors import ScopeMissing
from xerosync.models import (
    Account,
    BankTransaction,
    CreditNote,
    Currency,
    Invoice,
    Item,
    LineAmountTypes,
    OrganisationPlan,
    TaxRate,
    TrackingCategory,
)

Coding: TypeAlias = Invoice | CreditNote | BankTransaction
"""A document with lines that are coded."""

NO_TAX: Final = "NONE"


@frozen(kw_only=True)
class Reference:
    """
    What documents may refer to, as the mirror has it, each by its code, tax type or name in small letters.

    What is None was not read, since no document needs it or the app may not read it; nothing is said of it then.
    """

    accounts: Mapping[str, Account] | None = None
    tax_rates: Mapping[str, TaxRate] | None = None
    tracking: Mapping[str, TrackingCategory] | None = None
    items: Mapping[str, Item] | None = None
    currencies: frozenset[str] | None = None
    open_books: OpenBooks = field(default=OpenBooks(closed_up_to=None, when_locked=WhenLocked.REFUSE))
    plan: OrganisationPlan | None = None

    def account(self, code: str | None) -> Account | None:
        """The account of this *code*, if it is known."""
        return (self.accounts or {}).get(key(code))

    def tax_rate(self, tax_type: str | None) -> TaxRate | None:
        """The tax rate of this *tax_type*, if it is known."""
        return (self.tax_rates or {}).get(key(tax_type))


def key(text: str | None) -> str:
    """How codes and names are compared: Xero minds neither letter case nor blanks around them."""
    return (text or "").strip().lower()


async def read_reference(books: Books, documents: Sequence[Coding], when_locked: WhenLocked) -> Reference:
    """What *documents* refer to, of which only what they need is read; nothing for none."""
    if not documents:
        return Reference()
    days, base, plan = OpenBooks(closed_up_to=None, when_locked=when_locked), "", None
    with suppress(ScopeMissing):
        organisation = await books.organisation()
        days, base, plan = open_books(organisation, when_locked), organisation.base_currency or "", organisation.plan
    lines = [line for document in documents for line in document.line_items]
    chart = await _read(books, ACCOUNTS)
    is_taxed = any(each.line_amount_types != LineAmountTypes.NO_TAX for each in documents)
    foreign = any(each.currency_code not in {None, base} for each in documents)
    return Reference(
        accounts={key(each.code): each async for _, each in walk(books, ACCOUNTS, Account)} if chart else None,
        tax_rates=await _tax_rates(books) if is_taxed else None,
        tracking=await _tracking(books) if any(line.tracking for line in lines) else None,
        items=await _items(books) if any(line.item_code for line in lines) else None,
        currencies=await _currencies(books, base) if base and foreign else None,
        open_books=days,
        plan=plan,
    )


async def _read(books: Books, *shelves: Shelf) -> bool:
    """Whether *shelves* could be brought up to date: an app that reads no settings leaves them to Xero to check."""
    with suppress(ScopeMissing):
        await refresh(books, *shelves)
        return True
    return False


async def _tax_rates(books: Books) -> Mapping[str, TaxRate] | None:
    if not await _read(books, TAX_RATES):
        return None
    return {key(each.tax_type): each async for _, each in walk(books, TAX_RATES, TaxRate)}


async def _tracking(books: Books) -> Mapping[str, TrackingCategory] | None:
    if not await _read(books, TRACKING):
        return None
    return {key(each.name): each async for _, each in walk(books, TRACKING, TrackingCategory)}


async def _items(books: Books) -> Mapping[str, Item] | None:
    if not await _read(books, ITEMS):
        return None
    return {key(each.code): each async for _, each in walk(books, ITEMS, Item)}


async def _currencies(books: Books, base: str) -> frozenset[str] | None:
    if not await _read(books, CURRENCIES):
        return None
    return frozenset([base, *[each.code or "" async for _, each in walk(books, CURRENCIES, Currency)]])
