"""Generators in a thread."""

import asyncio
import threading
from collections.abc import Generator

import pytest

from services.reason.background import iterate
from shared.deadline import Deadline, current_deadline, set_current_deadline


async def test_items_come_in_order_from_another_thread_with_the_callers_deadline():
    def make() -> Generator[object, None, None]:
        yield threading.get_ident()
        yield current_deadline().limited
        yield from range(5)

    set_current_deadline(Deadline.after(5))
    try:
        thread, limited, *rest = [item async for item in iterate(make)]
    finally:
        set_current_deadline(Deadline.unlimited())
    assert thread != threading.get_ident()
    assert limited
    assert rest == list(range(5))


async def test_an_error_is_raised_where_it_is_read():
    def make() -> Generator[int, None, None]:
        yield 1
        raise ValueError("wrong")

    items = iterate(make)
    assert await anext(items) == 1
    with pytest.raises(ValueError, match="wrong"):
        await anext(items)


async def test_the_generator_is_closed_once_nobody_reads():
    closed = threading.Event()
    more = threading.Event()

    def make() -> Generator[int, None, None]:
        try:
            yield 1
            more.wait(30)
            yield 2
            yield 3
        finally:
            closed.set()

    items = iterate(make)
    assert await anext(items) == 1
    await items.aclose()  # pyright: ignore[reportAttributeAccessIssue] - it is a generator
    more.set()
    assert await asyncio.to_thread(closed.wait, 30)
