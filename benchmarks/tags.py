"""Tags of held-out products beside baselines: `python -m benchmarks.tags`.

Folds are by product, and variants are one. What a held-out product states is hidden; vocabulary,
model, confidence and threshold come from the other folds alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks import report
from benchmarks.data import data_folder
from benchmarks.tag_methods import METHODS, Fold, Told, stated_matrix
from benchmarks.tag_points import points_section
from benchmarks.tag_tables import READERS, Table
from benchmarks.tag_words import Rates, word_rates, words_table
from services.reason.tags.builder import Limits, build_vocabulary
from services.reason.tags.examples import folds_of

COMMAND = "python -m benchmarks.tags"
BINS = 10
_DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Counts:
    """Right, wrong and missed tags by product, and what was told of pairs."""

    right: list[int]
    wrong: list[int]
    missed: list[int]
    by_key: dict[str, list[int]]
    """Key -> right, wrong, missed."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One table.

    Attributes:
        counts: By method.
        bins: Of ours: pairs, mean confidence and share that is right of each tenth.
    """

    name: str
    products: int
    terms: float
    stated: int
    counts: dict[str, Counts]
    bins: list[tuple[int, float, float]]
    shown_bins: list[tuple[int, float, float]]
    words: tuple[Rates, float]


def measure(table: Table) -> Measured:
    """Tags every product of a table once, by each method."""
    order = folds_of(table.examples, table.folds, 0)
    found = {name: Counts([], [], [], {}) for name in METHODS}
    shares: list[np.ndarray] = []
    truths: list[np.ndarray] = []
    shown: list[np.ndarray] = []
    terms: list[int] = []
    stated = 0
    for at in range(table.folds):
        train = [e for e, of in zip(table.examples, order, strict=True) if of != at]
        test = [e for e, of in zip(table.examples, order, strict=True) if of == at]
        vocabulary = build_vocabulary(train, Limits())
        fold = Fold(train, test, vocabulary)
        keys = {term.key for term in vocabulary.terms if not term.is_selling_point}
        attributes = np.array([not term.is_selling_point for term in vocabulary.terms])
        truth = stated_matrix(test, vocabulary)
        terms.append(int(attributes.sum()))
        stated += sum(key in keys for e in test for key, _ in e.stated)
        for name, method in METHODS.items():
            began = time.perf_counter()
            told = method(fold)
            told = Told(told.shares * attributes, told.threshold)
            _count(found[name], told, fold, keys)
            print(f"{table.name} {at} {name}: {time.perf_counter() - began:.1f} s", flush=True)
            if name == "ours":
                shares.append(told.shares[:, attributes].ravel())
                truths.append(truth[:, attributes].ravel())
                shown.append(shares[-1] >= told.threshold)
    told_of, true, given = np.concatenate(shares), np.concatenate(truths), np.concatenate(shown)
    return Measured(
        name=table.name,
        products=len(table.examples),
        terms=float(np.mean(terms)),
        stated=stated,
        counts=found,
        bins=reliability(told_of, true),
        shown_bins=reliability(told_of[given], true[given]),
        words=word_rates(table),
    )


def _count(counts: Counts, told: Told, fold: Fold, keys: set[str]) -> None:
    for row, example in enumerate(fold.test):
        given = {
            fold.vocabulary.terms[int(at)].id
            for at in np.flatnonzero(told.shares[row] >= max(told.threshold, 1e-9))
        }
        # A value that no other product states cannot be given, and is missed all the same.
        gold = {term for term in example.stated if term[0] in keys}
        for total, ids in (
            (counts.right, given & gold),
            (counts.wrong, given - gold),
            (counts.missed, gold - given),
        ):
            total.append(len(ids))
        for place, ids in enumerate((given & gold, given - gold, gold - given)):
            for key, _ in ids:
                counts.by_key.setdefault(key, [0, 0, 0])[place] += 1


def reliability(told: np.ndarray, true: np.ndarray) -> list[tuple[int, float, float]]:
    """Pairs, mean confidence and share that is right, by tenths of confidence."""
    places = np.minimum((told * BINS).astype(int), BINS - 1)
    rows: list[tuple[int, float, float]] = []
    for place in range(BINS):
        of = places == place
        some = bool(of.any())
        mean, right = (told[of].mean(), true[of].mean()) if some else (0.0, 0.0)
        rows.append((int(of.sum()), float(mean), float(right)))
    return rows


def calibration_error(bins: Sequence[tuple[int, float, float]]) -> float:
    """Expected calibration error (Naeini and others, AAAI 2015)."""
    total = sum(count for count, _, _ in bins)
    return sum(count * abs(told - right) for count, told, right in bins) / max(total, 1)


def scores(right: float, wrong: float, missed: float) -> tuple[float, float, float]:
    """Precision, recall, F1."""
    precision = right / max(right + wrong, 1e-9)
    recall = right / max(right + missed, 1e-9)
    return precision, recall, 2 * right / max(2 * right + wrong + missed, 1e-9)


def difference(ours: Counts, other: Counts) -> tuple[float, float, float]:
    """F1 of ours less that of another, and its 95 % interval: a bootstrap over the products."""
    both = np.array(
        [[c.right, c.wrong, c.missed] for c in (ours, other)], dtype=float
    )  # (2, 3, products)
    draws = np.random.RandomState(3).randint(both.shape[2], size=(_DRAWS, both.shape[2]))

    def f1(sums: np.ndarray) -> np.ndarray:
        return 2 * sums[0] / (2 * sums[0] + sums[1] + sums[2])

    drawn = both[:, :, draws].sum(axis=3)  # (2, 3, draws)
    gaps = f1(drawn[0]) - f1(drawn[1])
    whole = both.sum(axis=2)
    return (float(f1(whole[0]) - f1(whole[1])), *map(float, np.percentile(gaps, [2.5, 97.5])))


def section(tables: Sequence[Measured], points: str) -> str:
    """The section of RESULTS.md."""
    parts = [
        "## Tags",
        report.provenance(
            COMMAND, ", ".join(f"{t.name} ({t.products:,} products)" for t in tables)
        ),
    ]
    for table in tables:
        rows: list[list[str]] = []
        for name, counts in table.counts.items():
            total = scores(sum(counts.right), sum(counts.wrong), sum(counts.missed))
            macro = float(np.mean([scores(*of)[2] for of in counts.by_key.values()]))
            gap = "" if name == "ours" else _gap(table.counts["ours"], counts)
            rows.append([name, *(f"{x:.3f}" for x in total), f"{macro:.3f}", gap])
        heads = (
            "method", "precision", "recall", "micro F1", "mean F1 of the attributes",
            "ours − it, micro F1 (95 % interval)",
        )  # fmt: skip
        parts.append(
            f"**{table.name}**: {table.products:,} products, {table.terms:.0f} terms, "
            f"{table.stated:,} stated values to find. Expected calibration error of all pairs of a "
            f"product and a term {calibration_error(table.bins):.4f}, of the tags given "
            f"{calibration_error(table.shown_bins):.3f}."
        )
        parts.append(report.table(heads, rows))
        parts.append(report.table(("F1 by attribute", *METHODS), _by_key(table)))
    parts.append(_WORDS)
    parts.append(words_table([(table.name, table.words) for table in tables]))
    parts.append(_reliability_table(tables))
    parts.append(points)
    parts.append(_NOTE)
    return "\n\n".join(parts)


_WORDS = """\
**Without a model**, words of the lexicons (colour, material, audience, occasion) alone, where the
product states the key. Shops lie far apart, so the confidence told is no probability there."""
_NOTE = """\
Folds are by product: variants are one, and products of one description are in one fold. The
vocabulary is built from the other folds; a value that they do not state is missed by all.
Thresholds are chosen by inner folds of the other folds: five for ours, three for the baselines.
Logistic regression has the features of ours. Reviews are read by ours (luma has some). Icecat's
category is made of one of its attributes, so it is hidden. Intervals are of a bootstrap over the
products."""


def _reliability_table(tables: Sequence[Measured]) -> str:
    """Reliability of ours: of each tenth of confidence, what is told and what is right."""
    rows = [
        [
            table.name,
            *(
                f"{told:.2f} → {right:.2f} ({count:,})" if count else ""
                for count, told, right in table.bins[1:]
            ),
        ]
        for table in tables
    ]
    width = max(len(row) for row in rows)
    heads = ("told → right (pairs)", *(f"from {n / BINS:.1f}" for n in range(1, width)))
    return report.table(heads, [row + [""] * (width - len(row)) for row in rows])


def _shown_bin(of: tuple[int, float, float]) -> str:
    count, told, right = of
    return f"{told:.2f} → {right:.2f} ({count:,})" if count else ""


def _gap(ours: Counts, other: Counts) -> str:
    mean, low, high = difference(ours, other)
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


def _by_key(table: Measured) -> list[list[str]]:
    sizes = {key: of[0] + of[2] for key, of in table.counts["ours"].by_key.items()}
    largest = sorted(sizes, key=lambda key: -sizes[key])[:12]
    return [
        [
            f"{key} ({sizes[key]})",
            *(f"{scores(*c.by_key.get(key, [0, 0, 1]))[2]:.3f}" for c in table.counts.values()),
        ]
        for key in largest
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--tables", nargs="+", choices=READERS, default=list(READERS))
    parser.add_argument("--keep", type=Path, help="folder of figures by table, to go on from")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    folder = data_folder("luma", "icecat", "attributes_to_copy_zh")
    tables: list[Measured] = []
    for name in options.tables:
        kept = options.keep / f"{name}.json" if options.keep else None
        if kept is not None and kept.exists():
            tables.append(_restored(json.loads(kept.read_text("utf-8"))))
            continue
        tables.append(measure(READERS[name](folder)))
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(asdict(tables[-1])), "utf-8")
    body = section(tables, points_section())
    print(body)
    if not options.no_write:
        report.update_section("tags", body)
    return 0


def _restored(row: dict) -> Measured:
    counts = {name: Counts(**of) for name, of in row.pop("counts").items()}
    rates, told = row.pop("words")
    words = {place: tuple(of) for place, of in rates.items()}, told
    return Measured(counts=counts, words=words, **row)


if __name__ == "__main__":
    sys.exit(main())
