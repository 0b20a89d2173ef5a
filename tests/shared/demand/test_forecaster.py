"""Forecasts: chosen by held-out error, with quantiles that hold what is sold."""

import numpy as np
import pytest

from shared.demand.evaluation import CHOSEN, evaluate, figures
from shared.demand.forecaster import (
    LEAST_DAYS,
    UNKNOWN,
    Field,
    backtest,
    field_of,
    forecast_product,
)
from shared.demand.intervals import LEVELS, dispersion, dispersion_of_all, quantiles
from shared.demand.methods import BASELINES, CANDIDATES, forecast
from shared.demand.scores import mase, pinball, rmsse

pytest.importorskip("statsforecast")
HORIZON = 14


def sold(rate, days=120, seed=3):
    return np.random.default_rng(seed).poisson(rate, days).astype(float)


@pytest.mark.parametrize("method", [*BASELINES, *CANDIDATES])
@pytest.mark.parametrize("units", [sold(0.1), sold(4.0), np.zeros(40), np.full(30, 2.0)])
def test_every_method_tells_units_of_every_day(method, units):
    said = forecast(method, units, HORIZON)
    assert said.shape == (HORIZON,)
    assert np.isfinite(said).all()
    assert (said >= 0).all()


@pytest.mark.parametrize("method", [each for each in CANDIDATES if each != "seasonal_smoothing"])
def test_methods_find_the_mean_of_demand_that_comes_now_and_then(method):
    total = np.mean([forecast(method, sold(0.3, 200, s), HORIZON).sum() for s in range(30)])
    assert total == pytest.approx(0.3 * HORIZON, rel=0.25)


def test_what_tells_the_days_of_the_week_is_chosen_where_they_differ():
    week = np.array([1.0, 1, 1, 1, 1, 20, 30])
    units = np.tile(week, 16) + np.random.default_rng(1).normal(0, 0.5, 112)
    tried = backtest(np.clip(units, 0, None), HORIZON)
    seasonal = {"seasonal_smoothing", "theta"}
    assert tried.best(UNKNOWN) in seasonal
    # The field is a prior, and weeks as clear as these overrule it.
    assert tried.best(Field(dict.fromkeys(CANDIDATES, 1.0) | {"tsb": 0.8}, 0.1)) in seasonal


def test_the_field_decides_where_a_product_says_little():
    tried = backtest(sold(0.5, LEAST_DAYS + HORIZON), HORIZON)
    shares = tried.shares()
    second = sorted(shares, key=shares.get)[1]
    assert tried.best(Field(dict.fromkeys(CANDIDATES, 1.0) | {second: 0.2}, 0.1)) == second
    nothing = backtest(sold(0.5, LEAST_DAYS), HORIZON)
    assert (nothing.sold, dict(nothing.errors)) == ((), {})
    assert nothing.best(Field({"tsb": 0.9, "adida": 0.8}, 0.1)) == "adida"
    assert nothing.best(UNKNOWN) == "moving_average"


def test_no_window_is_forecast_from_itself():
    units = sold(2.0)
    changed = units.copy()
    changed[-HORIZON:] += 100
    before, after = backtest(units, HORIZON), backtest(changed, HORIZON)
    assert before.expected == after.expected
    assert before.errors != after.errors


def test_a_short_history_is_refused():
    with pytest.raises(ValueError, match="28 are needed"):
        forecast_product("cup", sold(1.0, LEAST_DAYS - 1), HORIZON, UNKNOWN)


def test_a_forecast_tells_its_total_and_quantiles_in_order():
    told = forecast_product("cup", sold(1.5), HORIZON, UNKNOWN)
    assert told.total == pytest.approx(sum(told.daily))
    assert told.method in CANDIDATES
    assert list(told.quantiles) == list(LEVELS)
    assert told.quantiles[0.1] <= told.quantiles[0.5] <= told.quantiles[0.9]
    assert told.history_days == 120


def test_quantiles_hold_the_share_that_they_name():
    random = np.random.default_rng(5)
    mean, spread = 12.0, 0.2
    rates = random.gamma(1 / spread, mean * spread, 20_000)
    drawn = random.poisson(rates)
    told = quantiles(mean, spread)
    for level in LEVELS:
        assert (drawn <= told[level]).mean() == pytest.approx(level, abs=0.04)
    assert set(quantiles(0.0, 0.2).values()) == {0.0}


def test_dispersion_grows_with_what_forecasts_missed():
    even = dispersion([10, 10, 10], [10, 10, 10], 0.1)
    odd = dispersion([2, 25, 10], [10, 10, 10], 0.1)
    assert 0 < even < dispersion([], [], 0.1) == 0.1 < odd


def test_the_dispersion_of_all_is_found_again():
    random = np.random.default_rng(8)
    means = random.uniform(1, 60, 4_000)
    drawn = random.poisson(random.gamma(1 / 0.2, means * 0.2))
    assert dispersion_of_all(list(drawn), list(means)) == pytest.approx(0.2, rel=0.15)
    assert dispersion_of_all(list(random.poisson(means)), list(means)) < 0.015
    assert dispersion_of_all([], []) > 0


def test_scores_by_hand():
    history = np.array([0.0] * 7 + [2.0] * 7)
    assert mase(np.array([3.0]), np.array([1.0]), history) == 1.0
    assert rmsse(np.array([3.0, 1.0]), np.array([1.0, 1.0]), history) == pytest.approx(0.5**0.5)
    assert mase(np.array([3.0]), np.array([1.0]), np.zeros(14)) is None
    assert [pinball(10, 8, 0.9), pinball(8, 10, 0.9)] == pytest.approx([1.8, 0.2])


def test_an_evaluation_keeps_the_last_days_apart_and_beats_the_naive_ones():
    units = {f"p{n}": sold(0.2 + n / 10, 150, n) for n in range(25)}
    units["new"] = sold(1.0, LEAST_DAYS)
    found = evaluate(units, HORIZON)
    told = figures(found)
    assert (found.products, found.left_out) == (25, 1)
    assert found.sold == sum(units[f"p{n}"][-HORIZON:].sum() for n in range(25))
    methods = told["methods"]
    assert set(methods) == {CHOSEN, *BASELINES, *CANDIDATES}
    for baseline in BASELINES:
        assert methods[CHOSEN]["rmsse"] < methods[baseline]["rmsse"]
    # Where nothing changes, what was sold in all spans of days before is the best quantile.
    assert methods[CHOSEN]["pinball"] < 1.1 * methods["naive"]["pinball"]
    assert 0.65 <= methods[CHOSEN]["covered"] <= 0.97
    assert sum(told["chosen"].values()) == 25


def test_the_field_is_the_same_each_time():
    units = {f"p{n}": sold(1.0, 100, n) for n in range(6)}
    again = dict(reversed(units.items()))
    assert field_of(units, HORIZON) == field_of(again, HORIZON)
    assert field_of({"cup": np.zeros(100)}, HORIZON) == UNKNOWN
