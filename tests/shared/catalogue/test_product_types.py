"""What titles say of the type of a product."""

import pytest

from shared.catalogue.product_types import type_words
from wherefore.common.v1.product_pb2 import Product

LONG = 100_000
"""Signs of which a look at every stretch would take minutes."""


def named(title: str) -> tuple[str, ...]:
    return type_words(Product(id="p", titles={"en": title})).named


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Patch Cable Cat-5 RJ45", ("patch", "cable", "cat-5", "rj45")),
        ("Toner (black) TN-2110 Cartridge", ("toner", "tn-2110", "cartridge")),
        ("Men's wi-fi/bt Mouse", ("men's", "wi-fi/bt", "mouse")),
        ('17" Monitor Stand', ('17"', "monitor", "stand")),
        ("*4K* Monitor", ("*4k*", "monitor")),
        ("** Monitor **", ("monitor",)),
        ("a_b c_1d", ("a", "b", "c", "_1d")),
    ],
)
def test_words_of_a_name(title: str, words: tuple[str, ...]) -> None:
    assert named(title) == words


@pytest.mark.parametrize("sign", ["-", "*", "7", "a-"])
def test_a_long_run_of_signs_is_looked_at_once(sign: str) -> None:
    assert named(f"kettle {sign * LONG} steel")[0] == "kettle"
    assert named(f"kettle a1{sign * LONG}")[:1] == ("kettle",)
