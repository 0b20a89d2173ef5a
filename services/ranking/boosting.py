"""Boosted trees that rank, as LightGBM grows them: what all that is trained here has in common."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import lightgbm


def boost(
    data: "lightgbm.Dataset",
    *,
    label_gain: Sequence[float],
    rounds: int,
    leaves: int,
    learning_rate: float,
    least_rows: int,
    seed: int,
    on_round: Callable[[], object] = lambda: None,
    **more: object,
) -> "lightgbm.Booster":
    """Grows LambdaMART trees; the same data and settings give the same ones.

    Burges, "From RankNet to LambdaRank to LambdaMART: an overview", 2010.

    Args:
        data: With whole numbers as labels.
        label_gain: What each label is worth.
        rounds: Trees.
        leaves: Of a tree.
        learning_rate: Share of each tree.
        least_rows: Rows that a leaf has at least.
        seed: Of all that is drawn.
        on_round: Called after each tree, for progress.
        more: Further parameters of LightGBM.
    """
    import lightgbm

    parameters: dict[str, Any] = {
        "objective": "lambdarank",
        "label_gain": label_gain,
        "lambdarank_truncation_level": 13,  # three past the tenth, as LightGBM advises
        "num_leaves": leaves,
        "learning_rate": learning_rate,
        "min_data_in_leaf": least_rows,
        "lambda_l2": 1.0,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
        **more,
    }

    def tell(_: object) -> None:
        on_round()

    train: Any = cast("Any", lightgbm).train  # it is typed in part only
    return train(parameters, data, rounds, callbacks=[tell])
