"""A store put back as it was: what a backup of it holds."""

from __future__ import annotations

from tests.conftest import Product

from xerosync import MemoryStore
from xerosync.engine.recovery import MARKS_ON
from xerosync.storage import Record


def backup(product: Product) -> list[Record]:
    """All that matters of the store, as it is now."""
    kinds = (
        "intent",
        "link",
        "connection",
        "cursor",
        "mirror.contact",
        *(f"mirror.{each.name}" for each, _ in MARKS_ON),
    )
    return [record for kind in kinds for record in product.store.query(kind, product.books.tenant_id)]


def restore(product: Product, kept: list[Record]) -> None:
    """The store as it was in the *kept* backup, with the tokens of now."""
    grants = product.store.query("grant", "")
    product.store = MemoryStore()
    product.store.commit([*grants, *kept])
