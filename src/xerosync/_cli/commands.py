"""What ``python -m xerosync`` understands. Exit codes: 0 done, 1 failed, 2 wrong use."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from xerosync._version import __version__
from xerosync.errors import XerosyncError


class _Given(argparse.Namespace):
    command: str
    what: str
    store: Path | None
    organisation: str | None
    xero: str | None
    json: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in *arguments*, those of the process unless given; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["simulator"]:
        from xerosync.simulator import serve  # noqa: PLC0415 - each command imports only what it needs

        return serve.main(words[1:])
    given = _parser().parse_args(words, namespace=_Given())
    try:
        return _COMMANDS[given.command](given)
    except XerosyncError as error:
        sys.stderr.write(f"xerosync: {error} ({error.id})\n")
        return 1 if given.command == "demo" else 2
    except KeyboardInterrupt:
        sys.stderr.write("xerosync: stopped; with --store, the same command again goes on from here\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("xerosync", description="Keep a product in step with its users' books in Xero.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, dest="command", metavar="demo|simulator|doctor|status|explain")
    demo = commands.add_parser("demo", help="both stories on the embedded simulator")
    demo.add_argument("--store", type=Path, metavar="FILE", help="keep the store here, and Xero's books in FILE.xero")
    demo.add_argument("--json", action="store_true", help="end with one JSON object")
    commands.add_parser("simulator", help="serve a Xero on a loopback port (see simulator --help)", add_help=False)
    for name, shows in (
        ("doctor", "examine the connections of a store: what is wrong, who can mend it, and how"),
        ("status", "the organisations of a store: what is open, what is parked, and the last run"),
    ):
        command = commands.add_parser(name, help=shows, description=f"{shows}. Exit code 1 where there are findings.")
        command.add_argument("--store", type=Path, required=True, metavar="FILE", help="the store")
        command.add_argument("--organisation", metavar="ID", help="this one alone")
        command.add_argument("--xero", metavar="URL", help="a simulator served elsewhere, instead of FILE.xero")
        command.add_argument("--json", action="store_true", help="end with one JSON object")
    explain = commands.add_parser("explain", help="what an error means, and what to do")
    explain.add_argument("what", metavar="ID|MESSAGE", help="an error's id, such as XS603, or a message of Xero's")
    return parser


def _demo(given: _Given) -> int:
    from xerosync._cli import demo  # noqa: PLC0415 - each command imports only what it needs

    outcome = demo.run(given.store, quiet=given.json)
    if given.json:
        sys.stdout.write(json.dumps(outcome) + "\n")
    return 0


def _doctor(given: _Given) -> int:
    from xerosync._cli import standing  # noqa: PLC0415 - each command imports only what it needs
    from xerosync.fleet import headline  # noqa: PLC0415 - each command imports only what it needs

    found = standing.examined(given.store or Path(), given.organisation, given.xero)
    findings = sum(len(check.findings) for _, check in found)
    if given.json:
        rows = [standing.check_row(about.organisation, check) for about, check in found]
        sys.stdout.write(json.dumps({"checks": rows, "findings": findings}) + "\n")
    else:
        heads = [headline(about) for about, _ in found]
        several, said = len(set(heads)) > 1, ""
        for head, (_, check) in zip(heads, found, strict=True):
            if several and head != said:
                sys.stdout.write(f"{head}\n")
            said = head
            sys.stdout.write(f"{check}\n")
    return 1 if findings else 0


def _status(given: _Given) -> int:
    from xerosync._cli import standing  # noqa: PLC0415 - each command imports only what it needs

    found = standing.status(given.store or Path(), given.organisation, given.xero)
    sys.stdout.write(f"{found.json() if given.json else found}\n")
    return 1 if found.findings else 0


def _explain(given: _Given) -> int:
    from xerosync._cli import explaining  # noqa: PLC0415 - each command imports only what it needs

    sys.stdout.write(f"{explaining.explained(given.what)}\n")
    return 0


_COMMANDS: Final[Mapping[str, Callable[[_Given], int]]] = {
    "demo": _demo,
    "doctor": _doctor,
    "status": _status,
    "explain": _explain,
}
