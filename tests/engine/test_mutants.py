"""Without one of its rules the engine goes wrong, and the simulation sees it: else the rule would be untested."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from tests.conftest import DAY, Product
from tests.engine.mutants import KILLERS, MUTANTS, Mutant, search, spared
from tests.engine.scenarios import collected

from xerosync import Ledger, Receivables
from xerosync.engine import auditing
from xerosync.engine.plans import Finding

SEARCHED = 60


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.rule} {mutant.name}")
def test_a_stored_schedule_goes_wrong_without_the_rule_and_well_with_it(mutant: Mutant) -> None:
    seed = search(mutant, (KILLERS[mutant.name], *range(SEARCHED)))

    assert seed is not None, f"search: nox -s simulate -- --mutants --only '{mutant.name}'"
    if mutant.rule != "R8":  # with it, the poisoned flow is among the stored schedules, and takes long
        assert spared(mutant, seed).wrong == ()


def test_without_the_audit_a_doubled_payment_is_told_by_nobody(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R9: what the ledger cannot prevent, such as a request on its way for longer than the quarantine, it finds."""
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account="091")
    sales.apply(sales.settle(collected(invoice.id)))
    (ours,) = product.live_payments()
    product.books.add_payment(invoice.id, account="091", amount=Decimal(40), date=DAY, reference=ours.reference)
    assert Ledger(product.xero()).audit().doubled == ("L1",)

    def nothing(*_: object) -> Iterator[Finding]:
        return iter(())

    monkeypatch.setattr(auditing, "_of_marks", nothing)

    assert sales.recover().findings == ()
    assert not sales.settle(collected(invoice.id)).findings
    assert Ledger(product.xero()).audit().findings == ()
