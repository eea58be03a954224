"""The table of flows: every public flow of the library, as a host would call it. One that is missing fails a test."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from attrs import evolve

from xerosync.client.xero import AsyncXero
from xerosync.engine.attaching import BillFile
from xerosync.engine.discrepancies import Fix
from xerosync.engine.opening import WantedAccount
from xerosync.engine.paying import BillPayment
from xerosync.engine.plans import Plan, Recovery
from xerosync.ledger import AsyncLedger
from xerosync.mapping.lines import BillLine
from xerosync.mapping.papers import Bill
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine
from xerosync.mapping.spending import CardSpend
from xerosync.matching.keys import Customer, Vendor
from xerosync.models import AccountCode
from xerosync.money import Money
from xerosync.payables import AsyncPayables
from xerosync.receivables import AsyncReceivables
from xerosync.testing.simulation.begun import begin, everything_once, typed_before
from xerosync.testing.simulation.currencies import each_cent_of_both, sold_abroad, trade_abroad
from xerosync.testing.simulation.drifted import each_as_it_was_written, no_papers, put_back
from xerosync.testing.simulation.flow import Flow, nothing_left
from xerosync.testing.simulation.imports import each_row_is_what_is_due, import_and_follow, owed
from xerosync.testing.simulation.mending import billed, each_thing_put_right, mend
from xerosync.testing.simulation.notes import each_note_once, sold_twice, write_with_notes
from xerosync.testing.simulation.sales import customer, each_sale_once, sell
from xerosync.testing.simulation.settlements import each_settlement_once, settle_whole, sold
from xerosync.testing.simulation.undone import nothing_stands, owed_in_error, settle_and_undo

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_DAY: Final = date(2026, 1, 5)
_BANK: Final = "090"
_CLEARING: Final = "091"
_OPENED: Final = "1091"
_TO_ENABLE: Final = "620"
_POISON: Final = "13.13"


def _nzd(amount: str) -> Money:
    return Money(amount, "NZD")


def _said(what: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{what}: {found} where {expected} is due"


# Collections: two invoices, each paid in parts that Xero would take twice; one is charged back, and collected anew.


def _sales(world: World) -> None:
    ana = world.books.add_contact("Ana").id
    for number, amount in (("INV-1", "100.00"), ("INV-2", "50.01")):
        world.books.add_invoice(ana, number=number, amount=Decimal(amount), date=_DAY)


def _collected(transactions: dict[str, str], world: World) -> list[Settlement]:
    lines = [
        SettlementLine(id=f"{number}/{part}", transaction=transaction, amount=_nzd("20.00"))
        for number, transaction in transactions.items()
        for part in range(2)
    ]
    settlements = [Settlement(id="S1", on=_DAY, lines=lines)]
    second = transactions["INV-2"]
    if world.has_come(0.3):
        back = SettlementLine(id="back", transaction=second, amount=_nzd("40.00"), kind=LineKind.CHARGED_BACK)
        settlements.append(Settlement(id="S2", on=_DAY, lines=[back]))
    if world.has_come(0.6):
        anew = SettlementLine(id="anew", transaction=transactions["INV-1"], amount=_nzd("20.00"))
        settlements.append(Settlement(id="S3", on=_DAY, lines=[anew]))
    return settlements


async def _collect(xero: AsyncXero, world: World) -> bool:
    sales = AsyncReceivables(xero, clearing_account=_CLEARING)
    done: list[Plan | Recovery] = [await sales.recover()]
    done.append(plan := await sales.match([Customer(id="7", custom_identifier="Ana")]))
    await sales.apply(plan)
    done.append(plan := await sales.import_invoices())
    await sales.apply(plan)
    transactions = {each.invoice_number: each.id for each in await sales.transactions()}
    done.append(plan := await sales.settle(_collected(transactions, world), retry_refused=True))
    await sales.apply(plan)
    return nothing_left(*done)


def _each_part_once(world: World) -> Iterator[str]:
    by_number = {each.number: each for each in world.books.invoices}
    first, second = by_number["INV-1"], by_number["INV-2"]
    yield from _said("parts of INV-1", [each.amount for each in world.books.payments_of(first.id)], [Decimal(20)] * 3)
    yield from _said("parts of INV-2", [each.amount for each in world.books.payments_of(second.id)], [])
    yield from _said("due", (first.amount_due, second.amount_due), (Decimal(40), Decimal("50.01")))
    yield from _said("clearing", world.books.balance(world.books.account(_CLEARING).id), Decimal(60))


# Bills: two bills and two credits, one allocated and one refunded; the bills are paid in parts, each day's as one sum.


def _paper(name: str, amount: str, vendor: str | Vendor = "Paper Ltd") -> Bill:
    line = BillLine(description=name, amount=_nzd(amount), account=AccountCode("429"))
    return Bill(id=name, vendor=vendor, number=name, on=_DAY, lines=[line])


def _nothing(world: World) -> None:
    """The story begins with empty books."""
    del world


async def _pay_bills(xero: AsyncXero, world: World) -> bool:
    bills = [_paper("b1", "30.00"), _paper("b2", "20.00", "Glue"), _paper("c1", "-10.00")]
    if world.has_come(0.4):
        bills.append(_paper("c2", "-5.00", "Tape"))
    books = AsyncPayables(xero, payment_account=_BANK)
    done: list[Plan | Recovery] = [await books.recover()]
    done.append(plan := await books.submit(bills, retry_refused=True))
    await books.apply(plan)
    standing = {each.id for each in await books.posted([each.id for each in bills])}
    if {"b1", "c1"} <= standing:
        # The credit is for the bill: where that does not stand yet, it would be refunded.
        done.append(plan := await books.settle_credits(retry_refused=True))
        await books.apply(plan)
    parts = [
        BillPayment(id=f"{bill_id}/{part}", bill_id=bill_id, on=_DAY, amount=_nzd("8.00"))
        for bill_id in ("b1", "b2")
        for part in range(2)
        if bill_id in standing
    ]
    done.append(plan := await books.pay(parts, batch=True, retry_refused=True))
    await books.apply(plan)
    for plan in (await books.bring_back(), await books.follow_bills()):
        done.append(plan)
        await books.apply(plan)
    return nothing_left(*done)


def _each_bill_once(world: World) -> Iterator[str]:
    books = world.books
    standing = [each for each in books.invoices if each.is_posted]
    yield from _said("vendors", sorted(each.name for each in books.contacts), ["Glue", "Paper Ltd", "Tape"])
    due = sorted((each.number, each.amount_due) for each in standing)
    yield from _said("bills", due, [("b1", Decimal(4)), ("b2", Decimal(4))])
    notes = sorted((each.number, each.status) for each in books.credit_notes)
    yield from _said("credit notes", notes, [("c1", "PAID"), ("c2", "PAID")])
    yield from _said("allocated", [each.amount for each in books.allocations], [Decimal(10)])
    paid = sorted(each.amount for each in books.payments if each.status == "AUTHORISED")
    yield from _said("payments", paid, [Decimal(5)] + [Decimal(8)] * 4)
    yield from _said("bank", books.balance(books.account(_BANK).id), Decimal(5 - 32))


# Papers: a bill and a card receipt with files; a second bill and a credit are withdrawn, one receipt too.

_SCAN: Final = b"%PDF paper"


async def _file_papers(xero: AsyncXero, world: World) -> bool:
    books = AsyncPayables(xero)
    done: list[Plan | Recovery] = [await books.recover()]
    bills = [_paper("b1", "30.00"), _paper("b2", "20.00"), _paper("c1", "-10.00")]
    done.append(plan := await books.submit(bills, retry_refused=True))
    await books.apply(plan)
    lines = [BillLine(description="taxi", amount=_nzd("8.00"), account=AccountCode("429"))]
    spends = [CardSpend(id=name, vendor="Taxi", on=_DAY, account=_BANK, lines=lines) for name in ("s1", "s2")]
    done.append(plan := await books.spend(spends, retry_refused=True))
    await books.apply(plan)
    files = [BillFile(bill_id=name, name="scan.pdf", content=_SCAN) for name in ("b1", "s1")]
    done.append(plan := await books.attach(files, retry_refused=True))
    await books.apply(plan)
    if world.has_come(0.4):
        changed: list[Bill | CardSpend] = [
            _paper("b1", "33.00"),
            _paper("c1", "-11.00"),
            evolve(spends[0], reference="changed"),
        ]
        done.append(plan := await books.update(changed, retry_refused=True))
        await books.apply(plan)
    if world.has_come(0.5):
        done.append(plan := await books.void(["b2", "c1", "s2"], retry_refused=True))
        await books.apply(plan)
    return nothing_left(*done)


def _each_paper_once(world: World) -> Iterator[str]:
    books = world.books
    bills = [(each.number, each.total) for each in books.invoices if each.is_posted]
    yield from _said("bills", bills, [("b1", Decimal(33))])
    yield from _said("credits", [each.number for each in books.credit_notes if each.is_posted], [])
    spent = [each for each in books.bank_transactions if each.status == "AUTHORISED"]
    yield from _said("spent", [each.total for each in spent], [Decimal(8)])
    yield from _said("receipts", [(each.reference or "").split()[0] for each in spent], ["changed"])
    filed = [each.id for each in books.invoices if each.number == "b1"]
    for owner in (*filed, *(each.id for each in spent)):
        yield from _said("files", [each.name for each in books.attachments_of(owner)], ["scan.pdf"])


# Setting up: an account is opened, another gets payments enabled, and everything is looked at.


async def _set_up(xero: AsyncXero, world: World) -> bool:
    sales = AsyncReceivables(xero, clearing_account=_TO_ENABLE)
    done: list[Plan | Recovery] = [await sales.recover()]
    done.append(plan := await sales.open_accounts([WantedAccount.clearing(_OPENED, "Collections")]))
    await sales.apply(plan)
    if world.has_come(0.3):
        done.append(plan := await sales.prepare())
        await sales.apply(plan)
        await sales.clearing_accounts()
        await sales.matches([Customer(id="7", custom_identifier="Ana")])
        bills = AsyncPayables(xero)
        await bills.import_accounts()
        done.append(plan := await bills.import_reference())
        await bills.apply(plan)
        for plan in (await bills.handle_outside(["b"]), await bills.take_up_again(["b"])):
            await bills.apply(plan)
        await bills.handled_outside()
        (await sales.reconcile([])).plan(Fix.IGNORE)
        await sales.clearing_statement(_DAY, _DAY)
        await sales.settlement_report([])
        done.append(await sales.undo_settlement(Settlement(id="S0", on=_DAY, lines=[_never_settled()])))
    return nothing_left(*done)


def _never_settled() -> SettlementLine:
    return SettlementLine(id="never", transaction="never", amount=_nzd("1.00"))


def _each_account_once(world: World) -> Iterator[str]:
    opened = [each for each in world.books.accounts if each.code == _OPENED]
    yield from _said("opened", [(each.name, each.enable_payments) for each in opened], [("Collections", True)])
    yield from _said("enabled", [world.books.account(_TO_ENABLE).enable_payments], [True])


# One payment that Xero never answers, among others: it is parked, they are posted, and a person lets it go in the end.


async def _pay_among_poison(xero: AsyncXero, world: World) -> bool:
    del world
    sales, ledger = AsyncReceivables(xero, clearing_account=_CLEARING), AsyncLedger(xero)
    done: list[Plan | Recovery] = [await ledger.recover()]
    done.append(plan := await sales.match([Customer(id="7", custom_identifier="Ana")]))
    await sales.apply(plan)
    done.append(plan := await sales.import_invoices())
    await sales.apply(plan)
    transactions = {each.invoice_number: each.id for each in await sales.transactions()}
    parts = [
        SettlementLine(id=f"part {amount}", transaction=transactions["INV-1"], amount=_nzd(amount))
        for amount in ("20.00", _POISON, "21.00")
    ]
    settlement = Settlement(id="S1", on=_DAY, lines=parts)
    done.append(plan := await sales.settle(settlement, retry_refused=True))
    await sales.apply(plan)
    if await ledger.parked():
        await ledger.release(["nothing of this name"])
        return nothing_left(*done[1:])
    return False


def _all_but_the_poison(world: World) -> Iterator[str]:
    (first,) = [each for each in world.books.invoices if each.number == "INV-1"]
    paid = sorted(each.amount for each in world.books.payments_of(first.id))
    yield from _said("paid", paid, [Decimal(20), Decimal(21)])
    tenant = world.books.tenant_id
    parked = [each.key for each in world.store.kept.query("intent", tenant, states=["parked"])]
    yield from _said("parked", len(parked), 1)


async def _audited(xero: AsyncXero, world: World) -> bool:
    """As the collections, with an audit after each round."""
    is_done = await _collect(xero, world)
    ledger = AsyncLedger(xero)
    await ledger.audit()
    await ledger.drift()
    await ledger.why("INV-1/0")
    await ledger.trail()
    return is_done


# Pairing: by name, by number, by hand, with contacts that must be created, some of them beside an archived one.


def _contacts(world: World) -> None:
    for name in ("Ana", "Diaz", "Diaz Ltd", "Flo"):
        world.books.add_contact(name)
    world.books.archive_contact(world.books.add_contact("Eve").id)
    world.books.add_contact("Glue Ltd", TaxNumber="1")
    world.books.archive_contact(world.books.add_contact("Rope Ltd", AccountNumber="2").id)


_marked: Final[WeakSet[World]] = WeakSet()
"""The worlds in which lines were billable: the product knows that they are no longer, whatever its store forgot."""


async def _pair(xero: AsyncXero, world: World) -> bool:
    sales = AsyncReceivables(xero)
    done: list[Plan | Recovery] = [await sales.recover()]
    apart = world.has_come(0.5)
    found = [Customer(id=name, custom_identifier=name) for name in ("Ana", "Bea", "Eve", *(() if apart else ("Flo",)))]
    done.append(plan := await sales.match(found, create_missing=True, retry_refused=True))
    await sales.apply(plan)
    done.append(plan := await sales.create_contact(found[2], retry_refused=True))
    await sales.apply(plan)
    ids = {each.name: each.id for each in world.books.contacts}
    done.append(plan := await sales.link("Di", ids["Diaz"]))
    await sales.apply(plan)
    if apart:
        done.append(plan := await sales.move("Di", ids["Diaz Ltd"]))
        await sales.apply(plan)
    if apart:
        done.append(plan := await sales.unlink("Flo"))
        await sales.undo_links(await sales.apply(plan))
    done.append(plan := await sales.contact_updates(["Ana", "Bea", "Di"]))
    await sales.apply(plan)
    return nothing_left(*done, *await _pair_vendors(AsyncPayables(xero), world, apart=apart))


async def _pair_vendors(bills: AsyncPayables, world: World, *, apart: bool) -> list[Plan]:
    glue, twine = Vendor(name="Glue", tax_number="1"), Vendor(name="Twine", email="bills@twine.test")
    rope, ids = Vendor(name="Rope", account_number="2"), {each.name: each.id for each in world.books.contacts}
    found = [twine] if apart else [twine, glue]
    done = [plan := await bills.match(found, create_missing=True, retry_refused=True)]
    await bills.apply(plan)
    done.append(plan := await bills.create_vendor(rope, retry_refused=True))
    await bills.apply(plan)
    done.append(plan := await bills.link_vendor("A. Diaz", ids["Diaz"]))
    await bills.apply(plan)
    if apart:
        done.append(plan := await bills.move_vendor("A. Diaz", ids["Diaz Ltd"]))
        await bills.apply(plan)
        done.append(plan := await bills.unlink_vendor("Glue"))
        await bills.undo_links(await bills.apply(plan))
    await bills.matches([glue, twine, rope])
    papers = [_paper(name, "10.00", vendor) for name, vendor in (("tw", twine), ("ro", rope))]
    done.append(plan := await bills.submit(papers, retry_refused=True))
    await bills.apply(plan)
    for_ana = [_billable(each) for each in papers]
    if world not in _marked:
        done.append(plan := await bills.mark_billable(for_ana, retry_refused=True))
        await bills.apply(plan)
        if not plan and not plan.findings:
            _marked.add(world)
    if apart and world in _marked:
        done.append(plan := await bills.mark_billable([papers[0], for_ana[1]], retry_refused=True))
        await bills.apply(plan)
    return done


def _billable(paper: Bill) -> Bill:
    return evolve(paper, lines=[evolve(each, billable_to="Ana") for each in paper.lines])


def _each_contact_once(world: World) -> Iterator[str]:
    names = {each.id: each.name for each in world.books.contacts}
    standing = [each.name for each in world.books.contacts if each.status == "ACTIVE"]
    expected = ["Ana", "Bea", "Diaz", "Diaz Ltd", "Eve", "Flo", "Glue Ltd", "Rope", "Twine"]
    yield from _said("contacts", sorted(standing), expected)
    customers = {"Ana": "Ana", "Bea": "Bea", "Di": "Diaz Ltd", "Eve": "Eve"}
    # One that was created is connected without a link, and with one where the store has forgotten that.
    created = {"rope": "Rope", "twine": "Twine"}
    for kind, pairs, more in (("customer", customers, {}), ("vendor", {"a. diaz": "Diaz Ltd"}, created)):
        kept = world.store.kept.query("link", world.books.tenant_id, states=[kind])
        links = {str(link["host_id"]): names[link["xero_id"]] for link in (json.loads(each.body) for each in kept)}
        yield from _said(f"pairs of {kind}", {**more, **links}, {**more, **pairs})
    billed = sorted((each.number, names[each.contact_id]) for each in world.books.invoices)
    yield from _said("bills", billed, [("ro", "Rope"), ("tw", "Twine")])
    sources = {each.id: each.number for each in world.books.invoices}
    charged = sorted((sources[each.source_id], names[each.contact_id]) for each in world.books.linked_transactions)
    if world.was_restored and ("tw", "Ana") in charged:
        charged.remove(
            ("tw", "Ana")
        )  # it bears no mark: whom an older store has forgotten to have marked it, people did
    yield from _said("billable", charged, [("ro", "Ana")])


FLOWS: Final = (
    Flow(name="receivables", set_up=_sales, work=_collect, check=_each_part_once, share=4),
    Flow(name="payables", set_up=_nothing, work=_pay_bills, check=_each_bill_once, share=4),
    Flow(name="papers", set_up=_nothing, work=_file_papers, check=_each_paper_once),
    Flow(name="accounts", set_up=_nothing, work=_set_up, check=_each_account_once),
    Flow(name="imports", set_up=owed, work=import_and_follow, check=each_row_is_what_is_due),
    Flow(name="audited", set_up=_sales, work=_audited, check=_each_part_once),
    Flow(
        name="poison",
        set_up=_sales,
        work=_pay_among_poison,
        check=_all_but_the_poison,
        poison=_POISON.encode(),
        share=1,
    ),
    Flow(name="pairs", set_up=_contacts, work=_pair, check=_each_contact_once, share=1),
    Flow(name="settlements", set_up=sold, work=settle_whole, check=each_settlement_once, share=3),
    Flow(name="noted", set_up=sold_twice, work=write_with_notes, check=each_note_once, share=1),
    Flow(name="sales", set_up=customer, work=sell, check=each_sale_once),
    Flow(name="mended", set_up=billed, work=mend, check=each_thing_put_right, share=1),
    Flow(name="drifted", set_up=no_papers, work=put_back, check=each_as_it_was_written, share=1),
    Flow(name="undone", set_up=owed_in_error, work=settle_and_undo, check=nothing_stands, share=1),
    Flow(name="currencies", set_up=sold_abroad, work=trade_abroad, check=each_cent_of_both, share=1),
    Flow(name="begun", set_up=typed_before, work=begin, check=everything_once, share=1),
)
"""Every public flow of the library is in one of these."""


def flow_of(seed: int) -> Flow:
    """The flow that *seed* plays."""
    drawing = Random(f"flow {seed}")  # noqa: S311 - the same seed, the same flow
    return drawing.choices(FLOWS, [each.share for each in FLOWS])[0]


def flow_named(name: str) -> Flow:
    """The flow of this *name*. Raises `KeyError`."""
    return {flow.name: flow for flow in FLOWS}[name]


def names(flows: Iterable[Flow] = FLOWS) -> tuple[str, ...]:
    """What the *flows* are called."""
    return tuple(flow.name for flow in flows)
