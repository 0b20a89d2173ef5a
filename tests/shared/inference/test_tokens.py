import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.inference.tokens import PAD_ID, batches, pad


def test_padding_fills_up_short_rows() -> None:
    padded = pad([np.asarray([1, 2, 3], np.int32), np.asarray([4], np.int32)])
    assert padded.tolist() == [[1, 2, 3], [4, PAD_ID, PAD_ID]]
    assert padded.dtype == np.int32


@given(
    lengths=st.lists(st.integers(1, 40), max_size=50),
    size=st.integers(1, 16),
)
def test_batches_hold_every_row_once_and_no_more_than_size(lengths: list[int], size: int) -> None:
    found = list(batches(lengths, size))
    assert all(1 <= len(positions) <= size for positions in found)
    order = [position for positions in found for position in positions]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[position] for position in order] == sorted(lengths)


def test_padding_to_a_multiple() -> None:
    assert pad([np.asarray([1, 2, 3], np.int32)], 16).shape == (1, 16)
    assert pad([np.arange(1, 17, dtype=np.int32)], 16).shape == (1, 16)
