"""A simulated shop whose shoppers change their taste: products, searches, shoppers, and the truth.

The products are those of the bundled catalogue. What shoppers want is hidden from the ranker, and
of another make than its features: the price among rivals and the fashion of brands, of which it
knows nothing without a profile, and stars, age and fame in forms of their own, of which its
features tell a part. Retrieval is simulated: its legs know a product's relevance up to noise.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.clicks.behaviour import examination
from services.ranking.ranker import Prepared, Ranker, RankInput
from shared.catalogue import bundled_catalogue_path, read_catalogue
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore

Floats = NDArray[np.float64]

CANDIDATES, PLACES, QUERIES = 60, 10, 40
SEVERITY: Final = 0.8
"""Of the shoppers' bias towards the top, which the learner takes to be 1 at first."""
WANTS: Final = ("cheap", "good", "new", "famous")
FIRST_TASTE: Final = np.array([0.0, 0.3, 0.1, 0.3])
"""What the weights of the file were made for: a little liking for what is good and famous."""
RELEVANCE, INDIVIDUAL, NEUTRAL, MISTAKE = 3.0, 0.7, 3.2, 0.02
DAY: Final = 86_400.0


@dataclass(frozen=True)
class Search:
    """One query of the shop, with its candidates."""

    text: str
    prepared: Prepared
    """Candidates with the features that the ranking service computes."""
    relevance: Floats
    """(candidates,) true, about 0 to 1."""
    traits: Floats
    """(candidates, WANTS)."""
    brands: NDArray[np.int64]
    """(candidates,)."""


@dataclass(frozen=True)
class Taste:
    """What shoppers want at one time."""

    wants: Floats
    brands: Floats


def attraction(search: Search, taste: Taste, individual: Floats | float = 0.0) -> Floats:
    """Returns (candidates,) how likely who looks at a product clicks it."""
    return liking(search.relevance, search.traits, search.brands, taste, individual)


def liking(
    relevance: Floats,
    traits: Floats,
    brands: NDArray[np.int64],
    taste: Taste,
    individual: Floats | float = 0.0,
) -> Floats:
    """Returns (products,) how likely who looks at a product clicks it, by what it is like."""
    utility = RELEVANCE * relevance + traits @ taste.wants + taste.brands[brands] + individual
    return 1.0 / (1.0 + np.exp(NEUTRAL - utility))


def worth(order: Sequence[int], attracts: Floats) -> float:
    """Clicks to expect of a page in this order, of shoppers who look as these do."""
    shown = list(order)[:PLACES]
    return float(examination(len(shown), SEVERITY) @ attracts[shown])


class Shop:
    """The catalogue and its searches.

    Args:
        ranker: Computes the features.
        random: Where chance comes from.
    """

    def __init__(self, ranker: Ranker, random: np.random.Generator) -> None:
        rows = read_catalogue(bundled_catalogue_path())
        self._products = [row.product for row in rows if row.product is not None]
        names = sorted({product.brand for product in self._products})
        self._brand_of = {name: number for number, name in enumerate(names)}
        self.brands = len(names)
        by_leaf: defaultdict[str, list[int]] = defaultdict(list)
        for number, product in enumerate(self._products):
            by_leaf[product.category_path[-1]].append(number)
        wide = sorted(name for name, members in by_leaf.items() if len(members) >= PLACES)
        chosen = random.choice(wide, size=min(QUERIES, len(wide)), replace=False)
        self.searches = [
            self._search(str(name), set(by_leaf[str(name)]), ranker, random) for name in chosen
        ]

    def _search(
        self, name: str, leaf: set[int], ranker: Ranker, random: np.random.Generator
    ) -> Search:
        inside = sorted(leaf)
        top = self._products[inside[0]].category_path[0]
        beside = [
            number
            for number, product in enumerate(self._products)
            if number not in leaf and product.category_path[0] == top
        ]
        inside = random.permutation(inside)[:CANDIDATES].tolist()
        beside = random.permutation(beside)[: CANDIDATES - len(inside)].tolist()
        numbers = [*inside, *beside]
        products = [self._products[number] for number in numbers]
        relevance = np.array([1.0] * len(inside) + [0.3] * len(beside))
        relevance += random.normal(0.0, 0.15, len(numbers))
        understanding = QueryUnderstanding(query=name, search_text=name.lower(), language_code="en")
        candidates = _candidates(products, relevance, random)
        wanted = RankInput(candidates=candidates, query=understanding, limit=PLACES)
        return Search(
            name,
            ranker.prepare(wanted),
            relevance,
            traits_of(products),
            np.array([self._brand_of[product.brand] for product in products]),
        )


def _candidates(
    products: Sequence[Product], relevance: Floats, random: np.random.Generator
) -> list[Candidate]:
    dense = np.clip(0.25 + 0.3 * relevance + random.normal(0, 0.06, len(products)), 0.0, 1.0)
    sparse = np.clip(6.0 * relevance + random.normal(0, 2.0, len(products)), 0.1, None)
    ranks = [np.argsort(np.argsort(-scores)) + 1 for scores in (dense, sparse)]
    fused = sum(1.0 / (60.0 + each) for each in ranks)
    return [
        Candidate(
            product=product,
            fused_score=float(fused[row]),
            fused_rank=row + 1,
            legs=[
                LegScore(leg="dense", score=float(dense[row]), rank=int(ranks[0][row])),
                LegScore(leg="sparse", score=float(sparse[row]), rank=int(ranks[1][row])),
            ],
        )
        for row, product in enumerate(products)
    ]


def traits_of(products: Sequence[Product]) -> Floats:
    """Returns (products, WANTS), each about -1 to 1 among the candidates of one search."""
    prices = np.array([product.price.amount for product in products])
    stars = np.array([product.review_summary.average_rating for product in products])
    released = np.array([float(product.release_time.seconds) for product in products])
    views = np.array([float(product.statistics.view_count) for product in products])
    columns = [_places(-prices), (stars - 4.2) / 0.5, _places(released), _places(views)]
    return np.clip(np.stack(columns, axis=1), -1.5, 1.5)


def _places(values: Floats) -> Floats:
    """Ranks, from -1 to 1."""
    return 2.0 * np.argsort(np.argsort(values, kind="stable")) / max(len(values) - 1, 1) - 1.0


def tastes(pages: int, brands: int, random: np.random.Generator, *, drifts: bool) -> list[Taste]:
    """Returns what shoppers want at every page.

    Taste wanders from the one that the file's weights were made for to one that is drawn, and on
    to another; after two thirds of the pages it changes from one page to the next.
    """
    first = np.concatenate([FIRST_TASTE, random.normal(0.0, 0.3, brands)])
    if not drifts:
        return [Taste(first[: len(WANTS)], first[len(WANTS) :])] * pages

    def drawn() -> Floats:
        wants = random.normal(0.0, 1.2, len(WANTS))
        return np.concatenate([wants, random.normal(0.0, 0.5, brands)])

    switch = 2 * pages // 3
    knots = [(0, first), (switch // 2, drawn()), (switch - 1, drawn())]
    after = [(switch, drawn()), (pages - 1, drawn())]
    found: list[Taste] = []
    for page in range(pages):
        line = knots if page < switch else after
        at = max(number for number, (start, _) in enumerate(line) if start <= page)
        (start, begin), (end, goal) = line[at], line[min(at + 1, len(line) - 1)]
        share = (page - start) / max(end - start, 1)
        now = begin + share * (goal - begin)
        found.append(Taste(now[: len(WANTS)], now[len(WANTS) :]))
    return found
