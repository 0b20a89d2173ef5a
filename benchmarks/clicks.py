"""Learning from biased clicks, against the truth that made them: `python -m benchmarks.clicks`.

Shoppers are simulated over queries whose true ratings are known. A poor ranker shows the pages;
LambdaMART learns from the clicks as they are, from clicks weighted by inverse propensity (estimated
from the same clicks, or the true ones), and from the truth itself. All are measured by the true
ratings of queries that none of them has seen. Needs the extra `ranking`.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import plots, report
from services.ranking.clicks.behaviour import (
    Behaviour,
    Cascade,
    PositionBased,
    attraction,
    examination,
)
from services.ranking.clicks.learn import fit_clicks, relevance
from services.ranking.clicks.log import simulate
from services.ranking.clicks.propensity import estimate_propensities
from shared.evaluation.metrics import dcg
from shared.evaluation.significance import bootstrap_interval, paired_randomisation

HIGHEST, PLACES, PAGES, CANDIDATES = 3, 10, 100, 30
TRAINED, TESTED, SEEDS = 100, 200, 3
LOGGING, NAIVE, WEIGHTED, TRUE_WEIGHTS, TRUTH = (
    "the ranker that showed the pages",
    "clicks as they are",
    "inverse propensity, estimated",
    "inverse propensity, true",
    "true ratings",
)
BEHAVIOURS: Mapping[str, Behaviour] = {
    "position-based, 1/place": PositionBased(1.0),
    "position-based, 1/place^2": PositionBased(2.0),
    "cascade with satisfaction": Cascade(),
}


@dataclass(frozen=True)
class Collection:
    """Candidates of queries, with what they are truly worth."""

    features: NDArray[np.float64]
    ratings: NDArray[np.int64]
    query: NDArray[np.int64]


def collection(queries: int, random: np.random.Generator) -> Collection:
    """Makes candidates of which two features act together, one lowers and two mean nothing."""
    rows = queries * CANDIDATES
    x = random.random((rows, 6))
    worth = 1.2 * x[:, 0] + x[:, 1] * x[:, 2] - 0.6 * x[:, 3] + random.normal(0, 0.15, rows)
    ratings = np.digitize(worth, np.quantile(worth, [0.6, 0.8, 0.93])).astype(np.int64)
    return Collection(x, ratings, np.repeat(np.arange(queries), CANDIDATES))


def poor_scores(of: Collection) -> NDArray[np.float64]:
    """A ranker that goes by a feature that means nothing, and a little by one that does."""
    return of.features[:, 4] + 0.3 * of.features[:, 0]


def ndcg_by_query(scores: NDArray[np.float64], of: Collection) -> list[float]:
    """nDCG@10 of every query that has a relevant candidate."""
    found: list[float] = []
    for number in np.unique(of.query):
        rows = of.query == number
        ratings = of.ratings[rows]
        ideal = dcg(sorted(ratings.tolist(), reverse=True)[:PLACES])
        if ideal:
            order = np.argsort(-scores[rows], kind="stable")[:PLACES]
            found.append(dcg(ratings[order].tolist()) / ideal)
    return found


def compare(behaviour: Behaviour, seed: int) -> tuple[dict[str, list[float]], NDArray[np.float64]]:
    """Trains on one log; returns nDCG@10 by system and test query, and estimated propensities."""
    random = np.random.default_rng(seed)
    train, test = collection(TRAINED, random), collection(TESTED, random)
    log = simulate(
        poor_scores(train),
        attraction(train.ratings, HIGHEST),
        train.query,
        behaviour,
        random,
        pages=PAGES,
        places=PLACES,
        temperature=0.3,
    )
    estimated = estimate_propensities(log).places
    labels = {
        NAIVE: relevance(log, np.ones(PLACES)),
        WEIGHTED: relevance(log, estimated),
        TRUTH: (np.exp2(train.ratings) - 1) / (2**HIGHEST - 1),
    }
    if isinstance(behaviour, PositionBased):
        labels[TRUE_WEIGHTS] = relevance(log, examination(PLACES, behaviour.severity))
    found = {LOGGING: ndcg_by_query(poor_scores(test), test)}
    for name, values in labels.items():
        trees = fit_clicks(train.features, values, train.query, seed=seed)
        found[name] = ndcg_by_query(np.asarray(trees.predict(test.features)), test)
    return found, estimated


def measure(behaviour: Behaviour) -> tuple[dict[str, list[float]], NDArray[np.float64]]:
    """All seeds, whose test queries are others, one after the other; mean propensities."""
    runs = [compare(behaviour, seed) for seed in range(SEEDS)]
    pooled = {name: [v for found, _ in runs for v in found[name]] for name in runs[0][0]}
    return pooled, np.mean([estimated for _, estimated in runs], axis=0)


def rows_of(name: str, found: Mapping[str, Sequence[float]]) -> list[list[str]]:
    """Rows of the table: mean, interval, and the difference from clicks as they are."""
    rows: list[list[str]] = []
    for system in (LOGGING, NAIVE, WEIGHTED, TRUE_WEIGHTS, TRUTH):
        if system not in found:
            continue
        values = list(found[system])
        own = bootstrap_interval(values)
        differences = [a - b for a, b in zip(values, found[NAIVE], strict=True)]
        gap = bootstrap_interval(differences)
        p = paired_randomisation(values, list(found[NAIVE]))
        rows.append(
            [
                f"{name}: {system}",
                f"{own.mean:.3f}",
                f"{own.low:.3f} to {own.high:.3f}",
                *(
                    ["", ""]
                    if system == NAIVE
                    else [f"{gap.mean:+.3f} ({gap.low:+.3f} to {gap.high:+.3f})", f"{p:.4f}"]
                ),
            ]
        )
    return rows


def section(results: Mapping[str, tuple[dict[str, list[float]], NDArray[np.float64]]]) -> str:
    """The section of RESULTS.md."""
    rows = [row for name, (found, _) in results.items() for row in rows_of(name, found)]
    headings = ["shoppers: learnt from", "nDCG@10", "95 % interval", "against naive", "p"]
    estimates = [
        [name, *(f"{value:.2f}" for value in places)] for name, (_, places) in results.items()
    ]
    data = (
        f"{TRAINED} made-up queries with {PAGES} pages each, tested on {TESTED} others, {SEEDS} "
        f"times; {CANDIDATES} candidates, {PLACES} shown"
    )
    return "\n".join(
        [
            "## Learning from clicks",
            "",
            report.provenance("python -m benchmarks.clicks", data),
            "",
            report.table(headings, rows),
            "",
            "![nDCG@10 by what was learnt from](plots/clicks.svg)",
            "",
            "Propensity of each place, estimated from the clicks alone (mean of the runs):",
            "",
            report.table(["shoppers", *map(str, range(1, PLACES + 1))], estimates),
            "",
            "The data is made up, so the figures say what position bias does to learning, not how",
            "well a shop's search ranks. The cascade breaks what the estimate assumes: whether a",
            "place is looked at hangs on what stands above it.",
        ]
    )


def main() -> int:
    """Prints the section, and writes it unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    results = {name: measure(behaviour) for name, behaviour in BEHAVIOURS.items()}
    body = section(results)
    print(body)
    if not options.no_write:
        bars = {
            f"{name}: {system}": bootstrap_interval(values)
            for name, (found, _) in results.items()
            for system, values in found.items()
        }
        plots.bars(bars, "nDCG@10 with 95 % interval", Path(report.PLOTS / "clicks.svg"))
        report.update_section("clicks", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
