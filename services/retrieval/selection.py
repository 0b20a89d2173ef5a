"""Which of given products meet which filters."""

from collections.abc import Sequence

from services.retrieval.search import Searcher
from services.retrieval.store.conditions import PointIn, all_of
from services.retrieval.store.port import VectorStore, point_id
from shared.errors import FieldViolation, InvalidArgumentError


def select(
    searcher: Searcher, store: VectorStore, product_ids: Sequence[str], filters: Sequence[str]
) -> list[list[str]]:
    """Returns the products that meet each filter, in the order of the ids; blocks.

    Raises:
        InvalidArgumentError: For a filter of unknown fields; it names `filters[n]`.
    """
    point_of = {product_id: point_id(product_id) for product_id in product_ids}
    given = PointIn(tuple(point_of.values()))
    selections: list[list[str]] = []
    for number, text in enumerate(filters):
        try:
            where, _ = searcher.compile(text, ())
        except InvalidArgumentError as error:
            raise InvalidArgumentError(
                *(FieldViolation(f"filters[{number}]", v.description) for v in error.violations)
            ) from error
        found = set(store.points(all_of(given, where)))
        selections.append([each for each in product_ids if point_of[each] in found])
    return selections
