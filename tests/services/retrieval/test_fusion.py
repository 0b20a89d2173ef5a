import pytest

from services.retrieval.fusion import Placement, fuse
from services.retrieval.store.port import Hit

DENSE = [Hit("a", 0.9), Hit("b", 0.8)]
SPARSE = [Hit("b", 12.0), Hit("c", 3.0)]


def test_scores_are_weighted_reciprocal_ranks() -> None:
    fused = fuse({"dense": DENSE, "sparse": SPARSE}, {"dense": 0.5}, 20, 10)
    assert [entry.point for entry in fused] == ["b", "c", "a"]
    assert [entry.score for entry in fused] == pytest.approx([0.5 / 22 + 1 / 21, 1 / 22, 0.5 / 21])


def test_each_leg_keeps_its_rank_and_score() -> None:
    fused = {entry.point: entry for entry in fuse({"dense": DENSE, "sparse": SPARSE}, {}, 20, 10)}
    assert fused["b"].legs == {"dense": Placement(2, 0.8), "sparse": Placement(1, 12.0)}
    assert fused["a"].legs == {"dense": Placement(1, 0.9)}


def test_ties_are_in_order_of_id() -> None:
    fused = fuse({"dense": [Hit("z", 1.0)], "sparse": [Hit("a", 1.0)]}, {}, 20, 10)
    assert [entry.point for entry in fused] == ["a", "z"]


def test_limit() -> None:
    assert len(fuse({"dense": DENSE, "sparse": SPARSE}, {}, 20, 1)) == 1
    assert fuse({}, {}, 20, 5) == []
