"""/Items: products and services (F 6.170)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Item, ItemSide, instant
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value
from xerosync.simulator.refusals import Invalid, NotThere, Refused
from xerosync.simulator.resources.call import Answer, Call, echo, invalid, no_id, only, refused, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import INVOICES, SETTINGS, Route
from xerosync.simulator.rules import items as rules
from xerosync.simulator.wire import Row, bare_stamp, money, quantity, stamp, unit_price

_MOST: Final = 500
_getters: Final[dict[str, Callable[[Item], Value]]] = {
    "itemid": lambda one: Id(one.id),
    "code": lambda one: one.code,
    "name": lambda one: one.name,
    "description": lambda one: one.description or None,
    "issold": lambda one: one.is_sold,
    "ispurchased": lambda one: one.is_purchased,
    "istrackedasinventory": lambda one: one.is_tracked,
    "updateddateutc": lambda one: one.updated.replace(tzinfo=None),
    "salesdetails.unitprice": lambda one: one.sold.price,
    "purchasedetails.unitprice": lambda one: one.bought.price,
}
_LISTING: Final = Listing("Items", Names("Item", _getters), paged=False)


def get_many(call: Call) -> Answer:
    """GET /Items: never paged (F 4.05)."""
    books, places = call.books, call.unit_places
    return listed(
        call,
        _LISTING,
        lambda: books.items,
        shown=lambda one: item_row(books, one, unit_places=places),
        light=lambda one: item_row(books, one, unit_places=places),
    )


def get_one(call: Call, key: str) -> Answer:
    """GET /Items/{ItemID or Code}."""
    return Answer({"Items": [item_row(call.books, _found(call.books, key), unit_places=call.unit_places)]})


def create(call: Call) -> Answer:
    """PUT /Items: creates only; a Code that is taken is refused."""

    def write(given: Given) -> Item:
        code = given.text("Code").strip()
        if rules.of_code(call.books, code) is not None:
            raise Invalid(f"Price List Item with Code '{code}' already exists")
        return rules.create(call.books, given, unit_places=call.unit_places)

    return _write(call, write)


def save(call: Call) -> Answer:
    """POST /Items: creates, or updates the one of the id or the Code."""
    return _write(call, lambda given: rules.save(call.books, given, unit_places=call.unit_places))


def update(call: Call, key: str) -> Answer:
    """POST /Items/{ItemID}."""
    old = _found(call.books, key)
    only(call.given("Items"))
    return _write(call, lambda given: rules.update(call.books, old, given, call.unit_places))


def delete(call: Call, key: str) -> Answer:
    """DELETE /Items/{ItemID}: 204 (F 5.32)."""
    item = _found(call.books, key)
    try:
        rules.delete(call.books, item)
    except Invalid as fault:
        return invalid([refused(item_row(call.books, item), fault)])
    return Answer(None, 204)


def _write(call: Call, write: Callable[[Given], Item]) -> Answer:
    elements = call.given("Items")
    if len(elements) > _MOST:
        raise Refused(f"A request can hold at most {_MOST} items")
    return write_each(
        call,
        "Items",
        elements,
        write=write,
        # A.09: the reply to a write gives its instant without an offset.
        shown=lambda one: (
            item_row(call.books, one, unit_places=call.unit_places)
            | {"UpdatedDateUTC": bare_stamp(instant(one.updated_ms))}
        ),
        failed=lambda given: no_id("ItemID") | echo(given),
    )


def _found(books: Books, key: str) -> Item:
    item = books.items.get(key.lower()) or rules.of_code(books, key)
    if item is None:
        raise NotThere
    return item


def item_row(books: Books, item: Item, *, unit_places: int = 2) -> Row:
    """An item; what is on hand only where stock is kept of it."""
    row: Row = {"ItemID": item.id, "Code": item.code}
    if item.description:
        row["Description"] = item.description
    if item.purchase_description:
        row["PurchaseDescription"] = item.purchase_description
    row["UpdatedDateUTC"] = stamp(item.updated_ms)
    row["PurchaseDetails"] = _side(item.bought, "COGSAccountCode" if item.is_tracked else "AccountCode", unit_places)
    row["SalesDetails"] = _side(item.sold, "AccountCode", unit_places)
    row["Name"] = item.name
    row["IsTrackedAsInventory"] = item.is_tracked
    if item.is_tracked:
        count, cost = rules.stock(books, item)
        row["InventoryAssetAccountCode"] = item.asset_account
        row["TotalCostPool"] = money(cost)
        row["QuantityOnHand"] = quantity(count)
    return row | {"IsSold": item.is_sold, "IsPurchased": item.is_purchased}


def _side(side: ItemSide, account: str, unit_places: int) -> Row:
    row: Row = {"UnitPrice": unit_price(side.price, unit_places)} if side.price is not None else {}
    if side.account:
        row[account] = side.account
    if side.tax_type:
        row["TaxType"] = side.tax_type
    return row


def item_part(books: Books, code: str) -> Row:
    """The item inside a line that names it; nothing once it is gone."""
    item = rules.of_code(books, code)
    return {} if item is None else {"Item": {"ItemID": item.id, "Name": item.name, "Code": item.code}}


ROUTES: Final = (
    # F 1.47: reading goes with invoices too, writing needs the settings.
    Route(("items",), SETTINGS, SETTINGS, plain={"GET": get_many, "PUT": create, "POST": save}, also_read=INVOICES),
    Route(
        ("items", "{}"),
        SETTINGS,
        SETTINGS,
        by_id={"GET": get_one, "POST": update, "DELETE": delete},
        also_read=INVOICES,
    ),
)
