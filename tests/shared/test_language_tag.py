"""The form of language tags."""

import pytest

from shared.language_tag import LONGEST_TAG, is_language_tag

TAGS = ("en", "zh-CN", "zh-Hans-CN", "de-1996", "x" * 8, "sl-rozaj-biske")
NONE = ("", "e", "en_US", "en-", "-en", "en--us", "12", "en\n", "语言", "x" * 9, f"en-{'a' * 9}")


@pytest.mark.parametrize("code", TAGS)
def test_tags(code: str) -> None:
    assert is_language_tag(code)


@pytest.mark.parametrize("code", NONE)
def test_no_tags(code: str) -> None:
    assert not is_language_tag(code)


def test_a_tag_is_not_longer_than_the_standard_asks_for() -> None:
    longest = "en" + "-abcdefgh" * 3 + "-abcde"
    assert len(longest) == LONGEST_TAG
    assert is_language_tag(longest)
    assert not is_language_tag(longest + "f")
