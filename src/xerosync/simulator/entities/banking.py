"""What moves through bank accounts: spend and receive money, transfers between accounts, payments in one batch."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from decimal import Decimal

from attrs import frozen

from xerosync.simulator.entities.base import instant
from xerosync.simulator.entities.documents import Line


@frozen
class BankTransaction:
    """
    Money spent or received without an invoice: *type* SPEND, RECEIVE, or one of these with -OVERPAYMENT, -PREPAYMENT or
    -TRANSFER.

    Amounts are in *currency*, the bank account's; *rate* is units of it per unit of the base currency. *credit_id*
    is the over- or prepayment it brought about, *transfer_id* the transfer it is one side of.
    """

    id: str
    type: str
    account_id: str
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
    url: str = ""
    is_reconciled: bool = False
    credit_id: str = ""
    transfer_id: str = ""
    made_by: str = ""

    @property
    def is_receipt(self) -> bool:
        """Whether money came in."""
        return self.type.startswith("RECEIVE")

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)


@frozen
class BankTransfer:
    """Money moved from one bank account to another: *amount* in the currency of the first, *rate* as given."""

    id: str
    from_account_id: str
    to_account_id: str
    from_transaction_id: str
    to_transaction_id: str
    amount: Decimal
    date: dt.date
    rate: Decimal
    created_ms: int
    updated_ms: int
    reference: str = ""
    status: str = "AUTHORISED"

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)


@frozen
class BatchMember:
    """One payment of a batch, and what the bank is to be told with it."""

    payment_id: str
    bank_account_number: str = ""
    particulars: str = ""
    code: str = ""
    details: str = ""


@frozen
class BatchPayment:
    """Several payments that the bank shows as one line: *type* RECBATCH or PAYBATCH, *total* in base currency."""

    id: str
    type: str
    account_id: str
    date: dt.date
    members: tuple[BatchMember, ...]
    total: Decimal
    updated_ms: int
    reference: str = ""
    particulars: str = ""
    code: str = ""
    details: str = ""
    narrative: str = ""
    status: str = "AUTHORISED"
    is_reconciled: bool = False

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)
