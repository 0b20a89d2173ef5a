"""Features from words: how far titles, type, brand and codes say what the query says."""

from collections.abc import Sequence

from services.ranking.product_text import ProductText, TitleText, attribute_values
from services.ranking.query import QueryView, Wanted
from wherefore.common.v1.product_pb2 import Product

_NO_TITLE = TitleText({}, {}, frozenset(), " ")


def best_title(query: QueryView, text: ProductText) -> TitleText:
    """Returns the title that holds most of the query's terms: the one in the query's language."""
    if len(text.titles) == 1:
        return text.titles[0]
    return max(
        text.titles,
        key=lambda title: len(query.term_set & title.positions.keys()),
        default=_NO_TITLE,
    )


def title_coverage(query: QueryView, title: TitleText) -> float:
    """Share of the query's terms in the title, 0 to 1."""
    if not query.terms:
        return 0.0
    return len(query.term_set & title.positions.keys()) / len(query.terms)


def title_phrase(query: QueryView, title: TitleText) -> float:
    """1 when the query stands in the title word for word, else 0."""
    return float(bool(query.phrase) and query.phrase in title.joined)


def title_head(query: QueryView, title: TitleText) -> float:
    """How near the query's last word is to the head of the title's name, 0 to 1.

    English and Chinese noun phrases end with what they name: in "notebook case 17 inch" it is the
    case. 1 for the head itself, 1/2 one word before it, 1/3 two words before it; 0 when the word
    is not in the name.
    """
    if query.head not in title.head_distance:
        return 0.0
    return 1.0 / (1.0 + title.head_distance[query.head])


def title_focus(query: QueryView, title: TitleText) -> float:
    """Share of the title's terms that the query names, 0 to 1: short titles say little else."""
    if not title.positions:
        return 0.0
    return len(query.term_set & title.positions.keys()) / len(title.positions)


def accessory_mention(query: QueryView, title: TitleText) -> float:
    """Share of the query's terms that stand only after "for", "with", "适用": 0 to 1.

    Such a product goes with what is looked for and is something else.
    """
    if not query.terms:
        return 0.0
    return len(query.term_set & title.accessory) / len(query.terms)


def type_match(query: QueryView, text: ProductText) -> float:
    """How much of the product's type the query names, 0 to 1; 0 unless it names the type's head."""
    named = set(query.terms).union(*query.types)
    return max(
        (
            sum(term in named for term in kind) / len(kind)
            for kind in text.types
            if kind and kind[-1] in named
        ),
        default=0.0,
    )


def brand_match(query: QueryView, text: ProductText) -> float:
    """1 when the query names the product's brand, else 0."""
    if not text.brand:
        return 0.0
    if query.brands:
        return float(text.brand in query.brands)
    return float(bool(text.brand_terms) and all(term in query.terms for term in text.brand_terms))


def model_match(query: QueryView, text: ProductText) -> float:
    """1 when a model number of the query is one of the title's, else 0."""
    return float(bool(query.models & text.codes))


def holds(wanted: Wanted, product: Product, text: ProductText) -> bool:
    """Whether the product has a wanted value in its attribute, its titles or its tags."""
    values = text.values.get(wanted.key)
    if values is None and wanted.key:
        values = attribute_values(product, wanted.key)
    if values and (wanted.canonical in values or wanted.text in values):
        return True
    if any(
        wanted.terms and all(t in title.positions for t in wanted.terms) for title in text.titles
    ):
        return True
    return any(tag.casefold() in (wanted.canonical, wanted.text) for tag in product.tags)


def entity_agreement(query: QueryView, product: Product, text: ProductText) -> float:
    """Share of the wanted colours, sizes, materials, audiences … that the product has, 0 to 1."""
    if not query.wanted:
        return 0.0
    return sum(holds(wanted, product, text) for wanted in query.wanted) / len(query.wanted)


def text_features(query: QueryView, product: Product, text: ProductText) -> Sequence[float]:
    """Returns the features of this module in the order of `features.TEXT`."""
    title = best_title(query, text)
    return (
        title_coverage(query, title),
        title_phrase(query, title),
        title_head(query, title),
        title_focus(query, title),
        accessory_mention(query, title),
        type_match(query, text),
        brand_match(query, text),
        model_match(query, text),
        entity_agreement(query, product, text),
    )
