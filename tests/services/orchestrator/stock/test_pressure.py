"""What days of cover do to one product."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.orchestrator.stock.pressure import LONGEST_COVER, pressure_of
from services.orchestrator.stock.settings import StockSettings
from shared.demand.forecast import Forecast
from wherefore.common.v1.product_pb2 import (
    AVAILABILITY_IN_STOCK,
    AVAILABILITY_OUT_OF_STOCK,
    AVAILABILITY_PREORDER,
    Product,
)
from wherefore.orchestrator.v1 import stock_pressure_pb2 as pb

SETTINGS = StockSettings(overstock_days=60, low_days=6, hold_back_days=1)


def product(quantity=None, availability=AVAILABILITY_IN_STOCK):
    made = Product(id="cup")
    made.stock.availability = availability
    if quantity is not None:
        made.stock.quantity = quantity
    return made


def forecasts(daily):
    days = (daily,) * 14
    return {"cup": Forecast("cup", "tsb", days, sum(days), {}, 90)}


@pytest.mark.parametrize(
    ("quantity", "daily", "kind", "push"),
    [
        (120, 1.0, pb.STOCK_PRESSURE_KIND_OVERSTOCK, 0.5),
        (3, 1.0, pb.STOCK_PRESSURE_KIND_RUNNING_LOW, -0.5),
        (1, 2.0, pb.STOCK_PRESSURE_KIND_HELD_BACK, -1.0),
        (5, 0.0, pb.STOCK_PRESSURE_KIND_OVERSTOCK, 1.0),
    ],
)
def test_kinds(quantity, daily, kind, push):
    found = pressure_of(product(quantity), forecasts(daily), SETTINGS)
    assert found is not None
    assert (found.kind, found.push) == (kind, pytest.approx(push))
    assert found.days_of_cover == (quantity / daily if daily else LONGEST_COVER)
    told = found.message(0.25)
    assert (told.quantity, told.daily_demand, told.boost) == (quantity, daily, 0.25)


@pytest.mark.parametrize(
    ("made", "known"),
    [
        (product(30), forecasts(1.0)),
        (product(), forecasts(1.0)),
        (product(0), forecasts(1.0)),
        (product(900), {}),
        (product(900, AVAILABILITY_OUT_OF_STOCK), forecasts(1.0)),
        (product(900, AVAILABILITY_PREORDER), forecasts(1.0)),
    ],
)
def test_nothing_is_done_between_the_limits_and_without_knowledge(made, known):
    assert pressure_of(made, known, SETTINGS) is None


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.floats(0, 1_000))
def test_more_stock_never_pushes_less(one, other, daily):
    pushes = [
        found.push if (found := pressure_of(product(units), forecasts(daily), SETTINGS)) else 0.0
        for units in sorted((one, other))
    ]
    assert -1.0 <= pushes[0] <= pushes[1] <= 1.0


@pytest.mark.parametrize(
    "fields",
    [
        {"low_days": 100},
        {"hold_back_days": 8},
        {"serving_configs": ["search"]},
        {"strength": 0},
        {"overstock_days": float("nan")},
    ],
)
def test_settings_that_contradict_themselves_are_refused(fields):
    with pytest.raises(ValidationError):
        StockSettings(**fields)


def test_a_tenant_without_a_file_has_none(tmp_path):
    ours = StockSettings(forecast_file=tmp_path / "f", serving_configs=("search",))
    assert ours.of_file(None).serving_configs == ()
    assert ours.of_file(tmp_path / "g").serving_configs == ("search",)
