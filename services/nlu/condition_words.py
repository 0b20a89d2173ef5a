"""Words of conditions, as people mistype them: "undr 300", "betwen 20 and 30", "withot leather".

No catalogue holds these words, so they are a closed list of their own. What stands behind them
makes them sure: "undr" before an amount can mean little else.
"""

import re
from typing import Final

from rapidfuzz.distance import OSA

# What must stand behind a word for it to be meant.
_AMOUNT: Final = re.compile(r"\s*:?\s*(?:us)?[$€£¥]?\s?\d")
_THAN: Final = re.compile(r"\s+th[ae]n\b", re.IGNORECASE)
_WORD: Final = re.compile(r"\s+[^\W\d_]")
_BY_FOLLOWER: Final = (
    (_AMOUNT, ("under", "below", "over", "above", "between", "around", "about", "within")),
    (_AMOUNT, ("maximum", "minimum", "budget", "than", "approximately")),
    (_THAN, ("less", "more", "cheaper", "lower", "higher")),
    (_WORD, ("without", "excluding", "except")),
)
_MIN_TYPED: Final = 3
# Three letters of four leave little doubt before an amount; one of many lengths leaves none.
_LONG: Final = 5
_SURE, _LIKELY = 0.95, 0.85


def correct_condition(typed: str, after: str) -> tuple[str, float] | None:
    """Returns the word of a condition that was meant, with a confidence from 0 to 1.

    Args:
        typed: One folded word that nothing else knows.
        after: The query behind it.
    """
    if len(typed) < _MIN_TYPED:
        return None
    for follower, words in _BY_FOLLOWER:
        if not follower.match(after):
            continue
        near = [word for word in words if OSA.distance(typed, word, score_cutoff=1) <= 1]
        if len(near) == 1:
            return near[0], _SURE if len(near[0]) >= _LONG else _LIKELY
    return None
