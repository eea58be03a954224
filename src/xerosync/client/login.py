"""Letting a user in from a notebook or a script: their browser, and a page on this machine (F 1.07, 1.09)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from xerosync.client.authorise import ConsentRequest, code_of
from xerosync.client.consents import OAuth
from xerosync.client.oauth import App, Endpoints, Tokens
from xerosync.errors import ConsentFailed, InvalidInput, Misconfigured, XerosyncError
from xerosync.ports import Clock, Transport

PORT: Final = 8484
"""Where `login` listens unless told: register ``http://localhost:8484/callback`` with the app."""

_FAILED: Final = "The connection was not made."


def login(
    app: App,
    *,
    scopes: Iterable[str],
    port: int = PORT,
    path: str = "/callback",
    timeout_s: float = 300.0,
    open_browser: Callable[[str], object] | None = None,
    transport: Transport | None = None,
    clock: Clock | None = None,
    endpoints: Endpoints | None = None,
) -> Tokens:
    """
    Open the user's browser at Xero, wait on this machine until it comes back, and return the tokens.

    ``http://localhost:{port}{path}`` must be registered with the app, to the letter (F 1.09); *port* 0 takes a free
    one, for the simulator. *open_browser* is given the address to open, `webbrowser.open` unless told. It blocks, for
    *timeout_s* at most, and works inside a running event loop. An answer with another state is not believed, and the
    wait goes on. Raises `ConsentFailed` when the user cancelled or was too late, and `Misconfigured` when the port is
    taken.
    """
    if not path.startswith("/") or not path.isascii() or {"?", "#", " "} & set(path):
        raise InvalidInput("path", "give a path such as /callback")
    if not 0 <= port <= 65535:
        raise InvalidInput("port", "give a port that is registered with the app, or 0 on the simulator")
    if not 0 < timeout_s <= 3600:
        raise InvalidInput("timeout_s", "give seconds, more than 0 and at most 3600")
    oauth = OAuth(app, transport=transport, clock=clock, endpoints=endpoints)
    try:
        request, answer = _consent(
            oauth, scopes, port=port, path=path, timeout_s=timeout_s, open_browser=open_browser or _open
        )
        return oauth.exchange(request, answer=answer)
    finally:
        if transport is None:
            oauth.close()


def _consent(
    oauth: OAuth,
    scopes: Iterable[str],
    *,
    port: int,
    path: str,
    timeout_s: float,
    open_browser: Callable[[str], object],
) -> tuple[ConsentRequest, str]:
    from xerosync.client._loopback import Landing  # noqa: PLC0415 (a web server is seldom needed)

    asked: list[ConsentRequest] = []

    def judge(answer: str) -> str | None:
        try:
            code_of(asked[0], answer)
        except ConsentFailed as failed:
            return None if failed.reason == "state" else _FAILED
        except XerosyncError:
            return _FAILED
        except IndexError:
            return None  # before anybody was sent to Xero
        return "Xero has answered."

    try:
        landing = Landing(port=port, path=path, judge=judge)
    except OSError:
        raise Misconfigured(
            f"port {port} of this machine is taken: end what listens there, or register another"
        ) from None
    with landing:
        request = oauth.authorise_url(redirect_uri=landing.url, scopes=scopes)
        asked.append(request)
        open_browser(request.url)
        answer = landing.wait(timeout_s)
    if answer is None:
        raise ConsentFailed("the browser did not come back from Xero in time: log in again", "timed_out")
    return request, answer


def _open(url: str) -> None:
    import webbrowser  # noqa: PLC0415 (it looks for browsers when imported)

    if not webbrowser.open(url):
        raise Misconfigured("no browser could be opened here: pass open_browser, such as print, and open it by hand")
