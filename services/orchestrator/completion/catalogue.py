"""What the catalogue offers as completions."""

from collections.abc import Iterator
from typing import Final

from services.orchestrator.completion.index import Entry, Source
from services.orchestrator.completion.keys import has_han
from shared.text.lexicon import LexiconKind, canonical
from shared.text.normalise import fold
from wherefore.retrieval.v1.retrieval_service_pb2 import StatsResponse

MAX_WORDS: Final = 10_000
_SHORTEST_WORD: Final = 3
_SHORTEST_HAN: Final = 2


def catalogue_entries(stats: StatsResponse) -> Iterator[Entry]:
    """Yields the product types, brands and top categories, and words of titles.

    A word that the lexicon knows as a kind of product is one here too: product types are seldom
    told in more than one language, and titles are.
    """
    named: set[str] = set()
    for source, counts in (
        (Source.PRODUCT_TYPE, [(each.term, each.count) for each in stats.product_types]),
        (Source.BRAND, [(each.term, each.count) for each in stats.brands]),
        (Source.CATEGORY, sorted(stats.category_counts.items())),
    ):
        for text, count in counts:
            named.add(fold(text))
            yield Entry(text, source, count)
    words = 0
    for each in stats.vocabulary:
        word = each.term
        shortest = _SHORTEST_HAN if has_han(word) else _SHORTEST_WORD
        if fold(word) in named or len(word) < shortest or not word.isalpha():
            continue
        words += 1
        is_type = canonical(LexiconKind.PRODUCT_TYPE, word) is not None
        yield Entry(word, Source.PRODUCT_TYPE if is_type else Source.TITLE_WORD, each.count)
        if words == MAX_WORDS:
            return
