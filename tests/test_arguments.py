"""What a program gives the other stories by mistake is told at once, as the receivables' own test has it in detail."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, DAY, Product, found_product, nzd

from xerosync import Ledger, MemoryStore, Payables
from xerosync.errors import InvalidInput, XerosyncError

STORIES = {"payables": Payables, "ledger": Ledger}
VERBS = [(story, verb) for story, cls in STORIES.items() for verb in sorted(vars(cls)) if not verb.startswith("_")]
NEEDED: dict[str, object] = {
    "vendor": "Acme",
    "contact_id": "c",
    "note": "done",
    "what": "b1",
    "run": "r",
    "since": DAY,
}
ODD: list[object] = [None, "x", 7, 1.5, b"x", object(), {}, {"x": "y"}, [], [None], ["x"], [7], DAY, nzd(1), True]
ODD += [datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 5)]  # noqa: DTZ001


def parameters(story: str, verb: str) -> list[inspect.Parameter]:
    return list(inspect.signature(getattr(STORIES[story], verb)).parameters.values())[1:]


def call(product: Product, story: str, verb: str, keywords: dict[str, object]) -> None:
    bound: Callable[..., object] = getattr(STORIES[story](product.xero(store=MemoryStore())), verb)
    wanted = parameters(story, verb)
    plain = [
        keywords[each.name] for each in wanted if each.kind is each.POSITIONAL_OR_KEYWORD and each.name in keywords
    ]
    bound(*plain, **{each.name: keywords[each.name] for each in wanted[len(plain) :] if each.name in keywords})


@pytest.mark.parametrize(
    ("story", "verb", "name"),
    [(story, verb, each.name) for story, verb in VERBS for each in parameters(story, verb) if each.name != "plan"],
)
def test_each_argument_of_each_verb_is_named_where_it_is_wrong(
    product: Product, story: str, verb: str, name: str
) -> None:
    keywords = {
        each.name: NEEDED.get(each.name, [])
        for each in parameters(story, verb)
        if each.default is inspect.Parameter.empty
    }

    with pytest.raises(InvalidInput) as refused:
        call(product, story, verb, {**keywords, name: object()})

    assert (refused.value.field, refused.value.remedy[:5]) == (name, "give ")


@settings(max_examples=60)
@given(at=st.sampled_from(VERBS), picks=st.lists(st.integers(0, len(ODD) - 1), min_size=9, max_size=9))
def test_whatever_is_given_to_a_verb_the_error_is_ours(at: tuple[str, str], picks: list[int]) -> None:
    product = found_product()

    with contextlib.suppress(XerosyncError):
        call(product, *at, {each.name: ODD[pick] for each, pick in zip(parameters(*at), picks, strict=False)})

    assert product.live_payments() == []
    assert product.books.balance(product.books.account(BANK).id) == 0
    product.simulator.close()
