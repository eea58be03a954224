"""Where what the library writes stands in Xero: by the kind of write the list of its document, and its model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from xerosync.engine.actions import (
    CreateBill,
    CreateCreditNote,
    CreateSale,
    CreateSaleCredit,
    MoveMoney,
    Pay,
    Refund,
    Transfer,
)
from xerosync.engine.mirror import BANK_TRANSACTIONS, BANK_TRANSFERS, CREDIT_NOTES, INVOICES, PAYMENTS, Shelf
from xerosync.models import BankTransaction, BankTransfer, CreditNote, Invoice, Payment

Document: TypeAlias = Invoice | CreditNote | Payment | BankTransaction | BankTransfer

WRITTEN_ON: Final[Mapping[str, tuple[Shelf, type[Document]]]] = {
    Pay.kind: (PAYMENTS, Payment),
    Refund.kind: (PAYMENTS, Payment),
    MoveMoney.kind: (BANK_TRANSACTIONS, BankTransaction),
    Transfer.kind: (BANK_TRANSFERS, BankTransfer),
    CreateBill.kind: (INVOICES, Invoice),
    CreateCreditNote.kind: (CREDIT_NOTES, CreditNote),
    CreateSale.kind: (INVOICES, Invoice),
    CreateSaleCredit.kind: (CREDIT_NOTES, CreditNote),
}
TYPED_FOR_ONE: Final = frozenset({Pay.kind, Refund.kind, MoveMoney.kind, Transfer.kind, CreateBill.kind})
"""The kinds of write that a backfill takes over what people typed for, where the document is of one write alone."""
TYPED: Final = TYPED_FOR_ONE | {CreateSaleCredit.kind}
"""Those, and of credit notes, one of which may be given back in several parts."""
