import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.normalise import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Steel\tKettle \n", "steel kettle"),
        ("ＡＢＣ　１２３", "abc 123"),
        ("STRASSE Straße", "strasse strasse"),
        ("ﬁne Ⅻ", "fine xii"),
        ("不锈钢　水壶", "不锈钢 水壶"),
        ("", ""),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_fold_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)
