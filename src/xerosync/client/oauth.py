"""The connection to Xero: the app, the tokens of one consent, and how they are asked for and refreshed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Protocol, cast
from urllib.parse import urlsplit

from attrs import field, frozen

from xerosync.client._wire.codec import Json, parse
from xerosync.errors import InvalidInput, Misconfigured, ReconnectNeeded, Unavailable, UnreadableAnswer, XerosyncError
from xerosync.ports import Request, Response

_THIS_MACHINE: Final = frozenset({"127.0.0.1", "localhost", "::1"})
FORM: Final = "application/x-www-form-urlencoded"


@frozen(repr=False)
class Endpoints:
    """Where Xero is. Other hosts than Xero's own are for a simulator only."""

    api: str = "https://api.xero.com"
    identity: str = "https://identity.xero.com"

    @classmethod
    def at(cls, url: str) -> Endpoints:
        """A simulator that serves everything at *url*."""
        place = urlsplit(url)
        if place.scheme != "https" and (place.scheme != "http" or place.hostname not in _THIS_MACHINE):
            raise InvalidInput("url", "give an https address, or http on this machine itself")
        return cls(url.rstrip("/"), url.rstrip("/"))


@frozen(repr=False)
class App:
    """Your app as registered at developer.xero.com."""

    client_id: str
    client_secret: str | None = field(default=None)

    def __repr__(self) -> str:
        return f"<App {self.client_id}>"


@frozen(repr=False)
class Tokens:
    """
    The token set of one consent; it serves every organisation the user chose then (F 1.20).

    The access token ends at *expires_at*; without *refresh_token* the user must connect again then.
    """

    access_token: str
    refresh_token: str | None
    expires_at: datetime
    scopes: tuple[str, ...] = ()


class _Sign(Protocol):
    """How authlib puts the client's credentials into a request; its own types do not say."""

    def __call__(
        self, client: App, method: str, uri: str, headers: dict[str, str], body: str, /
    ) -> tuple[str, dict[str, str], str]: ...


def refresh_request(app: App, refresh_token: str, endpoints: Endpoints) -> Request:
    """The request that exchanges *refresh_token* for the next token set (F 1.05, 1.17)."""
    return _token_request(app, endpoints, "refresh_token", refresh_token=refresh_token)


def tokens_from(response: Response, now: datetime) -> Tokens:
    """
    The token set in the token endpoint's *response*.

    Raises `ReconnectNeeded` on ``invalid_grant``, `Misconfigured` on any other refusal (F 1.25–1.31), `Unavailable`
    when the endpoint failed.
    """
    if response.status != 200:
        raise _token_refusal(response)
    said = _said(response)
    access, refresh, seconds = said.get("access_token"), said.get("refresh_token"), said.get("expires_in")
    if not isinstance(access, str) or not isinstance(seconds, int):
        raise Unavailable("the token endpoint's answer held no access token")
    return Tokens(
        access,
        refresh if isinstance(refresh, str) else None,
        now + timedelta(seconds=seconds),
        tuple(str(said.get("scope", "")).split()),
    )


def _token_refusal(response: Response) -> XerosyncError:
    if response.status != 400:
        return Unavailable(f"Xero's token endpoint answered {response.status}")
    reason = str(_said(response).get("error", "no reason"))
    if reason == "invalid_grant":
        return ReconnectNeeded("the consent has ended (invalid_grant): ask the user to connect to Xero again")
    return Misconfigured(f"Xero's token endpoint refused the app ({reason}): check client id, secret and grant type")


def _said(response: Response) -> Json:
    try:
        body = parse(response.body, where="connect/token")
    except UnreadableAnswer as unreadable:
        raise Unavailable(str(unreadable)) from None
    return cast(Json, body) if isinstance(body, dict) else {}


def _token_request(app: App, endpoints: Endpoints, grant: str, **fields: str) -> Request:
    # authlib costs 60 ms to import and is needed once in half an hour.
    from authlib.oauth2 import auth  # noqa: PLC0415
    from authlib.oauth2.rfc6749.parameters import prepare_token_request  # noqa: PLC0415

    url = f"{endpoints.identity}/connect/token"
    body = prepare_token_request(grant, "", None, **fields)
    headers = {"Content-Type": FORM, "Accept": "application/json"}
    name = "encode_client_secret_basic" if app.client_secret else "encode_none"
    sign = cast(_Sign, getattr(auth, name))
    url, headers, body = sign(app, "POST", url, headers, body)
    return Request("POST", url, headers, body.encode())
