"""The organisation's reference data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final

from attrs import AttrsInstance, define

from xerosync.client._driver import stepped, stepped_rows
from xerosync.client._wire.codec import decode
from xerosync.client.resources.base import AsyncChangeable, AsyncReadable, AsyncSingly, as_id
from xerosync.client.resources.files import AsyncFiled, AsyncNoted
from xerosync.models import (
    Account,
    AccountStatus,
    BrandingTheme,
    Currency,
    Item,
    Shape,
    TaxRate,
    TrackingCategory,
    TrackingOption,
    User,
)


@define(eq=False)
class AsyncAccounts(AsyncSingly[Account], AsyncFiled[Account]):
    """The chart of accounts."""

    collection: ClassVar[str] = "Accounts"
    model: ClassVar[type[AttrsInstance]] = Account

    def list(self, *, modified_since: datetime | None = None) -> AsyncIterator[Account]:
        """All accounts, archived ones too (F 6.16)."""
        return self._all({}, modified_since)

    async def archive(self, account_id: str) -> Account:
        """Archive an account: what is coded to it stays, nothing new can be. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(account_id, {"Status": AccountStatus.ARCHIVED}, "archived")


@define(eq=False)
class AsyncTaxRates(AsyncChangeable[TaxRate]):
    """Tax rates: what lines may bear."""

    collection: ClassVar[str] = "TaxRates"
    model: ClassVar[type[AttrsInstance]] = TaxRate

    def list(self) -> AsyncIterator[TaxRate]:
        """All tax rates, deleted ones too (A.10)."""
        return self._all({})


@define(eq=False)
class AsyncItems(AsyncChangeable[Item], AsyncNoted[Item]):
    """What is bought and sold."""

    collection: ClassVar[str] = "Items"
    model: ClassVar[type[AttrsInstance]] = Item
    fixed: ClassVar[Mapping[str, str]] = {"unitdp": "4"}

    def list(self, *, modified_since: datetime | None = None) -> AsyncIterator[Item]:
        """All items."""
        return self._all({}, modified_since)


@define(eq=False)
class AsyncTrackingCategories(AsyncSingly[TrackingCategory]):
    """Tracking categories and their options."""

    collection: ClassVar[str] = "TrackingCategories"
    model: ClassVar[type[AttrsInstance]] = TrackingCategory

    def list(self, *, include_archived: bool = False) -> AsyncIterator[TrackingCategory]:
        """The tracking categories with their options; archived ones only when asked for."""
        return self._all({"includeArchived": "true" if include_archived else ""})

    async def add_options(self, category_id: str, names: Sequence[str]) -> Sequence[TrackingOption]:
        """Add options called *names* to a category, and return them. Raises `Rejected`, `OutcomeUnknown`."""
        rows = await self._put_below(
            f"{as_id(category_id)}/Options", "Options", [{"Name": name} for name in names], "added"
        )
        return [decode(TrackingOption, row, where="Options", shape=Shape.REPLY) for row in rows]


@define(eq=False)
class AsyncCurrencies(AsyncSingly[Currency]):
    """The currencies the organisation keeps books in; one that is added stays (F 6.172)."""

    collection: ClassVar[str] = "Currencies"
    model: ClassVar[type[AttrsInstance]] = Currency

    def list(self) -> AsyncIterator[Currency]:
        """All currencies of the organisation."""
        return self._all({})


@define(eq=False)
class AsyncUsers(AsyncReadable[User]):
    """Those who may sign in to the organisation, and their roles."""

    collection: ClassVar[str] = "Users"
    model: ClassVar[type[AttrsInstance]] = User

    def list(self, *, modified_since: datetime | None = None) -> AsyncIterator[User]:
        """All users."""
        return self._all({}, modified_since)


@define(eq=False)
class AsyncBrandingThemes(AsyncReadable[BrandingTheme]):
    """How documents look on paper."""

    collection: ClassVar[str] = "BrandingThemes"
    model: ClassVar[type[AttrsInstance]] = BrandingTheme

    def list(self) -> AsyncIterator[BrandingTheme]:
        """All branding themes."""
        return self._all({})


class Accounts:
    """The chart of accounts."""

    def __init__(self, flows: AsyncAccounts) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncAccounts.list)
    get: Final = stepped(AsyncAccounts.get)
    create: Final = stepped(AsyncAccounts.create)
    update: Final = stepped(AsyncAccounts.update)
    history: Final = stepped(AsyncAccounts.history)
    add_note: Final = stepped(AsyncAccounts.add_note)
    attachments: Final = stepped(AsyncAccounts.attachments)
    attach: Final = stepped(AsyncAccounts.attach)
    download: Final = stepped(AsyncAccounts.download)
    archive: Final = stepped(AsyncAccounts.archive)


class TaxRates:
    """Tax rates: what lines may bear."""

    def __init__(self, flows: AsyncTaxRates) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncTaxRates.list)
    create: Final = stepped(AsyncTaxRates.create)
    update: Final = stepped(AsyncTaxRates.update)


class Items:
    """What is bought and sold."""

    def __init__(self, flows: AsyncItems) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncItems.list)
    get: Final = stepped(AsyncItems.get)
    create: Final = stepped(AsyncItems.create)
    update: Final = stepped(AsyncItems.update)
    history: Final = stepped(AsyncItems.history)
    add_note: Final = stepped(AsyncItems.add_note)


class TrackingCategories:
    """Tracking categories and their options."""

    def __init__(self, flows: AsyncTrackingCategories) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncTrackingCategories.list)
    get: Final = stepped(AsyncTrackingCategories.get)
    create: Final = stepped(AsyncTrackingCategories.create)
    update: Final = stepped(AsyncTrackingCategories.update)
    add_options: Final = stepped(AsyncTrackingCategories.add_options)


class Currencies:
    """The currencies the organisation keeps books in; one that is added stays (F 6.172)."""

    def __init__(self, flows: AsyncCurrencies) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncCurrencies.list)
    create: Final = stepped(AsyncCurrencies.create)
    update: Final = stepped(AsyncCurrencies.update)


class Users:
    """Those who may sign in to the organisation, and their roles."""

    def __init__(self, flows: AsyncUsers) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncUsers.list)
    get: Final = stepped(AsyncUsers.get)


class BrandingThemes:
    """How documents look on paper."""

    def __init__(self, flows: AsyncBrandingThemes) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncBrandingThemes.list)
