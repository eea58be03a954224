"""The record that holds the token set of one consent: what stands in it, and what each step makes of it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from xerosync.client.oauth import App, Tokens, tokens_of, tokens_row
from xerosync.errors import StoreFailed
from xerosync.storage.keys import check_plain
from xerosync.storage.protocol import Record, RecordKey

LEASE_S: Final = 90.0
"""How long one worker alone may refresh or revoke: longer than a call that times out."""

ALIVE: Final = ""
"""The tokens may be used."""

REVOKED: Final = "revoked"
"""The consent was ended from here; its tokens are forgotten."""

ENDED: Final = "ended"
"""Xero said that the consent has ended (F 1.31): nothing more is asked of it."""

_IDLE: Final = timedelta(days=30)
_UNUSED: Final = timedelta(days=60) - timedelta(minutes=30)
"""From when an access token expires, half an hour after it came, until its refresh token dies unused."""


class UnreadableGrant(StoreFailed):
    """A stored token set is none that this library wrote."""


@frozen(repr=False)
class Grant:
    """
    A stored token set: its record, the tokens in it, the app that they were issued to, and when a refresh was begun
    whose end is not known.
    """

    record: Record
    tokens: Tokens
    client_id: str | None = None
    refresh_began: datetime | None = None

    @property
    def is_renewable(self) -> bool:
        """Whether another token can be had without the user: by a refresh token, or as a custom connection."""
        return self.tokens.refresh_token is not None or self.tokens.grant_type == "client_credentials"

    @property
    def dies_at(self) -> datetime | None:
        """When it dies unless it is refreshed before (F 1.16); None where another can always be had."""
        if self.tokens.grant_type == "client_credentials":
            return None
        return self.tokens.expires_at + (_UNUSED if self.tokens.refresh_token is not None else timedelta())

    def is_half_refreshed(self, now: datetime) -> bool:
        """
        Whether a refresh was begun and its worker has died since: Xero may have rotated the refresh token, and takes
        this one for 30 minutes more only (F 1.17).
        """
        return self.refresh_began is not None and now - self.refresh_began > timedelta(seconds=LEASE_S)

    def begun(self, now: datetime) -> Record:
        """The record that says that a refresh has begun: due at once, should its worker die."""
        begun = evolve(self, refresh_began=now)
        return self.record.with_body(_body(begun), due=now + timedelta(seconds=LEASE_S))

    def with_tokens(self, tokens: Tokens, now: datetime) -> Record:
        """The record that holds *tokens* in place of these: due again before an unused refresh token dies (F 1.16)."""
        alive = evolve(self, tokens=tokens, refresh_began=None)
        return self.record.with_body(_body(alive), state=ALIVE, due=_due(tokens, now))

    def ended(self, state: str) -> Record:
        """The record of a consent that is over."""
        kept = self.tokens if state == ENDED else evolve(self.tokens, access_token="", refresh_token=None)
        return self.record.with_body(_body(evolve(self, tokens=kept)), state=state)


def grant_key(key: str) -> RecordKey:
    """Where the token set *key* is kept: it belongs to no one organisation, as it may serve several (F 1.20)."""
    return RecordKey("grant", "", key)


def new_grant(app: App, tokens: Tokens, now: datetime) -> Record:
    """The record of a consent just given. Its key is derived from it, so that storing it again finds it again."""
    seed = (tokens.refresh_token or tokens.access_token).reveal()
    if tokens.grant_type == "client_credentials":
        # A custom connection asks for a new token whenever it likes: it is one grant all the same.
        seed = " ".join((tokens.grant_type, app.client_id, *tokens.scopes))
    key = hashlib.sha256(seed.encode()).hexdigest()[:26]
    empty = Record("grant", "", key, "")
    return empty.with_body(_body(Grant(empty, tokens, app.client_id)), due=_due(tokens, now))


def read_grant(record: Record) -> Grant:
    """The token set in *record*. Raises `UnreadableGrant`, or `KeyMissing` for one that is encrypted."""
    check_plain(record, f"the stored token set {record.key}")
    # Neither the cause nor any frame on its way: they would show what stands in the record.
    grant = _grant_in(record)
    if grant is None:
        raise UnreadableGrant(f"the stored token set {record.key} cannot be read: connect to Xero again")
    return grant


def _grant_in(record: Record) -> Grant | None:
    """The token set in *record*, None where there is none."""
    try:
        body = json.loads(record.body)
        # Older records do not say to which app they belong.
        began = body.get("refresh_began")
        return Grant(
            record, tokens_of(body), body.get("client_id"), None if began is None else datetime.fromisoformat(began)
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _due(tokens: Tokens, now: datetime) -> datetime | None:
    is_idle_for_ever = tokens.refresh_token is None or tokens.grant_type == "client_credentials"
    return None if is_idle_for_ever else now + _IDLE


def _body(grant: Grant) -> str:
    began = grant.refresh_began
    return json.dumps(
        {
            **tokens_row(grant.tokens),
            "client_id": grant.client_id,
            "refresh_began": None if began is None else began.isoformat(),
        }
    )
