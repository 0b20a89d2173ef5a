"""What the suite says of its results holds against the catalogue, by a checker of its own."""

import csv
from pathlib import Path
from typing import cast

import grpc

from shared.evaluation.reasons.collect import collect_pages
from shared.evaluation.reasons.figures import document
from shared.evaluation.reasons.score import score
from shared.suite import Suite

JUDGMENTS = Path(__file__).with_name("data") / "judgments.csv"
EVERY = 3
"""Of the judged queries, one in so many: English and Chinese take turns in the file."""


async def test_no_claim_is_unsupported(suite: Suite, channel: grpc.aio.Channel) -> None:
    with JUDGMENTS.open(encoding="utf-8", newline="") as stream:
        queries = list(dict.fromkeys(row["query"] for row in csv.DictReader(stream)))[::EVERY]
    async with grpc.aio.insecure_channel(suite.target("retrieval")) as retrieval:
        found = score(await collect_pages(channel, retrieval, queries))
    wrong = [
        (claim.causes, claim.text, each.checked.text)
        for each in found.scored
        for claim in each.checked.unsupported
    ]
    assert wrong == []
    assert found.claims >= 10 * len(queries)
    report = document(found)
    languages = report["languages"]
    assert set(cast("dict[str, int]", languages)) == {"en", "zh"}
    assert report["history_named_to_strangers"] == 0.0
    print(f"worded by the model: {report['model_share']:.1%} of {report['reasons']}")
    assert float(str(report["model_share"])) >= 0.8
    assert float(str(report["history_named"])) >= 0.9
