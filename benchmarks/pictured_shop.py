"""The luma shop by colours, with its pictures, and what is asked of searches by pictures in it.

Each product in each colour is a product of the catalogue with its main picture alone; its other
pictures are what shoppers come with. Luma has no sales figures, so views and purchases are drawn at
random, as much as 10,000 views: they say nothing of what is right, and all that they move is harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from services.nlu.pictures.evaluation.shop import Part, ShopPicture, read_pictures
from shared.catalogue import read_catalogue
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.picture_service_pb2 import Picture
from wherefore.orchestrator.v1.picture_query_pb2 import PictureQuery
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest

_SEED = 11
_MOST_VIEWS_LOG10 = 4.0
_PURCHASES_PER_VIEW = 0.03

ANOTHER_PICTURE = "another picture of it"
WITH_ITS_LISTING = "another picture and its listing, both in pictures"
WITH_WORDS = 'another picture, and words: "gray hoodie"'
LISTING = "its listing, in pictures"
EDITED = 'the product in another colour, edited: "gray"'
OTHER_COLOUR_AND_WORDS = 'a picture in another colour, and words: "gray hoodie"'
TASKS = (
    ANOTHER_PICTURE, WITH_ITS_LISTING, LISTING, EDITED, WITH_WORDS, OTHER_COLOUR_AND_WORDS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One search, and the product that it should find.

    Attributes:
        task: One of the names above.
        product: Of luma, whatever the colour: intervals draw whole products.
        right: Id of the product in the colour.
    """

    task: str
    product: str
    right: str
    request: SearchRequest


@dataclass(slots=True)
class PicturedShop:
    """The catalogue.

    Attributes:
        products: One for each product in each colour.
        pictures: Bytes by the uri of a product's image.
        shown: All pictures by id of the product.
    """

    products: list[Product] = field(default_factory=list[Product])
    pictures: dict[str, bytes] = field(default_factory=dict[str, bytes])
    shown: dict[str, list[ShopPicture]] = field(default_factory=dict[str, list[ShopPicture]])


def read_shop(folder: Path) -> PicturedShop:
    """Reads the shop.

    Args:
        folder: Of the `luma` set.

    Raises:
        CatalogueError: The folder holds no such shop.
    """
    rows = {row.product.id: row.product for row in read_catalogue(folder, "luma") if row.product}
    shop = PicturedShop()
    for picture in read_pictures(folder):
        if picture.product:
            shop.shown.setdefault(_id(picture), []).append(picture)
    random = np.random.default_rng(_SEED)
    for product_id, pictures in shop.shown.items():
        pictures.sort(key=lambda each: each.view != "main")
        product = _product(product_id, pictures[0], rows.get(pictures[0].product))
        views = int(10 ** random.uniform(0, _MOST_VIEWS_LOG10))
        product.statistics.view_count = views
        product.statistics.purchase_count = int(random.binomial(views, _PURCHASES_PER_VIEW))
        shop.products.append(product)
        shop.pictures[product.images[0].uri] = pictures[0].path.read_bytes()
    return shop


def asked_of(shop: PicturedShop, part: Part) -> Iterator[Asked]:
    """Yields the searches of the products of one part."""
    for right, pictures in shop.shown.items():
        main = pictures[0]
        if main.part != part:
            continue
        yield _asked(LISTING, main, right, PictureQuery(text=main.listing))
        words = f"{main.colour} {main.kind}".strip()
        for other in pictures[1:]:
            picture = Picture(frames=[other.path.read_bytes()])
            yield _asked(ANOTHER_PICTURE, main, right, PictureQuery(picture=picture))
            both = PictureQuery(picture=picture, text=main.listing)
            yield _asked(WITH_ITS_LISTING, main, right, both)
            yield _asked(WITH_WORDS, main, right, PictureQuery(picture=picture), words)
        for start, (first, *_) in shop.shown.items():
            if (
                first.product != main.product
                or start == right
                or not (main.colour and first.colour)
            ):
                continue
            edit = PictureQuery(product_id=start, edit=main.colour)
            yield _asked(EDITED, main, right, edit)
            picture = Picture(frames=[first.path.read_bytes()])
            yield _asked(OTHER_COLOUR_AND_WORDS, main, right, PictureQuery(picture=picture), words)


def _asked(
    task: str, of: ShopPicture, right: str, pictures: PictureQuery, words: str = ""
) -> Asked:
    request = SearchRequest(query=words, pictures=pictures, skip_reasons=True)
    return Asked(task, of.product, right, request)


def _id(picture: ShopPicture) -> str:
    return f"{picture.product}-{picture.colour}" if picture.colour else picture.product


def _product(product_id: str, picture: ShopPicture, row: Product | None) -> Product:
    """The product in one colour, as the shop lists it."""
    product = Product()
    if row is not None:
        product.CopyFrom(row)
    product.id, product.variant_group_id = product_id, picture.product
    product.titles["en"] = picture.title
    del product.attributes["colour"].texts[:]
    product.attributes["colour"].texts.extend([picture.colour] if picture.colour else [])
    if not picture.colour:
        del product.attributes["colour"]
    del product.images[:]
    product.images.add(uri=picture.path.name)
    return product


def parts(products: Sequence[Product], size: int) -> Iterator[Sequence[Product]]:
    """Yields products in parts of `size`."""
    return (products[start : start + size] for start in range(0, len(products), size))
