"""Rows of a shop, and their files."""

import numpy as np
import pytest

from shared.federated.errors import FederatedError
from shared.federated.rows import Rows
from tests.shared.federated.made_up import rank_shop


def test_examples_are_taken_whole_in_the_order_named() -> None:
    rows = rank_shop(7, seed=1)
    taken = rows.of_examples(np.array([5, 0, 5]))
    expected = [rows.features[rows.example == number] for number in (5, 0, 5)]
    np.testing.assert_array_equal(taken.features, np.vstack(expected))
    sizes = [len(part) for part in expected]
    assert taken.example.tolist() == np.repeat([0, 1, 2], sizes).tolist()
    assert len(taken) == 3
    assert taken.starts.tolist() == [0, sizes[0], sizes[0] + sizes[1]]


def test_a_file_gives_back_what_was_saved(tmp_path) -> None:
    rows = rank_shop(4, seed=2)
    rows.save(tmp_path / "shop.npz")
    read = Rows.load(tmp_path / "shop.npz")
    for name in ("features", "targets", "example"):
        np.testing.assert_array_equal(getattr(read, name), getattr(rows, name))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (Rows(np.zeros((2, 3)), np.zeros(3), np.arange(2)), "do not belong together"),
        (Rows(np.zeros((2, 3)), np.zeros(2), np.array([0, 2])), "do not belong together"),
        (Rows(np.zeros((0, 3)), np.zeros(0), np.zeros(0, dtype=int)), "no example"),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path, rows, told) -> None:
    rows.save(tmp_path / "shop.npz")
    with pytest.raises(FederatedError, match=told):
        Rows.load(tmp_path / "shop.npz")


def test_another_file_is_refused_by_name(tmp_path) -> None:
    (tmp_path / "shop.npz").write_text("utterance,intent\n")
    with pytest.raises(FederatedError, match=r"shop\.npz is no file of"):
        Rows.load(tmp_path / "shop.npz")
