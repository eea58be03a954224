"""``python -m xerosync``: demo, simulator, doctor, status, explain."""

from __future__ import annotations

import sys

from xerosync._cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
