"""One flow, two clients: stepping a coroutine whose ports never suspend, and giving a flow's method a plain face."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from xerosync.errors import Misconfigured

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


def run(flow: Coroutine[Any, Any, R]) -> R:
    """
    Step *flow* to its end in this thread and return its result.

    No event loop is needed, so this works inside a running one too. Raises `Misconfigured` when a port really suspends:
    then an asynchronous port was given to the plain client.
    """
    try:
        flow.send(None)
    except StopIteration as end:
        result: R = end.value
        return result
    flow.close()
    raise Misconfigured("an asynchronous port was given to the plain client: use AsyncXero, or a blocking port")


def iterate(rows: AsyncIterator[R]) -> Iterator[R]:
    """The items of *rows*, each stepped for when it is asked for."""

    async def step() -> R:
        return await anext(rows)

    while True:
        try:
            yield run(step())
        except StopAsyncIteration:
            return


class stepped(Generic[P, R_co]):  # noqa: N801 - read as a decorator-like word: ``match = stepped(AsyncReceivables.match)``
    """
    A plain method made of an asynchronous one: same name, signature and docstring, run to its end when called.

    The plain object keeps the asynchronous one under ``_flows``.
    """

    def __init__(self, flow: Callable[Concatenate[Any, P], Coroutine[Any, Any, R_co]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Callable[Concatenate[Any, P], R_co]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Callable[P, R_co]: ...
    def __get__(self, instance: Any, owner: type) -> Callable[..., R_co]:
        flow = self._flow

        @functools.wraps(flow)
        def plain(self: Any, /, *args: Any, **kwargs: Any) -> R_co:
            return run(flow(self._flows, *args, **kwargs))

        return plain if instance is None else MethodType(plain, instance)


class stepped_rows(Generic[P, R_co]):  # noqa: N801 - as `stepped`
    """A plain generator method made of an asynchronous one, as `stepped` makes a plain method."""

    def __init__(self, flow: Callable[Concatenate[Any, P], AsyncIterator[R_co]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Callable[Concatenate[Any, P], Iterator[R_co]]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Callable[P, Iterator[R_co]]: ...
    def __get__(self, instance: Any, owner: type) -> Callable[..., Iterator[R_co]]:
        flow = self._flow

        @functools.wraps(flow)
        def plain(self: Any, /, *args: Any, **kwargs: Any) -> Iterator[R_co]:
            return iterate(flow(self._flows, *args, **kwargs))

        return plain if instance is None else MethodType(plain, instance)
