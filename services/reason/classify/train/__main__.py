"""Training of a classifier: `python -m services.reason.classify.train`; see `wherefore train`."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.reason.classify.messages import classification_proto
from services.reason.classify.train.examples import TooFewProductsError, examples_of
from services.reason.classify.train.local_encoder import local_encoder
from services.reason.classify.train.pool import Encoder
from services.reason.classify.train.review import Rows, review
from services.reason.classify.train.run import MOST_FEATURES, Trained, train
from services.reason.classify.weights import save
from shared.catalogue.readers import bundled_catalogue_path, read_catalogue
from shared.catalogue.rows import CatalogueError
from shared.cli.classification import result_line, write_review
from shared.errors import UnavailableError
from wherefore.common.v1.product_pb2 import Product

_USAGE, _FAILED = 2, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains and writes one classifier."""
    options = _parser().parse_args(arguments)
    encoder = _encoder()
    try:
        products = _products(options.catalogue)
        examples = examples_of([product for _, product in products], options.least)
        _tell(f"{len({example.group for example in examples}):,} products with a category")
        trained = train(
            examples,
            f"{options.out.stem}/{options.version}",
            precision=options.precision,
            seed=options.seed,
            most_features=options.features,
            encoder=encoder,
            tell=_tell,
        )
    except (CatalogueError, TooFewProductsError) as error:
        _tell(f"error: {error}")
        return _USAGE
    try:
        save(trained.model, options.out)
        if options.review is not None:
            count = write_review(_lines(trained, products, encoder), options.review)
            _tell(f"{count:,} stated categories are doubted, written to {options.review}")
    except OSError as error:
        _tell(f"error: cannot write {error.filename}: {error.strerror or error}")
        return _FAILED
    _show(trained, options.out, as_json=options.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.reason.classify.train")
    parser.add_argument("--catalogue", type=Path, default=bundled_catalogue_path())
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--precision", type=float, default=0.95)
    parser.add_argument("--least", type=int, default=4)
    parser.add_argument("--features", type=int, default=MOST_FEATURES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--version", default="1")
    parser.add_argument("--review", type=Path)
    parser.add_argument("--json", action="store_true")
    return parser


def _products(path: Path) -> list[tuple[int, Product]]:
    """Returns the products with their rows."""
    found: list[tuple[int, Product]] = []
    refused = 0
    for row in read_catalogue(path):
        if row.product is None:
            refused += 1
        else:
            found.append((row.number, row.product))
    _tell(f"{len(found):,} products read" + (f", {refused:,} rows refused" if refused else ""))
    return found


def _lines(trained: Trained, products: Rows, encoder: Encoder | None) -> Iterator[dict[str, Any]]:
    for row, product, result in review(trained, products, encoder):
        yield result_line(row, classification_proto(result), product.category_path)


def _encoder() -> Encoder | None:
    """Returns the encoder that the NLU serves, in this process, or None where it was not made."""
    try:
        return local_encoder()
    except UnavailableError:
        _tell("without the encoder (`make models`): words alone are compared")
        return None


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(trained: Trained, out: Path, *, as_json: bool) -> None:
    calibration, figures = trained.test_calibration, trained.figures
    if as_json:
        card = {
            "name": trained.model.name,
            "categories": len(trained.model.tree.categories),
            "features": len(trained.model.weights.features),
            "settings": asdict(trained.choice.settings),
            "vectors": trained.model.meaning.encoder if trained.model.meaning else None,
            "calibration": asdict(calibration),
            "test": {k: None if v != v else v for k, v in asdict(figures).items()},  # noqa: PLR0124 - NaN
        }
        print(json.dumps(card, ensure_ascii=False, indent=2))
    else:
        promise = (
            f"promised {calibration.promised_precision:.0%}"
            if calibration.promised_precision
            else "too few products to promise a precision"
        )
        print(
            f"test, {figures.products:,} products: accuracy {figures.accuracy:.3f}, "
            f"macro F1 {figures.macro_f1:.3f}\n"
            f"calibration error {figures.ece_before:.3f} before, {figures.ece_after:.3f} after\n"
            f"a category for {figures.coverage:.1%}, {figures.precision:.1%} of them right "
            f"({promise}); a parent for {figures.parent_coverage:.1%}"
        )
    _tell(f"written to {out}, {out.stat().st_size / 1024:,.0f} KiB")


if __name__ == "__main__":
    sys.exit(main())
