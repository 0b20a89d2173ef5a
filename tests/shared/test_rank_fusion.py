import pytest

from shared.rank_fusion import K, fused_scores


def test_scores_are_weighted_reciprocal_ranks() -> None:
    scores = fused_scores([(0.5, ["a", "b"]), (1.0, ["b", "c"])], k=20)
    assert scores == pytest.approx({"a": 0.5 / 21, "b": 0.5 / 22 + 1 / 21, "c": 1 / 22})


def test_ids_come_in_the_order_in_which_they_were_first_seen() -> None:
    assert list(fused_scores([(0.1, ["z", "a"]), (9.0, ["m", "a"])])) == ["z", "a", "m"]


def test_k_is_the_papers() -> None:
    assert fused_scores([(1.0, iter(["a"]))]) == {"a": 1 / (K + 1)}
    assert fused_scores([]) == {}
