"""Training of a classifier: `python -m services.reason.classify.train`; see `wherefore train`."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from services.reason.classify.train.examples import TooFewProductsError, examples_of
from services.reason.classify.train.fit import FitSettings
from services.reason.classify.train.run import Trained, train
from services.reason.classify.weights import save
from shared.catalogue.readers import bundled_catalogue_path, read_catalogue
from shared.catalogue.rows import CatalogueError
from wherefore.common.v1.product_pb2 import Product

_USAGE, _FAILED = 2, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains and writes one classifier."""
    options = _parser().parse_args(arguments)
    try:
        examples = examples_of(_products(options.catalogue), options.least)
        _tell(f"{len({example.group for example in examples}):,} products with a category")
        trained = train(
            examples,
            f"{options.out.stem}/{options.version}",
            precision=options.precision,
            seed=options.seed,
            settings=FitSettings(options.features),
            tell=_tell,
        )
    except (CatalogueError, TooFewProductsError) as error:
        _tell(f"error: {error}")
        return _USAGE
    try:
        save(trained.model, options.out)
    except OSError as error:
        _tell(f"error: cannot write {options.out}: {error.strerror or error}")
        return _FAILED
    _show(trained, options.out, as_json=options.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.reason.classify.train")
    parser.add_argument("--catalogue", type=Path, default=bundled_catalogue_path())
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--precision", type=float, default=0.95)
    parser.add_argument("--least", type=int, default=4)
    parser.add_argument("--features", type=int, default=FitSettings().most_features)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--version", default="1")
    parser.add_argument("--json", action="store_true")
    return parser


def _products(path: Path) -> list[Product]:
    found: list[Product] = []
    refused = 0
    for row in read_catalogue(path):
        if row.product is None:
            refused += 1
        else:
            found.append(row.product)
    _tell(f"{len(found):,} products read" + (f", {refused:,} rows refused" if refused else ""))
    return found


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(trained: Trained, out: Path, *, as_json: bool) -> None:
    calibration, figures = trained.model.calibration, trained.figures
    if as_json:
        card = {
            "name": trained.model.name,
            "categories": len(trained.model.tree.categories),
            "features": len(trained.model.weights.features),
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
