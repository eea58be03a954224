"""Rules of tracking: two active categories, four in all; a line names its options by name or by id (F 6.171)."""

from __future__ import annotations

from typing import Final, TypeVar

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import TrackingCategory, TrackingOption
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid

_MOST_ACTIVE: Final = 2
_MOST: Final = 4
_LONGEST: Final = 100
_STATUSES: Final = ("ACTIVE", "ARCHIVED")
T = TypeVar("T", TrackingCategory, TrackingOption)


def create(books: Books, given: Given) -> TrackingCategory:
    """Create a tracking category, with the options that come with it. Raises `Invalid`."""
    there = [one for one in books.tracking_categories if one.status != "DELETED"]
    name = _name(given, there, "")
    if len(there) >= _MOST or sum(one.status == "ACTIVE" for one in there) >= _MOST_ACTIVE:
        raise Invalid("The maximum number of tracking categories has been reached")
    options: tuple[TrackingOption, ...] = ()
    for row in given.many("Options") or []:
        options = (*options, TrackingOption(books.draw(), _name(row, options, "")))
    return books.tracking_categories.put(TrackingCategory(books.draw(), name, options=options))


def update(books: Books, old: TrackingCategory, given: Given) -> TrackingCategory:
    """Rename or archive a category. Raises `Invalid`."""
    others = [one for one in books.tracking_categories if one.status != "DELETED"]
    return books.tracking_categories.put(_changed(given, old, others))


def delete(books: Books, old: TrackingCategory) -> TrackingCategory:
    """Delete a category; lines keep what they were tracked by."""
    return books.tracking_categories.put(evolve(old, status="DELETED"))


def add_option(books: Books, category: TrackingCategory, given: Given) -> TrackingOption:
    """Add an option. Raises `Invalid`."""
    option = TrackingOption(books.draw(), _name(given, category.options, ""))
    books.tracking_categories.put(evolve(category, options=(*category.options, option)))
    return option


def update_option(books: Books, category: TrackingCategory, old: TrackingOption, given: Given) -> TrackingOption:
    """Rename or archive an option. Raises `Invalid`."""
    return _put_option(books, category, _changed(given, old, category.options))


def delete_option(books: Books, category: TrackingCategory, old: TrackingOption) -> TrackingOption:
    """Delete an option."""
    return _put_option(books, category, evolve(old, status="DELETED"))


def _put_option(books: Books, category: TrackingCategory, option: TrackingOption) -> TrackingOption:
    options = tuple(option if one.id == option.id else one for one in category.options)
    books.tracking_categories.put(evolve(category, options=options))
    return option


def _changed(given: Given, old: T, others: list[T] | tuple[T, ...]) -> T:
    if old.status == "DELETED":
        raise Invalid("A deleted tracking category or option cannot be edited")
    name = _name(given, others, old.id) if given.has("Name") else old.name
    return evolve(old, name=name, status=given.choice("Status", _STATUSES) or old.status)


def _name(given: Given, others: list[T] | tuple[T, ...], own_id: str) -> str:
    name = " ".join(given.text("Name").split())
    if not name:
        raise Invalid("Name must be specified")
    if len(name) > _LONGEST:
        raise Invalid(f"Name must not be longer than {_LONGEST} characters")
    taken = (one for one in others if one.status != "DELETED" and one.id != own_id)
    if any(one.name.lower() == name.lower() for one in taken):
        raise Invalid("Please enter a unique Name.")
    return name


def tracked(books: Books, given: Given, warnings: list[str]) -> tuple[tuple[str, str], ...]:
    """
    The ids of category and option that the Tracking of a line names, two at most.

    One that is not there is refused, or dropped with a warning, as the switch says. Raises `Invalid`.
    """
    rows = given.many("Tracking") or []
    if len(rows) > _MOST_ACTIVE:
        raise Invalid("A line item can have at most two tracking categories")
    pairs: list[tuple[str, str]] = []
    for row in rows:
        found = _find(books, row)
        if found is not None:
            pairs.append(found)
            continue
        category = row.text("Name") or row.text("TrackingCategoryID")
        named = f"{category}: {row.text('Option') or row.text('TrackingOptionID')}"
        if books.switches.unknown_tracking_is_refused:
            raise Invalid(f"The tracking option '{named}' does not exist or is not active")
        warnings.append(f"The tracking option '{named}' has been removed as it is not recognised.")
    if len({category for category, _ in pairs}) != len(pairs):
        raise Invalid("A line item can have only one option of each tracking category")
    return tuple(pairs)


def _find(books: Books, row: Given) -> tuple[str, str] | None:
    category_id, name = row.id("TrackingCategoryID"), row.text("Name").strip().lower()
    option_id, option = row.id("TrackingOptionID"), row.text("Option").strip().lower()
    for category in books.tracking_categories:
        options = [one for one in category.options if one.status == "ACTIVE"]
        if option_id and (found := next((one for one in options if one.id == option_id), None)):
            return category.id, found.id
        named = category.id == category_id if category_id else category.name.lower() == name
        if named and category.status == "ACTIVE" and not option_id:
            chosen = next((one for one in options if one.name.lower() == option), None)
            return (category.id, chosen.id) if chosen is not None else None
    return None
