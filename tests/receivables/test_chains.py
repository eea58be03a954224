"""The chain of an invoice: whatever lines come, no more goes back than came in, and each line counts once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from xerosync import LineKind
from xerosync.engine.chains import Chain, Effect, Event, Part, Unfit, follow

AMOUNTS = st.sampled_from([Decimal(each) for each in ("10", "20", "30", "50", "60", "100")])
KINDS = st.sampled_from([LineKind.COLLECTED, *LineKind])
STEPS = st.lists(st.tuples(KINDS, st.sampled_from("ab"), AMOUNTS, st.integers(0, 8)), max_size=12)


def events(steps: Sequence[tuple[LineKind, str, Decimal, int]]) -> list[Event]:
    """The lines of *steps*, some of which name another."""
    return [
        Event(
            kind=kind,
            name=f"L{place}",
            transaction=transaction,
            amount=amount,
            of=f"L{pick}" if kind is LineKind.CHARGED_BACK and pick < place and pick % 3 == 0 else "",
        )
        for place, (kind, transaction, amount, pick) in enumerate(steps)
    ]


def sums(chain: Chain) -> Decimal:
    return sum((each.left for each in chain.parts), Decimal(0)) - chain.given_back


@given(STEPS)
def test_what_can_still_go_back_is_what_came_in_less_what_went_back(
    steps: list[tuple[LineKind, str, Decimal, int]],
) -> None:
    chain, left = Chain(), Decimal(0)
    for event in events(steps):
        after, effect = follow(chain, event)
        if isinstance(effect, Unfit):
            assert after == chain
            assert event.kind in {LineKind.CHARGED_BACK, LineKind.REFUNDED}
        else:
            sign = {LineKind.COLLECTED: 1, LineKind.REINSTATED: 1, LineKind.DECLINED: 0}.get(event.kind, -1)
            left += sign * event.amount
        chain = after

        assert chain.left == sums(chain) == left >= 0
        assert all(0 <= each.left <= each.amount for each in chain.parts)


@given(STEPS)
def test_a_line_that_comes_again_changes_nothing_and_takes_the_same(
    steps: list[tuple[LineKind, str, Decimal, int]],
) -> None:
    chain, told = Chain(), events(steps)
    for event in told:
        chain, effect = follow(chain, event)
        again, same = follow(chain, event)
        assert again == chain
        if isinstance(effect, Effect) and isinstance(same, Effect):
            taken = [{each.part.name: each.amount for each in one.takings} for one in (effect, same)]
            assert taken[0] == taken[1]
        assert isinstance(same, type(effect))


@given(STEPS)
def test_a_charge_back_takes_its_own_amount_of_its_own_transaction(
    steps: list[tuple[LineKind, str, Decimal, int]],
) -> None:
    chain = Chain()
    for event in events(steps):
        chain, effect = follow(chain, event)
        if event.kind is LineKind.CHARGED_BACK and isinstance(effect, Effect):
            assert sum(each.amount for each in effect.takings) == event.amount
            assert {each.part.transaction for each in effect.takings} == {event.transaction}
            assert event.of in {"", *(each.part.name for each in effect.takings)}


@given(STEPS, st.sets(st.integers(0, 11)))
def test_what_somebody_removed_goes_back_once_at_most(
    steps: list[tuple[LineKind, str, Decimal, int]], removed: set[int]
) -> None:
    chain = Chain()
    for place, event in enumerate(events(steps)):
        if place in removed:
            parts = tuple(evolve(each, gone=not each.taken) for each in chain.parts)
            chain = evolve(chain, parts=parts)
        before = sum((each.left for each in chain.parts), Decimal(0))
        chain, effect = follow(chain, event)
        after = sum((each.left for each in chain.parts), Decimal(0))

        assert chain.left >= 0
        assert all(0 <= each.left <= each.amount for each in chain.parts)
        if event.kind is LineKind.CHARGED_BACK and isinstance(effect, Effect):
            assert before - after == event.amount


def part(name: str, amount: str, *, gone: bool = False) -> Part:
    return Part(name=name, transaction="t", amount=Decimal(amount), gone=gone)


def back(amount: str, name: str = "B") -> Event:
    return Event(kind=LineKind.CHARGED_BACK, name=name, transaction="t", amount=Decimal(amount))


def taken(chain: Chain, event: Event) -> list[str]:
    _, effect = follow(chain, event)
    assert isinstance(effect, Effect), effect
    return [each.part.name for each in effect.takings]


def test_what_stands_goes_before_what_somebody_removed() -> None:
    assert taken(Chain(parts=(part("old", "60", gone=True), part("new", "40"))), back("40")) == ["new"]
    assert taken(Chain(parts=(part("old", "60", gone=True), part("new", "40"))), back("100")) == ["new", "old"]
    assert taken(Chain(parts=(part("old", "60", gone=True), part("new", "40"))), back("60")) == ["old"]


def test_money_that_was_settled_anew_after_a_removal_stands_for_what_was_removed() -> None:
    chain = Chain(parts=(part("old", "60", gone=True), part("new", "60")))

    chain, effect = follow(chain, back("60"))

    assert isinstance(effect, Effect)
    _, more = follow(chain, back("60", "B2"))
    assert isinstance(more, Unfit)
    assert more.code == "nothing to take back"


def test_a_part_does_not_stand_for_its_twin_of_the_same_settlement() -> None:
    one, other = (evolve(part(name, "20", gone=name == "one"), settlement="S1") for name in ("one", "other"))

    assert taken(Chain(parts=(one, other)), back("40")) == ["other", "one"]


def test_an_old_charge_back_is_not_about_what_came_in_later() -> None:
    chain = Chain(parts=(part("old", "60"), part("new", "60")))

    assert taken(chain, evolve(back("60"), later=frozenset({"new"}))) == ["old"]


def test_a_charge_back_that_was_done_in_part_is_finished() -> None:
    one, other = part("one", "60"), part("other", "40")

    chain = Chain(parts=(evolve(one, taken={"B": Decimal(60)}), other))

    assert taken(chain, back("100")) == ["one", "other"]
