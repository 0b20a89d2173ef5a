"""The frames: every one is said truly by the verifier, and none holds what evidence must bring."""

import random
import re
from collections.abc import Callable, Iterator

import pytest

from services.reason.evaluation.attacks import facts_of as every_fact
from services.reason.facts import Claim, Fact, Scene
from services.reason.recheck_ranking import RANKING_RECHECKS
from services.reason.train.frames import LANGUAGES, frames, kinds, variants, write
from services.reason.train.scenes import facts_of
from services.reason.verify import Verifier
from services.reason.wording.filled import SLOTS
from services.reason.wording.guard import Guard
from services.reason.wording.slots import fill, kind_of, required_slots
from tests.services.reason.conftest import build_meaning_scene
from wherefore.recommend.v1 import relation_pb2

SLOT = re.compile(r"<(\w+)>")
TEMPLATES_ALONE = {"similar_to", "same_brand", *RANKING_RECHECKS}
"""Kinds that no model learns yet."""
CASES = [(language, kind) for language in LANGUAGES for kind in kinds()]


def wordings(language: str, kind: str) -> list[str]:
    return [text for form in frames(language)[kind] for text in variants(language, kind, form)]


def test_both_languages_say_the_same_kinds() -> None:
    assert set(frames("en")) == set(frames("zh"))


@pytest.mark.parametrize(("language", "kind"), CASES)
def test_every_wording_has_its_slots_once(language: str, kind: str) -> None:
    for text in wordings(language, kind):
        found = SLOT.findall(text)
        assert set(found) <= set(SLOTS), text
        assert len(found) == len(set(found)), text
        assert set(required_slots(kind)) <= set(found), text


@pytest.mark.parametrize(("language", "kind"), CASES)
def test_no_wording_holds_a_value_a_number_or_a_banned_word(
    language: str, kind: str, guard: Guard
) -> None:
    for text in wordings(language, kind):
        state = guard.start
        for index, part in enumerate(SLOT.split(text)):
            if index % 2:
                state = guard.boundary(state)
            else:
                after = guard.after(state, part, kind.partition(".")[0])
                assert after is not None, text
                state = after


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_verifier_lets_every_wording_stand(
    language: str, make_scene: Callable[..., Scene], verifier: Verifier
) -> None:
    scenes = [make_scene(language), make_scene(language, amount=500.0)]
    for scene in scenes:
        similar = {"product_id": "h9", "product_title": "Trail pack 18 l", "evidence": "Thule"}
        kind = relation_pb2.RELATION_KIND_SIMILAR
        scene.relations.append(relation_pb2.Relation(kind=kind, **similar))
    scenes.append(build_meaning_scene())
    seen: set[str] = set()
    refused: list[str] = []
    for scene in scenes:
        for fact in facts_of_all(scene, language):
            filled = fill(fact, language)
            if filled.kind in TEMPLATES_ALONE:
                continue
            seen.add(filled.kind)
            for text in wordings(language, filled.kind):
                said = SLOT.sub(lambda match, fills=filled.fills: fills[match[1]], text)
                verdict = verifier.check(Claim(said, fact.code, (fact,)), scene)
                if not verdict.holds:
                    refused.append(f"{verdict.cause}: {said}")
    assert not refused
    assert len({kind.partition(".")[0] for kind in seen}) >= 31, seen


def facts_of_all(scene: Scene, language: str) -> Iterator[Fact]:
    """All facts, also those that say much the same as another."""
    yield from every_fact(scene, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_says_each_piece_of_evidence_once(language: str) -> None:
    rng = random.Random(3)  # noqa: S311
    for count in range(1, 6):
        for _ in range(50):
            said = rng.choices(kinds(), k=count)
            clauses = write(said, language, rng)
            assert sorted(clause.position for clause in clauses) == list(range(1, count + 1))
            stop = "." if language == "en" else "。"
            assert "".join(clause.text for clause in clauses).count(stop) == 1
            assert clauses[-1].text.endswith(stop)


def test_sentences_vary() -> None:
    rng = random.Random(4)  # noqa: S311
    said = ["price_fit", "well_reviewed", "attribute_match.colour"]
    for language in LANGUAGES:
        texts = {"".join(c.text for c in write(said, language, rng)) for _ in range(100)}
        assert len(texts) > 95


def test_facts_without_their_form_are_refused(make_scene: Callable[..., Scene]) -> None:
    fact = next(f for f in facts_of(make_scene("en"), "en") if f.code == "attribute_match")
    assert kind_of(fact).startswith("attribute_match.")
    with pytest.raises(ValueError, match="no text for shown"):
        fill(fact._replace(value="", meets=""), "en")
