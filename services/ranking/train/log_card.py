"""The model card of a ranker that learnt from logs, and the same figures as text."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from services.ranking.clicks.counterfactual import DR, IPS, LOGGED, SNIPS, LogEvaluation
from services.ranking.clicks.page_log import OUTCOMES
from services.ranking.train.held_out import HeldOut
from shared.evaluation.significance import Interval

CARD_FILE: Final = "README.md"
_ESTIMATES: Final = {LOGGED: "as logged", IPS: "IPS", SNIPS: "SNIPS", DR: "doubly robust"}


def write_card(
    folder: Path,
    *,
    version: str,
    how: str,
    data: str,
    looked: Sequence[float],
    held_out: HeldOut,
    calibration: Mapping[str, tuple[float, float]],
) -> None:
    """Writes the card.

    Args:
        folder: Of the model; it must be there.
        version: Of the model.
        how: The kind of model and how it was trained, in a sentence.
        data: What it was trained on, in words.
        looked: Propensity of each place.
        held_out: Figures on queries that it never saw.
        calibration: By outcome: expected calibration error without and with curves; may be empty.
    """
    places = ", ".join(f"{value:.2f}" for value in looked)
    lines = [
        f"# {version}",
        "",
        f"{how} Trained by `wherefore train ranking` on {data}.",
        "",
        f"How likely each place is looked at, estimated from the clicks: {places}.",
        "",
        f"On {held_out.pages:,} pages of {held_out.queries} queries that it never saw, beside the",
        "linear weights that served; intervals of 95 % by bootstrap over queries:",
        "",
        *_tables(held_out),
    ]
    if calibration:
        lines += [
            "",
            "Expected calibration error of the probabilities on the same pages:",
            "",
            "| outcome | network | with its curves |",
            "| --- | ---: | ---: |",
            *(
                f"| {name} | {before:.4f} | {after:.4f} |"
                for name, (before, after) in calibration.items()
            ),
        ]
    lines += [
        "",
        "What shoppers did is all that it knows: what was never shown it cannot judge, and what",
        "the shop's weights hid stays hidden unless ranking explores. Measure again after a change",
        "of the catalogue, of the features or of the weights that it was trained beside.",
        "",
    ]
    (folder / CARD_FILE).write_text("\n".join(lines), encoding="utf-8")


def said(
    version: str, held_out: HeldOut, calibration: Mapping[str, tuple[float, float]], serve: str
) -> str:
    """Returns the figures as the command prints them.

    Args:
        version: Of the model.
        held_out: Its figures.
        calibration: As in `write_card`.
        serve: Settings that serve it.
    """
    lines = [
        f"{version}, measured on {held_out.pages:,} pages of {held_out.queries} held-out queries",
        *_tables(held_out),
    ]
    if calibration:
        told = (f"{name} {calibration[name][1]:.4f}" for name in OUTCOMES)
        lines.append(f"expected calibration error: {', '.join(told)}")
    lines.append(
        f"Serve it: {serve}"
        if held_out.worth_serving
        else "The linear model stays: this one is not better beyond doubt."
    )
    return "\n".join(lines) + "\n"


def _tables(held_out: HeldOut) -> list[str]:
    lines = [
        "| nDCG@10 by | linear | learnt | difference | p |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for what, difference in held_out.differences.items():
        lines.append(
            f"| {what} | {held_out.linear.ndcg[what].mean:.3f} | "
            f"{held_out.learnt.ndcg[what].mean:.3f} | {_signed(difference.interval)} | "
            f"{difference.p:.4f} |"
        )
    lines += ["", "| on a page | estimate | linear | learnt | learnt over the log |"]
    lines.append("| --- | --- | ---: | ---: | ---: |")
    of_both: dict[str, tuple[LogEvaluation, LogEvaluation]] = {
        "clicks": (held_out.linear.clicks, held_out.learnt.clicks),
        "purchases": (held_out.linear.purchases, held_out.learnt.purchases),
    }
    for what, (linear, learnt) in of_both.items():
        for name, title in _ESTIMATES.items():
            before, after = linear.estimates[name], learnt.estimates[name]
            gain = "" if name == LOGGED else _signed(after.gain, 4)
            lines.append(
                f"| {what} | {title} | {before.value.mean:.4f} | {after.value.mean:.4f} | {gain} |"
            )
    lines += [
        "",
        f"Mean weight of the learnt ranker {held_out.learnt.clicks.mean_weight:.2f}; far from 1, "
        "no estimate holds.",
    ]
    return lines


def _signed(interval: Interval, digits: int = 3) -> str:
    ends = (interval.mean, interval.low, interval.high)
    return "{} ({} to {})".format(*(f"{value:+.{digits}f}" for value in ends))
