"""
What explaining a clearing account costs: ``python -m tests.benchmarks.reconcile [--sizes N …] [--json]``.

A host's settled transactions against as many payments in the mirror and as many intents that link the two, in a SQLite
file; one payment in a thousand was removed in Xero. Then a thousand transactions more are explained with them, nine
times, of which the median is told. Beside the brief report and the whole one stand what merely reading the three costs,
the floor, which is a merge of the three from files that are sorted by one key, with exact amounts, and what it takes to
plan the payment of one invoice more.

Each candidate runs in a process of its own, split off from this one, so that each has its own peak of memory.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from datetime import date, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final
from uuid import UUID

import msgspec
from attrs import define, field, frozen
from tests.benchmarks.turns import memory_mb, report
from tests.conftest import BANK, DAY, Product, found_product, nzd

from xerosync import Receivables, Reconciliation, Settlement, SettlementLine, SettlementSettings, SQLiteStore
from xerosync.client._wire.codec import dump
from xerosync.engine.actions import MoveMoney, Pay, Pending
from xerosync.engine.intents import Intent, mark_of, record_key, tag_of
from xerosync.engine.mirror import BANK_TRANSACTIONS, PAYMENTS
from xerosync.engine.states import State
from xerosync.models import TenantId
from xerosync.storage import Record, RecordKey

_CLEARING: Final = "650"
_LINES: Final = 500
"""How many lines a settlement has."""
_REMOVED: Final = 1000
"""One payment in so many was removed in Xero."""
_CHANGES: Final = 1000
"""How many transactions come after the books were explained once."""
_DAY_S: Final = 86_400.0
_ROUNDS: Final = 9
"""How often books are rolled forward, each time by so many."""
_BRIEF: Final = "reconcile(brief=True)"
_MORE: Final = f"{_BRIEF}, {_CHANGES:,} more"
_ROLLED: Final = f"reconcile(since=…), {_CHANGES:,} more"
_ROLLED_OPEN: Final = f"{_ROLLED}, discrepancies open"
_ONE: Final = "settle() of one line"
_READING: Final = "reading alone"
_READING_MORE: Final = f"{_READING}, {_CHANGES:,} more"
_READS: Final = {
    _BRIEF: _READING,
    _MORE: _READING,
    _ROLLED: _READING_MORE,
    _ROLLED_OPEN: _READING_MORE,
}
"""What each candidate reads, net of which it is told too."""
_WHOLE: Final = frozenset({_BRIEF, _MORE})
"""What is compared with the floor, which reads it all, too."""
_SHORT: Final = frozenset({_READING_MORE, _ROLLED, _ROLLED_OPEN, _ONE})
"""What is told in milliseconds."""
_FLOOR: Final = "floor: merge of sorted files"
_TIMES_FLOOR_GOAL: Final = 1.5
_MEGABYTES_GOAL: Final = 200
_MORE_TIMES_FLOOR_GOAL: Final = 0.05 / 0.83
"""Of what the floor takes of a million: 50 ms were aimed at where that took 0.83 s."""
_SIZES: Final = (10_000, 100_000, 1_000_000)
_WHOLE_UP_TO: Final = 10_000
_STAMP: Final = "/Date(1767571202009+0000)/"


@frozen
class Measured:
    """What one candidate took, in seconds of processor time and on the wall, and at its peak, in MB."""

    name: str
    processor_s: float
    wall_s: float
    peak_mb: float
    grown_mb: float


def settlements(count: int, first: int = 0) -> Iterator[Settlement]:
    """
    The settlements of *count* transactions, each paid out two days later, as a host would read them one by one; those
    from the transaction *first* on.
    """
    for start in range(first, count, _LINES):
        place, on = start // _LINES, _day(start)
        lines = [
            SettlementLine(id=f"c-{number}", transaction=f"t-{number}", amount=nzd(_amount(number)))
            for number in range(start, min(start + _LINES, count))
        ]
        yield Settlement(id=f"s-{place}", on=on, lines=lines, paid_out_on=on + timedelta(days=2))


def _amount(number: int) -> Decimal:
    return Decimal(100 + number * 37 % 99_900).scaleb(-2)


def _day(number: int) -> date:
    return DAY + timedelta(days=number // _LINES % 300)


@define
class Books:
    """A product whose *count* transactions were all collected and paid out; some payments were *removed* since."""

    product: Product
    sales: Receivables
    writing: _Writing
    count: int = 0
    put_back: int = 0

    @property
    def removed(self) -> int:
        """How many payments were removed, and not put back."""
        return len(range(self.put_back, self.count, _REMOVED))

    def restore(self) -> None:
        """Let every payment that was removed stand again, in the store and in the books' balance."""
        store, tenant = self.product.store, self.writing.tenant
        numbers = range(self.put_back, self.count, _REMOVED)
        written = store.get_many([record_key(tenant, Pending(Pay.kind, f"c-{number}")) for number in numbers])
        ids = [dict(each.lookups)["xero_id"] for each in written if each is not None]
        removed = store.get_many([RecordKey(PAYMENTS.kind, tenant, each) for each in ids])
        stands = [each.with_body(each.body.replace("DELETED", "AUTHORISED")) for each in removed if each is not None]
        store.commit(stands)
        balance = sum(map(_amount, numbers), Decimal(0))
        self.product.books.add_journal("put back", {_CLEARING: balance, "404": -balance}, date=DAY)
        self.put_back = self.count

    @classmethod
    def founded(cls, file: Path, count: int) -> Books:
        """Books of which the store has everything, and the simulator the balance; those in *file* if it is there."""
        is_there = file.exists()
        product = found_product()
        product.store = SQLiteStore(file)
        for kind in ("grant", "connection"):  # of the simulator that it was founded with
            tenant = "" if kind == "grant" else product.books.tenant_id
            product.store.commit([], deletes=[each.identity for each in product.store.query(kind, tenant)])
        product.clock.advance(_DAY_S)  # or all of the chart would bear one stamp, and be read whole with each change
        product.books.add_account(_CLEARING, "Clearing", type="CURRENT", enable_payments=True)
        chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
        sales = Receivables(product.xero(), clearing_account=_CLEARING, settlements=chosen)
        if not is_there:
            sales.reconcile([])  # reads what there is, so that what follows is taken as read
        books = cls(product, sales, _Writing(product))
        books.collect(count, is_there=is_there)
        return books

    def collect(self, more: int, *, is_there: bool = False) -> None:
        """Let the store have *more* transactions, unless it has, and the books what they and their payouts come to."""
        end = self.count + more
        for start in range(self.count, end, _LINES) if not is_there else ():
            self.product.store.commit(self.writing.lines(start, min(start + _LINES, end)))
        first = self.count + -self.count % _REMOVED
        balance = sum((_amount(number) for number in range(first, end, _REMOVED)), Decimal(0))
        self.product.books.add_journal("what the store has", {_CLEARING: -balance, "404": balance}, date=DAY)
        self.count = end

    def ends(self) -> dict[str, str]:
        """Where the changes of each kind end that the store has."""
        last = [each.identity for each in self.writing.lines(self.count - _LINES, self.count)]
        there = [each for each in self.product.store.get_many(last) if each is not None]
        cursor = self.product.store.cursor
        return {
            kind: cursor(max((each for each in there if each.kind == kind), key=_by_change), "changed")
            for kind, _ in _STREAMS
        }

    def forget(self, more: int) -> None:
        """Let the store have no more than this product knows of, where another process collected *more*."""
        end = self.count + more
        for start in range(self.count, end, _LINES):
            there = self.writing.lines(start, min(start + _LINES, end))
            self.product.store.commit([], deletes=[each.identity for each in there])


def _by_change(record: Record) -> tuple[int, str]:
    return record.changed, record.key


class _Writing:
    """The records of what was posted, as applying it would have left them."""

    def __init__(self, product: Product) -> None:
        self.tenant: Final = TenantId(product.books.tenant_id)
        self.app: Final = product.app.client_id
        self.account: Final = product.books.account(_CLEARING).id
        self.bank: Final = product.books.account(BANK).id
        self.chance = Random()

    def lines(self, first: int, end: int) -> list[Record]:
        """What stands for the lines from *first* on, and for the payout of their settlement."""
        settlement, on = f"s-{first // _LINES}", _day(first)
        self.chance = Random(first)
        found: list[Record] = []
        for number in range(first, end):
            found += self._collected(number, settlement, on)
        net = sum((_amount(number) for number in range(first, end)), Decimal(0))
        return [*found, *self._paid_out(settlement, on + timedelta(days=2), net)]

    def _collected(self, number: int, settlement: str, on: date) -> Iterator[Record]:
        amount, transaction = _amount(number), f"t-{number}"
        invoice = self._id()
        facts = {"transaction": transaction, "settlement": settlement, "collected": str(amount)}
        intent = Intent(
            tenant=self.tenant,
            operation=Pending(Pay.kind, f"c-{number}"),
            payload={
                "Invoice": {"InvoiceID": invoice},
                "Account": {"AccountID": self.account},
                "Date": on.isoformat(),
                "Amount": amount,
                "Reference": f"INV-{number}",
            },
            state=State.CONFIRMED,
            xero_id=self._id(),
            basis=f'[["invoice", "{invoice}", "{_STAMP}"]]',
            facts=facts | {"settled_on": on.isoformat()},
            stamp=_STAMP,
        )
        link = {"host_id": transaction, "xero_id": invoice, "customer": "1", "amount": str(amount), "currency": "NZD"}
        yield intent.record()
        yield self._payment(intent, invoice, amount, on, stands=number % _REMOVED > 0)
        yield Record(
            "link", self.tenant, f"transaction/{transaction}", dump(link).decode(), "transaction", None,
            (("xero_id", invoice),),
        )  # fmt: skip

    def _payment(self, intent: Intent, invoice: str, amount: Decimal, on: date, *, stands: bool) -> Record:
        mark = mark_of(intent.key, self.app)
        body = {
            "Account": {"AccountID": self.account},
            "Amount": amount,
            "BankAmount": amount,
            "CurrencyRate": Decimal("1.000000"),
            "Date": _wire(on),
            "Invoice": {"Type": "ACCREC", "InvoiceID": invoice, "CurrencyCode": "NZD"},
            "IsReconciled": False,
            "PaymentID": intent.xero_id,
            "PaymentType": "ACCRECPAYMENT",
            "Reference": f"INV {mark}",
            "Status": "AUTHORISED" if stands else "DELETED",
            "UpdatedDateUTC": _STAMP,
        }
        tag, _, sign = mark.partition(".")
        lookups = (("invoice", invoice), ("account", self.account), ("tag", tag), ("sign", sign))
        return Record(PAYMENTS.kind, self.tenant, intent.xero_id or "", dump(body).decode(), _STAMP, None, lookups)

    def _paid_out(self, settlement: str, on: date, net: Decimal) -> Iterator[Record]:
        day = on.isoformat()
        intent = Intent(
            tenant=self.tenant,
            operation=Pending(MoveMoney.kind, f"payout/{settlement}"),
            payload={"Type": "RECEIVE", "BankAccount": {"AccountID": self.bank}, "Date": day},
            state=State.CONFIRMED,
            xero_id=self._id(),
            basis="[]",
            facts={"settlement": settlement, "on": day, "account": self.account, "effect": str(-net), "dated": day},
        )
        body = {
            "BankAccount": {"AccountID": self.bank},
            "BankTransactionID": intent.xero_id,
            "Date": _wire(on),
            "IsReconciled": False,
            "Reference": f"Payout {settlement} {mark_of(intent.key, self.app)}",
            "Status": "AUTHORISED",
            "Total": net,
            "Type": "RECEIVE",
            "UpdatedDateUTC": _STAMP,
        }
        lookups = (("account", self.bank), ("tag", tag_of(intent.key)))
        yield intent.record()
        yield Record(
            BANK_TRANSACTIONS.kind, self.tenant, intent.xero_id or "", dump(body).decode(), _STAMP, None, lookups
        )

    def _id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))


def _wire(on: date) -> str:
    return f"/Date({(on - date(1970, 1, 1)).days * 86_400_000}+0000)/"


def briefly(books: Books) -> None:
    """Only what is not as it should be."""
    _check(books, books.sales.reconcile(settlements(books.count), brief=True))


@define
class RollingForward:
    """
    A brief report of *books* that is taken before anything is timed, and rolled forward by what is collected then.

    Those that are *clean* have no discrepancy by then.
    """

    books: Books
    clean: bool
    report: Reconciliation | None = None

    def prepare(self) -> None:
        """Explain all there is, unless it is explained, and collect some more."""
        if self.clean:
            self.books.restore()
        if self.report is None:
            self.report = self.books.sales.reconcile(settlements(self.books.count), brief=True)
        self.books.collect(_CHANGES)

    def run(self) -> None:
        """Only what is more."""
        given = settlements(self.books.count, self.books.count - _CHANGES)
        self.report = self.books.sales.reconcile(given, since=self.report)
        _check(self.books, self.report)


@define
class OneLine:
    """One more invoice that is collected, besides all that *books* have: planned, and not applied."""

    books: Books
    invoices: list[str] = field(factory=list[str])

    def prepare(self) -> None:
        """Let there be another invoice, which is imported."""
        self.invoices.append(self.books.product.collectable("10.00", f"{len(self.invoices):03} Ltd").id)

    def run(self) -> None:
        """Plan its payment."""
        line = SettlementLine(id="one", transaction=self.invoices[-1], amount=nzd(10))
        plan = self.books.sales.settle(Settlement(id="one", on=DAY, lines=[line]))
        if [each.kind for each in plan] != [Pay.kind]:
            raise SystemExit(f"planned {plan}")


def whole(books: Books) -> None:
    """Every line and every movement as a value."""
    _check(books, books.sales.reconcile(list(settlements(books.count))))


def _check(books: Books, found: Reconciliation) -> None:
    removed = [each for each in found.discrepancies if each.code == "removed in Xero"]
    if len(removed) != books.removed or len(found.discrepancies) != books.removed or not found.explained:
        raise SystemExit(f"found {len(found.discrepancies)} discrepancies of {books.removed}\n{found}"[:2000])


class _Moved(msgspec.Struct, rename="pascal", gc=False):
    amount: Decimal
    date: str


class _Written(msgspec.Struct, gc=False):
    host_ref: str
    payload: _Moved
    xero_id: str


class _Paid(_Moved, gc=False):
    payment_id: str = msgspec.field(name="PaymentID")


_STREAMS: Final = (("intent", _Written), (PAYMENTS.kind, _Paid))


def reading(books: Books) -> None:
    """The three streams once, each row decoded to its id, amount and day, and nothing done with it."""
    tenant, store = books.product.books.tenant_id, books.product.store
    lookups = {"intent": ("kind", Pay.kind), PAYMENTS.kind: ("account", _account(books))}
    for kind, row in _STREAMS:
        decode = msgspec.json.Decoder(row).decode
        after: str | None = None
        while page := store.query(kind, tenant, lookup=lookups[kind], after=after):
            for record in page:
                decode(record.body)
            after = store.cursor(page[-1], "key")
    _walk(settlements(books.count))


@define
class ReadingMore:
    """What comes to *books* since they were read, read alone as `reading` does: what rolling forward reads, too."""

    books: Books
    after: dict[str, str] = field(factory=dict[str, str])

    def prepare(self) -> None:
        """Note where the changes end, and collect some more."""
        self.after = self.books.ends()
        self.books.collect(_CHANGES)

    def run(self) -> None:
        """Only what is more."""
        tenant, store = self.books.product.books.tenant_id, self.books.product.store
        for kind, row in _STREAMS:
            decode = msgspec.json.Decoder(row).decode
            read = 0
            for record in store.query(kind, tenant, order="changed", after=self.after[kind], limit=2 * _CHANGES):
                with suppress(msgspec.ValidationError):  # the intent of a payout has another payload
                    decode(record.body)
                    read += 1
            if read != _CHANGES:
                raise SystemExit(f"read {read} of {kind}")
        _walk(settlements(self.books.count, self.books.count - _CHANGES))


def _walk(given: Iterable[Settlement]) -> None:
    for settlement in given:
        for _ in settlement.lines:
            pass


def _account(books: Books) -> str:
    return books.product.books.account(_CLEARING).id


def merging(folder: Path, count: int) -> None:
    """The three streams from sorted files, merged by one key, with exact amounts: the least that any way must do."""
    left = removed = 0
    names = [folder / f"sorted-{each}" for each in ("transactions", "payments", "links")]
    with names[0].open() as transactions, names[1].open() as payments, names[2].open() as links:
        paid, linked = _parsed(payments), _parsed(links)
        payment, link = next(paid, _END), next(linked, _END)
        for transaction in _parsed(transactions):
            if transaction == link and transaction == payment:
                payment, link = next(paid, _END), next(linked, _END)
            elif transaction == link:
                removed, link = removed + 1, next(linked, _END)
            else:
                left += 1
    if left or removed != len(range(0, count, _REMOVED)):
        raise SystemExit("the floor is not what it should be")


_END: Final = "", Decimal(0)


def _parsed(lines: Iterable[str]) -> Iterator[tuple[str, Decimal]]:
    for line in lines:
        key, _, amount = line.partition("\t")
        yield key, Decimal(amount)


def write_sorted(folder: Path, count: int) -> None:
    """The files that `merging` reads."""
    rows = [f"{number:09}\t{_amount(number)}\n" for number in range(count)]
    for each in ("transactions", "links"):
        (folder / f"sorted-{each}").write_text("".join(rows))
    (folder / "sorted-payments").write_text("".join(row for at, row in enumerate(rows) if at % _REMOVED))


def measured(
    name: str, run: Callable[[], None], prepare: Callable[[], None] = lambda: None, *, rounds: int = 1
) -> Measured:
    """What *run* takes in a process of its own, each time once it is *prepared*; of all rounds the median."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, run, prepare, rounds))
    process.start()
    theirs.close()
    try:
        figures: tuple[float, float, float, float] = ours.recv()
    except EOFError:
        raise SystemExit(f"{name} failed") from None
    process.join()
    return Measured(name, *figures)


def _run(pipe: Connection, run: Callable[[], None], prepare: Callable[[], None], rounds: int) -> None:
    taken = [_round(run, prepare) for _ in range(rounds)]
    pipe.send(tuple(map(median, zip(*taken, strict=True))))


def _round(run: Callable[[], None], prepare: Callable[[], None]) -> tuple[float, float, float, float]:
    prepare()
    gc.collect()  # what was made before is not to be looked through now
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before, wall, processor = memory_mb(), time.perf_counter(), time.process_time()
    run()
    processor, wall = time.process_time() - processor, time.perf_counter() - wall
    peak = memory_mb(most=True)
    return processor, wall, peak, peak - before


def candidates(count: int, folder: Path) -> Iterator[Measured]:
    """Every candidate over *count* transactions, one after another."""
    books = Books.founded(folder / _name(count), count)
    with closing(books.product.store):
        yield measured(_BRIEF, lambda: briefly(books))
        if count <= _WHOLE_UP_TO:
            yield measured("reconcile()", lambda: whole(books))
        yield measured(_READING, lambda: reading(books))
        more = ReadingMore(books)
        yield measured(_READING_MORE, more.run, more.prepare, rounds=_ROUNDS)
        books.forget(_ROUNDS * _CHANGES)
        for name, clean in ((_ROLLED_OPEN, False), (_ROLLED, True)):
            rolling = RollingForward(books, clean)
            yield measured(name, rolling.run, rolling.prepare, rounds=_ROUNDS)
            books.forget(_ROUNDS * _CHANGES)
        books.restore()  # as the last of them did in its own process
        books.collect(_CHANGES)
        yield measured(_MORE, lambda: briefly(books))
        one = OneLine(books)
        yield measured(_ONE, one.run, one.prepare, rounds=_ROUNDS)
    write_sorted(folder, count)
    yield measured(_FLOOR, lambda: merging(folder, count))


def _copy_kept(kept: Path, folder: Path, count: int) -> None:
    """Let *folder* have the books that are *kept*, which are founded unless they are."""
    kept.mkdir(parents=True, exist_ok=True)
    file = kept / _name(count)
    if not file.exists():
        with closing(Books.founded(file, count).product.store):
            pass
    shutil.copy(file, folder)


def _name(count: int) -> str:
    return f"books-{count}.db"


def rows_of(count: int, taken: list[Measured]) -> Iterator[dict[str, str]]:
    """A row of the report for each candidate."""
    floor = next(each for each in taken if each.name == _FLOOR)
    for each in taken:
        places = 2 + (each.name in _SHORT)
        yield {
            "Candidate": each.name,
            "transactions": f"{count:,}",
            "s of processor time": f"{each.processor_s:.{places}f}",
            "net of reading": f"{net_of_reading(each, taken):.{places}f}" if each.name in _READS else "",
            "times the floor": f"{net_of_reading(each, taken) / floor.processor_s:.1f}" if each.name in _WHOLE else "",
            "s on the wall": f"{each.wall_s:.2f}",
            "peak MB": f"{each.peak_mb:.0f}",
            "MB more than before": f"{each.grown_mb:.0f}",
        }


def net_of_reading(candidate: Measured, taken: Iterable[Measured]) -> float:
    """What *candidate* took beyond merely reading what it looks at, in seconds of processor time."""
    return candidate.processor_s - next(each.processor_s for each in taken if each.name == _READS[candidate.name])


def reached(count: int, taken: list[Measured]) -> bool:
    """Whether the brief report of *count* was as quick as it is to be, after changes too, and kept as little."""
    by_name = {each.name: each for each in taken}
    brief, rolled, floor = by_name[_BRIEF], by_name[_ROLLED], by_name[_FLOOR]
    near = net_of_reading(brief, taken) <= _TIMES_FLOOR_GOAL * floor.processor_s
    soon = rolled.processor_s <= _MORE_TIMES_FLOOR_GOAL * floor.processor_s * 1_000_000 / count
    return near and soon and brief.peak_mb <= _MEGABYTES_GOAL


def main() -> int:
    """Print what each took, as a Markdown table or as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kept", type=Path, help="a folder in which books are kept, to be used again")
    given = parser.parse_args()
    by_size: dict[int, list[dict[str, str]]] = {}
    missed = False
    for count in sorted(given.sizes, reverse=True):  # the most first, since what founds them keeps some of its memory
        with TemporaryDirectory(prefix="xerosync-", ignore_cleanup_errors=True) as folder:
            if given.kept is not None:
                _copy_kept(given.kept, Path(folder), count)
            taken = list(candidates(count, Path(folder)))
            by_size[count] = list(rows_of(count, taken))
            missed = missed or not reached(count, taken)
    rows = [row for count in given.sizes for row in by_size[count]]
    report("Explaining a clearing account", list(rows[0]), rows, as_json=given.json)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
