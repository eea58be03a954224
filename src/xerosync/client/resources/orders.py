"""Purchase orders and quotes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import ClassVar, Final

from attrs import AttrsInstance, define

from xerosync.client._driver import stepped, stepped_rows
from xerosync.client.resources.base import AsyncChangeable, as_id, day
from xerosync.client.resources.files import AsyncFiled
from xerosync.models import PurchaseOrder, PurchaseOrderStatus, Quote, QuoteStatus


@define(eq=False)
class AsyncPurchaseOrders(AsyncChangeable[PurchaseOrder], AsyncFiled[PurchaseOrder]):
    """Orders to suppliers."""

    collection: ClassVar[str] = "PurchaseOrders"
    model: ClassVar[type[AttrsInstance]] = PurchaseOrder

    def list(
        self,
        *,
        modified_since: datetime | None = None,
        status: PurchaseOrderStatus | None = None,
        date_from: date | None = None,
        date_to: date | None = None,
    ) -> AsyncIterator[PurchaseOrder]:
        """Purchase orders with their lines, of a status, of days from *date_from* to *date_to*."""
        params = {"status": status or "", "dateFrom": day(date_from), "dateTo": day(date_to)}
        return self._paged(params, modified_since)

    async def delete(self, document_id: str) -> PurchaseOrder:
        """Delete an order. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": "DELETED"}, "deleted")


@define(eq=False)
class AsyncQuotes(AsyncChangeable[Quote], AsyncFiled[Quote]):
    """Offers to customers."""

    collection: ClassVar[str] = "Quotes"
    model: ClassVar[type[AttrsInstance]] = Quote
    page_size: ClassVar[int] = 100

    def list(
        self,
        *,
        modified_since: datetime | None = None,
        status: QuoteStatus | None = None,
        contact_id: str = "",
        date_from: date | None = None,
        date_to: date | None = None,
    ) -> AsyncIterator[Quote]:
        """Quotes with their lines, of a status, of a contact, of days from *date_from* to *date_to*."""
        contact = as_id(contact_id) if contact_id else ""
        params = {"Status": status or "", "ContactID": contact, "DateFrom": day(date_from), "DateTo": day(date_to)}
        return self._paged(params, modified_since)


class PurchaseOrders:
    """Orders to suppliers."""

    def __init__(self, flows: AsyncPurchaseOrders) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncPurchaseOrders.list)
    get: Final = stepped(AsyncPurchaseOrders.get)
    create: Final = stepped(AsyncPurchaseOrders.create)
    update: Final = stepped(AsyncPurchaseOrders.update)
    history: Final = stepped(AsyncPurchaseOrders.history)
    add_note: Final = stepped(AsyncPurchaseOrders.add_note)
    attachments: Final = stepped(AsyncPurchaseOrders.attachments)
    attach: Final = stepped(AsyncPurchaseOrders.attach)
    download: Final = stepped(AsyncPurchaseOrders.download)
    delete: Final = stepped(AsyncPurchaseOrders.delete)


class Quotes:
    """Offers to customers."""

    def __init__(self, flows: AsyncQuotes) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncQuotes.list)
    get: Final = stepped(AsyncQuotes.get)
    create: Final = stepped(AsyncQuotes.create)
    update: Final = stepped(AsyncQuotes.update)
    history: Final = stepped(AsyncQuotes.history)
    add_note: Final = stepped(AsyncQuotes.add_note)
    attachments: Final = stepped(AsyncQuotes.attachments)
    attach: Final = stepped(AsyncQuotes.attach)
    download: Final = stepped(AsyncQuotes.download)
