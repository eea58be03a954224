"""
Our marks in Xero that the ledger does not know: the store was restored from an older backup, or lost records (C15).

What was met while reading is kept in the same commit as what was read, since no later read would meet it again. Until
an audit has taken the marks over, nothing is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from xerosync.client._books import Books
from xerosync.engine.states import NEVER_LEFT
from xerosync.errors import LedgerBehind
from xerosync.storage.protocol import Record, RecordKey

OPEN: Final = "open"
"""Nobody knows what it stands for."""
ADOPTED: Final = "adopted"
"""Known to be ours: the plan that meets its operation takes it over."""

_MOST: Final = 1000


async def strays_among(books: Books, marked: Mapping[str, str]) -> list[Record]:
    """The records to keep of those tags in *marked*, each with its document's id, that the ledger does not know."""
    found: list[Record] = []
    for tag, document_id in marked.items():
        intents = await books.storage.query("intent", books.tenant, lookup=("tag", tag), limit=1)
        if any(intent.state not in NEVER_LEFT for intent in intents):
            continue
        stray = stray_record(books, tag, document_id)
        (known,) = await books.storage.get_many([stray.identity])
        if known is None:
            found.append(stray)
    return found


def stray_record(books: Books, tag: str, document_id: str, state: str = OPEN) -> Record:
    """The record of a *tag* on the document *document_id*."""
    return Record("stray", books.tenant, tag, json.dumps({"document": document_id}), state)


def document_of(stray: Record) -> str:
    """The id of the document that a *stray* mark is on."""
    return str(json.loads(stray.body)["document"])


def stray_key(books: Books, tag: str) -> RecordKey:
    """Where the stray *tag* is kept."""
    return RecordKey("stray", books.tenant, tag)


async def open_strays(books: Books) -> list[Record]:
    """The strays that nobody has taken over, up to a thousand."""
    return await books.storage.query("stray", books.tenant, states=[OPEN], limit=_MOST)


async def check_not_behind(books: Books) -> None:
    """Raise `LedgerBehind` while Xero is known to hold documents of ours that the ledger does not know."""
    strays = await open_strays(books)
    if strays:
        raise LedgerBehind(len(strays))
