#!/usr/bin/env bash
# Installs the Debian packages that the tests need and PyPI cannot bring. Name them in `packages`, with the reason.
set -euo pipefail

packages=(
    chromium      # opens the reports as a person would: tests/docs/test_in_a_browser.py
    poppler-utils # reads what it prints
)

if [ "${#packages[@]}" -eq 0 ]; then
    echo "The tests need no system packages."
    exit 0
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${packages[@]}"
