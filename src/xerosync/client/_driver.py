"""One flow, two clients: stepping a coroutine whose ports never suspend, and giving a flow's method a plain face."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from xerosync.errors import Misconfigured

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
S = TypeVar("S")


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


class stepped_into(Generic[P, R_co]):  # noqa: N801 - as `stepped`
    """
    A plain method made of an asynchronous one: same name, signature and docstring; *plain* turns what it gives.

    The plain object keeps the asynchronous one under ``_flows``.
    """

    def __init__(self, flow: Callable[Concatenate[Any, P], S], plain: Callable[[S], R_co]) -> None:
        self._flow: Callable[..., Any] = flow
        self._plain: Callable[[Any], R_co] = plain
        self._owner: type | None = None
        self.__doc__ = flow.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner

    @overload
    def __get__(self, instance: None, owner: type) -> Callable[Concatenate[Any, P], R_co]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Callable[P, R_co]: ...
    def __get__(self, instance: Any, owner: type) -> Callable[..., R_co]:
        return self._face if instance is None else MethodType(self._face, instance)

    @functools.cached_property
    def _face(self) -> Callable[..., R_co]:
        flow, plainly = self._flow, self._plain

        @functools.wraps(flow)
        def plain(self: Any, /, *args: Any, **kwargs: Any) -> R_co:
            return plainly(flow(self._flows, *args, **kwargs))

        vars(plain)["__signature__"] = _plain_signature(flow, self._owner)
        return plain


def _plain_signature(flow: Callable[..., Any], owner: type | None) -> inspect.Signature:
    """What ``help()`` shall say of *flow* as a method of *owner*: plain iterators, and its own documents for ``T``."""
    beside = vars(sys.modules[owner.__module__]) if owner is not None else {}
    awaited = beside.get(f"Async{owner.__name__}") if owner is not None else None
    model = getattr(awaited, "model", None)

    def plainly(said: object) -> object:
        if not isinstance(said, str):
            return said
        said = said if model is None else re.sub(r"\bT\b", model.__name__, said)
        return re.sub(r"\bAsync(Changes|Iterator)\b", r"\1", said)

    signature = inspect.signature(flow)
    return signature.replace(
        parameters=[each.replace(annotation=plainly(each.annotation)) for each in signature.parameters.values()],
        return_annotation=plainly(signature.return_annotation),
    )


class stepped(stepped_into[P, R_co]):  # noqa: N801 - read as a word: ``match = stepped(AsyncReceivables.match)``
    """A plain method made of a coroutine's, which it runs to its end when called."""

    def __init__(self, flow: Callable[Concatenate[Any, P], Coroutine[Any, Any, R_co]]) -> None:
        super().__init__(flow, run)


class stepped_rows(stepped_into[P, Iterator[R]], Generic[P, R]):  # noqa: N801 - as `stepped`
    """A plain generator method made of an asynchronous one."""

    def __init__(self, flow: Callable[Concatenate[Any, P], AsyncIterator[R]]) -> None:
        super().__init__(flow, iterate)
