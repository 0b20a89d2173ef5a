"""What stands in for the NLU and the catalogue: words make vectors, and records make statements."""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from services.assistant.catalogue import Statement
from services.assistant.domain import Citation, Language, Message, Named, Vector
from services.assistant.questions import only
from services.assistant.reader import Reading, language_of
from services.assistant.words import features
from shared.errors import UnavailableError, WhereforeError
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding

WIDTH = 4096


def vector_of(text: str, width: int = WIDTH) -> Vector:
    vector = np.zeros(width, dtype=np.float32)
    for word, count in features(text).items():
        vector[zlib.crc32(word.encode()) % width] += count
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


class WordReader:
    """Reads by words: labels and entities by the words that a test gives."""

    def __init__(
        self,
        labels: Mapping[str, str] | None = None,
        named: Mapping[str, str] | None = None,
        lost: Sequence[tuple[str, WhereforeError]] = (),
    ) -> None:
        self.labels = labels or {}
        self.named = named or {}
        self.lost = tuple(lost)
        self.read_texts: list[str] = []

    async def read(self, text: str, language: str = "") -> Reading:
        self.read_texts.append(text)
        spoken = language_of(text, language)
        if any(stage == "nlu" for stage, _ in self.lost):
            return Reading(Message(text, spoken), None, self.lost)
        label = next((each for word, each in self.labels.items() if word in text), "")
        named = tuple(Named(kind, word, word) for word, kind in self.named.items() if word in text)
        vector = None if self.lost or spoken == "zh" else vector_of(text)
        message = Message(
            text,
            spoken,
            "support" if label else "attribute_question",
            {label: 0.97} if label else {},
            vector,
            named,
        )
        return Reading(message, QueryUnderstanding(query=text), self.lost)


class Shelf:
    """Products of a test. It states a field as it stands."""

    def __init__(self, *products: Product, lost: str = "") -> None:
        self.products = products
        self.lost = lost

    async def find(self, query: QueryUnderstanding) -> list[Product]:
        if self.lost == "retrieval":
            raise UnavailableError("retrieval does not answer")
        return list(self.products)

    async def get(self, product_id: str) -> Product | None:
        return next((each for each in self.products if each.id == product_id), None)

    async def state(self, product: Product, field: str, language: Language) -> Statement | None:
        if self.lost == "reason":
            raise UnavailableError("reason does not answer")
        head, _, key = field.partition(".")
        kept = only(product, field)
        value = (
            f"{kept.price.amount:g}" if head == "price" else " ".join(kept.attributes[key].texts)
        )
        if not value:
            return None
        return Statement(f"{value}.", (Citation("product", product.id, field, value, value),))


def lamp(colour: str, amount: float = 199.0) -> Product:
    product = Product(
        id=f"lamp-{colour}",
        titles={"en": f"Lumoria D910 desk lamp, {colour}", "zh": f"Lumoria D910 台灯 {colour}"},
        descriptions={"en": "A lamp for the desk. It dims in ten steps. Its head turns."},
        brand="Lumoria",
    )
    product.price.currency_code, product.price.amount = "CNY", amount
    product.attributes["colour"].texts.append(colour)
    product.attributes["material"].texts.append("aluminium")
    return product
