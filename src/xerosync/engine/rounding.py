"""The cents by which a paper's total differs from its lines and their taxes: a line of their own. Pure (row 62)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from attrs import evolve

from xerosync.engine.reference import NO_TAX, Reference
from xerosync.errors import InvalidInput
from xerosync.mapping.lines import PaperLine
from xerosync.mapping.papers import P, Paper
from xerosync.mapping.spending import CardSpend
from xerosync.models import LineAmountTypes
from xerosync.money import EXACT, Money, exactly, minor_unit

_REMAINDER = "Rounding"


@exactly
def with_remainder(paper: P, reference: Reference) -> P:
    """
    *paper* with a line for the cents by which its stated total differs, untaxed, on the account of its largest line.

    Taxes are rounded line by line (F 5.24), so they may come to a coin a line more or less than on the paper. Raises
    `InvalidInput` where it is more than that: then something else is wrong. Where a rate is not known, nothing is done.
    """
    if paper.stated_total is None:
        return paper
    expected = expected_total(paper, reference)
    if expected is None:
        return paper
    coin = minor_unit(paper.stated_total.currency)
    remainder = paper.stated_total - expected
    if not remainder:
        return paper
    if abs(remainder.amount) > coin * len(paper.lines):
        raise InvalidInput("stated_total", f"it is {paper.stated_total}, but the lines and their taxes make {expected}")
    largest = max(paper.lines, key=lambda line: abs(line.amount))
    line = type(largest)(description=_REMAINDER, amount=remainder, account=largest.account, tax_type=NO_TAX)
    return evolve(paper, lines=(*paper.lines, line))


@exactly
def expected_total(paper: Paper | CardSpend, reference: Reference) -> Money | None:
    """What *paper* will come to in Xero, its taxes among it; None where a rate is not known."""
    taxes = [_tax(line, paper, reference) for line in paper.lines]
    if any(tax is None for tax in taxes):
        return None
    total = Money.total((line.amount for line in paper.lines), paper.lines[0].amount.currency)
    return total + Money(sum(filter(None, taxes), start=Decimal(0)), total.currency)


def _tax(line: PaperLine, paper: Paper | CardSpend, reference: Reference) -> Decimal | None:
    """What Xero will add to *line*'s amount; None where the rate is not known."""
    if paper.amounts != LineAmountTypes.EXCLUSIVE:
        return Decimal(0)
    if line.tax is not None:
        return line.tax.amount
    account = reference.account(line.account)
    tax_type = line.tax_type or (account.tax_type if account is not None else None)
    if tax_type == NO_TAX:
        return Decimal(0)
    rate = reference.tax_rate(tax_type)
    if rate is None or rate.effective_rate is None:
        return None
    tax = EXACT.divide(EXACT.multiply(line.amount.amount, rate.effective_rate), 100)
    return tax.quantize(minor_unit(line.amount.currency), ROUND_HALF_UP, EXACT)
