"""The organisation's reference data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import ClassVar, Final

from attrs import AttrsInstance, define

from xerosync.client._driver import stepped, stepped_into, stepped_rows
from xerosync.client._wire.codec import Json
from xerosync.client._wire.outgoing import encode
from xerosync.client.changes import Changes
from xerosync.client.resources.base import AsyncReadable, as_id, as_number
from xerosync.client.resources.files import AsyncFiled, AsyncNoted
from xerosync.client.resources.stamped import AsyncStamped
from xerosync.client.resources.writing import AsyncChangeable, AsyncSingly, AsyncWritable
from xerosync.filters.expressions import Filter
from xerosync.models import (
    Account,
    AccountStatus,
    BrandingTheme,
    Currency,
    Item,
    TaxRate,
    TaxRateStatus,
    TrackingCategory,
    TrackingOption,
    TrackingStatus,
    User,
)


@define(eq=False)
class AsyncAccounts(AsyncSingly[Account], AsyncFiled[Account], AsyncStamped[Account]):
    """The chart of accounts. A change of status goes alone (F 6.17), by `archive` or `restore`."""

    collection: ClassVar[str] = "Accounts"
    model: ClassVar[type[AttrsInstance]] = Account
    paged: ClassVar[bool] = False

    def list(
        self, *, where: Filter[Account] | None = None, modified_since: datetime | None = None
    ) -> AsyncIterator[Account]:
        """All accounts, archived ones too (F 6.16)."""
        return self._all({}, modified_since, where)

    async def archive(self, document_id: str) -> Account:
        """Archive an account: what is coded to it stays, nothing new can be. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": AccountStatus.ARCHIVED}, "archived")

    async def restore(self, document_id: str) -> Account:
        """Bring an archived account back into use. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": AccountStatus.ACTIVE}, "restored")

    async def delete(self, document_id: str) -> None:
        """Delete an account that nothing is coded to (F 6.17). Raises `Rejected`, `OutcomeUnknown`."""
        await self._delete(as_id(document_id))


@define(eq=False)
class AsyncTaxRates(AsyncChangeable[TaxRate]):
    """Tax rates: what lines may bear. Each is named by its tax type, such as ``OUTPUT2``."""

    collection: ClassVar[str] = "TaxRates"
    model: ClassVar[type[AttrsInstance]] = TaxRate
    at_once: ClassVar[int] = 1
    identified_by: ClassVar[str] = "tax_type"

    def list(self, *, where: Filter[TaxRate] | None = None) -> AsyncIterator[TaxRate]:
        """All tax rates, deleted ones too (A.10)."""
        return self._all({}, where=where)

    async def get(self, tax_type: str) -> TaxRate:
        """The one tax rate of this tax type. Raises `NotFound` when Xero knows none."""
        return await self._get(as_number(tax_type, "tax_type"))

    async def delete(self, tax_type: str) -> TaxRate:
        """Delete a tax rate of your own. Raises `Rejected`, `OutcomeUnknown`."""
        as_number(tax_type, "tax_type")
        return await self.update_one(TaxRate(tax_type=tax_type, status=TaxRateStatus.DELETED))

    def _path_of_one(self, method: str, row: Json) -> str:  # noqa: ARG002 - it has no address of its own
        return self.collection


@define(eq=False)
class AsyncItems(AsyncChangeable[Item], AsyncNoted[Item], AsyncStamped[Item]):
    """What is bought and sold."""

    collection: ClassVar[str] = "Items"
    model: ClassVar[type[AttrsInstance]] = Item
    paged: ClassVar[bool] = False
    fixed: ClassVar[Mapping[str, str]] = {"unitdp": "4"}

    def list(self, *, where: Filter[Item] | None = None, modified_since: datetime | None = None) -> AsyncIterator[Item]:
        """All items."""
        return self._all({}, modified_since, where)

    async def delete(self, document_id: str) -> None:
        """Delete an item; documents that name it stay. Raises `Rejected`, `OutcomeUnknown`."""
        await self._delete(as_id(document_id))


@define(eq=False)
class AsyncTrackingCategories(AsyncSingly[TrackingCategory]):
    """Tracking categories and their options."""

    collection: ClassVar[str] = "TrackingCategories"
    model: ClassVar[type[AttrsInstance]] = TrackingCategory

    def list(
        self, *, where: Filter[TrackingCategory] | None = None, include_archived: bool = False
    ) -> AsyncIterator[TrackingCategory]:
        """The tracking categories with their options; archived ones only when asked for."""
        return self._all({"includeArchived": "true" if include_archived else ""}, where=where)

    async def archive(self, document_id: str) -> TrackingCategory:
        """Archive a category: lines that bear it keep it, no new one can. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": TrackingStatus.ARCHIVED}, "archived")

    async def delete(self, document_id: str) -> None:
        """Delete a category that no line bears, with its options. Raises `Rejected`, `OutcomeUnknown`."""
        await self._delete(as_id(document_id))

    async def add_option(self, category_id: str, name: str) -> TrackingOption:
        """Add an option called *name* to a category. Raises `InvalidInput`, `Rejected`, `OutcomeUnknown`."""
        return await self._option(category_id, "", TrackingOption(name=name), "PUT", "added")

    async def rename_option(self, category_id: str, option_id: str, name: str) -> TrackingOption:
        """Give an option another name, on all lines that bear it. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._option(category_id, option_id, TrackingOption(name=name), "POST", "renamed")

    async def archive_option(self, category_id: str, option_id: str) -> TrackingOption:
        """Archive an option: lines that bear it keep it. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._option(
            category_id, option_id, TrackingOption(status=TrackingStatus.ARCHIVED), "POST", "archived"
        )

    async def delete_option(self, category_id: str, option_id: str) -> None:
        """Delete an option that no line bears. Raises `Rejected`, `OutcomeUnknown`."""
        await self._delete(f"{as_id(category_id, 'category_id')}/Options/{as_id(option_id, 'option_id')}")

    async def _option(
        self, category_id: str, option_id: str, option: TrackingOption, method: str, doing: str
    ) -> TrackingOption:
        below = f"/{as_id(option_id, 'option_id')}" if method == "POST" else ""
        path = f"{as_id(category_id, 'category_id')}/Options{below}"
        row = encode(option, to_write=True)
        return await self._put_one_below(
            TrackingOption, path, "Options", row, doing, method=method, key="TrackingOptionID"
        )


@define(eq=False)
class AsyncCurrencies(AsyncWritable[Currency]):
    """The currencies the organisation keeps books in; one that is added stays (F 6.172)."""

    collection: ClassVar[str] = "Currencies"
    model: ClassVar[type[AttrsInstance]] = Currency
    at_once: ClassVar[int] = 1
    identified_by: ClassVar[str] = "code"

    def list(self, *, where: Filter[Currency] | None = None) -> AsyncIterator[Currency]:
        """All currencies of the organisation."""
        return self._all({}, where=where)


@define(eq=False)
class AsyncUsers(AsyncReadable[User], AsyncStamped[User]):
    """Those who may sign in to the organisation, and their roles."""

    collection: ClassVar[str] = "Users"
    model: ClassVar[type[AttrsInstance]] = User
    paged: ClassVar[bool] = False

    def list(self, *, where: Filter[User] | None = None, modified_since: datetime | None = None) -> AsyncIterator[User]:
        """All users."""
        return self._all({}, modified_since, where)


@define(eq=False)
class AsyncBrandingThemes(AsyncReadable[BrandingTheme]):
    """How documents look on paper."""

    collection: ClassVar[str] = "BrandingThemes"
    model: ClassVar[type[AttrsInstance]] = BrandingTheme

    def list(self, *, where: Filter[BrandingTheme] | None = None) -> AsyncIterator[BrandingTheme]:
        """All branding themes."""
        return self._all({}, where=where)


class Accounts:
    """The chart of accounts. A change of status goes alone (F 6.17), by `archive` or `restore`."""

    def __init__(self, flows: AsyncAccounts) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncAccounts.list)
    changes: Final = stepped_into(AsyncAccounts.changes, Changes[Account])
    get: Final = stepped(AsyncAccounts.get)
    create: Final = stepped(AsyncAccounts.create)
    create_one: Final = stepped(AsyncAccounts.create_one)
    update: Final = stepped(AsyncAccounts.update)
    update_one: Final = stepped(AsyncAccounts.update_one)
    archive: Final = stepped(AsyncAccounts.archive)
    restore: Final = stepped(AsyncAccounts.restore)
    delete: Final = stepped(AsyncAccounts.delete)
    attachments: Final = stepped(AsyncAccounts.attachments)
    attach: Final = stepped(AsyncAccounts.attach)
    download: Final = stepped(AsyncAccounts.download)


class TaxRates:
    """Tax rates: what lines may bear."""

    def __init__(self, flows: AsyncTaxRates) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncTaxRates.list)
    get: Final = stepped(AsyncTaxRates.get)
    create: Final = stepped(AsyncTaxRates.create)
    create_one: Final = stepped(AsyncTaxRates.create_one)
    update: Final = stepped(AsyncTaxRates.update)
    update_one: Final = stepped(AsyncTaxRates.update_one)
    delete: Final = stepped(AsyncTaxRates.delete)


class Items:
    """What is bought and sold."""

    def __init__(self, flows: AsyncItems) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncItems.list)
    changes: Final = stepped_into(AsyncItems.changes, Changes[Item])
    get: Final = stepped(AsyncItems.get)
    create: Final = stepped(AsyncItems.create)
    create_one: Final = stepped(AsyncItems.create_one)
    update: Final = stepped(AsyncItems.update)
    update_one: Final = stepped(AsyncItems.update_one)
    delete: Final = stepped(AsyncItems.delete)
    history: Final = stepped(AsyncItems.history)
    add_note: Final = stepped(AsyncItems.add_note)


class TrackingCategories:
    """Tracking categories and their options."""

    def __init__(self, flows: AsyncTrackingCategories) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncTrackingCategories.list)
    get: Final = stepped(AsyncTrackingCategories.get)
    create: Final = stepped(AsyncTrackingCategories.create)
    create_one: Final = stepped(AsyncTrackingCategories.create_one)
    update: Final = stepped(AsyncTrackingCategories.update)
    update_one: Final = stepped(AsyncTrackingCategories.update_one)
    archive: Final = stepped(AsyncTrackingCategories.archive)
    delete: Final = stepped(AsyncTrackingCategories.delete)
    add_option: Final = stepped(AsyncTrackingCategories.add_option)
    rename_option: Final = stepped(AsyncTrackingCategories.rename_option)
    archive_option: Final = stepped(AsyncTrackingCategories.archive_option)
    delete_option: Final = stepped(AsyncTrackingCategories.delete_option)


class Currencies:
    """The currencies the organisation keeps books in; one that is added stays (F 6.172)."""

    def __init__(self, flows: AsyncCurrencies) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncCurrencies.list)
    create: Final = stepped(AsyncCurrencies.create)
    create_one: Final = stepped(AsyncCurrencies.create_one)


class Users:
    """Those who may sign in to the organisation, and their roles."""

    def __init__(self, flows: AsyncUsers) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncUsers.list)
    changes: Final = stepped_into(AsyncUsers.changes, Changes[User])
    get: Final = stepped(AsyncUsers.get)


class BrandingThemes:
    """How documents look on paper."""

    def __init__(self, flows: AsyncBrandingThemes) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncBrandingThemes.list)
    get: Final = stepped(AsyncBrandingThemes.get)
