import copy

import numpy as np
import pytest

from services.ranking.features import FEATURES
from services.ranking.online.choice_model import ChoiceSettings
from services.ranking.online.drift import MAJOR_SHIFT, DriftWatch, FeatureStability
from services.ranking.online.learner import Learnt, OnlineLearner, Outcome
from tests.services.ranking.online.conftest import WANTED
from wherefore.common.v1 import user_event_pb2 as pb

pytest.importorskip("river")


def watch_all(watch: DriftWatch, learner: OnlineLearner, events) -> list[str]:
    return [signal for event in events for signal in watch.watch(event, learner.learn(event))]


def test_shoppers_who_change_are_noticed_and_those_who_stay_are_not(weights, make_events):
    events = make_events(1_200)
    learner = OnlineLearner(weights, ChoiceSettings(), 50)
    for event in events[:300]:  # what it has yet to learn is no change of shoppers
        learner.learn(event)
    watch = DriftWatch()
    assert watch_all(watch, learner, events[300:900]) == []
    changed = copy.deepcopy(events[900:])
    for event in changed:
        liking = [place.features[WANTED] for place in event.shown.places]
        event.products[0].product_id = f"p{int(np.argmin(liking))}"
    assert "surprise" in watch_all(watch, learner, changed)


def impressions(first: int, count: int, clicks: float, random) -> list[pb.UserEvent]:
    events = []
    for number in range(first, first + count):
        kinds = [pb.USER_EVENT_TYPE_IMPRESSION]
        if random.random() < clicks:
            kinds.append(pb.USER_EVENT_TYPE_CLICK)
        events += [pb.UserEvent(type=kind, attribution_token=f"t{number}") for kind in kinds]
    return events


def test_pages_that_are_clicked_less_are_noticed(random):
    watch, nothing = DriftWatch(), Learnt(Outcome.NOT_JOINED)
    steady = impressions(0, 2_500, 0.4, random)
    assert not [s for event in steady for s in watch.watch(event, nothing)]
    fallen = impressions(2_500, 2_500, 0.15, random)
    assert "click_through" in [s for event in fallen for s in watch.watch(event, nothing)]


def test_features_that_shift_are_noticed_by_name(random):
    watch = DriftWatch(pages=100)

    def page(shifted: bool) -> Learnt:
        features = random.random((10, len(FEATURES)))
        if shifted:
            features[:, FEATURES.index("popularity")] **= 4
        return Learnt(Outcome.LEARNT, "search", 0.5, features)

    event = pb.UserEvent(type=pb.USER_EVENT_TYPE_CLICK)
    assert not [s for _ in range(200) for s in watch.watch(event, page(shifted=False))]
    assert max(watch.psi.values()) < 0.1
    found = [s for _ in range(100) for s in watch.watch(event, page(shifted=True))]
    assert found == ["features"]
    assert max(watch.psi, key=watch.psi.get) == "popularity"
    assert watch.psi["popularity"] > MAJOR_SHIFT


def test_the_index_is_that_of_the_formula():
    stability = FeatureStability(pages=1)
    assert stability.count(np.full((10, len(FEATURES)), 0.05)) is None
    index = stability.count(np.full((10, len(FEATURES)), 1.0))
    shares = (np.eye(10)[[0, 9]] * 10 + 0.5) / 15
    expected = ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum()
    assert index == pytest.approx(np.full(len(FEATURES), expected))
