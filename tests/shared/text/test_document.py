from shared.text.document import embedding_text, product_types, titles
from wherefore.common.v1.product_pb2 import AttributeValue, Product


def product() -> Product:
    return Product(
        id="1",
        titles={"zh": "不锈钢水壶", "en": "Steel kettle"},
        descriptions={"en": "Boils a litre. " * 30},
        brand="Acme",
        category_path=["Kitchen", "Kettles"],
        attributes={"product_type": AttributeValue(texts=["Electric kettle"])},
    )


def test_titles_are_in_order_of_language() -> None:
    assert titles(product()) == ["Steel kettle", "不锈钢水壶"]


def test_product_types() -> None:
    assert product_types(product()) == ["Electric kettle", "Kettles"]
    assert product_types(Product()) == []


def test_embedding_text() -> None:
    text = embedding_text(product())
    assert text.startswith("Steel kettle. Acme. Electric kettle. Kettles. Boils a litre.")
    assert len(text) < 250


def test_embedding_text_is_in_the_encoders_language_where_there_is_one() -> None:
    kettle = product()
    assert "不锈钢水壶" in embedding_text(kettle, "zh")
    del kettle.titles["en"]
    assert embedding_text(kettle).startswith("不锈钢水壶. Acme.")


def test_embedding_text_says_nothing_twice() -> None:
    assert embedding_text(Product(titles={"en": "Acme kettle"}, brand="Acme")) == "Acme kettle"
