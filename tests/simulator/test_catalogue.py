"""What lines are chosen from and organisations set up with: items, tracking, taxes, currencies, groups, plans."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Row, Sent, connect, inside, invoice, make, rows_of, text

from xerosync.errors import InvalidInput
from xerosync.simulator import Switches

ITEM: Sent = {
    "Code": "Support-M",
    "Name": "Desktop support",
    "Description": "Per month",
    "SalesDetails": {"UnitPrice": "471.0874", "AccountCode": "200", "TaxType": "OUTPUT2"},
    "PurchaseDetails": {"UnitPrice": "300.00", "AccountCode": "429"},
}


def line(**others: object) -> Sent:
    fields: Sent = {"Description": "Work", "Quantity": 1, "UnitAmount": "10.00", "AccountCode": "200"}
    return fields | others


def only_line(product: Product, path: str) -> Row:
    (found,) = rows_of(product.call("GET", path).one("Invoices"), "LineItems")
    return found


def test_an_item_fills_in_what_its_line_does_not_say(product: Product) -> None:
    """F 6.84, 5.21."""
    product.call("PUT", "Items?unitdp=4", ITEM)
    ana = product.books.add_contact("Ana")

    row = product.call("PUT", "Invoices", invoice(ana.id, LineItems=[{"ItemCode": "support-m", "Quantity": 2}]))
    (told,) = rows_of(row.one("Invoices"), "LineItems")

    assert (told["Description"], told["UnitAmount"], told["AccountCode"], told["TaxType"], told["LineAmount"]) == (
        "Per month", Decimal("471.09"), "200", "OUTPUT2", Decimal("942.18"),
    )  # fmt: skip
    assert inside(told, "Item") == {
        "ItemID": product.books.items[0].id, "Name": "Desktop support", "Code": "Support-M",
    }  # fmt: skip
    own = product.call("PUT", "Invoices", invoice(ana.id, LineItems=[line(ItemCode="Support-M")])).one("Invoices")
    assert own["SubTotal"] == Decimal("10.00")


def test_a_bill_takes_the_item_as_it_is_bought(product: Product) -> None:
    product.call("PUT", "Items", ITEM)
    shop = product.books.add_contact("Shop")

    sent = invoice(shop.id, Type="ACCPAY", LineItems=[{"ItemCode": "Support-M"}])
    (told,) = rows_of(product.call("PUT", "Invoices", sent).one("Invoices"), "LineItems")

    assert (told["UnitAmount"], told["AccountCode"], told["TaxType"]) == (Decimal("300.00"), "429", "INPUT2")


def test_an_item_that_is_not_there_is_refused_on_its_line(product: Product) -> None:
    ana = product.books.add_contact("Ana")

    reply = product.call("PUT", "Invoices", invoice(ana.id, LineItems=[line(ItemCode="Nothing")]))

    assert reply.line_messages() == ["The item code 'Nothing' does not exist"]
    assert product.books.invoices == ()


def test_put_creates_and_post_updates_by_code(product: Product) -> None:
    """F 6.170, 8.30, A.09: and the reply to a write gives its instant without an offset."""
    made = product.call("PUT", "Items", ITEM).one("Items")

    assert product.call("PUT", "Items", ITEM).messages() == ["Price List Item with Code 'Support-M' already exists"]
    changed = product.call("POST", "Items", {"Code": "SUPPORT-m", "Name": "Support"}).one("Items")

    assert changed["ItemID"] == made["ItemID"]
    assert (changed["Name"], changed["Description"]) == ("Support", "Per month")
    assert "+0000" not in text(made, "UpdatedDateUTC")
    assert "+0000" in text(product.call("GET", "Items/Support-M").one("Items"), "UpdatedDateUTC")
    assert product.call("DELETE", f"Items/{text(made, 'ItemID')}").status == 204
    assert product.call("GET", "Items").rows("Items") == []


@pytest.mark.parametrize(
    "change",
    [
        {"Code": "x" * 31},
        {"Name": "x" * 51},
        {"Description": "x" * 4001},
        {"SalesDetails": {"AccountCode": "999"}},
        {"InventoryAssetAccountCode": "200"},
        {"PurchaseDetails": {"COGSAccountCode": "310"}},
        {"Code": ""},
    ],
)
def test_items_have_bounds(product: Product, change: Sent) -> None:
    assert product.call("PUT", "Items", ITEM | change).status == 400
    assert product.books.items == ()


def test_stock_moves_with_bills_and_sales(product: Product) -> None:
    details = {"UnitPrice": "4.00", "COGSAccountCode": "310"}
    tracked = ITEM | {"Code": "Cup", "InventoryAssetAccountCode": "630", "PurchaseDetails": details}
    product.call("PUT", "Items", tracked)
    ana = product.books.add_contact("Ana")
    bought = invoice(ana.id, Type="ACCPAY", LineItems=[{"ItemCode": "Cup", "Quantity": 10, "TaxType": "NONE"}])
    bill = product.call("PUT", "Invoices", bought).one("Invoices")
    product.call("PUT", "Invoices", invoice(ana.id, LineItems=[{"ItemCode": "Cup", "Quantity": 4}]))

    row = product.call("GET", "Items/Cup").one("Items")

    assert (row["QuantityOnHand"], row["TotalCostPool"]) == (Decimal("6.0000"), Decimal("24.00"))
    assert product.call("DELETE", "Items/Cup").status == 400
    assert rows_of(bill, "LineItems")[0]["AccountCode"] == "630"
    product.books.void_invoice(text(bill, "InvoiceID"))
    assert product.call("GET", "Items/Cup").one("Items")["QuantityOnHand"] == Decimal("-4.0000")


def test_reading_items_goes_with_invoices_and_writing_needs_the_settings() -> None:
    """F 1.47."""
    product = make()
    reader = connect(product.simulator, product.books, scopes="accounting.invoices")

    assert reader.call("GET", "Items").status == 200
    assert reader.call("PUT", "Items", ITEM).status == 401


@pytest.mark.rank(30)
def test_a_line_is_tracked_by_names_or_by_ids_and_shows_what_they_are_called_today(product: Product) -> None:
    """F 4.11, 6.171."""
    region = product.books.add_tracking_category("Region", ["North", "South"])
    ana = product.books.add_contact("Ana")
    by_name = [line(Tracking=[{"Name": "region", "Option": "NORTH"}])]
    by_id = [line(Tracking=[{"TrackingCategoryID": region.id, "TrackingOptionID": region.options[1].id}])]
    first = product.call("PUT", "Invoices", invoice(ana.id, LineItems=by_name)).one("Invoices")
    second = product.call("PUT", "Invoices", invoice(ana.id, LineItems=by_id)).one("Invoices")
    path = f"TrackingCategories/{region.id}/Options/{region.options[0].id}"

    product.call("POST", path, {"Name": "Northern"})

    (one,) = rows_of(only_line(product, f"Invoices/{text(first, 'InvoiceID')}"), "Tracking")
    assert one == {
        "Name": "Region", "Option": "Northern", "TrackingCategoryID": region.id,
        "TrackingOptionID": region.options[0].id,
    }  # fmt: skip
    (paged,) = rows_of(only_line(product, f"Invoices?IDs={text(second, 'InvoiceID')}&page=1"), "Tracking")
    assert paged == {"Name": "Region", "Option": "South", "TrackingCategoryID": region.id, "Options": []}


def test_unknown_and_archived_options_are_refused(product: Product) -> None:
    region = product.books.add_tracking_category("Region", ["North", "South"])
    product.books.archive_tracking_option(region.id, "South")
    ana = product.books.add_contact("Ana")

    for option in ("South", "West"):
        tracking = [{"Name": "Region", "Option": option}]
        reply = product.call("PUT", "Invoices", invoice(ana.id, LineItems=[line(Tracking=tracking)]))
        assert reply.line_messages() == [f"The tracking option 'Region: {option}' does not exist or is not active"]
    twice = [{"Name": "Region", "Option": "North"}] * 2
    assert product.call("PUT", "Invoices", invoice(ana.id, LineItems=[line(Tracking=twice)])).status == 400
    assert product.books.invoices == ()


def test_an_unknown_option_may_be_dropped_with_a_warning() -> None:
    product = make(Switches(unknown_tracking_is_refused=False))
    ana = product.books.add_contact("Ana")
    tracking = [{"Name": "Region", "Option": "West"}]

    row = product.call("PUT", "Invoices", invoice(ana.id, LineItems=[line(Tracking=tracking)])).one("Invoices")

    assert rows_of(row, "Warnings")[0]["Message"] == (
        "The tracking option 'Region: West' has been removed as it is not recognised."
    )


def test_two_categories_are_active_and_four_there_at_most(product: Product) -> None:
    """F 6.171."""
    made = [product.call("PUT", "TrackingCategories", {"Name": name}) for name in ("Region", "Team", "Third")]
    assert [reply.status for reply in made] == [200, 200, 400]
    assert product.call("PUT", "TrackingCategories", {"Name": "region"}).status == 400

    for reply in made[:2]:
        key = text(reply.one("TrackingCategories"), "TrackingCategoryID")
        product.call("POST", f"TrackingCategories/{key}", {"Status": "ARCHIVED"})
    assert product.call("GET", "TrackingCategories").rows("TrackingCategories") == []
    assert len(product.call("GET", "TrackingCategories?includeArchived=true").rows("TrackingCategories")) == 2
    again = [product.call("PUT", "TrackingCategories", {"Name": name}).status for name in ("A", "B", "C")]
    assert again == [200, 200, 400]
    first = text(made[0].one("TrackingCategories"), "TrackingCategoryID")
    assert product.call("DELETE", f"TrackingCategories/{first}").one("TrackingCategories")["Status"] == "DELETED"


def test_options_come_and_go(product: Product) -> None:
    region = product.books.add_tracking_category("Region", ["North"])
    path = f"TrackingCategories/{region.id}/Options"

    made = product.call("PUT", path, {"Options": [{"Name": "East"}, {"Name": "West"}]}).rows("Options")
    assert product.call("PUT", path, {"Name": "EAST"}).status == 400
    gone = product.call("DELETE", f"{path}/{text(made[0], 'TrackingOptionID')}").one("Options")

    assert (gone["Status"], gone["IsDeleted"], gone["IsActive"]) == ("DELETED", True, False)
    listed = product.call("GET", "TrackingCategories").one("TrackingCategories")
    assert [option["Name"] for option in rows_of(listed, "Options")] == ["North", "West"]


def test_own_taxes_are_numbered_and_system_ones_stay(product: Product) -> None:
    """F 6.167."""
    parts = [
        {"Name": "GST", "Rate": "5"},
        {"Name": "PST", "Rate": "10", "IsCompound": True},
    ]
    made = product.call("PUT", "TaxRates", {"Name": "Both", "ReportTaxType": "OUTPUT", "TaxComponents": parts})

    row = made.one("TaxRates")
    assert (row["TaxType"], row["DisplayTaxRate"], row["EffectiveRate"]) == (
        "TAX001", Decimal("15.0000"), Decimal("15.5000"),
    )  # fmt: skip
    assert (row["CanApplyToRevenue"], row["CanApplyToExpenses"]) == (True, False)
    ana = product.books.add_contact("Ana")
    sale = product.call("PUT", "Invoices", invoice(ana.id, LineItems=[line(TaxType="TAX001")])).one("Invoices")
    assert sale["TotalTax"] == Decimal("1.55")

    assert (
        product.call("PUT", "TaxRates", {"Name": "x", "TaxType": "OUTPUT2", "TaxComponents": parts[:1]}).status == 400
    )
    assert product.call("POST", "TaxRates", {"TaxType": "OUTPUT2", "Status": "DELETED"}).status == 400
    gone = product.call("POST", "TaxRates", {"Name": "Both", "Status": "DELETED"}).one("TaxRates")
    assert gone["Status"] == "DELETED"
    assert product.call("PUT", "Invoices", invoice(ana.id, LineItems=[line(TaxType="TAX001")])).status == 400


def test_currencies_are_added_and_never_taken_away(product: Product) -> None:
    """F 6.69, 6.172."""
    ana = product.books.add_contact("Ana")
    foreign = invoice(ana.id, CurrencyCode="EUR")
    assert product.call("PUT", "Invoices", foreign).messages() == ["Organisation is not subscribed to currency EUR"]

    assert product.call("PUT", "Currencies", {"Code": "EUR"}).one("Currencies")["Description"] == "Euro"
    assert product.call("PUT", "Currencies", {"Code": "XXX"}).status == 400

    assert product.call("PUT", "Invoices", foreign).status == 200
    assert [row["Code"] for row in product.call("GET", "Currencies").rows("Currencies")] == ["NZD", "EUR"]


def test_groups_hold_contacts_and_contacts_name_their_groups(product: Product) -> None:
    ana = product.books.add_contact("Ana")
    group = product.call("PUT", "ContactGroups", {"Name": "Gold"}).one("ContactGroups")
    path = f"ContactGroups/{text(group, 'ContactGroupID')}"

    product.call("PUT", f"{path}/Contacts", {"Contacts": [{"ContactID": ana.id}]})

    assert [row["Name"] for row in rows_of(product.call("GET", path).one("ContactGroups"), "Contacts")] == ["Ana"]
    (named,) = rows_of(product.call("GET", f"Contacts/{ana.id}").one("Contacts"), "ContactGroups")
    assert named["Name"] == "Gold"
    assert product.call("DELETE", f"{path}/Contacts/{ana.id}").status == 204
    assert product.call("DELETE", f"{path}/Contacts/{ana.id}").status == 404
    assert product.call("POST", path, {"Status": "DELETED"}).one("ContactGroups")["Status"] == "DELETED"
    assert product.call("GET", "ContactGroups").rows("ContactGroups") == []


def test_there_are_a_hundred_groups_at_most(product: Product) -> None:
    """F 6.41: Xero's apostrophe is no plain one."""
    rows = [{"Name": f"Group {number}"} for number in range(101)]

    reply = product.call("PUT", "ContactGroups", {"ContactGroups": rows})

    assert reply.messages() == ["You’ve reached the limit of 100 contact groups."]
    assert len(product.books.contact_groups) == 100


def test_users_and_themes_are_listed(product: Product) -> None:
    """F 6.173."""
    user = product.call("GET", "Users").one("Users")

    assert (user["IsSubscriber"], user["OrganisationRole"]) == (True, "STANDARD")
    assert product.call("GET", f"Users/{text(user, 'UserID')}").one("Users") == user
    assert product.call("GET", "BrandingThemes").one("BrandingThemes")["Name"] == "Standard"


def test_a_plan_says_what_may_be_done(product: Product) -> None:
    """F 2.25, 6.04, 6.05, 8.54."""
    ana = product.books.add_contact("Ana")

    def allowed() -> dict[str, object]:
        return {text(row, "Name"): row["Status"] for row in product.call("GET", "Organisation/Actions").rows("Actions")}

    assert set(allowed().values()) == {"ALLOWED"}
    product.books.change_plan("STARTER")
    assert allowed()["UseMulticurrency"] == "NOT-ALLOWED"
    assert product.call("PUT", "Currencies", {"Code": "EUR"}).status == 400
    for _ in range(20):
        product.books.add_invoice(ana.id, amount=Decimal("1.00"))
    reply = product.call("PUT", "Invoices", invoice(ana.id))
    assert reply.messages() == ["You have reached the limit of invoices you can approve"]
    assert product.call("PUT", "Invoices", invoice(ana.id, Status="DRAFT")).status == 200

    product.books.change_plan("LEDGER")
    assert allowed()["CreateDraftInvoice"] == "NOT-ALLOWED"
    assert product.call("PUT", "Invoices", invoice(ana.id, Status="DRAFT")).status == 400
    assert product.call("GET", "Organisation").one("Organisations")["Class"] == "LEDGER"
    with pytest.raises(InvalidInput, match="STARTER"):
        product.books.change_plan("GOLD")
