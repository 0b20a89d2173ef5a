"""The fit of the confidence, on samples whose truth is known."""

import numpy as np

from benchmarks.calibrate_confidence import (
    Sample,
    calibration_error,
    cross_validate,
    fit,
    predict,
    report,
    results_section,
)
from services.ranking.calibration import ABSOLUTE


def sample(size: int = 4_000) -> Sample:
    """Relevance by a known logistic curve of the first feature; queries of 20 candidates."""
    random = np.random.default_rng(1)
    matrix = random.uniform(0, 1, (size, len(ABSOLUTE)))
    relevant = (random.uniform(0, 1, size) < 1 / (1 + np.exp(3 - 6 * matrix[:, 0]))).astype(float)
    return Sample(matrix, relevant, np.arange(size) // 20)


def test_the_curve_that_made_the_sample_is_found() -> None:
    known = sample()
    weights = fit(known.matrix, known.relevant)
    assert abs(weights[0] + 3) < 0.5
    assert abs(weights[1] - 6) < 0.5
    assert np.abs(weights[2:]).max() < 0.5


def test_a_right_curve_is_calibrated_and_a_wrong_one_is_not() -> None:
    known = sample()
    quality = cross_validate(known.matrix, known)
    assert quality["ece"] < 0.03
    assert quality["brier"] < quality["brier_of_base_rate"]
    flat = np.full(len(known.relevant), 0.95)
    assert calibration_error(flat, known.relevant) > 0.3


def test_probabilities_are_probabilities() -> None:
    known = sample(100)
    p = predict(np.full(len(ABSOLUTE) + 1, 1e6), known.matrix)
    assert ((p >= 0) & (p <= 1)).all()


def test_reports_name_both_curves() -> None:
    known = sample(400)
    assert "[calibration.full]" in report(known)
    section = results_section(known, "command", "data")
    assert "| full: " in section
    assert "| lexical: " in section
