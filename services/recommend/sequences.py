"""What users had, in the order of time: read from text files, with errors that name the line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from shared.privacy.actors import actor_of
from wherefore.common.v1 import user_event_pb2 as event_pb
from wherefore.common.v1.user_event_pb2 import UserEvent

Items = NDArray[np.int32]
"""Numbers of items, the oldest first."""
Sequences = Sequence[Items]

SHUFFLE_SEED = 7
LEAST_FIELDS = 2
_DEALINGS = (
    event_pb.USER_EVENT_TYPE_VIEW,
    event_pb.USER_EVENT_TYPE_CLICK,
    event_pb.USER_EVENT_TYPE_CART,
    event_pb.USER_EVENT_TYPE_PURCHASE,
)


class SequenceFileError(Exception):
    """A file cannot be used; the message names the file and the line or the item."""


@dataclass(frozen=True, slots=True)
class SequenceData:
    """Sequences of all users.

    Attributes:
        users: Their names, in the order of the file.
        items: Names of items; an item's place is its number, from 0.
        sequences: Of each user the numbers of the items, the oldest first.
    """

    users: tuple[str, ...]
    items: tuple[str, ...]
    sequences: tuple[Items, ...]


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is known of items: pairs of an item and one of its attributes, each pair once.

    Attributes:
        names: Of the attributes; an attribute's place is its number, from 0.
        items: Number of the item of each pair, ascending.
        attributes: Number of the attribute of each pair.
    """

    names: tuple[str, ...]
    items: Items
    attributes: Items


def read_sequences(path: Path) -> SequenceData:
    """Read a file of lines `user item item …`, separated by white space.

    Items are numbered in a shuffled order: files often number them by first sight, and a tie
    between scores, which falls to the lower number, would favour the users at the top.

    Args:
        path: UTF-8 text; blank lines are skipped.

    Raises:
        SequenceFileError: The file cannot be read, is empty, or a line has no item or a user that
            stood before.
    """
    named: dict[str, list[str]] = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) < LEAST_FIELDS:
            raise SequenceFileError(
                f"{path}:{number}: user {fields[0]} has no item; a line is `user item item ...`"
            )
        user, *items = fields
        if user in named:
            raise SequenceFileError(f"{path}:{number}: user {user} has a line above already")
        named[user] = items
    if not named:
        raise SequenceFileError(f"{path}: no sequences; a line is `user item item ...`")
    return number_items(named)


def sequences_of_events(path: Path, events: Iterable[UserEvent]) -> SequenceData:
    """Return what users and visitors looked at, put into the cart and bought, in order of time.

    Several events in a row with one product are one step.

    Args:
        path: Where they come from, for errors.
        events: In any order.

    Raises:
        SequenceFileError: No event names a product and who dealt with it.
    """
    steps: dict[str, list[tuple[float, int, str]]] = {}
    for event in events:
        actor = actor_of(event.user_id, event.session_id)
        if event.type in _DEALINGS and actor:
            at = event.event_time.seconds + event.event_time.nanos * 1e-9
            walk = steps.setdefault(actor, [])
            walk.extend((at, len(walk), product.product_id) for product in event.products)
    named = {
        actor: [item for item, _ in groupby(item for _, _, item in sorted(walk))]
        for actor, walk in steps.items()
        if walk
    }
    if not named:
        raise SequenceFileError(f"{path}: no event of a product and of who dealt with it")
    return number_items(named)


def number_items(named: Mapping[str, Sequence[str]]) -> SequenceData:
    """Return sequences of named items, by users, with their items numbered in a shuffled order."""
    known = sorted({item for items in named.values() for item in items})
    order: list[int] = np.random.default_rng(SHUFFLE_SEED).permutation(len(known)).tolist()
    numbers = {known[at]: number for number, at in enumerate(order)}
    return SequenceData(
        users=tuple(named),
        items=tuple(numbers),
        sequences=tuple(
            np.array([numbers[item] for item in items], dtype=np.int32) for items in named.values()
        ),
    )


def read_attributes(path: Path, items: Sequence[str]) -> Attributes:
    """Read a JSON object of lists of attributes by item.

    Args:
        path: UTF-8 JSON, such as `{"4": [1, 2], "83": ["red"]}`.
        items: Those of the sequences; others in the file are left out, and one that the file
            lacks has no attribute.

    Raises:
        SequenceFileError: The file cannot be read, is no such object, or describes none of the
            items.
    """
    try:
        content = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise SequenceFileError(f"{path}:{error.lineno}: no JSON: {error.msg}") from error
    if not isinstance(content, dict):
        raise SequenceFileError(f"{path}:1: no JSON object of lists of attributes by item")
    described = cast(dict[str, Any], content)
    for item, values in described.items():
        if not _is_list_of_names(values):
            raise SequenceFileError(f"{path}: item {item}: no list of numbers or words: {values!r}")
    pairs = [
        (number, str(value))
        for number, item in enumerate(items)
        for value in dict.fromkeys(described.get(item, ()))
    ]
    if not pairs:
        raise SequenceFileError(f"{path}: describes none of the items of the sequences")
    names = sorted({name for _, name in pairs})
    place = {name: at for at, name in enumerate(names)}
    return Attributes(
        names=tuple(names),
        items=np.array([item for item, _ in pairs], dtype=np.int32),
        attributes=np.array([place[name] for _, name in pairs], dtype=np.int32),
    )


def _is_list_of_names(values: object) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int | str) for value in cast(list[object], values)
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SequenceFileError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SequenceFileError(f"{path}:{line}: no UTF-8") from error
