"""The verdict on how soon an event shows; the measurement runs in tests/integration."""

from benchmarks.event_freshness import Freshness, section


def found(slowest: float, never: int = 0) -> Freshness:
    times = [0.02] * 95 + [slowest] * 5
    return Freshness(written=[0.005] * 100, seen=times, first=100 - never, never=never)


def test_within_a_second():
    assert "Within 1 s at p99: met (300 ms)" in section(found(0.3), 4, "icecat")


def test_a_slow_one_in_twenty_misses():
    assert "missed (1500 ms)" in section(found(1.5), 4, "icecat")


def test_who_never_saw_it_counts():
    text = section(found(0.3, never=1), 4, "icecat")
    assert "missed" in text
    assert "99 of 100 users; 1 saw no difference" in text
