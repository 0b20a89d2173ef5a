"""Reasons as integers."""

import numpy as np
import pytest

from services.reason.wording.served import TOKENS
from services.reason.wording.tensors import (
    EVIDENCE,
    LANGUAGE,
    SEED,
    from_tensors,
    to_tensors,
    vocabulary_id,
)

from .conftest import HOME, page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_comes_back_without_its_texts(grammar, language):
    wanted = page(10, language)
    found = from_tensors(to_tensors(wanted, grammar.tokens), grammar.tokens)
    assert len(found) == len(wanted)
    for one, back in zip(wanted, found, strict=True):
        assert (back.language, back.seed) == (language, one.seed)
        for filled, told in zip(one.evidence, back.evidence, strict=True):
            assert told.kind == filled.kind
            assert set(told.required) == set(filled.required)
            assert {slot for slot, text in filled.fills.items() if text} == set(told.fills)
            assert not set(filled.fills.values()) & set(told.fills.values())


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        (EVIDENCE, (0, 0, 0), 10**6),
        (EVIDENCE, (0, 0, 0), -3),
        (LANGUAGE, (0,), -1),
    ],
)
def test_a_token_that_is_none_of_the_models_is_refused(grammar, name, at, value):
    tensors = to_tensors(page(2), grammar.tokens)
    tensors[name][at] = value
    with pytest.raises(ValueError, match="is no mark"):
        from_tensors(tensors, grammar.tokens)


def test_rows_that_do_not_agree_are_refused(grammar):
    tensors = to_tensors(page(2), grammar.tokens)
    tensors[SEED] = np.zeros(3, dtype=np.int64)
    with pytest.raises(ValueError, match="one row a reason"):
        from_tensors(tensors, grammar.tokens)


def test_a_vocabulary_that_changes_has_another_id(tmp_path):
    content = (HOME / TOKENS).read_bytes()
    (tmp_path / TOKENS).write_bytes(content)
    same = vocabulary_id(tmp_path)
    assert same == vocabulary_id(HOME)
    assert 0 <= same < 2**63
    (tmp_path / TOKENS).write_bytes(content.replace(b"the", b"teh", 1))
    assert vocabulary_id(tmp_path) != same
