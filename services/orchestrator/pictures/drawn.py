"""Pictures of the bundled catalogue: its products have none, so each is drawn when it is read.

A drawing is the thing that a product is by its type, in the product's own colour on white: enough
to show what searching by pictures does, and no photograph (`data/shapes.toml`).
"""

from __future__ import annotations

import io
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from services.orchestrator.tokens import fingerprint
from shared.catalogue.slugs import CATEGORY_SLUGS, image_uri
from wherefore.common.v1.product_pb2 import Product

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

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
_EDITION: Final = "2"
"""Part of a drawing's source: a new number has all of them read again."""

_SHAPES: Final = Path(__file__).parent / "data" / "shapes.toml"
_SLUGS: Final = {image_uri(slug): slug for slug in CATEGORY_SLUGS}


class Stroke(NamedTuple):
    """What is drawn at once."""

    tone: str
    """The colour itself ("own"), a lighter or a darker one, or white."""
    form: str
    numbers: tuple[float, ...]
    """In a square of 64; `shapes.toml` says what they are for each form."""


class DrawnPicture:
    """The drawing of one product.

    Attributes:
        source: The same for all that look alike.
    """

    def __init__(self, shape: str, colour: str) -> None:
        self._shape, self._colour = shape, colour
        self.source = fingerprint(["drawn", _EDITION, shape, colour])

    def read(self) -> Iterator[bytes]:
        """Yields the file, a PNG."""
        yield _drawing(self._shape, self._colour)


def drawn(product: Product) -> DrawnPicture | None:
    """Returns the drawing of a product whose picture is one of the bundled catalogue's."""
    slug = next((_SLUGS[image.uri] for image in product.images if image.uri in _SLUGS), "")
    if not slug:
        return None
    kind = _first(product, "product_type")
    shape = kind if kind in shapes() else slug
    return DrawnPicture(shape, COLOURS.get(_first(product, "colour"), _NO_COLOUR))


@lru_cache(maxsize=1)
def shapes() -> Mapping[str, tuple[Stroke, ...]]:
    """Returns what is drawn, in order, by product type and by slug of a category."""
    tables = tomllib.loads(_SHAPES.read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            name: tuple(map(_stroke, lines.strip().splitlines()))
            for table in tables.values()
            for name, lines in table.items()
        }
    )


def _stroke(line: str) -> Stroke:
    tone, form, *numbers = line.split()
    return Stroke(tone, form, tuple(map(float, numbers)))


def _first(product: Product, attribute: str) -> str:
    texts = product.attributes[attribute].texts if attribute in product.attributes else ()
    return texts[0] if texts else ""


@lru_cache(maxsize=128)
def _drawing(shape: str, colour: str) -> bytes:
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
    for stroke in shapes()[shape]:
        _draw(canvas, stroke, tones[stroke.tone])
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _draw(canvas: ImageDraw, stroke: Stroke, paint: tuple[int, ...]) -> None:
    sizes = [number * _SCALE for number in stroke.numbers]
    # The width of a line stands before its points, that of a ring or a corner behind.
    points = sizes[1:] if stroke.form == "line" else sizes if stroke.form == "form" else sizes[:4]
    top = (_HEIGHT - _WIDTH) / 2
    places = [point + top * (at % 2) for at, point in enumerate(points)]
    match stroke.form:
        case "form":
            canvas.polygon(places, fill=paint)
        case "box":
            canvas.rectangle(places, fill=paint)
        case "oval":
            canvas.ellipse(places, fill=paint)
        case "round":
            canvas.rounded_rectangle(places, radius=sizes[4], fill=paint)
        case "line":
            canvas.line(places, fill=paint, width=round(sizes[0]), joint="curve")
        case "arc":
            canvas.arc(places, 180, 360, fill=paint, width=round(sizes[4]))
        case _:
            canvas.ellipse(places, outline=paint, width=round(sizes[4]))
