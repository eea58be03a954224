"""Python reads this at its start, where it stands on the path: who imports httpx gets httpx2 (``nox -s httpx2``)."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class Httpx2Instead(MetaPathFinder):
    """Calls in httpx2 at the first import of httpx and not before, as programs that need neither are under test too."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname.partition(".")[0] not in {"httpx", "httpcore"}:
            return None
        sys.meta_path.remove(self)
        import httpx2  # noqa: PLC0415 - as said above

        httpx2.alias_httpx()
        return importlib.util.find_spec(fullname)


sys.meta_path.insert(0, Httpx2Instead())
