"""What summaries say: every wording is read back by the service and by the independent checker."""

import random
import re
from collections.abc import Iterator

import pytest

from services.reason.summarise.points import aspects
from services.reason.summarise.reading import Reading, read, read_opening
from services.reason.summarise.wordings import wording
from services.reason.train.frames import LANGUAGES, frames, kinds, reason_kinds, variants, write
from services.reason.train.opinion_frames import MOST_IN_SENTENCE, draw, opinion_kinds
from services.reason.wording.opinions import FAULT, MIXED, PRAISE, RATED, READ, is_opinion
from shared.evaluation.summary_wordings import BAD, DIVIDED, GOOD, Spoken, opening, spoken

NUMBERS = {"count": "3", "total": "9", "praise": "4", "stars": "4.2"}
LEADS = {"en": ("", "it ", "this "), "zh": ("", "它", "这款", "这款还")}


def clauses(language: str, kind: str) -> Iterator[str]:
    """Every wording of a kind with its numbers, as it may stand in a sentence."""
    for form in frames(language)[kind]:
        for text in variants(language, kind, form):
            said = re.sub(r"<(\w+)>", lambda match: NUMBERS[match[1]], text)
            yield from (lead + said for lead in (LEADS[language] if form == "vp" else ("",)))


def test_every_aspect_of_the_summariser_has_its_kinds() -> None:
    codes = {aspect.code for aspect in aspects()}
    assert set(opinion_kinds()) == {READ, RATED} | {
        f"{side}.{code}" for side in (PRAISE, FAULT, MIXED) for code in codes
    }
    assert set(reason_kinds()) | set(opinion_kinds()) == set(kinds())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [kind for kind in opinion_kinds() if "." in kind])
def test_every_wording_says_its_aspect_side_and_numbers(language: str, kind: str) -> None:
    side, _, aspect = kind.partition(".")
    praise = {PRAISE: 3, FAULT: 0, MIXED: 4}[side]
    fault = 0 if side == PRAISE else 3
    topic = wording(aspect, True, "en").removeprefix("it ")
    own = Reading(side, aspect, praise, fault, 9)
    some, against = (4, 3) if side == MIXED else (3, 0)
    checked = Spoken(topic, {PRAISE: GOOD, FAULT: BAD, MIXED: DIVIDED}[side], some, against, 9)
    for text in clauses(language, kind):
        assert read(text, language) == own, text
        assert spoken(text, language) == checked, text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [READ, RATED])
def test_every_opening_says_its_numbers(language: str, kind: str) -> None:
    for text in clauses(language, kind):
        expected = (3, "4.2" if kind == RATED else "")
        assert read_opening(text, language) == expected, text
        assert opening(text, language) == expected, text


def test_a_sentence_opens_with_the_reviews_and_says_praise_before_faults() -> None:
    rng = random.Random(8)  # noqa: S311
    order = [READ, RATED, PRAISE, MIXED, FAULT]
    for _ in range(200):
        said = draw(rng)
        assert 1 <= len(said) <= MOST_IN_SENTENCE
        assert all(map(is_opinion, said))
        named = [kind.partition(".")[2] for kind in said if "." in kind]
        assert len(set(named)) == len(named) >= len(said) - 1
        codes = [order.index(kind.partition(".")[0]) for kind in said]
        assert codes == sorted(codes)
        for language in LANGUAGES:
            places = [clause.position for clause in write(said, language, rng)]
            assert places == list(range(1, len(said) + 1))


@pytest.mark.parametrize(("language", "turn"), [("en", "but"), ("zh", "但")])
def test_a_turn_to_a_fault_is_marked(language: str, turn: str) -> None:
    rng = random.Random(9)  # noqa: S311
    said = [f"{PRAISE}.comfort", f"{FAULT}.fit"]
    texts = ["".join(c.text for c in write(said, language, rng)) for _ in range(60)]
    assert sum(turn in text for text in texts) > len(texts) // 4
    alike = [f"{PRAISE}.comfort", f"{PRAISE}.fit"]
    assert not any(turn in "".join(c.text for c in write(alike, language, rng)) for _ in range(60))
