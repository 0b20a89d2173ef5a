"""Classifiers trained on one shop: how right they are, beside simple baselines."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from services.reason.classify import zero_shot
from services.reason.classify.features import occurrences, texts_of
from services.reason.classify.meaning import text_of
from services.reason.classify.result import Outcome, Result, Verdict
from services.reason.classify.train.examples import Example, examples_of
from services.reason.classify.train.measure import Figures, macro_f1
from services.reason.classify.train.pool import Encoder
from services.reason.classify.train.reading import once
from services.reason.classify.train.review import review
from services.reason.classify.train.run import Trained, train
from services.reason.classify.trained import TrainedClassifier
from services.reason.classify.tree import Path as Category
from services.reason.classify.weights import save
from services.reason.classify.zero_shot import Taxonomy
from wherefore.common.v1.product_pb2 import Product

PRECISION = 0.95
STRANGERS = 500
"""Products of another shop that a model is given."""
WRONG_LABELS = 0.05
LEAST = 4
"""Products that a category needs."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A set with the classifier of the first seed, and figures over all seeds."""

    trained: Trained
    figures: Figures
    baselines: Mapping[str, tuple[float, float]]
    kilobytes: float
    milliseconds: float


def baselines(trained: Trained, encoder: Encoder | None) -> dict[str, tuple[float, float]]:
    """Accuracy and macro F1 of the simplest methods on the test part."""
    tree = trained.model.tree
    columns = {path: at for at, path in enumerate(tree.categories)}
    learn = [each.example for each in once(trained.learnt)]
    test = trained.test_examples
    truth = np.array([columns[example.category] for example in test])
    labels = np.array([columns[example.category] for example in learn])

    def figures(said: Sequence[int]) -> tuple[float, float]:
        return float(np.mean(np.array(said) == truth)), macro_f1(truth, np.array(said))

    majority = Counter(labels.tolist()).most_common(1)[0][0]
    taxonomy = Taxonomy(tree.categories)
    named = [
        int(np.argmax(zero_shot.scores(taxonomy, occurrences(example.texts), None)[0]))
        for example in test
    ]
    found = {"majority": figures([majority] * len(test)), "words of the name": figures(named)}
    if encoder is not None:
        encode = encoder.encode
        rows = encode([text_of(example.texts) for example in learn])
        centres = np.array([rows[labels == at].mean(axis=0) for at in range(len(columns))])
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        nearest = (encode([text_of(example.texts) for example in test]) @ centres.T).argmax(axis=1)
        found["nearest centroid of vectors"] = figures(nearest.tolist())
    return found


def measure(
    name: str,
    examples: Sequence[Example],
    *,
    parts: dict[str, list[Example]] | None = None,
    encoder: Encoder | None = None,
    seeds: int = 1,
) -> Measured:
    """Trains on one set, by `seeds` splits, and measures it."""
    runs = [
        train(
            examples,
            f"{name}/1",
            precision=PRECISION,
            seed=seed,
            parts=parts,
            encoder=encoder,
            tell=_tell(name),
        )
        for seed in range(seeds)
    ]
    simple = [baselines(run, encoder) for run in runs]
    classifier = TrainedClassifier(runs[0].model)
    asked = [product_of(example) for example in runs[0].test_examples[:200]]
    began = time.perf_counter()
    said(classifier, asked, encoder)
    milliseconds = 1_000 * (time.perf_counter() - began) / len(asked)
    with tempfile.TemporaryDirectory() as folder:
        save(runs[0].model, Path(folder) / "model.npz")
        size = (Path(folder) / "model.npz").stat().st_size / 1024
    return Measured(
        trained=runs[0],
        figures=mean_figures([run.figures for run in runs]),
        baselines={
            way: tuple(np.mean([each[way] for each in simple], axis=0).tolist())
            for way in simple[0]
        },
        kilobytes=size,
        milliseconds=milliseconds,
    )


def mean_figures(figures: Sequence[Figures]) -> Figures:
    """The mean of each figure, over the splits that have it."""
    means: dict[str, float] = {}
    for each in fields(Figures):
        values = [getattr(one, each.name) for one in figures]
        known = [value for value in values if not np.isnan(value)]
        means[each.name] = float(np.mean(known)) if known else float("nan")
    return Figures(**means | {"products": round(means["products"])})


def product_of(example: Example) -> Product:
    """The product that an example was read from, without its category."""
    product = Product(id=example.group)
    for text in example.texts:
        getattr(product, text.field)[text.language] = text.body
    return product


def _tell(name: str) -> Callable[[str], None]:
    return lambda line: print(f"{name}: {line}", file=sys.stderr, flush=True)


def said(
    classifier: TrainedClassifier, products: Sequence[Product], encoder: Encoder | None
) -> list[Result]:
    """What the service would say, with the vectors that it would ask for."""
    texts = [text_of(texts_of(product)) for product in products]
    if encoder is None or classifier.model.meaning is None or not any(texts):
        return classifier.classify(products)
    made = iter(encoder.encode([text for text in texts if text]))
    return classifier.classify(products, vectors=[next(made) if text else None for text in texts])


def strangers(
    measured: Mapping[str, Measured],
    given: Mapping[str, Sequence[Product]],
    encoder: Encoder,
) -> list[tuple[str, ...]]:
    """Rows of what models say of products of other shops."""
    rows: list[tuple[str, ...]] = []
    for name, own in measured.items():
        classifier = TrainedClassifier(own.trained.model)
        for other, products in given.items():
            if other == name:
                continue
            chosen = random.Random(0).sample(list(products), min(STRANGERS, len(products)))  # noqa: S311
            answers = [result.answer for result in said(classifier, chosen, encoder)]
            shares = [
                sum(answer.outcome is outcome for answer in answers) / len(answers)
                for outcome in (Outcome.ABSTAINED, Outcome.PARTIAL, Outcome.CATEGORY)
            ]
            rows.append((f"{name} given {other}", *(f"{100 * share:.1f}" for share in shares)))
    return rows


def wrong_labels(products: Sequence[Product], encoder: Encoder) -> tuple[int, int, int]:
    """Wrong labels made, products doubted, and wrong ones among these, on a shop so spoilt."""
    chance = random.Random(1)  # noqa: S311 - no secret
    paths = sorted({tuple(product.category_path) for product in products})
    groups = sorted({product.variant_group_id or product.id for product in products})
    wrong = set(chance.sample(groups, round(WRONG_LABELS * len(groups))))
    spoilt: dict[str, Category] = {}
    made: list[Product] = []
    for product in products:
        copy = Product()
        copy.CopyFrom(product)
        group = product.variant_group_id or product.id
        if group in wrong:
            others = [path for path in paths if path != tuple(product.category_path)]
            del copy.category_path[:]
            copy.category_path.extend(spoilt.setdefault(group, chance.choice(others)))
        made.append(copy)
    trained = train(
        examples_of(made, LEAST), "spoilt/1", encoder=encoder, tell=_tell("wrong labels")
    )
    doubted = {
        product.variant_group_id or product.id
        for _, product, result in review(trained, list(enumerate(made)), encoder)
        if result.verdict is Verdict.DOUBTED
    }
    return len(wrong), len(doubted), len(doubted & wrong)
