"""How a model's fields are called on the wire."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, get_args, get_type_hints

import attrs
from attrs import AttrsInstance

from xerosync.models.base import OpenEnum, own_id

OURS: Final = frozenset({"extra", "shape"})
"""Fields of a model that Xero knows nothing of."""

TOLD: Final = frozenset({"StatusAttributeString", "HasErrors", "HasValidationErrors", "ValidationErrors", "Warnings"})
"""What Xero says of a document's outcome beside its fields."""

_WORDS: Final = {"id": "ID", "utc": "UTC", "cis": "CIS", "cogs": "COGS"}


def wire_name(field: attrs.Attribute[Any]) -> str:
    """Xero's name of a model's *field*: ``updated_date_utc`` is ``UpdatedDateUTC``."""
    return field.metadata.get("wire") or _spelled(field.name)


def id_name(kind: type) -> str:
    """Xero's name of the id of a *kind*: that of an `Invoice` is ``InvoiceID``."""
    return _spelled(own_id(kind))


def words_of(kind: type[AttrsInstance]) -> dict[str, type[OpenEnum]]:
    """Xero's names of those fields of a *kind* in which one of so many words stands, each with its words."""
    hints = get_type_hints(kind)
    return {
        wire_name(each): word
        for each in attrs.fields(kind)
        for word in get_args(hints[each.name])
        if isinstance(word, type) and issubclass(word, OpenEnum)
    }


@lru_cache(maxsize=4096)
def _spelled(name: str) -> str:
    return "".join(_WORDS.get(word, word.title()) for word in name.split("_"))


def is_told(name: str) -> bool:
    """Whether *name* says what another field or the outcome of the write says already."""
    return name in TOLD or name.endswith(("DateString", "UTCString"))


@lru_cache(maxsize=1024)
def our_name(wire: str) -> str:
    """Our name for Xero's *wire* name, where a model does not tell: ``LineItems`` is ``line_items``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire).lower()
