"""How a ranker that learnt from logs does on queries that it never saw, beside the linear one.

By nDCG@10 against what shoppers did with position bias taken out (`clicks.measure`), and by what it
would have earned, estimated from the propensities that were logged (`clicks.counterfactual`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.clicks.counterfactual import DR, LogEvaluation, Scorer, evaluate_logs
from services.ranking.clicks.measure import gains, ndcg_by_query
from services.ranking.clicks.page_log import LoggedPage, PageLogError
from services.ranking.clicks.table import PageTable
from services.ranking.deep.model_file import WORTH
from shared.evaluation.significance import (
    Difference,
    Interval,
    bootstrap_interval,
    paired_bootstrap,
)

LINEAR: Final = "linear"
CLICKS, VALUE = "clicks", "worth"
_WORTHS: Final = {CLICKS: {"clicked": 1.0}, VALUE: dict(WORTH)}


@dataclass(frozen=True, slots=True)
class RankerFigures:
    """Of one ranker."""

    ndcg: dict[str, Interval]
    """nDCG@10 by what counts: clicks, or worth (a cart three, a purchase ten clicks)."""
    clicks: LogEvaluation
    """Clicks on a page, estimated."""
    purchases: LogEvaluation
    """The same of purchases."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Both rankers on the same pages."""

    pages: int
    queries: int
    linear: RankerFigures
    learnt: RankerFigures
    differences: dict[str, Difference]
    """Learnt less linear, by what counts in nDCG."""

    @property
    def worth_serving(self) -> bool:
        """Whether it orders better beyond accident, and is not estimated to earn fewer clicks."""
        estimates = [each.clicks.estimates[DR].value.mean for each in (self.learnt, self.linear)]
        better = [difference.better for difference in self.differences.values()]
        worse = [difference.worse for difference in self.differences.values()]
        return any(better) and not any(worse) and estimates[0] >= estimates[1]

    def as_json(self) -> dict[str, Any]:
        """Returns the figures as the command prints them."""
        document: dict[str, Any] = {"pages": self.pages, "queries": self.queries}
        for name, each in ((LINEAR, self.linear), ("learnt", self.learnt)):
            document[name] = {
                "ndcg@10": {what: _ends(interval) for what, interval in each.ndcg.items()},
                "clicks on a page": _estimates(each.clicks),
                "purchases on a page": _estimates(each.purchases),
            }
        document["difference of ndcg@10"] = {
            what: [*_ends(each.interval), each.p] for what, each in self.differences.items()
        }
        document["worth_serving"] = self.worth_serving
        return document


def measure_held_out(
    pages: Sequence[LoggedPage], linear: Scorer, learnt: Scorer, looked: NDArray[np.float64]
) -> HeldOut:
    """Measures both rankers.

    Args:
        pages: Of queries that neither was fitted on.
        linear: The score that serves now.
        learnt: The one that would.
        looked: (places,) propensity of each place.

    Raises:
        PageLogError: There are too few queries, or nothing was ever clicked.
    """
    table = PageTable.of(pages)
    ordered: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for what, worth in _WORTHS.items():
        gained = gains(table, looked, worth)
        first, second = (
            ndcg_by_query(score(table.features), gained, table.query) for score in (linear, learnt)
        )
        known = ~np.isnan(first)
        if not known.any():
            raise PageLogError("nothing was clicked on the pages that are left to measure by")
        ordered[what] = (first[known], second[known])
    bought = [replace(page, clicked=page.outcomes()[:, -1]) for page in pages]
    figures = [
        RankerFigures(
            {what: bootstrap_interval(both[at].tolist()) for what, both in ordered.items()},
            evaluate_logs(pages, score),
            evaluate_logs(bought, score),
        )
        for at, score in enumerate((linear, learnt))
    ]
    differences = {
        what: paired_bootstrap(second.tolist(), first.tolist())
        for what, (first, second) in ordered.items()
    }
    return HeldOut(len(pages), len(table.texts), figures[0], figures[1], differences)


def _ends(interval: Interval) -> list[float]:
    return [interval.mean, interval.low, interval.high]


def _estimates(evaluation: LogEvaluation) -> dict[str, Any]:
    return {
        name: {"value": _ends(each.value), "gain": _ends(each.gain)}
        for name, each in evaluation.estimates.items()
    } | {"mean_weight": evaluation.mean_weight}
