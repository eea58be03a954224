"""Bills that look like one in Xero already, also one that somebody typed: a warning, a link, or a stop."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import Bill, BillLine, BillPayment, BillSettings, Duplicates, LinkBill, Payables, WhichOne
from xerosync.models import AccountCode, LineAmountTypes
from xerosync.simulator import Document

OF_NUMBER, OF_DAY = "of this number in Xero", "of this day and amount in Xero, entered by hand"


def bill(bill_id: str, amount: str = "30.00", *, number: str = "77") -> Bill:
    line = BillLine(description="paper", amount=nzd(amount), account=AccountCode("429"))
    return Bill(id=bill_id, vendor="Paper Ltd", number=number, on=DAY, lines=[line])


def typed(product: Product, amount: str = "30.00", *, number: str = "77", kind: str = "ACCPAY") -> Document:
    found = [each.id for each in product.books.contacts if each.name == "Paper Ltd"]
    contact = found[0] if found else product.books.add_contact("Paper Ltd").id
    add = product.books.add_invoice if kind in {"ACCPAY", "ACCREC"} else product.books.add_credit_note
    return add(contact, type=kind, number=number, amount=Decimal(amount), date=DAY)


def choosing(product: Product, duplicates: Duplicates) -> Payables:
    return Payables(product.xero(), payment_account=BANK, bills=BillSettings(duplicates=duplicates))


@pytest.mark.parametrize(
    ("amount", "number", "said"), [("12.00", "77", OF_NUMBER), ("30.00", "other", OF_DAY), ("30.00", "", OF_DAY)]
)
def test_what_somebody_typed_is_known_by_number_or_by_day_and_amount(
    product: Product, amount: str, number: str, said: str
) -> None:
    typed(product, amount, number=number)
    warned, stopped = choosing(product, Duplicates.WARN), choosing(product, Duplicates.STOP)

    held = stopped.submit([bill("b")])
    plan = warned.submit([bill("b")])
    warned.apply(plan)

    assert (held.counts(), plan.counts()) == ({"vendor": 1}, {"vendor": 1, "bill": 1})
    for found in (held, plan, warned.submit([bill("b")])):
        ((code, about, cause),) = [(each.code, each.about, each.cause) for each in found.findings]
        assert (code, about) == ("possible duplicate", "b")
        assert said in cause


@pytest.mark.parametrize("number", ["", "78"])
def test_documents_of_the_hosts_own_are_not_alike_for_a_day_and_an_amount(purchases: Payables, number: str) -> None:
    purchases.apply(purchases.submit([bill("a", number="77")]))

    plan = purchases.submit([bill("b", number=number)])

    assert (plan.counts(), plan.findings) == ({"bill": 1}, ())


def test_a_bill_is_no_duplicate_of_a_credit_of_the_same_amount(product: Product, purchases: Payables) -> None:
    typed(product, number="other", kind="ACCPAYCREDIT")

    assert purchases.submit([bill("b")]).findings == ()
    assert [each.code for each in purchases.submit([bill("c", "-30.00")]).findings] == ["possible duplicate"]


def test_the_one_that_was_typed_is_taken_for_the_hosts_and_paid(product: Product) -> None:
    entered = typed(product, number="")
    linking = choosing(product, Duplicates.LINK)

    plan = linking.submit([bill("b")])
    linking.apply(plan)

    assert [(each.host_ref, each.linked_id) for each in plan.of(LinkBill)] == [("b", entered.id)]
    assert len(product.live_bills()) == 1
    again = linking.submit([bill("b")])
    assert (len(again), again.findings) == (0, ())
    linking.apply(linking.pay([BillPayment(id="p", bill_id="b", on=DAY)]))
    assert product.books.invoice(entered.id).status == "PAID"
    assert "XS-" not in product.books.invoice(entered.id).url


def test_a_credit_note_that_was_typed_is_taken_for_the_hosts_and_settled(product: Product) -> None:
    """Set against a bill that was typed, too; what is left of it comes back as money."""
    linking = choosing(product, Duplicates.LINK)
    entered, credit = typed(product, number="1"), typed(product, "40.00", number="2", kind="ACCPAYCREDIT")
    papers = [bill("b", number="1"), bill("c", "-40.00", number="2")]

    plan = linking.submit(papers)
    linking.apply(plan)
    settled = linking.settle_credits()
    linking.apply(settled)

    assert [(each.host_ref, each.linked_id, each.worth) for each in plan.of(LinkBill)] == [
        ("b", entered.id, nzd("30.00")),
        ("c", credit.id, nzd("-40.00")),
    ]
    assert settled.counts() == {"allocation": 1, "refund": 1}
    assert {each.id: (each.status, each.total) for each in linking.posted(["b", "c"])} == {
        "b": ("PAID", nzd("30.00")),
        "c": ("PAID", nzd("-40.00")),
    }
    assert [(len(each), each.findings) for each in (linking.submit(papers), linking.settle_credits())] == [(0, ())] * 2
    assert not linking.follow_bills()


@pytest.mark.parametrize(("amount", "kind"), [("-30.00", "ACCPAY"), ("30.00", "ACCPAYCREDIT"), ("-30.00", "ACCREC")])
def test_a_bill_is_never_taken_for_a_credit_nor_a_sale_for_either(product: Product, amount: str, kind: str) -> None:
    typed(product, kind=kind)
    linking = choosing(product, Duplicates.LINK)

    plan = linking.submit([bill("b", amount)])

    assert "bill_link" not in plan.counts()


def test_a_bill_whose_tax_comes_on_top_is_known_by_what_it_comes_to(product: Product) -> None:
    entered = typed(product, "34.50")
    linking = choosing(product, Duplicates.LINK)

    plan = linking.submit([evolve(bill("b"), amounts=LineAmountTypes.EXCLUSIVE)])

    assert [each.linked_id for each in plan.of(LinkBill)] == [entered.id]


def test_one_document_is_taken_for_one_bill_alone(product: Product) -> None:
    typed(product)
    linking = choosing(product, Duplicates.LINK)

    plan = linking.submit([bill("b"), bill("c"), bill("d", "31.00")])
    linking.apply(plan)

    assert plan.counts() == {"vendor": 1, "bill_link": 1}
    assert [(each.code, each.about) for each in plan.findings] == [("possible duplicate", name) for name in "cd"]
    assert [each.about for each in linking.submit([bill("b"), bill("c")]).findings] == ["c"]


def test_a_linked_bill_whose_total_is_another_now_is_a_finding(product: Product) -> None:
    """Whichever side has changed: nothing is written to what people typed."""
    entered = typed(product)
    linking = choosing(product, Duplicates.LINK)
    linking.apply(linking.submit([bill("b")]))

    dearer = linking.submit([bill("b", "31.00")])
    product.books.edit_invoice(entered.id, amount=Decimal("31.00"))
    cheaper = linking.submit([bill("b")])

    for plan in (dearer, cheaper):
        assert (len(plan), [each.code for each in plan.findings]) == (0, ["changed since posted"])
    assert linking.submit([bill("b", "31.00")]).findings == ()


def test_a_linked_bill_that_was_voided_is_a_finding(product: Product) -> None:
    entered = typed(product)
    linking = choosing(product, Duplicates.LINK)
    linking.apply(linking.submit([bill("b")]))
    product.books.void_invoice(entered.id)

    plan = linking.submit([bill("b")])

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["removed in Xero"])


@pytest.mark.parametrize("number", ["inv 42", "INV-0042", " Inv/42 ", "INV\u201042"])
def test_a_number_that_is_only_written_otherwise_is_warned_of_and_never_linked(product: Product, number: str) -> None:
    """The one that was typed, one of the host's own, or another bill of the same plan."""
    typed(product, number="INV-42")

    for duplicates, planned in ((Duplicates.STOP, 0), (Duplicates.LINK, 0), (Duplicates.WARN, 1)):
        purchases = choosing(product, duplicates)
        plan = purchases.submit([bill("b", "31.00", number=number)])
        assert [(each.code, each.about) for each in plan.findings] == [("possible duplicate", "b")]
        assert "number, written otherwise" in plan.findings[0].cause
        assert plan.counts().get("bill", 0) == planned
        assert not plan.of(LinkBill)
    fresh = choosing(product, Duplicates.WARN).submit(
        [bill("x", "1.00", number="7/1"), bill("y", "2.00", number="07-1"), bill("z", "3.00", number="71")]
    )
    assert [(each.code, each.about) for each in fresh.findings] == [("possible duplicate", "y")]


@pytest.mark.parametrize(("number", "entered_as"), [("inv 42", "INV-42"), ("42", "INV-42"), ("42", ""), ("", "42")])
def test_the_same_day_and_amount_links_where_no_number_tells_apart(
    product: Product, number: str, entered_as: str
) -> None:
    entered = typed(product, number=entered_as)

    plan = choosing(product, Duplicates.LINK).submit([bill("b", number=number)])

    assert [each.linked_id for each in plan.of(LinkBill)] == [entered.id]


def test_of_another_number_on_the_same_day_a_person_says_whether_it_is_one_paper(product: Product) -> None:
    """Of two bills that a vendor writes on one day for the same amount, one would be lost."""
    entered = typed(product, number="78")
    linking = choosing(product, Duplicates.LINK)

    plan = linking.submit([bill("b")])
    (asked,) = linking.backfill([bill("b")]).findings

    assert [each.code for each in plan.findings] == ["possible duplicate"]
    assert not plan.of(LinkBill)
    assert not plan.counts().get("bill")
    assert isinstance(asked, WhichOne)
    assert [(each.xero_id, each.differs) for each in asked.candidates] == [(entered.id, ("another number",))]
    chosen = linking.backfill([bill("b")], chosen={"b": entered.id})
    assert [each.linked_id for each in chosen.of(LinkBill)] == [entered.id]
    assert choosing(product, Duplicates.WARN).submit([bill("b")]).counts()["bill"] == 1
