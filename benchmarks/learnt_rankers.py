"""Rankers that learn from clicks, carts and purchases: `python -m benchmarks.learnt_rankers`.

The served weights explore over the candidates of judged queries; simulated shoppers click, put into
the cart and buy by the human ratings. From this log alone each ranker learns, and is measured on
queries that it never saw, by the ratings and by what it would truly earn. Needs the extras
`ranking` and `train`.

    python -m benchmarks.learnt_rankers --data judged.npz

The data is what `wherefore train ranking --judgments FILE --data judged.npz` keeps.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.learnt_rankers_report import (
    DEVIATION,
    FOLDS,
    LINEAR,
    PAGES,
    PLACES,
    Results,
    section,
)
from benchmarks.report import update_section
from services.ranking.clicks.behaviour import (
    CART,
    PURCHASE,
    attraction,
    examination,
)
from services.ranking.clicks.learn import fit_clicks, relevance
from services.ranking.clicks.page_log import OUTCOMES, LoggedPage
from services.ranking.clicks.propensity import estimate_propensities
from services.ranking.clicks.simulated import SEVERITY, log_pages
from services.ranking.clicks.table import PageTable
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.deep.calibrate import measure_calibration
from services.ranking.deep.impressions import Impressions, Split
from services.ranking.deep.learn import Learnt, Scorer, learn
from services.ranking.deep.training import TrainingSettings
from services.ranking.features import FEATURES
from services.ranking.model import LinearModel
from services.ranking.train.dataset import RankingData
from services.ranking.tree_model import TreeModel
from services.ranking.weights import load_weights
from shared.distributed import Processes
from shared.evaluation.metrics import dcg

ALONE = Processes(0, 1)
TREES_NAIVE, TREES, TREES_ON_LINEAR, DEEP_NAIVE, DEEP_CLICKS, DEEP, BLEND = (
    "trees, clicks as they are",
    "trees, inverse propensity",
    "trees on top of linear, inverse propensity",
    "deep, clicks as they are",
    "deep, clicks alone, inverse propensity",
    "deep, three tasks, inverse propensity",
    "linear + deep, three tasks, inverse propensity",
)


def learnt_rankers(
    pages: Sequence[LoggedPage], weights: Mapping[str, float], seed: int
) -> tuple[dict[str, Scorer], Learnt]:
    """All rankers, of the pages of some queries; the deep ones keep a fifth to choose by."""
    linear = LinearModel.of("", weights).score
    counted = PageTable.of(pages)
    looked = estimate_propensities(counted.logs[0]).places
    ones = np.ones_like(looked)
    queries = sorted({page.query for page in pages})
    held = set(np.random.default_rng(seed).permutation(queries)[::FOLDS].tolist())
    split = Split(
        [page for page in pages if page.query not in held],
        [page for page in pages if page.query in held],
        [],
    )
    nothing = np.zeros(0, dtype=np.bool_)
    clicks_alone = Split(
        [replace(page, carted=nothing, purchased=nothing) for page in split.training],
        [replace(page, carted=nothing, purchased=nothing) for page in split.validation],
        [],
    )

    def trees(propensities: NDArray[np.float64], start: Scorer | None = None) -> Scorer:
        grown = fit_clicks(
            counted.features,
            relevance(counted.logs[0], propensities),
            counted.query,
            start=start(counted.features) if start else None,
            seed=seed,
        )
        base = weights if start else {}
        return TreeModel("", FEATURES, dict(base), grown).score

    def deep(of: Split, propensities: NDArray[np.float64]) -> Learnt:
        found = learn(of, linear, TrainingSettings(seed=seed), processes=ALONE, looked=propensities)
        assert found is not None
        return found

    whole = deep(split, looked)
    return {
        LINEAR: linear,
        TREES_NAIVE: trees(ones),
        TREES: trees(looked),
        TREES_ON_LINEAR: trees(looked, linear),
        DEEP_NAIVE: deep(split, ones).score,
        DEEP_CLICKS: deep(clicks_alone, looked).score,
        DEEP: whole.score,
        BLEND: whole.beside(linear),
    }, whole


def calibration(learnt: Learnt, pages: Sequence[LoggedPage]) -> dict[str, tuple[float, float]]:
    """Expected calibration error by task on pages that were not learnt from, without and with."""
    held = Impressions.of(pages)
    before, after = (
        measure_calibration(model, held, learnt.looked) for model in (learnt.plain, learnt.model)
    )
    return dict(zip(OUTCOMES, zip(before, after, strict=True), strict=True))


def measure(data: RankingData, weights: Mapping[str, float], seed: int) -> Results:
    """Every query by rankers that never saw it."""
    pages = log_pages(data, weights, seed, pages=PAGES, places=PLACES, deviation=DEVIATION)
    count = len(data.texts)
    order = np.random.default_rng(seed).permutation(count)
    attracts = attraction(data.ratings, int(data.ratings.max()))
    found = Results({}, {}, {}, {}, [], [])
    for fold in range(FOLDS):
        held = set(order[fold::FOLDS].tolist())
        names = {data.texts[number] for number in held}
        rankers, learnt = learnt_rankers(
            [page for page in pages if page.query not in names], weights, seed
        )
        found.calibration.append(
            calibration(learnt, [page for page in pages if page.query in names])
        )
        found.weights.append(learnt.weight)
        for name, scorer in rankers.items():
            for number in held:
                rows = data.rows(number)
                best = np.argsort(-scorer(data.features[rows]), kind="stable")
                ratings, judged = data.ratings[rows][best], data.judged[rows][best]
                ideal = dcg(data.ideals[number][:PLACES])
                chance = attracts[rows][best][:PLACES]
                clicks = examination(len(chance), SEVERITY) * chance
                for into, value in (
                    (found.ndcg, dcg(ratings[:PLACES].tolist()) / ideal),
                    (found.judged, dcg(ratings[judged][:PLACES].tolist()) / ideal),
                    (found.clicks, float(clicks.sum())),
                    (found.purchases, float((clicks * CART * PURCHASE * chance**2).sum())),
                ):
                    into.setdefault(name, np.zeros(count))[number] = value
    return found


def main() -> int:
    """Prints the section, and writes it unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3, help="logs, each with its own folds")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = RankingData.load(options.data)
    weights = load_weights(DEFAULT_WEIGHTS).serving["search"].weights
    runs: list[Results] = []
    for seed in range(options.seeds):
        runs.append(measure(data, weights, seed))
        sys.stderr.write(f"log {seed + 1} of {options.seeds}\n")
    body = section(runs, options.data.name)
    print(body)
    if not options.no_write:
        update_section("learnt-rankers", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
