"""Why collections fail is kept and told, what it cost is posted, and a retry that is not lawful is a finding (R37)."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.engine.test_history_notes import NOTES, notes_on

from xerosync import (
    Decline,
    DeclineReason,
    Fee,
    LeftOut,
    LineKind,
    LineMark,
    Money,
    Receivables,
    RetryPolicy,
    Settlement,
    SettlementLine,
    SettlementSettings,
    TransactionState,
    TransactionStatus,
)
from xerosync.errors import InvalidInput
from xerosync.storage.sqlite import SQLiteStore

NSF, CLOSED = DeclineReason.NSF, DeclineReason.ACCOUNT_CLOSED
DECLINED, COLLECTED, CHARGED_BACK = LineKind.DECLINED, LineKind.COLLECTED, LineKind.CHARGED_BACK
REASONS = st.sampled_from(DeclineReason) | st.text("abcXYZ 0123-é", min_size=1, max_size=20).filter(str.strip)


@pytest.fixture
def sales(product: Product) -> Receivables:
    return collecting(product)


def collecting(product: Product, retries: RetryPolicy | None = None, *, batches: bool = False) -> Receivables:
    chosen = SettlementSettings(
        bank_account=BANK,
        fee_account="404",
        charge_back_account="850",
        provider="Collections Ltd",
        notes=NOTES,
        batches=batches,
        retries=retries or RetryPolicy(),
    )
    return Receivables(product.xero(), clearing_account=CLEARING, settlements=chosen)


def line(
    transaction: str,
    kind: LineKind,
    reason: DeclineReason | str | None = None,
    *,
    amount: str = "100.00",
    name: str = "",
    fee: Fee | None = None,
    agreed_anew: bool = False,
) -> SettlementLine:
    return SettlementLine(
        id=name or f"{kind} {transaction}",
        transaction=transaction,
        amount=nzd(amount),
        kind=kind,
        reason=reason,
        fee=fee,
        agreed_anew=agreed_anew,
    )


def on(day: int, *lines: SettlementLine) -> Settlement:
    """What happened so many days after the first."""
    return Settlement(id=f"day {day}", on=DAY + timedelta(day), lines=lines)


def settle(sales: Receivables, *settlements: Settlement) -> list[tuple[str, str]]:
    """Settle, and again; the findings on what was done."""
    sales.apply(sales.settle(settlements))
    again = sales.settle(settlements)
    assert not again, again.rows()
    return [(each.code, each.about) for each in again.findings]


def declines(sales: Receivables) -> list[tuple[str, date, str]]:
    return [(each.reason, each.on, each.line) for one in sales.transactions() for each in one.declines]


def try_again(sales: Receivables, invoice: str, *, agreed_anew: bool = False) -> list[str]:
    """Choose an invoice again; the codes of the findings."""
    plan = sales.import_invoices([invoice], agreed_anew=agreed_anew)
    sales.apply(plan)
    return [each.code for each in plan.findings]


def say(sales: Receivables, transaction: str, reason: DeclineReason | str | None, day: int = 0) -> None:
    """The host says that a transaction was declined."""
    state = TransactionState(
        id=transaction,
        status=TransactionStatus.DECLINED,
        on=DAY + timedelta(day),
        reason=reason,
    )
    sales.apply(sales.follow([state]))
    assert not sales.follow([state])


def test_the_reason_of_a_decline_is_kept_and_told_once(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    declined = on(0, line(invoice.id, DECLINED, NSF))

    assert sales.settle(declined).counts() == {"transaction_note": 1}
    assert settle(sales, declined) == []

    assert declines(collecting(product)) == [("nsf", DAY, f"declined {invoice.id}")]
    assert product.books.invoice(invoice.id).amount_due == 100
    (told,) = sales.transaction_report()
    assert (told.reason, sales.transaction_report().rows()[0]["reason"]) == (NSF, "not sufficient funds")
    report = sales.settlement_report(declined)
    assert report.complete
    assert "(not sufficient funds)" in str(report)
    assert json.loads(report.json())[0]["lines"][0]["reason"] == "not sufficient funds"


def test_a_code_that_nobody_here_knows_survives_the_store(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    settle(sales, on(0, line(invoice.id, DECLINED, "R16-x")))

    (found,) = [each for one in collecting(product).transactions() for each in one.declines]
    assert (found.reason, found.reason.words, found.reason.carries_fee) == ("R16-x", "R16-x", False)
    assert "R16-x" in str(sales.settlement_report(on(0, line(invoice.id, DECLINED, "R16-x"))))


@given(REASONS)
def test_a_known_reason_is_known_in_whatever_letters(reason: str) -> None:
    given = line("t", DECLINED, f" {reason.upper()} ").reason

    assert given is not None
    assert given.lower() == " ".join(reason.split()).lower()
    assert (given.words == given) == (given not in list(DeclineReason))


def test_a_transaction_that_was_kept_before_there_were_reasons_is_read(product: Product, sales: Receivables) -> None:
    """What says nothing of a decline is kept as it always was, and gets its reason later."""
    invoice = product.collectable()
    (record,) = product.store.query("link", product.books.tenant_id, states=["transaction"])
    kept = json.loads(record.body)
    assert kept.keys() & {"declines", "agreed_anew"} == set()

    say(sales, invoice.id, CLOSED)

    assert declines(sales) == [("account closed", DAY, "")]


def test_the_reason_of_a_charge_back_is_in_the_plan_the_record_and_the_history(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable()
    collected = on(0, line(invoice.id, COLLECTED, name="c"))
    back = on(3, line(invoice.id, CHARGED_BACK, NSF, name="b"))
    settle(sales, collected)

    told = {action.kind: action.reason for action in sales.settle(back)}
    assert settle(sales, collected, back) == []

    assert told["removal"] == "charged back by b (not sufficient funds)"
    assert (
        notes_on(product, invoice.id)[1]
        == "Acme Pay removed a payment of it: charged back, line b: not sufficient funds"
    )
    assert declines(sales) == [("nsf", DAY + timedelta(3), "b")]


def test_an_invoice_in_a_payments_place_says_why_too(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    settle(sales, on(0, line(invoice.id, COLLECTED, name="c")))
    product.books.reconcile_payment(product.live_payments()[0].id)
    back = on(3, line(invoice.id, CHARGED_BACK, "disputed", name="b"))

    assert "charged back by b (the payer disputes it); its payment is reconciled" in str(sales.settle(back).rows())
    assert settle(sales, back) == []

    owed = product.books.invoices[-1].id
    assert "the payer disputes it" in notes_on(product, owed)[0]


def test_a_charge_back_that_cannot_be_is_no_decline(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()

    assert settle(sales, on(0, line(invoice.id, CHARGED_BACK, NSF, name="b"))) == [("nothing to take back", "b")]

    assert declines(sales) == []


def test_a_line_that_is_given_otherwise_now_takes_its_reason_back(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    settle(sales, on(0, line(invoice.id, DECLINED, NSF, name="x")))
    settle(sales, on(0, line(invoice.id, DECLINED, CLOSED, name="x")))
    assert declines(sales) == [("account closed", DAY, "x")]
    settle(sales, on(0, line(invoice.id, DECLINED, None, name="x")))
    assert declines(sales) == [("account closed", DAY, "x")]

    assert settle(sales, on(0, line(invoice.id, COLLECTED, name="x"))) == []

    assert declines(sales) == []
    assert product.standing(invoice.id) == [(Decimal(100), DAY)]


@pytest.mark.parametrize("kind", [DECLINED, CHARGED_BACK])
def test_the_fee_of_a_line_is_posted_with_the_settlements_own(
    product: Product, sales: Receivables, kind: LineKind
) -> None:
    failed = product.collectable("100.00")
    if kind is CHARGED_BACK:
        settle(sales, on(0, line(failed.id, COLLECTED, name="c")))
    settlement = Settlement(
        id="S",
        on=DAY + timedelta(3),
        lines=[line(failed.id, kind, NSF, name="f", fee=Fee(amount=nzd("7.00")))],
        fees=[Fee(amount=nzd("1.00"))],
        net=nzd("-8.00" if kind is DECLINED else "-108.00"),
        paid_out_on=DAY + timedelta(4),
    )

    assert settle(sales, settlement) == []

    (spent,) = [each for each in product.books.bank_transactions if each.type == "SPEND"]
    assert sorted(each.description for each in spent.lines) == ["Fees", f"Fees, {kind}: not sufficient funds"]
    assert spent.total == 8
    assert sales.settlement_report(settlement).complete
    assert sales.reconcile().explained
    assert NSF.carries_fee


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("reason", lambda: line("t", COLLECTED, NSF)),
        ("fee", lambda: line("t", LineKind.REFUNDED, fee=Fee(amount=nzd(1)))),
        ("agreed_anew", lambda: line("t", CHARGED_BACK, agreed_anew=True)),
        ("reason", lambda: line("t", DECLINED, " ")),
        ("reason", lambda: line("t", DECLINED, "x" * 61)),
        ("reason", lambda: line("t", DECLINED, "a\x00b")),
        ("reason", lambda: TransactionState(id="t", status=TransactionStatus.DELETED, reason=NSF)),
        ("reasons", lambda: RetryPolicy(reasons="nsf")),
        ("reasons", lambda: RetryPolicy(reasons=None)),  # type: ignore[arg-type]
        ("reasons[0]", lambda: RetryPolicy(reasons=[4])),  # type: ignore[list-item]
        ("times", lambda: RetryPolicy(times=-1)),
        ("times", lambda: RetryPolicy(times="1")),  # type: ignore[arg-type]
        ("within_days", lambda: RetryPolicy(within_days=1.5)),  # type: ignore[arg-type]
        ("within_days", lambda: RetryPolicy(within_days=-1)),
    ],
)
def test_a_reason_where_none_can_be_is_refused(field: str, make: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        make()  # type: ignore[operator]

    assert refused.value.field == field


def test_an_agreement_is_said_of_chosen_invoices(sales: Receivables) -> None:
    with pytest.raises(InvalidInput, match="agreed_anew"):
        sales.import_invoices(agreed_anew=True)


def test_what_was_not_covered_is_collected_again_once(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    say(sales, invoice.id, NSF)
    assert try_again(sales, invoice.id) == []
    say(sales, f"{invoice.id}/2", NSF, 7)

    plan = sales.import_invoices([invoice.id])
    (finding,) = plan.findings
    assert (finding.code, len(plan)) == ("retry not allowed", 0)
    assert finding.cause.endswith("it was declined, and retried once already")
    assert "agreed_anew=True" in finding.fix
    (row,) = sales.preview_imports()
    assert (row.left_out, row.can_be_chosen) == (LeftOut.RETRY_FORBIDDEN, False)

    assert try_again(sales, invoice.id, agreed_anew=True) == []
    assert [(each.attempt, each.agreed_anew) for each in sales.transactions()] == [(1, False), (2, False), (3, True)]


@pytest.mark.parametrize("reason", [each for each in DeclineReason if each is not NSF] + ["R99"])
def test_after_any_other_reason_the_payer_must_agree_anew(
    product: Product, sales: Receivables, reason: DeclineReason
) -> None:
    invoice = product.collectable()
    say(sales, invoice.id, reason)

    assert try_again(sales, invoice.id) == ["retry not allowed"]
    assert try_again(sales, invoice.id, agreed_anew=True) == []
    say(sales, f"{invoice.id}/2", NSF, 3)
    assert try_again(sales, invoice.id) == []


def test_a_decline_without_a_reason_forbids_nothing(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    for attempt in ("", "/2", "/3"):
        say(sales, f"{invoice.id}{attempt}", None)
        assert try_again(sales, invoice.id) == []


def test_the_time_for_a_retry_runs_out(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    say(sales, invoice.id, NSF)
    product.clock.advance(timedelta(days=40).total_seconds())

    (finding,) = sales.import_invoices([invoice.id]).findings
    assert finding.cause.endswith(f"a retry of what was declined had to come by {DAY + timedelta(30)}")
    patient = collecting(product, RetryPolicy(within_days=60))
    assert not patient.import_invoices([invoice.id]).findings


def test_a_policy_without_an_end_is_given_as_any_number_of_days(product: Product) -> None:
    sales = collecting(product, RetryPolicy(within_days=10**12))
    invoice = product.collectable()
    say(sales, invoice.id, NSF)

    assert try_again(sales, invoice.id) == []


def test_a_decline_in_a_settlement_of_a_later_day_forbids_the_retry_before_it(
    product: Product, sales: Receivables
) -> None:
    """Providers date a settlement by the day its money arrives, which may lie ahead."""
    invoice = product.collectable()
    settle(sales, on(3, line(invoice.id, DECLINED, CLOSED, name="d")))
    say(sales, invoice.id, None)

    assert try_again(sales, invoice.id) == ["retry not allowed"]


def test_a_retry_that_was_settled_after_its_decline_is_told_though_it_was_collected_before(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable()
    say(sales, invoice.id, None)
    assert try_again(sales, invoice.id) == []
    declined, collected = (
        on(3, line(invoice.id, DECLINED, CLOSED, name="d")),
        on(4, line(f"{invoice.id}/2", COLLECTED, name="c")),
    )

    assert settle(sales, declined, collected) == [("retry not allowed", "c")]


def test_what_was_declined_in_another_currency_moved_nothing_in_the_settlements(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable()
    declined = SettlementLine(
        id="d", transaction=invoice.id, amount=Money("60.00", "USD"), kind=DECLINED, fee=Fee(amount=nzd("5.00"))
    )
    settlement = Settlement(id="S", on=DAY, lines=[declined], net=nzd("-5.00"), paid_out_on=DAY)

    assert settle(sales, settlement) == []

    assert product.books.balance(product.books.account(BANK).id) == -5
    assert sales.settlement_report(settlement).complete


def test_another_policy_allows_what_it_says(product: Product) -> None:
    sales = collecting(product, RetryPolicy(reasons=["nsf", "stopped"], times=2))
    invoice = product.collectable()
    for attempt in ("", "/2"):
        say(sales, f"{invoice.id}{attempt}", "stopped")
        assert try_again(sales, invoice.id) == []
    say(sales, f"{invoice.id}/3", NSF)
    assert try_again(sales, invoice.id) == ["retry not allowed"]


def test_what_came_in_after_all_was_not_declined(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    say(sales, invoice.id, CLOSED)
    state = TransactionState(id=invoice.id, status=TransactionStatus.APPROVED, amount=nzd(100))
    sales.apply(sales.follow([state]))
    assert declines(sales) == []


@pytest.mark.parametrize("batches", [False, True])
def test_money_that_an_unlawful_retry_brought_in_is_booked_and_told(product: Product, *, batches: bool) -> None:
    sales = collecting(product, batches=batches)
    invoice = product.collectable()
    happened = [
        on(0, line(invoice.id, DECLINED, CLOSED, name="d")),
        Settlement(
            id="S",
            on=DAY + timedelta(5),
            lines=[line(invoice.id, COLLECTED, name="c")],
            paid_out_on=DAY + timedelta(6),
        ),
    ]

    assert settle(sales, *happened) == [("retry not allowed", "c")]

    assert product.standing(invoice.id) == [(Decimal(100), DAY + timedelta(5))]
    assert product.books.balance(product.books.account(CLEARING).id) == 0  # its payout is not held back
    report = sales.settlement_report(happened)
    told = next(each for one in report for each in one.lines if each.about == "c")
    assert (report.complete, told.mark, told.code) == (True, LineMark.TICKED, "retry not allowed")
    assert "the account is closed" in str(report)
    assert sales.reconcile(happened).clean


def test_an_unlawful_retry_needs_nobody_once_it_was_agreed_on_or_went_back(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable()
    declined = on(0, line(invoice.id, DECLINED, CLOSED, name="d"))
    collected = on(5, line(invoice.id, COLLECTED, name="c"))
    back = on(9, line(invoice.id, CHARGED_BACK, "disputed", name="b"))
    assert settle(sales, declined, collected) == [("retry not allowed", "c")]

    assert settle(sales, declined, on(5, line(invoice.id, COLLECTED, name="c", agreed_anew=True))) == []
    assert settle(sales, declined, collected, back) == []


def test_a_refund_of_an_unlawful_retry_puts_it_right(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    declined = on(0, line(invoice.id, DECLINED, CLOSED, name="d"))
    collected = on(5, line(invoice.id, COLLECTED, name="c"))
    assert settle(sales, declined, collected) == [("retry not allowed", "c")]

    assert settle(sales, declined, collected, on(6, line(invoice.id, LineKind.REFUNDED, name="r"))) == []


def test_an_unlawful_retry_that_cannot_be_posted_is_one_finding(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    declined, collected = (
        on(0, line(invoice.id, DECLINED, CLOSED, name="d")),
        on(5, line(invoice.id, COLLECTED, name="c")),
    )
    product.books.void_invoice(invoice.id)

    assert settle(sales, declined, collected) == [("does not fit", "c")]


def test_one_retry_of_one_transaction_is_lawful_and_a_second_is_told(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    first, second = on(0, line(invoice.id, DECLINED, NSF, name="d1")), on(8, line(invoice.id, DECLINED, NSF, name="d2"))
    third = on(15, line(invoice.id, COLLECTED, name="c"))

    assert settle(sales, first) == []
    assert settle(sales, first, second) == []
    assert settle(sales, third) == [("retry not allowed", "c")]
    assert settle(sales, first, second, third) == [("retry not allowed", "c")]
    assert product.books.invoice(invoice.id).status == "PAID"


def test_the_next_instalment_is_no_retry_of_the_one_that_failed(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    first = on(0, line(invoice.id, DECLINED, NSF, amount="50.00", name="d"))
    second = on(60, line(invoice.id, COLLECTED, amount="50.00", name="c1"))
    late = on(70, line(invoice.id, COLLECTED, amount="50.00", name="c2"))

    assert settle(sales, first, second) == []
    assert settle(sales, first, second, late) == [("retry not allowed", "c2")]


def test_a_late_failure_is_retried_once(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    happened = [
        on(0, line(invoice.id, COLLECTED, name="c1")),
        on(4, line(invoice.id, CHARGED_BACK, NSF, name="b1")),
        on(9, line(invoice.id, COLLECTED, name="c2")),
        on(12, line(invoice.id, CHARGED_BACK, NSF, name="b2")),
        on(16, line(invoice.id, COLLECTED, name="c3")),
    ]

    assert settle(sales, *happened[:3]) == []
    assert settle(sales, *happened) == [("retry not allowed", "c3")]
    assert product.books.invoice(invoice.id).status == "PAID"


def test_an_attempt_is_held_against_what_earlier_ones_met(product: Product, sales: Receivables) -> None:
    invoice = product.collectable()
    say(sales, invoice.id, NSF)
    try_again(sales, invoice.id)
    say(sales, f"{invoice.id}/2", "stopped")
    try_again(sales, invoice.id, agreed_anew=True)

    assert settle(sales, on(5, line(f"{invoice.id}/3", COLLECTED, name="c"))) == []
    assert product.books.invoice(invoice.id).status == "PAID"


AMOUNTS = st.integers(1, 300)


@given(
    declined=st.lists(st.tuples(st.sampled_from([NSF, CLOSED]), st.integers(0, 40)), max_size=4),
    retries=st.integers(0, 4),
    times=st.integers(0, 3),
    within=st.integers(0, 40),
    day=st.integers(0, 90),
)
def test_a_retry_is_lawful_where_reason_number_and_day_are(
    declined: list[tuple[DeclineReason, int]], retries: int, times: int, within: int, day: int
) -> None:
    policy = RetryPolicy(times=times, within_days=within)
    met = [Decline(reason=reason, on=DAY + timedelta(at), amount=nzd(1)) for reason, at in declined]

    why = policy.forbids(met, retries=retries, on=DAY + timedelta(day))

    if not met or not retries:
        assert why == ""
    else:
        is_covered = all(reason is NSF for reason, _ in declined)
        in_time = day <= min(at for _, at in declined) + within
        assert (why == "") == (is_covered and retries <= times and in_time)


def test_the_store_of_a_process_that_died_keeps_reasons(product: Product, tmp_path: object) -> None:
    product.store = SQLiteStore(f"{tmp_path}/xerosync.db")
    invoice = product.collectable()
    settle(collecting(product), on(0, line(invoice.id, DECLINED, "account frozen", name="d")))

    product.store = SQLiteStore(f"{tmp_path}/xerosync.db")

    assert declines(collecting(product)) == [("account frozen", DAY, "d")]


def test_an_agreement_to_one_line_holds_for_the_next_ones_of_its_transaction(
    product: Product, sales: Receivables
) -> None:
    """The payer agreed to the second attempt, which was not covered: one retry of that is no new attempt."""
    invoice = product.collectable()
    assert settle(sales, on(0, line(invoice.id, DECLINED, CLOSED, name="d1"))) == []
    assert settle(sales, on(3, line(invoice.id, DECLINED, NSF, name="d2", agreed_anew=True))) == []

    assert settle(sales, on(5, line(invoice.id, COLLECTED, name="c"))) == []

    assert product.standing(invoice.id) == [(Decimal(100), DAY + timedelta(5))]
    assert [each.agreed_on for each in sales.transactions()] == [DAY + timedelta(3)]
    assert len(declines(sales)) == 2


def test_an_agreement_to_a_line_that_came_in_holds_when_it_is_collected_again(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable()
    happened = [
        on(0, line(invoice.id, DECLINED, CLOSED, name="d")),
        on(3, line(invoice.id, COLLECTED, name="c1", agreed_anew=True)),
        on(6, line(invoice.id, CHARGED_BACK, NSF, name="b")),
        on(8, line(invoice.id, COLLECTED, name="c2")),
    ]

    for each in happened:
        assert settle(sales, each) == []

    assert product.standing(invoice.id) == [(Decimal(100), DAY + timedelta(8))]


def test_what_was_agreed_on_does_not_excuse_what_was_before_it_nor_what_the_policy_forbids_after_it(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable()
    before = [
        on(0, line(invoice.id, DECLINED, CLOSED, name="d1")),
        on(2, line(invoice.id, DECLINED, NSF, name="d2")),
    ]
    agreed = on(4, line(invoice.id, DECLINED, NSF, name="d3", agreed_anew=True))
    after = [
        on(6, line(invoice.id, DECLINED, NSF, name="d4")),
        on(8, line(invoice.id, COLLECTED, name="c")),
    ]

    assert settle(sales, *before, agreed, *after) == [("retry not allowed", "d2"), ("retry not allowed", "c")]


def test_an_agreement_to_a_line_holds_for_another_transaction_of_its_invoice(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable()
    settle(sales, on(0, line(invoice.id, DECLINED, CLOSED, name="d1")))
    settle(sales, on(3, line(invoice.id, DECLINED, NSF, name="d2", agreed_anew=True)))
    say(sales, invoice.id, None, 3)

    assert try_again(sales, invoice.id) == []
    assert settle(sales, on(5, line(f"{invoice.id}/2", DECLINED, NSF, name="d3"))) == []
    say(sales, f"{invoice.id}/2", None, 5)
    assert try_again(sales, invoice.id) == ["retry not allowed"]
