"""From results to reasons: collect facts, write claims, verify them, join what stands."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from prometheus_client import Counter as Metric

from services.reason.disclosures import disclosures, running_low, with_disclosures
from services.reason.evidence import query_facts
from services.reason.facts import Claim, Fact, PagePrices, Scene, facts_of
from services.reason.generate import VERSION, plan
from services.reason.language import choose_language
from services.reason.own import own_facts
from services.reason.ranking_facts import ranking_facts
from services.reason.relations import relation_facts
from services.reason.search_facts import search_facts
from services.reason.standing import standing_facts
from services.reason.varied import PageWords, Sayable
from services.reason.verify import Verifier
from shared.errors import InvalidArgumentError
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.ranking.v1.ranked_result_pb2 import Contribution
from wherefore.reason.v1.disclosure_pb2 import Disclosure
from wherefore.recommend.v1.relation_pb2 import Relation
from wherefore.retrieval.v1.candidate_pb2 import LegScore
from wherefore.retrieval.v1.price_standing_pb2 import PriceStanding

MAX_ITEMS, MAX_CLAUSES, DEFAULT_CLAUSES = 100, 5, 3
MAX_RELATIONS = 10

CLAIMS = Metric(
    "wherefore_reason_claims_total",
    'Claims verified, by verdict: "holds" or the cause of the rejection.',
    ("verdict",),
)


class Item(NamedTuple):
    """One result to explain."""

    product: Product
    anchors: Sequence[str] = ()
    relations: Sequence[Relation] = ()
    price_standing: PriceStanding | None = None
    legs: Sequence[LegScore] = ()
    contributions: Sequence[Contribution] = ()
    disclosure: Disclosure | None = None


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
    cached: bool = False
    """Whether it wrote the words for an earlier request."""


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
        for scene, reason in self.explain_scenes(wanted):
            yield disclosed(reason, scene)

    def explain_scenes(self, wanted: ExplainInput) -> Iterator[tuple[Scene, WrittenReason]]:
        """Yields what `explain` does, each with all that its claims may rest on.

        What is to be disclosed is left to `disclosed`, as others may word the rest.
        """
        validate(wanted)
        of_query = wanted.query.language_code if wanted.query is not None else ""
        language = choose_language(wanted.language, of_query)
        page = PagePrices.of([item.product for item in wanted.items])
        now = self._clock()
        scenes = [
            Scene(
                item.product,
                wanted.query,
                wanted.user,
                page,
                item.anchors,
                now,
                item.relations[:MAX_RELATIONS],
                item.price_standing,
                item.legs,
                item.contributions,
                item.disclosure,
            )
            for item in wanted.items
        ]
        yield from self._write(scenes, language, wanted.max_clauses or DEFAULT_CLAUSES)

    def _write(
        self, scenes: Sequence[Scene], language: str, most: int
    ) -> Iterator[tuple[Scene, WrittenReason]]:
        verdicts: Counter[str] = Counter()
        # What tells a product from the others is known once the facts of all are.
        page = [
            Sayable(
                scene.product.id,
                plan(find_facts(scene, language)),
                partial(self._holds, scene, language, verdicts),
            )
            for scene in scenes
        ]

        def own(index: int) -> Sequence[Fact]:
            return list(own_facts(scenes[index].product, language, page[index].planned))

        words = PageWords(language, most, page, own)
        try:
            for index, scene in enumerate(scenes):
                text, claims = words.say(index)
                facts = facts_of(claims)
                yield scene, WrittenReason(scene.product.id, text, language, claims, facts)
        finally:
            for verdict, count in verdicts.items():
                CLAIMS.labels(verdict or "holds").inc(count)

    def _holds(self, scene: Scene, language: str, verdicts: Counter[str], claim: Claim) -> bool:
        verdict = self._verifier.check(claim, scene, language)
        verdicts[verdict.cause] += 1  # counted once a page: the metric takes a lock
        return verdict.holds


def disclosed(reason: WrittenReason, scene: Scene) -> WrittenReason:
    """Returns a reason that says at its end what the shop did to the product's place."""
    told = disclosures(scene, reason.language)
    if not told:
        return reason
    text = with_disclosures(reason.text, told, reason.language)
    claims = [*reason.claims, *told]
    return replace(reason, text=text, claims=claims, facts=facts_of(claims))


def find_facts(scene: Scene, language: str) -> Iterator[Fact]:
    """Yields all that speaks for a product and may be said of it."""
    yield from query_facts(scene, language, brief=True)
    yield from search_facts(scene)
    yield from relation_facts(scene)
    yield from ranking_facts(scene)
    yield from standing_facts(scene, language)
    yield from running_low(scene)


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
