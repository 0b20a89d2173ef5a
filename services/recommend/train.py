"""Trains the sequential model on a file of sequences, measures it and writes it for Triton.

The epoch is chosen on the items before the last, and nDCG@10 and HR@10 are measured on the last
ones, which no choice has seen: the figures are those of the very model that is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.recommend.export import MODEL, Parity, export
from services.recommend.ranking import measure_lists, top, user_shares, without_seen
from services.recommend.sequences import Attributes, SequenceData
from services.recommend.sequential import Sequential, SequentialSettings
from services.recommend.split import Held, leave_one_out

PARITY_HISTORIES = 512
"""Histories that the file is held against the network with, at most."""
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training came to."""

    users: int
    items: int
    epochs: int
    """That were trained; the best of them was kept."""
    validation_ndcg: float
    """nDCG@10 by which the epoch was chosen."""
    test_ndcg: float
    test_hits: float
    """HR@10."""
    parity: Parity

    def as_json(self) -> dict[str, Any]:
        """Returns the figures as the command prints them."""
        return {
            "users": self.users,
            "items": self.items,
            "epochs": self.epochs,
            "validation": {"ndcg@10": self.validation_ndcg},
            "test": {"ndcg@10": self.test_ndcg, "hr@10": self.test_hits},
            "parity": asdict(self.parity),
        }


def train(
    data: SequenceData,
    attributes: Attributes | None,
    out: Path,
    settings: SequentialSettings,
    advance: Callable[[int, int], None] = lambda _done, _total: None,
) -> Trained:
    """Train, measure and write the model to `out`/next_item.

    Args:
        data: Sequences of all users.
        attributes: Of the items, where known.
        out: Folder of the model repository that it is added to; made when absent.
        settings: Of the training.
        advance: Told of epochs: done, at most.

    Raises:
        TooShortError: The sequences are too short to learn from, or to be measured.
        ExportError: The file does not say what the network says.
    """
    split = leave_one_out(data.sequences)
    count = len(data.items)
    model = Sequential(count, split.validation, attributes, settings, advance=advance)
    model.fit(split.training)
    ndcg, hits = _measure(model, split.test, user_shares(split.training, count))
    folder = out / MODEL
    histories = split.test.histories[:PARITY_HISTORIES]
    parity = export(model.network, data.items, histories, folder)
    trained = Trained(
        users=len(data.users),
        items=count,
        epochs=len(model.epochs),
        validation_ndcg=model.epochs[model.best].ndcg,
        test_ndcg=ndcg,
        test_hits=hits,
        parity=parity,
    )
    (folder / "figures.json").write_text(
        json.dumps(trained.as_json(), indent=2) + "\n", encoding="utf-8"
    )
    return trained


def _measure(model: Sequential, held: Held, shares: Any) -> tuple[float, float]:
    lists = np.concatenate(
        [
            top(
                without_seen(
                    model.scores(held.histories[begin : begin + _BATCH]),
                    held.histories[begin : begin + _BATCH],
                )
            )
            for begin in range(0, len(held.targets), _BATCH)
        ]
    )
    measured = measure_lists(lists, held.targets, shares)
    return float(measured.ndcg.mean()), float(measured.hits.mean())
