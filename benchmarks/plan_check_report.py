"""What is told of the planner's forecasts: the section of RESULTS.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from benchmarks import report
from shared.planning.costs import Costs, Reasons

WANTED: Final = 0.25
"""How far a forecast may be off."""
_HEADINGS: Final = (
    "search",
    "foretold/s",
    "measured/s",
    "off",
    "processor ms foretold",
    "measured",
    "of the machine",
    "whole",
)
_SAID: Final[dict[Reasons, str]] = {
    "off": "no reasons", "template": "templates", "model": "the model's reasons",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rate:
    """Answers a second of one load."""

    reasons: Reasons
    repeated: bool
    clients: int
    foretold: float
    measured: float
    whole_share: float
    foretold_ms: float
    """Processor time of an answer, as its costs have it."""
    measured_ms: float
    got: float
    """Share of the machine's processors that suite and clients got: beside other work not all."""

    @property
    def name(self) -> str:
        """What was asked."""
        queries = "40 over and over" if self.repeated else "every query new"
        return f"{_SAID[self.reasons]}, {queries}, {self.clients} clients"

    @property
    def off(self) -> float:
        """How far the forecast is off, as a share of what was measured."""
        return self.foretold / self.measured - 1


@dataclass(slots=True)
class Checks:
    """Forecasts and measurements."""

    cores: int
    products: int = 0
    rates: list[Rate] = field(default_factory=list[Rate])
    measured_mib: dict[str, float] = field(default_factory=dict[str, float])
    foretold_mib: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def memory_off(self) -> float:
        """How far the forecast of all memory is off."""
        return sum(self.foretold_mib.values()) / sum(self.measured_mib.values()) - 1


def section(command: str, costs: Costs, checks: Checks) -> str:
    """The section of RESULTS.md."""
    rates = [
        [
            r.name,
            f"{r.foretold:.1f}",
            f"{r.measured:.1f}",
            f"{r.off:+.0%}",
            f"{r.foretold_ms:.1f}",
            f"{r.measured_ms:.1f}",
            f"{r.got:.0%}",
            f"{r.whole_share:.0%}",
        ]
        for r in checks.rates
    ]
    memory = [
        [name, f"{checks.foretold_mib[name]:.0f}", f"{mib:.0f}",
         f"{checks.foretold_mib[name] / mib - 1:+.0%}"]
        for name, mib in checks.measured_mib.items()
    ]  # fmt: skip
    both = [sum(checks.foretold_mib.values()), sum(checks.measured_mib.values())]
    memory.append(["all", *(f"{mib:.0f}" for mib in both), f"{checks.memory_off:+.0%}"])
    worst = max((abs(rate.off) for rate in checks.rates), default=0.0)
    sizes = ", ".join(f"{size.products:,}" for size in costs.memory.sizes)
    return "\n".join(
        [
            "## What the planner foretells for one machine",
            "",
            report.provenance(command, f"icecat, {checks.products:,} products"),
            f"All processes and the clients on the same {checks.cores} cores; a closed loop, pages "
            "of 20, answers kept whole (no brown-out). Foretold from the answers that one and four "
            "clients got with other queries (mean value analysis of one queue with the machine's "
            "processors, and a delay that grows with the clients so that it is right for four): "
            f"{costs.searches.provenance.data}, "
            f'{costs.searches.provenance.date}. "Of the machine" is '
            "what suite and clients got of its processors: with other work beside them no forecast "
            "of answers a second can hold, that of processor time still may.",
            "",
            report.table(_HEADINGS, rates),
            "",
            f"The worst forecast is off by {worst:.0%} (wanted: within {WANTED:.0%}): "
            f"{'met' if worst <= WANTED else 'not met'}.",
            "",
            f"Memory at rest, after 40 searches, foretold by lines through {sizes} products:",
            "",
            report.table(("process", "foretold MiB", "measured MiB", "off"), memory),
            "",
            f"All memory is off by {abs(checks.memory_off):.0%} (wanted: within {WANTED:.0%}): "
            f"{'met' if abs(checks.memory_off) <= WANTED else 'not met'}.",
        ]
    )
