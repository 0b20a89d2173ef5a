import numpy as np
import pytest

from services.ranking.clicks.behaviour import PositionBased, examination
from services.ranking.clicks.log import ClickLog, simulate
from services.ranking.clicks.propensity import LEAST, TooFixedError, estimate_propensities


def logged(severity: float, temperature: float) -> ClickLog:
    random = np.random.default_rng(3)
    query = np.repeat(np.arange(40), 12)
    attracts = random.uniform(0.05, 0.95, len(query))
    return simulate(
        random.random(len(query)),
        attracts,
        query,
        PositionBased(severity),
        random,
        pages=300,
        places=8,
        temperature=temperature,
    )


@pytest.mark.parametrize("severity", [0.0, 1.0, 1.5])
def test_propensities_are_found_from_clicks_alone(severity):
    found = estimate_propensities(logged(severity, temperature=0.7))
    assert found.places == pytest.approx(examination(8, severity), abs=0.05)


def test_one_order_alone_is_refused_as_it_tells_nothing():
    with pytest.raises(TooFixedError, match="ties place 2 to place 1"):
        estimate_propensities(logged(1.0, temperature=0.0))


def test_propensities_are_kept_off_zero():
    shown = np.tile([[0, 1], [1, 0]], (50, 1))
    clicked = np.tile([[True, False], [True, False]], (50, 1))
    found = estimate_propensities(ClickLog(2, shown, clicked))
    assert found.places.tolist() == [1.0, LEAST]
