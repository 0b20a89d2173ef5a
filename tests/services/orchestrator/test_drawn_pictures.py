"""Drawings of the bundled catalogue, and small pictures for the page."""

import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from services.orchestrator.pictures.drawn import COLOURS, drawn, shapes
from services.orchestrator.pictures.files import PictureFolder
from services.orchestrator.pictures.sources import PictureSources
from services.orchestrator.pictures.thumbnails import Thumbnails
from services.orchestrator.stage_budgets import StageBudget
from services.orchestrator.web.app import STATIC
from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.catalogue.slugs import CATEGORY_SLUGS, image_uri
from shared.errors import InvalidArgumentError
from shared.pictures.decoding import decode
from tests.services.nlu.pictures.files import encoded, plain, png
from tests.services.orchestrator.pictured import product
from tests.shared.pictures.png import png_that_says
from wherefore.common.v1.product_pb2 import Image as ProductImage

SHOWN_BY_CATEGORIES = {
    "smartphone", "headphones", "monitor", "lamp", "dress", "t-shirt", "sneakers", "handbag",
    "school bag", "lipstick", "plush toy", "cake", "paper notebook",
}  # fmt: skip
"""Product types that the drawing of their category shows."""


def drawing(slug: str, colour: str, kind: str = ""):
    row = product("p", image_uri(slug), colour=colour)
    if kind:
        row.attributes["product_type"].texts.append(kind)
    found = drawn(row)
    assert found
    return found


def pixels(slug: str, colour: str, kind: str = ""):
    (data,) = drawing(slug, colour, kind).read()
    return decode(data, "")


@pytest.mark.parametrize("shape", shapes())
def test_every_shape_is_drawn_in_the_products_colour(shape: str):
    slug, kind = (shape, "") if shape in CATEGORY_SLUGS else ("phones", shape)
    red, blue = pixels(slug, "red", kind), pixels(slug, "blue", kind)
    inside = (red != 255).any(axis=2)
    # Enough of it to be seen, and white around it.
    assert 0.08 < inside.mean() < 0.75
    assert not inside[0].any()
    assert not inside[-1].any()
    assert red[inside].mean(axis=0).argmax() == 0
    assert blue[inside].mean(axis=0).argmax() == 2


def test_every_category_has_a_shape():
    assert set(CATEGORY_SLUGS) <= set(shapes())


def test_every_type_of_the_bundled_catalogue_is_drawn_as_what_it_is():
    rows = [row.product for row in read_catalogue(bundled_catalogue_path()) if row.product]
    types = {text for row in rows for text in row.attributes["product_type"].texts}
    assert types - set(shapes()) == SHOWN_BY_CATEGORIES
    # No shape is there for nothing.
    assert set(shapes()) - types == set(CATEGORY_SLUGS)


def test_what_a_drawing_is_made_of_are_its_shape_and_its_colour_alone():
    kinds = [shape for shape in shapes() if shape not in CATEGORY_SLUGS]
    made = [(slug, "") for slug in CATEGORY_SLUGS] + [("toys", kind) for kind in kinds]
    sources = {
        drawing(slug, colour, kind).source
        for slug, kind in made
        for colour in (*COLOURS, "unheard of", "")
    }
    assert len(sources) == len(shapes()) * (len(COLOURS) + 1)
    assert len({pixels(slug, "red", kind).tobytes() for slug, kind in made}) == len(shapes())
    # A type that has no shape is drawn as its category; one of another category as itself.
    assert drawing("toys", "red", "kite").source == drawing("toys", "red").source
    assert (
        drawing("kids", "red", "jacket").source == drawing("mens-fashion", "red", "jacket").source
    )


def test_products_of_other_catalogues_are_not_drawn():
    for uri in ("", "bags.svg", "/static/categories/generic.svg", "https://a.example/bag.jpg"):
        assert drawn(product("p", uri)) is None


def test_colours_are_those_of_the_page():
    script = (STATIC / "picture.js").read_text()
    table = script[script.index("{", script.index("COLOURS")) : script.index("};")]
    named = re.findall(r'"?\b([a-z][a-z ]*)"?: "(#[0-9a-f]{6})"', table)
    assert dict(named) == dict(COLOURS)


def test_files_come_before_drawings(tmp_path: Path):
    uri = image_uri("bags")
    row = product("p", uri, colour="red")
    sources = PictureSources(tmp_path, draws=True)
    assert sources.find(row) is not None
    path = tmp_path / uri.lstrip("/")
    path.parent.mkdir(parents=True)
    path.write_bytes(png("green"))
    assert [*sources.find(row).read()] == [png("green")]  # type: ignore[union-attr]
    assert not PictureSources(None)
    assert PictureSources(None, draws=True).find(product("p", "x.png")) is None


class Retrieval:
    """As much of the clients as thumbnails need."""

    def __init__(self, *products) -> None:
        self.products = {each.id: each for each in products}
        self.asked = 0
        budget = StageBudget(seconds=5, reserve=0)
        self.settings = SimpleNamespace(budgets=SimpleNamespace(products=budget))

    async def get_products(self, request, _):
        self.asked += 1
        found = [self.products[i] for i in request.product_ids if i in self.products]
        return SimpleNamespace(products=found)


async def test_thumbnails_are_small_and_made_anew(tmp_path: Path):
    (tmp_path / "big.png").write_bytes(encoded(plain("red", (1_000, 2_000))))
    polyglot = encoded(plain("blue", (400, 400)), "JPEG") + b"<script>alert(1)</script>"
    (tmp_path / "odd.jpg").write_bytes(polyglot)
    (tmp_path / "broken.jpg").write_bytes(encoded(plain("red", (400, 400)), "JPEG")[:400])
    (tmp_path / "bomb.png").write_bytes(png_that_says(20_000, 20_000))
    (tmp_path / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    names = ("big.png", "odd.jpg", "broken.jpg", "bomb.png", "drawing.svg", "nothing.png")
    retrieval = Retrieval(*(product(name, name) for name in names))
    thumbnails = Thumbnails(retrieval, PictureSources(tmp_path))  # type: ignore[arg-type]
    made = await thumbnails.of([*names, "unknown"])
    assert set(made) == {"big.png", "odd.jpg"}
    assert Image.open(io.BytesIO(made["big.png"])).size == (120, 240)
    assert b"script" not in made["odd.jpg"]
    assert all(Image.open(io.BytesIO(data)).format == "JPEG" for data in made.values())
    with pytest.raises(InvalidArgumentError):
        await thumbnails.of(["p"] * 101)


async def test_thumbnails_follow_their_files(tmp_path: Path):
    path = tmp_path / "cup.png"
    path.write_bytes(encoded(plain("red", (300, 300))))
    thumbnails = Thumbnails(Retrieval(product("c", "cup.png")), PictureSources(tmp_path))  # type: ignore[arg-type]
    red = (await thumbnails.of(["c"]))["c"]
    assert (await thumbnails.of(["c"]))["c"] is red
    path.write_bytes(encoded(plain("blue", (300, 301))))
    assert (await thumbnails.of(["c"]))["c"] != red


async def test_without_a_source_nothing_is_asked():
    retrieval = Retrieval(product("c", "cup.png"))
    assert await Thumbnails(retrieval, PictureSources(None)).of(["c"]) == {}  # type: ignore[arg-type]
    assert retrieval.asked == 0


def test_a_file_that_grew_is_not_read(tmp_path: Path):
    path = tmp_path / "cup.png"
    path.write_bytes(png("red"))
    row = product("c", "cup.png")
    row.images.append(ProductImage(uri="cup.png"))
    found = PictureFolder(tmp_path).find(row)
    assert found
    path.write_bytes(b"\xff" * (10 * 2**20 + 1))
    assert not [*found.read()]
