"""How long summaries take as served."""

from __future__ import annotations

import csv
import gzip
import json
import time
from itertools import islice
from pathlib import Path

import numpy as np

from services.reason.summarise.sentences import split
from shared.cli.connection import connect
from shared.cli.private_suite import private_suite
from wherefore.common.v1.product_pb2 import Review
from wherefore.reason.v1.reason_service_pb2_grpc import ReasonServiceStub
from wherefore.reason.v1.summary_pb2 import SUMMARY_STYLE_REWRITTEN, SummariseRequest

FOLDER = "review_summaries_en"
TIMED, CALLS, _WARM = 50, 30, 3
"""Reviews of a timed summary, and how many times it is asked for."""
Times = dict[str, tuple[float, float, int]]
"""By what was asked: p50 and p95 in ms, and how many answers were degraded."""


async def time_served(folder: Path) -> Times:
    """Times summaries in new words of TIMED reviews by a suite of its own."""
    found: Times = {}
    async with private_suite() as own, connect(own.reason_target, retry=False) as channel:
        stub = ReasonServiceStub(channel)
        for language, texts in _reviews(folder).items():
            for kind in ("new reviews", "the same reviews"):
                times: list[float] = []
                degraded = 0
                for call in range(CALLS + _WARM):
                    # A word more makes a sentence that no call before held.
                    last = f" call{call}{language}" if kind == "new reviews" else ""
                    request = SummariseRequest(
                        reviews=[
                            Review(id=str(n), text=_mark(text, last))
                            for n, text in enumerate(texts)
                        ],
                        language_code=language,
                        style=SUMMARY_STYLE_REWRITTEN,
                    )
                    began = time.perf_counter()
                    response = await stub.Summarise(request, timeout=30)
                    times.append(1_000 * (time.perf_counter() - began))
                    assert response.sentences
                    degraded += bool(response.degraded) and call >= _WARM
                p50, p95 = np.percentile(times[_WARM:], [50, 95])
                found[f"{language}, {kind}"] = (float(p50), float(p95), degraded)
    return found


def _reviews(folder: Path) -> dict[str, list[str]]:
    with (folder / FOLDER / "train.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    english = [row[f"rev{n}"] for row in rows for n in range(1, 9)]
    with gzip.open(folder / "reviews_zh" / "train.jsonl.gz", "rt", encoding="utf-8") as lines:
        chinese = [str(json.loads(line)["review"]) for line in islice(lines, TIMED)]
    return {"en": english[:TIMED], "zh": chinese}


def _mark(text: str, word: str) -> str:
    """Puts a word into each sentence."""
    if not word:
        return text
    return " ".join(sentence.text.rstrip(".!?。！？") + word + "." for sentence in split(text))
