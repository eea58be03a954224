"""What comes again under its id with other content is said aloud; an amount of nothing pays nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.conftest import DAY, Product, nzd

from xerosync import Bill, BillLine, BillPayment, Payables
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode


def paper(amount: str, *, bill_id: str = "b", number: str = "7") -> Bill:
    line = BillLine(description="paper", amount=nzd(amount), account=AccountCode("429"))
    return Bill(id=bill_id, vendor="Paper Ltd", number=number, on=DAY, lines=[line])


@pytest.mark.parametrize("again", [paper("60.00"), paper("50.00", number="8"), paper("-50.00")])
def test_a_bill_sent_again_with_other_content_is_a_finding(product: Product, purchases: Payables, again: Bill) -> None:
    purchases.apply(purchases.submit([paper("50.00")]))

    plan = purchases.submit([again])

    assert not plan
    assert [(finding.code, finding.about) for finding in plan.findings] == [("changed since posted", "b")]
    assert [each.total for each in product.live_bills()] == [Decimal(50)]


def test_a_payment_id_used_again_for_another_bill_is_a_finding(purchases: Payables) -> None:
    purchases.apply(purchases.submit([paper("50.00"), paper("20.00", bill_id="c", number="8")]))
    purchases.apply(purchases.pay([BillPayment(id="p", bill_id="b", on=DAY)]))

    plan = purchases.pay([BillPayment(id="p", bill_id="c", on=DAY)])

    assert not plan
    assert [finding.code for finding in plan.findings] == ["changed since posted"]


@pytest.mark.parametrize("amount", ["0.00", "-5.00", "0.001"])
def test_an_amount_that_cannot_be_paid_is_refused_and_nothing_is_never_all(amount: str) -> None:
    with pytest.raises(InvalidInput, match="positive amount"):
        BillPayment(id="p", bill_id="b", on=DAY, amount=nzd(amount))


def test_ids_may_be_given_by_a_generator(purchases: Payables) -> None:
    purchases.apply(purchases.submit([paper("50.00"), paper("-20.00", bill_id="c", number="8")]))

    posted = purchases.posted(name for name in ("b", "c"))

    assert [(each.id, each.total) for each in posted] == [("b", nzd("50.00")), ("c", nzd("-20.00"))]
