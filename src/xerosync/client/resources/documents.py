"""Invoices and bills, credits, and the payments that settle them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Final, TypeVar

from attrs import AttrsInstance, define

from xerosync.client._driver import stepped, stepped_rows
from xerosync.client._wire.outgoing import encode
from xerosync.client.resources.base import AsyncChangeable, AsyncWritable, as_id, joined
from xerosync.client.resources.files import AsyncFiled, AsyncNoted
from xerosync.models import (
    Allocation,
    BatchPayment,
    CreditNote,
    Invoice,
    InvoiceId,
    InvoiceType,
    Overpayment,
    Payment,
    Prepayment,
)

T = TypeVar("T", bound=AttrsInstance)


@define(eq=False)
class AsyncAllocated(AsyncNoted[T]):
    """A resource whose documents are credit that is set against invoices or bills."""

    async def allocate(self, credit_id: str, *, invoice_id: str, amount: Decimal) -> None:
        """
        Set *amount* of a credit, in its currency, against an invoice of the same contact (F 6.97).

        Raises `Rejected`, `OutcomeUnknown`.
        """
        allocation = Allocation(invoice=Invoice(invoice_id=InvoiceId(invoice_id)), amount=amount)
        rows = [encode(allocation, to_write=True)]
        await self._put_below(f"{as_id(credit_id)}/Allocations", "Allocations", rows, "allocated")

    async def remove_allocation(self, credit_id: str, allocation_id: str) -> None:
        """Take an allocation back: both documents are open again (F 6.98). Raises `Rejected`, `OutcomeUnknown`."""
        await self._delete(f"{as_id(credit_id)}/Allocations/{as_id(allocation_id)}")


@define(eq=False)
class AsyncInvoices(AsyncChangeable[Invoice], AsyncFiled[Invoice]):
    """Sales invoices and bills."""

    collection: ClassVar[str] = "Invoices"
    model: ClassVar[type[AttrsInstance]] = Invoice
    fixed: ClassVar[Mapping[str, str]] = {"unitdp": "4"}

    def list(
        self,
        *,
        modified_since: datetime | None = None,
        ids: Sequence[str] = (),
        numbers: Sequence[str] = (),
        contact_ids: Sequence[str] = (),
        statuses: Sequence[str] = (),
        type: InvoiceType | None = None,  # noqa: A002 - Xero's name for it
    ) -> AsyncIterator[Invoice]:
        """Invoices and bills with their lines, in the order of their ids; voided and deleted ones too (F 4.26)."""
        params = {
            "ContactIDs": joined(map(as_id, contact_ids)),
            "Statuses": joined(statuses),
            "InvoiceNumbers": joined(numbers),
        }
        if type is not None:
            # A word nobody knows may hold anything; Xero's own are letters.
            params["where"] = f'Type=="{type.value}"' if type.value.isalpha() else ""
        return self._paged(params, modified_since, ids)

    async def void(self, document_id: str) -> Invoice:
        """
        Void an invoice or bill that is approved and has nothing applied to it (F 6.51).

        Raises `Rejected`, `OutcomeUnknown`.
        """
        return await self._post_one(document_id, {"Status": "VOIDED"}, "voided")

    async def delete(self, document_id: str) -> Invoice:
        """Delete a draft or one that awaits approval (F 6.51). Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": "DELETED"}, "deleted")


@define(eq=False)
class AsyncCreditNotes(AsyncChangeable[CreditNote], AsyncAllocated[CreditNote], AsyncFiled[CreditNote]):
    """Credit notes to customers and from suppliers."""

    collection: ClassVar[str] = "CreditNotes"
    model: ClassVar[type[AttrsInstance]] = CreditNote
    fixed: ClassVar[Mapping[str, str]] = {"unitdp": "4"}

    def list(self, *, modified_since: datetime | None = None) -> AsyncIterator[CreditNote]:
        """Credit notes with lines and allocations, in the order of their ids."""
        return self._paged({}, modified_since)

    async def void(self, document_id: str) -> CreditNote:
        """
        Void a credit note that is approved and has nothing applied to it (F 6.51).

        Raises `Rejected`, `OutcomeUnknown`.
        """
        return await self._post_one(document_id, {"Status": "VOIDED"}, "voided")


@define(eq=False)
class AsyncOverpayments(AsyncAllocated[Overpayment]):
    """Money of a contact beyond what was owed; it is made as a bank transaction."""

    collection: ClassVar[str] = "Overpayments"
    model: ClassVar[type[AttrsInstance]] = Overpayment
    fixed: ClassVar[Mapping[str, str]] = {"unitdp": "4"}

    def list(self, *, modified_since: datetime | None = None) -> AsyncIterator[Overpayment]:
        """Overpayments with their allocations, in the order of their ids."""
        return self._paged({}, modified_since)


@define(eq=False)
class AsyncPrepayments(AsyncAllocated[Prepayment]):
    """Money of a contact ahead of any invoice; it is made as a bank transaction."""

    collection: ClassVar[str] = "Prepayments"
    model: ClassVar[type[AttrsInstance]] = Prepayment
    fixed: ClassVar[Mapping[str, str]] = {"unitdp": "4"}

    def list(self, *, modified_since: datetime | None = None) -> AsyncIterator[Prepayment]:
        """Prepayments with their allocations, in the order of their ids."""
        return self._paged({}, modified_since)


@define(eq=False)
class AsyncPayments(AsyncWritable[Payment], AsyncNoted[Payment]):
    """Payments on invoices, bills and credit notes."""

    collection: ClassVar[str] = "Payments"
    model: ClassVar[type[AttrsInstance]] = Payment

    def list(self, *, modified_since: datetime | None = None) -> AsyncIterator[Payment]:
        """Payments in the order of their ids, removed ones too (F 6.126)."""
        return self._paged({}, modified_since)

    async def remove(self, payment_id: str) -> Payment:
        """
        Remove a payment: its document is open again, the payment stays readable as DELETED (F 6.122).

        Raises `Rejected` with Xero's words, `OutcomeUnknown` when the answer was lost: read it back then.
        """
        return await self._post_one(payment_id, {"Status": "DELETED"}, "removed")


@define(eq=False)
class AsyncBatchPayments(AsyncWritable[BatchPayment], AsyncNoted[BatchPayment]):
    """Payments that move as one sum."""

    collection: ClassVar[str] = "BatchPayments"
    model: ClassVar[type[AttrsInstance]] = BatchPayment

    def list(self, *, modified_since: datetime | None = None) -> AsyncIterator[BatchPayment]:
        """Batch payments, removed ones too, without their payments' details."""
        return self._all({}, modified_since)

    async def remove(self, batch_payment_id: str) -> BatchPayment:
        """Remove a batch with all its payments (F 6.146). Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(batch_payment_id, {"Status": "DELETED"}, "removed")


class Invoices:
    """Sales invoices and bills."""

    def __init__(self, flows: AsyncInvoices) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncInvoices.list)
    get: Final = stepped(AsyncInvoices.get)
    create: Final = stepped(AsyncInvoices.create)
    update: Final = stepped(AsyncInvoices.update)
    history: Final = stepped(AsyncInvoices.history)
    add_note: Final = stepped(AsyncInvoices.add_note)
    attachments: Final = stepped(AsyncInvoices.attachments)
    attach: Final = stepped(AsyncInvoices.attach)
    download: Final = stepped(AsyncInvoices.download)
    void: Final = stepped(AsyncInvoices.void)
    delete: Final = stepped(AsyncInvoices.delete)


class CreditNotes:
    """Credit notes to customers and from suppliers."""

    def __init__(self, flows: AsyncCreditNotes) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncCreditNotes.list)
    get: Final = stepped(AsyncCreditNotes.get)
    create: Final = stepped(AsyncCreditNotes.create)
    update: Final = stepped(AsyncCreditNotes.update)
    history: Final = stepped(AsyncCreditNotes.history)
    add_note: Final = stepped(AsyncCreditNotes.add_note)
    attachments: Final = stepped(AsyncCreditNotes.attachments)
    attach: Final = stepped(AsyncCreditNotes.attach)
    download: Final = stepped(AsyncCreditNotes.download)
    void: Final = stepped(AsyncCreditNotes.void)
    allocate: Final = stepped(AsyncCreditNotes.allocate)
    remove_allocation: Final = stepped(AsyncCreditNotes.remove_allocation)


class Overpayments:
    """Money of a contact beyond what was owed; it is made as a bank transaction."""

    def __init__(self, flows: AsyncOverpayments) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncOverpayments.list)
    get: Final = stepped(AsyncOverpayments.get)
    history: Final = stepped(AsyncOverpayments.history)
    add_note: Final = stepped(AsyncOverpayments.add_note)
    allocate: Final = stepped(AsyncOverpayments.allocate)
    remove_allocation: Final = stepped(AsyncOverpayments.remove_allocation)


class Prepayments:
    """Money of a contact ahead of any invoice; it is made as a bank transaction."""

    def __init__(self, flows: AsyncPrepayments) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncPrepayments.list)
    get: Final = stepped(AsyncPrepayments.get)
    history: Final = stepped(AsyncPrepayments.history)
    add_note: Final = stepped(AsyncPrepayments.add_note)
    allocate: Final = stepped(AsyncPrepayments.allocate)
    remove_allocation: Final = stepped(AsyncPrepayments.remove_allocation)


class Payments:
    """Payments on invoices, bills and credit notes."""

    def __init__(self, flows: AsyncPayments) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncPayments.list)
    get: Final = stepped(AsyncPayments.get)
    create: Final = stepped(AsyncPayments.create)
    history: Final = stepped(AsyncPayments.history)
    add_note: Final = stepped(AsyncPayments.add_note)
    remove: Final = stepped(AsyncPayments.remove)


class BatchPayments:
    """Payments that move as one sum."""

    def __init__(self, flows: AsyncBatchPayments) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncBatchPayments.list)
    get: Final = stepped(AsyncBatchPayments.get)
    create: Final = stepped(AsyncBatchPayments.create)
    history: Final = stepped(AsyncBatchPayments.history)
    add_note: Final = stepped(AsyncBatchPayments.add_note)
    remove: Final = stepped(AsyncBatchPayments.remove)
