import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from services.insight.aggregates import direction, outlook, season
from services.insight.domain import Counts
from services.insight.windows import HOUR_MS

DAY = 24 * HOUR_MS
FIRST = 20_000 * DAY


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=4, max_size=30))
def test_direction_is_that_of_the_library(values):
    points = [(float(at), float(value)) for at, value in enumerate(values)]
    found = direction(points)
    slope = scipy.stats.theilslopes(values, range(len(values)))[0]
    assert found.slope == pytest.approx(slope)
    assert 0 < found.p <= 1
    tau = scipy.stats.kendalltau(range(len(values)), values).statistic
    if len(set(values)) > 1 and abs(tau) > 1e-9:
        low = found.p < 0.05
        # The library has no correction for continuity, so its p-value is a little lower.
        exact = scipy.stats.kendalltau(range(len(values)), values, method="asymptotic").pvalue
        assert not low or exact < 0.05


def test_a_weeks_rhythm_and_a_rise_are_found():
    hours = {}
    for hour in range(28 * 24):
        day, of_day = divmod(hour, 24)
        count = round((10 + day) * (2 if of_day >= 12 else 1) * (3 if day % 7 == 5 else 1))
        hours[FIRST + hour * HOUR_MS] = Counts(positive=count, negative=day)
    found = outlook(hours, FIRST, FIRST + 28 * DAY)
    assert found.volume.days == 28
    assert found.volume.slope > 0
    assert found.negative_share.p < 0.001
    assert len(found.hour_of_day) == 24
    assert found.hour_of_day[20] == pytest.approx(found.hour_of_day[13])
    assert found.hour_of_day[20] > 1.5 * found.hour_of_day[3]
    assert max(found.day_of_week) > 2
    assert 0.3 < found.day_strength <= 1
    weekday = (FIRST // DAY + 5 + 3) % 7
    assert found.day_of_week.index(max(found.day_of_week)) == weekday


def test_a_day_that_is_not_over_does_not_look_like_a_fall():
    hours = {FIRST + h * HOUR_MS: Counts(positive=5) for h in range(5 * 24 + 2)}
    found = outlook(hours, FIRST, FIRST + 5 * DAY + 2 * HOUR_MS)
    assert (found.volume.slope, found.volume.days) == (0, 5)
    assert found.total.total == 5 * (5 * 24 + 2)


def test_few_days_say_nothing():
    assert season(np.ones(47), 0, 24) == ((), 0.0)
    assert direction([(0.0, 1.0), (1.0, 5.0)]).p == 1
    assert math.isfinite(direction([(float(at), 3.0) for at in range(9)]).p)
