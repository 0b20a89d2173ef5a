"""Forecasts on a time split: made from what was before a day, measured on what came after it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shared.demand.forecaster import LEAST_DAYS, backtest, field_of
from shared.demand.intervals import LEVELS, quantiles
from shared.demand.methods import BASELINES, CANDIDATES, forecast
from shared.demand.scores import absolute_scale, mase, pinball, rmsse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CHOSEN: Final = "chosen per product"
_BASELINE_DAYS: Final = 56
"""Of which a baseline's quantiles are: of sums over as many days as the horizon has."""


@dataclass(slots=True)
class MethodScores:
    """How one way to forecast did, over products that have a scale.

    Attributes:
        mase: Of each product.
        rmsse: Likewise.
        total_error: Absolute error of the units of the horizon.
        pinball: Of the quantiles of those units, mean over LEVELS.
        covered: Whether they lay between the lowest and the highest quantile.
        bias: Units expected less units sold.
    """

    mase: list[float] = field(default_factory=list[float])
    rmsse: list[float] = field(default_factory=list[float])
    total_error: list[float] = field(default_factory=list[float])
    pinball: list[float] = field(default_factory=list[float])
    covered: list[bool] = field(default_factory=list[bool])
    bias: list[float] = field(default_factory=list[float])


@dataclass(slots=True)
class Evaluation:
    """The whole comparison."""

    horizon: int
    products: int = 0
    """Products that were measured."""
    left_out: int = 0
    """Products whose history was too short, or never erred by the seasonal naive forecast."""
    sold: float = 0.0
    """Units in the horizon that was kept apart."""
    scores: dict[str, MethodScores] = field(default_factory=dict[str, MethodScores])
    """By method, `CHOSEN` included."""
    chosen: Counter[str] = field(default_factory=Counter[str])
    """Products by the method that was chosen."""


def evaluate(
    units: Mapping[str, Floats], horizon: int, advance: Callable[[int], None] = lambda _: None
) -> Evaluation:
    """Forecasts the last days of every product from those before, by each method and by choice.

    Args:
        units: By product, (days,) sold.
        horizon: Days that are kept apart, 1 to `LONGEST_HORIZON`.
        advance: Told of every product that is done.
    """
    found = Evaluation(horizon)
    scores: defaultdict[str, MethodScores] = defaultdict(MethodScores)
    known = {product: series[:-horizon] for product, series in units.items()}
    known = {product: before for product, before in known.items() if _is_measured(before)}
    found.left_out = len(units) - len(known)
    field = field_of(known, horizon)
    advance(found.left_out)
    for product, before in known.items():
        after = units[product][-horizon:]
        found.products += 1
        found.sold += float(after.sum())
        past = _window_sums(before, horizon)
        for name in BASELINES:
            _add(scores[name], before, after, forecast(name, before, horizon), past)
        tried = backtest(before, horizon)
        best = tried.best(field)
        found.chosen[best] += 1
        for name in CANDIDATES:
            daily = forecast(name, before, horizon)
            told = _law(daily, tried.spread(name, field))
            _add(scores[name], before, after, daily, told)
            if name == best:
                _add(scores[CHOSEN], before, after, daily, told)
        advance(1)
    found.scores = dict(scores)
    return found


def _is_measured(before: Floats) -> bool:
    return before.size >= LEAST_DAYS and absolute_scale(before) > 0.0


def _law(daily: Floats, spread: float) -> list[float]:
    told = quantiles(float(daily.sum()), spread)
    return [told[level] for level in LEVELS]


def _window_sums(before: Floats, horizon: int) -> list[float]:
    """Quantiles of what was sold in as many days as the horizon has: what a baseline expects."""
    recent = before[-max(_BASELINE_DAYS, 2 * horizon) :]
    sums = np.convolve(recent, np.ones(horizon), mode="valid") if recent.size >= horizon else recent
    return [float(np.quantile(sums, level)) for level in LEVELS]


def _add(
    into: MethodScores, before: Floats, after: Floats, daily: Floats, told: Sequence[float]
) -> None:
    scaled, squared = mase(after, daily, before), rmsse(after, daily, before)
    if scaled is None or squared is None:
        return
    total = float(after.sum())
    into.mase.append(scaled)
    into.rmsse.append(squared)
    into.total_error.append(abs(float(daily.sum()) - total))
    losses = [pinball(total, q, level) for q, level in zip(told, LEVELS, strict=True)]
    into.pinball.append(sum(losses) / len(losses))
    into.covered.append(told[0] <= total <= told[-1])
    into.bias.append(float(daily.sum()) - total)


def figures(found: Evaluation) -> dict[str, Any]:
    """Returns means over products, the best first by RMSSE, as JSON has them."""
    rows = {
        name: {
            "mase": float(np.mean(each.mase)),
            "rmsse": float(np.mean(each.rmsse)),
            "pinball": float(np.mean(each.pinball)),
            "covered": float(np.mean(each.covered)),
            "total_error": float(np.mean(each.total_error)),
            "bias": float(np.mean(each.bias)),
        }
        for name, each in found.scores.items()
    }
    return {
        "horizon": found.horizon,
        "products": found.products,
        "left_out": found.left_out,
        "units_sold": found.sold,
        "methods": dict(sorted(rows.items(), key=lambda row: row[1]["rmsse"])),
        "chosen": dict(found.chosen.most_common()),
    }
