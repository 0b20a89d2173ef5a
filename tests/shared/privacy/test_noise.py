"""Noise has the distribution that the privacy of counts rests on."""

import math
import random
from collections import Counter
from fractions import Fraction

import pytest

from shared.privacy import noise
from shared.privacy.noise import discrete_laplace, release_threshold


@pytest.fixture(autouse=True)
def seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)  # noqa: S311
    monkeypatch.setattr(noise.secrets, "randbelow", chance.randrange)


@pytest.mark.parametrize("scale", [Fraction(1, 2), Fraction(1), Fraction(10, 3), Fraction(40)])
def test_counts_of_draws_are_those_of_the_distribution(scale: Fraction) -> None:
    draws = 30_000
    found = Counter(discrete_laplace(scale) for _ in range(draws))
    ratio = math.exp(-1 / scale)
    for size in range(-3, 4):
        share = (1 - ratio) / (1 + ratio) * ratio ** abs(size)
        deviation = math.sqrt(draws * share * (1 - share))
        assert abs(found[size] - draws * share) < 4.5 * deviation, size
    mean_square = sum(size * size * count for size, count in found.items()) / draws
    assert mean_square == pytest.approx(2 * ratio / (1 - ratio) ** 2, rel=0.06)


def test_a_key_of_one_user_is_hardly_ever_told() -> None:
    scale, delta = Fraction(2), 0.05
    threshold = release_threshold(scale, 4, delta)
    told = sum(1 + discrete_laplace(scale) >= threshold for _ in range(20_000))
    assert 0 < told / 20_000 <= delta / 4
    # Not much higher than it must be: for the discrete Laplace the chance is known.
    ratio = math.exp(-1 / scale)
    assert ratio ** (threshold - 2) / (1 + ratio) > delta / 4 / 3
