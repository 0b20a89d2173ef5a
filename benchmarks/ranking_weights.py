"""How the weights of search were chosen: `python -m benchmarks.ranking_weights`.

Collects what retrieval finds for judged queries, the full catalogue and the judged products alone,
and ranks it with every setting of a grid: the weights for English by icecat's queries, those that
differ for Chinese by the same queries in Chinese and by our own over the bundled catalogue.
Settings are compared by folds of whole queries, so that the figures stand for queries that had no
part in the choice.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks import chinese_queries, report
from benchmarks.data import icecat
from benchmarks.judged_pages import Query, collect, measure
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.features import FEATURES
from services.ranking.weights import load_weights
from shared.catalogue import bundled_catalogue_path
from shared.evaluation.judgments import read_judgments

Grid = Mapping[str, Sequence[float]]
Figures = NDArray[np.float64]
"""(settings, 2, queries): nDCG@10 over the full catalogue, and on judged products alone."""

ENGLISH: Grid = {
    "fused_score": (1.0, 1.25, 1.5),
    "dense_similarity": (2.0, 2.5, 3.0, 3.5),
    "dense_cosine": (0.0, 0.25, 0.5, 0.75),
    "accessory_mention": (-0.2, -0.4),
    "type_modifier": (0.0, -0.3, -0.6),
}
"""Weights that are tried; the others stay as they are served."""
CHINESE: Grid = {
    "sparse_score": (1.1, 1.5, 2.0, 2.5),
    "title_coverage": (0.02, 0.3, 0.5, 0.8),
    "type_match": (0.05, 0.3, 0.6, 0.9),
}
OWN_JUDGMENTS = report.ROOT / "tests" / "integration" / "data" / "judgments.csv"
FOLDS, SPLITS = 5, 10
FULL_WANTED, JUDGED_WANTED = 0.79, 0.925
"""What both figures should reach, with a margin of 0.01 and 0.005 over what was asked for."""


def worth_in_english(means: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """What a setting is chosen by: how far the worse figure is from what is wanted; (settings,).

    Args:
        means: Of icecat: (settings, 2).
    """
    full, judged = means[0].T
    return np.minimum(full - FULL_WANTED, judged - JUDGED_WANTED) + 0.1 * (full + judged)


def worth_in_chinese(means: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The bundled catalogue counts as much as both figures of icecat together; (settings,).

    Args:
        means: Of the bundled catalogue and of icecat: (settings, 2) each.
    """
    return means[0][:, 0] + means[1].mean(axis=1)


def out_of_fold(
    sets: Sequence[Figures],
    worth: Callable[[Sequence[NDArray[np.float64]]], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and their spread, over SPLITS splits, on the folds left out; (sets, 2) each.

    Args:
        sets: Figures of each set of queries, which is split into folds of its own.
        worth: Of settings, by their mean figures of every set.
    """
    means: list[list[NDArray[np.float64]]] = []
    for seed in range(SPLITS):
        rng = np.random.default_rng(seed)
        orders = [rng.permutation(figures.shape[2]) for figures in sets]
        left_out: list[list[NDArray[np.float64]]] = [[] for _ in sets]
        for fold in range(FOLDS):
            kept = [np.delete(order, np.s_[fold::FOLDS]) for order in orders]
            known = [
                means_of(figures[:, :, rows]) for figures, rows in zip(sets, kept, strict=True)
            ]
            best = int(worth(known).argmax())
            for mine, figures, order in zip(left_out, sets, orders, strict=True):
                mine.append(figures[best][:, order[fold::FOLDS]])
        means.append([means_of(np.concatenate(mine, axis=1)) for mine in left_out])
    return np.mean(means, axis=0), np.std(means, axis=0)


def means_of(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over the last axis of what is no NaN; NaN where all is."""
    known = ~np.isnan(figures)
    with np.errstate(invalid="ignore"):
        return np.where(known, figures, 0.0).sum(axis=-1) / known.sum(axis=-1)


def weighed(served: Mapping[str, float], setting: Mapping[str, float]) -> NDArray[np.float64]:
    """Weights in the order of the features, some of them others."""
    named = {**served, **setting}
    return np.array([named.get(name, 0.0) for name in FEATURES])


def settings_of(grid: Grid) -> list[dict[str, float]]:
    """All of a grid."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def english_section(queries: Sequence[Query]) -> str:
    """The table of both serving configs."""
    served = load_weights(DEFAULT_WEIGHTS).serving["search"].weights_in("en")
    settings = settings_of(ENGLISH)
    rows: list[list[str]] = []
    for title, precise in (("search", False), ("precise", True)):
        figures = np.array(
            [measure(queries, weighed(served, one), precise=precise) for one in settings]
        )
        now = measure(queries, weighed(served, {}), precise=precise).mean(axis=1)
        best = int(worth_in_english([figures.mean(axis=2)]).argmax())
        means, spread = out_of_fold([figures], worth_in_english)
        rows.append(
            [
                title,
                *(f"{value:.3f}" for value in now),
                *(
                    f"{mean:.3f} ± {some:.3f}"
                    for mean, some in zip(means[0], spread[0], strict=True)
                ),
                *(f"{value:.3f}" for value in figures[best].mean(axis=1)),
                _named(settings[best]),
            ]
        )
    headings = (
        "serving config",
        "served: nDCG@10",
        "judged only",
        "left out: nDCG@10",
        "judged only",
        "best of all: nDCG@10",
        "judged only",
        "its weights",
    )
    return "\n".join(
        [
            report.table(headings, rows),
            "",
            f"{len(settings)} settings of {', '.join(ENGLISH)}; the other weights as served. "
            f"Left out: {FOLDS} folds of whole queries, {SPLITS} times shuffled, each ranked with "
            "the setting that was best on the other folds; mean and spread over the shuffles. The "
            "weights that are served lie in the middle of the settings that do well in both "
            "serving configs.",
        ]
    )


def chinese_section(bundled: Sequence[Query], translated: Sequence[Query]) -> str:
    """The table of what differs for Chinese."""
    search = load_weights(DEFAULT_WEIGHTS).serving["search"]
    settings = settings_of(CHINESE)
    sets = (bundled, translated)
    figures = [
        np.array([measure(each, weighed(search.weights_in("zh"), one)) for one in settings])
        for each in sets
    ]
    best = int(worth_in_chinese([means_of(each) for each in figures]).argmax())
    means, spread = out_of_fold(figures, worth_in_chinese)

    def plain(weights: NDArray[np.float64]) -> list[str]:
        (own, _), (full, judged) = (means_of(measure(each, weights)) for each in sets)
        return [f"{value:.3f}" for value in (own, full, judged)]

    left_out = zip(means.ravel()[[0, 2, 3]], spread.ravel()[[0, 2, 3]], strict=True)
    rows = [
        ["as other languages", *plain(weighed(search.weights_in(""), {}))],
        ["served", *plain(weighed(search.weights_in("zh"), {}))],
        ["left out", *(f"{mean:.3f} ± {some:.3f}" for mean, some in left_out)],
        [
            f"best of all: {_named(settings[best])}",
            *plain(weighed(search.weights_in("zh"), settings[best])),
        ],
    ]
    headings = ("weights", "bundled catalogue", "icecat", "icecat, judged only")
    return "\n".join(
        [
            "Queries in Chinese, nDCG@10:",
            "",
            report.table(headings, rows),
            "",
            f"{len(settings)} settings of {', '.join(CHINESE)}, chosen by the mean of the first "
            "figure and of the other two together; folds as above, of each set for itself. "
            f"{len(bundled)} queries of our own over the bundled catalogue, whose titles are in "
            f"Chinese too, and {len(translated)} of icecat's in our translation, whose titles are "
            "in English alone. Offline: without the variety of variants that search adds.",
        ]
    )


def _named(setting: Mapping[str, float]) -> str:
    return ", ".join(f"`{name}` {value:g}" for name, value in setting.items())


async def collect_all() -> tuple[list[Query], list[Query], list[Query]]:
    """Icecat's queries in English and in Chinese, and those in Chinese of the bundled catalogue."""
    data = icecat()
    judged = read_judgments(data.judgments)
    in_chinese = chinese_queries.in_chinese(judged, chinese_queries.read_queries())
    english, translated = await collect(
        data.catalogue, "icecat", judged, in_chinese, read=(True, False)
    )
    own = {q: ratings for q, ratings in read_judgments(OWN_JUDGMENTS).items() if not q.isascii()}
    (bundled,) = await collect(bundled_catalogue_path(), None, own, read=(False,))
    return english, translated, bundled


def main() -> int:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    english, translated, bundled = asyncio.run(collect_all())
    about = f"icecat dev, {len(english)} queries, and the bundled catalogue"
    body = "\n\n".join(
        [
            "## Weights of search",
            report.provenance("python -m benchmarks.ranking_weights", about),
            english_section(english),
            chinese_section(bundled, translated),
        ]
    )
    print(body)
    if not options.no_write:
        report.update_section("ranking-weights", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
