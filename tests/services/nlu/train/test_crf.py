from itertools import pairwise, product

import numpy as np
import pytest
import torch

from services.nlu.train.crf import FORBIDDEN, Crf
from services.nlu.train.examples import bio_labels

LABELS = bio_labels(["X", "Y"])


def scored(crf: Crf, logits: torch.Tensor, path: tuple[int, ...]) -> float:
    transitions, start, end = crf.scores()
    total = start[path[0]] + end[path[-1]] + sum(logits[at, tag] for at, tag in enumerate(path))
    return float(total + sum(transitions[a, b] for a, b in pairwise(path)))


@pytest.fixture
def crf() -> Crf:
    torch.manual_seed(1)
    field = Crf(LABELS)
    for parameter in field.parameters():
        torch.nn.init.normal_(parameter)
    return field


@torch.no_grad()
def test_the_loss_is_that_of_all_paths_counted_one_by_one(crf):
    logits = torch.randn(2, 4, len(LABELS))
    tags = torch.tensor([[1, 2, 0, 3], [0, 3, 4, 0]])
    mask = torch.tensor([[True] * 4, [True, True, True, False]])
    losses = crf.loss(logits, tags, mask)
    for row, length in enumerate((4, 3)):
        every = [
            scored(crf, logits[row], path) for path in product(range(len(LABELS)), repeat=length)
        ]
        gold = scored(crf, logits[row], tuple(tags[row, :length].tolist()))
        assert float(losses[row]) == pytest.approx(np.logaddexp.reduce(every) - gold, rel=1e-4)


@torch.no_grad()
def test_what_bio_forbids_scores_nothing(crf):
    transitions, start, _ = crf.scores()
    at = {label: index for index, label in enumerate(LABELS)}
    for before, after in (("O", "I-X"), ("B-Y", "I-X"), ("I-Y", "I-X")):
        assert transitions[at[before], at[after]] == FORBIDDEN
    assert start[at["I-X"]] == FORBIDDEN
    for before, after in (("B-X", "I-X"), ("I-X", "I-X"), ("I-X", "B-X"), ("B-X", "B-X")):
        assert transitions[at[before], at[after]] > FORBIDDEN


def test_it_learns_that_tags_follow_one_another():
    torch.manual_seed(0)
    field = Crf(LABELS)
    tags = torch.tensor([[1, 2, 2, 0]])
    logits = torch.zeros(1, 4, len(LABELS))
    mask = torch.ones(1, 4, dtype=torch.bool)
    optimizer = torch.optim.SGD(field.parameters(), lr=0.5)
    before = float(field.loss(logits, tags, mask).sum().detach())
    for _ in range(20):
        optimizer.zero_grad()
        field.loss(logits, tags, mask).sum().backward()
        optimizer.step()
    assert float(field.loss(logits, tags, mask).sum().detach()) < before / 2
