"""Sending the user to Xero's consent page, and reading what comes back: pure, so that a web app may keep it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from typing import Final, cast
from urllib.parse import parse_qs, urlsplit

from attrs import field, frozen

from xerosync.client._wire.codec import Json
from xerosync.client.id_token import ISSUER
from xerosync.client.oauth import App, Endpoints, checked_scopes, error_code
from xerosync.errors import ConsentFailed, InvalidInput, Misconfigured
from xerosync.secret import Secret, secret_or_none

_NEVER: Final = frozenset({"javascript", "data", "file", "about", "blob", "ftp"})


@frozen(repr=False)
class ConsentRequest:
    """
    One user on the way to Xero: send the browser to *url*, keep the rest until it comes back, for this user alone.

    *state* ties the answer to the browser that left, *code_verifier* (PKCE) the code to this app; both are secret, so
    keep `to_json` in the user's server-side session, and use it once.
    """

    url: str
    state: Secret = field(converter=Secret)
    code_verifier: Secret = field(converter=Secret)
    redirect_uri: str
    scopes: tuple[str, ...]
    nonce: Secret | None = field(default=None, converter=secret_or_none)

    def to_json(self) -> str:
        """This request as text for the user's session."""
        return json.dumps(
            {
                "url": self.url,
                "state": self.state.reveal(),
                "code_verifier": self.code_verifier.reveal(),
                "redirect_uri": self.redirect_uri,
                "scopes": self.scopes,
                "nonce": None if self.nonce is None else self.nonce.reveal(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> ConsentRequest:
        """The request that `to_json` wrote. Raises `InvalidInput` for any other *text*."""
        try:
            kept = cast(Json, json.loads(text))
            texts = [kept[name] for name in ("url", "state", "code_verifier", "redirect_uri")]
            scopes, nonce = kept["scopes"], kept["nonce"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InvalidInput("text", "give what to_json() wrote before the user left for Xero") from None
        url, state, verifier, redirect_uri = (each if isinstance(each, str) else "" for each in texts)
        if not (url and state and verifier and redirect_uri and isinstance(scopes, list)):
            raise InvalidInput("text", "give what to_json() wrote before the user left for Xero")
        if nonce is not None and (not isinstance(nonce, str) or not nonce):
            raise InvalidInput("text", "give what to_json() wrote before the user left for Xero")
        return cls(url, state, verifier, redirect_uri, tuple(map(str, cast(list[object], scopes))), nonce)

    def __repr__(self) -> str:
        return f"<ConsentRequest for {' '.join(self.scopes)}>"


def authorise_url(
    app: App,
    *,
    redirect_uri: str,
    scopes: Iterable[str],
    state: str | Secret | None = None,
    nonce: bool = False,
    one_organisation: bool = False,
    endpoints: Endpoints | None = None,
) -> ConsentRequest:
    """
    Where to send the user's browser, as a whole page (F 1.12), and what to keep until it comes back.

    *redirect_uri* is registered with the app to the letter: https, or http on ``localhost``, which to Xero is not
    127.0.0.1 (F 1.09). PKCE (S256) is always used. Without a *state* of your own a random one is made. With *nonce* the
    id token must repeat one. *one_organisation* lets the user choose one only (F 1.08). Raises `InvalidInput`.
    """
    _check_redirect(app, redirect_uri)
    wanted = checked_scopes(scopes)
    own = secret_or_none(state)
    if own is not None and not _is_hard_to_guess(own.reveal()):
        raise InvalidInput("state", "give 16 characters or more that nobody can guess, or none to have one made")
    request = ConsentRequest(
        url="",
        state=Secret(secrets.token_urlsafe(32)) if own is None else own,
        code_verifier=Secret(secrets.token_urlsafe(48)),
        redirect_uri=redirect_uri,
        scopes=wanted,
        nonce=Secret(secrets.token_urlsafe(24)) if nonce else None,
    )
    return _with_url(request, app, endpoints or Endpoints(), one_organisation=one_organisation)


def code_of(request: ConsentRequest, answer: str) -> str:
    """
    The code in *answer*, the URL (or its query alone) at which the browser came back from *request*.

    Raises `ConsentFailed` when the user cancelled (F 1.11), or when the answer belongs to another request (F 1.13):
    then nothing in it is believed. Raises `Misconfigured` when Xero refused the app.
    """
    answer = answer.partition("#")[0]
    address, mark, query = answer.partition("?")
    is_address = "://" in address or address.startswith("/") or not address
    try:
        said = parse_qs(query if mark and is_address else answer, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        said = {}
    states = said.get("state", [])
    if len(states) != 1 or Secret(states[0]) != request.state:
        raise ConsentFailed(
            "the answer does not belong to this user's request (state): it may be an old tab or an attack. "
            "Nothing was kept; send the user to Xero again.",
            "state",
        )
    if any(len(values) > 1 for values in said.values()):
        raise InvalidInput("answer", "give the URL at which the browser came back; a field stands in it twice")
    error, code, issuer = (said.get(name, [""])[0] for name in ("error", "code", "iss"))
    if issuer and issuer != ISSUER:
        raise ConsentFailed("the answer is not Xero's (iss): nothing was kept; send the user to Xero again", "state")
    if error == "access_denied":
        raise ConsentFailed("the user did not let the app in: connect again when they want to", "cancelled")
    if error:
        raise Misconfigured(f"Xero's consent page refused the app ({error_code(error)}): check its scopes and address")
    if not code:
        raise InvalidInput("answer", "give the URL at which the browser came back; it holds no code")
    return code


def _is_hard_to_guess(state: str) -> bool:
    return len(state) >= 16 and state.isascii() and state.isprintable()


def _with_url(request: ConsentRequest, app: App, endpoints: Endpoints, *, one_organisation: bool) -> ConsentRequest:
    # authlib is slow to import, and rarely needed.
    from authlib.oauth2 import rfc7636  # noqa: PLC0415
    from authlib.oauth2.rfc6749 import parameters  # noqa: PLC0415

    grant_uri = cast(Callable[..., str], getattr(parameters, "prepare_grant_uri"))  # noqa: B009 - its types are not whole
    challenge = cast(Callable[[str], str], getattr(rfc7636, "create_s256_code_challenge"))  # noqa: B009 - as above
    extra = {
        "code_challenge": challenge(request.code_verifier.reveal()),
        "code_challenge_method": "S256",
        **({"nonce": request.nonce.reveal()} if request.nonce else {}),
        **({"acr_values": "bulk_connect:false"} if one_organisation else {}),
    }
    url = grant_uri(
        f"{endpoints.login}/identity/connect/authorize",
        app.client_id,
        "code",
        redirect_uri=request.redirect_uri,
        scope=" ".join(request.scopes),
        state=request.state.reveal(),
        **extra,
    )
    return ConsentRequest(
        url, request.state, request.code_verifier, request.redirect_uri, request.scopes, request.nonce
    )


def _check_redirect(app: App, redirect_uri: str) -> None:
    try:
        place = urlsplit(redirect_uri)
        host, _ = place.hostname, place.port
    except ValueError:
        raise InvalidInput("redirect_uri", "give an address that is registered with the app") from None
    if not redirect_uri.isascii() or not redirect_uri.isprintable() or " " in redirect_uri or place.fragment:
        raise InvalidInput("redirect_uri", "give an address that is registered with the app, without a fragment")
    if place.scheme == "http" and host != "localhost":
        raise InvalidInput("redirect_uri", "give an https address; http will do on localhost only, not on 127.0.0.1")
    if place.scheme in {"http", "https"}:
        if not host or place.username is not None:
            raise InvalidInput("redirect_uri", "give an address that is registered with the app")
    elif app.client_secret is not None or not place.scheme or place.scheme in _NEVER:
        raise InvalidInput("redirect_uri", "give an https address; a scheme of its own is for apps without a secret")
