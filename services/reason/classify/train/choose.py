"""Which settings a classifier is fitted with, by products that the fits were without.

In a small shop every product is left out of one fit of five, and the weights that are kept are
learnt from all of them. In a large one, one part is left out.
"""

from collections.abc import Callable, Sequence
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
STRENGTHS: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 100.0)
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
    return _search(_parts(found, seed), tree, most, _least_of(found), tell)


def fits_without(
    found: Sequence[Read], tree: CategoryTree, most: int, seed: int, settings: FitSettings
) -> list[Fold]:
    """Returns fits that together left out each product; arguments as of `by_folds`."""
    return [
        Fold(Fit(learnt, tree, settings.least, most).weights(settings.strength), learnt, held)
        for learnt, held in _parts(found, seed)
    ]


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
    return _search([(learnt, once(held))], tree, most, _least_of(learnt), tell)


def _least_of(found: Sequence[Read]) -> Sequence[int]:
    return _LEAST_OF_FEW if len(once(found)) <= _FEW else _LEAST


def _search(
    parts: Sequence[tuple[Sequence[Read], Sequence[Read]]],
    tree: CategoryTree,
    most: int,
    leasts: Sequence[int],
    tell: Callable[[str], None],
) -> Choice:
    """The least log loss, each at the temperature that suits it: accuracies of few are chance.

    Weaker penalties are tried until the loss rises, since it falls to one place and rises from it.
    """
    best: tuple[float, Choice] | None = None
    for least in leasts:
        fits = [Fit(learnt, tree, least, most) for learnt, _ in parts]
        before = float("inf")
        for strength in STRENGTHS:
            found = [
                Fold(fit.weights(strength), learnt, held)
                for fit, (learnt, held) in zip(fits, parts, strict=True)
            ]
            scores = join([score_all(fold.weights, tree, fold.held, forms=True) for fold in found])
            loss = log_loss(scores, fit_temperature(scores))
            tell(f"words of {least} products or more, penalty 1/{strength:g}: loss {loss:.4f}")
            if best is None or loss < best[0]:
                best = loss, Choice(FitSettings(least, strength), found, scores)
            if loss > before:
                break
            before = loss
    if best is None:
        raise ValueError("there is nothing to choose among")
    return best[1]
