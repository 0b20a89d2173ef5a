"""`wherefore train categories`: the classifier of a shop's own categories."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from shared.cli.options import Json

LIBRARIES = ("sklearn", "scipy")
"""What training needs of the extra `train`, by import name."""


def categories(
    *,
    catalogue: Annotated[
        Path | None,
        Parameter(help="Products with their categories; the bundled catalogue when absent."),
    ] = None,
    out: Annotated[Path, Parameter(help="File of the classifier, such as categories.npz.")],
    precision: Annotated[
        float,
        Parameter(help="Share of right answers to promise.", validator=Number(gte=0.5, lt=1.0)),
    ] = 0.95,
    least: Annotated[
        int,
        Parameter(
            help="Products that a category needs; smaller ones are cut back to their parents.",
            validator=Number(gte=2),
        ),
    ] = 4,
    features: Annotated[
        int,
        Parameter(
            help="Words and characters kept at most; each costs a byte a category.",
            validator=Number(gte=100),
        ),
    ] = 100_000,
    review: Annotated[
        Path | None,
        Parameter(
            help="CSV file of products whose stated category is doubted by a fit that was "
            "without them."
        ),
    ] = None,
    seed: Annotated[int, Parameter(help="Of the parts.")] = 0,
    version: Annotated[str, Parameter(help="Version that answers name.")] = "1",
    json: Json = False,
) -> int:
    """Train the classifier of products on a catalogue that has categories.

    Needs the extra `train`, and no service. 15 % of the products are for the figures. Up to
    3,000 others give weights, settings and thresholds by folds; more are parted. Variants of
    a product stay together. The reason service reads the file that
    WHEREFORE_REASON_CATEGORY_MODEL names.

    For example:

        wherefore train categories --out categories.npz

        wherefore train categories --catalogue shop.jsonl.gz --out shop.npz --precision 0.98 --json

        wherefore train categories --catalogue shop.jsonl.gz --out shop.npz --review doubted.csv
    """
    from shared.cli.training import run_training

    arguments = ["--out", str(out.resolve()), "--precision", str(precision)]
    arguments += ["--least", str(least), "--features", str(features), "--seed", str(seed)]
    arguments += ["--version", version, *(["--json"] if json else [])]
    if review is not None:
        arguments += ["--review", str(review.resolve())]
    if catalogue is not None:
        arguments += ["--catalogue", str(catalogue.resolve())]
    return run_training(
        "services.reason.classify.train", arguments, extra="train", libraries=LIBRARIES
    )
