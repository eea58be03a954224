"""The whole of the simulated Xero: time, ids, organisations, apps and grants, all kept and undone together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final, Literal, Protocol

from attrs import field, frozen

from xerosync.ports import Clock
from xerosync.simulator.books import Books
from xerosync.simulator.chart import BANK_NUMBERS, CHART, country, iso_code
from xerosync.simulator.clock import VirtualClock
from xerosync.simulator.entities import Account, Organisation, TaxRate, User, instant, milliseconds
from xerosync.simulator.hooks import Event, Subscription
from xerosync.simulator.switches import Switches
from xerosync.simulator.tables import AnyTable, Changes, Table

OWNER: Final = "7d3a0f0e-5f0a-4f6e-9d0c-0a7f1d9b2c3e"
"""The person who subscribes to every organisation, and who consents unless somebody else is named."""
TICK: Final = timedelta(milliseconds=50)


@frozen
class Heart:
    """What the world itself remembers: its seed, how many ids were drawn, the last write stamp, and the time."""

    id: str
    seed: int
    drawn: int
    stamp_ms: int
    now_ms: int


@frozen(repr=False)
class App:
    """
    An app registered with Xero, of *kind* web, mobile or custom; a custom connection has the one organisation *tenant*
    (F 1.42). *connections_most* is what its price tier allows, 0 for no bound.
    """

    id: str
    name: str
    secret: str
    scopes: str = ""
    tenant: str = ""
    day_limit: int = 5000
    kind: str = "web"
    redirects: tuple[str, ...] = ()
    broad_scopes: bool = True
    is_certified: bool = True
    connections_most: int = 0


@frozen
class Connection:
    """One organisation that a user let one app into (F 1.32)."""

    id: str
    app: str
    tenant: str
    auth_event: str
    created_ms: int
    updated_ms: int
    user: str = OWNER


@frozen(repr=False)
class SigningKey:
    """The private key that tokens are signed with."""

    id: str
    pem: str


@frozen(repr=False)
class AccessToken:
    """A bearer token as it was issued, for what *user* may do; *died* before its time where a fault struck it."""

    id: str
    app: str
    consent: str
    scopes: str
    expires_ms: int
    tenant: str = ""
    user: str = OWNER
    died: Literal["", "expired", "revoked"] = ""


@frozen(repr=False)
class RefreshToken:
    """A refresh token; *rotated_ms* is when it was first used, after which it lives 30 minutes more (F 1.17)."""

    id: str
    app: str
    consent: str
    scopes: str
    expires_ms: int
    rotated_ms: int = 0
    successor: str = ""
    user: str = OWNER


@frozen(repr=False)
class Code:
    """An authorisation code, good once and for five minutes (F 1.10)."""

    id: str
    app: str
    consent: str
    scopes: str
    redirect: str
    challenge: str
    expires_ms: int
    user: str = OWNER


@frozen
class Window:
    """The calls one app made: of the last minute each, of the day their count (F 2.01)."""

    id: str
    calls_ms: tuple[int, ...] = ()
    day_start_ms: int = 0
    day_count: int = 0


@frozen(repr=False)
class Answered:
    """The first answer under an Idempotency-Key, and what was asked (F 3.05)."""

    id: str
    asked: str
    at_ms: int
    status: int
    headers: dict[str, str] = field(factory=dict[str, str])
    body: bytes = b""


class Keeper(Protocol):
    """Keeps changed rows for good."""

    def keep(self, changed: dict[tuple[str, str, str], AnyTable]) -> None:
        """Write the rows of *changed*, all or none."""
        ...


class World:
    """All state there is. Callers hold its lock (the simulator's) while they read or write."""

    def __init__(self, clock: Clock, seed: int, switches: Switches) -> None:
        self.clock = clock
        self.switches = switches
        self.changes: Final = Changes()
        self.keeper: Keeper | None = None
        self._heart = Heart("heart", seed, 0, 0, milliseconds(clock.now()))
        self.hearts: Final = Table("heart", Heart, self.changes)
        self.apps: Final = Table("app", App, self.changes)
        self.connections: Final = Table(
            "connection", Connection, self.changes, keys={"pair": lambda row: [f"{row.app} {row.tenant}"]}
        )
        self.access_tokens: Final = Table("access_token", AccessToken, self.changes)
        self.refresh_tokens: Final = Table(
            "refresh_token", RefreshToken, self.changes, keys={"consent": lambda row: [row.consent]}
        )
        self.codes: Final = Table("code", Code, self.changes)
        self.keys: Final = Table("signing_key", SigningKey, self.changes)
        self.hooks: Final = Table("hook", Subscription, self.changes)
        self.hook_events: Final = Table(
            "hook_event",
            Event,
            self.changes,
            keys={
                "app": lambda row: [row.app],
                "resource": lambda row: [f"{row.app} {row.tenant} {row.resource_id}"],
            },
        )
        self.windows: Final = Table("window", Window, self.changes)
        self.answered: Final = Table("answered", Answered, self.changes)
        self.books: dict[str, Books] = {}
        self._followers: list[Callable[[Books], None]] = []

    def tables(self) -> list[AnyTable]:
        """Every table that belongs to no organisation."""
        return [
            self.hearts, self.apps, self.connections, self.access_tokens, self.refresh_tokens, self.codes, self.windows,
            self.answered, self.keys, self.hooks, self.hook_events,
        ]  # fmt: skip

    def now(self) -> datetime:
        """The instant."""
        return self.clock.now()

    def now_ms(self) -> int:
        """The instant in milliseconds from 1970."""
        return milliseconds(self.clock.now())

    def draw(self) -> str:
        """A new id, the same one at the same place of every run with the same seed."""
        heart = self._heart
        self._heart = Heart(heart.id, heart.seed, heart.drawn + 1, heart.stamp_ms, heart.now_ms)
        letters = sha256(f"{heart.seed}:{heart.drawn}".encode()).hexdigest()
        variant = "89ab"[int(letters[16], 16) & 3]
        return f"{letters[:8]}-{letters[8:12]}-4{letters[13:16]}-{variant}{letters[17:20]}-{letters[20:32]}"

    def secret(self, length: int = 43) -> str:
        """A new secret text."""
        letters = ""
        while len(letters) < length:
            letters += self.draw().replace("-", "")
        return letters[:length]

    def write_stamp(self) -> int:
        """The stamp of one more write: now, and always later than the one before."""
        ms = max(self.now_ms(), self._heart.stamp_ms + 1)
        heart = self._heart
        self._heart = Heart(heart.id, heart.seed, heart.drawn, ms, heart.now_ms)
        return ms

    def open_books(self, tenant: str) -> Books:
        """The books of *tenant*, new and empty ones if there are none."""
        if tenant not in self.books:
            self.books[tenant] = Books(
                tenant,
                self.changes,
                switches=self.switches,
                draw=self.draw,
                write_stamp=self.write_stamp,
                now=self.now,
            )
            for follower in self._followers:
                follower(self.books[tenant])
        return self.books[tenant]

    def watch_books(self, follower: Callable[[Books], None]) -> None:
        """Call *follower* with the books of every organisation, those that are there and those yet to come."""
        self._followers.append(follower)
        for books in self.books.values():
            follower(books)

    def found(self, name: str, country_code: str) -> Books:
        """Found an organisation as Xero's demo companies are, with its chart and taxes."""
        local = country(country_code)
        tenant = self.draw()
        books = self.open_books(tenant)
        stamp = self.write_stamp()
        day, month = local.year_end
        books.organisations.put(
            Organisation(
                id=tenant, name=name, country=iso_code(country_code), version=local.version, currency=local.currency,
                timezone=local.timezone, zone=local.zone, short_code=f"!{self.draw()[:5]}", created_ms=self.now_ms(),
                year_end_day=day, year_end_month=month, currencies=(local.currency,),
            )
        )  # fmt: skip
        for tax_type, tax_name, report, rate, classes, status in local.taxes:
            books.tax_rates.put(TaxRate(tax_type, tax_name, report, Decimal(rate), classes, status))
        books.users.put(
            User(OWNER, "owner@example.com", "Demo", "Owner", "STANDARD", books.write_stamp(), is_subscriber=True)
        )
        taxes = {"s": local.sales, "p": local.purchases, "n": local.none}
        for line in CHART.splitlines():
            code, title, kind, tax, system, payable = line.split("|")
            bank = kind == "BANK"
            books.accounts.put(
                Account(
                    id=self.draw(), code=code, name=title, type=kind, tax_type=taxes[tax], updated_ms=stamp,
                    system=system, enable_payments=payable == "+", bank_type="BANK" if bank else "",
                    bank_number=BANK_NUMBERS[code] if bank else "", currency=local.currency if bank else "",
                )
            )  # fmt: skip
        return books

    def tick(self) -> None:
        """Let a virtual clock pass one request's time, and whatever its write stamps ran ahead."""
        if isinstance(self.clock, VirtualClock):
            ahead = instant(self._heart.stamp_ms) - self.clock.now()
            self.clock.tick(max(TICK, ahead))

    def commit(self) -> None:
        """Keep everything that changed, time included."""
        if self.keeper is None:
            self.changes.forget()
            return
        heart = self._heart
        self._heart = Heart(heart.id, heart.seed, heart.drawn, heart.stamp_ms, max(self.now_ms(), heart.now_ms))
        self.hearts.put(self._heart)
        self.keeper.keep(self.changes.settle())

    def recall(self) -> None:
        """Take up the heart that was read from a file, and its time where the clock is behind it."""
        kept = self.hearts.get("heart")
        if kept is not None:
            self._heart = kept
            if isinstance(self.clock, VirtualClock):
                self.clock.move_to(instant(kept.now_ms))
