"""From categorised products to a classifier with its figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.reason.classify.train.calibrate import Scores, choose, fit_temperature, score_all
from services.reason.classify.train.examples import Example, TooFewProductsError, split
from services.reason.classify.train.fit import FitSettings, fit
from services.reason.classify.train.measure import Figures, measure
from services.reason.classify.tree import CategoryTree
from services.reason.classify.weights import ClassifierModel


@dataclass(frozen=True, slots=True)
class Trained:
    """A classifier, its figures on the test part, and the scores these were counted from."""

    model: ClassifierModel
    figures: Figures
    test: Scores
    parts: dict[str, list[Example]]


def train(
    examples: Sequence[Example],
    name: str,
    *,
    precision: float = 0.95,
    seed: int = 0,
    settings: FitSettings | None = None,
    tell: Callable[[str], None] = lambda _: None,
    parts: dict[str, list[Example]] | None = None,
) -> Trained:
    """Trains, calibrates, chooses thresholds and measures, each on a part of its own.

    Args:
        examples: Categorised products.
        name: Name and version that answers will give.
        precision: Share of right answers to promise.
        seed: Of the parts.
        settings: Of the weights.
        tell: Called with each step in words.
        parts: Parts made by others; those of `split` when None.

    Raises:
        TooFewProductsError: Fewer than two categories are in the training part.
    """
    parts = parts or split(examples, seed)
    tree = CategoryTree(sorted({example.category for example in parts["train"]}))
    if len(tree.categories) < 2:  # noqa: PLR2004
        raise TooFewProductsError("the training part holds fewer than two categories")
    sizes = ", ".join(f"{len(found):,} {part}" for part, found in parts.items())
    tell(f"{len(tree.categories):,} categories; products: {sizes}")
    weights = fit(parts["train"], tree, settings or FitSettings())
    tell(f"weights of {len(weights.features):,} features learnt")
    temperature = fit_temperature(score_all(weights, tree, parts["calibration"], forms=True))
    tell(f"temperature {temperature:.3f}")
    selection = score_all(weights, tree, parts["selection"], forms=True)
    calibration = choose(selection, tree, temperature, precision)
    tell(f"a category is said from a probability of {calibration.category_threshold:.3f} on")
    test = score_all(weights, tree, parts["test"])
    model = ClassifierModel(name, tree, weights, calibration)
    return Trained(model, measure(test, tree, calibration), test, parts)
