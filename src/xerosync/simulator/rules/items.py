"""Rules of items, and what a line takes over from the one it names (F 6.84, 6.170)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import ZERO, Item, ItemSide
from xerosync.simulator.given import Given, Json
from xerosync.simulator.refusals import Invalid

_LONGEST: Final = {"Code": 30, "Name": 50, "Description": 4000, "PurchaseDescription": 4000}


def save(books: Books, given: Given, *, unit_places: int) -> Item:
    """Create an item, or change the one of the id or the Code that is given. Raises `Invalid`."""
    old = find(books, given)
    return create(books, given, unit_places=unit_places) if old is None else update(books, old, given, unit_places)


def find(books: Books, given: Given) -> Item | None:
    """The item that *given* means, by ItemID or Code; None when it means a new one. Raises `Invalid`."""
    if item_id := given.id("ItemID"):
        found = books.items.get(item_id)
        if found is None:
            raise Invalid("An existing Item with the specified ItemID could not be found")
        return found
    return of_code(books, given.text("Code").strip())


def create(books: Books, given: Given, *, unit_places: int) -> Item:
    """Create an item. Raises `Invalid`."""
    code = given.text("Code").strip()
    if not code:
        raise Invalid("Code must be specified")
    return _put(books, Item(books.draw(), code, "", 0), given, unit_places)


def update(books: Books, old: Item, given: Given, unit_places: int) -> Item:
    """Change what is *given* of *old*. Raises `Invalid`."""
    return _put(books, old, given, unit_places)


def delete(books: Books, item: Item) -> None:
    """Forget *item*; lines keep its code. Raises `Invalid` while stock of it is on hand."""
    if stock(books, item)[0]:
        raise Invalid("The item cannot be deleted as there is stock of it on hand")
    books.items.drop(item.id)


def of_code(books: Books, code: str) -> Item | None:
    """The item of *code*, in any letter case."""
    found = books.items.by("code", code.lower()) if code else []
    return found[0] if found else None


def stock(books: Books, item: Item) -> tuple[Decimal, Decimal]:
    """How many of a tracked *item* are on hand, and what they cost, at the average of what was bought."""
    count, cost = ZERO, ZERO
    if not item.is_tracked:
        return count, cost
    posted = [one for one in books.documents.by("item", item.code.lower()) if one.is_posted]
    for document in sorted(posted, key=lambda one: (one.date, one.updated_ms)):
        comes_in = document.is_sale == document.is_credit
        for line in document.lines:
            if line.item_code.lower() != item.code.lower() or line.quantity is None or line.amount is None:
                continue
            average = cost / count if count else ZERO
            worth = line.amount / document.rate if comes_in and not document.is_sale else line.quantity * average
            count += line.quantity if comes_in else -line.quantity
            cost += worth if comes_in else -worth
    return count, cost.quantize(Decimal("0.01"))


def filled(books: Books, given: Given, *, sale: bool) -> Given:
    """*given* with what its item says where the line itself says nothing (F 6.84). Raises `Invalid`."""
    code = given.text("ItemCode").strip()
    if not code:
        return given
    item = of_code(books, code)
    if item is None:
        raise Invalid(f"The item code '{code}' does not exist")
    side = item.sold if sale else item.bought
    account = item.asset_account if item.is_tracked and not sale else side.account
    defaults: dict[str, Json] = {
        "Description": (item.description if sale else item.purchase_description or item.description) or item.name,
        "TaxType": side.tax_type,
    }
    if not given.id("AccountID"):
        defaults["AccountCode"] = account
    if side.price is not None and given.amount("LineAmount") is None:
        defaults["UnitAmount"] = side.price
    missing = {name: value for name, value in defaults.items() if value and not given.text(name)}
    return Given(dict(given.items()) | missing) if missing else given


def _put(books: Books, old: Item, given: Given, unit_places: int) -> Item:
    kept = {"Code": old.code, "Name": old.name, "Description": old.description}
    kept["PurchaseDescription"] = old.purchase_description
    texts = {name: given.text(name).strip() if given.has(name) else kept[name] for name in _LONGEST}
    for name, longest in _LONGEST.items():
        if len(texts[name]) > longest:
            raise Invalid(f"The {name} field must be {longest} characters or less.")
    code = texts["Code"] or old.code
    taken = of_code(books, code)
    if taken is not None and taken.id != old.id:
        raise Invalid(f"Price List Item with Code '{code}' already exists")
    asset = given.text("InventoryAssetAccountCode").strip() or old.asset_account
    sold = _side(books, old.sold, given.one("SalesDetails"), unit_places)
    bought = _side(books, old.bought, given.one("PurchaseDetails"), unit_places)
    _refuse_half_tracked(books, asset, given)
    is_sold, is_purchased = given.flag("IsSold"), given.flag("IsPurchased")
    changed = evolve(
        old,
        code=code,
        name=texts["Name"] or code,
        description=texts["Description"],
        purchase_description=texts["PurchaseDescription"],
        sold=sold,
        bought=bought,
        is_sold=old.is_sold if is_sold is None else is_sold,
        is_purchased=old.is_purchased if is_purchased is None else is_purchased,
        asset_account=asset,
        updated_ms=books.write_stamp(),
    )
    return books.items.put(changed)


def _side(books: Books, old: ItemSide, given: Given | None, unit_places: int) -> ItemSide:
    if given is None:
        return old
    price = given.amount("UnitPrice")
    code = given.text("AccountCode").strip() or given.text("COGSAccountCode").strip()
    tax_type = given.text("TaxType").strip().upper()
    if code and books.account(code) is None:
        raise Invalid(f"Account code '{code}' is not a valid code for this document.")
    if tax_type and books.tax_rates.get(tax_type) is None:
        raise Invalid(f"The TaxType code '{tax_type}' does not exist or cannot be used for this type of transaction.")
    return ItemSide(
        old.price if price is None else price.quantize(Decimal(1).scaleb(-unit_places), books.switches.rounding),
        code or old.account,
        tax_type or old.tax_type,
    )


def _refuse_half_tracked(books: Books, asset: str, given: Given) -> None:
    bought = given.one("PurchaseDetails")
    cost = bought.text("COGSAccountCode").strip() if bought is not None else ""
    if cost and not asset:
        raise Invalid("A tracked item must have both an InventoryAssetAccountCode and a COGSAccountCode")
    account = books.account(asset) if asset else None
    if asset and (account is None or account.type != "INVENTORY"):
        raise Invalid("The InventoryAssetAccountCode must be an account of type INVENTORY")
