"""Python reads this at its start, where it stands on the path: the example under test is watched from the inside."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3]))

from tests import openapi

if openapi.SHARED.is_dir():
    openapi.watch()
