"""Purchase orders and quotes, by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from xerosync.errors import InvalidInput
from xerosync.simulator.bookkeeper.reading import Reading
from xerosync.simulator.entities import PurchaseOrder, Quote
from xerosync.simulator.given import Given, Json
from xerosync.simulator.rules import orders


class OrderWork(Reading):
    """Ordering from suppliers and quoting to customers; neither stands in the ledger."""

    @property
    def purchase_orders(self) -> tuple[PurchaseOrder, ...]:
        """All purchase orders, of every status."""
        return tuple(self._books.purchase_orders)

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """All quotes, of every status."""
        return tuple(self._books.quotes)

    def add_purchase_order(
        self,
        contact_id: str,
        *,
        number: str = "",
        date: date | None = None,
        amount: Decimal | None = None,
        lines: Sequence[Mapping[str, Json]] | None = None,
        status: str = "AUTHORISED",
        **others: Json,
    ) -> PurchaseOrder:
        """Order for *amount* in all, or by *lines* in Xero's names. Numbered by Xero unless *number* is given."""
        fields = self._offer_fields(contact_id, date=date, amount=amount, lines=lines, status=status)
        wish = orders.Wish(self._books, Given(fields | {"PurchaseOrderNumber": number} | others), "")
        return self._do(lambda: orders.create_order(wish))

    def add_quote(
        self,
        contact_id: str,
        *,
        number: str = "",
        date: date | None = None,
        expires: date | None = None,
        amount: Decimal | None = None,
        lines: Sequence[Mapping[str, Json]] | None = None,
        status: str = "DRAFT",
        **others: Json,
    ) -> Quote:
        """Quote *amount* in all, or *lines* in Xero's names. Numbered by Xero unless *number* is given."""
        fields = self._offer_fields(contact_id, date=date, amount=amount, lines=lines, status=status)
        fields |= {"QuoteNumber": number, "ExpiryDate": expires.isoformat() if expires is not None else ""}
        wish = orders.Wish(self._books, Given(fields | others), "")
        return self._do(lambda: orders.create_quote(wish))

    def _offer_fields(
        self,
        contact_id: str,
        *,
        date: date | None,
        amount: Decimal | None,
        lines: Sequence[Mapping[str, Json]] | None,
        status: str,
    ) -> dict[str, Json]:
        if lines is None and amount is None:
            raise InvalidInput("amount", "give an amount or lines")
        one: list[Json] = [{"Description": "Goods and services", "Quantity": 1, "UnitAmount": amount}]
        return {
            "Contact": {"ContactID": contact_id},
            "Date": (date or self.today).isoformat(),
            "Status": status,
            "LineAmountTypes": "Exclusive" if lines is not None else "Inclusive",
            "LineItems": one if lines is None else [dict(line) for line in lines],
        }
