"""The schedules that every run of the tests plays."""

from __future__ import annotations

from typing import Final

STORED: Final = tuple(range(1000, 1096))
"""Any will do; they are fixed so that a change, not chance, decides whether the tests pass."""

CHUNKS: Final = 16
"""The tests they are cut into, so that every core gets some."""
