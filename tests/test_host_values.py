"""What a host fills in is told where it is made: which field is wrong, what came, and what to give instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import cast

import numpy
import pandas
import pytest
from attrs import NOTHING, evolve
from tests.conftest import DAY, nzd

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    BillSettings,
    CardSpend,
    CreditRefund,
    Customer,
    Fee,
    HistoryNotes,
    ImportSettings,
    Money,
    ProcessingCalendar,
    RetryPolicy,
    Rule,
    Rules,
    Sale,
    SaleLine,
    Settlement,
    SettlementLine,
    SettlementSettings,
    TransactionState,
    Vendor,
    WantedAccount,
)
from xerosync.errors import InvalidInput

LINE = SettlementLine(id="L1", transaction="t1", amount=nzd("10.00"))
BILL_LINE = BillLine(description="Mats", amount=nzd("10.00"))
TEXT_AMOUNT = "amount: give a Money, not a text"
BILL: dict[str, object] = {"id": "b", "vendor": "Acme", "number": "1", "on": DAY, "lines": ()}


MISTAKES: list[tuple[Callable[..., object], dict[str, object], str]] = [
    (
        Settlement,
        {"id": "S", "on": DAY, "lines": LINE},
        "lines: give a list of which each is a SettlementLine, not one by itself",
    ),
    (
        Settlement,
        {"id": "S", "on": DAY, "lines": None},
        "lines: give a list of which each is a SettlementLine, not None",
    ),
    (Settlement, {"id": "S", "on": DAY, "lines": ["L1"]}, "lines[0]: give a SettlementLine, not a text"),
    (Settlement, {"id": 7, "on": DAY, "lines": ()}, "id: give a text, not an int"),
    (Settlement, {"id": "S", "on": DAY, "lines": (), "rate": 1.5}, "rate: give a Decimal or None, not a float"),
    (Settlement, {"id": "S", "on": DAY, "lines": (), "net": "10.00"}, "net: give a Money or None, not a text"),
    (Settlement, {"id": "S", "on": "2026-01-05", "lines": ()}, "on: give a date, not a text"),
    (SettlementLine, {"id": "L", "transaction": "t", "amount": "10.00"}, TEXT_AMOUNT),
    (SettlementLine, {"id": "L", "transaction": "t", "amount": "10.00", "settled": nzd(1)}, TEXT_AMOUNT),
    (Fee, {"amount": Decimal(1)}, "amount: give a Money, not a Decimal"),
    (Bill, {**BILL, "lines": BILL_LINE}, "lines: give a list of which each is a BillLine, not one by itself"),
    (Bill, {**BILL, "vendor": None}, "vendor: give a text or a Vendor, not None"),
    (BillLine, {"description": "Mats", "amount": "10.00"}, TEXT_AMOUNT),
    (
        BillLine,
        {"description": "Mats", "amount": nzd(1), "tracking": ("Region", "North")},
        "tracking[0]: give a list of which each is a text, not one by itself",
    ),
    (BillLine, {"description": "Mats", "amount": nzd(1), "quantity": 2}, "quantity: give a Decimal, not an int"),
    (
        Sale,
        {"id": "s", "customer": "c", "on": DAY, "lines": "x"},
        "lines: give a list of which each is a SaleLine, not a text",
    ),
    (SaleLine, {"description": "Mats", "amount": 10.0}, "amount: give a Money, not a float"),
    (
        CardSpend,
        {"id": "e", "vendor": "Acme", "on": DAY, "account": 90, "lines": ()},
        "account: give a text, not an int",
    ),
    (
        BillPayment,
        {"id": "p", "on": DAY, "bill_id": "b", "amount": "10.00"},
        "amount: give a Money or None, not a text",
    ),
    (CreditRefund, {"id": "p", "on": DAY, "credit_id": None}, "credit_id: give a text, not None"),
    (TransactionState, {"id": "t", "status": "approved", "amount": "5.00"}, "amount: give a Money or None, not a text"),
    (Customer, {"id": 7, "custom_identifier": "Ana"}, "id: give a text, not an int"),
    (Customer, {"id": NOTHING, "custom_identifier": "Ana"}, "id: give a text, not an attr._Nothing"),
    (Bill, {**BILL, "on": NOTHING}, "on: give a date, not an attr._Nothing"),
    (Vendor, {"name": "Acme", "facts": {"x": 1}}, "facts: its values: give a text, not an int"),
    (ProcessingCalendar, {"weekend": 5}, "weekend: give a list of which each is an int, not one by itself"),
    (ProcessingCalendar, {"holidays": ["2026-01-01"]}, "holidays[0]: give a date, not a text"),
    (RetryPolicy, {"times": "1"}, "times: give an int, not a text"),
    (WantedAccount, {"code": 91, "name": "Clearing", "type": "CURRENT"}, "code: give a text, not an int"),
    (HistoryNotes, {"by": None}, "by: give a text, not None"),
    (SettlementSettings, {"bank_account": 90}, "bank_account: give a text or None, not an int"),
    (SettlementSettings, {"when_locked": "move"}, "when_locked: give a WhenLocked, not a text"),
    (ImportSettings, {"mapper": "mine"}, "mapper: give a function, not a text"),
    (BillSettings, {"rules": [Rule(name="all", account=None)]}, "rules: give a Rules, not a list"),
    (Rules, {"rules": Rule(name="all")}, "rules: give a list of which each is a Rule, not one by itself"),
]


@pytest.mark.parametrize(("cls", "given", "told"), MISTAKES)
def test_what_is_wrong_is_told_where_it_is_made(
    cls: Callable[..., object],
    given: dict[str, object],
    told: str,
) -> None:
    with pytest.raises(InvalidInput) as refused:
        cls(**given)

    assert str(refused.value) == told


def test_a_changed_copy_is_looked_at_as_well() -> None:
    with pytest.raises(InvalidInput, match="amount: give a Money, not a text"):
        evolve(LINE, amount=cast(Money, "12.00"))


def test_lines_that_can_be_read_but_once_are_taken() -> None:
    assert Settlement(id="S", on=DAY, lines=(each for each in [LINE])).lines == (LINE,)


def test_whole_numbers_of_a_dataframe_are_money_and_its_other_numbers_say_what_they_are() -> None:
    frame = pandas.DataFrame({"whole": [3], "exact": [Decimal("3.10")], "float": [3.1], "none": [pandas.NA]})

    assert Money(frame["whole"][0], "NZD") == Money(numpy.int64(3), "NZD") == Money(3, "NZD")
    assert Money(frame["exact"][0], "NZD") == nzd("3.10")
    for column, kind in (("float", "a numpy.float64"), ("none", "a pandas.NAType")):
        with pytest.raises(InvalidInput) as refused:
            Money(frame[column][0], "NZD")
        assert str(refused.value) == f"amount: money is exact: give a Decimal, an int or a str, never {kind}"


def test_ids_and_days_of_a_dataframe_say_what_to_make_of_them() -> None:
    frame = pandas.DataFrame({"id": [7], "on": pandas.to_datetime(["2026-01-05"])})

    with pytest.raises(InvalidInput, match=r"transaction: give a text, not a numpy\.int64"):
        evolve(LINE, transaction=frame["id"][0])
    with pytest.raises(InvalidInput, match=r"on: give a date, as \.date\(\) makes of a moment: Xero keeps days"):
        Settlement(id="S", on=frame["on"][0], lines=[LINE])
    assert Settlement(id="S", on=frame["on"][0].date(), lines=[LINE]).on == date(2026, 1, 5)
