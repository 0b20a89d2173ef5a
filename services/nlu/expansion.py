"""Expansion: related words for the sparse leg, foremost the same thing in the other language.

A Chinese query finds products that are only described in English, and the reverse, through the
lexicons: 无线鼠标 looks up "wireless" and "mouse" too, at less than the weight of its own words.

Words of the same language (the lexicons' synonyms, and what services/nlu/train/related_terms.py
learnt from catalogues and a taxonomy) stand in only for words that the catalogue hardly knows:
"earphones" looks up "earbuds" where no product is called earphones. Beside words with good matches
of their own they cost 0.04 of nDCG@10 on real queries ("desktop" found every "computer").
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.domain import Entity, Expansion
from services.nlu.entities import LEXICON_KINDS
from services.nlu.related_terms import related_terms
from shared.text.lexicon import canonical, forms
from shared.text.lexicon.matcher import plurals
from shared.text.normalise import fold
from shared.text.segmentation import stem_english
from shared.text.stop_words import STOP_WORDS

_OTHER_LANGUAGE: Final = 0.8
_SYNONYM: Final = 0.6
# A related term is less than a synonym: it is weighed by the confidence of having learnt it, too.
_RELATED: Final = 0.5
_PER_TERM: Final = 2
_LIMIT: Final = 24
# From so many products on, the catalogue has good matches for a word.
_GOOD_MATCHES: Final = 5


def expand(
    entities: Sequence[Entity],
    terms: CatalogueTerms | None = None,
    text: str = "",
    *,
    guarded: bool = True,
) -> list[Expansion]:
    """Returns related words of what a query names; nothing for what it excludes.

    Args:
        entities: What the query names.
        terms: The catalogue's own terms; without them only the other language is looked up.
        text: What is searched for, folded, for terms that no entity covers.
        guarded: Leave words with good matches alone; False only to measure what that is worth.
    """
    found: dict[tuple[str, str], Expansion] = {}
    for expansion in (*_translations(entities), *_stand_ins(entities, terms, text, guarded)):
        found.setdefault((expansion.term, expansion.expansion), expansion)
    return list(found.values())[:_LIMIT]


def _translations(entities: Sequence[Entity]) -> Iterator[Expansion]:
    for entity in entities:
        if not entity.negated:
            term = fold(entity.text)
            others = [form for form in _forms(entity) if form.isascii() is not term.isascii()]
            for word in others[:_PER_TERM]:
                yield Expansion(term, word, _OTHER_LANGUAGE)


def _stand_ins(
    entities: Sequence[Entity], terms: CatalogueTerms | None, text: str, guarded: bool
) -> Iterator[Expansion]:
    """Terms of the same language, for terms that the catalogue hardly knows."""
    if terms is None or not terms.vocabulary:
        return
    synonyms = {
        fold(entity.text): [form for form in _forms(entity) if form.isascii()]
        for entity in entities
        if not entity.negated and entity.text.isascii()
    }
    excluded = {fold(entity.text) for entity in entities if entity.negated}
    for term in dict.fromkeys((*synonyms, *_phrases(text))):
        if term in excluded or (guarded and _products(term, terms) >= _GOOD_MATCHES):
            continue
        weighed = [(word, _SYNONYM) for word in synonyms.get(term, ())]
        for other in related_terms().get(term, ()):
            weighed.append((other.term, _RELATED * other.confidence))
        # The index looks words up by their stems: a plural adds nothing to its singular.
        useful = {_stems(term): (term, 0.0)}
        for word, weight in weighed:
            if _products(word, terms) >= _GOOD_MATCHES:
                useful.setdefault(_stems(word), (word, weight))
        for word, weight in list(useful.values())[1 : _PER_TERM + 1]:
            yield Expansion(term, word, round(weight, 3))


def _stems(term: str) -> str:
    return " ".join(map(stem_english, term.split()))


def _forms(entity: Entity) -> list[str]:
    """How the lexicons write the same thing, in any language."""
    kind = LEXICON_KINDS.get(entity.type)
    if kind is None:
        return []
    # The lexicon spells brands as on the box; entities carry them folded.
    key = canonical(kind, entity.normalized) or entity.normalized
    return [fold(form) for form in forms(kind, key)]


def _phrases(text: str) -> list[str]:
    """Pairs of words, then words."""
    words = text.split()
    pairs = [f"{one} {two}" for one, two in pairwise(words)]
    return [*pairs, *(word for word in words if word not in STOP_WORDS)]


def _products(term: str, terms: CatalogueTerms) -> int:
    """In how many products' titles a term can stand at most: that of its rarest word."""
    return min((_count(word, terms) for word in term.split()), default=0)


def _count(word: str, terms: CatalogueTerms) -> int:
    forms = {word, *plurals(word), word.removesuffix("s")}
    return sum(terms.vocabulary.get(form, 0) for form in forms)
