"""Rules of invoices, bills and credit notes: their states, numbers, edits (F 6.50–6.77, 6.95–6.105)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from xerosync.simulator.books import Books
from xerosync.simulator.chart import DAY_RATES
from xerosync.simulator.entities import ZERO, Contact, Document, Line
from xerosync.simulator.given import Given, Json
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules import contacts, edits
from xerosync.simulator.rules.dates import refuse_locked, refuse_locked_edit
from xerosync.simulator.rules.lines import LineSetting, draft_all, sums
from xerosync.simulator.rules.plans import refuse_invoice

INVOICE_TYPES: Final = ("ACCREC", "ACCPAY")
CREDIT_NOTE_TYPES: Final = ("ACCRECCREDIT", "ACCPAYCREDIT")
STATUSES: Final = ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED")
LINE_AMOUNT_TYPES: Final = ("Exclusive", "Inclusive", "NoTax")
_SMALLEST_RATE: Final = Decimal("0.000001")
BRANDING_THEME: Final = "7889a0ac-262a-40e3-8a63-9a769b1a18af"


@frozen
class Kind:
    """The words and names that differ between invoices and credit notes."""

    noun: str
    id_name: str
    number_name: str
    types: tuple[str, ...]


INVOICE: Final = Kind("Invoice", "InvoiceID", "InvoiceNumber", INVOICE_TYPES)
BANK_TRANSACTION: Final = Kind("BankTransaction", "BankTransactionID", "", ())
MANUAL_JOURNAL: Final = Kind("ManualJournal", "ManualJournalID", "", ())
CREDIT_NOTE: Final = Kind("Credit Note", "CreditNoteID", "CreditNoteNumber", CREDIT_NOTE_TYPES)


@frozen
class Saved:
    """A document as it was written, and what Xero remarked without refusing (F 5.48)."""

    document: Document
    warnings: tuple[str, ...] = ()


@frozen
class Wish:
    """One request to write a document: what was *given*, for which *kind*, by which app, with how many unit places."""

    books: Books
    given: Given
    kind: Kind
    made_by: str
    unit_places: int = 2
    warnings: list[str] = field(factory=list[str])


def create(wish: Wish) -> Saved:
    """Create a document. Raises `Invalid`."""
    given, books = wish.given, wish.books
    kind = _type(wish)
    status = _first_status(wish)
    if wish.kind is CREDIT_NOTE and given.many("Allocations"):
        raise Invalid("A credit note cannot be created and allocated in one call")  # F 6.99
    contact = _contact(wish)
    on = given.day("Date") or books.today()
    refuse_locked(books, on)
    line_amount_types = given.choice("LineAmountTypes", LINE_AMOUNT_TYPES) or "Exclusive"
    currency, rate = currency_and_rate(books, given)
    document = Document(
        id=books.draw(),
        type=kind,
        number="",
        contact_id=contact.id,
        date=on,
        status=status,
        line_amount_types=line_amount_types,
        lines=_lines(wish, contact, kind, status, line_amount_types),
        currency=currency,
        rate=rate,
        sub_total=ZERO,
        total_tax=ZERO,
        total=ZERO,
        updated_ms=0,
        branding_theme=given.id("BrandingThemeID") or (BRANDING_THEME if kind.startswith("ACCREC") else ""),
        made_by=wish.made_by,
    )
    document = _with_texts(wish, evolve(document, due_date=given.day("DueDate")))
    document = evolve(document, number=_new_number(wish, kind))
    return _finish(wish, _with_sums(document))


def update(wish: Wish, old: Document) -> Saved:
    """Change *old* by what was given. Raises `Invalid`."""
    given, books = wish.given, wish.books
    status = edits.next_status(wish.kind.noun, old, given.text("Status").strip().upper())
    if status in {"VOIDED", "DELETED"} and status != old.status:
        refuse_locked_edit(books, old.date)
        return Saved(books.documents.put(evolve(old, status=status, updated_ms=books.write_stamp())))
    if old.status == "PAID" or old.paid or old.credited:
        return _edit_paid(wish, old)
    refuse_locked_edit(books, old.date)
    on = given.day("Date") or old.date
    if on != old.date:
        refuse_locked(books, on)
    types = given.choice("LineAmountTypes", LINE_AMOUNT_TYPES) or old.line_amount_types
    approves = status == "AUTHORISED" and old.status != "AUTHORISED"
    contact = _contact(wish) if given.has("Contact") else books.contacts[old.contact_id]
    lines = old.lines
    if given.has("LineItems") or approves or types != old.line_amount_types:
        lines = _lines(wish, contact, old.type, status, types, old=old)
    currency, rate = changed_currency(books, given, old.currency, old.rate)
    document = evolve(
        old,
        date=on,
        status=status,
        contact_id=contact.id,
        line_amount_types=types,
        lines=lines,
        due_date=given.day("DueDate") or old.due_date,
        currency=currency,
        rate=rate,
    )
    return _finish(wish, _with_sums(_with_texts(wish, _renumbered(wish, document))))


def settle(books: Books, document: Document, *, paid: Decimal, credited: Decimal, stamp: int) -> Document:
    """*document* after *paid* and *credited* have become what is applied to it: PAID or open again (F 6.75, 6.122)."""
    changed = evolve(document, paid=paid, credited=credited, updated_ms=stamp)
    if changed.amount_due == 0:
        days = [payment.date for payment in books.payments_of(document.id)]
        days += [allocation.date for allocation in books.allocations_of(document.id)]
        changed = evolve(changed, status="PAID", fully_paid_on=max(days, default=document.date))
    else:
        changed = evolve(changed, status="AUTHORISED", fully_paid_on=None)
    return books.documents.put(changed)


def _type(wish: Wish) -> str:
    kind = wish.given.text("Type").strip().upper()
    if kind not in wish.kind.types:
        raise Invalid(f"{wish.kind.noun} not of valid type for creation")
    return kind


def _first_status(wish: Wish) -> str:
    status = wish.given.text("Status").strip().upper() or "DRAFT"
    if status not in {"DRAFT", "SUBMITTED", "AUTHORISED"}:
        raise Invalid(f"{wish.kind.noun} not of valid status for creation")
    if status == "AUTHORISED" and wish.made_by and wish.books.switches.approvals_are_submitted:
        return "SUBMITTED"
    return status


def _contact(wish: Wish) -> Contact:
    contact = wish.given.one("Contact")
    if contact is None or not contact.names:
        raise Invalid("A Contact must be specified for this type of transaction")
    return contacts.for_document(wish.books, contact)


def day_rate(books: Books, currency: str) -> Decimal:
    """Units of *currency* per unit of the base currency, of every day alike: no source of ours can give the day's."""
    base_currency = books.organisation.currency
    if currency == base_currency:
        return Decimal(1)
    rate = DAY_RATES.get(currency, Decimal(1)) / DAY_RATES.get(base_currency, Decimal(1))
    return rate.quantize(_SMALLEST_RATE)


def currency_and_rate(books: Books, given: Given) -> tuple[str, Decimal]:
    """The currency a document is *given* in, and its rate: that of the day if none is (F 6.69). Raises `Invalid`."""
    organisation = books.organisation
    currency = given.text("CurrencyCode").strip().upper() or organisation.currency
    if currency == organisation.currency:
        return currency, Decimal(1)
    if currency not in organisation.currencies:
        raise Invalid(f"Organisation is not subscribed to currency {currency}")
    rate = given.amount("CurrencyRate")
    if rate is None or rate < _SMALLEST_RATE:
        rate = day_rate(books, currency)
    return currency, rate.quantize(_SMALLEST_RATE)


def changed_currency(books: Books, given: Given, currency: str, rate: Decimal) -> tuple[str, Decimal]:
    """The currency and rate after an update: the rate alone may be *given*, and a code that stays keeps its rate."""
    wanted = given.text("CurrencyCode").strip().upper() or currency
    if wanted == currency and not given.amount("CurrencyRate"):
        return currency, rate
    fields: dict[str, Json] = {"CurrencyCode": wanted, "CurrencyRate": given.get("CurrencyRate")}
    return currency_and_rate(books, Given(fields))


def _lines(
    wish: Wish, contact: Contact, kind: str, status: str, types: str, *, old: Document | None = None
) -> tuple[Line, ...]:
    setting = LineSetting(
        books=wish.books,
        line_amount_types=types,
        strict=status == "AUTHORISED",
        discounts=kind == "ACCREC",
        new_types=old is not None and types != old.line_amount_types,
        contact_tax=_contact_tax(wish.books, contact, kind),
        sale=kind.startswith("ACCREC"),
        unit_places=wish.unit_places,
        warnings=wish.warnings,
    )
    rows = wish.given.many("LineItems")
    if rows is None and old is not None:
        rows = edits.unchanged(old.lines)
    if not rows:
        if old is not None and status == "DRAFT":
            return ()  # F 8.10: the classic trap, an update with the empty lines of an unpaged read
        raise Invalid("One or more line items must be specified")
    return draft_all(setting, rows, old.lines if old is not None else ())


def _contact_tax(books: Books, contact: Contact, kind: str) -> str:
    name = "AccountsReceivableTaxType" if kind.startswith("ACCREC") else "AccountsPayableTaxType"
    return dict(contact.texts).get(name, "").upper() if books.switches.contact_tax_applies else ""


def _with_texts(wish: Wish, document: Document) -> Document:
    given = wish.given
    url = given.text("Url") if given.has("Url") else document.url
    if url and not (urlsplit(url).scheme and urlsplit(url).netloc):
        raise Invalid("Url must be a valid absolute url")
    reference = document.reference
    if document.is_sale and given.has("Reference"):
        reference = given.text("Reference")
    sent = given.flag("SentToContact")
    if sent and document.status != "AUTHORISED":
        wish.warnings.append("Only AUTHORISED invoices may have SentToContact updated.")
        sent = None
    planned = given.day("ExpectedPaymentDate" if document.is_sale else "PlannedPaymentDate")
    return evolve(
        document,
        url=url,
        reference=reference,
        sent_to_contact=document.sent_to_contact if sent is None else sent,
        planned_date=planned or document.planned_date,
        branding_theme=given.id("BrandingThemeID") or document.branding_theme,
    )


def _with_sums(document: Document) -> Document:
    found = sums(document.lines, document.line_amount_types)
    if found.total < 0:
        raise Invalid("The total of the document cannot be less than zero")
    return evolve(document, sub_total=found.sub_total, total_tax=found.total_tax, total=found.total)


def _new_number(wish: Wish, kind: str) -> str:
    number = wish.given.text(wish.kind.number_name).strip()
    if len(number) > 255:
        raise Invalid(f"{wish.kind.noun} # must not be longer than 255 characters.")
    if not kind.startswith("ACCREC"):
        return number
    if not number:
        return wish.books.next_number(credit_note=kind.endswith("CREDIT"))
    _refuse_taken(wish, kind, number, "")
    return number


def _renumbered(wish: Wish, document: Document) -> Document:
    number = wish.given.text(wish.kind.number_name).strip()
    if not number or number == document.number:
        return document
    if document.is_sale:
        _refuse_taken(wish, document.type, number, document.id)
    return evolve(document, number=number)


def _refuse_taken(wish: Wish, kind: str, number: str, own_id: str) -> None:
    free = {"never": set[str](), "deleted": {"DELETED"}, "voided": {"DELETED", "VOIDED"}}
    ended = free[wish.books.switches.number_free_after]
    for other in wish.books.documents.by("number", number.lower()):
        if other.id != own_id and other.type == kind and other.status not in ended:
            raise Invalid(f"{wish.kind.noun} # must be unique.")


def _edit_paid(wish: Wish, old: Document) -> Saved:
    """Change the few fields that may change once money is applied (F 6.66)."""
    edits.refuse_paid(wish.books, wish.kind.noun, wish.given, old)
    given = wish.given
    lines = edits.paid_lines(wish.books, given, old)
    changed = evolve(old, lines=lines, due_date=given.day("DueDate") or old.due_date)
    changed = _with_texts(wish, _renumbered(wish, changed))
    if given.has("Contact") and not old.credited:
        changed = evolve(changed, contact_id=_contact(wish).id)
    if evolve(changed, due_date=old.due_date, sent_to_contact=old.sent_to_contact) != old:
        refuse_locked_edit(wish.books, old.date)
        changed = evolve(changed, updated_ms=wish.books.write_stamp())  # F 4.23: those two alone move no stamp
    return Saved(wish.books.documents.put(changed), tuple(wish.warnings))


def _finish(wish: Wish, document: Document) -> Saved:
    books = wish.books
    if document.status == "AUTHORISED" and document.is_invoice and document.due_date is None:
        raise Invalid("DueDate cannot be empty")
    known = books.documents.get(document.id)
    approves = document.status == "AUTHORISED" and (known is None or not known.is_posted)
    refuse_invoice(books, document, approves=approves)
    document = evolve(document, updated_ms=books.write_stamp())
    if document.status == "AUTHORISED" and document.total == 0 and books.switches.zero_total_is_paid:
        document = evolve(document, status="PAID", fully_paid_on=document.date)
    books.documents.put(document)
    contacts.mark_traded(books, document)
    return Saved(document, tuple(wish.warnings))


def find(wish: Wish) -> Document | None:
    """
    The document that a POST means: by id, a sale also by its number (F 6.60), a bill by contact and number too.

    None when it means a new one. Raises `Invalid`.
    """
    given, books = wish.given, wish.books
    if document_id := given.id(wish.kind.id_name):
        found = books.documents.get(document_id)
        if found is None or found.type not in wish.kind.types:
            raise Invalid(f"An existing {wish.kind.noun} with the specified {wish.kind.id_name} could not be found")
        return found
    number = given.text(wish.kind.number_name).strip()
    kind = given.text("Type").strip().upper() or wish.kind.types[0]
    if not number or kind not in wish.kind.types:
        return None
    same = [one for one in books.documents.by("number", number.lower()) if one.type == kind]
    if kind.startswith("ACCREC"):
        return next(
            (one for one in reversed(same) if one.status not in {"VOIDED", "DELETED"}), same[-1] if same else None
        )
    contact = given.one("Contact")
    if not books.switches.post_matches_bills or contact is None:
        return None
    owner = contacts.resolve(books, contact)
    live = [one for one in same if one.status not in {"VOIDED", "DELETED"}]
    return next((one for one in live if owner is not None and one.contact_id == owner.id), None)
