"""Whatever bookkeeper, vendor and host do: each fact of the host stands in Xero once, or in one finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.conftest import BANK, DAY, found_product, nzd

from xerosync import (
    Bill,
    BillFile,
    BillLine,
    BillPayment,
    BillSettings,
    CardSpend,
    Duplicates,
    Finding,
    LinkBill,
    LinkSpend,
    MatchStatus,
    Payables,
    Plan,
    Tokens,
    UpdateBill,
    Vendor,
)
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode
from xerosync.simulator import Document, Fault
from xerosync.simulator.entities import BankTransaction
from xerosync.simulator.given import Json

VENDORS = ("Paper Ltd", "PAPER  ltd", "Tape")
TOLD = (*VENDORS, Vendor(name="Tape", tax_number="1"), Vendor(name="Tapes", tax_number="1"), Vendor(name="tapes"))
"""Vendors as bills tell of them: Tape and Tapes may be one, and only a person can say so."""
AMOUNTS = st.integers(-3000, 6000).filter(bool).map(lambda cents: Decimal(cents) / 100)
PICKS = st.integers(0, 20)


class Payings(RuleBasedStateMachine):
    """One host with a few vendors; what Xero would refuse a bookkeeper does nothing."""

    @initialize(duplicates=st.sampled_from(list(Duplicates)))
    def begin(self, duplicates: Duplicates) -> None:
        self.product = found_product()
        self.books = self.product.books
        settings_ = BillSettings(duplicates=duplicates)
        self.xero = self.product.xero()
        self.purchases = Payables(self.xero, payment_account=BANK, bills=settings_)
        self.receipts: list[CardSpend] = []
        self.linked: set[str] = set()
        self.files: list[BillFile] = []
        self.bills: list[Bill] = []
        self.payments: list[BillPayment] = []
        self.open_here: dict[str, Decimal] = {}
        self.edited: set[str] = set()
        self.batch = True

    @rule(vendor=st.sampled_from(TOLD), amount=AMOUNTS, number=st.integers(1, 6), day=st.integers(0, 3))
    def host_submits(self, vendor: str | Vendor, amount: Decimal, number: int, day: int) -> None:
        line = BillLine(description="paper", amount=nzd(amount), account=AccountCode("429"))
        name = f"b{len(self.bills)}"
        self.bills.append(Bill(id=name, vendor=vendor, number=str(number), on=DAY + timedelta(day), lines=[line]))

    @rule(pick=PICKS, part=st.sampled_from([None, "0.01", "5.00"]), day=st.integers(5, 7))
    def host_pays(self, pick: int, part: str | None, day: int) -> None:
        if self.bills:
            paid = self.bills[pick % len(self.bills)].id
            amount = nzd(part) if part else None
            name = f"p{len(self.payments)}"
            self.payments.append(BillPayment(id=name, bill_id=paid, on=DAY + timedelta(day), amount=amount))

    @rule(pick=PICKS, cents=st.integers(1, 6000), number=st.integers(1, 6))
    def host_changes_a_bill(self, pick: int, cents: int, number: int) -> None:
        if self.bills:
            place = pick % len(self.bills)
            sign = -1 if self.bills[place].total.amount < 0 else 1
            line = BillLine(description="other", amount=nzd(Decimal(sign * cents) / 100), account=AccountCode("404"))
            self.bills[place] = evolve(self.bills[place], number=str(number), lines=[line])

    @rule(pick=PICKS, cents=st.none() | st.integers(1, 600), day=st.integers(5, 7))
    def host_gives_a_payment_again_changed(self, pick: int, cents: int | None, day: int) -> None:
        """Which is a finding, once it was posted, and posts nothing: so that the host takes it back."""
        if self.payments:
            place = pick % len(self.payments)
            before = self.payments[place]
            amount = before.amount if cents is None else nzd(Decimal(cents) / 100)
            self.payments[place] = evolve(before, amount=amount, on=DAY + timedelta(day))
            self._reach_the_end()
            if before.id in {each.about for each in self.purchases.pay(self.payments).findings}:
                self.payments[place] = before

    @rule(vendor=st.sampled_from(TOLD), amount=AMOUNTS, day=st.integers(0, 3))
    def host_spends_by_card(self, vendor: str | Vendor, amount: Decimal, day: int) -> None:
        line = BillLine(description="taxi", amount=nzd(amount), account=AccountCode("493"))
        name = f"s{len(self.receipts)}"
        on = DAY + timedelta(day)
        self.receipts.append(CardSpend(id=name, vendor=vendor, on=on, account=BANK, lines=[line], reference=name))

    @rule(pick=PICKS, cents=st.integers(1, 6000), day=st.integers(0, 3))
    def host_changes_a_receipt(self, pick: int, cents: int, day: int) -> None:
        if self.receipts:
            place = pick % len(self.receipts)
            sign = -1 if self.receipts[place].total.amount < 0 else 1
            line = BillLine(description="bus", amount=nzd(Decimal(sign * cents) / 100), account=AccountCode("404"))
            self.receipts[place] = evolve(self.receipts[place], on=DAY + timedelta(day), lines=[line])

    @rule(pick=PICKS)
    def host_withdraws_a_receipt(self, pick: int) -> None:
        if self.receipts:
            self._done(self.purchases.void([self.receipts[pick % len(self.receipts)].id]))

    @rule(pick=PICKS, page=st.integers(1, 3))
    def host_attaches_a_file(self, pick: int, page: int) -> None:
        papers = [*(each.id for each in self.bills), *(each.id for each in self.receipts)]
        if papers:
            name = papers[pick % len(papers)]
            file = BillFile(bill_id=name, name="scan.pdf", content=f"page {page}".encode())
            if file.content not in [each.content for each in self.files if each.bill_id == name]:
                self.files.append(file)

    @rule(by_host=st.booleans())
    def the_connection_ends_and_the_same_organisation_is_let_in_again(self, *, by_host: bool) -> None:
        if by_host:
            self.xero.disconnect()
        else:
            self.books.disconnect()
        given = self.product.simulator.consent(self.product.app, tenants=[self.books.tenant_id])
        ends = self.product.clock.now() + timedelta(seconds=given.expires_in)
        self.xero.connect(Tokens(given.access_token, given.refresh_token, ends))

    @rule(pick=PICKS)
    def host_withdraws_a_bill(self, pick: int) -> None:
        if self.bills:
            self._done(self.purchases.void([self.bills[pick % len(self.bills)].id]))

    @rule()
    def host_pays_singly_or_in_sums(self) -> None:
        self.batch = not self.batch

    @rule(pick=PICKS)
    def host_handles_one_outside(self, pick: int) -> None:
        if self.bills:
            self.purchases.apply(self.purchases.handle_outside([self.bills[pick % len(self.bills)].id]))

    @rule()
    def host_settles_credits(self) -> None:
        self._done(self.purchases.settle_credits())

    @rule()
    def host_brings_bills_back(self) -> None:
        plan = self.purchases.bring_back(bill_id=lambda bill: f"x{bill.xero_id}")
        for link in plan.of(LinkBill):
            self.open_here[link.linked_id] = link.bill.due.amount
        self.purchases.apply(plan)

    @rule(vendor=st.sampled_from(VENDORS), cents=st.integers(1, 5000), number=st.integers(1, 6))
    def bookkeeper_types_a_bill(self, vendor: str, cents: int, number: int) -> None:
        amount = Decimal(cents) / 100
        with suppress(InvalidInput):
            contact = self._contact(vendor)
            self.books.add_invoice(contact, type="ACCPAY", number=str(number), amount=amount, date=DAY, due=DAY)

    @rule(vendor=st.sampled_from(VENDORS), cents=st.integers(1, 5000), pick=PICKS)
    def bookkeeper_types_a_credit_and_sets_it_against_a_bill(self, vendor: str, cents: int, pick: int) -> None:
        name, amount = " ".join(vendor.split()).casefold(), Decimal(cents) / 100
        found = [each.id for each in self.books.contacts if each.name.casefold() == name and each.status == "ACTIVE"]
        if found:
            with suppress(InvalidInput):
                note = self.books.add_credit_note(found[0], type="ACCPAYCREDIT", amount=amount, date=DAY).id
                self._try(pick, lambda bill: self.books.allocate(note, invoice_id=bill.id, amount=amount / 2))

    @rule(pick=PICKS)
    def bookkeeper_types_money_like_a_receipt(self, pick: int) -> None:
        if self.receipts:
            like = self.receipts[pick % len(self.receipts)]
            total = like.total.amount
            with suppress(InvalidInput):
                contact = self._contact(like.party)
                kind = "SPEND" if total > 0 else "RECEIVE"
                self.books.add_bank_transaction(contact, type=kind, bank=BANK, amount=abs(total), date=like.on)

    @rule(pick=PICKS)
    def bookkeeper_removes_money_that_moved(self, pick: int) -> None:
        self._on_money(pick, self.books.remove_bank_transaction)

    @rule(pick=PICKS)
    def bookkeeper_reconciles_money_that_moved(self, pick: int) -> None:
        self._on_money(pick, self.books.reconcile_bank_transaction)

    @rule(pick=PICKS)
    def bookkeeper_archives_a_vendor(self, pick: int) -> None:
        active = [each for each in self.books.contacts if each.status == "ACTIVE"]
        if active:
            with suppress(InvalidInput):
                self.books.archive_contact(active[pick % len(active)].id)

    @rule(pick=PICKS, cents=st.integers(1, 5000))
    def bookkeeper_edits(self, pick: int, cents: int) -> None:
        self._try(pick, lambda bill: self.books.edit_invoice(bill.id, amount=Decimal(cents) / 100))

    @rule(pick=PICKS, number=st.integers(1, 6))
    def bookkeeper_gives_another_number(self, pick: int, number: int) -> None:
        self._try(pick, lambda bill: self.books.edit_invoice(bill.id, InvoiceNumber=f"N{number}"))

    @rule(pick=PICKS, day=st.integers(0, 9))
    def bookkeeper_gives_another_day(self, pick: int, day: int) -> None:
        on = (DAY + timedelta(day)).isoformat()
        self._try(pick, lambda bill: self.books.edit_invoice(bill.id, Date=on, DueDate=on))

    @rule(pick=PICKS)
    def bookkeeper_splits_the_lines(self, pick: int) -> None:
        def split(bill: Document) -> None:
            half = (bill.total / 2).quantize(Decimal("0.01"))
            parts: list[dict[str, Json]] = [
                {"Description": "half", "UnitAmount": each, "AccountCode": "429"} for each in (half, bill.total - half)
            ]
            self.books.edit_invoice(bill.id, LineAmountTypes="NoTax", lines=parts)

        self._try(pick, split)

    @rule(pick=PICKS)
    def bookkeeper_voids(self, pick: int) -> None:
        self._try(pick, lambda bill: self.books.void_invoice(bill.id))

    @rule(pick=PICKS)
    def bookkeeper_voids_a_credit_note(self, pick: int) -> None:
        notes = [each for each in self.books.credit_notes if each.is_posted]
        if notes:
            with suppress(InvalidInput):
                self.books.void_invoice(notes[pick % len(notes)].id)

    @rule(pick=PICKS)
    def bookkeeper_takes_an_allocation_back(self, pick: int) -> None:
        if self.books.allocations:
            with suppress(InvalidInput):
                self.books.remove_allocation(self.books.allocations[pick % len(self.books.allocations)].id)

    @rule(pick=PICKS, part=st.sampled_from([1, 50, 100]))
    def bookkeeper_pays(self, pick: int, part: int) -> None:
        def pay(bill: Document) -> object:
            amount = (bill.amount_due * part / 100).quantize(Decimal("0.01"))
            return self.books.add_payment(bill.id, account=BANK, amount=amount)

        self._try(pick, pay)

    @rule(pick=PICKS)
    def bookkeeper_removes_a_payment(self, pick: int) -> None:
        payments = self.product.live_payments()
        if payments:
            payment = payments[pick % len(payments)]
            with suppress(InvalidInput):
                if payment.batch_id:
                    self.books.remove_batch_payment(payment.batch_id)
                else:
                    self.books.remove_payment(payment.id)

    @rule(vendor=st.sampled_from(TOLD))
    def host_matches_a_vendor(self, vendor: str | Vendor) -> None:
        self._done(self.purchases.match([vendor], create_missing=True, retry_refused=True))

    @rule(name=st.sampled_from(["Tape", "Tapes", "Paper Ltd"]), pick=PICKS, moves=st.booleans())
    def a_person_chooses_the_contact_of_a_vendor(self, name: str, pick: int, moves: bool) -> None:
        if self.books.contacts:
            contact = self.books.contacts[pick % len(self.books.contacts)].id
            chosen = self.purchases.move_vendor if moves else self.purchases.link_vendor
            self._done(chosen(name, contact))

    @rule(name=st.sampled_from(["Tape", "Tapes", "Paper Ltd"]))
    def a_person_takes_a_vendor_apart(self, name: str) -> None:
        self._done(self.purchases.unlink_vendor(name))

    @rule(name=st.sampled_from(["Tape", "Tapes", "Paper Ltd"]))
    def a_person_creates_a_vendor(self, name: str) -> None:
        self._done(self.purchases.create_vendor(name))

    @rule(name=st.sampled_from(["Office", "Desk"]))
    def bookkeeper_enters_a_contact_with_a_tax_number(self, name: str) -> None:
        with suppress(InvalidInput):
            self.books.add_contact(name, TaxNumber="1")

    @rule()
    def bookkeeper_merges_the_vendors(self) -> None:
        active = [each for each in self.books.contacts if each.status == "ACTIVE"]
        if len(active) > 1:
            self.books.merge_contacts(active[1].id, into=active[0].id)

    @rule(days=st.integers(0, 6))
    def bookkeeper_closes_the_books(self, days: int) -> None:
        self.books.lock_period(DAY + timedelta(days))

    @rule()
    def bookkeeper_opens_the_books(self) -> None:
        self.books.lock_period(None)

    @rule()
    def an_answer_is_lost(self) -> None:
        self.product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT")
        self._reach_the_end()
        self.product.simulator.faults.clear()

    def _contact(self, vendor: str) -> str:
        """The contact of this name, entered by the bookkeeper where there is none."""
        name = " ".join(vendor.split())
        active = [each for each in self.books.contacts if each.status == "ACTIVE"]
        found = [each.id for each in active if each.name.casefold() == name.casefold()]
        return found[0] if found else self.books.add_contact(name).id

    def _on_money(self, pick: int, work: Callable[[str], object]) -> None:
        moved = self._moved()
        if moved:
            with suppress(InvalidInput):
                work(moved[pick % len(moved)].id)

    def _moved(self) -> list[BankTransaction]:
        return [each for each in self.books.bank_transactions if each.status != "DELETED"]

    def _try(self, pick: int, work: Callable[[Document], object]) -> None:
        bills = self.product.live_bills()
        if bills:
            bill = bills[pick % len(bills)]
            before = bill.lines
            with suppress(InvalidInput):
                work(bill)
            if self.books.invoice(bill.id).lines != before:
                self.edited.add(bill.id)

    def _done(self, plan: Plan) -> Plan:
        self.purchases.apply(plan)
        self.product.clock.advance(1)
        return plan

    def _reach_the_end(self) -> None:
        for _ in range(4):
            self.purchases.recover()
            plans = (
                self._done(self.purchases.submit(self.bills, retry_refused=True)),
                self._spend(),
                self._done(self.purchases.update([*self.bills, *self.receipts], retry_refused=True)),
                self._done(self.purchases.attach(self.files, retry_refused=True)),
                self._done(self.purchases.pay(self.payments, batch=self.batch, retry_refused=True)),
            )
            if not any(plans):
                break

    def _spend(self) -> Plan:
        plan = self._done(self.purchases.spend(self.receipts, retry_refused=True))
        self.linked |= {each.host_ref for each in plan.of(LinkSpend)}
        return plan

    @invariant()
    def the_books_balance(self) -> None:
        if hasattr(self, "product"):
            assert sum(each.balance for each in self.books.trial_balance(date(2027, 1, 1))) == 0

    @invariant()
    def each_fact_of_the_host_stands_once_or_is_explained(self) -> None:
        if not hasattr(self, "product"):
            return
        self._reach_the_end()
        submitted = self.purchases.submit(self.bills)
        paid = self.purchases.pay(self.payments, batch=self.batch)
        told = self._done(self.purchases.follow_bills())

        updated = self.purchases.update([*self.bills, *self.receipts])
        spent, attached = self.purchases.spend(self.receipts), self.purchases.attach(self.files)
        assert not submitted, [*submitted]
        assert not updated, [*updated]
        assert not spent, [*spent]
        assert not attached, [*attached]
        assert not paid, [*paid]
        assert not self.purchases.follow_bills()
        outside = {each.id for each in self.purchases.handled_outside()}
        self._bills_stand_once(submitted.findings, outside)
        self._nothing_is_passed_over(updated.findings, outside)
        self._totals_agree(submitted.findings, updated.findings)
        self._payments_stand_once(paid.findings, outside)
        self._each_vendor_is_told()
        self._the_host_knows_what_is_due(told)
        self._receipts_stand_once(spent.findings, updated.findings)
        self._files_hang_once(attached.findings)
        assert self.books.balance(self.books.account("800").id) == -self._owed()

    def _bills_stand_once(self, findings: tuple[Finding, ...], outside: set[str]) -> None:
        found = Counter(each.about for each in findings)
        standing = {each.id: each for each in self.purchases.posted(each.id for each in self.bills)}
        for bill in self.bills:
            assert found[bill.id] <= 1
            assert bill.id in standing or found[bill.id] == 1 or bill.id in outside
        xero_ids = [each.xero_id for each in standing.values()]
        assert len(set(xero_ids)) == len(xero_ids)
        marks = Counter(each.url for each in self.product.live_bills() if each.url)
        assert set(marks.values()) <= {1}

    def _nothing_is_passed_over(self, findings: tuple[Finding, ...], outside: set[str]) -> None:
        """What does not stand is a finding of an update, too; no bill is more than one."""
        found = Counter(each.about for each in findings)
        standing = {each.id for each in self.purchases.posted(each.id for each in self.bills)}
        for bill in self.bills:
            assert found[bill.id] <= 1
            assert bill.id in standing or found[bill.id] == 1 or bill.id in outside

    def _totals_agree(self, *told: tuple[Finding, ...]) -> None:
        """Of each bill and account: of those that nobody edited in Xero, and that nothing is to be said of."""
        found = {each.about for findings in told for each in findings}
        host: Counter[tuple[str, str]] = Counter()
        xero: Counter[tuple[str, str]] = Counter()
        for posted in self.purchases.posted(each.id for each in self.bills):
            (bill,) = [each for each in self.bills if each.id == posted.id]
            document = self.books.invoice(posted.xero_id)
            if posted.id in found or posted.xero_id in self.edited or not document.made_by:
                continue
            sign = -1 if document.is_credit_note else 1
            for line in bill.lines:
                host[posted.id, self.books.account(str(line.account)).id] += int(line.amount.amount * 100)
            for there in document.lines:
                xero[posted.id, there.account_id] += int(sign * (there.amount or 0) * 100)
        assert host == xero

    def _payments_stand_once(self, findings: tuple[Finding, ...], outside: set[str]) -> None:
        found = Counter(each.about for each in findings)
        assert set(found.values()) <= {1}
        for bill in self.purchases.posted(each.id for each in self.bills if each.id not in outside):
            meant = [each for each in self.payments if each.bill_id == bill.id and not found[each.id]]
            if bill.total.amount < 0:
                continue  # what came back for a credit is no payment of the host's
            wanted = Counter(each.amount.amount for each in meant if each.amount is not None)
            made = Counter(each.amount for each in self.books.payments_of(bill.xero_id) if each.made_by)
            assert wanted <= made
            assert (made - wanted).total() <= sum(each.amount is None for each in meant)

    def _receipts_stand_once(self, *told: tuple[Finding, ...]) -> None:
        """As the host says them now, unless there is a finding; one that was typed has no mark of the library's."""
        found = [Counter(each.about for each in findings) for findings in told]
        standing: dict[str, list[BankTransaction]] = {each.id: [] for each in self.receipts}
        for moved in self._moved():
            if " XS-" in moved.reference:
                standing[moved.reference.split(" ")[0]].append(moved)
        for receipt in self.receipts:
            assert all(each[receipt.id] <= 1 for each in found)
            said = any(each[receipt.id] for each in found)
            assert len(standing[receipt.id]) == 1 or (not standing[receipt.id] and (said or receipt.id in self.linked))
            for moved in standing[receipt.id]:
                sign = 1 if moved.type == "SPEND" else -1
                assert said or (sign * moved.total, moved.date) == (receipt.total.amount, receipt.on)

    def _files_hang_once(self, findings: tuple[Finding, ...]) -> None:
        """On whatever document they were given for, whose content no other file of it has."""
        contents: Counter[bytes] = Counter()
        documents = [each.id for each in (*self.books.invoices, *self.books.credit_notes)]
        for document_id in (*documents, *(each.id for each in self.books.bank_transactions)):
            hanging = [self.books.attachment_content(each.id) for each in self.books.attachments_of(document_id)]
            assert len(set(hanging)) == len(hanging)
            contents.update(hanging)
        assert sum(contents.values()) + len(findings) == len(self.files)

    def _the_host_knows_what_is_due(self, told: Plan) -> None:
        for action in told.of(UpdateBill):
            if action.linked_id in self.open_here:
                self.open_here[action.linked_id] = action.bill.due.amount
        ours = {each.document_id for each in self.books.payments if each.made_by}
        ours |= {each.invoice_id for each in self.books.allocations}
        for xero_id, due in self.open_here.items():
            bill = self.books.invoice(xero_id)
            now = bill.amount_due if bill.status == "AUTHORISED" else Decimal(0)
            assert due == now or xero_id in ours

    def _each_vendor_is_told(self) -> None:
        """Of those that are connected, the contact can be used; no two active contacts have one name."""
        for match in self.purchases.matches(("Paper Ltd", "Tape", "Tapes")):
            if match.status is MatchStatus.CONNECTED:
                assert [self.books.contact(each).status for each in match.contacts] == ["ACTIVE"]
        names = [each.name.casefold() for each in self.books.contacts if each.status == "ACTIVE"]
        assert len(set(names)) == len(names)

    def _owed(self) -> Decimal:
        bills = sum((each.amount_due for each in self.product.live_bills()), Decimal(0))
        notes = sum((each.amount_due for each in self.books.credit_notes if each.is_posted), Decimal(0))
        return bills - notes

    def teardown(self) -> None:
        if hasattr(self, "product"):
            self.product.simulator.close()


TestPayings = Payings.TestCase
TestPayings.settings = settings(max_examples=10, stateful_step_count=12)
