"""Vendors are found by the keys that customers are found by; whoever nobody can tell waits for a person (37 to 49)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import (
    Bill,
    BillLine,
    CardSpend,
    MatchStatus,
    Party,
    Payables,
    Vendor,
    by_name,
    by_tax_number,
)
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode, Contact
from xerosync.simulator import Bookkeeper

PAPER = Vendor(
    name="Paper Ltd",
    contact_number="V-7",
    account_number="A-7",
    email="bills@paper.test",
    tax_number="123-456-789",
    phone="09 555 0100",
)
LINE = BillLine(description="paper", amount=nzd("10.00"), account=AccountCode("429"))


@pytest.fixture
def books(product: Product) -> Bookkeeper:
    return product.books


def bill(bill_id: str, vendor: Vendor | str) -> Bill:
    return Bill(id=bill_id, vendor=vendor, number=bill_id, on=DAY, lines=[LINE])


def active(books: Bookkeeper) -> list[str]:
    return sorted(each.name for each in books.contacts if each.status == "ACTIVE")


def stands(purchases: Payables, vendor: Vendor | str) -> tuple[MatchStatus, str | None]:
    (match,) = purchases.matches([vendor])
    return match.status, next(iter(match.names), None)


def codes(purchases: Payables, *bills: Bill) -> list[tuple[str, str]]:
    """What a plan of *bills* finds, when it does nothing."""
    plan = purchases.submit(bills)
    assert not plan, [*plan]
    return [(each.code, each.about) for each in plan.findings]


@pytest.mark.parametrize(
    ("vendor", "entered"),
    [
        (Vendor(name="Paper Ltd", contact_number="v-7", phone="1"), {"number": "V-7"}),
        (Vendor(name="Paper Ltd", account_number="A 7", phone="1"), {"AccountNumber": "a 7"}),
        (Vendor(name="Paper Ltd", email="bills@paper.test", phone="1"), {"email": "Bills@paper.test"}),
        (Vendor(name="Paper Ltd", tax_number="123 456 789", phone="1"), {"TaxNumber": "123456789"}),
    ],
    ids=["contact number", "account number", "e-mail", "tax number"],
)
def test_a_vendor_is_found_by_another_key_when_no_contact_has_its_name(
    product: Product, purchases: Payables, books: Bookkeeper, vendor: Vendor, entered: dict[str, str]
) -> None:
    """And its contact is neither renamed nor blanked by what its bills say."""
    contact = books.add_contact("PL Holdings", Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": "5550100"}], **entered)
    before = books.contact(contact.id)

    plan = purchases.submit([bill("b1", vendor), bill("b2", "PAPER ltd")])
    purchases.apply(plan)

    assert plan.counts() == {"vendor": 1, "bill": 2}
    assert next(iter(plan)).reason.startswith("the same ")
    assert {each.contact_id for each in product.live_bills()} == {contact.id}
    after = books.contact(contact.id)
    assert (after.name, after.number, after.texts, after.phones) == (
        before.name,
        before.number,
        before.texts,
        before.phones,
    )
    assert purchases.submit([bill("b3", "Paper Ltd")]).counts() == {"bill": 1}
    assert len(books.contacts) == 1


def test_a_bill_of_an_ambiguous_vendor_is_a_finding_and_makes_no_contact(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    books.add_contact("Paper North", email="bills@paper.test")
    south = books.add_contact("Paper South", email="bills@paper.test", number="V-7")
    vendor = Vendor(name="Paper Ltd", email="bills@paper.test")

    assert codes(purchases, bill("b1", vendor)) == [("ambiguous", "paper ltd"), ("vendor unclear", "b1")]
    purchases.apply(purchases.submit([bill("b1", evolve(vendor, contact_number="V-7"))]))

    assert [each.contact_id for each in product.live_bills()] == [south.id]
    assert active(books) == ["Paper North", "Paper South"]


def test_keys_that_lead_to_different_contacts_are_ambiguous_until_a_person_chooses(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    named = books.add_contact("Paper Ltd")
    numbered = books.add_contact("Glue Ltd", number="V-7")
    vendor = Vendor(name="Paper Ltd", contact_number="V-7")

    (match,) = purchases.matches([vendor])
    held = codes(purchases, bill("b1", vendor))
    purchases.apply(purchases.link_vendor("Paper Ltd", named.id))
    purchases.apply(purchases.submit([bill("b1", vendor)]))

    assert (match.status, set(match.contacts)) == (MatchStatus.AMBIGUOUS, {named.id, numbered.id})
    assert held == [("ambiguous", "paper ltd"), ("vendor unclear", "b1")]
    assert [each.contact_id for each in product.live_bills()] == [named.id]


@pytest.mark.parametrize("made", ["by us", "by hand"])
def test_a_contact_of_another_vendor_is_taken_until_a_person_says_that_the_two_are_one(
    product: Product, purchases: Payables, books: Bookkeeper, made: str
) -> None:
    if made == "by hand":
        books.add_contact("Paper Ltd", TaxNumber="123-456-789")
    purchases.apply(purchases.submit([bill("b1", PAPER if made == "by us" else "Paper Ltd")]))
    (contact,) = books.contacts
    other = Vendor(name="Paper Limited", tax_number="123-456-789")

    (match,) = purchases.matches([other])
    held = codes(purchases, bill("b2", other))
    purchases.apply(purchases.link_vendor("paper limited", contact.id))
    purchases.apply(purchases.submit([bill("b2", other)]))

    assert (match.status, match.taken_by, match.contacts) == (MatchStatus.TAKEN, "paper ltd", (contact.id,))
    assert held == [("contact already taken", "paper limited"), ("vendor unclear", "b2")]
    assert {each.contact_id for each in product.live_bills()} == {contact.id}
    assert len(product.live_bills()) == 2


def test_the_contact_of_a_vendors_own_name_is_its_contact_whoever_else_is_connected_to_it(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    contact = books.add_contact("Paper Ltd", TaxNumber="1")
    purchases.apply(purchases.link_vendor("PL", contact.id))

    both = purchases.submit([bill("b1", "Paper Ltd"), bill("b2", Vendor(name="Tape", tax_number="1"))])
    purchases.apply(both)

    assert both.counts() == {"vendor": 1, "bill": 1}
    assert [each.code for each in both.findings] == ["contact already taken", "vendor unclear"]
    assert [each.contact_id for each in product.live_bills()] == [contact.id]


def test_a_new_vendor_of_two_bills_is_created_once_with_all_that_they_tell(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    given: list[Vendor | str] = [
        Vendor(name="Paper Ltd", tax_number="123-456-789", phone="09 555 0100"),
        Vendor(name="PAPER ltd", contact_number="V-7", account_number="A-7", email="bills@paper.test"),
        "paper  ltd",
    ]

    plan = purchases.submit([bill(f"b{place}", vendor) for place, vendor in enumerate(given)])
    purchases.apply(plan)

    assert plan.counts() == {"contact": 1, "bill": 3}
    (contact,) = books.contacts
    assert (contact.name, contact.number) == ("Paper Ltd", "V-7")
    wanted = {"AccountNumber": "A-7", "EmailAddress": "bills@paper.test", "TaxNumber": "123-456-789"}
    assert dict(contact.texts).items() >= wanted.items()
    assert {each.contact_id for each in product.live_bills()} == {contact.id}


def test_a_vendor_whose_bills_contradict_each_other_waits_until_it_is_connected(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    bills = [bill("b1", Vendor(name="Paper", tax_number="1")), bill("b2", Vendor(name="PAPER", tax_number="2"))]

    plan = purchases.submit(bills)
    purchases.apply(purchases.link_vendor("Paper", books.add_contact("Paper").id))
    purchases.apply(purchases.submit(bills))

    assert [(each.code, each.about) for each in plan.findings] == [
        ("ambiguous", "paper"),
        ("vendor unclear", "b1"),
        ("vendor unclear", "b2"),
    ]
    assert plan.findings[0].cause == "its bills give it more than one tax number"
    assert len(product.live_bills()) == 2


def test_two_new_vendors_with_a_key_in_common_are_not_created_at_once(purchases: Payables, books: Bookkeeper) -> None:
    """Else it would depend on their order in time whether they are one contact or two."""
    one, other = Vendor(name="Paper", email="bills@paper.test"), Vendor(name="Tape", email="BILLS@paper.test")

    held = codes(purchases, bill("b1", one), bill("b2", other))

    assert [code for code, _ in held] == ["ambiguous", "vendor unclear"] * 2
    assert books.contacts == ()


def test_two_vendors_found_by_one_contact_are_ambiguous_whatever_their_order(
    purchases: Payables, books: Bookkeeper
) -> None:
    books.add_contact("PL Holdings", TaxNumber="1")
    bills = [bill("b1", Vendor(name="Paper", tax_number="1")), bill("b2", Vendor(name="Tape", tax_number="1"))]

    held = [sorted(codes(purchases, *order)) for order in (bills, bills[::-1])]

    assert held[0] == held[1]
    assert held[0] == [
        ("ambiguous", "paper"),
        ("ambiguous", "tape"),
        ("vendor unclear", "b1"),
        ("vendor unclear", "b2"),
    ]


@pytest.mark.parametrize("known", ["by name", "by number"])
def test_an_archived_contact_hinders_a_new_one_when_more_than_its_name_is_the_same(
    product: Product, purchases: Payables, books: Bookkeeper, known: str
) -> None:
    entered = {"AccountNumber": "A-7"} if known == "by number" else {}
    books.archive_contact(books.add_contact("Paper Ltd", **entered).id)
    vendor = Vendor(name="Paper Ltd", account_number="A-7")

    plan = purchases.submit([bill("b1", vendor)])
    if known == "by number":
        assert [each.code for each in plan.findings] == ["archived", "vendor unclear"]
        purchases.apply(purchases.create_vendor(vendor))
        plan = purchases.submit([bill("b1", vendor)])
    purchases.apply(plan)

    assert active(books) == ["Paper Ltd"]
    assert len(product.live_bills()) == 1


def test_a_contact_that_took_an_archived_ones_place_is_found(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    purchases.apply(purchases.submit([bill("b1", PAPER)]))
    (old,) = books.contacts
    books.archive_contact(old.id)
    new = books.add_contact("Paper (NZ) Ltd", TaxNumber="123-456-789")

    purchases.apply(purchases.submit([bill("b2", PAPER)]))

    assert [each.contact_id for each in product.live_bills()] == [old.id, new.id]


def test_vendors_whose_contacts_were_merged_into_one_all_go_on(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    vendors = [Vendor(name="Paper Ltd", tax_number="1"), Vendor(name="Paper Limited", tax_number="2")]
    purchases.apply(purchases.submit([bill(f"b{place}", each) for place, each in enumerate(vendors)]))
    loser, survivor = books.contacts
    books.merge_contacts(loser.id, into=survivor.id)

    plan = purchases.submit([bill(f"c{place}", each) for place, each in enumerate(vendors)])
    purchases.apply(plan)

    assert plan.counts() == {"bill": 2}
    assert {each.contact_id for each in product.live_bills()} == {survivor.id}
    assert stands(purchases, vendors[0]) == (MatchStatus.MERGED, "Paper Limited")


def test_a_name_that_only_looks_like_the_contacts_is_not_connected_by_a_number(
    purchases: Payables, books: Bookkeeper
) -> None:
    books.add_contact("Рареr Ltd", TaxNumber="1")

    held = codes(purchases, bill("b1", Vendor(name="Paper Ltd", tax_number="1")))

    assert held == [("looks alike", "paper ltd"), ("vendor unclear", "b1")]


def test_only_a_person_creates_a_vendor_beside_a_look_alike(purchases: Payables, books: Bookkeeper) -> None:
    books.add_contact("Рареr Ltd")
    assert codes(purchases, bill("b1", "Paper Ltd"))[0] == ("looks alike", "paper ltd")

    purchases.apply(purchases.create_vendor("Paper Ltd"))

    assert stands(purchases, "Paper Ltd") == (MatchStatus.CONNECTED, "Paper Ltd")
    assert purchases.submit([bill("b1", "Paper Ltd")]).counts() == {"bill": 1}
    assert [each.code for each in purchases.create_vendor("Paper Ltd").findings] == ["contact there already"]


def test_a_number_taken_in_the_meantime_is_read_again_and_connected(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    plan = purchases.submit([bill("b1", PAPER)])
    entered = books.add_contact("P. Ltd", number="v-7")

    report = purchases.apply(plan)
    purchases.apply(purchases.submit([bill("b1", PAPER)]))

    assert "contact already taken" in {finding.code for finding in report.findings}
    assert [each.id for each in books.contacts] == [entered.id]
    assert [each.contact_id for each in product.live_bills()] == [entered.id]


def test_each_vendor_gets_a_status_and_only_a_match_is_connected(purchases: Payables, books: Bookkeeper) -> None:
    found, merged = books.add_contact("Glue Ltd"), books.add_contact("Tape")
    books.merge_contacts(books.add_contact("Tape & Co").id, into=merged.id)
    books.archive_contact(books.add_contact("Old Ltd", number="O-1").id)
    given: list[Vendor | str] = ["glue ltd", "Nobody", Vendor(name="Old Ltd", contact_number="O-1"), "Tape & Co"]

    plan = purchases.match(given)
    purchases.apply(plan)

    assert plan.counts() == {"vendor": 2}
    assert {finding.about: finding.code for finding in plan.findings} == {
        "nobody": "not in Xero",
        "old ltd": "archived",
    }
    assert (plan.tallies["match found"], plan.tallies["merged"], plan.tallies["archived"]) == (1, 1, 1)
    matches = {match.vendor.id: match for match in purchases.matches(given)}
    assert matches["glue ltd"].status is matches["tape & co"].status is MatchStatus.CONNECTED
    assert (matches["glue ltd"].contacts, matches["tape & co"].contacts) == ((found.id,), (merged.id,))
    assert matches["glue ltd"].row()["vendor"] == "glue ltd"
    assert not purchases.match(given)


def test_the_list_tells_of_an_archived_namesake_that_hinders_nobody(purchases: Payables, books: Bookkeeper) -> None:
    books.archive_contact(books.add_contact("Paper Ltd").id)

    (match,) = purchases.matches(["Paper Ltd"])

    assert (match.status, match.reason) == (MatchStatus.NOT_IN_XERO, "only an archived contact has its name")


def test_vendors_are_created_before_there_are_bills_when_told_to(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    assert not purchases.match([PAPER])

    plan = purchases.match([PAPER], create_missing=True)
    purchases.apply(plan)

    assert plan.counts() == {"contact": 1}
    assert stands(purchases, PAPER) == (MatchStatus.CONNECTED, "Paper Ltd")
    assert purchases.submit([bill("b1", PAPER)]).counts() == {"bill": 1}
    assert not purchases.match([PAPER], create_missing=True)
    assert active(books) == ["Paper Ltd"]
    assert product.live_bills() == []


def test_suggestions_come_with_reasons_and_are_never_applied(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    """Of a contact that is another spelling's, too: for a person to say that the two are one."""
    purchases.apply(purchases.submit([bill("b1", "Café Paper Ltd")]))
    (contact,) = books.contacts

    (match,) = purchases.matches(["Cafe Paper"])
    purchases.apply(purchases.match(["Cafe Paper"]))
    still = stands(purchases, "Cafe Paper")
    purchases.apply(purchases.link_vendor("Cafe Paper", match.suggestions[0].contact_id))
    purchases.apply(purchases.submit([bill("b2", "Cafe Paper")]))

    assert (match.status, still) == (MatchStatus.NOT_IN_XERO, (MatchStatus.NOT_IN_XERO, None))
    assert [(each.contact_id, each.reasons) for each in match.suggestions] == [
        (contact.id, ("the same name but for the legal form",))
    ]
    assert {each.contact_id for each in product.live_bills()} == {contact.id}


@pytest.mark.parametrize("made", ["by us", "by hand"])
def test_a_vendor_taken_apart_is_neither_paired_again_nor_created_by_itself(
    product: Product, purchases: Payables, books: Bookkeeper, made: str
) -> None:
    if made == "by hand":
        books.add_contact("Paper Ltd")
    purchases.apply(purchases.submit([bill("b1", "Paper Ltd")]))
    (contact,) = books.contacts

    plan = purchases.unlink_vendor("PAPER ltd")
    purchases.apply(plan)
    held = codes(purchases, bill("b2", "Paper Ltd"))

    assert plan.counts() == {"vendor_apart": 1}
    assert held == [("not in Xero", "paper ltd"), ("vendor unclear", "b2")]
    assert not purchases.match(["Paper Ltd"], create_missing=True)
    assert not purchases.unlink_vendor("Glue")
    purchases.apply(purchases.link_vendor("Paper Ltd", contact.id))
    purchases.apply(purchases.submit([bill("b2", "Paper Ltd")]))
    assert len(product.live_bills()) == 2
    assert active(books) == ["Paper Ltd"]


def test_a_connected_vendor_moves_only_when_it_is_told_to(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    purchases.apply(purchases.submit([bill("b1", "Paper Ltd")]))
    other = books.add_contact("PL Holdings")

    refused = purchases.link_vendor("Paper Ltd", other.id)
    purchases.apply(purchases.move_vendor("Paper Ltd", other.id))
    purchases.apply(purchases.submit([bill("b2", "Paper Ltd")]))

    assert (len(refused), [each.code for each in refused.findings]) == (0, ["connected elsewhere"])
    assert {each.number: each.contact_id for each in product.live_bills()}["b2"] == other.id


def test_links_of_vendors_are_undone(purchases: Payables, books: Bookkeeper) -> None:
    paper, other = books.add_contact("Paper Ltd"), books.add_contact("PL Holdings")
    matched = purchases.apply(purchases.match(["Paper Ltd"]))
    moved = purchases.apply(purchases.move_vendor("Paper Ltd", other.id))

    changed = purchases.undo_links(matched)
    purchases.apply(purchases.undo_links(moved))
    assert stands(purchases, "Paper Ltd") == (MatchStatus.CONNECTED, "Paper Ltd")
    ended = purchases.apply(purchases.unlink_vendor("Paper Ltd"))
    purchases.apply(purchases.undo_links(ended))

    assert (len(changed), [each.code for each in changed.findings]) == (0, ["changed since"])
    assert stands(purchases, "Paper Ltd") == (MatchStatus.CONNECTED, paper.name)


def test_an_older_plan_does_not_undo_what_a_person_chose_since(purchases: Payables, books: Bookkeeper) -> None:
    books.add_contact("Paper Ltd")
    other = books.add_contact("PL Holdings")
    plan = purchases.match(["Paper Ltd"])
    purchases.apply(purchases.link_vendor("Paper Ltd", other.id))

    report = purchases.apply(plan)

    assert [finding.code for finding in report.findings] == ["changed since planned"]
    assert stands(purchases, "Paper Ltd") == (MatchStatus.CONNECTED, "PL Holdings")


def test_an_archived_contact_created_here_is_replaced_when_a_person_says_so(
    purchases: Payables, books: Bookkeeper
) -> None:
    """Again and again, also where a person had chosen it."""
    purchases.apply(purchases.submit([bill("b0", "Paper Ltd")]))
    for place in range(1, 4):
        (standing,) = [each for each in books.contacts if each.status == "ACTIVE"]
        if place == 2:
            purchases.apply(purchases.unlink_vendor("Paper Ltd"))
            purchases.apply(purchases.link_vendor("Paper Ltd", standing.id))
        books.archive_contact(standing.id)
        assert codes(purchases, bill(f"b{place}", "Paper Ltd"))[0] == ("archived", "paper ltd")
        purchases.apply(purchases.create_vendor("Paper Ltd"))
        purchases.apply(purchases.submit([bill(f"b{place}", "Paper Ltd")]))

    assert active(books) == ["Paper Ltd"]
    assert len(books.contacts) == 4


def by_old_number(party: Party) -> str:
    """The number of the system we had before, which the bookkeeper writes behind the name."""
    return (party.name or "").partition(" #")[2] if isinstance(party, Contact) else party.facts.get("old", "")


@pytest.mark.parametrize(
    ("match_by", "expected"),
    [
        ((by_name,), {"contact": 1, "bill": 1}),
        ((by_tax_number,), {"vendor": 1, "bill": 1}),
        ((by_old_number, by_name), {"vendor": 1, "bill": 1}),
    ],
    ids=["by name alone", "by tax number alone", "by a key of the host's own"],
)
def test_a_host_chooses_the_keys_that_vendors_are_found_by(
    product: Product, books: Bookkeeper, match_by: tuple[Callable[[Party], str], ...], expected: dict[str, int]
) -> None:
    books.add_contact("PL Holdings #0042", TaxNumber="1")
    purchases = Payables(product.xero(), payment_account=BANK, match_by=match_by)

    plan = purchases.submit([bill("b1", Vendor(name="Paper Ltd", tax_number="1", facts={"old": "0042"}))])

    assert plan.counts() == expected


def test_the_vendors_of_receipts_and_of_changed_bills_are_found_by_the_same_keys(
    product: Product, purchases: Payables, books: Bookkeeper
) -> None:
    paper = books.add_contact("PL Holdings", TaxNumber="123-456-789")
    vendor = Vendor(name="Paper Ltd", tax_number="123-456-789")
    spend = CardSpend(id="s1", vendor=vendor, on=DAY, account=BANK, lines=[LINE])

    purchases.apply(purchases.submit([bill("b1", "Glue Ltd")]))
    changed = purchases.update([bill("b1", vendor)])
    purchases.apply(changed)
    purchases.apply(purchases.spend([spend]))

    assert changed.counts() == {"vendor": 1, "bill_edit": 1}
    assert [each.contact_id for each in product.live_bills()] == [paper.id]
    assert [each.contact_id for each in books.bank_transactions] == [paper.id]


def test_two_workers_with_a_new_vendor_of_one_number_create_it_once(product: Product, books: Bookkeeper) -> None:
    """Each in a plan of its own, made before either was applied, and with its own spelling of the name."""
    first, second = (Payables(product.xero(), payment_account=BANK) for _ in range(2))
    bills = bill("b1", PAPER), bill("b2", evolve(PAPER, name="Paper Limited"))
    plans = first.submit([bills[0]]), second.submit([bills[1]])

    first.apply(plans[0])
    refused = second.apply(plans[1])
    held = codes(second, bills[1])
    second.apply(second.link_vendor("Paper Limited", books.contacts[0].id))
    second.apply(second.submit([bills[1]]))

    assert [each.code for each in refused.findings] == ["contact already taken", "held back"]
    assert held == [("contact already taken", "paper limited"), ("vendor unclear", "b2")]
    assert active(books) == ["Paper Ltd"]
    assert sorted(each.number for each in product.live_bills()) == ["b1", "b2"]


@pytest.mark.parametrize(
    ("field", "made"),
    [
        ("contact_number", lambda name, text: Vendor(name=name, contact_number=text)),
        ("account_number", lambda name, text: Vendor(name=name, account_number=text)),
        ("email", lambda name, text: Vendor(name=name, email=text)),
        ("tax_number", lambda name, text: Vendor(name=name, tax_number=text)),
        ("phone", lambda name, text: Vendor(name=name, phone=text)),
    ],
)
def test_a_text_that_xero_cannot_keep_is_a_finding_on_its_bill_and_the_others_go_on(
    purchases: Payables, field: str, made: Callable[[str, str], Vendor]
) -> None:
    wrong, long = made("Paper", "a\x00b"), made("Tape", "9" * 300)

    plan = purchases.submit([bill("b1", wrong), bill("b2", long), bill("b3", "Glue")])

    assert [(each.code, each.about) for each in plan.findings] == [
        ("cannot be posted", "b1"),
        ("cannot be posted", "b2"),
    ]
    assert all(field in each.cause for each in plan.findings)
    assert plan.counts() == {"contact": 1, "bill": 1}
    assert [each.code for each in purchases.match([wrong, long], create_missing=True).findings] == [
        "cannot be created"
    ] * 2


def test_a_vendor_given_twice_is_refused(purchases: Payables) -> None:
    with pytest.raises(InvalidInput, match="each vendor once"):
        purchases.matches(["Paper", "PAPER"])
