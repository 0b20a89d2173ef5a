"""Which category goes with which: learnt from links, else from fits, else from attributes.

The surest source that says anything of a category is used for it:

1. Links between products, made by hand or by what shoppers did: the share of the links out of the
   category that lead to the other one, as in association rules (Agrawal, Imieliński and Swami,
   SIGMOD 1993, who call it confidence).
2. Products of one that fit products of the other: the share of those fits.
3. Categories below the same one whose products share attribute values: the cosine of how often
   each value occurs, discounted, as a guess. Not so wired and wireless headphones: names that end
   in the same word are of one kind, and one is bought in place of the other.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.recommend.graph.schema import Source
from shared.category_path import CATEGORY_SEPARATOR
from shared.text.analysis import terms

_MIN_LINKS = 2
_MAX_COMPLEMENTS = 8
_GUESS = 0.5
"""Discount of complements that only attributes tell."""
_MIN_WEIGHT = 0.02

Link = tuple[str, str]
"""Ids of two products: the one looked at, the one offered with it."""


@dataclass(frozen=True, slots=True)
class Complement:
    """One category goes with another."""

    category: str
    """Key of the category that is looked at."""
    complement: str
    """Key of the one that goes with it; the same where its products go together."""
    source: Source
    weight: float
    """Above 0, at most 1; see the module."""
    evidence: str


def learn_complements(
    categories: Mapping[str, str],
    *,
    links: Iterable[Link] = (),
    fits: Iterable[Link] = (),
    values: Mapping[str, Iterable[str]] | None = None,
    parents: Mapping[str, str] | None = None,
) -> list[Complement]:
    """Learn complements; the result is sorted and hangs on no order of the arguments.

    Args:
        categories: Key of the category by product id; links of other products are left out.
        links: Pairs of product ids.
        fits: Pairs of product ids: the accessory, the product it fits.
        values: Keys of attribute values by product id.
        parents: The category above, by category.

    Returns:
        At most 8 for a category, by category, then strongest first.
    """
    found = _shares(categories, sorted(links), Source.LINKS, "links")
    for category, some in _shares(
        categories, sorted((device, accessory) for accessory, device in fits),
        Source.COMPATIBILITY, "fitting pairs",
    ).items():  # fmt: skip
        found.setdefault(category, some)
    for category, some in _by_attributes(categories, values or {}, parents or {}).items():
        found.setdefault(category, some)
    return [
        complement
        for category in sorted(found)
        for complement in sorted(found[category], key=lambda c: (-c.weight, c.complement))[
            :_MAX_COMPLEMENTS
        ]
    ]


def _shares(
    categories: Mapping[str, str], pairs: Sequence[Link], source: Source, name: str
) -> dict[str, list[Complement]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for seed, other in pairs:
        if seed in categories and other in categories:
            counts[categories[seed]][categories[other]] += 1
    found: dict[str, list[Complement]] = defaultdict(list)
    for category, others in counts.items():
        total = others.total()
        for other, count in others.items():
            share = count / total
            if count >= _MIN_LINKS and share >= _MIN_WEIGHT:
                evidence = f"{count} of {total} {name}"
                found[category].append(Complement(category, other, source, share, evidence))
    return found


def _by_attributes(
    categories: Mapping[str, str], values: Mapping[str, Iterable[str]], parents: Mapping[str, str]
) -> dict[str, list[Complement]]:
    profiles: dict[str, Counter[str]] = defaultdict(Counter)
    for product, category in categories.items():
        # As an iterator: a counter would take a mapping's values for counts.
        profiles[category].update(iter(values.get(product, ())))
    below: dict[str, list[str]] = defaultdict(list)
    for category in sorted(profiles):
        if category in parents:
            below[parents[category]].append(category)
    found: dict[str, list[Complement]] = defaultdict(list)
    for siblings in below.values():
        for category in siblings:
            for other in siblings:
                if _kind(other) == _kind(category):
                    continue
                weight = _GUESS * _cosine(profiles[category], profiles[other])
                if weight >= _MIN_WEIGHT:
                    shared = len(profiles[category].keys() & profiles[other].keys())
                    evidence = f"{shared} shared attribute values"
                    found[category].append(
                        Complement(category, other, Source.ATTRIBUTES, weight, evidence)
                    )
    return found


def _kind(category: str) -> str:
    """Last word of a category's name: what its products are, in English and Chinese alike."""
    name = category.rsplit(CATEGORY_SEPARATOR, 1)[-1]
    return (terms(name) or [name])[-1]


def _cosine(one: Counter[str], other: Counter[str]) -> float:
    """Cosine of two counts, 0 to 1; summed in integers, so that order changes no bit."""
    product = sum(count * other[value] for value, count in one.items() if value in other)
    if not product:
        return 0.0
    norms = sum(n * n for n in one.values()) * sum(n * n for n in other.values())
    return min(1.0, product / math.sqrt(norms))
