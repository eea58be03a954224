"""Bills, credit notes and payments that people typed before are taken over; what may be another is asked."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd
from tests.engine.scenarios import paper

from xerosync import Bill, BillPayment, BillSettings, Duplicates, Ledger, LinkBill, Money, Payables, WhichOne, Xero


@pytest.fixture
def purchases(xero: Xero) -> Payables:
    return Payables(xero, payment_account=BANK, bills=BillSettings(duplicates=Duplicates.LINK))


def typed(product: Product, number: str, amount: str, *, days: int = 0, name: str = "Paper Ltd") -> str:
    """A bill of the vendor of `paper`, or one called so, that somebody entered; a negative amount is a credit note."""
    vendor = next((each.id for each in product.books.contacts if each.name == name), None)
    vendor = vendor or product.books.add_contact(name).id
    on = DAY + timedelta(days=days)
    if Decimal(amount) < 0:
        credit = -Decimal(amount)
        return product.books.add_credit_note(vendor, type="ACCPAYCREDIT", number=number, amount=credit, date=on).id
    return product.books.add_invoice(vendor, type="ACCPAY", number=number, amount=Decimal(amount), date=on).id


def test_what_was_typed_is_taken_over_and_only_the_rest_is_posted(
    product: Product, purchases: Payables, xero: Xero
) -> None:
    bill = typed(product, "b1", "30.00")
    typed(product, "c1", "-5.00")
    product.books.add_payment(bill, account=BANK, amount=Decimal(10), date=DAY)
    past = [paper("b1", "30.00"), paper("c1", "-5.00"), paper("b2", "20.00")]
    payments = [
        BillPayment(id="p1", bill_id="b1", on=DAY, amount=nzd("10.00")),
        BillPayment(id="p2", bill_id="b1", on=DAY, amount=nzd("20.00")),
    ]

    linked = purchases.backfill(past)
    purchases.apply(linked)
    paid = purchases.backfill(past, payments=payments)
    purchases.apply(paid)

    assert (linked.counts(), paid.counts()) == ({"bill_link": 2}, {"adopt": 1})
    submitted = purchases.apply(purchases.submit(past))
    posted = purchases.apply(purchases.pay(payments))
    assert (submitted.done("bill"), submitted.done("credit_note"), posted.done("payment")) == (1, 0, 1)
    assert sorted(each.amount for each in product.live_payments()) == [Decimal(10), Decimal(20)]
    assert not purchases.backfill(past, payments=payments)
    purchases.apply(purchases.follow_bills())
    assert not purchases.follow_bills()
    assert len(Ledger(xero).drift()) == 0
    assert Ledger(xero).audit().findings == ()


def test_a_bill_that_may_be_another_is_held_back_until_somebody_chooses(product: Product, purchases: Payables) -> None:
    bill = typed(product, "b1", "31.00", days=1)
    past = [paper("b1", "30.00")]

    plan = purchases.backfill(past)

    (finding,) = plan.findings
    assert not plan
    assert isinstance(finding, WhichOne)
    assert [(each.xero_id, each.differs) for each in finding.candidates] == [(bill, ("another total", "another day"))]
    assert "bill" not in purchases.submit(past).counts()
    purchases.apply(purchases.backfill(past, chosen={"b1": bill}))
    assert not purchases.submit(past)
    assert not purchases.backfill(past).findings
    assert len(product.live_bills()) == 1


def asked_alone(product: Product, purchases: Payables, past: Bill, one: str) -> tuple[str, ...]:
    """What differs of *one* that was typed, of which a person is asked, and which is then taken over alone."""
    plan = purchases.backfill([past])
    (finding,) = plan.findings
    assert isinstance(finding, WhichOne)
    assert not plan
    assert [each.xero_id for each in finding.candidates] == [one]
    held = purchases.submit([past])
    assert not {"bill", "credit_note", "contact"} & held.counts().keys()
    purchases.apply(held)
    purchases.apply(purchases.backfill([past], chosen={past.id: one}))
    assert not purchases.submit([past])
    again = purchases.backfill([past])
    assert (len(again), again.findings) == (0, ())
    assert [each.xero_id for each in purchases.posted([past.id])] == [one]
    assert len(product.live_bills()) + len(product.books.credit_notes) == 1
    assert not purchases.follow_bills()
    return finding.candidates[0].differs


@pytest.mark.parametrize("amount", ["30.00", "-30.00"])
@pytest.mark.parametrize("name", ["Paper Ltd", "Paper Limited", "PAPER, Ltd."])
def test_what_was_typed_to_a_contact_that_is_archived_by_now_is_asked_about(
    product: Product, purchases: Payables, amount: str, name: str
) -> None:
    one = typed(product, "b1", amount, name=name)
    product.books.archive_contact(product.books.contacts[0].id)

    differs = asked_alone(product, purchases, paper("b1", amount), one)

    assert differs == ("of an archived contact that may be the vendor's",)
    assert len(product.books.contacts) == 1


@pytest.mark.parametrize("amount", ["30.00", "-30.00"])
@pytest.mark.parametrize("name", ["Paper Limited", "Paper", "P\u00e4per Ltd", "Pap-er Ltd."])
def test_what_was_typed_to_a_contact_of_nearly_the_vendor_s_name_is_asked_about(
    product: Product, purchases: Payables, amount: str, name: str
) -> None:
    one = typed(product, "b1", amount, name=name)

    differs = asked_alone(product, purchases, paper("b1", amount), one)

    assert differs == ("of another contact that may be the vendor's",)
    assert len(product.books.contacts) == 1


@pytest.mark.parametrize("amount", ["30.00", "-30.00"])
@pytest.mark.parametrize(
    ("number", "theirs", "days"), [("b1", "", 1), ("b1", "", -6), ("", "typo", 3), ("INV-77", "77", 2), ("", "", 1)]
)
def test_what_was_typed_some_days_apart_and_no_number_tells_apart_is_asked_about(
    product: Product, purchases: Payables, amount: str, number: str, *, theirs: str, days: int
) -> None:
    one = typed(product, theirs, amount, days=days)

    differs = asked_alone(product, purchases, evolve(paper("b1", amount), number=number), one)

    assert differs[0] == "another day"


@pytest.mark.parametrize(
    ("amount", "number", "days", "name"),
    [
        ("30.00", "", 7, "Paper Ltd"),
        ("30.01", "", 1, "Paper Ltd"),
        ("-30.00", "", 1, "Paper Ltd"),
        ("30.00", "b2", 1, "Paper Ltd"),
        ("30.00", "", 0, "Pepper Ltd"),
        ("30.01", "b2", 0, "Paper Limited"),
    ],
)
def test_another_paper_is_not_asked_about(
    product: Product, purchases: Payables, amount: str, number: str, *, days: int, name: str
) -> None:
    typed(product, number, amount, days=days, name=name)
    past = [paper("b1", "30.00")]

    assert not purchases.backfill(past).findings
    assert purchases.submit(past).counts()["bill"] == 1


def test_nobody_is_asked_whether_a_bill_is_what_another_one_is_for_sure(product: Product, purchases: Payables) -> None:
    """Whatever order they are given in."""
    for days in (2, 4):
        typed(product, "", "30.00", days=days)
    past = [evolve(paper(f"b{days}", "30.00"), number="", on=DAY + timedelta(days=days)) for days in (0, 2, 4, 6)]

    plan = purchases.backfill(past)
    purchases.apply(plan)

    assert (plan.counts(), plan.findings) == ({"bill_link": 2}, ())
    purchases.apply(purchases.submit(past))
    assert len(product.live_bills()) == 4


def test_what_bears_the_number_of_another_bill_is_not_taken_for_one_of_its_day_and_amount(
    product: Product, purchases: Payables
) -> None:
    one = typed(product, "INV-2", "30.00", days=5)
    past = [
        evolve(paper("b1", "30.00"), number="", on=DAY + timedelta(days=5)),
        evolve(paper("b2", "30.00"), number="INV-2"),
    ]

    plan = purchases.backfill(past)
    purchases.apply(plan)
    purchases.apply(purchases.submit(past))

    assert (plan.counts(), plan.findings) == ({"bill_link": 1}, ())
    assert [each.xero_id for each in purchases.posted(["b2"])] == [one]
    assert len(product.live_bills()) == 2


def test_of_two_that_were_typed_one_with_the_number_to_another_contact_a_person_says_which_it_is(
    product: Product, purchases: Payables
) -> None:
    alike = typed(product, "", "30.00")
    numbered = typed(product, "B1", "30.00", name="Paper Limited")

    plan = purchases.backfill([paper("b1", "30.00")])

    (finding,) = plan.findings
    assert isinstance(finding, WhichOne)
    assert not plan
    assert [each.xero_id for each in finding.candidates] == [alike, numbered]


def test_a_candidate_that_is_another_bill_s_by_now_is_told_as_such(product: Product, purchases: Payables) -> None:
    alike, later = typed(product, "", "30.00"), typed(product, "", "30.00", days=2)
    past = [evolve(paper(name, "30.00"), number="") for name in ("b1", "b2")]

    plan = purchases.backfill(past)
    purchases.apply(plan)

    (finding,) = plan.findings
    assert isinstance(finding, WhichOne)
    assert (plan.counts(), finding.about) == ({"bill_link": 1}, "b2")
    assert {each.xero_id: each.differs for each in finding.candidates} == {
        alike: ("taken over for another",),
        later: ("another day",),
    }
    purchases.apply(purchases.backfill(past, chosen={"b2": later}))
    assert not purchases.submit(past).findings
    assert len(product.live_bills()) == 2


@pytest.mark.parametrize("order", [("b1", "b2"), ("b2", "b1")])
def test_what_a_person_chose_for_one_bill_is_not_linked_to_another_that_looks_like_it(
    product: Product, purchases: Payables, order: tuple[str, str]
) -> None:
    one = typed(product, "", "30.00")
    past = [evolve(paper(name, "30.00"), number="") for name in order]

    plan = purchases.backfill(past, chosen={"b2": one})
    purchases.apply(plan)

    assert [(each.host_ref, each.linked_id) for each in plan.of(LinkBill)] == [("b2", one)]
    (finding,) = plan.findings
    assert (finding.about, finding.fix) == (
        "b1",
        "compare the two, or submit it with Duplicates.WARN if it is another paper",
    )
    assert not purchases.submit(past).counts().get("bill")
    warned = Payables(product.xero(), payment_account=BANK)
    warned.apply(warned.submit(past))
    assert len(product.live_bills()) == 2


@pytest.mark.parametrize("duplicates", list(Duplicates))
def test_what_bears_another_number_and_is_another_bill_s_by_now_is_in_nobody_s_way(
    product: Product, purchases: Payables, xero: Xero, duplicates: Duplicates
) -> None:
    typed(product, "INV-2", "30.00")
    purchases.apply(purchases.backfill([evolve(paper("b2", "30.00"), number="INV-2")]))
    later = Payables(xero, payment_account=BANK, bills=BillSettings(duplicates=duplicates))

    plan = later.submit([evolve(paper("b1", "30.00"), number="INV-1")])
    later.apply(plan)

    assert (plan.counts()["bill"], plan.findings) == (1, ())
    assert len(product.live_bills()) == 2


@pytest.mark.parametrize("days", [0, 1])
def test_a_blank_that_is_answered_for_a_bill_is_told_to_be_kept_nowhere(
    product: Product, purchases: Payables, *, days: int
) -> None:
    typed(product, "", "30.00", days=days)

    plan = purchases.backfill([paper("b1", "30.00")], chosen={"b1": ""})

    assert not plan
    assert ["submit it with Duplicates.WARN" in each.fix for each in plan.findings] == [True]


def test_what_was_typed_to_the_contact_a_vendor_was_paired_with_is_asked_about(
    product: Product, purchases: Payables
) -> None:
    """It is archived by now, so that nobody can say who the vendor is."""
    one = typed(product, "b1", "30.00", name="Stationery")
    contact = product.books.contacts[0].id
    purchases.apply(purchases.link_vendor("Paper Ltd", contact))
    product.books.archive_contact(contact)

    assert asked_alone(product, purchases, paper("b1", "30.00"), one)


def test_one_of_nearly_the_same_vendor_is_posted_where_that_is_said(product: Product, xero: Xero) -> None:
    typed(product, "", "30.00", days=1, name="Paper Limited")
    warned = Payables(xero, payment_account=BANK)

    plan = warned.submit([paper("b1", "30.00")])
    warned.apply(plan)

    assert plan.counts() == {"contact": 1, "bill": 1}
    for each in (plan, warned.submit([paper("b1", "30.00")])):
        (finding,) = each.findings
        assert finding.cause == (
            "another contact that may be the vendor's has another document of this amount, some days apart in Xero, "
            "entered by hand; it was posted all the same"
        )


def test_one_typed_bill_is_chosen_for_one_of_the_host_s(product: Product, purchases: Payables) -> None:
    bill = typed(product, "x", "31.00")
    past = [paper("b1", "30.00"), paper("b2", "30.00"), evolve(paper("c1", "-30.00"), number="x")]

    plan = purchases.backfill(past, chosen={"b1": bill, "b2": bill, "c1": bill})

    assert plan.counts() == {"bill_link": 1}
    assert [(each.about, each.code) for each in plan.findings] == [("b2", "does not fit"), ("c1", "does not fit")]


def test_one_typed_bill_is_linked_once_by_two_plans_made_before_either_was_applied(
    product: Product, purchases: Payables
) -> None:
    bill, other = typed(product, "n", "30.00"), typed(product, "o", "31.00", days=1)
    first, second = [evolve(paper(each, "30.00"), number="n") for each in ("b1", "b2")]
    plans = [purchases.backfill([each]) for each in (first, second)]
    plans.append(purchases.backfill([evolve(first, number="p")], chosen={"b1": other}))
    assert [each.counts() for each in plans] == [{"bill_link": 1}] * 3

    reports = [purchases.apply(each) for each in plans]

    told = [[(each.code, each.about) for each in report.findings] for report in reports]
    assert told == [[], [("changed since planned", "b2")], [("changed since planned", "b1")]]
    assert "another one's meanwhile" in reports[1].findings[0].cause
    assert [each.xero_id for each in purchases.posted(["b1"])] == [bill]
    assert not list(purchases.posted(["b2"]))
    assert [each.about for each in purchases.submit([first, second]).findings] == ["b2"]


def test_a_payment_of_all_that_was_due_is_the_one_that_was_typed(product: Product, purchases: Payables) -> None:
    bill = typed(product, "b1", "30.00")
    product.books.add_payment(bill, account=BANK, amount=Decimal(30), date=DAY)
    purchases.apply(purchases.backfill([paper("b1", "30.00")]))
    whole = [BillPayment(id="p1", bill_id="b1", on=DAY)]

    purchases.apply(purchases.backfill(payments=whole))

    assert not purchases.pay(whole)
    assert len(product.live_payments()) == 1


def test_a_payment_that_people_removed_and_typed_anew_is_taken_over_again(
    product: Product, purchases: Payables
) -> None:
    bill = typed(product, "b1", "30.00")
    purchases.apply(purchases.backfill([paper("b1", "30.00")]))
    part = [BillPayment(id="p1", bill_id="b1", on=DAY, amount=nzd("10.00"))]
    for days in (0, 0, 1):
        paid = product.books.add_payment(bill, account=BANK, amount=Decimal(10), date=DAY + timedelta(days=days))
        product.clock.advance(60)

        purchases.apply(purchases.backfill(payments=part, chosen={"p1": paid.id}))

        assert (len(purchases.pay(part)), purchases.pay(part).findings) == (0, ())
        product.books.remove_payment(paid.id)
        assert [each.code for each in purchases.pay(part).findings] == ["removed in Xero"]


@pytest.mark.parametrize("paid", [True, False])
def test_a_bill_that_people_voided_and_typed_anew_is_linked_under_a_new_id(
    product: Product, purchases: Payables, *, paid: bool
) -> None:
    payment = BillPayment(id="p1", bill_id="b1", on=DAY, amount=nzd("30.00"))
    purchases.apply(purchases.submit([paper("b1", "30.00")]))
    purchases.apply(purchases.pay([payment]))
    (bill,), (ours,) = product.live_bills(), product.live_payments()
    product.clock.advance(60)
    product.books.remove_payment(ours.id)
    product.books.void_invoice(bill.id)
    anew = typed(product, "b1", "30.00")
    if paid:
        product.books.add_payment(anew, account=BANK, amount=Decimal(30), date=DAY)
    (gone,) = purchases.submit([paper("b1", "30.00")]).findings
    assert (gone.code, "give it under a new id" in gone.fix) == ("removed in Xero", True)
    again = evolve(paper("b1", "30.00"), id="b1 again")
    payments = [evolve(payment, id="p1 again", bill_id="b1 again")]

    purchases.apply(purchases.backfill([again]))
    purchases.apply(purchases.backfill([again], payments=payments))
    purchases.apply(purchases.submit([again]))
    purchases.apply(purchases.pay(payments))

    assert [each.id for each in product.live_bills()] == [anew]
    assert [each.amount for each in product.live_payments()] == [Decimal(30)]


def test_a_payment_of_another_day_is_not_paid_twice_before_somebody_says(product: Product, purchases: Payables) -> None:
    bill = typed(product, "b1", "30.00")
    other = product.books.add_payment(bill, account=BANK, amount=Decimal(10), date=DAY + timedelta(days=3))
    purchases.apply(purchases.backfill([paper("b1", "30.00")]))
    part = [BillPayment(id="p1", bill_id="b1", on=DAY, amount=nzd("10.00"))]

    plan = purchases.backfill(payments=part)
    purchases.apply(plan)

    assert [each.code for each in plan.findings] == ["which one is it"]
    assert not purchases.pay(part)
    purchases.apply(purchases.backfill(payments=part, chosen={"p1": other.id}))
    assert (len(purchases.pay(part)), purchases.pay(part).findings) == (0, ())
    assert len(product.live_payments()) == 1


@pytest.mark.parametrize("amounts", [("30.00", "20.00"), ("49.99",), (None,)], ids=["several", "rounded", "in full"])
def test_a_payment_typed_on_the_day_with_another_amount_is_asked_about(
    product: Product, purchases: Payables, amounts: tuple[str | None, ...]
) -> None:
    bill = typed(product, "b1", "100.00")
    other = product.books.add_payment(bill, account=BANK, amount=Decimal(50), date=DAY)
    purchases.apply(purchases.backfill([paper("b1", "100.00")]))
    paid = [
        BillPayment(id=f"p{place}", bill_id="b1", on=DAY, amount=None if amount is None else nzd(amount))
        for place, amount in enumerate(amounts)
    ]

    plan = purchases.backfill(payments=paid)
    purchases.apply(plan)

    asked = {each.about: each.candidates[0].xero_id for each in plan.findings if isinstance(each, WhichOne)}
    assert asked == dict.fromkeys((each.id for each in paid), other.id)
    assert (len(purchases.pay(paid)), len(purchases.pay(paid).findings)) == (0, len(paid))
    purchases.apply(purchases.backfill(payments=paid[:1], chosen={"p0": other.id}))
    one = purchases.pay(paid[:1])
    assert (len(one), one.findings) == (0, ())
    purchases.apply(purchases.backfill(payments=paid))
    assert not purchases.pay(paid)
    purchases.apply(purchases.backfill(payments=paid, chosen={"p1": ""}))
    purchases.apply(purchases.pay(paid))
    assert len(product.live_payments()) == len(paid)


def test_what_is_left_of_a_bill_that_was_paid_in_part_before_is_paid(product: Product, purchases: Payables) -> None:
    bill = typed(product, "b1", "100.00")
    product.books.add_payment(bill, account=BANK, amount=Decimal(30), date=DAY)
    purchases.apply(purchases.backfill([paper("b1", "100.00")]))
    rest = [BillPayment(id="p1", bill_id="b1", on=DAY + timedelta(days=3))]

    plan = purchases.backfill(payments=rest)
    purchases.apply(purchases.pay(rest))

    assert (len(plan), plan.findings) == (0, ())
    assert sorted(each.amount for each in product.live_payments()) == [Decimal(30), Decimal(70)]


def test_a_payment_of_what_another_one_left_is_the_one_that_was_typed(product: Product, purchases: Payables) -> None:
    bill = typed(product, "b1", "100.00")
    product.books.add_payment(bill, account=BANK, amount=Decimal(10), date=DAY)
    product.books.add_payment(bill, account=BANK, amount=Decimal(70), date=DAY)
    purchases.apply(purchases.backfill([paper("b1", "100.00")]))
    paid = [
        BillPayment(id="p3", bill_id="b1", on=DAY),
        BillPayment(id="p1", bill_id="b1", on=DAY, amount=nzd("10.00")),
        BillPayment(id="p2", bill_id="b1", on=DAY, amount=nzd("20.00")),
    ]

    plan = purchases.backfill(payments=paid)
    purchases.apply(plan)
    purchases.apply(purchases.pay(paid))

    assert (plan.counts(), plan.findings) == ({"adopt": 2}, ())
    assert sorted(each.amount for each in product.live_payments()) == [Decimal(10), Decimal(20), Decimal(70)]


def test_of_a_bill_that_was_paid_in_full_in_parts_nobody_is_asked(product: Product, purchases: Payables) -> None:
    bill = typed(product, "b1", "100.00")
    for days in (0, 1):
        product.books.add_payment(bill, account=BANK, amount=Decimal(50), date=DAY + timedelta(days=days))
    purchases.apply(purchases.backfill([paper("b1", "100.00")]))
    whole = [BillPayment(id="p1", bill_id="b1", on=DAY)]

    plan = purchases.backfill(payments=whole)

    assert (len(plan), plan.findings) == (0, ())
    assert not purchases.pay(whole)


def test_a_payment_in_another_currency_is_not_the_host_s(product: Product, purchases: Payables) -> None:
    product.books.add_currency("USD")
    vendor = product.books.add_contact("Paper Ltd").id
    bill = product.books.add_invoice(
        vendor,
        type="ACCPAY",
        number="b1",
        amount=Decimal(100),
        date=DAY,
        CurrencyCode="USD",
        CurrencyRate=Decimal("0.5"),
    )
    product.books.add_payment(bill.id, account=BANK, amount=Decimal(100), date=DAY, rate=Decimal("0.5"))
    past = paper("b1", "100.00")
    dollars = evolve(past, lines=[evolve(each, amount=Money("100.00", "USD")) for each in past.lines])
    purchases.apply(purchases.backfill([dollars]))
    paid = [BillPayment(id="p1", bill_id="b1", on=DAY, amount=nzd("100.00"))]

    assert not purchases.backfill(payments=paid)
    assert [each.code for each in purchases.pay(paid).findings] == ["does not fit"]


def test_an_answer_on_what_was_not_given_is_a_finding(product: Product, purchases: Payables) -> None:
    bill = typed(product, "b1", "30.00")
    past, part = [paper("b1", "30.00")], [BillPayment(id="p1", bill_id="b1", on=DAY, amount=nzd("10.00"))]

    plan = purchases.backfill(past, payments=part, chosen={"b1": bill, "bl": bill, "p1": ""})

    assert [(each.code, each.about) for each in plan.findings] == [("not among those given", "bl")]
    assert not purchases.backfill(past, since=DAY + timedelta(days=1), chosen={"b1": bill}).findings


def test_what_is_older_than_the_day_is_left_alone(product: Product, purchases: Payables) -> None:
    typed(product, "b1", "30.00")

    assert not purchases.backfill([paper("b1", "30.00")], since=DAY + timedelta(days=1))
