"""Data whose structure is known, small enough to be learnt in seconds."""

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `recommend` is not installed")
pytest.importorskip("implicit", reason="the extra `recommend` is not installed")

import torch

from services.recommend.sequences import Items, SequenceData
from services.recommend.sequential import SequentialSettings
from services.recommend.transformer import NetworkSettings

RING = 24
"""Items of the ring, each followed by the next."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny products are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def ring() -> tuple[Items, ...]:
    """Walks along the ring: what comes next is certain."""
    return tuple(
        np.array([(start + step) % RING for step in range(7)], dtype=np.int32)
        for start in range(RING)
        for _ in range(3)
    )


@pytest.fixture
def ring_data(ring: tuple[Items, ...]) -> SequenceData:
    """The ring as read from a file."""
    return SequenceData(
        tuple(f"u{user}" for user in range(len(ring))),
        tuple(f"i{item}" for item in range(RING)),
        ring,
    )


@pytest.fixture
def quick() -> SequentialSettings:
    """Settings that learn the ring in seconds."""
    return SequentialSettings(
        network=NetworkSettings(width=16, dropout=0.1, input_dropout=0.1),
        epochs=30,
        patience=6,
        batch=64,
        learning_rate=0.01,
        average_decay=0.8,
        threads=1,
    )
