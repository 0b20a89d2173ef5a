"""How simulated shoppers click: two click models of the literature.

Position-based (Richardson, Dominowska and Ragno, WWW 2007; Craswell et al., WSDM 2008): a place is
looked at with a probability of its own, and what is looked at and attracts is clicked. Cascade with
satisfaction (Craswell et al., WSDM 2008; Chapelle and Zhang, WWW 2009, "DBN"): results are read
from the top, and whoever is satisfied by what they clicked reads no further.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CART: Final = 0.3
PURCHASE: Final = 0.5
"""Chance of a cart after a click, and of a purchase after that, at an attraction of 1."""


class Behaviour(Protocol):
    """Somebody who clicks."""

    def click(self, attraction: Floats, random: np.random.Generator) -> NDArray[np.bool_]:
        """Clicks on pages.

        Args:
            attraction: (pages, places) probability of a click on what is looked at.
            random: Where chance comes from.

        Returns:
            (pages, places) what was clicked.
        """
        ...


def attraction(ratings: NDArray[np.int64], highest: int, noise: float = 0.1) -> Floats:
    """Turns ratings into the probability of a click on what is looked at.

    The gain 2^rating - 1 grows from `noise`, clicks by mistake, to 1 for the highest rating, as in
    Joachims, Swaminathan and Schnabel, WSDM 2017.
    """
    gains = (np.exp2(ratings.astype(np.float64)) - 1.0) / (2.0**highest - 1.0)
    return noise + (1.0 - noise) * gains


def examination(places: int, severity: float = 1.0) -> Floats:
    """Returns (places,) the probability that a place is looked at, 1 / place^severity."""
    return 1.0 / np.arange(1, places + 1, dtype=np.float64) ** severity


@dataclass(frozen=True, slots=True)
class PositionBased:
    """Looks at each place with its own probability.

    Attributes:
        severity: Of the bias towards the top; 0 looks at everything.
    """

    severity: float = 1.0

    def click(self, attraction: Floats, random: np.random.Generator) -> NDArray[np.bool_]:
        """See `Behaviour.click`."""
        looked = examination(attraction.shape[1], self.severity)
        return random.random(attraction.shape) < attraction * looked


@dataclass(frozen=True, slots=True)
class Cascade:
    """Reads from the top, and stops when satisfied.

    Attributes:
        satisfaction: Probability to stop after a click on a product of attraction 1; less in
            proportion for others.
        patience: Probability to read on after a result that does not satisfy.
    """

    satisfaction: float = 0.8
    patience: float = 0.9

    def click(self, attraction: Floats, random: np.random.Generator) -> NDArray[np.bool_]:
        """See `Behaviour.click`."""
        clicked = np.zeros(attraction.shape, dtype=np.bool_)
        reading = np.ones(len(attraction), dtype=np.bool_)
        for place in range(attraction.shape[1]):
            attracts = attraction[:, place]
            clicked[:, place] = reading & (random.random(len(attraction)) < attracts)
            satisfied = clicked[:, place] & (
                random.random(len(attraction)) < self.satisfaction * attracts
            )
            reading &= ~satisfied & (random.random(len(attraction)) < self.patience)
        return clicked


def follow_through(
    clicked: NDArray[np.bool_],
    attraction: Floats,
    random: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What clicks lead to: carts, and purchases of what is in the cart.

    Whoever clicked by mistake hardly goes on: both chances grow with the product's attraction, so
    that what lies further down the chain is rarer, and says more.

    Args:
        clicked: (pages, places).
        attraction: (pages, places) as `attraction` gives it.
        random: Where chance comes from.

    Returns:
        Carts and purchases, both (pages, places).
    """
    carted = clicked & (random.random(clicked.shape) < CART * attraction)
    return carted, carted & (random.random(clicked.shape) < PURCHASE * attraction)
