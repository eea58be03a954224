"""One organisation's books as every flow reaches them: the session, the store, the clock, and shared settings."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar, cast

from attrs import define, evolve, field

from xerosync.client._connections import ask, check_ended, end_request, list_request, listed
from xerosync.client._consent import Consent
from xerosync.client._grant import new_grant
from xerosync.client._kept import Kept, company_key, kept_key, read_kept
from xerosync.client._limits import Limits
from xerosync.client._pacing import Pacer
from xerosync.client._session import Query, Session
from xerosync.client._usage import RENEWAL, Hear, Run, Usage, runs_of
from xerosync.client._wire.answers import lacks_scope
from xerosync.client._wire.codec import decode
from xerosync.client.connections import ConnectionSummary, summaries
from xerosync.client.gate import Account, RateGate
from xerosync.client.oauth import App, Endpoints, Tokens
from xerosync.client.organisations import other_organisation
from xerosync.client.states import ConnectionState, state_of
from xerosync.errors import (
    InvalidInput,
    OtherOrganisation,
    ReadOnly,
    ReconnectNeeded,
    ScopeMissing,
    UnreadableAnswer,
    VersionConflict,
    XerosyncError,
)
from xerosync.events import Event, OnEvent, tell
from xerosync.models import Action, Connection, Organisation, TenantId
from xerosync.ports import Clock, Request, Response, Transport
from xerosync.secret import Secret
from xerosync.storage.protocol import AsyncStorage, Owner, Record

T = TypeVar("T")

QUARANTINE_S: Final = 300.0
"""How long a doubtful write is left alone before it is looked for: longer than any request can travel (R3)."""

_LOOK_AGAIN: Final = timedelta(minutes=1)
_NEVER: Final = "this organisation is not connected: call connect() with the tokens of a consent"
_LEFT: Final = "this organisation was disconnected: call connect() with the tokens of a consent"


@define(eq=False)
class _Opened:
    """The session that is in use, and when the store was last asked whose it should be."""

    session: Session | None = None
    looked_at: datetime | None = None


@define(eq=False)
class _Once:
    """
    What was read already where nothing is read twice: the *organisation*, *lists* by name, and what was *made* of
    records, by their kinds and keys, with their versions.
    """

    organisation: Organisation | None = None
    lists: set[str] = field(factory=set[str])
    made: dict[tuple[str, str], tuple[int, object]] = field(factory=dict[tuple[str, str], "tuple[int, object]"])


@define(eq=False, repr=False)
class Books:
    """What a flow needs of one organisation. Build it through `Xero` or `AsyncXero`."""

    app: App
    tenant: TenantId
    storage: AsyncStorage
    transport: Transport
    clock: Clock
    endpoints: Endpoints
    limits: Limits
    owner: Owner
    quarantine_s: float
    on_event: OnEvent
    gate: RateGate
    background: bool = False
    read_only: bool = False
    unbound: type[Session] | None = field(default=None, init=False)
    """A session that needs no consent, where a simulation brings one."""
    _opened: _Opened = field(factory=_Opened, init=False)
    once: _Once | None = field(default=None, init=False)
    _pacer: Pacer = field(init=False)

    def __attrs_post_init__(self) -> None:
        account = Account(self.endpoints.api, self.app.client_id, self.tenant)
        self._pacer = Pacer(account, self.limits, self.gate, self.clock, self.tell, self.background)

    @property
    def usage(self) -> Usage:
        """What this client has spent, and what Xero last said is left."""
        return self._pacer.meter.usage

    @property
    def ahead(self) -> timedelta | None:
        """How far this machine's clock is ahead of Xero's, as its latest answer showed; None before the first."""
        return self._pacer.ahead

    def run(self, calls: int | None, bytes_down: int | None, *, background: bool | None) -> Run:
        """A run of this client, with the budget given."""
        return Run(self._pacer, calls, bytes_down, background)

    def heard_run(self, hear: Hear) -> Run:
        """A run of this client without a budget, of each of whose calls and renewals of a token *hear* is told."""
        return Run(self._pacer, hear=hear)

    def __repr__(self) -> str:
        return f"<Books of {self.tenant}>"

    def check_may_write(self) -> None:
        """Raise `ReadOnly` where this client was made to read alone; asked before anything is recorded of a write."""
        if self.read_only:
            raise ReadOnly

    async def session(self) -> Session:
        """
        The authorised session. Raises `ReconnectNeeded` when this organisation is not connected.

        Another process may have connected it anew, so the store is looked at again every minute, and when the consent
        is over.
        """
        if self.unbound is not None:
            self._opened.session = self._opened.session or self._session_under("", self.unbound)
            return self._opened.session
        now = self.clock.now()
        is_fresh = self._opened.looked_at is not None and now - self._opened.looked_at < _LOOK_AGAIN
        if self._opened.session is None or not is_fresh or self._opened.session.consent.is_over:
            kept = await self._kept()
            if kept is None or not kept.is_connected:
                self._opened.session = None
                raise ReconnectNeeded(_NEVER if kept is None else _LEFT)
            if self._opened.session is None or self._opened.session.consent.key != kept.grant:
                self._opened.session = self._session_under(kept.grant)
            self._opened.looked_at = now
        return self._opened.session

    async def connect(self, tokens: Tokens, *, company: str | None = None, another: bool = False) -> Connection:
        """
        Keep *tokens*, the token set of a consent just given, and use it for this organisation from now on.

        A token set that is already stored is left as it is, since it may have been refreshed meanwhile. Links and all
        else that is stored for this organisation stay. *company* is your own id of what is connected, if you have
        several: each has one organisation, and each organisation one company. Raises `OtherOrganisation` when the
        consent does not cover this organisation (F 1.36, 8.06), or when *company* is linked to another, whose place
        this one takes only with *another*; `InvalidInput` when the organisation serves another company, or for what is
        no token set.
        """
        _check_tokens(tokens)
        earlier, left = await self._check_company(company, another=another)
        now = self.clock.now()
        grant = new_grant(self.app, tokens, now)
        with suppress(VersionConflict):  # then it is kept already, and may have been refreshed since
            await self.storage.commit([grant], expect={grant.identity: 0})
        session = self._session_under(grant.key)
        reached = await self._listed(session)
        connection = next((each for each in reached if each.tenant_id == self.tenant), None)
        if connection is None:
            raise other_organisation(reached)
        await self._check_organisation(session)
        before = earlier or Kept(self.tenant, self.tenant, connection.connection_id, grant.key)
        kept = before.renewed(connection, grant.key, company=company or before.company, at=now)
        moved = [company_key(before.company)] if before.company != kept.company else []
        freed = [] if left is None else evolve(left, company=left.organisation, is_connected=False).records()
        await self.storage.commit([*kept.records(), *freed], deletes=moved)
        self._opened.session, self._opened.looked_at = session, now
        return connection

    async def disconnect(self) -> None:
        """
        End the app's access to this organisation, at Xero and here; the user's other organisations stay connected.

        Links, documents and settings stay stored, and a later `connect` goes on with them. Where the connection, or the
        consent, has ended already, nothing is ended at Xero. Raises `Unavailable` when Xero could not be told: then
        nothing has changed.
        """
        self.check_may_write()
        kept = await self._kept()
        if kept is None or not kept.is_connected:
            return
        try:
            session = await self.session()
            # By the id it has now: where the user took the app out and let it in again, it is another than was kept.
            mine = [each for each in await self._listed(session) if each.tenant_id == self.tenant]
            for each in mine:
                ending = partial(end_request, connection=each.connection_id, endpoints=self.endpoints)
                check_ended(await self._asked(session, ending))
        except ReconnectNeeded:
            mine = []
        self.tell(Event.DISCONNECTED, told_xero=bool(mine))
        await self.storage.commit(evolve(kept, is_connected=False).records())
        self._opened.session = None

    async def revoke(self) -> None:
        """
        End the whole consent: its tokens, and every connection that its user made to the app (F 1.02).

        All organisations that share the consent need a new one. What is stored for them stays. Does nothing when it was
        revoked before, or none was ever given. Raises `Misconfigured` where there is nothing to revoke, as for a custom
        connection, and `Unavailable` when Xero could not be told: then nothing has changed.
        """
        self.check_may_write()
        kept = await self._kept()
        if kept is None:
            return
        await self._session_under(kept.grant).consent.revoke()
        self.tell(Event.CONSENT_REVOKED)
        self._opened.session = None

    async def tokens(self) -> Tokens:
        """
        The token set as it is kept now, refreshed if need be: to look at its scopes, or to hand on.

        Raises `ReconnectNeeded` when there is none.
        """
        session = await self.session()
        await session.consent.access_token()
        return await session.consent.tokens()

    @property
    def unsaved_tokens(self) -> Tokens | None:
        """What Xero gave last and the store has not taken yet."""
        return None if self._opened.session is None else self._opened.session.consent.unsaved

    async def connection_state(self) -> ConnectionState:
        """
        How it stands with the connection, asked of Xero now: who must act, if anybody. Three calls at most.

        It tells a disconnected organisation from one that Xero refuses for another reason, which a call that was
        refused cannot (F 1.54, 8.05). Raises only what says nothing of the connection, such as `StoreFailed`.
        """
        try:
            session = await self.session()
            reached = await self._listed(session)
            if all(each.tenant_id != self.tenant for each in reached):
                return ConnectionState.RECONNECT
            if _may_ask(await session.consent.tokens()):
                await self._organisation(session)
        except XerosyncError as error:
            state = state_of(error)
            if state is None:
                raise
            return state
        return ConnectionState.CONNECTED

    async def connection_summary(self) -> ConnectionSummary | None:
        """
        This connection as a page may show it, its state asked of Xero now; None when there never was one.

        Raises as `connection_state` does.
        """
        kept = await self._kept()
        if kept is None:
            return None
        state = await self.connection_state()
        (summary,) = await summaries(self.storage, [kept])
        return evolve(summary, state=state)

    def reading_once(self) -> Books:
        """
        These books for one look at them, which reads nothing twice: not the organisation, and no list.

        For what only plans or reports; whoever writes has to see what has changed since.
        """
        if self.once is not None:
            return self
        books = copy.copy(self)
        books.once = _Once()
        return books

    def has_read(self, name: str) -> bool:
        """Whether the list of this *name* was read already, and is not to be read again."""
        return self.once is not None and name in self.once.lists

    def note_read(self, name: str) -> None:
        """The list of this *name* has been read."""
        if self.once is not None:
            self.once.lists.add(name)

    def made_of(self, record: Record, make: Callable[[Record], T]) -> T:
        """What *make* makes of *record*: in one look the same thing, made once, as long as it has not changed."""
        if self.once is None:
            return make(record)
        name = record.kind, record.key
        known = self.once.made.get(name)
        if known is None or known[0] != record.version:
            known = self.once.made[name] = record.version, make(record)
        return cast(T, known[1])

    async def organisation(self) -> Organisation:
        """The organisation's own record: name, base currency, time zone, lock dates."""
        if self.once is None:
            return await self._organisation(await self.session())
        if self.once.organisation is None:
            self.once.organisation = await self._organisation(await self.session())
        return self.once.organisation

    async def _organisation(self, session: Session) -> Organisation:
        rows = (await session.read(Query("Organisation", "Organisations"))).rows
        if len(rows) != 1:
            raise UnreadableAnswer("Organisations", f"{len(rows)} rows where one is due")
        return decode(Organisation, rows[0], where="Organisations[0]")

    async def actions(self) -> tuple[Action, ...]:
        """What this app's user may and may not do in the organisation, by its plan and the user's role (F 6.05)."""
        session = await self.session()
        rows = (await session.read(Query("Organisation/Actions", "Actions"))).rows
        return tuple(decode(Action, row, where="Actions") for row in rows)

    async def connections(self) -> tuple[Connection, ...]:
        """Every organisation that this user ever let the app into, not only by the last consent (F 1.36)."""
        return await self._listed(await self.session())

    async def close(self) -> None:
        """Give back the connections to Xero. The store stays the caller's."""
        await self.transport.close()

    def tell(self, event: str, **fields: object) -> None:
        """Tell the host's listener of *event*. What the listener raises is logged, and goes no further."""
        tell(self.on_event, event, {"organisation": self.tenant, **fields})

    def _session_under(self, grant: str, kind: type[Session] = Session) -> Session:
        consent = Consent(
            self.app,
            grant,
            self.storage,
            self.transport,
            self.clock,
            self.endpoints,
            self.owner,
            self.tell,
            self._note_renewal,
        )
        return kind(self.tenant, consent, self.transport, self.clock, self.endpoints, self._pacer, self.read_only)

    def _note_renewal(self, **facts: str) -> None:
        for run in runs_of(self._pacer):
            run.heard(RENEWAL, facts)

    async def _kept(self) -> Kept | None:
        (record,) = await self.storage.get_many([kept_key(self.tenant)])
        return None if record is None else read_kept(record)

    async def _check_company(self, company: str | None, *, another: bool) -> tuple[Kept | None, Kept | None]:
        """What is kept of this organisation, and of another that *company* leaves for it, if that may be."""
        if company is not None and not company.strip():
            raise InvalidInput("company", "give your own id of what is connected, or none")
        asked = [kept_key(self.tenant), company_key(company or self.tenant)]
        records = await self.storage.get_many(asked)
        earlier, theirs = (None if record is None else read_kept(record) for record in records)
        if theirs is not None and theirs.organisation == self.tenant:
            theirs = None
        if theirs is not None and not another:
            raise OtherOrganisation(
                "this company is linked to another organisation, whose books hold its documents: connect that one "
                "again, or ask the user whether this one shall take its place, and start without links",
                [self.tenant],
            )
        is_taken = earlier is not None and earlier.is_connected and earlier.company not in {company, self.tenant}
        if company is not None and is_taken:
            raise InvalidInput("company", "this organisation serves another company: disconnect it there first")
        return earlier, theirs

    async def _listed(self, session: Session) -> tuple[Connection, ...]:
        return listed(await self._asked(session, lambda token: list_request(token, self.endpoints)))

    async def _asked(self, session: Session, request: Callable[[Secret], Request]) -> Response:
        """The answer to what *request* makes of an access token, with another token once if Xero refuses the first."""
        token = await session.consent.access_token()
        response = await ask(self.transport, self.clock, request(token))
        if response.status != 401 or lacks_scope(response):
            return response
        return await ask(self.transport, self.clock, request(await session.consent.renew(token)))

    async def _check_organisation(self, session: Session) -> None:
        try:
            organisation = await self._organisation(session)
        except ScopeMissing:
            return  # an app that reads no settings cannot ask; then the list of connections must do
        if organisation.organisation_id != self.tenant:
            raise OtherOrganisation("Xero answered for another organisation than the one asked for (F 8.06)")


def _check_tokens(tokens: object) -> None:
    if not isinstance(tokens, Tokens):
        raise InvalidInput("tokens", f"give the Tokens of a consent, not a {type(tokens).__name__}")


def _may_ask(tokens: Tokens) -> bool:
    """Whether the organisation's own record may be read with *tokens*, as far as their scopes are known."""
    return not tokens.scopes or bool({"accounting.settings", "accounting.settings.read"} & {*tokens.scopes})
