"""Pairs a person makes, ends and moves: kept by id, never made again against a person's will, and undoable."""

from __future__ import annotations

import pytest
from tests.conftest import Product

from xerosync import Customer, MatchStatus, Receivables
from xerosync.simulator import Bookkeeper

ANA = Customer(id="ana", custom_identifier="Ana Costa")
BEA = Customer(id="bea", custom_identifier="Bea Diaz")


def stands(sales: Receivables, customer: Customer = ANA) -> tuple[MatchStatus, str | None]:
    (match,) = sales.matches([customer])
    return match.status, next(iter(match.names), None)


def test_a_person_connects_a_contact_of_any_name(product: Product, sales: Receivables, books: Bookkeeper) -> None:
    contact = books.add_contact("A. Costa Trading")
    product.invoice("A. Costa Trading", "10.00")

    report = sales.apply(sales.link("ana", contact.id))

    assert report.unfinished == ()
    assert stands(sales) == (MatchStatus.CONNECTED, "A. Costa Trading")
    assert not sales.link("ana", contact.id)
    assert sales.import_invoices().counts() == {"transaction": 1}


def test_a_pair_taken_apart_is_not_made_again_by_itself(sales: Receivables, books: Bookkeeper) -> None:
    contact = books.add_contact("Ana Costa")
    sales.apply(sales.match([ANA]))

    plan = sales.unlink("ana")
    sales.apply(plan)

    assert plan.counts() == {"apart": 1}
    assert stands(sales)[0] is MatchStatus.NOT_IN_XERO
    assert not sales.match([ANA])
    assert not sales.unlink("ana")
    sales.apply(sales.link("ana", contact.id))
    assert stands(sales) == (MatchStatus.CONNECTED, "Ana Costa")
    sales.apply(sales.unlink("ana"))
    assert stands(sales)[0] is MatchStatus.NOT_IN_XERO


def test_a_contact_taken_from_one_customer_is_free_for_another(sales: Receivables, books: Bookkeeper) -> None:
    contact = books.add_contact("Ana Costa")
    sales.apply(sales.match([ANA]))

    refused = sales.link("bea", contact.id)
    sales.apply(sales.unlink("ana"))
    sales.apply(sales.link("bea", contact.id))

    assert [(finding.code, finding.about) for finding in refused.findings] == [("contact already taken", "bea")]
    assert "ana" in refused.findings[0].cause
    assert stands(sales, BEA) == (MatchStatus.CONNECTED, "Ana Costa")


def test_a_connected_customer_moves_only_when_it_is_told_to(sales: Receivables, books: Bookkeeper) -> None:
    books.add_contact("Ana Costa")
    other = books.add_contact("Ana Costa Holdings")
    sales.apply(sales.match([ANA]))

    refused = sales.link("ana", other.id)
    sales.apply(sales.move("ana", other.id))

    assert (len(refused), [finding.code for finding in refused.findings]) == (0, ["connected elsewhere"])
    assert stands(sales) == (MatchStatus.CONNECTED, "Ana Costa Holdings")


@pytest.mark.parametrize("gone", ["archived", "not in Xero"])
def test_a_contact_that_cannot_be_used_is_a_finding(sales: Receivables, books: Bookkeeper, gone: str) -> None:
    contact = books.add_contact("Ana Costa")
    if gone == "archived":
        books.archive_contact(contact.id)

    plan = sales.link("ana", contact.id if gone == "archived" else "00000000-0000-4000-8000-000000000000")

    assert (len(plan), [finding.code for finding in plan.findings]) == (0, [gone])


def test_a_contact_that_was_merged_leads_to_the_one_it_became(sales: Receivables, books: Bookkeeper) -> None:
    loser, survivor = books.add_contact("Ana"), books.add_contact("Ana Costa Ltd")
    books.merge_contacts(loser.id, into=survivor.id)

    sales.apply(sales.link("ana", loser.id))

    assert stands(sales) == (MatchStatus.CONNECTED, "Ana Costa Ltd")


def test_links_made_moved_and_ended_are_undone(sales: Receivables, books: Bookkeeper) -> None:
    books.add_contact("Ana Costa")
    other = books.add_contact("Bea Diaz")

    matched = sales.apply(sales.match([ANA, BEA]))
    ended = sales.apply(sales.unlink("bea"))
    moved = sales.apply(sales.move("ana", other.id))

    sales.apply(sales.undo_links(moved))
    assert stands(sales) == (MatchStatus.CONNECTED, "Ana Costa")
    sales.apply(sales.undo_links(ended))
    assert stands(sales, BEA) == (MatchStatus.CONNECTED, "Bea Diaz")
    sales.apply(sales.undo_links(matched))
    assert stands(sales)[0] is MatchStatus.NOT_IN_XERO
    assert not sales.match([ANA, BEA])


def test_what_was_changed_since_is_not_undone(sales: Receivables, books: Bookkeeper) -> None:
    books.add_contact("Ana Costa")
    other = books.add_contact("Ana Costa Holdings")
    matched = sales.apply(sales.match([ANA]))
    sales.apply(sales.move("ana", other.id))

    plan = sales.undo_links(matched)

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (0, [("changed since", "ana")])
    assert stands(sales) == (MatchStatus.CONNECTED, "Ana Costa Holdings")


def test_an_older_plan_does_not_undo_what_a_person_chose_since(sales: Receivables, books: Bookkeeper) -> None:
    books.add_contact("Ana Costa")
    other = books.add_contact("Ana Costa Holdings")
    plan = sales.match([ANA])
    sales.apply(sales.link("ana", other.id))

    report = sales.apply(plan)

    assert [finding.code for finding in report.findings] == ["changed since planned"]
    assert stands(sales) == (MatchStatus.CONNECTED, "Ana Costa Holdings")


def test_transactions_stay_when_their_customer_is_disconnected(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("10.00", "Ana Costa")

    sales.apply(sales.unlink("Ana"))

    assert [each.invoice_id for each in sales.transactions()] == [invoice.id]
