"""The host product of the examples, page by page: what it does to the books."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from io import BytesIO
from urllib.parse import urlencode

import pytest
from tests.examples.visitor import BILL, PAGES, Visitor

from xerosync.simulator import Fault


def test_before_xero_is_connected_every_page_that_needs_it_says_so(visitor: Visitor) -> None:
    for path in PAGES:
        answer = visitor.open(path)
        assert answer.status in {200, 400}, path
        if path not in {"/", "/collections", "/settlements", "/settings/xero"}:
            assert "connect" in answer.text.lower(), path


def test_every_page_opens_once_all_is_set_up(settled_in: Visitor) -> None:
    for path in PAGES:
        assert settled_in.open(path).status == 200, path


def test_every_field_has_a_name_that_can_be_read_aloud(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.collect("INV-301")

    for path in (*PAGES, "/customers/c-3"):
        markup = visitor.open(path).markup
        for field in re.findall(r"<(?:input|select|textarea)\b[^>]*>", markup):
            if 'type="hidden"' in field or "aria-label=" in field:
                continue
            found = re.search(r'id="([^"]+)"', field)
            before = markup[: markup.index(field)]
            is_inside = before.rfind("<label") > before.rfind("</label>")
            assert is_inside or (found and f'for="{found[1]}"' in markup), f"{path}: {field}"


def test_a_form_of_another_site_is_refused(visitor: Visitor) -> None:
    visitor.connect()

    answer = visitor.send("/settings/xero/disconnect", token="another site's")

    assert (answer.status, "from another visit" in answer.text) == (400, True)
    assert "connected" in visitor.open("/settings/xero").text


# Connecting


def test_the_user_who_cancels_at_xero_is_told_and_may_try_again(visitor: Visitor) -> None:
    visitor.product.simulator.next_consent(cancel=True)

    answer = visitor.connect()

    assert (answer.status, "Xero was not connected" in answer.text) == (400, True)
    assert "Harbour Yoga Ltd connected" in visitor.connect().text


def test_an_answer_serves_once_and_only_whoever_left(visitor: Visitor) -> None:
    back = visitor.consent(visitor.leave())
    stranger = Visitor(visitor.product)

    assert "Nobody left for Xero" in stranger.open(back).text
    assert "Xero is connected." in visitor.open(back).text
    assert "Nobody left for Xero" in visitor.open(back).text


def test_an_answer_to_another_request_is_not_believed(visitor: Visitor) -> None:
    visitor.leave()

    answer = visitor.open(f"/settings/xero/back?{urlencode({'code': 'x' * 20, 'state': 'y' * 43})}")

    assert (answer.status, "Nothing was kept" in answer.text) == (400, True)


def test_connecting_again_finds_the_links_and_refuses_another_organisation(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    assert "Your links are kept." in visitor.send("/settings/xero/disconnect").text
    assert "Connect again" in visitor.open("/settings/xero").text
    assert "Connect Xero again" in visitor.open("/customers").text

    other = visitor.product.simulator.add_organisation("Another Ltd")
    visitor.product.simulator.next_consent(tenants=[other.tenant_id])
    assert "does not cover this organisation" in visitor.connect().text
    visitor.product.simulator.next_consent(tenants=[visitor.books.tenant_id])
    visitor.connect()

    assert visitor.open("/customers").text.count("connected") == 5


# The clearing account


def test_nothing_is_settled_before_a_clearing_account_is_chosen(visitor: Visitor) -> None:
    visitor.connect()

    answer = visitor.collect("INV-301")

    assert (answer.status, "Choose a clearing account first" in answer.text) == (409, True)
    assert visitor.books.payments == ()


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ("200", "of type REVENUE"),
        ("610", "a system account"),
        ("no such account", "No clearing account was chosen"),
        ("", "No clearing account was chosen"),
    ],
)
def test_an_account_that_cannot_be_the_clearing_account_is_refused_with_the_reason(
    settled_in: Visitor, account: str, said: str
) -> None:
    answer = settled_in.send("/settings/xero/clearing", account=account)

    assert (answer.status, said in answer.text) == (400, True)


def test_payments_are_enabled_on_the_account_that_lacks_only_that(visitor: Visitor) -> None:
    visitor.connect()
    assert not visitor.books.account("650").enable_payments

    assert "Payments are enabled on it now." in visitor.send("/settings/xero/clearing", account="650").text

    assert visitor.books.account("650").enable_payments


def test_an_account_that_was_archived_since_is_named_before_anything_is_sent(visitor: Visitor) -> None:
    visitor.set_up()
    settlement = visitor.collect("INV-301").path
    visitor.books.archive_account("650")

    answer = visitor.send(f"{settlement}/report")

    assert (answer.status, "ARCHIVED" in answer.text) == (409, True)
    assert visitor.books.payments == ()


# Customers and invoices


def test_a_customer_that_is_only_alike_is_connected_by_a_person(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    (contact,) = [each for each in visitor.books.contacts if each.name.startswith("Café")]
    assert contact.id in visitor.open("/customers/c-3").markup

    assert "The customer is connected." in visitor.send("/customers/c-3/link", contact=contact.id).text
    assert "not connected any more" in visitor.send("/customers/c-3/unlink").text
    visitor.send("/customers/c-3/identifier", custom_identifier="Café José & Sons Ltd")

    assert "not in Xero" in visitor.open("/customers/c-3").text  # what was taken apart is not paired again by itself


def test_a_customer_that_is_not_in_xero_gets_a_contact(visitor: Visitor) -> None:
    visitor.set_up()

    assert "The contact was created" in visitor.send("/customers/c-6/create").text

    assert [each.name for each in visitor.books.contacts].count("Eve Elm") == 1


def test_the_details_of_a_customer_follow_its_contact_where_that_is_switched_on(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    ana, bo = (
        next(each for each in visitor.books.contacts if each.name == name) for name in ("Ana Costa", "Bo Lindgren")
    )

    assert "Its details follow Xero." in visitor.send("/customers/c-1/details", follows="yes").text
    visitor.books.rename_contact(ana.id, "Ana Costa-Reid")
    visitor.books.rename_contact(bo.id, "Bo Lind")

    assert "1 customer has changed in Xero." in visitor.send("/customers/update").text
    assert "Nothing has changed." in visitor.send("/customers/update").text
    assert "Ana Costa-Reid" in visitor.open("/customers/c-1").text
    assert visitor.open("/customers/c-2").markup.count("<h1>Bo Lindgren") == 1
    visitor.send("/customers/c-1/details", follows="no")
    visitor.books.rename_contact(ana.id, "Ana")
    assert "Nothing has changed." in visitor.send("/customers/update").text


def test_money_that_was_asked_for_by_hand_is_reported_once_its_invoice_is_named(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    asked = {"customer": "c-1", "comment": "By phone", "amount": "35.00"}
    visitor.send("/collections/by-hand", **asked)
    (collection,) = visitor.boxes("/collections", "collection").values()
    settlement = visitor.send("/collections/answer", collection=collection, answer="came in").path

    told = visitor.send(f"{settlement}/report")
    assert told.text.count("say which invoice it pays") == 1
    assert "no invoice is behind it yet It pays invoice number" in told.text
    assert visitor.books.payments == ()
    assert "no sales invoice has this" in visitor.send(f"/collections/link/{collection}", invoice="INV-0").text.lower()

    linked = visitor.send(f"/collections/link/{collection}", invoice="INV-306", here=settlement)
    assert (linked.path, "It pays invoice INV-306." in linked.text) == (settlement, True)
    for _ in range(2):
        assert "All of it stands in Xero." in visitor.send(f"{settlement}/report").text

    assert visitor.invoice("INV-306").status == "PAID"
    assert visitor.balance("650") == Decimal("35.00")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"customer": "c-99"}, "No customer was chosen"),
        ({"amount": "0"}, "is not an amount"),
        ({"comment": " "}, "What for"),
    ],
)
def test_what_cannot_be_asked_for_by_hand_is_refused(visitor: Visitor, wrong: dict[str, str], said: str) -> None:
    visitor.set_up()

    answer = visitor.send("/collections/by-hand", **({"customer": "c-1", "comment": "x", "amount": "1"} | wrong))

    assert (answer.status, said in answer.text) == (400, True)
    assert visitor.boxes("/collections", "collection") == {}


def test_a_custom_identifier_makes_the_match(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/c-3/identifier", custom_identifier="café josé & sons ltd")

    assert "match found" in visitor.open("/customers/c-3").text


def test_invoices_of_customers_set_to_automatic_are_imported_by_themselves_and_followed(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    visitor.send("/customers/c-1/policy", policy="automatic")

    assert "1 invoice was imported." in visitor.send("/invoices/automatic").text  # INV-301 was due before today
    visitor.books.edit_invoice(visitor.invoice("INV-306").id, amount=Decimal("40.00"), due=date(2026, 1, 13))
    answer = visitor.send("/collections/follow")
    assert "13 Jan 2026 40.00 NZD future" in answer.text

    visitor.books.void_invoice(visitor.invoice("INV-306").id)
    assert "deleted" in visitor.send("/collections/follow").text


def test_a_collection_that_was_deleted_can_be_imported_again(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    chosen = visitor.boxes("/invoices", "invoice")["INV-306"]
    visitor.send("/invoices/import", invoice=chosen)
    assert "INV-306" not in visitor.boxes("/invoices", "invoice")

    visitor.send(f"/collections/delete/{chosen}")
    visitor.send("/invoices/import", invoice=chosen)

    assert "12 Jan 2026 35.00 NZD future" in visitor.open("/collections").text


def test_an_invoice_that_two_pages_import_at_once_is_imported_once(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    chosen = visitor.boxes("/invoices", "invoice")["INV-306"]
    visitor.books.edit_invoice(chosen, due=date(2026, 1, 13))
    other = Visitor(visitor.product)
    told: list[str] = []
    visitor.product.simulator.faults.then(
        lambda: told.append(other.send("/invoices/import", invoice=chosen).text), path="/Invoices"
    )

    answer = visitor.send("/invoices/import", invoice=chosen)

    assert answer.status in {200, 409}
    assert ["1 invoice was imported." in each for each in told] == [True]
    assert visitor.open("/collections").text.count("Invoice INV-306") == 1


def test_what_is_due_before_the_chosen_day_is_not_ticked(visitor: Visitor) -> None:
    visitor.set_up()

    assert "due before the cut-off" not in visitor.open("/invoices").text
    visitor.send("/customers/connect")

    assert visitor.open("/invoices?due_from=2026-01-06").text.count("due before the cut-off") == 3


# Settlements


def test_a_settlement_is_reported_once_however_often_the_button_is_pressed(visitor: Visitor) -> None:
    visitor.set_up()
    crossed = visitor.collect("INV-301", "INV-302")
    assert (crossed.text.count("✗"), visitor.invoice("INV-301").status) == (2, "AUTHORISED")

    ticked = visitor.send(f"{crossed.path}/report")
    again = visitor.send(f"{crossed.path}/report")

    assert (ticked.text.count("✓"), ticked.text.count("✗")) == (2, 0)
    assert "There was nothing left to report." in again.text
    assert [visitor.invoice(number).status for number in ("INV-301", "INV-302")] == ["PAID", "PAID"]
    assert (len(visitor.books.payments), visitor.balance("650")) == (2, Decimal("234.50"))


def test_a_payout_leaves_nothing_in_the_clearing_account(visitor: Visitor) -> None:
    visitor.set_up()
    settlement = visitor.collect("INV-301", "INV-302").path
    visitor.send(f"{settlement}/report")

    visitor.send(f"{settlement}/payout")

    assert (visitor.balance("650"), visitor.balance("090")) == (Decimal(0), Decimal("233.80"))
    assert "Every cent is explained" in visitor.open("/clearing").text


def test_a_charge_back_opens_the_invoice_again(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send(f"{visitor.collect('INV-301').path}/report")
    invoice = visitor.invoice("INV-301")

    answer = visitor.send(f"/collections/back/{invoice.id}", kind="charged back", amount="89.00")
    visitor.send(f"{answer.path}/report")

    assert visitor.invoice("INV-301").status == "AUTHORISED"
    assert "charged back" in visitor.open("/collections").text
    assert "ended before" in visitor.open("/invoices").text


def test_a_refund_gives_a_part_back_and_leaves_the_invoice_settled(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send(f"{visitor.collect('INV-301').path}/report")
    invoice = visitor.invoice("INV-301")

    answer = visitor.send(f"/collections/back/{invoice.id}", kind="refunded", amount="9.00")
    visitor.send(f"{answer.path}/report")

    assert (visitor.invoice("INV-301").status, visitor.balance("650")) == ("PAID", Decimal("80.00"))
    assert [each.total for each in visitor.books.credit_notes] == [Decimal("9.00")]


def test_a_payment_that_was_removed_in_xero_is_found_and_put_back(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send(f"{visitor.collect('INV-301').path}/report")
    visitor.send("/demo/remove-payment", here="/clearing")
    assert "removed in Xero" in visitor.open("/clearing").text

    visitor.send("/clearing/fix", code="removed in Xero", fix="restore")

    assert "Every cent is explained" in visitor.open("/clearing").text
    assert visitor.balance("650") == Decimal("89.00")


# Bills and receipts


def test_a_bill_is_in_xero_with_its_document_and_is_paid(visitor: Visitor) -> None:
    visitor.set_up()

    answer = visitor.send("/bills", **BILL, due="2026-01-20", document=(BytesIO(b"%PDF-1.4 ..."), "7781.pdf"))
    assert "Saved, and in Xero." in answer.text
    (bill,) = [each for each in visitor.books.invoices if not each.is_sale]
    assert (bill.number, bill.total, bill.status) == ("7781", Decimal("402.50"), "AUTHORISED")
    assert [each.name for each in visitor.books.attachments_of(bill.id)] == ["7781.pdf"]

    (paper,) = re.findall(r'action="(/bills/[^"]+)/pay"', visitor.open("/bills").markup)
    assert "is paid" in visitor.send(f"{paper}/pay").text
    visitor.send(f"{paper}/pay")

    assert (visitor.books.invoice(bill.id).status, visitor.balance("090")) == ("PAID", Decimal("-402.50"))
    assert visitor.client.get(f"{paper}/document").data == b"%PDF-1.4 ..."


def test_a_receipt_is_money_spent_on_the_payment_account(visitor: Visitor) -> None:
    visitor.set_up()

    visitor.send("/bills", **BILL | {"kind": "receipt"}, document=(BytesIO(b"%PDF-1.4 ..."), "r.pdf"))

    (spent,) = visitor.books.bank_transactions
    assert (spent.type, spent.total) == ("SPEND", Decimal("402.50"))
    assert len(visitor.books.attachments_of(spent.id)) == 1


def test_a_bill_is_saved_while_xero_is_away_and_sent_later(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.open("/bills")
    visitor.product.simulator.faults.plan(Fault.UNAVAILABLE, method="PUT", path="/Contacts", times=20)

    away = visitor.send("/bills", **BILL)
    assert "not in Xero" in away.text
    visitor.product.simulator.faults.clear()
    (paper,) = re.findall(r'action="(/bills/[^"]+)/send"', away.markup)
    visitor.send(f"{paper}/send")

    assert [each.number for each in visitor.books.invoices if not each.is_sale] == ["7781"]
