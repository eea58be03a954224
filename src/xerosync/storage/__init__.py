"""
Where a host keeps what must not be lost: the protocol it may implement, and the stores that come with the library.

`SQLiteStore` is the embedded default, `MemoryStore` serves tests and notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xerosync.storage.adapt import port_for, stepped_storage, threaded_storage
from xerosync.storage.memory import MemoryStore
from xerosync.storage.owner import is_dead, this_process
from xerosync.storage.protocol import AsyncStorage, Event, Fence, Order, Owner, Record, RecordKey, Storage

if TYPE_CHECKING:
    from xerosync.storage.sqlite import SQLiteStore

__all__ = [
    "AsyncStorage",
    "Event",
    "Fence",
    "MemoryStore",
    "Order",
    "Owner",
    "Record",
    "RecordKey",
    "SQLiteStore",
    "Storage",
    "is_dead",
    "port_for",
    "stepped_storage",
    "this_process",
    "threaded_storage",
]


def __getattr__(name: str) -> type[SQLiteStore]:
    # Loading SQLite takes longer than the rest of this room, and a host with its own store never needs it.
    if name == "SQLiteStore":
        from xerosync.storage.sqlite import SQLiteStore  # noqa: PLC0415

        return SQLiteStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
