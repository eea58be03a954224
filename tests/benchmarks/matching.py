"""
Pairing many customers with as many contacts: ``python -m tests.benchmarks.matching [--size N] [--rounds N] [--json]``.

Nineteen customers in twenty bear the name of a contact, some but for letter case; the names of the others have a letter
more, less or another, words in another order, or another legal form. The bare join is one dictionary of names, as ours
compares them; ours also asks for contact numbers, account numbers, e-mails and tax numbers, sees who is archived, taken
or ambiguous, and looks out for letters that look alike. Recall and precision are of the suggestions for those whose
name no contact bears: how many had their contact among the suggestions, and how many of the first suggestions were
right.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from attrs import frozen
from tests.benchmarks.turns import MEASURED_IN, report, take_turns

from xerosync import Customer
from xerosync.matching.contacts import Contacts
from xerosync.matching.names import plain_name
from xerosync.matching.pairing import Match, Matching, MatchStatus
from xerosync.models import Contact, ContactId, ContactStatus
from xerosync.resting import Uncollected

JOIN: Final = "bare dictionary"
AT_REST: Final = "bare dictionary, no garbage collected"
OURS: Final = "xerosync"
SUGGESTED: Final = "xerosync, with suggestions"
_SYLLABLES: Final = (
    "ba be bi bo bu da de di do du fa fe fi fo ga ge go ha he hi ho ka ke ki ko la le li lo lu ma me mi mo mu na ne ni "
    "no pa pe pi po ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa we wi za zo"
).split()
_TRADES: Final = "Trading Holdings Services Partners Builders Foods Motors Design Logistics Dental Farms Studio".split()
_FORMS: Final = ("Ltd", "Limited", "GmbH", "Pty Ltd", "Inc", "")


@frozen
class Field:
    """Contacts, customers, and whose contact each customer's is."""

    contacts: Sequence[Contact]
    customers: Sequence[Customer]
    right: dict[str, str]
    spoilt: frozenset[str]


def field(size: int) -> Field:
    """A field of *size* contacts and as many customers; always the same."""
    chance = random.Random(7)
    names = dict.fromkeys(_name(chance) for _ in range(size * 2))
    chosen = list(names)[:size]
    contacts = [
        Contact(contact_id=ContactId(f"{place:036}"), name=name, contact_status=ContactStatus.ACTIVE)
        for place, name in enumerate(chosen)
    ]
    customers: list[Customer] = []
    right: dict[str, str] = {}
    spoilt: set[str] = set()
    for place, name in enumerate(chosen):
        written = name.upper() if place % 7 == 0 else name
        if place % 20 == 0:
            written = _spoilt(name, chance)
            spoilt.add(f"c{place}")
        customers.append(Customer(id=f"c{place}", custom_identifier=written))
        right[f"c{place}"] = f"{place:036}"
    return Field(contacts, customers, right, frozenset(spoilt))


def _name(chance: random.Random) -> str:
    words = ["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))).title() for _ in range(2)]
    return " ".join(filter(None, [*words, chance.choice(_TRADES), chance.choice(_FORMS)]))


def _spoilt(name: str, chance: random.Random) -> str:
    words = name.split()
    match chance.randrange(3):
        case 0:
            word = chance.randrange(2)
            place = chance.randrange(1, len(words[word]))
            words[word] = words[word][:place] + chance.choice(["", "x", "xy"[:1]]) + words[word][place + 1 :]
        case 1:
            words[0], words[1] = words[1], words[0]
        case _:
            words.append("Group" if words[-1] in _TRADES else "Co")
    return " ".join(words)


def bare(given: Field) -> int:
    """How many a dictionary of names finds."""
    by_name: dict[str, list[Contact]] = {}
    for contact in given.contacts:
        by_name.setdefault(plain_name(contact.name or ""), []).append(contact)
    found = [by_name.get(plain_name(customer.custom_identifier), ()) for customer in given.customers]
    return sum(len(each) == 1 for each in found)


def bare_at_rest(given: Field) -> int:
    """The same while Python's collector of garbage rests, as it does in ours."""
    with Uncollected():
        return bare(given)


def ours(given: Field, *, suggest: bool) -> tuple[Match[Customer], ...]:
    """What the library says."""
    return Matching[Customer](Contacts(given.contacts)).match(given.customers, suggest=suggest)


def quality(given: Field, matches: Sequence[Match[Customer]]) -> tuple[float, float]:
    """Recall and precision of the suggestions."""
    asked = [each for each in matches if each.customer.id in given.spoilt and each.status is MatchStatus.NOT_IN_XERO]
    answered = [each for each in asked if each.suggestions]
    met = sum(given.right[each.customer.id] in {one.contact_id for one in each.suggestions} for each in asked)
    first = sum(given.right[each.customer.id] == each.suggestions[0].contact_id for each in answered)
    return met / max(len(asked), 1), first / max(len(answered), 1)


def _taken(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def main() -> int:
    """Print the figures as a Markdown table, or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    here = field(given.size)
    works: dict[str, Callable[[], object]] = {
        JOIN: lambda: bare(here),
        AT_REST: lambda: bare_at_rest(here),
        OURS: lambda: ours(here, suggest=False),
        SUGGESTED: lambda: ours(here, suggest=True),
    }
    taken = take_turns({name: partial(_taken, work) for name, work in works.items()}, rounds=given.rounds)
    recall, precision = quality(here, ours(here, suggest=True))
    rows = [
        {
            "Candidate": each.name,
            MEASURED_IN: f"{each.median:,.0f}",
            "nine tenths between": "{:,.0f} and {:,.0f}".format(*each.spread),
            "times the bare join": f"{1 / each.times_faster_than(taken[0]):.1f}",
        }
        for each in taken
    ]
    title = f"{given.size:,} customers and contacts; suggestions: recall {recall:.3f}, precision {precision:.3f}"
    report(title, list(rows[0]), rows, as_json=given.json)
    return 0 if recall >= 0.99 and precision >= 0.97 else 1


if __name__ == "__main__":
    sys.exit(main())
