"""Fits the scorer of sentences to human summaries, and tells by cross-validation what it is worth.

Run by `python -m benchmarks.summaries --fit`, on the train part alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.summary_methods import Case
from benchmarks.summary_rouge import precision
from services.reason.summarise.centrality import Matrix
from services.reason.summarise.scorer import WEIGHTS, LinearScorer, features

VERSION = 1
READ = {
    "meaning": (
        "shared_words", "shared_pairs", "support_meaning", "support_words",
        "of_product", "first_person", "story", "length", "short",
    ),
    "words": (
        "shared_words", "shared_pairs", "support_words",
        "of_product", "first_person", "story", "length", "short",
    ),
}  # fmt: skip
"""Features of the scorer with an encoder's vectors, and of the one without."""
RIDGE, FOLDS, SEEDS = 10.0, 7, (0, 1)
_LONG = 25


@dataclass(frozen=True, slots=True)
class _Rows:
    """Of one product: features, how much of the references each sentence holds, its weight."""

    found: dict[str, Matrix]
    held: Matrix
    weights: Matrix


def fit(cases: Sequence[Case], kind: str) -> LinearScorer:
    """Returns the scorer of `kind` fitted to cases: ridge regression of precision."""
    return _fit([_rows(case) for case in cases], kind)


def cross_validate(
    cases: Sequence[Case], kind: str, rouge: Callable[[Case, LinearScorer], Sequence[float]]
) -> Matrix:
    """Returns the mean of each measure over cases that the scorer was not fitted to."""
    rows = [_rows(case) for case in cases]
    found: list[Sequence[float]] = []
    for seed in SEEDS:
        order: list[int] = np.random.default_rng(seed).permutation(len(cases)).tolist()
        for fold in range(FOLDS):
            out = set(order[fold::FOLDS])
            scorer = _fit([row for at, row in enumerate(rows) if at not in out], kind)
            found += [rouge(cases[at], scorer) for at in sorted(out)]
    return np.mean(np.array(found), axis=0)


def write(scorers: dict[str, LinearScorer]) -> None:
    """Writes the weights where the service reads them."""
    lines = [
        "# Weights of services/reason/summarise/scorer.py, fitted to the train part of",
        "# review_summaries_en (FewSum: 28 products, 3 human summaries each) by",
        "# `python -m benchmarks.summaries --fit`. Not written by hand.",
        f"version = {VERSION}",
    ]
    for kind, scorer in scorers.items():
        lines += ["", f"[scorers.{kind}]"]
        lines += [
            f"{name} = {{ mean = {mean:.5f}, scale = {scale:.5f}, weight = {weight:.5f} }}"
            for name, mean, scale, weight in zip(
                scorer.features, scorer.means, scorer.scales, scorer.weights, strict=True
            )
        ]
    WEIGHTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _fit(rows: Sequence[_Rows], kind: str) -> LinearScorer:
    names = READ[kind]
    found = np.concatenate([np.stack([row.found[n] for n in names], axis=1) for row in rows])
    held = np.concatenate([row.held for row in rows])
    weights = np.concatenate([row.weights for row in rows])
    means, scales = found.mean(axis=0), found.std(axis=0) + 1e-9
    scaled = (found - means) / scales
    left = scaled.T @ (scaled * weights[:, None]) + RIDGE * np.eye(len(names))
    right = scaled.T @ (weights * (held - np.average(held, weights=weights)))
    solved: Matrix = np.asarray(np.linalg.solve(left, right), dtype=np.float64)
    return LinearScorer(f"{kind}@{VERSION}", names, means, scales, solved)


def _rows(case: Case) -> _Rows:
    held = [precision(sentence.text, case.references) for sentence in case.sentences]
    # A long sentence takes more of the budget, so to be wrong about it costs more.
    lengths = np.array([min(s.words, _LONG) for s in case.sentences], dtype=np.float64)
    found = features(case.sentences, case.words @ case.words.T, case.meanings @ case.meanings.T)
    return _Rows(found, np.array(held), lengths / lengths.mean())
