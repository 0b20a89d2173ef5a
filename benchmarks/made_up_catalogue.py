"""A catalogue as large as one likes, made of a real one.

A made-up product has words of two real ones that lie near each other, the attributes of one with
another price, and a vector between theirs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.retrieval.v1 import retrieval_service_pb2 as pb

MODEL: Final = "minilm-l6@1"
NEIGHBOURS: Final = 10
_ROWS: Final = 1_000

Vectors = NDArray[np.float32]


class Maker:
    """Makes products by number: the first ones are real, each other one the same in every run.

    Args:
        products: Real ones.
        vectors: Of each, of unit length.
    """

    def __init__(self, products: Sequence[Product], vectors: Vectors) -> None:
        self._products = products
        self._vectors = vectors
        self._near = np.empty((len(vectors), NEIGHBOURS), dtype=np.int32)
        for start in range(0, len(vectors), _ROWS):
            part = vectors[start : start + _ROWS] @ vectors.T
            self._near[start : start + len(part)] = np.argpartition(-part, NEIGHBOURS)[
                :, :NEIGHBOURS
            ]

    def make(self, number: int) -> pb.IndexDocument:
        """Returns a product and its vector; the first ones are icecat's own."""
        if number < len(self._products):
            product, vector = self._products[number], self._vectors[number]
        else:
            product, vector = self._invented(number)
        return pb.IndexDocument(
            product=product,
            vector=Vector(values=vector.tolist(), model=MODEL),
            vector_source="curve",
            row=number + 1,
        )

    def _invented(self, number: int) -> tuple[Product, Vectors]:
        chance = random.Random(number)  # noqa: S311 - data, not secrets
        at = chance.randrange(len(self._products))
        other = int(self._near[at][chance.randrange(NEIGHBOURS)])
        product = Product()
        product.CopyFrom(self._products[at])
        product.id = f"made-{number}"
        words = [*product.titles["en"].split(), *self._products[other].titles["en"].split()]
        product.titles["en"] = " ".join(chance.sample(words, min(len(words), 8)))
        if product.HasField("price"):
            product.price.amount = round(product.price.amount * chance.uniform(0.5, 1.5), 2)
        share = chance.uniform(0.2, 0.8)
        mixed = share * self._vectors[at] + (1 - share) * self._vectors[other]
        noise = np.random.default_rng(number).normal(scale=0.01, size=len(mixed))
        mixed = (mixed + noise).astype(np.float32)
        return product, mixed / np.linalg.norm(mixed)
