"""The made-up catalogue and the fit of its costs; the service itself is measured by hand."""

import numpy as np
import pytest

from benchmarks.cost_curve_report import Size, exponent, section
from benchmarks.made_up_catalogue import Maker
from wherefore.common.v1.product_pb2 import Price, Product

REAL = 40


@pytest.fixture(scope="module")
def maker() -> Maker:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(REAL, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    products = [
        Product(
            id=f"p{n}",
            titles={"en": f"Steel kettle number {n}"},
            brand="Acme",
            price=Price(currency_code="EUR", amount=100.0),
        )
        for n in range(REAL)
    ]
    return Maker(products, vectors)


def test_the_first_products_are_real(maker: Maker):
    assert [maker.make(n).product.id for n in range(REAL)] == [f"p{n}" for n in range(REAL)]


def test_others_are_made_of_them_and_the_same_in_every_run(maker: Maker):
    made = [maker.make(number) for number in range(REAL, REAL + 50)]
    assert made == [maker.make(number) for number in range(REAL, REAL + 50)]
    assert len({document.product.id for document in made}) == 50
    assert len({tuple(document.vector.values) for document in made}) == 50
    for document in made:
        assert np.linalg.norm(document.vector.values) == pytest.approx(1.0, abs=1e-5)
        assert document.product.brand == "Acme"
        assert 50 <= document.product.price.amount <= 150
        assert set(document.product.titles["en"].split()) <= {
            *("Steel", "kettle", "number"), *map(str, range(REAL)),
        }  # fmt: skip


def size(products: int, milliseconds: float) -> Size:
    return Size(
        products=products,
        write_seconds=products / 1_000,
        index_seconds=products / 500,
        cpu_seconds=products / 400,
        resident_mib=200 + products / 500,
        disk_mib=products / 100,
        plain_ms=[milliseconds] * 10,
        filtered_ms=[milliseconds * 2] * 10,
        anonymous_mib=100 + products / 1_000,
    )


def test_the_fit_is_the_power_that_there_is():
    sizes = [size(n, 0.01 * n**0.5) for n in (2_000, 20_000, 200_000)]
    assert exponent(sizes, {s.products: s.plain_ms[0] for s in sizes}) == pytest.approx(0.5)
    text = section(sizes, "command")
    assert "| grows as products to the power of | 0.50 | 0.50 | 0.50 | 0.50 |" in text
    assert "| 200,000 | 4.5 |" in text
    assert "| 600.0 | 300.0 | 2,000.0 |" in text


def test_one_size_has_no_fit():
    assert "to the power of |" not in section([size(2_000, 1.0)], "command")
