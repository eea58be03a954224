"""Python's collector of garbage, at rest while much is made and nothing thrown away."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Generator[None]:
    """
    Nothing is collected meanwhile.

    An index of a hundred thousand names is no garbage, and would be looked through again and again, with whatever else
    the host holds.
    """
    pausing = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if pausing:
            gc.enable()
