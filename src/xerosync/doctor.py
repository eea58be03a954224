"""One examination of a connection: small named checks, each a tick or what is wrong, who can mend it, and how."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final, TypeVar, cast

from attrs import evolve, field, frozen

from xerosync.arguments import arguments_checked
from xerosync.client._books import Books
from xerosync.client._driver import stepped
from xerosync.client._session import Query
from xerosync.client._wire.codec import decode
from xerosync.client.id_token import claims_unverified
from xerosync.client.oauth import Tokens
from xerosync.client.resources import AsyncAccounts, AsyncCurrencies, AsyncUsers
from xerosync.client.scopes import BROAD_SCOPES_END, FEATURES, broad_scopes, missing_scopes, scopes_for
from xerosync.client.states import ConnectionState
from xerosync.client.xero import AsyncXero, Xero
from xerosync.engine.clearing import Eligibility, clearing_choice
from xerosync.engine.connection_findings import finding_of_clock, finding_of_connection
from xerosync.engine.exchange import currency_of
from xerosync.engine.plans import Finding
from xerosync.engine.settling_policies import closed_up_to
from xerosync.errors import ScopeMissing, StoreFailed, XerosyncError
from xerosync.models import Account, Action, Organisation, OrganisationRole, User
from xerosync.secret import Secret
from xerosync.storage.protocol import Record
from xerosync.tables import Listing, Tabular
from xerosync.texts import check_text, plain_id

T = TypeVar("T")

_SAID: Final = ("cause", "fix", "who")

_NEEDED_ACTIONS: Final[Mapping[str, frozenset[str]]] = {
    "receivables": frozenset({"CreateInvoicePayment"}),
    "payables": frozenset({"CreateDraftBill", "CreateApprovedBill", "CreateInvoicePayment", "AttachFilesIntoInvoice"}),
    "invoices": frozenset({"CreateDraftInvoice", "CreateApprovedInvoice"}),
    "payments": frozenset({"CreateInvoicePayment"}),
    "attachments": frozenset({"AttachFilesIntoInvoice"}),
}
_READING: Final = frozenset(name for name, scopes in FEATURES.items() if all(each.endswith(".read") for each in scopes))


@frozen(kw_only=True, repr=False)
class Check:
    """
    One check: passed when it has no *findings*. *note* says what was seen; *looked* is False where an earlier check
    that failed left nothing to look at.
    """

    name: str
    note: str = ""
    findings: Listing[Finding] = field(factory=Listing[Finding], converter=Listing[Finding])
    looked: bool = True

    @property
    def passed(self) -> bool:
        """Whether it was looked at, and all is well."""
        return self.looked and not self.findings

    def __str__(self) -> str:
        mark = "✓" if self.passed else "✗" if self.findings else "·"
        note = self.note or ("" if self.looked else "not looked at")
        lines = [f"{mark} {self.name}{': ' if note else ''}{note}"]
        lines += [f"  {each.cause} → {each.fix} ({each.who})" for each in self.findings]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Check {self.name} with {len(self.findings)} findings>"


@frozen(kw_only=True, repr=False)
class Checkup(Tabular):
    """All checks of one examination, in the order in which they rest on each other."""

    checks: tuple[Check, ...]

    @property
    def findings(self) -> Listing[Finding]:
        """What is wrong, of all checks."""
        return Listing(finding for check in self.checks for finding in check.findings)

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __bool__(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def rows(self) -> list[dict[str, str]]:
        """A row a finding, and one a check without any, for a table or a dataframe."""
        return [
            {"check": check.name, "note": check.note}
            | ({"cause": each.cause, "fix": each.fix, "who": each.who} if each else dict.fromkeys(_SAID, ""))
            for check in self.checks
            for each in check.findings or (None,)
        ]

    def __str__(self) -> str:
        return "\n".join(map(str, self.checks))

    def __repr__(self) -> str:
        return f"<Checkup of {len(self.checks)} checks, {len(self.findings)} findings>"


@frozen(kw_only=True)
class _Wishes:
    """What the host needs of the organisation."""

    features: tuple[str, ...]
    accounts: Mapping[str, str]
    currencies: tuple[str, ...]
    earliest: date | None


@frozen(kw_only=True)
class _Seen:
    """What the organisation and its connection are like: each found out, or the error that came instead."""

    state: ConnectionState | XerosyncError
    now: datetime
    tokens: Tokens | XerosyncError
    organisation: Organisation | XerosyncError
    missing: tuple[str, ...] = ()
    """The scopes that the consent lacks."""
    server_time: datetime | None = None
    actions: Sequence[Action] | XerosyncError = ()
    users: Sequence[User] | XerosyncError = ()
    accounts: Sequence[Account] | XerosyncError = ()
    currencies: Sequence[str] | XerosyncError = field(default=())


@arguments_checked
class AsyncDoctor:
    """
    Examines the connection to one organisation, awaited.

    *features*, as ``scopes_for()`` knows them, say what the product does there; *clearing_account* and
    *payment_account* are codes or ids of the accounts it pays through, *currencies* the codes it meets, *earliest* the
    first day that its documents may bear. What is not given is not asked for. Raises `InvalidInput` for an unknown
    feature, and for a blank account or currency.
    """

    def __init__(
        self,
        xero: AsyncXero,
        *,
        features: Iterable[str] = (),
        clearing_account: str | None = None,
        payment_account: str | None = None,
        currencies: Iterable[str] = (),
        earliest: date | None = None,
    ) -> None:
        accounts = {"clearing account": clearing_account, "payment account": payment_account}
        currencies = tuple(currencies)
        for name, text in (*accounts.items(), *(("currencies", each) for each in currencies)):
            if text is not None:
                check_text(name.replace(" ", "_"), text, needed=True)
        self._books: Final = xero.books
        self._wishes: Final = _Wishes(
            features=tuple(features),
            accounts={name: wanted for name, wanted in accounts.items() if wanted is not None},
            currencies=tuple(each.strip() for each in currencies),
            earliest=earliest,
        )
        if self._wishes.features:
            scopes_for(*self._wishes.features)  # refuses an unknown one

    async def examine(self) -> Checkup:
        """
        Every check, in order; some eight calls. It raises nothing: what cannot be asked becomes a finding.

        It writes nothing in Xero, and one small record to the store, which it drops again.
        """
        store = await _store(self._books)
        if not store.passed:
            return Checkup(checks=(store, *(Check(name=name, looked=False) for name in _CHECKS)))
        seen = await _seen(self._books, self._wishes)
        if seen.state not in _LETS_IN:
            unseen = (Check(name=name, looked=False) for name in _CHECKS if name != "connection")
            return Checkup(checks=(store, _connection(seen, self._wishes), *unseen))
        return Checkup(checks=(store, *(check(seen, self._wishes) for check in _CHECKS.values())))


@arguments_checked
class Doctor:
    """
    Examines the connection to one organisation, in plain calls.

    *features*, as ``scopes_for()`` knows them, say what the product does there; *clearing_account* and
    *payment_account* are codes or ids of the accounts it pays through, *currencies* the codes it meets, *earliest* the
    first day that its documents may bear. What is not given is not asked for. Raises `InvalidInput` for an unknown
    feature, and for a blank account or currency.
    """

    def __init__(
        self,
        xero: Xero,
        *,
        features: Iterable[str] = (),
        clearing_account: str | None = None,
        payment_account: str | None = None,
        currencies: Iterable[str] = (),
        earliest: date | None = None,
    ) -> None:
        self._flows: Final = AsyncDoctor(
            xero.asynchronous,
            features=features,
            clearing_account=clearing_account,
            payment_account=payment_account,
            currencies=currencies,
            earliest=earliest,
        )

    examine: Final = stepped(AsyncDoctor.examine)


async def _seen(books: Books, wishes: _Wishes) -> _Seen:
    state = await _or_error(books.connection_state)
    if state not in _LETS_IN:
        unknown = XerosyncError("not asked for")
        return _Seen(state=state, now=books.clock.now(), tokens=unknown, organisation=unknown)
    server_time: list[datetime | None] = []

    async def organisation() -> Organisation:
        page = await (await books.session()).read(Query("Organisation", "Organisations"))
        server_time.append(page.server_time)
        return decode(Organisation, page.rows[0], where="Organisations[0]")

    async def users() -> list[User]:
        return [each async for each in AsyncUsers(books).list()]

    async def accounts() -> list[Account]:
        return [each async for each in AsyncAccounts(books).list()]

    async def currencies() -> list[str]:
        return [each.code or "" async for each in AsyncCurrencies(books).list()]

    about = await _or_error(organisation)
    kept = await _or_error(books.tokens)
    tokens = kept if isinstance(kept, XerosyncError) else _with_scopes(kept)
    return _Seen(
        state=state,
        now=books.clock.now(),
        tokens=tokens,
        organisation=about,
        missing=_missing(tokens, about, wishes.features),
        server_time=server_time[0] if server_time else None,
        actions=await _or_error(books.actions),
        users=await _or_error(users),
        accounts=await _or_error(accounts) if wishes.accounts else (),
        currencies=await _or_error(currencies) if wishes.currencies else (),
    )


async def _or_error(ask: Callable[[], Awaitable[T]]) -> T | XerosyncError:
    try:
        return await ask()
    except XerosyncError as error:
        return error
    except Exception as error:  # noqa: BLE001 - the host's own store, clock or transport may raise anything
        return XerosyncError(f"what was given to the client raised {type(error).__name__}: see your own log")


def _missing(
    tokens: Tokens | XerosyncError, about: Organisation | XerosyncError, features: Sequence[str]
) -> tuple[str, ...]:
    """The scopes that the consent lacks for *features*, and for the examination itself, which reads *about* all."""
    missing: tuple[str, ...] = ()
    if features and not isinstance(tokens, XerosyncError) and tokens.scopes:
        missing = missing_scopes(tokens, *features)
    return missing if not isinstance(about, ScopeMissing) or _READS in missing else (*missing, _READS)


async def _store(books: Books) -> Check:
    probe = Record("doctor", books.tenant, "probe", "{}")
    try:
        await books.storage.commit([probe])
        kept = await books.storage.get_many([probe.identity])
        await books.storage.commit([], deletes=[probe.identity])
    except StoreFailed as error:
        return _failed("store", "store", str(error), _MEND)
    except Exception as error:  # noqa: BLE001 - the host's own store may raise anything, and quote what it holds
        return _failed("store", "store", f"the store raised {type(error).__name__}: see its own log", _MEND)
    if kept[0] is None:
        return _failed("store", "store", "what was kept is not there", "run the conformance kit on your own store")
    return Check(name="store", note="reads and keeps")


def _connection(seen: _Seen, wishes: _Wishes) -> Check:
    del wishes
    if isinstance(seen.state, XerosyncError):
        return _unknown("connection", seen.state, seen)
    if seen.state in _LETS_IN:
        return Check(name="connection", note="calls go through")
    return Check(name="connection", findings=(finding_of_connection(seen.state),))


def _scopes(seen: _Seen, wishes: _Wishes) -> Check:
    del wishes
    if isinstance(seen.tokens, XerosyncError):
        return _unknown("scopes", seen.tokens, seen)
    findings: list[Finding] = []
    if seen.missing:
        cause = f"the consent lacks {' '.join(seen.missing)}"
        findings.append(_finding("scope missing", cause, "let the user consent to them", "the user"))
    retired = broad_scopes(seen.tokens)
    if retired:
        findings.append(
            _finding(
                "scope retired",
                f"{' '.join(retired)} will serve no more from {BROAD_SCOPES_END:%d %B %Y} on",
                "let the user consent to granular scopes before then",
                "the user",
            )
        )
    if not seen.tokens.scopes and not findings:
        return Check(name="scopes", note="the token does not name them", looked=False)
    return Check(name="scopes", note=f"{len(seen.tokens.scopes)} granted", findings=tuple(findings))


def _with_scopes(tokens: Tokens) -> Tokens:
    """*tokens*, with the scopes that the access token names itself where whoever kept it did not (F 1.21)."""
    named = claims_unverified(tokens.access_token).get("scope")
    if tokens.scopes or not isinstance(named, list):
        return tokens
    return evolve(tokens, scopes=tuple(map(str, cast(list[object], named))))


def _clock(seen: _Seen, wishes: _Wishes) -> Check:
    del wishes
    if seen.server_time is None:
        return Check(name="clock", note="Xero did not say what time it is", looked=False)
    wrong = finding_of_clock(seen.now - seen.server_time)
    if wrong is None:
        return Check(name="clock", note="agrees with Xero's")
    return Check(name="clock", findings=(wrong,))


def _organisation(seen: _Seen, wishes: _Wishes) -> Check:
    del wishes
    found = seen.organisation
    if isinstance(found, XerosyncError):
        return _unknown("organisation", found, seen)
    said = [found.country_code, found.base_currency, "demo company" if found.is_demo_company else None]
    note = " · ".join(filter(None, said))
    if found.organisation_status not in {None, "ACTIVE"}:
        cause = f"the organisation is {found.organisation_status}, not ACTIVE"
        return _failed("organisation", "organisation closed", cause, "take it up again in Xero", who=_SUBSCRIBER)
    return Check(name="organisation", note=note)


def _plan(seen: _Seen, wishes: _Wishes) -> Check:
    if isinstance(seen.actions, XerosyncError):
        return _unknown("plan", seen.actions, seen)
    needed = {action for feature in wishes.features for action in _NEEDED_ACTIONS.get(feature, ())}
    if len({each.upper() for each in wishes.currencies}) > 1:
        needed.add("UseMulticurrency")
    allowed = {each.name: each.status == "ALLOWED" for each in seen.actions}
    barred = sorted(name for name in needed if not allowed.get(name, True))
    if barred:
        cause = f"the organisation's plan does not allow {', '.join(barred)}"
        return _failed("plan", "plan too small", cause, "change the plan in Xero", who=_SUBSCRIBER)
    return Check(name="plan", note=f"{sum(allowed.values())} of {len(allowed)} actions allowed")


def _role(seen: _Seen, wishes: _Wishes) -> Check:
    if isinstance(seen.users, XerosyncError):
        return _unknown("role", seen.users, seen)
    token = Secret("") if isinstance(seen.tokens, XerosyncError) else seen.tokens.access_token
    user_id = claims_unverified(token).get("xero_userid")
    role = next((each.organisation_role for each in seen.users if each.user_id == user_id), None)
    if role is None:
        return Check(name="role", note="Xero does not say who let the app in", looked=False)
    barred = _barred(role, wishes.features)
    if barred:
        cause = f"whoever let the app in is {role.value} there, which does not do for {', '.join(barred)}"
        fix = "give them another role in Xero, or let somebody else connect"
        return _failed("role", "role too small", cause, fix, who=_SUBSCRIBER)
    return Check(name="role", note=role.value)


def _barred(role: OrganisationRole, features: Iterable[str]) -> list[str]:
    """Those of *features* that somebody in *role* cannot do (F 1.56, 8.52)."""
    match role:
        case OrganisationRole.READONLY | OrganisationRole.REMOVED:
            return [feature for feature in features if feature not in _READING]
        case OrganisationRole.INVOICEONLY:
            return [feature for feature in features if feature not in {"invoices", "contacts", "sign in"}]
        case _:
            return []


def _accounts(seen: _Seen, wishes: _Wishes) -> Check:
    if isinstance(seen.accounts, XerosyncError):
        return _unknown("accounts", seen.accounts, seen)
    findings: list[Finding] = []
    for purpose, wanted in wishes.accounts.items():
        by_id = plain_id(wanted)
        account = next((each for each in seen.accounts if each.code == wanted or each.account_id == by_id), None)
        if account is None:
            findings.append(_finding("no such account", f"there is no {purpose} {wanted}", f"choose a {purpose}"))
        elif (choice := clearing_choice(account)).answer is not Eligibility.ELIGIBLE:
            cause = f"nothing can be paid through the {purpose} {wanted}: {choice.reason}"
            fix = (
                "prepare() enables payments on it"
                if choice.answer is Eligibility.ONCE_ENABLED
                else f"choose a {purpose}"
            )
            findings.append(_finding("account takes no payments", cause, fix))
        else:
            findings += _of_currency(account, f"{purpose} {wanted}", seen.organisation, wishes.currencies)
    note = "take payments" if wishes.accounts else "none named"
    return Check(name="accounts", note="" if findings else note, findings=tuple(findings))


def _of_currency(
    account: Account, named: str, about: Organisation | XerosyncError, currencies: Iterable[str]
) -> Iterator[Finding]:
    """The finding that Xero pays no documents in some of *currencies* through *account*, as *named* (F 6.116)."""
    base = "" if isinstance(about, XerosyncError) else about.base_currency or ""
    through = currency_of(account, base)
    barred = [code for code in dict.fromkeys(map(str.upper, currencies)) if code != through]
    if barred and base and through != base:
        cause = f"the {named} is kept in {through}, and Xero pays no documents in {', '.join(barred)} through it"
        yield _finding("another currency", cause, f"choose one kept in {base}, or examine it for {through} alone")


def _lock_dates(seen: _Seen, wishes: _Wishes) -> Check:
    if isinstance(seen.organisation, XerosyncError):
        return _unknown("lock dates", seen.organisation, seen)
    closed = closed_up_to(seen.organisation)
    if closed is None:
        return Check(name="lock dates", note="none")
    earliest = wishes.earliest or seen.now.date()
    if closed >= earliest:
        cause = f"the books are closed up to {closed.isoformat()}, and documents from {earliest.isoformat()} on are due"
        fix = "move the lock date in Xero, or date the documents later"
        return _failed("lock dates", "books closed", cause, fix, who="the bookkeeper")
    return Check(name="lock dates", note=f"closed up to {closed.isoformat()}")


def _currencies(seen: _Seen, wishes: _Wishes) -> Check:
    if isinstance(seen.currencies, XerosyncError):
        return _unknown("currencies", seen.currencies, seen)
    missing = [code for code in dict.fromkeys(map(str.upper, wishes.currencies)) if code not in seen.currencies]
    if missing:
        cause = f"the organisation is not subscribed to {', '.join(missing)}"
        fix = "add them in Xero, or with xero.currencies.create()"
        return _failed("currencies", "currency missing", cause, fix, who="the bookkeeper")
    return Check(name="currencies", note=", ".join(seen.currencies) or "none named")


_SUBSCRIBER: Final = "the organisation's subscriber"
_MEND: Final = "mend the store; nothing can be done without it"
_READS: Final = "accounting.settings.read"
"""The scope that an examination cannot do without."""
_LETS_IN: Final = frozenset({ConnectionState.CONNECTED, ConnectionState.SCOPE_MISSING})
"""The states in which Xero answers; which scope is missing is for the check of the scopes to say."""
_CHECKS: Final[Mapping[str, Callable[[_Seen, _Wishes], Check]]] = {
    "connection": _connection,
    "scopes": _scopes,
    "clock": _clock,
    "organisation": _organisation,
    "plan": _plan,
    "role": _role,
    "accounts": _accounts,
    "lock dates": _lock_dates,
    "currencies": _currencies,
}


def _finding(code: str, cause: str, fix: str, who: str = "you", *, retry: bool = False) -> Finding:
    return Finding(code=code, about="connection", cause=cause, fix=fix, who=who, retry=retry)


def _failed(name: str, code: str, cause: str, fix: str, *, who: str = "you", retry: bool = False) -> Check:
    return Check(name=name, findings=(_finding(code, cause, fix, who, retry=retry),))


def _unknown(name: str, error: XerosyncError, seen: _Seen) -> Check:
    """The check of what Xero would not tell; that a scope is missing is told once, with the scopes."""
    if isinstance(error, ScopeMissing) and seen.missing:
        return Check(name=name, note="the consent lacks a scope for it", looked=False)
    return _failed(
        name, "could not be looked at", str(error), "mend what is said there, then examine again", retry=True
    )
