"""Pictures of the bundled catalogue: its products have none, so each is drawn when it is read.

A drawing is the thing that a category sells, in the product's own colour on white: enough to show
what searching by pictures does, and no photograph. The demo page has an outline of the same thing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from services.orchestrator.tokens import fingerprint
from shared.catalogue.slugs import CATEGORY_SLUGS, image_uri
from wherefore.common.v1.product_pb2 import Product

COLOURS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "black": "#2b2f33", "white": "#dfe3e6", "grey": "#868e96", "charcoal": "#495057",
        "silver": "#adb5bd", "gold": "#c99a2e", "rose gold": "#c98a7d", "red": "#d6303f",
        "burgundy": "#8a1f3d", "orange": "#ee7b1d", "yellow": "#e6b800", "mustard": "#c2921a",
        "green": "#2f9e5b", "olive": "#7a8032", "mint": "#5cc9a7", "turquoise": "#17a2a2",
        "cyan": "#22b8cf", "blue": "#2f74d0", "navy": "#2a3f73", "indigo": "#4858c4",
        "purple": "#8a4fc7", "lilac": "#b197e8", "magenta": "#cc3f9b", "pink": "#ec7fa9",
        "coral": "#f0705a", "brown": "#8a5a3b", "tan": "#c19a6b", "khaki": "#a89a68",
        "beige": "#cdb894", "ivory": "#d9cfb4", "copper": "#b46a3c", "bronze": "#96703c",
    }
)  # fmt: skip
"""The catalogue's colours as the demo page shows them."""
_NO_COLOUR: Final = "#8c9aa0"
_WIDTH, _HEIGHT, _BOX = 160, 200, 64
_SCALE: Final = _WIDTH / _BOX
_EDITION: Final = "1"
"""Part of a drawing's source: a new number has all of them read again."""

_Shape = tuple[str, Sequence[float], str]
"""What is drawn, its coordinates in a square of 64 (with a corner or a width at the end), its tone:
the colour itself, a lighter or a darker one, or white."""
_SHAPES: Final[Mapping[str, tuple[_Shape, ...]]] = MappingProxyType(
    {
        "phones": (("round", (18, 5, 46, 59, 6), "own"), ("box", (21, 11, 43, 51), "light")),
        "audio": (
            ("arc", (9, 10, 55, 60, 6), "own"),
            ("round", (5, 34, 20, 58, 5), "dark"),
            ("round", (44, 34, 59, 58, 5), "dark"),
        ),
        "computers": (
            ("round", (6, 10, 58, 45, 4), "own"),
            ("box", (11, 15, 53, 40), "light"),
            ("box", (28, 45, 36, 53), "dark"),
            ("box", (20, 53, 44, 57), "dark"),
        ),
        "kitchen": (
            ("ring", (40, 27, 58, 45, 4), "dark"),
            ("round", (11, 24, 47, 56, 8), "own"),
            ("box", (9, 20, 49, 26), "dark"),
            ("oval", (25, 13, 33, 21), "dark"),
        ),
        "home-textiles": (
            ("round", (6, 14, 58, 52, 10), "own"),
            ("round", (12, 20, 52, 46, 8), "light"),
            ("round", (17, 25, 47, 41, 6), "own"),
        ),
        "lighting": (
            ("form", (24, 8, 40, 8, 51, 34, 13, 34), "own"),
            ("box", (30, 34, 34, 54), "dark"),
            ("box", (20, 53, 44, 58), "dark"),
        ),
        "womens-fashion": (
            ("form", (22, 6, 26, 6, 28, 14, 36, 14, 38, 6, 42, 6, 42, 14, 39, 27, 54, 58, 10, 58,
                      25, 27, 22, 14), "own"),
            ("box", (25, 26, 39, 29), "dark"),
        ),
        "mens-fashion": (
            ("form", (22, 8, 42, 8, 58, 18, 52, 31, 45, 27, 45, 57, 19, 57, 19, 27, 12, 31, 6, 18),
             "own"),
            ("oval", (26, 3, 38, 14), "white"),
        ),
        "kids": (
            ("form", (20, 12, 44, 12, 52, 26, 45, 30, 45, 56, 34, 56, 32, 44, 30, 56, 19, 56, 19,
                      30, 12, 26), "own"),
            ("oval", (27, 8, 37, 16), "white"),
            ("oval", (28, 24, 36, 32), "light"),
        ),
        "shoes": (
            ("form", (6, 18, 14, 23, 26, 23, 32, 18, 39, 30, 51, 34, 58, 40, 58, 46, 6, 46), "own"),
            ("box", (6, 44, 58, 50), "dark"),
        ),
        "bags": (
            ("ring", (22, 7, 42, 35, 4), "dark"),
            ("round", (9, 20, 55, 58, 8), "own"),
            ("box", (9, 36, 55, 39), "dark"),
        ),
        "beauty": (
            ("box", (22, 28, 42, 58), "own"),
            ("box", (26, 17, 38, 28), "dark"),
            ("form", (26, 17, 38, 8, 38, 17), "light"),
        ),
        "sports": (
            ("oval", (7, 7, 57, 57), "own"),
            ("ring", (-14, 12, 20, 52, 3), "dark"),
            ("ring", (44, 12, 78, 52, 3), "dark"),
            ("box", (7, 31, 57, 34), "dark"),
        ),
        "toys": (
            ("oval", (8, 8, 26, 26), "dark"),
            ("oval", (38, 8, 56, 26), "dark"),
            ("oval", (11, 14, 53, 57), "own"),
            ("oval", (23, 34, 41, 50), "light"),
            ("oval", (22, 26, 27, 31), "dark"),
            ("oval", (37, 26, 42, 31), "dark"),
        ),
        "food": (
            ("box", (10, 34, 54, 56), "own"),
            ("box", (10, 34, 54, 41), "light"),
            ("box", (20, 20, 23, 34), "dark"),
            ("box", (31, 20, 34, 34), "dark"),
            ("box", (42, 20, 45, 34), "dark"),
        ),
        "stationery": (
            ("form", (7, 11, 31, 16, 31, 56, 7, 51), "own"),
            ("form", (57, 11, 33, 16, 33, 56, 57, 51), "own"),
            ("box", (31, 16, 33, 56), "dark"),
        ),
        "pets": (
            ("oval", (18, 30, 46, 56), "own"),
            ("oval", (8, 21, 20, 38), "own"),
            ("oval", (44, 21, 56, 38), "own"),
            ("oval", (19, 8, 31, 25), "own"),
            ("oval", (33, 8, 45, 25), "own"),
        ),
    }
)  # fmt: skip
_SLUGS: Final = {image_uri(slug): slug for slug in CATEGORY_SLUGS}


class DrawnPicture:
    """The drawing of one product.

    Attributes:
        source: The same for all that look alike.
    """

    def __init__(self, slug: str, colour: str) -> None:
        self._slug, self._colour = slug, colour
        self.source = fingerprint(["drawn", _EDITION, slug, colour])

    def read(self) -> Iterator[bytes]:
        """Yields the file, a PNG."""
        yield _drawing(self._slug, self._colour)


def drawn(product: Product) -> DrawnPicture | None:
    """Returns the drawing of a product whose picture is one of the bundled catalogue's."""
    slug = next((_SLUGS[image.uri] for image in product.images if image.uri in _SLUGS), "")
    if not slug:
        return None
    named = [*product.attributes["colour"].texts] if "colour" in product.attributes else []
    return DrawnPicture(slug, COLOURS.get(named[0], _NO_COLOUR) if named else _NO_COLOUR)


@lru_cache(maxsize=128)
def _drawing(slug: str, colour: str) -> bytes:
    from PIL import Image, ImageDraw

    own = tuple(int(part, 16) for part in re.findall("[0-9a-f]{2}", colour))
    tones = {
        "own": own,
        "light": tuple((part + 255) // 2 for part in own),
        "dark": tuple(part * 2 // 3 for part in own),
        "white": (255, 255, 255),
    }
    picture = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    canvas = ImageDraw.Draw(picture)
    top = (_HEIGHT - _WIDTH) / 2
    for kind, numbers, tone in _SHAPES[slug]:
        paint = tones[tone]
        sizes = [number * _SCALE for number in numbers]
        places = [size + top * (at % 2) for at, size in enumerate(sizes)]
        if kind == "form":
            canvas.polygon(places, fill=paint)
        elif kind == "box":
            canvas.rectangle(places, fill=paint)
        elif kind == "oval":
            canvas.ellipse(places, fill=paint)
        elif kind == "round":
            canvas.rounded_rectangle(places[:4], radius=sizes[4], fill=paint)
        elif kind == "arc":
            canvas.arc(places[:4], 180, 360, fill=paint, width=round(sizes[4]))
        else:
            canvas.ellipse(places[:4], outline=paint, width=round(sizes[4]))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
