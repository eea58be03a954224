"""The story of a product that handles bills: accounts, vendors, bills, credit notes, payments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from attrs import frozen

from xerosync.arguments import arguments_checked
from xerosync.client._books import Books
from xerosync.client._driver import stepped
from xerosync.client.xero import AsyncXero, Xero
from xerosync.engine import (
    applying,
    attaching,
    backfilling,
    billable,
    bringing,
    categories,
    ended,
    handled,
    recovery,
    spending,
    voiding,
)
from xerosync.engine.actions import (
    Allocate,
    CreateBill,
    CreateCreditNote,
    Pending,
    Refund,
)
from xerosync.engine.attaching import BillFile
from xerosync.engine.billing import KnownCredits, OpenDocument, decide_credits
from xerosync.engine.bills import backfill_bills, submit_bills, update_bills
from xerosync.engine.bringing import BillInXero
from xerosync.engine.duplicates import Duplicates
from xerosync.engine.handled import HandledOutside
from xerosync.engine.intents import Intent
from xerosync.engine.mirror import ACCOUNTS, CREDIT_NOTES, GONE, INVOICES, refresh, walk
from xerosync.engine.noting import noted
from xerosync.engine.observed import (
    intents_of,
    intents_with,
    stamped,
)
from xerosync.engine.paper_actions import ChangeBill, ChangeCredit, ChangeSpend
from xerosync.engine.paper_settings import BillSettings
from xerosync.engine.paying import BILLS, BillPayment, fit_payments, pay, paying_account
from xerosync.engine.plans import Plan, Recovery, Report
from xerosync.engine.states import State
from xerosync.engine.typed import not_given
from xerosync.engine.vendors import ConnectingVendors, vendor_key
from xerosync.mapping.papers import Bill, check_vendor
from xerosync.mapping.spending import CardSpend
from xerosync.matching.keys import MATCH_KEYS, MatchKey, Vendor, as_vendor
from xerosync.matching.pairing import Match
from xerosync.models import Account, AccountStatus, CreditNote, Invoice
from xerosync.money import Money
from xerosync.tables import Listing

_SPENDING: Final = frozenset({"EXPENSE", "DIRECTCOSTS", "OVERHEADS"})


@frozen(kw_only=True)
class PostedBill:
    """A bill or credit note as Xero keeps it: the host's *id*, and the total read from Xero, negative for a credit."""

    id: str
    xero_id: str
    total: Money
    due: Money
    status: str


@arguments_checked
class AsyncPayables:
    """
    Bills and their payments in one organisation's books, awaited.

    *payment_account* is the code or id of the account that pays bills and takes suppliers' refunds. Nothing is written
    before an apply. A bill that looks like one already in Xero is posted with a finding, or held back when
    *hold_duplicates* is set. *match_by* are the keys that vendors are found by, in order; *bills* says how bills are
    coded, and what they are posted as.
    """

    def __init__(
        self,
        xero: AsyncXero,
        *,
        payment_account: str | None = None,
        hold_duplicates: bool = False,
        match_by: Iterable[MatchKey] = MATCH_KEYS,
        bills: BillSettings | None = None,
    ) -> None:
        self.books: Final[Books] = xero.books
        self._vendors: Final = ConnectingVendors(xero.books, match_by)
        self._settings: Final = bills or BillSettings()
        self._account: Final = payment_account
        self._duplicates: Final = Duplicates.STOP if hold_duplicates else self._settings.duplicates

    async def import_accounts(self) -> tuple[Account, ...]:
        """The active expense accounts, which the host offers as categories (G16), by code."""
        await refresh(self.books, ACCOUNTS)
        found = [account async for _, account in walk(self.books, ACCOUNTS, Account)]
        active = [each for each in found if each.status == AccountStatus.ACTIVE and (each.type or "") in _SPENDING]
        return tuple(sorted(active, key=lambda account: account.code or ""))

    async def import_reference(self) -> Plan:
        """
        What is new, changed or gone among accounts, tax rates, tracking options, items, currencies and suppliers.

        Each is an `UpdateReference`, told until the plan is applied. What was renamed or has gone is a finding too,
        before a document that names it is refused.
        """
        return await categories.import_reference(self.books)

    async def submit(self, bills: Iterable[Bill], *, retry_refused: bool = False) -> Plan:
        """
        Post *bills*, each once, by the host's id: a positive total as a bill, a negative one as a supplier's credit
        note.

        A vendor is found as by `match`, and created where no contact is; letter case and blanks make no other vendor
        (G4). One that nobody can tell is a finding, and its bills wait. What Xero refused before is a finding, and
        planned again only with *retry_refused*.
        """
        listed = list(bills)
        plan = await submit_bills(
            self.books, listed, self._settings, self._duplicates, self._vendors.keys, retry_refused=retry_refused
        )
        names = [Pending(kind, each.id) for each in listed for kind in (CreateBill.kind, CreateCreditNote.kind)]
        return await self._noted(plan, (await intents_of(self.books, names)).values(), retry_refused=retry_refused)

    async def update(self, bills: Iterable[Bill | CardSpend], *, retry_refused: bool = False) -> Plan:
        """
        Change the bills, credit notes and card receipts that were posted before to what *bills* say now; one that has
        not changed needs nothing.

        Where money stands on a bill, its number, due day, texts, accounts and tracking may change (F 6.66); all else is
        a finding then, and so is any change of a credit note that was set against bills or refunded, and of a receipt
        that is reconciled. What people approved in Xero stays approved.
        """
        plan = await update_bills(self.books, bills, self._settings, self._vendors.keys, retry_refused=retry_refused)
        written = await self._written(ChangeBill.kind, ChangeCredit.kind, ChangeSpend.kind)
        return await self._noted(plan, written, retry_refused=retry_refused)

    async def spend(self, spends: Iterable[CardSpend], *, retry_refused: bool = False) -> Plan:
        """
        Post card receipts, each once, by the host's id: a positive total as spend money, a refund as receive money.

        Vendors, rules and what Xero would refuse are as with `submit`. Money that somebody typed on the account, of the
        same vendor, day and amount, makes a receipt a possible duplicate, as with bills.
        """
        listed = list(spends)
        plan = await spending.spend(
            self.books, listed, self._settings, self._duplicates, self._vendors.keys, retry_refused=retry_refused
        )
        written = await intents_of(self.books, (spending.card_operation(each.id) for each in listed))
        return await self._noted(plan, written.values(), retry_refused=retry_refused)

    async def void(
        self,
        ids: Iterable[str],
        *,
        of: type[Bill | CardSpend] | None = None,
        retry_refused: bool = False,
    ) -> Plan:
        """
        Take back the bills, credit notes and card receipts of these host's ids: voided, or deleted where not approved.

        One that payments or credits stand on, that is reconciled, that lies in closed books, or that was entered in
        Xero, is a finding (F 6.53); so is an id that a bill and a receipt have, unless *of* says which is meant.
        """
        listed = list(ids)
        plan = await voiding.void(self.books, listed, of=of, retry_refused=retry_refused)
        written = await intents_of(self.books, (one for each in listed for one in ended.operations(each)))
        return await self._noted(plan, written.values(), retry_refused=retry_refused)

    async def attach(self, files: Iterable[BillFile], *, retry_refused: bool = False) -> Plan:
        """
        Attach files to documents that were posted, each once by its content, under a name that Xero takes.

        A file that a run was interrupted with is attached when it is given again. One of another kind than Xero takes,
        too large, or one too many is a finding (F 6.186).
        """
        return await attaching.attach(self.books, files, retry_refused=retry_refused)

    async def mark_billable(self, bills: Iterable[Bill | CardSpend], *, retry_refused: bool = False) -> Plan:
        """
        Mark the lines of *bills* that are ``billable_to`` a customer so in Xero, each once, after they were posted.

        The customers are those that `Receivables` connected; one that is not connected is a finding, and the bill waits
        for it. Give bills as they are now: what a line no longer says is taken off, unless it stands on an invoice to
        the customer already, which is a finding, as is what people decided otherwise in Xero (F 6.174).
        """
        return await billable.mark_billable(self.books, bills, self._settings, retry_refused=retry_refused)

    async def matches(self, vendors: Iterable[Vendor | str]) -> Listing[Match[Vendor]]:
        """
        How each of *vendors* stands towards the contacts in Xero: the list to review, before there are bills or since.

        Those that nothing was found for come with suggestions. Reads, changes nothing. Raises `InvalidInput` for a
        vendor given twice.
        """
        return await self._vendors.matches(map(as_vendor, vendors))

    async def match(
        self, vendors: Iterable[Vendor | str], *, create_missing: bool = False, retry_refused: bool = False
    ) -> Plan:
        """
        Pair *vendors* with the contacts that are known by the same keys, as `submit` does; the others become findings.

        A contact that was merged is followed to the one it was merged into (F 6.34). With *create_missing*, those that
        are not in Xero get a contact. Raises as `matches`.
        """
        return await self._vendors.match(
            map(as_vendor, vendors), create_missing=create_missing, retry_refused=retry_refused
        )

    async def create_vendor(self, vendor: Vendor | str, *, retry_refused: bool = False) -> Plan:
        """
        Create a contact for *vendor*, because a person said so: although one is archived, or looks alike.

        Raises `InvalidInput` for what can be no vendor.
        """
        return await self._vendors.create_contact(as_vendor(vendor), retry_refused=retry_refused)

    async def link_vendor(self, vendor: str, contact_id: str) -> Plan:
        """
        Connect the vendor of this name to the contact that a person chose, which may be another vendor's, too.

        What was posted before stays. Raises `InvalidInput` for what can be no vendor's name.
        """
        check_vendor(vendor)
        return await self._vendors.link(vendor_key(vendor), contact_id, move=False)

    async def move_vendor(self, vendor: str, contact_id: str) -> Plan:
        """Connect the vendor of this name to another contact than until now. Raises as `link_vendor`."""
        check_vendor(vendor)
        return await self._vendors.link(vendor_key(vendor), contact_id, move=True)

    async def unlink_vendor(self, vendor: str) -> Plan:
        """
        Take a vendor and its contact apart: its bills wait until `link_vendor` says whose they are. Those posted stay.

        Raises as `link_vendor`.
        """
        check_vendor(vendor)
        return await self._vendors.unlink(vendor_key(vendor))

    async def undo_links(self, report: Report) -> Plan:
        """Put vendors' links back to what they were before *report*; what has changed since is a finding."""
        return await self._vendors.undo(report)

    async def settle_credits(self, *, rates: Mapping[str, Decimal] | None = None, retry_refused: bool = False) -> Plan:
        """
        Set suppliers' credits against the same vendor's open bills, oldest first, and refund what is left.

        Those that were entered in Xero take part once they are linked to ids of the host's. *rates* are what refunds in
        other currencies than the payment account's came in at, by currency: units of it for one of the organisation's
        own (F 6.70). A refund without one is a finding.
        """
        account = (await paying_account(self.books, self._account)).account
        await refresh(self.books, INVOICES, CREDIT_NOTES)
        outside = await handled.handled_ids(self.books, handled.BILL)
        standing = [*await self._open(CreateBill.kind), *await self._open(CreateCreditNote.kind)]
        standing += [each for each in await bringing.linked_documents(self.books) if each.is_open]
        inside = [each for each in standing if each.host_id not in outside]
        done = await intents_with(self.books, lookup=("kind", Allocate.kind))
        done += await intents_with(self.books, lookup=("kind", Refund.kind))
        known = KnownCredits(
            tenant=self.books.tenant,
            bills=[each for each in inside if isinstance(each.document, Invoice)],
            credit_notes=[each for each in inside if isinstance(each.document, CreditNote)],
            intents={intent.key: intent for intent in done},
            account=account,
            base=(await self.books.organisation()).base_currency or "",
            rates=rates or {},
            retry_refused=retry_refused,
        )
        actions, findings = decide_credits(known)
        plan = Plan(tenant=self.books.tenant, actions=tuple(actions), findings=tuple(findings))
        return await self._noted(plan, done, retry_refused=retry_refused)

    async def pay(
        self,
        payments: Iterable[BillPayment],
        *,
        batch: bool = False,
        at_xeros_rate: bool = False,
        retry_refused: bool = False,
    ) -> Plan:
        """
        Post the host's *payments* of bills, each from its own account or the payment account; a bill with nothing due
        needs none.

        With *batch*, payments of one account and day move as one sum, which is one line on the bank's statement; those
        in another currency than the organisation's stay single (F 6.140).

        A payment of a bill in another currency than its account says what left the account, or the rate; with
        *at_xeros_rate* one that says neither goes at Xero's own, which may be some cents off the bank's.
        """
        outside = await handled.handled_ids(self.books, handled.BILL)
        paid_outside = await handled.handled_ids(self.books, handled.PAYMENT)
        inside = [each for each in payments if each.bill_id not in outside and each.id not in paid_outside]
        plan = await pay(
            self.books,
            BILLS,
            inside,
            self._bills,
            account=self._account,
            batch=batch,
            at_xeros_rate=at_xeros_rate,
            retry_refused=retry_refused,
        )
        written = await intents_of(self.books, (BILLS.operation(each.id) for each in inside))
        return await self._noted(plan, written.values(), retry_refused=retry_refused)

    async def backfill(
        self,
        bills: Iterable[Bill] = (),
        *,
        payments: Iterable[BillPayment] = (),
        since: date | None = None,
        chosen: Mapping[str, str] | None = None,
    ) -> Plan:
        """
        Take over what people typed in Xero of past *bills* and *payments*, those from the day *since*, not to post it.

        A bill or credit note is linked to the one typed of the same vendor, number or day, and total; a payment to the
        one typed on its bill of the same amount, day and account. What may be another, such as one typed days apart
        without a number, or to a contact of nearly the vendor's name, is a `WhichOne` with its candidates: answer in
        *chosen*, by your id, with the Xero id of the one it is, or for a payment with a blank that it is none. Payments
        are looked for on bills that are known: apply the plan of the bills first. Writes nothing to Xero; then `submit`
        and `pay` post the rest. Submit with ``Duplicates.LINK``, so that a bill that nobody has answered for is held
        back.
        """
        answers = chosen or {}
        given, settled = list(bills), list(payments)
        past = [each for each in given if since is None or each.on >= since]
        paid, unfit = fit_payments(each for each in settled if since is None or each.on >= since)
        slips = not_given(answers, {each.id for each in given} | {each.id for each in settled})
        books = self.books.reading_once()
        actions, findings = await backfill_bills(books, past, self._settings, self._vendors.keys, answers)
        if paid:
            known = {each.host_id: each for each in await self._bills([each.bill_id for each in paid])}
            found = await backfilling.backfill_payments(books, paid, known, self._account, answers)
            actions, findings = [*actions, *found.actions], [*findings, *found.findings]
        return Plan(tenant=books.tenant, actions=tuple(actions), findings=(*slips, *unfit, *findings))

    async def bring_back(
        self,
        chosen: Collection[str] | None = None,
        *,
        bill_id: Callable[[BillInXero], str] = bringing.xeros_id,
        lines: bool = False,
    ) -> Plan:
        """
        Link the open bills that people entered in Xero, all or those *chosen* by Xero's ids, so that `pay` knows them.

        Each action holds its bill, with its *lines* where they are asked for, which takes a call for every 80 bills
        or so. *bill_id* gives the host's id for it, Xero's unless given.
        """
        return await bringing.bring_back(self.books, chosen, bill_id, lines=lines)

    async def follow_bills(self) -> Plan:
        """
        What people did in Xero to the host's bills and credit notes, posted or brought back: paid, credited or voided
        them, gave them another contact, number, day or total, or removed a payment, a refund or an allocation.

        It takes two calls, a third where there are credit notes, one where a bill is another contact's, one more for
        every 1,000 documents that changed, and one for every 80 bills that are paid in part, whose due date Xero moves
        without a stamp (F 4.23). Change your own rows first, then apply: what is not applied is told again.
        """
        return await bringing.follow_bills(self.books, await handled.handled_ids(self.books, handled.BILL))

    async def handle_outside(
        self,
        bills: Iterable[str] = (),
        *,
        payments: Iterable[str] = (),
        receipts: Iterable[str] = (),
        note: str = "",
    ) -> Plan:
        """
        Remember that these *bills*, *payments* and card *receipts*, by the host's ids, were seen to outside: entered by
        hand, or waived.

        They are neither planned nor found again, until they are taken up. A *note* may say why, and by whom.
        """
        about = {handled.BILL: bills, handled.PAYMENT: payments, handled.RECEIPT: receipts}
        return await handled.handle(self.books, about, note=note, again=False)

    async def take_up_again(
        self, bills: Iterable[str] = (), *, payments: Iterable[str] = (), receipts: Iterable[str] = ()
    ) -> Plan:
        """See to these *bills*, *payments* and card *receipts* after all."""
        about = {handled.BILL: bills, handled.PAYMENT: payments, handled.RECEIPT: receipts}
        return await handled.handle(self.books, about, note="", again=True)

    async def handled_outside(self) -> Listing[HandledOutside]:
        """All that is handled outside, with the notes that were made."""
        return await handled.handled(self.books)

    async def posted(self, bill_ids: Iterable[str]) -> Listing[PostedBill]:
        """Those of the host's bills that stand in Xero, with their totals as Xero has them now."""
        listed = list(bill_ids)
        await refresh(self.books, INVOICES, CREDIT_NOTES)
        bills = await self._posted(CreateBill.kind, listed)
        bills += await bringing.linked_documents(self.books, listed)
        notes = await self._posted(CreateCreditNote.kind, listed)
        return Listing(_posted_bill(each) for each in [*bills, *notes] if each.document.status not in GONE)

    async def apply(self, plan: Plan) -> Report:
        """Do exactly what *plan* says; see `xerosync.engine.applying.apply`."""
        return await applying.apply(self.books, plan)

    async def recover(self) -> Recovery:
        """Close what an interrupted run left open, looking in Xero before anything is sent again."""
        return await recovery.recover(self.books)

    async def _noted(self, plan: Plan, written: Iterable[Intent], *, retry_refused: bool) -> Plan:
        """*plan* with the notes that are chosen."""
        return await noted(self.books, plan, self._settings.notes, written, retry_refused=retry_refused)

    async def _written(self, *kinds: str) -> list[Intent]:
        """All that was written of these *kinds*, where notes are kept of it."""
        if not self._settings.notes:
            return []
        return [each for kind in kinds for each in await intents_with(self.books, lookup=("kind", kind))]

    async def _bills(self, host_ids: Sequence[str]) -> list[OpenDocument]:
        """The bills of these host's ids that are in Xero and known, posted or linked."""
        linked = await bringing.linked_documents(self.books, host_ids)
        linked_bills = [each for each in linked if isinstance(each.document, Invoice)]
        return [*linked_bills, *await self._posted(CreateBill.kind, host_ids)]

    async def _posted(self, kind: str, host_ids: Sequence[str]) -> list[OpenDocument]:
        intents = await intents_of(self.books, (Pending(kind, each) for each in host_ids))
        return await self._documents(kind, list(intents.values()))

    async def _open(self, kind: str) -> list[OpenDocument]:
        documents = await self._documents(kind, await intents_with(self.books, lookup=("kind", kind)))
        return [each for each in documents if each.is_open]

    async def _documents(self, kind: str, intents: Sequence[Intent]) -> list[OpenDocument]:
        confirmed = {intent.xero_id: intent for intent in intents if intent.state is State.CONFIRMED and intent.xero_id}
        found: Mapping[str, tuple[Invoice | CreditNote, str]]
        if kind == CreateBill.kind:
            found = await stamped(self.books, INVOICES, Invoice, confirmed)
        else:
            found = await stamped(self.books, CREDIT_NOTES, CreditNote, confirmed)
        return [
            OpenDocument(host_id=confirmed[xero_id].operation.host_ref, document=document, stamp=stamp)
            for xero_id, (document, stamp) in found.items()
        ]


@arguments_checked
class Payables:
    """
    Bills and their payments in one organisation's books, in plain calls.

    *payment_account* is the code or id of the account that pays bills and takes suppliers' refunds. Nothing is written
    before an apply. A bill that looks like one already in Xero is posted with a finding, or held back when
    *hold_duplicates* is set. *match_by* are the keys that vendors are found by, in order; *bills* says how bills are
    coded, and what they are posted as.
    """

    def __init__(
        self,
        xero: Xero,
        *,
        payment_account: str | None = None,
        hold_duplicates: bool = False,
        match_by: Iterable[MatchKey] = MATCH_KEYS,
        bills: BillSettings | None = None,
    ) -> None:
        self._flows: Final = AsyncPayables(
            xero.asynchronous,
            payment_account=payment_account,
            hold_duplicates=hold_duplicates,
            match_by=match_by,
            bills=bills,
        )

    import_accounts: Final = stepped(AsyncPayables.import_accounts)
    import_reference: Final = stepped(AsyncPayables.import_reference)
    submit: Final = stepped(AsyncPayables.submit)
    update: Final = stepped(AsyncPayables.update)
    spend: Final = stepped(AsyncPayables.spend)
    void: Final = stepped(AsyncPayables.void)
    attach: Final = stepped(AsyncPayables.attach)
    mark_billable: Final = stepped(AsyncPayables.mark_billable)
    matches: Final = stepped(AsyncPayables.matches)
    match: Final = stepped(AsyncPayables.match)
    create_vendor: Final = stepped(AsyncPayables.create_vendor)
    link_vendor: Final = stepped(AsyncPayables.link_vendor)
    move_vendor: Final = stepped(AsyncPayables.move_vendor)
    unlink_vendor: Final = stepped(AsyncPayables.unlink_vendor)
    undo_links: Final = stepped(AsyncPayables.undo_links)
    settle_credits: Final = stepped(AsyncPayables.settle_credits)
    pay: Final = stepped(AsyncPayables.pay)
    backfill: Final = stepped(AsyncPayables.backfill)
    bring_back: Final = stepped(AsyncPayables.bring_back)
    follow_bills: Final = stepped(AsyncPayables.follow_bills)
    handle_outside: Final = stepped(AsyncPayables.handle_outside)
    take_up_again: Final = stepped(AsyncPayables.take_up_again)
    handled_outside: Final = stepped(AsyncPayables.handled_outside)
    posted: Final = stepped(AsyncPayables.posted)
    apply: Final = stepped(AsyncPayables.apply)
    recover: Final = stepped(AsyncPayables.recover)


def _posted_bill(each: OpenDocument) -> PostedBill:
    document = each.document
    currency = document.currency_code or "XXX"
    total = Money(document.total or Decimal(0), currency).rounded()
    if isinstance(document, Invoice):
        due = Money(document.amount_due or Decimal(0), currency).rounded()
        return PostedBill(
            id=each.host_id, xero_id=document.invoice_id or "", total=total, due=due, status=document.status or ""
        )
    left = Money(document.remaining_credit or Decimal(0), currency).rounded()
    return PostedBill(
        id=each.host_id, xero_id=document.credit_note_id or "", total=-total, due=-left, status=document.status or ""
    )
