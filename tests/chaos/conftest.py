"""What breaks here: small disks and cut networks, where the machine lets a test make them."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of the system; what it says is for whoever reads why a test was skipped."""
    return subprocess.run(command, capture_output=True, text=True, check=False)


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


@dataclass(frozen=True, slots=True)
class Island:
    """A network namespace, tied to this one by one pair of interfaces."""

    name: str
    near: str
    """The interface on this side."""
    address: str
    """Of the other side."""

    def command(self, *arguments: str) -> list[str]:
        """Returns what runs a command there."""
        return ["ip", "netns", "exec", self.name, *arguments]

    def cut(self) -> None:
        """Lets nothing through any more, without a word to either side."""
        self._link("down")

    def mend(self) -> None:
        """Lets everything through again."""
        self._link("up")

    def lose(self, percent: int) -> str:
        """Loses so many packets of a hundred; returns why that cannot be, or nothing."""
        loss = ("netem", "loss", f"{percent}%")
        return run("tc", "qdisc", "replace", "dev", self.near, "root", *loss).stderr.strip()

    def _link(self, state: str) -> None:
        # The far end: this side's own would be told, and would fail at once and not in silence.
        done = run(*self.command("ip", "link", "set", "far", state))
        assert not done.returncode, done.stderr


@pytest.fixture
def island() -> Iterator[Island]:
    """A network of its own."""
    need_root("a network of its own")
    if not shutil.which("ip"):
        pytest.skip("a network of its own needs `ip` (iproute2)")
    tag = uuid.uuid4().hex[:6]
    name, near = f"wherefore-{tag}", f"wf{tag}"
    made = run("ip", "netns", "add", name)
    if made.returncode:
        pytest.skip(f"no network of its own: {made.stderr.strip()}")
    try:
        for command in (
            ("ip", "link", "add", near, "type", "veth", "peer", "name", "far", "netns", name),
            ("ip", "addr", "add", "198.18.77.1/30", "dev", near),
            ("ip", "link", "set", near, "up"),
            ("ip", "-n", name, "addr", "add", "198.18.77.2/30", "dev", "far"),
            ("ip", "-n", name, "link", "set", "far", "up"),
            ("ip", "-n", name, "link", "set", "lo", "up"),
        ):
            done = run(*command)
            if done.returncode:
                pytest.skip(f"no network of its own: {done.stderr.strip()}")
        yield Island(name, near, "198.18.77.2")
    finally:
        run("ip", "netns", "del", name)
