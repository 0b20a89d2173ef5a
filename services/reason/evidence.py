"""Evidence from the query and the product: what was asked for and is there.

Only what the catalogue states becomes evidence; what is missing is never taken to be so.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final

from services.reason.facts import Fact, Scene
from services.reason.language import is_chinese, title_in
from services.reason.values import (
    ATTRIBUTE_KEYS,
    called,
    find_value,
    is_narrower,
    known_values,
    same_value,
)
from shared.text.analysis import Term, analyse
from shared.text.normalise import fold
from wherefore.nlu.v1.query_understanding_pb2 import (
    ENTITY_TYPE_BRAND,
    ENTITY_TYPE_PRODUCT_TYPE,
    Constraint,
    Entity,
    QueryUnderstanding,
)

_MODEL_PREFIX: Final = 2
"""Letters before the hyphen of a model, which alone name none."""
_DENIED: Final = re.compile(r"\b(?:non|anti|no|not|without)[\s-]+$|[不防无]$", re.IGNORECASE)
"""Before a word of a title that denies it: "non-slip" does not name "slip"."""
_DENIALS: Final = frozenset("不非无未没别")
"""Words that say nothing without what they deny: 不泛白 does not name 不油腻."""
_MIN_SHARE: Final = 0.5
"""Of the query's words that kind, brand, attributes and title hold, for the title to be named: a
switch for monitors is not what "nintendo switch games" asks for."""
_PIECES: Final = frozenset({"pc", "pcs", "pk", "set", "sets", "pack", "pair", "new", "size"})
"""Words of titles that say nothing alone."""


@lru_cache(maxsize=4_096)
def _analysed(text: str) -> tuple[Term, ...]:
    """Titles come back in page after page, and the query once per product."""
    return tuple(analyse(text))


@lru_cache(maxsize=4_096)
def _terms(text: str) -> frozenset[str]:
    return frozenset(term.normalized for term in _analysed(text) if term.normalized)


def query_facts(scene: Scene, language: str, *, brief: bool = False) -> Iterator[Fact]:
    """Yields what the product has of what the query asks for.

    Args:
        scene: The product with what is known.
        language: Of the reason.
        brief: Whether to leave out words of the title, the slowest to find, where the kind of
            product is named: `generate.plan` lets only the kind speak then.
    """
    if scene.query is None:
        return
    told: set[str] = set()
    kind_named = False
    for entity in scene.query.entities:
        if not entity.negated:
            for fact in _entity_facts(scene, entity):
                told |= _terms(fact.value) | _terms(fact.meets)
                kind_named = kind_named or fact.code == "product_type_match"
                yield fact
    for constraint in scene.query.constraints:
        yield from _constraint_facts(scene, scene.query, constraint)
    if not (brief and kind_named):
        yield from _title_facts(scene, scene.query, language, told)


def _entity_facts(scene: Scene, entity: Entity) -> Iterator[Fact]:
    product, text = scene.product, entity.text
    if entity.type in ATTRIBUTE_KEYS:
        key = ATTRIBUTE_KEYS[entity.type]
        value = find_value(product, key, (entity.normalized, text))
        if value is not None:
            yield Fact("attribute_match", f"attributes.{key}", value, text, 0.9)
    elif entity.type == ENTITY_TYPE_BRAND:
        if product.brand and fold(product.brand) in (fold(text), fold(entity.normalized)):
            yield Fact("brand_match", "brand", product.brand, text, 0.85)
    elif entity.type == ENTITY_TYPE_PRODUCT_TYPE:
        value = find_value(product, "product_type", (entity.normalized, text))
        if is_narrower(text, entity.normalized, called(product)):
            return
        if value is not None:
            yield Fact("product_type_match", "attributes.product_type", value, text, 0.8)
        elif product.category_path and same_value(
            "product_type", product.category_path[-1], (entity.normalized, text)
        ):
            yield Fact("product_type_match", "category_path", product.category_path[-1], text, 0.8)


def _constraint_facts(
    scene: Scene, query: QueryUnderstanding, constraint: Constraint
) -> Iterator[Fact]:
    product = scene.product
    priced = constraint.field == "price" and constraint.HasField("range")
    # "About 3000" is looked for up to 3600, which is nobody's limit.
    if priced and constraint.hard and product.HasField("price"):
        amount, wanted = product.price.amount, constraint.range
        low = wanted.min if wanted.HasField("min") else None
        high = wanted.max if wanted.HasField("max") else None
        if (low is None or amount >= low) and high is not None and amount <= high and amount > 0:
            value = f"{amount!r} {product.price.currency_code}"
            yield Fact("price_fit", "price.amount", value, repr(high), 0.95)
    elif constraint.HasField("none_of"):
        known = known_values(product, constraint.field)
        for unwanted in constraint.none_of.values:
            if known and not any(same_value(constraint.field, v, (unwanted,)) for v in known):
                meets = query.query[constraint.start : constraint.end] or unwanted
                said = _unwanted_words(query, constraint.field, unwanted, meets)
                yield Fact(
                    "exclusion_met", f"attributes.{constraint.field}", ", ".join(known), said, 0.91
                )


def _unwanted_words(query: QueryUnderstanding, field: str, unwanted: str, span: str) -> str:
    """Returns the unwanted value as the query has it ("黑色" of "不要黑色"), else its canonical."""
    for entity in query.entities:
        if entity.negated and same_value(field, entity.text, (unwanted,)):
            return entity.text
    return span if same_value(field, span, (unwanted,)) else unwanted


def _tells(piece: str) -> bool:
    """Whether a piece of a title says something alone: no letter, number or "pcs" does."""
    return any(
        len(word) > 1 and not word.isdigit() and word not in _PIECES for word in fold(piece).split()
    )


@lru_cache(maxsize=1_024)
def _words(text: str) -> tuple[frozenset[str], ...]:
    """Terms of each word of a query that says something alone: "tn-2110" is one word."""
    words: list[tuple[int, int, frozenset[str]]] = []
    for term in _analysed(text):
        if words and term.start < words[-1][1]:
            start, end, held = words.pop()
            words.append((start, max(end, term.end), held | {term.normalized}))
        elif term.normalized:
            words.append((term.start, term.end, frozenset({term.normalized})))
    return tuple(
        held
        for start, end, held in words
        if _tells(text[start:end]) or not (text[start:end].isascii() or text[start:end] in _DENIALS)
    )


def _share_met(text: str, found: AbstractSet[str]) -> float:
    """Returns how many of a query's words are found, 0 to 1; 1 of a query without such words."""
    words = _words(text)
    return sum(not word.isdisjoint(found) for word in words) / len(words) if words else 1.0


@lru_cache(maxsize=1_024)
def _rewritten(text: str) -> frozenset[str]:
    """Terms that a title may hold in other letters: stems and measures, and no Han."""
    return frozenset(term for term in _terms(text) if not is_chinese(term))


def _may_hold(title: str, asked: str, told: AbstractSet[str]) -> bool:
    """Whether a title may hold a term that is asked for and not told.

    Spares most the segmentation of Han, which is slow.
    """
    if not _rewritten(asked) <= told:
        return True
    folded = fold(title)
    return any(term in folded for term in _terms(asked) - told)


def _title_facts(
    scene: Scene, query: QueryUnderstanding, language: str, told: AbstractSet[str]
) -> Iterator[Fact]:
    """Words of the query that stand in the title, one fact for all of them.

    Pieces of which all is `told` as attribute, kind or brand are left out.
    """
    tag, title = title_in(scene.product, language)
    asked_text = query.search_text or query.normalized_query or query.query
    wanted = _terms(asked_text)
    if not title or not _may_hold(title, asked_text, told) or wanted.isdisjoint(_terms(title)):
        return
    spans: list[tuple[int, int, set[str]]] = []
    seen: set[str] = set()
    for term in _analysed(title):
        if term.normalized not in wanted or term.normalized in _DENIALS:
            continue
        overlaps = bool(spans) and term.start < spans[-1][1]
        after = title[term.end : term.end + 2]
        if term.end - term.start <= _MODEL_PREFIX and after[:1] == "-" and after[1:].isdigit():
            continue  # TN-2110 is not what "TN-11BK" names
        if _DENIED.search(title[: term.start]):
            continue
        if term.normalized not in seen and not overlaps:
            seen.add(term.normalized)
            if spans and title[spans[-1][1] : term.start] in ("", " ", "-"):
                # Words that stand together stay together.
                start, _, held = spans.pop()
                spans.append((start, term.end, held | {term.normalized}))
            else:
                spans.append((term.start, term.end, {term.normalized}))
    telling = [span for span in spans if not span[2] <= told and _tells(title[span[0] : span[1]])]
    found = {term for _, _, held in telling for term in held}
    if not found or _share_met(asked_text, found | told) < _MIN_SHARE:
        return
    words = ", ".join(title[start:end] for start, end, _ in telling)
    asked = [t.text for t in _analysed(query.query) if t.normalized in found]
    share = len(found) / len(wanted)
    if asked:
        yield Fact(
            "title_match", f"titles.{tag}", words, " ".join(dict.fromkeys(asked)), 0.6 * share
        )
