"""The ``simulator`` command: a Xero on a loopback port until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Final

from xerosync.errors import Misconfigured
from xerosync.simulator.chart import COUNTRIES
from xerosync.simulator.clock import SystemClock
from xerosync.simulator.desk import Desk
from xerosync.simulator.entities import instant
from xerosync.simulator.keeper import FileKeeper
from xerosync.simulator.simulator import Simulator
from xerosync.simulator.wire import compact_json


def main(argv: Sequence[str] | None = None) -> int:
    """Serve a Xero and say where, as one line of JSON, then wait for SIGTERM or Ctrl-C. The exit code."""
    given = _arguments(argv)
    file = Path(given.state) if given.state else None
    stop = Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, _stopper(stop))
    try:
        clock = _clock_after(file)
        simulator = Simulator(file, clock=clock, seed=given.seed, limits=not given.no_limits, open_access=given.open)
    except (sqlite3.Error, Misconfigured, OSError) as error:
        sys.stderr.write(f"xerosync: the books in {file} cannot be opened: {error}\n")
        return 1
    try:
        return _serve(simulator, given, stop)
    finally:
        simulator.close()


def _serve(simulator: Simulator, given: _Given, stop: Event) -> int:
    if not simulator.organisations:
        simulator.add_organisation(country=given.demo)
    credentials = Desk(simulator).connect("xerosync simulator")
    try:
        served = simulator.serve(given.port)
    except OSError:
        sys.stderr.write(f"xerosync: port {given.port} is taken; give another, or 0 for a free one\n")
        return 1
    with served as server:
        first_line = {"url": server.url} | {name: credentials[name] for name in _SAID}
        sys.stdout.write(compact_json(first_line).decode() + "\n")
        sys.stdout.flush()
        stop.wait()
    return 0


_COUNTRIES: Final = ", ".join(sorted(COUNTRIES))
_SAID: Final = ("organisations", "client_id", "client_secret", "access_token", "refresh_token")


def _stopper(stop: Event) -> Callable[[int, FrameType | None], None]:
    def ask_to_stop(_sign: int, _frame: FrameType | None) -> None:
        stop.set()

    return ask_to_stop


def _arguments(argv: Sequence[str] | None) -> _Given:
    parser = argparse.ArgumentParser("xerosync simulator", description="A Xero on a loopback port.")
    parser.add_argument("--port", type=_port, default=8765, metavar="N", help="0 picks a free one")
    parser.add_argument(
        "--demo", type=_country, default="NZ", metavar="CC", help=f"the country of a new organisation: {_COUNTRIES}"
    )
    parser.add_argument("--state", default="", metavar="FILE", help="keep the books in FILE")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="decides every id")
    parser.add_argument("--no-limits", action="store_true", help="refuse no call for coming too often")
    parser.add_argument("--open", action="store_true", help="let any token and any client in")
    return parser.parse_args(argv, namespace=_Given())


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to 65535")
    return int(text)


def _country(text: str) -> str:
    if text.upper() not in COUNTRIES:
        raise argparse.ArgumentTypeError(f"{text!r} is not served: give one of {_COUNTRIES}")
    return text.upper()


class _Given(argparse.Namespace):
    port: int
    demo: str
    state: str
    seed: int
    no_limits: bool
    open: bool


def _clock_after(file: Path | None) -> SystemClock:
    """This machine's clock, ahead of the time kept in *file* if that lies in the future."""
    if file is None or not file.exists():
        return SystemClock()
    keeper = FileKeeper(file)
    kept = instant(keeper.time_kept_ms())
    keeper.close()
    return SystemClock(max(kept - datetime.now(UTC), timedelta()))
