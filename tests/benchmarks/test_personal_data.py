"""Personal data is found in texts of shoppers, also in those that no pattern was made for."""

import pytest

from benchmarks.personal_data import read_texts, score

TEXTS = list(read_texts())
SCORES = score(TEXTS)


def test_the_texts_are_what_the_head_of_their_file_says() -> None:
    assert sorted(SCORES) == [("en", "blind"), ("en", "dev"), ("zh", "blind"), ("zh", "dev")]
    assert len(TEXTS) > 100
    assert all("{" not in each.text for each in TEXTS)
    assert len({each.text for each in TEXTS}) == len(TEXTS)


@pytest.mark.parametrize("part", sorted(SCORES))
def test_few_are_missed_and_hardly_anything_else_is_found(part: tuple[str, str]) -> None:
    assert SCORES[part].precision >= 0.95
    assert SCORES[part].recall >= (0.95 if part[1] == "dev" else 0.8)
