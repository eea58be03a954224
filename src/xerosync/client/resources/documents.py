"""Invoices and bills, credits, and the payments that settle them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Final, TypeVar

from attrs import AttrsInstance, define

from xerosync import filters
from xerosync.client._driver import stepped, stepped_into, stepped_rows
from xerosync.client._session import Query
from xerosync.client._wire.outgoing import encode
from xerosync.client.changes import Changes
from xerosync.client.resources.base import as_id, as_text
from xerosync.client.resources.files import AsyncFiled, AsyncNoted, AsyncPrinted
from xerosync.client.resources.parts import crossed, id_parts, number_parts, word_parts
from xerosync.client.resources.stamped import AsyncStamped
from xerosync.client.resources.writing import AsyncChangeable, AsyncWritable
from xerosync.errors import UnreadableAnswer
from xerosync.filters.expressions import Filter
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

    async def allocate(self, credit_id: str, *, invoice_id: str, amount: Decimal) -> Allocation:
        """
        Set *amount* of a credit, in its currency, against an invoice or bill of the same contact (F 6.97).

        Raises `InvalidInput`, `Rejected`, `OutcomeUnknown`.
        """
        invoice = Invoice(invoice_id=InvoiceId(as_id(invoice_id, "invoice_id")))
        row = encode(Allocation(invoice=invoice, amount=amount), to_write=True)
        path = f"{as_id(credit_id, 'credit_id')}/Allocations"
        return await self._put_one_below(Allocation, path, "Allocations", row, "allocated")

    async def delete_allocation(self, credit_id: str, allocation_id: str) -> None:
        """Take an allocation back: both documents are open again (F 6.101). Raises `Rejected`, `OutcomeUnknown`."""
        below = as_id(allocation_id, "allocation_id")
        await self._delete(f"{as_id(credit_id, 'credit_id')}/Allocations/{below}")


@define(eq=False)
class AsyncInvoices(
    AsyncChangeable[Invoice],
    AsyncFiled[Invoice],
    AsyncNoted[Invoice],
    AsyncPrinted[Invoice],
    AsyncStamped[Invoice],
):
    """Sales invoices and bills."""

    collection: ClassVar[str] = "Invoices"
    model: ClassVar[type[AttrsInstance]] = Invoice
    fixed: ClassVar[Mapping[str, str]] = {"unitdp": "4"}
    goes_online: ClassVar[bool] = True

    def list(
        self,
        *,
        where: Filter[Invoice] | None = None,
        modified_since: datetime | None = None,
        ids: Iterable[str] | None = None,
        numbers: Iterable[str] | None = None,
        contact_ids: Iterable[str] | None = None,
        statuses: Iterable[str] | None = None,
        type: InvoiceType | None = None,  # noqa: A002 - Xero's name for it
        search: str = "",
        created_by_this_app: bool = False,
    ) -> AsyncIterator[Invoice]:
        """
        Invoices and bills with their lines, in the order of their ids; voided and deleted ones too (F 4.26).

        *numbers* count in any letter case. Ids and numbers may be many: some forty are asked for at a time (F 4.17). A
        list that is empty chooses nothing; None chooses by something else.
        *search* looks for a text in number and reference.
        """
        params = {
            "searchTerm": as_text(search, "search"),
            "createdByMyApp": "true" if created_by_this_app else "",
        }
        if type is not None:
            of_type = filters.invoice.type == type
            where = of_type if where is None else where & of_type
        parts = crossed(
            [
                id_parts(ids=("IDs", ids), contact_ids=("ContactIDs", contact_ids)),
                word_parts("Statuses", statuses, "statuses"),
            ],
            number_parts("InvoiceNumbers", numbers, filters.invoice.invoice_number),
        )
        return self._paged(params, modified_since, where, parts)

    async def get_by_number(self, invoice_number: str) -> Invoice:
        """
        The one invoice with this number, in full (F 6.80): of bills, whose numbers are not unique, the first.

        Raises `NotFound` when Xero knows none.
        """
        return await self._get_by_number(invoice_number, filters.invoice.invoice_number, {})

    async def email(self, document_id: str) -> None:
        """
        Let Xero send an approved sales invoice to its contact, 1,000 a day at most, none from a demo company (F 6.81).

        Raises `Rejected`, and `OutcomeUnknown` when the answer was lost: it may have been sent.
        """
        await self._sent("POST", f"{self.collection}/{as_id(document_id)}/Email", b"", "sent")

    async def online_url(self, document_id: str) -> str:
        """
        Where the customer may look at a sales invoice, and pay it; a draft is nowhere (F 6.82).

        Whoever knows the address sees the invoice. Raises `Rejected` for what is no approved sales invoice.
        """
        session = await self._books.session()
        path = f"{self.collection}/{as_id(document_id)}/OnlineInvoice"
        rows = (await session.read(Query(path, "OnlineInvoices"))).rows
        url = rows[0].get("OnlineInvoiceUrl") if len(rows) == 1 else None
        if not isinstance(url, str):
            raise UnreadableAnswer("OnlineInvoices", "no address where one is due")
        return url

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
class AsyncCreditNotes(
    AsyncChangeable[CreditNote],
    AsyncAllocated[CreditNote],
    AsyncFiled[CreditNote],
    AsyncPrinted[CreditNote],
    AsyncStamped[CreditNote],
):
    """Credit notes to customers and from suppliers."""

    collection: ClassVar[str] = "CreditNotes"
    model: ClassVar[type[AttrsInstance]] = CreditNote
    fixed: ClassVar[Mapping[str, str]] = {"unitdp": "4"}
    goes_online: ClassVar[bool] = True

    def list(
        self, *, where: Filter[CreditNote] | None = None, modified_since: datetime | None = None
    ) -> AsyncIterator[CreditNote]:
        """Credit notes with lines and allocations, in the order of their ids."""
        return self._paged({}, modified_since, where)

    async def void(self, document_id: str) -> CreditNote:
        """
        Void a credit note that is approved and has nothing applied to it (F 6.51, 6.102).

        Raises `Rejected`, `OutcomeUnknown`.
        """
        return await self._post_one(document_id, {"Status": "VOIDED"}, "voided")

    async def delete(self, document_id: str) -> CreditNote:
        """Delete a draft or one that awaits approval (F 6.95). Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": "DELETED"}, "deleted")


@define(eq=False)
class AsyncOverpayments(AsyncAllocated[Overpayment], AsyncStamped[Overpayment]):
    """Money of a contact beyond what was owed; it is made as a bank transaction."""

    collection: ClassVar[str] = "Overpayments"
    model: ClassVar[type[AttrsInstance]] = Overpayment
    fixed: ClassVar[Mapping[str, str]] = {"unitdp": "4"}

    def list(
        self, *, where: Filter[Overpayment] | None = None, modified_since: datetime | None = None
    ) -> AsyncIterator[Overpayment]:
        """Overpayments with their allocations, in the order of their ids."""
        return self._paged({}, modified_since, where)


@define(eq=False)
class AsyncPrepayments(AsyncAllocated[Prepayment], AsyncStamped[Prepayment]):
    """Money of a contact ahead of any invoice; it is made as a bank transaction."""

    collection: ClassVar[str] = "Prepayments"
    model: ClassVar[type[AttrsInstance]] = Prepayment
    fixed: ClassVar[Mapping[str, str]] = {"unitdp": "4"}

    def list(
        self, *, where: Filter[Prepayment] | None = None, modified_since: datetime | None = None
    ) -> AsyncIterator[Prepayment]:
        """Prepayments with their allocations, in the order of their ids."""
        return self._paged({}, modified_since, where)


@define(eq=False)
class AsyncPayments(AsyncWritable[Payment], AsyncNoted[Payment], AsyncStamped[Payment]):
    """Payments on invoices, bills and credit notes."""

    collection: ClassVar[str] = "Payments"
    model: ClassVar[type[AttrsInstance]] = Payment

    def list(
        self, *, where: Filter[Payment] | None = None, modified_since: datetime | None = None
    ) -> AsyncIterator[Payment]:
        """Payments in the order of their ids, removed ones too (F 6.126)."""
        return self._paged({}, modified_since, where)

    async def delete(self, document_id: str) -> Payment:
        """
        Take a payment back: its document is open again, the payment stays readable as DELETED (F 6.122).

        Raises `Rejected` with Xero's words, `OutcomeUnknown` when the answer was lost: read it back then.
        """
        return await self._post_one(document_id, {"Status": "DELETED"}, "deleted")


@define(eq=False)
class AsyncBatchPayments(AsyncWritable[BatchPayment], AsyncNoted[BatchPayment], AsyncStamped[BatchPayment]):
    """Payments that move as one sum."""

    collection: ClassVar[str] = "BatchPayments"
    model: ClassVar[type[AttrsInstance]] = BatchPayment
    paged: ClassVar[bool] = False

    def list(
        self, *, where: Filter[BatchPayment] | None = None, modified_since: datetime | None = None
    ) -> AsyncIterator[BatchPayment]:
        """Batch payments, removed ones too, without their payments' details."""
        return self._all({}, modified_since, where)

    async def delete(self, document_id: str) -> BatchPayment:
        """Take a batch back with all its payments (F 6.142). Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": "DELETED"}, "deleted")


class Invoices:
    """Sales invoices and bills."""

    def __init__(self, flows: AsyncInvoices) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncInvoices.list)
    changes: Final = stepped_into(AsyncInvoices.changes, Changes[Invoice])
    get: Final = stepped(AsyncInvoices.get)
    get_by_number: Final = stepped(AsyncInvoices.get_by_number)
    create: Final = stepped(AsyncInvoices.create)
    create_one: Final = stepped(AsyncInvoices.create_one)
    update: Final = stepped(AsyncInvoices.update)
    update_one: Final = stepped(AsyncInvoices.update_one)
    email: Final = stepped(AsyncInvoices.email)
    online_url: Final = stepped(AsyncInvoices.online_url)
    void: Final = stepped(AsyncInvoices.void)
    delete: Final = stepped(AsyncInvoices.delete)
    pdf: Final = stepped(AsyncInvoices.pdf)
    attachments: Final = stepped(AsyncInvoices.attachments)
    attach: Final = stepped(AsyncInvoices.attach)
    download: Final = stepped(AsyncInvoices.download)
    history: Final = stepped(AsyncInvoices.history)
    add_note: Final = stepped(AsyncInvoices.add_note)


class CreditNotes:
    """Credit notes to customers and from suppliers."""

    def __init__(self, flows: AsyncCreditNotes) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncCreditNotes.list)
    changes: Final = stepped_into(AsyncCreditNotes.changes, Changes[CreditNote])
    get: Final = stepped(AsyncCreditNotes.get)
    create: Final = stepped(AsyncCreditNotes.create)
    create_one: Final = stepped(AsyncCreditNotes.create_one)
    update: Final = stepped(AsyncCreditNotes.update)
    update_one: Final = stepped(AsyncCreditNotes.update_one)
    void: Final = stepped(AsyncCreditNotes.void)
    delete: Final = stepped(AsyncCreditNotes.delete)
    allocate: Final = stepped(AsyncCreditNotes.allocate)
    delete_allocation: Final = stepped(AsyncCreditNotes.delete_allocation)
    pdf: Final = stepped(AsyncCreditNotes.pdf)
    attachments: Final = stepped(AsyncCreditNotes.attachments)
    attach: Final = stepped(AsyncCreditNotes.attach)
    download: Final = stepped(AsyncCreditNotes.download)
    history: Final = stepped(AsyncCreditNotes.history)
    add_note: Final = stepped(AsyncCreditNotes.add_note)


class Overpayments:
    """Money of a contact beyond what was owed; it is made as a bank transaction."""

    def __init__(self, flows: AsyncOverpayments) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncOverpayments.list)
    changes: Final = stepped_into(AsyncOverpayments.changes, Changes[Overpayment])
    get: Final = stepped(AsyncOverpayments.get)
    allocate: Final = stepped(AsyncOverpayments.allocate)
    delete_allocation: Final = stepped(AsyncOverpayments.delete_allocation)
    history: Final = stepped(AsyncOverpayments.history)
    add_note: Final = stepped(AsyncOverpayments.add_note)


class Prepayments:
    """Money of a contact ahead of any invoice; it is made as a bank transaction."""

    def __init__(self, flows: AsyncPrepayments) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncPrepayments.list)
    changes: Final = stepped_into(AsyncPrepayments.changes, Changes[Prepayment])
    get: Final = stepped(AsyncPrepayments.get)
    allocate: Final = stepped(AsyncPrepayments.allocate)
    delete_allocation: Final = stepped(AsyncPrepayments.delete_allocation)
    history: Final = stepped(AsyncPrepayments.history)
    add_note: Final = stepped(AsyncPrepayments.add_note)


class Payments:
    """Payments on invoices, bills and credit notes."""

    def __init__(self, flows: AsyncPayments) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncPayments.list)
    changes: Final = stepped_into(AsyncPayments.changes, Changes[Payment])
    get: Final = stepped(AsyncPayments.get)
    create: Final = stepped(AsyncPayments.create)
    create_one: Final = stepped(AsyncPayments.create_one)
    delete: Final = stepped(AsyncPayments.delete)
    history: Final = stepped(AsyncPayments.history)
    add_note: Final = stepped(AsyncPayments.add_note)


class BatchPayments:
    """Payments that move as one sum."""

    def __init__(self, flows: AsyncBatchPayments) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncBatchPayments.list)
    changes: Final = stepped_into(AsyncBatchPayments.changes, Changes[BatchPayment])
    get: Final = stepped(AsyncBatchPayments.get)
    create: Final = stepped(AsyncBatchPayments.create)
    create_one: Final = stepped(AsyncBatchPayments.create_one)
    delete: Final = stepped(AsyncBatchPayments.delete)
    history: Final = stepped(AsyncBatchPayments.history)
    add_note: Final = stepped(AsyncBatchPayments.add_note)
