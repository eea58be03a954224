"""What lines are chosen from: items and tracking categories."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from attrs import frozen

from xerosync.simulator.entities.base import instant


@frozen
class ItemSide:
    """How an item is sold, or how it is bought: *price* before tax; *account* by code, of a tracked item its cost's."""

    price: Decimal | None = None
    account: str = ""
    tax_type: str = ""


@frozen
class Item:
    """
    A product or service. *asset_account* by code only where stock is kept; then *quantity* is on hand, worth *cost* in
    base currency.
    """

    id: str
    code: str
    name: str
    updated_ms: int
    description: str = ""
    purchase_description: str = ""
    sold: ItemSide = ItemSide()
    bought: ItemSide = ItemSide()
    is_sold: bool = True
    is_purchased: bool = True
    asset_account: str = ""
    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    @property
    def is_tracked(self) -> bool:
        """Whether stock is kept of it."""
        return bool(self.asset_account)

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)


@frozen
class TrackingOption:
    """One option of a tracking category."""

    id: str
    name: str
    status: str = "ACTIVE"


@frozen
class TrackingCategory:
    """A tracking category with its options."""

    id: str
    name: str
    status: str = "ACTIVE"
    options: tuple[TrackingOption, ...] = ()
