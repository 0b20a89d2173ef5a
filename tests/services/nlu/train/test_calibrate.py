import numpy as np
import pytest

from services.nlu.train.calibrate import calibration_error, fit_temperature


def drawn(temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are too sure by `temperature`, and the classes drawn by what they should say."""
    random = np.random.default_rng(4)
    true = random.normal(0, 2, (6_000, 3))
    shares = np.exp(true) / np.exp(true).sum(1, keepdims=True)
    classes = np.asarray([random.choice(3, p=share) for share in shares])
    return (true * temperature).astype(np.float32), classes


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature):
    logits, classes = drawn(temperature)
    assert fit_temperature(logits, classes) == pytest.approx(temperature, rel=0.1)


def test_calibration_makes_confidence_mean_what_it_says():
    logits, classes = drawn(3.0)
    before = calibration_error(logits, classes, 1.0)
    after = calibration_error(logits, classes, fit_temperature(logits, classes))
    assert before > 0.1
    assert after < 0.02
