"""Invoices, bills, credit notes, over- and prepayments: what is owed, and what credit there is."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from decimal import Decimal
from typing import Final

from attrs import frozen

from xerosync.simulator.entities.base import ZERO, instant


@frozen
class Line:
    """One line of a document; *amount* includes tax where the document is Inclusive (F 5.26). None: text only."""

    id: str
    description: str = ""
    quantity: Decimal | None = None
    unit_amount: Decimal | None = None
    amount: Decimal | None = None
    tax_type: str = ""
    tax: Decimal | None = None
    account_id: str = ""
    item_code: str = ""
    discount_rate: Decimal | None = None
    discount_amount: Decimal | None = None
    tracking: tuple[tuple[str, str], ...] = ()
    """The ids of tracking category and option, two pairs at most."""


@frozen
class Document:
    """
    An invoice, a bill, a credit note, an overpayment or a prepayment, told apart by *type*: ACCREC, ACCPAY,
    ACCRECCREDIT, ACCPAYCREDIT, RECEIVE-OVERPAYMENT, SPEND-OVERPAYMENT, RECEIVE-PREPAYMENT, SPEND-PREPAYMENT.

    Amounts are in *currency*; *rate* is units of it per unit of the base currency (F 6.70). Of a credit *paid* is what
    was refunded and *credited* what was allocated. *source_id* is the bank transaction that an over- or prepayment
    came with.
    """

    id: str
    type: str
    number: str
    contact_id: str
    date: dt.date
    status: str
    line_amount_types: str
    lines: tuple[Line, ...]
    currency: str
    rate: Decimal
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal
    updated_ms: int
    due_date: dt.date | None = None
    reference: str = ""
    paid: Decimal = ZERO
    credited: Decimal = ZERO
    sent_to_contact: bool = False
    url: str = ""
    branding_theme: str = ""
    planned_date: dt.date | None = None
    fully_paid_on: dt.date | None = None
    made_by: str = ""
    source_id: str = ""

    @property
    def amount_due(self) -> Decimal:
        """What is still to be paid; of a credit, what remains of it (F 6.74, 6.96)."""
        return self.total - self.paid - self.credited

    @property
    def family(self) -> str:
        """Under which resource this is listed: Invoices, CreditNotes, Overpayments or Prepayments."""
        return _FAMILIES[self.type]

    @property
    def is_invoice(self) -> bool:
        """Whether this is an invoice or a bill."""
        return self.type in {"ACCREC", "ACCPAY"}

    @property
    def is_credit_note(self) -> bool:
        """Whether this is a credit note."""
        return self.type.endswith("CREDIT")

    @property
    def is_credit(self) -> bool:
        """Whether this gives credit, as a credit note, an overpayment or a prepayment, rather than asks for money."""
        return not self.is_invoice

    @property
    def is_sale(self) -> bool:
        """Whether this stands in the debtors account rather than the creditors."""
        return self.type.startswith(("ACCREC", "RECEIVE"))

    @property
    def is_posted(self) -> bool:
        """Whether the ledger holds this document."""
        return self.status in {"AUTHORISED", "PAID"}

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)


_FAMILIES: Final = {
    "ACCREC": "Invoices", "ACCPAY": "Invoices", "ACCRECCREDIT": "CreditNotes", "ACCPAYCREDIT": "CreditNotes",
    "RECEIVE-OVERPAYMENT": "Overpayments", "SPEND-OVERPAYMENT": "Overpayments",
    "RECEIVE-PREPAYMENT": "Prepayments", "SPEND-PREPAYMENT": "Prepayments",
}  # fmt: skip
