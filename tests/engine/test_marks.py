"""Every kind of write that carries a mark is looked for by it, in a store that is older than the books too (C15)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import pytest
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.engine.backups import backup, restore

from xerosync import (
    Fee,
    FeesAs,
    Ledger,
    LineKind,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    Tokens,
    Xero,
)
from xerosync.engine import actions as act
from xerosync.engine import paper_actions as papers
from xerosync.engine import undo_actions as undo
from xerosync.engine.intents import tag_in
from xerosync.engine.kinds import KINDS, kind_of
from xerosync.engine.recovery import MARKS_ON
from xerosync.errors import LedgerBehind, ScopeMissing
from xerosync.models import (
    Account,
    AccountCode,
    AccountId,
    BankTransaction,
    BankTransactionId,
    Contact,
    ContactId,
    CreditNote,
    CreditNoteId,
    DocumentStatus,
    Invoice,
    InvoiceId,
    LineItem,
    LineItemId,
    OverpaymentId,
    PaymentId,
)
from xerosync.simulator import Document
from xerosync.simulator.scopes import DEFAULT_SCOPES

TAG: Final = "XS-ABCDEFGHIJKLM"
ID: Final = "00000000-0000-4000-8000-000000000001"
LINES: Final = (LineItem(description="a line"),)
PAID: Final = act.Pay(
    host_ref="1", reason="a test", invoice=InvoiceId(ID), account=AccountId(ID), amount=nzd(1), on=DAY, reference="r"
)
ONE_OF_EACH: Final[tuple[act.Action, ...]] = (
    act.OpenAccount(host_ref="1", reason="a test", account=Account(code=AccountCode("1"))),
    act.EnablePayments(host_ref="1", reason="a test", account_id=AccountId(ID)),
    act.CreateContact(host_ref="1", reason="a test", contact=Contact(name="n")),
    act.CreateBill(host_ref="1", reason="a test", invoice=Invoice(line_items=LINES), contact=ID, total=nzd(1)),
    act.CreateCreditNote(
        host_ref="1", reason="a test", credit_note=CreditNote(line_items=LINES), contact=ID, total=nzd(1)
    ),
    act.CreateSale(host_ref="1", reason="a test", invoice=Invoice(line_items=LINES), contact=ID, total=nzd(1)),
    act.CreateSaleCredit(
        host_ref="1", reason="a test", credit_note=CreditNote(line_items=LINES), contact=ID, total=nzd(1)
    ),
    act.Allocate(
        host_ref="1", reason="a test", credit_note=CreditNoteId(ID), invoice=InvoiceId(ID), amount=nzd(1), on=DAY
    ),
    papers.AllocateOverpayment(
        host_ref="1", reason="a test", overpayment=OverpaymentId(ID), invoice=InvoiceId(ID), amount=nzd(1), on=DAY
    ),
    PAID,
    act.PayBatch(host_ref="1", reason="a test", account=AccountId(ID), on=DAY, payments=(PAID,)),
    act.Refund(
        host_ref="1",
        reason="a test",
        credit_note=CreditNoteId(ID),
        account=AccountId(ID),
        amount=nzd(1),
        on=DAY,
        reference="r",
    ),
    act.MoveMoney(
        host_ref="1",
        reason="a test",
        transaction=BankTransaction(line_items=LINES),
        contact=ID,
        total=nzd(1),
    ),
    act.Transfer(
        host_ref="1", reason="a test", source=AccountId(ID), target=AccountId(ID), amount=nzd(1), on=DAY, reference="r"
    ),
    act.RemovePayment(host_ref="1", reason="a test", payment=PaymentId(ID), amount=nzd(1)),
    act.RemoveMoney(host_ref="1", reason="a test", transaction=ID, amount=nzd(1)),
    act.VoidCredit(host_ref="1", reason="a test", credit_note=ID, amount=nzd(1)),
    undo.RemoveTransfer(host_ref="1", reason="a test", removed=ID, amount=nzd(1)),
    undo.RemoveBatch(
        host_ref="1",
        reason="a test",
        removed=ID,
        payments=(act.RemovePayment(host_ref="1", reason="a test", payment=PaymentId(ID), amount=nzd(1)),),
    ),
    papers.ChangeBill(
        host_ref="1", reason="a test", invoice=Invoice(invoice_id=InvoiceId(ID)), contact=None, total=nzd(1)
    ),
    papers.VoidBill(host_ref="1", reason="a test", bill=InvoiceId(ID), status=DocumentStatus.VOIDED, amount=nzd(1)),
    papers.ChangeCredit(
        host_ref="1",
        reason="a test",
        credit_note=CreditNote(credit_note_id=CreditNoteId(ID)),
        contact=None,
        total=nzd(-1),
    ),
    papers.ChangeSpend(
        host_ref="1",
        reason="a test",
        transaction=BankTransaction(bank_transaction_id=BankTransactionId(ID)),
        contact=None,
        total=nzd(-1),
    ),
    papers.ChangeSale(
        host_ref="1", reason="a test", invoice=Invoice(invoice_id=InvoiceId(ID)), contact=None, total=nzd(1)
    ),
    papers.VoidSale(host_ref="1", reason="a test", bill=InvoiceId(ID), status=DocumentStatus.VOIDED, amount=nzd(1)),
    papers.Attach(
        host_ref="1", reason="a test", resource="Invoices", document=ID, file_name="f", sha256="", size=1, content=bytes
    ),
    papers.MarkBillable(host_ref="1", reason="a test", purchase=ID, line=LineItemId(ID), contact=ContactId(ID)),
    papers.UnmarkBillable(host_ref="1", reason="a test", removed=ID),
    papers.AddNote(host_ref="1", reason="a test", collection="Invoices", document=ID, text="posted"),
)


def test_every_kind_that_is_sent_with_a_mark_is_looked_for_by_it() -> None:
    """A kind that is new in the table must be added to the marks, or to the kinds here that have none."""
    sent = {each.kind: str(kind_of(each.kind).encode(each, str, TAG)) for each in ONE_OF_EACH}

    assert sent.keys() == KINDS.keys()
    marked = {kind for kind, document in sent.items() if tag_in(document) == TAG}
    # No list of Xero shows histories: whether a note is there is read document by document before it is planned.
    assert marked - {"note"} == {kind for _, kinds in MARKS_ON for kind in kinds}


FEES = "404"


def collecting(xero: Xero, fees_as: FeesAs = FeesAs.SPEND_MONEY) -> Receivables:
    return Receivables(
        xero,
        clearing_account=CLEARING,
        settlements=SettlementSettings(
            bank_account=BANK,
            fee_account=FEES,
            charge_back_account=FEES,
            provider="Collections Ltd",
            fees_as=fees_as,
            surplus=Surplus.PARK,
        ),
    )


def line(transaction: str, amount: str, kind: LineKind = LineKind.COLLECTED) -> SettlementLine:
    return SettlementLine(id=f"{kind.value}-{amount}", transaction=transaction, amount=nzd(amount), kind=kind)


def held(product: Product) -> list[tuple[str, Decimal]]:
    """What stands in the books, each document once."""
    books = product.books
    sums = [("payment", each.amount) for each in product.live_payments()]
    sums += [(each.type, each.total) for each in (*books.invoices, *books.credit_notes) if each.is_posted]
    moved = [each for each in books.bank_transactions if not each.type.endswith("-TRANSFER")]
    sums += [(each.type, each.total) for each in moved if each.status == "AUTHORISED"]
    return sorted([*sums, *(("transfer", each.amount) for each in books.bank_transfers)])


def paid_out(invoice: Document) -> Settlement:
    return Settlement(
        id="S1", on=DAY, lines=[line(invoice.id, "100.00")], fees=[Fee(amount=nzd("1.30"))], paid_out_on=DAY
    )


def refunded(invoice: Document) -> Settlement:
    return Settlement(id="S2", on=DAY, lines=[line(invoice.id, "40.00", LineKind.REFUNDED)])


def too_much(invoice: Document) -> Settlement:
    return Settlement(id="S3", on=DAY, lines=[line(invoice.id, "130.00")])


def lost(invoice: Document) -> Settlement:
    return Settlement(id="S4", on=DAY, lines=[line(invoice.id, "100.00", LineKind.CHARGED_BACK)])


@pytest.mark.parametrize(
    ("what", "before", "fees_as", "written"),
    [
        (paid_out, None, FeesAs.SPEND_MONEY, {"payment", "bank_transaction", "transfer"}),
        (paid_out, None, FeesAs.BILL, {"payment", "bill", "transfer"}),
        (refunded, paid_out, FeesAs.SPEND_MONEY, {"sale_credit", "refund"}),
        (too_much, None, FeesAs.SPEND_MONEY, {"payment", "bank_transaction"}),
        (lost, paid_out, FeesAs.SPEND_MONEY, {"sale", "bank_transaction"}),
    ],
    ids=["payout and fees", "payout and a bill of fees", "refund", "what was collected too much", "charged back"],
)
def test_a_store_from_before_posts_nothing_twice(
    product: Product,
    what: Callable[[Document], Settlement],
    before: Callable[[Document], Settlement] | None,
    fees_as: FeesAs,
    written: set[str],
) -> None:
    invoice, other = product.collectable("100.00"), product.collectable("50.00", "Bea Lima")
    sales = collecting(product.xero(), fees_as)
    if before is not None:
        sales.apply(sales.settle(before(invoice)))
        product.books.reconcile_payment(product.live_payments()[0].id)
        sales.settle(before(invoice))
    kept, stood = backup(product), held(product)
    report = sales.apply(sales.settle(what(invoice)))
    assert written <= {each.action.kind for each in report.results}
    stands = held(product)
    restore(product, kept)

    restored = collecting(product.xero(), fees_as)
    anew = restored.settle(what(invoice))
    with pytest.raises(LedgerBehind):
        restored.apply(restored.settle(Settlement(id="S9", on=DAY, lines=[line(other.id, "50.00")])))
    audit = Ledger(product.xero()).audit(adopt=True)
    restored.apply(restored.settle(what(invoice)))

    assert {each.kind for each in anew} <= {"adopt", "contact", "vendor"}
    assert audit.adopted == len(stands) - len(stood)
    assert held(product) == stands
    again = restored.settle(what(invoice))
    assert (len(again), again.findings) == (0, ())
    assert restored.reconcile().clean
    assert Ledger(product.xero()).audit().findings == ()


def without_the_bank(product: Product) -> Xero:
    """A client whose consent leaves the bank's transactions out."""
    scopes = DEFAULT_SCOPES.replace("accounting.banktransactions ", "")
    given = product.simulator.consent(product.app, tenants=[product.books.tenant_id], scopes=scopes)
    product.tokens = Tokens(given.access_token, given.refresh_token, product.clock.now())
    return product.xero()


def test_an_app_that_may_not_read_the_bank_audits_what_it_wrote_elsewhere(product: Product) -> None:
    invoice = product.collectable("100.00")
    xero = without_the_bank(product)
    sales = Receivables(xero, clearing_account=CLEARING)
    kept = backup(product)
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line(invoice.id, "100.00")])))
    restore(product, kept)

    audit = Ledger(product.xero()).audit(adopt=True)

    assert (audit.seen, audit.adopted, audit.findings) == (1, 1, ())


def test_an_audit_that_may_not_read_what_was_written_says_so(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(product.xero())
    sales.apply(sales.settle(paid_out(invoice)))

    with pytest.raises(ScopeMissing):
        Ledger(without_the_bank(product)).audit()
