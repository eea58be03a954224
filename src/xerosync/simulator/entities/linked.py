"""Billable expenses: which line of a purchase is to be charged to which customer."""

from __future__ import annotations

from attrs import frozen


@frozen
class LinkedTransaction:
    """
    A line of a bill or of money spent that is charged to a customer: *source_type* ACCPAY or SPEND.

    *contact_id* is the customer, blank while it is nobody's yet; *target_id* and *target_line_id* are the sale it was
    put on. Its status follows from both documents, so it is kept nowhere.
    """

    id: str
    source_id: str
    source_line_id: str
    source_type: str
    updated_ms: int
    contact_id: str = ""
    target_id: str = ""
    target_line_id: str = ""
