import numpy as np
import pytest

from shared.planning.distribution import (
    PROBABILITIES,
    Grid,
    mean,
    mixture,
    slowest,
    spectrum,
    total,
    variability,
)
from shared.planning.queueing import NO_WAIT, Wait
from tests.shared.planning.made_up_costs import spread

GRID = Grid(1_000)


def drawn(quantiles, count, seed):
    return np.interp(np.random.default_rng(seed).random(count), PROBABILITIES, quantiles)


def test_what_was_measured_comes_back():
    found = GRID.measured(spread(50))
    for probability, value in zip(PROBABILITIES[1:-1], spread(50)[1:-1], strict=True):
        assert GRID.percentile(found, 100 * probability) == pytest.approx(value, abs=2 * GRID.step)


def test_sums_are_those_of_drawn_latencies():
    parts = [spread(5), spread(12), spread(30)]
    found = total(spectrum(GRID.measured(part)) for part in parts)
    samples = sum(drawn(part, 200_000, seed) for seed, part in enumerate(parts))
    for percent in (50, 90, 99):
        assert GRID.percentile(found, percent) == pytest.approx(
            np.percentile(samples, percent), rel=0.02
        )


def test_the_slowest_is_that_of_drawn_latencies():
    found = slowest(GRID.measured(spread(10)), 20)
    samples = np.max([drawn(spread(10), 50_000, seed) for seed in range(20)], axis=0)
    assert GRID.percentile(found, 50) == pytest.approx(np.percentile(samples, 50), rel=0.02)


def test_a_wait_is_none_or_exponential():
    found = GRID.waiting(Wait(0.5, 10.0))  # 20 ms for those that wait
    assert found[0] == pytest.approx(0.5, abs=0.01)
    assert GRID.percentile(found, 99) == pytest.approx(20 * np.log(0.5 / 0.01), rel=0.01)
    assert GRID.waiting(NO_WAIT)[0] == 1
    assert GRID.holds(Wait(0.5, 10.0))
    assert not GRID.holds(Wait(1.0, float("inf")))


def test_moments_are_those_of_drawn_latencies():
    samples = drawn(spread(7), 400_000, 1)
    assert mean(spread(7)) == pytest.approx(samples.mean(), rel=0.01)
    assert variability(spread(7)) == pytest.approx(samples.var() / samples.mean() ** 2, rel=0.02)
    assert variability([3.0] * len(PROBABILITIES)) == pytest.approx(0)


def test_a_mixture_weighs_its_parts():
    fast, slow = GRID.measured(spread(1)), GRID.measured(spread(100))
    found = mixture([(0.9, fast), (0.1, slow)])
    assert found.sum() == pytest.approx(1)
    assert GRID.percentile(found, 80) < 5
    assert GRID.percentile(found, 95) > 50
