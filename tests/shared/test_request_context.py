import pytest

from shared.request_context import accept_request_id


@pytest.mark.parametrize("good", ["a", "8f14e45f-ceea", "trace:1/2", "x" * 128])
def test_harmless_ids_are_kept(good):
    assert accept_request_id(good) == good


@pytest.mark.parametrize("bad", [None, "", "x" * 129, "a b", "a\nlevel=error", b"bytes", "编号"])
def test_others_are_replaced(bad):
    made = accept_request_id(bad)
    assert made != bad
    assert len(made) == 32
