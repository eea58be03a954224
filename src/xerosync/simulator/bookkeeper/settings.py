"""What an organisation's settings hold: lock dates, currencies, connected apps."""

from __future__ import annotations

from datetime import date
from typing import Literal

from attrs import evolve

from xerosync.errors import InvalidInput
from xerosync.simulator.bookkeeper.reading import Reading
from xerosync.simulator.entities import User
from xerosync.simulator.rules.plans import PLANS
from xerosync.simulator.world import OWNER

_ROLES = (
    "READONLY", "INVOICEONLY", "STANDARD", "FINANCIALADVISER", "MANAGEDCLIENT", "CASHBOOKCLIENT",
)  # fmt: skip


class SettingsWork(Reading):
    """Closing the books, subscribing to currencies, turning apps out."""

    def lock_period(self, until: date | None, *, year_end: bool = False) -> None:
        """Close the books up to and with *until*, for good if *year_end*; None opens them again (F 6.03)."""
        organisation = self._books.organisation
        locked = evolve(organisation, year_lock=until) if year_end else evolve(organisation, period_lock=until)
        self._do(lambda: self._books.organisations.put(locked))

    def add_currency(self, code: str) -> None:
        """Subscribe to a further currency (F 6.69)."""
        organisation = self._books.organisation
        several = tuple(dict.fromkeys((*organisation.currencies, code.upper())))
        self._do(lambda: self._books.organisations.put(evolve(organisation, currencies=several)))

    def change_plan(self, plan: str) -> None:
        """Move the organisation to *plan*, as Xero's Class names it (F 6.04). Raises `InvalidInput`."""
        if plan.upper() not in PLANS:
            raise InvalidInput("plan", f"give one of {', '.join(PLANS)}")
        self._do(lambda: self._books.organisations.put(evolve(self._books.organisation, plan=plan.upper())))

    def expire_trial(self) -> None:
        """Let the trial of the organisation run out: every call is a 403 from then on (F 8.53)."""
        self._become("EXPIRED")

    def make_read_only(self) -> None:
        """Let nobody write any more: reads go on, writes are a 403 (F 8.53)."""
        self._become("READONLY")

    def reopen(self) -> None:
        """Take up a plan again after a trial or a time without writing."""
        self._become("ACTIVE")

    def close_for_reset(self) -> None:
        """Close these books for good and turn every app out; `Simulator.reset_demo_company` founds the new ones."""
        with self._transaction():
            self._become("RESET")
            self.disconnect()

    def add_user(self, email: str, role: str, *, first_name: str = "", last_name: str = "") -> User:
        """Invite a person in a *role*: READONLY, INVOICEONLY, STANDARD, FINANCIALADVISER … Raises `InvalidInput`."""
        user = User(self._books.draw(), email, first_name, last_name, _role(role), self._books.write_stamp())
        return self._do(lambda: self._books.users.put(user))

    def change_role(self, role: str, *, user_id: str = OWNER) -> User:
        """Give a person another role. Raises `InvalidInput`."""
        user = self._user(user_id)
        stamp = self._books.write_stamp
        return self._do(lambda: self._books.users.put(evolve(user, role=_role(role), updated_ms=stamp())))

    def remove_user(self, user_id: str = OWNER) -> None:
        """Remove a person from the organisation; apps they let in are 403 from then on (F 1.54)."""
        user = self._user(user_id)
        self._do(lambda: self._books.users.drop(user.id))

    def _user(self, user_id: str) -> User:
        user = self._books.users.get(user_id)
        if user is None:
            raise InvalidInput("user_id", "there is no such user")
        return user

    def _become(self, status: Literal["ACTIVE", "EXPIRED", "READONLY", "RESET"]) -> None:
        self._do(lambda: self._books.organisations.put(evolve(self._books.organisation, status=status)))

    def disconnect(self, client_id: str | None = None) -> None:
        """Take the connection of app *client_id*, or of all apps, away in Xero's own settings (F 1.39)."""
        apps = [app.id for app in self._world.apps] if client_id is None else [client_id]
        self._do(lambda: self._identity.disconnect(apps, self.tenant_id))


def _role(role: str) -> str:
    if role.upper() not in _ROLES:
        raise InvalidInput("role", f"give one of {', '.join(_ROLES)}")
    return role.upper()
