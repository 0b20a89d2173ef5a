"""The suite that `benchmarks.fuzz` fuzzes, with all that is off by default turned on."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from services.orchestrator.stage_budgets import Budgets, StageBudget
from shared.catalogue import bundled_catalogue_path
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.suite import PortPlan, Suite
from shared.suite.ports import ALL
from tests.fuzz.shop import TERMS

_EXPERIMENTS: Final = """layers:
  - name: ranking
    salt: fuzz
    experiments:
      - id: fuzz
        arms:
          - {name: control, share: 0.5, ranking_model: weights}
          - {name: online, share: 0.5, ranking_model: online}
        surfaces: [search, recommend]
"""
_FAULTS: Final = re.compile(
    rb'"level": ?"(error|critical)"|Traceback \(most recent|never retrieved'
)
"""What a service that has a fault writes; of what callers do wrong it warns at most."""


@contextmanager
def running_suite() -> Iterator[Suite]:
    """A suite of its own with the bundled catalogue, experiments, accounts and aggregates."""
    with TemporaryDirectory(prefix="wherefore-") as folder:
        home = Path(folder)
        experiments = home / "experiments.yaml"
        experiments.write_text(_EXPERIMENTS, encoding="utf-8")
        terms = home / "terms.yaml"
        terms.write_text(TERMS, encoding="utf-8")
        settings = _patience() | {
            "WHEREFORE_ORCHESTRATOR_TERMS__FILE": str(terms),
            "WHEREFORE_ORCHESTRATOR_EXPERIMENTS_FILE": str(experiments),
            "WHEREFORE_ORCHESTRATOR_PRIVACY__EPSILON": "1e9",
            "WHEREFORE_ORCHESTRATOR_PRIVACY__DELTA": "0.5",
            "WHEREFORE_ORCHESTRATOR_PRIVACY__ANSWER_DELTA": "1e-7",
        }
        ports = PortPlan.free()
        # Stopped before the folder goes.
        with Suite(
            home, ports, services=ALL, private=True, log_level="warning", variables=settings
        ) as suite:
            suite.up(120.0)
            asyncio.run(_import(suite.target("orchestrator")))
            yield suite


def _patience() -> dict[str, str]:
    """Settings that give stages ten times their time.

    It is requests that are tried, on a machine that may have much else to do: a stage that is late
    again and again is asked no more, and what cannot do without it is UNAVAILABLE.
    """
    made = {
        name: json.dumps({"seconds": 10 * budget.seconds, "reserve": budget.reserve})
        for name, budget in Budgets()
        if isinstance(budget, StageBudget)
    }
    return {f"WHEREFORE_ORCHESTRATOR_BUDGETS__{name.upper()}": text for name, text in made.items()}


async def _import(target: str) -> None:
    async with connect(target, retry=False) as channel:
        await import_whole(channel, bundled_catalogue_path(), None, target=target)


def faults_logged(home: Path, kept: Path) -> Counter[str]:
    """Counts the lines of the logs that tell of a fault, by process.

    Args:
        home: Of the suite.
        kept: File that these lines are written to; made only where there are any.
    """
    found: Counter[str] = Counter()
    lines: list[bytes] = []
    for log in sorted((home / "logs").glob("*.log")):
        for line in log.read_bytes().splitlines():
            if _FAULTS.search(line):
                found[log.stem] += 1
                lines.append(log.stem.encode() + b": " + line)
    if lines:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(b"\n".join(lines) + b"\n")
    return found
