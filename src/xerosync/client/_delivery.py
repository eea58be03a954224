"""Delivering one write of the typed client, and what to say when nobody knows what became of it."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from attrs import frozen

from xerosync.client._books import Books
from xerosync.client._wire.answers import refusal
from xerosync.client._wire.codec import Json
from xerosync.client._wire.verdicts import NOT_APPLIED
from xerosync.errors import OutcomeUnknown
from xerosync.ports import AnswerLost, Response

JSON: Final = "application/json"


@frozen(repr=False)
class Delivery:
    """What came back to a write sent under *key*: a response, or why there is none."""

    key: str
    response: Response | None
    lost: str = ""

    def unknown(self, why: str, *, doing: str) -> OutcomeUnknown:
        """The error that says: *doing* it may have happened."""
        return OutcomeUnknown(f"{why}; it may have been {doing}: read it back before you send it again", self.key)


async def deliver(books: Books, method: str, path: str, body: Json | bytes, *, content_type: str = JSON) -> Delivery:
    """
    Send one write under a key of its own, with the organisation inside (F 3.07), as `Session.change` does.

    Raises what kept Xero from looking at it, and then nothing was written: `Unavailable`, `RateLimited`,
    `NotAuthorised` and its kinds.
    """
    session = await books.session()
    key = f"{books.tenant}-{uuid4()}"
    try:
        response = await session.change(method, path, body, key=key, content_type=content_type)
    except AnswerLost as lost:
        return Delivery(key, None, str(lost))
    if response.status in NOT_APPLIED:
        raise refusal(response)
    return Delivery(key, response)
