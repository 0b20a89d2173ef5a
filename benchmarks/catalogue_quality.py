"""How right the catalogue check is: `python -m benchmarks.catalogue_quality`.

Variants: group ids are hidden and found anew. Duplicates: products are listed once more as shops do
by mistake (`catalogue_injection`). Attributes: stated values are hidden and proposed anew. The
checks were made on the bundled catalogue; luma and icecat are what they had not seen.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

from benchmarks import report
from benchmarks.catalogue_injection import listed_again
from benchmarks.data import data_folder, icecat
from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.catalogue.quality.check import check
from shared.catalogue.quality.completion import find_missing_attributes
from shared.catalogue.quality.duplicates import find_duplicates
from shared.catalogue.quality.findings import Finding
from shared.catalogue.quality.variants import find_variants
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import AttributeValue, Product

COMMAND: Final = "python -m benchmarks.catalogue_quality"
AGAIN: Final = 500
"""Products that are listed once more."""
HIDDEN: Final = 0.1
"""Share of products that lose one attribute."""
SEED: Final = 28


@dataclass(frozen=True, slots=True)
class Score:
    """What was found of what was there."""

    there: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        """Of what was found, the share that is right."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Of what was there, the share that was found."""
        return self.right / self.there if self.there else 1.0

    def cells(self) -> list[str]:
        """Precision and recall, with what they rest on."""
        rested = [f"{self.there:,}", f"{self.found:,}"]
        return [*rested, f"{self.precision:.3f}", f"{self.recall:.3f}"]


def variants(products: Sequence[Product]) -> Score:
    """Pairs of variants, their group ids hidden."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    bare = [_copy(product) for product in products]
    for product in bare:
        if product.variant_group_id:
            groups[product.variant_group_id].append(product.id)
        product.variant_group_id = ""
    there = _pairs(list(groups.values()))
    found = _pairs([finding.products for finding in find_variants(bare)])
    return Score(len(there), len(found), len(there & found))


def duplicates(products: Sequence[Product]) -> Score:
    """Pairs of a product and itself once more; what was found before counts as wrong too."""
    chance = random.Random(SEED)  # noqa: S311 - the same in every run
    chosen = chance.sample(list(products), min(AGAIN, len(products) // 4))
    again = [listed_again(product, n, chance) for n, product in enumerate(chosen)]
    there = {frozenset((one.id, other.id)) for one, other in zip(chosen, again, strict=True)}
    found = {frozenset(finding.products) for finding in find_duplicates([*products, *again])}
    return Score(len(there), len(found), len(there & found))


def attributes(products: Sequence[Product]) -> Score:
    """Values that were stated and hidden, and what was proposed for them."""
    chance = random.Random(SEED)  # noqa: S311 - the same in every run
    bare = [_copy(product) for product in products]
    hidden: dict[tuple[str, str], AttributeValue] = {}
    for product in bare:
        keys = sorted(key for key, v in product.attributes.items() if v.texts or v.numbers)
        if keys and chance.random() < HIDDEN:
            key = chance.choice(keys)
            hidden[product.id, key] = AttributeValue()
            hidden[product.id, key].CopyFrom(product.attributes[key])
            del product.attributes[key]
    found = right = 0
    for finding in find_missing_attributes(bare):
        for key, value in finding.fix.get("attribute", {}).items():
            if stated := hidden.get((finding.products[0], key)):
                found += 1
                right += _agrees(stated, value)
    return Score(len(hidden), found, right)


def _agrees(stated: AttributeValue, value: dict[str, list[str] | list[float]]) -> bool:
    if stated.texts:
        return any(fold(str(text)) in map(fold, stated.texts) for text in value.get("texts", ()))
    return any(number in stated.numbers for number in value.get("numbers", ()))


def _copy(product: Product) -> Product:
    copy = Product()
    copy.CopyFrom(product)
    return copy


def _pairs(groups: Sequence[Sequence[str]]) -> set[frozenset[str]]:
    return {frozenset(pair) for group in groups for pair in combinations(group, 2)}


def catalogues() -> dict[str, list[Product]]:
    """The products of each catalogue."""
    files: dict[str, tuple[Path, str | None]] = {
        "bundled": (bundled_catalogue_path(), None),
        "luma": (data_folder("luma") / "luma", "luma"),
        "icecat": (icecat().catalogue, "icecat"),
    }
    return {
        name: [row.product for row in read_catalogue(path, format_) if row.product]
        for name, (path, format_) in files.items()
    }


def section(rows: list[list[str]], whole: list[list[str]]) -> str:
    """The section of RESULTS.md."""
    return "\n".join(
        [
            "## What the catalogue check finds",
            "",
            report.provenance(COMMAND, "the bundled catalogue, luma, icecat"),
            "Pairs of variants with their group ids hidden; products listed once more with typing "
            "errors, other order, words left out, capitals, other prices, lost attributes; stated "
            f"attributes of {HIDDEN:.0%} of products hidden, of which only those can be proposed "
            "that title or description state. Checks were tuned on the bundled catalogue alone. "
            "icecat lists some products under one title with nothing else said; what is found of "
            "these counts as wrong.",
            "",
            report.table(("catalogue", "what", "there", "found", "precision", "recall"), rows),
            "",
            report.table(
                ("catalogue", "products", "findings", "with a fix", "seconds"), whole
            ),
        ]
    )  # fmt: skip


def main() -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--no-write", action="store_true", help="print the section only")
    options = parser.parse_args()
    rows: list[list[str]] = []
    whole: list[list[str]] = []
    for name, products in catalogues().items():
        measures = {"variants": variants, "duplicates": duplicates, "attributes": attributes}
        for what, measure in measures.items():
            score = measure(products)
            if score.there:
                rows.append([name, what, *score.cells()])
                print(*rows[-1], file=sys.stderr, flush=True)
        begun = time.perf_counter()
        findings: list[Finding] = check(products)
        took = time.perf_counter() - begun
        fixes = sum(bool(finding.fix) for finding in findings)
        whole.append(
            [name, f"{len(products):,}", f"{len(findings):,}", f"{fixes:,}", f"{took:.0f}"]
        )
    body = section(rows, whole)
    print(body)
    if not options.no_write:
        report.update_section("catalogue_quality", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
