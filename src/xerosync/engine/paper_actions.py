"""What a plan may hold of papers: card receipts, what is taken back, files, and notes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import ClassVar, Final

from attrs import field, frozen

from xerosync.engine.actions import (
    SALE,
    Action,
    Allocate,
    CreateSale,
    CreateSaleCredit,
    Link,
    MoveMoney,
    Pending,
    Ref,
    Refund,
    RefundOverpayment,
    VoidCredit,
)
from xerosync.models import (
    BankTransaction,
    ContactId,
    CreditNote,
    DocumentStatus,
    Invoice,
    InvoiceId,
    LineItemId,
    OverpaymentId,
)
from xerosync.money import Money

CARD: Final = "card/"
"""What the name of a card's receipt begins with: settlements move money too."""

OF_PURCHASE: Final = "billable_of"
"""The fact of a billable expense that names the document at Xero whose line it is."""

SUPPLIER: Final = "supplier/"
"""What the name of an edit or voiding of a supplier's credit note begins with: customers have credits, too."""


@frozen(kw_only=True, repr=False)
class SpendOnCard(MoveMoney):
    """Post what was spent by card, or came back, under the host's own id of the receipt."""

    prefix: ClassVar[str] = CARD
    names_rules: ClassVar[bool] = True


@frozen(kw_only=True, repr=False)
class LinkSpend(Link):
    """Know money that somebody spent in Xero, or that came back, under the id of a card receipt of the host's."""

    kind: ClassVar[str] = "spend_link"
    total: Money

    @property
    def worth(self) -> Money:
        """What the bank account has more by it; negative for money spent."""
        return self.total


@frozen(kw_only=True, repr=False)
class SubmitSale(CreateSale):
    """Post a sale of the host's own, under the host's id of it."""

    prefix: ClassVar[str] = SALE
    names_rules: ClassVar[bool] = True


@frozen(kw_only=True, repr=False)
class SubmitSaleCredit(CreateSaleCredit):
    """Post a credit note of the host's own to a customer, under the host's id of it."""

    prefix: ClassVar[str] = SALE
    names_rules: ClassVar[bool] = True


@frozen(kw_only=True, repr=False)
class AllocateSaleCredit(Allocate):
    """Set a part of a customer's credit against an invoice of theirs."""

    prefix: ClassVar[str] = SALE


@frozen(kw_only=True, repr=False)
class AllocateOverpayment(Action):
    """Set a part of a customer's overpayment against an invoice of theirs (F 6.154)."""

    kind: ClassVar[str] = "overpayment_allocation"
    prefix: ClassVar[str] = SALE
    overpayment: OverpaymentId
    invoice: InvoiceId
    amount: Money
    on: date

    @property
    def worth(self) -> Money:
        """The part allocated."""
        return self.amount


@frozen(kw_only=True, repr=False)
class RefundSaleCredit(Refund):
    """Post the money that a customer got back for a credit note, under the host's own id of the refund."""

    prefix: ClassVar[str] = SALE


@frozen(kw_only=True, repr=False)
class RefundParked(RefundOverpayment):
    """Post the money that a customer got back of an overpayment, under the host's own id of the refund."""

    prefix: ClassVar[str] = SALE


@frozen(kw_only=True, repr=False)
class ChangeBill(Action):
    """Change a bill that was posted, by the fields that *invoice* has; *contact* where its vendor is another now."""

    kind: ClassVar[str] = "bill_edit"
    invoice: Invoice
    contact: Ref | None
    total: Money

    @property
    def worth(self) -> Money:
        """What the bill comes to."""
        return self.total


@frozen(kw_only=True, repr=False)
class ChangeSale(ChangeBill):
    """Change a sale that was posted, by the fields that *invoice* has."""

    kind: ClassVar[str] = "sale_edit"
    prefix: ClassVar[str] = SALE


@frozen(kw_only=True, repr=False)
class ChangeCredit(Action):
    """Change a credit note that was posted to what *credit_note* has; *contact* where it is another's now."""

    kind: ClassVar[str] = "credit_note_edit"
    credit_note: CreditNote
    contact: Ref | None
    total: Money

    @property
    def worth(self) -> Money:
        """What it comes to, as a negative amount."""
        return self.total


@frozen(kw_only=True, repr=False)
class ChangeSupplierCredit(ChangeCredit):
    """Change a supplier's credit note, under the host's own id of it."""

    prefix: ClassVar[str] = SUPPLIER


@frozen(kw_only=True, repr=False)
class ChangeSaleCredit(ChangeCredit):
    """Change a credit note to a customer, under the host's own id of it."""

    prefix: ClassVar[str] = SALE


@frozen(kw_only=True, repr=False)
class ChangeSpend(Action):
    """Change a card receipt that was posted to what *transaction* has; *contact* where its vendor is another now."""

    kind: ClassVar[str] = "bank_transaction_edit"
    prefix: ClassVar[str] = CARD
    transaction: BankTransaction
    contact: Ref | None
    total: Money

    @property
    def worth(self) -> Money:
        """What the bank account has more by it; negative for money spent."""
        return self.total


@frozen(kw_only=True, repr=False)
class VoidBill(Action):
    """Void a bill that nothing was paid on, or delete one that was not approved yet (F 6.51)."""

    kind: ClassVar[str] = "bill_voiding"
    bill: InvoiceId
    status: DocumentStatus
    amount: Money
    after: tuple[Pending, ...] = ()

    @property
    def worth(self) -> Money:
        """The bill's total, as a negative amount."""
        return -self.amount


@frozen(kw_only=True, repr=False)
class VoidSale(VoidBill):
    """Void a sale that nothing was paid on, or delete one that was not approved yet (F 6.51)."""

    kind: ClassVar[str] = "sale_voiding"
    prefix: ClassVar[str] = SALE


@frozen(kw_only=True, repr=False)
class WithdrawSaleCredit(VoidCredit):
    """Take back a credit note of the host's own to a customer."""

    prefix: ClassVar[str] = SALE


@frozen(kw_only=True, repr=False)
class VoidSupplierCredit(VoidCredit):
    """Void a supplier's credit note, under the host's own id of it."""

    prefix: ClassVar[str] = SUPPLIER


@frozen(kw_only=True, repr=False)
class Attach(Action):
    """
    Attach a file to a document of *resource*. Xero puts a file in the place of one of the same name (F 6.187).

    *content* gives its bytes when they are sent: of them the store keeps the *sha256* and the *size* alone.
    """

    kind: ClassVar[str] = "attachment"
    resource: str
    document: str
    file_name: str
    sha256: str
    size: int
    content: Callable[[], bytes] = field(eq=False)

    @property
    def on_record(self) -> str:
        """Without the file's name."""
        return self.reason.partition(", as ")[0]


@frozen(kw_only=True, repr=False)
class MarkBillable(Action):
    """Mark a *line* of a *purchase*, a bill or money spent, as billable to the customer of a *contact* (F 6.174)."""

    kind: ClassVar[str] = "billable_expense"
    purchase: str
    line: LineItemId
    contact: ContactId
    after: tuple[Pending, ...] = ()


@frozen(kw_only=True, repr=False)
class UnmarkBillable(Action):
    """Take off a line what `MarkBillable` put on it: what is *removed* is billable no longer."""

    kind: ClassVar[str] = "billable_expense_removal"
    removed: str


@frozen(kw_only=True, repr=False)
class AddNote(Action):
    """
    Add a note to the history of a *document* in a *collection* of Xero (F 6.191). Xero would take it twice.

    It waits for what it tells of.
    """

    kind: ClassVar[str] = "note"
    collection: str
    document: Ref
    text: str
    after: tuple[Pending, ...] = ()
