"""What a store may claim beyond the contract that all keep; the conformance kit holds it to that."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeVar

import pytest

_Test = TypeVar("_Test", bound=Callable[..., object])

MARK: Final = "xerosync_ability"


class Ability(StrEnum):
    """What a store can do besides. A class of the kit's tests says which of them it claims."""

    REOPENED = "whole when opened again"
    SHARED = "shared by processes, and whole after one is killed"
    HOST_TRANSACTION = "within the host's transaction"


def needs(ability: Ability) -> Callable[[_Test], _Test]:
    """Mark a test as one of *ability*: skipped where that is not claimed."""
    return pytest.mark.xerosync_ability(ability)


def check_claimed(request: pytest.FixtureRequest, claimed: frozenset[Ability]) -> None:
    """Skip the test of *request* where it needs an ability that is not among *claimed*."""
    for mark in request.node.iter_markers(MARK):
        ability: Ability = mark.args[0]
        if ability not in claimed:
            pytest.skip(f"not claimed: {ability}")
