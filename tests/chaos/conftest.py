"""What breaks here: small disks and cut networks, where the machine lets a test make them."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.lossy_link import Island, LinkError, make_island, run


def need_root(what: str) -> None:
    """Skips a test where it may not make what it needs."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip(f"{what} needs root on Linux")


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A file system in memory."""

    folder: Path

    def resize(self, mebibytes: float) -> None:
        """Makes it larger or smaller, while it is in use."""
        size = f"size={round(mebibytes * 1024)}k"
        done = run("mount", "-o", f"remount,{size}", str(self.folder))
        assert not done.returncode, done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 2 MiB."""
    need_root("a disk of its own")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder))
    if made.returncode:
        pytest.skip(f"no disk of its own: {made.stderr.strip()}")
    yield SmallDisk(folder)
    run("umount", "-l", str(folder))


@pytest.fixture
def island() -> Iterator[Island]:
    """A network of its own, at the end of a cable that may be bad."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(make_island())
        except LinkError as error:
            pytest.skip(f"no network of its own: {error}")
        yield made
