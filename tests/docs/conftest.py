"""The browser that pages are looked at in."""

from __future__ import annotations

import os

import pytest

import chromium as driver


@pytest.fixture(scope="session")
def chromium() -> str:
    found = driver.browser()
    if found is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium here: tests/system-packages.sh installs it")
    assert found is not None, "with CI set there must be a Chromium: tests/system-packages.sh installs it"
    return found
