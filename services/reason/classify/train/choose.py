"""Which settings a classifier is fitted with, by products that the fits were without.

In a small shop every product is left out of one fit of five, and the weights that are kept are
learnt from all of them. In a large one, one part is left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.reason.classify.train.calibrate import (
    Scores,
    fit_temperature,
    join,
    log_loss,
    score_all,
)
from services.reason.classify.train.examples import folds
from services.reason.classify.train.fit import Fit
from services.reason.classify.train.reading import Read, once
from services.reason.classify.tree import CategoryTree
from services.reason.classify.weights import Weights

FOLDS: Final = 5
_STRENGTHS: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 100.0)
_LEAST: Final = (2,)
_LEAST_OF_FEW: Final = (1, 2)
_FEW: Final = 500
"""Products up to which a word of a single one is tried: it can be right by its kin's names."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How weights are learnt.

    Attributes:
        least: Products that must have a feature.
        strength: Inverse of the L2 penalty.
    """

    least: int
    strength: float


@dataclass(frozen=True, slots=True)
class Fold:
    """A fit and the examples that it was without, one of the variants of each product."""

    weights: Weights
    learnt: Sequence[Read]
    held: Sequence[Read]


@dataclass(frozen=True, slots=True)
class Choice:
    """Settings with the fits that they were chosen by, and the scores of what was left out."""

    settings: FitSettings
    folds: Sequence[Fold]
    scores: Scores


def by_folds(
    found: Sequence[Read],
    tree: CategoryTree,
    most: int,
    seed: int,
    tell: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Chooses by folds of the examples themselves.

    Args:
        found: The examples; every category of the tree occurs.
        tree: The categories.
        most: Features kept.
        seed: Of the folds.
        tell: Called with each step in words.
    """
    return _best(_tried(_parts(found, seed), tree, most, candidates(found), tell), tree)


def fits_without(
    found: Sequence[Read], tree: CategoryTree, most: int, seed: int, settings: FitSettings
) -> list[Fold]:
    """Returns fits that together left out each product; arguments as of `by_folds`."""
    return _tried(_parts(found, seed), tree, most, [settings], lambda _: None)[settings]


def _parts(found: Sequence[Read], seed: int) -> list[tuple[list[Read], list[Read]]]:
    return [
        (
            [each for each in found if each.example.group not in groups],
            once(each for each in found if each.example.group in groups),
        )
        for groups in folds([each.example for each in found], FOLDS, seed)
    ]


def by_part(
    learnt: Sequence[Read],
    held: Sequence[Read],
    tree: CategoryTree,
    most: int,
    tell: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Chooses by one part that is left out; arguments as of `by_folds`."""
    return _best(_tried([(learnt, once(held))], tree, most, candidates(learnt), tell), tree)


def candidates(found: Sequence[Read]) -> list[FitSettings]:
    """Returns the settings that are compared."""
    few = len(once(found)) <= _FEW
    return [
        FitSettings(least, strength)
        for least in (_LEAST_OF_FEW if few else _LEAST)
        for strength in _STRENGTHS
    ]


def _tried(
    parts: Sequence[tuple[Sequence[Read], Sequence[Read]]],
    tree: CategoryTree,
    most: int,
    tried: Sequence[FitSettings],
    tell: Callable[[str], None],
) -> Mapping[FitSettings, list[Fold]]:
    fitted: dict[FitSettings, list[Fold]] = {settings: [] for settings in tried}
    for number, (learnt, held) in enumerate(parts, start=1):
        for settings, weights in _weights(learnt, tree, most, tried):
            fitted[settings].append(Fold(weights, learnt, held))
        tell(f"{len(tried)} settings tried, {number} of {len(parts)}")
    return fitted


def _weights(
    learnt: Sequence[Read], tree: CategoryTree, most: int, tried: Sequence[FitSettings]
) -> Iterator[tuple[FitSettings, Weights]]:
    for least in dict.fromkeys(settings.least for settings in tried):
        fit = Fit(learnt, tree, least, most)
        for settings in tried:
            if settings.least == least:
                yield settings, fit.weights(settings.strength)


def _best(fitted: Mapping[FitSettings, list[Fold]], tree: CategoryTree) -> Choice:
    """The least log loss, each at the temperature that suits it: accuracies of few are chance."""

    def loss(choice: Choice) -> float:
        return log_loss(choice.scores, fit_temperature(choice.scores))

    choices = (
        Choice(
            settings,
            found,
            join([score_all(fold.weights, tree, fold.held, forms=True) for fold in found]),
        )
        for settings, found in fitted.items()
    )
    return min(choices, key=loss)
