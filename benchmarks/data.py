"""The public data sets, read in place."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import ROOT


@dataclass(frozen=True, slots=True)
class Icecat:
    """19,406 electronics products and judged queries."""

    catalogue: Path
    judgments: Path


def icecat() -> Icecat:
    """The icecat set below WHEREFORE_DATA.

    Raises:
        SystemExit: It is not there.
    """
    root = Path(os.environ.get("WHEREFORE_DATA") or ROOT.parent / "shared" / "data") / "icecat"
    found = Icecat(root / "products.jsonl.gz", root / "judgments_dev.csv")
    if not (found.catalogue.exists() and found.judgments.exists()):
        raise SystemExit(f"no icecat data in {root}; WHEREFORE_DATA names its parent folder")
    return found


def subset(data: Icecat, size: int, folder: Path) -> Path:
    """Write the judged products and others up to `size`, for a trial run.

    Its figures say nothing about the full catalogue.
    """
    from shared.evaluation.judgments import read_judgments

    judged = {item for ratings in read_judgments(data.judgments).values() for item in ratings}
    with gzip.open(data.catalogue, "rt", encoding="utf-8") as stream:
        lines = list(stream)
    lines.sort(key=lambda line: json.loads(line)["id"] not in judged)
    path = folder / "icecat-subset.jsonl"
    path.write_text("".join(lines[:size]), encoding="utf-8")
    return path
