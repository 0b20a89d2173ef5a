"""A crash in the midst of a write leaves half of it on disk: what was acknowledged is read."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from services.orchestrator.event_files.store import SqliteEventStore
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent

COUNT = 60
_FRAME = 4096 + 24
"""Bytes of a page in SQLite's write-ahead log, with its header (https://sqlite.org/walformat.html)."""


def event(number: int) -> UserEvent:
    return UserEvent(
        id=f"e{number}",
        type=USER_EVENT_TYPE_VIEW,
        user_id="ann",
        products=[ProductDetail(product_id=f"p{number}")],
    )


def noise(log: bytes) -> bytes:
    return log + bytes(range(256)) * 40


def half_a_frame(log: bytes) -> bytes:
    return log + log[-_FRAME : -_FRAME // 2]


def frames_again(log: bytes) -> bytes:
    """As of a log that was written over one from before: whole frames, of another time."""
    return log + log[-3 * _FRAME :]


def a_flipped_bit(log: bytes) -> bytes:
    torn = bytearray(log + log[-_FRAME:])
    torn[-100] ^= 1
    return bytes(torn)


@pytest.mark.parametrize("damage", [noise, half_a_frame, frames_again, a_flipped_bit])
async def test_events_behind_a_damaged_tail(tmp_path: Path, damage: Callable[[bytes], bytes]):
    alive, dead = tmp_path / "alive", tmp_path / "dead"
    store = SqliteEventStore(alive / "events.sqlite")
    await store.open()
    try:
        for number in range(COUNT):
            await store.append([event(number)])
        # As a kill -9 leaves them: nothing was closed, and the log is not in the file yet.
        shutil.copytree(alive, dead)
    finally:
        await store.close()
    (log,) = dead.glob("events.sqlite-wal")
    assert log.stat().st_size > COUNT * 100
    log.write_bytes(damage(log.read_bytes()))

    again = SqliteEventStore(dead / "events.sqlite")
    await again.open()
    try:
        piece = await again.after(0, 2 * COUNT)
        assert [stored.event.id for stored in piece.events] == [f"e{n}" for n in range(COUNT)]
        (stored,) = await again.append([event(COUNT)])
        assert not stored.duplicate
        (stored,) = await again.append([event(3)])
        assert stored.duplicate
    finally:
        await again.close()
