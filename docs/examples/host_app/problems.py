"""What goes wrong, as a page that says so and what to do next: never a bare error."""

from __future__ import annotations

from xerosync import ConnectionState, state_of
from xerosync.errors import BudgetSpent, ConsentFailed, InvalidInput, LeaseLost, StoreFailed, XerosyncError


class Problem(Exception):
    """Something the user can put right: a *title*, what to do, and the page (an *endpoint*) to do it on."""

    def __init__(self, title: str, text: str, endpoint: str = "", *, status: int = 400) -> None:
        super().__init__(title, text)
        self.title = title
        self.text = text
        self.endpoint = endpoint
        self.status = status


def problem_of(error: XerosyncError) -> Problem:
    """What *error* means to the user."""
    match error:
        case ConsentFailed():
            return Problem("Xero was not connected", _sentence(error), "settings.show")
        case InvalidInput():
            return Problem("That cannot be", _sentence(error))
        case BudgetSpent() | LeaseLost():
            return Problem("Xero is busy", "Another run is under way. Try again in a minute.", status=503)
        case StoreFailed():
            return Problem("Somebody was faster", "Another page changed the same thing. Look again.", status=409)
    match state_of(error):
        case ConnectionState.PASSING:
            return Problem("Xero does not answer just now", f"Nothing is lost. {_sentence(error)}", status=503)
        case ConnectionState.RECONNECT | ConnectionState.SCOPE_MISSING | ConnectionState.REFUSED:
            return Problem("Connect Xero again", _sentence(error), "settings.show", status=409)
        case ConnectionState.MISCONFIGURED:
            return Problem("Something is not set up yet", _sentence(error), "settings.show", status=409)
        case _:
            return Problem("Xero said no", _sentence(error), status=409)


def _sentence(error: XerosyncError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
