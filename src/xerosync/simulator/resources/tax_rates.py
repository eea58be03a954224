"""/TaxRates: a list without pages or stamps; deleted rates are in it (F 6.167, A.10)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from xerosync.simulator.entities import TaxComponent, TaxRate
from xerosync.simulator.given import Given
from xerosync.simulator.query import Names, Value, read_order, read_where, sort_rows
from xerosync.simulator.refusals import NotThere
from xerosync.simulator.resources.call import Answer, Call, echo, write_each
from xerosync.simulator.resources.route import SETTINGS, Route
from xerosync.simulator.rules import taxes as rules
from xerosync.simulator.wire import Row


def _applies(kind: str) -> Callable[[TaxRate], Value]:
    return lambda rate: kind in rate.classes


def _displayed(rate: TaxRate) -> Decimal:
    return sum((part.rate for part in rate.components), start=Decimal(0)) if rate.components else rate.rate


_getters: Final[dict[str, Callable[[TaxRate], Value]]] = {
    "name": lambda rate: rate.name,
    "taxtype": lambda rate: rate.id,
    "status": lambda rate: rate.status,
    "effectiverate": lambda rate: rate.rate,
    "displaytaxrate": _displayed,
    "canapplytoassets": _applies("ASSET"),
    "canapplytoequity": _applies("EQUITY"),
    "canapplytoexpenses": _applies("EXPENSE"),
    "canapplytoliabilities": _applies("LIABILITY"),
    "canapplytorevenue": _applies("REVENUE"),
}
_NAMES: Final = Names("TaxRate", _getters)
_PLACES: Final = Decimal("0.0000")


def get_many(call: Call) -> Answer:
    """GET /TaxRates."""
    rates = sorted(call.books.tax_rates, key=lambda rate: rate.name)
    if where := call.query.get("where", "").strip():
        rates = list(filter(read_where(where, _NAMES), rates))
    if order := call.query.get("order", "").strip():
        rates = sort_rows(rates, read_order(order, _NAMES))
    return Answer({"TaxRates": [_row(rate) for rate in rates]})


def get_one(call: Call, key: str) -> Answer:
    """GET /TaxRates/{TaxType}."""
    rate = call.books.tax_rates.get(key.upper())
    if rate is None:
        raise NotThere
    return Answer({"TaxRates": [_row(rate)]})


def create(call: Call) -> Answer:
    """PUT /TaxRates: creates taxes TAX001 and so on."""
    return _write(call, lambda given: rules.create(call.books, given))


def update(call: Call) -> Answer:
    """POST /TaxRates: changes the one of the TaxType or Name, or deletes it by its Status."""
    return _write(call, lambda given: rules.update(call.books, given))


def _write(call: Call, write: Callable[[Given], TaxRate]) -> Answer:
    return write_each(call, "TaxRates", call.given("TaxRates"), write=write, shown=_row, failed=echo)


def _row(rate: TaxRate) -> Row:
    percent = rate.rate.quantize(_PLACES)
    return {
        "Name": rate.name,
        "TaxType": rate.id,
        "ReportTaxType": rate.report_type,
        "CanApplyToAssets": "ASSET" in rate.classes,
        "CanApplyToEquity": "EQUITY" in rate.classes,
        "CanApplyToExpenses": "EXPENSE" in rate.classes,
        "CanApplyToLiabilities": "LIABILITY" in rate.classes,
        "CanApplyToRevenue": "REVENUE" in rate.classes,
        "DisplayTaxRate": _displayed(rate).quantize(_PLACES),
        "EffectiveRate": percent,
        "Status": rate.status,
        "TaxComponents": [
            {
                "Name": part.name,
                "Rate": part.rate.quantize(_PLACES),
                "IsCompound": part.is_compound,
                "IsNonRecoverable": part.is_non_recoverable,
            }
            for part in rate.components or (TaxComponent("GST", rate.rate),)
        ],
    }


ROUTES: Final = (
    Route(("taxrates",), SETTINGS, SETTINGS, plain={"GET": get_many, "PUT": create, "POST": update}),
    Route(("taxrates", "{}"), SETTINGS, SETTINGS, by_id={"GET": get_one}),
)
