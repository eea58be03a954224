"""What goes wrong in a world, and how often: a mix of faults that differs with the seed."""

from __future__ import annotations

from random import Random
from typing import Final, Literal

from attrs import evolve, field, frozen

from xerosync.simulator import Fault, Switches

Client = Literal["async", "plain", "both", "inside"]
"""Which client the workers use; "inside" is none, but the engine over ports in memory."""

_OF_XERO: Final = (
    Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.RESET_AFTER, Fault.SERVER_ERROR, Fault.UNAVAILABLE, Fault.BAD_GATEWAY,
    Fault.GATEWAY_TIMEOUT, Fault.TRUNCATED, Fault.MINUTE_LIMIT, Fault.CONCURRENT_LIMIT, Fault.EXPIRED_TOKEN,
    Fault.PARTIAL_BATCH, Fault.KEYS_DOWN,
)  # fmt: skip


# Rounds in which there is nothing to do teach nothing: most hosts of the many schedules come round less often.
_RESTS: Final = ((0.04, 0.16), *((0.2, 0.5),) * 4, *((0.3, 0.6),) * 3)


@frozen(kw_only=True)
class Mix:
    """
    Chances, each of one call or of one step of a process, and times in virtual seconds.

    *refused*: no connection. *late*: the request arrives 20 to 100 seconds after it was sent, mostly when its sender
    has given up. *doubled*: the network delivers it twice. *xero*: one of *kinds* strikes it. *crash* and *freeze*
    strike a process at any of its steps, the latter for *frozen_s*; *stall* freezes it just before a write leaves. All
    of it stops after *until_s*. Until then a worker rests from round to round for a share of it between *rests*, and
    then longer and longer, within *rests_s*. *backup_s* and *restored_s* are when the store is copied, and when it is
    put back.
    """

    workers: int = 1
    client: Client = "async"
    shared_gate: bool = True
    refused: float = 0.0
    late: float = 0.0
    doubled: float = 0.0
    xero: float = 0.0
    kinds: tuple[Fault, ...] = _OF_XERO
    crash: float = 0.0
    freeze: float = 0.0
    stall: float = 0.0
    frozen_s: tuple[float, float] = (1.0, 1200.0)
    until_s: float = 0.0
    rests: tuple[float, float] = (0.04, 0.16)
    rests_s: tuple[float, float] = (60.0, 1800.0)
    backup_s: float | None = None
    restored_s: float | None = None
    quarantine_s: float = 300.0
    switches: Switches = field(factory=Switches)


QUIET: Final = Mix()
"""Nothing goes wrong."""


def mixed(seed: int, client: Client | None = None) -> Mix:
    """The mix of *seed*: some faults often, some rarely, some never, with one worker to three."""
    random = Random(f"mix {seed}")  # noqa: S311 - it decides what goes wrong, and must do so again

    def often(share: float) -> bool:
        return random.random() < share

    def some(most: float) -> float:
        return random.random() * most if often(0.6) else 0.0

    clients: tuple[Client, ...] = ("async", "plain", "both")
    # Some worlds last long enough for tokens to end.
    until_s = random.uniform(2000, 5000) if often(0.25) else random.uniform(300, 1500)
    chosen: Client = random.choice(clients) if client is None else client
    mix = Mix(
        workers=random.choice((1, 2, 2, 3)),
        client=chosen,
        shared_gate=often(0.5),
        refused=some(0.1),
        late=some(0.12),
        doubled=some(0.08),
        xero=some(0.2),
        kinds=tuple(kind for kind in _OF_XERO if often(0.6)) or (Fault.LOST_AFTER,),
        crash=some(0.006),
        freeze=some(0.003),
        until_s=until_s,
        switches=_switches(random),
    )
    if often(0.25):
        backup_s = random.uniform(0, until_s)
        mix = evolve(mix, backup_s=backup_s, restored_s=random.uniform(backup_s, until_s + 1800))
    if client == "inside":
        mix = evolve(mix, rests=random.choice(_RESTS), rests_s=(240.0, 10_800.0))
    return mix


def crowded(seed: int) -> Mix:
    """A mix that is hard on a store: three workers that are frozen again and again, and overtaken by each other."""
    return evolve(
        mixed(seed, "inside"), workers=3, late=0.1, xero=0.1, kinds=(Fault.LOST_AFTER, Fault.LOST_BEFORE), crash=0.0,
        freeze=0.02, until_s=2500.0, backup_s=None, restored_s=None,
    )  # fmt: skip


def _switches(random: Random) -> Switches:
    def either(chance: float = 0.5) -> bool:
        return random.random() < chance

    return Switches(
        refresh_in_grace=random.choice(("another", "same")),
        minute_window=random.choice(("rolling", "fixed")),
        concurrent_says_retry_after=either(),
        idempotency_keeps_refusals=either(),
        idempotency_scope=random.choice(("app", "token")),
        duplicate_in_progress=random.choice(("refused", "same")),
        modified_since_includes_equal=either(),
        unchanged_is_304=either(),
        batch_is_atomic=either(0.3),
        not_found_is_html=either(),
    )
