"""A text that shows itself nowhere: in no repr, log, dump of fields, pickle, or traceback with values."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final, NoReturn, cast, final

from xerosync.errors import InvalidInput, SecretKept


@final
class Secret:
    """
    A token, an app's secret, a verifier: whatever must be seen by nobody but Xero.

    `reveal` gives the text, and nothing else does: ``str()`` and formatting show ``<hidden>``, serializers find nothing
    to write, pickling raises `SecretKept`. Two secrets are compared in constant time; a secret never equals a ``str``.
    Where this library takes one, plain text will do. Raises `InvalidInput` for what is no text.
    """

    # Not the text itself: whoever walks over the fields of an object would find it.
    __slots__ = ("_reveal",)
    _reveal: Final[Callable[[], str]]

    def __init__(self, text: str | Secret) -> None:
        known = cast(object, text.reveal() if isinstance(text, Secret) else text)
        if not isinstance(known, str):
            raise InvalidInput("secret", "give it as text")
        self._reveal = lambda: known

    def reveal(self) -> str:
        """The text itself: put it where it is needed, and keep no copy."""
        return self._reveal()

    def __repr__(self) -> str:
        return "<hidden>"

    def __bool__(self) -> bool:
        return bool(self._reveal())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes(self), _bytes(other))

    def __hash__(self) -> int:
        return hash((Secret, self._reveal()))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise SecretKept("a Secret is never pickled: keep tokens in a store, a consent request by its to_json()")

    def __getstate__(self) -> NoReturn:
        self.__reduce_ex__(None)


def secret_or_none(text: str | Secret | None) -> Secret | None:
    """*text* as a `Secret`, if there is one."""
    return None if text is None else Secret(text)


def _bytes(secret: Secret) -> bytes:
    return secret.reveal().encode("utf-8", "surrogatepass")
