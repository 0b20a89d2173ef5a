"""A small shop of printers and what fits them, beside one of clothes."""

from collections.abc import Callable, Sequence

import pytest

from services.recommend.graph.build import build_graph
from services.recommend.graph.knowledge_graph import KnowledgeGraph
from wherefore.common.v1.product_pb2 import Product


def product(
    product_id: str,
    title: str,
    *category: str,
    brand: str = "",
    price: float = 0.0,
    **attributes: Sequence[str],
) -> Product:
    made = Product(id=product_id, titles={"en": title}, brand=brand, category_path=category)
    made.price.amount = price
    for key, texts in attributes.items():
        made.attributes[key].texts.extend(texts)
    return made


@pytest.fixture
def make_product() -> Callable[..., Product]:
    return product


@pytest.fixture
def shop() -> list[Product]:
    ink = {"compatibility": ["Canon EOS 2000D, PIXMA IP6700D"]}
    return [
        product("camera", "Canon EOS 2000D SLR Black", "Cameras", "SLR", brand="Canon", price=400),
        product("camera2", "Canon EOS 4000D SLR Black", "Cameras", "SLR", brand="Canon", price=300),
        product("grip", "Hähnel grip for Canon EOS 2000D", "Cameras", "Grips", brand="Hähnel"),
        product("strap", "Sling strap for Nikon EOS 2000D", "Cameras", "Straps", brand="Sling"),
        product("printer", "Canon PIXMA IP6700D", "Printers", brand="canon"),
        product("ink", "Canon CLI-8BK black", "Ink", brand="Canon", colour=["Black"], **ink),
        product("ink2", "Canon CLI-8C cyan", "Ink", brand="Canon", colour=["Cyan"], **ink),
        product("hoodie", "Mona hoodie", "Women", "Tops", "Hoodies", price=50, activity=["Yoga"]),
        product("tee", "Layla tee", "Women", "Tops", "Tees", price=25, activity=["Yoga", "Gym"]),
        product("tights", "Diana tights", "Women", "Bottoms", price=60, activity=["Gym"]),
        product("mat", "Zen mat", activity=["Yoga"], colour=["Green"]),
        product("pin", "Lapel pin"),
    ]


@pytest.fixture
def links() -> list[tuple[str, str]]:
    return [("hoodie", "tights"), ("hoodie", "tee"), ("hoodie", "tights"), ("hoodie", "gone")]


@pytest.fixture
def graph(shop: list[Product], links: list[tuple[str, str]]) -> KnowledgeGraph:
    return build_graph(shop, links=links)
