"""The simulated sales that forecasts of demand are measured on."""

import numpy as np

from benchmarks.demand import WEEK_SHAPE, events
from shared.demand.history import daily_demand


def test_sales_follow_the_week_and_end_before_the_last_day():
    history = daily_demand(events(28, 300, 5))
    assert {series.size for series in history.units.values()} == {28}
    days = np.sum(list(history.units.values()), axis=0)
    by_weekday = days.reshape(4, 7).sum(axis=0)
    assert by_weekday.argmax() == WEEK_SHAPE.argmax()
    assert np.corrcoef(by_weekday, WEEK_SHAPE)[0, 1] > 0.8
