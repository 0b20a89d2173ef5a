"""Drawing tokens: the nucleus, the temperature, what was said before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reason.wording.sampling import SamplingSettings, choose_token

PLAIN = SamplingSettings(top_p=1.0, temperature=1.0, repetition_penalty=1.0, no_repeat=0)


def draw(logits: list[float], allowed: list[int], how: SamplingSettings, seed: int = 0) -> int:
    rng = np.random.default_rng(seed)
    return choose_token(np.array(logits, np.float32), np.array(allowed), [], how, rng)


@given(
    logits=st.lists(st.floats(-50, 50), min_size=4, max_size=20),
    seed=st.integers(0, 1_000),
    top_p=st.floats(0.01, 1.0),
    temperature=st.floats(0.0, 3.0),
)
def test_only_allowed_tokens_are_drawn(
    logits: list[float], seed: int, top_p: float, temperature: float
) -> None:
    allowed = list(range(0, len(logits), 2))
    how = SamplingSettings(top_p=top_p, temperature=temperature)
    assert draw(logits, allowed, how, seed) in allowed


def test_the_nucleus_leaves_out_the_tail() -> None:
    # Chances 0.6, 0.3, 0.1: a nucleus of 0.85 is the first two.
    logits = [float(np.log(share)) for share in (0.6, 0.3, 0.1)]
    how = SamplingSettings(top_p=0.85, temperature=1.0, repetition_penalty=1.0, no_repeat=0)
    found = [draw(logits, [0, 1, 2], how, seed) for seed in range(400)]
    assert set(found) == {0, 1}
    assert found.count(0) / len(found) == pytest.approx(2 / 3, abs=0.08)


def test_the_whole_distribution_is_drawn_from_without_limits() -> None:
    logits = [float(np.log(share)) for share in (0.6, 0.3, 0.1)]
    found = [draw(logits, [0, 1, 2], PLAIN, seed) for seed in range(2_000)]
    shares = [found.count(token) / len(found) for token in range(3)]
    assert shares == pytest.approx([0.6, 0.3, 0.1], abs=0.04)


def test_no_temperature_takes_the_likeliest() -> None:
    assert draw([0.0, 3.0, 2.9], [0, 1, 2], SamplingSettings(temperature=0)) == 1
    assert draw([0.0, 3.0, 2.9], [0, 2], SamplingSettings(temperature=0)) == 2


def test_what_was_said_is_less_likely() -> None:
    how = SamplingSettings(temperature=0, repetition_penalty=2.0, no_repeat=0)
    logits, allowed = np.array([1.0, 1.5], np.float32), np.array([0, 1])
    assert choose_token(logits, allowed, [], how, np.random.default_rng(0)) == 1
    assert choose_token(logits, allowed, [1], how, np.random.default_rng(0)) == 0


def test_a_run_is_not_said_twice_unless_nothing_else_is_left() -> None:
    how = SamplingSettings(temperature=0, repetition_penalty=1.0, no_repeat=3)
    logits, said = np.array([0.0, 0.0, 9.0], np.float32), [0, 1, 2, 0, 1]
    assert choose_token(logits, np.array([0, 2]), said, how, np.random.default_rng(0)) == 0
    assert choose_token(logits, np.array([2]), said, how, np.random.default_rng(0)) == 2


def test_logits_that_are_no_numbers_do_no_harm() -> None:
    how = SamplingSettings(temperature=1.0)
    assert draw([float("nan"), float("inf"), 1.0], [0, 1, 2], how) in (0, 1, 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [("top_p", 0), ("top_p", 1.1), ("temperature", -1), ("repetition_penalty", 0.5)],
)
def test_settings_out_of_range_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        SamplingSettings(**{field: value})
