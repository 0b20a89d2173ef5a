"""What is due to be bought again."""

import pytest

from services.recommend.serving.learner import Learner, actor_of
from services.recommend.serving.purchases import Purchases
from wherefore.common.v1 import user_event_pb2 as pb

DAY = 86_400.0
NOW = 1_000 * DAY


def due(purchases: Purchases, actor: str = "u:1") -> list[str]:
    return [found.product_id for found in purchases.due(actor, 100, NOW)]


def test_what_is_due_comes_before_what_was_just_bought() -> None:
    purchases = Purchases()
    purchases.count("u:1", ["fresh"], NOW - DAY)
    purchases.count("u:1", ["due"], NOW - 31 * DAY)
    assert due(purchases) == ["due", "fresh"]
    assert due(purchases, "u:2") == []


def test_a_cycle_is_learnt_from_the_gaps() -> None:
    weekly, yearly = Purchases(), Purchases()
    for n in range(8):
        weekly.count("u:1", ["a"], NOW - (7 * n + 8) * DAY)
        yearly.count("u:1", ["a"], NOW - (100 * n + 8) * DAY)
    assert weekly.due("u:1", 1, NOW)[0].score > 5 * yearly.due("u:1", 1, NOW)[0].score


def test_what_lapsed_falls_again() -> None:
    scores = []
    for days in (30, 400, 900):
        purchases = Purchases()
        purchases.count("u:1", ["a"], NOW - days * DAY)
        scores.append(purchases.due("u:1", 1, NOW)[0].score)
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] < scores[0] <= 1


def test_evidence_counts_times_and_age_whatever_the_order() -> None:
    purchases = Purchases()
    for days in (40, 90, 60):
        purchases.count("u:1", ["a", "a"], NOW - days * DAY)
    (found,) = purchases.due("u:1", 10, NOW)
    (evidence,) = found.evidence
    assert (evidence.purchases, evidence.age_seconds) == (3, 40 * DAY)
    assert purchases.owns("u:1", "a")
    assert not purchases.owns("u:2", "a")


@pytest.mark.parametrize(
    ("user", "session", "actor"), [("ann", "s", "u:ann"), ("", "s", "s:s"), ("", "", "")]
)
def test_actors(user: str, session: str, actor: str) -> None:
    assert actor_of(user, session) == actor


def event(kind: int, *ids: str, user: str = "ann", at: float = NOW) -> pb.UserEvent:
    made = pb.UserEvent(type=kind, user_id=user)  # type: ignore[arg-type]
    made.event_time.seconds = int(at)
    for product_id in ids:
        made.products.add(product_id=product_id)
    return made


def learner() -> Learner:
    return Learner(together_seconds=DAY, history_seconds=365 * DAY, clock=lambda: NOW)


def test_kinds_of_events_teach_what_they_say() -> None:
    taught = learner()
    for user in ("ann", "bob"):
        taught.learn(event(pb.USER_EVENT_TYPE_PURCHASE, "a", "b", user=user))
        taught.learn(event(pb.USER_EVENT_TYPE_VIEW, "a", "c", user=user))
        taught.learn(event(pb.USER_EVENT_TYPE_IMPRESSION, "a", "d", user=user))
    assert [f.product_id for f in taught.baskets.beside("a", 9)] == ["b"]
    assert [f.product_id for f in taught.visits.beside("a", 9)] == ["c"]
    assert {f.product_id for f in taught.purchases.due("u:ann", 9, NOW)} == {"a", "b"}


def test_old_events_and_those_of_nobody_teach_nothing() -> None:
    taught = learner()
    taught.learn(event(pb.USER_EVENT_TYPE_PURCHASE, "a", at=NOW - 366 * DAY))
    taught.learn(event(pb.USER_EVENT_TYPE_PURCHASE, "b", user=""))
    assert taught.purchases.due("u:ann", 9, NOW) == taught.purchases.due("", 9, NOW) == []
