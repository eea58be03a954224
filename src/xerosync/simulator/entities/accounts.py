"""The chart of accounts."""

from __future__ import annotations

from typing import Final

from attrs import frozen


@frozen
class Account:
    """One account of the chart. *tax_type* is the default of lines that name none (F 6.15)."""

    id: str
    code: str
    name: str
    type: str
    tax_type: str
    updated_ms: int
    status: str = "ACTIVE"
    system: str = ""
    description: str = ""
    enable_payments: bool = False
    bank_number: str = ""
    bank_type: str = ""
    currency: str = ""
    show_in_expense_claims: bool = False

    @property
    def is_payable(self) -> bool:
        """Whether payments may go to it, were it active (F 6.14: bank accounts are payable and do not say so)."""
        return self.type == "BANK" or self.enable_payments

    @property
    def account_class(self) -> str:
        """ASSET, EQUITY, EXPENSE, LIABILITY or REVENUE."""
        return _CLASSES.get(self.type, "EXPENSE")


_CLASSES: Final = {
    "BANK": "ASSET", "CURRENT": "ASSET", "FIXED": "ASSET", "INVENTORY": "ASSET", "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET", "CURRLIAB": "LIABILITY", "LIABILITY": "LIABILITY", "TERMLIAB": "LIABILITY",
    "PAYG": "LIABILITY", "EQUITY": "EQUITY", "REVENUE": "REVENUE", "SALES": "REVENUE", "OTHERINCOME": "REVENUE",
    "EXPENSE": "EXPENSE", "OVERHEADS": "EXPENSE", "DIRECTCOSTS": "EXPENSE", "DEPRECIATN": "EXPENSE",
}  # fmt: skip
ACCOUNT_TYPES: Final = frozenset(_CLASSES)
