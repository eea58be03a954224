"""``/_simulator/``: the bookkeeper's work and the way in, over HTTP, for those who run elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from xerosync.errors import InvalidInput
from xerosync.ports import Request, Response
from xerosync.simulator.desk_work import work
from xerosync.simulator.given import Given, Json, read_body
from xerosync.simulator.hooks import CATEGORIES
from xerosync.simulator.refusals import Refused
from xerosync.simulator.wire import Row, compact_json

if TYPE_CHECKING:
    from xerosync.simulator.simulator import Simulator

_JSON: Final = {"content-type": "application/json"}


class Desk:
    """Answers what is asked of the simulator itself; none of it counts as a call to Xero."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def answer(self, request: Request, path: str) -> Response:
        """Answer *request* for a *path* below ``/_simulator``: 404 for an unknown one, 400 with the reason."""
        parts = [part for part in path.split("/") if part][1:]
        try:
            given = next(iter(read_body(request.body or b"{}", "application/json", "")), Given({}))
            row = self._row(request.method.upper(), parts, given)
        except InvalidInput as fault:
            return Response(400, _JSON, compact_json({"error": str(fault)}))
        except Refused as fault:
            return Response(400, _JSON, compact_json({"error": fault.message}))
        return Response(404, _JSON) if row is None else Response(200, _JSON, compact_json(row))

    def _row(self, method: str, parts: list[str], given: Given) -> Row | None:
        match method, parts:
            case "GET", ["organisations"]:
                return {"organisations": self._organisations()}
            case "POST", ["organisations"]:
                country = given.text("country") or "NZ"
                keeper = self._simulator.add_organisation(given.text("name"), country=country)
                return {"tenant_id": keeper.tenant_id, "name": keeper.organisation.name}
            case "POST", ["apps" | "connect" as way_in]:
                name = given.text("name") or "xerosync"
                return self.connect(name) if way_in == "connect" else self._app(name)
            case "POST", ["organisations", tenant, "set-up"]:
                done = self._simulator.bookkeeper(tenant).set_up(
                    given.text("key"),
                    accounts=_rows(given, "accounts"),
                    contacts=_rows(given, "contacts"),
                    invoices=_rows(given, "invoices"),
                )
                return {"done": done}
            case "GET", ["organisations", tenant, "books"]:
                return self._books(tenant)
            case "POST", ["organisations", tenant, doing]:
                return {"done": work(self._simulator.bookkeeper(tenant), doing, dict(given.items()))}
            case "POST", ["webhooks"]:
                return self._subscribe(given)
            case "POST", ["webhooks", client_id, "validate"]:
                return {"active": self._simulator.webhooks.validate(client_id)}
            case "GET", ["webhooks", client_id]:
                return self._webhook(client_id)
            case _:
                return None

    def connect(self, name: str) -> Row:
        """Let the app called *name*, registered if need be, into every organisation: its credentials and tokens."""
        simulator = self._simulator
        with simulator.transaction():
            app = simulator.app(name) or simulator.register_app(name)
            tokens = simulator.consent(app, tenants=[one.id for one in simulator.organisations])
        return {
            "organisations": self._organisations(),
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "expires_in": tokens.expires_in,
        }

    def _app(self, name: str) -> Row:
        """The credentials of the app called *name*, registered if need be; it is let in nowhere."""
        with self._simulator.transaction():
            app = self._simulator.app(name) or self._simulator.register_app(name)
        return {"client_id": app.client_id, "client_secret": app.client_secret}

    def _subscribe(self, given: Given) -> Row:
        categories = given.get("categories")
        wanted = [str(one) for one in categories] if isinstance(categories, list) else CATEGORIES
        client_id = given.text("client_id")
        made = self._simulator.webhooks.subscribe(client_id, given.text("url"), categories=wanted)
        return {"client_id": client_id, "key": made.key, "status": made.status}

    def _webhook(self, client_id: str) -> Row:
        found = self._simulator.webhooks.subscription(client_id)
        pending = self._simulator.webhooks.pending(client_id)
        return {"status": found.status, "pending": len(pending), "notices": list(found.notices)}

    def _organisations(self) -> list[Row]:
        return [{"tenant_id": one.id, "name": one.name} for one in self._simulator.organisations]

    def _books(self, tenant: str) -> Row:
        keeper = self._simulator.bookkeeper(tenant)
        tables: dict[str, tuple[object, ...]] = {
            "accounts": keeper.accounts,
            "contacts": keeper.contacts,
            "invoices": keeper.invoices,
            "credit_notes": keeper.credit_notes,
            "payments": keeper.payments,
            "allocations": keeper.allocations,
            "batch_payments": keeper.batch_payments,
            "bank_transactions": keeper.bank_transactions,
            "bank_transfers": keeper.bank_transfers,
            "overpayments": keeper.overpayments,
            "prepayments": keeper.prepayments,
            "manual_journals": keeper.manual_journals,
            "purchase_orders": keeper.purchase_orders,
            "quotes": keeper.quotes,
        }
        row: Row = {name: [msgspec.to_builtins(one) for one in rows] for name, rows in tables.items()}
        row["balances"] = {one.account.id: str(one.balance) for one in keeper.trial_balance()}
        return row


def _rows(given: Given, name: str) -> list[dict[str, Json]]:
    return [dict(row.items()) for row in given.many(name) or []]
