"""Apps, consents, tokens and connections: Xero's identity side (F 1.01–1.43)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qs, urlencode

from attrs import evolve, frozen

from xerosync.ports import Request, Response
from xerosync.simulator.entities import instant, milliseconds
from xerosync.simulator.wire import Row, compact_json
from xerosync.simulator.world import AccessToken, App, Code, Connection, RefreshToken, World

DEFAULT_SCOPES: Final = (
    "openid profile email offline_access accounting.contacts accounting.invoices accounting.payments "
    "accounting.settings accounting.attachments accounting.banktransactions accounting.manualjournals "
    "accounting.reports.aged.read accounting.reports.banksummary.read accounting.reports.trialbalance.read"
)
OPEN: Final = "open"
_ACCESS_S: Final = 1800
_REFRESH: Final = timedelta(days=60)
_GRACE: Final = timedelta(minutes=30)
_CODE: Final = timedelta(minutes=5)


@frozen(repr=False)
class SimulatedApp:
    """An app's credentials."""

    client_id: str
    client_secret: str
    name: str = "xerosync"

    def __repr__(self) -> str:
        return f"<SimulatedApp {self.client_id}>"


@frozen(repr=False)
class Tokens:
    """One token set, as the token endpoint answers it (F 1.14); *expires_in* is seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    scope: str
    token_type: str = "Bearer"
    id_token: str = ""

    def __repr__(self) -> str:
        return f"<Tokens good for {self.expires_in} s>"


class _GrantRefused(Exception):
    """The token endpoint says no: `args[0]` is its error (F 1.25–1.30)."""


class Identity:
    """The identity host and the list of connections, over *world*; *open_access* lets anybody in."""

    def __init__(self, world: World, *, open_access: bool) -> None:
        self._world = world
        self.open_access = open_access

    def register(self, name: str, *, tenant: str = "", scopes: str = "", day_limit: int = 5000) -> SimulatedApp:
        """Register an app; with *tenant* as a custom connection of that organisation (F 1.42)."""
        world = self._world
        app = App(world.secret(32).upper(), name, world.secret(48), scopes, tenant, day_limit)
        world.apps.put(app)
        if tenant:
            self._connect(app.id, tenant, world.draw())
        return SimulatedApp(app.id, app.secret, name)

    def app(self, name: str) -> SimulatedApp | None:
        """The app registered under *name*, the first of several."""
        named = (each for each in self._world.apps if each.name == name and not each.tenant)
        return next((SimulatedApp(each.id, each.secret, each.name) for each in named), None)

    def consent(self, app_id: str, tenants: Sequence[str], scopes: str) -> Tokens:
        """Let app *app_id* into *tenants*, as the user does at Xero's consent page."""
        event = self._world.draw()
        for tenant in tenants:
            self._connect(app_id, tenant, event)
        return self._issue(app_id, event, scopes, refreshable=True)

    def disconnect(self, app_ids: Sequence[str], tenant: str) -> None:
        """Take the connections of *app_ids* to *tenant* away."""
        for app_id in app_ids:
            for connection in self._world.connections.by("pair", f"{app_id} {tenant}"):
                self._world.connections.drop(connection.id)

    def answer(self, request: Request, path: str) -> Response | None:
        """The answer of the identity host to *request*; None when *path* is not one of its own."""
        match request.method, path:
            case "POST", "/connect/token":
                return self._token(request)
            case "POST", "/connect/revocation":
                return self._revoke(request)
            case "GET", "/identity/connect/authorize" | "/connect/authorize":
                return self._authorise(request)
            case "GET", "/.well-known/openid-configuration":
                return self._json(_DISCOVERY)
            case _:
                return None

    def token(self, bearer: str) -> AccessToken | None:
        """The access token *bearer* is, expired ones included; None when Xero never gave it."""
        found = self._world.access_tokens.get(_digest(bearer))
        if found is None and self.open_access and bearer:
            self._open_app(OPEN)
            first = next(iter(self._world.books), "")
            found = AccessToken(OPEN, OPEN, OPEN, "*", milliseconds(self._world.now() + _REFRESH), first)
        return found

    def is_expired(self, token: AccessToken) -> bool:
        """Whether *token* has died (F 1.15)."""
        return not self.open_access and token.expires_ms <= self._world.now_ms()

    def connected(self, app_id: str, tenant: str) -> bool:
        """Whether *app_id* may call *tenant*."""
        return self._world.connections.has("pair", f"{app_id} {tenant}")

    def connections(self, app_id: str, event: str = "") -> list[Row]:
        """The connections of *app_id*, of one consent *event* if given (F 1.32–1.36)."""
        return [
            self._connection_row(one)
            for one in self._world.connections
            if one.app == app_id and event in {"", one.auth_event} and one.tenant in self._world.books
        ]

    def _connection_row(self, one: Connection) -> Row:
        return {
            "id": one.id,
            "authEventId": one.auth_event,
            "tenantId": one.tenant,
            "tenantType": "ORGANISATION",
            "tenantName": self._world.books[one.tenant].organisation.name,
            "createdDateUtc": _seven_digits(instant(one.created_ms)),
            "updatedDateUtc": _seven_digits(instant(one.updated_ms)),
        }

    def remove_connection(self, app_id: str, connection_id: str) -> bool:
        """Delete a connection by its own id (F 1.38); False when there is none."""
        found = self._world.connections.get(connection_id.lower())
        if found is None or found.app != app_id:
            return False
        self._world.connections.drop(found.id)
        return True

    def _connect(self, app_id: str, tenant: str, event: str) -> None:
        now = self._world.now_ms()
        known = self._world.connections.by("pair", f"{app_id} {tenant}")
        if known:
            # F 1.35: who was connected before keeps the event of the first consent.
            self._world.connections.put(evolve(known[0], updated_ms=now))
        else:
            self._world.connections.put(Connection(self._world.draw(), app_id, tenant, event, now, now))

    def _issue(self, app_id: str, event: str, scopes: str, *, refreshable: bool, tenant: str = "") -> Tokens:
        world = self._world
        now = world.now()
        self._forget_expired()
        access = self._jwt(app_id, event, scopes)
        expires = milliseconds(now + timedelta(seconds=_ACCESS_S))
        world.access_tokens.put(AccessToken(_digest(access), app_id, event, scopes, expires, tenant))
        refresh = ""
        if refreshable and "offline_access" in scopes.split():
            refresh = world.secret()
            world.refresh_tokens.put(
                RefreshToken(_digest(refresh), app_id, event, scopes, milliseconds(now + _REFRESH))
            )
        return Tokens(access, refresh, _ACCESS_S, scopes, id_token="xero-id-token" if refreshable else "")

    def _forget_expired(self) -> None:
        long_ago = milliseconds(self._world.now() - timedelta(days=1))
        for token in [one for one in self._world.access_tokens if one.expires_ms < long_ago]:
            self._world.access_tokens.drop(token.id)

    def _jwt(self, app_id: str, event: str, scopes: str) -> str:
        now = int(self._world.now().timestamp())
        claims: Row = {
            "nbf": now,
            "exp": now + _ACCESS_S,
            "iss": "https://identity.xero.com",
            "aud": "https://identity.xero.com/resources",
            "client_id": app_id,
            "sub": "5ab1f4a1d7a95b3a9d8d8f0c7c6c1b2a",
            "auth_time": now,
            "xero_userid": "7d3a0f0e-5f0a-4f6e-9d0c-0a7f1d9b2c3e",
            "global_session_id": event.replace("-", ""),
            "authentication_event_id": event,
            "jti": self._world.draw().replace("-", "").upper(),
            "scope": scopes.split(),
        }
        header = {"alg": "RS256", "kid": "simulator", "typ": "JWT"}
        return ".".join(map(_base64, (compact_json(header), compact_json(claims), self._world.secret(64).encode())))

    def _token(self, request: Request) -> Response:
        form = _form(request)
        try:
            app = self._client(request, form)
            match form.get("grant_type", ""):
                case "refresh_token":
                    tokens = self._refreshed(app, form.get("refresh_token", ""))
                case "authorization_code":
                    tokens = self._exchanged(app, form)
                case "client_credentials":
                    tokens = self._own(app, form.get("scope", ""))
                case "":
                    raise _GrantRefused("invalid_request")
                case _:
                    raise _GrantRefused("unsupported_grant_type")
        except _GrantRefused as refusal:
            return self._json({"error": str(refusal)}, 400)
        row: Row = {"id_token": tokens.id_token} if tokens.id_token else {}
        row |= {
            "access_token": tokens.access_token,
            "expires_in": tokens.expires_in,
            "token_type": tokens.token_type,
        }
        if tokens.refresh_token:
            row["refresh_token"] = tokens.refresh_token
        return self._json(row | {"scope": tokens.scope})

    def _client(self, request: Request, form: Mapping[str, str]) -> App:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        header = _header(request, "authorization")
        if header.lower().startswith("basic "):
            try:
                client_id, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            except ValueError:
                raise _GrantRefused("invalid_client") from None
        if not client_id:
            raise _GrantRefused("invalid_request")
        if self.open_access:
            return self._open_app(client_id)
        app = self._world.apps.get(client_id)
        by_code = form.get("grant_type") == "authorization_code" and bool(form.get("code_verifier"))
        public = by_code or form.get("grant_type") == "refresh_token"
        if app is None or (secret and secret != app.secret) or (not secret and not public):
            raise _GrantRefused("invalid_client")
        return app

    def _open_app(self, client_id: str) -> App:
        app = self._world.apps.get(client_id)
        if app is None:
            app = self._world.apps.put(App(client_id, client_id, "", DEFAULT_SCOPES))
        for tenant in self._world.books:
            if not self.connected(client_id, tenant):
                self._connect(client_id, tenant, OPEN)
        return app

    def _refreshed(self, app: App, given: str) -> Tokens:
        world = self._world
        token = world.refresh_tokens.get(_digest(given))
        if token is None and self.open_access and given:
            return self._issue(app.id, OPEN, DEFAULT_SCOPES, refreshable=True)
        now = world.now_ms()
        if token is None or token.app != app.id or token.expires_ms <= now:
            raise _GrantRefused("invalid_grant")
        if token.rotated_ms and now > token.rotated_ms + milliseconds_of(_GRACE):
            raise _GrantRefused("invalid_grant")
        tokens = self._issue(app.id, token.consent, token.scopes, refreshable=True)
        if world.switches.refresh_in_grace == "same" and token.successor:
            world.refresh_tokens.drop(_digest(tokens.refresh_token))
            return evolve(tokens, refresh_token=token.successor)
        successor = tokens.refresh_token if world.switches.refresh_in_grace == "same" else ""
        world.refresh_tokens.put(evolve(token, rotated_ms=token.rotated_ms or now, successor=successor))
        return tokens

    def _exchanged(self, app: App, form: Mapping[str, str]) -> Tokens:
        world = self._world
        code = world.codes.get(_digest(form.get("code", "")))
        if code is None or code.app != app.id or code.expires_ms <= world.now_ms():
            raise _GrantRefused("invalid_grant")
        world.codes.drop(code.id)
        verifier = form.get("code_verifier", "")
        proof = _base64(sha256(verifier.encode()).digest()) if verifier else ""
        if code.redirect != form.get("redirect_uri", "") or code.challenge != proof:
            raise _GrantRefused("invalid_grant")
        return self._issue(app.id, code.consent, code.scopes, refreshable=True)

    def _own(self, app: App, scope: str) -> Tokens:
        scopes = scope or app.scopes or DEFAULT_SCOPES
        tenant = app.tenant
        if not tenant and self.open_access:
            tenant = next(iter(self._world.books), "")
        if not tenant and scopes != "app.connections":
            raise _GrantRefused("unauthorized_client")
        return self._issue(app.id, self._world.draw(), scopes, refreshable=False, tenant=tenant)

    def _revoke(self, request: Request) -> Response:
        form = _form(request)
        try:
            app = self._client(request, form | {"grant_type": "refresh_token"})
        except _GrantRefused as refusal:
            return self._json({"error": str(refusal)}, 400)
        token = self._world.refresh_tokens.get(_digest(form.get("token", "")))
        if token is not None and token.app == app.id:
            for one in self._world.refresh_tokens.by("consent", token.consent):
                self._world.refresh_tokens.drop(one.id)
            for connection in [one for one in self._world.connections if one.app == app.id]:
                self._world.connections.drop(connection.id)
        return Response(200, {"xero-correlation-id": self._world.draw()})

    def _authorise(self, request: Request) -> Response:
        """Consent at once to every organisation, as a user does who ticks them all (F 1.08–1.13)."""
        asked = {name: values[0] for name, values in parse_qs(request.url.partition("?")[2]).items()}
        app = self._world.apps.get(asked.get("client_id", ""))
        if app is None and self.open_access:
            app = self._open_app(asked.get("client_id", ""))
        redirect = asked.get("redirect_uri", "")
        if app is None or asked.get("response_type") != "code" or not redirect or not redirect.isprintable():
            return Response(400, {"content-type": "text/html; charset=utf-8"}, b"Error: unauthorized_client")
        event = self._world.draw()
        for tenant in self._world.books:
            self._connect(app.id, tenant, event)
        code = self._world.secret()
        expires = milliseconds(self._world.now() + _CODE)
        challenge, scope = asked.get("code_challenge", ""), asked.get("scope", DEFAULT_SCOPES)
        self._world.codes.put(Code(_digest(code), app.id, event, scope, redirect, challenge, expires))
        answer = {"code": code, "scope": scope} | ({"state": asked["state"]} if "state" in asked else {})
        mark = "&" if "?" in redirect else "?"
        return Response(302, {"location": f"{redirect}{mark}{urlencode(answer)}"})

    def _json(self, row: Mapping[str, object], status: int = 200) -> Response:
        return Response(
            status,
            {
                "content-type": "application/json; charset=UTF-8",
                "cache-control": "max-age=0, no-cache, no-store",
                "pragma": "no-cache",
                "server": "nginx",
                "vary": "Accept-Encoding",
                "xero-correlation-id": self._world.draw().replace("-", ""),
            },
            compact_json(row),
        )


_DISCOVERY: Final[Row] = {
    "issuer": "https://identity.xero.com",
    "authorization_endpoint": "https://login.xero.com/identity/connect/authorize",
    "token_endpoint": "https://identity.xero.com/connect/token",
    "revocation_endpoint": "https://identity.xero.com/connect/revocation",
    "jwks_uri": "https://identity.xero.com/.well-known/openid-configuration/jwks",
    "response_types_supported": ["code"],
    "code_challenge_methods_supported": ["S256"],
}


def milliseconds_of(span: timedelta) -> int:
    """*span* in whole milliseconds."""
    return span // timedelta(milliseconds=1)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _base64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _form(request: Request) -> dict[str, str]:
    if "json" in _header(request, "content-type"):
        return {}
    try:
        return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    except UnicodeDecodeError:
        return {}


def _header(request: Request, name: str) -> str:
    return next((value for key, value in request.headers.items() if key.lower() == name), "")


def _seven_digits(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0"
