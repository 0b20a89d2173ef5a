"""Rankers estimated from logs, against what they truly earn: `python -m benchmarks.ranking_logs`.

The served ranker explores over the candidates of judged queries and logs its propensities;
simulated shoppers, whose behaviour is known, click. From this log alone other rankers are
estimated. What each truly earns is computed from the ratings and the shoppers' behaviour.

    python -m benchmarks.ranking_logs --data judged.npz

The data is what `wherefore train ranking --judgments FILE --data judged.npz` keeps.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import provenance, table, update_section
from services.ranking.clicks.behaviour import PositionBased, attraction, examination
from services.ranking.clicks.counterfactual import DR, IPS, SNIPS, Scorer, evaluate_logs
from services.ranking.clicks.page_log import LoggedPage
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.diversity import Likeness
from services.ranking.exploration import Explorer
from services.ranking.features import FEATURES
from services.ranking.model import LinearModel
from services.ranking.train.dataset import RankingData
from services.ranking.weights import load_weights

PAGES, PLACES, SEVERITY, DEVIATION = 200, 10, 1.0, 0.3
_ALONE = Likeness({}, {})


def by_feature(name: str) -> Scorer:
    """A ranker that goes by one feature."""
    return lambda values: values[:, FEATURES.index(name)]


def rankers(weights: Mapping[str, float]) -> dict[str, Scorer]:
    """What is estimated: from the served ranker itself to those that are unlike it."""
    more_meaning = {**weights, "dense_cosine": 2 * weights.get("dense_cosine", 0.0) + 0.5}
    return {
        "the served weights, without exploration": LinearModel.of("", weights).score,
        "more weight on meaning": LinearModel.of("", more_meaning).score,
        "retrieval's own order": by_feature("fused_score"),
        "BM25 alone": by_feature("sparse_score"),
        "meaning alone": by_feature("dense_cosine"),
    }


def explore(data: RankingData, weights: Mapping[str, float], seed: int) -> list[LoggedPage]:
    """Logs pages of the exploring ranker, with the clicks of simulated shoppers."""
    random = np.random.default_rng(seed)
    explorer, shopper = Explorer(DEVIATION, random), PositionBased(SEVERITY)
    model = LinearModel.of("", weights)
    pages: list[LoggedPage] = []
    for number, text in enumerate(data.texts):
        rows = data.rows(number)
        values, attracts = data.features[rows], attraction_of(data)[rows]
        scores = model.score(values)
        for _ in range(PAGES):
            drawn = explorer.order(
                scores, values, weights, likeness=_ALONE, strength=0.0, limit=PLACES
            )
            shown = np.array(drawn.order, dtype=np.int64)
            clicked = shopper.click(attracts[shown][None, :], random)[0]
            pages.append(LoggedPage(text, values, shown, drawn.propensities, clicked))
    return pages


def attraction_of(data: RankingData) -> NDArray[np.float64]:
    """Probability of a click on each candidate that is looked at."""
    return attraction(data.ratings, int(data.ratings.max()))


def true_value(data: RankingData, scorer: Scorer) -> float:
    """Expected clicks on a page of a ranker, over the queries."""
    attracts = attraction_of(data)
    values: list[float] = []
    for number in range(len(data.texts)):
        rows = data.rows(number)
        order = np.argsort(-scorer(data.features[rows]), kind="stable")[:PLACES]
        values.append(float(examination(len(order), SEVERITY) @ attracts[rows][order]))
    return float(np.mean(values))


def logged_value(data: RankingData, pages: Sequence[LoggedPage]) -> float:
    """Expected clicks on the pages that were shown: what was earned, without the chance in it."""
    first = {text: data.rows(number).start for number, text in enumerate(data.texts)}
    attracts = attraction_of(data)
    values = [
        examination(len(page.shown), SEVERITY) @ attracts[first[page.query] + page.shown]
        for page in pages
    ]
    return float(np.mean(values))


def rows_of(
    data: RankingData, pages: Sequence[LoggedPage], wanted: Mapping[str, Scorer]
) -> list[list[str]]:
    """The table: truth, estimates, and how far the log reaches."""
    logged = logged_value(data, pages)
    rows: list[list[str]] = [["what was logged", f"{logged:.3f}", *[""] * 6]]
    for name, scorer in wanted.items():
        found = evaluate_logs(pages, scorer)
        truth = true_value(data, scorer)
        gain = found.estimates[DR].gain
        rows.append(
            [
                name,
                f"{truth:.3f}",
                *(f"{found.estimates[kind].value.mean:.3f}" for kind in (IPS, SNIPS, DR)),
                f"{truth - logged:+.3f}",
                f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})",
                f"{found.mean_weight:.2f}",
            ]
        )
    return rows


def main() -> int:
    """Prints the section, and writes it unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    data = RankingData.load(options.data)
    weights = load_weights(DEFAULT_WEIGHTS).serving["search"].weights
    rows = rows_of(data, explore(data, weights, seed=1), rankers(weights))
    headings = ["ranker", "true clicks on a page", "IPS", "SNIPS", "DR"]
    headings += ["true gain over the log", "DR's gain (95 %)", "mean weight"]
    said = f"{len(data.texts)} judged queries of icecat, {PAGES} pages of {PLACES} each"
    body = "\n".join(
        [
            "## Rankers estimated from logs",
            "",
            provenance(f"python -m benchmarks.ranking_logs --data {options.data.name}", said),
            "",
            table(headings, rows),
            "",
            f"Logged: the served weights, exploring with a deviation of {DEVIATION}. Shoppers are",
            "simulated (position-based, 1/place) and click by the human ratings; an unjudged",
            "product counts as rated 0. Interval: bootstrap over queries. What a ranker shows that",
            "was hardly ever shown cannot be estimated: its mean weight is far below 1, IPS falls,",
            "SNIPS guesses by the rest, and DR goes by its regression.",
        ]
    )
    print(body)
    if not options.no_write:
        update_section("ranking-logs", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
