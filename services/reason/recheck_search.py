"""Checks of what is claimed of the search, and of a price beside those of the category."""

import re
from collections.abc import Callable
from typing import Final

from services.reason.facts import Fact, Scene
from shared.text.analysis import terms
from wherefore.retrieval.v1.candidate_pb2 import LegScore

_DEEPEST: Final = 10
_NEAR: Final = 0.4
_SIGNS: Final = re.compile(r"[\W_]+")


def _leg(scene: Scene, name: str) -> LegScore | None:
    return next((leg for leg in scene.legs if leg.leg == name), None)


def _of_this_query(fact: Fact, scene: Scene) -> bool:
    return scene.query is not None and fact.meets == scene.query.query != ""


def _chosen(fact: Fact, scene: Scene) -> bool:
    leg = _leg(scene, "chosen")
    return (
        fact.source == "legs.chosen"
        and _of_this_query(fact, scene)
        and leg is not None
        and leg.rank == int(fact.value) > 0
    )


def _meaning(fact: Fact, scene: Scene) -> bool:
    leg = _leg(scene, "dense")
    if fact.source != "legs.dense" or leg is None or _leg(scene, "sparse") is not None:
        return False
    if not _of_this_query(fact, scene) or leg.rank != int(fact.value):
        return False
    words = set(terms(fact.meets))
    in_titles = any(words & set(terms(title)) for title in scene.product.titles.values())
    near = 1 <= leg.rank <= _DEEPEST and leg.score >= _NEAR
    return near and bool(words) and not in_titles


def _picture(fact: Fact, scene: Scene) -> bool:
    leg = _leg(scene, "picture")
    told = fact.source == "legs.picture" and not fact.meets
    return told and leg is not None and leg.rank == int(fact.value) and 1 <= leg.rank <= _DEEPEST


def _device(fact: Fact, scene: Scene) -> bool:
    prefix, _, key = fact.source.partition(".")
    if prefix != "attributes" or not key.startswith("compatib") or scene.query is None:
        return False
    if key not in scene.product.attributes or not fact.value or not fact.meets:
        return False
    entry = rf"(?<!\w){re.escape(fact.value)}(?!\w)"
    listed = any(
        re.search(entry, text.replace("\\n", " ")) for text in scene.product.attributes[key].texts
    )
    asked = re.search(rf"(?<![a-z0-9]){re.escape(fact.meets)}(?![a-z0-9])", scene.query.query)
    device, named = (_SIGNS.sub("", text).casefold() for text in (fact.value, fact.meets))
    model = bool(re.search(r"\d\D*\d", named)) and not named.isdigit()
    return listed and asked is not None and model and device.endswith(named)


def _cheaper(fact: Fact, scene: Scene) -> bool:
    dearer, compared = (int(part) for part in fact.value.split(" "))
    standing, price = scene.price_standing, scene.product.price
    if standing is None or fact.source != "category_path" or price.amount <= 0:
        return False
    return (
        standing.dearer_count == dearer
        and standing.compared_count == compared
        and 2 * dearer > compared >= dearer
        and standing.currency_code == price.currency_code
        and standing.category == fact.meets
        and list(scene.product.category_path[-1:]) == [fact.meets]
    )


SEARCH_RECHECKS: Final[dict[str, Callable[[Fact, Scene], bool]]] = {
    "chosen_before": _chosen,
    "meaning_match": _meaning,
    "picture_match": _picture,
    "compatible_with": _device,
    "price_in_category": _cheaper,
}
"""By code."""
