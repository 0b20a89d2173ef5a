"""How likely people would put a sentence into a summary, by a linear model of what they wrote.

Ridge regression of how much of the words of human summaries a sentence holds: features as in
Conroy and O'Leary, "Text summarization via hidden Markov models", SIGIR 2001, the target as in Cao
et al., "Ranking with recursive neural networks and its application to multi-document
summarization", AAAI 2015. The weights are of `python -m benchmarks.summaries --fit` and English:
there are no Chinese summaries to learn from.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from services.reason.summarise.centrality import Matrix
from services.reason.summarise.sentences import Sentence
from shared.text.analysis import terms
from shared.text.stop_words import STOP_WORDS

WEIGHTS: Final = Path(__file__).parent / "data" / "scorer_en.toml"
LANGUAGE: Final = "en"
_Item = TypeVar("_Item")
_SHORT, _LONGEST = 5, 60
_FIRST_PERSON: Final = re.compile(r"\b(?:i|i'm|i've|i'd|my|me|mine|we|our|us)\b", re.IGNORECASE)
_OF_PRODUCT: Final = re.compile(r"(?:these|this|it|they|the|very)\b", re.IGNORECASE)
_STORY: Final = re.compile(
    r"\b(?:was|were|had|bought|ordered|got|did|didn't|returned|sent|received|went|wanted|thought)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class LinearScorer:
    """Weights of features.

    Attributes:
        name: With its version, such as "linear_en@1".
        features: Names of those it reads, as `features` gives them.
        means: Of the features where it was fitted.
        scales: Their standard deviations.
        weights: Of the features at mean 0 and deviation 1.
    """

    name: str
    features: tuple[str, ...]
    means: Matrix
    scales: Matrix
    weights: Matrix

    def score(self, found: Mapping[str, Matrix]) -> Matrix:
        """Returns the score of each sentence, best 1, worst over 0; (n,)."""
        rows = np.stack([found[name] for name in self.features], axis=1)
        raw: Matrix = (rows - self.means) / self.scales @ self.weights
        low, span = raw.min(), np.ptp(raw)
        return (raw - low + 1e-6) / (span + 1e-6)


def features(
    sentences: Sequence[Sentence], by_words: Matrix, by_meaning: Matrix | None
) -> dict[str, Matrix]:
    """Returns what a scorer may read of each sentence, (n,) by name.

    Args:
        sentences: At least one.
        by_words: Cosines of their tf-idf, (n, n).
        by_meaning: Those of an encoder, where there are; "support_meaning" needs them.
    """
    sources = np.array([sentence.source for sentence in sentences])
    others = max(1, len(set(sources.tolist())) - 1)
    words = [terms(sentence.text) for sentence in sentences]
    content = [[term for term in each if term not in STOP_WORDS] for each in words]
    pairs = [list(pairwise(each)) for each in words]
    texts = [sentence.text for sentence in sentences]
    lengths = np.array([sentence.words for sentence in sentences], dtype=np.float64)
    found = {
        "shared_words": _shared(content, sources.tolist(), others),
        "shared_pairs": _shared(pairs, sources.tolist(), others),
        "support_words": _support(by_words, sources),
        "of_product": np.array([float(bool(_OF_PRODUCT.match(text))) for text in texts]),
        "first_person": np.array([float(bool(_FIRST_PERSON.search(text))) for text in texts]),
        "story": np.array([float(bool(_STORY.search(text))) for text in texts]),
        "length": np.log(np.minimum(lengths, _LONGEST)),
        "short": (lengths < _SHORT).astype(np.float64),
    }
    if by_meaning is not None:
        found["support_meaning"] = _support(by_meaning, sources)
    return found


@cache
def scorers() -> Mapping[str, LinearScorer]:
    """Returns the scorers that come along: "meaning" with an encoder's vectors, "words" without."""
    table = tomllib.loads(WEIGHTS.read_text(encoding="utf-8"))
    return {
        kind: LinearScorer(
            name=f"linear_{LANGUAGE}@{table['version']}",
            features=tuple(rows),
            means=np.array([row["mean"] for row in rows.values()]),
            scales=np.array([row["scale"] for row in rows.values()]),
            weights=np.array([row["weight"] for row in rows.values()]),
        )
        for kind, rows in table["scorers"].items()
    }


def _support(similarity: Matrix, sources: Matrix) -> Matrix:
    """How like it the likest sentence of each other text is, on average over these."""
    order = np.argsort(sources, kind="stable")
    _, starts = np.unique(sources[order], return_index=True)
    nearest = np.maximum.reduceat(similarity[:, order], starts, axis=1)  # (n, texts)
    own = np.searchsorted(np.unique(sources), sources)
    nearest[np.arange(len(sources)), own] = 0.0
    return nearest.sum(axis=1) / max(1, len(starts) - 1)


def _shared(items: Sequence[Sequence[_Item]], sources: Sequence[int], others: int) -> Matrix:
    """Share of the other texts that have a word (or pair) of the sentence, its average word's."""
    by_source: dict[int, set[_Item]] = {}
    for source, each in zip(sources, items, strict=True):
        by_source.setdefault(source, set()).update(each)
    holding = Counter(item for found in by_source.values() for item in found)
    return np.array([_mean(holding[item] - 1 for item in each) / others for each in items])


def _mean(values: Iterable[int]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0
