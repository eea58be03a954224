"""What an organisation's settings hold: lock dates, currencies, connected apps."""

from __future__ import annotations

from datetime import date

from attrs import evolve

from xerosync.simulator.bookkeeper.reading import Reading


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
        """Move the organisation to *plan*, as Xero's Class names it: DEMO, TRIAL, STANDARD … (F 6.04)."""
        self._do(lambda: self._books.organisations.put(evolve(self._books.organisation, plan=plan.upper())))

    def disconnect(self, client_id: str | None = None) -> None:
        """Take the connection of app *client_id*, or of all apps, away in Xero's own settings (F 1.39)."""
        apps = [app.id for app in self._world.apps] if client_id is None else [client_id]
        self._do(lambda: self._identity.disconnect(apps, self.tenant_id))
