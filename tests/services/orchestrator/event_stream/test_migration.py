"""A log in files becomes one in Redis: the same events, places, pseudonyms and refusals."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.orchestrator.event_files.store import SqliteEventStore
from services.orchestrator.event_stream.store import RedisEventStore
from services.orchestrator.purposes import ANALYTICS, mask_of
from shared.folder_lock import FolderLock
from tests.redis_server import RedisServer, running_redis
from tests.services.orchestrator.event_files.test_store import ANN, ROOT, event
from tests.services.orchestrator.test_event_store import ids
from wherefore.common.v1.user_profile_pb2 import UserContext

pytest.importorskip("redis", reason="the extra redis is not installed")


def copy(folder: Path, redis: RedisServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.orchestrator.event_stream", *arguments],
        cwd=ROOT,
        env={
            "WHEREFORE_ORCHESTRATOR_DATA_DIR": str(folder),
            "WHEREFORE_ORCHESTRATOR_EVENTS__REDIS_URL": redis.url,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


async def test_the_log_in_redis_is_the_same(tmp_path: Path) -> None:
    bob = UserContext(user_id="bob")
    files = SqliteEventStore(tmp_path / "events.sqlite")
    await files.open()
    await files.append([event(f"e{n}", f"u{n % 7}", at=100 + n % 11) for n in range(2_500)])
    await files.append([event("a", session="v1"), event("b", "bob")])
    await files.refuse(bob, mask_of([ANALYTICS]))
    await files.erase(ANN)
    await files.append([event("c", "bob")])
    piece = await files.after(2_400, 500)
    wanted = await ids(files), piece, files.log_id, files.place.last_sequence, files.alias(bob)
    await files.close()

    with running_redis(tmp_path, durable=True) as redis:
        done = copy(tmp_path, redis)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("2,502 events")
        store = RedisEventStore(redis.url, "wherefore:events", tmp_path / "events.key")
        await store.open()
        found = sorted(await ids(store))
        assert found == sorted(wanted[0])
        piece = await store.after(2_400, 500)
        assert (piece, store.log_id, store.place.last_sequence, store.alias(bob)) == wanted[1:]
        assert piece.forgotten
        assert await store.refused("u:bob") == mask_of([ANALYTICS])
        (late,) = await store.append([event("d", at=time.time() - 60)])
        assert late.erased
        again, new = await store.append([event("e7"), event("d", "carol")])
        assert (again.duplicate, new.duplicate) == (True, False)
        assert new.sequence == wanted[3] + 1
        assert len((await store.erase(bob))[1]) == 2
        await store.close()

        done = copy(tmp_path, redis)
        assert done.returncode == 1
        assert "already" in done.stderr


async def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    with running_redis(tmp_path, durable=True) as redis:
        done = copy(tmp_path / "nothing", redis)
        assert (done.returncode, "no log of events" in done.stderr) == (1, True)
        lock = FolderLock(tmp_path / "used", "the user events")
        lock.acquire()
        done = copy(tmp_path / "used", redis)
        assert (done.returncode, "another process" in done.stderr) == (1, True)
        lock.release()
        redis.stop()
        done = copy(tmp_path / "nothing", redis)
        assert (done.returncode, "away" in done.stderr) == (1, True)
