"""Purchase orders and quotes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import ClassVar, Final

from attrs import AttrsInstance, define, evolve

from xerosync import filters
from xerosync.client._driver import stepped, stepped_into, stepped_rows
from xerosync.client.changes import Changes
from xerosync.client.resources.base import as_id, as_text, day
from xerosync.client.resources.files import AsyncFiled, AsyncNoted, AsyncPrinted
from xerosync.client.resources.stamped import AsyncStamped
from xerosync.client.resources.writing import AsyncChangeable
from xerosync.filters.expressions import Filter
from xerosync.models import PurchaseOrder, PurchaseOrderStatus, Quote, QuoteStatus


@define(eq=False)
class AsyncPurchaseOrders(
    AsyncChangeable[PurchaseOrder],
    AsyncFiled[PurchaseOrder],
    AsyncNoted[PurchaseOrder],
    AsyncPrinted[PurchaseOrder],
    AsyncStamped[PurchaseOrder],
):
    """Orders to suppliers."""

    collection: ClassVar[str] = "PurchaseOrders"
    model: ClassVar[type[AttrsInstance]] = PurchaseOrder

    def list(
        self,
        *,
        where: Filter[PurchaseOrder] | None = None,
        modified_since: datetime | None = None,
        status: PurchaseOrderStatus | None = None,
        date_from: date | None = None,
        date_to: date | None = None,
    ) -> AsyncIterator[PurchaseOrder]:
        """Purchase orders with their lines, of a status, of days from *date_from* to *date_to*."""
        params = {
            "status": as_text(status or "", "status"),
            "dateFrom": day(date_from, "date_from"),
            "dateTo": day(date_to, "date_to"),
        }
        return self._paged(params, modified_since, where)

    async def get_by_number(self, purchase_order_number: str) -> PurchaseOrder:
        """The one order with this number, in full. Raises `NotFound` when Xero knows none."""
        return await self._get_by_number(purchase_order_number, filters.purchase_order.purchase_order_number, {})

    async def delete(self, document_id: str) -> PurchaseOrder:
        """Delete an order. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": "DELETED"}, "deleted")


@define(eq=False)
class AsyncQuotes(
    AsyncChangeable[Quote], AsyncFiled[Quote], AsyncNoted[Quote], AsyncPrinted[Quote], AsyncStamped[Quote]
):
    """
    Offers to customers.

    Write a quote as you read it, with what is to change: one without its number gets another, and one that does not say
    whether its amounts contain tax is taken as without.
    """

    collection: ClassVar[str] = "Quotes"
    model: ClassVar[type[AttrsInstance]] = Quote
    sized: ClassVar[bool] = False

    def list(
        self,
        *,
        where: Filter[Quote] | None = None,
        modified_since: datetime | None = None,
        status: QuoteStatus | None = None,
        contact_id: str = "",
        date_from: date | None = None,
        date_to: date | None = None,
    ) -> AsyncIterator[Quote]:
        """Quotes with their lines, of a status, of a contact, of days from *date_from* to *date_to*."""
        params = {
            "Status": as_text(status or "", "status"),
            "ContactID": as_id(contact_id, "contact_id") if contact_id else "",
            "DateFrom": day(date_from, "date_from"),
            "DateTo": day(date_to, "date_to"),
        }
        return self._paged(params, modified_since, where)

    async def delete(self, document_id: str) -> Quote:
        """Delete a quote, which is read first to be written whole. Raises `Rejected`, `OutcomeUnknown`."""
        read = await self.get(document_id)
        return await self.update_one(evolve(read, status=QuoteStatus.DELETED))


class PurchaseOrders:
    """Orders to suppliers."""

    def __init__(self, flows: AsyncPurchaseOrders) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncPurchaseOrders.list)
    changes: Final = stepped_into(AsyncPurchaseOrders.changes, Changes[PurchaseOrder])
    get: Final = stepped(AsyncPurchaseOrders.get)
    get_by_number: Final = stepped(AsyncPurchaseOrders.get_by_number)
    create: Final = stepped(AsyncPurchaseOrders.create)
    create_one: Final = stepped(AsyncPurchaseOrders.create_one)
    update: Final = stepped(AsyncPurchaseOrders.update)
    update_one: Final = stepped(AsyncPurchaseOrders.update_one)
    delete: Final = stepped(AsyncPurchaseOrders.delete)
    pdf: Final = stepped(AsyncPurchaseOrders.pdf)
    attachments: Final = stepped(AsyncPurchaseOrders.attachments)
    attach: Final = stepped(AsyncPurchaseOrders.attach)
    download: Final = stepped(AsyncPurchaseOrders.download)
    history: Final = stepped(AsyncPurchaseOrders.history)
    add_note: Final = stepped(AsyncPurchaseOrders.add_note)


class Quotes:
    """
    Offers to customers.

    Write a quote as you read it, with what is to change: one without its number gets another, and one that does not say
    whether its amounts contain tax is taken as without.
    """

    def __init__(self, flows: AsyncQuotes) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncQuotes.list)
    changes: Final = stepped_into(AsyncQuotes.changes, Changes[Quote])
    get: Final = stepped(AsyncQuotes.get)
    create: Final = stepped(AsyncQuotes.create)
    create_one: Final = stepped(AsyncQuotes.create_one)
    update: Final = stepped(AsyncQuotes.update)
    update_one: Final = stepped(AsyncQuotes.update_one)
    delete: Final = stepped(AsyncQuotes.delete)
    pdf: Final = stepped(AsyncQuotes.pdf)
    attachments: Final = stepped(AsyncQuotes.attachments)
    attach: Final = stepped(AsyncQuotes.attach)
    download: Final = stepped(AsyncQuotes.download)
    history: Final = stepped(AsyncQuotes.history)
    add_note: Final = stepped(AsyncQuotes.add_note)
