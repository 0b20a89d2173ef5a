"""The estimate against shops whose truth is known."""

import numpy as np
import pytest

from services.ranking.clicks.page_log import LoggedPage
from services.ranking.features import FEATURES
from services.ranking.uplift.estimate import estimate_uplift
from services.ranking.uplift.plot import plot_uplift
from services.ranking.uplift.rows import Property, UpliftRefusedError, read_rows
from tests.services.ranking.uplift.shop import PLACES, Shop

pytest.importorskip("doubleml", reason="the extra 'causal' is not installed")

DISCOUNTED = Property("discounted")


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop(seed=1)


@pytest.fixture(scope="module")
def pages(shop: Shop) -> list[LoggedPage]:
    return shop.log()


def test_the_interval_covers_the_truth_and_the_naive_difference_does_not(
    shop: Shop, pages: list[LoggedPage], tmp_path
) -> None:
    found = estimate_uplift(read_rows(pages, DISCOUNTED, "click"))
    assert found.effect.low < shop.truth < found.effect.high
    assert found.effect.high - found.effect.low < 0.08
    assert found.naive.low > shop.truth
    assert found.p < 0.05
    assert found.rows > 7_000
    assert found.queries == 300
    assert found.imbalance[1] < found.imbalance[0] / 2
    assert 0.6 < found.foretold < 0.9
    assert 0.0 < found.robustness < 1.0
    picture = tmp_path / "uplift.svg"
    plot_uplift(picture, found, "discounted on clicks")
    assert "<svg" in picture.read_text()


def test_no_effect_is_found_where_there_is_none() -> None:
    shop = Shop(seed=2, strength=0.0)
    found = estimate_uplift(read_rows(shop.log(), DISCOUNTED, "click"))
    assert shop.truth == 0.0
    assert found.effect.low < 0.0 < found.effect.high
    assert found.naive.low > 0.0


def test_the_same_seed_gives_the_same_estimate_and_leaves_chance_as_it_was(
    pages: list[LoggedPage],
) -> None:
    rows = read_rows(pages[:400], DISCOUNTED, "click")
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    first, second = estimate_uplift(rows, seed=3), estimate_uplift(rows, seed=3)
    assert first.effect == second.effect
    assert np.random.random() == expected


def test_what_the_rest_of_the_log_foretells_is_refused() -> None:
    pages = Shop(seed=3, pull=300.0, pages=400).log()
    with pytest.raises(UpliftRefusedError, match="nothing to compare"):
        estimate_uplift(read_rows(pages, DISCOUNTED, "click"))


def test_the_place_of_a_ranker_that_explores_has_an_effect() -> None:
    # Here the place itself moves the click, by 0.1 in log-odds a place.
    found = estimate_uplift(read_rows(Shop(seed=4).log(), Property("place", "<=", 3), "click"))
    assert found.effect.low > 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pages: pages[:40], "40 queries are too few"),
        (lambda pages: [_without_facts(page) for page in pages], "has no discounted"),
        (lambda pages: [_same(page) for page in pages], "results without the property"),
        (lambda pages: [_nobody_clicks(page) for page in pages], "outcomes among"),
    ],
)
def test_too_little_is_refused(pages: list[LoggedPage], change, message: str) -> None:
    with pytest.raises(UpliftRefusedError, match=message):
        estimate_uplift(read_rows(change(pages), DISCOUNTED, "click"))


def test_a_number_needs_a_threshold(pages: list[LoggedPage]) -> None:
    with pytest.raises(UpliftRefusedError, match=r"say which are meant, such as rating>=0\.\d"):
        read_rows(pages, Property("rating"), "click")
    rows = read_rows(pages, Property.parse("rating>=0.5"), "click")
    shown = np.vstack([page.features[page.shown] for page in pages])
    assert (rows.treated == (shown[:, FEATURES.index("rating")] >= 0.5)).all()
    assert "rating" not in rows.names
    assert {"place", "fused_score", "discounted"} == set(rows.names)


def test_columns_can_be_left_out_and_purchases_asked_for(pages: list[LoggedPage]) -> None:
    rows = read_rows(pages, DISCOUNTED, "purchase", ["place"])
    assert set(rows.names) == {"rating", "fused_score"}
    assert rows.confounders.shape == (len(pages) * PLACES, 2)
    assert 0 < rows.outcome.sum() < sum(page.clicked.sum() for page in pages)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stock", Property("stock")),
        ("rating>=0.7", Property("rating", ">=", 0.7)),
        (" place <= 3 ", Property("place", "<=", 3.0)),
    ],
)
def test_properties_are_read(text: str, expected: Property) -> None:
    assert Property.parse(text) == expected
    assert Property.parse(str(expected)) == expected


@pytest.mark.parametrize("text", ["", "rating>0.7", "rating>=", "rating>=1e", "a b"])
def test_what_is_no_property_is_refused(text: str) -> None:
    with pytest.raises(UpliftRefusedError, match="is no property"):
        Property.parse(text)


def _changed(page: LoggedPage, **fields: object) -> LoggedPage:
    kept = {name: getattr(page, name) for name in page.__slots__}
    return LoggedPage(**(kept | fields))


def _without_facts(page: LoggedPage) -> LoggedPage:
    return _changed(page, facts=())


def _same(page: LoggedPage) -> LoggedPage:
    facts = [{"discounted": 1.0}] * PLACES
    if page.query == "q0":  # both values are there, one of them hardly ever
        facts = [{"discounted": 0.0}] * PLACES
    return _changed(page, facts=facts)


def _nobody_clicks(page: LoggedPage) -> LoggedPage:
    return _changed(page, clicked=np.zeros(PLACES, dtype=bool))
