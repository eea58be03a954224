"""/ContactGroups (F 6.41)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import ContactGroup
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value, read_order, read_where, sort_rows
from xerosync.simulator.refusals import Invalid, NotThere
from xerosync.simulator.resources import contacts
from xerosync.simulator.resources.call import Answer, Call, echo, no_id, only, write_each
from xerosync.simulator.resources.route import CONTACTS, Route
from xerosync.simulator.wire import Row

_MOST: Final = 100
_getters: Final[dict[str, Callable[[ContactGroup], Value]]] = {
    "contactgroupid": lambda one: Id(one.id),
    "name": lambda one: one.name,
    "status": lambda one: one.status,
}
_NAMES: Final = Names("ContactGroup", _getters)


def get_many(call: Call) -> Answer:
    """GET /ContactGroups: active ones, without their contacts."""
    rows = _active(call.books)
    if where := call.query.get("where", "").strip():
        rows = list(filter(read_where(where, _NAMES), rows))
    if order := call.query.get("order", "").strip():
        rows = sort_rows(rows, read_order(order, _NAMES))
    return Answer({"ContactGroups": [_row(one, []) for one in rows]})


def get_one(call: Call, key: str) -> Answer:
    """GET /ContactGroups/{ContactGroupID}, with its contacts."""
    group = _found(call.books, key)
    inside = [contacts.stub(call.books.contacts[contact_id]) for contact_id in group.contact_ids]
    return Answer({"ContactGroups": [_row(group, inside)]})


def create(call: Call) -> Answer:
    """PUT /ContactGroups."""

    def write(given: Given) -> ContactGroup:
        if len(_active(call.books)) >= _MOST:
            raise Invalid("You’ve reached the limit of 100 contact groups.")
        group = ContactGroup(call.books.draw(), _name(call.books, given, ""))
        return call.books.contact_groups.put(group)

    return _write(call, write)


def update(call: Call, key: str) -> Answer:
    """POST /ContactGroups/{ContactGroupID}: another name, or Status DELETED."""
    old = _found(call.books, key)
    only(call.given("ContactGroups"))

    def write(given: Given) -> ContactGroup:
        status = given.choice("Status", ("ACTIVE", "DELETED")) or old.status
        name = _name(call.books, given, old.id) if given.has("Name") else old.name
        return call.books.contact_groups.put(evolve(old, name=name, status=status))

    return _write(call, write)


def add_contacts(call: Call, key: str) -> Answer:
    """PUT /ContactGroups/{ContactGroupID}/Contacts."""
    group_id = _found(call.books, key).id

    def write(given: Given) -> str:
        contact = call.books.contacts.get(given.id("ContactID"))
        if contact is None or contact.status != "ACTIVE":
            raise Invalid("An existing Contact with the specified ContactID could not be found")
        group = call.books.contact_groups[group_id]
        ids = tuple(dict.fromkeys((*group.contact_ids, contact.id)))
        call.books.contact_groups.put(evolve(group, contact_ids=ids))
        return contact.id

    return write_each(
        call,
        "Contacts",
        call.given("Contacts"),
        write=write,
        shown=lambda contact_id: contacts.stub(call.books.contacts[contact_id]),
        failed=lambda given: echo(given) | {"HasValidationErrors": True},
    )


def remove_contacts(call: Call, key: str) -> Answer:
    """DELETE /ContactGroups/{ContactGroupID}/Contacts: 204 (F 5.32)."""
    call.books.contact_groups.put(evolve(_found(call.books, key), contact_ids=()))
    return Answer(None, 204)


def remove_contact(call: Call, key: str, contact_key: str) -> Answer:
    """DELETE /ContactGroups/{ContactGroupID}/Contacts/{ContactID}: 204."""
    group = _found(call.books, key)
    left = tuple(contact_id for contact_id in group.contact_ids if contact_id != contact_key.lower())
    if left == group.contact_ids:
        raise NotThere
    call.books.contact_groups.put(evolve(group, contact_ids=left))
    return Answer(None, 204)


def _write(call: Call, write: Callable[[Given], ContactGroup]) -> Answer:
    return write_each(
        call,
        "ContactGroups",
        call.given("ContactGroups"),
        write=write,
        shown=lambda group: _row(group, []),
        failed=_failed,
    )


def _failed(given: Given) -> Row:
    nobody: list[Row] = []
    return no_id("ContactGroupID") | echo(given) | {"Contacts": nobody, "HasValidationErrors": True}


def _active(books: Books) -> list[ContactGroup]:
    return [one for one in books.contact_groups if one.status == "ACTIVE"]


def _found(books: Books, key: str) -> ContactGroup:
    group = books.contact_groups.get(key.lower())
    if group is None:
        raise NotThere
    return group


def _name(books: Books, given: Given, own_id: str) -> str:
    name = " ".join(given.text("Name").split())
    if not name:
        raise Invalid("Name must be specified")
    if any(one.name.lower() == name.lower() and one.id != own_id for one in _active(books)):
        raise Invalid("A contact group with this name already exists")
    return name


def _row(group: ContactGroup, inside: list[Row]) -> Row:
    return {
        "ContactGroupID": group.id,
        "Name": group.name,
        "Status": group.status,
        "Contacts": inside,
        "HasValidationErrors": False,
    }


ROUTES: Final = (
    Route(("contactgroups",), CONTACTS, CONTACTS, plain={"GET": get_many, "PUT": create}),
    Route(("contactgroups", "{}"), CONTACTS, CONTACTS, by_id={"GET": get_one, "POST": update}),
    Route(
        ("contactgroups", "{}", "contacts"),
        CONTACTS,
        CONTACTS,
        by_id={"PUT": add_contacts, "DELETE": remove_contacts},
    ),
    Route(("contactgroups", "{}", "contacts", "{}"), CONTACTS, CONTACTS, by_two_ids={"DELETE": remove_contact}),
)
