"""Items, tracking, groups and taxes, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from xerosync.errors import InvalidInput
from xerosync.simulator.bookkeeper.reading import Reading
from xerosync.simulator.entities import ContactGroup, Item, TaxRate, TrackingCategory, User
from xerosync.simulator.given import Given, Json
from xerosync.simulator.rules import items, taxes, tracking


class CatalogueWork(Reading):
    """Adding what lines are chosen from."""

    @property
    def items(self) -> tuple[Item, ...]:
        """All items."""
        return tuple(self._books.items)

    @property
    def tracking_categories(self) -> tuple[TrackingCategory, ...]:
        """All tracking categories, archived and deleted ones too."""
        return tuple(self._books.tracking_categories)

    @property
    def tax_rates(self) -> tuple[TaxRate, ...]:
        """All tax rates, deleted ones too."""
        return tuple(self._books.tax_rates)

    @property
    def contact_groups(self) -> tuple[ContactGroup, ...]:
        """All contact groups, deleted ones too."""
        return tuple(self._books.contact_groups)

    @property
    def users(self) -> tuple[User, ...]:
        """Who works in the organisation."""
        return tuple(self._books.users)

    def add_item(
        self, code: str, name: str, *, price: Decimal | None = None, cost: Decimal | None = None, **others: Json
    ) -> Item:
        """Add an item, sold at *price* and bought at *cost* before tax; *others* by Xero's names."""
        fields: dict[str, Json] = {"Code": code, "Name": name}
        if price is not None:
            fields["SalesDetails"] = {"UnitPrice": price, "AccountCode": "200"}
        if cost is not None:
            fields["PurchaseDetails"] = {"UnitPrice": cost, "AccountCode": "429"}
        return self._do(lambda: items.create(self._books, Given(fields | others), unit_places=4))

    def add_tracking_category(self, name: str, options: Sequence[str]) -> TrackingCategory:
        """Add a tracking category with its *options*."""
        rows: list[Json] = [{"Name": option} for option in options]
        return self._do(lambda: tracking.create(self._books, Given({"Name": name, "Options": rows})))

    def archive_tracking_option(self, category_id: str, option: str) -> TrackingCategory:
        """Archive the option of the name *option*."""
        category = self._books.tracking_categories.get(category_id)
        found = next((one for one in category.options if one.name == option), None) if category is not None else None
        if category is None or found is None:
            raise InvalidInput("option", "there is no such tracking option")
        self._do(lambda: tracking.update_option(self._books, category, found, Given({"Status": "ARCHIVED"})))
        return self._books.tracking_categories[category_id]

    def add_tax_rate(self, name: str, rate: Decimal, *, report_type: str = "OUTPUT") -> TaxRate:
        """Add a tax of *rate* percent."""
        fields: dict[str, Json] = {
            "Name": name,
            "ReportTaxType": report_type,
            "TaxComponents": [{"Name": name, "Rate": rate}],
        }
        return self._do(lambda: taxes.create(self._books, Given(fields)))

    def add_contact_group(self, name: str, contact_ids: Sequence[str] = ()) -> ContactGroup:
        """Sort contacts into a group of their own."""
        groups = self._books.contact_groups
        return self._do(lambda: groups.put(ContactGroup(self._books.draw(), name, contact_ids=tuple(contact_ids))))
