"""A webhook subscription, an event, and how one is posted over HTTP."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final, Literal
from urllib.parse import urlsplit

from attrs import frozen

from xerosync.ports import Request, Response

CATEGORIES: Final = ("INVOICE", "CONTACT", "CREDITNOTE", "PREPAYMENT", "OVERPAYMENT")


@frozen(repr=False)
class Subscription:
    """
    The webhook of one app, whose client id is the *id*. *url* is blank where a function of this process receives.

    INACTIVE until validated; DISABLED after 24 hours of failing, of which *notices* tells.
    """

    id: str
    url: str
    key: str
    categories: tuple[str, ...]
    status: Literal["INACTIVE", "ACTIVE", "DISABLED"] = "INACTIVE"
    sequence: int = 0
    failing_since_ms: int = 0
    next_try_ms: int = 0
    notices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Subscription of {self.id}: {self.status}>"


@frozen
class Event:
    """One event that waits to be taken; *type_of* and *status* are those of a credit note."""

    id: str
    app: str
    tenant: str
    category: str
    type: str
    resource_id: str
    at_ms: int
    due_ms: int
    type_of: str = ""
    status: str = ""


def post(request: Request, *, timeout_s: float) -> Response | None:
    """Post *request* over HTTP; None when no answer comes."""
    target = urlsplit(request.url)
    kind = HTTPSConnection if target.scheme == "https" else HTTPConnection
    connection = kind(target.hostname or "", target.port, timeout=timeout_s)
    try:
        path = f"{target.path or '/'}{'?' if target.query else ''}{target.query}"
        connection.request("POST", path, request.body, dict(request.headers))
        answer = connection.getresponse()
        return Response(answer.status, dict(answer.getheaders()), answer.read())
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
