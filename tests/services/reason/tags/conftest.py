import pytest

from services.reason.tags.vocabulary import SELLING_POINT, Term, Vocabulary
from wherefore.common.v1.product_pb2 import Product, Review


def product_of(**fields):
    """A product of fields; `title`, `description` and `reviews` are English texts."""
    product = Product(
        id=fields.get("id", "p1"),
        category_path=fields.get("category_path", []),
        variant_group_id=fields.get("group", ""),
        brand=fields.get("brand", ""),
    )
    for language, text in fields.get("titles", {}).items():
        product.titles[language] = text
    for language, text in fields.get("descriptions", {}).items():
        product.descriptions[language] = text
    for number, text in enumerate(fields.get("reviews", ()), start=1):
        product.reviews.append(Review(id=f"r{number}", text=text))
    for key, values in fields.get("attributes", {}).items():
        if isinstance(values, bool):
            product.attributes[key].boolean = values
        else:
            product.attributes[key].texts.extend(values)
    return product


@pytest.fixture
def vocabulary():
    return Vocabulary(
        (
            Term("colour", "black", ("black", "黑色")),
            Term("material", "cotton", ("cotton", "纯棉")),
            Term("material", "organic cotton", ("organic cotton",)),
            Term("fit", "Slim", ("slim",), (("Clothes", "Trousers"),)),
            Term(SELLING_POINT, "waterproof", ("waterproof", "water proof", "防水")),
            Term(SELLING_POINT, "breathable", ("breathable", "透气")),
        ),
        {"comfort": {"en": "comfortable", "zh": "舒适"}},
        "v1",
    )
