"""Epsilon, which is that of Opacus."""

import numpy as np
import pytest

from shared.federated.errors import FederatedError
from shared.federated.privacy import epsilon, noise_for
from shared.federated.result import delta_for

opacus = pytest.importorskip("opacus", reason="the extra `federated` is not installed")

RATE, DELTA = 0.2, 1e-4


def spent(noise: float, rounds: int) -> float:
    return epsilon(noise=noise, sample_rate=RATE, rounds=rounds, delta=DELTA)


def test_it_grows_with_rounds_and_falls_with_noise() -> None:
    by_rounds = [spent(1.0, rounds) for rounds in (0, 1, 10, 100)]
    assert by_rounds[0] == 0.0
    assert by_rounds == sorted(set(by_rounds))
    by_noise = [spent(noise, 60) for noise in (0.6, 1.0, 2.0, 4.0)]
    assert by_noise == sorted(set(by_noise), reverse=True)
    assert spent(0.0, 1) == np.inf


def test_it_is_what_opacus_counts_round_by_round() -> None:
    accountant = opacus.accountants.RDPAccountant()
    for _ in range(30):
        accountant.step(noise_multiplier=1.1, sample_rate=RATE)
    assert spent(1.1, 30) == pytest.approx(accountant.get_epsilon(delta=DELTA), rel=1e-9)


def test_without_sampling_it_is_no_less_than_the_gaussian_mechanism_needs() -> None:
    """One release at rate 1: the exact curve of Balle and Wang, ICML 2018, is a lower bound."""
    from scipy.stats import norm

    noise = 2.0
    found = epsilon(noise=noise, sample_rate=1.0, rounds=1, delta=DELTA)
    half, far = 1 / (2 * noise), found * noise
    exact_delta = norm.cdf(half - far) - np.exp(found) * norm.cdf(-half - far)
    assert exact_delta <= DELTA


@pytest.mark.parametrize("wanted", [1.0, 8.0])
def test_the_noise_for_an_epsilon_spends_at_most_that(wanted: float) -> None:
    noise = noise_for(wanted=wanted, sample_rate=RATE, rounds=60, delta=DELTA)
    assert 0.9 * wanted < spent(noise, 60) <= wanted


@pytest.mark.parametrize("wanted", [0.0, -1.0, 51.0])
def test_an_epsilon_that_promises_nothing_is_refused(wanted: float) -> None:
    with pytest.raises(FederatedError, match="more than 0 and at most 50"):
        noise_for(wanted=wanted, sample_rate=RATE, rounds=60, delta=DELTA)


def test_delta_is_below_one_over_the_shops() -> None:
    assert delta_for(1_000) == pytest.approx(1e-4)
