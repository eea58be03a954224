"""/Organisation."""

from __future__ import annotations

from typing import Final

from xerosync.simulator.entities import Organisation, instant
from xerosync.simulator.resources.call import Answer, Call
from xerosync.simulator.resources.route import SETTINGS, Route
from xerosync.simulator.rules import plans
from xerosync.simulator.wire import Row, bare_stamp, day


def get_one(call: Call) -> Answer:
    """GET /Organisation: the one row of the tenant (F 6.01)."""
    return Answer({"Organisations": [organisation_row(call.books.organisation)]})


def get_actions(call: Call) -> Answer:
    """GET /Organisation/Actions: what the plan of the organisation lets apps do (F 6.05)."""
    invoices = plans.may_invoice(call.books)
    allowed = dict.fromkeys(_ACTIONS, invoices) | {"UseMulticurrency": plans.may_use_currencies(call.books)}
    actions: list[Row] = [
        {"Name": name, "Status": "ALLOWED" if may else "NOT-ALLOWED"} for name, may in allowed.items()
    ]
    return Answer({"Actions": actions})


_ACTIONS = (
    "CreateApprovedInvoice", "CreateDraftInvoice", "CreateApprovedBill", "CreateDraftBill", "CreateInvoicePayment",
    "AttachFilesIntoInvoice", "CreateRepeatingInvoice", "CreateRepeatingBill", "CreateDraftPurchaseOrder",
    "CreateApprovedPurchaseOrder", "CreateDraftQuote", "CreateSentQuote",
)  # fmt: skip


def organisation_row(organisation: Organisation) -> Row:
    """The organisation; lock dates only when they are set (F 6.03)."""
    row: Row = {
        "Name": organisation.name,
        "LegalName": organisation.name,
        "PaysTax": True,
        "Version": organisation.version,
        "OrganisationType": "COMPANY",
        "BaseCurrency": organisation.currency,
        "CountryCode": organisation.country,
        "IsDemoCompany": True,
        "OrganisationStatus": "ACTIVE",
        "TaxNumber": "111-111-111",
        "FinancialYearEndDay": organisation.year_end_day,
        "FinancialYearEndMonth": organisation.year_end_month,
        "SalesTaxBasis": "PAYMENTS",
        "SalesTaxPeriod": "TWOMONTHS",
        "DefaultSalesTax": "Remember previous",
        "DefaultPurchasesTax": "Remember previous",
    }
    if organisation.period_lock is not None:
        row["PeriodLockDate"] = day(organisation.period_lock)
    if organisation.year_lock is not None:
        row["EndOfYearLockDate"] = day(organisation.year_lock)
    return row | {
        "CreatedDateUTC": bare_stamp(instant(organisation.created_ms)),
        "OrganisationEntityType": "COMPANY",
        "Timezone": organisation.timezone,
        "ShortCode": organisation.short_code,
        "OrganisationID": organisation.id,
        "Edition": "BUSINESS",
        "Class": organisation.plan,
        "Addresses": [_ADDRESS],
        "Phones": [{"PhoneType": "OFFICE", "PhoneNumber": "800 1234", "PhoneCountryCode": "64"}],
        "ExternalLinks": [],
        "PaymentTerms": dict[str, object](),
    }


_ADDRESS: Row = {
    "AddressType": "POBOX",
    "AddressLine1": "23 Main Street",
    "AddressLine2": "Central City",
    "City": "Marineville",
    "Region": "",
    "PostalCode": "1234",
    "Country": "",
    "AttentionTo": "",
}


ROUTES: Final = (
    Route(("organisations",), SETTINGS, SETTINGS, plain={"GET": get_one}),
    Route(("organisations", "actions"), SETTINGS, SETTINGS, plain={"GET": get_actions}),
)
