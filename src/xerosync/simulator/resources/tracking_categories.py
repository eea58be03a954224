"""/TrackingCategories and their options (F 6.171)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import TrackingCategory, TrackingOption
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value, read_order, read_where, sort_rows
from xerosync.simulator.refusals import NotThere
from xerosync.simulator.resources.call import Answer, Call, echo, no_id, only, write_each
from xerosync.simulator.resources.route import SETTINGS, Route
from xerosync.simulator.rules import tracking as rules
from xerosync.simulator.wire import Row

_getters: Final[dict[str, Callable[[TrackingCategory], Value]]] = {
    "trackingcategoryid": lambda one: Id(one.id),
    "name": lambda one: one.name,
    "status": lambda one: one.status,
}
_NAMES: Final = Names("TrackingCategory", _getters)


def get_many(call: Call) -> Answer:
    """GET /TrackingCategories: active ones, archived ones too with includeArchived (F 4.38)."""
    wanted = {"ACTIVE", "ARCHIVED"} if call.flag("includeArchived") else {"ACTIVE"}
    rows = [one for one in call.books.tracking_categories if one.status in wanted]
    if where := call.query.get("where", "").strip():
        rows = list(filter(read_where(where, _NAMES), rows))
    if order := call.query.get("order", "").strip():
        rows = sort_rows(rows, read_order(order, _NAMES))
    return Answer({"TrackingCategories": [category_row(one) for one in rows]})


def get_one(call: Call, key: str) -> Answer:
    """GET /TrackingCategories/{TrackingCategoryID}."""
    return Answer({"TrackingCategories": [category_row(_found(call.books, key))]})


def create(call: Call) -> Answer:
    """PUT /TrackingCategories."""
    return _write(call, lambda given: rules.create(call.books, given))


def update(call: Call, key: str) -> Answer:
    """POST /TrackingCategories/{TrackingCategoryID}."""
    old = _found(call.books, key)
    only(call.given("TrackingCategories"))
    return _write(call, lambda given: rules.update(call.books, old, given))


def delete(call: Call, key: str) -> Answer:
    """DELETE /TrackingCategories/{TrackingCategoryID}."""
    return Answer({"TrackingCategories": [category_row(rules.delete(call.books, _found(call.books, key)))]})


def create_options(call: Call, key: str) -> Answer:
    """PUT /TrackingCategories/{TrackingCategoryID}/Options."""
    category = _found(call.books, key)
    return _write_options(
        call, lambda given: rules.add_option(call.books, call.books.tracking_categories[category.id], given)
    )


def update_option(call: Call, key: str, option_key: str) -> Answer:
    """POST /TrackingCategories/{TrackingCategoryID}/Options/{TrackingOptionID}."""
    category = _found(call.books, key)
    option = _option(category, option_key)
    only(call.given("Options"))
    return _write_options(call, lambda given: rules.update_option(call.books, category, option, given))


def delete_option(call: Call, key: str, option_key: str) -> Answer:
    """DELETE /TrackingCategories/{TrackingCategoryID}/Options/{TrackingOptionID}."""
    category = _found(call.books, key)
    return Answer({"Options": [option_row(rules.delete_option(call.books, category, _option(category, option_key)))]})


def _write(call: Call, write: Callable[[Given], TrackingCategory]) -> Answer:
    return write_each(
        call,
        "TrackingCategories",
        call.given("TrackingCategories"),
        write=write,
        shown=category_row,
        failed=lambda given: no_id("TrackingCategoryID") | echo(given),
    )


def _write_options(call: Call, write: Callable[[Given], TrackingOption]) -> Answer:
    return write_each(
        call,
        "Options",
        call.given("Options"),
        write=write,
        shown=option_row,
        failed=lambda given: no_id("TrackingOptionID") | echo(given) | {"HasValidationErrors": True},
    )


def _found(books: Books, key: str) -> TrackingCategory:
    category = books.tracking_categories.get(key.lower())
    if category is None:
        raise NotThere
    return category


def _option(category: TrackingCategory, key: str) -> TrackingOption:
    option = next((one for one in category.options if one.id == key.lower()), None)
    if option is None:
        raise NotThere
    return option


def category_row(category: TrackingCategory) -> Row:
    """A category with its options, deleted ones left out."""
    return {
        "Name": category.name,
        "Status": category.status,
        "TrackingCategoryID": category.id,
        "Options": [option_row(one) for one in category.options if one.status != "DELETED"],
    }


def option_row(option: TrackingOption) -> Row:
    """One option, its status told four times over."""
    return {
        "TrackingOptionID": option.id,
        "Name": option.name,
        "Status": option.status,
        "HasValidationErrors": False,
        "IsDeleted": option.status == "DELETED",
        "IsArchived": option.status == "ARCHIVED",
        "IsActive": option.status == "ACTIVE",
    }


def tracking_rows(books: Books, pairs: tuple[tuple[str, str], ...], *, one: bool) -> list[Row]:
    """
    The tracking of a line, under the names its category and option bear today.

    A page shows no TrackingOptionID and an empty list of options instead (F 4.11).
    """
    rows: list[Row] = []
    for category_id, option_id in pairs:
        category = books.tracking_categories.get(category_id)
        option = next((part for part in category.options if part.id == option_id), None) if category else None
        if category is None or option is None:
            continue
        row: Row = {"Name": category.name, "Option": option.name, "TrackingCategoryID": category.id}
        row |= {"TrackingOptionID": option.id} if one else {"Options": list[Row]()}
        rows.append(row)
    return rows


ROUTES: Final = (
    Route(("trackingcategories",), SETTINGS, SETTINGS, plain={"GET": get_many, "PUT": create}),
    Route(
        ("trackingcategories", "{}"),
        SETTINGS,
        SETTINGS,
        by_id={"GET": get_one, "POST": update, "DELETE": delete},
    ),
    Route(("trackingcategories", "{}", "options"), SETTINGS, SETTINGS, by_id={"PUT": create_options}),
    Route(
        ("trackingcategories", "{}", "options", "{}"),
        SETTINGS,
        SETTINGS,
        by_two_ids={"POST": update_option, "DELETE": delete_option},
    ),
)
