"""What a program gives by mistake is told at once: which argument, down to the field of a line, and what to give."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import CLEARING, DAY, Product, found_product, nzd

from xerosync import (
    AsyncReceivables,
    Customer,
    MemoryStore,
    Receivables,
    Settlement,
    SettlementLine,
)
from xerosync.client._driver import run
from xerosync.errors import InvalidInput, XerosyncError

ANA = Customer(id="7", custom_identifier="Ana")
MOMENT = datetime(2026, 1, 5, tzinfo=UTC)
VERBS = sorted(name for name in vars(Receivables) if not name.startswith("_"))


def parameters(verb: str) -> list[inspect.Parameter]:
    listed = list(inspect.signature(getattr(AsyncReceivables, verb)).parameters.values())
    return [each for each in listed if each.name != "self"]


def given_to(verb: str) -> list[tuple[str, str]]:
    return [(verb, each.name) for each in parameters(verb)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "settlements: give a Settlement or a list of which each is a Settlement, not None"),
        ("x", "settlements: give a Settlement or a list of which each is a Settlement, not a text"),
        ({"S1": ()}, "settlements: give a Settlement or a list of which each is a Settlement, not a dict"),
        ([None], "settlements[0]: give a Settlement, not None"),
    ],
)
@pytest.mark.parametrize("verb", ["settle", "settlement_report", "backfill"])
def test_a_settlement_that_is_none_is_told_before_anything_is_read(
    sales: Receivables, verb: str, given: object, told: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        getattr(sales, verb)(given)

    assert str(refused.value) == told


@pytest.mark.parametrize("name", ["fees/S1", "payout/S1", "surplus/L2", "charged back/L2"])
@pytest.mark.parametrize("brief", [False, True])
def test_a_line_is_not_called_as_what_is_posted_besides_payments(sales: Receivables, name: str, brief: bool) -> None:
    line = SettlementLine(id=name, transaction="t", amount=nzd("1.00"))
    settlement = Settlement(id="S1", on=DAY, lines=[line])

    with pytest.raises(InvalidInput, match="id: give the line an id that begins with none of fees/, payout/"):
        sales.settle(settlement)
    with pytest.raises(InvalidInput, match="id: give the line"):
        sales.reconcile([settlement], brief=brief)


def test_what_is_undone_is_a_settlement_and_not_its_id(sales: Receivables) -> None:
    with pytest.raises(InvalidInput, match="settlement: give a Settlement"):
        sales.undo_settlement("S1")  # type: ignore[arg-type]


def test_ids_are_a_list_and_not_one_text(sales: Receivables) -> None:
    """A text is a list of its letters."""
    for verb in (sales.void, sales.posted, sales.contact_updates, sales.import_invoices, sales.allocate):
        with pytest.raises(InvalidInput, match="give a list of which each is a text"):
            verb("s1")


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"clearing_account": 91}, "clearing_account: give a text or None, not an int"),
        ({"imports": "daily"}, "imports: give an ImportSettings or None, not a text"),
    ],
)
def test_a_story_is_not_begun_with_settings_that_are_none(
    product: Product, chosen: dict[str, object], told: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        Receivables(product.xero(), **chosen)  # type: ignore[arg-type]

    assert str(refused.value) == told


def test_the_awaited_story_is_told_the_same(product: Product) -> None:
    awaited = AsyncReceivables(product.asynchronous(), clearing_account=CLEARING)

    with pytest.raises(InvalidInput, match="settlements: give a Settlement"):
        run(awaited.settle(None))  # type: ignore[arg-type]


def test_what_can_be_read_but_once_is_read_whole(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")

    def settlements() -> Iterator[Settlement]:
        yield Settlement(id="S1", on=DAY, lines=[SettlementLine(id="L", transaction=invoice.id, amount=nzd("100.00"))])

    sales.apply(sales.settle(settlements()))

    assert product.standing(invoice.id) == [(Decimal(100), DAY)]


ODD: list[object] = [None, "x", 7, 1.5, Decimal(1), b"x", object(), {}, {"x": "y"}, [], [None], ["x"], [7], DAY, nzd(1)]
ODD += [ANA, [ANA], [[]], True, lambda: None, MOMENT]


@settings(max_examples=60)
@given(verb=st.sampled_from(VERBS), picks=st.lists(st.integers(0, len(ODD) - 1), min_size=9, max_size=9))
def test_whatever_is_given_to_a_verb_the_error_is_ours(verb: str, picks: list[int]) -> None:
    product = found_product()
    sales = Receivables(product.xero(store=MemoryStore()), clearing_account=CLEARING)
    wanted = parameters(verb)
    keywords = {each.name: ODD[pick] for each, pick in zip(wanted, picks, strict=False)}
    plain = [keywords.pop(each.name) for each in wanted if each.kind is not inspect.Parameter.KEYWORD_ONLY]

    with contextlib.suppress(XerosyncError):
        getattr(sales, verb)(*plain, **keywords)

    assert product.live_payments() == []
    assert product.books.balance(product.books.account(CLEARING).id) == 0
    product.simulator.close()


DAYS = [(verb, each.name) for verb in VERBS for each in parameters(verb) if each.annotation in {"date", "date | None"}]


@pytest.mark.parametrize(("verb", "name"), DAYS)
def test_a_moment_is_no_day(sales: Receivables, verb: str, name: str) -> None:
    """It is a day for Python, and comes to grief where it is compared with one."""
    wanted = {each.name for each in parameters(verb) if each.default is inspect.Parameter.empty}
    keywords: dict[str, object] = {each: DAY if each in {"first", "last"} else [] for each in wanted}

    with pytest.raises(InvalidInput, match=rf"{name}: give a date.*, as \.date\(\) makes of a moment"):
        list(getattr(sales, verb)(**{**keywords, name: MOMENT}))


@pytest.mark.parametrize(("verb", "name"), [pair for verb in VERBS for pair in given_to(verb)])
def test_each_argument_of_each_verb_is_named_where_it_is_wrong(sales: Receivables, verb: str, name: str) -> None:
    nothing = object()
    rest: dict[str, object] = {
        "customers": [],
        "customer": ANA,
        "customer_id": "7",
        "contact_id": "c",
        "settlements": [],
        "sales": [],
        "ids": [],
        "refunds": [],
        "states": [],
        "wanted": {} if verb == "set_import_policies" else [],
        "customer_ids": [],
        "transaction_id": "t",
        "invoice": "i",
        "first": date(2026, 1, 1),
        "last": date(2026, 1, 2),
    }
    needed = {each.name: each for each in parameters(verb)}
    keywords = {each: rest[each] for each, one in needed.items() if each in rest and one.default is one.empty}
    keywords[name] = nothing
    plain = [
        keywords.pop(each)
        for each, one in needed.items()
        if one.kind is not inspect.Parameter.KEYWORD_ONLY and each in keywords
    ]

    with pytest.raises(InvalidInput) as refused:
        getattr(sales, verb)(*plain, **keywords)

    assert refused.value.field == name
    assert refused.value.remedy.startswith("give ")
