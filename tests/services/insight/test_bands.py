"""The forecast of the share of negatives, point by point."""

import pytest

from services.insight.bands import Surges, share_bands
from services.insight.domain import ALL, PRODUCT, Series
from services.insight.forecast import ForecastSettings
from services.insight.windows import HOUR_MS, Windows, WindowSettings
from tests.services.insight.streams import CELLS, MINUTE_MS, START_MS, burst, in_order, quiet

EVERYTHING = Series(ALL, "")
P1 = Series(PRODUCT, "p1")
STEP = 10 * MINUTE_MS


def windows_of(*parts):
    windows = Windows(WindowSettings())
    for mention in in_order(*parts):
        windows.add(mention)
    return windows


def bands_of(windows, series=EVERYTHING, surges=None, step=STEP, begin=0):
    end = windows.newest_ms + 1
    found = share_bands(
        windows,
        [series],
        surges or Surges(),
        ForecastSettings(),
        start_ms=begin,
        end_ms=end,
        step_ms=step,
    )
    return found[series]


def negative_share(windows, at, step=STEP):
    counts = [c for _, cells in windows.fine(at, at + step) for c in cells.values()]
    return sum(c.negative for c in counts) / sum(c.total for c in counts)


def test_nineteen_of_twenty_quiet_points_lie_in_the_band():
    outside = points = 0
    for seed in range(12):
        windows = windows_of(quiet(seed, 300))
        for at, band in bands_of(windows, begin=START_MS + 60 * MINUTE_MS).items():
            assert 0 <= band.low <= band.share <= band.high <= 1
            points += 1
            outside += not band.low <= negative_share(windows, at) <= band.high
    assert points > 250
    assert 0.01 < outside / points < 0.1


def test_a_surge_lies_above_the_band_and_does_not_move_it():
    surge = burst(200, 20, 120)
    windows = windows_of(quiet(3, 300), surge)
    begin, end = START_MS + 200 * MINUTE_MS, START_MS + 220 * MINUTE_MS
    at = begin - begin % STEP + STEP
    learnt = bands_of(windows)
    kept = bands_of(windows, surges=Surges({EVERYTHING: [(begin, end)]}))
    assert negative_share(windows, at) > kept[at].high
    after = min(each for each in kept if each >= end)
    before = max(each for each in kept if each + STEP <= begin)
    assert kept[after].share == pytest.approx(kept[before].share, abs=0.01)
    assert learnt[after].share > kept[after].share + 0.02


def test_an_open_alert_holds_to_the_end():
    surges = Surges({P1: [(100, None)]})
    assert surges.holds(P1, 10_000, 10_001)
    assert not surges.holds(P1, 0, 100)
    assert not surges.holds(EVERYTHING, 10_000, 10_001)


def test_only_what_was_before_counts():
    texts = quiet(5, 240)
    cut = START_MS + 180 * MINUTE_MS
    cut -= cut % STEP
    whole = bands_of(windows_of(texts))
    part = bands_of(windows_of([m for m in texts if m.at_ms < cut]))
    for at, band in part.items():
        assert whole[at] == band


def test_hours_before_short_points_are_learnt_from():
    """Windows are kept for six hours: what was before is known by the hour."""
    long_ago = quiet(6, 540, negative=0.6)
    windows = windows_of(long_ago)
    windows.clean()  # drops windows that are kept no longer
    assert windows.fine_from_ms > START_MS + HOUR_MS
    bands = bands_of(windows)
    first = bands[min(bands)]
    assert min(bands) >= windows.fine_from_ms // HOUR_MS * HOUR_MS
    assert first.share == pytest.approx(0.6, abs=0.06)  # far from the prior of a new stream


def test_a_series_is_told_apart_from_the_others():
    worse = burst(0, 240, 500, cell=CELLS[3])  # all negative, of p3
    windows = windows_of(quiet(7, 240), worse)
    of_p3 = bands_of(windows, Series(PRODUCT, "p3"))
    of_p1 = bands_of(windows, P1)
    last = max(set(of_p1) & set(of_p3))
    assert of_p3[last].share > 0.5
    assert of_p1[last].share < 0.3
