"""The organisation and its reference data: accounts, taxes, items, tracking, currencies, users."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from xerosync.models.base import (
    READ_ONLY,
    AccountCode,
    AccountId,
    ConnectionId,
    ItemId,
    Quiet,
    Referred,
    Shape,
    TenantId,
    TrackingCategoryId,
    TrackingOptionId,
    UserId,
    longest,
    no_extra,
    wire,
)
from xerosync.models.contacts import Address, PaymentTerms, Phone
from xerosync.models.words import (
    AccountClass,
    AccountStatus,
    AccountType,
    BankAccountType,
    OrganisationPlan,
    OrganisationRole,
    TaxRateStatus,
    TrackingStatus,
)


@frozen(kw_only=True, repr=False)
class ExternalLink(Quiet):
    """A page of the organisation's elsewhere."""

    link_type: str | None = None
    url: str | None = None
    description: str | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class Organisation(Quiet):
    """The organisation whose books these are. Its id equals the tenant id (F 6.02)."""

    organisation_id: TenantId | None = None
    name: str | None = None
    legal_name: str | None = None
    pays_tax: bool | None = None
    version: str | None = None
    organisation_type: str | None = None
    base_currency: str | None = None
    country_code: str | None = None
    is_demo_company: bool | None = None
    organisation_status: str | None = None
    registration_number: str | None = None
    employer_identification_number: str | None = None
    tax_number: str | None = None
    financial_year_end_day: int | None = None
    financial_year_end_month: int | None = None
    sales_tax_basis: str | None = None
    sales_tax_period: str | None = None
    default_sales_tax: str | None = None
    default_purchases_tax: str | None = None
    period_lock_date: datetime.date | None = None
    end_of_year_lock_date: datetime.date | None = None
    created_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    timezone: str | None = None
    organisation_entity_type: str | None = None
    short_code: str | None = None
    plan: OrganisationPlan | None = field(default=None, metadata=wire("Class"))
    edition: str | None = None
    line_of_business: str | None = None
    addresses: tuple[Address, ...] = ()
    phones: tuple[Phone, ...] = ()
    external_links: tuple[ExternalLink, ...] = ()
    payment_terms: PaymentTerms | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class Action(Quiet):
    """Something the app's user may or may not do here: *status* is ALLOWED or NOT-ALLOWED."""

    name: str | None = None
    status: str | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class Account(Referred):
    """
    One account of the chart of accounts. A bank account may have no code: address accounts by id (F 6.11).

    *account_class* is where it stands on the balance sheet or the profit and loss.
    """

    account_id: AccountId | None = None
    code: AccountCode | None = field(default=None, metadata=longest(10))
    name: str | None = field(default=None, metadata=longest(150))
    type: AccountType | None = None
    bank_account_number: str | None = None
    status: AccountStatus | None = None
    description: str | None = field(default=None, metadata=longest(4000))
    bank_account_type: BankAccountType | None = None
    currency_code: str | None = None
    tax_type: str | None = None
    enable_payments_to_account: bool | None = None
    show_in_expense_claims: bool | None = None
    account_class: AccountClass | None = field(default=None, metadata={**wire("Class"), **READ_ONLY})
    system_account: str | None = field(default=None, metadata=READ_ONLY)
    reporting_code: str | None = None
    reporting_code_name: str | None = field(default=None, metadata=READ_ONLY)
    has_attachments: bool | None = field(default=None, metadata=READ_ONLY)
    add_to_watchlist: bool | None = None
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class TaxComponent(Quiet):
    """One part of a tax rate; *rate* is in per cent."""

    name: str | None = None
    rate: Decimal | None = None
    is_compound: bool | None = None
    is_non_recoverable: bool | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class TaxRate(Quiet):
    """A tax that lines may bear, named by *tax_type*; *effective_rate* and *display_tax_rate* are in per cent."""

    name: str | None = None
    tax_type: str | None = None
    tax_components: tuple[TaxComponent, ...] = ()
    status: TaxRateStatus | None = None
    report_tax_type: str | None = None
    can_apply_to_assets: bool | None = field(default=None, metadata=READ_ONLY)
    can_apply_to_equity: bool | None = field(default=None, metadata=READ_ONLY)
    can_apply_to_expenses: bool | None = field(default=None, metadata=READ_ONLY)
    can_apply_to_liabilities: bool | None = field(default=None, metadata=READ_ONLY)
    can_apply_to_revenue: bool | None = field(default=None, metadata=READ_ONLY)
    display_tax_rate: Decimal | None = field(default=None, metadata=READ_ONLY)
    effective_rate: Decimal | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class ItemDetails(Quiet):
    """What an item costs, or is sold for, and where it is coded; *unit_price* is in base currency."""

    unit_price: Decimal | None = None
    account_code: AccountCode | None = None
    cogs_account_code: AccountCode | None = None
    tax_type: str | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class Item(Quiet):
    """Something bought or sold, by its *code*, which is unique in any letter case (F 6.170)."""

    item_id: ItemId | None = None
    code: str | None = field(default=None, metadata=longest(30))
    inventory_asset_account_code: AccountCode | None = None
    name: str | None = field(default=None, metadata=longest(50))
    is_sold: bool | None = None
    is_purchased: bool | None = None
    description: str | None = field(default=None, metadata=longest(4000))
    purchase_description: str | None = field(default=None, metadata=longest(4000))
    purchase_details: ItemDetails | None = None
    sales_details: ItemDetails | None = None
    is_tracked_as_inventory: bool | None = None
    total_cost_pool: Decimal | None = field(default=None, metadata=READ_ONLY)
    quantity_on_hand: Decimal | None = field(default=None, metadata=READ_ONLY)
    quantity_available: Decimal | None = field(default=None, metadata=READ_ONLY)
    quantity_on_back_order: Decimal | None = field(default=None, metadata=READ_ONLY)
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class TrackingOption(Quiet):
    """One value of a tracking category."""

    tracking_option_id: TrackingOptionId | None = None
    name: str | None = field(default=None, metadata=longest(100))
    status: TrackingStatus | None = None
    tracking_category_id: TrackingCategoryId | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class TrackingCategory(Quiet):
    """
    A dimension of the books beside the accounts; two may be in use (F 6.171).

    On a line of a manual journal it names one *option* of itself.
    """

    tracking_category_id: TrackingCategoryId | None = None
    tracking_option_id: TrackingOptionId | None = None
    name: str | None = field(default=None, metadata=longest(100))
    option: str | None = field(default=None, metadata=longest(100))
    status: TrackingStatus | None = None
    options: tuple[TrackingOption, ...] = ()
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class Currency(Quiet):
    """A currency the organisation keeps books in; once added it stays (F 6.172)."""

    code: str | None = None
    description: str | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class User(Quiet):
    """A person who may sign in to the organisation, with the role there (F 6.173)."""

    user_id: UserId | None = None
    email_address: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    is_subscriber: bool | None = None
    organisation_role: OrganisationRole | None = None
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class Connection(Quiet):
    """The app's access to one organisation: *connection_id* ends it, *tenant_id* addresses calls (F 1.32, 1.38)."""

    connection_id: ConnectionId
    tenant_id: TenantId
    tenant_type: str = "ORGANISATION"
    tenant_name: str | None = None
    created: datetime.datetime | None = None
    updated: datetime.datetime | None = None
