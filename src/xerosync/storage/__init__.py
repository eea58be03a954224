"""
Where a host keeps what must not be lost: the protocol it may implement, and the stores that come with the library.

`SQLiteStore` is the embedded default, `SQLAlchemyStore` and `AsyncSQLAlchemyStore` live in your PostgreSQL (they need
``pip install 'xerosync[postgres]'``), `MemoryStore` serves tests and notebooks.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from xerosync.storage.memory import MemoryStore
from xerosync.storage.protocol import AsyncStorage, Event, Fence, Order, Owner, Record, RecordKey, Storage

if TYPE_CHECKING:
    from xerosync.storage.sql import SQLAlchemyStore
    from xerosync.storage.sql_async import AsyncSQLAlchemyStore
    from xerosync.storage.sqlite import SQLiteStore

__all__ = [
    "AsyncSQLAlchemyStore",
    "AsyncStorage",
    "Event",
    "Fence",
    "MemoryStore",
    "Order",
    "Owner",
    "Record",
    "RecordKey",
    "SQLAlchemyStore",
    "SQLiteStore",
    "Storage",
]


# Loading them takes longer than the rest of this room, and a host with its own store never needs them.
_HOME: Final = {"AsyncSQLAlchemyStore": "sql_async", "SQLAlchemyStore": "sql", "SQLiteStore": "sqlite"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    return value
