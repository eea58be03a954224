"""/TaxRates: a list without pages or stamps; deleted rates are in it (A.10)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from xerosync.simulator.entities import TaxRate
from xerosync.simulator.query import Names, Value, read_order, read_where, sort_rows
from xerosync.simulator.resources.call import Answer, Call
from xerosync.simulator.resources.route import SETTINGS, Route
from xerosync.simulator.wire import Row


def _applies(kind: str) -> Callable[[TaxRate], Value]:
    return lambda rate: kind in rate.classes


_getters: Final[dict[str, Callable[[TaxRate], Value]]] = {
    "name": lambda rate: rate.name,
    "taxtype": lambda rate: rate.id,
    "status": lambda rate: rate.status,
    "effectiverate": lambda rate: rate.rate,
    "displaytaxrate": lambda rate: rate.rate,
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
        "DisplayTaxRate": percent,
        "EffectiveRate": percent,
        "Status": rate.status,
        "TaxComponents": [{"Name": rate.component, "Rate": percent, "IsCompound": False, "IsNonRecoverable": False}],
    }


ROUTES: Final = (Route(("taxrates",), SETTINGS, SETTINGS, plain={"GET": get_many}),)
