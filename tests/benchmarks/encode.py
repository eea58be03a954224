"""
How fast 1,000 invoices become what is sent: ``python -m tests.benchmarks.encode [--rounds N] [--json]``.

The invoices are those of `tests.benchmarks.decode`. xero-python sends all it was given; xerosync checks each field
first, and leaves out what Xero alone writes. Nothing is collected meanwhile, as when the client creates documents.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Final

from tests.benchmarks.decode import OFFICIAL, XEROSYNC, page_of_invoices
from tests.benchmarks.turns import report, speeds, take_turns

from xerosync.client._wire import answers, codec, outgoing
from xerosync.models import Invoice
from xerosync.ports import Response
from xerosync.resting import Uncollected

GOAL: Final = 10.0


def candidates(body: bytes) -> dict[str, Callable[[], object]]:
    """What each does with the invoices of *body*, which it has read before."""
    rows = answers.envelope(Response(200, {}, body), "Invoices", Invoice).rows
    ours = codec.decode_all(Invoice, rows, where="Invoices")
    client = importlib.import_module("xero_python.api_client")
    finder = client.ModelFinder(importlib.import_module("xero_python.accounting.models"))
    theirs = client.deserializer.deserialize("Invoices", json.loads(body.decode(), parse_float=Decimal), finder)
    serialize = importlib.import_module("xero_python.api_client.serializer").serialize

    def written() -> bytes:
        with Uncollected():
            rows = [outgoing.encode(each, to_write=True) for each in ours]
        return codec.dump({"Invoices": rows})

    return {
        OFFICIAL: lambda: json.dumps(serialize(theirs), default=str),
        XEROSYNC: written,
        "xerosync, in detail": lambda: codec.dump(
            {"Invoices": [outgoing.encode_in_detail(each, to_write=True) for each in ours]}
        ),
    }


def _taken(write: Callable[[], object]) -> float:
    start = time.process_time()
    write()
    return 1000 * (time.process_time() - start)


def main() -> int:
    """Print the figures as a Markdown table, or as JSON; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    named = candidates(page_of_invoices())
    taken = take_turns({name: partial(_taken, write) for name, write in named.items()}, rounds=given.rounds)
    official = next(each for each in taken if each.name == OFFICIAL)
    rows = speeds(taken, official)
    report(f"1,000 invoices to be sent, {given.rounds} rounds", list(rows[0]), rows, as_json=given.json)
    ours = next(each for each in taken if each.name == XEROSYNC)
    return 0 if ours.times_faster_than(official) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
