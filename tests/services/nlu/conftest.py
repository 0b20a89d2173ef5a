"""A small catalogue's terms, and readers with and without them."""

import pytest

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.understanding import QueryReader


@pytest.fixture(scope="session")
def shop_terms() -> CatalogueTerms:
    counts = {
        "headphones": 120, "wireless": 300, "mouse": 150, "keyboard": 90, "black": 800,
        "philips": 60, "monitor": 200, "kettle": 40, "steel": 100, "toner": 80, "tn-2110": 2,
        "camera": 70, "bag": 60, "printer": 110, "marking": 30, "cable": 400,
    }  # fmt: skip
    return CatalogueTerms(
        version=7,
        brands=("Sony", "Philips", "Brother", "Apple", "Xiaomi", "Bean & Leaf", "Black", "1"),
        product_types=("Headphones", "Gooseneck kettle", "1"),
        vocabulary=counts,
    )


@pytest.fixture(scope="session")
def reader(shop_terms: CatalogueTerms) -> QueryReader:
    return QueryReader(shop_terms)


@pytest.fixture(scope="session")
def bare_reader() -> QueryReader:
    """As the service is before any catalogue has answered."""
    return QueryReader(CatalogueTerms())
