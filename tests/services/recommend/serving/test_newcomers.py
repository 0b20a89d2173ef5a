import numpy as np
import pytest

from services.recommend.serving.co_occurrence import CoOccurrence
from services.recommend.serving.found import Found, Tie
from services.recommend.serving.newcomers import Newcomers
from services.recommend.serving.next_items import NextItems


@pytest.fixture
def visits() -> CoOccurrence:
    """Shoppers look at a new lamp with the old lamp, and at cups with plates."""
    counted = CoOccurrence(Tie.VIEWED_TOGETHER, 3_600.0, 10)
    for number in range(6):
        counted.count(f"u:{number}", ["old lamp", "new lamp"], 1_000.0)
        counted.count(f"u:1{number}", ["cup", "plate"], 1_000.0)
    counted.count("u:20", ["cup", "one man's find"], 1_000.0)
    return counted


KNOWN = ("old lamp", "bulb", "cup", "plate")


def test_a_new_product_stands_where_what_it_is_looked_at_with_does(visits):
    newcomers = Newcomers(visits, KNOWN)
    assert newcomers.stand_in("new lamp") == "old lamp"
    assert newcomers.stand_in("one man's find") is None  # one person says nothing
    assert newcomers.stand_in("never seen") is None


def test_new_products_follow_what_they_stand_beside(visits):
    joined = Newcomers(visits, KNOWN).join(
        [Found("old lamp", 3.0), Found("bulb", 2.0), Found("cup", 1.0)]
    )
    assert [each.product_id for each in joined] == ["old lamp", "new lamp", "bulb", "cup"]


class Model:
    """Foretells the next of four products, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    async def run(self, inputs, outputs, *, urgent=False):
        self.asked.append(inputs["items"][0].tolist())
        values = {"next_items": np.array([[1, 2, 3]]), "scores": np.array([[3.0, 2.0, 1.0]])}

        class Made:
            outputs = values
            queue_nanos = inference_nanos = 0

        return Made()


async def test_the_model_reads_a_new_product_as_its_stand_in_and_foretells_others(visits):
    model = Model()
    following = NextItems(model, KNOWN, 10)
    assert (await following.after(["new lamp"])).found == []
    assert model.asked == []  # without, nothing is known of it
    found = await following.after(["new lamp", "cup", "never seen"], visits)
    assert model.asked == [[3, 1]]
    assert [each.product_id for each in found.found] == ["old lamp", "bulb"]  # but those at hand
    found = await following.after(["plate"], visits)
    assert [each.product_id for each in found.found] == ["old lamp", "new lamp", "bulb", "cup"]
