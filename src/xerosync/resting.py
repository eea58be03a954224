"""Python's collector of garbage, at rest while much is made and nothing thrown away."""

from __future__ import annotations

import gc


class Uncollected:
    """
    For as long as many values are made that are no garbage, none is collected: else all would be looked through again
    and again, with whatever else the host holds.
    """

    def __enter__(self) -> None:
        self._pausing = gc.isenabled()
        gc.disable()

    def __exit__(self, kind: object, fault: object, trace: object) -> None:
        if self._pausing:
            gc.enable()
