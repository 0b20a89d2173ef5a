"""The comparison holds at every look: counted over many simulated experiments."""

from math import log

import numpy as np
import pytest

from services.orchestrator.experiments.sequential import _log_evidence, compare

ALPHA, USERS = 0.05, 3_000


def first_call(random, rates: tuple[float, float], share: float, *, drifts: bool) -> int | None:
    """Looks after every user; returns who many there were when a difference was called."""
    treated = random.random(USERS) < share
    wave = 1.0 + 0.6 * np.sin(np.arange(USERS) / 300) if drifts else np.ones(USERS)
    rate = np.where(treated, rates[1], rates[0]) * wave
    converted = random.random(USERS) < rate
    own, others = np.cumsum(converted & treated), np.cumsum(converted & ~treated)
    for user in np.flatnonzero(converted):
        if _log_evidence(int(own[user]), int(others[user]), share, share) >= log(1 / ALPHA):
            return int(user)
    return None


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("drifts", [False, True], ids=["steady", "waves"])
def test_arms_that_are_alike_are_called_different_in_one_of_twenty_at_most(share, drifts):
    random = np.random.default_rng(11)
    calls = sum(
        first_call(random, (0.1, 0.1), share, drifts=drifts) is not None for _ in range(200)
    )
    # 10 are allowed in the mean; 19 or more would be chance in one of 200.
    assert calls <= 18


def test_a_fixed_test_that_is_looked_at_all_the_time_is_wrong_far_more_often():
    random = np.random.default_rng(11)
    wrong = 0
    for _ in range(100):
        treated = random.random(USERS) < 0.5
        converted = random.random(USERS) < 0.1
        own = np.cumsum(converted & treated)[converted]
        count = np.arange(1, len(own) + 1)
        wrong += bool((np.abs(own - count / 2) / np.sqrt(count / 4) > 1.96)[10:].any())
    assert wrong > 25


def test_a_real_difference_is_found_and_sooner_when_it_is_larger():
    random = np.random.default_rng(12)
    found = {}
    for rate in (0.22, 0.3):
        calls = [first_call(random, (0.15, rate), 0.5, drifts=False) for _ in range(50)]
        found[rate] = [call for call in calls if call is not None]
    assert len(found[0.22]) >= 40
    assert len(found[0.3]) == 50
    assert np.median(found[0.3]) < 0.6 * np.median(found[0.22])


def test_the_interval_holds_the_truth_at_all_looks():
    random = np.random.default_rng(13)
    missed = 0
    for _ in range(40):
        treated, controls = 0, 0
        for converted in random.random(600) < 1.3 / 2.3:  # a lift of 1.3 with equal shares
            treated, controls = treated + bool(converted), controls + (not converted)
            verdict = compare(treated, controls, 0.5, ALPHA)
            if not verdict.low <= 1.3 <= verdict.high:
                missed += 1
                break
    assert missed <= 6


def test_what_it_says_of_numbers():
    verdict = compare(0, 0, 0.5, ALPHA)
    assert (verdict.lift, verdict.e_value, verdict.p_value) == (1.0, 1.0, 1.0)
    assert (verdict.low, verdict.high) == (0.0, float("inf"))
    verdict = compare(300, 200, 0.5, ALPHA)
    assert verdict.lift == pytest.approx(1.5)
    assert 1.0 < verdict.low < 1.5 < verdict.high < 2.1
    assert verdict.p_value < 0.01
    # A share of a tenth: 30 of 300 is what no difference looks like.
    assert compare(30, 270, 0.1, ALPHA).lift == pytest.approx(1.0)
    assert compare(5, 0, 0.5, ALPHA).lift == float("inf")
    assert compare(100_000, 100_000, 0.5, ALPHA).e_value > 0
    assert compare(100_000, 10, 0.5, ALPHA).p_value < 1e-100


def test_the_interval_leaves_out_no_difference_when_the_evidence_says_so():
    for treated in range(0, 200, 7):
        for controls in range(0, 200, 11):
            verdict = compare(treated, controls, 0.5, ALPHA)
            outside = not verdict.low <= 1.0 <= verdict.high
            assert outside == (verdict.e_value >= 1.0 / ALPHA), (treated, controls)
