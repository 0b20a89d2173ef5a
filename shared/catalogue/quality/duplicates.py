"""Products that are listed twice.

Candidates share a GTIN, or have titles whose character 4-grams overlap (MinHash with banding:
Broder 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", 3.4). Each pair is then
compared as a whole: a word with a digit that only one title has, or an attribute that both state
differently, makes two products of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from rapidfuzz import fuzz

from shared.catalogue.quality.findings import Finding
from shared.catalogue.quality.values import Value, conflicts, sets_apart, stated, words
from shared.text.document import titles
from shared.text.normalise import fold
from shared.text.stop_words import STOP_WORDS
from wherefore.common.v1.product_pb2 import Product

_PERMUTATIONS: Final = 64
_CANDIDATE: Final = 0.5
"""Jaccard similarity at which a pair becomes a candidate, about."""
_GRAM: Final = 4
_LEAST: Final = 0.8
"""Likeness of two titles of one product, words in any order."""
_MOST_LEFT_OUT: Final = 2
"""Words that one title may have and the other not."""
_LETTERS, _TYPED = 4, 75.0
"""Shortest words, and their likeness, 0 to 100, that may be one with a typing error."""
_SAY_NOTHING: Final = STOP_WORDS | {"w"}
_PRICE_RATIO: Final = 2.0


def find_duplicates(
    products: Sequence[Product],
    advance: Callable[[int], None] = lambda _: None,
    values: Sequence[Mapping[str, Value]] | None = None,
) -> Iterator[Finding]:
    """Yields pairs of products that are one.

    Args:
        products: The catalogue.
        advance: Called with the number of products that were looked at since.
        values: What each states, by `values.stated`; read off them when None.
    """
    told: set[tuple[int, int]] = set()
    for pair, gtin in _same_gtin(products):
        told.add(pair)
        one, other = (products[n] for n in pair)
        yield _finding(one, other, 0.99, f"GTIN {gtin}")
    values = [stated(product) for product in products] if values is None else values
    for pair in _candidates(products, advance):
        if pair in told:
            continue
        one, other = (products[n] for n in pair)
        likeness = same(one, other, values[pair[0]], values[pair[1]])
        if likeness:
            yield _finding(one, other, likeness, f"{titles(one)[0]} = {titles(other)[0]}")


def same(
    one: Product, other: Product, of_one: Mapping[str, Value], of_other: Mapping[str, Value]
) -> float:
    """Returns how sure two products are one, 0 where something speaks against it."""
    if one.brand and other.brand and fold(one.brand) != fold(other.brand):
        return 0.0
    if set(one.gtins) and set(other.gtins) and not set(one.gtins) & set(other.gtins):
        return 0.0  # each is another trade item by its own account
    if one.variant_group_id and one.variant_group_id == other.variant_group_id:
        return 0.0
    cheap, dear = sorted((one.price.amount, other.price.amount))
    if cheap and dear > _PRICE_RATIO * cheap:
        return 0.0
    if conflicts(of_one, of_other):
        return 0.0
    first, second = (_told(titles(product)[0]) for product in (one, other))
    return _likeness(first, second, of_one, of_other)


def _told(title: str) -> list[str]:
    return [word for word in words(title) if word not in _SAY_NOTHING]


def _likeness(
    first: Sequence[str],
    second: Sequence[str],
    of_one: Mapping[str, Value],
    of_other: Mapping[str, Value],
) -> float:
    """Returns the share of words that two titles have in common, typing errors forgiven.

    Titles of one product may leave a word out. Where each has a word that the other lacks, or what
    one leaves out sets variants apart, they are two products, and it is 0.
    """
    only_first, only_second = _without_each_other(first, second)
    if (only_first and only_second) or len(only_first) + len(only_second) > _MOST_LEFT_OUT:
        return 0.0
    if any(sets_apart(word, of_one) for word in only_first):
        return 0.0
    if any(sets_apart(word, of_other) for word in only_second):
        return 0.0
    typed = fuzz.token_sort_ratio(" ".join(first), " ".join(second)) / 100
    return typed if typed >= _LEAST else 0.0


def _without_each_other(first: Sequence[str], second: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the words of each that match none of the other, each match being used once."""
    left, lacking = list(second), list[str]()
    for word in sorted(first, key=lambda word: word not in left):  # whole matches come first
        best = max(left, key=lambda other: fuzz.ratio(word, other), default="")
        if word in left:
            left.remove(word)
        elif (
            min(len(word), len(best)) >= _LETTERS
            and not any(sign.isdigit() for sign in word + best)
            and fuzz.ratio(word, best) >= _TYPED
        ):
            left.remove(best)
        else:
            lacking.append(word)
    return lacking, left


def _same_gtin(products: Sequence[Product]) -> Iterator[tuple[tuple[int, int], str]]:
    by_gtin: defaultdict[str, list[int]] = defaultdict(list)
    for index, product in enumerate(products):
        for gtin in product.gtins:
            by_gtin[gtin.lstrip("0")].append(index)
    seen: set[tuple[int, int]] = set()
    for gtin, members in by_gtin.items():
        for pair in combinations(sorted(set(members)), 2):
            if pair not in seen:
                seen.add(pair)
                yield pair, gtin


def _candidates(
    products: Sequence[Product], advance: Callable[[int], None]
) -> Iterator[tuple[int, int]]:
    """Yields pairs of indices whose titles overlap, the smaller first."""
    from datasketch import MinHash, MinHashLSH

    index: Any = MinHashLSH(threshold=_CANDIDATE, num_perm=_PERMUTATIONS)
    for number, product in enumerate(products):
        text = " ".join(sorted(words(titles(product)[0])))
        sketch: Any = MinHash(num_perm=_PERMUTATIONS)
        grams = {text[n : n + _GRAM] for n in range(max(1, len(text) - _GRAM + 1))}
        sketch.update_batch([gram.encode() for gram in grams])
        yield from ((other, number) for other in sorted(index.query(sketch)))
        index.insert(number, sketch)
        advance(1)


def _finding(one: Product, other: Product, confidence: float, evidence: str) -> Finding:
    kept, dropped = sorted((one, other), key=_worth, reverse=True)
    return Finding(
        kind="duplicate",
        severity="error",
        products=(dropped.id, kept.id),
        field="id",
        message=f"is {kept.id} once more: delete one, and move its history to the other",
        confidence=round(confidence, 3),
        fix={"delete": True},
        evidence=evidence,
    )


def _worth(product: Product) -> tuple[int, int, str]:
    """Of two the one with more history stays, then the one that says more."""
    counts = product.statistics
    history = counts.purchase_count + counts.view_count + product.review_summary.rating_count
    return history, product.ByteSize(), product.id
