"""What a host hands in is told apart by its own ids: each once, and what cannot be looked for at all is a finding."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Protocol, TypeVar

from xerosync.engine.plans import Finding
from xerosync.errors import InvalidInput
from xerosync.money import Money
from xerosync.texts import check_id


class _Identified(Protocol):
    @property
    def id(self) -> Hashable: ...


I = TypeVar("I", bound=_Identified)  # noqa: E741 - what is identified
T = TypeVar("T")


def each_once(given: Iterable[I], what: str) -> list[I]:
    """What was *given*, in its order; *what* it is called. Raises `InvalidInput` where an id comes twice."""
    listed = list(given)
    if len({each.id for each in listed}) != len(listed):
        raise InvalidInput("id", f"give each {what} once, under an id of its own")
    return listed


def sifted(
    given: Iterable[I], check: Callable[[I], object], worth: Callable[[I], Money | None] = lambda _: None
) -> tuple[list[I], list[Finding]]:
    """Those of what was *given* that *check* lets pass, and a finding on each that it raises `InvalidInput` for."""
    return _sifted(given, check, lambda each: each.id, worth)


def sifted_ids(ids: Iterable[str]) -> tuple[list[str], list[Finding]]:
    """Those of the host's *ids* that can be, each once, and a finding on each that cannot."""
    return _sifted(dict.fromkeys(ids), lambda each: check_id("id", each), lambda each: each, lambda _: None)


def _sifted(
    given: Iterable[T], check: Callable[[T], object], id_of: Callable[[T], object], worth: Callable[[T], Money | None]
) -> tuple[list[T], list[Finding]]:
    fit: list[T] = []
    findings: list[Finding] = []
    for each in given:
        try:
            check(each)
            fit.append(each)
        except InvalidInput as error:
            findings.append(unfit(str(id_of(each)), error, worth(each)))
    return fit, findings


def unfit(about: str, error: InvalidInput, worth: Money | None = None) -> Finding:
    """The finding on what the host gave and cannot be posted as it is, as *error* says."""
    fix = "correct it, then give it again"
    return Finding(code="cannot be posted", about=about, cause=str(error), fix=fix, worth=worth)
