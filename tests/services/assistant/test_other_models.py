"""The NLU has another model by and by: the known questions get its vectors, and are not mixed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.assistant.help import read_help
from services.assistant.knowledge import Knowledge
from services.assistant.learner import LEAST_SECONDS_BETWEEN_MODELS, Learner
from services.assistant.learnt import Source, learn
from services.assistant.reader import NluReader
from services.assistant.store import LearntStore
from services.assistant.templates import read_templates
from shared.errors import UnavailableError
from shared.privacy.sealing import read_or_make_keys
from tests.services.assistant.peers import Nlu

QUESTION = "unsubscribe from the newsletter"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known() -> Knowledge:
    return Knowledge(read_templates(), read_help())


@pytest.fixture
async def reader(targets: dict[str, str]) -> AsyncIterator[NluReader]:
    made = NluReader(targets["nlu_target"], 5.0)
    yield made
    await made.close()


@pytest.fixture
async def learner(
    known: Knowledge, reader: NluReader, clock: Clock, tmp_path: Path
) -> AsyncIterator[Learner]:
    made = Learner(known, LearntStore(tmp_path, 100), reader, clock)
    await made.open(lambda: read_or_make_keys(tmp_path / "keys"))
    await made.caught_up()
    yield made
    await made.close()


async def test_the_known_questions_get_the_vectors_of_the_new_model(
    known: Knowledge, reader: NluReader, learner: Learner, nlu: Nlu
) -> None:
    nlu.version, nlu.width = 2, 64
    first = await reader.read(QUESTION)
    assert [stage for stage, _ in first.lost] == ["nlu.embedding"]
    assert known.waits_for_vectors("en")
    assert known.match(first.message)  # by words, meanwhile
    await learner.caught_up()
    assert not known.waits_for_vectors("en")
    second = await reader.read(QUESTION)
    assert not second.lost
    assert second.message.vector is not None
    assert second.message.vector.shape == (64,)
    assert known.match(second.message)[0].answer_id == "newsletter_unsubscribe"


async def test_a_language_whose_model_is_the_same_keeps_its_vectors(
    known: Knowledge, reader: NluReader, learner: Learner, nlu: Nlu
) -> None:
    nlu.version = 2
    await reader.read(QUESTION)
    assert known.waits_for_vectors("en")
    assert not known.waits_for_vectors("zh")


async def test_models_that_take_turns_do_not_have_all_read_each_time(
    known: Knowledge, reader: NluReader, learner: Learner, nlu: Nlu, clock: Clock
) -> None:
    nlu.version = 2
    await reader.read(QUESTION)
    await learner.caught_up()
    read, nlu.version = nlu.embedded, 1  # another replica, not replaced yet
    for _ in range(5):
        assert (await reader.read(QUESTION)).lost
    assert nlu.embedded == read + 5
    assert not known.waits_for_vectors("en")
    clock.now += LEAST_SECONDS_BETWEEN_MODELS  # it stays: the new one was taken back
    assert (await reader.read(QUESTION)).lost
    await learner.caught_up()
    assert not (await reader.read(QUESTION)).lost


async def test_vectors_of_two_models_are_never_taken_together(
    known: Knowledge, reader: NluReader, learner: Learner, nlu: Nlu
) -> None:
    nlu.turns = True  # each call meets another replica
    with pytest.raises(UnavailableError, match=r"vectors are by en@\d"):
        await reader.vectors([f"question {at}" for at in range(200)], "en")
    await asyncio.sleep(0)
    nlu.turns = False
    await learner.caught_up()
    assert not known.waits_for_vectors("en")


async def test_what_is_learnt_while_the_model_changes_gets_its_vector_too(
    known: Knowledge, reader: NluReader, learner: Learner, nlu: Nlu, clock: Clock
) -> None:
    example = learn("where do you grow the tea?", "In the hills.", source=Source.DIALOGUE)
    nlu.version = 2
    with pytest.raises(UnavailableError):
        await learner.learn([example])
    assert await learner.learn([example]) == 1  # as who imports tries again
    await learner.caught_up()
    assert not known.without_vector()
    found = await reader.read("where do you grow the tea?")
    assert known.match(found.message)[0].answer_id == example.answer_id
