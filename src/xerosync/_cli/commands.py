"""What ``python -m xerosync`` understands. Exit codes: 0 done, 1 failed, 2 wrong use."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from xerosync._version import __version__
from xerosync.errors import XerosyncError


class _Given(argparse.Namespace):
    store: Path | None
    json: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in *arguments*, those of the process unless given; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["simulator"]:
        from xerosync.simulator import serve  # noqa: PLC0415 - each command imports only what it needs

        return serve.main(words[1:])
    given = _parser().parse_args(words, namespace=_Given())
    try:
        return _demo(given)
    except XerosyncError as error:
        sys.stderr.write(f"xerosync: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("xerosync: stopped; with --store, the same command again goes on from here\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("xerosync", description="Keep a product in step with its users' books in Xero.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="demo|simulator")
    demo = commands.add_parser("demo", help="both stories on the embedded simulator")
    demo.add_argument("--store", type=Path, metavar="FILE", help="keep the store here, and Xero's books in FILE.xero")
    demo.add_argument("--json", action="store_true", help="end with one JSON object")
    commands.add_parser("simulator", help="serve a Xero on a loopback port (see simulator --help)", add_help=False)
    return parser


def _demo(given: _Given) -> int:
    from xerosync._cli import demo  # noqa: PLC0415 - each command imports only what it needs

    outcome = demo.run(given.store, quiet=given.json)
    if given.json:
        sys.stdout.write(json.dumps(outcome) + "\n")
    return 0
