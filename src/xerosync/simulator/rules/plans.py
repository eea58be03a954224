"""What an organisation's plan lets it do (F 2.25, 6.04, 8.54)."""

from __future__ import annotations

from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Document
from xerosync.simulator.refusals import Invalid

PLANS: Final = (
    "DEMO", "TRIAL", "STARTER", "STANDARD", "PREMIUM", "PREMIUM_20", "PREMIUM_50", "PREMIUM_100", "LEDGER",
    "GST_CASHBOOK", "NON_GST_CASHBOOK", "ULTIMATE", "LITE", "ULTIMATE_10", "ULTIMATE_20", "ULTIMATE_50",
    "ULTIMATE_100", "IGNITE", "GROW", "COMPREHENSIVE", "SIMPLE", "ULTRA", "BASICLITE",
)  # fmt: skip
_NO_INVOICES: Final = frozenset({"LEDGER", "GST_CASHBOOK", "NON_GST_CASHBOOK"})
_SEVERAL_CURRENCIES: Final = ("DEMO", "TRIAL", "PREMIUM", "ULTIMATE", "COMPREHENSIVE", "ULTRA")
# How many documents a small plan approves in a calendar month: sales, bills.
_A_MONTH: Final = {"STARTER": (20, 5), "IGNITE": (20, 5), "LITE": (20, 5), "BASICLITE": (20, 5)}


def may_invoice(books: Books) -> bool:
    """Whether the plan has invoices at all; cashbooks and ledgers have none."""
    return books.organisation.plan not in _NO_INVOICES


def may_use_currencies(books: Books) -> bool:
    """Whether the plan knows more than one currency."""
    return books.organisation.plan.startswith(_SEVERAL_CURRENCIES)


def refuse_currencies(books: Books) -> None:
    """Raise `Invalid` when the plan has no further currencies."""
    if not may_use_currencies(books):
        raise Invalid("The plan of the organisation does not include multiple currencies")


def refuse_invoice(books: Books, document: Document, *, approves: bool) -> None:
    """Raise `Invalid` when the plan has no such document, or as many approved ones as it may in the month."""
    if not may_invoice(books):
        raise Invalid("The plan of the organisation does not include invoices and bills")
    if not approves or books.organisation.plan not in _A_MONTH or not document.is_invoice:
        return
    most = _A_MONTH[books.organisation.plan][0 if document.is_sale else 1]
    month = document.date.replace(day=1)
    same = (one for one in books.documents if one.type == document.type and one.is_posted)
    if sum(one.date.replace(day=1) == month for one in same) >= most:
        noun = "invoices" if document.is_sale else "bills"
        raise Invalid(f"You have reached the limit of {noun} you can approve")
