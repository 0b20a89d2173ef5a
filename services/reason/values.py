"""Values of attributes: where they stand and when two words mean the same."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from services.reason.language import is_chinese
from shared.text.analysis import terms
from shared.text.lexicon import LexiconKind, canonical, forms
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import EntityType

ATTRIBUTE_KEYS: Final = {
    EntityType.ENTITY_TYPE_COLOUR: "colour",
    EntityType.ENTITY_TYPE_SIZE: "size",
    EntityType.ENTITY_TYPE_MATERIAL: "material",
    EntityType.ENTITY_TYPE_AUDIENCE: "audience",
    EntityType.ENTITY_TYPE_OCCASION: "occasion",
}
_LEXICONS: Final = {
    "colour": LexiconKind.COLOUR,
    "material": LexiconKind.MATERIAL,
    "audience": LexiconKind.AUDIENCE,
    "occasion": LexiconKind.OCCASION,
}


def warm_up() -> None:
    """Reads the lexicons, so that the first pages do not wait for them."""
    for kind in (*_LEXICONS.values(), LexiconKind.PRODUCT_TYPE):
        canonical(kind, "")
        forms(kind, "")


def known_values(product: Product, key: str) -> list[str]:
    """Returns the text values of an attribute, lists like "Black,White" split."""
    attribute = product.attributes.get(key)
    return [part for text in attribute.texts for part in _split(text)] if attribute else []


@lru_cache(maxsize=4_096)
def _split(text: str) -> tuple[str, ...]:
    parts = text.replace("，", ",").replace("、", ",").replace("/", ",").split(",")
    return tuple(part.strip() for part in parts if part.strip())


@lru_cache(maxsize=16_384)
def meaning(key: str, text: str) -> str:
    """Returns the canonical value of a word of an attribute, or its folded terms."""
    kind = _LEXICONS.get(key)
    known = canonical(kind, text) if kind is not None else None
    return known or " ".join(terms(text)) or fold(text)


@lru_cache(maxsize=4_096)
def names(key: str, text: str) -> tuple[str, ...]:
    """Returns the value itself and every word of the lexicon that means the same."""
    kind = _LEXICONS.get(key)
    known = canonical(kind, text) if kind is not None else None
    return (text, *forms(kind, known)) if kind is not None and known else (text,)


def local_word(key: str, text: str, language: str) -> str:
    """Returns the usual word for a value in a language; the value itself when there is none."""
    wants_chinese = language == "zh"
    if is_chinese(text) == wants_chinese:
        return text
    return next((name for name in names(key, text) if is_chinese(name) == wants_chinese), text)


@lru_cache(maxsize=4_096)
def kind_word(name: str, language: str) -> str:
    """Returns the usual word for a category or kind of product in a language; "" without one."""
    if is_chinese(name) == (language == "zh"):
        return name
    known = canonical(LexiconKind.PRODUCT_TYPE, name)
    words = forms(LexiconKind.PRODUCT_TYPE, known) if known else ()
    found = next((word for word in words if is_chinese(word) == (language == "zh")), "")
    # Forms are folded; Chinese writes a letter before Han large, as in T恤.
    return re.sub(r"^[a-z](?=[\u4e00-\u9fff])", lambda letter: letter[0].upper(), found)


def called(product: Product) -> list[str]:
    """Returns what the catalogue calls a product: its titles, kinds and categories."""
    kinds = known_values(product, "product_type")
    return [*product.titles.values(), *kinds, *product.category_path]


def is_narrower(asked: str, kind: str, texts: Iterable[str]) -> bool:
    """Whether a word asks for more than a kind, and no text says that it is there.

    Lexicons put green tea under tea: who asks for it does not ask for white tea.

    Args:
        asked: Word of the query, such as "green tea".
        kind: Of the product, such as "tea".
        texts: What the catalogue calls the product.
    """
    more = _more_than(asked, kind)
    if not more:
        return False
    folded = [fold(text) for text in texts]
    return any(
        not any(word in (text if is_chinese(word) else terms(text)) for text in folded)
        for word in more
    )


@lru_cache(maxsize=4_096)
def _more_than(asked: str, kind: str) -> tuple[str, ...]:
    """Returns what stands before the kind, or another name of it, in a word; the least there is."""
    known = canonical(LexiconKind.PRODUCT_TYPE, asked)
    heads = {kind, *(forms(LexiconKind.PRODUCT_TYPE, known) if known else ())}
    said, word = tuple(terms(asked)), fold(asked)
    if is_chinese(asked):
        before = [word.removesuffix(fold(head)) for head in heads if word.endswith(fold(head))]
        left = min(filter(None, before), key=len, default="")
        # One character more is another name of the same: 照相机 is no narrower than 相机.
        return (left,) if len(left) > 1 else ()
    tails = (tuple(terms(head)) for head in heads if not is_chinese(head))
    found = [said[: -len(tail)] for tail in tails if tail and said[-len(tail) :] == tail != said]
    return min(found, key=len, default=())


def same_value(key: str, left: str, others: Iterable[str]) -> bool:
    """Whether a value means one of the others: "Black", "黑色" and "black" do."""
    return meaning(key, left) in _meanings(key, tuple(others))


@lru_cache(maxsize=4_096)
def _meanings(key: str, texts: tuple[str, ...]) -> frozenset[str]:
    """What any of the texts means: a page asks for the same of each product."""
    return frozenset(meaning(key, text) for text in texts if text)


def find_value(product: Product, key: str, wanted: Iterable[str]) -> str | None:
    """Returns the product's own word for one of the wanted values, or None."""
    known = known_values(product, key)
    meant = _meanings(key, tuple(wanted)) if known else frozenset[str]()
    return next((value for value in known if meaning(key, value) in meant), None)
