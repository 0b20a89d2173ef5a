"""The cable itself: it loses what it says, by its seed alone, and carries the rest as it was."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.chaos.lossy_link import CLEAR, CUT, Cable, Island, Weather

PACKETS = 2_000
_IPV4 = b"\x45"


@contextmanager
def cable(seed: int) -> Iterator[tuple[Cable, socket.socket, socket.socket]]:
    """A cable between two sockets that keep messages apart, as TUN devices do."""
    near, near_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    far, far_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near, far:
        made = Cable((near_end.detach(), far_end.detach()), seed)
        try:
            yield made, near, far
        finally:
            made.close()


def arrived(seed: int, weather: Weather) -> list[bytes]:
    """What comes out at the other end, in its order."""
    with cable(seed) as (made, near, far):
        made.weather = weather
        sent = [_IPV4 + number.to_bytes(4) for number in range(PACKETS)]
        taken: list[bytes] = []
        for at in range(0, PACKETS, 50):
            for packet in sent[at : at + 50]:
                near.send(packet)
            while made.packets.total() < at + 50:
                time.sleep(0.0005)
            while len(taken) < made.packets["carried"]:
                taken.append(far.recv(100))
        assert made.packets.total() == PACKETS
        assert set(taken) <= set(sent)
        return taken


def test_all_comes_in_order_on_a_clear_day():
    assert len(arrived(1, CLEAR)) == PACKETS


def test_so_many_are_lost_and_a_seed_decides_which():
    taken = arrived(1, Weather(loss=0.05))
    assert len(taken) == pytest.approx(0.95 * PACKETS, abs=0.02 * PACKETS)
    assert taken == sorted(taken)
    assert arrived(1, Weather(loss=0.05)) == taken
    assert arrived(2, Weather(loss=0.05)) != taken


def test_nothing_comes_through_a_cut():
    assert not arrived(1, CUT)


def test_jitter_changes_the_order():
    taken = arrived(1, Weather(jitter_seconds=0.005))
    assert len(taken) == PACKETS
    assert taken != sorted(taken)


def test_an_island_is_reached_over_its_cable_alone(island: Island):
    """A connection that is refused has been there and back."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((island.address, 9), timeout=10)
    assert island.cable.packets["carried"] >= 2
    island.cable.weather = CUT
    with pytest.raises(TimeoutError):
        socket.create_connection((island.address, 9), timeout=0.3)
