"""The doctor: what is wrong with a connection is one finding with who can mend it, and nothing else is blamed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from attrs import evolve, frozen
from tests.conftest import BANK, CLEARING, DAY, Product, Through, is_write
from tests.engine.test_strange_answers import Altered

from xerosync import App, AsyncDoctor, Checkup, Doctor, MemoryStore, Tokens, Xero
from xerosync.client.consents import OAuth
from xerosync.client.scopes import scopes_for
from xerosync.errors import InvalidInput, StoreFailed
from xerosync.ports import Clock, Request, Response
from xerosync.simulator import Fault
from xerosync.storage.protocol import Record, RecordKey

FEATURES = ("receivables", "clearing balance")


def wrong(checkup: Checkup) -> dict[str, list[str]]:
    return {check.name: [each.code for each in check.findings] for check in checkup if check.findings}


def test_a_sound_connection_has_a_tick_everywhere(xero: Xero) -> None:
    checkup = Doctor(
        xero,
        features=FEATURES,
        clearing_account=CLEARING,
        payment_account=BANK,
        currencies=["NZD"],
        earliest=DAY,
    ).examine()

    assert checkup.findings == ()
    assert checkup
    assert [check.name for check in checkup if not check.passed] == []
    assert str(checkup).splitlines() == [
        "✓ store: reads and keeps",
        "✓ connection: calls go through",
        "✓ scopes: 14 granted",
        "✓ clock: agrees with Xero's",
        "✓ organisation: NZ · NZD · demo company",
        "✓ plan: 13 of 13 actions allowed",
        "✓ role: STANDARD",
        "✓ accounts: take payments",
        "✓ lock dates: none",
        "✓ currencies: NZD",
    ]


def test_an_examination_writes_nothing_in_xero_and_leaves_nothing_in_the_store(product: Product) -> None:
    written: list[str] = []
    xero = product.xero(
        transport=Through(
            product.simulator.transport, lambda sent: written.append(sent.url) if is_write(sent) else None
        )
    )
    xero.connect(product.tokens)

    Doctor(xero, features=FEATURES, clearing_account=CLEARING).examine()

    assert written == []
    assert product.store.get_many([RecordKey("doctor", product.books.tenant_id, "probe")]) == [None]


def _plan(plan: str) -> Callable[[Product], object]:
    return lambda product: product.books.change_plan(plan)


def _role(role: str) -> Callable[[Product], object]:
    return lambda product: product.books.change_role(role)


def _lock(until: date, *, year_end: bool = False) -> Callable[[Product], object]:
    return lambda product: product.books.lock_period(until, year_end=year_end)


def _archive(product: Product) -> object:
    return product.books.archive_account(CLEARING)


@pytest.mark.parametrize(
    ("happens", "found"),
    [
        (_plan("LEDGER"), {"plan": ["plan too small"]}),
        (_plan("STARTER"), {"plan": ["plan too small"], "currencies": ["currency missing"]}),
        (_role("READONLY"), {"role": ["role too small"]}),
        (_role("INVOICEONLY"), {"role": ["role too small"]}),
        (_role("FINANCIALADVISER"), {}),
        (_lock(DAY), {"lock dates": ["books closed"]}),
        (_lock(DAY, year_end=True), {"lock dates": ["books closed"]}),
        (_lock(DAY - timedelta(days=1)), {}),
        (_archive, {"accounts": ["account takes no payments"]}),
    ],
)
def test_each_trouble_is_one_finding(
    product: Product, xero: Xero, happens: Callable[[Product], object], found: dict[str, list[str]]
) -> None:
    product.books.add_currency("USD")
    happens(product)
    currencies = ["NZD", "USD"] if "plan" in found else ["NZD"]
    if "currencies" in found:
        currencies.append("EUR")

    checkup = Doctor(xero, features=FEATURES, clearing_account=CLEARING, currencies=currencies, earliest=DAY).examine()

    assert wrong(checkup) == found
    assert bool(checkup) is not bool(found)


def test_an_account_that_is_not_there_or_not_ready_is_named(product: Product, xero: Xero) -> None:
    ready = product.books.add_account("1170", "Clearing")

    checkup = Doctor(xero, clearing_account=ready.code, payment_account="9999").examine()

    assert wrong(checkup) == {"accounts": ["account takes no payments", "no such account"]}
    assert "prepare() enables payments on it" in str(checkup)


def test_an_account_through_which_nothing_of_a_currency_can_be_paid_is_named(product: Product, xero: Xero) -> None:
    product.books.add_currency("USD")
    foreign = product.books.add_account("095", "Dollars", type="BANK", CurrencyCode="USD").code

    def examined(*currencies: str, clearing: str = foreign) -> Checkup:
        return Doctor(xero, features=FEATURES, clearing_account=clearing, currencies=currencies).examine()

    for currencies in (["NZD"], ["usd", "nzd"]):
        (finding,) = examined(*currencies).findings
        assert (finding.code, finding.who) == ("another currency", "you")
        assert "no documents in NZD" in finding.cause
        assert finding.fix.startswith("choose one kept in NZD")
    assert examined("USD")
    assert examined("NZD", "USD", clearing=CLEARING)
    assert examined()


def test_what_a_consent_lacks_and_what_will_end_is_told(product: Product) -> None:
    scopes = "offline_access accounting.transactions accounting.settings.read"
    given = product.simulator.consent(product.app, tenants=[product.books.tenant_id], scopes=scopes)
    expires_at = product.clock.now() + timedelta(seconds=given.expires_in)
    xero = product.xero(store=MemoryStore())
    xero.connect(Tokens(given.access_token, given.refresh_token, expires_at, tuple(scopes.split())))

    (check,) = (each for each in Doctor(xero, features=["receivables"]).examine() if each.name == "scopes")

    assert [each.code for each in check.findings] == ["scope missing", "scope retired"]
    assert "accounting.contacts" in check.findings[0].cause
    assert "13 September 2027" in check.findings[1].cause
    assert {each.who for each in check.findings} == {"the user"}


@pytest.mark.parametrize("are_kept", [True, False])
@pytest.mark.parametrize(
    ("granted", "features", "lacks"),
    [
        ("accounting.invoices accounting.payments accounting.contacts", ["receivables"], "accounting.settings.read"),
        ("accounting.invoices", ["contacts"], "accounting.contacts accounting.settings.read"),
        ("accounting.contacts", ["contacts"], "accounting.settings.read"),
        ("accounting.contacts", [], "accounting.settings.read"),
    ],
)
def test_a_scope_that_is_missing_is_one_finding_that_names_it(
    product: Product, granted: str, features: list[str], lacks: str, *, are_kept: bool
) -> None:
    scopes = f"offline_access {granted}"
    given = product.simulator.consent(product.app, tenants=[product.books.tenant_id], scopes=scopes)
    expires_at = product.clock.now() + timedelta(seconds=given.expires_in)
    xero = product.xero(store=MemoryStore())
    kept = tuple(scopes.split()) if are_kept else ()
    xero.connect(Tokens(given.access_token, given.refresh_token, expires_at, kept))

    checkup = Doctor(xero, features=features, clearing_account=CLEARING, currencies=["NZD"]).examine()

    assert wrong(checkup) == {"scopes": ["scope missing"]}
    assert checkup.findings[0].cause == f"the consent lacks {lacks}"
    assert [check.name for check in checkup if check.passed] == ["store", "connection"]


def test_without_a_connection_nothing_else_is_blamed(product: Product, xero: Xero) -> None:
    product.books.disconnect()

    checkup = Doctor(xero, features=FEATURES, clearing_account=CLEARING).examine()

    assert wrong(checkup) == {"connection": ["reconnect needed"]}
    assert [check.name for check in checkup if check.looked] == ["store", "connection"]
    assert str(checkup).count(": not looked at") == 8


def _trial_over(product: Product) -> Xero:
    xero = product.xero()
    product.books.expire_trial()
    return xero


def _user_removed(product: Product) -> Xero:
    xero = product.xero()
    product.books.remove_user()
    return xero


def _secret_changed(product: Product) -> Xero:
    assert product.xero().connections()
    product.clock.advance(1800)
    wrong = App(product.app.client_id, "old secret")
    transport = product.simulator.transport
    return Xero(wrong, product.books.tenant_id, store=product.store, transport=transport, clock=product.clock)


def _not_active(product: Product) -> Xero:
    def expired(request: Request, response: Response) -> Response:
        is_it = request.url.split("?")[0].endswith("/Organisation")
        body = response.body.replace(b'"OrganisationStatus": "ACTIVE"', b'"OrganisationStatus": "EXPIRED"')
        assert not is_it or body != response.body
        return evolve(response, body=body) if is_it else response

    return product.xero(transport=Altered(product.simulator.transport, expired))


@pytest.mark.parametrize(
    ("of", "found", "who"),
    [
        (_trial_over, {"connection": ["refused"]}, "the organisation's subscriber"),
        (_user_removed, {"connection": ["refused"]}, "the organisation's subscriber"),
        (_secret_changed, {"connection": ["misconfigured"]}, "you"),
        (_not_active, {"organisation": ["organisation closed"]}, "the organisation's subscriber"),
    ],
)
def test_what_ended_is_told_with_who_can_take_it_up(
    product: Product, of: Callable[[Product], Xero], found: dict[str, list[str]], who: str
) -> None:
    checkup = Doctor(of(product), features=FEATURES, clearing_account=CLEARING).examine()

    assert wrong(checkup) == found
    assert [each.who for each in checkup.findings] == [who]


def test_every_finding_that_the_page_lists_is_one_that_a_test_has_seen() -> None:
    page = (Path(__file__).parents[1] / "docs" / "howto" / "doctor.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| [a-z ]+ \| ([a-z ]+) \| .+ \| .+ \|$", page, re.MULTILINE))
    here = Path(__file__).read_text(encoding="utf-8")

    assert len(listed) > 14
    assert [each for each in listed if f'"{each}"' not in here] == []


def test_xero_being_away_is_nobodys_fault(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.MAINTENANCE, path="/connections", times=5)

    (finding,) = Doctor(xero).examine().findings

    assert (finding.code, finding.who, finding.retry) == ("passing", "nobody, it is automatic", True)


def test_what_xero_will_not_tell_is_said_and_the_rest_is_looked_at(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.MISSING_SCOPE, path="/Users")

    checkup = Doctor(xero, features=FEATURES, clearing_account=CLEARING).examine()

    assert wrong(checkup) == {"role": ["could not be looked at"]}
    assert [check.name for check in checkup if not check.passed] == ["role"]


@frozen
class Wrong:
    """A clock that is *ahead* of another."""

    inner: Clock
    ahead: timedelta

    def now(self) -> datetime:
        return self.inner.now() + self.ahead

    async def sleep(self, seconds: float) -> None:
        await self.inner.sleep(seconds)


@pytest.mark.parametrize(("ahead", "way"), [(timedelta(seconds=90), "ahead of"), (timedelta(minutes=-10), "behind")])
def test_a_clock_that_is_wrong_is_told_by_xeros_own(product: Product, xero: Xero, ahead: timedelta, way: str) -> None:
    assert xero.connections()
    late = Xero(
        App(product.app.client_id, product.app.client_secret),
        product.books.tenant_id,
        store=product.store,
        transport=product.simulator.transport,
        clock=Wrong(product.clock, ahead),
    )

    (finding,) = Doctor(late).examine().findings

    assert finding.code == "clock wrong"
    assert way in finding.cause


class Broken(MemoryStore):
    """A store that keeps nothing of the doctor's."""

    def __init__(self, *, says: bool) -> None:
        super().__init__()
        self.says = says

    def commit(self, puts: object, **others: object) -> None:
        if any(each.kind == "doctor" for each in cast(list[Record], puts)):
            if self.says:
                raise StoreFailed("the disk is full: make room")
            return
        super().commit(cast(list[Record], puts), **others)  # type: ignore[arg-type]


@pytest.mark.parametrize("says", [True, False])
def test_a_store_that_does_not_keep_is_found_first(product: Product, says: bool) -> None:
    xero = product.xero(store=Broken(says=says))

    checkup = Doctor(xero, features=FEATURES).examine()

    assert wrong(checkup) == {"store": ["store"]}
    assert [check.name for check in checkup if check.looked] == ["store"]


class Raising(MemoryStore):
    """A host's store whose database goes away once it has been read *reads* times more, with an error of its own."""

    reads: int | None = None

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        if self.reads is not None:
            if not self.reads:
                raise OSError("the password hunter2 was refused")
            self.reads -= 1
        return super().get_many(keys)


@pytest.mark.parametrize(
    ("reads", "found"), [(0, {"store": ["store"]}), (1, {"connection": ["could not be looked at"]})]
)
def test_what_a_store_of_the_hosts_own_raises_is_a_finding_without_its_words(
    product: Product, reads: int, found: dict[str, list[str]]
) -> None:
    store = Raising()
    xero = product.xero(store=store)
    store.reads = reads

    checkup = Doctor(xero, features=FEATURES).examine()

    assert wrong(checkup) == found
    assert "OSError" in checkup.findings[0].cause
    assert "hunter2" not in str(checkup)


def test_what_cannot_be_asked_for_is_refused(xero: Xero) -> None:
    with pytest.raises(InvalidInput, match="currencies: give a list"):
        Doctor(xero, currencies="NZD")
    with pytest.raises(InvalidInput, match="clearing_account: give a text"):
        Doctor(xero, clearing_account=cast(str, 91))
    with pytest.raises(InvalidInput, match="currencies: give a text that is not blank"):
        Doctor(xero, currencies=["NZD", " "])
    with pytest.raises(InvalidInput, match="clearing_account: give a text that is not blank"):
        Doctor(xero, clearing_account="")
    with pytest.raises(InvalidInput, match="payment_account: give a text that is not blank"):
        Doctor(xero, payment_account=" ")
    for wrong in ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)):
        with pytest.raises(InvalidInput, match="earliest: give a date"):
            Doctor(xero, earliest=cast(date, wrong))


def test_a_feature_that_nobody_knows_is_refused(xero: Xero) -> None:
    with pytest.raises(InvalidInput, match="features"):
        Doctor(xero, features=["receivable"])


def test_a_custom_connection_is_examined_too(product: Product) -> None:
    app = product.simulator.register_app("Own", tenant_id=product.books.tenant_id)
    way = OAuth(App(app.client_id, app.client_secret), transport=product.simulator.transport, clock=product.clock)
    tokens = way.client_credentials(scopes_for("receivables", custom_connection=True))
    xero = Xero(
        App(app.client_id, app.client_secret),
        product.books.tenant_id,
        store=MemoryStore(),
        transport=product.simulator.transport,
        clock=product.clock,
    )
    xero.connect(tokens)

    checkup = Doctor(xero, features=["receivables"]).examine()

    assert [check.name for check in checkup if not check.passed] == []


def test_the_awaited_doctor_says_the_same(product: Product) -> None:
    async def examine() -> Checkup:
        async with product.asynchronous() as xero:
            await xero.connect(product.tokens)
            return await AsyncDoctor(xero, features=FEATURES, clearing_account=CLEARING).examine()

    assert str(asyncio.run(examine())) == str(
        Doctor(product.xero(), features=FEATURES, clearing_account=CLEARING).examine()
    )


def test_findings_stand_in_rows(product: Product, xero: Xero) -> None:
    product.books.change_plan("LEDGER")

    rows = Doctor(xero, features=FEATURES).examine().rows()

    assert len(rows) == 10
    assert [row["who"] for row in rows if row["cause"]] == ["the organisation's subscriber"]
