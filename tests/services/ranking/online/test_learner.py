import copy

import numpy as np
import pytest

from services.ranking.features import FEATURES
from services.ranking.online.checkpoint import (
    Checkpoint,
    read_checkpoint,
    to_bytes,
    write_checkpoint,
)
from services.ranking.online.choice_model import Choice, ChoiceModel, ChoiceSettings
from services.ranking.online.learner import MOST_BY_ACTOR, OnlineLearner, Outcome
from tests.services.ranking.online.conftest import START, WANTED
from wherefore.common.v1 import user_event_pb2 as pb

SETTINGS = ChoiceSettings()


def learner_of(weights, least_updates=50):
    return OnlineLearner(weights, SETTINGS, least_updates)


def bytes_of(learner) -> bytes:
    return to_bytes(Checkpoint("log", 1, learner.state()))


def test_learns_what_shoppers_want_and_how_they_look(weights, make_events):
    learner = learner_of(weights)
    for event in make_events(1_500):
        assert learner.learn(event).outcome is Outcome.LEARNT
    model = learner._heads["search"].model
    # Utility of the wanted feature, the frozen weight included; all others are wanted by nobody.
    frozen = np.array([weights.serving["search"].weights.get(name, 0.0) for name in FEATURES])
    total = frozen * model.scale + model._mean[1 : 1 + len(FEATURES)]
    assert total[WANTED] == pytest.approx(3.0, abs=0.9)
    assert np.abs(np.delete(total, WANTED)).max() < 0.6 * total[WANTED]
    # Looks fall as 1 / place^0.7, where 1 / place was assumed.
    assert -model.biases[9] / np.log(10) == pytest.approx(0.7, abs=0.25)
    assert learner.gain("search") > 0.05


def test_the_same_log_gives_the_same_state(weights, make_events):
    events = make_events(200)
    first, second = learner_of(weights), learner_of(weights)
    for event in events:
        first.learn(event)
    for event in copy.deepcopy(events):
        second.learn(event)
    assert bytes_of(first) == bytes_of(second)
    second.learn(copy.deepcopy(events[0]))
    assert bytes_of(first) == bytes_of(second)  # seen before
    other = copy.deepcopy(events[0])
    other.attribution_token += "-of-another"
    second.learn(other)
    assert bytes_of(first) != bytes_of(second)


def test_a_checkpoint_between_changes_nothing(weights, make_events, tmp_path):
    events = make_events(120)
    straight, stopped = learner_of(weights), learner_of(weights)
    for event in events:
        straight.learn(event)
    for event in events[:70]:
        stopped.learn(event)
    path = tmp_path / "data" / "online.json"
    write_checkpoint(path, Checkpoint("log", 70, stopped.state()))
    kept = read_checkpoint(path)
    assert (kept.log_id, kept.sequence) == ("log", 70)
    again = OnlineLearner.restore(weights, SETTINGS, 50, kept.state)
    for event in events[70:]:
        again.learn(event)
    assert bytes_of(straight) == bytes_of(again)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": 2}', '{"format": 1, "log_id": "l"}'])
def test_a_damaged_checkpoint_is_told(tmp_path, text):
    path = tmp_path / "online.json"
    path.write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011 - json's own, or ours
        read_checkpoint(path)


def test_other_weights_or_settings_are_learnt_around_anew(weights, make_events):
    state = learner_of(weights).state()
    with pytest.raises(ValueError, match="other weights"):
        OnlineLearner.restore(weights, ChoiceSettings(bound=1.0), 50, state)
    state["heads"]["search"]["model"]["mean"] = np.full(3, np.nan)
    with pytest.raises(ValueError, match="mean"):
        OnlineLearner.restore(weights, SETTINGS, 50, state)


def test_nothing_is_served_before_enough_was_learnt(weights, make_events):
    learner = learner_of(weights, least_updates=1_000_000)
    for event in make_events(100):
        learner.learn(event)
    assert learner.updates("search") == 100
    assert learner.deviation("search") is None
    assert learner.deviation_root("search") is None
    assert learner.deviation("unknown") is None


def test_what_tells_choices_worse_than_the_frozen_weights_is_not_served(weights, make_events):
    learner = OnlineLearner(weights, ChoiceSettings(step=0.01), 50)
    events = make_events(800)
    for event in events[:500]:
        learner.learn(event)
    assert learner.deviation("search") is not None
    # From one moment to the next everybody wants the oldest: what was learnt misleads.
    for event in events[500:]:
        liking = [place.features[WANTED] for place in event.shown.places]
        event.products[0].product_id = f"p{int(np.argmin(liking))}"
        learner.learn(event)
        if learner.deviation("search") is None:
            break
    else:
        pytest.fail("served on")
    assert learner.gain("search") < 0


def test_a_weight_changes_little_by_one_choice_and_never_far(weights, make_events):
    settings = ChoiceSettings(bound=0.3, step=0.02)  # of a scale of 1
    learner = OnlineLearner(weights, settings, 1)
    model = learner._heads["search"].model
    before = model._mean[1 : 1 + len(FEATURES)].copy()
    for event in make_events(400):
        event.type = pb.USER_EVENT_TYPE_PURCHASE
        learner.learn(event)
        after = model._mean[1 : 1 + len(FEATURES)].copy()
        assert np.abs(after - before).max() <= 0.02 + np.abs(before).max() / 1_900
        before = after
        assert np.abs(model.deviation()).max() <= 0.3 + 1e-9
    assert np.abs(model.deviation()).max() == 0.3


def test_of_one_product_of_one_page_only_the_strongest_event_counts(weights, make_events):
    learner = learner_of(weights)
    (event,) = make_events(1)
    assert learner.learn(event).outcome is Outcome.LEARNT
    assert learner.learn(event).outcome is Outcome.REPEATED
    event.type = pb.USER_EVENT_TYPE_PURCHASE
    assert learner.learn(event).outcome is Outcome.LEARNT
    event.type = pb.USER_EVENT_TYPE_CART
    assert learner.learn(event).outcome is Outcome.REPEATED


def test_nobody_steers_the_ranker_alone(weights, make_events):
    learner = learner_of(weights)
    events = make_events(MOST_BY_ACTOR + 5)
    for event in events:
        event.user_id, event.session_id = "", "visit"
        event.event_time.seconds = START
    outcomes = [learner.learn(event).outcome for event in events]
    assert outcomes[:MOST_BY_ACTOR] == [Outcome.LEARNT] * MOST_BY_ACTOR
    assert outcomes[MOST_BY_ACTOR:] == [Outcome.CAPPED] * 5
    events[-1].event_time.seconds = START + 3600
    assert learner.learn(events[-1]).outcome is Outcome.LEARNT


def changed(event: pb.UserEvent, how: str) -> pb.UserEvent:
    page = event.shown
    if how == "impression":
        event.type = pb.USER_EVENT_TYPE_IMPRESSION
    elif how == "search":
        event.type = pb.USER_EVENT_TYPE_SEARCH
        del event.products[:]
    elif how == "no page":
        event.ClearField("shown")
    elif how == "no token":
        event.attribution_token = ""
    elif how == "another product":
        event.products[0].product_id = "unknown"
    elif how == "other features":
        page.feature_set = "old"
    elif how == "a feature less":
        del page.places[3].features[-1]
    elif how == "not a number":
        page.places[3].features[0] = float("nan")
    elif how == "one product alone":
        del page.places[1:]
    elif how == "unknown config":
        page.serving_config = "gone"
    return event


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        ("impression", Outcome.NO_CHOICE),
        ("search", Outcome.NO_CHOICE),
        ("no page", Outcome.NOT_JOINED),
        ("no token", Outcome.NOT_JOINED),
        ("another product", Outcome.NOT_JOINED),
        ("other features", Outcome.OTHER_FEATURES),
        ("a feature less", Outcome.OTHER_FEATURES),
        ("not a number", Outcome.OTHER_FEATURES),
        ("one product alone", Outcome.OTHER_FEATURES),
        ("unknown config", Outcome.OTHER_FEATURES),
    ],
)
def test_what_teaches_nothing(weights, make_events, how, outcome):
    learner = learner_of(weights)
    empty = bytes_of(learner)
    assert learner.learn(changed(make_events(1)[0], how)).outcome is outcome
    assert bytes_of(learner) == empty


def test_uncertainty_shrinks_by_choices_and_never_exceeds_the_prior():
    model = ChoiceModel(2, ChoiceSettings(memory=50))
    prior = model._prior_variance.copy()
    random = np.random.default_rng(3)
    for _ in range(200):
        x = np.column_stack([random.random(6), np.zeros(6)])
        model.learn(Choice(random.random(6), x, np.arange(1, 7), int(random.integers(6))))
        assert (np.diag(model._covariance) <= prior + 1e-12).all()
    root = model.deviation_root()
    spread = np.sqrt(np.diag(root @ root.T)) * model.scale
    assert spread[0] < 0.45
    assert spread[1] == pytest.approx(0.5, rel=1e-6)  # nothing was ever said of it
