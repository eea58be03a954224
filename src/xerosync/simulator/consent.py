"""Xero's consent page: who asks, what the user answers, and the code the app gets for it (F 1.07–1.13, 1.40)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from html import escape
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from attrs import frozen

from xerosync.ports import Request, Response
from xerosync.simulator.entities import milliseconds
from xerosync.simulator.scopes import DEFAULT_SCOPES, unassigned
from xerosync.simulator.world import OWNER, App, Code, Connection, World

_CODE: Final = timedelta(minutes=5)
_UNCERTIFIED_AN_ORGANISATION: Final = 2
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;color:#1c2733}"
    "h1{font-size:1.4rem}ul{color:#5b6b76}button{font:inherit;padding:.5rem 1.2rem}"
)
_HTML: Final = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "frame-ancestors 'none'",
    "x-frame-options": "DENY",
}


@frozen
class Reply:
    """What the user will answer: *tenants* to tick, all when None; *cancel* to go away; *user* is who answers."""

    tenants: tuple[str, ...] | None = None
    cancel: bool = False
    user: str = OWNER


class ConsentPage:
    """Answers the authorise endpoint over *world*, at once as the next `Reply` says, or as a page to click on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.next_reply: Reply | None = None

    def answer(self, request: Request, app: App | None) -> Response:
        """
        A redirect with a code or an error, or Xero's own error page where the app may not be told (F 1.09).

        With ``prompt=consent`` a page to click on comes first; its buttons come back here with the user's choice.
        """
        target = request.url.partition("?")[2] + ("&" + request.body.decode("ascii", "replace") if request.body else "")
        asked = {name: values[-1] for name, values in parse_qs(target, keep_blank_values=True).items()}
        ticked = parse_qs(target).get("tenant", [])
        fault = self._fault(app, asked)
        if app is None or fault:
            return _page(400, "Sorry, something went wrong", f"<p>Error: {escape(fault)}</p>")
        if asked.get("prompt") == "consent" and "answer" not in asked:
            return self._form(app, asked)
        reply = self._reply(asked, ticked)
        if reply.cancel:
            return _redirect(asked, {"error": "access_denied"})
        tenants = [one for one in (self._open_tenants() if reply.tenants is None else reply.tenants) if one]
        refused = [one for one in tenants if not self._has_room(app, one)]
        if refused:
            return _page(403, "This app cannot be connected", "<p>The limit of connections has been reached.</p>")
        scope = asked.get("scope", "").strip() or DEFAULT_SCOPES
        code = self._world.secret()
        event = self._world.draw()
        for tenant in tenants:
            connect(self._world, app.id, tenant, event, reply.user)
        expires = milliseconds(self._world.now() + _CODE)
        self._world.codes.put(
            Code(
                digest_of(code), app.id, event, scope, asked["redirect_uri"], asked.get("code_challenge", ""), expires,
                reply.user,
            )
        )  # fmt: skip
        return _redirect(asked, {"code": code, "scope": scope})

    def _fault(self, app: App | None, asked: Mapping[str, str]) -> str:
        redirect = asked.get("redirect_uri", "")
        if app is None or not _allowed(app, redirect):
            return "unauthorized_client"
        if asked.get("response_type") != "code":
            return "unsupported_response_type"
        if unassigned(asked.get("scope", ""), broad=app.broad_scopes):
            return "invalid_scope"
        method = asked.get("code_challenge_method", "S256" if asked.get("code_challenge") else "")
        if (app.kind == "mobile" and not asked.get("code_challenge")) or method not in {"", "S256"}:
            return "invalid_request"
        return ""

    def _reply(self, asked: Mapping[str, str], ticked: Sequence[str]) -> Reply:
        if "answer" in asked:
            return Reply(tuple(ticked), cancel=asked["answer"] != "allow")
        reply, self.next_reply = self.next_reply or Reply(), None
        return reply

    def _open_tenants(self) -> list[str]:
        return [tenant for tenant, books in self._world.books.items() if books.organisation.status != "RESET"]

    def _has_room(self, app: App, tenant: str) -> bool:
        """Whether one connection more is allowed: by the app's price tier, and for apps without certificate."""
        if tenant not in self._world.books:
            return False
        if self._world.connections.has("pair", f"{app.id} {tenant}"):
            return True
        mine = sum(one.app == app.id for one in self._world.connections)
        if app.connections_most and mine >= app.connections_most:
            return False
        if app.is_certified:
            return True
        others = (self._world.apps.get(one.app) for one in self._world.connections if one.tenant == tenant)
        return sum(other is not None and not other.is_certified for other in others) < _UNCERTIFIED_AN_ORGANISATION

    def _form(self, app: App, asked: Mapping[str, str]) -> Response:
        boxes = "".join(
            f'<label><input type="checkbox" name="tenant" value="{tenant}" checked> '
            f"{escape(self._world.books[tenant].organisation.name)}</label><br>"
            for tenant in self._open_tenants()
        )
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items()
        )
        scopes = "".join(f"<li>{escape(scope)}</li>" for scope in asked.get("scope", DEFAULT_SCOPES).split())
        return _page(
            200,
            f"{escape(app.name)} wants access to your organisations",
            f'<form method="get"><p>{boxes}</p><ul>{scopes}</ul>{hidden}'
            '<button name="answer" value="allow">Allow access</button> '
            '<button name="answer" value="cancel">Cancel</button></form>',
        )


def connect(world: World, app_id: str, tenant: str, event: str, user: str) -> None:
    """Connect an app to an organisation; one that was connected before keeps its first event (F 1.35)."""
    known = world.connections.by("pair", f"{app_id} {tenant}")
    now = world.now_ms()
    if known:
        old = known[0]
        kept = Connection(old.id, app_id, tenant, old.auth_event, old.created_ms, now, user)
    else:
        kept = Connection(world.draw(), app_id, tenant, event, now, now, user)
    world.connections.put(kept)


def digest_of(secret: str) -> str:
    """What is kept of a *secret*."""
    return sha256(secret.encode()).hexdigest()


def _allowed(app: App, redirect: str) -> bool:
    """Whether the app may be answered at *redirect*: to the letter one it registered, else any that Xero allows."""
    if not redirect or not redirect.isprintable():
        return False
    if app.redirects:
        return redirect in app.redirects
    parts = urlsplit(redirect)
    if parts.scheme == "http":
        return parts.hostname == "localhost"
    return bool(parts.scheme) and (bool(parts.netloc) or app.kind == "mobile")


def _redirect(asked: Mapping[str, str], answer: Mapping[str, str]) -> Response:
    told = dict(answer) | ({"state": asked["state"]} if "state" in asked else {})
    mark = "&" if "?" in asked["redirect_uri"] else "?"
    return Response(302, {"location": f"{asked['redirect_uri']}{mark}{urlencode(told)}"})


def _page(status: int, title: str, body: str) -> Response:
    head = f"<meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
    text = f"<!doctype html><html lang=en>{head}<h1>{title}</h1>{body}</html>"
    return Response(status, _HTML, text.encode())
