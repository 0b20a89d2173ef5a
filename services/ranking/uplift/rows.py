"""A log of pages as rows: what was shown, whether it had the property, and what came of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from services.ranking.clicks.page_log import LoggedPage
from services.ranking.features import FEATURES

Outcome = Literal["click", "purchase"]
PLACE: Final = "place"
_EXPRESSION: Final = re.compile(r"([A-Za-z_][\w.]*)\s*(?:(>=|<=)\s*([-+.\deE]+))?")


class UpliftRefusedError(ValueError):
    """The log cannot answer the question; the message says why."""


@dataclass(frozen=True, slots=True)
class Property:
    """A question to a shown product: is this number of its at least, or at most, so large?"""

    name: str
    """A feature of ranking, a fact of the log, or "place"."""
    sign: Literal[">=", "<=", ""] = ""
    threshold: float = 0.0
    """Without a sign the number must take two values, and the larger one is meant."""

    @classmethod
    def parse(cls, text: str) -> "Property":
        """Reads "stock", "rating>=0.7" or "place<=3".

        Raises:
            UpliftRefusedError: It is none of these.
        """
        found = _EXPRESSION.fullmatch(text.strip())
        try:
            number = float(found[3]) if found and found[3] else 0.0
        except ValueError:
            found, number = None, 0.0
        if found is None:
            raise UpliftRefusedError(f"{text!r} is no property: say stock, rating>=0.7 or place<=3")
        sign: Literal[">=", "<=", ""] = ">=" if found[2] == ">=" else "<=" if found[2] else ""
        return cls(found[1], sign, number)

    def __str__(self) -> str:
        """Returns what `parse` reads."""
        return f"{self.name}{self.sign}{self.threshold:g}" if self.sign else self.name


@dataclass(frozen=True, slots=True)
class Rows:
    """The shown products of a log, one a row."""

    treated: NDArray[np.bool_]
    """(rows,) whether it had the property."""
    outcome: NDArray[np.bool_]
    """(rows,) whether it was clicked, or bought."""
    confounders: NDArray[np.float64]
    """(rows, columns) what else the log knows of it; columns that never vary are left out."""
    names: Sequence[str]
    """By column."""
    query: NDArray[np.int64]
    """(rows,) number of the query: its rows are not independent of one another."""

    def of(self, chosen: NDArray[np.bool_]) -> "Rows":
        """Returns some of the rows."""
        return Rows(
            self.treated[chosen],
            self.outcome[chosen],
            self.confounders[chosen],
            self.names,
            self.query[chosen],
        )


def read_rows(
    pages: Sequence[LoggedPage], wanted: Property, outcome: Outcome, without: Sequence[str] = ()
) -> Rows:
    """Lays a log out as rows.

    Args:
        pages: The log.
        wanted: The property that is asked about.
        outcome: What may come of it.
        without: Columns that are no confounders, as they follow from the property themselves.

    Raises:
        UpliftRefusedError: The log knows no such property, or it takes more than two values.
    """
    if not pages:
        raise UpliftRefusedError("the log holds no page")
    table = _columns(pages)
    if unknown := sorted({wanted.name, *without} - set(table)):
        known = ", ".join(sorted(table))
        raise UpliftRefusedError(f"the log has no {', '.join(unknown)}; it has {known}")
    treated = _treated(table.pop(wanted.name), wanted)
    names = [
        name
        for name, column in table.items()
        if name not in without and column.size and np.ptp(column) > 0.0
    ]
    numbers = {name: number for number, name in enumerate(sorted({p.query for p in pages}))}
    return Rows(
        treated,
        np.concatenate([p.clicked if outcome == "click" else p.purchased for p in pages]),
        np.column_stack([table[name] for name in names])
        if names
        else np.zeros((len(treated), 1), dtype=np.float64),
        names or ["nothing"],
        np.concatenate([np.full(len(p.shown), numbers[p.query]) for p in pages]).astype(np.int64),
    )


def _columns(pages: Sequence[LoggedPage]) -> dict[str, NDArray[np.float64]]:
    """All that the log knows of what was shown, by name, each (rows,)."""
    shown = np.vstack([page.features[page.shown] for page in pages])
    nothing: Mapping[str, float] = {}
    facts = [fact for page in pages for fact in (page.facts or [nothing] * len(page.shown))]
    table: dict[str, NDArray[np.float64]] = {
        PLACE: np.concatenate([np.arange(1.0, len(page.shown) + 1.0) for page in pages])
    }
    table |= {name: shown[:, at] for at, name in enumerate(FEATURES) if shown[:, at].any()}
    for name in sorted({name for fact in facts for name in fact}):
        table[name] = np.array([fact.get(name, 0.0) for fact in facts])
    return table


def _treated(column: NDArray[np.float64], wanted: Property) -> NDArray[np.bool_]:
    if wanted.sign == ">=":
        return column >= wanted.threshold
    if wanted.sign == "<=":
        return column <= wanted.threshold
    values = np.unique(column)
    if len(values) > 2:  # noqa: PLR2004 - with it and without it
        raise UpliftRefusedError(
            f"{wanted.name} takes {len(values):,} values, {values[0]:.3g} to {values[-1]:.3g}: "
            f"say which are meant, such as {wanted.name}>={np.median(column):.2g}"
        )
    return column == values[-1]
