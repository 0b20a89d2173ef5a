"""How the weights of search were chosen: `python -m benchmarks.ranking_weights`.

Collects what retrieval finds for icecat's judged queries, the full catalogue and the judged
products alone, and ranks it with every setting of a grid. Settings are compared by folds of whole
queries, so that the figures stand for queries that had no part in the choice.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks import report
from benchmarks.data import icecat
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.features import FEATURES, compute_features
from services.ranking.product_text import ProductTextCache
from services.ranking.query import QueryView, view_query
from services.ranking.weights import load_weights
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.evaluation_progress import query_progress
from shared.cli.private_suite import private_suite
from shared.evaluation import metrics
from shared.evaluation.judgments import Judgments, read_judgments
from shared.evaluation.rankers import judged_only_filter
from shared.text.document import embedding_text
from wherefore.nlu.v1 import nlu_service_pb2 as nlu
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest, RetrieveRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

GRID: Mapping[str, Sequence[float]] = {
    "fused_score": (1.0, 1.25, 1.5),
    "dense_similarity": (2.0, 2.5, 3.0, 3.5),
    "dense_cosine": (0.0, 0.25, 0.5, 0.75),
    "accessory_mention": (-0.2, -0.4),
    "type_modifier": (0.0, -0.3, -0.6),
}
"""Weights that are tried; the others stay as they are served."""
FOLDS, SPLITS = 5, 10
FULL_WANTED, JUDGED_WANTED = 0.79, 0.925
"""What both figures should reach, with a margin of 0.01 and 0.005 over what was asked for."""
CANDIDATES = 100
CROSS_READ = 20
TIMEOUT = 60.0
A_REQUEST = 64


@dataclass(frozen=True, slots=True)
class Page:
    """Candidates of one query over one set of products.

    Attributes:
        ids: Their ids.
        plain: (candidates, len(FEATURES)), without the cross-encoder.
        candidates: To compute the features again once some have been read.
        cross: (candidates,) what the cross-encoder says of each.
    """

    ids: list[str]
    plain: NDArray[np.float64]
    candidates: list[Candidate]
    cross: list[float]


@dataclass(frozen=True, slots=True)
class Query:
    """A judged query with a relevant product."""

    view: QueryView
    ratings: Mapping[str, int]
    full: Page
    judged: Page


class Collector:
    """Asks a running suite for the pages of queries."""

    def __init__(self, nlu_stub: NluServiceStub, retrieval: RetrievalServiceStub) -> None:
        self._nlu, self._retrieval = nlu_stub, retrieval
        self._texts = ProductTextCache(50_000)

    async def collect(self, text: str, ratings: Mapping[str, int]) -> Query:
        """Returns both pages of a query.

        Raises:
            ValueError: Its judged products do not fit into a filter.
        """
        parsed = await self._nlu.Parse(nlu.ParseRequest(query=text), timeout=TIMEOUT)
        only = judged_only_filter(list(ratings))
        if only is None:
            raise ValueError(f"{text!r} has too many judged products for a filter")
        view = view_query(parsed.understanding)
        pages: list[Page] = []
        for where in ("", only):
            request = RetrieveRequest(query=parsed.understanding, filter=where, limit=CANDIDATES)
            response = await self._retrieval.Retrieve(request, timeout=TIMEOUT)
            found = list(response.candidates)
            cross = await self._read(text, found)
            table = compute_features(view, found, None, self._texts, time.time()).values
            pages.append(Page([c.product.id for c in found], table, found, cross))
        return Query(view, ratings, *pages)

    async def _read(self, text: str, candidates: Sequence[Candidate]) -> list[float]:
        request = GetProductsRequest(product_ids=[c.product.id for c in candidates])
        response = await self._retrieval.GetProducts(request, timeout=TIMEOUT)
        by_id = {product.id: embedding_text(product) for product in response.products}
        pairs = [nlu.TextPair(left=text, right=by_id[c.product.id]) for c in candidates]
        scores: list[float] = []
        for start in range(0, len(pairs), A_REQUEST):
            asked = nlu.MatchRequest(
                pairs=pairs[start : start + A_REQUEST], method=nlu.MATCH_METHOD_CROSS_ENCODER
            )
            scores += (await self._nlu.Match(asked, timeout=TIMEOUT)).scores
        return scores


def ranked(query: Query, page: Page, weights: NDArray[np.float64], *, precise: bool) -> list[str]:
    """Ids of a page in the order of some weights; `precise` as in the serving config."""
    scores = page.plain @ weights
    if precise and len(scores):
        first = np.argsort(-scores, kind="stable")[:CROSS_READ]
        marked = [Candidate() for _ in page.ids]
        for row in first:
            marked[row].legs.append(LegScore(leg="cross", rank=1, score=page.cross[row]))
        # Of all features only this one differs from those that are known.
        column = FEATURES.index("cross_score")
        table = compute_features(QueryView(), marked, None, ProductTextCache(1), 0.0).values
        scores = scores + weights[column] * table[:, column]
    return [page.ids[row] for row in np.argsort(-scores, kind="stable")]


def measure(
    queries: Sequence[Query], weights: NDArray[np.float64], *, precise: bool
) -> NDArray[np.float64]:
    """nDCG@10 over the full catalogue and on judged products alone; (2, queries)."""
    rows: list[tuple[float, float]] = []
    for query in queries:
        full = ranked(query, query.full, weights, precise=precise)
        alone = metrics.condensed(
            ranked(query, query.judged, weights, precise=precise), query.ratings
        )
        rows.append(
            (
                metrics.ndcg(full, query.ratings, 10) or 0.0,
                metrics.ndcg(alone, query.ratings, 10) or 0.0,
            )
        )
    return np.array(rows).T


def worth(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a setting is chosen by: how far the worse figure is from what is wanted; (settings,).

    Args:
        figures: (settings, 2, queries).
    """
    full, judged = figures.mean(axis=2).T
    return np.minimum(full - FULL_WANTED, judged - JUDGED_WANTED) + 0.1 * (full + judged)


def out_of_fold(figures: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and spread, over SPLITS splits, of both figures on the folds left out; (2,) each."""
    count = figures.shape[2]
    means: list[NDArray[np.float64]] = []
    for seed in range(SPLITS):
        shuffled = np.random.default_rng(seed).permutation(count)
        left_out: list[NDArray[np.float64]] = []
        for fold in range(FOLDS):
            held = shuffled[fold::FOLDS]
            best = int(worth(figures[:, :, np.setdiff1d(shuffled, held)]).argmax())
            left_out.append(figures[best][:, held])
        means.append(np.concatenate(left_out, axis=1).mean(axis=1))
    return np.mean(means, axis=0), np.std(means, axis=0)


async def collect(judgments: Judgments) -> list[Query]:
    """Imports icecat into a suite of its own and collects all queries with a relevant product."""
    queries: list[Query] = []
    async with private_suite() as own:
        target = own.targets
        async with (
            connect(target.orchestrator, retry=False) as public,
            connect(target.nlu) as to_nlu,
            connect(target.retrieval) as to_retrieval,
        ):
            await import_whole(public, icecat().catalogue, "icecat", target=target.orchestrator)
            collector = Collector(NluServiceStub(to_nlu), RetrievalServiceStub(to_retrieval))
            with query_progress(len(judgments)) as on_query:
                for text, ratings in judgments.items():
                    if metrics.ndcg([], ratings, 10) is not None:
                        queries.append(await collector.collect(text, ratings))
                    on_query(text)
    return queries


def section(queries: Sequence[Query]) -> str:
    """The section of RESULTS.md."""
    served = load_weights(DEFAULT_WEIGHTS).serving["search"].weights
    base = np.array([served.get(name, 0.0) for name in FEATURES])
    settings = list(itertools.product(*GRID.values()))
    rows: list[list[str]] = []
    for title, precise in (("search", False), ("precise", True)):
        figures = np.array(
            [measure(queries, _weighed(base, setting), precise=precise) for setting in settings]
        )
        now = measure(queries, base, precise=precise).mean(axis=1)
        best = int(worth(figures).argmax())
        chosen = figures[best].mean(axis=1)
        means, spread = out_of_fold(figures)
        rows.append(
            [
                title,
                *(f"{value:.3f}" for value in now),
                *(f"{mean:.3f} ± {some:.3f}" for mean, some in zip(means, spread, strict=True)),
                *(f"{value:.3f}" for value in chosen),
                ", ".join(
                    f"`{name}` {value:g}" for name, value in zip(GRID, settings[best], strict=True)
                ),
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
            "## Weights of search",
            "",
            report.provenance(
                "python -m benchmarks.ranking_weights", f"icecat dev, {len(queries)} queries"
            ),
            "",
            report.table(headings, rows),
            "",
            f"{len(settings)} settings of {', '.join(GRID)}; the other weights as served. "
            f"Left out: {FOLDS} folds of whole queries, {SPLITS} times shuffled, each ranked with "
            "the setting that was best on the other folds; mean and spread over the shuffles. The "
            "weights that are served lie in the middle of the settings that do well in both "
            "serving configs.",
        ]
    )


def _weighed(base: NDArray[np.float64], setting: Sequence[float]) -> NDArray[np.float64]:
    weights = base.copy()
    for name, value in zip(GRID, setting, strict=True):
        weights[FEATURES.index(name)] = value
    return weights


def main() -> int:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    queries = asyncio.run(collect(read_judgments(icecat().judgments)))
    body = section(queries)
    print(body)
    if not options.no_write:
        report.update_section("ranking-weights", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
