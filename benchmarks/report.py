"""Writes the sections of RESULTS.md: figures with their command, data, machine, date, revision."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
PLOTS = ROOT / "benchmarks" / "plots"
CPUINFO = Path("/proc/cpuinfo")
_PREAMBLE = (
    "# Results\n\nWritten by the scripts beside this file; each section says how to repeat it.\n"
)

_INSTRUCTIONS = {
    "avx512_vnni": "AVX-512 with VNNI",
    "avx_vnni": "AVX2 with VNNI",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
}
"""Flag of a processor -> what it means, the best first: how fast 8 bits are hangs on it."""


def update_section(name: str, body: str, path: Path = RESULTS) -> None:
    """Replace a section, or append it; the others stay as they are.

    Args:
        name: Name of the section's markers, such as "relevance".
        body: Markdown, its heading included.
        path: The document; made when absent.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    section = f"{begin}\n{body.strip()}\n{end}"
    text = path.read_text(encoding="utf-8") if path.exists() else _PREAMBLE
    start, stop = text.find(begin), text.find(end)
    if (start < 0) != (stop < 0) or stop < start:
        raise ValueError(f"{path}: the markers of {name} are damaged; mend them by hand")
    if start < 0:
        text = f"{text.rstrip()}\n\n{section}\n"
    else:
        text = text[:start] + section + text[stop + len(end) :]
    path.write_text(text, encoding="utf-8")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column to the left, figures to the right."""
    lines = [
        "| " + " | ".join(headings) + " |",
        "| --- |" + " ---: |" * (len(headings) - 1),
    ]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def provenance(command: str, data: str) -> str:
    """How a section's figures came about, in Markdown."""
    return (
        f"`{command}` on {data}, {datetime.now(UTC):%Y-%m-%d}, revision {revision()}; {machine()}."
    )


def machine() -> str:
    """Cores, memory, processor and Python in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{cores} cores, {memory:.0f} GiB memory, {_processor()}, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def revision() -> str:
    """Short revision of the working tree; marked when it holds uncommitted changes."""
    # What the scripts themselves write does not change what was measured.
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks")
    return _git("rev-parse", "--short=10", "HEAD") + (
        " with uncommitted changes" if changed else ""
    )


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - whichever git the user has
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or ("" if done.returncode == 0 else "unknown")


def _processor() -> str:
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = {flag for line in lines if line.startswith("flags") for flag in line.split()}
    widest = [shown for flag, shown in _INSTRUCTIONS.items() if flag in flags][:1]
    return " ".join([names[0] if names else platform.machine(), *(f"({name})" for name in widest)])
