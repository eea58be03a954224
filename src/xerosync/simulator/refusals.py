"""How Xero says no, in its own words: of one element, or of a whole request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Invalid(Exception):
    """
    One element cannot be taken: *messages* are Xero's own words for it (F 5.40).

    What is wrong with something inside the element is *nested*: by the member's name and its place in a list, -1 for a
    member that is one object (F 5.41).
    """

    def __init__(self, *messages: str, nested: Mapping[tuple[str, int], tuple[str, ...]] | None = None) -> None:
        super().__init__(*messages)
        self.messages: tuple[str, ...] = messages
        self.nested: Mapping[tuple[str, int], tuple[str, ...]] = nested or {}

    @property
    def every_message(self) -> tuple[str, ...]:
        """All messages, nested ones too, each once."""
        return tuple(dict.fromkeys((*self.messages, *(text for texts in self.nested.values() for text in texts))))


class Refused(Exception):
    """The whole request is refused with 400, an ErrorNumber and a message, without elements (F 5.43)."""

    number: int = 17
    type: str = "PostDataInvalidException"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnreadableBody(Refused):
    """The body is no JSON or XML (A.07)."""

    number = 14


class UnreadableQuery(Refused):
    """A filter or an order that Xero cannot read (F 4.49)."""

    number = 16
    type = "QueryParseException"


class NotThere(Exception):
    """Nothing is known by this id or at this path (F 5.44)."""


class NotServed(NotThere):
    """Xero has this path, and this simulator has not (F 2.16)."""


class WrongVerb(Exception):
    """The path is known, and this verb is not among its own (F 5.47)."""


class Denied(Exception):
    """The gateway lets the call not through: *status* 401 or 403 and its *detail* (F 1.50)."""

    def __init__(self, status: int, detail: str, *, scope: bool = False, counters: Sequence[str] = ()) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.scope = scope
        self.counters: tuple[str, ...] = tuple(counters)
