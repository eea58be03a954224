"""Card receipts: spend money, and receive money for refunds, each once by the host's id (row 85)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Adopt, MoveMoney, Pending, Ref
from xerosync.engine.coding import why
from xerosync.engine.duplicates import DUPLICATE, Duplicates, entered_money
from xerosync.engine.ended import gone_finding, withdrawn
from xerosync.engine.handled import RECEIPT, handled_ids
from xerosync.engine.intents import Intent, intent_key, tag_of
from xerosync.engine.mirror import ACCOUNTS, BANK_TRANSACTIONS, CONTACTS, GONE, refresh, walk
from xerosync.engine.observed import all_links, links_of, stamped, tagged
from xerosync.engine.once import each_once, sifted
from xerosync.engine.outcomes import contact_had_ended, finding_for
from xerosync.engine.paper_actions import CARD, LinkSpend, SpendOnCard
from xerosync.engine.paper_settings import BillSettings
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.preflight import faults, lock_fault
from xerosync.engine.reference import Reference, read_reference
from xerosync.engine.restoring import RESTORED, current_of
from xerosync.engine.rounding import expected_total
from xerosync.engine.states import OPEN, State
from xerosync.engine.vendors import Vendors, known_vendors, vendor_key
from xerosync.engine.written import all_changes, written_as
from xerosync.errors import InvalidInput
from xerosync.mapping.spending import CardSpend, check_spend_names, checked_spend, spend_document
from xerosync.matching.keys import MatchKey
from xerosync.models import Account, AccountId, AccountStatus, AccountType, BankTransaction, TenantId
from xerosync.money import Money, exactly
from xerosync.texts import plain_id


def card_operation(spend_id: str) -> Pending:
    """The operation of a card's receipt, as `SpendOnCard.itself` names it."""
    return Pending(MoveMoney.kind, f"{CARD}{spend_id}")


@frozen(kw_only=True)
class KnownSpends:
    """
    What is known when receipts are posted: accounts by code and id, intents by key, marks and documents in Xero.

    *anew* are those that were put back, of which the store knows nothing, by the key of what they took the place of.
    """

    accounts: Mapping[str, Account]
    intents: Mapping[str, Intent]
    tagged: Mapping[str, BankTransaction]
    anew: Mapping[str, Sequence[BankTransaction]]
    documents: Mapping[str, tuple[BankTransaction, str]]
    reference: Reference
    settings: BillSettings
    duplicates: Duplicates
    entered: Mapping[tuple[str, str, date | None, Decimal], Sequence[BankTransaction]]
    linked: Mapping[str, BankTransaction]
    taken: Collection[str]
    withdrawn: Collection[str]
    retry_refused: bool


async def spend(
    books: Books,
    spends: Iterable[CardSpend],
    settings: BillSettings,
    duplicates: Duplicates,
    match_by: Sequence[MatchKey],
    *,
    retry_refused: bool,
) -> Plan:
    """Plan the bank transactions that *spends* still lack."""
    books = books.reading_once()
    listed = each_once(spends, "receipt")
    outside = await handled_ids(books, RECEIPT)
    listed, unfit = sifted([each for each in listed if each.id not in outside], check_spend_names, worth_of_spend)
    await refresh(books, CONTACTS, ACCOUNTS, BANK_TRANSACTIONS)
    operations = [card_operation(each.id) for each in listed]
    created, changes = await current_of(books, operations), await all_changes(books)
    intents = {key: written_as(each, changes).as_one() for key, each in created.items()}
    keys = [intent_key(books.tenant, operation) for operation in operations]
    done = {each.operation.host_ref for each in intents.values() if each.state is State.CONFIRMED}
    new = [each for each in listed if f"{CARD}{each.id}" not in done]
    marked = await tagged(books, BANK_TRANSACTIONS, BankTransaction, [tag_of(key) for key in keys])
    forgotten = [each for each, key in zip(operations, keys, strict=True) if key not in intents]
    known = KnownSpends(
        accounts=await accounts_by_name(books),
        intents=intents,
        tagged=marked,
        anew=await _anew(books, forgotten, marked),
        documents=await stamped(
            books, BANK_TRANSACTIONS, BankTransaction, filter(None, (each.xero_id for each in intents.values()))
        ),
        reference=await read_reference(books, documents_of_spends(new, settings), settings.when_locked),
        settings=settings,
        duplicates=duplicates,
        entered=await entered_money(books),
        linked=await linked_spends(books, [each.id for each in listed]),
        taken={link["xero_id"] for link in await all_links(books, LinkSpend.kind)},
        withdrawn=await withdrawn(books, [each.removeprefix(CARD) for each in done]),
        retry_refused=retry_refused,
    )
    known_by = await known_vendors(books, [each.vendor for each in listed], match_by)
    vendors = Vendors(known_by, [], [], retry_refused=retry_refused)
    spending = _Spending(books.tenant, known, vendors)
    spending.run(listed)
    return Plan(
        tenant=books.tenant,
        actions=(*vendors.actions, *spending.actions),
        findings=(*unfit, *vendors.findings, *spending.findings),
    )


async def _anew(
    books: Books, forgotten: Iterable[Pending], marked: Mapping[str, BankTransaction]
) -> dict[str, list[BankTransaction]]:
    """What was put back of those *forgotten* whose *marked* documents are gone, in its order, by their keys."""
    found: dict[str, list[BankTransaction]] = {}
    last = {each: marked[tag] for each in forgotten if (tag := tag_of(intent_key(books.tenant, each))) in marked}
    while gone := [each for each, document in last.items() if document.status in GONE]:
        following = {evolve(each, revision=each.revision + 1): each for each in gone}
        tags = {each: tag_of(intent_key(books.tenant, each)) for each in following}
        met = await tagged(books, BANK_TRANSACTIONS, BankTransaction, tags.values())
        last = {each: met[tag] for each, tag in tags.items() if tag in met}
        for each, document in last.items():
            found.setdefault(intent_key(books.tenant, evolve(each, revision=1)), []).append(document)
    return found


async def linked_spends(books: Books, host_ids: Iterable[str]) -> dict[str, BankTransaction]:
    """The bank transactions entered in Xero that are known as card receipts under these *host_ids*."""
    links = await links_of(books, LinkSpend.kind, host_ids)
    found = await stamped(books, BANK_TRANSACTIONS, BankTransaction, (link["xero_id"] for link in links.values()))
    return {host_id: found[link["xero_id"]][0] for host_id, link in links.items() if link["xero_id"] in found}


async def accounts_by_name(books: Books) -> dict[str, Account]:
    """The chart of accounts, each by its code and by its id."""
    chart = [account async for _, account in walk(books, ACCOUNTS, Account)]
    return {name: each for each in chart for name in (each.code, each.account_id) if name}


def documents_of_spends(spends: Sequence[CardSpend], settings: BillSettings) -> list[BankTransaction]:
    """What those of *spends* become that can be posted: to see what they refer to."""
    documents: list[BankTransaction] = []
    for each in spends:
        with suppress(InvalidInput):
            documents.append(spend_document(coded_spend(checked_spend(each), settings)[0], AccountId("")))
    return documents


def coded_spend(spend: CardSpend, settings: BillSettings) -> tuple[CardSpend, str]:
    """*spend* with what its lines do not say, and why they got it."""
    coded = [settings.rules.code(spend.party, line) for line in spend.lines]
    return evolve(spend, lines=tuple(each.line for each in coded)), why(coded)


@define(repr=False)
class _Spending:
    tenant: TenantId
    known: KnownSpends
    vendors: Vendors
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])
    linked_now: set[str] = field(factory=set[str])

    @exactly
    def run(self, spends: Iterable[CardSpend]) -> None:
        """Decide on each of *spends*."""
        for spend in spends:
            try:
                self._decide(checked_spend(spend))
            except InvalidInput as error:
                self._find(spend, "cannot be posted", str(error), "correct it and submit it again")

    def _decide(self, spend: CardSpend) -> None:
        if (linked := self.known.linked.get(spend.id)) is not None:
            self._say_if_gone(spend, linked)
            return
        operation = card_operation(spend.id)
        key = intent_key(self.tenant, operation)
        intent, marked = self.known.intents.get(key), self.known.tagged.get(tag_of(key))
        if intent is None and marked is not None:
            found = [marked, *self.known.anew.get(key, ())]
            self.actions += [_adopted(spend, operation, revision, each) for revision, each in enumerate(found, start=1)]
        elif intent is None or (intent.state is State.REJECTED and self._again(intent)):
            self._create(spend)
        elif intent.state in OPEN:
            cause = "an earlier run was interrupted while posting it"
            self._find(spend, "still open", cause, "call recover()", retry=True)
        elif intent.state is not State.CONFIRMED:
            self.findings += filter(None, [finding_for(intent)])
        else:
            self._check(spend, intent)

    def _again(self, refused: Intent) -> bool:
        return self.known.retry_refused or contact_had_ended(refused)

    def _check(self, spend: CardSpend, intent: Intent) -> None:
        document, _ = self.known.documents.get(intent.xero_id or "", (None, ""))
        if any(intent.facts.get(name, value) != value for name, value in spend_facts(spend).items()):
            cause = "under this id another receipt was posted before: its vendor, day or total was another"
            fix = "update() it, or submit this one under a new id if it is another paper"
            self._find(spend, "changed since posted", cause, fix)
        elif document is not None:
            self._say_if_gone(spend, document)
        if intent.facts.get("duplicate_of"):
            self._find_twin(spend, "it was posted all the same")

    def _say_if_gone(self, spend: CardSpend, document: BankTransaction) -> None:
        if document.status in GONE:
            by_host = spend.id in self.known.withdrawn
            found = gone_finding(spend.id, str(document.status), worth_of_spend(spend), by_host=by_host)
            self.findings.append(found)

    def _create(self, spend: CardSpend) -> None:
        accounts = self.known.accounts
        account = accounts.get(spend.account) or accounts.get(plain_id(spend.account))
        if account is None or account.type != AccountType.BANK or account.status != AccountStatus.ACTIVE:
            cause = "account: it is no active bank account, and money is spent from those only (F 6.150)"
            self._find(spend, "account does not fit", cause, "choose the card's own account in Xero", retry=True)
            return
        if account.currency_code not in {None, spend.total.currency}:
            cause = f"account: it is kept in {account.currency_code}, and the receipt is in {spend.total.currency}"
            self._find(spend, "another currency", cause, "choose an account in the receipt's currency")
            return
        coded, because = coded_spend(spend, self.known.settings)
        days = self.known.reference.open_books
        document = spend_document(coded, account.account_id or AccountId(""))
        wrong = faults(spend.id, document, self.known.reference, spend.total)
        locked = lock_fault(spend.id, days.day_for(spend.on), self.known.reference, spend.total)
        wrong += [locked] if locked is not None else []
        contact = self.vendors.contact(spend.party) if not wrong else None
        self.findings += wrong
        if contact is None:
            if not wrong:
                cause = "its vendor's contact cannot be used"
                self._find(spend, "vendor unclear", cause, "see the finding on the vendor", retry=True)
            return
        twins = self._twins(spend, document, contact)
        if twins and not self._goes_on(spend, twins):
            return
        said = f"paid by card, on {spend.on.isoformat()}{days.reason(spend.on)}{f'; {because}' if because else ''}"
        self.actions.append(
            SpendOnCard(
                host_ref=spend.id,
                reason=said,
                facts={**spend_facts(spend), **({"duplicate_of": _id(twins[0])} if twins else {})},
                transaction=evolve(document, date=days.day_for(spend.on)),
                contact=contact,
                total=-spend.total,
            )
        )

    def _twins(self, spend: CardSpend, document: BankTransaction, contact: Ref) -> Sequence[BankTransaction]:
        """What somebody typed of the same account, vendor, day and amount."""
        account = document.bank_account.account_id if document.bank_account is not None else None
        total = expected_total(spend, self.known.reference) or spend.total
        if isinstance(contact, Pending) or account is None:
            return ()
        return self.known.entered.get((account, contact, spend.on, total.amount), ())

    def _goes_on(self, spend: CardSpend, twins: Sequence[BankTransaction]) -> bool:
        """Whether *spend* is posted although it looks like what was typed; else it is linked to it, or held back."""
        free = [each for each in twins if _id(each) not in self.known.taken and _id(each) not in self.linked_now]
        match self.known.duplicates:
            case Duplicates.WARN:
                self._find_twin(spend, "it was posted all the same")
                return True
            case Duplicates.LINK if len(twins) == len(free) == 1:
                self.linked_now.add(_id(free[0]))
                reason = "typed in Xero, the same day and amount"
                self.actions.append(
                    LinkSpend(host_ref=spend.id, reason=reason, xero_id=_id(free[0]), total=-spend.total)
                )
            case Duplicates.LINK:
                self._find_twin(spend, "it is held back, since nobody can say which it is")
            case Duplicates.STOP:
                self._find_twin(spend, "it is held back")
        return False

    def _find_twin(self, spend: CardSpend, done: str) -> None:
        cause = f"money of this vendor, day and amount was entered by hand on the account; {done}"
        self._find(spend, DUPLICATE, cause, "compare the two, and void or submit accordingly")

    def _find(self, spend: CardSpend, code: str, cause: str, fix: str, *, retry: bool = False) -> None:
        self.findings.append(
            Finding(code=code, about=spend.id, cause=cause, fix=fix, retry=retry, worth=worth_of_spend(spend))
        )


def _adopted(spend: CardSpend, operation: Pending, revision: int, document: BankTransaction) -> Adopt:
    return Adopt(
        host_ref=operation.host_ref,
        revision=revision,
        reason="its mark is in Xero already",
        adopted_kind=operation.kind,
        xero_id=_id(document),
        facts={"vendor": vendor_key(spend.party), **dict([RESTORED] if revision > 1 else [])},
    )


def _id(transaction: BankTransaction) -> str:
    return transaction.bank_transaction_id or ""


def worth_of_spend(spend: CardSpend) -> Money | None:
    """What *spend* comes to; None where nobody can say."""
    try:
        return spend.total
    except InvalidInput:
        return None


def spend_facts(spend: CardSpend) -> dict[str, str]:
    """What a bank transaction is known by as that of *spend*."""
    total = str(spend.total.rounded().amount)
    return {"vendor": vendor_key(spend.party), "amount": total, "on": spend.on.isoformat()}
