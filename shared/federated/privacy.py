"""Client-level differential privacy: what a run of rounds gives away about any one shop at most.

In a round each shop takes part by chance on its own (Poisson sampling), its update is clipped, and
Gaussian noise of `noise` times that norm is added to the sum. The guarantee is about adding or
removing all that a shop holds. The accountants are those of Opacus: RDP (Mironov, Talwar and Zhang,
"Rényi differential privacy of the sampled Gaussian mechanism", 2019).
"""

from __future__ import annotations

from typing import Any, Final

from shared.federated.errors import FederatedError

ACCOUNTANT: Final = "rdp"
MOST_EPSILON: Final = 50.0
"""Above it noise is so small that the figure promises nothing."""


def epsilon(*, noise: float, sample_rate: float, rounds: int, delta: float) -> float:
    """Returns the epsilon that so many rounds spend; 0 for none.

    Args:
        noise: Standard deviation of the noise on the sum, in clipping norms.
        sample_rate: Chance of a shop to take part in a round.
        rounds: Releases.
        delta: Chance that the guarantee may fail; well below one over the number of shops.
    """
    if rounds == 0:
        return 0.0
    if noise <= 0.0:
        return float("inf")
    # Imported late: Opacus brings torch along, which a shop's node does not need.
    from opacus.accountants import RDPAccountant

    accountant: Any = RDPAccountant()
    accountant.history = [(noise, sample_rate, rounds)]
    return float(accountant.get_epsilon(delta=delta))


def noise_for(*, wanted: float, sample_rate: float, rounds: int, delta: float) -> float:
    """Returns the least noise with which a run spends at most the epsilon that is wanted.

    Raises:
        FederatedError: The epsilon is 0 or less, or so large that it promises nothing.
    """
    if not 0.0 < wanted <= MOST_EPSILON:
        raise FederatedError(f"epsilon {wanted:g}: say more than 0 and at most {MOST_EPSILON:g}")
    from opacus.accountants import utils

    search: Any = getattr(utils, "get_noise_multiplier")  # noqa: B009 - annotated in part only
    return float(
        search(
            target_epsilon=wanted,
            target_delta=delta,
            sample_rate=sample_rate,
            steps=rounds,
            accountant=ACCOUNTANT,
        )
    )
