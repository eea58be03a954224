"""Findings by what is behind them: one cause, once, with all that waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from attrs import frozen

from xerosync.money import Money
from xerosync.tables import Listing

if TYPE_CHECKING:
    from xerosync.engine.plans import Finding

F = TypeVar("F", bound="Finding")

_SHOWN: Final = 5


@frozen(kw_only=True, repr=False)
class RootCause:
    """
    One cause of trouble: what is so, what to do, and who can do it, with the ids of all that *waits* for it.

    Put it right and plan again: everything that waited is planned, with *retry_refused* where Xero had refused it.
    *worth* is what waits in money, a sum for each currency.
    """

    code: str
    cause: str
    fix: str
    who: str
    retry: bool
    waits: tuple[str, ...]
    worth: tuple[Money, ...] = ()

    def row(self) -> dict[str, object]:
        """Its line of a table: of all that waits for it the first few, and how many more."""
        more = len(self.waits) - _SHOWN
        return {
            "code": self.code,
            "cause": self.cause,
            "fix": self.fix,
            "who": self.who,
            "waits": ", ".join(self.waits[:_SHOWN]) + (f" and {more:,} more" if more > 0 else ""),
            "worth": ", ".join(map(str, self.worth)),
        }

    def __str__(self) -> str:
        return f"{self.code}: {self.cause} → {self.fix} ({len(self.waits):,} wait)"

    def __repr__(self) -> str:
        return f"<RootCause {self.code} of {len(self.waits)}>"


def root_causes(findings: Iterable[Finding]) -> Listing[RootCause]:
    """*findings* by what is behind them, those for which most waits first."""
    return Listing(cause for cause, _ in with_causes(findings))


def with_causes(findings: Iterable[F]) -> list[tuple[RootCause, list[F]]]:
    """`root_causes`, each with its findings."""
    pairs = [(_cause(group), group) for group in by_root(findings)]
    return sorted(pairs, key=lambda pair: -len(pair[0].waits))


def by_root(findings: Iterable[F]) -> list[list[F]]:
    """*findings* in groups of one root each; one that waits for what another is about is in its group, after it."""
    listed = list(findings)
    roots = {each.root for each in listed if each.root}
    behind = {each.about: each for each in listed if each.about in roots and each.is_behind(each.about)}
    groups: dict[tuple[str, ...], list[F]] = {}
    for finding in sorted(listed, key=lambda each: each.root in behind):
        first = behind.get(finding.root, finding)
        key = (first.root,) if first.root else (first.code, first.cause, first.fix)
        groups.setdefault(key, []).append(finding)
    return list(groups.values())


def _cause(group: Sequence[Finding]) -> RootCause:
    first = group[0]
    # What a finding with a root is about is the root itself where it comes first: the others wait for it.
    waiting = group[1:] if first.root and len(group) > 1 else group
    sums: dict[str, list[Money]] = {}
    for finding in waiting:
        # The money of what waits for another finding is that other's money.
        if finding.worth is not None and finding.root == first.root:
            sums.setdefault(finding.worth.currency, []).append(finding.worth)
    return RootCause(
        code=first.code,
        cause=first.cause,
        fix=first.fix,
        who=first.who,
        retry=any(each.retry for each in group),
        waits=tuple(dict.fromkeys(each.about for each in waiting)),
        worth=tuple(Money.total(each, currency) for currency, each in sums.items()),
    )
