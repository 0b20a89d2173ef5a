"""Evidence of the search itself: which leg found the product, and the devices it is made for.

A product that shares no word with the query is there for its meaning, which is worth saying, as a
shopper sees no other reason. What shoppers chose after the same query is counted by the
orchestrator, of three users or more (services/orchestrator/choices.py).
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from services.reason.facts import Fact, Scene
from shared.text.analysis import terms
from shared.text.normalise import fold
from shared.text.product_values import squeeze
from wherefore.common.v1.product_pb2 import Product

MAX_MEANING_RANK: Final = 10
"""Place in the dense leg down to which a product is called close in meaning."""
MIN_COSINE: Final = 0.4
"""Of query and product: in a small shop the tenth of the dense leg may be about something else."""
MAX_PICTURE_RANK: Final = 10
"""Place in the leg of pictures down to which it is told. What cosine is near differs from encoder
to encoder, so the place is told and not that it is near."""
_LISTS: Final = (
    "compatibility",
    "compatible_device",
    "compatible_devices",
    "compatible_model",
    "compatible_models",
    "compatible_product",
    "compatible_products",
    "compatible_with",
)
"""Attributes that list devices; operating systems, memory cards and like have keys of their own."""
_BREAK: Final = re.compile(r"\\n|[\n,;/|•，；、]|\s-\s|^-\s|\([^)]*\)")
_PIECE: Final = re.compile(r"[^\W_][\w.+-]*", re.ASCII)
_MAX_ENTRY, _MAX_WORDS = 40, 5
"""Characters of an entry, and words of the query that may name one."""
_MIN_DESIGNATION: Final = 3


def search_facts(scene: Scene) -> Iterator[Fact]:
    """Yields what the search knows of the product."""
    legs = {leg.leg: leg for leg in scene.legs}
    picture = legs.get("picture")
    if picture is not None and 0 < picture.rank <= MAX_PICTURE_RANK:
        yield Fact("picture_match", "legs.picture", str(picture.rank), "", 0.7)
    if scene.query is None or not scene.query.query.strip():
        return
    yield from _device_facts(scene.product, scene.query.query)
    if (chosen := legs.get("chosen")) is not None:
        yield Fact("chosen_before", "legs.chosen", str(chosen.rank), scene.query.query, 0.55)
    dense = legs.get("dense")
    if dense is None or "sparse" in legs or not 0 < dense.rank <= MAX_MEANING_RANK:
        return
    if dense.score < MIN_COSINE:
        return
    asked = _terms(scene.query.query)
    titled = {term for title in scene.product.titles.values() for term in _terms(title)}
    if asked and not asked & titled:
        yield Fact("meaning_match", "legs.dense", str(dense.rank), scene.query.query, 0.2)


def _device_facts(product: Product, query: str) -> Iterator[Fact]:
    """The device of the query that the product's lists of compatible ones hold, the longest."""
    asked: dict[str, str] | None = None
    found: list[tuple[str, str, str]] = []
    for key, text in _lists(product):
        asked = _runs(query) if asked is None else asked
        for entry, names in _devices(text):
            named = next((asked[name] for name in names if name in asked), "")
            if named:
                found.append((key, entry, named))
    if found:
        key, entry, named = max(found, key=lambda each: len(each[1]))
        yield Fact("compatible_with", f"attributes.{key}", entry, named, 0.92)


def devices_of(product: Product) -> list[str]:
    """Returns what the product's lists of compatible devices hold that carries a model's name."""
    return [entry for _, text in _lists(product) for entry, _ in _devices(text)]


def _lists(product: Product) -> Iterator[tuple[str, str]]:
    attributes = product.attributes
    for key in _LISTS:
        if key in attributes:
            for text in attributes[key].texts:
                yield key, text


@lru_cache(maxsize=2_048)
def _devices(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Entries of a list, each with what a query may call it: all of it or its end, squeezed."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for part in _BREAK.split(text):
        entry = part.strip(" -.")
        if not 0 < len(entry) <= _MAX_ENTRY:
            continue
        words = entry.split()
        keys = (squeeze("".join(words[start:])) for start in range(len(words)))
        if names := tuple(key for key in keys if _is_designation(key)):
            found.append((entry, names))
    return tuple(found)


def _is_designation(key: str) -> bool:
    digits = sum(character.isdigit() for character in key)
    return len(key) >= _MIN_DESIGNATION and 1 < digits < len(key)


@lru_cache(maxsize=1_024)
def _runs(query: str) -> dict[str, str]:
    """Runs of words of a query, as written, by what they are squeezed."""
    words = [(found.start(), found.end()) for found in _PIECE.finditer(query)]
    found: dict[str, str] = {}
    for first in range(len(words)):
        for last in range(first, min(first + _MAX_WORDS, len(words))):
            text = query[words[first][0] : words[last][1]]
            found.setdefault(squeeze(text), text)
    return found


@lru_cache(maxsize=4_096)
def _terms(text: str) -> frozenset[str]:
    return frozenset(terms(fold(text)))
