"""Features of texts by hashing, a whole batch at once; training and serving share them.

Han and all that has no words between blanks: one, two and three neighbouring characters. Other
texts: words and pairs of words. A feature's column is its hash (Weinberger et al., "Feature hashing
for large scale multitask learning", ICML 2009); rows are scaled by the root of their length.
"""

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LONGEST: Final = 400
_NGRAM: Final = 3
_MIX: Final = np.uint32(0x9E3779B1)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|[!?]")


class Features(NamedTuple):
    """Features of a batch.

    Attributes:
        rows: Of each feature, the text.
        columns: Of each feature, the hash.
        lengths: Of each text, its number of features.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    lengths: NDArray[np.int64]


def character_features(texts: Sequence[str], bits: int) -> Features:
    """Returns runs of one to three characters of folded texts.

    Args:
        texts: Of each the first 400 characters are read.
        bits: Columns are below 2 ** bits.
    """
    joined = "\0".join(text[:_LONGEST].replace("\0", " ") for text in texts) + "\0" * _NGRAM
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32)
    size = len(codes) - _NGRAM
    row = np.concatenate(([0], np.cumsum(codes[:size] == 0)[:-1])) if size else np.zeros(0, int)
    hashed = np.zeros(size, np.uint32)
    inside = np.ones(size, bool)
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    for length in range(_NGRAM):
        code = codes[length : length + size]
        inside = inside & (code != 0)
        hashed = (hashed ^ code) * _MIX
        hashed ^= hashed >> np.uint32(15)
        column = ((hashed + np.uint32(length)) * _MIX) >> np.uint32(32 - bits)
        rows.append(row[inside])
        columns.append(column[inside].astype(np.int64))
    whole = np.concatenate(rows)
    return Features(whole, np.concatenate(columns), np.bincount(whole, minlength=len(texts)))


def word_features(texts: Sequence[str], bits: int) -> Features:
    """Returns words, and pairs of neighbouring words, of folded texts.

    Args:
        texts: Of each the first 2,000 characters are read.
        bits: Columns are below 2 ** bits.
    """
    rows: list[int] = []
    columns: list[int] = []
    for row, text in enumerate(texts):
        words = [word.encode() for word in _WORD.findall(text[: 5 * _LONGEST].replace("’", "'"))]
        pairs = [b" ".join(pair) for pair in pairwise(words)]
        hashes = [zlib.crc32(each) >> (32 - bits) for each in (*words, *pairs)]
        columns += hashes
        rows += [row] * len(hashes)
    whole = np.array(rows, dtype=np.int64)
    lengths = np.bincount(whole, minlength=len(texts))
    return Features(whole, np.array(columns, dtype=np.int64), lengths)
