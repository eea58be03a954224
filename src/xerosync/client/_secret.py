"""A text that works as any other and shows itself nowhere: in no repr, no dump of fields, no traceback with values."""

from __future__ import annotations


class Secret(str):
    """
    A token, secret or verifier. ``repr()``, and so a debugger, a dict of fields or an error reporter, shows none of it.

    ``str()`` and formatting give the text, which is where it is put into a request.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "<hidden>"


def hidden(text: str) -> str:
    """*text* as a `Secret`."""
    return Secret(text)


def hidden_if_any(text: str | None) -> str | None:
    """*text* as a `Secret`, if there is one."""
    return None if text is None else Secret(text)
