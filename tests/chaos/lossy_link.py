"""A network of its own at the end of a cable that loses, delays and reorders packets, by chance.

Each end of the cable is a TUN device, from which the kernel's packets are read and to which they
are written by a thread here: so nothing is asked of the kernel but namespaces and TUN, no `netem`,
and what a seed decides is the same in every run (when the packets come is not).
See https://docs.kernel.org/networking/tuntap.html.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

_TUN = "/dev/net/tun"
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_IPV4 = 4
_LONGEST_PACKET = 65_536
_NEAR, _FAR = "198.18.77.1", "198.18.77.2"
"""Of the addresses that are kept for measurements of networks (RFC 2544)."""


class LinkError(Exception):
    """The machine does not let such a network be made; the message says why."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of the system; what it says is for whoever reads why a test was skipped."""
    return subprocess.run(command, capture_output=True, text=True, check=False)


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to packets.

    Args:
        loss: Share of packets that are lost.
        delay_seconds: How long each takes, at least.
        jitter_seconds: Most that one takes beyond that; what is sent later may so come earlier.
    """

    loss: float = 0.0
    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0


CLEAR = Weather()
CUT = Weather(loss=1.0)


class Cable:
    """Carries packets between two TUN devices, in both directions.

    Args:
        ends: Their file descriptors, which belong to the cable from now on.
        seed: Of all that chance decides.
    """

    def __init__(self, ends: tuple[int, int], seed: int = 1) -> None:
        self.weather = CLEAR
        self.packets: Counter[str] = Counter()
        """How many were "carried" and "lost"."""
        self._ends = ends
        self._chance = random.Random(seed)  # noqa: S311 - packets, not secrets
        self._numbers = count()
        self._on_the_way: list[tuple[float, int, int, bytes]] = []
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, name="cable", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends it; what is on the way is lost."""
        os.write(self._wake, b"!")
        self._thread.join()
        for end in (*self._ends, self._woken, self._wake):
            os.close(end)

    def _run(self) -> None:
        near, far = self._ends
        to = {near: far, far: near}
        while True:
            soon = self._on_the_way[0][0] - time.monotonic() if self._on_the_way else None
            ready, _, _ = select.select(
                [near, far, self._woken], [], [], None if soon is None else max(0.0, soon)
            )
            if self._woken in ready:
                return
            for end in ready:
                self._take(os.read(end, _LONGEST_PACKET), to[end])
            self._deliver()

    def _take(self, packet: bytes, to: int) -> None:
        if packet[0] >> 4 != _IPV4:
            return  # a device greets its neighbours by IPv6, unasked
        weather = self.weather
        lost = self._chance.random() < weather.loss
        self.packets["lost" if lost else "carried"] += 1
        if not lost:
            pause = weather.delay_seconds + self._chance.random() * weather.jitter_seconds
            due = time.monotonic() + pause
            heapq.heappush(self._on_the_way, (due, next(self._numbers), to, packet))

    def _deliver(self) -> None:
        while self._on_the_way and self._on_the_way[0][0] <= time.monotonic():
            _, _, to, packet = heapq.heappop(self._on_the_way)
            os.write(to, packet)


@dataclass(frozen=True, slots=True)
class Island:
    """A network namespace, tied to this one by a cable."""

    name: str
    cable: Cable
    address: str = _FAR
    """Of the other side."""
    home: str = _NEAR
    """Of this side, as seen from there."""

    def command(self, *arguments: str) -> list[str]:
        """Returns what runs a command there."""
        return ["ip", "netns", "exec", self.name, *arguments]


@contextmanager
def make_island() -> Iterator[Island]:
    """An island until the end of the block, with all that runs on it.

    Raises:
        LinkError: It cannot be made here.
    """
    if os.geteuid() != 0:
        raise LinkError("needs root")
    if not os.path.exists(_TUN):  # noqa: PTH110 - a device
        raise LinkError(f"needs {_TUN}")
    tag = uuid.uuid4().hex[:6]
    name, near, far = f"wherefore-{tag}", f"wfn{tag}", f"wff{tag}"
    _do("ip", "netns", "add", name)
    ends: list[int] = []
    cable: Cable | None = None
    try:
        ends += [_open_tun(near), _open_tun(far)]
        # A device that moves stays with whoever holds its file.
        for command in (
            ("ip", "link", "set", far, "netns", name),
            ("ip", "addr", "add", _NEAR, "peer", _FAR, "dev", near),
            ("ip", "link", "set", near, "up"),
            ("ip", "-n", name, "addr", "add", _FAR, "peer", _NEAR, "dev", far),
            ("ip", "-n", name, "link", "set", far, "up"),
            ("ip", "-n", name, "link", "set", "lo", "up"),
        ):
            _do(*command)
        cable = Cable((ends[0], ends[1]))
        yield Island(name, cable)
    finally:
        # A device is gone with its file, a namespace with its name and the last of its processes.
        if cable:
            cable.close()
        else:
            for end in ends:
                os.close(end)
        run("ip", "netns", "del", name)


def _do(*command: str) -> None:
    try:
        done = run(*command)
    except FileNotFoundError as error:
        raise LinkError(f"needs `{command[0]}`") from error
    if done.returncode:
        raise LinkError(f"{' '.join(command)}: {done.stderr.strip()}")


def _open_tun(name: str) -> int:
    try:
        end = os.open(_TUN, os.O_RDWR)
        fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError as error:
        raise LinkError(f"no TUN device: {error}") from error
    return end
