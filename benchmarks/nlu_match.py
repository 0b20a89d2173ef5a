"""How well `Match` tells answers from other products: `python -m benchmarks.nlu_match`.

Starts an nlu service and Triton of its own; with --target it asks one that runs. Both ways of
`Match` are measured through gRPC, beside BM25 over the same titles. Answers to written queries come
from products that no training pair held; judged products are those of the search benchmarks.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import report
from benchmarks.data import data_folder
from benchmarks.nlu_quality import nlu_service
from services.nlu.train.cross_encoder import CrossSettings, Pair, measure, read_groups
from services.nlu.train.cross_pairs import Group
from services.nlu.train.english_catalogue import read_goods
from services.nlu.train.english_pairs import words_of
from services.nlu.train.lexical import LexicalIndex
from shared.cli.connection import connect
from wherefore.nlu.v1 import nlu_service_pb2 as pb
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

A_REQUEST = 64
"""Pairs; the service takes up to 256, and a batch of the model is 64."""

METHODS: Mapping[str, pb.MatchMethod] = {
    "vectors (bi-encoder)": pb.MATCH_METHOD_BI_ENCODER,
    "read together (cross-encoder)": pb.MATCH_METHOD_CROSS_ENCODER,
}


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one way of matching.

    Attributes:
        figures: Of `cross_encoder.measure`.
        milliseconds: A pair, in requests of A_REQUEST; None where nothing is asked.
    """

    title: str
    model: str
    figures: Mapping[str, float]
    milliseconds: float | None


async def served_scores(
    stub: NluServiceStub, pairs: Sequence[Pair], method: pb.MatchMethod
) -> tuple[NDArray[np.float64], str]:
    """Returns what the service says of each pair, and by which model."""
    scores: list[float] = []
    model = ""
    for start in range(0, len(pairs), A_REQUEST):
        some = [
            pb.TextPair(left=left, right=right) for left, right in pairs[start : start + A_REQUEST]
        ]
        response = await stub.Match(pb.MatchRequest(pairs=some, method=method), timeout=120)
        scores.extend(response.scores)
        model = response.model
    return np.array(scores), model


async def measure_served(target: str | None, held: Sequence[Group], data: Path) -> list[Row]:
    """Measures both ways of `Match`."""
    rows: list[Row] = []
    async with nlu_service(target) as address, connect(address) as channel:
        stub = NluServiceStub(channel)
        loop = asyncio.get_running_loop()
        for title, method in METHODS.items():
            models: list[str] = []
            spent: list[float] = []

            def score(
                pairs: Sequence[Pair],
                method: pb.MatchMethod = method,
                models: list[str] = models,
                spent: list[float] = spent,
            ) -> NDArray[np.float64]:
                # `measure` asks from a thread of its own, so that the loop can send the requests.
                begun = time.perf_counter()
                asked = asyncio.run_coroutine_threadsafe(served_scores(stub, pairs, method), loop)
                found, model = asked.result()
                spent.append((time.perf_counter() - begun) / len(pairs) * 1e3)
                models.append(model)
                return found

            figures = await asyncio.to_thread(measure, score, held, data)
            rows.append(Row(title, models[0], figures, float(np.mean(spent))))
    return rows


def measure_keywords(held: Sequence[Group], data: Path) -> Row:
    """Measures BM25, whose weights are of all titles."""
    texts = list(
        dict.fromkeys(
            [*(good.text for good in read_goods(data)), *(t for g in held for t in g.texts)]
        )
    )
    at = {text: number for number, text in enumerate(texts)}
    scores = cache(LexicalIndex(texts, words_of).scores)

    def score(pairs: Sequence[Pair]) -> NDArray[np.float64]:
        return np.array([scores(query)[at[text]] for query, text in pairs])

    return Row("keywords (BM25)", "–", measure(score, held, data), None)


def section(rows: Sequence[Row], held: int) -> str:
    """The section of RESULTS.md."""
    cells = [
        [
            row.title,
            row.model,
            f"{row.figures['mrr']:.4f}",
            f"{row.figures['auc']:.4f}",
            f"{row.figures['judged_ndcg']:.4f}",
            "–" if row.milliseconds is None else f"{row.milliseconds:.2f}",
        ]
        for row in rows
    ]
    return "\n".join(
        [
            "## Matching queries and products",
            "",
            report.provenance(
                "python -m benchmarks.nlu_match",
                f"{held} queries written for held-out products, nine products each; judgments_dev",
            ),
            "",
            report.table(
                ("by", "model", "MRR", "AUC", "nDCG@10 of judged products", "ms a pair"), cells
            ),
            "",
            "MRR and AUC: a query was written from the facts of a product that no training pair",
            "held, and stands against eight that keyword search confuses with it; the labels are",
            "weak. nDCG orders the products that people judged, whose pool came from keyword",
            "results. A pair costs the cross-encoder a pass; vectors of titles can be kept.",
        ]
    )


def main() -> None:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", help="HOST:PORT of an nlu service that runs")
    parser.add_argument("--no-write", action="store_true", help="print only")
    given = parser.parse_args()
    data = data_folder()
    _, held = read_groups(CrossSettings(), data)
    rows = [
        measure_keywords(held, data),
        *asyncio.run(measure_served(given.target, held, data)),
    ]
    body = section(rows, len(held))
    print(body)
    if not given.no_write:
        report.update_section("nlu-match", body)


if __name__ == "__main__":
    main()
