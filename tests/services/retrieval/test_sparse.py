from services.retrieval.sparse import K1, dimension, document_vector, query_vector
from wherefore.common.v1.product_pb2 import AttributeValue, Product


def weights(product: Product) -> dict[int, float]:
    vector = document_vector(product)
    return dict(zip(vector.indices, vector.values, strict=True))


def test_a_title_counts_more_than_a_description() -> None:
    product = Product(titles={"en": "kettle"}, descriptions={"en": "teapot"})
    assert weights(product)[dimension("kettl")] > weights(product)[dimension("teapot")] > 0


def test_weights_saturate() -> None:
    product = Product(titles={"en": "kettle " * 50})
    assert 1.0 < weights(product)[dimension("kettl")] < K1 + 1


def test_long_titles_count_less() -> None:
    short = Product(titles={"en": "steel kettle"})
    long = Product(titles={"en": "steel kettle " + "with many other words to read " * 5})
    assert weights(short)[dimension("kettl")] > weights(long)[dimension("kettl")]


def test_every_language_and_attribute_is_found() -> None:
    product = Product(
        titles={"en": "Kettle", "zh": "不锈钢水壶"},
        brand="Acme",
        category_path=["Kitchen", "Boilers"],
        tags=["gift"],
        attributes={"colour": AttributeValue(texts=["black"])},
    )
    for term in ("kettl", "不锈钢", "acm", "boiler", "gift", "black"):
        assert dimension(term) in weights(product), term


def test_query_terms_weigh_one_and_expansions_less() -> None:
    vector = query_vector("the steel kettle", [("boiler", 0.4), ("kettle", 0.1)])
    found = dict(zip(vector.indices, vector.values, strict=True))
    assert found[dimension("kettl")] == 1.0
    assert found[dimension("boiler")] == 0.4


def test_neighbouring_words_are_looked_for_as_one() -> None:
    vector = query_vector("head set")
    assert dimension("headset") in vector.indices


def test_stop_words_alone_make_an_empty_query() -> None:
    assert query_vector("the of").indices == ()


def test_a_product_is_found_by_every_device_of_a_long_list_that_it_fits() -> None:
    devices = "/".join(str(number) for number in range(2000, 2060))
    product = Product(
        titles={"en": "Black toner"},
        attributes={
            "compatibility": AttributeValue(texts=[f"LaserJet {devices}, CP5525\\nOfficejet 6210"]),
            "marketing_text": AttributeValue(texts=[f"Prints on {devices} sheets"]),
        },
    )
    found = weights(product)
    for term in ("laserjet", "2000", "2059", "cp5525", "officejet", "6210"):
        assert 0 < found[dimension(term)] < found[dimension("toner")], term
    assert dimension("print") not in found


def test_a_device_that_a_list_names_often_counts_once() -> None:
    def listed(text: str) -> dict[int, float]:
        filler = " ".join(f"model{number}" for number in range(30))
        texts = [f"{text}; {filler}"]
        return weights(
            Product(
                titles={"en": "Toner"}, attributes={"compatible_with": AttributeValue(texts=texts)}
            )
        )

    term = dimension("laserjet")
    assert listed("LaserJet 4250")[term] == listed("LaserJet 4250, LaserJet 4350")[term]
