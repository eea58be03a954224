"""Who holds a lease, and whether that process is surely dead: read from the system, never guessed."""

from __future__ import annotations

import os
import socket
from datetime import datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final

from attrs import evolve

from xerosync.storage.protocol import AsyncStorage, Fence, Owner

_PROC: Final = Path("/proc")
_RUNS: Final = count(1)


def this_process(run: str = "") -> Owner:
    """
    This process as an owner; *run* tells apart the holders within it, which would else share their leases.

    Take it once for each client or run and keep it, since renewing a lease needs the same owner.
    """
    return evolve(_here(os.getpid()), run=run)


def one_run(owner: Owner) -> Owner:
    """*owner* for one run of it: equal owners share a lease, and two threads or tasks of one client must not."""
    return evolve(owner, run=f"{owner.run}/{next(_RUNS)}")


def is_dead(owner: Owner) -> bool:
    """
    True only when surely no thread of *owner*'s process will run again: same machine, same start, the process is gone.

    False whenever that cannot be told from here: another host or container, a system without ``/proc``.
    """
    if not (owner.boot and owner.started) or owner.process <= 0:
        return False
    here = _here(os.getpid())
    if (owner.host, owner.boot) != (here.host, here.boot):
        return False
    if owner.process == here.process:
        return owner.started != here.started
    try:
        # Not /proc alone: mounted with hidepid it hides the living processes of other users.
        os.kill(owner.process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    stat = _stat(owner.process)
    return stat is not None and (stat.started != owner.started or stat.ended)


async def take_lease(storage: AsyncStorage, name: str, owner: Owner, *, ttl_s: float, now: datetime) -> Fence | None:
    """
    The lease *name*, taken or renewed; None while another holds it.

    From a holder on this machine that is surely dead it is taken at once.
    """
    holder = await storage.lease_owner(name)
    dead = holder if holder is not None and is_dead(holder) else None
    return await storage.lease(name, owner, ttl_s=ttl_s, now=now, force=dead)


@cache
def _here(process: int) -> Owner:
    # A process that forks is another one from then on, and asks anew.
    stat = _stat(process)
    return Owner(socket.gethostname(), _boot(), process, "" if stat is None else stat.started, "")


class _Stat:
    """What ``/proc/<pid>/stat`` says: when a process *started*, in ticks since boot, and whether it has *ended*."""

    def __init__(self, line: str) -> None:
        # The command in parentheses may hold blanks and parentheses; the fields are counted after the last one.
        fields = line.rpartition(")")[2].split()
        state, threads, self.started = fields[0], fields[17], fields[19]
        # A zombie has ended and only waits to be counted; one with threads left has lost but its first.
        self.ended = state in {"Z", "X"} and threads in {"0", "1"}


def _stat(process: int) -> _Stat | None:
    try:
        return _Stat((_PROC / str(process) / "stat").read_text(errors="replace"))
    except (OSError, IndexError):
        return None


def _boot() -> str:
    """The start of the system, with the namespaces that process numbers and start ticks are counted in."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return " ".join([boot, *(str((_PROC / "self/ns" / name).readlink()) for name in ("pid", "time"))])
    except OSError:
        return ""
