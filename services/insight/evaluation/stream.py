"""A stream of real reviews with surges put in, drawn by a seed.

The reviews, what they are about and which of them are negative are real; when they are written is
drawn. Each category has products of unlike volume and share of negatives, busy and quiet hours, and
sales that bring more of everything. A surge adds negatives of one product that speak of one topic.
"""

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from services.insight.classifier import Classifier, Post
from services.insight.domain import Mention
from shared.text_file import open_text

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
START_MS: Final = 1_790_000_000_000
_APART: Final = 2 * HOUR
_FEWEST: Final = 8
"""Negatives of a category that have to speak of a topic for a surge to be about it."""


class ReviewsError(ValueError):
    """A file holds no labelled reviews."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How a stream is drawn.

    Attributes:
        hours: Length.
        quiet_hours: At its beginning nothing is put in.
        products: Of each category.
        a_minute: Texts of all products, on average.
        surges: How many are put in.
        surge_minutes: Least and greatest length of one.
        surge_a_minute: Least and greatest number of negatives that one adds.
        sales: How many times a product has more of everything.
        sale_times: Least and greatest multiple of its texts then.
        late_share: Part of the texts that come late.
        late_seconds: Greatest lateness of these; others take 5 seconds on average.
    """

    hours: int = 48
    quiet_hours: int = 6
    products: int = 3
    a_minute: float = 20.0
    surges: int = 30
    surge_minutes: tuple[float, float] = (10, 30)
    surge_a_minute: tuple[float, float] = (8, 24)
    sales: int = 20
    sale_times: tuple[float, float] = (4, 10)
    late_share: float = 0.03
    late_seconds: float = 300


@dataclass(frozen=True, slots=True)
class Review:
    """A labelled review: what a person said of a category."""

    category: str
    negative: bool
    text: str


@dataclass(frozen=True, slots=True)
class Surge:
    """A surge that was put in."""

    product_id: str
    brand: str
    topic: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Texts as they arrive, read, and what was put in.

    Attributes:
        arrivals: In order of arrival, each with the time in milliseconds at which it arrives.
        surges: In order of time.
    """

    arrivals: Sequence[tuple[int, Mention]]
    surges: Sequence[Surge]


@dataclass(frozen=True, slots=True)
class _Product:
    id: str
    brand: str
    a_minute: float
    negative: float


def read_reviews(path: Path) -> list[Review]:
    """Reads reviews: JSON lines with `cat`, `label` (1 praises, 0 blames) and `review`.

    Raises:
        ReviewsError: A line is none.
        OSError: The file cannot be read.
    """
    found: list[Review] = []
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                row = cast("dict[str, Any]", json.loads(line))
                found.append(Review(str(row["cat"]), not int(row["label"]), str(row["review"])))
            except (ValueError, KeyError, TypeError) as error:
                raise ReviewsError(f"{path}:{number}: is no labelled review") from error
    return found


class Streams:
    """Draws streams of the same reviews.

    Args:
        reviews: With both labels in each category.
        classifier: Reads them; each once, as streams say them over and over.
        settings: How streams are drawn.

    Raises:
        ReviewsError: A category lacks negatives that speak of one topic, or praise.
    """

    def __init__(
        self, reviews: Sequence[Review], classifier: Classifier, settings: StreamSettings
    ) -> None:
        self.settings = settings
        read = classifier.read([Post(str(at), 0, each.text) for at, each in enumerate(reviews)])
        self._praise: dict[str, list[Mention]] = {}
        self._blame: dict[str, list[Mention]] = {}
        self._themes: dict[tuple[str, str], list[Mention]] = {}
        for review, mention in zip(reviews, read, strict=True):
            side = self._blame if review.negative else self._praise
            side.setdefault(review.category, []).append(mention)
            for topic in mention.cell.topics if review.negative else ():
                self._themes.setdefault((review.category, topic), []).append(mention)
        self._categories = sorted(self._praise.keys() & self._blame.keys())
        self._topics: Mapping[str, list[str]] = {
            category: sorted(
                topic
                for (of, topic), texts in self._themes.items()
                if of == category and len(texts) >= _FEWEST
            )
            for category in self._categories
        }
        self._surging = [category for category in self._categories if self._topics[category]]
        if not self._surging:
            raise ReviewsError("no category has negatives enough that speak of one topic")

    def draw(self, seed: int) -> Stream:
        """Draws a stream; the same seed gives the same."""
        draw = random.Random(seed)  # noqa: S311 - not a secret
        products = self._products(draw)
        surges = self._surges(draw, products)
        sales = [
            (
                draw.choice(products).id,
                self._any_time(draw),
                draw.uniform(*self.settings.sale_times),
            )
            for _ in range(self.settings.sales)
        ]
        texts: list[Mention] = []
        for product in products:
            mine = [(start, times) for name, start, times in sales if name == product.id]
            texts += self._usual(draw, product, mine)
        for surge in surges:
            texts += self._of_surge(draw, surge)
        arrivals = [
            (text.at_ms + self._lag(draw), replace(text, id=f"{seed}-{at}"))
            for at, text in enumerate(texts)
        ]
        return Stream(sorted(arrivals, key=lambda each: (each[0], each[1].id)), surges)

    def _products(self, draw: random.Random) -> list[_Product]:
        made: list[tuple[str, str, float, float]] = []
        for category in self._categories:
            for number in range(self.settings.products):
                weight = math.exp(draw.uniform(-1.5, 1.5))
                name = f"{category}-{number + 1}"
                made.append((name, category, weight, draw.uniform(0.05, 0.25)))
        whole = sum(weight for *_, weight, _ in made)
        a_minute = self.settings.a_minute
        return [_Product(n, b, a_minute * w / whole, share) for n, b, w, share in made]

    def _surges(self, draw: random.Random, products: Sequence[_Product]) -> list[Surge]:
        able = [product for product in products if product.brand in self._surging]
        found: list[Surge] = []
        while len(found) < self.settings.surges:
            product, start = draw.choice(able), self._any_time(draw)
            end = start + round(draw.uniform(*self.settings.surge_minutes) * MINUTE)
            near = (s for s in found if s.product_id == product.id)
            if all(start > s.end_ms + _APART or end < s.start_ms - _APART for s in near):
                topic = draw.choice(self._topics[product.brand])
                found.append(Surge(product.id, product.brand, topic, start, end))
        return sorted(found, key=lambda surge: surge.start_ms)

    def _usual(
        self, draw: random.Random, product: _Product, sales: Sequence[tuple[int, float]]
    ) -> list[Mention]:
        """Draws a Poisson process whose rate follows the hour, by thinning one of the peak rate."""
        peak = product.a_minute * 1.6 * max([1.0, *(times for _, times in sales)])
        at, end, texts = float(START_MS), START_MS + self.settings.hours * HOUR, list[Mention]()
        while (at := at + draw.expovariate(peak / MINUTE)) < end:
            rate = product.a_minute * (1 + 0.6 * math.sin(2 * math.pi * at / (24 * HOUR)))
            for start, times in sales:
                rate *= times if start <= at < start + HOUR / 2 else 1.0
            if draw.random() < rate / peak:
                side = self._blame if draw.random() < product.negative else self._praise
                said = draw.choice(side[product.brand])
                texts.append(_written(said, at, product.id, product.brand))
        return texts

    def _of_surge(self, draw: random.Random, surge: Surge) -> list[Mention]:
        a_minute = math.exp(draw.uniform(*map(math.log, self.settings.surge_a_minute)))
        said = self._themes[surge.brand, surge.topic]
        at, texts = float(surge.start_ms), list[Mention]()
        while (at := at + draw.expovariate(a_minute / MINUTE)) < surge.end_ms:
            texts.append(_written(draw.choice(said), at, surge.product_id, surge.brand))
        return texts

    def _any_time(self, draw: random.Random) -> int:
        settings = self.settings
        latest = settings.hours * HOUR - round(settings.surge_minutes[1] * MINUTE)
        return START_MS + draw.randrange(settings.quiet_hours * HOUR, latest)

    def _lag(self, draw: random.Random) -> int:
        if draw.random() < self.settings.late_share:
            return round(draw.uniform(0, self.settings.late_seconds) * 1_000)
        return round(min(draw.expovariate(1 / 5_000), 60_000))


def _written(said: Mention, at: float, product_id: str, brand: str) -> Mention:
    cell = said.cell._replace(product_id=product_id, brand=brand)
    return replace(said, at_ms=int(at), cell=cell)
