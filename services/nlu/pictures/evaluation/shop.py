"""The pictures of the `luma` shop, with what its catalogue says of them.

Pictures are split by product, never by picture: variants and views of one product look alike. Of
the products of each audience and category, in the order of the SHA-256 of their ids, the first and
sixth of ten are for tests, the third is for choices, the rest for training.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from shared.catalogue import CatalogueError, luma
from wherefore.common.v1.product_pb2 import Product

COLOURS: Final = (
    "black", "blue", "brown", "gray", "green", "lavender", "orange", "pink", "purple", "red",
    "white", "yellow",
)  # fmt: skip
"""Words that the names of the files use."""
SOLID: Final = "Solid"
"""The pattern of what has none."""
_TEST_PLACES, _DEV_PLACES, _PLACES = (0, 5), (2,), 10
_APPAREL = re.compile(r"([a-z]+\d+)-([a-z]+)_(\w+)")
_GEAR = re.compile(r"([a-z]+\d+)-([a-z]+)-0(?:_(\w+))?")
_LUMA = re.compile(r"(luma-[a-z]+-[a-z]+)(?:-(\w+))?")


class Part(StrEnum):
    """What a product is for."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class ShopPicture:
    """One picture.

    Attributes:
        path: Of the file.
        product: Id; "" where the catalogue knows none.
        colour: Word for it, one of COLOURS, or "".
        view: "main", "back", "alt1" and so on.
        title: Of the product, without size and colour.
        kind: Last level of the category, such as "Tees".
        audience: "Men", "Women" or "".
        pattern: As stated, such as "Striped"; "" when not.
        styles: As stated, such as "Full zip".
        part: What its product is for.
    """

    path: Path
    product: str
    colour: str = ""
    view: str = "main"
    title: str = ""
    kind: str = ""
    audience: str = ""
    pattern: str = ""
    styles: tuple[str, ...] = ()
    part: Part = Part.TRAIN

    @property
    def variant(self) -> str:
        """The product in this colour."""
        return f"{self.product}/{self.colour}"

    @property
    def listing(self) -> str:
        """How the shop lists the product in this colour: title, colour, audience, category."""
        colour = f", {self.colour}" if self.colour else ""
        audience = f"{self.audience}, " if self.audience else ""
        return f"{self.title}{colour}. {audience}{self.kind}"


def read_pictures(folder: Path) -> list[ShopPicture]:
    """Returns all pictures of the shop, by name of the file.

    Args:
        folder: Of the `luma` set.

    Raises:
        CatalogueError: The folder holds no such shop with pictures.
    """
    files = sorted((folder / "images").glob("*.jpg"))
    if not files:
        raise CatalogueError(f"no pictures in {folder / 'images'}")
    products = {row.product.id: row.product for row in luma.read(folder) if row.product}
    gear = _gear(folder)
    return _split([_describe(file, products, gear) for file in files])


def _split(pictures: Sequence[ShopPicture]) -> list[ShopPicture]:
    groups: dict[tuple[str, str], set[str]] = {}
    for each in pictures:
        if each.product:
            groups.setdefault((each.audience, each.kind), set()).add(each.product)
    parts: dict[str, Part] = {}
    for products in groups.values():
        for at, product in enumerate(sorted(products, key=_digest)):
            place = at % _PLACES
            held = Part.DEV if place in _DEV_PLACES else Part.TRAIN
            parts[product] = Part.TEST if place in _TEST_PLACES else held
    return [replace(each, part=parts.get(each.product, Part.TRAIN)) for each in pictures]


def _digest(product: str) -> str:
    return hashlib.sha256(product.encode()).hexdigest()


def _gear(folder: Path) -> dict[str, str]:
    """Name of a file -> the first product that it is a picture of."""
    found: dict[str, str] = {}
    for table in sorted(folder.glob("*_images_*.csv")):
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found.setdefault(row["image"].rsplit("/", 1)[-1], row["sku"])
    return found


def _describe(file: Path, products: Mapping[str, Product], gear: Mapping[str, str]) -> ShopPicture:
    stem = file.stem
    if (match := _APPAREL.fullmatch(stem)) and (product := products.get(match[1].upper())):
        return _picture(file, product, product.id, match[2], match[3])
    product = products.get(gear.get(file.name, ""))
    if product is None:
        return ShopPicture(file, "")
    if match := _GEAR.fullmatch(stem):
        return _picture(file, product, product.id, match[2], match[3] or "main")
    if match := _LUMA.fullmatch(stem):
        # Sizes of one ball share its pictures: they are one product here.
        colour = match[2] or product.id.rpartition("-")[2]
        return _picture(file, product, match[1], colour, "main")
    return _picture(file, product, product.id, "", "main")


def _picture(file: Path, product: Product, key: str, colour: str, view: str) -> ShopPicture:
    path = [level for level in product.category_path if level]
    pattern = list(product.attributes["pattern"].texts) if "pattern" in product.attributes else []
    styles = [
        text
        for name in ("style_general", "style_bottom")
        if name in product.attributes
        for text in product.attributes[name].texts
    ]
    return ShopPicture(
        file,
        key,
        colour if colour in COLOURS else "",
        view,
        product.titles["en"].strip(),
        # Collections stand in the path of gear besides: "Gear", "Bags", "Collections" ...
        path[2] if path[0] in ("Men", "Women") else path[1],
        path[0] if path[0] in ("Men", "Women") else "",
        pattern[0] if pattern else "",
        tuple(styles),
    )
