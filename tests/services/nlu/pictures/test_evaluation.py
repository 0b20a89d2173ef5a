"""The evaluation: what it asks, how it ranks, and that products for tests teach nothing."""

from pathlib import Path

import numpy as np
import pytest

from services.nlu.pictures.evaluation.baseline import HistogramBaseline, histogram
from services.nlu.pictures.evaluation.measure import area_by_product, by_product, first_right
from services.nlu.pictures.evaluation.outcome import BASELINE, MODEL
from services.nlu.pictures.evaluation.run import evaluate_crossmodal
from services.nlu.pictures.evaluation.shop import read_pictures
from shared.catalogue import CatalogueError
from shared.pictures.decoding import decode
from tests.services.nlu.pictures.files import ColourEncoder
from tests.services.nlu.train.made_up_shop import make_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("luma"))


async def test_an_encoder_of_colours_tells_colours_and_no_kinds(shop: Path):
    read: list[int] = []
    found = await evaluate_crossmodal(shop, ColourEncoder(), read.append)
    assert sum(read) == 72
    document = found.as_json()
    assert document["parts"]["test"] == {"products": 4, "pictures": 24}
    ours, theirs = (found.text_to_picture[name] for name in (MODEL, BASELINE))
    assert len(ours.places) == 12
    assert ours.candidates == 72
    # 24 pictures have the colour, of which 12 are of the category that the baseline knows besides.
    assert (ours.places <= 24).all()
    assert (theirs.places <= 12).all()
    assert found.colours[MODEL].mean > 0.6  # by chance a third
    assert found.picture_to_text[MODEL].candidates == 36
    assert len(found.other_views["both"].places) == 24
    assert found.other_views["picture alone"].recall(10).mean > 0.9
    both = found.like_this_but
    assert len(both["edit"].places) == 24
    assert both["edit"].candidates == 71
    assert both["edit"].recall(10).mean > both["picture alone"].recall(10).mean
    assert found.times_baseline == pytest.approx(ours.recall(10).mean / theirs.recall(10).mean)


async def test_a_folder_without_pictures_is_no_shop(tmp_path: Path):
    with pytest.raises(CatalogueError, match="no pictures"):
        await evaluate_crossmodal(tmp_path, ColourEncoder())


def test_the_baseline_learns_from_training_alone(shop: Path):
    pictures = read_pictures(shop)
    pixels = [decode(each.path.read_bytes(), "picture") for each in pictures]
    histograms = np.stack([histogram(each) for each in pixels])
    learnt = [at for at, each in enumerate(pictures) if each.part == "train"]
    plain = HistogramBaseline(histograms, pictures, learnt)
    other = histograms.copy()
    held = [at for at, each in enumerate(pictures) if each.part != "train"]
    other[held] = np.roll(other[held], 7, axis=1)
    again = HistogramBaseline(other, pictures, learnt)
    fit, same = (each.by_text(pictures, 0.1)[:, learnt] for each in (plain, again))
    assert fit == pytest.approx(same)
    assert not np.allclose(
        plain.by_text(pictures, 0.1)[:, held], again.by_text(pictures, 0.1)[:, held]
    )


def test_background_is_no_colour():
    half = np.full((10, 10, 3), 255, dtype=np.uint8)
    half[:5] = (200, 0, 0)
    whole = np.full((10, 10, 3), (200, 0, 0), dtype=np.uint8)
    assert histogram(half) == pytest.approx(histogram(whole))
    assert np.linalg.norm(histogram(np.full((4, 4, 3), 255, dtype=np.uint8))) == pytest.approx(1)


def test_ranks_count_ties_against_and_leave_the_query_out():
    scores = np.array([[0.9, 0.5, 0.5, 0.1], [0.9, 0.8, 0.7, 0.6]])
    right = np.array([[False, True, False, False], [True, False, True, False]])
    assert first_right(scores, right, ["a", "b"]).places.tolist() == [3, 1]
    left_out = first_right(scores, right, ["a", "b"], [0, 0])
    assert left_out.places.tolist() == [2, 2]
    assert left_out.candidates == 3


def test_intervals_draw_whole_products():
    values = np.array([1.0] * 50 + [0.0] * 50)
    one_each = by_product(values, [str(at) for at in range(100)])
    of_two = by_product(values, ["a"] * 50 + ["b"] * 50)
    assert one_each.mean == of_two.mean == 0.5
    assert (of_two.low, of_two.high) == (0, 1)
    assert 0.35 < one_each.low < one_each.high < 0.65
    area = area_by_product(values, values > 0, [str(at) for at in range(100)])
    assert area.mean == area.low == 1
