"""From results to reasons: collect facts, write claims, verify them, join what stands."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import Counter

from services.reason.evidence import query_facts
from services.reason.facts import Claim, Fact, PagePrices, Scene
from services.reason.generate import VERSION, claim, compose, plan
from services.reason.language import choose_language
from services.reason.relations import relation_facts
from services.reason.search_facts import search_facts
from services.reason.standing import standing_facts
from services.reason.verify import Verifier
from shared.errors import InvalidArgumentError
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.recommend.v1.relation_pb2 import Relation
from wherefore.retrieval.v1.candidate_pb2 import LegScore
from wherefore.retrieval.v1.price_standing_pb2 import PriceStanding

MAX_ITEMS, MAX_CLAUSES, DEFAULT_CLAUSES = 100, 5, 3
MAX_RELATIONS = 10

CLAIMS = Counter(
    "wherefore_reason_claims_total",
    'Claims verified, by verdict: "holds" or the cause of the rejection.',
    ("verdict",),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One result to explain."""

    product: Product
    anchors: Sequence[str] = ()
    relations: Sequence[Relation] = ()
    price_standing: PriceStanding | None = None
    legs: Sequence[LegScore] = ()


@dataclass(frozen=True, slots=True)
class ExplainInput:
    """What to explain."""

    items: Sequence[Item]
    query: QueryUnderstanding | None = None
    user: UserProfile | None = None
    language: str = ""
    max_clauses: int = 0


@dataclass(frozen=True, slots=True)
class WrittenReason:
    """A verified sentence. `text` is empty when no claim stood."""

    product_id: str
    text: str
    language: str
    claims: Sequence[Claim]
    facts: Sequence[Fact]
    """Those that the claims rest on, without repeats."""
    generator: str = VERSION
    """What wrote it, with its version."""
    by_model: bool = False
    """Whether that is a language model."""


class Explainer:
    """Writes verified reasons."""

    def __init__(self, verifier: Verifier, clock: Callable[[], float] = time.time) -> None:
        self._verifier = verifier
        self._clock = clock

    def explain(self, wanted: ExplainInput) -> Iterator[WrittenReason]:
        """Yields reasons in the order of the items, each as soon as it is written.

        Raises:
            InvalidArgumentError: Before the first reason; names the field at fault.
        """
        for _, reason in self.explain_scenes(wanted):
            yield reason

    def explain_scenes(self, wanted: ExplainInput) -> Iterator[tuple[Scene, WrittenReason]]:
        """Yields what `explain` does, each with all that its claims may rest on."""
        validate(wanted)
        of_query = wanted.query.language_code if wanted.query is not None else ""
        language = choose_language(wanted.language, of_query)
        page = PagePrices.of([item.product for item in wanted.items])
        now = self._clock()
        for item in wanted.items:
            scene = Scene(
                item.product,
                wanted.query,
                wanted.user,
                page,
                item.anchors,
                now,
                item.relations[:MAX_RELATIONS],
                item.price_standing,
                item.legs,
            )
            most = wanted.max_clauses or DEFAULT_CLAUSES
            yield scene, self.explain_one(scene, language, most)

    def explain_one(self, scene: Scene, language: str, max_clauses: int) -> WrittenReason:
        """Writes the reason of one product."""
        standing: list[Claim] = []
        product_id = scene.product.id
        found = [
            *query_facts(scene, language),
            *search_facts(scene),
            *relation_facts(scene),
            *standing_facts(scene, language),
        ]
        for fact in plan(found):
            if len(standing) == max_clauses:
                break
            written = claim(fact, language, product_id)
            verdict = self._verifier.check(written, scene, language)
            CLAIMS.labels(verdict.cause or "holds").inc()
            if verdict.holds:
                standing.append(written)
        text, spoken = compose(standing, language)
        facts = list(dict.fromkeys(fact for written in spoken for fact in written.facts))
        return WrittenReason(product_id, text, language, spoken, facts)


def validate(wanted: ExplainInput) -> None:
    """Checks the limits of the contract.

    Raises:
        InvalidArgumentError: Names the field at fault.
    """
    if not 1 <= len(wanted.items) <= MAX_ITEMS:
        raise InvalidArgumentError.of(
            "items", f"must hold 1 to {MAX_ITEMS} items, holds {len(wanted.items)}"
        )
    if not 0 <= wanted.max_clauses <= MAX_CLAUSES:
        raise InvalidArgumentError.of("max_clauses", f"must be 0 to {MAX_CLAUSES}")
    seen: set[str] = set()
    for index, item in enumerate(wanted.items):
        field = f"items[{index}].product.id"
        if not item.product.id:
            raise InvalidArgumentError.of(field, "must not be empty")
        if item.product.id in seen:
            raise InvalidArgumentError.of(field, "is there twice; send each product once")
        seen.add(item.product.id)
