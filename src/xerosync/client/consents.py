"""`OAuth` and `AsyncOAuth`: what an app asks of Xero before it is connected to any organisation."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self, cast

from attrs import evolve

from xerosync.client._connections import ask, check_ended, end_request, list_request, listed
from xerosync.client._driver import stepped
from xerosync.client._keep_alive import KeptAlive, keep_alive
from xerosync.client._wire.codec import Json, parse
from xerosync.client.authorise import ConsentRequest, authorise_url, code_of
from xerosync.client.id_token import ISSUER, IdToken, verified
from xerosync.client.oauth import (
    App,
    Endpoints,
    Tokens,
    checked_scopes,
    client_credentials_request,
    code_refusal,
    code_request,
    revocation_request,
    said_by_token_endpoint,
    token_refusal,
    tokens_from,
)
from xerosync.errors import InvalidInput, Unavailable, UnreadableAnswer, XerosyncError
from xerosync.models import Connection
from xerosync.ports import Clock, NotSent, Request, Response, Transport, TransportFault
from xerosync.secret import Secret
from xerosync.storage.adapt import port_for
from xerosync.storage.protocol import AsyncStorage, Storage


class AsyncOAuth:
    """
    The way to a first token set, awaited.

    A *transport* and *clock* of your own (the simulator brings both) replace HTTP and this machine's time.
    """

    def __init__(
        self,
        app: App,
        *,
        transport: Transport | None = None,
        clock: Clock | None = None,
        endpoints: Endpoints | None = None,
        _blocking: bool = False,
    ) -> None:
        if transport is None or clock is None:
            from xerosync.client import _http  # noqa: PLC0415 - the HTTP library is slow to import

            clock = clock or (_http.BlockingClock() if _blocking else _http.AsyncClock())
            transport = transport or (_http.BlockingTransport if _blocking else _http.AsyncTransport)(clock)
        self._app: Final = app
        self._transport: Final = transport
        self._clock: Final = clock
        self._endpoints: Final = endpoints or Endpoints()
        self._is_blocking: Final = _blocking

    def authorise_url(
        self,
        *,
        redirect_uri: str,
        scopes: Iterable[str],
        state: str | Secret | None = None,
        nonce: bool = False,
        one_organisation: bool = False,
    ) -> ConsentRequest:
        """Where to send the user's browser, and what to keep until it comes back: `authorise_url` for this app."""
        return authorise_url(
            self._app,
            redirect_uri=redirect_uri,
            scopes=scopes,
            state=state,
            nonce=nonce,
            one_organisation=one_organisation,
            endpoints=self._endpoints,
        )

    async def exchange(self, request: ConsentRequest, *, answer: str) -> Tokens:
        """
        The tokens of the consent just given; *answer* is the URL at which the browser came back from *request*.

        With ``openid`` among the scopes its id token is verified first. What the user granted is in the tokens'
        *scopes*; compare it with `missing_scopes`. Raises `ConsentFailed` when the user cancelled, the state differs or
        the code has ended (F 1.10), `Misconfigured` when Xero refused the app, `Unavailable` when its answer was lost:
        the code is spent then, so send the user to Xero again.
        """
        code = code_of(request, answer)
        # Before the code is spent: without the keys its tokens could not be believed, and would be lost.
        keys = await self._keys() if "openid" in request.scopes else None
        sent = code_request(
            self._app, code, self._endpoints, redirect_uri=request.redirect_uri, code_verifier=request.code_verifier
        )
        response = await self._send_once(sent)
        try:
            tokens = tokens_from(response, self._clock.now())
        except XerosyncError as refused:
            raise code_refusal(refused) from None
        who = None if keys is None else self._verified(request, response, tokens, keys)
        return evolve(tokens, scopes=tokens.scopes or request.scopes, id_token=who)

    async def client_credentials(self, scopes: Iterable[str]) -> Tokens:
        """
        The token of a custom connection, which needs no user and reaches one organisation (F 1.42).

        Raises `Misconfigured` when the app is no such one or may not ask for these scopes.
        """
        wanted = checked_scopes(scopes)
        request = client_credentials_request(self._app, wanted, self._endpoints)
        response = await ask(self._transport, self._clock, request)
        tokens = tokens_from(response, self._clock.now(), grant_type="client_credentials")
        return evolve(tokens, scopes=tokens.scopes or wanted)

    async def connections(self, tokens: Tokens, *, of_this_consent: bool = False) -> tuple[Connection, ...]:
        """
        The organisations that *tokens* reach: every one the user ever let the app into (F 1.36).

        With *of_this_consent* only those chosen just now; all, where Xero tells none of them apart (F 1.35).
        """
        request = list_request(tokens.access_token, self._endpoints, of_this_consent=of_this_consent)
        found = listed(await ask(self._transport, self._clock, request))
        return found if found or not of_this_consent else await self.connections(tokens)

    async def disconnect(self, tokens: Tokens, connection: Connection) -> None:
        """
        End one of the `connections` of *tokens*, which stay good for the others (F 1.38, 1.39).

        For a connection that no store keeps; ``Xero.disconnect()`` ends a kept one. One that has gone already is no
        fault.
        """
        request = end_request(tokens.access_token, connection.connection_id, self._endpoints)
        check_ended(await ask(self._transport, self._clock, request))

    async def keep_alive(self, store: Storage | AsyncStorage) -> KeptAlive:
        """
        Refresh every token set of this app in *store* that nobody has used for 30 days: unused, one dies after 60 (F
        1.16).

        Call it once a day; or every few minutes, since it also makes again at once a refresh in whose midst a worker
        died, for which Xero leaves half an hour (F 1.17).
        """
        return await keep_alive(
            self._app,
            port_for(store, blocking=self._is_blocking),
            transport=self._transport,
            clock=self._clock,
            endpoints=self._endpoints,
        )

    async def revoke(self, tokens: Tokens) -> None:
        """
        End the consent that *tokens* came of, and every connection that its user made to the app (F 1.02).

        For tokens that no store keeps; ``Xero.revoke()`` ends a kept one. Raises `InvalidInput` without a refresh
        token.
        """
        if tokens.refresh_token is None:
            raise InvalidInput("tokens", "there is no refresh token in them, so there is nothing to revoke")
        request = revocation_request(self._app, tokens.refresh_token, self._endpoints)
        response = await ask(self._transport, self._clock, request)
        if response.status != 200:
            raise token_refusal(response)

    async def close(self) -> None:
        """Give back the connections to Xero."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _send_once(self, request: Request) -> Response:
        # A code serves once (F 1.10): sent again after a lost answer, it would be refused, and tell nothing.
        try:
            return await self._transport.send(request)
        except NotSent:
            raise Unavailable(
                "Xero could not be reached; exchange the same answer again, within five minutes"
            ) from None
        except TransportFault:
            raise Unavailable("Xero's answer to the code was lost: send the user to Xero again") from None

    def _verified(self, request: ConsentRequest, response: Response, tokens: Tokens, keys: Json) -> IdToken:
        given = said_by_token_endpoint(response).get("id_token")
        return verified(
            given if isinstance(given, str) else "",
            keys,
            client_id=self._app.client_id,
            now=self._clock.now(),
            access_token=tokens.access_token,
            nonce=request.nonce,
        )

    async def _keys(self) -> Json:
        """Xero's public keys, from where its own discovery document says they are (F 1.03)."""
        identity = self._endpoints.identity
        about = await self._document(f"{identity}/.well-known/openid-configuration")
        place = about.get("jwks_uri")
        if about.get("issuer") != ISSUER or not isinstance(place, str) or not place.startswith(f"{ISSUER}/"):
            raise UnreadableAnswer("openid-configuration", "another issuer, or keys kept elsewhere")
        return await self._document(f"{identity}{place.removeprefix(ISSUER)}")

    async def _document(self, url: str) -> Json:
        response = await ask(self._transport, self._clock, Request("GET", url, {"Accept": "application/json"}))
        if response.status != 200:
            raise Unavailable(f"Xero's identity host answered {response.status}")
        body = parse(response.body, where="openid-configuration")
        if not isinstance(body, dict):
            raise UnreadableAnswer("openid-configuration", "no object")
        return cast(Json, body)


class OAuth:
    """
    The way to a first token set, in plain calls.

    A *transport* and *clock* of your own (the simulator brings both) replace HTTP and this machine's time.
    """

    def __init__(
        self,
        app: App,
        *,
        transport: Transport | None = None,
        clock: Clock | None = None,
        endpoints: Endpoints | None = None,
    ) -> None:
        self._flows: Final = AsyncOAuth(app, transport=transport, clock=clock, endpoints=endpoints, _blocking=True)

    def authorise_url(
        self,
        *,
        redirect_uri: str,
        scopes: Iterable[str],
        state: str | Secret | None = None,
        nonce: bool = False,
        one_organisation: bool = False,
    ) -> ConsentRequest:
        """Where to send the user's browser, and what to keep until it comes back: `authorise_url` for this app."""
        return self._flows.authorise_url(
            redirect_uri=redirect_uri, scopes=scopes, state=state, nonce=nonce, one_organisation=one_organisation
        )

    exchange: Final = stepped(AsyncOAuth.exchange)
    client_credentials: Final = stepped(AsyncOAuth.client_credentials)
    connections: Final = stepped(AsyncOAuth.connections)
    disconnect: Final = stepped(AsyncOAuth.disconnect)
    keep_alive: Final = stepped(AsyncOAuth.keep_alive)
    revoke: Final = stepped(AsyncOAuth.revoke)
    close: Final = stepped(AsyncOAuth.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
