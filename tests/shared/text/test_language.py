import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.language import detect_language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("wireless mouse", "en"),
        ("headphones under 50 without cable", "en"),
        ("la roche posay", "en"),
        ("蓝牙耳机", "zh"),
        ("索尼 WH-1000XM4 耳机", "zh"),
        ("iPhone 手机壳", "zh"),
        ("der rote Kessel für die Küche", "de"),
        ("bouilloire pour le thé avec thermostat", "fr"),
        ("ラーメンどんぶり", "ja"),
        ("무선 마우스", "ko"),
        ("беспроводная мышь", "ru"),
        ("", "und"),
        ("2110 / 17-19 !?", "und"),
    ],
)
def test_detect_language(text: str, code: str) -> None:
    assert detect_language(text)[0] == code


@given(st.text())
def test_confidence_is_a_share(text: str) -> None:
    code, confidence = detect_language(text)
    assert 0.0 <= confidence <= 1.0
    assert (confidence == 0.0) == (code == "und")
