"""Apps, consents, tokens and connections: Xero's identity side (F 1.01–1.43)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Literal
from urllib.parse import parse_qs

from attrs import evolve, frozen

from xerosync.errors import InvalidInput
from xerosync.ports import Request, Response
from xerosync.simulator.consent import ConsentPage, connect, digest_of
from xerosync.simulator.entities import instant, milliseconds
from xerosync.simulator.scopes import DEFAULT_SCOPES, GRANULAR_ONLY_SINCE, unassigned
from xerosync.simulator.signing import Signer
from xerosync.simulator.wire import Row, compact_json
from xerosync.simulator.world import OWNER, AccessToken, App, Connection, RefreshToken, World

OPEN: Final = "open"
_ISSUER: Final = "https://identity.xero.com"
_ACCESS_S: Final = 1800
_ID_S: Final = 300
_REFRESH: Final = timedelta(days=60)


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


@frozen(kw_only=True)
class Registration:
    """What an app is registered with; its fields are those of `App`."""

    name: str
    tenant: str = ""
    scopes: str = ""
    day_limit: int = 5000
    kind: Literal["web", "mobile"] = "web"
    redirects: tuple[str, ...] = ()
    broad_scopes: bool | None = None
    is_certified: bool = True
    connections_most: int = 0


@frozen
class Grant:
    """What one consent allows: which app, from which event, for which scopes, on whose behalf."""

    app: str
    event: str
    scopes: str
    user: str = OWNER


class _GrantRefused(Exception):
    """The token endpoint says no: `args[0]` is its error (F 1.25–1.30)."""


class Identity:
    """The identity host and the list of connections, over *world*; *open_access* lets anybody in."""

    def __init__(self, world: World, *, open_access: bool) -> None:
        self._world = world
        self._signer = Signer(world)
        self.page: Final = ConsentPage(world)
        self.open_access = open_access

    def register(self, registration: Registration) -> SimulatedApp:
        """Register an app; with a tenant as a custom connection of that organisation (F 1.42)."""
        world, asked = self._world, registration
        broad = asked.broad_scopes
        app = App(
            id=world.secret(32).upper(),
            name=asked.name,
            secret="" if asked.kind == "mobile" else world.secret(48),
            scopes=asked.scopes,
            tenant=asked.tenant,
            day_limit=asked.day_limit,
            kind="custom" if asked.tenant else asked.kind,
            redirects=asked.redirects,
            broad_scopes=world.now() < GRANULAR_ONLY_SINCE if broad is None else broad,
            is_certified=asked.is_certified,
            connections_most=asked.connections_most,
        )
        world.apps.put(app)
        if asked.tenant:
            connect(world, app.id, asked.tenant, world.draw(), OWNER)
        return SimulatedApp(app.id, app.secret, asked.name)

    def app(self, name: str) -> SimulatedApp | None:
        """The app registered under *name*, the first of several."""
        named = (each for each in self._world.apps if each.name == name and not each.tenant)
        return next((SimulatedApp(each.id, each.secret, each.name) for each in named), None)

    def consent(self, app_id: str, tenants: Sequence[str], scopes: str, user: str = OWNER) -> Tokens:
        """Let app *app_id* into *tenants*, as *user* does at Xero's consent page. Raises `InvalidInput`."""
        app = self._world.apps.get(app_id)
        wrong = unassigned(scopes, broad=app is None or app.broad_scopes)
        if wrong:
            raise InvalidInput("scopes", f"this app cannot ask for {', '.join(wrong)}")
        event = self._world.draw()
        for tenant in tenants:
            connect(self._world, app_id, tenant, event, user)
        return self._issue(Grant(app_id, event, scopes, user), refreshable=True)

    def disconnect(self, app_ids: Sequence[str], tenant: str) -> None:
        """Take the connections of *app_ids* to *tenant* away."""
        for app_id in app_ids:
            for connection in self._world.connections.by("pair", f"{app_id} {tenant}"):
                self._world.connections.drop(connection.id)

    def serves(self, path: str) -> bool:
        """Whether *path* is one of the identity host's own."""
        return path.startswith(("/connect/", "/identity/", "/.well-known/"))

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
            case "GET", "/.well-known/openid-configuration/jwks":
                return self._json(self._signer.public_keys())
            case _, "/connect/token" | "/connect/revocation" | "/identity/connect/authorize" | "/connect/authorize":
                return Response(405, {"xero-correlation-id": self._world.draw()})
            case _:
                return None

    def token(self, bearer: str) -> AccessToken | None:
        """The access token *bearer* is, expired ones included; None when Xero never gave it, or it was revoked."""
        found = self._world.access_tokens.get(digest_of(bearer))
        if found is None and self.open_access and bearer:
            self._open_app(OPEN)
            first = next(iter(self._world.books), "")
            found = AccessToken(OPEN, OPEN, OPEN, "*", milliseconds(self._world.now() + _REFRESH), first)
        return None if found is not None and found.died == "revoked" else found

    def is_expired(self, token: AccessToken) -> bool:
        """Whether *token* has died (F 1.15); under open access, only of a fault."""
        return (not self.open_access or token.died != "") and token.expires_ms <= self._world.now_ms()

    def kill(self, bearer: str, died: Literal["expired", "revoked"]) -> bool:
        """Let the token *bearer* die before its time, for good; False when it is dead, or none."""
        token = self.token(bearer)
        if token is None or self.is_expired(token):
            return False
        now = self._world.now_ms()
        self._world.access_tokens.put(evolve(token, id=digest_of(bearer), expires_ms=now, died=died))
        return True

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

    def _issue(self, grant: Grant, *, refreshable: bool, tenant: str = "") -> Tokens:
        world, scopes = self._world, grant.scopes.split()
        now = world.now()
        self._forget_expired()
        access = self._access_token(grant)
        expires = milliseconds(now + timedelta(seconds=_ACCESS_S))
        world.access_tokens.put(
            AccessToken(digest_of(access), grant.app, grant.event, grant.scopes, expires, tenant, grant.user)
        )
        refresh = ""
        if refreshable and "offline_access" in scopes:
            refresh = world.secret()
            until = milliseconds(now + _REFRESH)
            world.refresh_tokens.put(
                RefreshToken(digest_of(refresh), grant.app, grant.event, grant.scopes, until, user=grant.user)
            )
        id_token = self._id_token(grant, access) if refreshable and "openid" in scopes else ""
        return Tokens(access, refresh, _ACCESS_S, grant.scopes, id_token=id_token)

    def _forget_expired(self) -> None:
        long_ago = milliseconds(self._world.now() - timedelta(days=1))
        for token in [one for one in self._world.access_tokens if one.expires_ms < long_ago]:
            self._world.access_tokens.drop(token.id)

    def _access_token(self, grant: Grant) -> str:
        now = int(self._world.now().timestamp())
        return self._signer.sign(
            {
                "nbf": now,
                "exp": now + _ACCESS_S,
                "iss": _ISSUER,
                "aud": f"{_ISSUER}/resources",
                "client_id": grant.app,
                "sub": _subject(grant.user),
                "auth_time": now,
                "xero_userid": grant.user,
                "global_session_id": grant.event.replace("-", ""),
                "authentication_event_id": grant.event,
                "jti": self._world.draw().replace("-", "").upper(),
                "scope": grant.scopes.split(),
            }
        )

    def _id_token(self, grant: Grant, access: str) -> str:
        """Who the user is (F 1.22); it lives five minutes and says nothing of the event (F 1.15)."""
        now = int(self._world.now().timestamp())
        claims: Row = {
            "nbf": now,
            "exp": now + _ID_S,
            "iss": _ISSUER,
            "aud": grant.app,
            "iat": now,
            "at_hash": _base64(sha256(access.encode()).digest()[:16]),
            "sid": grant.event.replace("-", ""),
            "sub": _subject(grant.user),
            "auth_time": now,
            "xero_userid": grant.user,
            "global_session_id": grant.event.replace("-", ""),
        }
        known = (user for books in self._world.books.values() if (user := books.users.get(grant.user)) is not None)
        user = next(known, None)
        scopes = grant.scopes.split()
        if user is not None and "email" in scopes:
            claims["email"] = user.email
        if user is not None and "profile" in scopes:
            claims |= {
                "preferred_username": user.email,
                "given_name": user.first_name,
                "family_name": user.last_name,
                "name": f"{user.first_name} {user.last_name}",
            }
        return self._signer.sign(claims)

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
        # Only an app without a secret of its own goes without one, PKCE or not (F 1.07).
        if app is None or (app.kind != "mobile" and secret != app.secret) or (app.kind == "mobile" and secret):
            raise _GrantRefused("invalid_client")
        return app

    def _open_app(self, client_id: str) -> App:
        app = self._world.apps.get(client_id)
        if app is None:
            app = self._world.apps.put(App(client_id, client_id, "", DEFAULT_SCOPES))
        for tenant in self._world.books:
            if not self.connected(client_id, tenant):
                connect(self._world, client_id, tenant, OPEN, OWNER)
        return app

    def _refreshed(self, app: App, given: str) -> Tokens:
        world = self._world
        token = world.refresh_tokens.get(digest_of(given))
        if token is None and self.open_access and given:
            return self._issue(Grant(app.id, OPEN, DEFAULT_SCOPES), refreshable=True)
        now = world.now_ms()
        if token is None or token.app != app.id or token.expires_ms <= now:
            raise _GrantRefused("invalid_grant")
        if token.rotated_ms and not _is_in_grace(now - token.rotated_ms, world.switches.refresh_grace_minutes):
            raise _GrantRefused("invalid_grant")
        tokens = self._issue(Grant(app.id, token.consent, token.scopes, token.user), refreshable=True)
        if world.switches.refresh_in_grace == "same" and token.successor:
            world.refresh_tokens.drop(digest_of(tokens.refresh_token))
            return evolve(tokens, refresh_token=token.successor)
        successor = tokens.refresh_token if world.switches.refresh_in_grace == "same" else ""
        world.refresh_tokens.put(evolve(token, rotated_ms=token.rotated_ms or now, successor=successor))
        return tokens

    def _exchanged(self, app: App, form: Mapping[str, str]) -> Tokens:
        world = self._world
        code = world.codes.get(digest_of(form.get("code", "")))
        if code is None or code.app != app.id or code.expires_ms <= world.now_ms():
            raise _GrantRefused("invalid_grant")
        world.codes.drop(code.id)
        verifier = form.get("code_verifier", "")
        if verifier and not 43 <= len(verifier) <= 128:
            raise _GrantRefused("invalid_grant")
        proof = _base64(sha256(verifier.encode()).digest()) if verifier else ""
        if code.redirect != form.get("redirect_uri", "") or code.challenge != proof:
            raise _GrantRefused("invalid_grant")
        return self._issue(Grant(app.id, code.consent, code.scopes, code.user), refreshable=True)

    def _own(self, app: App, scope: str) -> Tokens:
        scopes = scope or app.scopes or DEFAULT_SCOPES
        tenant = app.tenant
        if not tenant and self.open_access:
            tenant = next(iter(self._world.books), "")
        if not tenant and scopes != "app.connections":
            raise _GrantRefused("unauthorized_client")
        if unassigned(scopes, broad=app.broad_scopes):
            raise _GrantRefused("invalid_scope")
        return self._issue(Grant(app.id, self._world.draw(), scopes), refreshable=False, tenant=tenant)

    def _revoke(self, request: Request) -> Response:
        form = _form(request)
        try:
            app = self._client(request, form | {"grant_type": "refresh_token"})
        except _GrantRefused as refusal:
            return self._json({"error": str(refusal)}, 400)
        token = self._world.refresh_tokens.get(digest_of(form.get("token", "")))
        if token is not None and token.app == app.id:
            for one in self._world.refresh_tokens.by("consent", token.consent):
                self._world.refresh_tokens.drop(one.id)
            mine = [one for one in self._world.connections if one.app == app.id and one.user == token.user]
            for connection in mine:
                self._world.connections.drop(connection.id)
        return Response(200, {"xero-correlation-id": self._world.draw()})

    def _authorise(self, request: Request) -> Response:
        asked = parse_qs(request.url.partition("?")[2]).get("client_id", [""])[0]
        app = self._world.apps.get(asked)
        return self.page.answer(request, self._open_app(asked) if app is None and self.open_access and asked else app)

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


def _subject(user: str) -> str:
    return sha256(user.encode()).hexdigest()[:32]


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


def _is_in_grace(age_ms: int, minutes: int) -> bool:
    return minutes > 0 and age_ms <= milliseconds_of(timedelta(minutes=minutes))
