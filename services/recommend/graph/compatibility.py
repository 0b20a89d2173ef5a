"""Which product fits which, found where the model that one names is the model that another carries.

A match needs more than equal words, as many words look like models ("Cat5e", "DDR2"):

- one brand alone carries the designation, and the accessory names this brand or is of it;
- the two are not in the same category: two toners for one printer do not fit each other;
- the product named is a device. It claims to fit nothing, its title lists no two models of a series
  ("C780, C782 Magenta Cartridge") and holds no word of accessories. These words are learnt from the
  catalogue: most products with such a word in their titles claim to fit something ("toner").
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.recommend.graph.designations import (
    Designation,
    Mention,
    family,
    fitted_brands,
    mentions,
    own_designations,
)
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

EXACT = 1.0
FAMILY = 0.8
"""Weight where the models differ in the letters behind the number: LaserJet 4250 and 4250n."""
_MAX_OWNERS = 40
"""Products that may carry a designation; what more carry is no model but a standard."""
_ACCESSORY_SHARE = 0.6
_MIN_WORD_SUPPORT = 5
_SERIES = re.compile(r"([a-z]+)(\d{2,})")
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Fit:
    """One product fits another."""

    accessory: str
    """Id of the product that names the model."""
    device: str
    """Id of the product that carries it."""
    designation: str
    """The model as the accessory writes it."""
    stated: bool
    """A compatibility attribute names it."""
    weight: float


@dataclass(frozen=True, slots=True)
class _Reading:
    brand: str
    category: str
    words: frozenset[str]
    own: Mapping[str, Designation]
    mentions: Mapping[str, Mention]


def find_fits(products: Sequence[Product], categories: Mapping[str, str]) -> list[Fit]:
    """Return every fit, in order of ids; the order of the products does not matter.

    Args:
        products: The catalogue.
        categories: Key of the category by product id; products in none are left out of it.
    """
    read = {
        product.id: _Reading(
            fold(product.brand),
            categories.get(product.id, ""),
            frozenset(
                word for title in product.titles.values() for word in _WORD.findall(fold(title))
            ),
            own_designations(product),
            mentions(product),
        )
        for product in sorted(products, key=lambda product: product.id)
    }
    by_id = {product.id: product for product in products}
    owners = _owners(read)
    fits: dict[tuple[str, str], Fit] = {}
    for accessory, reading in read.items():
        brands: frozenset[str] | None = None
        for key, mention in reading.mentions.items():
            for device, weight in _carriers(owners, key):
                other = read[device]
                if device == accessory or (reading.category and reading.category == other.category):
                    continue
                if other.brand != reading.brand:
                    brands = fitted_brands(by_id[accessory]) if brands is None else brands
                    if not other.brand or not set(other.brand.split()) <= brands:
                        continue
                fit = Fit(accessory, device, mention.designation.text, mention.stated, weight)
                kept = fits.get((accessory, device))
                if kept is None or _strength(fit) > _strength(kept):
                    fits[accessory, device] = fit
    return [fits[pair] for pair in sorted(fits)]


def _strength(fit: Fit) -> tuple[float, bool, int, str]:
    return fit.weight, fit.stated, len(fit.designation), fit.designation


def _accessory_words(read: Mapping[str, _Reading]) -> frozenset[str]:
    every = Counter(word for reading in read.values() for word in reading.words)
    fitting = Counter(
        word for reading in read.values() if reading.mentions for word in reading.words
    )
    return frozenset(
        word
        for word, count in fitting.items()
        if every[word] >= _MIN_WORD_SUPPORT and count / every[word] >= _ACCESSORY_SHARE
    )


def _owners(read: Mapping[str, _Reading]) -> dict[str, dict[str, float]]:
    """Devices by the designations they carry, with the weight of the match; see the module."""
    accessory_words = _accessory_words(read)
    owners: dict[str, dict[str, float]] = defaultdict(dict)
    for product_id, reading in read.items():
        if reading.mentions or reading.words & accessory_words or _lists_models(reading.own):
            continue
        for key in reading.own:
            owners[family(key)].setdefault(product_id, FAMILY)
            owners[key][product_id] = EXACT
    return {
        key: carriers
        for key, carriers in owners.items()
        if len(carriers) <= _MAX_OWNERS and len({read[each].brand for each in carriers}) == 1
    }


def _lists_models(own: Iterable[str]) -> bool:
    series: dict[str, set[str]] = defaultdict(set)
    for key in own:
        if parts := _SERIES.match(key):
            series[parts[1]].add(parts[2])
    return any(len(numbers) > 1 for numbers in series.values())


def _carriers(owners: Mapping[str, Mapping[str, float]], key: str) -> list[tuple[str, float]]:
    """Devices that a mention means. A variant named never means another variant of the family."""
    found = owners.get(key)
    if found:
        return list(found.items())
    above = owners.get(family(key), {})
    return [(device, FAMILY) for device, weight in above.items() if weight == EXACT]
