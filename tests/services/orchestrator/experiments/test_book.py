import json

import pytest
import yaml
from prometheus_client import REGISTRY

from services.orchestrator.experiments.book import Experiments
from services.orchestrator.tokens import TokenSigner
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.common.v1.user_profile_pb2 import UserContext

SIGNER = TokenSigner(b"k" * 32)


def document(**changes) -> dict:
    experiment = {
        "id": "head",
        "arms": [
            {"name": "control", "share": 0.5},
            {"name": "online", "share": 0.5, "ranking_model": "online"},
        ],
        "guard": {"metrics": ["click"]},
        **changes,
    }
    return {"layers": [{"name": "ranking", "salt": "s", "experiments": [experiment]}]}


@pytest.fixture
def make(tmp_path):
    def open_book(**changes) -> Experiments:
        path = tmp_path / "experiments.yaml"
        path.write_text(yaml.safe_dump(document(**changes)))
        book = Experiments(path, 0.0, tmp_path / "experiments.json", SIGNER.pseudonym)
        book.load()
        return book

    return open_book


def users_of(book: Experiments, arm: str, count: int) -> list[str]:
    found = []
    number = 0
    while len(found) < count:
        user = f"user-{number}"
        number += 1
        if ("head@1", arm) in book.assign(UserContext(user_id=user), "search").arms:
            found.append(user)
    return found


def do(book: Experiments, user: str, kind=pb.USER_EVENT_TYPE_CLICK, at: float = 0) -> None:
    assigned = book.assign(UserContext(user_id=user), "search")
    token = SIGNER.attribution("r", "search", "q", ["p"], unit=assigned.unit, arms=assigned.arms)
    event = pb.UserEvent(type=kind, user_id=user, attribution_token=token)
    event.event_time.FromSeconds(int(at))
    book.count(event, SIGNER.read_attribution(token))


def counts(book: Experiments, metric: str = "click") -> dict[str, int]:
    ((tally, _),) = book.tallies()
    return tally.converted[metric]


def test_a_user_counts_once_for_each_metric(make):
    book = make()
    user = users_of(book, "online", 1)[0]
    for kind in (pb.USER_EVENT_TYPE_IMPRESSION, pb.USER_EVENT_TYPE_CLICK, pb.USER_EVENT_TYPE_CLICK):
        do(book, user, kind)
    do(book, user, pb.USER_EVENT_TYPE_PURCHASE)
    assert counts(book) == {"control": 0, "online": 1}
    assert counts(book, "purchase") == {"control": 0, "online": 1}
    ((tally, _),) = book.tallies()
    assert tally.users == {"control": 0, "online": 1}


def test_what_is_done_after_the_window_does_not_count(make):
    book = make(window_hours=1)
    user = users_of(book, "control", 1)[0]
    do(book, user, pb.USER_EVENT_TYPE_IMPRESSION, at=1_000)
    do(book, user, at=1_000 + 3_601)
    assert counts(book) == {"control": 0, "online": 0}


def test_an_arm_whose_guard_metric_falls_is_taken_back_for_good(make, tmp_path):
    book = make()
    bad, good = users_of(book, "online", 20), users_of(book, "control", 200)
    served = {"experiment": "head", "arm": "online"}
    assert REGISTRY.get_sample_value("wherefore_experiment_arm_served", served) == 1
    for user in bad:
        do(book, user)
    for user in good:
        do(book, user)
    ((_, taken),) = book.tallies()
    assert taken["online"].metric == "click"
    assert taken["online"].high < 1.0
    assert REGISTRY.get_sample_value("wherefore_experiment_arm_served", served) == 0
    assigned = book.assign(UserContext(user_id=bad[0]), "search")
    assert (assigned.arms, assigned.ranking_model) == ((), "")
    kept = json.loads((tmp_path / "experiments.json").read_text())
    assert kept["head@1"]["online"]["metric"] == "click"

    # After a start as before it; a new revision begins anew.
    again = make()
    assert again.assign(UserContext(user_id=bad[0]), "search").arms == ()
    anew = make(revision=2)
    assert anew.assign(UserContext(user_id=bad[0]), "search").arms == (("head@2", "online"),)


def test_without_a_guard_nothing_is_taken_back(make):
    book = make(guard=None)
    for user in users_of(book, "control", 200):
        do(book, user)
    ((tally, taken),) = book.tallies()
    assert not taken
    assert tally.verdict("click", "online", 0.05).high < 1.0


def test_a_better_arm_is_not_taken_back(make):
    book = make()
    for user in users_of(book, "online", 200):
        do(book, user)
    ((_, taken),) = book.tallies()
    assert not taken


def test_damaged_decisions_stop_the_start(make, tmp_path):
    (tmp_path / "experiments.json").write_text("{")
    with pytest.raises(ValueError, match="decisions"):
        make()


def test_the_file_is_read_again_and_a_wrong_one_leaves_what_was(make, tmp_path):
    book = make()
    path = tmp_path / "experiments.yaml"
    user = UserContext(user_id=users_of(book, "online", 1)[0])
    path.write_text("layers: 3")
    assert book.assign(user, "search").arms == (("head@1", "online"),)
    assert "layers" in book.problem
    path.write_text("layers: []")
    assert book.assign(user, "search").arms == ()
    assert not book.problem
    assert list(book.tallies()) == []


def test_nobody_and_other_surfaces_are_in_no_experiment(make):
    book = make()
    assert book.assign(UserContext(), "search").arms == ()
    user = UserContext(user_id=users_of(book, "online", 1)[0])
    assert book.assign(user, "recommend").arms == ()


def test_the_course_of_a_comparison_is_thinned(make):
    book = make(guard=None)
    for arm in ("control", "online"):
        for user in users_of(book, arm, 150):
            do(book, user)
    ((tally, _),) = book.tallies()
    points = tally.courses["click", "online"].points
    assert 16 <= len(points) <= 64
    assert [count for count, _ in points] == sorted({count for count, _ in points})


def test_the_token_holds_the_arms_and_none_where_there_are_none():
    token = SIGNER.attribution("r", "search", "q", ["p"], unit="f00", arms=[("head@1", "online")])
    read = SIGNER.read_attribution(token)
    assert (read.unit, list(read.arms)) == ("f00", [("head@1", "online")])
    plain = SIGNER.read_attribution(SIGNER.attribution("r", "search", "q", ["p"]))
    assert (plain.unit, list(plain.arms)) == ("", [])


def test_a_user_who_is_forgotten_is_counted_nowhere(make):
    book = make()
    gone, stays = users_of(book, "online", 2)
    for user in (gone, stays):
        do(book, user)
        do(book, user, pb.USER_EVENT_TYPE_PURCHASE)
    for _ in range(2):
        book.forget(f"u:{gone}")
    book.forget("u:nobody")
    assert counts(book) == counts(book, "purchase") == {"control": 0, "online": 1}
    ((tally, _),) = book.tallies()
    assert tally.users == {"control": 0, "online": 1}
