"""What a cross-encoder is taught: queries, each with products that answer it more or less.

How far a product answers is told by the facts that the query was written from, or by what shoppers
clicked.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from services.nlu.train.english_catalogue import Good
from services.nlu.train.english_facts import Piece
from services.nlu.train.english_pairs import asked_for, head_of, names_head
from services.nlu.train.rows import read_rows

_CANDIDATES: Final = 30
_STRANGERS: Final = 200
_SAME_MAKER: Final = 0.2
_OTHER_MAKER: Final = 0.4
_OTHER_DETAIL: Final = 0.6
_TITLE_SHARE: Final = 0.6
"""Share of products that are read by their title alone, as callers may send either."""
_CLICKS: Final = frozenset(
    f"USER_EVENT_TYPE_{name}" for name in ("CLICK", "CART", "PURCHASE", "VIEW")
)


@dataclass(frozen=True, slots=True)
class Group:
    """A query with products' texts and how far each answers it, from 0 to 1; the best is first."""

    query: str
    texts: tuple[str, ...]
    targets: tuple[float, ...]


def weak_groups(goods: Sequence[Good], random: Random, *, size: int) -> list[Group]:
    """Writes a query for each product, with others that BM25 takes for answers.

    Args:
        goods: The products; the others come from them, too.
        random: Source of chance.
        size: Products of a group, the right one included.

    Returns:
        Groups of exactly `size` products.
    """
    groups: list[Group] = []
    for good, pieces, query, near in asked_for(goods, random, _CANDIDATES):
        graded = [(item, mark) for item in near if (mark := grade(item, pieces, good)) is not None]
        partly = [item for item in graded if item[1] > 0]
        wrong = [item for item in graded if item[1] == 0]
        chosen = random.sample(partly[:6], min(len(partly), max(1, size // 4)))
        # One at least comes from anywhere, so that easy ones are scored low, too.
        alike = min(len(wrong[:12]), max(0, size - 2 - len(chosen)))
        chosen += random.sample(wrong[:12], alike)
        drawn = random.sample(goods, min(len(goods), _STRANGERS))
        strangers = (item for item in drawn if grade(item, pieces, good) == 0.0)
        chosen += [(item, 0.0) for item in islice(strangers, size - 1 - len(chosen))]
        if len(chosen) != size - 1:
            continue
        as_title = random.random() < _TITLE_SHARE
        texts = (good, *(item for item, _ in chosen))
        groups.append(
            Group(
                query,
                tuple(item.title if as_title else item.text for item in texts),
                (1.0, *(mark for _, mark in chosen)),
            )
        )
    return groups


def grade(other: Good, pieces: Sequence[Piece], good: Good) -> float | None:
    """Returns how far a product answers a query that was written for another one.

    Args:
        other: The product.
        pieces: The query.
        good: What it was written for.

    Returns:
        0 for another kind of thing, less than 1 where a detail is wrong; None where the facts
        cannot tell.
    """
    if other.key == good.key or not other.kind:
        return None
    asked = {label: text for text, label in pieces}
    text = other.text.lower()
    same_kind = bool(good.kind) and head_of(other.kind) == head_of(good.kind)
    if "MODEL" in asked:
        if asked["MODEL"] in text:
            return None
        alike = same_kind and bool(set(other.words("BRAND")) & set(good.words("BRAND")))
        return _SAME_MAKER if alike else 0.0
    if not same_kind:
        return None if names_head(good.kind, other) else 0.0
    lacking = {label for words, label in pieces if label != "PRODUCT_TYPE" and words not in text}
    if not lacking:
        return None
    return _OTHER_MAKER if "BRAND" in lacking else _OTHER_DETAIL


def clicked_groups(path: Path, goods: Sequence[Good], random: Random, *, size: int) -> list[Group]:
    """Reads what shoppers chose, from events in the JSON form of `UserEvent`, one a line.

    A product that was clicked answers; one that was shown to the same request and passed over
    does not (Joachims, 2002). Groups are filled up with products of other kinds.

    Args:
        path: The events, gzipped or not.
        goods: The catalogue; events of unknown products are left out.
        random: Source of chance.
        size: Products of a group.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line holds no JSON object.
    """
    known = {good.key.partition("/")[2]: good for good in goods}
    chosen: dict[tuple[str, str], set[str]] = defaultdict(set)
    shown: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event in read_rows(path):
        query = str(event.get("query", "")).strip()
        request = (str(event.get("attributionToken", "")), query)
        ids = {item for item in _ids(event) if item in known}
        if query and event.get("type") in _CLICKS:
            chosen[request] |= ids
        elif query and event.get("type") == "USER_EVENT_TYPE_IMPRESSION":
            shown[request] |= ids
    groups: list[Group] = []
    for (token, query), ids in chosen.items():
        passed = sorted(shown[token, query] - ids)
        for key in sorted(ids):
            others = random.sample(passed, min(len(passed), size - 1))
            texts = [known[key].text, *(known[item].text for item in others)]
            while len(texts) < size:
                other = random.choice(goods)
                if other.kind and head_of(other.kind) != head_of(known[key].kind):
                    texts.append(other.text)
            groups.append(Group(query, tuple(texts), (1.0, *[0.0] * (size - 1))))
    return groups


def _ids(event: Any) -> Iterable[str]:
    return (str(item.get("productId", "")) for item in event.get("products", ()))
