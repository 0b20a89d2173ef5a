"""Products into categories: `python -m benchmarks.classification`.

Real and generated catalogues, each parted by product into training, calibration, selection and
test; reviews_zh has its own dev part for test. Baselines learn from the same training part.
`--tune` prints the weights of matching by names that do best on the tuning halves.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product as combinations
from pathlib import Path

import numpy as np

from benchmarks import report
from benchmarks.data import data_folder, icecat
from benchmarks.plots import lines
from services.reason.classify import zero_shot
from services.reason.classify.features import Text, occurrences
from services.reason.classify.result import Outcome, Verdict
from services.reason.classify.train.calibrate import Matrix
from services.reason.classify.train.examples import Example, examples_of, split
from services.reason.classify.train.measure import Figures, macro_f1, risk_coverage
from services.reason.classify.train.run import Trained, train
from services.reason.classify.trained import TrainedClassifier, softmax
from services.reason.classify.tree import CategoryTree, agree
from services.reason.classify.tree import Path as Category
from services.reason.classify.weights import save
from services.reason.classify.zero_shot import Taxonomy, ZeroShotWeights
from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.catalogue.taxonomy import read_taxonomy
from shared.inference import InferenceSettings, open_text_encoder
from wherefore.common.v1.product_pb2 import Product

COMMAND = "python -m benchmarks.classification"
PRECISION = 0.95
STRANGERS = 500
"""Products of another shop that a model is given."""
WRONG_LABELS = 0.05
_LEAST = 4
_SEEDS = 3
"""Splits of the small sets, whose figures are means."""
_SUGGESTED = 0.5
"""Share of a query's hits that its category must hold to be its label."""

_ABOUT_PARTS = f"""\
Parts by product, variants together: 60/10/15/15; reviews_zh is tested on its dev part (0.901 is
what character tf-idf with logistic regression reaches there). The bundled catalogue is generated
and has words of its own for each category. 79 % of icecat's titles hold the name of their category,
so it is measured again with these words taken out of all texts. Figures of icecat and luma are
means of {_SEEDS} splits; luma's tests have some thirty products each. Vectors are of title and
start of the description, by the encoder that is served."""
_ABOUT_PROMISES = """\
Per cent, but for ECE (15 bins), the mean size of the prediction sets, the size of the model's file
and the time of a product in process. 95 % is promised of what is said and of the sets, where the
selection part has enough products."""
_ABOUT_STRANGERS = f"""\
Per cent of up to {STRANGERS} products of another shop: whatever is said of them is wrong, but where
two shops happen to sell the same kind of thing."""
_ABOUT_NAMES = """\
Matching by names, nothing trained on the taxonomy: classes of home goods, and the paths of an
electronics shop, where a query's category is the deepest that holds half of its hits. How words
and vectors are weighed was chosen on the other half of the queries (`--tune`). Per cent; two paths
agree where one begins with the other, since queries often name a finer category than their hits
share; a category is said where its probability is 0.5."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A set with the classifier of the first seed, and figures over all seeds."""

    trained: Trained
    figures: Figures
    baselines: Mapping[str, tuple[float, float]]
    kilobytes: float
    milliseconds: float


def products_of(path: Path) -> list[Product]:
    """Reads a catalogue."""
    return [row.product for row in read_catalogue(path) if row.product is not None]


def review_parts(folder: Path, seed: int = 0) -> dict[str, list[Example]]:
    """Parts of reviews_zh: its dev part is the test."""

    def read(name: str) -> list[Example]:
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return [
            Example(f"{name}-{at}", [Text("descriptions", "zh", row["review"])], (row["cat"],))
            for at, row in enumerate(rows)
        ]

    shares = {"train": 0.93, "calibration": 0.02, "selection": 0.05}
    return split(read("train"), seed, shares) | {"test": read("dev")}


def without_names(products: Sequence[Product]) -> list[Product]:
    """Copies of products whose texts have lost the words of their own category."""
    from shared.text.analysis import analyse, terms

    masked: list[Product] = []
    for product in products:
        copy = Product()
        copy.CopyFrom(product)
        names = set(terms(" ".join(product.category_path)))
        for texts in (copy.titles, copy.descriptions):
            for code in list(texts):
                text = texts[code]
                for term in sorted(analyse(text), key=lambda each: -each.start):
                    if term.normalized in names:
                        text = text[: term.start] + " " + text[term.end :]
                texts[code] = text.strip() or "-"
        masked.append(copy)
    return masked


async def _encode(texts: Sequence[str]) -> Matrix:
    encoder = open_text_encoder(InferenceSettings(backend="onnx"))
    found = (await encoder.encode(list(texts))).vectors.astype(np.float64)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def encode(texts: Sequence[str]) -> Matrix:
    """Unit rows by the encoder that is served, in this process."""
    return asyncio.run(_encode(texts))


def baselines(trained: Trained, *, vectors: bool) -> dict[str, tuple[float, float]]:
    """Accuracy and macro F1 of the simplest methods on the test part."""
    tree = trained.model.tree
    columns = {path: at for at, path in enumerate(tree.categories)}
    learn = _once(trained.parts["train"])
    test = _once(trained.parts["test"])
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
    if vectors:
        rows = encode([_first(example) for example in learn])
        centres = np.array([rows[labels == at].mean(axis=0) for at in range(len(columns))])
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        nearest = (encode([_first(example) for example in test]) @ centres.T).argmax(axis=1)
        found["nearest centroid of vectors"] = figures(nearest.tolist())
    return found


def _once(examples: Sequence[Example]) -> list[Example]:
    return list({example.group: example for example in reversed(examples)}.values())[::-1]


def _first(example: Example) -> str:
    """English title and the start of the description, as products are embedded."""
    english = [text.body for text in example.texts if text.language == "en"]
    return ". ".join(text[:150] for text in english or [example.texts[0].body])


def measure(
    name: str,
    examples: Sequence[Example],
    *,
    parts: dict[str, list[Example]] | None = None,
    vectors: bool = True,
    seeds: int = 1,
) -> Measured:
    """Trains on one set, by `seeds` splits, and measures it."""
    runs = [
        train(examples, f"{name}/1", precision=PRECISION, seed=seed, parts=parts, tell=_tell(name))
        for seed in range(seeds)
    ]
    simple = [baselines(run, vectors=vectors) for run in runs]
    classifier = TrainedClassifier(runs[0].model)
    asked = [_product(example) for example in _once(runs[0].parts["test"])[:200]]
    began = time.perf_counter()
    classifier.classify(asked)
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


def _product(example: Example) -> Product:
    product = Product(id=example.group)
    for text in example.texts:
        getattr(product, text.field)[text.language] = text.body
    return product


def _tell(name: str) -> Callable[[str], None]:
    return lambda line: print(f"{name}: {line}", file=sys.stderr, flush=True)


def strangers(
    measured: Mapping[str, Measured], given: Mapping[str, Sequence[Product]]
) -> list[tuple[str, ...]]:
    """Rows of what models say of products of other shops."""
    rows: list[tuple[str, ...]] = []
    for name, own in measured.items():
        classifier = TrainedClassifier(own.trained.model)
        for other, products in given.items():
            if other == name:
                continue
            chosen = random.Random(0).sample(list(products), min(STRANGERS, len(products)))  # noqa: S311
            said = [result.answer for result in classifier.classify(chosen)]
            shares = [
                sum(answer.outcome is outcome for answer in said) / len(said)
                for outcome in (Outcome.ABSTAINED, Outcome.PARTIAL, Outcome.CATEGORY)
            ]
            rows.append((f"{name} given {other}", *(f"{100 * share:.1f}" for share in shares)))
    return rows


def wrong_labels(products: Sequence[Product]) -> tuple[int, int, int]:
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
    trained = train(examples_of(made, _LEAST), "spoilt/1", tell=_tell("wrong labels"))
    said = TrainedClassifier(trained.model).classify(made)
    doubted = {
        product.variant_group_id or product.id
        for product, result in zip(made, said, strict=True)
        if result.verdict is Verdict.DOUBTED
    }
    return len(wrong), len(doubted), len(doubted & wrong)


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


def home_queries(folder: Path) -> tuple[list[tuple[str, Category]], list[Category]]:
    """The 480 home-goods queries and their classes."""
    with (folder / "queries" / "en_home_with_class.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["query"], (row["query_class"],)) for row in csv.DictReader(file)]
    rows = [(query, path) for query, path in rows if query.strip() and path[0].strip()]
    random.Random(2).shuffle(rows)  # noqa: S311 - no secret
    return rows, sorted({path for _, path in rows})


def electronics_queries(folder: Path) -> tuple[list[tuple[str, Category]], list[Category]]:
    """Popular queries of an electronics shop with the category that most hits are in."""
    paths = read_taxonomy(folder / "taxonomy" / "categories_en.json")
    known = set(paths)
    text = (folder / "queries" / "en_suggestions_electronics.json").read_text(encoding="utf-8")
    rows: list[tuple[str, Category]] = []
    for row in json.loads(text):
        for source in row.values():
            if not isinstance(source, dict) or "facets" not in source:
                continue
            facets = source["facets"].get("exact_matches", {})
            for level in (3, 2, 1, 0):
                top = facets.get(f"hierarchicalCategories.lvl{level}") or [{}]
                path = tuple(top[0].get("value", "").split(" > "))
                hits = max(1, source.get("exact_nb_hits", 0))
                if path in known and top[0]["count"] / hits >= _SUGGESTED:
                    rows.append((row["query"], path))
                    break
    rows = sorted(set(rows))
    random.Random(2).shuffle(rows)  # noqa: S311 - no secret
    return rows, paths


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


def section(
    measured: Mapping[str, Measured],
    foreign: Sequence[Sequence[str]],
    wrong: tuple[int, int, int],
    by_name: Sequence[Sequence[str]],
) -> str:
    """The section of RESULTS.md."""
    made, doubted, right = wrong
    plain = "the bundled catalogue, icecat, luma, reviews_zh, taxonomy, queries"
    return "\n\n".join(
        (
            "## Classification",
            report.provenance(COMMAND, plain),
            report.table(
                ("test part", "products", "categories", "method", "accuracy", "macro F1"),
                list(_accuracy(measured)),
            ),
            _ABOUT_PARTS,
            report.table(
                (
                    "test part",
                    "ECE before",
                    "after",
                    "said",
                    "right",
                    "parent said",
                    "right",
                    "turned away",
                    "sets hold",
                    "size",
                    "KiB",
                    "ms",
                ),
                list(_calibrated(measured)),
            ),
            _ABOUT_PROMISES,
            "![Share of wrong answers by coverage](plots/classification.svg)",
            report.table(("model and products", "abstained", "parent", "category"), foreign),
            _ABOUT_STRANGERS,
            f"Wrong labels: of {made} products of the bundled catalogue that were given another\n"
            f"category by chance ({WRONG_LABELS:.0%}), the model that was trained on them doubted\n"
            f"{right}; it doubted {doubted} in all.",
            report.table(
                ("queries and method", "queries", "first", "first five", "agree", "said", "agree"),
                by_name,
            ),
            _ABOUT_NAMES,
        )
    )


def _accuracy(measured: Mapping[str, Measured]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, each in measured.items():
        figures, count = each.figures, len(each.trained.model.tree.categories)
        start = (name, f"{figures.products:,}", f"{count}")
        rows.append((*start, "ours", f"{figures.accuracy:.3f}", f"{figures.macro_f1:.3f}"))
        rows += [
            ("", "", "", way, f"{accuracy:.3f}", f"{f1:.3f}")
            for way, (accuracy, f1) in each.baselines.items()
        ]
    return rows


def _calibrated(measured: Mapping[str, Measured]) -> list[tuple[str, ...]]:
    def share(value: float) -> str:
        return "–" if np.isnan(value) else f"{100 * value:.1f}"

    return [
        (
            name,
            f"{f.ece_before:.3f}",
            f"{f.ece_after:.3f}",
            share(f.coverage),
            share(f.precision),
            share(f.parent_coverage),
            share(f.parent_precision),
            share(f.turned_away),
            share(f.set_coverage),
            "–" if np.isnan(f.set_size) else f"{f.set_size:.2f}",
            f"{each.kilobytes:,.0f}",
            f"{each.milliseconds:.1f}",
        )
        for name, each in measured.items()
        for f in (each.figures,)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--tune", action="store_true", help="weigh words and vectors, print only")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    folder = data_folder("luma", "reviews_zh", "queries", "taxonomy")
    queries = {
        "home goods": named(*home_queries(folder)),
        "electronics": named(*electronics_queries(folder)),
    }
    if options.tune:
        tune(list(queries.values()))
        return 0
    shops = {
        "bundled": products_of(bundled_catalogue_path()),
        "icecat": [p for p in products_of(icecat().catalogue) if p.category_path],
        "luma": products_of(folder / "luma"),
    }
    measured = {
        name: measure(name, examples_of(found, _LEAST), seeds=1 if name == "bundled" else _SEEDS)
        for name, found in shops.items()
    }
    masked = examples_of(without_names(shops["icecat"]), _LEAST)
    measured["icecat, names taken out"] = measure("icecat-masked", masked, seeds=_SEEDS)
    reviews = review_parts(folder / "reviews_zh")
    given = shops | {"reviews_zh": [_product(each) for each in reviews["test"]]}
    foreign = strangers({name: measured[name] for name in shops}, given)
    measured["reviews_zh"] = measure("reviews_zh", [], parts=reviews, vectors=False)
    curves = {
        name: risk_coverage(
            each.trained.test.probabilities(each.trained.model.calibration.temperature),
            each.trained.test.labels,
        )
        for name, each in measured.items()
    }
    body = section(measured, foreign, wrong_labels(shops["bundled"]), named_rows(queries))
    print(body)
    if not options.no_write:
        labels = ("share of products answered, the surest first", "share of wrong answers")
        lines(curves, labels, report.PLOTS / "classification.svg")
        report.update_section("classification", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
