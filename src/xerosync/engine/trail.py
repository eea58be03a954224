"""
The record of every run: what was decided and why, each call, and what became of each write.

Its lines lie in the very commits that they tell of, so that they cost none of their own, and cannot say anything else
than what is kept. They are added and never changed. They hold ids, kinds, words of this library and of Xero's protocol;
never a name, an amount, or a text of Xero's, which may quote either: of a refusal its code in the catalogue stands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import define, field, frozen

from xerosync.catalogue import explain
from xerosync.client._books import Books
from xerosync.client._usage import CALL, Run
from xerosync.engine.actions import BY_NAME, Action, CreateContact, CreateCustomerContact, Link, PayBatch
from xerosync.engine.intents import Intent, intent_key, tag_of
from xerosync.engine.plans import Finding
from xerosync.engine.states import State
from xerosync.engine.undo_actions import RemoveBatch
from xerosync.storage.protocol import Record

TRAIL: Final = "trail"
"""The kind of record that the lines are kept in."""

RUN: Final = "run"
"""What finds the lines of one run."""

ABOUT: Final = "about"
"""What finds the lines about one write, by its tag, or about one link, by its key."""

_LINES: Final = 250
_SAID_TOGETHER: Final = (State.INTENDED, State.SENT, State.UNKNOWN)
_HASHED: Final = 32

Fact = str | int


class TrailStep(StrEnum):
    """What a line of the record tells."""

    BEGAN = "began"
    """A plan is applied: how many actions of each kind it has, and how many findings."""
    DECIDED = "decided"
    """One action is to be done: its kind, the host's id, and the reason."""
    LEFT_OUT = "left out"
    """One action of the plan is not done, and why."""
    LINKED = "linked"
    """Something was remembered in the store alone."""
    CALL = "call"
    """A call to Xero has ended: method, path without ids, status, Xero's correlation id, bytes."""
    RENEWAL = "renewal"
    """An access token was renewed and kept, or could not be: of which consent, and the class of the error."""
    MOVED = "moved"
    """A write came to stand otherwise: the states before and after, and the id Xero gave."""
    FINDING = "finding"
    """Something needs a person."""
    RECOVERED = "recovered"
    """What an earlier run left open was closed."""
    ENDED = "ended"
    """The run came to its end: how much it did."""
    STOPPED = "stopped"
    """The run was broken off by an error; the next one goes on."""


@frozen(kw_only=True)
class TrailLine:
    """One line of the record: *about* are the tags of writes, or the keys of links."""

    run: str
    at: datetime
    step: TrailStep
    about: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(factory=dict[str, Fact])

    def as_dict(self) -> dict[str, object]:
        """This line as one flat object, as it is exported."""
        about = {"about": list(self.about)} if self.about else {}
        return {"run": self.run, "at": self.at.isoformat(), "step": self.step.value, **about, **self.facts}


@define
class Recorder:
    """Takes down what one run does, and gives it to the commits that the run makes anyway."""

    books: Books
    run: str
    _waiting: list[TrailLine] = field(factory=list[TrailLine], init=False)
    _place: int = field(default=0, init=False)
    _called_for: tuple[str, ...] = field(default=(), init=False)

    @classmethod
    def of(cls, books: Books, epoch: int) -> Recorder:
        """The recorder of a run that begins now, under the lease of this *epoch*."""
        return cls(books, f"{books.clock.now():%Y-%m-%dT%H:%M:%S.%fZ}/{epoch}")

    def listening(self) -> Run:
        """Hear of every call that is made, and every renewal of a token, while the block lasts."""
        return self.books.heard_run(self._heard)

    def note(self, step: TrailStep, about: Iterable[str] = (), **facts: Fact | None) -> None:
        """Take a line down; facts that are not known, or blank, are left out."""
        said = {name: fact for name, fact in facts.items() if fact is not None and fact != ""}
        self._waiting.append(
            TrailLine(run=self.run, at=self.books.clock.now(), step=step, about=tuple(about), facts=said)
        )

    def decided(self, actions: Iterable[Action]) -> None:
        """Take down that *actions* are to be done; of a batch of payments, each of them."""
        for action in actions:
            batch = self._tag(action) if isinstance(action, PayBatch | RemoveBatch) else ""
            self._decide(action)
            for payment in action.payments if isinstance(action, PayBatch | RemoveBatch) else ():
                self._decide(payment, within=batch)

    def left_out(self, action: Action, code: str, cause: str) -> None:
        """Take down that *action* is not done."""
        about = link_about(action) if isinstance(action, Link) else self._tag(action)
        self.note(TrailStep.LEFT_OUT, [about], kind=action.kind, host_id=host_id_of(action), code=code, reason=cause)

    def linked(self, links: Iterable[Link]) -> None:
        """Take down that *links* are remembered."""
        for link in links:
            self.note(
                TrailStep.LINKED,
                [link_about(link)],
                kind=link.kind,
                host_id=host_id_of(link),
                reason=link.on_record,
                xero_id=link.linked_id,
            )

    def moved(self, intents: Sequence[Intent], before: State | None) -> None:
        """Take down that *intents*, which stood *before* as said, are kept as they are now."""
        if before is None:
            intents = [each for each in intents if each.state is not State.INTENDED]  # that they are was said
        for state in _SAID_TOGETHER:
            if tags := [each.tag for each in intents if each.state is state]:
                self.note(TrailStep.MOVED, tags, before=before, state=state.value)
        for intent in intents:
            if intent.state not in _SAID_TOGETHER:
                refused = ", ".join(dict.fromkeys(map(_code, intent.messages)))
                self.note(
                    TrailStep.MOVED,
                    [intent.tag],
                    before=before,
                    state=intent.state.value,
                    xero_id=intent.xero_id,
                    refused=refused if intent.state is State.REJECTED else "",
                )

    @contextmanager
    def calls_for(self, intents: Iterable[Intent]) -> Generator[None]:
        """The calls heard in the block are for *intents*."""
        self._called_for = tuple(each.tag for each in intents)
        try:
            yield
        finally:
            self._called_for = ()

    def findings(self, findings: Iterable[Finding]) -> None:
        """Take down what needs a person: its code, and what it is about."""
        for each in findings:
            about = hidden(each.about) if each.root == f"vendor {each.about}" else each.about
            self.note(TrailStep.FINDING, code=each.code, host_id=about)

    def waiting(self) -> list[Record]:
        """The records of all lines that no commit has taken yet: put them into one, then call `kept`."""
        found: list[Record] = []
        pages = [self._waiting[start : start + _LINES] for start in range(0, len(self._waiting), _LINES)]
        for place, lines in enumerate(pages, start=self._place):
            body = json.dumps([_kept(line) for line in lines], separators=(",", ":"))
            about = dict.fromkeys(each for line in lines for each in line.about)
            lookups = [(RUN, self.run), *((ABOUT, each) for each in about)]
            key = f"{self.run}/{place:06d}"
            found.append(Record(TRAIL, self.books.tenant, key, body, "", None, tuple(lookups)))
        return found

    def kept(self, records: Sequence[Record]) -> None:
        """A commit has taken all that was waiting, as *records*."""
        self._place += len(records)
        self._waiting.clear()

    def _decide(self, action: Action, within: str = "") -> None:
        self.note(
            TrailStep.DECIDED,
            [self._tag(action)],
            kind=action.itself.kind,
            host_id=host_id_of(action),
            revision=action.revision,
            reason=action.on_record,
            within=within,
            seen=", ".join(f"{each.shelf} {each.document_id}" for each in action.seen),
        )

    def _tag(self, action: Action) -> str:
        return tag_of(intent_key(self.books.tenant, action.itself))

    def _heard(self, what: str, facts: Mapping[str, Fact]) -> None:
        if what == CALL:
            self.note(TrailStep.CALL, self._called_for, **facts)
        else:
            self.note(TrailStep.RENEWAL, (), **facts)


def host_id_of(action: Action) -> str:
    """The host's id in the record: a vendor is known by name, so that its hash takes the name's place."""
    by_name = action.kind in BY_NAME or (
        isinstance(action, CreateContact) and not isinstance(action, CreateCustomerContact)
    )
    return hidden(action.host_ref) if by_name else action.host_ref


def hidden(name: str) -> str:
    """What stands for *name* in the record."""
    return hashlib.sha256(name.encode()).hexdigest()[:_HASHED]


def link_about(link: Link) -> str:
    """What the lines about *link* are found by: the key it is kept under."""
    return link.key


def read_lines(record: Record) -> Iterator[TrailLine]:
    """The lines that *record* keeps."""
    run = record.key.rpartition("/")[0]
    for kept in json.loads(record.body):
        at, step, about, facts = kept
        yield TrailLine(run=run, at=datetime.fromisoformat(at), step=TrailStep(step), about=tuple(about), facts=facts)


def _kept(line: TrailLine) -> list[object]:
    return [line.at.isoformat(), line.step.value, list(line.about), dict(line.facts)]


def _code(message: str) -> str:
    explained = explain(message)
    return "not in the catalogue" if explained is None else explained.code
