"""The document beside the products: the version of the index, and what is known of all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from services.retrieval.fields import ValueKind
from wherefore.common.v1.product_pb2 import Product


@dataclass(frozen=True, slots=True)
class Meta:
    """What is kept beside the products."""

    version: int = 0
    vector_model: str = ""
    picture_model: str = ""
    attributes: Mapping[str, frozenset[ValueKind]] = field(
        default_factory=dict[str, frozenset[ValueKind]]
    )
    """Attribute keys with the kinds of values they ever had."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Reads the document; an empty one is that of an index without products."""
        attributes: Mapping[str, list[str]] = document.get("attributes", {})
        return cls(
            version=document.get("version", 0),
            vector_model=document.get("vector_model", ""),
            picture_model=document.get("picture_model", ""),
            attributes={key: frozenset(map(ValueKind, kinds)) for key, kinds in attributes.items()},
        )

    @property
    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "version": self.version,
            "vector_model": self.vector_model,
            "picture_model": self.picture_model,
            "attributes": {key: sorted(kinds) for key, kinds in self.attributes.items()},
        }

    def attributes_with(self, products: Iterable[Product]) -> Mapping[str, frozenset[ValueKind]]:
        """Returns the attributes that there are once some products are written."""
        known = dict(self.attributes)
        for product in products:
            for key, value in product.attributes.items():
                if value.numbers:
                    kind = ValueKind.NUMBER
                else:
                    kind = ValueKind.BOOLEAN if value.HasField("boolean") else ValueKind.KEYWORD
                if kind not in known.get(key, ()):
                    known[key] = known.get(key, frozenset[ValueKind]()) | {kind}
        return known
