"""A checkpoint of a run."""

import numpy as np
import pytest

from shared.federated.checkpoint import CHECKPOINT, Checkpoint, load, save
from shared.federated.errors import FederatedError

ABOUT = {"settings": {"rounds": 3}}


def test_it_is_read_back_by_the_same_run_alone(tmp_path) -> None:
    assert load(tmp_path, ABOUT) is None
    save(tmp_path, Checkpoint(2, [np.arange(4.0).reshape(2, 2), np.ones(3)]), ABOUT)
    held = load(tmp_path, ABOUT)
    assert held is not None
    assert held.rounds == 2
    assert [array.tolist() for array in held.weights] == [[[0, 1], [2, 3]], [1, 1, 1]]
    with pytest.raises(FederatedError, match="another run"):
        load(tmp_path, {"settings": {"rounds": 4}})


def test_another_file_in_its_place_is_told(tmp_path) -> None:
    (tmp_path / CHECKPOINT).write_text("nothing")
    with pytest.raises(FederatedError, match="no checkpoint; remove it"):
        load(tmp_path, ABOUT)
