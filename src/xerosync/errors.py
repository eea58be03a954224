"""
Every error of the library, named by what the caller may do now.

All derive from `XerosyncError` and survive pickling. Texts carry Xero's own messages verbatim and its correlation id,
never a token. A conflict found while planning is a finding of the plan, not an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from xerosync.catalogue import Explanation


class XerosyncError(Exception):
    """The base of every error this library raises."""

    id: ClassVar[str] = "XS100"
    """What this kind of error is called for good: it has a section of this name on the page of errors."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        # Where its text ends, a traceback shows it: the text itself stays Xero's own where it is Xero's.
        self.add_note(f"{self.id}: what it means and what to do, python -m xerosync explain {self.id}")


class InvalidInput(XerosyncError, ValueError):
    """A value from the caller cannot be used: *field* names it, *remedy* says what to give. Nothing was sent."""

    id = "XS101"

    def __init__(self, field: str, remedy: str) -> None:
        super().__init__(field, remedy)
        self.field: str = field
        self.remedy: str = remedy

    def __str__(self) -> str:
        return f"{self.field}: {self.remedy}"


class Misconfigured(XerosyncError):
    """The set-up is wrong and trying again cannot help: correct it first. Nothing was sent."""

    id = "XS102"


class ReadOnly(XerosyncError):
    """
    The client was made ``read_only``, and this would write: to Xero, or to what is recorded of writes. Nothing was
    sent, and nothing recorded.
    """

    id = "XS103"

    def __init__(self) -> None:
        super().__init__()

    def __str__(self) -> str:
        return "this client was made read_only and writes nothing: make one without read_only for what shall be written"


class NotAuthorised(XerosyncError):
    """Xero refused the call for want of a right: a scope, a role, or access to this organisation (F 1.50–1.56)."""

    id = "XS201"


class ReconnectNeeded(NotAuthorised):
    """The consent has ended (F 1.31): only the user, by connecting again, can restore it."""

    id = "XS202"


class ScopeMissing(NotAuthorised):
    """The consent lacks a scope for the call (F 1.53): ask for it, and let the user consent again (F 1.23)."""

    id = "XS203"


class OrganisationRefused(NotAuthorised):
    """
    Xero refuses this organisation though the token is good (F 1.54, 8.05): it was disconnected or reset, its
    subscription ended, or the user was removed or lacks the role. ``connection_state()`` tells these apart.
    """

    id = "XS204"


class OtherOrganisation(NotAuthorised):
    """The user connected other organisations than the one that is linked: *covered* are their tenant ids."""

    id = "XS205"

    def __init__(self, message: str, covered: Sequence[str] = ()) -> None:
        super().__init__(message, tuple(covered))
        self.covered: tuple[str, ...] = tuple(covered)

    def __str__(self) -> str:
        return str(self.args[0])


class ConsentFailed(NotAuthorised):
    """
    No tokens came of sending the user to Xero, and nothing was kept: send them there again.

    *reason* is ``cancelled``, ``state`` (the answer belongs to another request), ``code_ended`` (F 1.10),
    ``id_token`` (it does not prove who signed in) or ``timed_out``.
    """

    id = "XS206"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, reason)
        self.reason: str = reason

    def __str__(self) -> str:
        return str(self.args[0])


class RateLimited(XerosyncError):
    """Xero's limit *which* (minute, day, concurrent, appminute) is used up; it opens again in *retry_after_s*."""

    id = "XS301"

    def __init__(self, which: str, retry_after_s: float) -> None:
        super().__init__(which, retry_after_s)
        self.which: str = which
        self.retry_after_s: float = retry_after_s

    def __str__(self) -> str:
        return f"Xero's {self.which} limit is used up; call again in {self.retry_after_s:.0f} s"


class BudgetSpent(XerosyncError):
    """
    The run has *spent* all it was allowed of *what* (calls, bytes_down); nothing more was sent.

    It stopped between two calls: run the same again with a new budget, and it goes on where it stopped.
    """

    id = "XS302"

    def __init__(self, what: str, spent: int, allowed: int) -> None:
        super().__init__(what, spent, allowed)
        self.what: str = what
        self.spent: int = spent
        self.allowed: int = allowed

    def __str__(self) -> str:
        return f"this run has spent {self.spent:,} of the {self.allowed:,} {self.what} it was allowed: run it again"


class RunStopped(XerosyncError):
    """A worker's run was asked to stop: nothing more was sent, and the next run goes on where this one stopped."""

    id = "XS303"


class Rejected(XerosyncError):
    """Xero looked at the request and refused it: *messages* are its own words. Nothing was changed."""

    id = "XS601"

    def __init__(self, messages: Sequence[str], status: int = 400, correlation: str | None = None) -> None:
        super().__init__(tuple(messages), status, correlation)
        self.messages: tuple[str, ...] = tuple(messages)
        self.status: int = status
        self.correlation: str | None = correlation

    @property
    def explanations(self) -> tuple[Explanation | None, ...]:
        """What each of *messages* means, in their order; None for one that the catalogue of errors does not know."""
        from xerosync.catalogue import explain, explain_status  # noqa: PLC0415 (read only when somebody asks)

        # A 400 always has a reason of its own; elsewhere the status may be all there is.
        status = None if self.status == 400 else explain_status(self.status)
        return tuple(explain(message) or status for message in self.messages)

    def __str__(self) -> str:
        where = f" [Xero-Correlation-Id {self.correlation}]" if self.correlation else ""
        return f"Xero refused ({self.status}): {' | '.join(self.messages)}{where}"


class NotFound(Rejected):
    """Xero knows no document by this id or number (404, an empty or HTML body: F 5.44)."""

    id = "XS602"


class Unavailable(XerosyncError):
    """Xero could not be reached, or said that it is not there; a later try may do."""

    id = "XS304"


class Suspended(Unavailable):
    """
    So many *failures* in a row, of writes to this organisation, came to nothing that nothing is sent until *retry_at*
    (aware, UTC). Nothing was lost: call again then, and it goes on.
    """

    id = "XS305"

    def __init__(self, failures: int, retry_at: datetime) -> None:
        super().__init__(failures, retry_at)
        self.failures: int = failures
        self.retry_at: datetime = retry_at

    def __str__(self) -> str:
        return (
            f"Xero gave no answer that can be read to several calls in a row ({self.failures}): nothing is sent until "
            f"{self.retry_at:%Y-%m-%d %H:%M:%S} UTC, then call again"
        )


class LedgerBehind(XerosyncError):
    """
    Xero holds documents with this product's marks, *marks* or more, that its store does not know: it was restored from
    an older backup, or is another one. Nothing is sent, as it might be there already.

    Call ``Ledger(xero).audit(adopt=True)``, which takes the marks over, then go on as ever.
    """

    id = "XS707"

    def __init__(self, marks: int) -> None:
        super().__init__(marks)
        self.marks: int = marks

    def __str__(self) -> str:
        return (
            f"Xero holds {self.marks} documents of ours that the store does not know; it may be an older backup. "
            "Nothing was sent: call Ledger(xero).audit(adopt=True), then go on"
        )


class OutcomeUnknown(XerosyncError):
    """A write may or may not have happened. Call ``recover()``, which reads back before anything is sent again."""

    id = "XS603"

    def __init__(self, message: str, intent: str) -> None:
        super().__init__(message, intent)
        self.intent: str = intent

    def __str__(self) -> str:
        return str(self.args[0])


class UnreadableAnswer(XerosyncError):
    """Xero's answer was not what it must be: *path* says where, *seen* what stood there instead."""

    id = "XS604"

    def __init__(self, path: str, seen: str) -> None:
        super().__init__(path, seen)
        self.path: str = path
        self.seen: str = seen

    def __str__(self) -> str:
        return f"Xero's answer cannot be read at {self.path}: {self.seen}"


class StoreFailed(XerosyncError):
    """The storage could not read or keep a record. Nothing was sent after it failed."""

    id = "XS701"


class VersionConflict(StoreFailed):
    """
    A record was changed by somebody else since it was read: nothing of this commit was kept.

    *keys* names them; a single text is one key.
    """

    id = "XS702"

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys: tuple[str, ...] = (keys,) if isinstance(keys, str) else tuple(keys)
        super().__init__(self.keys)

    def __str__(self) -> str:
        return f"changed by another writer since it was read: {', '.join(self.keys)}"


class LeaseLost(StoreFailed):
    """Another worker holds this lease now; this one must stop before its next write."""

    id = "XS703"


class KeyMissing(StoreFailed):
    """
    A record is encrypted with a key that is not on the ring: put that one on it, behind the one that writes.

    Where no key was given at all, open the store as ``encrypted(store, keys)``.
    """

    id = "XS704"


class SealBroken(StoreFailed):
    """
    A record is not what was written under its name: it was moved, changed or exchanged outside of this library.

    Restore it from a backup. For a lost token set, drop the record and let the user connect again.
    """

    id = "XS705"


class NotEncrypted(StoreFailed):
    """A record lies in the store in plain text: see ``encrypted(allow_plain=True)`` for a store from before its key."""

    id = "XS706"


class WebhookRefused(XerosyncError):
    """
    A request to the webhook's address is not Xero's, or was changed on its way: answer 401, and do nothing else.

    Where Xero's own requests end here, the key is another, or the body was parsed and written anew before it came here.
    """

    id = "XS801"


class SecretKept(XerosyncError, TypeError):
    """A secret was about to be pickled, and so to be written in plain text: pickle what you need beside it."""

    id = "XS104"
