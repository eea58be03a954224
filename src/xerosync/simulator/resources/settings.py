"""/Currencies, /Users and /BrandingThemes: what an organisation is set up with (F 6.172, 6.173, 6.178)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import evolve

from xerosync.simulator.chart import CURRENCIES
from xerosync.simulator.entities import User
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value, read_order, read_where, sort_rows
from xerosync.simulator.refusals import Invalid, NotThere
from xerosync.simulator.resources.call import Answer, Call, echo, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import SETTINGS, Route
from xerosync.simulator.rules.documents import BRANDING_THEME
from xerosync.simulator.rules.plans import refuse_currencies
from xerosync.simulator.wire import Row, stamp

_currencies: Final[dict[str, Callable[[str], Value]]] = {
    "code": lambda code: code,
    "description": lambda code: CURRENCIES.get(code, code),
}
_CURRENCY_NAMES: Final = Names("Currency", _currencies)
_users: Final[dict[str, Callable[[User], Value]]] = {
    "userid": lambda user: Id(user.id),
    "emailaddress": lambda user: user.email,
    "firstname": lambda user: user.first_name,
    "lastname": lambda user: user.last_name,
    "organisationrole": lambda user: user.role,
    "issubscriber": lambda user: user.is_subscriber,
    "updateddateutc": lambda user: user.updated.replace(tzinfo=None),
}
_USERS: Final = Listing("Users", Names("User", _users), paged=False)


def get_currencies(call: Call) -> Answer:
    """GET /Currencies: those subscribed to."""
    codes = list(call.books.organisation.currencies)
    if where := call.query.get("where", "").strip():
        codes = list(filter(read_where(where, _CURRENCY_NAMES), codes))
    if order := call.query.get("order", "").strip():
        codes = sort_rows(codes, read_order(order, _CURRENCY_NAMES))
    return Answer({"Currencies": [_currency_row(code) for code in codes]})


def add_currencies(call: Call) -> Answer:
    """PUT /Currencies: subscribes; nothing takes a currency away again."""

    def write(given: Given) -> str:
        code = given.text("Code").strip().upper()
        if code not in CURRENCIES:
            raise Invalid(f"The currency code '{code}' is not valid")
        refuse_currencies(call.books)
        organisation = call.books.organisation
        several = tuple(dict.fromkeys((*organisation.currencies, code)))
        call.books.organisations.put(evolve(organisation, currencies=several))
        return code

    return write_each(call, "Currencies", call.given("Currencies"), write=write, shown=_currency_row, failed=echo)


def get_users(call: Call) -> Answer:
    """GET /Users."""
    return listed(call, _USERS, lambda: call.books.users, shown=_user_row, light=_user_row)


def get_user(call: Call, key: str) -> Answer:
    """GET /Users/{UserID}."""
    user = call.books.users.get(key.lower())
    if user is None:
        raise NotThere
    return Answer({"Users": [_user_row(user)]})


def get_branding_theme(call: Call, key: str) -> Answer:
    """GET /BrandingThemes/{BrandingThemeID}."""
    if key.lower() != BRANDING_THEME:
        raise NotThere
    return get_branding_themes(call)


def get_branding_themes(call: Call) -> Answer:
    """GET /BrandingThemes: the standard one."""
    created = stamp(call.books.organisation.created_ms)
    row: Row = {"BrandingThemeID": BRANDING_THEME, "Name": "Standard", "SortOrder": 0, "CreatedDateUTC": created}
    return Answer({"BrandingThemes": [row]})


def _currency_row(code: str) -> Row:
    return {"Code": code, "Description": CURRENCIES.get(code, code)}


def _user_row(user: User) -> Row:
    return {
        "UserID": user.id,
        "EmailAddress": user.email,
        "FirstName": user.first_name,
        "LastName": user.last_name,
        "UpdatedDateUTC": stamp(user.updated_ms),
        "IsSubscriber": user.is_subscriber,
        "OrganisationRole": user.role,
    }


ROUTES: Final = (
    Route(("currencies",), SETTINGS, SETTINGS, plain={"GET": get_currencies, "PUT": add_currencies}),
    Route(("users",), SETTINGS, SETTINGS, plain={"GET": get_users}),
    Route(("users", "{}"), SETTINGS, SETTINGS, by_id={"GET": get_user}),
    Route(("brandingthemes",), SETTINGS, SETTINGS, plain={"GET": get_branding_themes}),
    Route(("brandingthemes", "{}"), SETTINGS, SETTINGS, by_id={"GET": get_branding_theme}),
)
