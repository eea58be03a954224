"""The models, and which of them are documents of their own."""

from __future__ import annotations

from typing import Final

import attrs
from attrs import AttrsInstance

from xerosync import models

MODELS: Final[tuple[type[AttrsInstance], ...]] = tuple(
    each
    for each in (getattr(models, name) for name in models.__all__)
    if isinstance(each, type) and attrs.has(each) and any(field.name == "extra" for field in attrs.fields(each))
)
DOCUMENTS: Final = tuple(each for each in MODELS if any(field.name == "shape" for field in attrs.fields(each)))
