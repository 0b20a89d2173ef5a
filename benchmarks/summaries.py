"""Extracted summaries beside human ones: `python -m benchmarks.summaries`.

Eight reviews a product, three human summaries (FewSum). Every method has the same sentences and the
same budget of words. The scorer is fitted to the train part (`--fit`); figures are of val.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from rouge_score.rouge_scorer import RougeScorer

from benchmarks import report
from benchmarks.data import data_folder
from benchmarks.summary_scorer import Case, cross_validate, fit, write
from services.reason.summarise.centrality import Matrix, lexrank, tf_idf, unit_rows
from services.reason.summarise.points import count_points
from services.reason.summarise.rewrite import rewrite
from services.reason.summarise.scorer import LinearScorer, scorers
from services.reason.summarise.sentences import Sentence, Text, distinct, split
from services.reason.summarise.summariser import DEFAULT_POINTS
from services.reason.summarise.worth import extract
from shared.cli.connection import connect
from shared.cli.private_suite import private_suite
from shared.evaluation.significance import bootstrap_interval
from shared.evaluation.summary_claims import SummaryClaimText, unsupported
from shared.inference import InferenceSettings, open_text_encoder
from wherefore.common.v1.product_pb2 import Review
from wherefore.reason.v1.reason_service_pb2_grpc import ReasonServiceStub
from wherefore.reason.v1.summary_pb2 import SummariseRequest

COMMAND = "python -m benchmarks.summaries"
FOLDER = "review_summaries_en"
BUDGET = 50
"""Words, about what the human summaries of the train part have (48.5 on average)."""
MEASURES = ("rouge1", "rouge2", "rougeL")
_BASELINE_TIE, _BASELINE_REPEAT = 0.1, 0.5
_SEEDS = 20
CHECKED = 200
"""Products whose claims in new words are checked."""
TIMED, _CALLS, _WARM = 50, 30, 3
"""Reviews of a timed summary, and how many times it is asked for."""
_SCORER = RougeScorer(list(MEASURES), use_stemmer=True)


_Read = tuple[Sequence[Text], Sequence[Sentence], Sequence[str]]
"""Reviews of a product, their sentences, and what people wrote."""

Scores = Matrix
"""ROUGE of each case, (cases, measures)."""


def read_cases(path: Path) -> list[Case]:
    """Reads a part of the set."""
    found: list[_Read] = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            reviews = distinct([Text(f"r{n}", row[f"rev{n}"]) for n in range(1, 9)])
            sentences = [s for at, review in enumerate(reviews) for s in split(review.body, at)]
            found.append((reviews, sentences, [row[f"summ{n}"] for n in (1, 2, 3)]))
    return _embed_all(found)


def rouge(summary: str, references: Sequence[str]) -> tuple[float, ...]:
    """F of each of MEASURES, averaged over the references."""
    scored = [_SCORER.score(reference, summary) for reference in references]
    return tuple(float(np.mean([s[m].fmeasure for s in scored])) for m in MEASURES)


def _embed_all(cases: Sequence[_Read]) -> list[Case]:
    """Puts vectors to the sentences, in this process by ONNX Runtime."""

    async def encode() -> list[Matrix]:
        encoder = open_text_encoder(InferenceSettings(backend="onnx"))
        made = [await encoder.encode([s.text for s in found]) for _, found, _ in cases]
        return [unit_rows(each.vectors.astype(np.float64)) for each in made]

    return [
        Case(reviews, found, references, tf_idf([s.text for s in found]), vectors)
        for (reviews, found, references), vectors in zip(cases, asyncio.run(encode()), strict=True)
    ]


def _join(case: Case, chosen: Sequence[int]) -> str:
    return " ".join(case.sentences[at].text for at in chosen)


def _fill(case: Case, order: Sequence[int]) -> str:
    """Takes sentences in an order, those that still fit the budget."""
    left, taken = BUDGET, []
    for at in order:
        if case.sentences[at].words <= left:
            taken.append(at)
            left -= case.sentences[at].words
    return _join(case, taken)


def ours(case: Case, kind: str, scorer: LinearScorer | None = None) -> str:
    """What the service does: `kind` is "meaning" with the encoder's vectors, "words" without."""
    vectors = case.meanings if kind == "meaning" else None
    scorer = scorer or scorers()[kind]
    chosen, _ = extract(case.sentences, case.words, vectors, BUDGET, scorer)
    return _join(case, chosen)


def unsupervised(case: Case) -> str:
    """What the service does without a scorer, with the encoder's vectors."""
    return _join(case, extract(case.sentences, case.words, case.meanings, BUDGET)[0])


def in_new_words(case: Case) -> str:
    """What the service says in new words, with the most central sentences quoted."""
    pros, cons = count_points(case.reviews, "en", DEFAULT_POINTS)
    scorer = scorers()["meaning"]
    chosen, central = extract(case.sentences, case.words, case.meanings, BUDGET, scorer)
    quotes = [
        (case.reviews[case.sentences[at].source].id, case.sentences[at].text)
        for at in sorted(chosen, key=lambda at: -central[at])
    ]
    return rewrite(pros, cons, quotes, case.reviews, language="en", budget=BUDGET).text


def check_claims(folder: Path) -> tuple[int, int, int]:
    """Claims in new words of CHECKED products: products with a text, claims, unsupported ones."""
    products: dict[str, list[Text]] = {}
    with (folder / "reviews_by_product_en" / "reviews.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            products.setdefault(row["prod_id"], []).append(Text(row["review_id"], row["review"]))
    texts = claims = wrong = 0
    for written in islice(products.values(), CHECKED):
        reviews = distinct(written)
        pros, cons = count_points(reviews, "en", DEFAULT_POINTS)
        found = rewrite(pros, cons, (), reviews, language="en", budget=BUDGET)
        served = [SummaryClaimText(claim.text, claim.review_ids) for claim in found.claims]
        bodies = {review.id: review.body for review in reviews}
        texts += bool(found.text)
        claims += len(served)
        wrong += len(unsupported(found.text, served, bodies, "en"))
    return texts, claims, wrong


def lexrank_baseline(case: Case) -> str:
    """LexRank as published: tf-idf, ties from 0.1 on, repeats over 0.5 left out."""
    similarity = case.words @ case.words.T
    order = np.argsort(-lexrank(similarity, _BASELINE_TIE, weighted=False), kind="stable")
    kept: list[int] = []
    for at in order.tolist():
        if all(similarity[at, other] < _BASELINE_REPEAT for other in kept):
            kept.append(at)
    return _fill(case, kept)


def lead(case: Case) -> str:
    """First sentences of the reviews, then the second ones."""
    order = sorted(range(len(case.sentences)), key=lambda at: case.sentences[at].position)
    return _fill(case, order)


def shuffled(case: Case, seed: int) -> str:
    """Sentences by chance."""
    order = list(range(len(case.sentences)))
    random.Random(seed).shuffle(order)  # noqa: S311 - no secret
    return _fill(case, order)


def oracle(case: Case) -> str:
    """Greedily what the references hold: about the most that sentences can reach."""
    taken: list[int] = []
    best = 0.0
    while True:
        left = BUDGET - sum(case.sentences[at].words for at in taken)
        tried = [
            (sum(rouge(_join(case, [*taken, at]), case.references)[:2]), at)
            for at in range(len(case.sentences))
            if at not in taken and case.sentences[at].words <= left
        ]
        if not tried or max(tried)[0] <= best:
            return _join(case, taken)
        best, at = max(tried)
        taken.append(at)


def measure(cases: Sequence[Case], method: Callable[[Case], str]) -> Scores:
    """Scores of a method, (cases, measures)."""
    return np.array([rouge(method(case), case.references) for case in cases])


def fit_scorers(cases: Sequence[Case]) -> None:
    """Fits the scorers to the train part and writes them; prints figures of held-out folds."""
    found: dict[str, LinearScorer] = {}
    for kind in ("meaning", "words"):

        def held_out(case: Case, scorer: LinearScorer, kind: str = kind) -> Sequence[float]:
            return rouge(ours(case, kind, scorer), case.references)

        print(f"{kind}, cross-validated: {_percent(cross_validate(cases, kind, held_out))}")
        found[kind] = fit(cases, kind)
    for name, method in (
        ("no scorer", unsupervised),
        ("LexRank", lexrank_baseline),
        ("lead sentences", lead),
    ):
        print(f"{name}: {_percent(measure(cases, method).mean(axis=0))}")
    write(found)


def _percent(values: Matrix) -> str:
    return " / ".join(f"{100 * value:.2f}" for value in values)


def evaluate(cases: Sequence[Case]) -> dict[str, Scores]:
    """Scores of all methods."""
    by_chance = [measure(cases, partial(shuffled, seed=seed)) for seed in range(_SEEDS)]
    return {
        "ours, vectors": measure(cases, partial(ours, kind="meaning")),
        "ours, tf-idf": measure(cases, partial(ours, kind="words")),
        "ours, no scorer": measure(cases, unsupervised),
        "ours, in new words": measure(cases, in_new_words),
        "LexRank": measure(cases, lexrank_baseline),
        "lead sentences": measure(cases, lead),
        "random": np.mean(by_chance, axis=0),
        "oracle": measure(cases, oracle),
    }


def _reviews_to_time(folder: Path) -> dict[str, list[str]]:
    with (folder / FOLDER / "train.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    english = [row[f"rev{n}"] for row in rows for n in range(1, 9)]
    with gzip.open(folder / "reviews_zh" / "train.jsonl.gz", "rt", encoding="utf-8") as lines:
        chinese = [json.loads(line)["review"] for line in islice(lines, TIMED)]
    return {"en": english[:TIMED], "zh": chinese}


async def time_served(folder: Path) -> dict[str, tuple[float, float, int]]:
    """Times summaries of TIMED reviews by a suite of its own: p50, p95 in ms, degraded."""
    found: dict[str, tuple[float, float, int]] = {}
    async with private_suite() as own, connect(own.reason_target, retry=False) as channel:
        stub = ReasonServiceStub(channel)
        for language, texts in _reviews_to_time(folder).items():
            for kind in ("new reviews", "the same reviews"):
                times: list[float] = []
                degraded = 0
                for call in range(_CALLS + _WARM):
                    # A word more makes a sentence that no call before held.
                    last = f" call{call}{language}" if kind == "new reviews" else ""
                    reviews = [
                        Review(id=str(n), text=_mark(text, last)) for n, text in enumerate(texts)
                    ]
                    request = SummariseRequest(reviews=reviews, language_code=language)
                    began = time.perf_counter()
                    response = await stub.Summarise(request, timeout=30)
                    times.append(1_000 * (time.perf_counter() - began))
                    assert response.sentences
                    degraded += bool(response.degraded) and call >= _WARM
                p50, p95 = np.percentile(times[_WARM:], [50, 95])
                found[f"{language}, {kind}"] = (float(p50), float(p95), degraded)
    return found


def _mark(text: str, word: str) -> str:
    """Puts a word into each sentence."""
    if not word:
        return text
    return " ".join(sentence.text.rstrip(".!?。！？") + word + "." for sentence in split(text))


def section(
    scores: dict[str, Scores],
    cases: int,
    times: dict[str, tuple[float, float, int]],
    checked: tuple[int, int, int],
) -> str:
    """The section of RESULTS.md."""
    rows = [
        (name, *(f"{100 * value:.2f}" for value in found.mean(axis=0)))
        for name, found in scores.items()
    ]
    differences = [
        (
            f"{name} − {other}",
            *(_interval(scores[name][:, at] - scores[other][:, at]) for at in range(len(MEASURES))),
        )
        for name in ("ours, vectors", "ours, tf-idf")
        for other in ("LexRank", "lead sentences", "random")
    ]
    heads = ("ROUGE-1", "ROUGE-2", "ROUGE-L")
    return "\n\n".join(
        (
            "## Summaries of reviews",
            report.provenance(COMMAND, f"{FOLDER} val ({cases} products, 8 reviews, 3 summaries)"),
            report.table(("method", *heads), rows),
            report.table(("difference (95 % interval)", *heads), differences),
            f"F1 times 100 (`rouge-score`, stemmed), the mean over the references; {BUDGET} words\n"
            "a summary, the same sentences for all. Features, weights and novelty were chosen on\n"
            "the train part by cross-validation (28 products, `--fit`), without a look at val.\n"
            "Intervals are of a paired bootstrap over the products; one that holds 0 tells no\n"
            "difference.\n"
            "People wrote anew what the methods can only quote; the oracle picks sentences by the\n"
            "references.",
            f"In new words, {checked[0]} of {CHECKED} products of reviews_by_product_en (music\n"
            f"and books above all) have a text: {checked[1]} claims, {checked[2]} unsupported by\n"
            "the independent checker. Its word lists, and the service's list of sentences that do\n"
            "not speak of a product, were completed while reading what it found here at first.\n"
            "The quotations of new words were added after a look at val: its row there is no\n"
            "blind figure.",
            _served(times),
        )
    )


def _served(times: dict[str, tuple[float, float, int]]) -> str:
    if not times:
        return ""
    said = "; ".join(
        f"{tag} p50 {p50:.0f} ms, p95 {p95:.0f} ms, {lost} without vectors"
        for tag, (p50, p95, lost) in times.items()
    )
    return f"`Summarise` of {TIMED} reviews as served, one caller, {_CALLS} calls: {said}."


def _interval(differences: Matrix) -> str:
    found = bootstrap_interval((100 * differences).tolist())
    return f"{found.mean:+.2f} ({found.low:+.2f} to {found.high:+.2f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--fit", action="store_true", help="fit the scorer to train and write it")
    parser.add_argument("--no-write", action="store_true", help="print only")
    parser.add_argument("--no-timing", action="store_true", help="start no suite to time")
    options = parser.parse_args(arguments)
    folder = data_folder(FOLDER) / FOLDER
    if options.fit:
        fit_scorers(read_cases(folder / "train.tsv"))
        return 0
    cases = read_cases(folder / "val.tsv")
    times = {} if options.no_timing else asyncio.run(time_served(folder.parent))
    body = section(evaluate(cases), len(cases), times, check_claims(folder.parent))
    print(body)
    if not options.no_write:
        report.update_section("summaries", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
