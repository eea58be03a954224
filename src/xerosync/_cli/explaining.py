"""``python -m xerosync explain``: an error of ours by its id, one of Xero's by its words."""

from __future__ import annotations

from xerosync.catalogue import explain
from xerosync.errors import InvalidInput
from xerosync.own_errors import own_errors


def explained(what: str) -> str:
    """What the error with the id or the message *what* means. Raises `InvalidInput` when nothing is known of it."""
    own = own_errors().get(what.strip().upper())
    if own is not None:
        return f"{own.id} {own.error}\n{own.cause}\nIn Xero: {own.sent}\nTo do: {own.fix}"
    found = explain(what)
    if found is not None:
        return f"{found.code}\n{found.cause}\nTo do: {found.fix}\nWho: {found.who} · Send again: {found.retry}"
    raise InvalidInput("explain", "give an error's id, such as XS603, or a message of Xero's, in quotes")
