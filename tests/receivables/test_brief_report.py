"""A brief report: what a whole one finds, without listing what is as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from weakref import ref

import pytest
from attrs import define, evolve, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd
from tests.receivables.planted import KINDS, differences, plant

from xerosync import Fee, LineKind, Money, Receivables, Reconciliation, Settlement, SettlementLine, SettlementSettings
from xerosync.errors import InvalidInput
from xerosync.storage import RecordKey

CHOSEN = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")


@define
class Host:
    """A product that settles what it collected."""

    product: Product
    sales: Receivables
    settlements: list[Settlement] = field(factory=list[Settlement])

    def collect(self, name: str, *amounts: str, day: int = 0, paid_out: bool = True) -> Settlement:
        """Settle and post a collection of each of *amounts*."""
        lines = [
            SettlementLine(id=f"{name}-{place}", transaction=self.product.collectable(each).id, amount=nzd(each))
            for place, each in enumerate(amounts)
        ]
        return self.settle(name, *lines, day=day, paid_out=paid_out)

    def settle(self, name: str, *lines: SettlementLine, day: int = 0, paid_out: bool = True) -> Settlement:
        on = DAY + timedelta(days=day)
        fees = [Fee(amount=nzd("0.30"))] if paid_out else []
        settlement = Settlement(id=name, on=on, lines=lines, fees=fees, paid_out_on=on if paid_out else None)
        self.settlements.append(settlement)
        self.sales.apply(self.sales.settle(settlement))
        return settlement

    def reports(self) -> tuple[Reconciliation, Reconciliation]:
        """The whole report and the brief one, which never disagree."""
        whole, brief = (self.sales.reconcile(self.settlements, brief=each) for each in (False, True))
        assert differences(whole, brief) == []
        return whole, brief


@pytest.fixture
def host(product: Product) -> Host:
    return Host(product, Receivables(product.xero(), clearing_account=CLEARING, settlements=CHOSEN))


def listed(report: Reconciliation) -> list[tuple[str, str]]:
    return [(each.what, str(each.amount)) for each in report.statement.movements]


def test_what_stands_as_it_was_settled_is_in_the_sums_and_in_no_list(host: Host) -> None:
    host.collect("S1", "10.00", "20.00", "30.00")
    host.collect("S2", "5.00", day=1, paid_out=False)

    whole, brief = host.reports()

    assert brief.clean
    assert str(brief) == str(whole) == "clearing 5.00 NZD = 5.00 NZD in flight + 0 exceptions"
    assert len(whole.statement.movements) == 6
    assert "6 movements" in whole.html()
    assert "6 movements" in brief.html()
    assert listed(brief) == [
        ("3 payments", "60.00 NZD"),
        ("bank transaction", "-0.30 NZD"),
        ("transfer", "-59.70 NZD"),
        ("1 payment", "5.00 NZD"),
    ]
    assert brief.settlements is not None
    assert [(line.what, line.about, str(line.worth)) for each in brief.settlements for line in each.lines] == [
        ("fees", "S1", "0.30 NZD"),
        ("payout", "S1", "59.70 NZD"),
    ]


def test_what_is_wrong_is_found_among_what_is_not(host: Host) -> None:
    first = host.collect("S1", "10.00", "20.00", "30.00")
    (payment,) = host.product.books.payments_of(first.lines[1].transaction)
    host.product.books.remove_payment(payment.id)

    _, brief = host.reports()

    assert [(each.code, each.about, str(each.amount)) for each in brief.discrepancies] == [
        ("removed in Xero", "S1-1", "-20.00 NZD")
    ]
    assert listed(brief)[0] == ("2 payments", "40.00 NZD")
    host.sales.apply(brief.plan(lambda each: each.fixes[0]))
    assert host.reports()[1].clean


@pytest.mark.parametrize("brief", [False, True])
def test_every_payment_that_was_removed_costs_no_call_of_its_own(host: Host, *, brief: bool) -> None:
    settlement = host.collect("S1", "10.00", "20.00", "30.00", "40.00")
    calls: list[int] = []

    for line in settlement.lines:
        (payment,) = host.product.books.payments_of(line.transaction)
        host.product.books.remove_payment(payment.id)
        before = host.product.simulator.calls
        assert host.sales.reconcile(host.settlements, brief=brief).discrepancies[-1].about == line.id
        calls.append(host.product.simulator.calls - before)

    assert len(set(calls)) == 1


def test_settlements_are_read_once_as_they_come(host: Host) -> None:
    host.collect("S1", "10.00", "20.00")
    read: list[str] = []

    def one_by_one() -> Iterator[Settlement]:
        for each in host.settlements:
            read.append(each.id)
            yield each

    assert host.sales.reconcile(one_by_one(), brief=True).clean
    assert read == ["S1"]


def test_settlements_that_are_read_are_not_kept(host: Host) -> None:
    """Of a million lines a host holds one settlement at a time, and so does the report."""
    for place in range(12):
        host.collect(f"S{place}", "10.00", paid_out=False)
    settled = host.settlements
    kept: list[int] = []

    def one_by_one() -> Iterator[Settlement]:
        alive: list[ref[Settlement]] = []
        for each in settled:
            read = evolve(each)
            alive.append(ref(read))
            yield read
            del read
            kept.append(sum(one() is not None for one in alive))

    assert host.sales.reconcile(one_by_one(), brief=True).clean
    assert len(kept) == 12
    assert max(kept) == 1


def test_what_is_no_settlement_among_those_that_are_read_is_named(host: Host) -> None:
    host.collect("S1", "10.00")
    mixed: list[object] = [*host.settlements, "S2"]

    with pytest.raises(InvalidInput, match=r"settlements\[1\]: give a Settlement"):
        host.sales.reconcile(iter(mixed), brief=True)  # type: ignore[arg-type]


def test_without_settlements_it_goes_by_what_was_posted(host: Host) -> None:
    host.collect("S1", "10.00", "20.00", paid_out=False)
    other = host.product.invoice("Bo Lee", "7.00")
    host.product.books.add_payment(other.id, account=CLEARING, date=DAY)

    whole, brief = (host.sales.reconcile(brief=each) for each in (False, True))

    assert differences(whole, brief) == []
    assert (brief.in_flight, brief.payments) == (nzd("30.00"), 2)


def test_what_was_settled_and_is_in_no_settlement_is_found(host: Host) -> None:
    host.collect("S1", "10.00", "20.00", paid_out=False)
    host.collect("S2", "5.00", day=1, paid_out=False)
    host.settlements = [evolve(host.settlements[0], lines=host.settlements[0].lines[:1])]

    _, brief = host.reports()

    assert [(each.code, each.about) for each in brief.discrepancies] == [
        ("not in your settlements", "S1-1"),
        ("not in your settlements", "S2-0"),
    ]


@pytest.mark.parametrize("brief", [False, True])
def test_a_settlement_of_before_the_first_day_that_was_paid_out_since_need_not_be_given(
    host: Host, *, brief: bool
) -> None:
    host.collect("S1", "10.00", "20.00", paid_out=False)
    host.collect("S2", "5.00", day=7, paid_out=False)
    late = evolve(host.settlements[0], paid_out_on=DAY + timedelta(days=7))
    host.sales.apply(host.sales.settle(late))

    report = host.sales.reconcile([host.settlements[1]], first=DAY + timedelta(days=3), brief=brief)

    assert report.clean
    assert (report.opening, report.balance, report.in_flight) == (nzd("30.00"), nzd("5.00"), nzd("5.00"))


@pytest.mark.parametrize("again", ["S1-0", "S1-1"])
def test_a_line_id_that_is_used_twice_is_refused_though_the_first_is_ticked_off(host: Host, again: str) -> None:
    settlement = host.collect("S1", "10.00", "20.00")
    (line,) = [each for each in settlement.lines if each.id == again]
    twice = Settlement(id="S2", on=DAY + timedelta(days=1), lines=[line])

    with pytest.raises(InvalidInput, match="give each settlement line an id of its own"):
        host.sales.reconcile([settlement, twice], brief=True)


def test_a_settlement_whose_net_is_not_its_sum_is_refused_though_its_lines_are_ticked_off(host: Host) -> None:
    settlement = host.collect("S1", "10.00", "20.00")

    with pytest.raises(InvalidInput, match="net"):
        host.sales.reconcile([evolve(settlement, net=nzd("1.00"))], brief=True)
    assert host.sales.reconcile([evolve(settlement, net=nzd("29.70"))], brief=True).clean


@pytest.mark.parametrize("brief", [False, True])
def test_a_settlement_of_nothing_or_of_two_currencies_is_refused_though_its_lines_are_ticked_off(
    host: Host, *, brief: bool
) -> None:
    monday = host.collect("S1", "10.00", "20.00", paid_out=False)
    dollars = evolve(monday.lines[0], amount=Money("10.00", "USD"))

    with pytest.raises(InvalidInput, match="at least one line"):
        host.sales.reconcile([evolve(monday, lines=[])], brief=brief)
    with pytest.raises(InvalidInput, match="in one currency"):
        host.sales.reconcile([evolve(monday, lines=[dollars, monday.lines[1]])], brief=brief)


def test_a_charge_back_is_looked_at_with_what_was_collected_anew_on_the_same_day(host: Host) -> None:
    """It is not for what came after it, and the settlements of one day are in the order of their ids."""
    first = host.collect("S1", "10.00", paid_out=False)
    (line,) = first.lines
    back = SettlementLine(id="back", transaction=line.transaction, amount=line.amount, kind=LineKind.CHARGED_BACK)
    host.settle("S2", back, day=3, paid_out=False)
    host.settle("S3", evolve(line, id="anew"), day=3, paid_out=False)

    whole, brief = host.reports()

    assert whole.clean
    assert len(listed(brief)) == 1


def test_a_charge_back_that_is_not_posted_yet_leaves_what_was_collected_anew_that_day(host: Host) -> None:
    first = host.collect("S2", "10.00", day=3, paid_out=False)
    (line,) = first.lines
    back = SettlementLine(id="back", transaction=line.transaction, amount=line.amount, kind=LineKind.CHARGED_BACK)
    host.settlements.append(Settlement(id="S1", on=first.on, lines=[back]))

    whole, brief = host.reports()

    assert [each.code for each in brief.discrepancies] == [each.code for each in whole.discrepancies] != []


def test_what_was_collected_anew_on_the_day_of_a_charge_back_is_looked_at_with_its_payout(host: Host) -> None:
    """It is no settlement of that line alone, which would be given without a payout that stands."""
    (line,) = host.collect("S1", "10.00").lines
    host.settle("S2", evolve(line, id="back", kind=LineKind.CHARGED_BACK), day=5, paid_out=False)
    other = host.product.collectable("4.00")
    lines = [evolve(line, id="anew"), SettlementLine(id="other", transaction=other.id, amount=nzd("4.00"))]
    host.settle("S3", *lines, day=5)

    _, brief = host.reports()

    assert brief.clean
    assert brief.in_flight == nzd("-10.00")


def test_two_records_of_one_payment_are_both_looked_at(host: Host) -> None:
    """As after a store was mended by hand."""
    host.collect("S1", "10.00", "20.00", paid_out=False)
    store, tenant = host.product.store, host.product.books.tenant_id
    one, other = store.query("intent", tenant, lookup=("settlement", "S1"))
    store.commit([evolve(other, body=one.body, lookups=one.lookups)], expect={})

    host.reports()


def test_a_payment_that_the_store_has_forgotten_is_found(host: Host) -> None:
    settlement = host.collect("S1", "10.00", "20.00", paid_out=False)
    store, tenant = host.product.store, host.product.books.tenant_id
    (payment,) = host.product.books.payments_of(settlement.lines[0].transaction)
    (record,) = store.query("intent", tenant, lookup=("xero_id", payment.id))
    store.commit([], deletes=[RecordKey("intent", tenant, record.key)])

    _, brief = host.reports()

    assert [each.code for each in brief.discrepancies] == ["payment the store does not know"]


def test_an_account_in_another_currency_is_looked_at_payment_by_payment() -> None:
    product = found_product()
    product.books.add_account("095", "Euro clearing", type="BANK", currency="EUR")
    sales = Receivables(product.xero(), clearing_account="095")

    assert differences(sales.reconcile(), sales.reconcile(brief=True)) == []


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    kinds=st.lists(st.sampled_from(sorted(KINDS)), max_size=5),
    through_a_bank=st.booleans(),
    first=st.integers(0, 12),
    length=st.none() | st.integers(0, 20),
    from_settlements=st.booleans(),
)
def test_of_any_days_a_brief_report_finds_what_a_whole_one_does(
    *, seed: int, kinds: list[str], through_a_bank: bool, first: int, length: int | None, from_settlements: bool
) -> None:
    books = plant(seed, kinds, through_a_bank=through_a_bank)
    begin = DAY + timedelta(days=first)
    end = None if length is None else begin + timedelta(days=length)
    given_ones = [each for each in books.settlements if each.on >= begin] if from_settlements else None

    whole, brief = (books.sales.reconcile(given_ones, first=begin, last=end, brief=each) for each in (False, True))

    assert differences(whole, brief) == []
    assert sum((each.amount.amount for each in brief.statement.movements), Decimal(0)) == sum(
        (each.amount.amount for each in whole.statement.movements), Decimal(0)
    )
    books.product.simulator.close()
