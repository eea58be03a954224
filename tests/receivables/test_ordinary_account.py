"""A clearing account that is no bank account, explained: payouts stand on the bank, with a line on it (F 6.133)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve, frozen
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd
from tests.receivables.planted import differences

from xerosync import (
    Adjustment,
    Discrepancy,
    Fee,
    FeesAs,
    Fix,
    MemoryStore,
    Money,
    Receivables,
    Reconciliation,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Tokens,
)
from xerosync.client.scopes import scopes_for
from xerosync.simulator.given import Json

ORDINARY = "650"
NET, GROSS = Decimal("158.50"), Decimal("160.00")


@frozen
class Collecting:
    """A settlement of 160 less 1.50, its lines posted alone, or paid out; *proven* is a brief report of it then."""

    product: Product
    sales: Receivables
    settlement: Settlement
    proven: Reconciliation

    def report(self) -> Reconciliation:
        """The whole report, which says what a brief one does, and one that is rolled forward."""
        self.product.clock.advance(60)
        whole = self.sales.reconcile([self.settlement])
        brief = self.sales.reconcile(iter([self.settlement]), brief=True)
        rolled = self.sales.reconcile([self.settlement], since=self.proven)
        assert differences(whole, brief) == []
        assert differences(brief, rolled) == []
        assert whole.explained
        return whole

    def found(self) -> Discrepancy:
        (found,) = self.report().discrepancies
        return found

    def type(self, *lines: tuple[str, Decimal]) -> str:
        """Let somebody type money received on the bank account, with *lines*: account and amount each."""
        rows: list[dict[str, Json]] = [
            {"Description": "typed", "Quantity": 1, "UnitAmount": str(amount), "AccountCode": code, "TaxType": "NONE"}
            for code, amount in lines
        ]
        books = self.product.books
        contact = books.add_contact("Ed Poe").id
        return books.add_bank_transaction(contact, type="RECEIVE", bank=BANK, date=DAY, lines=rows).id

    def balance(self, code: str) -> Decimal:
        books = self.product.books
        return books.balance(books.account(code).id)


def collecting(*, paid_out: bool, clearing: str = ORDINARY, fees_as: FeesAs | None = None) -> Collecting:
    """With `paid_out`, the payout is posted; else its settlement is given as paid out only now."""
    product = found_product()
    product.books.add_account(ORDINARY, "Clearing", type="CURRENT", enable_payments=True)
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", fees_as=fees_as)
    sales = Receivables(product.xero(), clearing_account=clearing, settlements=chosen)
    line = SettlementLine(id="L1", transaction=product.collectable("160.00").id, amount=nzd("160.00"))
    fees = [Fee(amount=nzd("1.50"))]
    whole = Settlement(id="S1", on=DAY, lines=[line], fees=fees, paid_out_on=DAY)
    begun = whole if paid_out else Settlement(id="S1", on=DAY, lines=[line], fees=fees)
    sales.apply(sales.settle(begun))
    product.clock.advance(60)
    return Collecting(product, sales, whole, sales.reconcile([begun], brief=True))


@pytest.mark.parametrize(
    ("account", "amount", "left", "cause"),
    [
        ("400", NET, "160.00", "its bank transaction was moved to another account in Xero by somebody else"),
        (
            ORDINARY,
            Decimal("150.00"),
            "10.00",
            "its bank transaction was edited in Xero by somebody else: it has another amount",
        ),
    ],
)
def test_a_payout_that_somebody_edited_is_told_and_put_back(
    account: str, amount: Decimal, left: str, cause: str
) -> None:
    made = collecting(paid_out=True)
    (payout,) = made.product.books.bank_transactions
    made.product.books.edit_bank_transaction(payout.id, amount=amount, account=account)

    found = made.found()
    crossed = made.sales.settlement_report([made.settlement]).crossed()
    alone = made.sales.reconcile()
    made.sales.apply(made.report().plan(Fix.RESTORE))

    assert (found.code, found.about, found.amount, found.cause) == ("changed in Xero", "S1", nzd(left), cause)
    assert (found.xero_id, payout.id in (found.link or "")) == (payout.id, True)
    assert [(each.code, each.about, each.cause) for each in alone.discrepancies] == [("changed in Xero", "S1", cause)]
    assert [(each.what, each.code, each.cause) for each in crossed] == [
        (what, "changed in Xero", cause) for what in ("fees", "payout")
    ]
    assert [made.balance(code) for code in (ORDINARY, BANK, "404")] == [Decimal(0), NET, Decimal("1.50")]
    assert made.report().clean
    assert made.sales.settlement_report([made.settlement]).complete


def _with_fees(made: Collecting, fees: str) -> None:
    """Let somebody edit the fees on the payout, and nothing else of it; an edit is seen by its later time."""
    made.product.clock.advance(60)
    payout = next(each for each in made.product.books.bank_transactions if each.status == "AUTHORISED")
    rows: list[dict[str, Json]] = [
        {"Description": "edited", "Quantity": 1, "UnitAmount": amount, "AccountCode": code, "TaxType": "NONE"}
        for code, amount in ((ORDINARY, str(GROSS)), ("404", f"-{fees}"))
    ]
    made.product.books.edit_bank_transaction(payout.id, lines=rows)


def test_fees_that_somebody_edited_on_a_payout_whose_line_here_stayed_are_told_and_put_back() -> None:
    made = collecting(paid_out=True)
    _with_fees(made, "50.00")

    found = made.found()
    crossed = made.sales.settlement_report([made.settlement]).crossed()
    made.sales.apply(made.report().plan(Fix.RESTORE))

    cause = "its bank transaction was edited in Xero by somebody else: beside its line here it has other amounts"
    assert (found.code, found.part, found.amount, found.cause) == ("changed in Xero", ("payout", "S1"), nzd(0), cause)
    assert found.fixes == (Fix.RESTORE, Fix.IGNORE)
    assert [(each.what, each.code, each.cause) for each in crossed] == [
        (what, "changed in Xero", cause) for what in ("fees", "payout")
    ]
    assert [made.balance(code) for code in (ORDINARY, BANK, "404")] == [Decimal(0), NET, Decimal("1.50")]
    assert made.report().clean
    assert made.sales.settlement_report([made.settlement]).complete


def test_fees_edited_on_a_payout_and_accepted_are_told_again_once_they_are_edited_again() -> None:
    """Their part of the balance is nothing each time."""
    made = collecting(paid_out=True)
    _with_fees(made, "50.00")

    made.sales.apply(made.report().plan(Fix.IGNORE))
    clean, complete = made.report().clean, made.sales.settlement_report([made.settlement]).complete
    _with_fees(made, "60.00")

    assert (clean, complete) == (True, True)
    assert made.found().about == "S1"
    assert [each.what for each in made.sales.settlement_report([made.settlement]).crossed()] == ["fees", "payout"]
    _with_fees(made, "1.50")
    assert made.report().clean


def test_the_statement_has_a_payout_that_was_moved_away_among_what_is_gone() -> None:
    made = collecting(paid_out=True)
    (payout,) = made.product.books.bank_transactions
    made.product.books.edit_bank_transaction(payout.id, amount=NET, account="400")

    statement = made.sales.clearing_statement(DAY, DAY)

    assert [(each.what, each.amount) for each in statement.movements] == [("payment", nzd("160.00"))]
    assert [(each.about, each.amount) for each in statement.removed] == [(payout.id, nzd("-160.00"))]
    assert [(each.code, each.about) for each in statement.exceptions] == [("changed in Xero", payout.id)]
    assert statement.closing.in_flight == nzd(0)


def test_a_payout_that_somebody_typed_too_is_told_and_can_be_removed() -> None:
    made = collecting(paid_out=True)
    typed = made.type((ORDINARY, GROSS))

    found = made.found()
    (movement,) = (each for each in made.sales.clearing_statement(DAY, DAY).movements if not each.ours)
    made.sales.apply(made.report().plan(Fix.REMOVE))

    assert (found.code, found.about, found.amount) == ("perhaps entered twice", typed, nzd("-160.00"))
    assert typed in (found.link or "")
    assert (movement.about, movement.amount) == (typed, nzd("-160.00"))
    assert (made.balance(ORDINARY), made.balance(BANK)) == (Decimal(0), NET)
    assert made.report().clean


def test_money_of_which_only_a_part_is_on_the_account_is_told_by_that_part_and_removed_by_no_plan() -> None:
    made = collecting(paid_out=True)
    typed = made.type((ORDINARY, Decimal("7.00")), ("400", Decimal("5.00")))

    found = made.found()

    assert (found.code, found.about, found.amount) == ("bank transaction not posted here", typed, nzd("-7.00"))
    assert found.fixes == (Fix.IGNORE,)
    assert found.fix.endswith("a plan cannot remove it: it has lines on other accounts")


def test_money_whose_lines_on_other_accounts_cancel_out_is_removed_by_no_plan() -> None:
    """What moved between the other accounts would go with it."""
    made = collecting(paid_out=True)
    made.type((ORDINARY, Decimal("7.00")), ("400", Decimal("500.00")), ("429", Decimal("-500.00")))
    before = [made.balance(code) for code in (ORDINARY, BANK, "400", "429")]

    found = made.found()
    made.sales.apply(made.report().plan(Fix.REMOVE))

    assert (found.amount, found.fixes) == (nzd("-7.00"), (Fix.IGNORE,))
    assert found.fix.endswith("a plan cannot remove it: it has lines on other accounts")
    assert [made.balance(code) for code in (ORDINARY, BANK, "400", "429")] == before


def test_money_with_tax_on_top_that_is_on_the_account_alone_is_removed() -> None:
    made = collecting(paid_out=True)
    books = made.product.books
    contact = books.add_contact("Ed Poe").id
    line: dict[str, Json] = {
        "Description": "typed",
        "Quantity": 1,
        "UnitAmount": "10.00",
        "AccountCode": ORDINARY,
        "TaxType": "INPUT2",
    }
    books.add_bank_transaction(contact, type="SPEND", bank=BANK, date=DAY, lines=[line], LineAmountTypes="Exclusive")

    found = made.found()
    made.sales.apply(made.report().plan(Fix.REMOVE))

    assert (found.amount, found.fixes) == (nzd("10.00"), (Fix.REMOVE, Fix.IGNORE))
    assert (made.balance(ORDINARY), made.balance(BANK)) == (Decimal(0), NET)
    assert made.report().clean


@pytest.mark.parametrize(
    ("fees_as", "lines"),
    [
        (FeesAs.NETTED, [(ORDINARY, GROSS), ("404", Decimal("-1.50"))]),
        (FeesAs.BILL, [(ORDINARY, NET)]),
    ],
)
def test_a_payout_that_somebody_typed_is_taken_for_the_one_that_is_missing(
    fees_as: FeesAs, lines: list[tuple[str, Decimal]]
) -> None:
    made = collecting(paid_out=False, fees_as=fees_as)
    typed = made.type(*lines)

    found = made.found()
    made.sales.apply(made.report().plan(Fix.POST))

    assert (found.code, found.about, found.xero_id) == ("perhaps typed by hand", "S1", typed)
    assert [made.balance(code) for code in (ORDINARY, BANK, "404")] == [Decimal(0), NET, Decimal("1.50")]
    assert made.report().clean
    assert not made.sales.settle(made.settlement)
    assert made.sales.settlement_report([made.settlement]).complete


def test_money_spent_that_was_taken_for_a_payout_is_not_paid_out_a_second_time() -> None:
    """Of a clearing account that is a bank account a payout is a transfer, which somebody typed as money spent."""
    made = collecting(paid_out=False, clearing=CLEARING)
    contact = made.product.books.add_contact("Ed Poe").id
    made.product.books.add_bank_transaction(contact, type="SPEND", bank=CLEARING, date=DAY, amount=NET, account="400")

    made.sales.apply(made.report().plan(Fix.POST))

    assert not made.sales.settle(made.settlement)
    assert made.report().clean
    assert not made.product.books.bank_transfers


def test_without_the_scope_for_money_what_people_entered_is_the_rest_of_the_sum(product: Product) -> None:
    product.books.add_account(ORDINARY, "Clearing", type="CURRENT", enable_payments=True)
    line: dict[str, Json] = {"Description": "typed", "UnitAmount": "7.00", "AccountCode": ORDINARY, "TaxType": "NONE"}
    contact = product.books.add_contact("Ed Poe").id
    product.books.add_bank_transaction(contact, type="RECEIVE", bank=BANK, date=DAY, lines=[line])
    scopes = scopes_for("receivables", "clearing balance")
    consent = product.simulator.consent(product.app, tenants=[product.books.tenant_id], scopes=" ".join(scopes))
    ends = product.clock.now() + timedelta(minutes=30)
    without = evolve(
        product, tokens=Tokens(consent.access_token, consent.refresh_token, ends, scopes), store=MemoryStore()
    )

    (told,) = Receivables(without.xero(), clearing_account=ORDINARY).reconcile().discrepancies
    (found,) = Receivables(product.xero(), clearing_account=ORDINARY).reconcile().discrepancies

    assert (told.code, told.amount) == ("other movements", nzd("-7.00"))
    assert (found.code, found.amount) == ("bank transaction not posted here", nzd("-7.00"))


@pytest.mark.parametrize("besides", ["reserve", "adjustment", "fee"])
def test_what_a_payout_leaves_on_the_account_itself_is_no_change_of_anybody_s(besides: str) -> None:
    product = found_product()
    product.books.add_account(ORDINARY, "Clearing", type="CURRENT", enable_payments=True)
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    sales = Receivables(product.xero(), clearing_account=ORDINARY, settlements=evolve(chosen, reserve_account=ORDINARY))
    line = SettlementLine(id="L1", transaction=product.collectable("160.00").id, amount=nzd("160.00"))
    settlement = Settlement(
        id="S1",
        on=DAY,
        lines=[line],
        reserve=nzd("5.00") if besides == "reserve" else None,
        adjustments=[Adjustment(amount=nzd("-5.00"), description="kept", account=ORDINARY)][: besides == "adjustment"],
        fees=[Fee(amount=nzd("5.00"), account=ORDINARY)][: besides == "fee"],
        paid_out_on=DAY,
    )
    sales.apply(sales.settle(settlement))

    report = sales.reconcile([settlement])

    assert [(each.code, each.amount, each.fixes) for each in report.discrepancies] == [
        ("kept on the account", nzd("5.00"), (Fix.IGNORE,))
    ]
    assert sales.settlement_report(settlement).complete
    (received,) = product.books.bank_transactions
    product.clock.advance(60)
    product.books.edit_bank_transaction(received.id, amount=Decimal("150.00"), account=ORDINARY)
    (changed, rest) = sales.reconcile([settlement]).discrepancies
    assert (changed.code, changed.fixes) == ("changed in Xero", (Fix.RESTORE, Fix.IGNORE))
    assert (rest.code, rest.settlement) == ("kept on the account", "S1")
    sales.apply(sales.reconcile([settlement]).plan(Fix.RESTORE))
    assert sales.settlement_report(settlement).complete
    assert not sales.reconcile([settlement]).plan(Fix.RESTORE)


@pytest.mark.parametrize(("account", "kept"), [("404", []), (ORDINARY, [("kept on the account", "S1", nzd("2.00"))])])
def test_a_payout_of_fees_alone_is_as_it_was_posted(
    product: Product, account: str, kept: list[tuple[str, str, Money]]
) -> None:
    """It has no line on the clearing account for what left it, as nothing did; its second fee was taken for an edit."""
    product.books.add_account(ORDINARY, "Clearing", type="CURRENT", enable_payments=True)
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    sales = Receivables(product.xero(), clearing_account=ORDINARY, settlements=chosen)
    fees = [Fee(amount=nzd("1.00")), Fee(amount=nzd("2.00"), account=account)]
    settlement = Settlement(id="S1", on=DAY, lines=[], fees=fees, paid_out_on=DAY)
    sales.apply(sales.settle(settlement))

    report = sales.reconcile([settlement])

    assert [(each.code, each.settlement, each.amount) for each in report.discrepancies] == kept
    assert ", of S1" not in report.html()
    assert sales.settlement_report(settlement).complete


def test_a_reserve_on_the_account_itself_is_told_until_it_is_paid_out_in_every_report() -> None:
    made = collecting(paid_out=True)
    chosen = SettlementSettings(
        bank_account=BANK, fee_account="404", provider="Collections Ltd", reserve_account=ORDINARY
    )
    sales = Receivables(made.product.xero(), clearing_account=ORDINARY, settlements=chosen)
    given, proven = [made.settlement], sales.reconcile([made.settlement], brief=True)

    def reported(*settlements: Settlement) -> Reconciliation:
        nonlocal proven
        sales.apply(sales.settle(settlements))
        made.product.clock.advance(60)
        given.extend(settlements)
        whole, proven = sales.reconcile(given), sales.reconcile(settlements, since=proven)
        assert differences(whole, sales.reconcile(given, brief=True)) == []
        assert differences(whole, proven) == []
        return whole

    def settlement(name: str, *, day: int, reserve: str = "", released: str = "") -> Settlement:
        line = SettlementLine(
            id=f"{name}-1", transaction=made.product.collectable("20.00", f"{name} Poe").id, amount=nzd("20.00")
        )
        on = DAY + timedelta(days=day)
        return Settlement(
            id=name,
            on=on,
            lines=[line],
            reserve=nzd(reserve) if reserve else None,
            adjustments=[Adjustment(amount=nzd(released), description="released", account=ORDINARY)]
            if released
            else (),
            paid_out_on=on,
        )

    kept, *others = reported(settlement("S2", day=1, reserve="5.00")).discrepancies
    alone = sales.reconcile().discrepancies
    more = reported(settlement("S3", day=2, reserve="3.00")).discrepancies
    after = reported(settlement("S4", day=3, released="8.00"))

    assert (kept.code, kept.amount, kept.settlement, others) == ("kept on the account", nzd("5.00"), "S2", [])
    assert [(each.code, each.amount) for each in alone] == [("kept on the account", nzd("5.00"))]
    assert [(each.code, each.amount, each.settlement) for each in more] == [("kept on the account", nzd("8.00"), "")]
    assert (after.clean, after.balance) == (True, nzd(0))
    lost = sales.reconcile(given[:1])
    assert {(each.code, each.settlement) for each in lost.discrepancies} == {
        ("not in your settlements", each) for each in ("S2", "S3", "S4")
    }
    sales.apply(lost.plan(Fix.REMOVE))
    assert sales.reconcile(given[:1]).clean
