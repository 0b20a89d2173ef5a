"""Tags and categories of a whole catalogue: `python -m benchmarks.bulk`.

How long `wherefore classify` and `wherefore tags` take, and that a run which is killed and given
again ends with the same file.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import report
from benchmarks.data import data_folder
from shared.cli.private_suite import private_suite

COMMAND: Final = "python -m benchmarks.bulk"
WANTED_MINUTES: Final = 15
_LOOK_SECONDS: Final = 0.2
_PATIENCE_SECONDS: Final = 1_800.0
_ABOUT: Final = """\
One run after the other, each by one call at a time of 100 or 50 products; reading the catalogue and
starting the command are part of it. Categories are those of the bundled model, which was learnt
from the bundled catalogue and says of most of these products that it knows none. Tags are those of
a vocabulary made of the catalogue itself (`wherefore tags vocabulary`), by words. A second run of
each is killed (SIGKILL) once a third of the products are written, and the command given again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one command.

    Attributes:
        seconds: Of a run that nothing disturbs.
        products: Lines of its file.
        killed_at: Lines that were written when the other run was killed.
        same: Whether both files are the same, byte for byte.
    """

    seconds: float
    products: int
    killed_at: int
    same: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dry", action="store_true", help="print, and write nothing")
    chosen = parser.parse_args(arguments)
    catalogue = data_folder("icecat") / "icecat" / "products.jsonl.gz"
    outcomes = asyncio.run(_measure(catalogue))
    body = section(outcomes)
    print(body)
    if not chosen.dry:
        report.update_section("bulk", body)
    return 0


async def _measure(catalogue: Path) -> dict[str, Outcome]:
    cli = [sys.executable, "-m", "shared.cli"]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        vocabulary = folder / "vocabulary.toml"
        build = [*cli, "tags", "vocabulary", str(catalogue), "--out", str(vocabulary)]
        await asyncio.to_thread(subprocess.run, build, check=True, capture_output=True)
        variables = {"WHEREFORE_REASON_TAGS_VOCABULARY": str(vocabulary)}
        services = ("nlu", "retrieval", "reason")
        async with private_suite(services=services, variables=variables) as suite:
            target = ["--reason-target", suite.reason_target]
            classify = [*cli, "classify", str(catalogue), *target]
            tags = [*cli, "tags", str(catalogue), *target]
            return {
                "classify": await asyncio.to_thread(
                    outcome, classify, folder / "c", resume=["--resume"], part=""
                ),
                "tags": await asyncio.to_thread(
                    outcome, tags, folder / "t", resume=[], part=".part"
                ),
            }


def outcome(command: Sequence[str], folder: Path, *, resume: Sequence[str], part: str) -> Outcome:
    """Runs a command whole, and another time killed and given again.

    Args:
        command: Writes the file that its option `--out` names.
        folder: For its files; made.
        resume: What it needs to go on with a file.
        part: What the file that it writes into is called beyond the name of OUT.
    """
    folder.mkdir()
    whole, other = folder / "whole.jsonl", folder / "killed.jsonl"
    begun = time.monotonic()
    subprocess.run([*command, "--out", str(whole)], check=True, capture_output=True)
    seconds = time.monotonic() - begun
    products = _lines(whole)
    again = [*command, "--out", str(other)]
    killed_at = _kill(again, other.with_name(other.name + part), products // 3)
    subprocess.run([*again, *resume], check=True, capture_output=True)
    return Outcome(seconds, products, killed_at, whole.read_bytes() == other.read_bytes())


def _kill(command: Sequence[str], written: Path, lines: int) -> int:
    """Kills a command once a file has so many lines; returns how many it has then.

    Raises:
        RuntimeError: It was done before.
    """
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        until = time.monotonic() + _PATIENCE_SECONDS
        while process.poll() is None and time.monotonic() < until and _lines(written) < lines:
            time.sleep(_LOOK_SECONDS)
        if process.poll() is not None:
            raise RuntimeError(f"done before {lines} lines were seen")
        process.kill()
    return _lines(written)


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def section(outcomes: dict[str, Outcome]) -> str:
    """The section of RESULTS.md."""
    rows = [
        [
            f"`wherefore {name}`",
            f"{found.products:,}",
            f"{found.seconds:.0f}",
            f"{found.products / found.seconds:.0f}",
            f"{found.killed_at:,}",
            "yes" if found.same else "**no**",
        ]
        for name, found in outcomes.items()
    ]
    headings = ("command", "products", "seconds", "products a second", "killed at", "same file")
    both = sum(found.seconds for found in outcomes.values()) / 60
    return "\n\n".join(
        (
            "## Tags and categories in bulk",
            report.provenance(COMMAND, "icecat"),
            _ABOUT,
            report.table(headings, rows),
            f"Both together take {both:.1f} minutes (wanted: under {WANTED_MINUTES}).",
        )
    )


if __name__ == "__main__":
    sys.exit(main())
