"""The room's public names, and what it costs to enter."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from xerosync import storage
from xerosync.storage import protocol


def test_every_public_name_is_there() -> None:
    assert [name for name in storage.__all__ if not hasattr(storage, name)] == []
    assert not hasattr(storage, "PostgresStore")


def test_every_public_name_is_in_the_reference() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")
    assert ".. automodule:: xerosync.storage.protocol" in page

    told = set(re.findall(r"autoclass:: xerosync\.(?:storage\.)?(\w+)", page)) | set(vars(protocol))

    assert sorted({*storage.__all__} - told) == []


def test_without_hypothesis_the_kit_says_what_to_install() -> None:
    program = """
import sys
sys.modules["hypothesis"] = None
try:
    import xerosync.testing.storage
except ImportError as error:
    print(error)
"""
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert printed == "Hypothesis is not installed: pip install 'xerosync[testing]'\n"


def test_databases_and_event_loops_are_loaded_when_they_are_used() -> None:
    program = (
        "import sys, xerosync.storage as storage; heavy = {'asyncio', 'concurrent.futures', 'sqlalchemy', 'sqlite3'}\n"
        "before = heavy & set(sys.modules); storage.SQLiteStore\n"
        "print(sorted(before), sorted(heavy & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert printed == "[] ['sqlite3']\n"


def test_a_host_without_sqlalchemy_is_told_how_to_get_it() -> None:
    program = (
        "import sys, xerosync.storage as storage; sys.modules['sqlalchemy'] = None; storage.SQLiteStore\n"
        "for name in ('SQLAlchemyStore', 'AsyncSQLAlchemyStore'):\n"
        "    try:\n"
        "        getattr(storage, name)\n"
        "    except ImportError as missing:\n"
        "        print(missing)"
    )
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert printed == "SQLAlchemy is not installed: pip install 'xerosync[postgres]'\n" * 2
