"""
A worker in a process of its own: it applies the settlement of a product whose Xero is served elsewhere.

``python -m tests.storage.at_work`` reads what it works on from its input, and may stop (SIGSTOP) or be hindered at a
moment of its first payment. Time is shared with everybody: it passes when somebody sleeps.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import pickle
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from attrs import define, field, frozen

from xerosync import App, Endpoints, Money, Receivables, Settlement, SettlementLine, Xero
from xerosync.client._http import BlockingTransport
from xerosync.errors import StoreFailed, XerosyncError
from xerosync.events import Event
from xerosync.ports import Request, Response, TransportFault
from xerosync.simulator import VirtualClock
from xerosync.storage import Storage

HELD: Final = "another worker holds this organisation"
_NUMBER: Final = struct.Struct("d")


class SharedClock(VirtualClock):
    """A clock that all processes read from one file. Whoever sleeps lets the time pass for everybody."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._start: Final = self._now
        if not path.exists():
            path.write_bytes(_NUMBER.pack(0.0))

    def now(self) -> datetime:
        """The instant all agree on."""
        return self._start + timedelta(seconds=_NUMBER.unpack(self._path.read_bytes())[0])

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass for all."""
        with self._path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            (passed,) = _NUMBER.unpack(file.read())
            file.seek(0)
            file.write(_NUMBER.pack(passed + seconds))

    def move_to(self, instant: datetime) -> None:
        """Let time pass for all until *instant*."""
        self.advance(max((instant - self.now()).total_seconds(), 0.0))


@frozen
class Work:
    """What a worker is to do, where, and what happens to it *when*: ``claimed`` or ``answered``."""

    opener: Callable[[], Storage]
    clock: Path
    url: str
    tenant: str
    client: tuple[str, str]
    paid: tuple[tuple[str, str], ...]
    when: str = ""
    then: str = ""


@define(eq=False)
class Hindered:
    """A way to Xero at which this process is hindered once: before its first payment leaves, or when it is answered."""

    inner: BlockingTransport
    work: Work
    _is_over: bool = field(default=False)

    async def send(self, request: Request) -> Response:
        """As the way it stands before."""
        is_payment = request.method in {"PUT", "POST"} and "/Payments" in request.url and not self._is_over
        if is_payment and self.work.when == "claimed":
            self._hinder()
        response = await self.inner.send(request)
        if is_payment and self.work.when == "answered":
            self._hinder()
        return response

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """As the way it stands before."""
        return await self.inner.send_all(requests, at_most=at_most)

    async def close(self) -> None:
        """As the way it stands before."""
        await self.inner.close()

    def _hinder(self) -> None:
        self._is_over = True
        if self.work.then == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        if self.work.then == "no disk":
            # As a full disk does, this takes no further byte; Python lets the write fail instead of being killed.
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))


class Worker:
    """A process that does its *work*; leaving the block kills it, if it still lives."""

    def __init__(self, work: Work) -> None:
        self.said = ""
        self._process: Final = subprocess.Popen(
            [sys.executable, "-m", "tests.storage.at_work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert self._process.stdin is not None
        self._process.stdin.write(base64.b64encode(pickle.dumps(work)).decode() + "\n")
        self._process.stdin.close()

    def has_stopped(self) -> bool:
        """Wait until it has stopped itself; False when it ended instead."""
        _, status = os.waitpid(self._process.pid, os.WUNTRACED)
        return os.WIFSTOPPED(status)

    def waits(self) -> bool:
        """Wait for it to say that another worker holds the organisation."""
        return self._line() == HELD

    def ended(self) -> str:
        """Wait for it to end; what it says at last: how many findings there were, or an error."""
        return self._line()

    def go_on(self) -> None:
        """Let it go on (SIGCONT)."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it where it stands (SIGKILL)."""
        self._process.kill()

    def _line(self) -> str:
        assert self._process.stdout is not None
        self.said = self._process.stdout.readline().rstrip("\n")
        return self.said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Apply the settlement and say how it ended."""
    work: Work = pickle.loads(base64.b64decode(sys.stdin.readline()))  # noqa: S301 (the test's own)
    clock = SharedClock(work.clock)

    def hear(event: str, fields: Mapping[str, object]) -> None:
        if event == Event.WAITING and fields["reason"] == HELD:
            _say(HELD)

    lines = [
        SettlementLine(id=f"c-{number}", transaction=transaction, amount=Money(amount, "NZD"))
        for number, (transaction, amount) in enumerate(work.paid)
    ]
    with closing(work.opener()) as store:
        xero = Xero(
            App(*work.client),
            work.tenant,
            store=store,
            transport=Hindered(BlockingTransport(clock), work),
            clock=clock,
            endpoints=Endpoints.at(work.url),
            on_event=hear,
        )
        sales = Receivables(xero, clearing_account="091")
        try:
            sales.recover()
            report = sales.apply(sales.settle(Settlement(id="1", on=date(2026, 1, 6), lines=lines)))
        except StoreFailed as error:
            _say(f"{type(error).__name__}: {error}")
        except XerosyncError as error:
            _say(f"{type(error).__name__}")
        else:
            _say(json.dumps(len(report.findings)))
        finally:
            xero.close()


if __name__ == "__main__":
    main()
