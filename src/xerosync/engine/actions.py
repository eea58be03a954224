"""What a plan may hold: typed actions, each one thing to do, with its reason and what it was decided on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final, Self, TypeAlias, cast

import attrs
from attrs import field, frozen

from xerosync.engine.links import facts_of
from xerosync.engine.states import State
from xerosync.mapping.transactions import Transaction
from xerosync.models import (
    Account,
    AccountId,
    BankTransaction,
    Contact,
    CreditNote,
    CreditNoteId,
    DocumentStatus,
    Invoice,
    InvoiceId,
    OverpaymentId,
    PaymentId,
    TenantId,
)
from xerosync.money import Money
from xerosync.storage.protocol import Record

TRANSACTION: Final = "transaction"
"""What the links of transactions are kept under, whichever action keeps them."""

BILL_PAYMENT: Final = "bill payment/"
"""What the name of a bill's payment begins with among all operations."""

WAS_ON: Final = "was_on"
"""The fact of a removal that names what was paid: its resource at Xero and its id."""
SALE: Final = "sale/"
"""What the name of an operation begins with that is about a sale of the host's own: settlements make documents too."""

CUSTOMER: Final = "customer/"
"""What the name of a customer's new contact begins with: vendors' are named by the vendor."""

VENDOR: Final = "vendor"
"""The kind of the links of vendors."""
VENDOR_APART: Final = "vendor_apart"
"""The kind of what is remembered of vendors that a person took apart from contacts."""
BY_NAME: Final = frozenset({VENDOR, VENDOR_APART})
"""The kinds of links from those that the host knows by name alone."""


@frozen
class Pending:
    """The Xero id that another action of the plan will get: the action is named, its id is put in when it is known."""

    kind: str
    host_ref: str = field(repr=False)  # a vendor's is its name
    revision: int = 1


@frozen
class Seen:
    """A mirrored document as it stood when the plan was made; *stamp* is its ``UpdatedDateUTC`` as Xero wrote it."""

    shelf: str
    document_id: str
    stamp: str


Ref: TypeAlias = str | Pending
"""A Xero id, or the promise of one."""


@frozen(kw_only=True, repr=False)
class Action:
    """
    One thing to do. *host_ref* is the host's own id of the business operation, *revision* the attempt in its chain.

    The same operation always makes the same action, so that doing it again is noticed. *facts* are kept with what was
    done, to be found by later.
    """

    kind: ClassVar[str]
    prefix: ClassVar[str] = ""
    """What the name of its operation begins with: a host may number things of one kind of write alike."""
    names_rules: ClassVar[bool] = False
    host_ref: str
    reason: str
    revision: int = 1
    seen: tuple[Seen, ...] = ()
    facts: Mapping[str, str] = field(factory=dict[str, str])

    @property
    def needs(self) -> tuple[Pending, ...]:
        """The actions that must be confirmed first: their ids go into this one, or they make room for it."""
        values = [getattr(self, each.name) for each in attrs.fields(type(self))]
        nested = (each for value in values if isinstance(value, tuple) for each in cast(tuple[object, ...], value))
        return tuple(each for each in (*values, *nested) if isinstance(each, Pending))

    @property
    def itself(self) -> Pending:
        """How other actions refer to this one."""
        return Pending(self.kind, f"{self.prefix}{self.host_ref}", self.revision)

    @property
    def parts(self) -> tuple[Action, ...]:
        """What it does for each of the host's operations: itself, unless it does several at once."""
        return (self,)

    @property
    def worth(self) -> Money | None:
        """The money this action moves; None when it moves none."""
        return None

    @property
    def on_record(self) -> str:
        """Its reason as the record of the run keeps it: without names, as those of rules, which may be a vendor's."""
        return self.reason.partition("; ")[0] if self.names_rules else self.reason

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.host_ref}>"


@frozen(kw_only=True, repr=False)
class Link(Action):
    """Something to remember in the store alone; nothing is written to Xero."""

    xero_id: Ref

    def record(self, tenant: TenantId) -> Record:
        """The record that remembers it, once the id is known."""
        about = {"host_id": self.host_ref, "xero_id": self.linked_id, **self.facts}
        lookups = (("xero_id", self.linked_id),)
        return Record("link", tenant, self.key, json.dumps(about), self.kind, None, lookups)

    @property
    def besides(self) -> tuple[Record, ...]:
        """What else is kept with it, each in the place of a record that is as it was when this was planned."""
        return ()

    @property
    def linked_id(self) -> str:
        """The Xero id. Raises `TypeError` while it is another action's to come."""
        if isinstance(self.xero_id, Pending):
            raise TypeError("the id is not known yet")
        return self.xero_id

    @property
    def key(self) -> str:
        """The key it is kept under."""
        return link_key(self.kind, self.host_ref)

    @property
    def undoes(self) -> str | None:
        """The key of the link that must be forgotten with it."""
        return None


def link_key(kind: str, host_id: str) -> str:
    """The key a link of *kind* from the host's *host_id* is kept under."""
    if kind in BY_NAME:
        # A vendor is known by name, and keys stay readable in an encrypted store.
        host_id = hashlib.sha256(host_id.encode(errors="surrogatepass")).hexdigest()[:32]
    return f"{kind}/{host_id}"


@frozen(kw_only=True, repr=False)
class SetImportPolicy(Link):
    """Choose how the invoices of a connected customer are imported; the policy is among its *facts*."""

    kind: ClassVar[str] = "import_policy"


@frozen(kw_only=True, repr=False)
class AcceptDrift(Link):
    """Remember that what somebody changed in Xero is as it should be; what it is *now* is among its facts."""

    kind: ClassVar[str] = "drift"


@frozen(kw_only=True, repr=False)
class TransactionLink(Link):
    """
    Remember a *transaction* of the host as it is to be from now on; *before* is what was remembered until then.

    It is made by `remember`, and left out when another worker has remembered something else meanwhile.
    """

    transaction: Transaction
    before: Transaction | None = None

    @classmethod
    def remember(
        cls, transaction: Transaction, *, before: Transaction | None = None, reason: str, seen: tuple[Seen, ...] = ()
    ) -> Self:
        """The link of *transaction* to its invoice."""
        return cls(
            host_ref=transaction.id,
            reason=reason,
            seen=seen,
            revision=transaction.attempt,
            xero_id=transaction.invoice_id,
            transaction=transaction,
            before=before,
        )

    @property
    def worth(self) -> Money:
        """What is to be collected."""
        return self.transaction.amount

    def record(self, tenant: TenantId) -> Record:
        """The one record of the transaction, whatever is remembered of it."""
        body, key = json.dumps(facts_of(self.transaction)), link_key(TRANSACTION, self.host_ref)
        return Record("link", tenant, key, body, TRANSACTION, None, (("xero_id", self.linked_id),))

    def fits(self, kept: Record | None) -> bool:
        """Whether what is *kept* is still what this was planned on."""
        if kept is None:
            return True  # the transaction of a sale is kept only once something is to be remembered of it
        if self.before is None:
            return False
        return bool(json.loads(kept.body) == facts_of(self.before))


@frozen(kw_only=True, repr=False)
class ImportInvoice(TransactionLink):
    """Make a transaction of the host out of a sales invoice."""

    kind: ClassVar[str] = TRANSACTION


@frozen(kw_only=True, repr=False)
class ChangeTransaction(TransactionLink):
    """Its invoice was edited in Xero: the host is to give its row the amount, day and comment of *transaction*."""

    kind: ClassVar[str] = "transaction_change"


@frozen(kw_only=True, repr=False)
class CancelTransaction(TransactionLink):
    """Nothing is due on its invoice any more, or not of this customer: the host is to delete its row."""

    kind: ClassVar[str] = "transaction_cancel"

    @property
    def worth(self) -> Money:
        """What is no longer to be collected, as a negative amount."""
        return -self.transaction.amount


@frozen(kw_only=True, repr=False)
class NoteTransaction(TransactionLink):
    """Remember how a transaction stands with the host; the host has nothing to do."""

    kind: ClassVar[str] = "transaction_note"


@frozen(kw_only=True, repr=False)
class Adopt(Action):
    """
    Take over a document that carries our own tag although the store has forgotten that it was written.

    *write* is what was planned and is there already; without it, *payload* is what is known of what was sent.
    """

    kind: ClassVar[str] = "adopt"
    ends: ClassVar[State] = State.CONFIRMED
    adopted_kind: str
    xero_id: str
    payload: Mapping[str, object] = field(factory=dict[str, object])
    write: Action | None = None

    @property
    def needs(self) -> tuple[Pending, ...]:
        """What the write rests on, whose ids are kept with it."""
        return self.write.needs if self.write is not None else ()

    @property
    def itself(self) -> Pending:
        """The operation that it takes over."""
        return Pending(self.adopted_kind, self.host_ref, self.revision)


@frozen(kw_only=True, repr=False)
class OpenAccount(Action):
    """Open an account; codes and names are unique, so Xero itself refuses a second one (F 6.11)."""

    kind: ClassVar[str] = "new_account"
    account: Account


@frozen(kw_only=True, repr=False)
class EnablePayments(Action):
    """Let payments be made to an account that is no bank account (F 6.14)."""

    kind: ClassVar[str] = "account"
    account_id: AccountId


@frozen(kw_only=True, repr=False)
class CreateContact(Action):
    """Create a contact by name; names are unique, so Xero itself refuses a second one (F 6.23)."""

    kind: ClassVar[str] = "contact"
    contact: Contact

    def __repr__(self) -> str:
        return "<CreateContact>"


@frozen(kw_only=True, repr=False)
class CreateCustomerContact(CreateContact):
    """Create the contact of a customer of the host, under the host's id of the customer."""

    prefix: ClassVar[str] = CUSTOMER


@frozen(kw_only=True, repr=False)
class CreateBill(Action):
    """Create a bill (ACCPAY). Xero would take the same one twice (F 6.57)."""

    kind: ClassVar[str] = "bill"
    names_rules: ClassVar[bool] = True
    invoice: Invoice
    contact: Ref
    total: Money

    @property
    def worth(self) -> Money:
        """The bill's total."""
        return self.total


@frozen(kw_only=True, repr=False)
class CreateCreditNote(Action):
    """Create a supplier's credit note (ACCPAYCREDIT). Xero would take the same one twice."""

    kind: ClassVar[str] = "credit_note"
    names_rules: ClassVar[bool] = True
    credit_note: CreditNote
    contact: Ref
    total: Money

    @property
    def worth(self) -> Money:
        """The credit's total, as a negative amount."""
        return -self.total


@frozen(kw_only=True, repr=False)
class Allocate(Action):
    """Set a part of a credit note against a bill or invoice of the same contact (F 6.97)."""

    kind: ClassVar[str] = "allocation"
    credit_note: CreditNoteId
    invoice: InvoiceId
    amount: Money
    on: date

    @property
    def worth(self) -> Money:
        """The part allocated."""
        return self.amount


@frozen(kw_only=True, repr=False)
class Pay(Action):
    """
    Post a payment on an invoice or bill. Xero would take a part payment twice (F 6.128).

    It waits for the removals that open its invoice again. *settled* is what it moves in the account's currency, where
    that is another; *rate* units of the invoice's for one of the organisation's own.
    """

    kind: ClassVar[str] = "payment"
    invoice: InvoiceId | Pending
    account: AccountId
    amount: Money
    on: date
    reference: str
    settled: Money | None = None
    rate: Decimal | None = None
    after: tuple[Pending, ...] = ()

    @property
    def worth(self) -> Money:
        """The amount paid."""
        return self.amount


@frozen(kw_only=True, repr=False)
class PayBill(Pay):
    """
    Post a payment on a bill, under the host's own id of the payment.

    A settlement's lines are payments too, and a host may number both alike: their operations are told apart.
    """

    prefix: ClassVar[str] = BILL_PAYMENT


@frozen(kw_only=True, repr=False)
class PayBatch(Action):
    """
    Post *payments* of one account and day as one sum: one line on the bank's statement (F 6.140, 6.144).

    Each is known by its own operation once the batch stands, as if it had been posted alone.
    """

    kind: ClassVar[str] = "batch_payment"
    account: AccountId
    on: date
    payments: tuple[Pay, ...]

    @property
    def parts(self) -> tuple[Pay, ...]:
        """Its payments."""
        return self.payments

    @property
    def worth(self) -> Money:
        """The sum of its payments."""
        return Money.total((each.amount for each in self.payments), self.payments[0].amount.currency)


@frozen(kw_only=True, repr=False)
class MoneyBack(Action):
    """Post the money that went, or came, back for what is left of a credit; *settled* and *rate* as of `Pay`."""

    kind: ClassVar[str] = "refund"
    account: AccountId
    amount: Money
    on: date
    reference: str
    settled: Money | None = None
    rate: Decimal | None = None

    @property
    def worth(self) -> Money:
        """The amount refunded."""
        return self.amount


@frozen(kw_only=True, repr=False)
class Refund(MoneyBack):
    """Post the money that came back for what is left of a credit note (F 6.103)."""

    credit_note: CreditNoteId | Pending


@frozen(kw_only=True, repr=False)
class RefundOverpayment(MoneyBack):
    """Post the money that went back for what is left of an overpayment (F 6.154)."""

    overpayment: OverpaymentId


@frozen(kw_only=True, repr=False)
class RemovePayment(Action):
    """
    Remove a payment, so that its invoice is open again (F 6.122).

    It waits for the removal of what was parked beside it: Xero refuses that where the credit was used meanwhile, and
    then an invoice is to take the place of both.
    """

    kind: ClassVar[str] = "removal"
    payment: PaymentId | Pending
    amount: Money
    after: tuple[Pending, ...] = ()

    @property
    def worth(self) -> Money:
        """The amount that is open again, as a negative amount."""
        return -self.amount


@frozen(kw_only=True, repr=False)
class CreateSale(Action):
    """Create a sales invoice (ACCREC), numbered by Xero unless it has one; one in a payment's place waits for that."""

    kind: ClassVar[str] = "sale"
    invoice: Invoice
    contact: Ref
    total: Money
    after: tuple[Pending, ...] = ()

    @property
    def worth(self) -> Money:
        """The invoice's total."""
        return self.total


@frozen(kw_only=True, repr=False)
class CreateSaleCredit(Action):
    """
    Create a credit note to a customer (ACCRECCREDIT), numbered by Xero unless it has a number.

    One for a refund waits for the payments of the same plan that it gives back.
    """

    kind: ClassVar[str] = "sale_credit"
    credit_note: CreditNote
    contact: Ref
    total: Money
    after: tuple[Pending, ...] = ()

    @property
    def worth(self) -> Money:
        """The credit's total, as a negative amount."""
        return -self.total


@frozen(kw_only=True, repr=False)
class MoveMoney(Action):
    """
    Spend or receive money through a bank account, with lines of its own (F 6.150). Xero would take it twice.

    It waits for what must come before it: the removal of what it takes the place of, the lines that it pays out.
    """

    kind: ClassVar[str] = "bank_transaction"
    transaction: BankTransaction
    contact: Ref
    total: Money
    after: tuple[Pending, ...] = ()

    @property
    def worth(self) -> Money:
        """What the bank account has more by it; negative for money spent."""
        return self.total


@frozen(kw_only=True, repr=False)
class Transfer(Action):
    """Move money between two bank accounts (F 6.157). Xero would take it twice. It waits for what it pays out."""

    kind: ClassVar[str] = "transfer"
    source: AccountId
    target: AccountId
    amount: Money
    on: date
    reference: str
    after: tuple[Pending, ...] = ()

    @property
    def worth(self) -> Money:
        """The amount moved."""
        return self.amount


@frozen(kw_only=True, repr=False)
class RemoveMoney(Action):
    """Delete a bank transaction (F 6.153)."""

    kind: ClassVar[str] = "bank_transaction_removal"
    transaction: Ref
    amount: Money

    @property
    def worth(self) -> Money:
        """The amount that is taken back, as a negative amount."""
        return -self.amount


@frozen(kw_only=True, repr=False)
class VoidCredit(Action):
    """Void a credit note that was set against nothing, or delete one not approved yet (F 6.102)."""

    kind: ClassVar[str] = "credit_note_voiding"
    credit_note: Ref
    status: DocumentStatus = DocumentStatus.VOIDED
    amount: Money
    after: tuple[Pending, ...] = ()

    @property
    def worth(self) -> Money:
        """The credit that ends."""
        return self.amount
