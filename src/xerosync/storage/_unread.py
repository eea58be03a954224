"""What lets a record of a database put off reading what few ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING


class Unread:
    """A record, which may hold its look-ups as they are *written* until somebody asks for them; *read* reads them."""

    __slots__ = ("__weakref__", "read", "written")

    read: Callable[[str], tuple[tuple[str, str], ...]]
    written: str

    if not TYPE_CHECKING:  # a type checker would believe that a record has whatever it is asked for

        def __getattr__(self, name: str) -> object:
            """What a slot does not hold yet: Python asks for nothing else here."""
            if name != "lookups":
                raise AttributeError(f"a record has no {name!r}", name=name, obj=self)
            lookups = self.read(self.written)
            object.__setattr__(self, name, lookups)
            return lookups
