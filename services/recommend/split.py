"""Leave-one-out: the last item of a user tests, the one before validates, the rest trains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.recommend.sequences import Items, Sequences

LEAST_LENGTH = 3
"""Items of a sequence that is measured; a shorter one trains with all it has."""


class TooShortError(ValueError):
    """The sequences are too short to learn from, or to be measured."""


@dataclass(frozen=True, slots=True)
class Held:
    """Items to be found, one a user.

    Attributes:
        users: Places of the users in the data, [n].
        histories: What each of them had before, the oldest first, [n].
        targets: Number of the item that came next, [n].
        repeats: Users left out because they had the item before: what was seen is never ranked.
    """

    users: NDArray[np.int64]
    histories: tuple[Items, ...]
    targets: Items
    repeats: int

    def part(self, chosen: NDArray[np.int64]) -> Held:
        """Some of the users, by their places in this object."""
        places: list[int] = chosen.tolist()
        return Held(
            self.users[chosen],
            tuple(self.histories[at] for at in places),
            self.targets[chosen],
            0,
        )


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of the data.

    Attributes:
        training: Of every user all but the last two items; all of a sequence below LEAST_LENGTH.
        before_test: Of every user all but the last item, so training and validation.
        validation: The items before the last, after `training`.
        test: The last items, after `before_test`.
    """

    training: tuple[Items, ...]
    before_test: tuple[Items, ...]
    validation: Held
    test: Held


def leave_one_out(sequences: Sequences) -> Split:
    """Split sequences by time, user by user.

    Raises:
        TooShortError: No sequence can be measured.
    """
    long = [len(sequence) >= LEAST_LENGTH for sequence in sequences]
    pairs = list(zip(sequences, long, strict=True))
    split = Split(
        training=tuple(sequence[:-2] if enough else sequence for sequence, enough in pairs),
        before_test=tuple(sequence[:-1] if enough else sequence for sequence, enough in pairs),
        validation=_held(sequences, long, -2),
        test=_held(sequences, long, -1),
    )
    if not len(split.test.targets) or not len(split.validation.targets):
        raise TooShortError(
            f"no sequence can be measured: it needs {LEAST_LENGTH} items, the last two of them new"
        )
    return split


def _held(sequences: Sequences, long: list[bool], at: int) -> Held:
    measured = [user for user, enough in enumerate(long) if enough]
    kept = [user for user in measured if sequences[user][at] not in sequences[user][:at]]
    return Held(
        users=np.array(kept, dtype=np.int64),
        histories=tuple(sequences[user][:at] for user in kept),
        targets=np.array([sequences[user][at] for user in kept], dtype=np.int32),
        repeats=len(measured) - len(kept),
    )
