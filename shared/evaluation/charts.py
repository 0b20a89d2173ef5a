"""Small charts as SVG text, for a report that is one file and loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from shared.evaluation.significance import Interval

_WIDTH = 720
_LABEL, _VALUE = 190, 150
_ROW = 30


def interval_bars(values: Mapping[str, Interval], label: str) -> str:
    """Horizontal bars with their intervals on a scale of 0 to 1, the first on top.

    Args:
        values: By what the bar is called.
        label: What is drawn, for those who do not see it.
    """
    plot = _WIDTH - _LABEL - _VALUE
    height = _ROW * len(values) + 26
    parts = [_open(height, label)]
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x = _LABEL + plot * tick
        parts.append(
            f'<line class="grid" x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{height - 22}"/>'
            f'<text class="tick" x="{x:.1f}" y="{height - 6}">{tick:g}</text>'
        )
    for at, (name, interval) in enumerate(values.items()):
        y = 4 + _ROW * at
        middle = y + _ROW / 2 - 1
        low, high = (_LABEL + plot * end for end in (interval.low, interval.high))
        parts.append(
            f'<text class="name" x="{_LABEL - 10}" y="{middle + 4:.1f}">{escape(name)}</text>'
            f'<rect class="bar{" first" if at == 0 else ""}" x="{_LABEL}" y="{y + 5}" '
            f'width="{max(plot * interval.mean, 0.5):.1f}" height="{_ROW - 12}" rx="3"/>'
            f'<line class="error" x1="{low:.1f}" y1="{middle:.1f}" x2="{high:.1f}" '
            f'y2="{middle:.1f}"/>'
            + "".join(
                f'<line class="error" x1="{x:.1f}" y1="{middle - 4:.1f}" x2="{x:.1f}" '
                f'y2="{middle + 4:.1f}"/>'
                for x in (low, high)
            )
            + f'<text class="value" x="{_WIDTH - _VALUE + 14}" y="{middle + 4:.1f}">'
            f"{interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}]</text>"
        )
    return "".join([*parts, "</svg>"])


def difference_bars(differences: Sequence[tuple[str, float]], label: str) -> str:
    """One thin bar per query, above the line where the difference is positive.

    Args:
        differences: Query and difference, -1 to 1, in the order in which they are drawn.
        label: What is drawn, for those who do not see it.
    """
    height, middle = 200, 100
    step = (_WIDTH - 40) / max(len(differences), 1)
    width = max(min(step * 0.8, 14.0), 0.5)
    parts = [_open(height, label)]
    for value in (-1, -0.5, 0, 0.5, 1):
        y = middle - 90 * value
        parts.append(
            f'<line class="{"axis" if value == 0 else "grid"}" x1="36" y1="{y}" '
            f'x2="{_WIDTH}" y2="{y}"/>'
            f'<text class="side" x="30" y="{y + 4}">{value:+g}</text>'
        )
    for at, (query, difference) in enumerate(differences):
        size = 90 * abs(difference)
        top = middle - size if difference > 0 else middle
        parts.append(
            f'<rect class="{"gain" if difference > 0 else "loss"}" x="{38 + step * at:.1f}" '
            f'y="{top:.1f}" width="{width:.1f}" height="{max(size, 0.5):.1f}">'
            f"<title>{escape(query)}: {difference:+.3f}</title></rect>"
        )
    return "".join([*parts, "</svg>"])


def _open(height: float, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(label, quote=True)}">'
    )
