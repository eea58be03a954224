"""A brief report rolled forward by what has changed: it says what one of all settlements would."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import define, evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.receivables.planted import differences
from tests.receivables.rolled import STEPS, Rolling, main, wrong_with

from xerosync import Fee, LineKind, Receivables, Reconciliation, Settlement, SettlementLine, SettlementSettings
from xerosync.engine import rolling as engine
from xerosync.errors import InvalidInput
from xerosync.storage import RecordKey

CHOSEN = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")


@define
class Host:
    """A product that settles what it collected."""

    product: Product
    sales: Receivables

    def collect(self, name: str, *amounts: str, day: int = 0, paid_out: bool = True) -> Settlement:
        """Settle and post a collection of each of *amounts*."""
        lines = [
            SettlementLine(id=f"{name}-{place}", transaction=self.product.collectable(each).id, amount=nzd(each))
            for place, each in enumerate(amounts)
        ]
        on = DAY + timedelta(days=day)
        fees = [Fee(amount=nzd("0.30"))] if paid_out else []
        settlement = Settlement(id=name, on=on, lines=lines, fees=fees, paid_out_on=on if paid_out else None)
        self.post(settlement)
        return settlement

    def post(self, settlement: Settlement) -> None:
        self.sales.apply(self.sales.settle(settlement))


@pytest.fixture
def host(product: Product) -> Host:
    return Host(product, Receivables(product.xero(), clearing_account=CLEARING, settlements=CHOSEN))


def listed(report: Reconciliation) -> list[tuple[str, str]]:
    return [(each.what, str(each.amount)) for each in report.statement.movements]


def test_only_what_is_new_is_given_and_the_sums_are_those_of_all(host: Host) -> None:
    first = host.collect("S1", "10.00", "20.00")
    proven = host.sales.reconcile([first], brief=True)
    second = host.collect("S2", "5.00", day=1, paid_out=False)

    report = host.sales.reconcile(second, since=proven)

    assert report.clean
    assert str(report) == "clearing 5.00 NZD = 5.00 NZD in flight + 0 exceptions"
    assert differences(host.sales.reconcile([first, second]), report) == []
    assert listed(host.sales.reconcile(since=report)) == [
        ("1 bank transaction", "-0.30 NZD"),
        ("1 transfer", "-29.70 NZD"),
        ("2 payments", "30.00 NZD"),
        ("1 payment", "5.00 NZD"),
    ]


def test_a_payment_that_was_removed_since_is_found_among_those_that_were_ticked_off(host: Host) -> None:
    first = host.collect("S1", "10.00", "20.00")
    proven = host.sales.reconcile([first], brief=True)
    (payment,) = host.product.books.payments_of(first.lines[1].transaction)
    host.product.books.remove_payment(payment.id)

    report = host.sales.reconcile(since=proven)

    assert [(each.code, each.about, str(each.amount)) for each in report.discrepancies] == [
        ("removed in Xero", "S1-1", "-20.00 NZD")
    ]
    host.sales.apply(report.plan(lambda each: each.fixes[0]))
    assert host.sales.reconcile(since=report).clean


def test_a_report_may_be_rolled_forward_more_than_once(host: Host) -> None:
    """Each is a value: what was rolled forward from it says nothing of what is rolled forward next."""
    first = host.collect("S1", "10.00")
    proven = host.sales.reconcile([first], brief=True)
    (payment,) = host.product.books.payments_of(first.lines[0].transaction)
    host.product.books.remove_payment(payment.id)

    reports = [host.sales.reconcile(since=proven) for _ in range(2)]

    assert reports[0].discrepancies == reports[1].discrepancies
    assert proven.clean


def test_what_is_as_it_was_is_not_read_again(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    settled = [host.collect(f"S{place}", "10.00", day=place) for place in range(4)]
    proven = host.sales.reconcile(settled, brief=True)
    proven = host.sales.reconcile(since=proven)
    (payment,) = host.product.books.payments_of(settled[2].lines[0].transaction)
    host.product.books.remove_payment(payment.id)
    looked_at: list[str] = []
    roll = engine.roll

    async def seen(*args: object) -> object:
        rolled = await roll(*args)  # type: ignore[arg-type]
        looked_at.extend(each.id for each in rolled.settlements)
        return rolled

    monkeypatch.setattr("xerosync.engine.reconciling.roll", seen)
    assert not host.sales.reconcile(since=proven).clean

    assert looked_at == ["S2"]


def test_a_settlement_that_is_withdrawn_leaves_what_was_posted_for_it(host: Host) -> None:
    first, second = host.collect("S1", "10.00"), host.collect("S2", "5.00", day=1)
    proven = host.sales.reconcile([first, second], brief=True)

    report = host.sales.reconcile(since=proven, withdrawn=["S2"])

    assert {each.code for each in report.discrepancies} == {"not in your settlements"}
    assert report.discrepancies == host.sales.reconcile([first], brief=True).discrepancies
    assert host.sales.reconcile(second, since=report).clean


def test_a_line_id_that_was_used_before_is_refused(host: Host) -> None:
    first = host.collect("S1", "10.00")
    proven = host.sales.reconcile([first], brief=True)
    twice = Settlement(id="S2", on=DAY, lines=first.lines)

    with pytest.raises(InvalidInput, match="give each settlement line an id of its own"):
        host.sales.reconcile(twice, since=proven)


def test_a_charge_back_finds_what_it_takes_back_among_what_was_ticked_off(host: Host) -> None:
    first = host.collect("S1", "10.00", paid_out=False)
    proven = host.sales.reconcile([first], brief=True)
    (line,) = first.lines
    back = Settlement(id="S2", on=DAY, lines=[evolve(line, id="back", kind=LineKind.CHARGED_BACK)])

    report = host.sales.reconcile(back, since=proven)

    assert [(each.code, str(each.amount)) for each in report.discrepancies] == [("not posted yet", "10.00 NZD")]
    host.sales.apply(report.plan("post"))  # type: ignore[arg-type]
    assert host.sales.reconcile(since=report).clean
    assert differences(host.sales.reconcile([first, back]), host.sales.reconcile(since=report)) == []


def test_a_store_that_lost_what_changed_last_is_not_gone_on_from(host: Host) -> None:
    """As when it was set back to a backup."""
    first = host.collect("S1", "10.00")
    proven = host.sales.reconcile([first], brief=True)
    store, tenant = host.product.store, host.product.books.tenant_id
    last = store.query("intent", tenant, order="changed")[-1]
    store.commit([], deletes=[RecordKey("intent", tenant, last.key)])

    with pytest.raises(InvalidInput, match="take a report of all settlements anew"):
        host.sales.reconcile(since=proven)


def test_an_intent_that_is_another_than_was_ticked_off_is_not_gone_on_from(host: Host) -> None:
    """As after a store was mended by hand."""
    first = host.collect("S1", "10.00", "20.00")
    proven = host.sales.reconcile([first], brief=True)
    store, tenant = host.product.store, host.product.books.tenant_id
    (record,) = [each for each in store.query("intent", tenant) if '"S1-1"' in each.body and '"payment"' in each.body]
    store.commit([evolve(record, body=record.body.replace("20.00", "21.00"))])

    with pytest.raises(InvalidInput, match="take a report of all settlements anew"):
        host.sales.reconcile(since=proven)


Changes = Callable[[Host, Reconciliation], object]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda host, proven: host.sales.reconcile(since=pickle.loads(pickle.dumps(proven))), "in this process"),  # noqa: S301
        (lambda host, _: host.sales.reconcile(since=host.sales.reconcile([])), "give a brief report"),
        (lambda host, _: host.sales.reconcile(since=host.sales.reconcile(brief=True)), "all your settlements"),
        (
            lambda host, _: host.sales.reconcile(since=host.sales.reconcile([], brief=True, first=DAY)),
            "of all days",
        ),
        (lambda host, proven: host.sales.reconcile(since=proven, first=DAY), "leave out first and last"),
        (lambda host, proven: host.sales.reconcile(since=proven, account=BANK), "of the same account"),
        (
            lambda host, proven: Receivables(
                host.product.xero(), clearing_account=CLEARING, settlements=evolve(CHOSEN, fee_account="400")
            ).reconcile(since=proven),
            "settings or accounts",
        ),
        (lambda host, _: host.sales.reconcile(withdrawn=["S1"]), "since=…"),
        (
            lambda host, proven: host.sales.reconcile(host.collect("S2", "9.00"), since=proven, withdrawn=["S1", "S2"]),
            "withdrawn: leave out the ids of settlements that you give",
        ),
    ],
)
def test_what_cannot_be_rolled_forward_is_refused(host: Host, change: Changes, message: str) -> None:
    proven = host.sales.reconcile([host.collect("S1", "10.00")], brief=True)

    with pytest.raises(InvalidInput, match=message):
        change(host, proven)


def test_an_account_that_has_changed_since_is_refused(host: Host) -> None:
    proven = host.sales.reconcile([host.collect("S1", "10.00")], brief=True)
    account = next(each for each in host.product.xero().accounts.list() if each.code == CLEARING)
    host.product.xero().accounts.update_one(
        evolve(account, name="Another name", extra={}, updated_date_utc=None)  # what the books say of it
    )

    with pytest.raises(InvalidInput, match="settings or accounts"):
        host.sales.reconcile(since=proven)


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    names=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=6),
    through_a_bank=st.booleans(),
)
def test_after_every_step_it_says_what_one_of_all_would(seed: int, names: list[str], *, through_a_bank: bool) -> None:
    assert wrong_with(seed, names, through_a_bank=through_a_bank) == []


def test_the_comparison_would_see_a_payment_that_was_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unseen(*_: object) -> None:
        return None

    monkeypatch.setattr("xerosync.engine.rolling._Rolling._disturb_payments", unseen)
    rolling = Rolling.begun(1, through_a_bank=True)

    assert rolling.play("somebody removed a payment") != []
    rolling.books.product.simulator.close()


def test_the_command_plays_and_compares(capsys: pytest.CaptureFixture[str]) -> None:
    """For thousands of seeds: python -m tests.receivables.rolled --seeds 1000."""
    assert main(["--seeds", "1", "--first", "7"]) == 0

    assert capsys.readouterr().out.startswith("1 books from 7, ")
