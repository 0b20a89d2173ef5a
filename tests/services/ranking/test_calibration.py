import numpy as np
import pytest

from benchmarks.calibrate_confidence import (
    Sample,
    brier,
    calibration_error,
    cross_validate,
    fit,
    predict,
)
from services.ranking.calibration import ABSOLUTE, confidence
from services.ranking.features import FEATURES, FeatureTable
from services.ranking.weights import CalibrationConfig, LogisticConfig


def table(cosines, coverage):
    values = np.zeros((len(cosines), len(FEATURES)))
    values[:, FEATURES.index("title_coverage")] = coverage
    return FeatureTable(values, np.array(cosines, dtype=float))


def test_confidence_rises_with_cosine_and_coverage(weights):
    p = confidence(table([0.1, 0.5, 0.9, 0.9], [0, 0.5, 0.5, 1]), weights.calibration)
    assert np.all(np.diff(p) > 0)
    assert np.all((p > 0) & (p < 1))


def test_a_candidate_without_cosine_is_judged_by_its_words():
    config = CalibrationConfig(
        version="t",
        full=LogisticConfig(intercept=0.0, coefficients={"cosine": 100.0}),
        lexical=LogisticConfig(intercept=0.0, coefficients={"title_coverage": 2.0}),
    )
    p = confidence(table([float("nan"), 1.0], [1, 0]), config)
    assert p[0] == pytest.approx(1 / (1 + np.exp(-2)))
    assert p[1] == pytest.approx(1.0)


def test_fit_recovers_a_known_curve_and_is_calibrated_across_queries():
    rng = np.random.default_rng(1)
    matrix = rng.uniform(0, 1, (6000, len(ABSOLUTE)))
    true = np.array([-2.0, 4.0, 1.0, 0.0, -1.0])
    relevant = (rng.uniform(size=6000) < predict(true, matrix)).astype(float)
    np.testing.assert_allclose(fit(matrix, relevant), true, atol=0.3)
    quality = cross_validate(matrix, Sample(matrix, relevant, np.arange(6000) // 20))
    assert quality["ece"] < 0.03
    assert quality["brier"] < quality["brier_of_base_rate"]


def test_measures_by_hand():
    p, relevant = np.array([0.95, 0.95, 0.05, 0.05]), np.array([1.0, 0.0, 0.0, 0.0])
    assert brier(p, relevant) == pytest.approx((0.0025 + 0.9025 + 0.0025 * 2) / 4)
    assert calibration_error(p, relevant) == pytest.approx(0.5 * 0.45 + 0.5 * 0.05)
