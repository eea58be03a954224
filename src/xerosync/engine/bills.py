"""The bills' side: its vendors, and papers that may be in Xero already, since numbers of bills repeat there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Final, cast

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Action, CreateContact, Pending, Ref
from xerosync.engine.bringing import LinkBill, link_bill, linked_documents, mapped_bill, mapped_credit
from xerosync.engine.duplicates import (
    BY_DAY,
    BY_NEAR_NUMBER,
    BY_NUMBER,
    DUPLICATE,
    Duplicates,
    Entered,
    Twin,
    entered_documents,
    may_be_one,
    number_of,
    plain_number,
)
from xerosync.engine.handled import BILL, RECEIPT, handled_ids
from xerosync.engine.intents import Intent
from xerosync.engine.left_alone import sum_of, unlike_what_was_typed
from xerosync.engine.mirror import CONTACTS, CREDIT_NOTES, INVOICES, refresh
from xerosync.engine.observed import all_links
from xerosync.engine.once import each_once, sifted
from xerosync.engine.pair_actions import ConnectVendor
from xerosync.engine.pairing import vendor_root
from xerosync.engine.paper_settings import BillSettings
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.respending import update_spends
from xerosync.engine.sides import PURCHASES
from xerosync.engine.submitting import Posted, Submitting, read_known, worth_of
from xerosync.engine.typed import TAKEN_OVER, Candidate, WhichOne
from xerosync.engine.updating import any_credits, update
from xerosync.engine.vendors import KnownVendors, Vendors, known_vendors, vendor_key
from xerosync.errors import InvalidInput
from xerosync.mapping.papers import Bill, check_names
from xerosync.mapping.spending import CardSpend, check_spend_names
from xerosync.matching.keys import MatchKey
from xerosync.models import Contact, CreditNote, Invoice
from xerosync.money import Money
from xerosync.texts import plain_id

_ANOTHER_PAPER: Final = "submit it with Duplicates.WARN if it is another paper"


@frozen(kw_only=True)
class KnownBills:
    """
    What is known in Xero besides the bills themselves: vendors, and documents *entered* that may be the same papers.

    *taken* are the ids of those that are known under any id of the host's, *kin* the contacts that may be a vendor's,
    too, by the vendor's key.
    """

    vendors: KnownVendors
    entered: Entered
    taken: Collection[str]
    duplicates: Duplicates
    kin: Mapping[str, Sequence[Contact]]


async def submit_bills(
    books: Books,
    bills: Iterable[Bill],
    settings: BillSettings,
    duplicates: Duplicates,
    match_by: Sequence[MatchKey],
    *,
    retry_refused: bool,
    chosen: Collection[str] = (),
) -> Plan:
    """
    Plan the contacts, bills and credit notes to create so that the books hold *bills*; the rest are findings.

    What was typed and is *chosen*, by its Xero id, is another one's.
    """
    listed = each_once(bills, "bill")
    outside = await handled_ids(books, BILL)
    listed, unfit = sifted([bill for bill in listed if bill.id not in outside], check_names, worth_of)
    await refresh(books, CONTACTS, INVOICES, CREDIT_NOTES)
    linked = {each.host_id: each for each in await linked_documents(books, [each.id for each in listed])}
    papers = await read_known(books, PURCHASES, listed, settings, linked=linked, retry_refused=retry_refused)
    vendors = await known_vendors(books, [bill.vendor for bill in listed], match_by)
    new = {vendor_key(bill.party) for bill in listed if papers.is_new(bill.id)}
    kin: dict[str, list[Contact]] = {}
    with suppress(InvalidInput):  # of the host's own keys: each bill says it when its contact is wanted
        kin = {each: vendors.may_be_of(each) for each in new}
    known = KnownBills(
        vendors=vendors,
        entered=await entered_documents(books, (one.contact_id or "" for each in kin.values() for one in each)),
        taken={*chosen, *(link["xero_id"] for link in await all_links(books, LinkBill.kind))},
        duplicates=duplicates,
        kin=kin,
    )
    submitting = _Bills(papers, settings, bills=known)
    submitting.submit(listed)
    return Plan(tenant=books.tenant, actions=tuple(submitting.actions), findings=(*unfit, *submitting.findings))


async def update_bills(
    books: Books,
    papers: Iterable[Bill | CardSpend],
    settings: BillSettings,
    match_by: Sequence[MatchKey],
    *,
    retry_refused: bool,
) -> Plan:
    """Plan what the documents of *papers* that were posted before lack of what the papers say now."""
    books = books.reading_once()
    listed = list(papers)
    if len({(isinstance(each, Bill), each.id) for each in listed}) != len(listed):
        raise InvalidInput("id", "give each bill and each receipt once, under an id of its own")
    no_bills, no_receipts = await handled_ids(books, BILL), await handled_ids(books, RECEIPT)
    inside = [each for each in listed if each.id not in (no_bills if isinstance(each, Bill) else no_receipts)]
    listed, unfit = sifted(inside, _check_names)
    bills = [each for each in listed if isinstance(each, Bill)]
    spends = [each for each in listed if isinstance(each, CardSpend)]
    await refresh(books, CONTACTS, INVOICES, *([CREDIT_NOTES] if any_credits(bills) else []))
    known = await known_vendors(books, [each.vendor for each in listed], match_by)
    vendors = Vendors(known, [], [], retry_refused=retry_refused)
    linked = {each.host_id: each for each in await linked_documents(books, [each.id for each in bills])}
    typed = await unlike_what_was_typed(books, [each for each in bills if each.id in linked], linked, settings)
    ours = [each for each in bills if each.id not in linked]
    changed, wrong = await update(books, PURCHASES, ours, settings, vendors, retry_refused=retry_refused)
    respent, not_respent = await update_spends(books, spends, settings, vendors, retry_refused=retry_refused)
    return Plan(
        tenant=books.tenant,
        actions=(*vendors.actions, *changed, *respent),
        findings=(*unfit, *vendors.findings, *typed, *wrong, *not_respent),
    )


def _check_names(paper: Bill | CardSpend) -> None:
    if isinstance(paper, Bill):
        check_names(paper)
    else:
        check_spend_names(paper)


@define(repr=False)
class _Bills(Submitting[Bill]):
    bills: KnownBills = field(kw_only=True)
    vendors: Vendors = field(init=False)
    linked_now: set[str] = field(factory=set[str])
    _numbers: set[tuple[str, str]] = field(factory=set[tuple[str, str]])
    _unsure: list[tuple[Bill, Posted, Ref, Sequence[Twin]]] = field(
        factory=list[tuple[Bill, Posted, Ref, "Sequence[Twin]"]]
    )
    """What may only be guessed to be another paper; it is decided on last, when that is perhaps taken for sure."""
    _planned: dict[tuple[Ref, str], list[tuple[str, Twin]]] = field(
        factory=lambda: defaultdict[tuple[Ref, str], list[tuple[str, Twin]]](list)
    )

    def __attrs_post_init__(self) -> None:
        retry = self.known.retry_refused
        self.vendors = Vendors(self.bills.vendors, self.actions, self.findings, retry_refused=retry)

    def contact(self, paper: Bill) -> Ref | None:
        """The vendor's contact, found or to be created."""
        contact = self.vendors.contact(paper.party)
        if contact is None:
            cause, fix = "its vendor's contact cannot be used", "see the finding on the vendor"
            self.find(paper, "vendor unclear", cause, fix, retry=True, root=vendor_root(vendor_key(paper.party)))
        return contact

    def submit(self, papers: Iterable[Bill]) -> None:
        """Decide on each of *papers*; no contact is created for those that are held back alone."""
        listed = list(papers)
        numbered = ((vendor_key(each.party), plain_number(each.number)) for each in listed)
        self._numbers |= {(vendor, number) for vendor, number in numbered if number}
        super().submit(listed)
        for paper, posted, contact, twins in self._unsure:
            more = self._decided(paper, posted, [each for each in twins if each.id not in self.linked_now])
            if more is not None:
                self.post(paper, posted, contact, more)
        needed = {need for each in self.actions for need in each.needs if not isinstance(each, ConnectVendor)}
        of_none = {each.itself for each in self.actions if isinstance(each, CreateContact)} - needed
        self.actions = [each for each in self.actions if of_none.isdisjoint((each.itself, *each.needs))]

    def without_contact(self, paper: Bill, posted: Posted) -> None:
        """What people typed may be it, whoever its vendor is."""
        twins = self._guesses(paper, posted, None, ())
        if twins and self.bills.duplicates is Duplicates.LINK:
            self._goes_on(paper, posted, twins)

    def allowed(self, paper: Bill, posted: Posted, contact: Ref) -> Mapping[str, str] | None:
        """What it is a duplicate of; None where it is linked to one, or held back, or to be decided on last."""
        twins = self._twins(paper, posted, contact)
        one = self._same_paper(paper, posted, twins)
        if one is None or one.alike == BY_DAY:
            guesses = self._guesses(paper, posted, contact, {each.id for each in twins})
            # The day and the total say less than the number, whoever's contact that was typed to.
            twins += guesses if one is None else (each for each in guesses if _has_number(each, paper.number))
        if twins and all(each.is_guess for each in twins):
            self._unsure.append((paper, posted, contact, twins))
            return None
        return self._decided(paper, posted, twins)

    def _decided(self, paper: Bill, posted: Posted, twins: Sequence[Twin]) -> Mapping[str, str] | None:
        if not twins:
            return {}
        if not self._goes_on(paper, posted, twins):
            return None
        first = twins[0]
        alike = {"alike_by": first.alike} if first.alike != BY_NUMBER else {}
        return {"duplicate_of": first.id, **alike, **({"alike_whose": first.whose} if first.whose else {})}

    def written_before(self, paper: Bill, intent: Intent) -> None:
        """Say again that it looked like another one."""
        if intent.facts.get("duplicate_of"):
            alike = intent.facts.get("alike_by", BY_NUMBER)
            twin = Twin(id=intent.facts["duplicate_of"], alike=alike, whose=intent.facts.get("alike_whose", ""))
            self.findings.append(_duplicate(paper, twin, "it was posted all the same"))

    def _goes_on(self, bill: Bill, posted: Posted, twins: Sequence[Twin]) -> bool:
        """Whether *bill* is posted although it looks like others; else it is linked to one, or held back."""
        twin = twins[0]
        match self.bills.duplicates:
            case Duplicates.WARN:
                self.findings.append(_duplicate(bill, twin, "it was posted all the same"))
                return True
            case Duplicates.LINK if (one := self._same_paper(bill, posted, twins)) is not None:
                self.linked_now.add(one.id)
                self.actions.append(_link(bill, one))
            case Duplicates.LINK:
                found = _duplicate(bill, twin, "it is held back, since nobody can say which it is")
                taken = {*self.bills.taken, *self.linked_now}
                self.findings.append(_with_candidates(found, bill, posted, twins, taken=taken))
            case Duplicates.STOP:
                self.findings.append(_duplicate(bill, twin, "it is held back"))
        return False

    def _same_paper(self, bill: Bill, posted: Posted, twins: Sequence[Twin]) -> Twin | None:
        """The one of *twins* that somebody typed, of the same total, and that no other bill is linked to."""
        document = twins[0].document if len(twins) == 1 else None
        if document is None or not twins[0].by_hand or twins[0].is_guess:
            return None
        if twins[0].alike == BY_NEAR_NUMBER or not may_be_one(bill.number, number_of(document)):
            return None
        is_free = twins[0].id not in self.bills.taken and twins[0].id not in self.linked_now
        of_one_kind = isinstance(document, Invoice) == isinstance(posted.document, Invoice)
        same = (document.total, document.currency_code) == (abs(posted.total.amount), posted.total.currency)
        return twins[0] if same and of_one_kind and is_free else None

    def _twins(self, bill: Bill, posted: Posted, contact: Ref) -> list[Twin]:
        """Documents of the same vendor that may be the same paper, in Xero or in this plan."""
        total = posted.total
        entered = (
            []
            if isinstance(contact, Pending)
            else self.bills.entered.twins(contact, bill.number, on=bill.on, total=total.amount, currency=total.currency)
        )
        plain = plain_number(bill.number)
        planned = self._planned[contact, plain] if plain else []
        entered = [evolve(each, is_anothers=True) if self._is_anothers(bill, each) else each for each in entered]
        entered = [each for each in entered if not (each.id in self.bills.taken and _is_told_apart(each, bill.number))]
        twins = [*entered, *(each if number == bill.number else _near(each) for number, each in planned)]
        planned.append((bill.number, Twin(id=bill.id)))
        return sorted(twins, key=lambda each: each.alike == BY_NEAR_NUMBER)

    def _is_anothers(self, bill: Bill, twin: Twin) -> bool:
        """Whether *twin*, which is alike for its day and amount, bears the number of another one of those given."""
        number = plain_number(number_of(twin.document))
        is_told_apart = twin.alike == BY_DAY and not _has_number(twin, bill.number)
        return is_told_apart and (vendor_key(bill.party), number) in self._numbers

    def _guesses(self, bill: Bill, posted: Posted, contact: Ref | None, met: Collection[str]) -> list[Twin]:
        """What people typed that may be the same paper all the same: days apart, or to another contact, or both."""
        entered, total = self.bills.entered, posted.total
        found: list[Twin] = []
        if contact is not None and not isinstance(contact, Pending):
            found += entered.days_apart(contact, bill.number, on=bill.on, total=total.amount, currency=total.currency)
        for one in self.bills.kin.get(vendor_key(bill.party), ()):
            if one.contact_id not in {None, contact}:
                found += entered.typed_to(one, bill.number, on=bill.on, total=total.amount, currency=total.currency)
        known = {*met, *self.bills.taken}
        return [each for each in found if each.id not in known]


def _is_told_apart(twin: Twin, number: str) -> bool:
    """Whether *twin* has but the day and the amount, and is another paper by its number."""
    return twin.alike == BY_DAY and (twin.is_anothers or not may_be_one(number, number_of(twin.document)))


def _has_number(twin: Twin, number: str) -> bool:
    plain = plain_number(number)
    return bool(plain) and plain_number(number_of(twin.document)) == plain


def _near(twin: Twin) -> Twin:
    return evolve(twin, alike=BY_NEAR_NUMBER)


def _link(bill: Bill, typed: Twin) -> LinkBill:
    """The link that takes what somebody *typed* for *bill*."""
    document = typed.document
    known = mapped_credit(document) if isinstance(document, CreditNote) else mapped_bill(cast(Invoice, document))
    link = link_bill(bill.id, known, typed.stamp, reason=f"typed in Xero, the same {typed.alike}")
    return evolve(link, facts={**link.facts, "paper": sum_of(bill)})


def _with_candidates(
    found: Finding, bill: Bill, posted: Posted, twins: Sequence[Twin], *, taken: Collection[str]
) -> WhichOne:
    """*found*, with the documents that people typed and that *bill* may be; those *taken* are another one's."""
    documents = [(each, each.document) for each in twins if each.by_hand and each.document is not None]
    candidates = [
        Candidate(
            xero_id=_document_id(document),
            amount=Money(document.total or Decimal(0), document.currency_code or "XXX"),
            on=document.date,
            differs=(*_differs(bill, posted, twin, document), *([TAKEN_OVER] if twin.id in taken else [])),
        )
        for twin, document in documents
    ]
    is_open = any(TAKEN_OVER not in each.differs for each in candidates)
    fix = "choose it with backfill(chosen={id: its Xero id})" if is_open else "compare the two"
    return WhichOne(
        code=found.code,
        about=found.about,
        cause=found.cause,
        fix=f"{fix}, or {_ANOTHER_PAPER}",
        worth=found.worth,
        candidates=tuple(candidates),
    )


def _differs(bill: Bill, posted: Posted, twin: Twin, document: Invoice | CreditNote) -> Iterator[str]:
    if twin.whose:
        yield f"of {twin.whose}"
    if document.total != abs(posted.total.amount):
        yield "another total"
    if document.date != bill.on:
        yield "another day"
    if number_of(document) != bill.number:
        yield "another number"


def _document_id(document: Invoice | CreditNote) -> str:
    return (document.invoice_id if isinstance(document, Invoice) else document.credit_note_id) or ""


async def backfill_bills(
    books: Books,
    bills: Sequence[Bill],
    settings: BillSettings,
    match_by: Sequence[MatchKey],
    chosen: Mapping[str, str],
) -> tuple[list[Action], list[Finding]]:
    """The links of *bills* to what people typed for them, and what a person must say; nothing is posted."""
    outside = await handled_ids(books, BILL)
    bills, unfit = sifted([each for each in bills if each.id not in outside], check_names, worth_of)
    answered = {each.id: each for each in bills if chosen.get(each.id)}
    unasked = [each for each in bills if each.id not in answered]
    picked = [plain_id(chosen[bill_id]) for bill_id in answered]
    plan = await submit_bills(books, unasked, settings, Duplicates.LINK, match_by, retry_refused=False, chosen=picked)
    links = [each for each in plan.of(LinkBill) if each.host_ref not in chosen]
    alike = {each.host_ref for each in plan.of(LinkBill)}
    actions: list[Action] = [*links]
    findings = unfit + [each for each in plan.findings if each.code == DUPLICATE]
    findings += (_no_answer(each) for each in unasked if each.id in chosen and each.id in alike)
    if not answered:
        return actions, findings
    linked = {link["host_id"]: link["xero_id"] for link in await all_links(books, LinkBill.kind)}
    taken = {*linked.values(), *(each.linked_id for each in links)}
    entered = await entered_documents(books)
    typed = {each.id: each for same in entered.by_day.values() for each in same}
    for bill_id, bill in answered.items():
        one = typed.get(plain_id(chosen[bill_id]))
        if bill_id in linked:
            continue
        if one is None or one.id in taken or isinstance(one.document, CreditNote) != (bill.total.amount < 0):
            cause = "what was chosen is no bill or credit note that people typed, or another bill's already"
            fix = "choose one of its candidates"
            findings.append(Finding(code="does not fit", about=bill_id, cause=cause, fix=fix, worth=bill.total))
        else:
            taken.add(one.id)
            actions.append(evolve(_link(bill, one), reason="typed in Xero before: chosen by a person"))
    return actions, findings


def _no_answer(bill: Bill) -> Finding:
    """The finding on a blank that was given for *bill*, which is kept nowhere: `submit` would link it all the same."""
    cause = "that it is none of those typed is kept for payments alone: submit() would link it to the one it looks like"
    return Finding(code="does not fit", about=bill.id, cause=cause, fix=_ANOTHER_PAPER, worth=bill.total)


def _duplicate(bill: Bill, twin: Twin, done: str) -> Finding:
    by_whom = ", entered by hand" if twin.is_guess or twin.alike == BY_DAY else ""
    whose = twin.whose or "the vendor"
    return Finding(
        code=DUPLICATE,
        about=bill.id,
        cause=f"{whose} has another document of this {twin.alike} in Xero{by_whom}; {done}",
        fix="compare the two, and void or submit accordingly",
        worth=bill.total,
    )
