"""What the HTTP library logs of our calls, without what must not be logged."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_OURS: Final = ContextVar("xerosync_call", default=False)


class _WithoutQuery(logging.Filter):
    """Cuts the query from the address in a line about one of our calls: a filter in it may hold a name."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _OURS.get() and isinstance(record.args, tuple):
            record.args = tuple(
                str(each).partition("?")[0] if type(each).__name__ == "URL" else each for each in record.args
            )
        return True


_WITHOUT_QUERY: Final = _WithoutQuery()


def watch(libraries: Iterable[str]) -> None:
    """Let the loggers of the *libraries* keep queries of our calls to themselves; the host's calls stay as they are."""
    for library in libraries:
        logging.getLogger(library).addFilter(_WITHOUT_QUERY)


@contextmanager
def our_call() -> Generator[None]:
    """What is logged meanwhile, in this thread or task, is about a call of ours."""
    token = _OURS.set(True)
    try:
        yield
    finally:
        _OURS.reset(token)
