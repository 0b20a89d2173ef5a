"""Which products the same people chose together, counted as events come in.

A pair counts once for each actor (a user, or a visit of a visitor) who had to do with both within a
window of time, so that counts are counts of people and one of them alone moves nothing far. Scores
are by lift (Brin et al., "Dynamic itemset counting and implication rules for market basket data",
SIGMOD 1997, who call it interest): how much more often both were chosen than chance would have it.
Its logarithm is discounted for small counts, which lift alone overrates.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.recommend.serving.found import Evidence, Found, Tie

MIN_ACTORS = 2
"""Fewer say nothing, and would tell what one person did."""
_DISCOUNT = 2.0
"""Actors at which half of the lift counts."""
_MAX_NEIGHBOURS = 2_000
"""Of one product; past it, the rarest half is forgotten."""


@dataclass(slots=True)
class _Actor:
    recent: dict[str, float] = field(default_factory=dict[str, float])
    """When each of the latest products was chosen last, the latest last."""
    counted: set[int] = field(default_factory=set[int])
    """Hashes of the products and pairs that the actor was counted for: a hundred bytes for a pair
    of ids would be most of the memory, and 64 bits do not collide in one actor's life."""


class CoOccurrence:
    """Counts of actors by product and by pair. Not thread-safe: use it from one event loop."""

    def __init__(self, tie: Tie, window_seconds: float, products_back: int) -> None:
        """Begin with nothing.

        Args:
            tie: What the evidence is called.
            window_seconds: Longest time between two choices that are together.
            products_back: Latest products of an actor that a new one is paired with.
        """
        self._tie = tie
        self._window = window_seconds
        self._back = products_back
        self._people: defaultdict[str, _Actor] = defaultdict(_Actor)
        self._actors: Counter[str] = Counter()
        self._pairs: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.link_count = 0
        """How many links there are, those included that were forgotten since."""

    def count(self, actor: str, product_ids: Sequence[str], at: float) -> None:
        """Counts what an actor chose at a time, in seconds since 1970; in any order of times."""
        person = self._people[actor]
        for product_id in dict.fromkeys(product_ids):
            if _is_new(person.counted, product_id):
                self._actors[product_id] += 1
            for other, then in person.recent.items():
                near = other != product_id and abs(at - then) <= self._window
                if near and _is_new(person.counted, *sorted((product_id, other))):
                    self._add(product_id, other)
                    self._add(other, product_id)
            latest = max(at, person.recent.pop(product_id, at))
            person.recent[product_id] = latest
            if len(person.recent) > self._back:
                del person.recent[next(iter(person.recent))]

    def forget(self, actor: str) -> None:
        """Takes back all that an actor was counted for."""
        person = self._people.pop(actor, None)
        if person is None:
            return
        # Only hashes are kept: what they stand for is found by trying what was counted at all.
        chosen = sorted(each for each in self._actors if hash((each,)) in person.counted)
        for product_id in chosen:
            self._actors[product_id] -= 1
        for place, one in enumerate(chosen):
            for other in chosen[place + 1 :]:
                if hash((one, other)) in person.counted:
                    self._take(one, other)
                    self._take(other, one)
        self._actors += Counter()  # drops those of nobody

    def links(self) -> list[tuple[str, str]]:
        """Returns the pairs that at least two actors chose together, each in both directions."""
        return [
            (one, other)
            for one, others in self._pairs.items()
            for other, actors in others.items()
            if actors >= MIN_ACTORS
        ]

    def together_with(self, product_id: str) -> dict[str, int]:
        """Returns how many chose each product together with one, of those that at least two did."""
        others = self._pairs.get(product_id, Counter[str]())
        return {other: actors for other, actors in others.items() if actors >= MIN_ACTORS}

    def actors(self, product_id: str) -> int:
        """Returns how many chose a product."""
        return self._actors[product_id]

    def beside(self, product_id: str, limit: int) -> list[Found]:
        """Returns the products chosen together with one more often than by chance, best first."""
        own = self._actors[product_id]
        everyone = len(self._people)
        found: list[Found] = []
        for other, actors in self.together_with(product_id).items():
            lift = actors * everyone / (own * self._actors[other])
            if lift >= 1.0:
                score = math.log1p(lift) * actors / (actors + _DISCOUNT)
                evidence = Evidence(self._tie, product_id, customers=actors)
                found.append(Found(other, score, (evidence,)))
        return sorted(found, key=lambda each: (-each.score, each.product_id))[:limit]

    def _take(self, one: str, other: str) -> None:
        neighbours = self._pairs[one]
        if neighbours[other] > 1:
            neighbours[other] -= 1
        else:  # none is left, or the pair was forgotten as rare before
            neighbours.pop(other, None)

    def _add(self, one: str, other: str) -> None:
        neighbours = self._pairs[one]
        neighbours[other] += 1
        self.link_count += neighbours[other] == MIN_ACTORS
        if len(neighbours) > _MAX_NEIGHBOURS:
            self._pairs[one] = Counter(dict(neighbours.most_common(_MAX_NEIGHBOURS // 2)))


def _is_new(counted: set[int], *ids: str) -> bool:
    """Whether something was not counted yet; it is from here on."""
    key = hash(ids)
    if key in counted:
        return False
    counted.add(key)
    return True
