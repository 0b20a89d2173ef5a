"""How well personal data is found in texts of shoppers: `python -m benchmarks.personal_data`.

Reads the hand-written texts of tests/shared/privacy/data. A find is right when it overlaps a marked
piece of its kind; what lies outside of all marks is a false alarm. Half of the texts had next to no
part in the writing of patterns; see the head of that file.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import report
from shared.privacy.personal import Personal, find_personal

TEXTS = report.ROOT / "tests/shared/privacy/data/personal_texts.txt"
_MARK = re.compile(r"\{([a-z -]+)\|([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Text:
    """A text with what is personal in it."""

    language: str
    half: str
    text: str
    marked: list[Personal]


@dataclass(slots=True)
class Score:
    """Counts of pieces."""

    right: int = 0
    missed: list[str] = field(default_factory=list[str])
    false: list[str] = field(default_factory=list[str])
    texts: Counter[str] = field(default_factory=Counter[str])

    @property
    def precision(self) -> float:
        """Share of finds that are right."""
        return self.right / max(1, self.right + len(self.false))

    @property
    def recall(self) -> float:
        """Share of marked pieces that are found."""
        return self.right / max(1, self.right + len(self.missed))


def read_texts(path: Path = TEXTS) -> Iterator[Text]:
    """Reads the marked texts."""
    language, number = "", 0
    for line in path.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            language, number = line.strip("[]"), 0
            continue
        number += 1
        text, marked = _unmarked(line)
        yield Text(language, "dev" if number % 2 else "blind", text, marked)


def _unmarked(line: str) -> tuple[str, list[Personal]]:
    text, marked, end = "", list[Personal](), 0
    for found in _MARK.finditer(line):
        text += line[end : found.start()]
        marked.append(Personal(found[1], len(text), len(text) + len(found[2])))
        text += found[2]
        end = found.end()
    return text + line[end:], marked


def score(texts: Iterator[Text] | list[Text]) -> dict[tuple[str, str], Score]:
    """Scores by language and half."""
    scores: dict[tuple[str, str], Score] = {}
    for each in texts:
        into = scores.setdefault((each.language, each.half), Score())
        found = find_personal(each.text)
        into.texts["personal" if each.marked else "none"] += 1
        for mark in each.marked:
            if any(same(mark, other) for other in found):
                into.right += 1
            else:
                into.missed.append(each.text[mark.start : mark.end])
        into.false += [
            each.text[other.start : other.end]
            for other in found
            if not any(same(mark, other) for mark in each.marked)
        ]
    return scores


def same(one: Personal, other: Personal) -> bool:
    """Whether a find is of a piece: of its kind, and overlapping."""
    return one.kind == other.kind and one.start < other.end and other.start < one.end


def main() -> int:
    """Prints the scores; what is missed is told of the development half alone."""
    for (language, half), found in sorted(score(read_texts()).items()):
        print(
            f"{language} {half:5}: precision {found.precision:.3f}, recall {found.recall:.3f}"
            f" ({found.right} found, {len(found.missed)} missed, {len(found.false)} false,"
            f" {found.texts['none']} texts with none)"
        )
        if half == "dev":
            for kind, pieces in (("missed", found.missed), ("false", found.false)):
                for piece in pieces:
                    print(f"    {kind}: {piece}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
