"""Queries into categories by the categories' names, nothing trained on the taxonomy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product as combinations

import numpy as np

from services.reason.classify import zero_shot
from services.reason.classify.features import Text, occurrences
from services.reason.classify.train.calibrate import Matrix
from services.reason.classify.train.local_encoder import local_encoder
from services.reason.classify.trained import softmax
from services.reason.classify.tree import CategoryTree, agree
from services.reason.classify.tree import Path as Category
from services.reason.classify.zero_shot import Taxonomy, ZeroShotWeights


@dataclass(frozen=True, slots=True)
class Named:
    """Queries with a known category: parts of scores, (queries, categories), and labels."""

    meaning: Matrix
    names: Matrix
    parents: Matrix
    labels: np.ndarray
    tree: CategoryTree

    def half(self, second: bool) -> Named:
        """Every other query."""
        part = slice(int(second), None, 2)
        return Named(
            self.meaning[part], self.names[part], self.parents[part], self.labels[part], self.tree
        )

    def loss(self, weights: ZeroShotWeights) -> float:
        """Mean log loss of the label or what lies below it: labels are no finer than hits are."""
        held = [
            self.tree.probability(self.tree.categories[label], row)
            for label, row in zip(self.labels, self.probabilities(weights), strict=True)
        ]
        return float(-np.log(np.maximum(held, 1e-12)).mean())

    def probabilities(self, weights: ZeroShotWeights) -> Matrix:
        """(queries, categories)."""
        total = (
            weights.meaning * self.meaning
            + weights.name * self.names
            + weights.parents * self.parents
        )
        return np.array([softmax(row) for row in total])


def named(queries: Sequence[tuple[str, Category]], paths: Sequence[Category]) -> Named:
    """Compares queries with the names of all categories."""
    taxonomy = Taxonomy(paths)
    columns = {path: at for at, path in enumerate(paths)}
    found = [occurrences([Text("titles", "en", query)]) for query, _ in queries]
    encode = local_encoder().encode
    meaning = encode([query for query, _ in queries]) @ encode(taxonomy.texts).T
    shares = [
        np.zeros((len(queries), len(paths))),
        np.zeros((len(queries), len(paths))),
    ]
    for into, weights in zip(
        shares, (ZeroShotWeights(0, 1, 0), ZeroShotWeights(0, 0, 1)), strict=True
    ):
        for row, each in enumerate(found):
            for held in taxonomy.added(each, weights).values():
                for column, value in held.items():
                    into[row, column] += value
    labels = np.array([columns[path] for _, path in queries])
    return Named(meaning, *shares, labels, taxonomy.tree)


def tune(sets: Sequence[Named]) -> None:
    """Prints the weights with the least log loss on the tuning halves."""
    halves = [each.half(False) for each in sets]
    for meanings in ((10.0, 15.0, 20.0, 25.0, 30.0), (0.0,)):
        tried: list[tuple[float, ZeroShotWeights]] = []
        for meaning, name, parents in combinations(
            meanings, (0.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0), (0.0, 0.5, 1.0, 2.0, 3.0)
        ):
            weights = ZeroShotWeights(meaning, name, parents)
            losses = [each.loss(weights) for each in halves]
            tried.append((float(np.mean(losses)), weights))
        for loss, weights in sorted(tried, key=lambda each: each[0])[:3]:
            print(f"{loss:.4f} {weights}", flush=True)


def named_rows(sets: Mapping[str, Named]) -> list[tuple[str, ...]]:
    """Rows of matching by names, on the halves that nothing was tuned on."""
    ways = {
        "words and vectors": zero_shot.BY_MEANING,
        "words alone": zero_shot.BY_WORDS,
        "vectors alone": replace(zero_shot.BY_MEANING, name=0.0, parents=0.0),
    }
    rows: list[tuple[str, ...]] = []
    for name, each in sets.items():
        half = each.half(True)
        for way, weights in ways.items():
            probabilities = half.probabilities(weights)
            order = np.argsort(-probabilities, axis=1, kind="stable")
            hit = order == half.labels[:, None]
            sure = probabilities.max(axis=1) >= zero_shot.CALIBRATION.category_threshold
            agreed = np.array(
                [
                    agree(each.tree.categories[best], each.tree.categories[label])
                    for best, label in zip(order[:, 0], half.labels, strict=True)
                ]
            )
            right = agreed[sure]
            rows.append(
                (
                    f"{name}, {way}",
                    f"{len(half.labels)}",
                    f"{100 * hit[:, 0].mean():.1f}",
                    f"{100 * hit[:, :5].any(axis=1).mean():.1f}",
                    f"{100 * agreed.mean():.1f}",
                    f"{100 * sure.mean():.1f}",
                    f"{100 * right.mean():.1f}" if len(right) else "–",
                )
            )
    return rows
