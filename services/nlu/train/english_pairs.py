"""Pairs of a query and a product that answers it, with products that only share its words."""

# ruff: noqa: S311 - only an order that can be repeated is wanted of the generator.

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Final

from services.nlu.train.english_catalogue import Good, read_goods
from services.nlu.train.english_facts import Piece, fact_query, spread
from services.nlu.train.english_grammar import join
from services.nlu.train.english_noise import roughen
from services.nlu.train.examples import Example
from services.nlu.train.lexical import LexicalIndex

SEED: Final = 21
PAIRS: Final = 8_000
DEV_SHARE: Final = 0.08
"""Products kept for measuring; none of them stands in a training pair."""
_CANDIDATES: Final = 25
_SURE_SHARE: Final = 0.5
"""Share of a query's hits that its main category must hold to say what the query means."""
_WORD: Final = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


@lru_cache(maxsize=2)
def matching_pairs(data: Path) -> tuple[list[Example], list[Example]]:
    """Returns training pairs with negatives, and dev pairs labelled "1" and "0".

    Args:
        data: Folder of the data sets.

    Raises:
        FileNotFoundError: A catalogue is missing.
    """
    train_goods, dev_goods = split_goods(data)
    judged = judged_queries(data)
    random = Random(SEED)
    train = [
        pair
        for pair in mine(train_goods[:PAIRS], random, negatives=1)
        if pair.text.casefold() not in judged
    ]
    train.extend(pair for pair in _suggestions(data) if pair.text.casefold() not in judged)
    random.shuffle(train)
    dev: list[Example] = []
    for pair in mine(dev_goods, random, negatives=1):
        dev.append(Example(pair.text, other=pair.other, label="1"))
        dev.extend(Example(pair.text, other=text, label="0") for text in pair.negatives)
    return train, dev


def split_goods(data: Path) -> tuple[list[Good], list[Good]]:
    """Returns the products to train with and those to measure by, of all kinds alike."""
    goods = spread(read_goods(data), Random(SEED))
    held = round(DEV_SHARE * len(goods))
    return goods[held:], goods[:held]


def judged_queries(data: Path) -> frozenset[str]:
    """Returns the queries whose judgements relevance is measured by: nothing learns from them."""
    path = data / "icecat" / "judgments_dev.csv"
    lines = path.read_text("utf-8").splitlines()[1:]
    return frozenset(line.rsplit(",", 2)[0].strip('"').casefold() for line in lines)


def asked_for(
    goods: Sequence[Good], random: Random, candidates: int
) -> Iterator[tuple[Good, Sequence[Piece], str, list[Good]]]:
    """Writes a query for each product that has facts to ask for.

    Args:
        goods: The products.
        random: Source of chance.
        candidates: That BM25 finds for a query, at most.

    Yields:
        The product, the facts asked for, the query, and the products that BM25 takes for answers.
    """
    index = LexicalIndex([good.text for good in goods], words_of)
    for good in goods:
        if pieces := fact_query(good, random):
            query = join(roughen(pieces, random), "").text
            yield good, pieces, query, [goods[at] for at in index.top(query, candidates)]


def mine(goods: Sequence[Good], random: Random, *, negatives: int) -> list[Example]:
    """Writes a query for each product, and finds products that BM25 takes for an answer.

    Args:
        goods: Also where negatives come from.
        random: Source of chance.
        negatives: Wanted for each pair; fewer where nothing is alike.

    Returns:
        Pairs, in the order of the products.
    """
    pairs: list[Example] = []
    for good, pieces, query, near in asked_for(goods, random, _CANDIDATES):
        wrong = [other for other in near if contradicts(other, pieces, good)]
        # The very first are the likeliest to be answers that the facts do not tell.
        wrong = wrong[:8] if len(wrong) <= negatives else random.sample(wrong[:8], negatives)
        texts = tuple(other.text for other in wrong[:negatives])
        pairs.append(Example(query, other=good.text, negatives=texts))
    return pairs


def contradicts(other: Good, pieces: Sequence[Piece], good: Good) -> bool:
    """Whether a product is surely no answer to a query that was written for another one."""
    if other.key == good.key or not other.kind:
        return False
    asked = {label: text for text, label in pieces}
    if "MODEL" in asked:
        return asked["MODEL"] not in other.text.lower()
    if head_of(other.kind) != head_of(good.kind):
        return not names_head(good.kind, other)
    return "BRAND" in asked and asked["BRAND"] not in other.text.lower()


def words_of(text: str) -> list[str]:
    """Returns the words by which texts are compared."""
    return _WORD.findall(text.lower())


def head_of(kind: str) -> str:
    """Returns the word of a kind that says what it is: "case" of "camera cases"."""
    last = kind.rsplit(maxsplit=1)[-1] if kind else ""
    return last.removesuffix("s")


def names_head(kind: str, other: Good) -> bool:
    """Whether a product's title names a kind that its facts don't: it may be one all the same."""
    return head_of(kind) in (word.removesuffix("s") for word in words_of(other.title))


def _suggestions(data: Path) -> list[Example]:
    """Real queries with the category that most of their hits stand in."""
    pairs: list[Example] = []
    path = data / "queries" / "en_suggestions_electronics.json"
    for row in json.loads(path.read_text("utf-8")):
        found = row["instant_search"]
        facets = found["facets"]["exact_matches"]
        best = [facets[key][0] for key in _LEVELS if facets.get(key)]
        hits = max(1, int(found["exact_nb_hits"]))
        if best and best[0]["count"] / hits >= _SURE_SHARE:
            # The deepest level that still holds most hits, nearest part first.
            sure = [item["value"] for item in best if item["count"] / hits >= _SURE_SHARE]
            path_names = sure[-1].split(" > ")
            pairs.append(Example(row["query"], other=", ".join(reversed(path_names))))
    return pairs


_LEVELS: Final = (
    "hierarchicalCategories.lvl1",
    "hierarchicalCategories.lvl2",
)
