"""From what features add to a score to what the words of a text add."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from services.reason.classify.features import LONGEST, Occurrences, Text
from services.reason.classify.result import Evidence
from shared.text.analysis import analyse
from shared.text.normalise import fold


def word_evidence(
    texts: Sequence[Text], found: Occurrences, contributions: Mapping[str, float], most: int
) -> list[Evidence]:
    """Returns the words that moved a score most, strongest first.

    The model is linear, so a feature's contribution is exact. It is shared out over the places
    where the feature stands, by their weights, and there over the words it covers, by characters.

    Args:
        texts: What was read.
        found: Features and their places.
        contributions: Feature -> what it adds to the score.
        most: Words to return.
    """
    words = [_words(text.body[:LONGEST]) for text in texts]
    totals: dict[str, float] = {}
    first: dict[str, tuple[int, int, int]] = {}
    for feature, added in contributions.items():
        places = found[feature]
        whole = sum(place.weight for place in places)
        for place in places:
            covered = [
                (start, end, min(end, place.end) - max(start, place.start))
                for start, end in words[place.text]
                if start < place.end and place.start < end
            ] or [(place.start, place.end, 1)]
            length = sum(shared for _, _, shared in covered)
            for start, end, shared in covered:
                word = fold(texts[place.text].body[start:end])
                share = added * place.weight / whole * shared / length
                totals[word] = totals.get(word, 0.0) + share
                at = (place.text, start, end)
                first[word] = min(first.get(word, at), at)
    strongest = sorted(totals, key=lambda word: (-abs(totals[word]), word))[:most]
    return [_evidence(texts, first[word], totals[word]) for word in strongest if totals[word]]


def _evidence(texts: Sequence[Text], place: tuple[int, int, int], added: float) -> Evidence:
    at, start, end = place
    text = texts[at]
    return Evidence(text.body[start:end], text.field, text.language, start, end, added)


@lru_cache(maxsize=1_024)
def _words(text: str) -> Sequence[tuple[int, int]]:
    """Spans of the words, longest first where they overlap, none twice."""
    spans: list[tuple[int, int]] = []
    for term in analyse(text):
        if not spans or term.start >= spans[-1][1]:
            spans.append((term.start, term.end))
    return spans
