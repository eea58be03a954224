"""
The engine's table: every kind of write, how it is sent, and how it is found again when its answer was lost.

A kind without a row here cannot be planned.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import quote

from attrs import AttrsInstance, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.client._wire.codec import Json
from xerosync.client._wire.outgoing import encode
from xerosync.engine import actions as act
from xerosync.engine import paper_actions as papers
from xerosync.engine.intents import Intent, Member, basis_of
from xerosync.engine.probes import (
    Found,
    probe_accounts,
    probe_allocations,
    probe_attachments,
    probe_bank_transaction_removals,
    probe_bank_transactions,
    probe_batch_payments,
    probe_batch_removals,
    probe_billable_expenses,
    probe_billable_removals,
    probe_bills,
    probe_changed_bills,
    probe_changed_credits,
    probe_changed_spends,
    probe_contacts,
    probe_credit_notes,
    probe_invoice_payments,
    probe_new_accounts,
    probe_notes,
    probe_overpayment_allocations,
    probe_refunds,
    probe_removals,
    probe_sale_credits,
    probe_sales,
    probe_transfer_removals,
    probe_transfers,
    probe_voided_bills,
    probe_voided_credits,
)
from xerosync.engine.undo_actions import RemoveBatch, RemoveTransfer
from xerosync.mapping import banking, documents
from xerosync.models import (
    Account,
    Attachment,
    BankTransaction,
    BankTransactionStatus,
    BankTransfer,
    BatchPayment,
    Contact,
    ContactId,
    CreditNote,
    CreditNoteId,
    HistoryRecord,
    Invoice,
    InvoiceId,
    LinkedTransaction,
    Overpayment,
    Payment,
    PaymentStatus,
)

A = TypeVar("A", bound=act.Action)

Ids = Callable[[act.Ref], str]
"""Gives the Xero id of a reference, once it is known."""

Encoder = Callable[[act.Action, Ids, str], Json]
Probe = Callable[[Books, Sequence[Intent]], Awaitable[Mapping[str, Sequence[Found]]]]


@frozen
class Kind:
    """
    One kind of write. *path* may hold ``{target}``; elements go under *collection*, up to *batch* of them a call.

    A blank *id_key* is of what has no id of its own: it is known by its target. *bare* sends the one element without an
    envelope, *from_file* the bytes of a file, which no store keeps. *accepts* are texts by which Xero says that it is
    already so, then the probe decides; an empty one for whatever it says.
    """

    name: str
    method: str
    path: str
    collection: str
    id_key: str
    encode: Encoder
    probe: Probe
    batch: int = 50
    bare: bool = False
    from_file: bool = False
    accepts: tuple[str, ...] = field(default=())


def kind_of(name: str) -> Kind:
    """The row of kind *name*; `KeyError` for one that is not in the table."""
    return KINDS[name]


def rank(name: str) -> int:
    """The place of kind *name* in the table: what others may rest on comes first."""
    return _RANK[name]


def _encoder(kind: type[A], write: Callable[[A, Ids, str], AttrsInstance]) -> Encoder:
    def encoder(action: act.Action, ids: Ids, tag: str) -> Json:
        if not isinstance(action, kind):
            raise TypeError(f"{type(action).__name__} is not a {kind.__name__}")
        written = write(action, ids, tag)
        return encode(written)

    return encoder


def _payment(action: act.Pay, ids: Ids, tag: str) -> Payment:
    return documents.payment_document(
        invoice=InvoiceId(ids(action.invoice)),
        account=action.account,
        amount=action.amount,
        on=action.on,
        reference=documents.marked_reference(action.reference, tag),
        settled=action.settled,
        rate=action.rate,
    )


def _batch(action: act.PayBatch, ids: Ids, tag: str) -> BatchPayment:
    return documents.batch_document(
        account=action.account,
        on=action.on,
        reference=tag,
        payments=[(InvoiceId(ids(each.invoice)), each.amount) for each in action.payments],
    )


def members_of(action: act.Action, ids: Ids) -> tuple[Member, ...]:
    """The payments of a batch, each as it is known by itself; none of anything else."""
    if isinstance(action, RemoveBatch):
        return tuple(
            Member(
                operation=each.itself,
                payload=encode(Payment(status=PaymentStatus.DELETED)),
                basis=basis_of(each.seen),
                facts=each.facts,
                xero_id=ids(each.payment),
                target=ids(each.payment),
            )
            for each in action.payments
        )
    if not isinstance(action, act.PayBatch):
        return ()
    return tuple(
        Member(
            operation=each.itself,
            payload=encode(
                Payment(
                    invoice=Invoice(invoice_id=InvoiceId(ids(each.invoice))),
                    account=Account(account_id=each.account),
                    date=each.on,
                    amount=each.amount.amount,
                )
            ),
            basis=basis_of(each.seen),
            facts=each.facts,
        )
        for each in action.payments
    )


def _refund(action: act.MoneyBack, ids: Ids, tag: str) -> Payment:
    match action:
        case act.Refund():
            credit: CreditNote | Overpayment = CreditNote(credit_note_id=CreditNoteId(ids(action.credit_note)))
        case act.RefundOverpayment():
            credit = Overpayment(overpayment_id=action.overpayment)
        case _:
            raise TypeError(f"{type(action).__name__} is no refund")
    return documents.refund_document(
        credit=credit,
        account=action.account,
        amount=action.amount,
        on=action.on,
        reference=documents.marked_reference(action.reference, tag),
        settled=action.settled,
        rate=action.rate,
    )


def _transfer(action: act.Transfer, _: Ids, tag: str) -> BankTransfer:
    return banking.transfer_document(
        source=action.source,
        target=action.target,
        amount=action.amount,
        on=action.on,
        reference=documents.marked_reference(action.reference, tag),
    )


def _changed_bill(action: papers.ChangeBill, ids: Ids, _: str) -> Invoice:
    if action.contact is None:
        return action.invoice
    return evolve(action.invoice, contact=Contact(contact_id=ContactId(ids(action.contact))))


def _changed_credit(action: papers.ChangeCredit, ids: Ids, _: str) -> CreditNote:
    if action.contact is None:
        return action.credit_note
    return evolve(action.credit_note, contact=Contact(contact_id=ContactId(ids(action.contact))))


def _changed_spend(action: papers.ChangeSpend, ids: Ids, _: str) -> BankTransaction:
    if action.contact is None:
        return action.transaction
    return evolve(action.transaction, contact=Contact(contact_id=ContactId(ids(action.contact))))


def _attachment(action: papers.Attach, _: Ids, __: str) -> Attachment:
    kept = {"SHA256": action.sha256}
    return Attachment(file_name=action.file_name, content_length=action.size, extra=kept)


def _billable(action: papers.MarkBillable, _: Ids, __: str) -> LinkedTransaction:
    return LinkedTransaction(
        source_transaction_id=action.purchase, source_line_item_id=action.line, contact_id=action.contact
    )


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "new_account",
            "PUT",
            "Accounts",
            "Accounts",
            "AccountID",
            _encoder(act.OpenAccount, lambda action, _ids, _tag: action.account),
            probe_new_accounts,
            batch=1,
            bare=True,
            accepts=("Please enter a unique Code.", "Please enter a unique Name."),
        ),
        Kind(
            "account",
            "POST",
            "Accounts/{target}",
            "Accounts",
            "AccountID",
            _encoder(act.EnablePayments, lambda _action, _ids, _tag: Account(enable_payments_to_account=True)),
            probe_accounts,
            batch=1,
        ),
        Kind(
            "contact",
            "PUT",
            "Contacts?summarizeErrors=false",
            "Contacts",
            "ContactID",
            _encoder(act.CreateContact, lambda action, _ids, _tag: action.contact),
            probe_contacts,
            accepts=("is already assigned to another contact",),
        ),
        Kind(
            "bill",
            "PUT",
            "Invoices?summarizeErrors=false&unitdp=4",
            "Invoices",
            "InvoiceID",
            _encoder(
                act.CreateBill,
                lambda action, ids, tag: documents.marked_bill(action.invoice, ids(action.contact), tag),
            ),
            probe_bills,
        ),
        Kind(
            "credit_note",
            "PUT",
            "CreditNotes?summarizeErrors=false&unitdp=4",
            "CreditNotes",
            "CreditNoteID",
            _encoder(
                act.CreateCreditNote,
                lambda action, ids, tag: documents.marked_credit_note(action.credit_note, ids(action.contact), tag),
            ),
            probe_credit_notes,
        ),
        Kind(
            "sale",
            "PUT",
            "Invoices?summarizeErrors=false&unitdp=4",
            "Invoices",
            "InvoiceID",
            _encoder(
                act.CreateSale,
                lambda action, ids, tag: documents.marked_sale(action.invoice, ids(action.contact), tag),
            ),
            probe_sales,
        ),
        Kind(
            "sale_credit",
            "PUT",
            "CreditNotes?summarizeErrors=false&unitdp=4",
            "CreditNotes",
            "CreditNoteID",
            _encoder(
                act.CreateSaleCredit,
                lambda action, ids, tag: documents.marked_sale(action.credit_note, ids(action.contact), tag),
            ),
            probe_sale_credits,
        ),
        Kind(
            "allocation",
            "PUT",
            "CreditNotes/{target}/Allocations?summarizeErrors=false",
            "Allocations",
            "AllocationID",
            _encoder(
                act.Allocate,
                lambda action, _ids, _tag: documents.allocation_document(
                    invoice=action.invoice, amount=action.amount, on=action.on
                ),
            ),
            probe_allocations,
        ),
        Kind(
            "overpayment_allocation",
            "PUT",
            "Overpayments/{target}/Allocations?summarizeErrors=false",
            "Allocations",
            "AllocationID",
            _encoder(
                papers.AllocateOverpayment,
                lambda action, _ids, _tag: documents.allocation_document(
                    invoice=action.invoice, amount=action.amount, on=action.on
                ),
            ),
            probe_overpayment_allocations,
        ),
        Kind(
            "payment",
            "PUT",
            "Payments?summarizeErrors=false",
            "Payments",
            "PaymentID",
            _encoder(act.Pay, _payment),
            probe_invoice_payments,
        ),
        Kind(
            "batch_payment",
            "PUT",
            "BatchPayments?summarizeErrors=false",
            "BatchPayments",
            "BatchPaymentID",
            _encoder(act.PayBatch, _batch),
            probe_batch_payments,
            batch=1,
        ),
        Kind(
            "refund",
            "PUT",
            "Payments?summarizeErrors=false",
            "Payments",
            "PaymentID",
            _encoder(act.MoneyBack, _refund),
            probe_refunds,
        ),
        Kind(
            "bank_transaction",
            "PUT",
            "BankTransactions?summarizeErrors=false&unitdp=4",
            "BankTransactions",
            "BankTransactionID",
            _encoder(
                act.MoveMoney,
                lambda action, ids, tag: banking.marked_transaction(action.transaction, ids(action.contact), tag),
            ),
            probe_bank_transactions,
        ),
        Kind(
            "transfer",
            "PUT",
            "BankTransfers",
            "BankTransfers",
            "BankTransferID",
            _encoder(act.Transfer, _transfer),
            probe_transfers,
            batch=1,
        ),
        Kind(
            "removal",
            "POST",
            "Payments/{target}",
            "Payments",
            "PaymentID",
            _encoder(act.RemovePayment, lambda _action, _ids, _tag: Payment(status=PaymentStatus.DELETED)),
            probe_removals,
            batch=1,
            bare=True,
            accepts=("",),  # how Xero refuses to remove it twice is not known (F 6.125)
        ),
        Kind(
            "batch_payment_removal",
            "POST",
            "BatchPayments/{target}",
            "BatchPayments",
            "BatchPaymentID",
            _encoder(RemoveBatch, lambda _action, _ids, _tag: BatchPayment(status=PaymentStatus.DELETED)),
            probe_batch_removals,
            batch=1,
            bare=True,
            accepts=("",),  # as of payments
        ),
        Kind(
            "transfer_removal",
            "POST",
            "BankTransfers/{target}",
            "BankTransfers",
            "BankTransferID",
            _encoder(RemoveTransfer, lambda _action, _ids, _tag: BankTransfer(status=PaymentStatus.DELETED)),
            probe_transfer_removals,
            batch=1,
            bare=True,
            accepts=("",),  # as of payments
        ),
        Kind(
            "bank_transaction_removal",
            "POST",
            "BankTransactions/{target}",
            "BankTransactions",
            "BankTransactionID",
            _encoder(
                act.RemoveMoney, lambda _action, _ids, _tag: BankTransaction(status=BankTransactionStatus.DELETED)
            ),
            probe_bank_transaction_removals,
            batch=1,
            accepts=("",),  # as of payments
        ),
        Kind(
            "bill_edit",
            "POST",
            "Invoices?summarizeErrors=false&unitdp=4",
            "Invoices",
            "InvoiceID",
            _encoder(papers.ChangeBill, _changed_bill),
            probe_changed_bills,
        ),
        Kind(
            "sale_edit",
            "POST",
            "Invoices?summarizeErrors=false&unitdp=4",
            "Invoices",
            "InvoiceID",
            _encoder(papers.ChangeSale, _changed_bill),
            probe_changed_bills,
        ),
        Kind(
            "credit_note_edit",
            "POST",
            "CreditNotes?summarizeErrors=false&unitdp=4",
            "CreditNotes",
            "CreditNoteID",
            _encoder(papers.ChangeCredit, _changed_credit),
            probe_changed_credits,
        ),
        Kind(
            "bank_transaction_edit",
            "POST",
            "BankTransactions?summarizeErrors=false&unitdp=4",
            "BankTransactions",
            "BankTransactionID",
            _encoder(papers.ChangeSpend, _changed_spend),
            probe_changed_spends,
        ),
        Kind(
            "bill_voiding",
            "POST",
            "Invoices/{target}",
            "Invoices",
            "InvoiceID",
            _encoder(papers.VoidBill, lambda action, _ids, _tag: Invoice(status=action.status)),
            probe_voided_bills,
            batch=1,
            accepts=("",),  # as of payments
        ),
        Kind(
            "sale_voiding",
            "POST",
            "Invoices/{target}",
            "Invoices",
            "InvoiceID",
            _encoder(papers.VoidSale, lambda action, _ids, _tag: Invoice(status=action.status)),
            probe_voided_bills,
            batch=1,
            accepts=("",),  # as of payments
        ),
        Kind(
            "credit_note_voiding",
            "POST",
            "CreditNotes/{target}",
            "CreditNotes",
            "CreditNoteID",
            _encoder(act.VoidCredit, lambda action, _ids, _tag: CreditNote(status=action.status)),
            probe_voided_credits,
            batch=1,
            accepts=("",),  # as of payments
        ),
        Kind(
            "attachment",
            "PUT",
            "{target}",
            "Attachments",
            "AttachmentID",
            _encoder(papers.Attach, _attachment),
            probe_attachments,
            batch=1,
            from_file=True,
        ),
        Kind(
            "billable_expense_removal",
            "DELETE",
            "LinkedTransactions/{target}",
            "LinkedTransactions",
            "",
            _encoder(papers.UnmarkBillable, lambda _action, _ids, _tag: LinkedTransaction()),
            probe_billable_removals,
            batch=1,
            accepts=("",),  # as of payments
        ),
        Kind(
            "billable_expense",
            "PUT",
            "LinkedTransactions",
            "LinkedTransactions",
            "LinkedTransactionID",
            _encoder(papers.MarkBillable, _billable),
            probe_billable_expenses,
            batch=1,
            bare=True,
            accepts=("",),  # no fact says how Xero refuses a line that is marked
        ),
        Kind(
            "note",
            "PUT",
            "{target}/History",
            "HistoryRecords",
            "",
            _encoder(papers.AddNote, lambda action, _ids, tag: HistoryRecord(details=f"{action.text} ({tag})")),
            probe_notes,
        ),
    )
}


_RANK: Final = {name: place for place, name in enumerate(KINDS)}


def target_of(action: act.Action, ids: Ids) -> str:
    """The id that stands in the path of *action*'s call; empty where there is none."""
    match action:
        case act.EnablePayments():
            return action.account_id
        case act.Allocate() | act.VoidCredit():
            return ids(action.credit_note)
        case papers.AllocateOverpayment():
            return action.overpayment
        case act.RemovePayment():
            return ids(action.payment)
        case act.RemoveMoney():
            return ids(action.transaction)
        case RemoveTransfer() | RemoveBatch() | papers.UnmarkBillable():
            return action.removed
        case papers.VoidBill():
            return action.bill
        case papers.Attach():
            return f"{action.resource}/{action.document}/Attachments/{quote(action.file_name, safe='')}"
        case papers.AddNote():
            return f"{action.collection}/{ids(action.document)}"
        case _:
            return ""
