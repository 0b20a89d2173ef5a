"""From the texts of a product to its tags, each with its confidence and the words it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from services.reason.summarise.points import Point, count_points
from services.reason.summarise.sentences import Text
from services.reason.tags.examples import stated_values
from services.reason.tags.features import Reading
from services.reason.tags.mentions import MentionFinder
from services.reason.tags.model import TagModel
from services.reason.tags.passages import (
    Evidence,
    Passage,
    passages_of,
    quote,
    quote_category,
)
from services.reason.tags.signals import BY_WORDS, Said, gather, mention_columns, word_signals
from services.reason.tags.vocabulary import SELLING_POINT, Term, Vocabulary
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

DEFAULT_THRESHOLD: Final = 0.5
"""Least confidence where no model says better: more likely right than wrong."""
DEFAULT_TAGS: Final = 50
MOST_EVIDENCE: Final = 5
_ALL_POINTS: Final = 100
_WORTH_NAMING: Final = 0.2
"""Share of what the strongest word adds, from which another is evidence too."""


class Method(Enum):
    """How a tag was found."""

    WORDS = "words"
    MODEL = "model"
    REVIEWS = "reviews"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a product; the fields are those of the contract."""

    term: Term
    label: str
    confidence: float
    method: Method
    evidence: tuple[Evidence, ...]
    stated: bool = False
    reviews: int = 0
    opposing: int = 0


class Tagger:
    """Tags products. Built once, then only read: safe to share between threads.

    Args:
        vocabulary: Tags that may be given.
        model: Of the shop's tagged products; None goes by words alone.
    """

    def __init__(self, vocabulary: Vocabulary, model: TagModel | None = None) -> None:
        self.vocabulary = vocabulary
        self.model = model
        self._finder = MentionFinder(vocabulary)
        places = model.places if model else {}
        self._columns = {
            at: places[term.id] for at, term in enumerate(vocabulary.terms) if term.id in places
        }

    @property
    def version(self) -> str:
        """Of the vocabulary, and of the model behind "+"."""
        return self.vocabulary.version + (f"+{self.model.version}" if self.model else "")

    @property
    def threshold(self) -> float:
        """Confidence at which F1 is best."""
        return self.model.threshold if self.model else DEFAULT_THRESHOLD

    def tag(
        self,
        product: Product,
        language: str = "en",
        least: float | None = None,
        most: int = DEFAULT_TAGS,
    ) -> list[Tag]:
        """Returns the tags of a product, most confident first.

        Args:
            product: Its texts, reviews and category are read.
            language: Of the labels, "zh" or "en".
            least: Confidence; `threshold` when None.
            most: Tags.
        """
        reading = Reading(passages_of(product), tuple(product.category_path))
        least = self.threshold if least is None else least
        stated = {(key, fold(value)) for key, value in stated_values(product)}
        refused = _refused_features(product)
        found = self._terms(reading, language, least)
        found += self._praised(reading.passages, language, least, {tag.term.value for tag in found})
        kept = [tag for tag in found if tag.term.id not in refused]
        kept.sort(key=lambda tag: (-tag.confidence, tag.term.id))
        return [_with_stated(tag, stated) for tag in kept[:most]]

    def probabilities(self, reading: Reading) -> tuple[dict[int, float], dict[int, Said]]:
        """Returns the confidence of terms by position, and what the texts say of them.

        A term that the model does not know is there only where it is mentioned; one that the texts
        deny is not there.
        """
        among = self.vocabulary.applying(reading.path)
        said = gather(self._finder.find(reading.passages, among), reading.passages)
        found: dict[int, float] = {}
        known = [term for term in sorted(among) if term in self._columns]
        if self.model and known:
            row = self.model.features.row(reading)
            columns = [self._columns[term] for term in known]
            there = mention_columns(said, known)
            shares = self.model.probabilities(columns, there, row, reading.path)
            found.update(zip(known, shares.tolist(), strict=True))
        others = [term for term in said if term not in found and said[term].mentions]
        if others:
            by_words = self.model.by_words if self.model else BY_WORDS
            shares = by_words.probability(word_signals(mention_columns(said, others)))
            found.update(zip(others, shares.tolist(), strict=True))
        return {at: p for at, p in found.items() if at not in said or not said[at].refused}, said

    def _terms(self, reading: Reading, language: str, least: float) -> list[Tag]:
        shares, said = self.probabilities(reading)
        passages = reading.passages
        chosen = {at: share for at, share in shares.items() if share >= least}
        tags: list[Tag] = []
        for at, share in chosen.items():
            term, of = self.vocabulary.terms[at], said.get(at, Said())
            mentions = of.mentions
            evidence = [quote(passages[m.passage], m.start, m.end) for m in mentions]
            method = Method.WORDS
            if mentions and not of.titles and not of.descriptions:
                method = Method.REVIEWS
            if not evidence:
                method = Method.MODEL
                evidence = self._inferred_from(at, reading)
            if evidence:
                tags.append(
                    Tag(
                        term=term,
                        label=term.label(language),
                        confidence=share,
                        method=method,
                        evidence=tuple(evidence[:MOST_EVIDENCE]),
                        reviews=len(of.reviews),
                        opposing=len(of.denying),
                    )
                )
        return tags

    def _inferred_from(self, at: int, reading: Reading) -> list[Evidence]:
        """The words that add most to the score of a term, and the category where it adds most."""
        model = self.model
        if model is None:
            return []
        path, names = reading.path, model.features.names
        row = model.features.row(reading)
        parts = model.parts(row, self._columns[at])
        found: list[Evidence] = []
        least = _WORTH_NAMING * max(float(parts.max(initial=0.0)), 1e-9)
        for place in np.argsort(-parts, kind="stable"):
            if parts[place] < least or len(found) == MOST_EVIDENCE:
                break
            spots = reading.words.get(names[int(row[0][place])])
            if spots:
                spot = spots[0]
                found.append(quote(reading.passages[spot.passage], spot.start, spot.end))
            else:
                found.append(quote_category(path))
        # How usual it is in the category counts too, and all there is where no word speaks for it.
        return list(dict.fromkeys(found)) or ([quote_category(path)] if path else [])

    def _praised(
        self, passages: Sequence[Passage], language: str, least: float, named: set[str]
    ) -> list[Tag]:
        praise = self.vocabulary.praise
        reviews = [Text(p.review_id, p.body) for p in passages if p.is_review]
        if not praise or not reviews:
            return []
        pros, _ = count_points(reviews, language, _ALL_POINTS)
        return [
            _praise_tag(point, praise[point.aspect.code][language])
            for point in pros
            if point.aspect.code in praise
            and point.aspect.code not in named
            and point.reviews > point.opposing
            and _praise_confidence(point) >= least
        ]


def _praise_tag(point: Point, label: str) -> Tag:
    return Tag(
        term=Term(SELLING_POINT, point.aspect.code),
        label=label,
        confidence=_praise_confidence(point),
        method=Method.REVIEWS,
        evidence=tuple(
            Evidence("reviews", m.start, m.end, m.text, m.review_id) for m in point.mentions
        ),
        reviews=point.reviews,
        opposing=point.opposing,
    )


def _praise_confidence(point: Point) -> float:
    """Probability that the next review on the aspect praises it (Laplace's rule of succession)."""
    return (point.reviews + 1) / (point.reviews + point.opposing + 2)


def _refused_features(product: Product) -> set[tuple[str, str]]:
    """Selling points that the shop states the product lacks."""
    return {
        (SELLING_POINT, key.replace("_", " "))
        for key, value in product.attributes.items()
        if value.HasField("boolean") and not value.boolean
    }


def _with_stated(tag: Tag, stated: set[tuple[str, str]]) -> Tag:
    if (tag.term.key, fold(tag.term.value)) not in stated:
        return tag
    return Tag(
        tag.term, tag.label, tag.confidence, tag.method, tag.evidence,
        True, tag.reviews, tag.opposing,
    )  # fmt: skip
