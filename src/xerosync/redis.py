"""
Xero's limits shared through Redis, or Valkey: ``Xero(…, gate=RedisGate(client))``. It needs
``pip install 'xerosync[redis]'``.

It decides as `StoreGate` does and keeps the same records, so that one is as exact as the other: a call counts from when
it is sent until a minute after its answer, and a worker that was killed frees its place by itself. That is more than
a count of hits in a window tells, which is why it rests on Redis itself and not on a library of rate limits. Nothing
else of xerosync imports this module.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable
from typing import Final, cast

try:
    from redis import Redis, RedisError
    from redis.asyncio import Redis as AsyncRedis
except ImportError as _missing:
    raise ImportError("redis is not installed: pip install 'xerosync[redis]'") from _missing

from attrs import frozen

from xerosync.client.store_gate import SharedGate
from xerosync.errors import StoreFailed
from xerosync.storage.protocol import Record, RecordKey

_REPLACE: Final = """
if (redis.call("GET", KEYS[1]) or "") ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
return 1
"""
_KEPT_MS: Final = 25 * 3600 * 1000
"""Longer than Xero's day."""


class RedisGate(SharedGate):
    """
    A gate for every process that reaches one Redis; *client* is a `redis.Redis`, under `AsyncXero` and `AsyncWorker`
    a `redis.asyncio.Redis`.

    Its keys begin with *prefix*, and vanish a day after they were last used. While Redis fails, nothing is sent:
    `StoreFailed`. If it forgets, it learns again from Xero's counters what is left.
    """

    def __init__(self, client: Redis | AsyncRedis, *, prefix: str = "xerosync:gate:") -> None:
        super().__init__(_InRedis(client, prefix))


@frozen
class _InRedis:
    """Records as the values of keys; those of one app lie in one slot of a cluster, to be read together."""

    client: Redis | AsyncRedis
    prefix: str

    async def read(self, keys: Sequence[RecordKey]) -> Sequence[Record | None]:
        found = await _answer(lambda: self.client.mget([self._name(key) for key in keys]))
        return [
            None if body is None else Record(key.kind, key.tenant, key.key, _text(body))
            for key, body in zip(keys, cast("list[bytes | str | None]", found), strict=True)
        ]

    async def replace(self, fresh: Record, known: Record | None) -> bool:
        was = "" if known is None else known.body
        name = self._name(fresh.identity)
        return bool(await _answer(lambda: self.client.eval(_REPLACE, 1, name, was, fresh.body, str(_KEPT_MS))))

    def _name(self, key: RecordKey) -> str:
        return f"{self.prefix}{{{key.key}}}:{key.tenant}"


async def _answer(ask: Callable[[], object]) -> object:
    """What Redis answers, awaited if the client is. Raises `StoreFailed`."""
    try:
        answer = ask()
        return await cast(Awaitable[object], answer) if isawaitable(answer) else answer
    except RedisError as error:
        raise StoreFailed(f"Redis, which shares Xero's limits, failed: {type(error).__name__}.") from error


def _text(body: bytes | str) -> str:
    return body if isinstance(body, str) else body.decode()
