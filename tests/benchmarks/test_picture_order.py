"""What the measure of orders asks, how it counts, and what it says of other weights."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.picture_order import (
    PICTURE_WEIGHTS,
    Answered,
    by_weight,
    found_within,
    place,
    reciprocal,
    section,
    weights_of_words,
)
from benchmarks.pictured_shop import (
    ANOTHER_PICTURE,
    EDITED,
    LISTING,
    OTHER_COLOUR_AND_WORDS,
    TASKS,
    WITH_ITS_LISTING,
    WITH_WORDS,
    Asked,
    asked_of,
    read_shop,
)
from services.nlu.pictures.evaluation.shop import Part, read_pictures
from services.ranking.weights import load_weights
from tests.services.nlu.train.made_up_shop import make_shop
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = make_shop(tmp_path_factory.mktemp("luma"))
    for file in (shop / "images").glob("*_back.jpg"):  # which are drawn as the main pictures
        file.write_bytes(file.name.encode())
    return shop


def test_a_product_in_a_colour_is_one_of_the_catalogue_with_its_main_picture(folder):
    shop = read_shop(folder)
    assert len(shop.products) == 36
    assert len({each.id for each in shop.products}) == 36
    for product in shop.products:
        (image,) = product.images
        assert "main" in image.uri
        assert shop.pictures[image.uri] == (folder / "images" / image.uri).read_bytes()
        assert product.id.endswith(product.attributes["colour"].texts[0])
        assert product.statistics.view_count >= product.statistics.purchase_count
    again = read_shop(folder)
    assert [each.SerializeToString() for each in again.products] == [
        each.SerializeToString() for each in shop.products
    ]


def test_what_is_asked_is_of_one_part_alone_and_never_of_the_picture_that_is_found(folder):
    shop = read_shop(folder)
    parts = {picture.product: picture.part for picture in read_pictures(folder)}
    asked = [*asked_of(shop, Part.TEST)]
    # Four products in three colours: 12 to find, each by one other picture and from two colours.
    assert Counter(each.task for each in asked) == {
        LISTING: 12, ANOTHER_PICTURE: 12, WITH_ITS_LISTING: 12, WITH_WORDS: 12,
        EDITED: 24, OTHER_COLOUR_AND_WORDS: 24,
    }  # fmt: skip
    assert set(TASKS) == {each.task for each in asked}
    known = set(shop.pictures.values())
    for each in asked:
        assert parts[each.product] == Part.TEST
        assert each.right.startswith(each.product)
        pictures = each.request.pictures
        assert bool(each.request.query) == (each.task in (WITH_WORDS, OTHER_COLOUR_AND_WORDS))
        if each.task in (ANOTHER_PICTURE, WITH_ITS_LISTING, WITH_WORDS):
            assert pictures.picture.frames[0] not in known
        if each.task == EDITED:
            assert each.right != pictures.product_id
            assert each.right.endswith(pictures.edit)


def test_places_and_their_means():
    assert place(["a", "b"], "b") == 2
    assert place(["a", "b"], "c") == 3
    assert found_within([1, 10, 11], 10).tolist() == [1, 1, 0]
    assert reciprocal([1, 4, 101]).tolist() == [1, 0.25, 0]


def answered(task: str, served: int, retrieved: int, **contributions) -> Answered:
    return Answered(Asked(task, "P", "right", SearchRequest()), served, retrieved, contributions)


def test_other_weights_are_told_from_contributions():
    row = answered(
        EDITED,
        2,
        1,
        right={"picture_cosine": 0.3, "popularity": -0.2},
        wrong={"picture_cosine": -0.1, "popularity": 0.4},
    )
    found = by_weight([row])
    assert found[1.0, 1.0] == 0.5  # as it was served
    assert found[max(PICTURE_WEIGHTS), 1.0] == 1
    assert found[1.0, 0.5] == 1
    assert found[min(PICTURE_WEIGHTS), 2.0] == 0.5


def test_the_section_has_all_orders():
    served = [answered(task, 1, 2) for task in TASKS]
    text = section(served, [answered(task, 20, 2) for task in TASKS], 3)
    row = next(line for line in text.splitlines() if line.startswith(f"| {LISTING}"))
    assert [cell.strip() for cell in row.split("|")[2:-1]] == [
        "1.000", "0.000", "1.000", "0.500", "0.050", "1.000", "0.50 (0.50 to 0.50)",
    ]  # fmt: skip


def test_the_weights_of_words_know_no_pictures(tmp_path):
    weights = load_weights(weights_of_words(tmp_path))
    assert weights.serving["pictures"] == weights.serving["search"]
    assert "picture_cosine" not in weights.serving["pictures"].weights
