"""What users typed, as values; what cannot be one is a `Problem` that names the field."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Final

from flask import request

from host_app.problems import Problem
from xerosync import Money

_AMOUNT: Final = re.compile(r"[0-9]{1,9}([.,][0-9]{1,2})?")
_YEARS: Final = range(1900, 2200)


def text(name: str, called: str, *, longest: int = 200) -> str:
    """The text in the field *name*, which users know as *called*."""
    given = " ".join(request.form.get(name, "").split())
    if not given or len(given) > longest or not given.isprintable():
        raise Problem(f"{called} is missing or too long", f"Go back and give 1 to {longest} characters.")
    return given


def amount(name: str, called: str, currency: str) -> Money:
    """The amount in the field *name*: above zero, to the cent."""
    given = request.form.get(name, "").strip()
    read = Decimal(given.replace(",", ".")) if _AMOUNT.fullmatch(given) else Decimal(0)
    if not read:
        raise Problem(
            f"{called} is not an amount", "Go back and write it with a point and two decimals, such as 89.50."
        )
    return Money(read, currency)


def day(name: str, called: str) -> date:
    """The day in the field *name*."""
    found = optional_day(name, called)
    if found is None:
        raise Problem(f"{called} is missing", "Go back and choose a day.")
    return found


def optional_day(name: str, called: str) -> date | None:
    """The day in the field *name*, of the form or the address; None where it was left open."""
    given = request.values.get(name, "").strip()
    if not given:
        return None
    try:
        found = date.fromisoformat(given)
    except ValueError:
        found = date.min
    if found.year not in _YEARS:
        raise Problem(f"{called} is not a day", "Go back and write it as 2026-01-31.")
    return found


def back_to(otherwise: str) -> str:
    """The page of this product that the form was on, as it says; *otherwise* where it says none."""
    there = request.form.get("here", "")
    return there if there.startswith("/") and not there.startswith(("//", "/\\")) else otherwise


def ticked(name: str, what: str) -> list[str]:
    """The boxes *name* that were ticked, at least one."""
    found = request.form.getlist(name)
    if not found:
        raise Problem(f"No {what} was chosen", f"Go back and tick the {what}s you mean.")
    return found
