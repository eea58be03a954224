"""Run by the Python of an environment that holds the wheel alone (``nox -s wheel``): fails where a part is missing."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import xerosync


def main() -> None:
    package = Path(xerosync.__file__).parent
    assert "site-packages" in package.parts, f"this tests the sources at {package}, not what was installed"
    assert importlib.metadata.version("xerosync") == xerosync.__version__
    assert (package / "py.typed").is_file()
    assert (package / "error_catalogue.toml").is_file()
    assert (package / "own_errors.toml").is_file()
    missing = [name for name in xerosync.__all__ if not hasattr(xerosync, name)]
    assert missing == [], missing

    with TemporaryDirectory() as folder:
        command = [sys.executable, "-I", "-m", "xerosync", "demo", "--store", str(Path(folder, "demo.db")), "--json"]
        first, again = (json.loads(subprocess.check_output(command, cwd=folder)) for _ in range(2))
    assert first["receivables"]["matched"] > 0, first
    assert again["planned"] == 0, again


if __name__ == "__main__":
    main()
