"""An encrypted store that another process can open too: keys themselves are never pickled."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from xerosync import KeyRing, SQLiteStore, encrypted
from xerosync.storage.encrypted import EncryptedStore

KEYS: Final = KeyRing("bm90IGEgc2VjcmV0OiBmb3IgdGhlIHRlc3RzIGFsb24=", "dGhlIGtleSBiZWZvcmUgaXQsIGFuZCBubyBzZWNyZXQ=")


def keyed_file(path: Path) -> EncryptedStore:
    """The store in the file at *path*, with the keys of the tests."""
    return encrypted(SQLiteStore(path), KEYS)
