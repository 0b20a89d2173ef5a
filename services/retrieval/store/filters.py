"""Translates conditions into Qdrant's filters, whose parts both of its libraries name alike."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from services.retrieval.store.conditions import (
    AllOf,
    AnyOf,
    Condition,
    IdIn,
    Negated,
    PointIn,
    Present,
    Range,
    SomeOf,
)
from services.retrieval.store.port import point_id


@dataclass(frozen=True, slots=True)
class FilterTypes:
    """The constructors of one of the libraries, as they take their arguments differently."""

    filter: Callable[..., Any]
    field: Callable[..., Any]
    match_any: Callable[[list[str]], Any]
    range: Callable[..., Any]
    is_empty: Callable[[str], Any]
    has_id: Callable[[list[str]], Any]

    def translate(self, condition: Condition | None) -> Any:  # the library's type
        """Returns the library's filter, None for no condition."""
        if condition is None:
            return None
        match condition:
            case AllOf(operands):
                return self.filter(must=[self._inner(operand) for operand in operands])
            case SomeOf(operands):
                return self.filter(should=[self._inner(operand) for operand in operands])
            case Negated(operand):
                return self.filter(must_not=[self._inner(operand)])
            case _:
                return self.filter(must=[self._inner(condition)])

    def _inner(self, condition: Condition) -> Any:  # the library's type
        match condition:
            case AnyOf(key, values):
                return self.field(key=key, match=self.match_any(list(values)))
            case Range():
                bounds = self.range(
                    gte=condition.at_least,
                    gt=condition.above,
                    lte=condition.at_most,
                    lt=condition.below,
                )
                return self.field(key=condition.key, range=bounds)
            case Present(key):
                return self.filter(must_not=[self.is_empty(key)])
            case PointIn(points):
                return _has_points(self.has_id, points)
            case IdIn(product_ids):
                return self.has_id([point_id(product_id) for product_id in product_ids])
            case _:
                return self.translate(condition)


@lru_cache(maxsize=32)
def _has_points(has_id: Callable[[list[str]], Any], points: tuple[str, ...]) -> Any:
    # Facets ask about the same points a dozen times; reading their ids takes longer than counting.
    return has_id(list(points))
