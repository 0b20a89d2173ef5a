import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.inference.tokens import PAD_ID, batches, pad

rows_of_ids = st.lists(
    st.lists(st.integers(1, 30_000), min_size=1, max_size=40).map(
        lambda ids: np.asarray(ids, dtype=np.int32)
    ),
    max_size=50,
)


def test_padding_fills_up_short_rows() -> None:
    padded = pad([np.asarray([1, 2, 3], np.int32), np.asarray([4], np.int32)])
    assert padded.tolist() == [[1, 2, 3], [4, PAD_ID, PAD_ID]]
    assert padded.dtype == np.int32


@given(rows=rows_of_ids, size=st.integers(1, 16))
def test_batches_hold_every_row_once_and_no_more_than_size(
    rows: list[np.ndarray], size: int
) -> None:
    seen: dict[int, list[int]] = {}
    for positions, ids in batches(rows, size):
        assert len(positions) == len(ids) <= size
        for position, row in zip(positions, ids, strict=True):
            seen[position] = [int(token) for token in row if token != PAD_ID]
    assert seen == {position: row.tolist() for position, row in enumerate(rows)}
