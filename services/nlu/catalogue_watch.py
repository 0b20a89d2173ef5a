"""The catalogue's terms as retrieval describes them, for the NLU."""

from services.nlu.catalogue_terms import CatalogueTerms
from shared.text.normalise import fold
from wherefore.retrieval.v1.retrieval_service_pb2 import StatsResponse


def to_terms(stats: StatsResponse) -> CatalogueTerms:
    """Translates the answer of retrieval."""
    vocabulary: dict[str, int] = {}
    for item in stats.vocabulary:
        word = fold(item.term)
        vocabulary[word] = vocabulary.get(word, 0) + item.count
    return CatalogueTerms(
        version=stats.index_version,
        brands=tuple(item.term for item in stats.brands),
        product_types=tuple(item.term for item in stats.product_types),
        vocabulary=vocabulary,
        word_pairs={fold(item.term): item.count for item in stats.word_pairs},
    )
