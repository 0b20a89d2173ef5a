"""What a ranker that never served would have earned, estimated from the log of one that did.

The value is the mean number of clicks on a page. A click is taken to depend on the product and its
place, not on its neighbours: the item-position model of Li et al., "Offline evaluation of ranking
policies with click models", KDD 2018. Three estimates of it:

- IPS: what both rankers put in the same place, weighted by the inverse of its propensity;
- SNIPS: the same over the mean weight of each place (Swaminathan and Joachims, NIPS 2015);
- DR: a regression's answer, with IPS of what it got wrong (Dudik, Langford and Li, ICML 2011), the
  regression fitted on other queries.

Intervals are percentile bootstraps over queries: pages of one query are not independent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.clicks.page_log import LoggedPage, PageLogError
from services.ranking.clicks.reward_model import RewardModel
from shared.evaluation.significance import Interval, percentile_interval

Scorer = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""(candidates, features) -> (candidates,), higher is better."""

IPS, SNIPS, DR, LOGGED = "ips", "snips", "dr", "logged"
FOLDS: Final = 5
RESAMPLES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """Clicks on a page."""

    value: Interval
    gain: Interval
    """Over the ranker that was logged, on the same pages."""


@dataclass(frozen=True, slots=True)
class LogEvaluation:
    """What a log says of a ranker."""

    estimates: dict[str, Estimate]
    """By IPS, SNIPS and DR; LOGGED is what was earned, with a gain of 0."""
    pages: int
    queries: int
    agreement: float
    """Share of shown results that the ranker would have put in the same place."""
    effective_results: float
    """Kish's effective sample size of the weights, in results."""
    mean_weight: float
    """About 1 when the propensities are true and nothing the ranker shows was impossible."""
    clipped: float
    """Share of weights that were cut at the largest allowed."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """By query and place, shape (queries, places); `pages` has shape (queries,)."""

    pages: NDArray[np.float64]
    clicks: NDArray[np.float64]
    weights: NDArray[np.float64]
    weighted: NDArray[np.float64]
    robust: NDArray[np.float64]
    views: NDArray[np.float64]


def evaluate_logs(
    pages: Sequence[LoggedPage], scorer: Scorer, *, largest_weight: float = 100.0, seed: int = 0
) -> LogEvaluation:
    """Estimates a ranker.

    Args:
        pages: Of at least two queries.
        scorer: The ranker; it shows the candidates in the order of its scores.
        largest_weight: Weights above are cut, which trades a little bias for much variance.
        seed: The same seed gives the same folds and intervals.

    Raises:
        PageLogError: There are too few queries.
    """
    names = sorted({page.query for page in pages})
    if len(names) < 2:  # noqa: PLR2004 - a fold to fit on and one to judge
        raise PageLogError("a log must hold pages of at least two queries")
    random = np.random.default_rng(seed)
    numbers = {name: number for number, name in enumerate(names)}
    query = np.array([numbers[page.query] for page in pages])
    length = max(len(page.shown) for page in pages)
    wanted = [_order(scorer, page) for page in pages]
    fold = (random.permutation(len(names)) % FOLDS)[query]
    expected = _expected(pages, wanted, fold)
    sums = {name: np.zeros((len(names), length)) for name in ("c", "w", "wr", "dr", "v")}
    squares, agreed, clipped = 0.0, 0, 0
    for number, page in enumerate(pages):
        same = wanted[number] == page.shown
        weights = np.where(same, 1.0 / page.propensities, 0.0)
        clipped += int((weights > largest_weight).sum())
        weights = np.minimum(weights, largest_weight)
        of_wanted, of_shown = expected[number]
        row = (query[number], slice(0, len(page.shown)))
        sums["v"][row] += 1.0
        sums["c"][row] += page.clicked
        sums["w"][row] += weights
        sums["wr"][row] += weights * page.clicked
        sums["dr"][row] += of_wanted + weights * (page.clicked - of_shown)
        squares += float((weights**2).sum())
        agreed += int(same.sum())
    table = _Sums(
        np.bincount(query, minlength=len(names)).astype(np.float64),
        sums["c"],
        sums["w"],
        sums["wr"],
        sums["dr"],
        sums["v"],
    )
    shown = float(table.views.sum())
    total = float(table.weights.sum())
    return LogEvaluation(
        estimates=_estimates(table, random),
        pages=len(pages),
        queries=len(names),
        agreement=agreed / shown,
        effective_results=total**2 / squares if squares else 0.0,
        mean_weight=total / shown,
        clipped=clipped / shown,
    )


def _order(scorer: Scorer, page: LoggedPage) -> NDArray[np.int64]:
    """Returns (places,) what the ranker would have shown."""
    order = np.argsort(-scorer(page.features), kind="stable")
    return order[: len(page.shown)].astype(np.int64)


def _expected(
    pages: Sequence[LoggedPage], wanted: Sequence[NDArray[np.int64]], fold: NDArray[np.int64]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Expected clicks of what is wanted and of what was shown in each place, by page."""
    found: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    models: dict[int, RewardModel] = {}
    for held in np.unique(fold):
        others = [page for page, own in zip(pages, fold, strict=True) if own != held]
        models[int(held)] = RewardModel.fit(
            np.vstack([page.features[page.shown] for page in others]),
            np.concatenate([np.arange(1, len(page.shown) + 1) for page in others]),
            np.concatenate([page.clicked for page in others]),
        )
    for page, order, own in zip(pages, wanted, fold, strict=True):
        model, places = models[int(own)], np.arange(1, len(page.shown) + 1)
        found.append(
            (
                model.predict(page.features[order], places),
                model.predict(page.features[page.shown], places),
            )
        )
    return found


def _values(sums: _Sums, times: NDArray[np.float64]) -> dict[str, float]:
    """Values when each query counts so many times, shape (queries,)."""
    pages = float(times @ sums.pages)
    weights, weighted = times @ sums.weights, times @ sums.weighted
    # A place in which both never agree says nothing: its share is not known, and counts as 0.
    rates = np.divide(weighted, weights, out=np.zeros_like(weighted), where=weights > 0)
    return {
        IPS: float(weighted.sum()) / pages,
        SNIPS: float(rates @ (times @ sums.views)) / pages,
        DR: float((times @ sums.robust).sum()) / pages,
        LOGGED: float((times @ sums.clicks).sum()) / pages,
    }


def _estimates(sums: _Sums, random: np.random.Generator) -> dict[str, Estimate]:
    queries = len(sums.pages)
    seen = _values(sums, np.ones(queries))
    drawn: list[dict[str, float]] = []
    for _ in range(RESAMPLES):
        times = np.bincount(random.integers(0, queries, queries), minlength=queries)
        drawn.append(_values(sums, times.astype(np.float64)))
    found: dict[str, Estimate] = {}
    for name, value in seen.items():
        values = np.array([resample[name] for resample in drawn])
        gains = values - np.array([resample[LOGGED] for resample in drawn])
        found[name] = Estimate(
            percentile_interval(value, values), percentile_interval(value - seen[LOGGED], gains)
        )
    return found
