import numpy as np
import pytest

from services.ranking.clicks.behaviour import Cascade, PositionBased, attraction, examination

PAGES = 40_000


def test_ratings_attract_between_noise_and_certainty():
    found = attraction(np.array([0, 1, 2, 3]), highest=3, noise=0.1)
    assert found == pytest.approx([0.1, 0.1 + 0.9 / 7, 0.1 + 0.9 * 3 / 7, 1.0])


def test_position_based_clicks_are_attraction_times_examination():
    attracts = np.tile([0.2, 0.8, 0.5], (PAGES, 1))
    clicked = PositionBased(severity=1.0).click(attracts, np.random.default_rng(1))
    assert clicked.mean(axis=0) == pytest.approx(np.array([0.2, 0.4, 0.5 / 3]), abs=0.01)
    assert examination(3, 1.0) == pytest.approx([1.0, 0.5, 1 / 3])


def test_a_satisfied_reader_of_a_cascade_reads_no_further():
    attracts = np.ones((PAGES, 3))
    always = Cascade(satisfaction=1.0, patience=1.0).click(attracts, np.random.default_rng(1))
    assert always.mean(axis=0) == pytest.approx([1.0, 0.0, 0.0])
    half = Cascade(satisfaction=0.5, patience=1.0).click(attracts, np.random.default_rng(1))
    assert half.mean(axis=0) == pytest.approx(np.array([1.0, 0.5, 0.25]), abs=0.01)


def test_an_impatient_reader_of_a_cascade_stops_without_a_click():
    attracts = np.tile([0.0, 1.0], (PAGES, 1))
    clicked = Cascade(satisfaction=1.0, patience=0.3).click(attracts, np.random.default_rng(1))
    assert clicked.mean(axis=0) == pytest.approx(np.array([0.0, 0.3]), abs=0.01)
