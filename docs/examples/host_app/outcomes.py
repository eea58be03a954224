"""What became of a plan: what was done, and what needs a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import frozen

from xerosync import Finding, Payables, Plan, Receivables, Report


@frozen(repr=False)
class Done:
    """A plan that was applied: its *report*, and the *findings* of both, planning and applying."""

    report: Report
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        """The findings as sentences, each once; blank where there is none."""
        return " ".join(dict.fromkeys(map(_sentence, self.findings)))


_SAID: Final = {
    "not created here": "Some of it was asked for by hand: say which invoice it pays, then report it again."
}
"""Sentences of the product's own, where xerosync speaks to whoever writes one."""


def _sentence(finding: Finding) -> str:
    return _SAID.get(finding.code, f"{finding.cause[:1].upper()}{finding.cause[1:]}: {finding.fix}.")


def carried_out(story: Receivables | Payables, planned: Callable[[], Plan]) -> Done:
    """
    Finish what an interrupted run left open, then plan and apply; nothing is sent for what a plan only finds.

    Where nothing was interrupted, which is nearly always, the first asks nothing of Xero.
    """
    story.recover()
    plan = planned()
    report = story.apply(plan)
    return Done(report, (*plan.findings, *report.findings))
