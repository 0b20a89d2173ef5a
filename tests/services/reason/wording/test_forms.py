"""What may follow what in an English sentence, over the frames that the corpus is made of."""

import random
import re

import pytest

from services.reason.train.frames import reason_kinds, variants, write
from services.reason.wording.forms import (
    PHRASES,
    SLOT,
    SUBJECTS,
    VERBS,
    Form,
    form_after,
    may_begin,
    may_close,
)

CLAUSES = (
    (Form.IT, ",", " in stock", False),
    (Form.IT, ",", " has a rating", True),
    (Form.IT, ",", " it has a rating", False),
    (Form.IT, ",", " and it has a rating", True),
    (Form.IT, ";", " it has a rating", True),
    (Form.IT, "", " it has a rating", False),
    (Form.IT, "", " and has a rating", True),
    (Form.OWN, ",", " and comes from", False),
    (Form.OWN, "", " and from", False),
    (Form.OWN, ",", " and it comes from", True),
    (Form.PHRASE, ",", " comes from", False),
    (Form.PHRASE, ",", " with", False),
    (Form.PHRASE, ",", " within your", True),
    (Form.PHRASE, ",", " it comes", True),
    (Form.WITH, ",", " in stock", False),
    (Form.WITH, ",", " it is", True),
    (Form.ALONE, "", "in black", False),
    (Form.ALONE, "", "it is", True),
)


def first_words(form: str) -> set[str]:
    texts = {text for kind in reason_kinds() for text in variants("en", kind, form)}
    return {re.sub(r"<\w+>", SLOT, text).split(" ")[0].strip('"') for text in texts}


def test_the_words_are_those_of_the_frames() -> None:
    assert first_words("vp") - {"now"} <= VERBS
    assert first_words("frag") <= PHRASES
    assert first_words("full") - {"at"} <= {word.strip('"') for word in SUBJECTS}
    assert not VERBS & (PHRASES | SUBJECTS)


@pytest.mark.parametrize(("before", "mark", "clause", "well"), CLAUSES)
def test_openings(before: Form, mark: str, clause: str, *, well: bool) -> None:
    assert may_begin(before, mark, clause, "well_reviewed") is well


def test_a_slot_begins_a_phrase_or_a_subject() -> None:
    assert form_after(Form.BEGIN, f"{SLOT} off its list price,") is Form.PHRASE
    assert form_after(Form.BEGIN, f"{SLOT} is the colour you wanted,") is Form.OWN
    assert form_after(Form.BEGIN, f"at {SLOT} you stay within your {SLOT}") is Form.OWN
    assert not may_begin(Form.IT, ";", f" {SLOT}", "discount")
    assert may_begin(Form.IT, ";", f" {SLOT}", "praised_quality")
    assert not may_begin(Form.OWN, ";", " the lowest", "lowest_price_on_page")


def test_with_waits_for_its_subject() -> None:
    assert not may_close(Form.BEGIN, f'with "{SLOT}" in its title')
    assert may_close(Form.BEGIN, f'with "{SLOT}" in its title,')


@pytest.mark.parametrize("seed", range(400))
def test_sentences_of_the_corpus_stand(seed: int) -> None:
    """But those of phrases alone that begin with "with", which read as unfinished."""
    rng = random.Random(seed)  # noqa: S311  # no secret
    kinds = rng.sample(reason_kinds(), rng.randint(1, 4))
    form = Form.BEGIN if len(kinds) > 1 else Form.ALONE
    mark = ""
    for clause in write(kinds, "en", rng):
        text = re.sub(r"<\w+>", SLOT, clause.text)
        code = kinds[clause.position - 1].partition(".")[0]
        if re.match(r"\W*(?:and )?with ", text) and (form in (Form.WITH, Form.PHRASE)):
            return
        if form is Form.WITH and not may_begin(form, mark, text[:4], code):
            return
        opening = text[: len(" and ") + 12]
        assert may_begin(form, mark, opening, code), (form, mark, text)
        form = form_after(form, text)
        mark = text[-1] if text[-1] in ",;" else ""
