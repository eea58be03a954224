"""What every page of the product has at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Final

from attrs import frozen
from flask import current_app
from sqlalchemy.orm import Session

from host_app.access import Access
from host_app.collecting import CALENDAR, Collecting, collecting
from host_app.models import Company
from host_app.paying import Paying, paying
from host_app.problems import Problem

KEY: Final = "host_app"


@frozen(repr=False)
class Product:
    """The product as one of its companies' users sees it."""

    access: Access
    company_id: str

    @property
    def company(self) -> Company:
        """The company whose user this is."""
        with self.session() as session:
            return session.get_one(Company, self.company_id)

    @property
    def today(self) -> date:
        """The day it is where the company is."""
        clock = self.access.clock
        return CALENDAR.today(datetime.now(UTC) if clock is None else clock.now())

    def session(self) -> Session:
        """A session on the product's own tables, whose rows may be shown after it has ended."""
        return Session(self.access.engine, expire_on_commit=False)

    @contextmanager
    def collecting(self) -> Iterator[Collecting]:
        """What the pages of collections ask of Xero."""
        with collecting(self.access, self.company) as work:
            yield work

    @contextmanager
    def settling(self) -> Iterator[Collecting]:
        """As `collecting`, once the clearing account is chosen. Raises `Problem` before."""
        with self.collecting() as work:
            if not work.company.clearing_account:
                raise Problem(
                    "Choose a clearing account first",
                    "Money that was collected is posted to it, until your bank pays it out.",
                    "settings.show",
                    status=409,
                )
            yield work

    @contextmanager
    def paying(self) -> Iterator[Paying]:
        """What the pages of bills ask of Xero."""
        with paying(self.access, self.company) as work:
            yield work


def product() -> Product:
    """The product that serves this request."""
    found = current_app.extensions[KEY]
    assert isinstance(found, Product)  # noqa: S101 - for the type checker: create_app put it there
    return found
