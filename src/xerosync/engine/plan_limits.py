"""How many documents a small plan approves in a month: one too many is said before it is sent (row 96)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import define, field

from xerosync.client._books import Books
from xerosync.engine.mirror import INVOICES, walk
from xerosync.engine.plans import Finding
from xerosync.models import CreditNote, DocumentStatus, Invoice, InvoiceType, OrganisationPlan
from xerosync.money import Money

# Xero's pages of plans say so; the API only says when it was too many (F 2.25, 8.54).
_A_MONTH: Final[Mapping[str, int]] = {InvoiceType.ACCREC: 20, InvoiceType.ACCPAY: 5}
_SMALL: Final = frozenset(
    {OrganisationPlan.STARTER, OrganisationPlan.IGNITE, OrganisationPlan.LITE, OrganisationPlan.BASICLITE}
)
_APPROVED: Final = frozenset({DocumentStatus.AUTHORISED, DocumentStatus.PAID})


@define
class Approvals:
    """What is approved so far, by type and month, where the *plan* has a limit; what is planned is added to it."""

    plan: OrganisationPlan | None
    _counts: Counter[tuple[str, str]] = field(factory=Counter[tuple[str, str]], init=False)

    def add(self, document: Invoice | CreditNote) -> bool:
        """Count *document* where it counts; whether it is one too many."""
        if isinstance(document, CreditNote) or document.status not in _APPROVED or document.date is None:
            return False
        counted = document.type or "", f"{document.date:%Y-%m}"
        self._counts[counted] += 1
        return self.plan in _SMALL and self._counts[counted] > _A_MONTH.get(counted[0], 0)

    def too_many(self, about: str, document: Invoice | CreditNote, worth: Money | None) -> Iterator[Finding]:
        """Count a planned *document*, and say so where it is one too many."""
        if not self.add(document):
            return
        what = "bills" if document.type == InvoiceType.ACCPAY else "invoices"
        said = f"{_A_MONTH[document.type or '']} {what} of a month, and {document.date:%Y-%m} has as many"
        yield Finding(
            code="plan limit",
            about=about,
            cause=f"the plan {self.plan} approves {said}; it is sent all the same, since Xero's count decides (F 8.54)",
            fix="post it as a draft, or have the plan changed at Xero",
            who="the organisation's subscriber",
            retry=True,
            worth=worth,
        )


async def approvals(books: Books, plan: OrganisationPlan | None) -> Approvals:
    """What Xero has approved already, as the mirror knows; nothing is read where the plan has no limit."""
    counted = Approvals(plan)
    if plan in _SMALL:
        async for _, invoice in walk(books, INVOICES, Invoice):
            counted.add(invoice)
    return counted
