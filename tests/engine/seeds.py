"""The schedules that every run of the tests plays, and those that once went wrong."""

from __future__ import annotations

from typing import Final

STORED: Final = tuple(range(1000, 1144))
"""Any will do; they are fixed so that a change, not chance, decides whether the tests pass."""

ONCE_WRONG: Final = {
    1000362: "a tag that ended in XS was not read again, so that an older store posted its payment twice",
}
"""Schedules that went wrong, and why; they never shall again."""

CHUNKS: Final = 16
"""The tests they are cut into, so that every core gets some."""
