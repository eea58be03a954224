"""Contacts created for customers that Xero lacks: when told to, once, and never beside a namesake or a look-alike."""

from __future__ import annotations

import pytest
from tests.conftest import CLEARING, DAY, Product, nzd

from xerosync import Bill, BillLine, Customer, MatchStatus, Payables, Receivables, Settlement, SettlementLine
from xerosync.models import AccountCode
from xerosync.simulator import Bookkeeper, Fault

ANA = Customer(
    id="7",
    custom_identifier="Ana Costa",
    contact_number="C-7",
    account_number="A-7",
    email="ana@costa.test",
    tax_number="123-456-789",
    phone="09 555 0100",
)


def test_a_customer_that_is_not_in_xero_gets_a_contact_when_told_to(sales: Receivables, books: Bookkeeper) -> None:
    assert not sales.match([ANA])

    plan = sales.match([ANA], create_missing=True)
    sales.apply(plan)

    (contact,) = books.contacts
    assert plan.counts() == {"contact": 1, "customer": 1}
    assert (contact.name, contact.number) == ("Ana Costa", "C-7")
    assert dict(contact.texts).items() >= {"AccountNumber": "A-7", "EmailAddress": "ana@costa.test"}.items()
    (match,) = sales.matches([ANA])
    assert (match.status, match.contacts) == (MatchStatus.CONNECTED, (contact.id,))
    assert not sales.match([ANA], create_missing=True)


def test_a_name_taken_in_the_meantime_is_read_again_and_connected(sales: Receivables, books: Bookkeeper) -> None:
    plan = sales.match([ANA], create_missing=True)
    entered = books.add_contact("ana costa")

    report = sales.apply(plan)

    assert report.unfinished == ()
    assert [contact.id for contact in books.contacts] == [entered.id]
    assert sales.matches([ANA])[0].contacts == (entered.id,)


def test_a_name_taken_in_the_meantime_by_another_customers_contact_is_left_to_it(
    sales: Receivables, books: Bookkeeper
) -> None:
    plan = sales.match([ANA], create_missing=True)
    entered = books.add_contact("Ana Costa")
    sales.apply(sales.link("other", entered.id))

    report = sales.apply(plan)

    assert [(finding.code, finding.about) for finding in report.findings] == [("contact already taken", "7")]
    (match,) = sales.matches([ANA])
    assert (match.status, match.taken_by) == (MatchStatus.TAKEN, "other")


def test_a_number_taken_in_the_meantime_is_read_again_and_offered(sales: Receivables, books: Bookkeeper) -> None:
    plan = sales.match([ANA], create_missing=True)
    entered = books.add_contact("A. Costa", number="c-7")

    report = sales.apply(plan)
    again = sales.match([ANA], create_missing=True)
    sales.apply(again)

    assert "contact already taken" in {finding.code for finding in report.findings}
    assert again.counts() == {"customer": 1}
    assert [contact.id for contact in books.contacts] == [entered.id]
    assert sales.matches([ANA])[0].status is MatchStatus.CONNECTED


def test_a_lost_answer_makes_no_second_contact(product: Product, sales: Receivables, books: Bookkeeper) -> None:
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Contacts")
    sales.apply(sales.match([ANA], create_missing=True))

    sales.recover()
    sales.apply(sales.match([ANA], create_missing=True))

    assert [contact.name for contact in books.contacts] == ["Ana Costa"]
    assert sales.matches([ANA])[0].status is MatchStatus.CONNECTED


def test_a_contact_created_and_renamed_before_it_was_connected_is_still_the_customers(
    sales: Receivables, books: Bookkeeper
) -> None:
    customer = Customer(id="7", custom_identifier="Ana Costa")
    sales.apply(sales.match([customer], create_missing=True).only(lambda action: action.kind == "contact"))
    (contact,) = books.contacts
    books.rename_contact(contact.id, "Costa & Daughters")

    plan = sales.match([customer], create_missing=True)
    sales.apply(plan)

    assert plan.counts() == {"customer": 1}
    assert sales.matches([customer])[0].names == ("Costa & Daughters",)


@pytest.mark.parametrize("hindrance", ["archived", "looks alike"])
def test_only_a_person_creates_a_contact_beside_an_archived_or_a_look_alike(
    sales: Receivables, books: Bookkeeper, hindrance: str
) -> None:
    customer = Customer(id="7", custom_identifier="Acme")
    if hindrance == "archived":
        books.archive_contact(books.add_contact("Acme").id)
    else:
        books.add_contact("Аcme")

    plan = sales.match([customer], create_missing=True)
    sales.apply(sales.create_contact(customer))

    assert (len(plan), [finding.code for finding in plan.findings]) == (0, [hindrance])
    (match,) = sales.matches([customer])
    assert (match.status, match.names) == (MatchStatus.CONNECTED, ("Acme",))
    assert len(books.contacts) == 2


def test_a_connected_contact_that_was_archived_is_replaced_when_a_person_says_so(
    sales: Receivables, books: Bookkeeper
) -> None:
    """Again and again, also where the archived one was created here."""
    customer = Customer(id="7", custom_identifier="Acme")
    for _ in range(3):
        sales.apply(sales.create_contact(customer))
        (standing,) = [contact for contact in books.contacts if contact.status == "ACTIVE"]
        (match,) = sales.matches([customer])
        assert (match.status, match.contacts) == (MatchStatus.CONNECTED, (standing.id,))
        books.archive_contact(standing.id)

    assert not sales.match([customer], create_missing=True)
    assert len(books.contacts) == 3


def test_a_contact_taken_apart_from_a_customer_is_not_created_again(sales: Receivables, books: Bookkeeper) -> None:
    sales.apply(sales.match([ANA], create_missing=True))
    sales.apply(sales.unlink("7"))

    plan = sales.match([ANA], create_missing=True)

    assert (len(plan), [finding.code for finding in plan.findings]) == (0, ["not in Xero"])
    assert len(books.contacts) == 1


def test_customers_that_would_get_contacts_of_one_name_are_ambiguous(sales: Receivables) -> None:
    twins = [Customer(id=each, custom_identifier=name) for each, name in (("1", "Acme"), ("2", "ACME"))]

    plan = sales.match(twins, create_missing=True)

    assert (len(plan), [finding.code for finding in plan.findings]) == (0, ["ambiguous", "ambiguous"])
    told = {(finding.cause, finding.fix, finding.who) for finding in plan.findings}
    assert {fix for _, fix, _ in told} == {
        "give each customer a custom identifier of its own; if they are one customer, give it once"
    }
    assert {who for _, _, who in told} == {"you"}
    assert all("would get a contact of the same name" in cause for cause, _, _ in told)


def test_no_contact_is_created_where_one_was_found(sales: Receivables, books: Bookkeeper) -> None:
    books.add_contact("Ana Costa")

    plan = sales.create_contact(ANA)

    assert (len(plan), [finding.code for finding in plan.findings]) == (0, ["contact there already"])


@pytest.mark.parametrize("name", ["", "<Ana>", "A" * 256, "A\x00na"])
def test_a_customer_without_a_name_that_xero_takes_is_a_finding(sales: Receivables, name: str) -> None:
    plan = sales.match([Customer(id="7", custom_identifier=name)], create_missing=True)

    assert (len(plan), [finding.code for finding in plan.findings]) == (0, ["cannot be created"])


def test_what_xero_refused_is_not_sent_again_until_told_to(sales: Receivables, books: Bookkeeper) -> None:
    customer = Customer(id="7", custom_identifier="Ana Costa", email="no address")
    sales.apply(sales.match([customer], create_missing=True))

    again = sales.match([customer], create_missing=True)
    mended = Customer(id="7", custom_identifier="Ana Costa", email="ana@costa.test")
    sales.apply(sales.match([mended], create_missing=True, retry_refused=True))

    assert (len(again), [finding.code for finding in again.findings]) == (0, ["refused by Xero"])
    assert [contact.name for contact in books.contacts] == ["Ana Costa"]


def test_a_contact_referred_to_is_never_renamed_or_blanked(product: Product, books: Bookkeeper) -> None:
    """xeroizer#278: documents that name a contact by more than its id change the contact (F 6.36)."""
    contact = books.add_contact(
        "Ana Costa",
        email="ana@costa.test",
        number="C-7",
        TaxNumber="123",
        Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": "5550100"}],
    )
    books.add_invoice(contact.id, number="INV-1", amount=nzd("10.00").amount, date=DAY)
    before = books.contact(contact.id)
    sales, purchases = Receivables(product.xero(), clearing_account=CLEARING), Payables(product.xero())

    sales.apply(
        sales.match([Customer(id="7", custom_identifier="ANA COSTA", email="other@costa.test", contact_number="C-7")])
    )
    sales.apply(sales.import_invoices())
    (transaction,) = sales.transactions()
    line = SettlementLine(id="l", transaction=transaction.id, amount=nzd("10.00"))
    sales.apply(sales.settle(Settlement(id="s", on=DAY, lines=[line])))
    paper = BillLine(description="paper", amount=nzd("5.00"), account=AccountCode("429"))
    purchases.apply(purchases.submit([Bill(id="b", vendor="ana costa", number="1", on=DAY, lines=[paper])]))

    after = books.contact(contact.id)
    assert (after.name, after.number, after.texts, after.phones) == (
        before.name,
        before.number,
        before.texts,
        before.phones,
    )
    assert len(books.contacts) == 1
