import numpy as np
import pytest

from services.reason.summarise.vector_cache import CONFIRM_SECONDS, VectorCache
from shared.errors import UnavailableError


class Letters:
    """Counts letters, and keeps what it was asked."""

    def __init__(self):
        self.asked = []
        self.model = "letters@1"
        self.lost = False

    async def encode(self, texts):
        if self.lost:
            raise UnavailableError("gone")
        self.asked.append(list(texts))
        scale = 1.0 if self.model == "letters@1" else 2.0
        return np.array([[scale * len(text), text.count("a")] for text in texts]), self.model


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def letters():
    return Letters()


@pytest.fixture
def clock():
    return Clock()


async def test_asks_for_new_texts_only_and_keeps_their_order(letters, clock):
    cache = VectorCache(letters, 10, clock)
    await cache.encode(["a", "bb"])
    rows, model = await cache.encode(["bb", "ccc", "a", "ccc"])
    assert letters.asked == [["a", "bb"], ["ccc"]]
    assert rows[:, 0].tolist() == [2, 3, 1, 3]
    assert model == "letters@1"
    await cache.encode(["a", "ccc"])
    assert len(letters.asked) == 2


async def test_another_model_voids_what_is_kept(letters, clock):
    cache = VectorCache(letters, 10, clock)
    await cache.encode(["a", "bb"])
    letters.model = "letters@2"
    rows, model = await cache.encode(["a", "ccc"])
    assert (rows[:, 0].tolist(), model) == ([2, 6], "letters@2")
    rows, _ = await cache.encode(["bb"])
    assert rows[:, 0].tolist() == [4]


async def test_the_model_is_asked_for_again_after_a_while(letters, clock):
    cache = VectorCache(letters, 10, clock)
    await cache.encode(["a", "bb"])
    letters.model = "letters@2"
    clock.now += CONFIRM_SECONDS
    rows, model = await cache.encode(["a", "bb"])
    assert (rows[:, 0].tolist(), model) == ([2, 4], "letters@2")


async def test_the_size_holds_and_errors_pass(letters, clock):
    cache = VectorCache(letters, 2, clock)
    rows, _ = await cache.encode(["a", "bb", "ccc"])
    assert rows[:, 0].tolist() == [1, 2, 3]
    await cache.encode(["a"])
    assert letters.asked[-1] == ["a"]
    letters.lost = True
    with pytest.raises(UnavailableError):
        await cache.encode(["new"])
