"""Reading the record: the lines of a run, and why a document is there, in sentences."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final, cast

from attrs import frozen

from xerosync.client._books import Books
from xerosync.engine.actions import (
    BILL_PAYMENT,
    CUSTOMER,
    SALE,
    TRANSACTION,
    VENDOR,
    CreateContact,
    Pending,
    SetImportPolicy,
    link_key,
)
from xerosync.engine.bringing import LinkBill, UpdateBill
from xerosync.engine.handled import BILL, PAYMENT, RECEIPT, HandleOutside
from xerosync.engine.intents import Intent, read_intent, record_key, tag_in
from xerosync.engine.kinds import KINDS
from xerosync.engine.mirror import SHELVES, mirror_key, our_tag, records, stored
from xerosync.engine.observed import intents_with
from xerosync.engine.pair_actions import ConnectCustomer, UpdateCustomer
from xerosync.engine.paper_actions import CARD, SUPPLIER, LinkSpend
from xerosync.engine.payouts import FEES, PAYOUT
from xerosync.engine.plans import WORDS
from xerosync.engine.settlement_books import COUNTER, SURPLUS
from xerosync.engine.states import MOVES, State
from xerosync.engine.strays import document_of
from xerosync.engine.trail import ABOUT, RUN, TRAIL, TrailLine, TrailStep, read_lines
from xerosync.engine.vendors import vendor_key
from xerosync.errors import InvalidInput
from xerosync.tables import Tabular
from xerosync.texts import plain_id

_PREFIXES: Final = ("", BILL_PAYMENT, CARD, CUSTOMER, SALE, SUPPLIER, FEES, PAYOUT, SURPLUS, COUNTER)
_NOTHING: Final = "Nothing is recorded of it: this library did not write it."
_LOST: Final = "Nothing is recorded of this mark: another store wrote it, or this one was set back; see audit()."
_OURS: Final = (
    "Nothing is recorded of it, and yet it bears our mark: another store wrote it, or this one was set back; see "
    "audit()."
)
_UNREAD: Final = (
    "Nothing is recorded of it, and it is not among what was read from Xero so far: plan or audit(), and ask again."
)
_LINKS: Final = (
    TRANSACTION,
    ConnectCustomer.kind,
    UpdateCustomer.kind,
    SetImportPolicy.kind,
    LinkBill.kind,
    UpdateBill.kind,
    LinkSpend.kind,
)
"""The kinds of links that are kept under the host's id alone."""
_XERO_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RENEWED: Final = "the access token was renewed, and the new one kept"
_TAKING_BACK: Final = frozenset({"remove", "delete", "void"})
_PAGE: Final = 200
_BREAKS: Final = str.maketrans({each: f"\\u{ord(each):04x}" for each in "\x85\u2028\u2029"})
"""Where str.splitlines() and others end a line, and JSON does not; JSON escapes all the rest itself."""

_SAYS: Final[Mapping[TrailStep, str]] = {
    TrailStep.BEGAN: "a run began, of {actions} actions ({kinds})",
    TrailStep.DECIDED: "{what}{to_do} was decided: {reason}",
    TrailStep.LEFT_OUT: "{what} was left out, {code}: {reason}",
    TrailStep.LINKED: "{what} was remembered: {reason}",
    TrailStep.FINDING: "a person was told of {host_id}: {code}",
    TrailStep.RECOVERED: "what was left open was closed: {found} found in Xero, {sent} sent, {open} still open",
    TrailStep.ENDED: "the run ended, with {done} done, {findings} findings, {calls} calls",
    TrailStep.STOPPED: "the run was broken off by {error}; the next one goes on",
}


@frozen(kw_only=True, repr=False)
class Trail(Tabular):
    """
    Lines of the record, oldest first.

    *after* is where `Ledger.trail` goes on, so that an export begins where the last one ended. Printed, it is a
    sentence a line; *silence* is what is said where there is none.
    """

    lines: tuple[TrailLine, ...] = ()
    after: str | None = None
    silence: str = _NOTHING

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[TrailLine]:
        return iter(self.lines)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What each line says, in words."""
        return tuple(map(sentence, self.lines)) or (self.silence,)

    def rows(self) -> list[dict[str, str]]:
        """One row a line, all with the same columns, for a table or a dataframe."""
        names = list(dict.fromkeys(chain.from_iterable(each.as_dict() for each in self.lines)))
        return [{name: _cell(each.as_dict().get(name, "")) for name in names} for each in self.lines]

    def json_lines(self) -> str:
        """One JSON object a line, to be appended to a file or given to a log service."""
        told = (json.dumps(each.as_dict(), ensure_ascii=False) for each in self.lines)
        return "".join(f"{each.translate(_BREAKS)}\n" for each in told)

    def _shown(self) -> list[dict[str, str]]:
        return [
            {"at": f"{each.at:%Y-%m-%d %H:%M:%S}", "step": each.step.value, "what": f"{_said(each)}."}
            for each in self.lines
        ]

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def __repr__(self) -> str:
        return f"<Trail of {len(self.lines)} lines>"


async def read_trail(books: Books, *, run: str | None, after: str | None) -> Trail:
    """The lines of one *run*, or of all runs from the cursor *after* on, some hundred commits of them at a time."""
    if run is not None and after is not None:
        raise InvalidInput("after", "leave it out: the record of one run is given whole")
    if run is not None:
        return Trail(
            lines=tuple(
                [line async for record in records(books, TRAIL, lookup=(RUN, run)) for line in read_lines(record)]
            )
        )
    found = await books.storage.query(TRAIL, books.tenant, order="changed", after=after, limit=_PAGE)
    latest = await books.storage.cursor(found[-1], "changed") if found else after
    return Trail(lines=tuple(line for record in found for line in read_lines(record)), after=latest)


async def why(books: Books, wanted: str) -> Trail:
    """All that is recorded of the document, mark, or operation of the host's that *wanted* names."""
    writes = await _writes_of(books, wanted)
    about = dict.fromkeys(each.tag for each in writes)
    about |= dict.fromkeys(await _links_to(books, [wanted, plain_id(wanted), *_transactions_of(writes)]))
    found: dict[tuple[str, int], TrailLine] = {}
    for each in about:
        async for record in records(books, TRAIL, lookup=(ABOUT, each)):
            for place, line in enumerate(read_lines(record)):
                if each in line.about:
                    found[record.key, place] = line
    lines = tuple(line for _, line in sorted(found.items(), key=lambda one: one[0]))
    return Trail(lines=lines, silence=_NOTHING if lines else await _silence(books, wanted))


async def _silence(books: Books, wanted: str) -> str:
    """What is said of *wanted*, of which nothing is recorded: a store that was set back must not deny what is ours."""
    if tag_in(wanted) is not None:
        return _LOST
    document = plain_id(wanted)
    if not _XERO_ID.fullmatch(document):
        return _NOTHING
    read = await stored(books, [mirror_key(shelf, books.tenant, document) for shelf in SHELVES.values()])
    if any(our_tag(books, each) is not None for each in read):
        return _OURS
    if read:
        return _NOTHING
    # An audit keeps the marks that it meets, and not what they are on.
    met = [each async for each in records(books, "stray") if document_of(each) == document]
    return _OURS if met else _UNREAD


async def _writes_of(books: Books, wanted: str) -> list[Intent]:
    """Every write whose document, target, mark or host's id is *wanted*, and the batches that hold one."""
    tag = tag_in(wanted)
    if tag is not None:
        found = await intents_with(books, lookup=("tag", tag))
        for document in dict.fromkeys(each.xero_id for each in found if each.xero_id):
            found += await intents_with(books, lookup=("xero_id", document))
    else:
        found = await intents_with(books, lookup=("xero_id", plain_id(wanted)))
        for name in ("settlement", "undone", "charged_back_by"):
            found += await intents_with(books, lookup=(name, wanted))
        found += await _named(books, wanted)
    for batch in dict.fromkeys(each.facts["batch"] for each in found if "batch" in each.facts):
        found += await intents_with(books, lookup=("xero_id", batch))
    return found


async def _named(books: Books, host_id: str) -> list[Intent]:
    """The writes of the host's operation *host_id*, whatever their kind, each with those of later revisions."""
    wanted = [Pending(kind, prefix + host_id) for kind in KINDS for prefix in _PREFIXES]
    wanted.append(Pending(CreateContact.kind, vendor_key(host_id)))
    found: list[Intent] = []
    while wanted:
        kept = await stored(books, [record_key(books.tenant, each) for each in wanted])
        page = [read_intent(record) for record in kept]
        found += page
        wanted = [Pending(one.operation.kind, one.operation.host_ref, one.operation.revision + 1) for one in page]
    return found


def _transactions_of(writes: Iterable[Intent]) -> list[str]:
    """The transactions that *writes* collect or give back: how they came to be belongs to the answer."""
    return list(dict.fromkeys(each.facts["transaction"] for each in writes if "transaction" in each.facts))


async def _links_to(books: Books, wanted: Iterable[str]) -> list[str]:
    """The keys of the links from or to one of *wanted*."""
    keys: list[str] = []
    for each in wanted:
        keys += [link_key(kind, each) for kind in _LINKS]
        keys += [link_key(HandleOutside.kind, f"{what}/{each}") for what in (BILL, PAYMENT, RECEIPT)]
        keys.append(link_key(VENDOR, vendor_key(each)))
        keys += [record.key async for record in records(books, "link", lookup=("xero_id", each))]
    return keys


def sentence(line: TrailLine) -> str:
    """*line* in words."""
    return f"{line.at:%Y-%m-%d %H:%M:%S} UTC: {_said(line)}."


def _said(line: TrailLine) -> str:
    facts = {name: str(fact) for name, fact in line.facts.items()}
    match line.step:
        case TrailStep.CALL:
            return _call(facts)
        case TrailStep.MOVED:
            return _moved(facts)
        case TrailStep.RENEWAL:
            return f"the access token could not be renewed: {facts['error']}" if "error" in facts else _RENEWED
        case _:
            what, to_do = _what(facts) if "kind" in facts else ("", "")
            return _SAYS[line.step].format_map(defaultdict(str, facts, what=what, to_do=to_do))


def _what(facts: Mapping[str, str]) -> tuple[str, str]:
    """What an action is about, and what is to be done with it where that is not to post it."""
    one, _ = WORDS.get(facts["kind"], (facts["kind"], ""))
    noun, _, verb = one.rpartition(" to ")
    return f"{noun or one} {facts['host_id']}", f", to {verb}," if verb in _TAKING_BACK else ""


def _call(facts: Mapping[str, str]) -> str:
    said = f"answered {facts['status']}" if "status" in facts else facts["outcome"]
    correlation = f" (Xero-Correlation-Id {facts['correlation']})" if "correlation" in facts else ""
    return f"{facts['method']} {facts['path']} was {said}{correlation}".replace("was answer lost", "got no answer")


_NO_MOVES: Final[Mapping[State, str]] = {}


def _moved(facts: Mapping[str, str]) -> str:
    after = State(facts["state"])
    before = State(facts["before"]) if "before" in facts else None
    if before is None:
        because = "a person must say" if after is State.SUSPECT else "taken over as it is in Xero"
    else:
        because = MOVES.get(before, _NO_MOVES).get(after, "Xero gave no answer about it")
    xero_id = f", {facts['xero_id']}" if "xero_id" in facts else ""
    refused = f" ({facts['refused']})" if "refused" in facts else ""
    return f"it is {after.value}{xero_id}: {because}{refused}"


def _cell(value: object) -> str:
    return ", ".join(cast(list[str], value)) if isinstance(value, list) else str(value)
