"""A shop of which everything is known: what moves a property, and what the property does."""

from dataclasses import dataclass, field

import numpy as np

from services.ranking.clicks.page_log import LoggedPage
from services.ranking.features import FEATURES

PLACES = 10


def chance(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-logits))


@dataclass
class Shop:
    """Well-rated products are discounted more often, stand higher, and are clicked more."""

    seed: int = 0
    pages: int = 900
    queries: int = 300
    strength: float = 0.7
    """Of the discount, in log-odds of a click."""
    pull: float = 5.0
    """Of the rating on the discount: the larger, the less overlap."""
    effects: list[np.ndarray] = field(default_factory=list)

    def log(self) -> list[LoggedPage]:
        random = np.random.default_rng(self.seed)
        found = []
        for number in range(self.pages):
            rating, fused = random.random((2, PLACES))
            discounted = random.random(PLACES) < chance(self.pull * (rating - 0.5))
            score = rating + fused + 0.3 * discounted + random.normal(0, 0.5, PLACES)
            shown = np.argsort(-score)
            features = np.zeros((PLACES, len(FEATURES)))
            features[:, FEATURES.index("rating")] = rating
            features[:, FEATURES.index("fused_score")] = fused
            rating, fused, has = rating[shown], fused[shown], discounted[shown]
            calm = -3.0 + 2.5 * rating + 1.0 * fused - 0.1 * np.arange(PLACES)
            clicked = random.random(PLACES) < chance(calm + self.strength * has)
            self.effects.append(chance(calm + self.strength) - chance(calm))
            found.append(
                LoggedPage(
                    f"q{number % self.queries}",
                    features,
                    shown.astype(np.int64),
                    np.ones(PLACES),
                    clicked,
                    purchased=clicked & (random.random(PLACES) < 0.3),
                    facts=[{"discounted": float(each)} for each in has],
                )
            )
        return found

    @property
    def truth(self) -> float:
        """The mean effect over what was shown."""
        return float(np.concatenate(self.effects).mean())
