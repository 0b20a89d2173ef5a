"""The file of one run of `wherefore tags`, which goes on where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from shared.cli import failures

TagRow = Mapping[str, Any]
"""A tag as JSON, with the names of the contract."""


class TagRun:
    """Appends products to a draft beside the file, which takes its place when the run is whole.

    Args:
        path: JSON lines, a product each.
        header: What the run depends on: a draft of another one is begun anew.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self._path = path
        self._draft = path.with_name(f"{path.name}.part")
        self._header = json.dumps(header, sort_keys=True)
        self.done: set[str] = set()
        """Ids of the products that are in the draft."""
        self.version = ""
        """Vocabulary and model that tagged them."""
        self._whole = 0

    def open(self) -> bool:
        """Reads the draft; returns whether there is one of this run to go on with."""
        try:
            lines = self._draft.read_bytes().splitlines(keepends=True)
        except OSError:
            lines = []
        # What has no end was being written when the run stopped.
        lines = [line for line in lines if line.endswith(b"\n")]
        if not lines or lines[0].decode("utf-8", "replace").rstrip("\n") != self._header:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._draft.write_text(self._header + "\n", encoding="utf-8")
            return False
        with self._draft.open("rb+") as file:
            file.truncate(sum(map(len, lines)))
        for line in lines[1:]:
            row = json.loads(line)
            self.done.add(row["product_id"])
            self.version = row["version"]
        return bool(self.done)

    def restart(self) -> None:
        """Forgets the draft."""
        self.done.clear()
        self.version = ""
        self._draft.write_text(self._header + "\n", encoding="utf-8")

    def add(self, products: Sequence[tuple[str, Sequence[TagRow]]], version: str) -> None:
        """Appends products, tagged by a version."""
        self.version = version
        with self._draft.open("a", encoding="utf-8") as file:
            for product_id, tags in products:
                row = {"product_id": product_id, "version": version, "tags": list(tags)}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                self.done.add(product_id)

    def finish(self) -> None:
        """Puts the draft, without its header, in the place of the file."""
        text = self._draft.read_text(encoding="utf-8").partition("\n")[2]
        self._draft.write_text(text, encoding="utf-8")
        self._draft.replace(self._path)


def read_run(path: Path) -> dict[str, dict[tuple[str, str], float]]:
    """Reads a run: product -> (key, value) -> confidence.

    Raises:
        CommandError: It is no file of a run.
    """
    found: dict[str, dict[tuple[str, str], float]] = {}
    try:
        # splitlines() would cut at separators that stand in texts.
        for line in filter(None, path.read_text(encoding="utf-8").split("\n")):
            row = cast("dict[str, Any]", json.loads(line))
            found[str(row["product_id"])] = {
                (str(tag["key"]), str(tag["value"])): float(tag["confidence"])
                for tag in row["tags"]
            }
    except OSError as error:
        raise failures.CommandError(f"{path}: {error.strerror}", code=failures.USAGE) from error
    except (ValueError, KeyError, TypeError) as error:
        raise failures.CommandError(
            f"{path}: is no run of `wherefore tags`", code=failures.USAGE
        ) from error
    return found
