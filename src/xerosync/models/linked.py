"""Billable expenses: lines of purchases that are charged to customers."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from attrs import field, frozen

from xerosync.models.base import READ_ONLY, ContactId, LineItemId, LinkedTransactionId, Quiet, Shape, no_extra
from xerosync.models.words import LinkedTransactionStatus, LinkedTransactionType


@frozen(kw_only=True, repr=False)
class LinkedTransaction(Quiet):
    """
    A line of a bill, or of money spent, that is billable to the customer *contact_id* (F 6.174).

    The target is the sale's line that it was put on; Xero lets its status follow from both documents.
    """

    linked_transaction_id: LinkedTransactionId | None = None
    source_transaction_id: str | None = None
    source_line_item_id: LineItemId | None = None
    contact_id: ContactId | None = None
    target_transaction_id: str | None = None
    target_line_item_id: LineItemId | None = None
    status: LinkedTransactionStatus | None = field(default=None, metadata=READ_ONLY)
    type: LinkedTransactionType | None = field(default=None, metadata=READ_ONLY)
    source_transaction_type_code: str | None = field(default=None, metadata=READ_ONLY)
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)
