"""Taking over what people typed in the place of a write: what is sure, what is held back, and what was let go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import (
    Action,
    Adopt,
    Pay,
    Pending,
    Refund,
)
from xerosync.engine.intents import DENIED, Intent, intent_key, is_denied
from xerosync.engine.mirror import (
    GONE,
    refresh,
)
from xerosync.engine.observed import intents_of, intents_with, stamped
from xerosync.engine.plans import Finding
from xerosync.engine.restoring import RESTORED, TAKING_BACK, being_taken_back
from xerosync.engine.states import POSTED, State
from xerosync.engine.typed import Dismiss, Pairing, Suspect, Typed, Wanted, in_doubt, not_it, pair
from xerosync.engine.written_on import TYPED, WRITTEN_ON

_TYPED: Final = "typed in Xero before"


@frozen(kw_only=True)
class PerhapsTyped:
    """
    What the library would have written for *wanted*: its *operation*, and what would be kept with it; of a bill or a
    credit note also the operation *paying* it, with what would be kept with that.
    """

    wanted: Wanted
    operation: Pending
    facts: Mapping[str, str]
    paying: Pending | None = None
    facts_paying: Mapping[str, str] = field(factory=dict[str, str])

    @property
    def operations(self) -> tuple[Pending, ...]:
        """All that it would have been written by."""
        return (self.operation,) if self.paying is None else (self.operation, self.paying)

    def taken_over(self, kind: type[Adopt], reason: str, one: Typed | None = None, *, revision: int = 1) -> Adopt:
        """
        The action that keeps it as *one* that was typed, or holds it back, or lets it go. By a later *revision* that
        takes the place of what is gone in Xero.
        """
        amount, on = (one or self.wanted).amount.amount, self.wanted.on
        paid = (one.pays if one is not None else "") or self.wanted.of
        payload: dict[str, object] = {"Date": (one.on or on if one is not None else on).isoformat()}
        if self.operation.kind == Pay.kind:
            payload |= {"Amount": str(amount), "Invoice": {"InvoiceID": paid}}
        elif self.operation.kind == Refund.kind:
            payload |= {"Amount": str(amount), "CreditNote": {"CreditNoteID": paid}}
        elif self.paying is not None:
            payload = {}  # the day is that of its payment
        else:
            payload |= {"Amount": str(abs(amount))}
        return kind(
            host_ref=self.operation.host_ref,
            reason=reason,
            seen=(one.seen,) if one is not None else (),
            revision=revision,
            facts={**self.facts, **dict([RESTORED] if revision > 1 else [])},
            adopted_kind=self.operation.kind,
            xero_id=one.xero_id if one is not None else "",
            payload=payload,
        )

    def payment(self, document: str) -> PerhapsTyped | None:
        """What would have paid it, the *document* being the bill or the credit note that it is; None where nothing."""
        if self.paying is None:
            return None
        wanted = Wanted(
            name=self.wanted.name,
            of=document,
            amount=self.wanted.amount,
            on=self.wanted.on,
            account=self.wanted.account,
        )
        return PerhapsTyped(wanted=wanted, operation=self.paying, facts=self.facts_paying)


@frozen(kw_only=True)
class Gone:
    """
    The *keys* of writes whose documents people have removed in Xero, and by them what is known of the next revision of
    each: the *answers* of people, where they gave any.
    """

    keys: AbstractSet[str]
    answers: Mapping[str, Intent]


@define
class TakingOver:
    """
    What was decided so far; what is *known* of a write already is left as it is, unless a person must say, or people
    have removed it, so that it is *gone*. *met* is all that people typed which was looked at.
    """

    known: Mapping[str, Intent]
    gone: Gone
    chosen: Mapping[str, str]
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])
    met: list[Typed] = field(factory=list[Typed])

    def is_open(self, intent: Intent | None) -> bool:
        """Whether a write of which *intent* is known may still be looked for among what people typed."""
        return intent is None or intent.state in {State.SUSPECT, State.REJECTED} or intent.key in self.gone.keys

    def decide(
        self, books: Books, writes: Iterable[PerhapsTyped], typed: Sequence[Typed], due: Mapping[str, Decimal]
    ) -> None:
        """Decide which of what was *typed* each of *writes* is; *due* is what is left to pay, by what it is of."""
        self.met += typed
        held: dict[str, Intent | None] = {}
        open_: dict[str, PerhapsTyped] = {}
        for each in writes:
            intent = self.known.get(intent_key(books.tenant, each.operation))
            if self.is_open(intent):
                open_[each.wanted.name], held[each.wanted.name] = each, intent
        found = pair([each.wanted for each in open_.values()], typed, self.chosen, due)
        for name, each in open_.items():
            self._settle(each, found, held[name])
            if name in found.sure:
                self._take_payment(books, each, found.sure[name])

    def _take_payment(self, books: Books, write: PerhapsTyped, one: Typed) -> None:
        """Take over the payment of *one*, a bill or a credit note, too, where it has one."""
        payment = write.payment(one.xero_id)
        if payment is None or one.paid is None:
            return
        known = self.known.get(intent_key(books.tenant, payment.operation))
        if self.is_open(known):
            paid = evolve(one, seen=one.paid.seen, on=one.paid.on, amount=abs(one.amount))
            self.actions.append(payment.taken_over(Adopt, _TYPED, paid, revision=self._revision(known)))

    def _settle(self, write: PerhapsTyped, found: Pairing, held: Intent | None) -> None:
        name, revision = write.wanted.name, self._revision(held)
        is_held = held is not None and held.state is State.SUSPECT
        candidates = found.doubtful.get(name) or found.none.get(name, ())
        is_new = not all(self._is_denied(held, each) for each in candidates)
        if name in found.sure:
            one = found.sure[name]
            differs = ", ".join(write.wanted.differs(one))
            reason = f"{_TYPED}, {differs}: chosen by a person" if differs else _TYPED
            self.actions.append(write.taken_over(Adopt, reason, one, revision=revision))
        elif name in found.none or (is_held and name not in found.doubtful and name not in found.wrong):
            if is_held or (revision > 1 and is_new):
                none = write.taken_over(Dismiss, "nothing in Xero is the same", revision=revision)
                denied = " ".join(each.xero_id for each in candidates)
                self.actions.append(evolve(none, facts={**none.facts, DENIED: denied}))
        elif name in found.wrong or (name in found.doubtful and is_new):
            is_wrong = name in found.wrong
            self.findings.append(not_it(write.wanted) if is_wrong else in_doubt(write.wanted, candidates))
            if not is_held:
                doubt = "perhaps typed in Xero before: a person must say"
                self.actions.append(write.taken_over(Suspect, doubt, revision=revision))

    def is_anew(self, books: Books, write: PerhapsTyped) -> bool:
        """Whether *write* would take the place of what people removed."""
        return self._revision(self.known.get(intent_key(books.tenant, write.operation))) > 1

    def _revision(self, held: Intent | None) -> int:
        """By which revision something is taken over of which *held* is known: what is gone keeps its own."""
        return 1 if held is None else held.operation.revision + (held.key in self.gone.keys)

    def _is_denied(self, held: Intent | None, typed: Typed) -> bool:
        """Whether a person said that what was *typed* is not that of which *held* is known."""
        answer = self.gone.answers.get(held.key, held) if held is not None else None
        return answer is not None and is_denied(answer, typed.xero_id)


async def removed_by_people(books: Books, known: Iterable[Intent]) -> Gone:
    """Those of the *known* whose documents people have removed in Xero: what was typed since may be in their place."""
    writes = [each for each in known if each.state in POSTED and each.operation.kind in TYPED]
    posted = [each for each in writes if each.xero_id]
    shelves = {WRITTEN_ON[kind][0].name: WRITTEN_ON[kind] for kind in sorted({each.operation.kind for each in posted})}
    await refresh(books, *(shelf for shelf, _ in shelves.values()))
    removed: set[str] = set()
    for shelf, model in shelves.values():
        found = await stamped(books, shelf, model, (each.xero_id or "" for each in posted))
        removed |= {xero_id for xero_id, (document, _) in found.items() if document.status in GONE}
    ours = set(await being_taken_back(books))
    for xero_id in removed:
        if any(one.operation.kind in TAKING_BACK for one in await intents_with(books, lookup=("xero_id", xero_id))):
            ours.add(xero_id)
    # Of a batch that was found removed, Xero may not say which its payments were (F 4.25).
    nameless = [each for each in writes if not each.xero_id and each.state is State.REMOVED]
    gone = [*nameless, *(each for each in posted if each.xero_id in removed - ours)]
    anew = {evolve(each.operation, revision=each.operation.revision + 1): each.key for each in gone}
    answers = {anew[each.operation]: each for each in (await intents_of(books, anew)).values()}
    return Gone(keys=frozenset(anew.values()), answers=answers)
