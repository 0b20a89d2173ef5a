"""Ways to sum up reviews: the service's, and those that it is compared with."""

from __future__ import annotations

import asyncio
import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.summary_rouge import rouge
from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.onnx_writer import OnnxWriter
from services.reason.summarise.centrality import Matrix, lexrank, tf_idf, unit_rows
from services.reason.summarise.points import count_points
from services.reason.summarise.rewrite import Rewritten, rewrite
from services.reason.summarise.scorer import LinearScorer, scorers
from services.reason.summarise.sentences import Sentence, Text, distinct, split
from services.reason.summarise.summariser import DEFAULT_POINTS
from services.reason.summarise.worded import SummaryWriter
from services.reason.summarise.worth import extract
from shared.inference import InferenceSettings, open_text_encoder
from shared.inference.settings import REASON_MODEL, REPOSITORY

BUDGET = 50
"""Words, about what the human summaries of the train part have (48.5 on average)."""
_BASELINE_TIE, _BASELINE_REPEAT = 0.1, 0.5
_SECONDS = 30.0
"""What the model gets for a summary here: texts are measured, not times."""


@dataclass(frozen=True, slots=True)
class Case:
    """A product: its reviews, their sentences, what people wrote, and vectors of the sentences."""

    reviews: Sequence[Text]
    sentences: Sequence[Sentence]
    references: Sequence[str]
    words: Matrix
    meanings: Matrix


_Read = tuple[Sequence[Text], Sequence[Sentence], Sequence[str]]
"""Reviews of a product, their sentences, and what people wrote."""


def read_cases(path: Path) -> list[Case]:
    """Reads a part of the set."""
    found: list[_Read] = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            reviews = distinct([Text(f"r{n}", row[f"rev{n}"]) for n in range(1, 9)])
            sentences = [s for at, review in enumerate(reviews) for s in split(review.body, at)]
            found.append((reviews, sentences, [row[f"summ{n}"] for n in (1, 2, 3)]))
    return _embed_all(found)


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


def open_summary_writer() -> SummaryWriter:
    """Returns the model as the service opens it in process."""
    writer = OnnxWriter(REPOSITORY / REASON_MODEL, DEFAULT_BANNED_WORDS, 1)
    return SummaryWriter(writer, _SECONDS, DEFAULT_BANNED_WORDS)


def _join(case: Case, chosen: Sequence[int]) -> str:
    return " ".join(case.sentences[at].text for at in chosen)


def _fill(case: Case, order: Sequence[int]) -> str:
    """Takes sentences in an order, those that still fit the budget."""
    left = BUDGET
    taken: list[int] = []
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


def in_new_words(case: Case, writer: SummaryWriter | None) -> str:
    """What the service says in new words, with the most central sentences quoted."""
    scorer = scorers()["meaning"]
    chosen, central = extract(case.sentences, case.words, case.meanings, BUDGET, scorer)
    quotes = [
        (case.reviews[case.sentences[at].source].id, case.sentences[at].text)
        for at in sorted(chosen, key=lambda at: -central[at])
    ]
    return say(case.reviews, "en", writer, quotes).text


def say(
    reviews: Sequence[Text],
    language: str,
    writer: SummaryWriter | None,
    quotes: Sequence[tuple[str, str]] = (),
) -> Rewritten:
    """Returns what the service says of reviews in new words; by fixed wordings without a model."""
    pros, cons = count_points(reviews, language, DEFAULT_POINTS)
    worded = writer.write(pros, cons, reviews, language, BUDGET) if writer else None
    return rewrite(
        pros,
        cons,
        quotes,
        reviews,
        language=language,
        budget=BUDGET,
        banned=DEFAULT_BANNED_WORDS,
        worded=worded,
    )


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
