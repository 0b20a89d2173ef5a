"""Do the words that are named count? `python -m benchmarks.word_attribution`.

Deletion (Samek et al., "Evaluating the visualization of what a deep neural network has learned",
2017): the words of a product that are said to count most are taken out of its text, and the served
cross-encoder reads the rest. The more its log-odds fall, the truer the attribution. Beside
integrated gradients: leaving out each word in turn, which asks the very same question of each
single word, and words drawn by chance. Also: how far attributions are from summing up, and their
cost.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks import report
from benchmarks.data import data_folder
from services.nlu.learnt.attribution import AttributedWord, Attribution, MatchAttributor
from services.nlu.learnt.cross import CrossEncoder
from services.nlu.train.english_catalogue import read_goods
from shared.evaluation.judgments import read_judgments
from shared.evaluation.significance import Interval, bootstrap_interval
from shared.inference import InferenceSettings, open_model
from shared.inference.settings import ATTRIBUTION_MODEL, CROSS_MODEL

PAIRS, DRAWS = 100, 5
DELETED = (1, 2, 3, 5)
PAGE = 20
SEED = 11
GRADIENTS, OCCLUSION, CHANCE = "integrated gradients", "each word left out", "by chance"

Pair = tuple[str, str]


@dataclass
class Measured:
    """What was found, a number a pair."""

    falls: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    """By method and words deleted: how far the log-odds fell."""
    gaps: list[float] = field(default_factory=list)
    """How far both sides are from summing up, as a share of what is explained."""
    rounding: list[float] = field(default_factory=list)
    """Log-odds between the served 8 bits and the full precision that is explained."""
    seconds: list[float] = field(default_factory=list)
    """Of attributing a pair."""


def relevant_pairs(seed: int = SEED) -> list[Pair]:
    """Queries with products that people rated 2 or 3, as the cross-encoder reads them."""
    data = data_folder("icecat/judgments_dev.csv", "icecat/products.jsonl.gz")
    texts = {good.key.partition("/")[2]: good.text for good in read_goods(data)}
    judged = read_judgments(data / "icecat/judgments_dev.csv")
    pairs = [
        (query, texts[item])
        for query, ratings in judged.items()
        for item, rating in ratings.items()
        if rating >= 2 and item in texts
    ]
    random.Random(seed).shuffle(pairs)  # noqa: S311 - an order, not a secret
    return pairs


def without(text: str, words: Sequence[AttributedWord]) -> str:
    """The text with words taken out."""
    for word in sorted(words, key=lambda word: -word.start):
        text = f"{text[: word.start]}{text[word.end :]}"
    return " ".join(text.split())


async def logits(cross: CrossEncoder, pairs: Sequence[Pair]) -> np.ndarray:
    """Log-odds of the served model."""
    scores = (await cross.score(pairs)).probabilities
    return np.log(scores) - np.log1p(-scores)


async def occluded(cross: CrossEncoder, pair: Pair, words: Sequence[AttributedWord]) -> list[float]:
    """What each word did, by leaving it out."""
    query, text = pair
    found = await logits(cross, [pair, *((query, without(text, [word])) for word in words)])
    return [float(found[0] - each) for each in found[1:]]


async def measure(cross: CrossEncoder, attributor: MatchAttributor, count: int) -> Measured:
    """Attributes pairs that the model calls a match, and deletes what is said to count."""
    measured = Measured()
    drawn = random.Random(SEED)  # noqa: S311
    for pair in relevant_pairs():
        if len(measured.seconds) == count:
            break
        (served,) = await logits(cross, [pair])
        if served <= 0:
            continue
        started = time.perf_counter()
        (made,) = (await attributor.attribute([pair])).pairs
        words = [word for word in made.right if any(map(str.isalnum, word.text))]
        if len(words) <= max(DELETED):
            continue
        measured.seconds.append(time.perf_counter() - started)
        measured.gaps.extend(gaps(made))
        measured.rounding.append(abs(float(served) - made.logit))
        alone = await occluded(cross, pair, words)
        orders: Mapping[str, Sequence[Sequence[AttributedWord]]] = {
            GRADIENTS: [sorted(words, key=lambda word: -word.attribution)],
            OCCLUSION: [[words[at] for at in sorted(range(len(words)), key=lambda at: -alone[at])]],
            CHANCE: [drawn.sample(words, len(words)) for _ in range(DRAWS)],
        }
        for name, ranked in orders.items():
            for deleted in DELETED:
                texts = [(pair[0], without(pair[1], order[:deleted])) for order in ranked]
                fall = float((served - await logits(cross, texts)).mean())
                measured.falls.setdefault((name, deleted), []).append(fall)
    return measured


def gaps(made: Attribution) -> list[float]:
    """How far the words of both sides are from the log-odds that they explain, as a share."""
    return [
        abs(sum(word.attribution for word in words) - (made.logit - base))
        / max(abs(made.logit - base), 1.0)
        for words, base in ((made.left, made.without_left), (made.right, made.without_right))
    ]


def section(measured: Measured) -> str:
    """The section of RESULTS.md."""
    rows = [
        [name, *(cell(measured.falls[name, deleted]) for deleted in DELETED)]
        for name in (GRADIENTS, OCCLUSION, CHANCE)
    ]
    p50, p95 = np.percentile(measured.seconds, (50, 95))
    count = len(measured.seconds)
    data = f"{count} pairs of icecat rated 2 or 3 that the cross-encoder calls a match"
    headings = ["words taken out of the product's text", *map(str, DELETED)]
    return "\n".join(
        [
            "## What the words of a pair did",
            "",
            report.provenance("python -m benchmarks.word_attribution", data),
            "",
            report.table(headings, rows),
            "",
            "How far the served cross-encoder's log-odds fall (mean, 95 % bootstrap over pairs).",
            f"Attributions miss their sum by {np.mean(measured.gaps):.1%} of what they explain",
            f"({np.percentile(measured.gaps, 95):.1%} at the 95th percentile, "
            f"{max(measured.gaps):.1%} at most). The served model's 8 bits are",
            f"{np.mean(measured.rounding):.2f} log-odds from the full precision that is explained.",
            f"A pair takes {p50:.2f} s (p95 {p95:.2f}), a page of {PAGE} about {PAGE * p50:.0f} s:",
            "on request only.",
        ]
    )


def cell(values: Sequence[float]) -> str:
    """A mean with its interval."""
    found: Interval = bootstrap_interval(values)
    return f"{found.mean:.2f} ({found.low:.2f} to {found.high:.2f})"


async def run(count: int) -> Measured:
    """Opens both models in this process and measures."""
    settings = InferenceSettings(backend="onnx", model=CROSS_MODEL)
    cross = CrossEncoder(open_model(settings), settings)
    chosen = settings.model_copy(update={"model": ATTRIBUTION_MODEL})
    attributor = MatchAttributor(open_model(chosen), chosen)
    try:
        return await measure(cross, attributor, count)
    finally:
        await cross.close()
        await attributor.close()


def main() -> int:
    """Prints the section, and writes it into benchmarks/RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--no-write", action="store_true", help="print only")
    asked = parser.parse_args()
    body = section(asyncio.run(run(asked.pairs)))
    sys.stdout.write(body + "\n")
    if not asked.no_write:
        report.update_section("word-attribution", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
