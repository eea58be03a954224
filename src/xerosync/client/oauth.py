"""The connection to Xero: the app, the tokens of one consent, and how they are asked for, refreshed and revoked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, cast

from attrs import field, frozen

from xerosync.client._wire.addresses import check_private
from xerosync.client._wire.codec import Json, parse
from xerosync.client.id_token import IdToken
from xerosync.errors import (
    ConsentFailed,
    InvalidInput,
    Misconfigured,
    ReconnectNeeded,
    Unavailable,
    UnreadableAnswer,
    XerosyncError,
)
from xerosync.ports import Request, Response
from xerosync.secret import Secret, secret_or_none

GrantType = Literal["authorization_code", "client_credentials"]

FORM: Final = "application/x-www-form-urlencoded"
_LONGEST_LIFE_S: Final = 366 * 24 * 3600
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, section 3.3
_ERROR_CODE: Final = re.compile(r"[a-z_]{1,40}")


@frozen(repr=False)
class Endpoints:
    """
    Where Xero is. Other hosts than Xero's own are for a simulator only.

    Raises `InvalidInput` for a place that is not https, nor this machine itself: tokens go there.
    """

    api: str = "https://api.xero.com"
    identity: str = "https://identity.xero.com"
    login: str = "https://login.xero.com"

    def __attrs_post_init__(self) -> None:
        for url in (self.api, self.identity, self.login):
            check_private(url)

    @classmethod
    def at(cls, url: str) -> Endpoints:
        """A simulator that serves everything at *url*."""
        return cls(url.rstrip("/"), url.rstrip("/"), url.rstrip("/"))


@frozen(repr=False)
class App:
    """
    Your app as registered at developer.xero.com. A "mobile or desktop app" has no secret (F 1.07).

    Raises `InvalidInput` for an empty client id or secret.
    """

    client_id: str
    client_secret: Secret | None = field(default=None, converter=secret_or_none)

    def __attrs_post_init__(self) -> None:
        if not isinstance(cast(object, self.client_id), str):
            raise InvalidInput("client_id", "give the client id that developer.xero.com shows, a text")
        # A colon would end the name in HTTP Basic, and be read as the beginning of the secret.
        if not self.client_id.isascii() or not self.client_id.isprintable() or not self.client_id.strip(" "):
            raise InvalidInput("client_id", "give the client id that developer.xero.com shows")
        if ":" in self.client_id:
            raise InvalidInput("client_id", "give the client id that developer.xero.com shows; it holds no colon")
        if self.client_secret is not None and not self.client_secret.reveal().strip():
            raise InvalidInput("client_secret", "give the secret, or None for an app that has none")

    def __repr__(self) -> str:
        return f"<App {self.client_id}>"


@frozen(repr=False)
class Tokens:
    """
    The token set of one consent; it serves every organisation the user chose then (F 1.20).

    The access token ends at *expires_at*. Without *refresh_token* the user must connect again then, but for a custom
    connection (*grant_type* ``client_credentials``), which simply asks for another (F 1.42). *id_token* says who signed
    in, if ``openid`` was among the scopes; it is verified and is not stored.
    """

    access_token: Secret = field(converter=Secret)
    refresh_token: Secret | None = field(converter=secret_or_none)
    expires_at: datetime
    scopes: tuple[str, ...] = ()
    grant_type: GrantType = "authorization_code"
    id_token: IdToken | None = None

    def __attrs_post_init__(self) -> None:
        ends = cast(object, self.expires_at)
        if not isinstance(ends, datetime) or ends.utcoffset() is None:
            raise InvalidInput("expires_at", "give an aware datetime, such as datetime.now(UTC) + the token's seconds")

    def to_json(self) -> str:
        """These tokens as text, in plain: for the user's server-side session alone. Who signed in is not in it."""
        return json.dumps(tokens_row(self))

    @classmethod
    def from_json(cls, text: str) -> Tokens:
        """The tokens that `to_json` wrote. Raises `InvalidInput` for any other *text*."""
        try:
            return tokens_of(cast(Json, json.loads(text)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # The cause would show what stands in it.
            raise InvalidInput("text", "give what to_json() wrote") from None

    def __repr__(self) -> str:
        return f"<Tokens until {self.expires_at:%Y-%m-%dT%H:%MZ}>"


def tokens_row(tokens: Tokens) -> Json:
    """*tokens* as they are kept: in plain."""
    return {
        "access_token": tokens.access_token.reveal(),
        "refresh_token": None if tokens.refresh_token is None else tokens.refresh_token.reveal(),
        "expires_at": tokens.expires_at.isoformat(),
        "scopes": tokens.scopes,
        "grant_type": tokens.grant_type,
    }


def tokens_of(row: Json) -> Tokens:
    """The tokens that `tokens_row` has put into *row*. Raises what reading a strange one raises."""
    # Older rows do not say what they came of: a user's consent.
    custom = row.get("grant_type") == "client_credentials"
    kind: GrantType = "client_credentials" if custom else "authorization_code"
    access, refresh, scopes = str(row["access_token"]), row["refresh_token"], row["scopes"]
    if not isinstance(scopes, list) or not isinstance(refresh, str | None):
        raise TypeError
    return Tokens(
        access,
        refresh,
        datetime.fromisoformat(str(row["expires_at"])),
        tuple(map(str, cast(list[object], scopes))),
        kind,
    )


@frozen(repr=False)
class _Credentials:
    """What authlib puts into a request, read by it under these names."""

    client_id: str
    client_secret: str


class _Sign(Protocol):
    """How authlib puts the client's credentials into a request; its own types do not say."""

    def __call__(
        self, client: _Credentials, method: str, uri: str, headers: dict[str, str], body: str, /
    ) -> tuple[str, dict[str, str], str]: ...


def refresh_request(app: App, refresh_token: Secret, endpoints: Endpoints) -> Request:
    """The request that exchanges *refresh_token* for the next token set (F 1.05, 1.17)."""
    return _token_request(app, endpoints, "refresh_token", refresh_token=refresh_token.reveal())


def code_request(app: App, code: str, endpoints: Endpoints, *, redirect_uri: str, code_verifier: Secret) -> Request:
    """The request that exchanges the *code* of a consent for its token set (F 1.07, 1.10)."""
    return _token_request(
        app, endpoints, "authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=code_verifier.reveal()
    )


def client_credentials_request(app: App, scopes: Iterable[str], endpoints: Endpoints) -> Request:
    """The request for a custom connection's token (F 1.42). Raises `InvalidInput` for an app without a secret."""
    if app.client_secret is None:
        raise InvalidInput("client_secret", "a custom connection needs the app's secret")
    return _token_request(app, endpoints, "client_credentials", scope=" ".join(checked_scopes(scopes)))


def revocation_request(app: App, refresh_token: Secret, endpoints: Endpoints) -> Request:
    """The request that ends the whole consent (F 1.02)."""
    # authlib's own form for it (RFC 7009) also sends token_type_hint, of which Xero says nothing.
    from authlib.common.urls import url_encode  # noqa: PLC0415

    return _signed(app, f"{endpoints.identity}/connect/revocation", url_encode([("token", refresh_token.reveal())]))


def tokens_from(response: Response, now: datetime, *, grant_type: GrantType = "authorization_code") -> Tokens:
    """
    The token set in the token endpoint's *response*; without scopes where it names none: those asked for, then.

    Raises `ReconnectNeeded` on ``invalid_grant``, `Misconfigured` on any other refusal (F 1.25–1.31), `Unavailable`
    when the endpoint failed.
    """
    # What was said stands in no frame of this error.
    tokens = _tokens_in(said_by_token_endpoint(response), now, grant_type)
    if tokens is None:
        raise Unavailable("the token endpoint's answer held no access token")
    return tokens


def _tokens_in(said: Json, now: datetime, grant_type: GrantType) -> Tokens | None:
    """The token set that was *said*, None where there is none."""
    access, refresh, seconds = said.get("access_token"), said.get("refresh_token"), said.get("expires_in")
    scopes = said.get("scope")
    if not isinstance(access, str) or not access or type(seconds) is not int or not 0 < seconds < _LONGEST_LIFE_S:
        return None
    return Tokens(
        access,
        refresh if isinstance(refresh, str) and refresh else None,
        now + timedelta(seconds=seconds),
        tuple(scopes.split()) if isinstance(scopes, str) else (),
        grant_type,
    )


def said_by_token_endpoint(response: Response) -> Json:
    """The fields of the token endpoint's answer. Raises as `tokens_from` does."""
    if response.status != 200:
        raise token_refusal(response)
    return _said(response)


def token_refusal(response: Response) -> XerosyncError:
    """The error that the token endpoint's *response* other than 200 stands for (F 1.25–1.31)."""
    if response.status not in {400, 401}:
        return Unavailable(f"Xero's token endpoint answered {response.status}")
    reason = error_code(_said(response).get("error"))
    if reason == "invalid_grant":
        return ReconnectNeeded("the consent has ended (invalid_grant): ask the user to connect to Xero again")
    return Misconfigured(f"Xero's token endpoint refused the app ({reason}): {_REMEDY.get(reason, _CHECK_ALL)}")


def code_refusal(refusal: XerosyncError) -> XerosyncError:
    """What *refusal* means of a code: one that has ended, not a consent that has (F 1.10, 1.25)."""
    if not isinstance(refusal, ReconnectNeeded):
        return refusal
    return ConsentFailed(
        "Xero did not take the code (invalid_grant): it serves once, within five minutes, with the redirect URI and "
        "verifier it was asked for with. Send the user to Xero again.",
        "code_ended",
    )


def error_code(value: object) -> str:
    """*value* as an OAuth error code; what is none is not repeated, since it may hold anything."""
    return value if isinstance(value, str) and _ERROR_CODE.fullmatch(value) else "no reason"


def checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """*scopes*, each once, in order. Raises `InvalidInput` when there are none, or one cannot be a scope."""
    if isinstance(scopes, str):
        raise InvalidInput("scopes", 'give them one by one, such as ["openid", "accounting.contacts"]')
    wanted = tuple(dict.fromkeys(scopes))
    if not wanted or not all(_SCOPE.fullmatch(scope) for scope in wanted):
        raise InvalidInput("scopes", "give at least one, such as scopes_for() computes them; each is a word")
    return wanted


_CHECK_ALL: Final = "check client id, secret and grant type"
_REMEDY: Final = {
    "invalid_client": "check client id and secret",
    "unauthorized_client": "this kind of app may not use this grant, or not with these scopes",
    "invalid_scope": "the app may not ask for one of these scopes; one made since 2 March 2026 has granular ones only",
}


def _said(response: Response) -> Json:
    try:
        body = parse(response.body, where="connect/token")
    except UnreadableAnswer:
        # What was seen is not repeated: this endpoint's answers hold tokens.
        raise Unavailable("the token endpoint's answer cannot be read") from None
    return cast(Json, body) if isinstance(body, dict) else {}


def _token_request(app: App, endpoints: Endpoints, grant: str, **fields: str) -> Request:
    # authlib costs 60 ms to import and is needed once in half an hour.
    from authlib.oauth2.rfc6749.parameters import prepare_token_request  # noqa: PLC0415

    return _signed(app, f"{endpoints.identity}/connect/token", prepare_token_request(grant, "", **fields))


def _signed(app: App, url: str, body: str) -> Request:
    from authlib.oauth2 import auth  # noqa: PLC0415

    headers = {"Content-Type": FORM, "Accept": "application/json"}
    name = "encode_client_secret_basic" if app.client_secret else "encode_none"
    sign = cast(_Sign, getattr(auth, name))
    credentials = _Credentials(app.client_id, app.client_secret.reveal() if app.client_secret else "")
    url, headers, body = sign(credentials, "POST", url, headers, body)
    return Request("POST", url, headers, body.encode())
