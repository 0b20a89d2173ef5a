"""Fits the weights of matching, and chooses the thresholds.

    python -m services.assistant.fitting --data support_intents_en/train.csv --nlu 127.0.0.1:7701

Learnt from: a sample of labelled requests, the example questions of the templates (each compared
with the others), and questions that nobody answers, of which the part `tune` alone is read. A
threshold is the smallest at which the share of these that is wanted goes to a person.
"""

import argparse
import asyncio
import csv
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from services.assistant.domain import LANGUAGES, Language, Message
from services.assistant.evaluation.cases import OUT_OF_SCOPE, read_out_of_scope
from services.assistant.matching import (
    BUNDLED,
    Features,
    Matcher,
    MatcherWeights,
    Weights,
    probability,
)
from services.assistant.reader import NluReader
from services.assistant.templates import Templates, read_templates

_SAMPLE: Final = 1_200
_SEED: Final = 7
_HANDED_OVER: Final = 0.97
"""Share of the questions that nobody answers which is to stay below the threshold."""
_NOBODY: Final = ""
_WEIGHT_OF_NOBODY: Final = 10.0
"""They are few beside the labelled requests."""
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Example:
    """A question's features with every answer, and the intent that it should find."""

    features: Sequence[Features]
    intent: str


def known_answers(templates: Templates, read: Mapping[tuple[str, str], Message]) -> Matcher:
    """Returns a matcher that knows the templates' examples.

    Args:
        templates: The answers.
        read: Examples by language and text, as the NLU reads them.
    """
    blank = Weights(bias=0.0, cosine=1.0, label=1.0, words=1.0, threshold=0.5)
    matcher = Matcher(
        MatcherWeights(vectors=blank, words=blank, vectors_unlabelled=blank, words_unlabelled=blank)
    )
    for template in templates.by_id.values():
        for language in LANGUAGES:
            for question in template.wording(language).questions:
                vector = read[language, question].vector
                matcher.add(template.id, template.intent, language, question, vector)
    return matcher


def fit_weights(
    examples: Sequence[Example], nobody: Sequence[Example], *, cosine: bool, label: bool
) -> Weights:
    """Returns weights of the features that are wanted, with the threshold.

    Args:
        examples: Questions that an answer is known for.
        nobody: Questions that no answer is known for.
        cosine: Whether vectors are to be compared.
        label: Whether the NLU's label is.
    """
    from sklearn.linear_model import LogisticRegression

    wanted = np.array([cosine, label, True])
    everything = [*examples, *nobody]
    rows = np.concatenate([_table(each) for each in everything]) * wanted
    right = np.concatenate(
        [[f.intent == each.intent != _NOBODY for f in each.features] for each in everything]
    )
    shares = np.concatenate(
        [
            np.full(len(each.features), 1.0 if each.intent else _WEIGHT_OF_NOBODY)
            for each in everything
        ]
    )
    model = cast("Any", LogisticRegression(C=10.0, max_iter=1_000))
    model.fit(rows, right, sample_weight=shares)
    fitted = Weights(
        bias=round(float(model.intercept_[0]), 4),
        cosine=round(float(model.coef_[0][0]), 4) if cosine else 0.0,
        label=round(float(model.coef_[0][1]), 4) if label else 0.0,
        words=round(float(model.coef_[0][2]), 4),
        threshold=0.5,
    )
    best = [max(probability(fitted, f) for f in each.features) for each in nobody]
    threshold = float(np.quantile(best, _HANDED_OVER, method="higher"))
    return fitted.model_copy(update={"threshold": round(min(threshold + 1e-3, 0.999), 4)})


def _table(example: Example) -> npt.NDArray[np.float64]:
    return np.array([[each.cosine, each.label, each.words] for each in example.features])


async def fit(data: Path, out_of_scope: Path, nlu: str) -> MatcherWeights:
    """Reads all texts by the NLU at `nlu`, and fits.

    Raises:
        OSError: A file cannot be read.
        RuntimeError: The NLU did not read all of a text.
    """
    templates = read_templates()
    own = [
        (language, question, template.intent)
        for template in templates.by_id.values()
        for language in LANGUAGES
        for question in template.wording(language).questions
    ]
    with data.open(encoding="utf-8", newline="") as file:
        rows = [(row["utterance"], row["intent"]) for row in csv.DictReader(file)]
    random.Random(_SEED).shuffle(rows)  # noqa: S311 - a sample, no secret
    nobody = [
        (language, text)
        for part, language, text in read_out_of_scope(out_of_scope)
        if part == "tune"
    ]
    texts: list[tuple[str, str]] = [
        *((language, text) for language, text, _ in own),
        *(("en", text) for text, _ in rows[:_SAMPLE]),
        *nobody,
    ]
    read = await _read(texts, nlu)
    matcher = known_answers(templates, read)

    def without(language: Language) -> list[Example]:
        of_language = [(text, intent) for each, text, intent in own if each == language]
        return [
            Example(matcher.features(read[language, text], (row,)), intent)
            for row, (text, intent) in enumerate(of_language)
        ]

    def unanswered(language: Language) -> list[Example]:
        return [
            Example(matcher.features(read[language, text]), _NOBODY)
            for each, text in nobody
            if each == language
        ]

    english = [
        *(Example(matcher.features(read["en", text]), intent) for text, intent in rows[:_SAMPLE]),
        *without("en"),
    ]
    chinese, nobody_en, nobody_zh = without("zh"), unanswered("en"), unanswered("zh")
    # Words decide where the encoder is lost: weights of the Chinese examples serve both languages.
    return MatcherWeights(
        vectors=fit_weights(english, nobody_en, cosine=True, label=True),
        words=fit_weights(chinese, nobody_zh, cosine=False, label=True),
        vectors_unlabelled=fit_weights(english, nobody_en, cosine=True, label=False),
        words_unlabelled=fit_weights(chinese, nobody_zh, cosine=False, label=False),
        vectors_zh=fit_weights(chinese, nobody_zh, cosine=True, label=True),
        vectors_zh_unlabelled=fit_weights(chinese, nobody_zh, cosine=True, label=False),
    )


async def _read(texts: Sequence[tuple[str, str]], nlu: str) -> dict[tuple[str, str], Message]:
    reader = NluReader(nlu, 30.0)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(language: str, text: str) -> Message:
        async with gate:
            reading = await reader.read(text, language)
        if reading.lost:
            raise RuntimeError(f"{text}: {reading.lost[0][1].message}")
        return reading.message

    try:
        messages = await asyncio.gather(*(one(*each) for each in texts))
    finally:
        await reader.close()
    return dict(zip(texts, messages, strict=True))


def main() -> int:
    """Fits and writes the weights; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Formatter)
    parser.add_argument("--data", type=Path, required=True, help="train.csv of support_intents_en")
    parser.add_argument("--out-of-scope", type=Path, default=OUT_OF_SCOPE)
    parser.add_argument("--nlu", default="127.0.0.1:7701", help="HOST:PORT of the NLU service")
    parser.add_argument("--out", type=Path, default=BUNDLED)
    asked = parser.parse_args()
    weights = asyncio.run(fit(asked.data, asked.out_of_scope, asked.nlu))
    asked.out.write_text(json.dumps(weights.model_dump(), indent=2) + "\n", encoding="utf-8")
    return 0


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the example."""


if __name__ == "__main__":
    sys.exit(main())
