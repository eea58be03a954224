"""Pairing customers with contacts: a status for each, never a guess (R9, R11)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Product

from xerosync import Customer, MatchStatus, Plan, Receivables
from xerosync.errors import InvalidInput
from xerosync.matching.names import plain_name
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


NAMES = st.text(max_size=30)


@given(NAMES)
def test_a_plain_name_is_plain_already(name: str) -> None:
    assert plain_name(plain_name(name)) == plain_name(name)


@given(NAMES)
def test_blanks_around_and_between_words_do_not_count(name: str) -> None:
    spread = "  ".join(["", *name.split(), ""])

    assert plain_name(spread) == plain_name(" ".join(name.split()))


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789 &.-'", max_size=30))
def test_capitals_and_full_width_letters_do_not_count(name: str) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in name)

    assert plain_name(name.upper()) == plain_name(wide) == plain_name(name)


@given(NAMES, st.sampled_from(["e é", "n ñ", "u ü", "o ø", "l ł"]))
def test_accents_are_kept(name: str, letters: str) -> None:
    plain, accented = letters.split()

    assert plain_name(f"{plain}{name}") != plain_name(f"{accented}{name}")


def test_a_mark_that_turns_the_direction_of_writing_makes_another_name() -> None:
    """A look-alike made so must never be connected by itself."""
    assert plain_name("Acme\u202e") != plain_name("Acme")
    assert plain_name("Ac\u200bme") == plain_name("Acme")
