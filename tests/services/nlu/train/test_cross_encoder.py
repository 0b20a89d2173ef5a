"""The head of pairs, and the measures of a scorer of pairs."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from services.nlu.train import cross_encoder  # noqa: E402
from services.nlu.train.cross_pairs import Group  # noqa: E402
from services.nlu.train.model import Read  # noqa: E402
from services.nlu.train.pair_head import PairHead  # noqa: E402

DIVIDER = 9


def row(first: Sequence[int], second: Sequence[int], length: int) -> list[int]:
    ids = [8, *first, DIVIDER, *second, DIVIDER]
    return ids + [0] * (length - len(ids))


def logits(head: PairHead, rows: Sequence[Sequence[int]]) -> list[float]:
    """Each id has a state of its own, so that the same words are alike."""
    ids = torch.tensor(rows)
    states = torch.nn.functional.one_hot(ids, 16).float()
    mask = (ids != 0).long().unsqueeze(-1)
    with torch.no_grad():
        return head.eval()(states, Read(ids, mask, None))[:, 0].tolist()


def test_shared_words_count_before_anything_is_learnt():
    same, half, none = logits(
        PairHead(DIVIDER, 16), [row([1, 2], [1, 2], 8), row([1, 2], [1, 3], 8), row([1], [4], 8)]
    )
    assert same > half > none


def test_padding_changes_nothing():
    head = PairHead(DIVIDER, 16)
    assert logits(head, [row([1, 2], [3], 6)])[0] == pytest.approx(
        logits(head, [row([1, 2], [3], 12)])[0], abs=1e-5
    )


def test_the_head_learns_what_the_start_gets_wrong():
    torch.manual_seed(0)
    head = PairHead(DIVIDER, 16)
    rows = torch.tensor([row([1], [1], 6), row([1], [5], 6)])
    states = torch.nn.functional.one_hot(rows, 16).float()
    wanted = torch.tensor([0.0, 1.0])
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(80):
        made = head.train()(states, Read(rows, (rows != 0).long().unsqueeze(-1), None))[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(made, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    first, second = logits(head, rows.tolist())
    assert first < 0 < second


def test_measures_of_a_perfect_and_of_a_wrong_scorer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cross_encoder, "judged_ndcg", lambda *_: 0.5)
    held = [Group("q", ("yes", "no", "partly"), (1.0, 0.0, 0.4)) for _ in range(3)]

    def right(pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        return np.array([{"yes": 3.0, "no": -3.0, "partly": 1.0}[text] for _, text in pairs])

    def wrong(pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        return -right(pairs)

    path = cross_encoder.Path()
    good = cross_encoder.measure(right, held, path)
    bad = cross_encoder.measure(wrong, held, path)
    assert good == {"accuracy": 1.0, "auc": 1.0, "mrr": 1.0, "judged_ndcg": 0.5}
    assert bad["accuracy"] == bad["auc"] == 0.0
    assert bad["mrr"] == pytest.approx(1 / 3)
