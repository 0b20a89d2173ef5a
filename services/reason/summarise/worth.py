"""How much a sentence is worth in a summary: central, and of use to another shopper.

A sentence about the reviewer ("I bought this for my husband") can be as central as one about the
product and tells a shopper nothing. English sentences are scored by a linear model of what people
put into summaries (`scorer.py`); elsewhere such a sentence is worth a part of its centrality.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.reason.summarise.centrality import Matrix, choose, lexrank
from services.reason.summarise.scorer import LinearScorer, features
from services.reason.summarise.sentences import Sentence

_PERSONAL: Final = re.compile(
    r"\b(?:i|i'm|i've|i'd|my|me|mine|we|our|us|he|she|his|her|husband|wife|son|daughter|mom)\b"
    r"|^(?:very |so )?(?:happy|satisfied|pleased)\b|better than expected"
    r"|满意|比想象|我|老公|老婆|儿子|女儿|妈妈|爸爸|同事",
    re.IGNORECASE,
)
_ASKING: Final = re.compile(r"[?？]\s*$")
_ADDRESSES: Final = re.compile(
    r"https?://|www\.|@[\w.-]+|\b\d{7,}\b|\b(?:amazon|seller|refund|customer service)\b"
    r"|客服|快递|店家|卖家",
    re.IGNORECASE,
)
_FRAGMENT: Final = re.compile(
    r"^(?:and|or|so|because|which|that said|also)\b|^(?:而且|所以|并且)", re.IGNORECASE
)
CONTRAST: Final = re.compile(
    r"^(?:but|however|one drawback|the only (?:drawback|problem|issue|downside))\b"
    r"|^(?:不过|但|但是|可惜|美中不足)",
    re.IGNORECASE,
)
"""What starts so answers something said before, so it is read last."""
_SPECIFICATION: Final = re.compile(r"^[^:：]{1,24}[:：]\s*\S|\d")


@dataclass(frozen=True, slots=True)
class Weights:
    """How sentences are weighed.

    Attributes:
        personal: What is left of the worth of a sentence about the reviewer.
        short: The same for one under `shortest` words.
        long: The same for one over `longest` words.
        of_shop: The same for one of a description.
        novelty: Of `centrality.choose`.
        threshold: Of `centrality.lexrank`.
        meaning: Share of the encoder's cosines beside those of tf-idf, 0 to 1.
    """

    personal: float = 0.5
    short: float = 0.3
    long: float = 0.6
    of_shop: float = 0.5
    shortest: int = 5
    longest: int = 25
    novelty: float = 0.4
    threshold: float = 0.0
    meaning: float = 1.0


BY_MEANING: Final = Weights(novelty=0.1, meaning=0.85)
"""With an encoder's vectors."""
BY_WORDS: Final = Weights(novelty=0.1, shortest=4)
"""Without."""


def worth(sentences: Sequence[Sentence], centrality: Matrix, weights: Weights) -> Matrix:
    """Returns the worth of each sentence by its centrality, 0 to 1; (n,)."""
    return centrality * np.array([_use(s, weights) for s in sentences])


def _use(sentence: Sentence, weights: Weights) -> float:
    text = sentence.text
    use = 1.0
    if _PERSONAL.search(text):
        use *= weights.personal
    if sentence.words < weights.shortest or _FRAGMENT.search(text) or CONTRAST.search(text):
        use *= weights.short
    if sentence.words > weights.longest:
        use *= weights.long
    return use


def _allowed(sentences: Sequence[Sentence], weights: Weights) -> Matrix:
    """What is left of the worth of each: nothing of questions, addresses and specifications."""
    reviewed = any(not sentence.of_shop for sentence in sentences)
    left = np.ones(len(sentences))
    for at, sentence in enumerate(sentences):
        text = sentence.text
        if _ASKING.search(text) or _ADDRESSES.search(text):
            left[at] = 0.0
        elif sentence.of_shop and reviewed:
            # "Material: linen." stands on the page already.
            left[at] = 0.0 if _SPECIFICATION.search(text) else weights.of_shop
    return left


def similarities(words: Matrix, meanings: Matrix | None, weights: Weights) -> Matrix:
    """Returns the cosines of sentences, (n, n).

    Args:
        words: Their unit rows of tf-idf, (n, vocabulary).
        meanings: Those of an encoder, (n, dimensions), where there are.
        weights: Says how much the encoder counts.
    """
    by_words = words @ words.T
    if meanings is None:
        return by_words
    return weights.meaning * (meanings @ meanings.T) + (1 - weights.meaning) * by_words


def extract(
    sentences: Sequence[Sentence],
    words: Matrix,
    meanings: Matrix | None,
    budget: int,
    scorer: LinearScorer | None = None,
) -> tuple[list[int], Matrix]:
    """Chooses the sentences of a summary.

    Args:
        sentences: To choose from.
        words: Their unit rows of tf-idf, (n, vocabulary).
        meanings: Those of an encoder, (n, dimensions), where there are.
        budget: Words in all.
        scorer: Says what they are worth; their centrality does where there is none.

    Returns:
        Indices in the order to read them (the shop's words, then reviews, what is held against the
        product last), and the centrality of all, (n,).
    """
    weights = BY_WORDS if meanings is None else BY_MEANING
    similarity = similarities(words, meanings, weights)
    centrality = lexrank(similarity, weights.threshold)
    if scorer is None:
        value = worth(sentences, centrality, weights)
    else:
        by_meaning = None if meanings is None else meanings @ meanings.T
        value = scorer.score(features(sentences, words @ words.T, by_meaning))
    value = value * _allowed(sentences, weights)
    lengths = [sentence.words for sentence in sentences]
    chosen = choose(value, similarity, lengths, budget, weights.novelty)
    return sorted(chosen, key=lambda at: _place(sentences[at])), centrality


def prescreen(
    sentences: Sequence[Sentence], words: Matrix, most: int, scorer: LinearScorer | None
) -> list[Sentence]:
    """Returns the sentences that are worth most by their words, in their order; at most `most`.

    An encoder's time grows with the sentences, and most of many are never quoted.
    """
    if len(sentences) <= most:
        return list(sentences)
    similarity = words @ words.T
    if scorer is None:
        value = worth(sentences, lexrank(similarity, BY_WORDS.threshold), BY_WORDS)
    else:
        value = scorer.score(features(sentences, similarity, None))
    best = np.argsort(-value * _allowed(sentences, BY_WORDS), kind="stable")[:most]
    return [sentences[at] for at in sorted(best.tolist())]


def _place(sentence: Sentence) -> int:
    if sentence.of_shop:
        return 0
    return 2 if CONTRAST.search(sentence.text) else 1
