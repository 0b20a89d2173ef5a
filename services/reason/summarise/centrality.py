"""Which sentences say what all say, and which of them say it without repeating one another.

Sources: Erkan and Radev, "LexRank: graph-based lexical centrality as salience in text
summarization", JAIR 2004; Carbonell and Goldstein, "The use of MMR, diversity-based reranking for
reordering documents and producing summaries", SIGIR 1998.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.text.analysis import terms
from shared.text.stop_words import STOP_WORDS

Matrix = NDArray[np.float64]

DAMPING: Final = 0.85
"""Share of the walk that follows similarity; the rest jumps anywhere."""
_ROUNDS, _CLOSE = 100, 1e-8


def tf_idf(texts: Sequence[str]) -> Matrix:
    """Returns unit rows of tf-idf weights, (texts, vocabulary); a row without terms is zero."""
    counts = [Counter(t for t in terms(text) if t not in STOP_WORDS) for text in texts]
    columns = {term: at for at, term in enumerate(dict.fromkeys(t for c in counts for t in c))}
    frequency = Counter(term for count in counts for term in count)
    weights = np.zeros((len(texts), max(1, len(columns))))
    for row, count in enumerate(counts):
        for term, times in count.items():
            idf = math.log((1 + len(texts)) / (1 + frequency[term])) + 1
            weights[row, columns[term]] = times * idf
    return unit_rows(weights)


def unit_rows(vectors: Matrix) -> Matrix:
    """Returns the rows at length 1; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


def lexrank(similarity: Matrix, threshold: float = 0.0, weighted: bool = True) -> Matrix:
    """Returns the centrality of each sentence, the highest 1; (n,).

    Args:
        similarity: Cosines, (n, n).
        threshold: Similarities under it are no tie.
        weighted: Whether ties weigh their similarity ("continuous LexRank"), or all the same.
    """
    if not len(similarity):
        return np.zeros(0)
    ties = np.where(similarity >= threshold, np.maximum(similarity, 0.0), 0.0)
    if not weighted:
        ties = (ties > 0).astype(np.float64)
    sums = ties.sum(axis=1, keepdims=True)
    size = len(similarity)
    step = np.divide(ties, sums, out=np.full_like(ties, 1 / size), where=sums > 0)
    rank = np.full(size, 1 / size)
    for _ in range(_ROUNDS):
        moved = (1 - DAMPING) / size + DAMPING * (rank @ step)
        if np.abs(moved - rank).sum() < _CLOSE:
            rank = moved
            break
        rank = moved
    return rank / rank.max()


def choose(
    worth: Matrix, similarity: Matrix, words: Sequence[int], budget: int, novelty: float
) -> list[int]:
    """Chooses sentences by maximal marginal relevance until none fits the budget.

    Args:
        worth: Of each sentence, 0 to 1, (n,); those of 0 are never taken.
        similarity: Cosines, (n, n).
        words: Length of each sentence.
        budget: Words in all.
        novelty: 0 takes the worthiest whatever they repeat, 1 only what is new.

    Returns:
        Indices in the order they were taken.
    """
    taken: list[int] = []
    nearest = np.zeros(len(worth))
    left, open_ = budget, {int(i) for i in np.flatnonzero(worth > 0)}
    while open_:
        fitting = [i for i in sorted(open_) if words[i] <= left]
        if not fitting:
            break
        best = max(fitting, key=lambda i: (1 - novelty) * worth[i] - novelty * nearest[i])
        taken.append(best)
        open_.discard(best)
        left -= words[best]
        nearest = np.maximum(nearest, similarity[:, best])
    return taken
