import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the extra `train`")

from benchmarks.nlu_match import Row, section
from services.nlu.train.lexical import LexicalIndex


def test_every_way_of_matching_is_a_row():
    figures = {"mrr": 0.5, "auc": 0.75, "judged_ndcg": 0.875, "accuracy": 0.5}
    text = section([Row("keywords", "–", figures, None), Row("vectors", "v@1", figures, 1.5)], 250)
    assert "| keywords | – | 0.5000 | 0.7500 | 0.8750 | – |" in text
    assert "| vectors | v@1 | 0.5000 | 0.7500 | 0.8750 | 1.50 |" in text
    assert "250 queries" in text


def test_keywords_score_every_text():
    index = LexicalIndex(["red shoe", "red hat", "blue sock"], str.split)
    scores = index.scores("red shoe")
    assert scores[0] > scores[1] > scores[2] == 0
    assert index.top("red shoe", 3) == [0, 1]
    assert not np.any(index.scores("green"))
