"""Scenes to learn from: what a shopper may have asked, looked at and bought, for real products.

Queries, users and ties are drawn at random over a catalogue's own products, and the service's own
code then finds the evidence, so that the model learns the combinations that it will be served. What
a catalogue does not state (stars, sales, a list price) is drawn, for training alone.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Final

from services.reason.evidence import query_facts
from services.reason.facts import Fact, PagePrices, Scene
from services.reason.generate import plan
from services.reason.language import is_chinese, title_in
from services.reason.relations import relation_facts
from services.reason.search_facts import devices_of, search_facts
from services.reason.standing import ASPECTS, standing_facts
from services.reason.values import ATTRIBUTE_KEYS, known_values, local_word, meaning, same_value
from shared.category_path import category_text
from shared.text.lexicon.kinds import LexiconKind, read_entries
from shared.text.lexicon.lookup import forms
from wherefore.common.v1.product_pb2 import Availability, Product
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import EntityType, QueryUnderstanding
from wherefore.recommend.v1 import relation_pb2
from wherefore.retrieval.v1.candidate_pb2 import LegScore
from wherefore.retrieval.v1.price_standing_pb2 import PriceStanding

NOW: Final = 1_750_000_000.0
"""When the scenes take place, in seconds since the epoch."""
PAGE: Final = 10
MAX_TITLE: Final = 80
"""Longest title that a drawn history or tie names."""
_LIMITS: Final = (1.05, 1.2, 1.5, 2.0)
_TIES: Final = (
    relation_pb2.RELATION_KIND_BOUGHT_TOGETHER,
    relation_pb2.RELATION_KIND_VIEWED_TOGETHER,
    relation_pb2.RELATION_KIND_FITS,
    relation_pb2.RELATION_KIND_FITTED_BY,
    relation_pb2.RELATION_KIND_GOES_WITH,
    relation_pb2.RELATION_KIND_STEP_UP,
    relation_pb2.RELATION_KIND_BOUGHT_BEFORE,
    relation_pb2.RELATION_KIND_SIMILAR,
)
_LEXICONS: Final = {
    EntityType.ENTITY_TYPE_COLOUR: LexiconKind.COLOUR,
    EntityType.ENTITY_TYPE_MATERIAL: LexiconKind.MATERIAL,
}


def facts_of(scene: Scene, language: str) -> list[Fact]:
    """Returns the facts of a scene as `Explainer` plans them, strongest first."""
    found = [
        *query_facts(scene, language),
        *search_facts(scene),
        *relation_facts(scene),
        *standing_facts(scene, language),
    ]
    return plan(found)


class SceneSampler:
    """Draws scenes over the products of a catalogue.

    Args:
        products: Two at least; those of one split.
        rng: Of every draw.
    """

    def __init__(self, products: Sequence[Product], rng: random.Random) -> None:
        self._products = products
        self._rng = rng
        self._values = {
            kind: sorted({entry.canonical for entry in read_entries(lexicon)})
            for kind, lexicon in _LEXICONS.items()
        }

    def draw(self, product: Product, language: str) -> Scene:
        """Returns a scene about a product, whose query is in a language."""
        rng = self._rng
        product = self._complete(product)
        others = [self._complete(rng.choice(self._products)) for _ in range(PAGE - 1)]
        anchors: tuple[str, ...] = ()
        user = None
        if rng.random() < 0.35:  # noqa: PLR2004
            user, anchors = self._user(product, others, language)
        query = self._query(product, language) if rng.random() < 0.85 else None  # noqa: PLR2004
        return Scene(
            product,
            query,
            user,
            PagePrices.of([product, *others]),
            anchors,
            NOW,
            self._relations(product, others, language),
            self._standing(product),
            self._legs(),
        )

    def _standing(self, product: Product) -> PriceStanding | None:
        if not product.category_path or not self._chance(0.4):
            return None
        compared = self._rng.randint(10, 120)
        return PriceStanding(
            category=product.category_path[-1],
            currency_code=product.price.currency_code,
            compared_count=compared,
            dearer_count=self._rng.randint(compared // 2, compared),
        )

    def _legs(self) -> list[LegScore]:
        found = [LegScore(leg="chosen", rank=1, score=1.0)] if self._chance(0.12) else []
        if self._chance(0.3):
            found.append(LegScore(leg="dense", rank=self._rng.randint(1, 10), score=0.6))
        return found

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share

    def _complete(self, product: Product) -> Product:
        """A copy with what shops know and open catalogues leave out, where it is left out."""
        rng, full = self._rng, Product()
        full.CopyFrom(product)
        if not full.HasField("price") or full.price.amount <= 0:
            full.price.amount = float(rng.choice((9.9, 19, 35, 49.5, 89, 129, 299, 1299)))
            full.price.currency_code = rng.choice(("EUR", "USD", "CNY"))
        if full.price.list_amount <= 0 and self._chance(0.25):
            full.price.list_amount = round(full.price.amount * rng.uniform(1.06, 1.7), 2)
        summary = full.review_summary
        if summary.rating_count == 0 and self._chance(0.6):
            summary.rating_count = int(rng.lognormvariate(4, 1.3)) + 1
            summary.average_rating = round(rng.uniform(3.4, 4.95), 2)
        if not summary.opinions and self._chance(0.5):
            for aspect in rng.sample(ASPECTS, rng.randint(1, 2)):
                summary.opinions.add(
                    aspect=aspect,
                    positive_count=rng.randint(2, 60),
                    negative_count=rng.randint(0, 6),
                )
        if full.statistics.purchase_count == 0 and self._chance(0.4):
            full.statistics.purchase_count = int(rng.lognormvariate(3.3, 1))
        if not full.stock.availability and self._chance(0.7):
            full.stock.availability = Availability.AVAILABILITY_IN_STOCK
        if self._chance(0.15):
            full.release_time.seconds = int(NOW) - rng.randint(0, 60) * 86_400
        return full

    def _query(self, product: Product, language: str) -> QueryUnderstanding:
        rng = self._rng
        words: list[str] = []
        query = QueryUnderstanding(language_code=language)

        def ask(kind: EntityType.ValueType, value: str, text: str) -> None:
            query.entities.add(type=kind, text=text, normalized=value)
            words.append(text)

        for kind, key in ATTRIBUTE_KEYS.items():
            values = known_values(product, key)
            if values and self._chance(0.45):
                value = rng.choice(values)
                ask(kind, meaning(key, value), local_word(key, value, language))
        if product.brand and self._chance(0.3):
            ask(EntityType.ENTITY_TYPE_BRAND, product.brand, product.brand)
        types = known_values(product, "product_type") or list(product.category_path[-1:])
        if types and self._chance(0.4):
            kind_of = types[0]
            usual = [f for f in forms(LexiconKind.PRODUCT_TYPE, kind_of) if is_chinese(f)]
            text = usual[0] if language == "zh" and usual else kind_of
            ask(EntityType.ENTITY_TYPE_PRODUCT_TYPE, kind_of, text)
        if self._chance(0.5):
            title = title_in(product, language)[1].split()
            words += rng.sample(title, min(len(title), rng.randint(1, 2)))
        query.search_text = " ".join(words)
        if (devices := devices_of(product)) and self._chance(0.5):
            words.append(rng.choice(devices))
        self._exclude(product, query, words, language)
        if self._chance(0.4):
            limit = product.price.amount * rng.choice(_LIMITS)
            step = 10 ** max(0, len(str(int(limit))) - 2)
            limited = query.constraints.add(field="price", hard=True)
            limited.range.max = float((int(limit) // step + 1) * step)
        query.query = " ".join(words)
        return query

    def _exclude(
        self, product: Product, query: QueryUnderstanding, words: list[str], language: str
    ) -> None:
        if not self._chance(0.2):
            return
        kind = self._rng.choice(tuple(_LEXICONS))
        key = ATTRIBUTE_KEYS[kind]
        unwanted = self._rng.choice(self._values[kind])
        known = known_values(product, key)
        if not known or any(same_value(key, value, (unwanted,)) for value in known):
            return
        text = local_word(key, unwanted, language)
        query.entities.add(type=kind, text=text, normalized=unwanted, negated=True)
        query.constraints.add(field=key).none_of.values.append(unwanted)
        words.append(text)

    def _user(
        self, product: Product, others: Sequence[Product], language: str
    ) -> tuple[UserProfile, tuple[str, ...]]:
        user = UserProfile()
        anchors: tuple[str, ...] = ()
        known = self._other(product, others, language)
        if known is not None and self._chance(0.6):
            recent = user.recent_products.add(product_id=known.id)
            recent.title = title_in(known, language)[1]
            recent.action = self._rng.choice(("view", "purchase"))
            anchors = (known.id,)
        if product.brand and self._chance(0.4):
            user.brand_affinities[product.brand.lower()] = self._rng.uniform(0.2, 0.9)
        if product.category_path and self._chance(0.4):
            user.category_affinities[category_text(product.category_path)] = 0.5
        return user, anchors

    def _relations(
        self, product: Product, others: Sequence[Product], language: str
    ) -> list[relation_pb2.Relation]:
        found: list[relation_pb2.Relation] = []
        if not self._chance(0.3):
            return found
        for kind in self._rng.sample(_TIES, self._rng.randint(1, 2)):
            relation = relation_pb2.Relation(kind=kind)
            other = self._other(product, others, language)
            if kind == relation_pb2.RELATION_KIND_BOUGHT_BEFORE:
                relation.purchase_count = self._rng.randint(1, 6)
                relation.age_seconds = self._rng.randint(0, 300) * 86_400 + 60
            elif other is None:
                continue
            else:
                relation.product_id = other.id
                relation.product_title = title_in(other, language)[1]
                relation.customer_count = self._rng.randint(2, 300)
                relation.owned = self._chance(0.5)
            if kind == relation_pb2.RELATION_KIND_STEP_UP:
                stars = product.review_summary.average_rating
                relation.evidence = str(round(max(stars - self._rng.uniform(0.1, 0.9), 1), 1))
            elif kind == relation_pb2.RELATION_KIND_SIMILAR and self._chance(0.5):
                relation.evidence = product.brand
            found.append(relation)
        return found

    def _other(self, product: Product, others: Sequence[Product], language: str) -> Product | None:
        fit = [
            other
            for other in others
            if other.id != product.id and 0 < len(title_in(other, language)[1]) <= MAX_TITLE
        ]
        return self._rng.choice(fit) if fit else None


def choose(facts: Sequence[Fact], rng: random.Random) -> list[Fact]:
    """Returns the facts that a sentence is written on: mostly the strongest, at times any."""
    count = min(len(facts), rng.choices((1, 2, 3, 4, 5), (2, 3, 9, 1, 1))[0])
    if rng.random() < 0.6:  # noqa: PLR2004
        return list(facts[:count])
    return [facts[index] for index in sorted(rng.sample(range(len(facts)), count))]


def split_of(product_id: str, catalogue: str) -> str:
    """Returns "train", "dev" or "test" by a product's id: 90, 5 and 5 in a hundred."""
    draw = random.Random(f"{catalogue}/{product_id}").random()  # noqa: S311  # a split, no secret
    return "dev" if draw < 0.05 else "test" if draw < 0.1 else "train"  # noqa: PLR2004


def products_of(path: str, sources: Iterator[Product]) -> dict[str, list[Product]]:
    """Returns the products of a catalogue by split."""
    found: dict[str, list[Product]] = {"train": [], "dev": [], "test": []}
    for product in sources:
        group = product.variant_group_id or product.id
        found[split_of(group, path)].append(product)
    return found
