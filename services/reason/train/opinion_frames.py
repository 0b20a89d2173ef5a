"""Frames of summaries of reviews: what reviewers praise, fault or are divided over, by aspect.

The files hold frames of a side once, and the words of an aspect once; here they are put together
to frames of the form that `frames.py` reads, a kind for each side and aspect.
"""

import random
import re
import tomllib
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Final

from services.reason.train.choices import written_out
from services.reason.wording.opinions import FAULT, MIXED, PRAISE, RATED, READ

DATA: Final = Path(__file__).parent / "data"
MOST_IN_SENTENCE: Final = 3
"""Pieces of a sentence of a summary: clauses with two numbers are long."""
_WORD: Final = re.compile(r"%(\w+)%")
_OPENED: Final = 0.4
"""Share of sentences that open with the reviews in all."""
_SIDES: Final = (PRAISE, MIXED, FAULT)


@lru_cache(maxsize=2)
def opinion_frames(language: str) -> dict[str, dict[str, list[str]]]:
    """Returns the frames of a language by kind and form."""
    table = tomllib.loads((DATA / f"opinions_{language}.toml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, list[str]]] = dict(table["whole"])
    for (side, forms), (aspect, words) in product(
        table["frames"].items(), table["aspects"].items()
    ):
        found[f"{side}.{aspect}"] = {
            form: [text for frame in frames for text in _worded(frame, words)]
            for form, frames in forms.items()
        }
    return found


def _worded(frame: str, words: dict[str, str]) -> list[str]:
    """A frame with each wording of the aspect; none where the aspect lacks one."""
    texts: list[str] = [frame]
    names: list[str] = _WORD.findall(frame)
    for name in names:
        if name not in words:
            return []
        choices = written_out(words[name])
        texts = [text.replace(f"%{name}%", choice) for text in texts for choice in choices]
    return texts


def opinion_kinds() -> tuple[str, ...]:
    """Returns the kinds of summaries, in the order of the vocabulary."""
    return tuple(opinion_frames("en"))


def draw(rng: random.Random) -> list[str]:
    """Draws the kinds of a sentence of a summary, in the order that it says them.

    What opens comes first, then praise, then divided views, then faults; aspects differ.
    """
    table: dict[str, Any] = opinion_frames("en")
    aspects = sorted({kind.partition(".")[2] for kind in table} - {""})
    opened = rng.random() < _OPENED
    count = rng.randint(1, MOST_IN_SENTENCE - opened)
    sides = sorted(rng.choices(_SIDES, (5, 1, 3), k=count), key=_SIDES.index)
    said = [
        f"{side}.{aspect}" for side, aspect in zip(sides, rng.sample(aspects, count), strict=True)
    ]
    return [rng.choice((READ, READ, RATED)), *said] if opened else said
