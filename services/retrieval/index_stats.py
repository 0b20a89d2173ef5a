"""What is known of the index as a whole, as messages."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from typing import TypeVar

from services.retrieval.catalogue import Catalogue
from services.retrieval.fields import ValueKind
from services.retrieval.filters import ATTRIBUTES, FILTER_FIELDS
from services.retrieval.statistics import CatalogueTerms, Counts, SizeReader, TermReader
from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1 import retrieval_service_pb2 as pb
from wherefore.retrieval.v1.price_standing_pb2 import PriceStanding

_T = TypeVar("_T")


class IndexStats:
    """Reads each once for a version of the index.

    Args:
        catalogue: What is read.
        executor: For calls of the store.
    """

    def __init__(self, catalogue: Catalogue, executor: Executor) -> None:
        self._catalogue = catalogue
        self._executor = executor
        self._sizes = SizeReader(catalogue.store)
        self._terms = TermReader(catalogue.store)
        self._fields = FilterFields()

    async def read(self, *, include_terms: bool) -> pb.StatsResponse:
        """Returns sizes, models and fields, and with `include_terms` what the texts hold."""
        catalogue, store = self._catalogue, self._catalogue.store
        version = catalogue.version
        products, vectors = await self._run(lambda: self._sizes.read(version))
        response = pb.StatsResponse(
            product_count=products,
            vector_count=vectors,
            vector_model=catalogue.vector_model if vectors else "",
            vector_dimension=catalogue.dimension if vectors else 0,
            index_version=version,
            store=store.name,
            optimized=await self._run(store.is_optimized),
        )
        response.MergeFrom(self._fields.of(version, catalogue.compiler.attributes))
        if include_terms:
            _add_terms(response, await self._terms.read(version, catalogue.listing_version))
        return response

    def price_standings(self, products: Iterable[Product]) -> dict[str, PriceStanding]:
        """Returns where prices stand in their categories, by product; none while prices change."""
        prices = self._terms.prices(self._catalogue.version, self._catalogue.listing_version)
        if prices is None:
            return {}
        found = {product.id: prices.standing(product) for product in products}
        return {product_id: each for product_id, each in found.items() if each is not None}

    def close(self) -> None:
        """Waits for a reading under way."""
        self._terms.close()

    async def _run(self, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function)


class FilterFields:
    """What a filter may name, made once for each version of the index.

    Of five thousand attributes it takes 20 ms, and several services ask for it every few seconds.
    """

    def __init__(self) -> None:
        self._made: tuple[int, pb.StatsResponse] | None = None

    def of(self, version: int, attributes: Mapping[str, frozenset[ValueKind]]) -> pb.StatsResponse:
        """Returns a response with these fields alone.

        Args:
            version: Of the index.
            attributes: Kinds of values by attribute.
        """
        if self._made is None or self._made[0] != version:
            fields = [pb.FilterField(name=name, kind=kind) for name, kind in FILTER_FIELDS.items()]
            for key, kinds in sorted(attributes.items()):
                name = f"{ATTRIBUTES}{key}"
                fields += [pb.FilterField(name=name, kind=kind) for kind in sorted(kinds)]
            self._made = (version, pb.StatsResponse(filter_fields=fields))
        return self._made[1]


def _add_terms(response: pb.StatsResponse, terms: CatalogueTerms) -> None:
    """Adds what the catalogue's texts hold."""
    response.category_counts.update(terms.category_counts)
    response.brands.extend(_term_counts(terms.brands))
    response.product_types.extend(_term_counts(terms.product_types))
    response.vocabulary.extend(_term_counts(terms.vocabulary))
    response.word_pairs.extend(_term_counts(terms.word_pairs))


def _term_counts(counts: Counts) -> list[pb.TermCount]:
    return [pb.TermCount(term=term, count=count) for term, count in counts]
