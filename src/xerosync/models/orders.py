"""Purchase orders and quotes: what is agreed before anything is owed."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from xerosync.models.base import READ_ONLY, BrandingThemeId, PurchaseOrderId, Quiet, QuoteId, Shape, longest, no_extra
from xerosync.models.contacts import Contact
from xerosync.models.documents import LineItem
from xerosync.models.files import Attachment
from xerosync.models.words import LineAmountTypes, PurchaseOrderStatus, QuoteLineAmountTypes, QuoteStatus


@frozen(kw_only=True, repr=False)
class PurchaseOrder(Quiet):
    """An order to a supplier; nothing is posted for it."""

    purchase_order_id: PurchaseOrderId | None = None
    contact: Contact | None = None
    line_items: tuple[LineItem, ...] = ()
    date: datetime.date | None = None
    delivery_date: datetime.date | None = None
    line_amount_types: LineAmountTypes | None = None
    purchase_order_number: str | None = None
    reference: str | None = None
    branding_theme_id: BrandingThemeId | None = None
    currency_code: str | None = None
    status: PurchaseOrderStatus | None = None
    sent_to_contact: bool | None = None
    delivery_address: str | None = None
    attention_to: str | None = None
    telephone: str | None = None
    delivery_instructions: str | None = field(default=None, metadata=longest(500))
    expected_arrival_date: datetime.date | None = None
    currency_rate: Decimal | None = None
    sub_total: Decimal | None = field(default=None, metadata=READ_ONLY)
    total_tax: Decimal | None = field(default=None, metadata=READ_ONLY)
    total: Decimal | None = field(default=None, metadata=READ_ONLY)
    total_discount: Decimal | None = field(default=None, metadata=READ_ONLY)
    has_attachments: bool | None = field(default=None, metadata=READ_ONLY)
    attachments: tuple[Attachment, ...] = field(default=(), metadata=READ_ONLY)
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class Quote(Quiet):
    """An offer to a customer; nothing is posted for it."""

    quote_id: QuoteId | None = None
    quote_number: str | None = field(default=None, metadata=longest(255))
    reference: str | None = field(default=None, metadata=longest(4000))
    terms: str | None = field(default=None, metadata=longest(4000))
    contact: Contact | None = None
    line_items: tuple[LineItem, ...] = ()
    date: datetime.date | None = None
    expiry_date: datetime.date | None = None
    status: QuoteStatus | None = None
    currency_code: str | None = None
    currency_rate: Decimal | None = None
    sub_total: Decimal | None = field(default=None, metadata=READ_ONLY)
    total_tax: Decimal | None = field(default=None, metadata=READ_ONLY)
    total: Decimal | None = field(default=None, metadata=READ_ONLY)
    total_discount: Decimal | None = field(default=None, metadata=READ_ONLY)
    title: str | None = field(default=None, metadata=longest(100))
    summary: str | None = field(default=None, metadata=longest(3000))
    branding_theme_id: BrandingThemeId | None = None
    line_amount_types: QuoteLineAmountTypes | None = None
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)
