"""Attributes that a product lacks and its own texts state.

What can be proposed is learnt from the catalogue: for each attribute of a category the values that
its products have, looked for as words in title and description. How often what the texts say is
what is stated, among the products that state it, is the confidence of a proposal.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.catalogue.quality.findings import Finding
from shared.text.document import titles
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import AttributeValue, Product

_USUAL: Final = 0.5
"""Share of a category's products that state an attribute from which on the others lack it."""
_FEW: Final = 8
"""Products of a category below which nothing is learnt of it."""
_SEEN: Final = 2
"""Products that must state a value before it is looked for."""
_VALUES: Final = 400
"""Different values above which an attribute is a name, such as a model's."""
_LEAST: Final = 0.8
"""Confidence below which nothing is proposed: what is missing is told alone."""
_WINDOW: Final = 60
Category = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value that the texts state."""

    value: Mapping[str, Any]
    """As `fixes.apply` sets it: texts, or numbers with their unit."""
    evidence: str


class Attribute:
    """One attribute of one category: how often it is stated, and what its values look like."""

    def __init__(self, key: str, stated: Sequence[tuple[Product, AttributeValue]]) -> None:
        self.key = key
        """Its name."""
        texts: Counter[str] = Counter()
        spelled: dict[str, str] = {}
        units: Counter[str] = Counter()
        for _, value in stated:
            for text in value.texts:
                texts[fold(text)] += 1
                spelled.setdefault(fold(text), text)
            if value.numbers and value.unit:
                units[value.unit] += 1
        known = [text for text, count in texts.items() if count >= _SEEN and len(text) > 1]
        self._spelled = spelled
        self._texts = _any_of(known) if 0 < len(known) <= _VALUES else None
        self._unit = units.most_common(1)[0][0] if units else ""
        unit = re.escape(fold(self._unit))
        self._number = re.compile(rf"(?<![\d.,])(\d+(?:\.\d+)?)\s?-?{unit}(?![^\W\d_])")
        self.trust = self._trust(stated)
        """How often a proposal is what is stated, with one pretended success and failure."""

    def propose(self, product: Product) -> Proposal | None:
        """Returns the value that title and description state; None for none, or for several."""
        for text in (*titles(product), *product.descriptions.values()):
            folded = fold(text)
            found: dict[str, str] = {}
            if self._texts:
                for hit in self._texts.finditer(folded):
                    found.setdefault(hit[0], _around(folded, hit))
                if len(found) == 1:
                    ((value, evidence),) = found.items()
                    return Proposal({"texts": [self._spelled[value]]}, evidence)
            elif self._unit:
                for hit in self._number.finditer(folded):
                    found.setdefault(hit[1], _around(folded, hit))
                if len(found) == 1:
                    ((value, evidence),) = found.items()
                    return Proposal({"numbers": [float(value)], "unit": self._unit}, evidence)
            if found:
                return None  # several values: which one is meant, only a person knows
        return None

    def _trust(self, stated: Sequence[tuple[Product, AttributeValue]]) -> float:
        right = asked = 0
        for product, value in stated:
            proposal = self.propose(product)
            if proposal is not None:
                asked += 1
                right += _agrees(proposal, value)
        return (right + 1) / (asked + 2)


def find_missing_attributes(
    products: Sequence[Product], advance: Callable[[int], None] = lambda _: None
) -> Iterator[Finding]:
    """Yields attributes that most of a category state and a product does not.

    Args:
        products: The catalogue.
        advance: Called with the number of products that were looked at since.
    """
    by_category: defaultdict[Category, list[Product]] = defaultdict(list)
    for product in products:
        by_category[tuple(product.category_path)].append(product)
    for category, members in by_category.items():
        if category and len(members) >= _FEW:
            for attribute, share in usual(members):
                # What stands for all of its variants has no colour or size of its own.
                told = {p.variant_group_id for p in members if attribute.key in p.attributes}
                for product in members:
                    group = product.variant_group_id
                    if attribute.key not in product.attributes and (not group or group not in told):
                        yield _finding(product, category, attribute, share)
        advance(len(members))


def usual(members: Sequence[Product]) -> Iterator[tuple[Attribute, float]]:
    """Yields the attributes that most products of a category state, each with the share."""
    stated: defaultdict[str, list[tuple[Product, AttributeValue]]] = defaultdict(list)
    for product in members:
        for key, value in product.attributes.items():
            stated[key].append((product, value))
    for key, found in stated.items():
        if len(found) >= _USUAL * len(members):
            yield Attribute(key, found), len(found) / len(members)


def _finding(product: Product, category: Category, attribute: Attribute, share: float) -> Finding:
    proposal = attribute.propose(product) if attribute.trust >= _LEAST else None
    what = f"is missing, and {share:.0%} of {' > '.join(category)} state it"
    if proposal is None:
        return Finding(
            "missing_attribute",
            "hint",
            (product.id,),
            f'attributes["{attribute.key}"]',
            what,
            confidence=round(share, 3),
        )
    said = ", ".join(map(str, proposal.value.get("texts") or proposal.value["numbers"]))
    return Finding(
        "missing_attribute",
        "warning",
        (product.id,),
        f'attributes["{attribute.key}"]',
        f"{what}; its own text says {said} {proposal.value.get('unit', '')}".rstrip(),
        confidence=round(attribute.trust, 3),
        fix={"attribute": {attribute.key: proposal.value}},
        evidence=proposal.evidence,
    )


def _agrees(proposal: Proposal, value: AttributeValue) -> bool:
    if "texts" in proposal.value:
        return fold(proposal.value["texts"][0]) in map(fold, value.texts)
    return proposal.value["numbers"][0] in list(value.numbers)


def _any_of(values: Sequence[str]) -> re.Pattern[str]:
    """A pattern of any of the values as whole words, the longest first."""
    parts: list[str] = []
    for value in sorted(values, key=len, reverse=True):
        before = r"(?<![^\W_])" if value[0].isascii() and value[0].isalnum() else ""
        behind = r"(?![^\W_])" if value[-1].isascii() and value[-1].isalnum() else ""
        parts.append(f"{before}{re.escape(value)}{behind}")
    return re.compile("|".join(parts))


def _around(text: str, hit: re.Match[str]) -> str:
    start, end = max(0, hit.start() - _WINDOW // 2), min(len(text), hit.end() + _WINDOW // 2)
    return text[start:end].strip()
