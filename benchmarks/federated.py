"""Federated training beside pooled and local training: `python -m benchmarks.federated`.

The intent head over support_intents_en (train to learn, dev to measure) and, with `--judged`, the
ranker over pages of simulated shoppers by folds of whole judged queries: what
`wherefore eval federated` prints, as a section and a plot of utility against epsilon. Needs the
extra `federated` and Flower (`make federated`).

    python -m benchmarks.federated --judged judged.npz
    python -m benchmarks.federated --judged judged.npz --json measured.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import plots, report
from benchmarks.data import data_folder
from shared.cli.commands.evaluate_federated import EPSILONS, ComparisonEndedError, measure

WITHIN: Final = 2.0
"""Points."""
_TITLES: Final = {"intent": "Intents", "rank": "Ranking"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judged", type=Path, help="kept by `wherefore train ranking --data`")
    parser.add_argument("--epsilons", type=float, nargs="*", default=EPSILONS)
    parser.add_argument("--judged-of", default="icecat", help="what the queries were asked of")
    parser.add_argument("--keep", type=Path, help="folder of checkpoints to go on from")
    parser.add_argument(
        "--json", type=Path, help="what `wherefore eval federated --json` printed: writes that"
    )
    parser.add_argument("--dry", action="store_true", help="print, and write nothing")
    asked = parser.parse_args(arguments)
    given = list(sys.argv[1:] if arguments is None else arguments)
    intents = data_folder("support_intents_en") / "support_intents_en"
    if asked.json:
        found: list[dict[str, Any]] = json.loads(asked.json.read_text("utf-8"))["models"]
    else:
        try:
            found = measure(
                intents / "train.csv",
                intents / "dev.csv",
                asked.judged,
                changes={"epsilons": asked.epsilons, "secure_epsilon": 0.0},
                keep=asked.keep,
            )
        except ComparisonEndedError as error:
            return error.code
    data = "support_intents_en (train, dev)"
    data += f" and judged queries of {asked.judged_of}" if asked.judged else ""
    options = " ".join(each for each in given if each != "--dry")
    command = f"python -m benchmarks.federated {options}".strip()
    if asked.json:
        judged = f" --judged {asked.judged}" if asked.judged else ""
        command = f"wherefore eval federated --train train.csv --dev dev.csv{judged} --json"
    body = section(found, command, data)
    print(body)
    if not asked.dry:
        plots.lines(
            {_TITLES[each["model"]]: _curve(each) for each in found},
            ("epsilon (RDP, one shop added or removed)", "figure, as part of pooled training"),
            report.PLOTS / "federated.svg",
        )
        report.update_section("federated", body)
    return 0


def section(models: Sequence[dict[str, Any]], command: str, data: str) -> str:
    """The section, in Markdown."""
    parts = [_part(each) for each in models]
    return f"""## Federated training

One model over shops that are dealt their examples by a Dirichlet distribution (concentration 0.5,
seed 0), in one process through Flower's apps and round loop. All runs of a model without noise take
as many passes over the same examples. Wanted: federated within 2 points of pooled without privacy.

{"".join(parts)}
![Utility against epsilon](plots/federated.svg)

Epsilon is of Opacus' RDP accountant, for Poisson sampling of shops, about all that one shop holds.
Private runs clip updates; "many shops" is the same with the clip and without noise. Private rows
are plain sums: of few shops, secure sums are measured above, and a test holds both together.

{report.provenance(command, data)}
"""


def _part(model: dict[str, Any]) -> str:
    rows = [
        [
            each["name"],
            str(each["shops"]),
            str(each["rounds"]),
            f"{each['value']:.4f}",
            f"{each['points']:+.1f}",
            f"{each['epsilon']:.2f}" if "epsilon" in each else "",
            f"{each['delta']:.1e}" if "delta" in each else "",
            f"{each['noise']:.2f}" if "noise" in each else "",
        ]
        for each in model["outcomes"]
    ]
    alone, federated = model["outcomes"][1], model["outcomes"][2]
    kept = "kept" if federated["points"] >= -WITHIN else "missed"
    plan = model["plan"]
    examples = ", ".join(f"{count:,}" for count in sorted(set(model["training_examples"])))
    tests = ", ".join(f"{count:,}" for count in sorted(set(model["test_examples"])))
    headings = ("", "shops", "rounds", model["figure"], "points", "epsilon", "delta", "noise")
    return f"""### {_TITLES[model["model"]]}: {model["figure"]}

{report.table(headings, rows)}

Federated against pooled: {federated["points"]:+.1f} points, {kept}. Shops alone
range from {alone["worst"]:.4f} to {alone["best"]:.4f}. Learnt from {examples} examples, measured on
{tests}, means of {model["trials"]} run(s) of each. Learning rate {plan["learning_rate"]:g},
private runs {plan["private_rate"]:g}.

"""


def _curve(model: dict[str, Any]) -> tuple[list[float], list[float]]:
    pooled = model["outcomes"][0]["value"]
    private = [each for each in model["outcomes"] if each["name"].startswith("private, epsilon")]
    private.sort(key=lambda each: each["epsilon"])
    return (
        [each["epsilon"] for each in private],
        [each["value"] / pooled for each in private],
    )


if __name__ == "__main__":
    sys.exit(main())
