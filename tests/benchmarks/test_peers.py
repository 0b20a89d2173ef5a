import numpy as np
import pytest

from benchmarks import peers

JUDGMENTS = {"steel kettle": {"a": 3, "c": 0, "gone": 1}}
IDS = ["a", "b", "c"]


def test_bm25s_scores_what_holds_the_words():
    pytest.importorskip("bm25s", reason="bm25s is a development dependency")
    texts = ["steel kettle", "glass kettle", "paper cup"]
    scores = peers.bm25s_scores(texts, ["steel kettle", "unknown words"])
    assert scores.shape == (2, 3)
    assert scores[0, 0] > scores[0, 1] > scores[0, 2] == 0
    assert not scores[1].any()


def test_fusion_matches_the_hand_computation():
    one = np.array([3.0, 2.0, 0.0], dtype=np.float32)
    other = np.array([0.1, 0.2, 0.3], dtype=np.float32)
    fused = peers.fuse(one, other)
    # The last has no rank in the first leg, where it scored nothing.
    assert fused == pytest.approx([1 / 61 + 1 / 63, 1 / 62 + 1 / 62, 1 / 61], rel=1e-6)


def test_rankings_leave_out_what_scored_nothing():
    ranked = peers.rankings(IDS, np.array([[0.5, 0.9, 0.0]], dtype=np.float32), JUDGMENTS)
    assert ranked["steel kettle"].full == ["b", "a"]
    assert ranked["steel kettle"].judged_only == ["a"]
