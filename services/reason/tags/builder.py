"""A vocabulary out of what there is: the lexicons, and the attributes that a catalogue states."""

import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Final

from services.reason.tags.examples import Example
from services.reason.tags.vocabulary import (
    SELLING_POINT,
    Path,
    Term,
    TermId,
    Vocabulary,
    merge_forms,
)
from shared.text.lexicon import LexiconKind, canonical, forms
from shared.text.lexicon.kinds import read_entries
from shared.text.lexicon.matcher import phrase_key

LEXICON_KEYS: Final = {
    "colour": LexiconKind.COLOUR,
    "material": LexiconKind.MATERIAL,
    "audience": LexiconKind.AUDIENCE,
    "occasion": LexiconKind.OCCASION,
}
_CONDITIONS: Final = frozenset({"new", "second-hand"})
"""Of the lexicon's features those that state what a product is, not what speaks for it."""
_PRAISE: Final = FilePath(__file__).parent / "data" / "praise.toml"
_SIGNS: Final = re.compile(r"[®™©]+")
_NUMBER: Final = re.compile(r"[\d.,/ x×-]+")


@dataclass(frozen=True, slots=True)
class Limits:
    """What of a catalogue becomes a term.

    Attributes:
        products: Least products (variants count once) that state a value, and a key.
        length: Longest value, in code points.
        open_share: A key is no vocabulary where more than this share of its values is stated by one
            product alone, such as model names.
        values: Most values of a key, the most frequent ones.
    """

    products: int = 2
    length: int = 60
    open_share: float = 0.7
    values: int = 500


@cache
def praise_labels() -> Mapping[str, Mapping[str, str]]:
    """Returns the labels of praised aspects that come along."""
    return tomllib.loads(_PRAISE.read_text(encoding="utf-8"))


@cache
def default_vocabulary() -> Vocabulary:
    """Returns the vocabulary of the lexicons, for a shop that has none of its own."""
    terms = [
        Term(key, value, merge_forms((value,), forms(kind, value)))
        for key, kind in (*LEXICON_KEYS.items(), (SELLING_POINT, LexiconKind.FEATURE))
        for value in _canonical_values(kind)
        if value not in _CONDITIONS
    ]
    return Vocabulary(tuple(terms), praise_labels(), version="lexicon")


def _canonical_values(kind: LexiconKind) -> list[str]:
    return list(dict.fromkeys(entry.canonical for entry in read_entries(kind)))


def build_vocabulary(examples: Iterable[Example], limits: Limits | None = None) -> Vocabulary:
    """Returns the vocabulary of a catalogue: its own attribute values by category, with forms.

    Selling points of the lexicon are added everywhere; of the attributes only what the catalogue
    states is taken, in its own words.

    Args:
        examples: Its products, variants joined.
        limits: What is taken; defaults when None.
    """
    limits = limits or Limits()
    counts: Counter[TermId] = Counter()
    paths: dict[TermId, set[Path]] = defaultdict(set)
    users: Counter[str] = Counter()
    for example in examples:
        users.update({key for key, _ in example.stated})
        for term in example.stated:
            counts[term] += 1
            paths[term].add(example.path)
    by_key: dict[str, list[TermId]] = defaultdict(list)
    for term, _ in counts.most_common():
        by_key[term[0]].append(term)
    terms: list[Term] = []
    for key, stated in sorted(by_key.items()):
        if key != SELLING_POINT and _is_open(stated, counts, users[key], limits):
            continue
        common = [t for t in stated if _is_value(t[1], limits) and counts[t] >= limits.products]
        everywhere = _leaves(paths, common)
        terms += [
            Term(key, value, value_forms(key, value), everywhere)
            for _, value in common[: limits.values]
        ]
    return Vocabulary(_with_features(terms), praise_labels())


def value_forms(key: str, value: str) -> tuple[str, ...]:
    """Returns how texts write a value: as it is, without signs, and the lexicon's words for it.

    Numbers and single letters have no form: they stand in texts for other things.
    """
    plain = _SIGNS.sub(" ", value)
    found = [" ".join(plain.split())]
    if kind := LEXICON_KEYS.get(key) or (LexiconKind.FEATURE if key == SELLING_POINT else None):
        known = canonical(kind, plain)
        if known is not None:
            found += [known, *forms(kind, known)]
    return merge_forms(form for form in found if is_form(form))


def is_form(text: str) -> bool:
    """Whether a text can be looked for without finding other things."""
    key = phrase_key(text)
    return not _NUMBER.fullmatch(key) and (len(key) > 1 or not key.isascii())


def _is_open(stated: list[TermId], counts: Counter[TermId], users: int, limits: Limits) -> bool:
    alone = sum(counts[term] == 1 for term in stated)
    return users < limits.products or alone > limits.open_share * len(stated)


def _is_value(value: str, limits: Limits) -> bool:
    return len(value) <= limits.length and not _NUMBER.fullmatch(value)


def _leaves(paths: Mapping[TermId, set[Path]], terms: Iterable[TermId]) -> tuple[Path, ...]:
    """The categories that a key is stated in; none where a product without category states it."""
    found = {path for term in terms for path in paths[term]}
    return () if () in found else tuple(sorted(found))


def _with_features(terms: list[Term]) -> tuple[Term, ...]:
    known = {form for term in terms if term.is_selling_point for form in term.forms}
    features = [
        term
        for term in default_vocabulary().terms
        if term.is_selling_point and not known.intersection(term.forms)
    ]
    return (*terms, *features)
