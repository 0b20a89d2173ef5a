"""Figures of rankers that learn from shoppers, as RESULTS.md tells them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import provenance, table
from services.ranking.clicks.behaviour import CART, PURCHASE
from services.ranking.clicks.page_log import OUTCOMES
from shared.evaluation.significance import bootstrap_interval, paired_bootstrap

PAGES, PLACES, DEVIATION, FOLDS = 200, 10, 0.3, 5
LINEAR = "linear, as served"
Pick = Callable[["Results"], Mapping[str, NDArray[np.float64]]]


@dataclass(slots=True)
class Results:
    """By ranker and query; calibration by fold."""

    ndcg: dict[str, NDArray[np.float64]]
    judged: dict[str, NDArray[np.float64]]
    clicks: dict[str, NDArray[np.float64]]
    purchases: dict[str, NDArray[np.float64]]
    calibration: list[dict[str, tuple[float, float]]]
    weights: list[float]


def section(runs: Sequence[Results], name: str) -> str:
    """The section of RESULTS.md: queries' means over the runs, compared query by query."""

    def mean(pick: Pick, ranker: str) -> list[float]:
        return np.mean([pick(run)[ranker] for run in runs], axis=0).tolist()

    rows: list[list[str]] = []
    for ranker in runs[0].ndcg:
        own = bootstrap_interval(mean(lambda run: run.ndcg, ranker))
        away = paired_bootstrap(
            mean(lambda run: run.ndcg, ranker), mean(lambda run: run.ndcg, LINEAR)
        )
        earned = paired_bootstrap(
            mean(lambda run: run.purchases, ranker), mean(lambda run: run.purchases, LINEAR)
        )
        gap = away.interval
        rows.append(
            [
                ranker,
                f"{own.mean:.3f}",
                *(
                    ["", ""]
                    if ranker == LINEAR
                    else [f"{gap.mean:+.3f} ({gap.low:+.3f} to {gap.high:+.3f})", f"{away.p:.4f}"]
                ),
                f"{np.mean(mean(lambda run: run.judged, ranker)):.3f}",
                f"{np.mean(mean(lambda run: run.clicks, ranker)):.3f}",
                f"{np.mean(mean(lambda run: run.purchases, ranker)):.4f}",
                "" if ranker == LINEAR else f"{earned.p:.4f}",
            ]
        )
    headings = ["ranker", "nDCG@10", "against linear (95 %)", "p", "judged only"]
    headings += ["clicks on a page", "purchases", "p"]
    errors = [
        [
            task,
            *(
                f"{np.mean([fold[task][at] for run in runs for fold in run.calibration]):.4f}"
                for at in (0, 1)
            ),
        ]
        for task in OUTCOMES
    ]
    weights = [weight for run in runs for weight in run.weights]
    command = f"python -m benchmarks.learnt_rankers --data {name} --seeds {len(runs)}"
    queries = len(runs[0].ndcg[LINEAR])
    said = (
        f"{queries} judged queries of icecat, {PAGES} pages of {PLACES} each, {len(runs)} logs, "
        f"{FOLDS} folds of whole queries"
    )
    return "\n".join(
        [
            "## Rankers that learn from shoppers",
            "",
            provenance(command, said),
            "",
            table(headings, rows),
            "",
            f"Logged: the served weights, exploring with a deviation of {DEVIATION}. Shoppers are",
            "simulated: position-based (1/place) clicks by the human ratings, an unjudged product",
            f"counting as rated 0; then a cart at {CART} and a purchase at {PURCHASE} of the",
            "product's attraction. nDCG by the true ratings, clicks and purchases as they truly",
            "are expected, on queries that the ranker never saw. p by paired bootstrap over",
            "queries. Propensities are estimated from the clicks. The linear weights were chosen",
            "on these very queries, which flatters them; the share of the deep score was chosen on",
            f"further held-out queries ({min(weights):g} to {max(weights):g}).",
            "",
            "Expected calibration error of the deep ranker, on queries that it never saw:",
            "",
            table(["outcome", "network", "with its curves"], errors),
        ]
    )
