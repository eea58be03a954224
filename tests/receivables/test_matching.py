"""Pairing customers with contacts: a status for each, never a guess (R9, R11)."""

from __future__ import annotations

import json

import pytest
from attrs import evolve
from tests.conftest import Product

from xerosync import Customer, MatchStatus, Party, Plan, Receivables, by_contact_number, by_name
from xerosync.errors import InvalidInput
from xerosync.simulator import Bookkeeper


def customer(name: str) -> Customer:
    return Customer(id=f"c-{name}", custom_identifier=name)


def status(sales: Receivables, name: str) -> MatchStatus:
    (match,) = sales.matches([customer(name)])
    return match.status


def test_each_customer_gets_a_status_and_only_a_match_is_connected(sales: Receivables, books: Bookkeeper) -> None:
    found = books.add_contact("0379-NEVHP")
    books.archive_contact(books.add_contact("Old Ltd").id)
    names = ["0379-NEVHP", "Nobody", "Old Ltd", ""]

    plan = sales.match(map(customer, names))
    sales.apply(plan)

    assert plan.counts() == {"customer": 1}
    assert {finding.about: finding.code for finding in plan.findings} == {
        "c-Nobody": "not in Xero",
        "c-Old Ltd": "archived",
        "c-": "not in Xero",
    }
    assert (plan.tallies["match found"], plan.tallies["not in Xero"], plan.tallies["archived"]) == (1, 2, 1)
    (match,) = sales.matches([customer("0379-NEVHP")])
    assert (match.status, match.contacts) == (MatchStatus.CONNECTED, (found.id,))


@pytest.mark.parametrize("written", ["ACME  Ltd ", "acme ltd", "ＡＣＭＥ ltd", "Acme\u00a0Ltd", "AcMe\u200b Ltd"])
def test_letter_case_width_and_blanks_make_no_other_name(sales: Receivables, books: Bookkeeper, written: str) -> None:
    books.add_contact("Acme Ltd")

    assert status(sales, written) is MatchStatus.MATCH_FOUND


def test_an_accent_makes_another_name(sales: Receivables, books: Bookkeeper) -> None:
    books.add_contact("Jose")

    assert status(sales, "José") is MatchStatus.NOT_IN_XERO


def test_two_contacts_of_one_name_are_ambiguous_unless_one_has_the_very_letters(
    sales: Receivables, books: Bookkeeper
) -> None:
    books.add_contact("ＡＣＭＥ")
    exact = books.add_contact("Acme")

    assert status(sales, "acme") is MatchStatus.AMBIGUOUS
    (match,) = sales.matches([customer("Acme")])
    assert (match.status, match.contacts) == (MatchStatus.MATCH_FOUND, (exact.id,))
    assert [finding.code for finding in sales.match([customer("acme")]).findings] == ["ambiguous"]


def test_an_archived_namesake_does_not_hide_the_active_contact(sales: Receivables, books: Bookkeeper) -> None:
    books.archive_contact(books.add_contact("Acme").id)
    books.add_contact("Acme")

    assert status(sales, "Acme") is MatchStatus.MATCH_FOUND


def test_a_rename_after_linking_does_no_harm(product: Product, sales: Receivables) -> None:
    contact = product.books.add_contact("Acme")
    sales.apply(sales.match([customer("Acme")]))
    product.books.rename_contact(contact.id, "Acme Holdings")
    other = product.books.add_contact("Acme")
    mine, theirs = product.invoice("Acme Holdings", "10.00"), product.invoice("Acme", "20.00")

    assert status(sales, "Acme") is MatchStatus.CONNECTED
    assert not sales.match([customer("Acme")])
    sales.apply(sales.import_invoices())
    assert [each.invoice_id for each in sales.transactions()] == [mine.id]
    assert theirs.contact_id == other.id


def test_a_connected_contact_that_was_archived_is_said_to_be(sales: Receivables, books: Bookkeeper) -> None:
    contact = books.add_contact("Acme")
    sales.apply(sales.match([customer("Acme")]))
    books.archive_contact(contact.id)

    assert status(sales, "Acme") is MatchStatus.ARCHIVED

    books.restore_contact(contact.id)
    assert status(sales, "Acme") is MatchStatus.CONNECTED


def test_matching_again_plans_nothing(sales: Receivables, books: Bookkeeper) -> None:
    books.add_contact("Acme")
    sales.apply(sales.match([customer("Acme")]))

    again = sales.match([customer("Acme")])

    assert (len(again), again.findings) == (0, ())
    assert again.tallies["connected"] == 1


def test_a_plan_of_matches_prints_what_was_found(sales: Receivables, books: Bookkeeper) -> None:
    books.add_contact("Acme")

    plan = sales.match([customer("Acme"), customer("Nobody")])

    (finding,) = plan.findings
    assert str(plan).splitlines() == [
        "1 match found · 1 not in Xero",
        "1 customer to connect",
        f"1 × not in Xero: {finding.cause} → {finding.fix}",
    ]


def test_matching_changes_nothing_until_it_is_applied(sales: Receivables, books: Bookkeeper) -> None:
    books.add_contact("Acme")

    plan: Plan = sales.match([customer("Acme")])

    assert len(plan) == 1
    assert status(sales, "Acme") is MatchStatus.MATCH_FOUND


def test_a_customer_given_twice_is_refused(sales: Receivables) -> None:
    with pytest.raises(InvalidInput, match="each customer once"):
        sales.match([customer("Acme"), customer("Acme")])


@pytest.mark.parametrize(
    ("customer", "contact"),
    [
        (Customer(id="1", custom_identifier="C-1", contact_number="n-7"), {"number": "N-7"}),
        (Customer(id="1", custom_identifier="C-1", account_number="A 7"), {"AccountNumber": "a 7"}),
        (Customer(id="1", custom_identifier="C-1", email="ana@costa.test"), {"email": "Ana@costa.test"}),
        (Customer(id="1", custom_identifier="C-1", tax_number="123 456 789"), {"TaxNumber": "123456789"}),
    ],
    ids=["contact number", "account number", "e-mail", "tax number"],
)
def test_a_customer_is_found_by_another_key_when_no_contact_has_its_name(
    sales: Receivables, books: Bookkeeper, customer: Customer, contact: dict[str, str]
) -> None:
    ana = books.add_contact("Ana Costa", **contact)

    (match,) = sales.matches([customer])

    assert (match.status, match.contacts, match.names) == (MatchStatus.MATCH_FOUND, (ana.id,), ("Ana Costa",))
    assert match.reason.startswith("the same ")


def test_keys_that_lead_to_different_contacts_are_ambiguous(sales: Receivables, books: Bookkeeper) -> None:
    named = books.add_contact("Ana Costa")
    numbered = books.add_contact("Ana C", number="7")

    (match,) = sales.matches([Customer(id="1", custom_identifier="Ana Costa", contact_number="7")])

    assert match.status is MatchStatus.AMBIGUOUS
    assert set(match.contacts) == {named.id, numbered.id}
    assert match.reason == "the same name as one contact, the same contact number as another"


def test_an_e_mail_of_several_contacts_is_ambiguous_unless_another_key_tells(
    sales: Receivables, books: Bookkeeper
) -> None:
    books.add_contact("Ana", email="office@costa.test")
    bea = books.add_contact("Bea", email="office@costa.test", number="8")
    customer = Customer(id="1", custom_identifier="C-1", email="office@costa.test")

    assert sales.matches([customer])[0].status is MatchStatus.AMBIGUOUS
    (match,) = sales.matches([evolve(customer, contact_number="8")])
    assert (match.status, match.contacts) == (MatchStatus.MATCH_FOUND, (bea.id,))


def by_old_number(party: Party) -> str:
    """The number of the system we had before, which the bookkeeper writes behind the name."""
    return party.facts.get("old", "") if isinstance(party, Customer) else (party.name or "").partition(" #")[2]


def test_a_key_of_the_hosts_own_is_one_small_function(product: Product, books: Bookkeeper) -> None:
    contact = books.add_contact("Ana Costa #0042")
    sales = Receivables(product.xero(), match_by=[by_old_number, by_name])

    (match,) = sales.matches([Customer(id="1", custom_identifier="Ana", facts={"old": "0042"})])

    assert (match.status, match.contacts, match.reason) == (
        MatchStatus.MATCH_FOUND,
        (contact.id,),
        "the same old number",
    )


@pytest.mark.parametrize("first", ["name", "number"])
def test_of_two_keys_that_lead_to_one_contact_the_first_of_the_order_is_the_reason(
    product: Product, books: Bookkeeper, first: str
) -> None:
    contact = books.add_contact("Ana Costa", number="7")
    keys = [by_name, by_contact_number] if first == "name" else [by_contact_number, by_name]
    sales = Receivables(product.xero(), match_by=keys)

    (match,) = sales.matches([Customer(id="1", custom_identifier="Ana Costa", contact_number="7")])

    assert match.contacts == (contact.id,)
    assert match.reason.startswith({"name": "the same name", "number": "the same contact number"}[first])


def test_keys_that_are_left_out_are_not_looked_for(product: Product, books: Bookkeeper) -> None:
    books.add_contact("Ana Costa", email="ana@costa.test")
    sales = Receivables(product.xero(), match_by=[by_name])

    (match,) = sales.matches([Customer(id="1", custom_identifier="Ana", email="ana@costa.test")])

    assert match.status is MatchStatus.NOT_IN_XERO


@pytest.mark.parametrize("written", ["Аcme", "Αcme", "Acme\u202e"], ids=ascii)
def test_a_look_alike_is_never_connected_nor_created_by_itself(
    sales: Receivables, books: Bookkeeper, written: str
) -> None:
    books.add_contact(written)

    plan = sales.match([customer("Acme")], create_missing=True)

    assert not plan
    assert [finding.code for finding in plan.findings] == ["looks alike"]


def test_a_look_alike_that_bears_the_customers_number_is_not_connected_either(
    sales: Receivables, books: Bookkeeper
) -> None:
    books.add_contact("Аcme", number="7")

    plan = sales.match([Customer(id="1", custom_identifier="Acme", contact_number="7")])

    assert not plan
    assert [finding.code for finding in plan.findings] == ["looks alike"]


def test_a_look_alike_beside_the_right_contact_is_a_finding(sales: Receivables, books: Bookkeeper) -> None:
    books.add_contact("Аcme")
    right = books.add_contact("Acme")

    plan = sales.match([customer("Acme")])
    sales.apply(plan)

    assert [finding.code for finding in plan.findings] == ["looks alike"]
    (match,) = sales.matches([customer("Acme")])
    assert (match.status, match.contacts) == (MatchStatus.CONNECTED, (right.id,))


def test_suggestions_come_with_reasons_and_are_never_applied(sales: Receivables, books: Bookkeeper) -> None:
    contact = books.add_contact("Café José & Sons Ltd")
    ours = customer("Cafe Jose and Sons")

    (match,) = sales.matches([ours])

    assert match.status is MatchStatus.NOT_IN_XERO
    assert [(each.contact_id, each.name) for each in match.suggestions] == [(contact.id, "Café José & Sons Ltd")]
    assert match.suggestions[0].reasons == ("the same name but for the legal form",)
    assert not sales.match([ours])


def test_a_connected_contact_that_was_merged_is_followed(product: Product, sales: Receivables) -> None:
    books = product.books
    loser = books.add_contact("Acme")
    sales.apply(sales.match([customer("Acme")]))
    survivor = books.add_contact("Acme Holdings")
    product.invoice("Acme", "10.00")
    books.merge_contacts(loser.id, into=survivor.id)

    (match,) = sales.matches([customer("Acme")])
    plan = sales.match([customer("Acme")])
    sales.apply(plan)

    assert (match.status, match.contacts) == (MatchStatus.MERGED, (survivor.id,))
    assert (plan.counts(), plan.findings) == ({"customer": 1}, ())
    assert sales.matches([customer("Acme")])[0].status is MatchStatus.CONNECTED
    assert sales.import_invoices().counts() == {"transaction": 1}


def test_a_contact_merged_before_it_was_connected_is_followed_too(sales: Receivables, books: Bookkeeper) -> None:
    loser, survivor = books.add_contact("Acme"), books.add_contact("Acme Holdings")
    books.merge_contacts(loser.id, into=survivor.id)

    sales.apply(sales.match([customer("Acme")]))

    (match,) = sales.matches([customer("Acme")])
    assert (match.status, match.contacts) == (MatchStatus.CONNECTED, (survivor.id,))


def test_a_new_contact_of_the_name_goes_before_what_the_old_one_was_merged_into(
    sales: Receivables, books: Bookkeeper
) -> None:
    books.merge_contacts(books.add_contact("Acme").id, into=books.add_contact("Acme Holdings").id)
    fresh = books.add_contact("Acme")

    (match,) = sales.matches([customer("Acme")])

    assert (match.status, match.contacts) == (MatchStatus.MATCH_FOUND, (fresh.id,))


def test_two_customers_whose_contacts_were_merged_into_one_are_for_a_person(
    sales: Receivables, books: Bookkeeper
) -> None:
    first, second = books.add_contact("Acme"), books.add_contact("Bolt")
    both = [customer("Acme"), customer("Bolt")]
    sales.apply(sales.match(both))
    books.merge_contacts(first.id, into=second.id)

    plan = sales.match(both)

    assert not plan
    assert [(finding.code, finding.about) for finding in plan.findings] == [("contact already taken", "c-Acme")]
    assert "c-Bolt" in plan.findings[0].cause


def test_plans_made_apart_never_give_one_contact_to_two_customers(sales: Receivables, books: Bookkeeper) -> None:
    contact = books.add_contact("Acme", number="7")
    one = sales.match([customer("Acme")])
    two = sales.match([Customer(id="other", custom_identifier="Bolt", contact_number="7")])

    sales.apply(one)
    report = sales.apply(two)

    assert [(finding.code, finding.about) for finding in report.findings] == [("contact already taken", "other")]
    assert sales.matches([customer("Acme")])[0].contacts == (contact.id,)


def test_a_contact_renamed_after_planning_is_not_connected(sales: Receivables, books: Bookkeeper) -> None:
    contact = books.add_contact("Acme")
    plan = sales.match([customer("Acme")])
    books.rename_contact(contact.id, "Somebody Else")

    report = sales.apply(plan)

    assert [finding.code for finding in report.findings] == ["changed since planned"]
    assert status(sales, "Acme") is MatchStatus.NOT_IN_XERO


def test_a_store_that_kept_less_of_contacts_reads_them_anew(product: Product, books: Bookkeeper) -> None:
    books.add_contact("Ana Costa", email="ana@costa.test")
    Receivables(product.xero()).matches([customer("Bo")])
    (cursor,) = product.store.query("cursor", books.tenant_id)
    older = {name: value for name, value in json.loads(cursor.body).items() if name != "of"}
    (contact,) = product.store.query("mirror.contact", books.tenant_id)
    less = {name: value for name, value in json.loads(contact.body).items() if name != "EmailAddress"}
    product.store.commit([cursor.with_body(json.dumps(older)), contact.with_body(json.dumps(less))])

    (match,) = Receivables(product.xero()).matches([Customer(id="1", custom_identifier="Bo", email="ana@costa.test")])

    assert match.status is MatchStatus.MATCH_FOUND
