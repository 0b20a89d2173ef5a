"""How `wherefore eval crossmodal` looks in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from services.nlu.pictures.evaluation.measure import Ranks
    from services.nlu.pictures.evaluation.outcome import CrossmodalEvaluation
    from shared.evaluation.significance import Interval


def tables(found: CrossmodalEvaluation) -> Iterator[Table]:
    """Yield the figures as tables, each with its 95 % interval."""
    yield _recalls("text -> picture", found.text_to_picture)
    yield _recalls("picture -> text", found.picture_to_text)
    yield _recalls("other pictures of the same", found.other_views)
    yield _recalls("like this but in another colour", found.like_this_but)
    words = Table("", "colour words, accuracy", "pattern words, area under ROC")
    for name, colour in found.colours.items():
        words.add_row(name, shown(colour), shown(found.patterns[name]))
    yield words


def shown(interval: Interval) -> str:
    """Return a value with its interval, such as "0.52 (0.41 to 0.63)"."""
    return f"{interval.mean:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def _recalls(title: str, found: Mapping[str, Ranks]) -> Table:
    first = next(iter(found.values()))
    table = Table(title=f"{title}: {len(first.places)} queries, {first.candidates} candidates")
    for name in ("", "recall@1", "@5", "@10"):
        table.add_column(name, justify="left" if not name else "right")
    for name, ranks in found.items():
        table.add_row(name, *(shown(ranks.recall(cut)) for cut in (1, 5, 10)))
    return table
