"""The texts that are asked next, chosen some at a time."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from services.nlu.labelling.items import Item
from services.nlu.labelling.sampling import Pool, Strategy, select
from services.nlu.labelling.task import LabellingError, LabelTask

BATCH: Final = 50
"""Texts that are chosen at once: diversity means nothing for a single text."""


def pick(
    strategy: Strategy,
    task: LabelTask,
    items: Sequence[Item],
    answered: Sequence[Item],
    random: np.random.Generator,
) -> list[int]:
    """Returns the positions of the items to ask, in this order.

    Args:
        strategy: How they are chosen.
        task: What is asked.
        items: Those that may be asked.
        answered: Those that have an answer: the next ones should differ from them.
        random: Draws.

    Raises:
        LabellingError: The items lack what the strategy goes by.
    """
    vectors = [item.vector for item in items if item.vector is not None]
    known = [item.vector for item in answered if item.vector is not None]
    pool = Pool(
        len(items),
        [item.reading.decisions(task) for item in items if item.reading is not None],
        np.stack(vectors) if vectors else None,
        np.stack(known) if known else None,
    )
    try:
        return select(strategy, pool, BATCH, random)
    except ValueError as error:
        raise LabellingError(f"{error}; read the texts again with this strategy") from error
