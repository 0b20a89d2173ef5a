"""From events to the model: which choices count, how much, and whether what was learnt may serve.

All that decides is in the events and in the state, never the clock: the same log of events gives
the same state, bit for bit.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

import numpy as np

from services.ranking.features import FEATURE_SET, FEATURES
from services.ranking.online.choice_model import Choice, ChoiceModel, ChoiceSettings, Floats
from services.ranking.weights import Weights
from shared.text.language import primary_language
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.common.v1.shown_page_pb2 import ShownPage

WORTH: Final[Mapping["pb.UserEventType.ValueType", float]] = {
    pb.USER_EVENT_TYPE_CLICK: 1.0,
    pb.USER_EVENT_TYPE_VIEW: 1.0,
    pb.USER_EVENT_TYPE_CART: 2.0,
    pb.USER_EVENT_TYPE_PURCHASE: 4.0,
}
"""Choices that an event counts as. Of one product of one page only the strongest counts: a cart
after the click counts as one choice more."""

MOST_BY_ACTOR: Final = 30
"""Choices of one user or visit in an hour that are learnt from: nobody steers the ranker alone."""
_KEPT_CHOICES, _KEPT_ACTORS = 10_000, 10_000
_FEWEST_PLACES: Final = 2
_GAIN_MEMORY: Final = 500.0
_HOUR: Final = 3600


class Outcome(StrEnum):
    """What became of an event."""

    LEARNT = "learnt"
    NOT_JOINED = "not_joined"
    """The page that it followed from is not known."""
    OTHER_FEATURES = "other_features"
    """The page was ranked by another list of features, or with weights that are gone."""
    REPEATED = "repeated"
    """The same choice was learnt from already."""
    CAPPED = "capped"
    """Its user made too many choices within the hour."""
    NO_CHOICE = "no_choice"
    """It is no choice, such as an impression or a search."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What one event taught."""

    outcome: Outcome
    serving_config: str = ""
    surprise: float = 0.0
    """-log of the probability that the choice had before it was learnt, over that of chance."""
    features: Floats | None = None
    """(places, features) of the page."""
    chosen: int = 0
    """Row of the product that was chosen."""


class _Head:
    """What is learnt for one serving config, beside the frozen weights as they fit the choices."""

    def __init__(self, model: ChoiceModel, frozen: ChoiceModel, gain: float = 0.0) -> None:
        self.model = model
        self.frozen = frozen
        self.gain = gain
        """Nats a choice by which the model told choices better than the frozen weights, of late,
        each before it had learnt from that choice."""

    def learn(self, choice: Choice) -> float:
        told, by_frozen = self.model.log_likelihood(choice), self.frozen.log_likelihood(choice)
        self.gain += (told - by_frozen - self.gain) / min(self.model.updates + 1, _GAIN_MEMORY)
        self.model.learn(choice)
        self.frozen.learn(choice)
        return -told / float(np.log(len(choice.places)))


class OnlineLearner:
    """Learns from events. Not thread-safe.

    Args:
        weights: The frozen ones, around which it learns.
        settings: How fast to learn, and how far.
        least_updates: Choices before what was learnt may serve.
    """

    def __init__(self, weights: Weights, settings: ChoiceSettings, least_updates: int = 50) -> None:
        self._settings = settings
        self._least_updates = least_updates
        self._frozen = {
            name: {
                language: np.array([config.weights_in(language).get(f, 0.0) for f in FEATURES])
                for language in ("", *config.languages)
            }
            for name, config in weights.serving.items()
        }
        self.basis = _basis(weights, settings)
        """Id of all that the state is relative to."""
        self._heads = {
            name: _Head(ChoiceModel(len(FEATURES), settings), ChoiceModel(0, settings))
            for name in weights.serving
        }
        self._counted: OrderedDict[str, float] = OrderedDict()
        self._by_actor: OrderedDict[str, list[int]] = OrderedDict()

    def learn(self, event: pb.UserEvent) -> Learnt:
        """Takes one event in, and says what became of it."""
        worth = WORTH.get(event.type)
        if worth is None or not event.products:
            return Learnt(Outcome.NO_CHOICE)
        if not event.HasField("shown") or not event.attribution_token:
            return Learnt(Outcome.NOT_JOINED)
        page = event.shown
        if not self._readable(page):
            return Learnt(Outcome.OTHER_FEATURES)
        rows = {place.product_id: row for row, place in enumerate(page.places)}
        learnt = Learnt(Outcome.NOT_JOINED)
        for product in event.products:
            if (row := rows.get(product.product_id)) is None:
                continue
            key = _hash(event.attribution_token, product.product_id)
            more = worth - self._counted.get(key, 0.0)
            if more <= 0:
                learnt = Learnt(Outcome.REPEATED)
            elif not self._admit(event):
                return Learnt(Outcome.CAPPED)
            else:
                learnt = self._take(page, row, more)
                _remember(self._counted, key, worth, _KEPT_CHOICES)
        return learnt

    def deviation(self, serving_config: str) -> Floats | None:
        """Returns (features,) what to add to the frozen weights; None where that is to be nothing.

        Nothing is added before enough was learnt, and while the frozen weights alone tell better
        what is chosen.
        """
        head = self._heads.get(serving_config)
        if head is None or head.model.updates < self._least_updates or head.gain < 0:
            return None
        return head.model.deviation()

    def deviation_root(self, serving_config: str) -> Floats | None:
        """Returns a root of the deviation's covariance, where `deviation` returns something."""
        if self.deviation(serving_config) is None:
            return None
        return self._heads[serving_config].model.deviation_root()

    def updates(self, serving_config: str) -> int:
        """Returns how many choices of a serving config were learnt from: its version."""
        head = self._heads.get(serving_config)
        return head.model.updates if head else 0

    def gain(self, serving_config: str) -> float:
        """Returns the nats a choice by which the frozen weights of a serving config are beaten."""
        return self._heads[serving_config].gain

    def state(self) -> dict[str, Any]:
        """Returns all that was learnt, as arrays, numbers and strings."""
        return {
            "basis": self.basis,
            "heads": {
                name: {
                    "model": head.model.state(),
                    "frozen": head.frozen.state(),
                    "gain": head.gain,
                }
                for name, head in self._heads.items()
            },
            "counted": list(self._counted.items()),
            "by_actor": [[actor, *counts] for actor, counts in self._by_actor.items()],
        }

    @classmethod
    def restore(
        cls,
        weights: Weights,
        settings: ChoiceSettings,
        least_updates: int,
        state: Mapping[str, Any],
    ) -> Self:
        """Returns the learner that `state` was taken of.

        Raises:
            ValueError: It was learnt around other weights, or with other settings; it is damaged.
            KeyError: Something is missing.
        """
        learner = cls(weights, settings, least_updates)
        if state["basis"] != learner.basis:
            raise ValueError("learnt around other weights, features or settings")
        for name in learner._heads:
            head = state["heads"][name]
            learner._heads[name] = _Head(
                ChoiceModel.restore(len(FEATURES), settings, head["model"]),
                ChoiceModel.restore(0, settings, head["frozen"]),
                float(head["gain"]),
            )
        learner._counted.update((str(key), float(worth)) for key, worth in state["counted"])
        learner._by_actor.update(
            (str(actor), [int(hour), int(count)]) for actor, hour, count in state["by_actor"]
        )
        return learner

    def _readable(self, page: ShownPage) -> bool:
        return (
            page.feature_set == FEATURE_SET
            and page.serving_config in self._heads
            and len(page.places) >= _FEWEST_PLACES
            and all(
                len(place.features) == len(FEATURES) and np.isfinite(place.features).all()
                for place in page.places
            )
        )

    def _take(self, page: ShownPage, row: int, worth: float) -> Learnt:
        features = np.array([place.features for place in page.places], dtype=np.float64)
        by_language = self._frozen[page.serving_config]
        weights = by_language.get(primary_language(page.language_code), by_language[""])
        choice = Choice(
            features @ weights,
            features,
            np.array([max(1, place.place) for place in page.places], dtype=np.int64),
            row,
            worth,
        )
        surprise = self._heads[page.serving_config].learn(choice)
        return Learnt(Outcome.LEARNT, page.serving_config, surprise, features, row)

    def _admit(self, event: pb.UserEvent) -> bool:
        kind, name = ("u", event.user_id) if event.user_id else ("s", event.session_id)
        actor = _hash(kind, name)
        hour = event.event_time.seconds // _HOUR
        before = self._by_actor.get(actor)
        count = before[1] if before and before[0] == hour else 0
        if count >= MOST_BY_ACTOR:
            return False
        _remember(self._by_actor, actor, [hour, count + 1], _KEPT_ACTORS)
        return True


def _remember(kept: "OrderedDict[str, Any]", key: str, value: object, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\x00".join(parts).encode(), digest_size=8).hexdigest()


def _basis(weights: Weights, settings: ChoiceSettings) -> str:
    told = weights.model_dump_json(include={"serving"})
    return _hash(FEATURE_SET, told, repr(settings))
