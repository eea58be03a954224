"""Vendors: found or created once, whatever the spelling; never a guess, never an archived one (G4)."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from attrs import define, evolve
from tests.conftest import BANK, DAY, Product, Through, is_write, nzd

from xerosync import Bill, BillLine, BillPayment, CardSpend, MemoryStore, Payables, Plan
from xerosync.models import AccountCode
from xerosync.ports import Request, Response
from xerosync.simulator import Contact


def bill(bill_id: str, vendor: str) -> Bill:
    line = BillLine(description="paper", amount=nzd("10.00"), account=AccountCode("429"))
    return Bill(id=bill_id, vendor=vendor, number=bill_id, on=DAY, lines=[line])


def active(product: Product) -> list[Contact]:
    return [contact for contact in product.books.contacts if contact.status == "ACTIVE"]


def test_a_vendor_is_created_once_whatever_its_letter_case_and_blanks(product: Product, purchases: Payables) -> None:
    spellings = ["Paper Ltd", "PAPER LTD", " paper  ltd ", "Ｐaper Ltd"]
    plan = purchases.submit([bill(f"b{place}", vendor) for place, vendor in enumerate(spellings)])

    purchases.apply(plan)

    assert plan.counts() == {"contact": 1, "bill": 4}
    assert [contact.name for contact in active(product)] == ["Paper Ltd"]
    assert {each.contact_id for each in product.live_bills()} == {active(product)[0].id}


def test_a_vendor_created_before_is_used_again_even_when_renamed(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("b1", "Paper Ltd")]))
    product.books.rename_contact(active(product)[0].id, "Paper Holdings")

    purchases.apply(purchases.submit([bill("b2", "paper ltd")]))

    assert [contact.name for contact in active(product)] == ["Paper Holdings"]
    assert len(product.live_bills()) == 2


def test_a_contact_already_in_xero_is_linked_not_doubled(product: Product, purchases: Payables) -> None:
    contact = product.books.add_contact("PAPER LTD")

    plan = purchases.submit([bill("b1", "Paper Ltd")])
    purchases.apply(plan)

    assert plan.counts() == {"vendor": 1, "bill": 1}
    assert [each.contact_id for each in product.live_bills()] == [contact.id]
    assert purchases.submit([bill("b2", "Paper Ltd")]).counts() == {"bill": 1}


def test_a_contact_added_by_hand_after_planning_is_used(product: Product, purchases: Payables) -> None:
    plan = purchases.submit([bill("b1", "Paper Ltd")])
    contact = product.books.add_contact("paper ltd")

    report = purchases.apply(plan)

    assert [each.contact_id for each in product.live_bills()] == [contact.id]
    assert report.unfinished == ()


@pytest.mark.parametrize("made", ["by us", "by hand"])
def test_bills_of_an_archived_vendor_wait_for_the_bookkeeper(product: Product, purchases: Payables, made: str) -> None:
    if made == "by hand":
        product.books.add_contact("Paper Ltd")
    purchases.apply(purchases.submit([bill("b1", "Paper Ltd")]))
    (contact,) = active(product)
    product.books.archive_contact(contact.id)

    plan = purchases.submit([bill("b2", "Paper Ltd"), bill("b3", "Paper Ltd")])

    assert not plan
    assert [(each.code, each.about) for each in plan.findings] == [
        ("archived", "paper ltd"),
        ("vendor unclear", "b2"),
        ("vendor unclear", "b3"),
    ]
    product.books.restore_contact(contact.id)
    purchases.apply(purchases.submit([bill("b2", "Paper Ltd")]))
    assert len(product.live_bills()) == 2


def test_two_contacts_of_the_vendors_name_are_never_guessed_between(product: Product, purchases: Payables) -> None:
    product.books.add_contact("Paper Ltd")
    product.books.add_contact("Ｐaper Ltd")

    plan = purchases.submit([bill("b1", "Paper Ltd")])

    assert not plan
    assert [each.code for each in plan.findings] == ["ambiguous", "vendor unclear"]


@pytest.mark.parametrize("made", ["by us", "by hand"])
def test_a_merged_vendor_is_followed_to_what_it_was_merged_into(
    product: Product, purchases: Payables, made: str
) -> None:
    if made == "by hand":
        product.books.add_contact("Paper Ltd")
    purchases.apply(purchases.submit([bill("b1", "Paper Ltd")]))
    (loser,) = active(product)
    survivor = product.books.add_contact("Paper & Sons")
    product.books.merge_contacts(loser.id, into=survivor.id)

    plan = purchases.submit([bill("b2", "Paper Ltd")])
    purchases.apply(plan)

    assert plan.counts() == {"bill": 1}
    assert {each.contact_id for each in product.live_bills()} == {survivor.id}


def test_a_contact_of_the_vendors_name_that_was_merged_is_followed_before_it_was_ever_used(
    product: Product, purchases: Payables
) -> None:
    survivor = product.books.add_contact("Paper & Sons")
    product.books.merge_contacts(product.books.add_contact("Paper Ltd").id, into=survivor.id)

    purchases.apply(purchases.submit([bill("b1", "Paper Ltd")]))

    assert [each.contact_id for each in product.live_bills()] == [survivor.id]
    assert [each.id for each in active(product)] == [survivor.id]


def test_a_vendor_that_a_contact_only_looks_like_is_neither_used_nor_created(
    product: Product, purchases: Payables
) -> None:
    """Whoever sends bills in another's name wants them paid to himself."""
    product.books.add_contact("Paper Ltd")

    plan = purchases.submit([bill("b1", "Рареr Ltd")])
    product.books.add_contact("Рареr Ltd")
    after = purchases.submit([bill("b1", "Рареr Ltd")])

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["looks alike", "vendor unclear"])
    assert after.counts() == {"vendor": 1, "bill": 1}


def test_latin_names_that_differ_in_a_letter_that_looks_alike_are_two_vendors(
    product: Product, purchases: Payables
) -> None:
    purchases.apply(purchases.submit([bill("b1", "Barnes 10"), bill("b2", "Barnes 1O")]))
    purchases.apply(purchases.submit([bill("b3", "Bames 10")]))

    assert sorted(each.name for each in active(product)) == ["Bames 10", "Barnes 10", "Barnes 1O"]


def test_a_person_chooses_the_contact_of_a_vendor(product: Product, purchases: Payables) -> None:
    contact = product.books.add_contact("PL Holdings")
    archived = product.books.archive_contact(product.books.add_contact("Paper Ltd").id)

    purchases.apply(purchases.link_vendor("Paper Ltd", contact.id))
    purchases.apply(purchases.submit([bill("b1", "PAPER ltd")]))

    assert [each.contact_id for each in product.live_bills()] == [contact.id]
    assert not purchases.link_vendor("paper ltd", contact.id)
    refused = [purchases.link_vendor("Glue", each).findings for each in (archived.id, "0" * 8)]
    assert [[finding.code for finding in findings] for findings in refused] == [["archived"], ["not in Xero"]]


def test_an_archived_contact_never_used_by_us_does_not_hinder_a_new_vendor(
    product: Product, purchases: Payables
) -> None:
    product.books.archive_contact(product.books.add_contact("Paper Ltd").id)

    purchases.apply(purchases.submit([bill("b1", "Paper Ltd")]))

    assert [contact.name for contact in active(product)] == ["Paper Ltd"]
    assert [each.total for each in product.live_bills()] == [Decimal(10)]


def test_bills_of_a_vendor_that_xero_refuses_are_held_back(product: Product, purchases: Payables) -> None:
    """Whatever refuses the contact, its bill must not be sent without it."""
    plan = purchases.submit([bill("b1", "Paper Ltd"), bill("b2", "Glue Ltd")])
    product.books.add_contact("Paper Ltd")
    product.books.archive_contact(product.books.add_contact("Glue Ltd").id)
    only_bills = plan.only(lambda action: action.kind == "bill")

    report = purchases.apply(only_bills)

    assert only_bills.counts() == {"contact": 2, "bill": 2}
    assert report.unfinished == ()
    assert len(product.live_bills()) == 2


@define(eq=False)
class Refusing(Through):
    """A way to a Xero that takes no new contact."""

    async def send(self, request: Request) -> Response:
        if not is_write(request, "/Contacts"):
            return await super().send(request)
        row = {"HasValidationErrors": True, "ValidationErrors": [{"Message": "This name is not acceptable."}]}
        return Response(200, {}, msgspec.json.encode({"Contacts": [row]}))


def test_a_vendor_that_xero_refuses_is_not_offered_again_until_told_to(product: Product) -> None:
    refused = Payables(product.xero(transport=Refusing(product.simulator.transport)), payment_account=BANK)
    refused.apply(refused.submit([bill("b1", "Paper Ltd")]))
    purchases = Payables(product.xero(), payment_account=BANK)

    again = purchases.submit([bill("b1", "Paper Ltd")])
    told_to = purchases.submit([bill("b1", "Paper Ltd")], retry_refused=True)

    assert (len(again), {finding.code for finding in again.findings}) == (0, {"refused by Xero", "vendor unclear"})
    assert again.findings[0].cause == "This name is not acceptable."
    assert told_to.counts() == {"contact": 1, "bill": 1}


def test_two_workers_that_planned_the_same_new_vendor_create_it_once(product: Product, purchases: Payables) -> None:
    """Each in a plan of its own, made before either was applied, and spelt its own way."""
    other = Payables(product.xero(), payment_account=BANK)
    first, second = purchases.submit([bill("b1", "New Ltd")]), other.submit([bill("b2", "NEW  ltd")])

    purchases.apply(first)
    report = other.apply(second)

    assert report.unfinished == ()
    assert [each.name for each in active(product)] == ["New Ltd"]
    assert {each.contact_id for each in product.live_bills()} == {active(product)[0].id}
    assert len(product.live_bills()) == 2
    assert not other.submit([bill("b1", "New Ltd"), bill("b2", "NEW ltd")])


def test_two_workers_with_stores_of_their_own_never_create_a_vendor_twice(product: Product) -> None:
    first, second = (Payables(product.xero(store=MemoryStore()), payment_account=BANK) for _ in range(2))
    plans = first.submit([bill("b1", "New Ltd")]), second.submit([bill("b2", "New Ltd")])

    first.apply(plans[0])
    second.apply(plans[1])
    second.apply(second.submit([bill("b2", "New Ltd")]))

    assert [each.name for each in active(product)] == ["New Ltd"]
    assert sorted(each.number for each in product.live_bills()) == ["b1", "b2"]


def test_a_contact_that_is_a_customer_is_the_vendor_of_its_name(product: Product, purchases: Payables) -> None:
    sale = product.invoice("Ana Costa", "100.00")

    purchases.apply(purchases.submit([bill("b1", "ANA costa")]))

    assert [each.contact_id for each in product.live_bills()] == [sale.contact_id]
    assert [each.name for each in active(product)] == ["Ana Costa"]


@pytest.mark.parametrize("what", ["archived", "merged"])
@pytest.mark.parametrize("kind", ["bill", "credit note", "receipt"])
def test_what_a_contact_that_ended_after_planning_held_back_goes_on_by_itself_once_there_is_one_to_use(
    product: Product, purchases: Payables, what: str, kind: str
) -> None:
    contact, survivor = product.books.add_contact("Old Ltd"), product.books.add_contact("Survivor Ltd")
    line = BillLine(
        description="x", amount=nzd("-1.00" if kind == "credit note" else "1.00"), account=AccountCode("429")
    )
    paper = evolve(bill("b1", "Old Ltd"), lines=[line])
    receipt = CardSpend(id="b1", vendor="Old Ltd", on=DAY, account=BANK, lines=[line])

    def plan_again() -> Plan:
        return purchases.spend([receipt]) if kind == "receipt" else purchases.submit([paper])

    plan = plan_again()
    if what == "merged":
        product.books.merge_contacts(contact.id, into=survivor.id)
    else:
        product.books.archive_contact(contact.id)

    report = purchases.apply(plan)
    (refused,) = report.findings
    assert (refused.about, refused.code) == ("b1", "refused by Xero")
    assert refused.fix.startswith("plan again: ")

    if what == "archived":
        waiting = plan_again()
        assert (len(waiting), [each.code for each in waiting.findings]) == (0, ["archived", "vendor unclear"])
        product.books.restore_contact(contact.id)
    purchases.apply(plan_again())
    documents = [each.contact_id for each in (*product.live_bills(), *product.books.credit_notes)]
    money = [each.contact_id for each in product.books.bank_transactions]
    assert documents + money == [survivor.id if what == "merged" else contact.id]
    assert (len(plan_again()), plan_again().findings) == (0, ())


def test_a_vendor_is_never_renamed_nor_blanked_by_what_is_posted_to_it(product: Product, purchases: Payables) -> None:
    """Whatever a bookkeeper keeps of it stays as it is: but for being a supplier, which it is by its first bill."""
    kept = product.books.add_contact(
        "PAPER Ltd",
        email="ap@paper.example",
        number="V-7",
        TaxNumber="12-345-678",
        AccountNumber="A 9",
        FirstName="Ana",
        Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": "5551234"}],
        Addresses=[{"AddressType": "STREET", "AddressLine1": "1 Quay Street"}],
    )
    paper, other = bill("b1", "paper  ltd"), bill("b2", "Other Ltd")
    receipt = CardSpend(id="s1", vendor="Paper LTD", on=DAY, account=BANK, lines=paper.lines)
    credit = evolve(paper, id="c1", number="c1", lines=[evolve(paper.lines[0], amount=nzd("-4.00"))])

    purchases.apply(purchases.submit([paper, credit, other]))
    purchases.apply(purchases.spend([receipt]))
    purchases.apply(purchases.update([evolve(other, vendor="Paper Ltd")]))
    purchases.apply(purchases.settle_credits())
    purchases.apply(purchases.pay([BillPayment(id="p", bill_id="b1", on=DAY)]))

    (now,) = [each for each in product.books.contacts if each.id == kept.id]
    assert now.is_supplier
    assert evolve(now, is_supplier=False) == kept
    assert {each.contact_id for each in product.live_bills()} == {kept.id}
