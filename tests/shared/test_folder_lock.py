"""One folder, one process at a time."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from shared.folder_lock import FolderInUseError, FolderLock
from shared.health import Health
from shared.readiness import Readiness


def test_one_at_a_time(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path / "new", "it"), FolderLock(tmp_path / "new", "it")
    first.acquire()
    first.acquire()
    with pytest.raises(FolderInUseError, match="another process has it open"):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    holding = (
        "import sys, time; from pathlib import Path; from shared.folder_lock import FolderLock;"
        "FolderLock(Path(sys.argv[1]), 'it').acquire(); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(tmp_path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUseError):
            FolderLock(tmp_path, "it").acquire()
        process.kill()
        process.wait()
    lock = FolderLock(tmp_path, "it")
    lock.acquire()
    lock.release()


class Owner:
    """A service of one folder."""

    def __init__(self, folder: Path) -> None:
        self.lock = FolderLock(folder, "it")

    async def start(self) -> None:
        self.lock.acquire()

    async def check_ready(self) -> None:
        pass


async def test_a_second_service_stands_by_and_takes_over(tmp_path: Path) -> None:
    first = Owner(tmp_path)
    await first.start()
    health = Health(["shop"])
    second = Readiness(Owner(tmp_path), health, "shop", 60)
    running = asyncio.create_task(second.run())
    async with asyncio.timeout(10):
        while "another process" not in second.reason:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        assert not health.serving
        first.lock.release()
        await second.wait_ready()
    assert health.serving
    running.cancel()
