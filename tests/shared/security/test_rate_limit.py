import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.rate_limit import RateLimiter


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(5, clock)
    assert [limiter.take("a", 2.0) for _ in range(5)] == [0.0] * 5
    wait = limiter.take("a", 2.0)
    assert wait == pytest.approx(0.5)
    assert limiter.take("b", 2.0) == 0.0
    clock.now += wait
    assert limiter.take("a", 2.0) == 0.0
    assert limiter.take("a", 2.0) == pytest.approx(0.5)


@given(
    st.lists(st.floats(min_value=0, max_value=3), max_size=200),
    st.integers(min_value=1, max_value=20),
    st.floats(min_value=0.1, max_value=50),
)
def test_never_more_than_the_burst_and_what_flowed_in(
    pauses: list[float], burst: int, rate: float
) -> None:
    clock = Clock()
    limiter = RateLimiter(burst, clock)
    started, taken = clock.now, 0
    for pause in pauses:
        clock.now += pause
        taken += limiter.take("a", rate) == 0.0
        assert taken <= burst + (clock.now - started) * rate + 1e-6
