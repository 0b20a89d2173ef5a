"""The catalogue's terms: neighbours of words among them."""

from types import SimpleNamespace
from typing import Any

from services.retrieval.blobs import SUMMARY, encode_summary
from services.retrieval.statistics import SizeReader, read_terms
from wherefore.common.v1.product_pb2 import Product


def store_of(*titles: str) -> Any:
    """As much of a store as the terms are read from."""
    records = [
        SimpleNamespace(payload={SUMMARY: encode_summary(Product(titles={"en": title}))})
        for title in titles
    ]
    return SimpleNamespace(scan=lambda fields: iter(records))


def test_neighbours_count_once_a_product_and_from_three_products() -> None:
    terms = read_terms(
        store_of(
            "Laser printer, laser printer A4",
            "Red laser printer",
            "Laser printer red",
            "Inkjet printer red",
        )
    )
    assert terms.word_pairs == [("laser printer", 3)]
    assert terms.vocabulary == [("printer", 4), ("laser", 3), ("red", 3)]


def test_numbers_and_models_are_nobodys_neighbours() -> None:
    assert read_terms(store_of(*["Kettle 2 tn-2110"] * 3)).word_pairs == []


def test_products_are_counted_once_for_each_version() -> None:
    class Store:
        asked = 0

        def count(self, where: object = None, *, exact: bool = False) -> int:
            assert exact
            self.asked += 1
            return 7 if where is None else 5

    store: Any = Store()
    sizes = SizeReader(store)
    assert [sizes.read(version) for version in (3, 3, 4)] == [(7, 5)] * 3
    assert store.asked == 4
