"""What became of a plan: what was done, and what needs a person."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from xerosync import Finding, Payables, Plan, Receivables, Report


@frozen(repr=False)
class Done:
    """A plan that was applied: its *report*, and the *findings* of both, planning and applying."""

    report: Report
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        """The findings as sentences; blank where there is none."""
        return " ".join(f"{each.cause[:1].upper()}{each.cause[1:]}: {each.fix}." for each in self.findings)


def carried_out(story: Receivables | Payables, planned: Callable[[], Plan]) -> Done:
    """
    Finish what an interrupted run left open, then plan and apply; nothing is sent for what a plan only finds.

    Where nothing was interrupted, which is nearly always, the first asks nothing of Xero.
    """
    story.recover()
    plan = planned()
    report = story.apply(plan)
    return Done(report, (*plan.findings, *report.findings))
