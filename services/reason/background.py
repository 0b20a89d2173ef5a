"""A generator that computes, run in a thread while the event loop goes on."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class _End:
    error: Exception | None


async def iterate(make: Callable[[], Generator[_Item, None, None]]) -> AsyncIterator[_Item]:
    """Yields what a generator yields in a thread, as it comes.

    The thread has the context of the caller, its deadline with it. Once nobody reads on, the
    generator is closed at its next item.

    Raises:
        Exception: What the generator raises.
    """
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[_Item | _End] = asyncio.Queue()
    gone = Event()

    def tell(item: _Item | _End) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(told.put_nowait, item)

    def run() -> None:
        try:
            with closing(make()) as items:
                for item in items:
                    if gone.is_set():
                        return
                    tell(item)
        except Exception as error:  # raised again where it is read
            tell(_End(error))
        else:
            tell(_End(None))

    context = contextvars.copy_context()
    loop.run_in_executor(None, context.run, run)
    try:
        while not isinstance(item := await told.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        gone.set()
