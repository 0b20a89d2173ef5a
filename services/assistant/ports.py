"""What the assistant asks of others, and what stands in for it in tests."""

from contextlib import AbstractContextManager
from typing import Protocol

from services.assistant.catalogue import Statement
from services.assistant.domain import Language
from services.assistant.reader import Reading
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding


class Reader(Protocol):
    """Reads messages."""

    async def read(self, text: str, language: str = "") -> Reading:
        """Reads one; what is lost is told in it."""
        ...


class Products(Protocol):
    """Finds products and says what evidence supports. All of it raises WhereforeError."""

    async def find(self, query: QueryUnderstanding) -> list[Product]:
        """Returns products that a question can mean, best first."""
        ...

    async def get(self, product_id: str) -> Product | None:
        """Returns a product; None where it is gone."""
        ...

    async def state(self, product: Product, field: str, language: Language) -> Statement | None:
        """Returns what is said of one field; None where nothing can be."""
        ...


class Timer(Protocol):
    """Measures stages."""

    def stage(self, name: str) -> AbstractContextManager[object]:
        """Measures what the block does."""
        ...
