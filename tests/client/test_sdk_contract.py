"""Our models beside those of the official SDK, field by field: what is left out is listed here, with the reason."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import UnionType
from typing import Final, NewType, Protocol, Union, cast, get_args, get_origin, get_type_hints

import attrs
import pytest
from attrs import AttrsInstance
from tests.client.all_models import MODELS

from xerosync.client._wire.names import OURS, wire_name
from xerosync.models import OpenEnum

sdk = pytest.importorskip("xero_python.accounting.models", reason="the official SDK is a development dependency")

THEIR_NAMES: Final = {
    "Balance": "AccountsReceivable", "ContactTracking": "SalesTrackingCategory", "ItemDetails": "Purchase",
    "LineTracking": "LineItemTracking", "PaymentTerm": "Bill", "PaymentTerms": "PaymentTerm",
    "Report": "ReportWithRow", "ReportRow": "ReportRows", "TaxBreakdown": "TaxBreakdownComponent",
}  # fmt: skip
OUTCOME: Final = {"HasErrors", "HasValidationErrors", "StatusAttributeString", "ValidationErrors", "Warnings"}
"""The outcome of a write tells these, with all messages in order."""
DOUBLED: Final = {"DateString", "ExpiryDateString", "UpdatedDateUTCString"}
"""Another field of the same document says the same, typed."""
RETIRED: Final = {("Organisation", "APIKey")}
"""No organisation has had one since private apps ended."""
OF_OTHERS: Final = {("Address", "AddressForOrganisation"), ("Balance", "AccountsPayable"), ("ReportRow", "ReportRow")}
"""Two of theirs that one of ours covers."""
PLAIN: Final = {"str": str, "bool": bool, "int": int, "date[ms-format]": dt.date, "datetime[ms-format]": dt.datetime}
CODES: Final = {"CurrencyCode", "CountryCode", "TimeZone"}
"""Closed lists there; plain texts here, since Xero adds to them."""
THEIR_MISTAKES: Final = {("LineItem", "SalesTaxCodeId")}
"""An id that the specification calls a number with a point."""


LEFT_OUT: Final = {
    "The endpoint is not served: classic expenses are closed, employees have left the specification.":
        "Employee ExpenseClaim Receipt",
    "The endpoint is not served: for few apps or few countries, or of little use to a product that syncs.":
        "Budget BudgetBalance BudgetLine CISOrgSetting CISSetting ConversionBalances ConversionDate BalanceDetails "
        "ImportSummary ImportSummaryAccounts ImportSummaryObject ImportSummaryOrganisation InvoiceReminder Journal "
        "JournalLine PaymentService RepeatingInvoice Schedule Setup TenNinetyNineContact Report "
        "CISOrgSettings CISSettings Employees",
    "A method does it, and no value is left to hold.":
        "BankTransferDelete BankTransferDeleteByUrlParam BankTransfersDelete BatchPaymentDelete "
        "BatchPaymentDeleteByUrlParam PaymentDelete RequestEmpty OnlineInvoice",
    "An answer's frame: the outcome, the error or the iterator tells it.": "Element Error Pagination ValidationError",
}  # fmt: skip
"""Models of theirs that have none of ours, by the reason."""


class SdkModel(Protocol):
    """What a model of the SDK says of itself."""

    openapi_types: dict[str, str]
    attribute_map: dict[str, str]


def theirs(model: type[AttrsInstance]) -> dict[str, str]:
    """The SDK's fields for *model*, by Xero's names, with the types it gives them."""
    return fields_of(THEIR_NAMES.get(model.__name__, model.__name__))


def fields_of(name: str) -> dict[str, str]:
    """The fields of the SDK's model *name*, by Xero's names, with the types it gives them."""
    told = cast(SdkModel, getattr(sdk, name))
    return {told.attribute_map[name]: kind for name, kind in told.openapi_types.items()}


def ours(model: type[AttrsInstance]) -> dict[str, object]:
    """Our fields of *model*, by Xero's names, with their types."""
    hints = get_type_hints(model)
    return {wire_name(each): hints[each.name] for each in attrs.fields(model) if each.name not in OURS}


def agree(mine: object, kind: str) -> bool:
    """Whether a field typed *mine* holds what the SDK types as *kind*."""
    if get_origin(mine) is tuple:
        return kind.startswith("list[") and agree(get_args(mine)[0], kind[5:-1])
    if get_origin(mine) in {Union, UnionType}:
        return any(agree(part, kind) for part in get_args(mine) if part is not type(None))
    if isinstance(mine, NewType):
        return kind == "str"
    if isinstance(mine, type) and issubclass(mine, OpenEnum):
        return kind == "str" or kind in {mine.__name__, "QuoteStatusCodes"}
    if isinstance(mine, type) and attrs.has(mine):
        wanted = {THEIR_NAMES.get(mine.__name__, mine.__name__)} | {
            name for one, name in OF_OTHERS if one == mine.__name__
        }
        return kind in wanted
    return kind in CODES if mine is str and kind in CODES else mine is (Decimal if kind == "float" else PLAIN.get(kind))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_model_has_every_field_the_official_sdk_has(model: type[AttrsInstance]) -> None:
    left_out = OUTCOME | DOUBLED | {name for kind, name in RETIRED if kind == model.__name__}

    assert set(theirs(model)) - left_out == set(ours(model))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_field_is_of_the_kind_the_official_sdk_says(model: type[AttrsInstance]) -> None:
    told = theirs(model)
    differ = {name for name, mine in ours(model).items() if not agree(mine, told[name])}

    assert differ == {name for kind, name in THEIR_MISTAKES if kind == model.__name__}


@pytest.mark.parametrize(("mine", "name"), sorted(OF_OTHERS))
def test_a_model_that_covers_another_of_theirs_has_its_fields_too(mine: str, name: str) -> None:
    model = next(each for each in MODELS if each.__name__ == mine)
    held = ours(model)

    told = fields_of(name)

    assert set(told) <= set(held)
    assert [field for field in told if not agree(held[field], told[field])] == []


def test_every_model_of_the_sdk_is_ours_an_envelope_or_left_out_for_a_reason() -> None:
    named = {THEIR_NAMES.get(each.__name__, each.__name__) for each in MODELS} | {name for _, name in OF_OTHERS}
    theirs = {name for name, kind in vars(sdk).items() if isinstance(kind, type) and hasattr(kind, "openapi_types")}

    left_out = {name for names in LEFT_OUT.values() for name in names.split()}

    assert theirs - named - left_out == {name for name in theirs if is_envelope(name)} - left_out
    assert left_out <= theirs
    assert not left_out & named
    assert len(theirs) > 120


def is_envelope(name: str) -> bool:
    """Whether *name* holds nothing but the rows of a list."""
    kinds = [kind for field, kind in fields_of(name).items() if field not in {"pagination", "Warnings"}]
    return len(kinds) == 1 and kinds[0].startswith("list[") and name.endswith("s")
