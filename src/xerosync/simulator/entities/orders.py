"""Purchase orders and quotes: what may become a bill or an invoice, and never stands in the ledger."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from attrs import frozen

from xerosync.simulator.entities.base import total
from xerosync.simulator.entities.documents import Line


@frozen(kw_only=True)
class Offer:
    """
    What a purchase order and a quote have in common.

    Amounts are in *currency*; *rate* is units of it per unit of the base currency. *line_amount_types* is as invoices
    spell it.
    """

    id: str
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
    reference: str = ""
    branding_theme: str = ""
    made_by: str = ""

    @property
    def total_discount(self) -> Decimal:
        """What the discounts of the lines take off in all."""
        return total(discount_of(line) for line in self.lines)


@frozen(kw_only=True)
class PurchaseOrder(Offer):
    """An order to a supplier: DRAFT, SUBMITTED, AUTHORISED, BILLED or DELETED (F 6.176)."""

    delivery_date: dt.date | None = None
    arrival_date: dt.date | None = None
    delivery_address: str = ""
    attention_to: str = ""
    telephone: str = ""
    instructions: str = ""
    sent_to_contact: bool = False


@frozen(kw_only=True)
class Quote(Offer):
    """An offer to a customer: DRAFT, SENT, ACCEPTED, DECLINED, INVOICED or DELETED."""

    expiry_date: dt.date | None = None
    title: str = ""
    summary: str = ""
    terms: str = ""


def discount_of(line: Line) -> Decimal:
    """What the discount of *line* takes off, in the currency of its document."""
    if (
        not (line.discount_rate or line.discount_amount)
        or line.amount is None
        or line.quantity is None
        or line.unit_amount is None
    ):
        return Decimal("0.00")
    return (line.quantity * line.unit_amount - line.amount).quantize(Decimal("0.01"))
