"""What simple methods reach on the tasks: `python -m services.nlu.train.baselines`, as JSON.

No neural network is in them; a learnt model's figure means little without one of these beside it.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from services.nlu.train.chinese import category_zh, entities_zh, matching_zh, sentiment_zh
from services.nlu.train.chinese_matching import MATCH
from services.nlu.train.crf_baseline import CharacterCrf, has_library
from services.nlu.train.examples import Example
from services.nlu.train.lexical import character_bigrams
from services.nlu.train.ngram_models import character_vectorizer, fit_logistic
from services.nlu.train.reason_patterns import find_reasons
from services.nlu.train.reason_tags import DEV, read_reasons

REPOSITORY = Path(__file__).resolve().parents[3]
STATED_CRF = 0.671
"""F1 of a character CRF by the data's own description, for where `python-crfsuite` is missing."""

Figure = Mapping[str, str | float | int]
"""`metric`, `value`, `n` (dev examples) and `method`."""


def classes_baseline(
    train: Sequence[Example], dev: Sequence[Example], vectorizer: Any
) -> tuple[float, int]:
    """Returns the dev accuracy of TF-IDF with logistic regression, and the number of dev texts."""
    labels = sorted({example.label for example in train})
    classes = np.array([labels.index(example.label) for example in train])
    matrix = vectorizer.fit_transform([example.text for example in train])
    predict = fit_logistic()(matrix, classes, len(labels))
    chosen: Sequence[int] = (
        predict(vectorizer.transform([example.text for example in dev])).argmax(1).tolist()
    )
    right = sum(labels[at] == example.label for at, example in zip(chosen, dev, strict=True))
    return right / len(dev), len(dev)


def sentiment_baseline(data: Path) -> Figure:
    """Sentiment of Chinese reviews by character TF-IDF."""
    task = sentiment_zh(data)
    value, count = classes_baseline(task.train, task.dev, character_vectorizer())
    return _accuracy(value, count, "character TF-IDF + logistic regression")


def category_baseline(data: Path) -> Figure:
    """Product category of Chinese reviews by character TF-IDF."""
    task = category_zh(data)
    value, count = classes_baseline(task.train, task.dev, character_vectorizer())
    return _accuracy(value, count, "character TF-IDF + logistic regression")


def support_baseline(data: Path) -> Figure:
    """The 27 intents of customer service by TF-IDF of words and pairs of words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    train, dev = (read_support(data / "support_intents_en" / f"{part}.csv") for part in _PARTS)
    # Its annotations know one number type alone.
    vectorizer: Any = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    value, count = classes_baseline(train, dev, vectorizer)
    return _accuracy(value, count, "word TF-IDF + logistic regression")


def entities_baseline(data: Path) -> Figure:
    """Entities of Chinese titles by a CRF over characters."""
    task = entities_zh(data)
    if not has_library():
        method = "character CRF, as the data's description states; python-crfsuite is missing"
        return {"metric": "f1", "value": STATED_CRF, "n": len(task.dev), "method": method}
    crf = CharacterCrf(task.train)
    value = spans_f1(task.dev, crf.find)
    return {"metric": "f1", "value": value, "n": len(task.dev), "method": "character CRF"}


def reasons_baseline(data: Path) -> Figure:
    """Reasons to buy by the patterns that label the training sentences; reads no data set."""
    dev = read_reasons(DEV)
    value = spans_f1(dev, find_reasons)
    return {"metric": "f1", "value": value, "n": len(dev), "method": "patterns"}


def matching_baseline(data: Path) -> Figure:
    """Chinese pairs by the Jaccard similarity of their character bigrams."""
    from sklearn import metrics

    # The function's annotations are partial.
    area_under_curve: Any = getattr(metrics, "roc_auc_score")  # noqa: B009
    pairs = matching_zh(data).dev
    scores = [bigram_overlap(pair.text, pair.other) for pair in pairs]
    value = area_under_curve([pair.label == MATCH for pair in pairs], scores)
    return {"metric": "auc", "value": float(value), "n": len(pairs), "method": "character bigrams"}


BASELINES: Mapping[str, Callable[[Path], Figure]] = {
    "reason_tags_zh": reasons_baseline,
    "intents_en.support": support_baseline,
    "matching_zh": matching_baseline,
    "sentiment_zh": sentiment_baseline,
    "entities_zh": entities_baseline,
    "category_zh": category_baseline,
}
"""Name of the task -> its baseline."""

_PARTS = ("train", "dev")


def spans_f1(examples: Sequence[Example], find: Callable[[str], Sequence[Any]]) -> float:
    """Returns the micro F1 of exact spans with exact types.

    Args:
        examples: With the right spans.
        find: Text to spans.
    """
    right = found = gold = 0
    for example in examples:
        given, true = set(find(example.text)), set(example.spans)
        right, found, gold = right + len(given & true), found + len(given), gold + len(true)
    return 2 * right / (found + gold) if found + gold else 1.0


def bigram_overlap(left: str, right: str) -> float:
    """Returns the Jaccard similarity of the character bigrams of two texts."""
    first, second = set(character_bigrams(left)), set(character_bigrams(right))
    return len(first & second) / len(first | second)


def read_support(path: Path) -> list[Example]:
    """Returns the utterances of a file of `support_intents_en` with their intents."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [Example(row["utterance"], label=row["intent"]) for row in csv.DictReader(lines)]


def _accuracy(value: float, count: int, method: str) -> Figure:
    return {"metric": "accuracy", "value": value, "n": count, "method": method}


def main() -> int:
    """Measures the baselines and prints them as JSON."""
    parser = argparse.ArgumentParser(prog="baselines", description=__doc__)
    data = Path(os.environ.get("WHEREFORE_DATA", REPOSITORY.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets")
    parser.add_argument("--tasks", nargs="+", default=list(BASELINES), choices=list(BASELINES))
    parser.add_argument("--out", type=Path, help="a JSON file; figures that it holds are kept")
    given = parser.parse_args()
    figures: dict[str, Figure] = {}
    if given.out and given.out.is_file():
        figures = json.loads(given.out.read_text("utf-8"))
    for name in given.tasks:
        if name not in figures:
            figures[name] = BASELINES[name](given.data)
            sys.stderr.write(f"{name}: {figures[name]}\n")
            if given.out:
                given.out.parent.mkdir(parents=True, exist_ok=True)
                given.out.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
