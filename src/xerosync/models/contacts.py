"""Customers and suppliers, and what belongs to them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from xerosync.models.base import (
    READ_ONLY,
    AccountCode,
    BrandingThemeId,
    ContactGroupId,
    ContactId,
    Quiet,
    Referred,
    Shape,
    longest,
    most,
    no_extra,
    without,
)
from xerosync.models.files import Attachment
from xerosync.models.words import AddressType, ContactGroupStatus, ContactStatus, PaymentTermType, PhoneType


@frozen(kw_only=True, repr=False)
class Address(Quiet):
    """A postal address. An organisation's may also be of type DELIVERY."""

    address_type: AddressType | None = None
    address_line1: str | None = field(default=None, metadata=longest(500))
    address_line2: str | None = field(default=None, metadata=longest(500))
    address_line3: str | None = field(default=None, metadata=longest(500))
    address_line4: str | None = field(default=None, metadata=longest(500))
    city: str | None = field(default=None, metadata=longest(255))
    region: str | None = field(default=None, metadata=longest(255))
    postal_code: str | None = field(default=None, metadata=longest(50))
    country: str | None = field(default=None, metadata=longest(50))
    attention_to: str | None = field(default=None, metadata=longest(255))
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class Phone(Quiet):
    """A telephone number, in its parts."""

    phone_type: PhoneType | None = None
    phone_number: str | None = field(default=None, metadata=longest(50))
    phone_area_code: str | None = field(default=None, metadata=longest(10))
    phone_country_code: str | None = field(default=None, metadata=longest(20))
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class PaymentTerm(Quiet):
    """When a bill or an invoice falls due: *day* days after, or on that day, as *type* says."""

    day: int | None = None
    type: PaymentTermType | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class PaymentTerms(Quiet):
    """The terms for bills and for sales."""

    bills: PaymentTerm | None = None
    sales: PaymentTerm | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class ContactPerson(Quiet):
    """One more person of a contact, besides the first: five at most."""

    first_name: str | None = None
    last_name: str | None = None
    email_address: str | None = None
    include_in_emails: bool | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class ContactTracking(Quiet):
    """A tracking option that new lines of the contact get."""

    tracking_category_name: str | None = None
    tracking_option_name: str | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class BatchPaymentDetails(Quiet):
    """How the bank file of a batch payment names the contact."""

    bank_account_number: str | None = None
    bank_account_name: str | None = None
    details: str | None = field(default=None, metadata=longest(18))
    code: str | None = field(default=None, metadata=longest(12))
    reference: str | None = field(default=None, metadata=longest(12))
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class Balance(Quiet):
    """What is open and what is overdue, in base currency."""

    outstanding: Decimal | None = None
    overdue: Decimal | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class Balances(Quiet):
    """What a contact owes, and is owed."""

    accounts_receivable: Balance | None = None
    accounts_payable: Balance | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class BrandingTheme(Quiet):
    """How documents look on paper."""

    branding_theme_id: BrandingThemeId | None = None
    name: str | None = None
    logo_url: str | None = None
    type: str | None = None
    sort_order: int | None = None
    created_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class Contact(Referred):
    """
    A customer or supplier. Names are unique among active contacts, whatever the letter case (F 6.23).

    A contact inside a listed document bears hardly more than id and name (F 4.11). *is_customer* and *is_supplier*
    follow from the documents; *website*, *discount* and *balances* come when one contact is asked for.
    """

    contact_id: ContactId | None = None
    merged_to_contact_id: ContactId | None = field(default=None, metadata=READ_ONLY)
    contact_number: str | None = field(default=None, metadata=longest(50))
    account_number: str | None = field(default=None, metadata=longest(50))
    contact_status: ContactStatus | None = None
    name: str | None = field(default=None, metadata={**longest(255), **without("<>")})
    first_name: str | None = field(default=None, metadata=longest(255))
    last_name: str | None = field(default=None, metadata=longest(255))
    company_number: str | None = field(default=None, metadata=longest(50))
    email_address: str | None = field(default=None, metadata=longest(255))
    contact_persons: tuple[ContactPerson, ...] = field(default=(), metadata=most(5))
    bank_account_details: str | None = None
    tax_number: str | None = field(default=None, metadata=longest(50))
    tax_number_type: str | None = None
    accounts_receivable_tax_type: str | None = None
    accounts_payable_tax_type: str | None = None
    addresses: tuple[Address, ...] = ()
    phones: tuple[Phone, ...] = ()
    is_supplier: bool | None = field(default=None, metadata=READ_ONLY)
    is_customer: bool | None = field(default=None, metadata=READ_ONLY)
    sales_default_line_amount_type: str | None = None
    purchases_default_line_amount_type: str | None = None
    default_currency: str | None = None
    xero_network_key: str | None = None
    sales_default_account_code: AccountCode | None = None
    purchases_default_account_code: AccountCode | None = None
    sales_tracking_categories: tuple[ContactTracking, ...] = ()
    purchases_tracking_categories: tuple[ContactTracking, ...] = ()
    tracking_category_name: str | None = None
    tracking_category_option: str | None = None
    payment_terms: PaymentTerms | None = None
    contact_groups: tuple[ContactGroup, ...] = field(default=(), metadata=READ_ONLY)
    website: str | None = field(default=None, metadata=READ_ONLY)
    branding_theme: BrandingTheme | None = None
    batch_payments: BatchPaymentDetails | None = None
    discount: Decimal | None = field(default=None, metadata=READ_ONLY)
    balances: Balances | None = field(default=None, metadata=READ_ONLY)
    attachments: tuple[Attachment, ...] = field(default=(), metadata=READ_ONLY)
    has_attachments: bool | None = field(default=None, metadata=READ_ONLY)
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class ContactGroup(Quiet):
    """A set of contacts with a name; a list leaves the contacts out."""

    contact_group_id: ContactGroupId | None = None
    name: str | None = None
    status: ContactGroupStatus | None = None
    contacts: tuple[Contact, ...] = field(default=(), metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)
