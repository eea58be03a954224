"""
What each error of the library's own means, by its id: what is so, whether anything was sent, and what to do.

The entries stand in ``own_errors.toml``, which is read when the first is looked up; the page of errors is written from
it. What Xero's messages mean is in `catalogue`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from attrs import frozen


@frozen(kw_only=True)
class OwnError:
    """
    What the error with *id* means: *error* is its class, *area* the heading it stands under, *sent* whether anything
    may have been written in Xero. *cause*, *sent* and *fix* are sentences, with names of the code in backquotes.
    """

    id: str
    area: str
    error: str
    cause: str
    sent: str
    fix: str


@cache
def own_errors() -> dict[str, OwnError]:
    """Every error there is or was, by its id, in the order of the page."""
    tables = tomllib.loads(files("xerosync").joinpath("own_errors.toml").read_text(encoding="utf-8"))
    return {name: OwnError(id=name, **table) for name, table in tables.items()}
