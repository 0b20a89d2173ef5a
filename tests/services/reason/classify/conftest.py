"""A small shop in two languages, and a classifier that is trained on it."""

import pytest

from wherefore.common.v1.product_pb2 import Product

KINDS = {
    ("Kitchen", "Kettles"): ("steel kettle", "不锈钢水壶", "boils water", "烧水快"),
    ("Kitchen", "Cups", "Mugs"): ("ceramic mug", "陶瓷马克杯", "holds coffee", "喝咖啡"),
    ("Bags", "Backpacks"): ("canvas backpack", "帆布双肩包", "carries books", "能装书"),
    ("Audio", "Headphones"): ("wireless headphones", "无线耳机", "clear sound", "音质清晰"),
}
COLOURS = {"black": "黑色", "white": "白色", "blue": "蓝色", "green": "绿色", "red": "红色"}


def shop_products(count: int = 40) -> list[Product]:
    """`count` products of each kind, each a product of its own."""
    made = []
    for path, (english, chinese, says, said) in KINDS.items():
        for at in range(count):
            colour = list(COLOURS)[at % len(COLOURS)]
            made.append(
                Product(
                    id=f"{path[-1].lower()}-{at}",
                    titles={"en": f"{colour} {english}", "zh": f"{COLOURS[colour]}{chinese}"},
                    descriptions={"en": f"It {says}.", "zh": f"{said}。"},
                    category_path=path,
                )
            )
    return made


@pytest.fixture(scope="session")
def trained_shop():
    """A classifier of the shop with its parts; needs scikit-learn."""
    pytest.importorskip("sklearn", reason="training needs the extra `train`")
    from services.reason.classify.train.examples import examples_of
    from services.reason.classify.train.run import train

    return train(examples_of(shop_products(), 4), "shop/1")


@pytest.fixture(scope="session")
def shop_file(trained_shop, tmp_path_factory):
    from services.reason.classify.weights import save

    path = tmp_path_factory.mktemp("classify") / "shop.npz"
    save(trained_shop.model, path)
    return path
