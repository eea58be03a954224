"""Reference data for the host: what is new, changed or gone in Xero since the host was last told (G16)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import ClassVar, Final, TypeVar

from attrs import AttrsInstance, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Link
from xerosync.engine.mirror import (
    ACCOUNTS,
    CONTACTS,
    CURRENCIES,
    INVOICES,
    ITEMS,
    TAX_RATES,
    TRACKING,
    Shelf,
    cursor_key,
    records,
    refresh,
    walk,
)
from xerosync.engine.observed import all_links
from xerosync.engine.plans import Finding, Plan
from xerosync.models import Account, Contact, Currency, InvoiceType, Item, TaxRate, TrackingCategory

T = TypeVar("T", bound=AttrsInstance)

_ACTIVE: Final = "ACTIVE"
_GONE: Final = "GONE"
_NO_RENAME: Final = frozenset({"supplier"})
"""What is referred to by its id, so that another name does no harm."""


class News(StrEnum):
    """What became of a value since the host was last told."""

    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"
    """Archived or deleted: documents that name it would be refused."""


@frozen(kw_only=True, repr=False)
class ReferenceValue:
    """
    Something documents may refer to. *resource* is account, tax rate, tracking option, item, currency or supplier.

    *code* is what a line names it by: an account's or item's code, a tax type, a currency; for a tracking option, the
    name of its category. *group* is the type of an account.
    """

    resource: str
    id: str
    code: str
    name: str
    group: str = ""

    def __repr__(self) -> str:
        return f"<ReferenceValue {self.resource} {self.id}>"


@frozen(kw_only=True, repr=False)
class UpdateReference(Link):
    """The host is to take over *value*; *before* is what it was told last. Once applied it is not told again."""

    kind: ClassVar[str] = "reference"
    value: ReferenceValue
    news: News
    before: ReferenceValue | None = None


async def import_reference(books: Books) -> Plan:
    """Plan what the host is to take over of accounts, taxes, tracking, items, currencies and suppliers."""
    await refresh(books, ACCOUNTS, TAX_RATES, TRACKING, ITEMS, CURRENCIES, CONTACTS)
    billed = await _billed(books)
    now = [
        *[value async for each in _each(books, ACCOUNTS, Account) for value in _account(each)],
        *[value async for each in _each(books, TAX_RATES, TaxRate) for value in _tax_rate(each)],
        *[value async for each in _each(books, TRACKING, TrackingCategory) for value in _options(each)],
        *[value async for each in _each(books, ITEMS, Item) for value in _item(each)],
        *[value async for each in _each(books, CURRENCIES, Currency) for value in _currency(each)],
        *[value async for each in _each(books, CONTACTS, Contact) for value in _supplier(each, billed)],
    ]
    actions, findings = decide_reference(now, await all_links(books, UpdateReference.kind))
    return Plan(tenant=books.tenant, actions=tuple(actions), findings=tuple(findings))


def decide_reference(
    now: Sequence[ReferenceValue], told: Sequence[Mapping[str, str]]
) -> tuple[list[UpdateReference], list[Finding]]:
    """What is *now* in Xero against what the host was *told*; a rename and what has gone are findings too."""
    before = {facts["host_id"]: _value(facts) for facts in told if facts["status"] != _GONE}
    there = {_key(value): value for value in now}
    actions = [
        *[_update(value, News.NEW, None) for key, value in there.items() if key not in before],
        *[
            _update(value, News.CHANGED, before[key])
            for key, value in there.items()
            if key in before and before[key] != value
        ],
        *[_update(value, News.GONE, value) for key, value in before.items() if key not in there],
    ]
    return actions, [finding for action in actions for finding in _findings(action)]


def _update(value: ReferenceValue, news: News, before: ReferenceValue | None) -> UpdateReference:
    facts = {"resource": value.resource, "code": value.code, "name": value.name, "group": value.group}
    return UpdateReference(
        host_ref=_key(value),
        reason=f"{news} in Xero: {value.resource}",
        facts={**facts, "status": _GONE if news is News.GONE else _ACTIVE},
        xero_id=value.id,
        value=value,
        news=news,
        before=before,
    )


def _findings(action: UpdateReference) -> Iterator[Finding]:
    value, before = action.value, action.before
    if action.news is News.GONE:
        yield Finding(
            code="gone in Xero",
            about=action.host_ref,
            cause=f"the {value.resource} was archived or deleted: documents that name it would be refused",
            fix="choose another in your rules and categories, or have it restored in Xero",
        )
    elif before is not None and value.resource not in _NO_RENAME and _named(before) != _named(value):
        yield Finding(
            code="renamed in Xero",
            about=action.host_ref,
            cause=f"the {value.resource} has another code or name: documents that name it as before may be refused",
            fix="take the new one over into your rules and categories: the plan has both",
        )


def _named(value: ReferenceValue) -> tuple[str, str]:
    return value.code, value.name


def _key(value: ReferenceValue) -> str:
    return f"{value.resource}/{value.id}"


def _value(facts: Mapping[str, str]) -> ReferenceValue:
    return ReferenceValue(
        resource=facts["resource"],
        id=facts["xero_id"],
        code=facts["code"],
        name=facts["name"],
        group=facts["group"],
    )


async def _each(books: Books, shelf: Shelf, kind: type[T]) -> AsyncIterator[T]:
    async for _, document in walk(books, shelf, kind):
        yield document


def _account(account: Account) -> Iterator[ReferenceValue]:
    if account.status == _ACTIVE:
        yield ReferenceValue(
            resource="account",
            id=account.account_id or "",
            code=account.code or "",
            name=account.name or "",
            group=account.type or "",
        )


def _tax_rate(rate: TaxRate) -> Iterator[ReferenceValue]:
    if rate.status == _ACTIVE:
        code = rate.tax_type or ""
        yield ReferenceValue(resource="tax rate", id=code, code=code, name=rate.name or "")


def _options(category: TrackingCategory) -> Iterator[ReferenceValue]:
    for option in category.options if category.status == _ACTIVE else ():
        if option.status in {None, _ACTIVE}:
            yield ReferenceValue(
                resource="tracking option",
                id=option.tracking_option_id or "",
                code=category.name or "",
                name=option.name or "",
            )


def _item(item: Item) -> Iterator[ReferenceValue]:
    yield ReferenceValue(resource="item", id=item.item_id or "", code=item.code or "", name=item.name or "")


def _currency(currency: Currency) -> Iterator[ReferenceValue]:
    code = currency.code or ""
    yield ReferenceValue(resource="currency", id=code, code=code, name=currency.description or "")


async def _billed(books: Books) -> frozenset[str]:
    """The contacts of all bills, where bills are read: by its first, a contact is a supplier unstamped (F 6.29)."""
    (is_read,) = await books.storage.get_many([cursor_key(books.tenant, INVOICES)])
    if is_read is None:
        return frozenset()
    await refresh(books, INVOICES)
    bills = records(books, INVOICES.kind, lookup=("type", InvoiceType.ACCPAY))
    return frozenset([dict(record.lookups).get("contact", "") async for record in bills])


def _supplier(contact: Contact, billed: Collection[str]) -> Iterator[ReferenceValue]:
    is_supplier = contact.is_supplier or contact.contact_id in billed
    if is_supplier and contact.contact_status == _ACTIVE:
        yield ReferenceValue(resource="supplier", id=contact.contact_id or "", code="", name=contact.name or "")
