"""Whether ranking gains by what can be said for a product: `python -m benchmarks.best_reason`.

The feature `best_reason` is the strength of a candidate's strongest evidence. Its weight is tried
on the judged queries of icecat, the other weights as served, by folds of whole queries as in
`benchmarks.ranking_weights`, over all judged products and the first of the others.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import report
from benchmarks.data import icecat, subset
from benchmarks.judged_pages import collect, measure
from benchmarks.ranking_weights import FOLDS, SPLITS, out_of_fold, weighed, worth_in_english
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.weights import load_weights
from shared.evaluation.judgments import read_judgments

FEATURE = "best_reason"
WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)


def main() -> int:
    """Run the benchmark, which prints only."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=6_000, help="of icecat (%(default)s)")
    options = parser.parse_args()
    data = icecat()
    with tempfile.TemporaryDirectory() as folder:
        catalogue = subset(data, options.products, Path(folder))
        judged = read_judgments(data.judgments)
        (queries,) = asyncio.run(collect(catalogue, "icecat", judged, read=(False,)))
    served = load_weights(DEFAULT_WEIGHTS).serving["search"].weights_in("en")
    figures = np.array([measure(queries, weighed(served, {FEATURE: each})) for each in WEIGHTS])
    rows = [
        [f"{weight:g}", *(f"{value:.3f}" for value in figures[row].mean(axis=1))]
        for row, weight in enumerate(WEIGHTS)
    ]
    means, spread = out_of_fold([figures], worth_in_english)
    left_out = zip(means[0], spread[0], strict=True)
    rows.append(
        ["chosen, on folds left out", *(f"{mean:.3f} ± {some:.3f}" for mean, some in left_out)]
    )
    print(report.table((f"weight of `{FEATURE}`", "nDCG@10", "judged only"), rows))
    print(
        f"{len(queries)} queries, {options.products:,} products, {FOLDS} folds of whole queries, "
        f"{SPLITS} times shuffled."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
