"""/Contacts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Contact, Document, Phone, total
from xerosync.simulator.given import Given
from xerosync.simulator.query import Getter, Id, Names, Value
from xerosync.simulator.refusals import NotThere
from xerosync.simulator.resources.attachments import attached
from xerosync.simulator.resources.call import Answer, Call, echo, no_id, only, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import CONTACTS, Route
from xerosync.simulator.rules import contacts as rules
from xerosync.simulator.wire import Row, money, stamp

_SEARCHED: Final = ("FirstName", "LastName", "EmailAddress", "CompanyNumber")


def _text(name: str) -> Getter[Contact]:
    return lambda contact: dict(contact.texts).get(name)


_getters: Final[dict[str, Callable[[Contact], Value]]] = {
    "contactid": lambda contact: Id(contact.id),
    "name": lambda contact: contact.name,
    "contactnumber": lambda contact: contact.number or None,
    "contactstatus": lambda contact: contact.status,
    "iscustomer": lambda contact: contact.is_customer,
    "issupplier": lambda contact: contact.is_supplier,
    "updateddateutc": lambda contact: contact.updated.replace(tzinfo=None),
}
_getters.update({name.lower(): _text(name) for name in rules.TEXTS})
NAMES: Final = Names("Contact", _getters)
_LISTING: Final = Listing("Contacts", NAMES, paged=True)


def get_many(call: Call) -> Answer:
    """GET /Contacts."""
    books = call.books
    summary = call.flag("summaryOnly")
    return listed(
        call,
        _LISTING,
        lambda: _wanted(call),
        shown=lambda contact: summarised(books, contact) if summary else read_row(books, contact),
        light=lambda contact: read_row(books, contact, balances=False),
    )


def _wanted(call: Call) -> Iterable[Contact]:
    rows: Iterable[Contact] = call.books.contacts
    if ids := call.ids("IDs"):
        rows = [contact for contact in rows if contact.id in ids]
    if not call.flag("includeArchived"):
        rows = [contact for contact in rows if contact.status == "ACTIVE"]
    if term := call.query.get("searchterm", "").strip().lower():
        rows = [contact for contact in rows if _mentions(contact, term)]
    return rows


def get_one(call: Call, key: str) -> Answer:
    """GET /Contacts/{ContactID or ContactNumber} (F 6.37)."""
    contact = _found(call.books, key)
    row = read_row(call.books, contact)
    at = list(row).index("HasAttachments") + 1
    items = list(row.items())
    files = ("Attachments", attached(call.books, "Contacts", contact.id))
    return Answer({"Contacts": [dict([*items[:at], files, *items[at:]])]})


def create(call: Call) -> Answer:
    """PUT /Contacts."""
    return _write(call, lambda given: rules.save(call.books, given, create_only=True))


def save(call: Call) -> Answer:
    """POST /Contacts: creates, or updates the one that bears the id, number or name (F 6.24)."""
    return _write(call, lambda given: rules.save(call.books, given, create_only=False))


def update(call: Call, key: str) -> Answer:
    """POST /Contacts/{ContactID}."""
    contact = _found(call.books, key)
    only(call.given("Contacts"))
    return _write(call, lambda given: rules.update(call.books, contact, given))


def _write(call: Call, write: Callable[[Given], Contact]) -> Answer:
    return write_each(
        call,
        "Contacts",
        call.given("Contacts"),
        write=write,
        shown=lambda contact: written_row(call.books, contact),
        failed=_failed,
    )


def _found(books: Books, key: str) -> Contact:
    contact = books.contacts.get(key.lower())
    if contact is None:
        by_number = books.contacts.by("number", key.lower())
        contact = by_number[0] if by_number else None
    if contact is None:
        raise NotThere
    return contact


def _mentions(contact: Contact, term: str) -> bool:
    texts = dict(contact.texts)
    return any(
        term in text.lower() for text in (contact.name, contact.number, *(texts.get(name, "") for name in _SEARCHED))
    )


_FAILED: Final = (
    "ContactID", "ContactNumber", "ContactStatus", "Name", *rules.TEXTS, "Addresses", "Phones", "ContactGroups",
    "IsSupplier", "IsCustomer", "ContactPersons",
)  # fmt: skip


def _failed(given: Given) -> Row:
    row = no_id("ContactID") | {name: part for name, part in echo(given).items() if name != "ContactID"}
    lists: Row = {"Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": []}
    for name in ("Addresses", "Phones"):
        if isinstance(parts := given.get(name), list):
            row[name] = [echo(Given(part)) | {"ValidationErrors": []} for part in parts if isinstance(part, dict)]
    whole = lists | row
    ordered = [name for name in _FAILED if name in whole] + [name for name in whole if name not in _FAILED]
    return {name: whole[name] for name in ordered} | {"HasValidationErrors": True}


def stub(contact: Contact) -> Row:
    """A contact inside a listed document: hardly more than its id and name (F 4.11)."""
    return {
        "ContactID": contact.id,
        "Name": contact.name,
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def _head(contact: Contact, *always: str) -> Row:
    row: Row = {"ContactID": contact.id}
    if contact.number:
        row["ContactNumber"] = contact.number
    texts = dict(contact.texts)
    if "AccountNumber" in texts:
        row["AccountNumber"] = texts.pop("AccountNumber")
    row["ContactStatus"] = contact.status
    row["Name"] = contact.name
    row.update((name, texts.get(name, "")) for name in rules.TEXTS if texts.get(name) or name in always)
    return row


def _persons(contact: Contact) -> list[Row]:
    return [
        {
            "FirstName": person.first_name,
            "LastName": person.last_name,
            "EmailAddress": person.email,
            "IncludeInEmails": person.include_in_emails,
        }
        for person in contact.persons
    ]


def read_row(books: Books, contact: Contact, *, balances: bool = True) -> Row:
    """A contact as it is read, alone or in a list (A.08: the same keys)."""
    row = _head(contact)
    given = {address.type: dict(address.parts) for address in contact.addresses}
    row["Addresses"] = [{"AddressType": kind, **given.get(kind, {})} for kind in ("POBOX", "STREET")]
    phones = {phone.type: phone for phone in contact.phones}
    row["Phones"] = [_phone(phones[kind]) if kind in phones else {"PhoneType": kind} for kind in _READ_PHONES]
    row["UpdatedDateUTC"] = stamp(contact.updated_ms)
    row["ContactGroups"] = _groups(books, contact)
    row["IsSupplier"] = contact.is_supplier
    row["IsCustomer"] = contact.is_customer
    if contact.merged_to:
        row["MergedToContactID"] = contact.merged_to
    if balances and (owed := _balances(books, contact)):
        row["Balances"] = owed
    row["ContactPersons"] = _persons(contact)
    row["HasAttachments"] = books.has_attachments(contact.id)
    row["HasValidationErrors"] = False
    return row


def _groups(books: Books, contact: Contact) -> list[Row]:
    groups = (group for group in books.contact_groups.by("contact", contact.id) if group.status == "ACTIVE")
    return [
        {
            "ContactGroupID": group.id,
            "Name": group.name,
            "Status": group.status,
            "Contacts": [],
            "HasValidationErrors": False,
        }
        for group in groups
    ]


_READ_PHONES: Final = ("DDI", "DEFAULT", "FAX", "MOBILE")


def summarised(books: Books, contact: Contact) -> Row:
    """A contact under summaryOnly (F 4.15)."""
    return _head(contact) | {
        "Phones": list[Row](),
        "UpdatedDateUTC": stamp(contact.updated_ms),
        "HasAttachments": books.has_attachments(contact.id),
        "HasValidationErrors": False,
    }


def written_row(books: Books, contact: Contact, *, ahead_ms: int = 0) -> Row:
    """A contact in the reply to a write, and inside one document that is read, its stamp *ahead_ms* off (F 5.12a)."""
    row = _head(contact, "BankAccountDetails")
    given = {address.type: dict(address.parts) for address in contact.addresses}
    row["Addresses"] = [_whole_address(kind, given.get(kind, {})) for kind in rules.ADDRESS_TYPES]
    phones = {phone.type: phone for phone in contact.phones}
    row["Phones"] = [_phone(phones.get(kind, Phone(kind))) for kind in rules.PHONE_TYPES]
    row["UpdatedDateUTC"] = stamp(contact.updated_ms + ahead_ms)
    row["ContactGroups"] = _groups(books, contact)
    row["IsSupplier"] = contact.is_supplier
    row["IsCustomer"] = contact.is_customer
    row["SalesTrackingCategories"] = []
    row["PurchasesTrackingCategories"] = []
    row["ContactPersons"] = _persons(contact)
    row["HasValidationErrors"] = False
    return row


_ALWAYS_THERE: Final = frozenset({"City", "Region", "PostalCode", "Country"})


def _whole_address(kind: str, given: Mapping[str, str]) -> Row:
    names = (name for name in rules.ADDRESS_PARTS if name in given or name in _ALWAYS_THERE)
    return {"AddressType": kind, **{name: given.get(name, "") for name in names}}


def _phone(phone: Phone) -> Row:
    return {
        "PhoneType": phone.type,
        "PhoneNumber": phone.number,
        "PhoneAreaCode": phone.area,
        "PhoneCountryCode": phone.country,
    }


def _balances(books: Books, contact: Contact) -> Row | None:
    """What is outstanding and overdue, both ways; None when nothing is (F 6.35)."""
    open_ones = [one for one in books.documents.by("contact", contact.id) if one.status == "AUTHORISED"]
    if not open_ones:
        return None
    today = books.today()

    def side(*, sales: bool) -> Row:
        mine = [one for one in open_ones if one.is_sale == sales]
        late = [one for one in mine if one.due_date is not None and one.due_date < today]
        return {"Outstanding": money(total(map(_signed, mine))), "Overdue": money(total(map(_signed, late)))}

    return {"AccountsReceivable": side(sales=True), "AccountsPayable": side(sales=False)}


def _signed(document: Document) -> Decimal:
    return -document.amount_due if document.is_credit else document.amount_due


ROUTES: Final = (
    Route(
        ("contacts",),
        CONTACTS,
        CONTACTS,
        plain={"GET": get_many, "PUT": create, "POST": save},
    ),
    Route(("contacts", "{}"), CONTACTS, CONTACTS, by_id={"GET": get_one, "POST": update}),
)
