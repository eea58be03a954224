"""A lease is taken over at once only from a process that is surely dead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve

from xerosync.storage import Owner
from xerosync.storage.owner import is_dead, this_process

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc to ask")


def owner_of_a_child(child: subprocess.Popen[str]) -> Owner:
    """The owner that the child says it is."""
    assert child.stdout is not None
    host, boot, process, started = child.stdout.readline().rstrip("\n").split("\t")
    return Owner(host, boot, int(process), started)


@pytest.fixture
def child() -> subprocess.Popen[str]:
    """A process that tells who it is and waits to be let go."""
    program = (
        "from xerosync.storage.owner import this_process; o = this_process()\n"
        "print(o.host, o.boot, o.process, o.started, sep='\\t', flush=True); input()"
    )
    return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_process_knows_itself_and_lives() -> None:
    assert this_process() == this_process()
    assert this_process("first run") != this_process("second run")
    assert this_process().process == os.getpid()
    assert not is_dead(this_process())


def test_a_process_that_ended_is_dead(child: subprocess.Popen[str]) -> None:
    owner = owner_of_a_child(child)
    assert not is_dead(owner)

    child.kill()
    assert os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT) is not None
    assert is_dead(owner), "its parent has not counted it yet, but it will not run again"
    child.communicate()

    assert is_dead(owner)


def test_a_later_process_with_the_same_number_does_not_keep_an_owner_alive() -> None:
    assert is_dead(evolve(this_process(), started="1"))


def test_nobody_is_called_dead_who_cannot_be_seen_from_here(child: subprocess.Popen[str]) -> None:
    owner = owner_of_a_child(child)
    child.communicate("\n")
    assert is_dead(owner)

    assert not is_dead(evolve(owner, host="another"))
    assert not is_dead(evolve(owner, boot="another"))
    assert not is_dead(evolve(owner, boot=""))
    assert not is_dead(evolve(owner, started=""))
    assert not is_dead(evolve(owner, process=0))
